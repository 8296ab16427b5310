#define _GNU_SOURCE
#include "CSystem.h"

#include <sys/mman.h>
#include <unistd.h>

int h5c_unnamed_file(void) { return memfd_create("h5conv", MFD_CLOEXEC); }

ssize_t h5c_copy_range(int source, int64_t source_offset, int target, int64_t target_offset, size_t count) {
  off64_t from = source_offset, to = target_offset;
  return copy_file_range(source, &from, target, &to, count, 0);
}
