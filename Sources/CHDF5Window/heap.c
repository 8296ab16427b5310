#include "CHDF5Heap.h"

#include <stdlib.h>
#include <string.h>

// Bytes of a text's place in a file with 64-bit addresses.
enum { PLACE = 16 };

// A conversion for libhdf5 that does nothing, from the text's place to as many opaque bytes.
static herr_t keep(hid_t source, hid_t target, H5T_cdata_t *data, size_t count, size_t stride, size_t background_stride, void *buffer,
                   void *background, hid_t transfer) {
  (void)source; (void)count; (void)stride; (void)background_stride; (void)buffer; (void)background; (void)transfer;
  if (data->command != H5T_CONV_INIT) return 0;
  data->need_bkg = H5T_BKG_NO;
  return H5Tget_size(target) == PLACE ? 0 : -1;
}

// The opaque type; negative when it cannot be made. The caller holds the lock of the library.
static hid_t place_type(void) {
  static hid_t type = -1;
  if (type >= 0) return type;
  hid_t text = H5Tcopy(H5T_C_S1), opaque = H5Tcreate(H5T_OPAQUE, PLACE);
  if (text >= 0 && opaque >= 0 && H5Tset_size(text, H5T_VARIABLE) >= 0 && H5Tset_tag(opaque, "place of a text") >= 0 &&
      H5Tregister(H5T_PERS_SOFT, "place of a text", text, opaque, keep) >= 0)
    type = opaque;
  else if (opaque >= 0)
    H5Tclose(opaque);
  if (text >= 0) H5Tclose(text);
  return type;
}

static uint64_t number(const uint8_t *bytes, int count) {
  uint64_t result = 0;
  while (count-- > 0) result = result << 8 | bytes[count];
  return result;
}

int h5c_text_places(hid_t attribute, size_t count, h5c_text_place *out) {
  if (H5Aget_storage_size(attribute) != (hsize_t)count * PLACE) return 1;
  hid_t type = place_type();
  uint8_t *bytes = type < 0 ? NULL : malloc(count * PLACE);
  if (!bytes) return -1;
  int result = H5Aread(attribute, type, bytes);
  for (size_t i = 0; result >= 0 && i < count; i++) {
    const uint8_t *place = bytes + i * PLACE;
    out[i] = (h5c_text_place){
        .length = (uint32_t)number(place, 4), .collection = number(place + 4, 8), .object = (uint32_t)number(place + 12, 4)};
  }
  free(bytes);
  return result < 0 ? -1 : 0;
}
