package import H5ConvConfig

/// Validates JSON against the keywords that the project's schemas use; an unknown keyword is an error, so that none is
/// silently not checked.
package struct JSONSchema: Sendable {
  private let root: JSONValue

  package init(_ root: JSONValue) { self.root = root }

  /// The schema `schemas/NAME.schema.json`.
  package init(named name: String) throws {
    let parts = Fixtures.root.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
    root = try JSONParser.parse(contents(of: parts.joined(separator: "/") + "/schemas/\(name).schema.json"))
  }

  /// What is wrong with `value`, each with its place; empty when it is valid.
  package func problems(_ value: JSONValue) -> [String] { problems(value, root, at: "$") }

  private func problems(_ value: JSONValue, _ schema: JSONValue, at place: String) -> [String] {
    if let flag = schema.bool { return flag ? [] : ["\(place): nothing is allowed here"] }
    guard let rules = schema.object else { return ["\(place): the schema is neither an object nor a boolean"] }
    return rules.members.flatMap { keyword, rule in problems(value, keyword, rule, rules, at: place) }
  }

  private func problems(
    _ value: JSONValue, _ keyword: String, _ rule: JSONValue, _ rules: JSONObject, at place: String
  ) -> [String] {
    func unless(_ holds: Bool, _ what: @autoclosure () -> String) -> [String] { holds ? [] : ["\(place): \(what())"] }
    switch keyword {
    case "$schema", "$id", "$defs", "title", "description": return []
    case "$ref":
      let name = rule.string?.hasPrefix("#/$defs/") == true ? String(rule.string?.dropFirst(8) ?? "") : ""
      guard let target = root["$defs"]?[name] else { return ["\(place): no such definition: \(rule.text())"] }
      return problems(value, target, at: place)
    case "type":
      let names = rule.array?.compactMap(\.string) ?? [rule.string ?? ""]
      return unless(
        names.contains { value.isOfType($0) }, "\(value.text().prefix(60)) is not \(names.joined(separator: " or "))")
    case "const": return unless(value == rule, "\(value.text().prefix(60)) is not \(rule.text())")
    case "enum":
      return unless(rule.array?.contains(value) == true, "\(value.text().prefix(60)) is none of \(rule.text())")
    case "minimum":
      return unless(
        value.number.map { $0 >= rule.number ?? .infinity } ?? true, "\(value.text()) is below \(rule.text())")
    case "maximum":
      return unless(
        value.number.map { $0 <= rule.number ?? -.infinity } ?? true, "\(value.text()) is above \(rule.text())")
    case "minItems":
      return unless(value.array.map { $0.count >= rule.integer ?? .max } ?? true, "fewer than \(rule.text()) items")
    case "maxItems":
      return unless(value.array.map { $0.count <= rule.integer ?? -1 } ?? true, "more than \(rule.text()) items")
    case "uniqueItems":
      let items = value.array ?? []
      return unless(
        rule.bool != true || Set(items.map { $0.text() }).count == items.count, "an item stands twice")
    case "pattern":
      guard let text = value.string else { return [] }
      guard let expression = try? Regex(rule.string ?? "(") else { return ["\(place): a bad pattern"] }
      return unless(text.firstMatch(of: expression) != nil, "'\(text)' does not match \(rule.text())")
    case "items":
      return (value.array ?? []).enumerated().flatMap { problems($1, rule, at: "\(place)[\($0)]") }
    case "required":
      guard let object = value.object else { return [] }
      return (rule.array ?? []).compactMap(\.string).filter { object[$0] == nil }.map { "\(place): '\($0)' is missing" }
    case "properties":
      return (rule.object?.members ?? []).flatMap { name, rule in
        value[name].map { problems($0, rule, at: "\(place).\(name)") } ?? []
      }
    case "additionalProperties":
      let known = Set(rules["properties"]?.object?.keys ?? [])
      return (value.object?.members ?? []).filter { !known.contains($0.key) }.flatMap {
        problems($0.value, rule, at: "\(place).\($0.key)")
      }
    case "anyOf", "oneOf":
      let results = (rule.array ?? []).map { problems(value, $0, at: place) }
      let valid = results.filter(\.isEmpty).count
      let holds = keyword == "anyOf" ? valid > 0 : valid == 1
      return unless(holds, "\(valid) of \(results.count) alternatives hold: \(results.first?.first ?? "")")
    default: return ["\(place): the keyword '\(keyword)' is not known"]
    }
  }
}

extension JSONValue {
  fileprivate func isOfType(_ name: String) -> Bool {
    switch name {
    case "null": isNull
    case "boolean": bool != nil
    case "integer": integer != nil
    case "number": number != nil
    case "string": string != nil
    case "array": array != nil
    case "object": object != nil
    default: false
    }
  }
}
