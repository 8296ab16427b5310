import H5ConvConfig
import H5ConvDiagnostics
import H5ConvVisualization

extension TopActivations.Channel {
  /// What stands above the channel's pictures.
  var label: String {
    if isConstant {
      return "\(index)  " + (minimum.isNaN ? "never finite" : "always \(Double(minimum).inCaption(4))")
    }
    let values = [matches.first?.value, matches.last?.value].compactMap { $0?.inCaption(4) }
    return "\(index)  " + (values.first == values.last ? values.first ?? "" : values.joined(separator: " … "))
  }
}

extension TopActivations {
  /// A line for each layer, for the terminal.
  var table: String {
    let headings = ["#", "layer", "class", "shape", "channels", "constant", "strongest", "value", "picture"]
    let rows = layers.map { layer -> [String] in
      let best = layer.channels.max {
        ($0.matches.first?.value ?? -.infinity) < ($1.matches.first?.value ?? -.infinity)
      }
      let match = best?.matches.first
      return [
        String(layer.index), layer.name, layer.className + (subModel.point == .pre ? " (pre)" : ""),
        "(" + layer.shape.map(String.init).joined(separator: ", ") + ")",
        layer.channels.count == layer.channelCount
          ? String(layer.channelCount) : "\(layer.channels.count) of \(layer.channelCount)",
        String(layer.channels.count(where: \.isConstant)), best.flatMap { $0.isConstant ? nil : "\($0.index)" } ?? "-",
        match?.value.inCaption(4) ?? "-", match.map { pictures[$0.picture] } ?? "-",
      ]
    }
    return alignedText([headings] + rows, left: [1, 2, 3, 8])
  }

  /// `top.json`.
  ///
  /// - Parameter files: the sheets of each layer.
  func json(files: [[JSONValue]]) -> String {
    let object: JSONValue = [
      "version": 1, "h5conv_version": .string(version), "model": .string(subModel.model.path),
      "at": .string(subModel.point.rawValue), "by": .string(options.by), "count": .int(options.count),
      "preprocess": .array(preprocess.map { .string($0) }), "pictures": .array(pictures.map { .string($0) }),
      "layers": .array(zip(layers, files).map { $0.json(files: $1) }),
    ]
    return object.text(pretty: true) + "\n"
  }
}

extension TopActivations.Layer {
  fileprivate func json(files: [JSONValue]) -> JSONValue {
    [
      "index": .int(index), "name": .string(name), "class": .string(className),
      "shape": .array(shape.map { .int($0) }), "channel_count": .int(channelCount),
      "channels": .array(
        channels.map { channel in
          [
            "index": .int(channel.index), "min": .double(Double(channel.minimum)),
            "max": .double(Double(channel.maximum)), "is_constant": .bool(channel.isConstant),
            "matches": .array(channel.matches.map(\.json)),
          ]
        }),
      "files": .array(files),
    ]
  }
}

extension TopActivations.Match {
  fileprivate var json: JSONValue {
    [
      "picture": .int(picture), "value": .double(value), "row": .int(row), "column": .int(column),
      "field": ["x": .int(field.x), "y": .int(field.y), "width": .int(field.width), "height": .int(field.height)],
    ]
  }
}
