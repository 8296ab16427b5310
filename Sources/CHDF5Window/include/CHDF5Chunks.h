// What a stored chunk of a dataset unpacks to, without unpacking it into anything.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Number of bytes that `size` bytes of zlib's format unpack to; -1 when they are damaged or end early, `limit` + 1 when there are more
// than `limit`.
int64_t h5c_inflated_size(const uint8_t *bytes, size_t size, int64_t limit);
