import H5ConvConfig
import H5ConvDiagnostics
import H5ConvGraph
import H5ConvLayers
import H5ConvTensors
import Testing

/// A layer with quantized weights as Keras 3.15.1 made them, and what its answers to unit vectors say the weight is.
struct QuantizedLayer: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let className: String
  let config: JSONObject
  let main: String
  let shape: [Int]
  let parts: [String: ([Int], [Float])]
  let value: [Float]

  init(
    _ mode: String, _ className: String, _ shape: [Int], equation: String? = nil,
    _ parts: [String: ([Int], [Float])], value: [Float]
  ) {
    let policies = ["int8": "Quantized", "int4": "Int4", "gptq": "GPTQ", "awq/": "AWQ"]
    testDescription = "\(className) \(mode) \(equation ?? "")"
    self.className = className
    var config: JSONObject = [
      "dtype": [
        "module": "keras.dtype_policies",
        "class_name": .string((policies[String(mode.prefix(4))] ?? "Unknown") + "DTypePolicy"),
        "config": ["mode": .string(mode), "source_name": "float32"],
      ]
    ]
    config["equation"] = equation.map { .string($0) }
    self.config = config
    main = className == "Embedding" ? "embeddings" : "kernel"
    self.shape = shape
    self.parts = parts
    self.value = value
  }

  func quantization() throws -> Quantization? {
    let bias = className == "Embedding" ? [] : [WeightSpec("bias", [shape.last ?? 0])]
    return try Quantization.read(
      config, className: className, specs: [WeightSpec(main, PartialShape(shape))] + bias)
  }

  /// The weight, with some of its parts replaced.
  func tensor(replacing replaced: [String: ([Int], [Float])?] = [:]) throws -> Tensor {
    let quantization = try #require(try quantization())
    return try quantization.tensor(main) { name in
      let part = replaced[name] ?? parts[name]
      return try part.map { try Tensor(shape: $0.0, values: $0.1) }
    }
  }

  static let all = [
    QuantizedLayer(
      "int8", "Dense", [2, 3],
      [
        "kernel": ([2, 3], [127, -127, 127, -35, -22, -67]),
        "kernel_scale": ([3], [62.2549019, 49.609375, 302.3808899]),
      ],
      value: [2.04, -2.56, 0.42, -0.5622048, -0.4434646, -0.2215749]),
    QuantizedLayer(
      "int4/2", "Dense", [3, 3],
      [
        "kernel": ([3, 2], [119, 0, -120, 8, 120, 8]),
        "kernel_scale": ([2, 3], [0.24, 0.06, 0.0473333, 0.026, 0.032, 0.016]),
        "kernel_zero": ([2, 3], [-7, 3, 7, 7, -8, 7]), "g_idx": ([3], [0, 0, 1]),
      ], value: [3.36, 0.24, -0.3313334, -0.24, -0.66, -0.71, -0.39, 0.48, -0.24]),
    QuantizedLayer(
      "int4/-1", "Dense", [3, 3],
      ["kernel": ([3, 2], [119, 14, 127, 7, -33, 4]), "kernel_scale": ([3], [4.516129, 12.7272701, 3.608247])],
      value: [1.55, 0.55, -0.5542858, -0.2214285, 0.55, 1.94, -0.2214285, -0.2357143, 1.1085715]),
    QuantizedLayer(
      "int8", "Embedding", [3, 2],
      [
        "embeddings": ([3, 2], [127, 20, 30, -127, 127, -120]),
        "embeddings_scale": ([3], [218.9654846, 44.8763275, 124.5097885]),
      ], value: [0.58, 0.0913386, 0.6685039, -2.83, 1.02, -0.9637796]),
    QuantizedLayer(
      "int4/2", "Embedding", [2, 3],
      [
        "embeddings": ([2, 2], [120, 7, -115, 7]), "embeddings_scale": ([2, 2], [0.13, 0.0466667, 0.0426667, 0.002]),
        "embeddings_zero": ([2, 2], [5, -8, 7, -8]), "g_idx": ([3], [0, 0, 1]),
      ], value: [-1.69, 0.26, 0.7, -0.4266668, -0.64, 0.03]),
    QuantizedLayer(
      "int8", "EinsumDense", [3, 2], equation: "abc,dc->abd",
      [
        "kernel": ([3, 2], [-5, 127, 127, 32, 127, -24]),
        "kernel_scale": ([1, 1, 3], [90.0709152, 169.333313, 114.4143982]),
      ], value: [-0.0555118, 1.41, 0.75, 0.1889764, 1.11, -0.2097638]),
    // The scale is laid out as the output, whose axes are not in the kernel's order.
    QuantizedLayer(
      "int8", "EinsumDense", [2, 3, 2], equation: "abc,ced->abde",
      [
        "kernel": ([2, 3, 2], [-47, 107, 127, -16, -127, 30, -127, 127, 107, -127, 10, -127]),
        "kernel_scale": ([1, 1, 2, 3], [51.0040169, 218.9654846, 162.8204956, 184.0579376, 77.4390182, 132.2916565]),
      ],
      value: [
        -0.921496, 0.5813387, 0.58, -0.2066142, -0.78, 0.2267717, -2.49, 0.69, 0.4886615, -1.64, 0.0614173, -0.96,
      ]),
    QuantizedLayer(
      "gptq/4/2", "Dense", [3, 3],
      [
        "kernel": ([2, 3], [150, 43, 226, 246, 248, 159]),
        "kernel_scale": ([3, 2], [-1.01, -2.16, -0.5, 0.33, -0.61, 1.59]),
        "kernel_zero": ([3, 2], [0, 1, 4, 3, 11, 3]), "g_idx": ([3], [0, 0.5, 1]),
      ], value: [-6.06, -2.5, 3.05, -11.11, 1, 1.83, -2.16, 3.63, 19.08]),
    QuantizedLayer(
      "gptq/2/-1", "Dense", [2, 2],
      [
        "kernel": ([2, 2], [0, 1, 1, 1]), "kernel_scale": ([2, 1], [1.68, 0.75]), "kernel_zero": ([2, 1], [14, 11]),
        "g_idx": ([2], [0, 0]),
      ], value: [-23.52, -7.5, -21.84, -7.5]),
    QuantizedLayer(
      "awq/4/2", "EinsumDense", [4, 1, 3], equation: "abc,cde->abde",
      [
        "kernel": ([2, 4], [7, 54, 191, 139, 241, 180, 209, 13]),
        "kernel_scale": ([3, 2], [-0.8, 1.37, -1.46, -0.6, -0.32, 0.22]),
        "kernel_zero": ([3, 2], [4, 8, 10, 3, 0, 7]),
        "awq_scales": ([4], [0.69, 1.22, 1.3, 1.66]), "g_idx": ([4], [0, 0, 1, 1]),
      ],
      value: [
        -3.478261, 21.15942, -0.4637681, -1.3114754, 8.3770494, -1.0491803, 7.3769236, -3.6923079, -1.0153846,
        2.4759037, -1.8072289, 0.7951807,
      ]),
  ]
}

