// What Swift cannot import from hdf5.h: macros that call functions or cast, and functions that are macros in other versions.
#pragma once
#include "hdf5_header.h"
#include <stdlib.h>

static inline hid_t h5c_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t h5c_ieee_f32le(void) { return H5T_IEEE_F32LE; }
static inline hid_t h5c_ieee_f64le(void) { return H5T_IEEE_F64LE; }
static inline hid_t h5c_c_string(void) { return H5T_C_S1; }
static inline size_t h5c_variable(void) { return H5T_VARIABLE; }
static inline unsigned h5c_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned h5c_exclusive(void) { return H5F_ACC_EXCL; }
static inline hid_t h5c_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t h5c_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t h5c_link_create(void) { return H5P_LINK_CREATE; }
static inline H5F_libver_t h5c_libver_earliest(void) { return H5F_LIBVER_EARLIEST; }
static inline H5F_libver_t h5c_libver_latest(void) { return H5F_LIBVER_LATEST; }

// One link of a group: its type, and for a hard link the kind and the address of the object.
typedef struct { H5L_type_t link; H5O_type_t object; haddr_t address; } h5c_link;

// 1 when there is one; 0 when there is none.
static inline herr_t h5c_link_type(hid_t group, const char *name, h5c_link *out) {
  H5L_info_t info;
  // Most often it is there, and looking for it first would double the work.
  if (H5Lget_info(group, name, &info, H5P_DEFAULT) < 0) {
    htri_t exists = H5Lexists(group, name, H5P_DEFAULT);
    if (exists <= 0) return exists;
    if (H5Lget_info(group, name, &info, H5P_DEFAULT) < 0) return -1;
  }
  *out = (h5c_link){.link = info.type, .object = H5O_TYPE_UNKNOWN, .address = HADDR_UNDEF};
  return 1;
}

static inline void h5c_take_object(const H5O_info_t *object, h5c_link *out) {
  out->object = object->type;
#if H5_VERSION_GE(1, 12, 0)
  out->address = (haddr_t)object->fileno; // a key only: 1.12 and later hide the address behind a token
#else
  out->address = object->addr;
#endif
}

// The same, with the object of a hard link.
static inline herr_t h5c_link_info(hid_t group, const char *name, h5c_link *out) {
  const herr_t found = h5c_link_type(group, name, out);
  if (found <= 0 || out->link != H5L_TYPE_HARD) return found;
  H5O_info_t object;
  // Type and address only: what more there is to know (sizes) is gathered by walking B-trees, and damaged ones have no end.
#if H5_VERSION_GE(1, 12, 0)
  if (H5Oget_info_by_name3(group, name, &object, H5O_INFO_BASIC, H5P_DEFAULT) < 0) return -1;
#else
  if (H5Oget_info_by_name2(group, name, &object, H5O_INFO_BASIC, H5P_DEFAULT) < 0) return -1;
#endif
  h5c_take_object(&object, out);
  return 1;
}

// The same, with the object opened: its identifier, 0 where there is no hard link.
static inline hid_t h5c_open_link(hid_t group, const char *name, h5c_link *out) {
  const herr_t found = h5c_link_type(group, name, out);
  if (found < 0) return -1;
  if (found == 0) out->link = H5L_TYPE_ERROR;
  if (found == 0 || out->link != H5L_TYPE_HARD) return 0;
  hid_t opened = H5Oopen(group, name, H5P_DEFAULT);
  if (opened < 0) return -1;
  H5O_info_t object;
#if H5_VERSION_GE(1, 12, 0)
  const herr_t isKnown = H5Oget_info3(opened, &object, H5O_INFO_BASIC);
#else
  const herr_t isKnown = H5Oget_info2(opened, &object, H5O_INFO_BASIC);
#endif
  if (isKnown < 0) {
    H5Oclose(opened);
    return -1;
  }
  h5c_take_object(&object, out);
  return opened;
}

// How a dataset is stored. `offset` is where the elements begin in the file, HADDR_UNDEF when they do not lie there one after the other.
enum { H5C_MOST_FILTERS = 32 }; // as many as HDF5 allows
typedef struct {
  H5D_layout_t layout;
  int external; // files that the elements are in
  int filters;
  H5Z_filter_t filter[H5C_MOST_FILTERS];
  hsize_t stored; // bytes in the file
  haddr_t offset;
} h5c_storage;

