/// The colour bar below the tiles: every index once, side by side, with numbers under it.
struct ColorBar {
  /// A label at a place of the bar, in indices from its left end, 0…256.
  struct Tick: Equatable {
    let place: Double
    let label: String
  }

  /// Labels from left to right; the first and the last stand at the ends.
  let ticks: [Tick]

  /// The bar for `scale` when all channels share `range`, nil when each has its own.
  init(_ scale: Scale, range: ClosedRange<Double>?) {
    guard let range else {
      ticks =
        scale == .zscore
        ? [
          Tick(place: 0, label: "−2σ"), Tick(place: 64, label: "−1σ"), Tick(place: 128, label: "mean"),
          Tick(place: 192, label: "+1σ"), Tick(place: 256, label: "+1.98σ"),
        ]
        : [Tick(place: 0, label: "min"), Tick(place: 256, label: "max")]
      return
    }
    guard range.lowerBound < range.upperBound else {
      ticks = [Tick(place: scale == .signed ? 128 : 0, label: range.lowerBound.inCaption(4))]
      return
    }
    ticks = (0...4).map { quarter in
      let share = Double(quarter) / 4
      let value = range.lowerBound * (1 - share) + range.upperBound * share
      return Tick(place: 256 * share, label: value.inCaption(quarter % 4 == 0 ? 4 : 3))
    }
  }

  func width(_ style: TextStyle) -> Int { 256 * style.barStep }

  func height(_ style: TextStyle) -> Int { style.size + style.size / 4 + style.line }

  func draw(on canvas: inout IndexCanvas, x: Int, y: Int, map: ColorMap, style: TextStyle, text: TextDrawer) {
    let step = style.barStep
    canvas.fill(x: x - 1, y: y - 1, width: width(style) + 2, height: style.size + 2, with: map.line)
    for index in 0...255 {
      canvas.fill(x: x + index * step, y: y, width: step, height: style.size, with: UInt8(index))
    }
    for tick in placed(x: x, y: y, style, text) {
      let mark = tick.mark
      canvas.fill(x: mark.x, y: mark.y, width: mark.width, height: mark.height, with: map.ink)
      guard let left = tick.left else { continue }
      text.draw(
        tick.label, size: style.size, x: left, baseline: tick.baseline, on: &canvas, map: map, strength: map.softInk)
    }
  }

  /// A label with its place in pixels.
  struct PlacedTick {
    let label: String
    let mark: PixelRectangle
    /// Left edge of the label; nil where there is no room for it.
    let left: Int?
    let baseline: Int
    /// Which end of the bar it stands at.
    let end: End?

    enum End { case first, last }
  }

  /// The labels of a bar whose upper left corner is at (`x`, `y`).
  func placed(x: Int, y: Int, _ style: TextStyle, _ text: TextDrawer) -> [PlacedTick] {
    let thickness = max(1, style.size / 13)
    let baseline = y + style.size + style.size / 4 + style.size
    let lastLeft = x + width(style) - (ticks.last.map { text.width(of: $0.label, size: style.size) } ?? 0)
    var free = x
    return ticks.enumerated().map { i, tick in
      let at = x + Int((tick.place * Double(style.barStep)).rounded())
      let mark = PixelRectangle(
        x: min(max(at - thickness / 2, x), x + width(style) - thickness), y: y + style.size, width: thickness,
        height: style.size / 4)
      let wide = text.width(of: tick.label, size: style.size)
      let left = min(max(at - wide / 2, x), x + width(style) - wide)
      // The number at the right end always stands; those before it give way.
      let room = i == ticks.count - 1 ? left : lastLeft - style.size / 2 - wide
      let isPlaced = left >= free && left <= room
      if isPlaced { free = left + wide + style.size / 2 }
      return PlacedTick(
        label: tick.label, mark: mark, left: isPlaced ? left : nil, baseline: baseline,
        end: tick.place <= 0 ? .first : tick.place >= 256 ? .last : nil)
    }
  }
}
