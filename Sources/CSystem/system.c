#define _GNU_SOURCE
#include "CSystem.h"

#include <sys/mman.h>

int h5c_unnamed_file(void) { return memfd_create("h5conv", MFD_CLOEXEC); }
