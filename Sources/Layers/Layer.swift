package import H5ConvConfig
import H5ConvDiagnostics
package import H5ConvTensors

/// A Keras layer: its config, its weights, its shape rule, and how it is computed.
///
/// A conforming type stands in one file with its family and in one line of ``LayerRegistry``.
package protocol Layer: Sendable {
  /// Reads the layer's own fields.
  ///
  /// - Throws: `H5ConvError` naming the layer and the field.
  init(_ config: ConfigReader) throws

  /// The weights in Keras' storage order, with shapes as far as the inputs tell.
  func weights(for inputs: [PartialShape]) throws -> [WeightSpec]

  /// Shapes of the outputs, as Keras' `output_shape`.
  ///
  /// - Parameter inputs: shapes of the inputs, batch first.
  func outputShapes(for inputs: [PartialShape]) throws -> [PartialShape]

  /// Shapes of what the layer computes, where Keras declares others.
  func computedShapes(for inputs: [PartialShape]) throws -> [PartialShape]

  /// Emits the operations that compute the layer.
  ///
  /// - Parameter inputs: the inputs, with fully known shapes.
  func lower(_ inputs: [Value], to lowering: inout Lowering) throws -> [Value]

  /// Whether the layer leaves its input as it is at inference (so that its output is the input's).
  var isIdentity: Bool { get }

  /// Whether a call with `training=True` computes something else, which is random or depends on the other examples.
  var differsInTraining: Bool { get }

  /// The layer as one call uses it, when what it computes depends on more than its inputs in their order: constants among the
  /// arguments, tensors given by name.
  ///
  /// - Parameter arguments: tensors are places in the call's inputs.
  /// - Throws: `H5ConvError` of kind `unsupported` for arguments that it cannot take.
  func applied(to arguments: CallArguments<Int>) throws -> any Layer

  /// Whether arguments of its calls may be lists of sizes, of which some are known and some are tensors.
  var takesSizes: Bool { get }

  /// Sizes that the outputs of a call hold, as `tf.shape` gives them; empty for everything but functions of sizes.
  ///
  /// - Parameters:
  ///   - shapes: of the call's inputs.
  ///   - known: sizes that these hold.
  func sizes(of arguments: CallArguments<Int>, shapes: [PartialShape], known: [SizeNumbers?]) -> [SizeNumbers]
}

extension Layer {
  package func weights(for inputs: [PartialShape]) throws -> [WeightSpec] { [] }
  package func computedShapes(for inputs: [PartialShape]) throws -> [PartialShape] { try outputShapes(for: inputs) }
  package var isIdentity: Bool { false }
  package var differsInTraining: Bool { isIdentity }
  package var takesSizes: Bool { false }

  package func sizes(
    of arguments: CallArguments<Int>, shapes: [PartialShape], known: [SizeNumbers?]
  ) -> [SizeNumbers] { [] }

  package func applied(to arguments: CallArguments<Int>) throws -> any Layer {
    guard arguments.positional.allSatisfy({ $0.isTensors }) else {
      throw H5ConvError(.unsupported, "a constant among the inputs is not supported")
    }
    return self
  }
}

extension Argument {
  /// Whether it consists of tensors only.
  var isTensors: Bool {
    switch self {
    case .tensor: true
    case .list(let items): items.allSatisfy(\.isTensors)
    case .object(let members): members.allSatisfy(\.value.isTensors)
    case .value(let value): value.isNull
    }
  }
}

/// A weight that a layer owns.
package struct WeightSpec: Sendable, Equatable {
  /// Keras 3's name: `kernel`.
  package let name: String
  /// Names that other versions of Keras give it.
  package let aliases: [String]
  /// Sizes of the axes; nil where the input's shape is not known.
  package let shape: PartialShape
  /// Whether training changes it (moving statistics do not count).
  package let isTrainable: Bool
  /// Attributes that lead from the layer to the object that owns the variable in Keras 3's layout: `["cell"]` in an LSTM,
  /// `["forward_layer", "cell"]` in a Bidirectional; empty for a variable of the layer itself.
  ///
  /// There the variables of one object are numbered in the order of their specs.
  package let owner: [String]
  /// Its number among the variables of `owner`, where the owner lists variables of others before it.
  package let number: Int?
  /// Whether files may lack it.
  package let isOptional: Bool

  package init(
    _ name: String, _ shape: PartialShape, aliases: [String] = [], isTrainable: Bool = true, owner: [String] = [],
    number: Int? = nil, isOptional: Bool = false
  ) {
    self.name = name
    self.aliases = aliases
    self.shape = shape
    self.isTrainable = isTrainable
    self.owner = owner
    self.number = number
    self.isOptional = isOptional
  }

  /// Whether `stored`, the last component of a stored weight's path without `:0`, is a name of this weight.
  package func isNamed(_ stored: String) -> Bool { name == stored || aliases.contains(stored) }
}
