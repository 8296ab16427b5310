import H5ConvConfig
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvModelFiles
import TestSupport
import Testing

/// A layer as Keras 1.2.2 saves it, and what Keras 2.2.5 saves when it is given that.
struct Keras1Layer: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let old: (className: String, config: String)
  let new: (className: String, config: String)

  /// - Parameters:
  ///   - old: JSON of the old config without the braces, `'` for `"`.
  ///   - new: the same for the new one.
  init(_ oldClass: String, _ old: String, _ newClass: String, _ new: String) {
    testDescription = "\(oldClass) \(old)"
    self.old = (oldClass, old)
    self.new = (newClass, new)
  }

  static func parsed(_ className: String, _ config: String) throws -> JSONValue {
    let text = "{\(config)}".split(separator: "'", omittingEmptySubsequences: false).joined(separator: "\"")
    return ["class_name": .string(className), "config": try JSONParser.parse(text)]
  }
}

@Suite("Keras 1 translated to Keras 2")
struct Keras1ConfigTests {
  @Test(arguments: [
    Keras1Layer(
      "Dense", "'output_dim':6,'init':'zero','activation':'relu','bias':true,'input_dim':4", "Dense",
      "'units':6,'kernel_initializer':'zeros','activation':'relu','use_bias':true"),
    Keras1Layer(
      "Dense",
      "'W_regularizer':{'name':'WeightRegularizer','l1':0.0,'l2':0.01},'W_constraint':{'name':'MaxNorm','m':2,'axis':0},"
        + "'b_regularizer':null,'b_constraint':{'name':'NonNeg'},'activity_regularizer':{'name':'EigenvalueRegularizer','k':1}",
      "Dense",
      "'kernel_regularizer':{'class_name':'L1L2','config':{'l1':0.0,'l2':0.01}},"
        + "'kernel_constraint':{'class_name':'MaxNorm','config':{'max_value':2,'axis':0}},"
        + "'bias_regularizer':null,'bias_constraint':{'class_name':'NonNeg','config':{}},'activity_regularizer':null"),
    Keras1Layer(
      "Convolution1D", "'nb_filter':5,'filter_length':3,'subsample_length':1,'border_mode':'same','input_length':null",
      "Conv1D", "'filters':5,'kernel_size':3,'strides':1,'padding':'same'"),
    Keras1Layer(
      "Convolution2D", "'nb_filter':4,'nb_row':3,'nb_col':2,'subsample':[2,1],'dim_ordering':'th'", "Conv2D",
      "'filters':4,'kernel_size':[3,2],'strides':[2,1],'data_format':'channels_first'"),
    Keras1Layer(
      "AtrousConvolution2D", "'nb_filter':4,'nb_row':3,'nb_col':2,'atrous_rate':[2,2],'dim_ordering':'tf'", "Conv2D",
      "'filters':4,'kernel_size':[3,2],'dilation_rate':[2,2],'data_format':'channels_last'"),
    Keras1Layer(
      "SeparableConvolution2D", "'nb_row':1,'nb_col':2,'init':'uniform','depthwise_regularizer':null",
      "SeparableConv2D",
      "'kernel_size':[1,2],'depthwise_initializer':'uniform','pointwise_initializer':'uniform','depthwise_regularizer':null"
    ),
    Keras1Layer(
      "Convolution3D", "'kernel_dim1':2,'kernel_dim2':3,'kernel_dim3':4,'dim_ordering':'default'", "Conv3D",
      "'kernel_size':[2,3,4],'data_format':'channels_last'"),
    Keras1Layer("LocallyConnected2D", "'nb_row':2,'nb_col':3", "LocallyConnected2D", "'kernel_size':[2,3]"),
    Keras1Layer(
      "LSTM",
      "'output_dim':3,'init':'glorot_uniform','inner_init':'orthogonal','forget_bias_init':'one','inner_activation':"
        + "'hard_sigmoid','consume_less':'gpu','dropout_W':0.1,'dropout_U':0.2,'U_regularizer':null,'input_dim':4",
      "LSTM",
      "'units':3,'kernel_initializer':'glorot_uniform','recurrent_initializer':'orthogonal','unit_forget_bias':true,"
        + "'recurrent_activation':'hard_sigmoid','dropout':0.1,'recurrent_dropout':0.2,'recurrent_regularizer':null"),
    Keras1Layer("GRU", "'output_dim':3", "GRU", "'units':3,'reset_after':false"),
    Keras1Layer(
      "ConvLSTM2D", "'nb_filter':3,'nb_row':2,'nb_col':2,'forget_bias_init':'zero','border_mode':'same'", "ConvLSTM2D",
      "'filters':3,'kernel_size':[2,2],'unit_forget_bias':false,'padding':'same'"),
    Keras1Layer(
      "Embedding",
      "'input_dtype':'int32','input_dim':9,'output_dim':4,'init':'uniform','input_length':6,'W_constraint':null,'dropout':0.5",
      "Embedding",
      "'input_dim':9,'output_dim':4,'embeddings_initializer':'uniform','input_length':6,'embeddings_constraint':null"),
    Keras1Layer(
      "InputLayer", "'batch_input_shape':[null,6],'input_dtype':'int32'", "InputLayer",
      "'batch_input_shape':[null,6],'dtype':'int32'"),
    Keras1Layer("PReLU", "'init':'zero'", "PReLU", "'alpha_initializer':'zeros'"),
    Keras1Layer("Dropout", "'p':0.3", "Dropout", "'rate':0.3"),
    Keras1Layer("GaussianNoise", "'sigma':0.3", "GaussianNoise", "'stddev':0.3"),
    Keras1Layer(
      "BatchNormalization", "'mode':0,'epsilon':0.001,'axis':1,'gamma_init':'one'", "BatchNormalization",
      "'epsilon':0.001,'axis':1,'gamma_initializer':'ones'"),
    Keras1Layer("BatchNormalization", "'mode':1", "BatchNormalization(mode=1)", ""),
    Keras1Layer("BatchNormalization", "'mode':2", "BatchNormalization(mode=2)", ""),
    Keras1Layer(
      "MaxPooling1D", "'pool_length':3,'stride':2,'border_mode':'valid'", "MaxPooling1D",
      "'pool_size':3,'strides':2,'padding':'valid'"),
    Keras1Layer("GlobalMaxPooling2D", "'dim_ordering':'th'", "GlobalMaxPooling2D", "'data_format':'channels_first'"),
    Keras1Layer("UpSampling1D", "'length':3", "UpSampling1D", "'size':3"),
    Keras1Layer("UpSampling2D", "'size':[2,3]", "UpSampling2D", "'size':[2,3],'data_format':'channels_last'"),
    Keras1Layer("ZeroPadding1D", "'padding':2", "ZeroPadding1D", "'padding':[2,2]"),
    Keras1Layer("ZeroPadding1D", "'padding':[1,3]", "ZeroPadding1D", "'padding':[1,3]"),
    Keras1Layer("ZeroPadding1D", "'padding':{'left_pad':1}", "ZeroPadding1D", "'padding':[1,0]"),
    Keras1Layer(
      "ZeroPadding2D", "'padding':[1,2]", "ZeroPadding2D", "'padding':[[1,1],[2,2]],'data_format':'channels_last'"),
    Keras1Layer(
      "ZeroPadding2D", "'padding':[1,2,3,4]", "ZeroPadding2D", "'padding':[[1,2],[3,4]],'data_format':'channels_last'"),
    Keras1Layer(
      "ZeroPadding2D", "'padding':{'top_pad':1,'right_pad':2}", "ZeroPadding2D",
      "'padding':[[1,0],[0,2]],'data_format':'channels_last'"),
    Keras1Layer(
      "ZeroPadding3D", "'padding':[1,1,2]", "ZeroPadding3D",
      "'padding':[[1,1],[1,1],[2,2]],'data_format':'channels_last'"),
    Keras1Layer(
      "TimeDistributed", "'layer':{'class_name':'Convolution1D','config':{'nb_filter':2}}", "TimeDistributed",
      "'layer':{'class_name':'Conv1D','config':{'filters':2}}"),
    Keras1Layer(
      "TimeDistributedDense", "'name':'t','trainable':true,'output_dim':5,'bias':false", "TimeDistributed",
      "'name':'t','trainable':true,'layer':{'class_name':'Dense','config':{'name':'t','trainable':true,'units':5,'use_bias':false}}"
    ),
    Keras1Layer("MaxoutDense", "'output_dim':5,'nb_feature':3", "MaxoutDense", "'output_dim':5,'nb_feature':3"),
    Keras1Layer("Mine", "'init':'one','p':1", "Mine", "'init':'one','p':1"),
    // An output that is longer than the least, and those that Keras 2 gives anyway.
    Keras1Layer(
      "Deconvolution2D", "'nb_row':3,'nb_col':3,'subsample':[2,2],'border_mode':'valid','output_shape':[null,10,9,5]",
      "Conv2DTranspose", "'kernel_size':[3,3],'strides':[2,2],'padding':'valid','output_padding':[1,0]"),
    Keras1Layer(
      "Deconvolution2D", "'nb_row':2,'nb_col':3,'subsample':[3,2],'border_mode':'valid','output_shape':[null,12,9,5]",
      "Conv2DTranspose", "'kernel_size':[2,3],'strides':[3,2],'padding':'valid'"),
    Keras1Layer(
      "Deconvolution2D",
      "'nb_row':3,'nb_col':3,'subsample':[2,2],'border_mode':'same','dim_ordering':'th','output_shape':[null,5,7,8]",
      "Conv2DTranspose",
      "'kernel_size':[3,3],'strides':[2,2],'padding':'same','data_format':'channels_first','output_padding':[0,1]"),
  ])
  func layer(_ layer: Keras1Layer) throws {
    let expected = try Keras1Layer.parsed(layer.new.className, layer.new.config)
    let result = Keras1Config.translated(try Keras1Layer.parsed(layer.old.className, layer.old.config))
    #expect(result == expected, "\(result.text())")
  }

