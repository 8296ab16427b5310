/// Where Keras 3 has the classes of its operations, which legacy files do not tell.
struct OperationModules: Sendable {
  /// The module of the operation `className`; nil for what is none of today's Keras.
  static func module(of className: String) -> String? { modules[className] }

  private static let modules: [String: String] = {
    var modules: [String: String] = [:]
    var module = ""
    // A line that is indented continues the one before.
    for line in text.split(separator: "\n") {
      var names = line.split(separator: " ")
      if !line.hasPrefix(" "), !names.isEmpty { module = "keras.src.ops.\(names.removeFirst().dropLast())" }
      for name in names { modules[String(name)] = module }
    }
    return modules
  }()
}
