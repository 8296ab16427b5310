/// `Conv2DTranspose` → `conv2d_transpose`, as Keras' `to_snake_case` names the groups of its weights.
///
/// Source: `keras.src.utils.naming.to_snake_case`: `re.sub(r"\W+", "")`, then `(.)([A-Z][a-z]+)` → `\1_\2`, then
/// `([a-z])([A-Z])` → `\1_\2`, then lower case.
package func snakeCase(_ name: String) -> String {
  let word = Array(name.unicodeScalars.filter { $0 == "_" || $0.properties.isAlphabetic || ("0"..."9").contains($0) })
  func isUpper(_ place: Int) -> Bool { word.indices.contains(place) && ("A"..."Z").contains(word[place]) }
  func isLower(_ place: Int) -> Bool { word.indices.contains(place) && ("a"..."z").contains(word[place]) }
  var first: [Unicode.Scalar] = []
  var place = 0
  while place < word.count {
    // (.)([A-Z][a-z]+): any character, then a capital with small letters behind it.
    if isUpper(place + 1), isLower(place + 2) {
      first += [word[place], "_", word[place + 1]]
      place += 2
      while isLower(place) {
        first.append(word[place])
        place += 1
      }
    } else {
      first.append(word[place])
      place += 1
    }
  }
  var result = ""
  for (place, scalar) in first.enumerated() {
    if place > 0, ("a"..."z").contains(first[place - 1]), ("A"..."Z").contains(scalar) {
      result.unicodeScalars.append("_")
    }
    result.unicodeScalars.append(scalar)
  }
  return result.lowercased()
}
