import Foundation
import H5ConvVisualization
import Testing

/// Pictures in the languages of terminals, read back.
@Suite struct TerminalPictureTests {
  /// Six channels, of which the terminal shows the strongest; under `raw:0,255` an activation is its own index.
  private func shown(_ graphics: TerminalGraphics, _ environment: [String: String] = [:]) throws -> (String, [Float]) {
    let values: [Float] = (0..<36).map { (place: Int) -> Float in Float((place * 37 + place % 6 * 5) % 256) }
    var options = PictureOptions()
    options.scale = .raw(low: 0, high: 256)
    options.screen = TerminalScreen(
      graphics, columns: 80, rows: 24, width: 640, height: 384, environment: environment)
    let text = try #require(try render([feature(2, 3, 6, values)], options: options).first?.terminalText)
    let lines = text.split(separator: "\n", maxSplits: 1)
    #expect(lines[0].hasPrefix("block1_conv2  (1, 2, 3, 6)  "))
    return (String(lines[1]), values)
  }

  /// The channels by NumPy's rule: greatest first.
  private func order(_ values: [Float]) -> [Int] {
    let strengths = (0..<6).map { channel in
      stride(from: channel, to: values.count, by: 6).map { values[$0] }.max() ?? 0
    }
    return strengths.indices.sorted { (strengths[$1], $0) < (strengths[$0], $1) }
  }

  /// Holds pixels against the activations: `cell` pixels for each, channels side by side with lines of `gap` between.
  private func check(_ pixels: [UInt8], width: Int, cell: Int, gap: Int, _ values: [Float]) {
    for (tile, channel) in order(values).enumerated() {
      for row in 0..<2 {
        for column in 0..<3 {
          let x = gap + tile * (3 * cell + gap) + column * cell
          let y = gap + row * cell
          for (dx, dy) in [(0, 0), (cell - 1, cell - 1)] {
            #expect(pixels[(y + dy) * width + x + dx] == UInt8(values[(row * 3 + column) * 6 + channel]))
          }
        }
      }
    }
  }

