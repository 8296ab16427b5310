import H5ConvConfig
import H5ConvImages

/// A picture in a terminal's own language.
struct TerminalPicture {
  let canvas: IndexCanvas
  let map: ColorMap

  /// The text that shows the picture, ending in a line feed.
  func text(for screen: TerminalScreen) throws -> String {
    switch screen.graphics {
    case .kitty: try kitty()
    case .iterm2: try iterm2()
    case .sixel: sixels()
    case .halfblocks: halfBlocks(isTrueColor: screen.hasTrueColor)
    }
  }

  private func png() throws -> [UInt8] {
    try PNGPicture(kind: .palette(map.colors), width: canvas.width, height: canvas.height, pixels: canvas.pixels)
      .encoded()
  }

  /// Chunks of at most 4096 characters; q=2 keeps the terminal from answering into the shell.
  private func kitty() throws -> String {
    let characters = base64(try png())
    let size = 4096
    var text = ""
    for start in stride(from: 0, to: characters.count, by: size) {
      let end = min(start + size, characters.count)
      let more = end < characters.count ? 1 : 0
      text += start == 0 ? "\u{1b}_Ga=T,f=100,q=2,m=\(more);" : "\u{1b}_Gq=2,m=\(more);"
      text += String(decoding: characters[start..<end], as: UTF8.self) + "\u{1b}\\"
    }
    return text + "\n"
  }

  private func iterm2() throws -> String {
    let png = try png()
    return "\u{1b}]1337;File=inline=1;size=\(png.count);width=\(canvas.width)px;height=\(canvas.height)px:"
      + String(decoding: base64(png), as: UTF8.self) + "\u{7}\n"
  }

  /// Bands of six rows; in each the colours that it has, one after the other.
  private func sixels() -> String {
    var text = "\u{1b}P0;1;0q\"1;1;\(canvas.width);\(canvas.height)"
    let used = Set(canvas.pixels)
    for index in used.sorted() {
      let parts = (0..<3).map { (Int(map.colors[Int(index) * 3 + $0]) * 100 + 127) / 255 }
      text += "#\(index);2;\(parts[0]);\(parts[1]);\(parts[2])"
    }
    for top in stride(from: 0, to: canvas.height, by: 6) {
      let rows = top..<min(top + 6, canvas.height)
      var bits = [UInt8: [UInt8]]()
      for row in rows {
        for column in 0..<canvas.width {
          bits[canvas[column, row], default: [UInt8](repeating: 0, count: canvas.width)][column] |= 1 << (row - top)
        }
      }
      for (place, index) in bits.keys.sorted().enumerated() {
        if place > 0 { text += "$" }
        text += "#\(index)" + TerminalPicture.runs(bits[index] ?? [])
      }
      text += "-"
    }
    return text + "\u{1b}\\\n"
  }

  /// Sixel characters, those that repeat with their number.
  private static func runs(_ bits: [UInt8]) -> String {
    var text = ""
    var start = 0
    while start < bits.count {
      let end = bits[start...].firstIndex { $0 != bits[start] } ?? bits.count
      let character = String(Unicode.Scalar(bits[start] + 63))
      text += end - start > 3 ? "!\(end - start)\(character)" : String(repeating: character, count: end - start)
      start = end
    }
    return text
  }

  private func halfBlocks(isTrueColor: Bool) -> String {
    func color(_ index: UInt8) -> String {
      let rgb = (0..<3).map { Int(map.colors[Int(index) * 3 + $0]) }
      guard !isTrueColor else { return "2;\(rgb[0]);\(rgb[1]);\(rgb[2])" }
      // The cube of 6 × 6 × 6 colours, whose levels are 0, 95, 135 … 255.
      let steps = rgb.map { $0 < 48 ? 0 : $0 < 115 ? 1 : ($0 - 35) / 40 }
      return "5;\(16 + 36 * steps[0] + 6 * steps[1] + steps[2])"
    }
    var text = ""
    for row in stride(from: 0, to: canvas.height, by: 2) {
      var (upper, lower): (String?, String?) = (nil, nil)
      for column in 0..<canvas.width {
        let top = "38;" + color(canvas[column, row])
        let bottom = row + 1 < canvas.height ? "48;" + color(canvas[column, row + 1]) : "49"
        let changes = [top == upper ? nil : top, bottom == lower ? nil : bottom].compactMap(\.self)
        if !changes.isEmpty { text += "\u{1b}[\(changes.joined(separator: ";"))m" }
        text += "▀"
        (upper, lower) = (top, bottom)
      }
      text += "\u{1b}[0m\n"
    }
    return text
  }
}
