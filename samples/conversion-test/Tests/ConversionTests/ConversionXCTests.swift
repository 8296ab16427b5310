import H5ConvTesting
import XCTest

/// The same expectations from XCTest.
final class ConversionXCTests: XCTestCase {
  func testActivations() throws {
    let conversion = try Conversion()
    try expectSameActivations(conversion.converted, conversion.original, on: conversion.inputs, tolerance: 1e-6)
  }

  func testWeights() throws {
    let conversion = try Conversion()
    let report = try compareWeights(conversion.converted, conversion.original)
    XCTAssert(report.isMatch, "\(report)")
  }
}