  @Test func kitty() throws {
    let (text, values) = try shown(.kitty)
    let chunks = text.components(separatedBy: "\u{1b}\\").dropLast()
    for (place, chunk) in chunks.enumerated() {
      #expect(chunk.hasPrefix(place == 0 ? "\u{1b}_Ga=T,f=100,q=2,m=" : "\u{1b}_Gq=2,m="))
      #expect(chunk.contains(place == chunks.count - 1 ? "m=0;" : "m=1;"))
      #expect((chunk.split(separator: ";").last?.count ?? 0) <= 4096)
    }
    let data = chunks.compactMap { $0.split(separator: ";").last }.joined()
    let file = try #require(Data(base64Encoded: data))
    let png = try #require(PNGFile(Array(file)))
    // Four lines of 16 pixels for the three columns of a channel.
    check(try #require(png.indices), width: png.width, cell: 21, gap: 2, values)
  }

  @Test func iterm2() throws {
    let (text, values) = try shown(.iterm2)
    #expect(text.hasPrefix("\u{1b}]1337;File=inline=1;size=") && text.hasSuffix("\u{7}\n"))
    let data = try #require(text.dropLast(2).split(separator: ":").last)
    let bytes = Array(try #require(Data(base64Encoded: String(data))))
    #expect(text.contains("size=\(bytes.count);"))
    let png = try #require(PNGFile(bytes))
    #expect(text.contains("width=\(png.width)px;height=\(png.height)px"))
    check(try #require(png.indices), width: png.width, cell: 21, gap: 2, values)
  }

  @Test func sixel() throws {
    let (text, values) = try shown(.sixel)
    #expect(text.hasPrefix("\u{1b}P0;1;0q\"1;1;") && text.hasSuffix("\u{1b}\\\n"))
    let body = text.dropFirst(8).dropLast(3)
    let size = body.prefix { $0 != "#" }.split(separator: ";").compactMap { Int($0) }
    let (width, height) = (size[1], size[2])
    var pixels = [UInt8](repeating: 255, count: width * (height + 6))
    var (x, y, color, number, repeats) = (0, 0, 0, 0, 1)
    var isDefinition = false
    for character in body.drop(while: { $0 != "#" }).utf8 {
      switch character {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number * 10 + Int(character - 48)
      case UInt8(ascii: ";"):
        isDefinition = true
        number = 0
      case UInt8(ascii: "#"): (number, isDefinition, color) = (0, false, -1)
      case UInt8(ascii: "!"):
        if color < 0 { color = number }
        (number, repeats) = (0, -1)
      case UInt8(ascii: "$"), UInt8(ascii: "-"):
        if character == UInt8(ascii: "-") { y += 6 }
        x = 0
      default:
        if repeats < 0 { repeats = number } else if color < 0, !isDefinition { color = number }
        for _ in 0..<repeats {
          for bit in 0..<6 where (character - 63) >> UInt8(bit) & 1 == 1 {
            pixels[(y + bit) * width + x] = UInt8(color)
          }
          x += 1
        }
        repeats = 1
      }
    }
    check(pixels, width: width, cell: 21, gap: 2, values)
  }

  @Test(arguments: [true, false]) func halfBlocks(isTrueColor: Bool) throws {
    let (text, values) = try shown(.halfblocks, isTrueColor ? ["COLORTERM": "truecolor"] : [:])
    // Two channels of 26 columns and 16 rows fit into a line of 80.
    let rows = text.split(separator: "\n").filter { $0.contains("▀") }
    let order = order(values)
    var colors: [[[String]]] = []
    for row in rows {
      #expect(row.hasSuffix("\u{1b}[0m"))
      var (upper, lower) = ("", "")
      var line: [[String]] = []
      for part in row.components(separatedBy: "\u{1b}[").dropFirst() {
        let (codes, blocks) = (part.prefix { $0 != "m" }, part.drop { $0 != "m" }.dropFirst())
        let fields = codes.components(separatedBy: "48;")
        if fields[0].hasPrefix("38;") { upper = fields[0].dropFirst(3).trimmingCharacters(in: [";"]) }
        if fields.count > 1 { lower = fields[1] } else if codes.contains("49") { lower = "" }
        line += blocks.map { _ in [upper, lower] }
      }
      colors.append(line)
    }
    let cell = 26 / 3
    for (tile, channel) in order.prefix(2).enumerated() {
      for (row, column) in [(0, 0), (1, 2)] {
        let (x, y) = (1 + tile * (3 * cell + 1) + column * cell, 1 + row * cell)
        let index = Int(values[(row * 3 + column) * 6 + channel])
        let rgb = (0..<3).map { Int(ColorMap.viridis.colors[index * 3 + $0]) }
        let color = colors[y / 2][x][y % 2]
        if isTrueColor {
          #expect(color == "2;\(rgb[0]);\(rgb[1]);\(rgb[2])")
        } else {
          // The nearest of the levels 0, 95, 135, 175, 215, 255.
          let levels = [0, 95, 135, 175, 215, 255]
          let number = try #require(Int(color.dropFirst(2))) - 16
          for (part, step) in zip(rgb, [number / 36, number / 6 % 6, number % 6]) {
            #expect(abs(levels[step] - part) == levels.map { abs($0 - part) }.min())
          }
        }
      }
    }
  }

  @Test(
    arguments: [
      (["TERM": "xterm-kitty"], "kitty"), (["TERM": "xterm-ghostty"], "kitty"),
      (["TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"], "kitty"),
      (["TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"], "iterm2"), (["TERM": "foot-extra"], "sixel"),
      (["TERM": "xterm-256color"], "halfblocks"), (["TERM": "xterm", "COLORTERM": "24bit"], "halfblocks"),
      (["TERM": "tmux-256color", "KITTY_WINDOW_ID": "1", "TMUX": "/tmp/x"], "halfblocks"), (["TERM": "xterm"], nil),
      ([:], nil), (["TERM": "dumb", "COLORTERM": "truecolor"], nil), (["TERM": "xterm-kitty", "NO_COLOR": "1"], nil),
      (["TERM": "xterm-kitty", "NO_COLOR": ""], "kitty"), (["TERM": "linux"], nil),
    ] as [([String: String], String?)])
  func environments(_ environment: [String: String], _ expected: String?) {
    #expect(TerminalGraphics.known(by: environment)?.rawValue == expected)
  }

  /// Sizes that terminals state are not trusted; names are escaped.
  @Test(arguments: [(0, 0, 0, 0), (1, 1, 1, 1), (65535, 65535, 65535, 65535), (7, 3, 0, 0)])
  func oddScreens(_ columns: Int, _ rows: Int, _ width: Int, _ height: Int) throws {
    for graphics in TerminalGraphics.allCases {
      var options = PictureOptions()
      options.screen = TerminalScreen(
        graphics, columns: columns, rows: rows, width: width, height: height, environment: [:])
      let maps = try feature(70, 90, 3, name: "\u{1b}]0;evil\u{7}")
      let text = try #require(try render([maps], options: options).first?.terminalText)
      #expect(!text.contains("\u{1b}]0"))
      #expect(text.count < 2_000_000)
    }
  }
}
