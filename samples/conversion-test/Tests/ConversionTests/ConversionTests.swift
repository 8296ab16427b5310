import H5Conv
import H5ConvTesting
import Testing

@Suite("A network of 2017, converted for today's Keras")
struct ConversionTests {
  private let conversion: Conversion

  init() throws { conversion = try Conversion() }

  @Test func architecture() throws {
    try expectSameArchitecture(conversion.converted, conversion.original)
  }

  @Test func weights() throws {
    try expectSameWeights(conversion.converted, conversion.original)
  }

  /// Layer by layer; a failure names the first layer that departs, and by how much.
  @Test func activations() throws {
    try expectSameActivations(conversion.converted, conversion.original, on: conversion.inputs, tolerance: 1e-6)
  }

  /// With half the bits, weights are other numbers: the report says where they depart most.
  @Test func halfTheBits() throws {
    var options = ConversionOptions()
    options.dtype = "float16"
    options.replaces = true
    let half = try Model(contentsOf: try conversion.original.write(to: conversion.converted.path, options).path)
    let report = try compareWeights(half, conversion.original)
    #expect(!report.isMatch, "\(report)")
    try expectSameWeights(half, conversion.original, tolerance: 1e-3)
    try expectSameActivations(half, conversion.original, on: conversion.inputs, tolerance: 1e-2)
  }
}
