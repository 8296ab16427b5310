#include "png_encode.h"

#include <isa-l/igzip_lib.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

enum { LEVEL = 1, LEVEL_BUFFER = ISAL_DEF_LVL1_DEFAULT, ROWS = 1 << 20, PACKED = 1 << 18 };

/// What compression works with: rows that wait for it, and what came out.
typedef struct {
  struct isal_zstream stream;
  uint8_t level[LEVEL_BUFFER], packed[PACKED];
  uint8_t *rows;
} compressor;

/// The growing output, and where to put the reason of a failure.
typedef struct {
  uint8_t *bytes;
  size_t size, capacity;
  compressor *compressor;
  char *message;
  size_t message_size;
} state;

static void on_error(png_structp png, png_const_charp text) {
  state *s = png_get_error_ptr(png);
  if (s->message_size > 0) {
    strncpy(s->message, text, s->message_size - 1);
    s->message[s->message_size - 1] = 0;
  }
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void on_write(png_structp png, png_bytep data, png_size_t count) {
  state *s = png_get_io_ptr(png);
  if (count > s->capacity - s->size) {
    size_t capacity = s->capacity * 2 > s->size + count ? s->capacity * 2 : s->size + count;
    uint8_t *bytes = realloc(s->bytes, capacity);
    if (!bytes) png_error(png, "out of memory");
    s->bytes = bytes;
    s->capacity = capacity;
  }
  memcpy(s->bytes + s->size, data, count);
  s->size += count;
}

static void on_flush(png_structp png) { (void)png; }

static int is_ascii(const char *text) {
  for (; *text; text++)
    if ((unsigned char)*text >= 0x80) return 0;
  return 1;
}

static void set_texts(png_structp png, png_infop info, const h5conv_png_image *image) {
  for (int i = 0; i < image->text_count; i++) {
    png_text text;
    memset(&text, 0, sizeof text);
    int ascii = is_ascii(image->texts[i].text);
    text.compression = ascii ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
    text.key = (png_charp)image->texts[i].key;
    text.text = (png_charp)image->texts[i].text;
    text.lang = "";
    text.lang_key = "";
    png_set_text(png, info, &text, 1);
  }
}

/// Compresses `size` bytes and writes what comes out, all of it when they are the last ones.
static void compress(png_structp png, compressor *c, size_t size, int is_last) {
  c->stream.next_in = c->rows;
  c->stream.avail_in = (uint32_t)size;
  c->stream.end_of_stream = is_last;
  do {
    c->stream.next_out = c->packed;
    c->stream.avail_out = PACKED;
    if (isal_deflate(&c->stream) != COMP_OK) png_error(png, "the pixels cannot be compressed");
    size_t packed = PACKED - c->stream.avail_out;
    if (packed) png_write_chunk(png, (png_const_bytep)"IDAT", c->packed, packed);
  } while (c->stream.avail_out == 0);
}

/// A row of a photo, where neighbours are alike: what each sample is more than the one to the left, above or between that is nearest to their
/// plane (PNG's filter Paeth). `above` is NULL for the first row.
static void filter_photo(uint8_t *to, const uint8_t *row, const uint8_t *above, size_t stride) {
  *to++ = PNG_FILTER_VALUE_PAETH;
  for (size_t i = 0; i < stride; i++) {
    const int a = i < 3 ? 0 : row[i - 3], b = above ? above[i] : 0, c = above && i >= 3 ? above[i - 3] : 0;
    const int from_a = abs(b - c), from_b = abs(a - c), from_c = abs(a + b - 2 * c);
    to[i] = (uint8_t)(row[i] - (from_a <= from_b && from_a <= from_c ? a : from_b <= from_c ? b : c));
  }
}

/// Writes the pixels and the end; maps without filters, since they are noise with long runs of the lowest value. Intel's compressor takes a
/// fifth of zlib's time for runs alone, and finds more than those.
static void write_pixels(png_structp png, const h5conv_png_image *image, size_t stride, state *s) {
  compressor *c = s->compressor = malloc(sizeof *c);
  if (!c) png_error(png, "out of memory");
  const size_t row = stride + 1, most = row < ROWS ? ROWS / row : 1;
  c->rows = malloc(most * row);
  if (!c->rows || most * row > UINT32_MAX) png_error(png, "out of memory");
  isal_deflate_init(&c->stream);
  c->stream.level = LEVEL;
  c->stream.level_buf = c->level;
  c->stream.level_buf_size = LEVEL_BUFFER;
  c->stream.gzip_flag = IGZIP_ZLIB;
  for (size_t y = 0, count; y < image->height; y += count) {
    count = image->height - y < most ? image->height - y : most;
    for (size_t i = 0; i < count; i++) {
      const uint8_t *pixels = image->pixels + (y + i) * stride;
      if (image->kind == h5conv_png_rgb) {
        filter_photo(c->rows + i * row, pixels, y + i ? pixels - stride : NULL, stride);
      } else {
        c->rows[i * row] = PNG_FILTER_VALUE_NONE;
        memcpy(c->rows + i * row + 1, pixels, stride);
      }
    }
    compress(png, c, count * row, y + count == image->height);
  }
  png_write_chunk(png, (png_const_bytep)"IEND", NULL, 0);
}

/// Everything that can jump; the caller owns `s` and its memory.
static int write_image(png_structp png, png_infop info, const h5conv_png_image *image, state *s) {
  if (setjmp(png_jmpbuf(png))) return 1;
  static const int color_types[] = {PNG_COLOR_TYPE_PALETTE, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_RGB};
  png_set_write_fn(png, s, on_write, on_flush);
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
  png_set_IHDR(
      png, info, image->width, image->height, 8, color_types[image->kind], PNG_INTERLACE_NONE,
      PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (image->kind == h5conv_png_palette) {
    png_color colors[256];
    for (int i = 0; i < 256; i++) {
      colors[i].red = image->palette[3 * i];
      colors[i].green = image->palette[3 * i + 1];
      colors[i].blue = image->palette[3 * i + 2];
    }
    png_set_PLTE(png, info, colors, 256);
  }
  if (image->pixels_per_metre)
    png_set_pHYs(png, info, image->pixels_per_metre, image->pixels_per_metre, PNG_RESOLUTION_METER);
  set_texts(png, info, image);

  png_write_info(png, info);
  write_pixels(png, image, (size_t)image->width * (image->kind == h5conv_png_rgb ? 3 : 1), s);
  return 0;
}

int h5conv_png_encode(const h5conv_png_image *image, uint8_t **out, size_t *size, char *message, size_t message_size) {
  state s = {.capacity = (size_t)1 << 16, .message = message, .message_size = message_size};
  if (message_size > 0) message[0] = 0;
  s.bytes = malloc(s.capacity);
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  int failed = !s.bytes || !info || write_image(png, info, image, &s);
  png_destroy_write_struct(&png, &info);
  if (s.compressor) free(s.compressor->rows);
  free(s.compressor);
  if (failed) {
    free(s.bytes);
    return 1;
  }
  *out = s.bytes;
  *size = s.size;
  return 0;
}
