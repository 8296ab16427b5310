// HDF5's own header: where pkg-config says, or Debian's, whose archive Package.swift found.
#pragma once
#if __has_include(<hdf5.h>)
#include <hdf5.h>
#else
#include <hdf5/serial/hdf5.h>
#endif
