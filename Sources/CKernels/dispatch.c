// Chooses the loops, and those that need no instruction set of their own.
#include <string.h>
#include <unistd.h>

#include "CKernels.h"

extern const h5k_kernels h5k_kernels_portable;
#if defined(__x86_64__)
extern const h5k_kernels h5k_kernels_avx2;
extern const h5k_kernels h5k_kernels_avx512;
#endif

const h5k_kernels *h5k_variant(size_t number) {
  if (number == 0) return &h5k_kernels_portable;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return NULL;
  if (number == 1) return &h5k_kernels_avx2;
  if (number == 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
    return &h5k_kernels_avx512;
#endif
  return NULL;
}

const h5k_kernels *h5k_best(void) {
  const h5k_kernels *best = h5k_variant(0);
  for (size_t number = 1; h5k_variant(number); number++) best = h5k_variant(number);
  return best;
}

ptrdiff_t h5k_second_level_cache(void) {
  enum { LEAST = 256 << 10, GUESS = 1 << 20 };
  long bytes = 0;
#ifdef _SC_LEVEL2_CACHE_SIZE
  bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
  return bytes >= LEAST ? bytes : GUESS;
}

const h5k_kernels *h5k_portable(void) { return h5k_variant(0); }

void h5k_patches(float *target, const float *image, const h5k_window *w, ptrdiff_t out_y, ptrdiff_t first_channel,
                 ptrdiff_t group_channels) {
  const ptrdiff_t patch = w->kernel_height * w->kernel_width * group_channels;
  const ptrdiff_t run = w->kernel_width * group_channels;
  const size_t pixel_bytes = (size_t)group_channels * sizeof(float);
  for (ptrdiff_t ky = 0; ky < w->kernel_height; ky++) {
    const ptrdiff_t y = out_y * w->stride_y - w->pad_top + ky * w->dilation_y;
    float *column = target + ky * run;
    if (y < 0 || y >= w->height) {
      for (ptrdiff_t x = 0; x < w->out_width; x++) memset(column + x * patch, 0, (size_t)run * sizeof(float));
      continue;
    }
    const float *row = image + y * w->width * w->channels + first_channel;
    for (ptrdiff_t x = 0; x < w->out_width; x++) {
      const ptrdiff_t x0 = x * w->stride_x - w->pad_left;
      float *out = column + x * patch;
      if (w->dilation_x == 1 && group_channels == w->channels && x0 >= 0 && x0 + w->kernel_width <= w->width) {
        memcpy(out, row + x0 * w->channels, (size_t)run * sizeof(float));
        continue;
      }
      for (ptrdiff_t kx = 0; kx < w->kernel_width; kx++) {
        const ptrdiff_t ix = x0 + kx * w->dilation_x;
        if (ix < 0 || ix >= w->width)
          memset(out + kx * group_channels, 0, pixel_bytes);
        else
          memcpy(out + kx * group_channels, row + ix * w->channels, pixel_bytes);
      }
    }
  }
}

void h5k_transpose(float *target, const float *source, size_t rows, size_t columns) {
  enum { BLOCK = 16 };
  for (size_t r0 = 0; r0 < rows; r0 += BLOCK)
    for (size_t c0 = 0; c0 < columns; c0 += BLOCK) {
      const size_t r1 = r0 + BLOCK < rows ? r0 + BLOCK : rows, c1 = c0 + BLOCK < columns ? c0 + BLOCK : columns;
      for (size_t c = c0; c < c1; c++)
        for (size_t r = r0; r < r1; r++) target[c * rows + r] = source[r * columns + c];
    }
}
