// Calls of Linux that Swift's Glibc module does not show, and the checksum of archives.
#pragma once
#include <stddef.h>
#include <stdint.h>

// A file without a name, in memory; -1 with errno when there can be none.
int h5c_unnamed_file(void);

// The CRC-32 of `count` bytes behind those that gave `crc` (0 at the beginning).
uint32_t h5c_crc32(uint32_t crc, const void *data, size_t count);
