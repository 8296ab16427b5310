/// What a comparison found: how many things were compared, and where they depart.
///
/// A value to look at, to print, or to check with ``verify()``; it depends on no test framework.
///
/// ```swift
/// let report = try compareActivations(converted, original, on: [image])
/// #expect(report.isMatch, "\(report)")        // Swift Testing
/// XCTAssert(report.isMatch, "\(report)")      // XCTest
/// ```
public struct ConversionReport: Sendable, CustomStringConvertible {
  /// A place where two models, or a model and golden values, are not the same.
  public struct Departure: Sendable, Equatable, CustomStringConvertible {
    /// The layer, or the weight as `layer/name`.
    public let place: String
    /// What is different.
    public let what: String
    /// The largest difference in units of the tolerance's scale, max(1, |reference|max); nil where there are no numbers to compare.
    public let difference: Double?

    /// The place and what is different, as in `conv2: the largest difference is 0.25`.
    public var description: String { "\(place): \(what)" }
  }

  /// What was compared: `architecture`, `weights`, `activations`.
  public let subject: String
  /// Number of things that were compared.
  public let comparedCount: Int
  /// Where they depart, in execution order.
  public let departures: [Departure]
  /// The place of the largest difference of numbers, whether or not it is within the tolerance.
  public let worst: (place: String, difference: Double)?

  /// Whether nothing departs.
  public var isMatch: Bool { departures.isEmpty }

  /// The first place in execution order that departs: what follows it may only be a consequence.
  public var firstDeparture: Departure? { departures.first }

  /// One line when everything matches, else the first departure and how many follow.
  public var description: String {
    guard let first = firstDeparture else {
      let worst = worst.map { ", the largest difference is \($0.difference) at \($0.place)" } ?? ""
      return "\(subject): \(comparedCount) compared, all match\(worst)"
    }
    let others = departures.dropFirst()
    let names = others.prefix(5).map(\.place).joined(separator: ", ") + (others.count > 5 ? ", …" : "")
    return "\(subject): \(departures.count) of \(comparedCount) depart, first \(first)"
      + (others.isEmpty ? "" : "; then \(names)")
  }

  /// Throws when something departs.
  ///
  /// - Throws: ``ConversionMismatch`` with this report.
  public func verify() throws {
    if !isMatch { throw ConversionMismatch(report: self) }
  }
}

/// A comparison that failed; a test that does not catch it fails with the report as its message.
public struct ConversionMismatch: Error, CustomStringConvertible {
  /// What was found.
  public let report: ConversionReport
  /// The report in words.
  public var description: String { report.description }
}

/// Collects what a comparison finds.
struct ReportBuilder {
  let subject: String
  var count = 0
  private var departures: [ConversionReport.Departure] = []
  private var worst: (place: String, difference: Double)?

  init(_ subject: String) { self.subject = subject }

  mutating func depart(_ place: String, _ what: String, by difference: Double? = nil) {
    departures.append(ConversionReport.Departure(place: place, what: what, difference: difference))
  }

  mutating func saw(_ difference: Double, at place: String) {
    // NaN is worse than any number.
    if let worst, worst.difference.isNaN || difference <= worst.difference { return }
    worst = (place, difference)
  }

  var report: ConversionReport {
    ConversionReport(subject: subject, comparedCount: count, departures: departures, worst: worst)
  }
}
