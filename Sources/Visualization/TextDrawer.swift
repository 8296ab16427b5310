import CFont
import CFreeType
import H5ConvDiagnostics
import H5ConvTensors

/// A character of the bundled font at one size, in pixels.
private struct Glyph {
  let advance: Int
  /// Of the picture, from the pen to the right and from the baseline up.
  let left: Int
  let top: Int
  let width: Int
  /// How much ink lies on each pixel, row after row, 0…255.
  let coverage: [UInt8]
}

/// Glyphs of all threads: a figure has many characters, most of which the figures before it had, too.
private let glyphs = Locked<[UInt64: Glyph?]>([:])

/// Draws lines of text with the bundled font.
///
/// FreeType's objects belong to one thread; a drawer is made where it is used, which takes microseconds, and is not shared.
/// Characters that the font lacks appear as a box.
final class TextDrawer {
  private let library: FT_Library
  private let face: FT_Face
  private var size = 0

  /// - Throws: ``H5ConvError`` of kind `internalFault` when FreeType refuses the bundled font.
  init() throws {
    var library: FT_Library?
    guard FT_Init_FreeType(&library) == 0, let library else {
      throw H5ConvError(.internalFault, "FreeType does not start")
    }
    var face: FT_Face?
    guard FT_New_Memory_Face(library, h5conv_font_bytes(), h5conv_font_size(), 0, &face) == 0, let face else {
      FT_Done_FreeType(library)
      throw H5ConvError(.internalFault, "FreeType cannot read the bundled font")
    }
    self.library = library
    self.face = face
  }

  deinit {
    FT_Done_Face(face)
    FT_Done_FreeType(library)
  }

  /// Advance of `text` at `size` pixels per em, in pixels.
  func width(of text: String, size: Int) -> Int {
    text.unicodeScalars.reduce(0) { width, scalar in width + (glyph(scalar, size: size)?.advance ?? 0) }
  }

  /// `text` at `size` if it is not wider than `width` pixels; otherwise as much of its beginning as fits before an `…`.
  func shortened(_ text: String, size: Int, toFit width: Int) -> String {
    guard self.width(of: text, size: size) > width else { return text }
    var room = width - self.width(of: "…", size: size)
    var kept = ""
    for scalar in text.unicodeScalars {
      room -= glyph(scalar, size: size)?.advance ?? 0
      guard room >= 0 else { break }
      kept.unicodeScalars.append(scalar)
    }
    return kept + "…"
  }

  /// Draws `text` from `x` on, standing on `baseline`, in the shades of `map` between what `canvas` shows as paper and
  /// `strength` (0…1) of ink.
  func draw(
    _ text: String, size: Int, x: Int, baseline: Int, on canvas: inout IndexCanvas, map: ColorMap, strength: Double = 1
  ) {
    var pen = x
    for scalar in text.unicodeScalars {
      guard let glyph = glyph(scalar, size: size) else { continue }
      for (place, coverage) in glyph.coverage.enumerated() where coverage > 0 {
        let (row, column) = place.quotientAndRemainder(dividingBy: glyph.width)
        let (left, y) = (pen + glyph.left + column, baseline - glyph.top + row)
        guard (0..<canvas.width).contains(left), (0..<canvas.height).contains(y) else { continue }
        canvas[left, y] = map.shade(Double(coverage) / 255 * strength)
      }
      pen += glyph.advance
    }
  }

  /// The glyph of `scalar`; nil when FreeType cannot draw it.
  private func glyph(_ scalar: Unicode.Scalar, size: Int) -> Glyph? {
    let key = UInt64(truncatingIfNeeded: size) << 32 | UInt64(scalar.value)
    if let known = glyphs.withLock({ $0[key] }) { return known }
    let drawn = render(scalar, size: size)
    glyphs.withLock {
      // Names of layers may be made of all characters there are.
      if $0.count >= 4096 { $0.removeAll() }
      $0[key] = drawn
    }
    return drawn
  }

  /// The font's measures, in thousandths of an em.
  var metrics: FontMetrics {
    let (font, units) = (face.pointee, max(1, Int(face.pointee.units_per_EM)))
    func scaled(_ value: Int) -> Int { value * 1000 / units }
    return FontMetrics(
      box: [font.bbox.xMin, font.bbox.yMin, font.bbox.xMax, font.bbox.yMax].map { scaled(Int($0)) },
      ascent: scaled(Int(font.ascender)), descent: scaled(Int(font.descender)))
  }

  /// The number of the glyph of `scalar`, 0 where the font lacks it, and its advance in thousandths of an em.
  func fontGlyph(of scalar: Unicode.Scalar) -> (number: Int, width: Int) {
    let number = FT_Get_Char_Index(face, FT_ULong(scalar.value))
    guard FT_Load_Glyph(face, number, h5conv_ft_unscaled()) == 0 else { return (0, 0) }
    let units = max(1, Int(face.pointee.units_per_EM))
    return (Int(number), Int(face.pointee.glyph.pointee.metrics.horiAdvance) * 1000 / units)
  }

  private func render(_ scalar: Unicode.Scalar, size: Int) -> Glyph? {
    if size != self.size {
      guard FT_Set_Pixel_Sizes(face, 0, FT_UInt(size)) == 0 else { return nil }
      self.size = size
    }
    guard FT_Load_Char(face, FT_ULong(scalar.value), h5conv_ft_load_flags()) == 0 else { return nil }
    let slot = face.pointee.glyph.pointee
    let bitmap = slot.bitmap
    let (width, height) = (Int(bitmap.width), Int(bitmap.rows))
    var coverage: [UInt8] = []
    if let buffer = bitmap.buffer {
      coverage.reserveCapacity(width * height)
      for row in 0..<height {
        coverage += UnsafeBufferPointer(start: buffer + row * Int(bitmap.pitch), count: width)
      }
    }
    return Glyph(
      advance: (slot.advance.x + 32) >> 6, left: Int(slot.bitmap_left), top: Int(slot.bitmap_top), width: width,
      coverage: coverage)
  }
}

/// Measures of the bundled font, in thousandths of an em.
struct FontMetrics {
  /// Least x and y, greatest x and y of all glyphs.
  let box: [Int]
  let ascent: Int
  let descent: Int
}
