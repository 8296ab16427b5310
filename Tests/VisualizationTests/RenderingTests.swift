import H5ConvDiagnostics
import H5ConvVisualization
import Testing

/// Reads the quantised activations of every channel back from a picture, by the numbers of its layout alone.
func readBack(_ picture: RenderedPicture) throws -> [UInt8] {
  let file = try #require(PNGFile(picture.png))
  let pixels = try #require(file.indices)
  let tiles = picture.tiles
  var result: [UInt8] = []
  for channel in 0..<tiles.count {
    let left = tiles.x + channel % tiles.columns * (tiles.width + tiles.gap)
    let top = tiles.y + channel / tiles.columns * (tiles.height + tiles.gap)
    for y in stride(from: top, to: top + tiles.height, by: tiles.cell) {
      for x in stride(from: left, to: left + tiles.width, by: tiles.cell) {
        let index = pixels[y * file.width + x]
        for row in 0..<tiles.cell {
          let line = (y + row) * file.width + x
          #expect(pixels[line..<line + tiles.cell].allSatisfy { $0 == index })
        }
        result.append(index)
      }
    }
  }
  return result
}

@Suite struct RenderingTests {
  struct Shape: CustomTestStringConvertible {
    let height: Int
    let width: Int
    let channels: Int
    var testDescription: String { "\(height)×\(width)×\(channels)" }
  }

  static let shapes = [
    Shape(height: 7, width: 7, channels: 24), Shape(height: 6, width: 9, channels: 5),
    Shape(height: 5, width: 4, channels: 1), Shape(height: 3, width: 2, channels: 513),
    Shape(height: 1, width: 1, channels: 17), Shape(height: 40, width: 3, channels: 33),
  ]

  /// The grid of the tutorial drops the last `channels % 16` channels, fails for fewer than 16, and takes maps for square.
  @Test(arguments: shapes, PictureStyle.allCases)
  func everyActivationOfEveryChannelIsInThePicture(_ shape: Shape, _ style: PictureStyle) throws {
    let maps = try feature(shape.height, shape.width, shape.channels)
    for (cell, gap, columns) in [(1, 1, 16), (3, 2, 5), (2, 0, 1), (1, 0, 1000)] {
      var options = PictureOptions()
      (options.cell, options.gap, options.columns) = (cell, gap, columns)
      let layer = try #require(try render([maps], styles: [style], options: options).first)
      let picture = try #require(layer.pictures.first)
      #expect(try readBack(picture) == QuantizedMaps(maps, scale: .zscore).indices)
      #expect(picture.tiles.count == shape.channels)
      #expect(picture.tiles.width == shape.width * cell && picture.tiles.height == shape.height * cell)
      #expect(picture.tiles.columns == (style == .strip ? shape.channels : min(columns, shape.channels)))
    }
  }

  /// The strongest channels, by NumPy's rule of what is greatest; NaN counts for nothing, and of equal ones the first is first.
  @Test func theStrongestChannelsAreDrawnInTheirOrder() throws {
    let values: [Float] = [0, 5, 3, .nan, 1, 5, 0, 1, -3, .nan, 4, 2]
    let maps = try feature(2, 1, 6, values)
    for (measure, expected) in [(ChannelMeasure.max, [1, 5, 4, 2]), (.mean, [5, 1, 4, 0])] {
      var options = PictureOptions()
      (options.strongest, options.measure, options.scale) = (4, measure, .layer)
      let layer = try #require(try render([maps], options: options).first)
      #expect(layer.shownChannels == expected)
      let all = QuantizedMaps(maps, scale: .layer).indices
      for picture in layer.pictures {
        #expect(try readBack(picture) == expected.flatMap { all[2 * $0..<2 * $0 + 2] })
      }
    }
    var options = PictureOptions()
    options.strongest = 6
    #expect(try render([maps], options: options).first?.shownChannels == nil)
  }

  @Test func theGridIsTheTutorials() throws {
    struct Grid: Decodable { let rows: [[UInt8]] }
    let rows = try fixture("tutorial_grid.json", as: Grid.self).rows
    let maps = try fixture("tutorial_grid.json", as: Activations.self).maps()
    var options = PictureOptions()
    options.gap = 0
    let picture = try #require(try render([maps], styles: [.grid], options: options).first?.pictures.first)
    let file = try #require(PNGFile(picture.png))
    let pixels = try #require(file.indices)
    for (y, row) in rows.enumerated() {
      let start = (picture.tiles.y + y) * file.width + picture.tiles.x
      #expect(Array(pixels[start..<start + row.count]) == row)
    }
  }

  @Test func aStripThatWouldBeTooWideGoesOnInFurtherRows() throws {
    let maps = try feature(1, 1000, 70)
    let picture = try #require(try render([maps], styles: [.strip]).first?.pictures.first)
    #expect(picture.width <= 65_535)
    #expect((picture.tiles.columns, picture.tiles.rows) == (65, 2))
    #expect(try readBack(picture) == QuantizedMaps(maps, scale: .zscore).indices)
  }

