import H5ConvConfig
import H5ConvModelFiles

// What keras-3.15.1 and tf_keras-2.21 do with files of other versions, found by loading 739 of them.

extension Trap {
  static let ofFiles: [OfFile] = [
    OfFile(
      severity: .warning, code: "keras_1",
      message: "Keras 1 wrote it: neither Keras 3.15 nor tf_keras 2.21 knows its arguments"
    ) { $0.generation == 1 },
    OfFile(
      severity: .warning, code: "sequential_as_list",
      message: "the Sequential is a list of layers, as Keras before 2.2 wrote it; Keras 3.15 refuses it"
    ) { $0.generation == 2 && $0.config["config"]?.array != nil },
    OfFile(
      severity: .warning, code: "sequential_without_input",
      message:
        "the Sequential's first layer states the input's shape; Keras 3.15 adds a batch axis to it and refuses the file"
    ) {
      $0.generation == 2 && $0.container == .legacyModel && $0.classWithInputShape.map { $0 != "Dense" } ?? false
    },
    OfFile(
      severity: .warning, code: "input_axis_added",
      message:
        "the Sequential's first layer states the input's shape; Keras 3.15 adds a batch axis to it: (None, None, n)"
    ) { $0.generation == 2 && $0.container == .legacyModel && $0.classWithInputShape == "Dense" },
    OfFile(
      severity: .warning, code: "keras_2_json", message: "JSON of Keras 2, which Keras 3.15 refuses"
    ) { $0.generation == 2 && $0.container == .architecture && $0.config["module"] == nil },
    OfFile(
      severity: .warning, code: "keras_3_only", message: "Keras 3 wrote it; Keras 2 and tf_keras 2.21 refuse it"
    ) { $0.generation == 3 },
    OfFile(
      severity: .warning, code: "bfloat16_in_h5",
      message: "weights are bfloat16, which Keras 3.15 cannot load from an .h5"
    ) { $0.hasBfloat16 },
    OfFile(
      severity: .warning, code: "theano_kernels",
      message: "written on Theano, whose convolutions turn kernels over: tf_keras loads it and computes something else"
    ) { $0.generation == 2 && $0.backend == "theano" },
    OfFile(
      severity: .info, code: "unknown_backend",
      message: "Keras 1 does not say whether it ran on Theano, whose convolutions turn kernels over", remedy: nil
    ) { $0.generation == 1 && $0.backend == nil },
  ]