  /// Merge, which Keras 2 still saved.
  @Test(
    arguments: [1, 2],
    [
      Keras1Layer("", "'mode':'sum'", "Add", ""), Keras1Layer("", "'mode':'mul'", "Multiply", ""),
      Keras1Layer("", "'mode':'ave'", "Average", ""), Keras1Layer("", "'mode':'max'", "Maximum", ""),
      Keras1Layer("", "'mode':'concat','concat_axis':1", "Concatenate", "'axis':1"),
      Keras1Layer("", "'mode':'dot','dot_axes':[2,2]", "Dot", "'axes':[2,2],'normalize':false"),
      Keras1Layer("", "'mode':'cos','dot_axes':[1,1]", "Merge(mode=cos)", "'mode':'cos'"),
      Keras1Layer("", "'mode':['code'],'mode_type':'lambda'", "Merge(mode=lambda)", "'mode_type':'lambda'"),
      Keras1Layer("", "'mode':'mine','mode_type':'function'", "Merge(mode=function)", "'mode':'mine'"),
    ])
  func merge(_ version: Int, _ layer: Keras1Layer) throws {
    let inputs = ["a", "b"].map { ModelText.input($0, [nil, 4]) }
    var merge = ModelText.layer("Merge", "m", inbound: [[("a", 0, 0), ("b", 0, 0)]]).object ?? JSONObject()
    merge["config"] = try Keras1Layer.parsed("", layer.old.config)["config"]
    let model = ModelText.functional(
      inputs + [.object(merge)], inputs: [("a", 0, 0), ("b", 0, 0)], outputs: [("m", 0, 0)])
    let spec = try ArchitectureReader.read(model, kerasVersion: "\(version).0.0").layers[2]
    #expect(spec.className == layer.new.className)
    #expect(!spec.isOperation)
    for (key, value) in try Keras1Layer.parsed("", layer.new.config)["config"]?.object?.members ?? [] {
      #expect(spec.config[key] == value)
    }
  }
}

