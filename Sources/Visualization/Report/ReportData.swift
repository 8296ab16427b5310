import H5ConvConfig
import H5ConvImages

/// The data that a report's page holds for its script and for other programs: `schemas/report.schema.json` describes it.
enum ReportData {
  /// The version of the form; it changes when a reader would have to.
  static let version = 1

  /// - Parameter ids: the ids of the page's elements in which bytes stand.
  static func json(_ report: Report, ids: ReportParts<[String]>, notes: [String]) throws -> JSONValue {
    [
      "version": .int(version),
      "h5conv_version": .string(report.h5convVersion),
      "command": .string(report.command),
      "notes": .array(notes.map { .string($0) }),
      "models": .array(
        report.models.map { model -> JSONValue in
          [
            "path": .string(model.path), "name": .string(model.name), "class": .string(model.className),
            "origin": .string(model.origin), "params": .int(model.parameters),
            "macs": .count(model.multiplyAccumulates),
          ]
        }),
      "layers": .array(zip(report.layers, ids.layers).map { .object(layer($0, $1)) }),
      "runs": .array(try report.runs.enumerated().map { try run($1, ids: ids.runs[$0]) }),
      "colormaps": .array(
        ColorMap.all.map { map -> JSONValue in
          [
            "name": .string(map.name), "diverging": .bool(map.isDiverging),
            "colors": .string(String(decoding: base64(map.colors), as: UTF8.self)),
          ]
        }),
    ]
  }

  /// - Parameter ids: those of the layer's own slices, and of the others'.
  private static func layer(_ layer: Report.Layer, _ ids: [[String]]) -> JSONObject {
    var object: JSONObject = [
      "index": .int(layer.index), "name": .string(layer.name), "class": .string(layer.className),
      "shape": .array(layer.shape.map { .int($0) }), "params": .int(layer.parameters),
      "macs": .count(layer.multiplyAccumulates),
      "fields": .array(
        layer.fields.map { field -> JSONValue in
          field.isWhole
            ? ["whole": true]
            : [
              "start": .double(field.start), "stride": .double(field.stride), "size": .double(field.size),
              "bound": .bool(field.isBound), "gated": .bool(field.isGated),
            ]
        }),
      "kernel": layer.kernel.map { kernel -> JSONValue in
        [
          "shape": .array(kernel.shape.map { .int($0) }), "values": .array(kernel.values.map { .short($0) }),
        ]
      } ?? .null,
      "slices": layer.slices.map { slices($0, ids.first ?? []) } ?? .null,
      "kernel_note": layer.kernelNote.map { .string($0) } ?? .null,
    ]
    guard !layer.others.isEmpty else { return object }
    object["others"] = .array(
      zip(layer.others, ids.dropFirst()).map { other, ids in
        var object = self.layer(other, [ids])
        object["model"] = .int(other.model)
        return .object(object)
      })
    return object
  }

  private static func slices(_ slices: KernelSlices, _ ids: [String]) -> JSONValue {
    [
      "height": .int(slices.height), "width": .int(slices.width), "inputs": .int(slices.inputs),
      "filters": .int(slices.filters), "kept": .int(slices.kept), "groups": .int(slices.groups),
      "largest": .array(slices.largest.map { .short($0) }),
      "share": .array(slices.shares.map { .double((Double($0) * 1000).rounded() / 1000) }),
      "count": .int(slices.bytes.count), "bytes": .array(ids.map { .string($0) }),
      "check_sum": .int(Int(checkSum(slices.bytes))),
    ]
  }

