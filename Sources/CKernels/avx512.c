// The loops for x86-64 with AVX-512.
#if defined(__x86_64__)
#include <float.h>
#include <math.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))), apply_to = function)
#define H5K_SUFFIX avx512
#define H5K_BYTES 64
#include "loops.inc"
#pragma clang attribute pop
#endif
