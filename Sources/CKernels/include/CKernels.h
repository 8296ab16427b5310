// Inner loops of inference over float32. Image tensors are (batch, height, width, channels); all pointers may be unaligned.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Elementwise functions; what a, b and c mean is said beside each.
typedef enum {
  H5K_LINEAR,
  H5K_RELU,           // plain max(x, 0)
  H5K_RELU_GENERAL,   // a: slope below the threshold, b: maximum, c: threshold
  H5K_ELU,            // a: alpha
  H5K_SELU,
  H5K_CELU,           // a: alpha
  H5K_GELU,
  H5K_GELU_TANH,
  H5K_SIGMOID,
  H5K_HARD_SIGMOID,   // a: slope
  H5K_SILU,
  H5K_HARD_SILU,
  H5K_TANH,
  H5K_HARD_TANH,
  H5K_TANH_SHRINK,
  H5K_SOFTPLUS,
  H5K_SOFTSIGN,
  H5K_SOFT_SHRINK,    // a: threshold
  H5K_HARD_SHRINK,    // a: threshold
  H5K_LOG_SIGMOID,
  H5K_EXPONENTIAL,
  H5K_MISH,
  H5K_SQUAREPLUS,     // a: b of the paper
  H5K_THRESHOLD,      // a: threshold, b: value below it
  H5K_SPARSE_PLUS,
  H5K_SPARSE_SIGMOID,
  H5K_SQUARE_ROOT,    // a: minimum of the result
} h5k_function;

typedef struct { h5k_function function; float a, b, c; } h5k_activation;

typedef enum { H5K_ADD, H5K_SUBTRACT, H5K_MULTIPLY, H5K_DIVIDE, H5K_MAXIMUM, H5K_MINIMUM } h5k_binary;

// A window that slides over an image: sizes of input, output and kernel, step, distance of taps, padding above and left.
typedef struct {
  ptrdiff_t height, width, channels;
  ptrdiff_t out_height, out_width;
  ptrdiff_t kernel_height, kernel_width;
  ptrdiff_t stride_y, stride_x, dilation_y, dilation_x, pad_top, pad_left;
} h5k_window;

// The loops, compiled once per instruction set.
typedef struct {
  const char *name;
  // target[i] = f(source[i])
  void (*activate)(float *target, const float *source, size_t count, h5k_activation f);
  // rows of `stride` floats: x[r][c] = f(x[r][c] + bias[c]); bias may be null
  void (*finish)(float *rows, size_t row_count, size_t channels, size_t stride, const float *bias, h5k_activation f);
  // target[r][c] = f(source[r][c] * scale[c] + shift[c])
  void (*affine)(float *target, const float *source, size_t rows, size_t channels, const float *scale,
                 const float *shift, h5k_activation f);
  // target[i] = a[i * step_a] op b[i * step_b]; a step is 0 or 1
  void (*binary)(float *target, const float *a, const float *b, size_t count, int step_a, int step_b, h5k_binary op);
  // one output row of a depthwise convolution; kernel (height, width, channels); bias may be null
  void (*depthwise_row)(float *target, const float *image, const float *kernel, const float *bias, const h5k_window *w,
                        ptrdiff_t out_y, h5k_activation f);
  void (*max_pool_row)(float *target, const float *image, const h5k_window *w, ptrdiff_t out_y);
  void (*average_pool_row)(float *target, const float *image, const h5k_window *w, ptrdiff_t out_y);
  // softmax of each row, in place allowed
  void (*softmax)(float *target, const float *source, size_t rows, size_t count);
} h5k_kernels;

// The loops for this processor, chosen once.
const h5k_kernels *h5k_best(void);

// The loops that every processor has, for tests that hold the others against them.
const h5k_kernels *h5k_portable(void);

// Patches of one output row for a matrix product: target[x][(ky, kx, c)], c over `group_channels` channels from
// `first_channel` on.
void h5k_patches(float *target, const float *image, const h5k_window *w, ptrdiff_t out_y, ptrdiff_t first_channel,
                 ptrdiff_t group_channels);

// target[c][r] = source[r][c]
void h5k_transpose(float *target, const float *source, size_t rows, size_t columns);

// Calls task(context, i) for i in 0 ..< count on up to `threads` threads, this one among them. Threads are kept and spin
// for a moment before they sleep. When the pool is busy with another caller, all calls are made on this thread.
void h5k_parallel(size_t count, size_t threads, void (*task)(void *context, size_t i), void *context);

// Number of processors that this process may run on, at least 1.
ptrdiff_t h5k_processors(void);
