// Texts of variable length: where they lie in the file, without libhdf5's own reading of them.
#pragma once
#include "../../CHDF5/hdf5_header.h"
#include <stdint.h>

// What an attribute has in place of such a text: its length, the address of a collection of the file's global heap, and the number of an
// object there.
typedef struct { uint32_t length, object; uint64_t collection; } h5c_text_place;

// Reads the places of the `count` texts of an attribute of a file with 64-bit addresses. Negative, with HDF5's error stack filled, when
// they cannot be read; 1 when they have another form.
int h5c_text_places(hid_t attribute, size_t count, h5c_text_place *out);

// Where a file's bytes are: those at address 0 lie at `offset` of `descriptor`, and there are `length`. `has_64_bits` tells whether its
// addresses and sizes have.
typedef struct { int descriptor, has_64_bits; int64_t offset, length; } h5c_window_place;

// Tells where the file of an object is. Negative when it was not opened by h5c_open_window.
int h5c_window_of(hid_t object, h5c_window_place *out);