  @Test(arguments: ColorMap.all.map(\.name))
  func thePaletteIsTheColourMap(_ name: String) throws {
    let map = try ColorMap.named(name)
    var options = PictureOptions()
    options.colorMap = map
    options.dpi = 254
    let picture = try #require(
      try render([feature(4, 5, 3)], styles: [.grid], options: options).first?.pictures.first)
    let file = try #require(PNGFile(picture.png))
    #expect(Array(file.chunk("IHDR")[8...]) == [8, 3, 0, 0, 0], "8 bits, palette, no interlace")
    #expect((file.width, file.height) == (picture.width, picture.height))
    #expect(file.chunk("PLTE") == map.colors)
    #expect(file.chunk("pHYs") == [0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10, 1], "254 dpi are 10,000 pixels per metre")
    #expect(file.texts["Title"] == "block1_conv2 (1, 4, 5, 3)")
    #expect(file.texts["Software"] == "h5conv")
    #expect(file.texts["Scale"] == "zscore")
    #expect(file.texts["Colormap"] == name)
    #expect(Double(file.texts["Min"] ?? "") == 0)
    #expect((Double(file.texts["Max"] ?? "") ?? 0) > 1)
    #expect(file.chunk("tIME").isEmpty)
  }

  @Test func colourMapsAreThoseOfThePublishedSums() throws {
    let sums: [String: String] = try fixture("colormaps.json")
    #expect(Set(sums.keys) == Set(ColorMap.all.map(\.name)))
    for map in ColorMap.all {
      let digest = sha256(map.colors).prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      #expect(digest == sums[map.name], "\(map.name)")
    }
  }

  @Test func styleAndScaleChooseTheColourMap() throws {
    func maps(_ scale: Scale) throws -> [String] {
      var options = PictureOptions()
      options.scale = scale
      return try render([feature(4, 4, 2)], options: options)[0].pictures.map(\.colorMap.name)
    }
    #expect(try maps(.zscore) == ["plasma", "viridis"])
    #expect(try maps(.signed) == ["RdBu_r", "RdBu_r"])
    #expect(throws: H5ConvError.self) { try ColorMap.named("jet") }
  }

  @Test func aFlatChannelIsMarkedAroundItsTileAndNotInIt() throws {
    let values = (0..<200).map { $0 % 2 == 0 ? Float($0) : 5 }
    let picture = try #require(try render([feature(10, 10, 2, values)], styles: [.grid]).first?.pictures.first)
    let file = try #require(PNGFile(picture.png))
    let pixels = try #require(file.indices)
    let tiles = picture.tiles
    func pixel(x: Int, y: Int) -> UInt8 { pixels[y * file.width + x] }
    let flat = tiles.origin(of: 1)
    #expect(pixel(x: flat.x + tiles.width, y: flat.y + tiles.height) == 255)
    #expect(try readBack(picture).suffix(100).allSatisfy { $0 == 0 })
    // The flat channel shares its left corners with its neighbour; the neighbour's own, on the far side, are not marked.
    let live = tiles.origin(of: 0)
    #expect(pixel(x: live.x - 1, y: live.y - 1) == 0)
  }

  @Test func theSameInputGivesTheSameBytesOnAnyNumberOfThreads() throws {
    let maps = try (1...9).map { try feature(3 * $0, 5, 7 + $0, name: "layer\($0)") }
    let once = try render(maps).flatMap(\.pictures).map(\.png)
    let again = try render(maps, threads: 4).flatMap(\.pictures).map(\.png)
    #expect(once == again)
  }

  @Test(arguments: [
    "", "a/b/c", "层_1 Ünï ☃ 👩‍👩‍👧", "\u{202e}evil\u{7}\n", String(repeating: "a very long name ", count: 60), "nul\u{0}l",
  ])
  func anyNameCanBeDrawn(_ name: String) throws {
    for picture in try render([feature(2, 2, 2, name: name)]).flatMap(\.pictures) {
      #expect(try readBack(picture).count == 8)
      #expect(picture.width < 1000)
    }
  }

  @Test func valuesThatAreNotFiniteCanBeDrawnUnderEveryScale() throws {
    for scale in [Scale.zscore, .channel, .layer, .signed, .robust, .raw(low: 0, high: 1)] {
      var options = PictureOptions()
      options.scale = scale
      for values in [[.nan, 1, .infinity, 2], [Float](repeating: .nan, count: 4), [0, 0, 0, 0]] {
        #expect(try render([feature(2, 2, 1, values)], options: options).count == 1)
      }
    }
  }

  @Test(arguments: ["columns", "cell", "gap", "dpi"])
  func impossibleOptionsAreRefused(_ option: String) throws {
    var options = PictureOptions()
    switch option {
    case "columns": options.columns = 0
    case "cell": options.cell = 0
    case "gap": options.gap = -1
    default: options.dpi = 0
    }
    #expect { try render([feature(2, 2, 2)], options: options) } throws: { ($0 as? H5ConvError)?.kind == .usage }
  }

  @Test func aPictureBeyondReasonIsRefused() throws {
    var options = PictureOptions()
    options.cell = 256
    #expect {
      try render([feature(300, 300, 5)], styles: [.grid], options: options)
    } throws: {
      ($0 as? H5ConvError)?.kind == .limit
    }
  }
}
