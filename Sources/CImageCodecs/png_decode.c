#include "image_decode.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

/// Everything a decode owns; kept in one place so that nothing that a longjmp could clobber lives in a register.
typedef struct {
  const uint8_t *data;
  size_t size;
  size_t position;
  png_structp png;
  png_infop info;
  char *message;
} png_source;

static void on_error(png_structp png, png_const_charp text) {
  png_source *source = png_get_error_ptr(png);
  snprintf(source->message, H5CONV_CODEC_MESSAGE_SIZE, "%s", text);
  png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
  png_source *source = png_get_io_ptr(png);
  if (count > source->size - source->position) png_error(png, "unexpected end of file");
  memcpy(target, source->data + source->position, count);
  source->position += count;
}

/// Chunks whose content does not change the pixels: skipped unread (their CRC is still checked), so that none can inflate
/// to something large.
static const png_byte skipped_chunks[] =
    "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0tEXt\0tIME\0tRNS\0zTXt";

static int open_source(png_source *source) {
  source->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, source, on_error, on_warning);
  if (!source->png) return 0;
  source->info = png_create_info_struct(source->png);
  return source->info != NULL;
}

static void close_source(png_source *source) { png_destroy_read_struct(&source->png, &source->info, NULL); }

static void configure(png_source *source) {
  png_structp png = source->png;
  png_set_read_fn(png, source, read_bytes);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // The limit is on pixels, and ours.
  png_set_chunk_malloc_max(png, 1 << 20);
  png_set_chunk_cache_max(png, 64);
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, skipped_chunks, (int)(sizeof skipped_chunks / 5));
  png_set_check_for_invalid_index(png, 0);
}

/// Tells libpng how to deliver the pixels, and describes them in `header`.
static void choose_mode(png_source *source, h5conv_image_header *header) {
  png_structp png = source->png;
  int depth = png_get_bit_depth(png, source->info);
  header->width = png_get_image_width(png, source->info);
  header->height = png_get_image_height(png, source->info);
  switch (png_get_color_type(png, source->info)) {
    case PNG_COLOR_TYPE_GRAY:
      header->mode = depth == 16 ? H5CONV_MODE_I16 : depth == 1 ? H5CONV_MODE_1 : H5CONV_MODE_L;
      header->pixel_bytes = depth == 16 ? 2 : 1;
      if (depth < 8) png_set_expand_gray_1_2_4_to_8(png);
      if (depth == 16) png_set_swap(png);
      break;
    case PNG_COLOR_TYPE_PALETTE:
      header->mode = H5CONV_MODE_P;
      header->pixel_bytes = 1;
      png_set_packing(png);
      break;
    case PNG_COLOR_TYPE_GRAY_ALPHA:
      header->mode = H5CONV_MODE_LA;
      header->pixel_bytes = 2;
      png_set_strip_16(png);
      break;
    case PNG_COLOR_TYPE_RGB:
      header->mode = H5CONV_MODE_RGB;
      header->pixel_bytes = 3;
      png_set_strip_16(png);
      break;
    default:
      header->mode = H5CONV_MODE_RGBA;
      header->pixel_bytes = 4;
      png_set_strip_16(png);
      break;
  }
}

/// Whether the file claims more than `max_pixels`, read straight from IHDR so that a bomb is refused before anything else.
static int claims_too_much(const uint8_t *data, size_t size, uint64_t max_pixels) {
  if (size < 24 || memcmp(data + 12, "IHDR", 4) != 0) return 0;
  return (uint64_t)png_get_uint_32(data + 16) * png_get_uint_32(data + 20) > max_pixels;
}

h5conv_codec_status h5conv_png_header(
    const uint8_t *data, size_t size, uint64_t max_pixels, h5conv_image_header *header, char *message) {
  memset(header, 0, sizeof *header);
  message[0] = 0;
  if (claims_too_much(data, size, max_pixels)) {
    header->width = png_get_uint_32(data + 16);
    header->height = png_get_uint_32(data + 20);
    return H5CONV_CODEC_LIMIT;
  }
  png_source source = {.data = data, .size = size, .message = message};
  if (!open_source(&source)) {
    close_source(&source);
    return H5CONV_CODEC_MEMORY;
  }
  if (setjmp(png_jmpbuf(source.png))) {
    close_source(&source);
    return H5CONV_CODEC_CORRUPT;
  }
  configure(&source);
  png_read_info(source.png, source.info);
  choose_mode(&source, header);
  close_source(&source);
  return H5CONV_CODEC_OK;
}

static void copy_palette(png_source *source, uint8_t *palette) {
  png_colorp colors = NULL;
  int count = 0;
  memset(palette, 0, H5CONV_PALETTE_BYTES);
  if (!png_get_PLTE(source->png, source->info, &colors, &count)) return;
  for (int i = 0; i < count && i < 256; i++) {
    palette[3 * i] = colors[i].red;
    palette[3 * i + 1] = colors[i].green;
    palette[3 * i + 2] = colors[i].blue;
  }
}

h5conv_codec_status h5conv_png_pixels(
    const uint8_t *data, size_t size, const h5conv_image_header *header, uint8_t *pixels, size_t pixel_count,
    uint8_t *palette, char *message) {
  message[0] = 0;
  h5conv_image_header found;
  png_source source = {.data = data, .size = size, .message = message};
  if (!open_source(&source)) {
    close_source(&source);
    return H5CONV_CODEC_MEMORY;
  }
  if (setjmp(png_jmpbuf(source.png))) {
    close_source(&source);
    return H5CONV_CODEC_CORRUPT;
  }
  configure(&source);
  png_read_info(source.png, source.info);
  choose_mode(&source, &found);
  int passes = png_set_interlace_handling(source.png);
  png_read_update_info(source.png, source.info);
  size_t row_bytes = png_get_rowbytes(source.png, source.info);
  size_t total = 0;
  if (found.width != header->width || found.height != header->height || found.mode != header->mode ||
      row_bytes != (size_t)found.width * found.pixel_bytes ||
      __builtin_mul_overflow(row_bytes, (size_t)found.height, &total) || total != pixel_count) {
    close_source(&source);
    return H5CONV_CODEC_MISUSE;
  }
  for (int pass = 0; pass < passes; pass++) {
    for (size_t y = 0; y < found.height; y++) png_read_row(source.png, pixels + y * row_bytes, NULL);
  }
  png_read_end(source.png, NULL);
  if (found.mode == H5CONV_MODE_P) copy_palette(&source, palette);
  close_source(&source);
  return H5CONV_CODEC_OK;
}
