import Synchronization

/// Which config fields the layers of Keras 3 and of Keras 2 (as tf_keras keeps it) take.
package struct LayerFields: Sendable {
  /// Fields that both take, those of Keras 3 alone, those of Keras 2 alone; nil in a Keras that does not have the class.
  package let keras3: Set<String>?
  let keras2: Set<String>?

  /// Fields that every layer takes.
  private static let common: Set<String> = ["name", "trainable", "dtype", "activity_regularizer"]

  /// The fields of `className`; nil for a class that neither has.
  package static func of(_ className: String) -> LayerFields? {
    table[className == "GroupQueryAttention" ? "GroupedQueryAttention" : className]
  }

  /// The name under which `keras.layers` has the class that calls itself `className`.
  static func apiName(_ className: String) -> String {
    className == "GroupedQueryAttention" ? "GroupQueryAttention" : className
  }

  private static let table: [String: LayerFields] = {
    var table: [String: LayerFields] = [:]
    // A line that is indented continues the one before.
    for line in text.replacingContinuations.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let head = line[..<colon].split(separator: " ")
      let parts = line[line.index(after: colon)...].split(separator: "|", omittingEmptySubsequences: false).map {
        Set($0.split(separator: " ").map(String.init))
      }
      guard head.count == 2, parts.count == 3 else { continue }
      let shared = head[0].hasSuffix("*") ? parts[0].union(common) : parts[0]
      table[head[0].filter { $0 != "*" }] = LayerFields(
        keras3: head[1].contains("3") ? shared.union(parts[1]) : nil,
        keras2: head[1].contains("2") ? shared.union(parts[2]) : nil)
    }
    return table
  }()
}

extension String {
  fileprivate var replacingContinuations: String {
    var result = ""
    for line in split(separator: "\n") {
      if line.hasPrefix(" ") {
        result += line
      } else {
        result += (result.isEmpty ? "" : "\n") + line
      }
    }
    return result
  }
}
