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
      severity: .warning, code: "keras_2_archive", message: "a .keras file of Keras 2, which Keras 3.15 refuses"
    ) { $0.generation == 2 && $0.container == .keras },
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
      message: "an activation is a function registered under a name of its own, which Keras does not have",
      remedy: "load it with custom_objects"
    ) { entry, _ in
      ["activation", "recurrent_activation"].contains { field in
        let name = entry.config[field]?.string ?? entry.config[field]?["config"]?.string
        return name?.contains(">") == true
      }
    },
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
      severity: .warning, code: "groups_argument",
      message: "an argument groups, which Keras 3.15 refuses for this class", container: ofKeras2
    ) { entry, _ in
      (entry.className.hasSuffix("Transpose") || entry.className.hasPrefix("Depthwise")
        || entry.className.hasPrefix("Separable")) && entry.config["groups"] != nil
    },
    OfLayer(
      severity: .warning, code: "time_major_argument", message: "an argument time_major, which Keras 3.15 refuses",
      container: ofKeras2
    ) { entry, _ in entry.config["time_major"] != nil },
    OfLayer(
      severity: .warning, code: "attention_argument",
      message: "arguments query_shape, key_shape and value_shape, which Keras 3.15 refuses", container: ofKeras2
    ) { entry, _ in entry.className == "MultiHeadAttention" && entry.config["query_shape"] != nil },
    OfLayer(
      severity: .warning, code: "wrapped_layer_without_module",
      message: "the file does not say which module the wrapped layer is from; Keras 3.15 does not find it",
      container: ofKeras2
    ) { entry, _ in entry.isWrapped && entry.entry["module"] == nil },
    OfLayer(
      severity: .warning, code: "removed_class", message: "a class that Keras 3 does not have", container: ofKeras2
    ) { entry, _ in
      KerasNames.onlyOlder.contains(entry.className) && !KerasNames.ofTensorFlow.contains(entry.className)
    },
    OfLayer(
      severity: .warning, code: "operation_of_tensorflow",
      message: "a call of a TensorFlow function, which Keras 3 does not load", remedy: nil, container: ofKeras2
    ) { entry, _ in KerasNames.ofTensorFlow.contains(entry.className) },
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
      ["activation", "recurrent_activation", "inner_activation"].contains { entry.config[$0] == "hard_sigmoid" }
    },
    OfLayer(
      severity: .warning, code: "gru_without_reset_after",
      message: "no argument reset_after, which was false then; tf_keras 2.21 takes it for true and refuses the weights",
      container: ofKeras2
    ) { entry, _ in entry.className == "GRU" && entry.config["reset_after"] == nil },
    OfLayer(
      severity: .warning, code: "axis_lists",
      message:
        "a list of axes, which Keras 3.15 drops when it loads an .h5: it refuses the file or computes something else",
      container: { $0.container == .legacyModel && $0.generation > 1 }
    ) { entry, _ in (entry.config["axis"]?.array?.count ?? 0) > 1 },
    OfLayer(
      severity: .warning, code: "operations_in_h5",
      message:
        "an operation (keras.ops, or of a mask), which Keras 3.15 cannot load from an .h5; a .keras file can have it",
      container: { $0.container == .legacyModel && $0.generation == 3 }
    ) { entry, _ in
      entry.className != "InputLayer" && entry.config["layers"] == nil && entry.config["trainable"] == nil
        && entry.config["dtype"] == nil && !entry.isWrapped
    },
    OfLayer(
      severity: .warning, code: "attention_in_h5", message: "Keras 3.15 cannot load this class from an .h5",
      container: { $0.container == .legacyModel && $0.generation > 1 }
    ) { entry, _ in entry.className == "Attention" && entry.config["score_mode"] != nil },
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

  @Sendable private static func ofKeras2(_ subject: TrapSubject) -> Bool {
    // A .keras file or JSON of Keras 2 is refused as a whole.
    subject.generation == 2 && subject.container != .keras
  }
}
