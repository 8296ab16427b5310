import Foundation
import H5ConvTensors
import H5ConvVisualization
import TestSupport

/// Activations made from whole numbers, as in tools/make_viz_fixtures.py.
struct Activations: Decodable {
  let height: Int
  let width: Int
  let channels: Int
  let distribution: String
  let seed: UInt64

  /// The values in the order (height, width, channels).
  var values: [Float] {
    var state = seed
    return (0..<height * width * channels).map { _ in
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      z ^= z >> 31
      return value(Float(z >> 40) / 0x1p24, Float(z >> 16 & 0xffffff) / 0x1p24)
    }
  }

  private func value(_ u: Float, _ v: Float) -> Float {
    switch distribution {
    case "relu": max((u + v - 1) * 50, 0)
    case "bell": (u + v - 1) * 3
    case "offset": u * 0.25 + 1000
    case "tiny": u * 1e-15
    case "sparse": u < 0.03125 ? v * 700 : 0
    default: u < 0.0625 ? 0.1 : 0.1 + v * 1e-7
    }
  }

  func maps() throws -> FeatureMaps { try feature(height, width, channels, values) }
}

/// Feature maps of the given values in the order (height, width, channels).
func feature(
  _ height: Int, _ width: Int, _ channels: Int, _ values: [Float], index: Int = 3, name: String = "block1_conv2"
) throws -> FeatureMaps {
  try FeatureMaps(
    index: index, name: name, className: "Conv2D", shape: [1, height, width, channels],
    tensor: Tensor(shape: [height, width, channels], values: values))
}

/// Feature maps in which every activation differs from its neighbours.
func feature(_ height: Int, _ width: Int, _ channels: Int, name: String = "block1_conv2") throws -> FeatureMaps {
  let values = Activations(height: height, width: width, channels: channels, distribution: "relu", seed: 5).values
  return try feature(height, width, channels, values, name: name)
}

/// FNV-1a, 64 bits, in hexadecimal.
func fnv(_ bytes: [UInt8]) -> String {
  let digest = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  let text = String(digest, radix: 16)
  return String(repeating: "0", count: 16 - text.count) + text
}

func fixture<Value: Decodable>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
  try JSONDecoder().decode(type, from: Data(contentsOf: URL(fileURLWithPath: Fixtures.path("viz/\(name)"))))
}
