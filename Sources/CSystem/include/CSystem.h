// Calls of Linux that Swift's Glibc module does not show, and the checksum of archives.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A file without a name, in memory; -1 with errno when there can be none.
int h5c_unnamed_file(void);

// Copies up to `count` bytes between two files inside the kernel: the number copied, or -1 with errno.
ssize_t h5c_copy_range(int source, int64_t source_offset, int target, int64_t target_offset, size_t count);

// The CRC-32 of `count` bytes behind those that gave `crc` (0 at the beginning).
uint32_t h5c_crc32(uint32_t crc, const void *data, size_t count);
