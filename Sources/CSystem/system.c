#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int h5c_unnamed_file(void) { return memfd_create("h5conv", MFD_CLOEXEC); }

int h5c_rename(const char *from, const char *to, int replaces) {
  if (!replaces) {
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
    // Some file systems do not know that way.
    if (errno != EINVAL && errno != ENOSYS) return errno;
    if (access(to, F_OK) == 0) return EEXIST;
  }
  return rename(from, to) == 0 ? 0 : errno;
}