  static let ofLayers: [OfLayer] = [
    OfLayer(
      severity: .warning, code: "custom_function",
      message: "an activation is a function that Keras does not have under this name",
      remedy: "load it with custom_objects", names: \.customFunctions
    ) { entry, _ in !entry.customFunctions.isEmpty },
    OfLayer(
      severity: .warning, code: "initializer_dtype",
      message: "initializers have an argument dtype, as TensorFlow 1.13 to 2.4 wrote it; Keras 3.15 refuses it",
      container: ofKeras2
    ) { entry, _ in
      entry.config.members.contains { key, value in
        key.hasSuffix("_initializer") && value["config"]?["dtype"] != nil
      }
    },
    OfLayer(
      severity: .warning, code: "refused_argument", message: "arguments that Keras 3.15 refuses for the class",
      container: ofKeras2, names: \.refusedArguments
    ) { entry, _ in !entry.refusedArguments.isEmpty },
    OfLayer(
      severity: .warning, code: "keras_2_archive",
      message: "a functional model in a .keras file of Keras 2, where Keras 3.15 does not find its class",
      container: ofKeras2
    ) { entry, _ in
      guard entry.config["layers"] != nil, let module = entry.entry["module"]?.string else { return false }
      return ["tf_keras.", "keras.src.engine", "keras.engine"].contains(where: module.hasPrefix)
    },
    OfLayer(
      severity: .warning, code: "slash_in_name", message: "a name with a '/', which Keras 3.15 refuses",
      container: { $0.generation < 3 }
    ) { entry, _ in entry.config["name"]?.string?.contains("/") == true },
    OfLayer(
      severity: .warning, code: "axis_as_list", message: "the axis in a list, which Keras 3.15 refuses here",
      container: ofKeras2
    ) { entry, _ in
      entry.className == "BatchNormalization" && entry.isReadStrictly && entry.config["axis"]?.array != nil
    },
    OfLayer(
      severity: .warning, code: "weights_of_axes",
      message: "a list of axes, which Keras 3.15 drops when it loads an .h5, and then refuses the weights",
      container: { $0.container == .legacyModel && $0.generation > 1 }
    ) { entry, _ in entry.dropsAxes && Trap.withWeightsOfAxes.contains(entry.className) },
    OfLayer(
      severity: .warning, code: "wrapped_layer_without_module",
      message: "the file does not say which module the wrapped layer is from; Keras 3.15 does not find it",
      container: ofKeras2
    ) { entry, _ in entry.isWrapped && entry.entry["module"] == nil },
    OfLayer(
      severity: .warning, code: "removed_class", message: "a class that Keras 3 does not have",
      container: { $0.generation > 1 }
    ) { entry, _ in
      ([entry.className] + entry.activationClasses).contains {
        KerasClasses.onlyOlder.contains($0) && !KerasClasses.ofTensorFlow.contains($0)
      }
    },
    OfLayer(
      severity: .warning, code: "operation_of_tensorflow",
      message: "a call of a TensorFlow function, which Keras 3 does not load", remedy: nil,
      container: { $0.generation > 1 }
    ) { entry, _ in KerasClasses.ofTensorFlow.contains(entry.className) },
    OfLayer(
      severity: .warning, code: "nested_model_calls",
      message: "calls of a nested model count from 1; Keras 3.15 counts from 0 and does not find them",
      container: ofKeras2
    ) { entry, _ in entry.isNestedModel && entry.entry["inbound_nodes"]?.array?.isEmpty == false },
    OfLayer(
      severity: .warning, code: "old_dtype_policy",
      message: "a dtype policy of Keras 2, an object that Keras 3.15 does not know", container: ofKeras2
    ) { entry, _ in ["Policy", "PolicyV1"].contains(entry.config["dtype"]?["class_name"]?.string) },
    OfLayer(
      severity: .warning, code: "hard_sigmoid_changed",
      message: "hard_sigmoid is clip(0.2·x + 0.5, 0, 1) here and relu6(x + 3)/6 in Keras 3: it computes something else",
      container: { $0.generation < 3 }
    ) { entry, _ in
      ConfigEntry.activations.contains { entry.config[$0] == "hard_sigmoid" }
    },
    OfLayer(
      severity: .warning, code: "gru_without_reset_after",
      message: "no argument reset_after, which was false then; tf_keras 2.21 takes it for true and refuses the weights",
      container: ofKeras2
    ) { entry, _ in entry.className == "GRU" && entry.config["reset_after"] == nil },
    OfLayer(
      severity: .warning, code: "axis_lists",
      message:
        "a list of axes, which Keras 3.15 drops when it loads an .h5: it computes something else",
      container: { $0.container == .legacyModel && $0.generation > 1 }
    ) { entry, _ in entry.dropsAxes && !Trap.withWeightsOfAxes.contains(entry.className) },
    OfLayer(
      severity: .warning, code: "operations_in_h5",
      message:
        "an operation (keras.ops, or of a mask), which Keras 3.15 cannot load from an .h5; a .keras file can have it",
      container: { $0.container == .legacyModel && $0.generation == 3 }
    ) { entry, _ in
      !entry.isReadStrictly && entry.className != "InputLayer" && entry.config["layers"] == nil
        && entry.config["trainable"] == nil
        && entry.config["dtype"] == nil
    },
    OfLayer(
      severity: .warning, code: "attention_in_h5", message: "Keras 3.15 cannot load this class from an .h5",
      container: { $0.container == .legacyModel && $0.generation > 1 }
    ) { entry, _ in !entry.isReadStrictly && entry.className == "Attention" && entry.config["score_mode"] != nil },
    OfLayer(
      severity: .info, code: "channels_first", message: "channels_first, which TensorFlow cannot run on a CPU",
      remedy: nil
    ) { entry, _ in
      entry.config["data_format"] == "channels_first" || entry.config["dim_ordering"] == "th"
    },
    OfLayer(
      severity: .info, code: "cudnn_class", message: "runs only on a GPU in Keras 2", container: ofKeras2
    ) { entry, _ in entry.className.hasPrefix("CuDNN") },
  ]

  /// Classes that have a weight for each element of their axes.
  private static let withWeightsOfAxes: Set<String> = ["BatchNormalization", "LayerNormalization", "Normalization"]

  @Sendable private static func ofKeras2(_ subject: TrapSubject) -> Bool { subject.generation == 2 }
}