@Suite("Quantized weights")
struct QuantizationTests {
  @Test(arguments: QuantizedLayer.all) func value(_ layer: QuantizedLayer) throws {
    let tensor = try layer.tensor()
    #expect(tensor.shape == layer.shape)
    for (value, expected) in zip(tensor.values, layer.value) {
      #expect(abs(value - expected) < 4e-6 * max(1, abs(expected)))
    }
  }

  /// The parts are listed with the shapes that they have.
  @Test(arguments: QuantizedLayer.all) func shapes(_ layer: QuantizedLayer) throws {
    let stored = try #require(try layer.quantization()).stored
    #expect(Set(stored.map(\.name)).subtracting(["bias"]) == Set(layer.parts.keys))
    for spec in stored { if let part = layer.parts[spec.name] { #expect(spec.shape.known == part.0, "\(spec.name)") } }
  }

  /// One error for whatever part is damaged, in whatever way.
  @Test(arguments: QuantizedLayer.all) func damaged(_ layer: QuantizedLayer) throws {
    for (name, (shape, values)) in layer.parts {
      var damages: [([Int], [Float])?] = [
        nil, ([values.count + 1], values + [1]), ([values.count - 1], values.dropLast()),
      ]
      damages += [([0], []), (shape + [1, 1], values)].filter { _ in name == layer.main }
      func filled(_ value: Float) -> ([Int], [Float]) { (shape, values.map { _ in value }) }
      if name.hasSuffix("_scale") { damages += [filled(.nan), filled(.infinity)] }
      if name.hasSuffix("_scale"), !layer.parts.keys.contains("g_idx") { damages.append(filled(0)) }
      if name == "g_idx" { damages += [-1, 2, 1e30, .nan, -.infinity].map(filled) }
      if name == "awq_scales" { damages += [filled(0), filled(.nan)] }
      for damage in damages {
        let error = #expect(throws: H5ConvError.self, "\(name) \(String(describing: damage))") {
          try layer.tensor(replacing: [name: damage])
        }
        #expect(error?.kind == .badData, "\(name) \(String(describing: damage))")
      }
    }
  }

  @Test(arguments: [
    ("int8/2", H5ConvError.Kind.unsupported), ("int4/0", .badData), ("int4/-2", .badData), ("int4/x", .badData),
    ("gptq/5/2", .badData), ("gptq/4", .unsupported), ("awq/8/2", .badData), ("int2", .unsupported), ("", .unsupported),
    ("int4/9999999999999999999", .badData),
  ])
  func unknown(_ mode: String, _ kind: H5ConvError.Kind) {
    let config: JSONObject = [
      "dtype": ["class_name": "QuantizedDTypePolicy", "config": ["mode": .string(mode), "source_name": "float32"]]
    ]
    let error = #expect(throws: H5ConvError.self) {
      try Quantization.read(config, className: "Dense", specs: [WeightSpec("kernel", [2, 2])])
    }
    #expect(error?.kind == kind)
  }

