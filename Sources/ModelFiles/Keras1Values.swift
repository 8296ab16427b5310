import H5ConvConfig

/// How Keras 1 wrote values that Keras 2 writes otherwise.
enum Keras1Values {
  /// The value of Keras 2's `field`.
  static func translated(_ field: String, _ value: JSONValue) -> JSONValue {
    if field.hasSuffix("_regularizer") { return regularizer(value) }
    if field.hasSuffix("_constraint") { return constraint(value) }
    if field.hasSuffix("_initializer") {
      switch value {
      case "zero": return "zeros"
      case "one": return "ones"
      default: break
      }
    }
    return value
  }

  /// `{"name": "WeightRegularizer", "l1": …, "l2": …}` → `{"class_name": "L1L2", "config": {"l1": …, "l2": …}}`.
  ///
  /// The others that Keras 1 had have no counterpart; they only matter for training.
  private static func regularizer(_ value: JSONValue) -> JSONValue {
    guard value["name"] != nil else { return value }
    guard value["l1"] != nil || value["l2"] != nil else { return .null }
    return ["class_name": "L1L2", "config": ["l1": value["l1"] ?? 0.0, "l2": value["l2"] ?? 0.0]]
  }

  /// `{"name": "MaxNorm", "m": 2, "axis": 0}` → `{"class_name": "MaxNorm", "config": {"max_value": 2, "axis": 0}}`.
  private static func constraint(_ value: JSONValue) -> JSONValue {
    guard let members = value.object?.members, let name = value["name"] else { return value }
    var config = JSONObject()
    for (key, value) in members where key != "name" {
      config[["m": "max_value", "low": "min_value", "high": "max_value"][key] ?? key] = value
    }
    return ["class_name": name, "config": .object(config)]
  }

  /// Zeros before and after each axis, as Keras 2 has them: `[[top, bottom], [left, right]]`, or `[left, right]` in one dimension.
  ///
  /// Keras 1 had one number per axis, the numbers in a row, or an object; nil for anything else.
  static func borders(_ padding: JSONValue, rank: Int) -> JSONValue? {
    if let object = padding.object {
      func pair(_ first: String, _ last: String) -> JSONValue { [object[first] ?? 0, object[last] ?? 0] }
      let sides = pair("left_pad", "right_pad")
      return rank == 1 ? sides : rank == 2 ? [pair("top_pad", "bottom_pad"), sides] : nil
    }
    if rank == 1 { return padding.integer == nil ? nil : [padding, padding] }
    guard let items = padding.array, items.allSatisfy({ $0.integer != nil }) else { return nil }
    if items.count == rank { return .array(items.map { [$0, $0] }) }
    return items.count == 4 && rank == 2 ? [[items[0], items[1]], [items[2], items[3]]] : nil
  }
}

/// Which data format layers have that do not tell.
enum Keras1DataFormat {
  static let names = ["tf": "channels_last", "th": "channels_first"]

  /// The format of the layers of `model` that tell theirs, else what the first picture that comes in looks like.
  static func of(_ model: JSONValue) -> String {
    var found = Facts()
    found.look(at: model)
    guard found.first == found.last else { return found.first > found.last ? "channels_first" : "channels_last" }
    guard let shape = found.inputShape, let first = shape[1].integer, let last = shape.last?.integer,
      (1...4).contains(first), !(1...4).contains(last)
    else { return "channels_last" }
    return "channels_first"
  }

  private struct Facts {
    /// How many layers say `th`, and `tf`.
    var first = 0
    var last = 0
    /// The first shape of an input with two or three spatial axes.
    var inputShape: [JSONValue]?

    mutating func look(at value: JSONValue) {
      for item in value.array ?? [] { look(at: item) }
      for (key, item) in value.object?.members ?? [] {
        switch (key, item) {
        case ("dim_ordering", "th"): first += 1
        case ("dim_ordering", "tf"): last += 1
        case ("batch_input_shape", .array(let shape)) where (4...5).contains(shape.count):
          inputShape = inputShape ?? shape
        default: look(at: item)
        }
      }
    }
  }
}

enum Keras1Deconvolution {
  /// The `output_padding` with which Keras 2's Conv2DTranspose gives the `output_shape` that Keras 1's layer was given; nil when
  /// it gives that anyway, or cannot.
  ///
  /// The input's length n need not be known. Without it the output is n·s when padded to the same size, else (n − 1)s + k, at least
  /// n·s; with it (n − 1)s + r + p, where r is k, or 1 or 0 as k is odd or even. So p is what is left of (output − r) / s.
  static func outputPadding(_ config: JSONObject, isChannelsFirst: Bool) -> JSONValue? {
    guard let shape = config["output_shape"]?.array, shape.count == 4,
      let strides = config["subsample"]?.array, strides.count == 2
    else { return nil }
    let isSame = config["border_mode"]?.string == "same"
    var paddings: [Int] = []
    var isUsual = true
    for (axis, key) in ["nb_row", "nb_col"].enumerated() {
      guard let output = shape[axis + (isChannelsFirst ? 2 : 1)].integer, let stride = strides[axis].integer,
        let kernel = config[key]?.integer, (1...1 << 20).contains(stride), (1...1 << 20).contains(kernel),
        (0...1 << 40).contains(output)
      else { return nil }
      let rest = isSame ? kernel % 2 : kernel
      let padding = ((output - rest) % stride + stride) % stride
      paddings.append(padding)
      if isSame ? output % stride != 0 : padding != max(stride - kernel, 0) { isUsual = false }
    }
    return isUsual ? nil : .array(paddings.map { .int($0) })
  }
}
