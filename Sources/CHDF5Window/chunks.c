#include "CHDF5Chunks.h"

#include <limits.h>
#include <zlib.h>

int64_t h5c_inflated_size(const uint8_t *bytes, size_t size, int64_t limit) {
  uint8_t sink[1 << 15];
  z_stream stream = {0};
  if (size > UINT_MAX || inflateInit(&stream) != Z_OK) return -1;
  stream.next_in = (Bytef *)bytes;
  stream.avail_in = (uInt)size;
  int64_t count = 0;
  int status = Z_OK;
  while (status == Z_OK && count <= limit) {
    stream.next_out = sink;
    stream.avail_out = sizeof sink;
    status = inflate(&stream, Z_NO_FLUSH);
    count += (int64_t)(sizeof sink - stream.avail_out);
  }
  inflateEnd(&stream);
  if (count > limit) return limit + 1;
  return status == Z_STREAM_END ? count : -1;
}