  /// kernel + alpha / rank · a · b, where a and b are stored.
  @Test func factors() throws {
    let config: JSONObject = ["lora_rank": 2, "lora_alpha": 3]
    let quantization = try #require(
      try Quantization.read(config, className: "Dense", specs: [WeightSpec("kernel", [2, 1])]))
    #expect(quantization.stored.map(\.name) == ["kernel", "lora_kernel_a", "lora_kernel_b"])
    #expect(!quantization.isQuantized)
    var parts: [String: ([Int], [Float])] = ["kernel": ([2, 1], [10, 20])]
    func value() throws -> [Float] {
      try quantization.tensor("kernel") { try parts[$0].map { try Tensor(shape: $0.0, values: $0.1) } }.values
    }
    #expect(try value() == [10, 20])
    parts["lora_kernel_a"] = ([2, 2], [1, 2, 3, 4])
    parts["lora_kernel_b"] = ([2, 1], [1, -1])
    #expect(try value() == [8.5, 18.5])
    parts["lora_kernel_b"] = ([3, 1], [1, -1, 1])
    #expect(throws: H5ConvError.self) { try value() }
  }

  /// Sizes that no file can have do not overflow.
  @Test(arguments: ["int8", "int4/2", "gptq/4/2", "awq/4/2"]) func enormous(_ mode: String) throws {
    let layer = QuantizedLayer(
      mode, "EinsumDense", [1 << 40, 1 << 40, 1 << 40], equation: "abc,cde->abde",
      ["kernel": ([1], [1]), "kernel_scale": ([1], [1])], value: [])
    #expect(throws: H5ConvError.self) { try layer.tensor() }
  }
}
