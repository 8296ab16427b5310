#include "CHDF5Window.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct window {
  H5FD_t base; // HDF5's part comes first
  struct window *next; // of those that are open
  int has_64_bits; // addresses and sizes; negative while nobody has asked
  int descriptor;
  int64_t offset;
  haddr_t length;
  haddr_t end_of_allocation;
  int is_written;
} window;

// All calls are made under the caller's lock.
static window *open_windows;

// What a file name cannot carry to the driver; one file is opened at a time, under the caller's lock.
static struct { int descriptor; int64_t offset, length; int is_written; } next_window;

static H5FD_t *window_open(const char *name, unsigned flags, hid_t access, haddr_t max_address) {
  (void)name; (void)access; (void)max_address;
  if ((flags & (H5F_ACC_RDWR | H5F_ACC_TRUNC | H5F_ACC_CREAT)) && !next_window.is_written) return NULL;
  window *file = calloc(1, sizeof *file);
  if (!file) return NULL;
  file->descriptor = fcntl(next_window.descriptor, F_DUPFD_CLOEXEC, 3);
  if (file->descriptor < 0) {
    free(file);
    return NULL;
  }
  file->offset = next_window.offset;
  file->length = (haddr_t)next_window.length;
  file->is_written = next_window.is_written;
  file->has_64_bits = -1;
  file->next = open_windows;
  open_windows = file;
  return &file->base;
}

static herr_t window_close(H5FD_t *base) {
  window *file = (window *)base;
  window **place = &open_windows;
  while (*place && *place != file) place = &(*place)->next;
  if (*place) *place = file->next;
  close(file->descriptor);
  free(file);
  return 0;
}

static herr_t window_query(const H5FD_t *file, unsigned long *flags) {
  (void)file;
  if (flags) *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE;
  return 0;
}

static haddr_t window_get_eoa(const H5FD_t *file, H5FD_mem_t type) {
  (void)type;
  return ((const window *)file)->end_of_allocation;
}

static herr_t window_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t address) {
  (void)type;
  ((window *)file)->end_of_allocation = address;
  return 0;
}

static haddr_t window_get_eof(const H5FD_t *file, H5FD_mem_t type) {
  (void)type;
  return ((const window *)file)->length;
}

static uint64_t number(const uint8_t *bytes) {
  uint64_t result = 0;
  for (int i = 7; i >= 0; i--) result = result << 8 | bytes[i];
  return result;
}

// Whether the list of free space ends in the local heap that the bytes are the beginning of. libhdf5 follows one that is damaged into a
// circle until there is no memory left; other damage it sees itself. Source: the file format's section III.D, with sizes of 64 bits.
static int free_space_ends(const window *file, const uint8_t *heap, size_t size) {
  enum { PREFIX = 32, BLOCK = 16, NONE = 1, MOST = 1 << 20 };
  if (size < PREFIX || memcmp(heap, "HEAP", 4) != 0) return 1;
  uint64_t segment = number(heap + 8), next = number(heap + 16), start = number(heap + 24);
  uint64_t first = file->base.base_addr, length = file->length;
  if (first > length || start > length - first || segment > length - first - start) return 1;
  for (uint64_t left = segment / BLOCK < MOST ? segment / BLOCK + 1 : MOST; next != NONE; left--) {
    uint8_t block[8];
    if (left == 0) return 0;
    if (next > segment || segment - next < BLOCK) return 1;
    if (pread(file->descriptor, block, sizeof block, file->offset + (int64_t)(first + start + next)) != sizeof block) return 1;
    next = number(block);
  }
  return 1;
}

static herr_t window_read(
    H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, void *buffer) {
  (void)transfer;
  const size_t whole = size;
  const window *file = (const window *)base;
  char *target = buffer;
  // Beyond the end that the file had when it was opened there are zeros, as in HDF5's own drivers.
  while (size > 0) {
    size_t left = address < file->length ? (size_t)(file->length - address) : 0;
    if (left == 0) {
      memset(target, 0, size);
      break;
    }
    ssize_t got = pread(file->descriptor, target, size < left ? size : left, file->offset + (int64_t)address);
    if (got < 0) {
      if (errno == EINTR) continue;
      return -1;
    }
    if (got == 0) return -1; // the file became shorter while it was open: zeros would be wrong weights
    target += got;
    address += (haddr_t)got;
    size -= (size_t)got;
  }
  return type == H5FD_MEM_LHEAP && !free_space_ends(file, buffer, whole) ? -1 : 0;
}