@Suite("Models of Keras 1")
struct Keras1ModelTests {
  private func sequential(_ layers: [(String, String)]) throws -> JSONValue {
    ["class_name": "Sequential", "config": .array(try layers.map(Keras1Layer.parsed))]
  }

  private func read(_ layers: [(String, String)]) throws -> Architecture {
    try ArchitectureReader.read(try sequential(layers), kerasVersion: nil)
  }

  /// What layers that do not tell their data format have.
  @Test(arguments: [
    ("'nb_filter':2,'dim_ordering':'th','batch_input_shape':[null,3,9,9]", "channels_first"),
    ("'nb_filter':2,'dim_ordering':'tf','batch_input_shape':[null,3,9,9]", "channels_last"),
    ("'nb_filter':2,'batch_input_shape':[null,3,9,9]", "channels_first"),
    ("'nb_filter':2,'batch_input_shape':[null,9,9,3]", "channels_last"),
    ("'nb_filter':2,'batch_input_shape':[null,3,9,3]", "channels_last"),
    ("'nb_filter':2", "channels_last"),
  ])
  func dataFormat(_ convolution: String, _ expected: String) throws {
    let model = try read([("Convolution2D", convolution), ("ZeroPadding2D", "'name':'p','padding':[1,1]")])
    #expect(model.generation == 1)
    #expect(model.layers.last?.config["data_format"]?.string == expected)
  }

