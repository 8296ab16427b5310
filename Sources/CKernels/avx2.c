// The loops for x86-64 with AVX2 and FMA.
#if defined(__x86_64__)
#include <float.h>
#include <math.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define H5K_SUFFIX avx2
#define H5K_BYTES 32
#include "loops.inc"
#pragma clang attribute pop
#endif
