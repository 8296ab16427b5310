#include "image_decode.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

/// Scans a progressive file may have; encoders write about ten, a file made to keep a decoder busy has thousands.
enum { MAX_SCANS = 100 };

/// Everything a decode owns, so that nothing that a longjmp could clobber lives in a register.
typedef struct {
  struct jpeg_decompress_struct info;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  jmp_buf escape;
  h5conv_codec_status status;
  char *message;
} jpeg_source;

static void on_error(j_common_ptr info) {
  jpeg_source *source = info->client_data;
  char text[JMSG_LENGTH_MAX];
  info->err->format_message(info, text);
  snprintf(source->message, H5CONV_CODEC_MESSAGE_SIZE, "%s", text);
  switch (info->err->msg_code) {
    case JERR_OUT_OF_MEMORY:
      source->status = H5CONV_CODEC_MEMORY;
      break;
    case JERR_SOF_UNSUPPORTED:
    case JERR_BAD_PRECISION:
    case JERR_ARITH_NOTIMPL:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_CCIR601_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
      source->status = H5CONV_CODEC_UNSUPPORTED;
      break;
    default:
      source->status = H5CONV_CODEC_CORRUPT;
  }
  longjmp(source->escape, 1);
}

/// Called for warnings (level −1) and traces; libjpeg would go on after a warning, with invented pixels.
///
/// Warnings that leave the pixels as they were meant are passed over: bytes between markers, an unknown JFIF version or
/// colour transform, data after the picture.
static void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM:
    case JWRN_TOO_MUCH_DATA:
      return;
    default:
      info->err->error_exit(info);
  }
}

static void on_output(j_common_ptr info) { (void)info; }

static void on_progress(j_common_ptr info) {
  jpeg_source *source = info->client_data;
  if (source->info.input_scan_number <= MAX_SCANS) return;
  snprintf(source->message, H5CONV_CODEC_MESSAGE_SIZE, "more than %d progressive scans", MAX_SCANS);
  source->status = H5CONV_CODEC_LIMIT;
  longjmp(source->escape, 1);
}

/// Prepares the decompressor; to be called after setjmp on `source->escape`.
static void open_source(jpeg_source *source, const uint8_t *data, size_t size) {
  jpeg_create_decompress(&source->info);
  source->progress.progress_monitor = on_progress;
  source->info.progress = &source->progress;
  jpeg_mem_src(&source->info, data, (unsigned long)size);
  jpeg_read_header(&source->info, TRUE);
}

static void prepare_errors(jpeg_source *source, char *message) {
  memset(source, 0, sizeof *source);
  source->info.err = jpeg_std_error(&source->errors);
  source->errors.error_exit = on_error;
  source->errors.emit_message = on_message;
  source->errors.output_message = on_output;
  source->info.client_data = source;
  source->message = message;
  message[0] = 0;
}

/// Chooses the delivered colours from the number of components, as Pillow does; 0 when there is no such mode.
static int choose_mode(jpeg_source *source, h5conv_image_header *header) {
  header->width = source->info.image_width;
  header->height = source->info.image_height;
  header->pixel_bytes = (uint32_t)source->info.num_components;
  switch (source->info.num_components) {
    case 1:
      header->mode = H5CONV_MODE_L;
      source->info.out_color_space = JCS_GRAYSCALE;
      return 1;
    case 3:
      header->mode = H5CONV_MODE_RGB;
      source->info.out_color_space = JCS_RGB;
      return 1;
    case 4:
      header->mode = H5CONV_MODE_CMYK;
      source->info.out_color_space = JCS_CMYK;
      return 1;
    default:
      snprintf(source->message, H5CONV_CODEC_MESSAGE_SIZE, "%d colour components", source->info.num_components);
      return 0;
  }
}

h5conv_codec_status h5conv_jpeg_header(
    const uint8_t *data, size_t size, uint64_t max_pixels, h5conv_image_header *header, char *message) {
  jpeg_source source;
  memset(header, 0, sizeof *header);
  prepare_errors(&source, message);
  if (setjmp(source.escape)) {
    jpeg_destroy_decompress(&source.info);
    return source.status;
  }
  open_source(&source, data, size);
  h5conv_codec_status status = choose_mode(&source, header) ? H5CONV_CODEC_OK : H5CONV_CODEC_UNSUPPORTED;
  if ((uint64_t)header->width * header->height > max_pixels) status = H5CONV_CODEC_LIMIT;
  jpeg_destroy_decompress(&source.info);
  return status;
}

h5conv_codec_status h5conv_jpeg_pixels(
    const uint8_t *data, size_t size, const h5conv_image_header *header, uint8_t *pixels, size_t pixel_count,
    char *message) {
  jpeg_source source;
  h5conv_image_header found;
  prepare_errors(&source, message);
  if (setjmp(source.escape)) {
    jpeg_destroy_decompress(&source.info);
    return source.status;
  }
  open_source(&source, data, size);
  size_t total = 0;
  if (!choose_mode(&source, &found) || found.width != header->width || found.height != header->height ||
      found.mode != header->mode ||
      __builtin_mul_overflow((size_t)found.width * found.pixel_bytes, (size_t)found.height, &total) ||
      total != pixel_count) {
    jpeg_destroy_decompress(&source.info);
    return H5CONV_CODEC_MISUSE;
  }
  size_t row_bytes = (size_t)found.width * found.pixel_bytes;
  jpeg_start_decompress(&source.info);
  while (source.info.output_scanline < source.info.output_height) {
    JSAMPROW row = pixels + (size_t)source.info.output_scanline * row_bytes;
    jpeg_read_scanlines(&source.info, &row, 1);
    if (found.mode == H5CONV_MODE_CMYK) {
      for (size_t i = 0; i < row_bytes; i++) row[i] = 255 - row[i];
    }
  }
  jpeg_finish_decompress(&source.info);
  jpeg_destroy_decompress(&source.info);
  return H5CONV_CODEC_OK;
}
