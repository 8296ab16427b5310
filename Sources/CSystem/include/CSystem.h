// Calls of Linux that Swift's Glibc module does not show, and the checksum of archives.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A file without a name, in memory; -1 with errno when there can be none.
int h5c_unnamed_file(void);

// Renames; with `replaces` 0 not onto something that exists (EEXIST). 0, or errno.
int h5c_rename(const char *from, const char *to, int replaces);

// How work on a range of a file ended.
typedef enum { H5C_COMPLETE, H5C_SOURCE_ENDED, H5C_READ_FAILED, H5C_WRITE_FAILED } h5c_range_end;

typedef struct {
  h5c_range_end end;
  // errno where a call failed.
  int code;
} h5c_range_result;

// Copies `count` bytes between two files; `crc`, where it is not null, becomes their CRC-32.
h5c_range_result h5c_copy(int source, int64_t source_offset, int target, int64_t target_offset, size_t count, uint32_t *crc);

// The CRC-32 of `count` bytes behind those that gave `crc` (0 at the beginning).
uint32_t h5c_crc32(uint32_t crc, const void *data, size_t count);

// The CRC-32 of two texts one behind the other, of theirs and the second's length.
uint32_t h5c_crc32_combined(uint32_t first, uint32_t second, size_t second_count);

// The CRC-32 of `count` bytes of a file.
h5c_range_result h5c_crc32_of_range(int file, int64_t offset, size_t count, uint32_t *crc);
