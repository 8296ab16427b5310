import H5Conv
import H5ConvConfig
import H5ConvTensors
import H5ConvTesting
import TestSupport
import Testing

/// A container fixture with weights that are not plain float32.
struct QuantizedFile: CustomTestStringConvertible, Sendable {
  let file: String
  let golden: String
  /// `count_params` of the model and of its trainable weights, from Keras 3.15.1; of 3.12 and 3.5, what their files add up to.
  let parameters: (all: Int, trainable: Int)

  var testDescription: String { file }
  private func path(_ name: String) -> String { Fixtures.path("containers/\(name)") }

  func model() throws -> Model {
    let architecture = file.hasSuffix(".weights.h5") ? path(file.dropLast(".weights.h5".count) + ".json") : nil
    return try Model(contentsOf: path(file), architecture: architecture)
  }

  /// Checks that `model` computes what a float32 model with the same weights does.
  func check(_ model: Model, within tolerance: Double = 2e-5) throws {
    var inputs: [String: Tensor] = [:]
    var outputs: [String: Tensor] = [:]
    for (key, tensor) in try ArrayFile.npz(path(golden)) {
      if key.hasPrefix("input:") { inputs[String(key.dropFirst(6))] = tensor } else { outputs[key] = tensor }
    }
    try expectSameActivations(
      model, outputs, on: model.inputs.compactMap { inputs[$0.name] }, tolerance: tolerance)
  }

  static let all = [
    QuantizedFile(file: "k315_quantised_int8.keras", golden: "quantised_int8.npz", parameters: (392, 16)),
    QuantizedFile(file: "k315_quantised_int8.h5", golden: "quantised_int8.npz", parameters: (392, 16)),
    QuantizedFile(file: "k350_quantised_int8.weights.h5", golden: "quantised_int8.npz", parameters: (392, 16)),
    QuantizedFile(file: "k315_quantised_int4.keras", golden: "quantised_int4.npz", parameters: (313, 16)),
    QuantizedFile(
      file: "k315_quantised_int4_groups.h5", golden: "quantised_int4_groups.npz", parameters: (355, 16)),
    QuantizedFile(
      file: "k315_quantised_int4_groups.weights.h5", golden: "quantised_int4_groups.npz", parameters: (355, 16)),
    QuantizedFile(file: "k312_quantised_int4.weights.h5", golden: "quantised_int4_old.npz", parameters: (218, 16)),
    QuantizedFile(file: "k315_float8.keras", golden: "float8.npz", parameters: (52, 52)),
    QuantizedFile(file: "k315_float8.weights.h5", golden: "float8.npz", parameters: (52, 52)),
    QuantizedFile(file: "k315_lora.h5", golden: "lora.npz", parameters: (503, 173)),
    QuantizedFile(file: "k315_lora.keras", golden: "lora.npz", parameters: (503, 173)),
    QuantizedFile(file: "k315_lora.weights.h5", golden: "lora.npz", parameters: (503, 173)),
  ]
}

@Suite("Quantized models")
struct QuantizedModelTests {
  @Test(arguments: QuantizedFile.all) func computes(_ file: QuantizedFile) throws {
    let model = try file.model()
    try file.check(model)
    #expect(model.parameterCount == file.parameters.all)
    #expect(model.trainableParameterCount == file.parameters.trainable)
    for weight in model.layerWeights { #expect(try weight.read().shape == weight.shape, "\(weight.key)") }
  }

  /// From container to container the form is kept.
  @Test(arguments: QuantizedFile.all, ["a.keras", "a.h5", "a.safetensors"])
  func converts(_ file: QuantizedFile, _ target: String) throws {
    let folder = try TemporaryFolder()
    let model = try file.model()
    let result = try model.write(to: folder.file(target))
    #expect(result.warnings == [])
    let again = try Model(contentsOf: folder.file(target))
    try file.check(again)
    // Older int4 is packed anew; two columns in a byte may need another byte than two rows.
    if !file.file.hasPrefix("k312") { #expect(again.parameterCount == model.parameterCount) }
    // What is read is what the source had; factors are merged, which rounds.
    let merged = file.file == "k315_lora.h5"
    for weight in again.layerWeights where !weight.name.contains("lora") {
      let before = try #require(model.layerWeights.first { $0.key == weight.key })
      let (a, b) = (try before.read(), try weight.read())
      #expect(a.count == b.count && scaledDifference(a, b) <= (merged ? 1e-6 : 0), "\(weight.key)")
    }
  }

  /// With a dtype nothing quantized is left, neither weights nor words.
  @Test(arguments: QuantizedFile.all.filter { !$0.file.contains("lora") }, ["a.keras", "a.h5", "a.safetensors"])
  func floats(_ file: QuantizedFile, _ target: String) throws {
    let folder = try TemporaryFolder()
    var options = ConversionOptions()
    options.dtype = "float32"
    let result = try file.model().write(to: folder.file(target), options)
    #expect(result.changes.contains { $0.hasSuffix("floating point now") })
    let again = try Model(contentsOf: folder.file(target))
    try file.check(again)
    #expect(again.layerWeights.allSatisfy { ["kernel", "bias", "embeddings"].contains($0.name) })
    #expect(again.parameterCount == (file.file.contains("float8") ? 37 : 367))
    options.dtype = "bfloat16"
    options.replaces = true
    _ = try file.model().write(to: folder.file(target), options)
    try file.check(try Model(contentsOf: folder.file(target)), within: 0.02)
  }
}
