import H5ConvConfig
import H5ConvDiagnostics
import H5ConvLayers
import H5ConvTensors
import TestSupport
import Testing

/// What every class of layers does with configs and inputs that are wrong.
@Suite("Every layer refuses what is wrong")
struct EveryLayerTests {
  private func reader(_ example: LayerExample, _ object: JSONObject) -> ConfigReader {
    var object = object
    object["name"] = "l"
    object["trainable"] = true
    return ConfigReader(object, at: "layer 'l' of class \(example.className)", generation: example.generation)
  }

  private func config(_ example: LayerExample) throws -> JSONObject {
    try #require(try JSONParser.parse(example.config).object)
  }

  /// The layer as a call on the inputs uses it.
  private func layer(_ example: LayerExample, _ config: JSONObject, inputs: Int) throws -> any Layer {
    let layer = try LayerRegistry.layer(example.className, reader(example, config))
    let tensors = (0..<inputs).map { Argument<Int>.tensor($0) }
    let isMany =
      example.inputs.count > 1 && !example.className.hasSuffix("HeadAttention")
      && !example.className.hasSuffix("QueryAttention")
    return try layer.applied(to: CallArguments(isMany ? [.list(tensors)] : tensors))
  }

  @Test func thereIsAnExampleOfEach() {
    // Operations and models are calls of something else.
    let elsewhere: Set = ["TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"]
    let classes = Set(LayerRegistry.classNames.map(LayerRegistry.kerasName)).subtracting(elsewhere)
    #expect(Set(LayerExample.all.map(\.className)) == classes)
  }

  @Test(arguments: LayerExample.all) func examplesAreGood(_ example: LayerExample) throws {
    let layer = try layer(example, config(example), inputs: example.inputs.count)
    let inputs = example.inputs.map { PartialShape($0) }
    let shapes = try layer.outputShapes(for: inputs)
    _ = try layer.weights(for: inputs)
    var lowering = Lowering()
    let outputs = try layer.lower(example.inputs.map { lowering.input(shape: $0) }, to: &lowering)
    #expect(zip(outputs, shapes).allSatisfy { $1.fits($0.shape) } && outputs.count == shapes.count)
  }

  /// None at all, and more than the layer takes.
  @Test(arguments: LayerExample.all) func wrongNumberOfInputs(_ example: LayerExample) throws {
    // Its place is before all others: nothing goes in.
    if example.className == "InputLayer" { return }
    for count in [0, 7] {
      let inputs = (0..<count).map { _ in PartialShape(example.inputs[0]) }
      do {
        let shapes = try layer(example, config(example), inputs: count).outputShapes(for: inputs)
        // Merging layers take any number; layers that do nothing hand on what there is.
        #expect(count == 7 && example.inputs.count == 2 || shapes == inputs, "\(count) inputs")
      } catch let error as H5ConvError {
        #expect(error.kind == .badData || error.kind == .unsupported, "\(error)")
      }
    }
  }

  /// Tensors of all ranks and with axes of 0: refused or computed, with shapes that can be.
  @Test(arguments: LayerExample.all) func wrongShapes(_ example: LayerExample) throws {
    let layer = try layer(example, config(example), inputs: example.inputs.count)
    for shape in [
      [], [2], [2, 1], [2, 0], [2, 3, 1], [2, 0, 4], [2, 1, 1, 1], [2, 5, 0, 4], [2, 1, 1, 1, 1],
      [2, 1, 1, 1, 1, 1, 1],
    ] {
      let inputs = example.inputs.map { _ in PartialShape(shape) }
      do {
        for output in try layer.outputShapes(for: inputs) { #expect(output.sizes.allSatisfy { $0 ?? 0 >= 0 }) }
        _ = try layer.weights(for: inputs)
        var lowering = Lowering()
        _ = try layer.lower(example.inputs.map { _ in lowering.input(shape: shape) }, to: &lowering)
      } catch let error as H5ConvError {
        #expect([.badData, .unsupported, .limit].contains(error.kind), "\(error)")
      }
    }
  }

  /// Each field of the config in turn is something that it cannot be.
  @Test(arguments: LayerExample.all) func wrongFields(_ example: LayerExample) throws {
    let good = try config(example)
    for (field, value) in good.members {
      let wrong: [JSONValue] = [
        -1, 0, .int(1 << 62), 0.5, .double(.infinity), "nonsense", [], [0, 0], [-3], [1, 2, 3, 4, 5, 6, 7], [[]], [:],
        true,
        ["class_name": "Mystery", "config": [:]],
      ]
      for replacement in wrong where replacement != value {
        var config = good
        config[field] = replacement
        do {
          let layer = try layer(example, config, inputs: example.inputs.count)
          let inputs = example.inputs.map { PartialShape($0) }
          _ = try layer.outputShapes(for: inputs)
          _ = try layer.weights(for: inputs)
          var lowering = Lowering()
          _ = try layer.lower(example.inputs.map { lowering.input(shape: $0) }, to: &lowering)
        } catch let error as H5ConvError {
          #expect([.badData, .unsupported, .limit].contains(error.kind), "\(field) = \(replacement): \(error)")
        }
      }
      // Words where there are numbers or lists are refused by the field's name.
      guard value.string == nil, value.bool == nil, value.object == nil else { continue }
      var config = good
      config[field] = "nonsense"
      let error = #expect(throws: H5ConvError.self) {
        try LayerRegistry.layer(example.className, reader(example, config))
      }
      #expect(error?.what.hasPrefix(field) == true, "\(field): \(error?.description ?? "")")
      #expect(error?.place == "layer 'l' of class \(example.className)")
    }
  }
}
