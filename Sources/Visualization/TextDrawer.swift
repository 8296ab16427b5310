import CFont
import CFreeType
import H5ConvDiagnostics

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
    text.unicodeScalars.reduce(0) { width, scalar in load(scalar, size: size) ? width + advance : width }
  }

  /// `text` at `size` if it is not wider than `width` pixels; otherwise as much of its beginning as fits before an `…`.
  func shortened(_ text: String, size: Int, toFit width: Int) -> String {
    guard self.width(of: text, size: size) > width else { return text }
    var room = width - self.width(of: "…", size: size)
    var kept = ""
    for scalar in text.unicodeScalars {
      room -= load(scalar, size: size) ? advance : 0
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
    for scalar in text.unicodeScalars where load(scalar, size: size) {
      let slot = face.pointee.glyph.pointee
      let bitmap = slot.bitmap
      if let buffer = bitmap.buffer {
        for row in 0..<Int(bitmap.rows) {
          let y = baseline - Int(slot.bitmap_top) + row
          for column in 0..<Int(bitmap.width) {
            let coverage = buffer[row * Int(bitmap.pitch) + column]
            let left = pen + Int(slot.bitmap_left) + column
            guard coverage > 0, (0..<canvas.width).contains(left), (0..<canvas.height).contains(y) else { continue }
            canvas[left, y] = map.shade(Double(coverage) / 255 * strength)
          }
        }
      }
      pen += advance
    }
  }

  /// Advance of the glyph just loaded, in pixels.
  private var advance: Int { (face.pointee.glyph.pointee.advance.x + 32) >> 6 }

  /// Renders the glyph of `scalar` into the face's slot; false when FreeType cannot.
  private func load(_ scalar: Unicode.Scalar, size: Int) -> Bool {
    if size != self.size {
      guard FT_Set_Pixel_Sizes(face, 0, FT_UInt(size)) == 0 else { return false }
      self.size = size
    }
    return FT_Load_Char(face, FT_ULong(scalar.value), h5conv_ft_load_flags()) == 0
  }
}
