#pragma once
#include <stddef.h>
#include <stdint.h>

/// One text chunk; written as tEXt when `text` is ASCII, as iTXt (UTF-8) otherwise.
typedef struct {
  /// 1 to 79 printable Latin-1 characters.
  const char *key;
  const char *text;
} h5conv_png_text;

/// What one pixel holds.
typedef enum {
  /// An 8-bit index into the palette.
  h5conv_png_palette,
  /// An 8-bit grey value.
  h5conv_png_grey,
  /// 8-bit red, green, blue.
  h5conv_png_rgb,
} h5conv_png_kind;

/// A picture to encode; rows are `width` pixels, without padding.
typedef struct {
  h5conv_png_kind kind;
  uint32_t width, height;
  const uint8_t *pixels;
  /// 256 × red, green, blue; used by `h5conv_png_palette` only.
  const uint8_t *palette;
  /// Resolution in pixels per metre; 0 for none.
  uint32_t pixels_per_metre;
  const h5conv_png_text *texts;
  int text_count;
} h5conv_png_image;

/// Encodes `image` as a PNG; the same picture gives the same bytes on the same kind of processor.
///
/// On success returns 0 and hands over `*out` (`*size` bytes, to be freed with `free`). Otherwise returns 1 and writes
/// a reason of at most `message_size` bytes, NUL-terminated, to `message`.
int h5conv_png_encode(const h5conv_png_image *image, uint8_t **out, size_t *size, char *message, size_t message_size);