  private static func run(_ run: Report.Run, ids: ReportParts<[String]>.Run) throws -> JSONValue {
    [
      "model": .int(run.model), "image": .string(run.image), "preprocess": .string(run.preprocess),
      "input_size": ["height": .int(run.height), "width": .int(run.width)],
      "picture": try run.picture.map { .string(try png($0)) } ?? .null,
      "original": try run.original.map(original) ?? .null,
      "scores": .array(
        run.scores.map { score -> JSONValue in
          [
            "index": .int(score.index), "label": score.label.map { .string($0) } ?? .null,
            "score": .double(score.score),
          ]
        }),
      "score_note": run.scoreNote.map { .string($0) } ?? .null,
      "layers": .array(zip(run.maps, ids.layers).map { one, ids in one.map { maps($0, ids) } ?? .null }),
      "explanations": .array(
        zip(run.explanations, ids.explanations).map { one, ids in
          var object = one.map.json
          object["map"] = maps(one.bytes, ids)
          return .object(object)
        }),
    ]
  }

  private static func original(_ original: Report.Original) throws -> JSONValue {
    [
      "width": .int(original.width), "height": .int(original.height),
      "part": [
        "left": .int(original.columns.lowerBound), "top": .int(original.rows.lowerBound),
        "width": .int(original.columns.count), "height": .int(original.rows.count),
      ],
      "padded": .bool(original.isPadded), "picture": .string(try png(original.picture)),
    ]
  }

  private static func maps(_ maps: ByteMaps, _ ids: [String]) -> JSONValue {
    let (layer, channels) = (maps.layer, maps.statistics)
    var object: JSONObject = [
      "height": .int(maps.height), "width": .int(maps.width), "channels": .int(maps.channels),
      "full_height": .int(maps.fullHeight), "full_width": .int(maps.fullWidth), "reduction": .int(maps.reduction),
      "min": .double(layer.minimum), "max": .double(layer.maximum), "mean": .double(layer.mean),
      "std": .double(layer.standardDeviation), "zero_fraction": .double(layer.zeroFraction),
      "flat_channels": .array(layer.flatChannels.map { .int($0) }), "nan_count": .int(layer.nanCount),
      "inf_count": .int(layer.infinityCount), "histogram": .array(maps.histogram.map { .int($0) }),
      "channel_min": .array(channels.map { .short($0.minimum) }),
      "channel_max": .array(channels.map { .short($0.maximum) }),
      "channel_mean": .array(channels.map { .short($0.finiteCount > 0 ? Float($0.mean) : .nan) }),
      "channel_std": .array(
        channels.map { one in
          .short(one.finiteCount > 0 ? Float((one.squares / Double(one.finiteCount)).squareRoot()) : .nan)
        }),
      "channel_zeros": .array(channels.map { .int($0.zeroCount) }),
      "maps": .array(ids.map { .string($0) }), "check_sum": .int(Int(checkSum(maps.bytes))),
    ]
    if !layer.isFinite {
      object["channel_levels"] = .array((0..<maps.channels).map { .int(maps.levels(of: $0)) })
      object["channel_nan"] = .array(channels.map { .int($0.nanCount) })
      object["channel_inf"] = .array(channels.map { .int($0.infinityCount) })
    }
    return .object(object)
  }

  /// Adler-32 (RFC 1950), by which the page knows that the browser gave the bytes unchanged.
  static func checkSum(_ bytes: [UInt8]) -> UInt32 {
    var (a, b) = (1 as UInt32, 0 as UInt32)
    // 5552 is how many additions fit before the modulus.
    for start in stride(from: 0, to: bytes.count, by: 5552) {
      for byte in bytes[start..<min(start + 5552, bytes.count)] {
        a &+= UInt32(byte)
        b &+= a
      }
      a %= 65_521
      b %= 65_521
    }
    return b << 16 | a
  }

  private static func png(_ picture: Raster) throws -> String {
    let file = try PNGPicture(
      kind: picture.channels == 1 ? .grey : .rgb, width: picture.width, height: picture.height, pixels: picture.pixels
    ).encoded()
    return "data:image/png;base64," + String(decoding: base64(file), as: UTF8.self)
  }
}

extension JSONValue {
  /// The shortest number that reads back as `value`, null when it is not finite.
  fileprivate static func short(_ value: Float) -> JSONValue {
    value.isFinite ? .double(Double(value.description) ?? Double(value)) : .null
  }

  fileprivate static func count(_ value: Int?) -> JSONValue { value.map { .int($0) } ?? .null }
}