  @Test(arguments: [
    ("Dense", "'input_dim':4,'W_regularizer':null", "[null,4]"),
    ("LSTM", "'input_dim':4,'input_length':6,'W_regularizer':null", "[null,6,4]"),
    ("Convolution1D", "'input_dim':4,'nb_filter':2", "[null,null,4]"),
    ("Embedding", "'input_dim':9,'input_length':6,'W_regularizer':null", "[null,6]"),
    ("Dense", "'input_dim':4,'batch_input_shape':[2,4],'W_regularizer':null", "[2,4]"),
  ])
  func inputOfTheFirstLayer(_ className: String, _ config: String, _ shape: String) throws {
    let model = try read([(className, "'name':'first'," + config)])
    #expect(model.layers[0].name == "first_input")
    #expect(model.layers[0].config["batch_input_shape"]?.text() == shape)
  }

  private func dense(_ name: String, units: Int = 4) throws -> JSONValue {
    try Keras1Layer.parsed("Dense", "'name':'\(name)','output_dim':\(units),'batch_input_shape':[null,3]")
  }

  private func branch(_ layers: JSONValue...) -> JSONValue {
    ["class_name": "Sequential", "config": .array(layers)]
  }

  private func merged(_ name: String, _ branches: [JSONValue], _ rest: JSONValue...) -> JSONValue {
    let merge: JSONValue = [
      "class_name": "Merge", "config": ["name": .string(name), "mode": "sum", "layers": .array(branches)],
    ]
    return ["class_name": "Sequential", "config": .array([merge] + rest)]
  }

  /// The layers of branches stand among the model's own, those of branches within them too.
  @Test func branches() throws {
    let inner = merged("m1", [branch(try dense("a")), branch(try dense("b"), try dense("b2"))])
    let text = merged("m2", [inner, try dense("c")], try dense("last"))
    let model = try ArchitectureReader.read(text, kerasVersion: "1.2.2")
    #expect(
      model.layers.map(\.name) == ["a_input", "a", "b_input", "b", "b2", "m1", "c_input", "c", "m2", "last"])
    #expect(model.inputs.map(\.layer) == ["a_input", "b_input", "c_input"])
    #expect(model.outputs.map(\.layer) == ["last"])
    #expect(model.layers[5].calls.map { $0.inputs.map(\.layer) } == [["a", "b2"]])
    #expect(model.layers[8].calls.map { $0.inputs.map(\.layer) } == [["m1", "c"]])
    #expect(try Graph(model).outputs.count == 1)
  }

  /// A layer in several branches is one layer with several calls.
  @Test func sharedLayer() throws {
    let branches = [branch(try dense("a"), try dense("both")), branch(try dense("b"), try dense("both"))]
    let model = try ArchitectureReader.read(merged("m", branches), kerasVersion: "1.2.2")
    #expect(model.layers.map(\.name) == ["a_input", "a", "both", "b_input", "b", "m"])
    #expect(model.layers[2].calls.map { $0.inputs.map(\.layer) } == [["a"], ["b"]])
    #expect(model.layers[5].calls.map { $0.inputs.map(\.call) } == [[0, 1]])
  }

  @Test func differentLayersOfOneName() throws {
    let text = merged("m", [branch(try dense("a")), branch(try dense("a", units: 5))])
    let error = #expect(throws: H5ConvError.self) { try ArchitectureReader.read(text, kerasVersion: "1.2.2") }
    #expect(error?.kind == .badData)
    #expect(error?.what.contains("'a'") == true)
  }

  /// Keras up to 2.1 did not save the names of models in a Sequential.
  @Test(arguments: ["1.2.2", "2.0.9"]) func modelsWithoutNames(_ version: String) throws {
    let text = branch(branch(try dense("a")), branch(try dense("b")), try dense("sequential_1"))
    let model = try ArchitectureReader.read(text, kerasVersion: version)
    #expect(model.layers.dropFirst().map(\.name) == ["sequential_2", "sequential_3", "sequential_1"])
  }
}