static herr_t window_write(
    H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t address, size_t size, const void *buffer) {
  (void)type; (void)transfer;
  window *file = (window *)base;
  if (!file->is_written) return -1;
  const char *source = buffer;
  while (size > 0) {
    ssize_t written = pwrite(file->descriptor, source, size, file->offset + (int64_t)address);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return -1;
    source += written;
    address += (haddr_t)written;
    size -= (size_t)written;
    if (address > file->length) file->length = address;
  }
  return 0;
}

static herr_t window_truncate(H5FD_t *base, hid_t transfer, hbool_t closing) {
  (void)transfer; (void)closing;
  window *file = (window *)base;
  if (!file->is_written || file->length == file->end_of_allocation) return 0;
  if (ftruncate(file->descriptor, file->offset + (int64_t)file->end_of_allocation) < 0) return -1;
  file->length = file->end_of_allocation;
  return 0;
}

static herr_t window_get_handle(H5FD_t *base, hid_t access, void **handle) {
  (void)access;
  *handle = base;
  return 0;
}

static const H5FD_class_t window_class = {
#if H5_VERSION_GE(1, 13, 0)
  .version = H5FD_CLASS_VERSION,
  .value = (H5FD_class_value_t)513,
#endif
  .name = "window",
  .maxaddr = (haddr_t)INT64_MAX,
  .fc_degree = H5F_CLOSE_WEAK,
  .open = window_open,
  .close = window_close,
  .query = window_query,
  .get_eoa = window_get_eoa,
  .set_eoa = window_set_eoa,
  .get_eof = window_get_eof,
  .read = window_read,
  .write = window_write,
  .truncate = window_truncate,
  .get_handle = window_get_handle,
  .fl_map = H5FD_FLMAP_DICHOTOMY,
};

static hid_t driver = -1;

// File access properties with the driver; negative when there cannot be any.
static hid_t window_access(int descriptor, int64_t offset, int64_t length, int is_written) {
  if (driver < 0) driver = H5FDregister(&window_class);
  if (driver < 0) return -1;
  hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (access < 0) return -1;
  next_window.descriptor = descriptor;
  next_window.offset = offset;
  next_window.length = length;
  next_window.is_written = is_written;
  if (H5Pset_driver(access, driver, NULL) < 0) {
    H5Pclose(access);
    return -1;
  }
  return access;
}

hid_t h5c_open_window(int descriptor, int64_t offset, int64_t length) {
  hid_t access = window_access(descriptor, offset, length, 0);
  if (access < 0) return -1;
  hid_t file = H5Fopen("window", H5F_ACC_RDONLY, access);
  H5Pclose(access);
  return file;
}

hid_t h5c_create_window(int descriptor, int64_t offset) {
  hid_t access = window_access(descriptor, offset, 0, 1);
  if (access < 0) return -1;
  hid_t file = -1;
  if (H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST) >= 0)
    file = H5Fcreate("window", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose(access);
  return file;
}

static int has_64_bits(hid_t file) {
  hid_t properties = H5Fget_create_plist(file);
  size_t addresses = 0, sizes = 0;
  int result = properties >= 0 && H5Pget_sizes(properties, &addresses, &sizes) >= 0 && addresses == 8 && sizes == 8;
  if (properties >= 0) H5Pclose(properties);
  return result;
}

// The driver's part of the file, when the file is one of ours. HDF5 would copy all properties of the file to tell its driver.
static window *window_behind(hid_t file) {
  void *handle = NULL;
  if (H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) < 0) return NULL;
  window *opened = open_windows;
  while (opened && opened != handle) opened = opened->next;
  return opened;
}

int h5c_window_of(hid_t object, h5c_window_place *out) {
  hid_t file = H5Iget_file_id(object);
  if (file < 0) return -1;
  window *opened = window_behind(file);
  // Before address 0 there may be a user block.
  haddr_t base = opened ? opened->base.base_addr : 0;
  int is_window = opened && !opened->is_written && base <= opened->length;
  if (is_window) {
    if (opened->has_64_bits < 0) opened->has_64_bits = has_64_bits(file);
    *out = (h5c_window_place){
        .descriptor = opened->descriptor, .offset = opened->offset + (int64_t)base, .length = (int64_t)(opened->length - base),
        .has_64_bits = opened->has_64_bits};
  }
  H5Fclose(file);
  return is_window ? 0 : -1;
}
