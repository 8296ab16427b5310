// An HDF5 file driver for a part of a file that is open already: a whole file, or the member of an archive.
#pragma once
#include "CHDF5Chunks.h"
#include "CHDF5Heap.h"

#include "../../CHDF5/hdf5_header.h"
#include <stdint.h>

// Opens the HDF5 file that lies in `length` bytes from `offset` of `descriptor`. The descriptor is duplicated.
// Returns the file's identifier, or a negative number with HDF5's error stack filled.
hid_t h5c_open_window(int descriptor, int64_t offset, int64_t length);

// Creates an HDF5 file that begins at `offset` of `descriptor` and goes to the end of that file, in the format that every HDF5
// reads. The descriptor is duplicated. Returns the file's identifier, or a negative number with HDF5's error stack filled.
hid_t h5c_create_window(int descriptor, int64_t offset);
