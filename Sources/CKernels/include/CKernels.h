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

// A convolution over images or volumes (batch, depth, height, width, channels), with a packed kernel.
typedef struct {
  h5k_window window;
  ptrdiff_t depth, out_depth, kernel_depth, stride_z, dilation_z, pad_front;  // 1, 1, 1, 1, 1, 0 for images
  ptrdiff_t groups, group_channels, group_filters;
  // Whether the taps of a row of the kernel are read as one run: the image has its padding around it, and dilation_x is 1.
  int joins_rows;
  const float *image;
  const float *zeros;   // as many as channels
  const float *packed;  // of every group, one behind the other
  const float *bias;    // may be null
  const float *addend;  // added before the activation, as the target; may be null
  float *target;
  h5k_activation f;
} h5k_convolution;

// Pointers that `convolve` wants for its own use: so many, or as many as the kernel has taps.
enum { h5k_most_pointers = 4096 };

// A convolution by 3 × 3 windows of stride 1, by Winograd's algorithm: tiles of `tile` × `tile` results, of which there are
// tiles_x · tiles_y in an image. Its scratch memory holds the transformed numbers of some consecutive tiles.
typedef struct {
  ptrdiff_t height, width, channels;
  ptrdiff_t out_height, out_width, filters;
  ptrdiff_t pad_top, pad_left;
  ptrdiff_t tile;  // 4 or 2
  ptrdiff_t tiles_y, tiles_x;
  // Whether of each 2 × 2 results only the largest is stored: the target is half as high and wide, rounded down, addend is null, and f is
  // linear or a ReLU without slope and threshold.
  int pools;
  const float *image;
  const float *zeros;   // as many as channels
  const float *packed;  // (tile + 2)² packed matrices
  const float *bias;    // may be null
  const float *addend;  // added before the activation, as the target; may be null
  float *target;
  h5k_activation f;
} h5k_winograd;

// The loops, compiled once per instruction set.
typedef struct {
  const char *name;
  ptrdiff_t rows;   // pixels that are summed at once
  ptrdiff_t panel;  // filters that are summed at once; panels are numbered from 0
  ptrdiff_t lanes;  // floats of a vector
  // target[i] = f(source[i])
  void (*activate)(float *target, const float *source, size_t count, h5k_activation f);
  // rows of `stride` floats: x[r][c] = f(x[r][c] + bias[c]); bias may be null
  void (*finish)(float *rows, size_t row_count, size_t channels, size_t stride, const float *bias, h5k_activation f);
  // target[r][c] = f(source[r][c] * scale[c] + shift[c])
  void (*affine)(float *target, const float *source, size_t rows, size_t channels, const float *scale,
                 const float *shift, h5k_activation f);
  // target[i] = a[i * step_a] op b[i * step_b]; a step is 0 or 1
  void (*binary)(float *target, const float *a, const float *b, size_t count, int step_a, int step_b, h5k_binary op);
  // output rows first_y ..< end_y, which begin at `target`, of some channels of a depthwise convolution of an image; kernel (height,
  // width, channels); bias may be null
  void (*depthwise)(float *target, const float *image, const float *kernel, const float *bias, const h5k_window *w,
                    ptrdiff_t first_y, ptrdiff_t end_y, ptrdiff_t first_channel, ptrdiff_t end_channel, h5k_activation f);
  void (*max_pool_row)(float *target, const float *image, const h5k_window *w, ptrdiff_t out_y);
  void (*average_pool_row)(float *target, const float *image, const h5k_window *w, ptrdiff_t out_y);
  // softmax of each row, in place allowed
  void (*softmax)(float *target, const float *source, size_t rows, size_t count);
  // floats of a packed matrix of inner × columns
  ptrdiff_t (*packed_count)(ptrdiff_t inner, ptrdiff_t columns);
  // packs a matrix whose rows are `stride` apart, each column times its scale, which may be null
  void (*pack)(float *packed, const float *matrix, ptrdiff_t inner, ptrdiff_t columns, ptrdiff_t stride, const float *scale);
  // target = f(a · matrix + bias + addend) for `count` rows of a and the panels first ..< end; bias and addend may be null
  void (*multiply)(float *target, ptrdiff_t target_stride, const float *a, ptrdiff_t a_stride, ptrdiff_t count,
                   ptrdiff_t inner, const float *packed, ptrdiff_t columns, ptrdiff_t first_panel, ptrdiff_t end_panel,
                   const float *bias, const float *addend, h5k_activation f);
  // target[c] = sum of x[k] · matrix[k][c]; the matrix as it lies in memory
  void (*multiply_row)(float *target, const float *x, const float *matrix, ptrdiff_t inner, ptrdiff_t columns);
  // output pixels first ..< end, counted over the whole batch, of each group's panels first ..< end
  void (*convolve)(const h5k_convolution *, const float **pointers, ptrdiff_t first_pixel, ptrdiff_t end_pixel,
                   ptrdiff_t first_panel, ptrdiff_t end_panel);
  // transforms and packs the channels first ..< end of a kernel (3, 3, channels, filters), each filter times its scale, which
  // may be null
  void (*winograd_pack)(float *packed, const float *kernel, ptrdiff_t channels, ptrdiff_t filters, int tile,
                        const float *scale, ptrdiff_t first_channel, ptrdiff_t end_channel);
  // floats of scratch memory for `tiles` tiles
  size_t (*winograd_scratch)(const h5k_winograd *, ptrdiff_t tiles);
  // The three steps for the tiles first ..< end of those in `scratch`, which are `tiles` from the tile `start` on: transform
  // the input; multiply one of the (tile + 2)² matrices by its panels first ..< end; transform back the filters first ..< end,
  // which are whole vectors, and add bias and addend.
  void (*winograd_in)(const h5k_winograd *, float *scratch, ptrdiff_t tiles, ptrdiff_t start, ptrdiff_t first,
                      ptrdiff_t end);
  void (*winograd_multiply)(const h5k_winograd *, float *scratch, ptrdiff_t tiles, ptrdiff_t first, ptrdiff_t end,
                            ptrdiff_t matrix, ptrdiff_t first_panel, ptrdiff_t end_panel);
  void (*winograd_out)(const h5k_winograd *, const float *scratch, ptrdiff_t tiles, ptrdiff_t start, ptrdiff_t first,
                       ptrdiff_t end, ptrdiff_t first_filter, ptrdiff_t end_filter);
  // All steps at once for the tiles and panels first ..< end, `channels` (whole vectors, or all) of them at a time: the kernel
  // (3, 3, channels, filters) behind `packed` is packed as it stands, and transformed in the cache. Floats of scratch memory for
  // so many tiles, channels and panels, and the call.
  size_t (*winograd_plain_scratch)(ptrdiff_t tile, ptrdiff_t tiles, ptrdiff_t channels, ptrdiff_t panels);
  void (*winograd_plain)(const h5k_winograd *, float *scratch, ptrdiff_t channels, ptrdiff_t first, ptrdiff_t end,
                         ptrdiff_t first_panel, ptrdiff_t end_panel);
} h5k_kernels;

// Bytes of the cache that each processor has for itself behind its first-level cache; a guess where the system does not tell.
ptrdiff_t h5k_second_level_cache(void);

// The loops for this processor, chosen once.
const h5k_kernels *h5k_best(void);

// The loops that every processor has, for tests that hold the others against them.
const h5k_kernels *h5k_portable(void);

// All loops that this processor can run, the portable ones first; null behind the last. For tests.
const h5k_kernels *h5k_variant(size_t number);

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
