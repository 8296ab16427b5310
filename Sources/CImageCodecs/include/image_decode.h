/// Decoding of PNG (libpng) and JPEG (libjpeg) from memory.
///
/// Both libraries report errors by longjmp; no jump leaves a function declared here. Every function is stateless: the
/// header is read first, the caller checks it against its limits and allocates, then the pixels are read. Nothing of the
/// size of the image is allocated before the caller has agreed to that size, except what libjpeg needs for progressive
/// files (two bytes per coefficient), and that only after the pixel limit was checked.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef enum {
  H5CONV_CODEC_OK = 0,
  /// Damaged or truncated; the message has the library's own reason.
  H5CONV_CODEC_CORRUPT,
  /// A valid variant of the format that is not supported.
  H5CONV_CODEC_UNSUPPORTED,
  /// More pixels or scans than allowed.
  H5CONV_CODEC_LIMIT,
  /// Out of memory.
  H5CONV_CODEC_MEMORY,
  /// The caller's buffer does not fit the header: a fault of the caller.
  H5CONV_CODEC_MISUSE,
} h5conv_codec_status;

/// What the samples of a pixel are; the names are Pillow's modes.
typedef enum {
  H5CONV_MODE_1 = 0,  ///< black and white, delivered as one byte 0 or 255
  H5CONV_MODE_L,      ///< grey, one byte (1, 2 and 4-bit greys are stretched to 0…255)
  H5CONV_MODE_LA,     ///< grey and alpha, two bytes
  H5CONV_MODE_P,      ///< index into a palette, one byte
  H5CONV_MODE_RGB,    ///< three bytes
  H5CONV_MODE_RGBA,   ///< four bytes
  H5CONV_MODE_CMYK,   ///< four bytes, 255 = full ink, inverted from what the file holds (Adobe's convention), as Pillow does
  H5CONV_MODE_I16,    ///< grey, 16 bits, two bytes, low byte first
} h5conv_pixel_mode;

typedef struct {
  uint32_t width;
  uint32_t height;
  /// Bytes of a delivered pixel, 1…4; rows are not padded.
  uint32_t pixel_bytes;
  h5conv_pixel_mode mode;
} h5conv_image_header;

#define H5CONV_CODEC_MESSAGE_SIZE 256
#define H5CONV_PALETTE_BYTES 768

/// Reads the header of the PNG in `data`, which may have at most `max_pixels` pixels.
///
/// `message` receives at most H5CONV_CODEC_MESSAGE_SIZE bytes, terminated.
h5conv_codec_status h5conv_png_header(
    const uint8_t *data, size_t size, uint64_t max_pixels, h5conv_image_header *header, char *message);

/// Decodes the PNG in `data`, whose header was read before, into `pixels` (exactly width × height × pixel_bytes bytes).
///
/// `palette` receives 256 RGB triples when the mode is P; entries that the file does not give are black, as in Pillow.
h5conv_codec_status h5conv_png_pixels(
    const uint8_t *data, size_t size, const h5conv_image_header *header, uint8_t *pixels, size_t pixel_count,
    uint8_t *palette, char *message);

/// Reads the header of the JPEG in `data`, which may have at most `max_pixels` pixels.
h5conv_codec_status h5conv_jpeg_header(
    const uint8_t *data, size_t size, uint64_t max_pixels, h5conv_image_header *header, char *message);

/// Decodes the JPEG in `data`, whose header was read before, into `pixels` (exactly width × height × pixel_bytes bytes).
h5conv_codec_status h5conv_jpeg_pixels(
    const uint8_t *data, size_t size, const h5conv_image_header *header, uint8_t *pixels, size_t pixel_count,
    char *message);
