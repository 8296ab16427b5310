/// Where the fixtures of the tests are, from the place of this source file.
package enum Fixtures {
  /// Path of the file `name` under `Tests/Fixtures`.
  package static func path(_ name: String) -> String { root + "/" + name }

  /// The folder `Tests/Fixtures`.
  package static let root: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    return parts.joined(separator: "/") + "/Fixtures"
  }()
}