static inline herr_t h5c_storage_from_properties(hid_t dataset, h5c_storage *out) {
  hid_t properties = H5Dget_create_plist(dataset);
  if (properties < 0) return -1;
  out->layout = H5Pget_layout(properties);
  out->external = H5Pget_external_count(properties);
  out->filters = H5Pget_nfilters(properties);
  int isRead = out->layout != H5D_LAYOUT_ERROR && out->external >= 0 && out->filters >= 0 && out->filters <= H5C_MOST_FILTERS;
  for (int i = 0; isRead && i < out->filters; i++) {
    unsigned flags, configuration;
    size_t values = 0;
    out->filter[i] = H5Pget_filter2(properties, (unsigned)i, &flags, &values, NULL, 0, NULL, &configuration);
    isRead = out->filter[i] >= 0;
  }
  H5Pclose(properties);
  return isRead ? 0 : -1;
}

static inline herr_t h5c_storage_of(hid_t dataset, h5c_storage *out) {
  // Elements that are not contiguous have no address: an error or none.
  out->offset = H5Dget_offset(dataset);
  if (out->offset == HADDR_UNDEF) H5Eclear2(H5E_DEFAULT);
  out->stored = H5Dget_storage_size(dataset);
#if !H5_VERSION_GE(1, 12, 0)
  // The properties are copied for whoever asks, which takes as long as opening the dataset: the messages of its header tell that it has
  // neither filters nor other files.
  enum { EXTERNAL_FILES = 1 << 7, FILTERS = 1 << 11 };
  H5O_info_t info;
  if (out->offset != HADDR_UNDEF && H5Oget_info2(dataset, &info, H5O_INFO_HDR) >= 0 &&
      !(info.hdr.mesg.present & (EXTERNAL_FILES | FILTERS))) {
    out->layout = H5D_CONTIGUOUS;
    out->external = out->filters = 0;
    return 0;
  }
#endif
  return h5c_storage_from_properties(dataset, out);
}

// Files are read and made without locks: a lock fails on some network and read-only file systems, and a child process would keep
// it as long as it lives.
static inline herr_t h5c_no_locking(hid_t file_access) {
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
  return H5Pset_file_locking(file_access, 0, 1);
#else
  return 0;
#endif
}

// An IEEE half-precision type, little-endian: not predefined by HDF5.
static inline hid_t h5c_create_float16(void) {
  hid_t type = H5Tcopy(H5T_IEEE_F32LE);
  if (type < 0) return type;
  if (H5Tset_fields(type, 15, 10, 5, 0, 10) < 0 || H5Tset_size(type, 2) < 0 || H5Tset_ebias(type, 15) < 0) {
    H5Tclose(type);
    return -1;
  }
  return type;
}

// Elements as they are in a register of this machine, for types that keep their class and size.
static inline hid_t h5c_native_integer(size_t bytes, int is_signed) {
  switch (bytes) {
  case 1: return is_signed ? H5T_STD_I8LE : H5T_STD_U8LE;
  case 2: return is_signed ? H5T_STD_I16LE : H5T_STD_U16LE;
  case 4: return is_signed ? H5T_STD_I32LE : H5T_STD_U32LE;
  case 8: return is_signed ? H5T_STD_I64LE : H5T_STD_U64LE;
  default: return -1;
  }
}

// NumPy's bool as h5py writes it.
static inline hid_t h5c_create_bool(void) {
  hid_t type = H5Tenum_create(H5T_STD_I8LE);
  signed char no = 0, yes = 1;
  if (type >= 0 && (H5Tenum_insert(type, "FALSE", &no) < 0 || H5Tenum_insert(type, "TRUE", &yes) < 0)) {
    H5Tclose(type);
    return -1;
  }
  return type;
}

// Whether a floating-point type of so many bytes is IEEE's in little-endian order: there are others. Negative on failure.
static inline htri_t h5c_is_plain_float(hid_t type, size_t bytes) {
  if (bytes == 4) return H5Tequal(type, H5T_IEEE_F32LE);
  if (bytes == 8) return H5Tequal(type, H5T_IEEE_F64LE);
  if (bytes != 2) return 0;
  hid_t half = h5c_create_float16();
  if (half < 0) return -1;
  htri_t isEqual = H5Tequal(type, half);
  H5Tclose(half);
  return isEqual;
}
