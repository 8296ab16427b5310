import H5ConvConfig

/// The layer `Merge` of Keras 1, which Keras 2.0 to 2.2 could still load and save: one class for what are several since.
enum LegacyMerge {
  private static let classes = [
    "sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate", "dot": "Dot",
  ]

  /// The layer of Keras 2 that does what the Merge in `entry` does; any other entry as it is.
  ///
  /// A mode that no layer has gets a class name that says so: `Merge(mode=lambda)`. `cos` is among them: beyond vectors it is not
  /// the cosine that a normalizing Dot computes.
  static func translated(_ entry: JSONValue) -> JSONValue {
    guard entry["class_name"] == "Merge", var members = entry.object, let config = entry["config"]?.object else {
      return entry
    }
    let type = config["mode_type"]?.string ?? "raw"
    let mode = type == "raw" ? config["mode"]?.string ?? "sum" : type
    // Other layers tell whether they are trainable; an entry that does not would be taken for an operation.
    let className = classes[mode]
    var fields = className == nil ? config : JSONObject()
    fields["name"] = config["name"]
    fields["trainable"] = config["trainable"] ?? true
    switch mode {
    case "concat": fields["axis"] = config["concat_axis"] ?? -1
    case "dot":
      fields["axes"] = config["dot_axes"] ?? -1
      fields["normalize"] = false
    default: break
    }
    members["class_name"] = .string(className ?? "Merge(mode=\(mode))")
    members["config"] = .object(fields)
    return .object(members)
  }
}
