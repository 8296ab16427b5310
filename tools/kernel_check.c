// Holds the loops of CKernels of every instruction set that this processor has against plain sums in double precision, on random shapes.
// tools/check-kernels compiles it with the address and undefined-behaviour sanitizers: every array is exactly as long as it must be.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

static uint64_t state = 88172645463325252u;

static uint64_t bits(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

// A number of first ... last.
static ptrdiff_t between(ptrdiff_t first, ptrdiff_t last) { return first + (ptrdiff_t)(bits() % (uint64_t)(last - first + 1)); }

static float *empty(ptrdiff_t count) {
  float *values = malloc((size_t)(count > 0 ? count : 1) * sizeof(float));
  if (!values) abort();
  for (ptrdiff_t i = 0; i < count; i++) values[i] = NAN;
  return values;
}

static float *noise(ptrdiff_t count) {
  float *values = empty(count);
  for (ptrdiff_t i = 0; i < count; i++) values[i] = (float)(bits() >> 40) / 8388608.0f - 1;
  return values;
}

static int failures;
static double largest = 1;  // of the sums before their activation, which errors are measured by

static void compare(const char *what, const char *name, const float *found, const double *expected, ptrdiff_t count, double allowed) {
  double worst = 0;
  for (ptrdiff_t i = 0; i < count; i++) {
    const double error = fabs(found[i] - expected[i]);
    if (!(error <= worst)) worst = error;
  }
  if (worst <= allowed * largest) return;
  failures++;
  fprintf(stderr, "%s of %s is off by %g of %g\n", what, name, worst, largest);
}

static double applied(double x, h5k_activation f) {
  if (fabs(x) > largest) largest = fabs(x);
  switch (f.function) {
  case H5K_RELU: return x < 0 ? 0 : x;
  case H5K_RELU_GENERAL: return x < 0 ? 0 : x > f.b ? f.b : x;
  case H5K_SIGMOID: return 1 / (1 + exp(-x));
  case H5K_SILU: return x / (1 + exp(-x));
  default: return x;
  }
}

static h5k_activation activation(void) {
  const h5k_function functions[] = {H5K_LINEAR, H5K_RELU, H5K_RELU_GENERAL, H5K_SIGMOID, H5K_SILU};
  return (h5k_activation){functions[between(0, 4)], 0, 2, 0};
}

// A size: small, around the width of vectors, or large.
static ptrdiff_t channels(void) {
  const ptrdiff_t kind = between(0, 9);
  return kind < 6 ? between(1, 20) : kind < 9 ? between(21, 70) : between(120, 200);
}

typedef struct {
  h5k_window w;
  ptrdiff_t batch, depth, out_depth, kernel_depth, stride_z, dilation_z, pad_front, groups, filters;
} sizes;

// The sums of a convolution, kernel (depth, height, width, channels / groups, filters).
static double *sums(const sizes *s, const float *image, const float *kernel, const float *bias, const float *addend, h5k_activation f) {
  const h5k_window *w = &s->w;
  const ptrdiff_t pixels = s->batch * s->out_depth * w->out_height * w->out_width;
  const ptrdiff_t each = w->channels / s->groups, filters = s->filters / s->groups;
  double *result = malloc((size_t)(pixels * s->filters) * sizeof(double));
  if (!result) abort();
  for (ptrdiff_t pixel = 0; pixel < pixels; pixel++)
    for (ptrdiff_t n = 0; n < s->filters; n++) {
      const ptrdiff_t x = pixel % w->out_width, y = pixel / w->out_width % w->out_height;
      const ptrdiff_t z = pixel / w->out_width / w->out_height % s->out_depth;
      const ptrdiff_t batch = pixel / w->out_width / w->out_height / s->out_depth;
      double sum = bias ? bias[n] : 0;
      for (ptrdiff_t kz = 0; kz < s->kernel_depth; kz++)
        for (ptrdiff_t ky = 0; ky < w->kernel_height; ky++)
          for (ptrdiff_t kx = 0; kx < w->kernel_width; kx++) {
            const ptrdiff_t iz = z * s->stride_z - s->pad_front + kz * s->dilation_z;
            const ptrdiff_t iy = y * w->stride_y - w->pad_top + ky * w->dilation_y;
            const ptrdiff_t ix = x * w->stride_x - w->pad_left + kx * w->dilation_x;
            if (iz < 0 || iz >= s->depth || iy < 0 || iy >= w->height || ix < 0 || ix >= w->width) continue;
            for (ptrdiff_t c = 0; c < each; c++)
              sum += (double)image[(((batch * s->depth + iz) * w->height + iy) * w->width + ix) * w->channels + n / filters * each + c] *
                     kernel[(((kz * w->kernel_height + ky) * w->kernel_width + kx) * each + c) * s->filters + n];
          }
      if (addend) sum += addend[pixel * s->filters + n];
      result[pixel * s->filters + n] = applied(sum, f);
    }
  return result;
}

static void check_convolution(void) {
  sizes s = {.batch = between(1, 2), .groups = between(0, 3) ? 1 : between(2, 4), .kernel_depth = between(0, 3) ? 1 : 2};
  h5k_window *w = &s.w;
  w->channels = s.groups * channels();
  s.filters = s.groups * channels();
  const int is_volume = s.kernel_depth > 1;
  s.depth = is_volume ? between(2, 4) : 1;
  s.stride_z = is_volume ? between(1, 2) : 1, s.dilation_z = is_volume ? between(1, 2) : 1, s.pad_front = is_volume ? between(0, 1) : 0;
  s.out_depth = is_volume ? between(1, 3) : 1;
  w->height = between(1, 12), w->width = between(1, 12);
  w->kernel_height = between(1, 4), w->kernel_width = between(1, 4);
  w->stride_y = between(1, 3), w->stride_x = between(1, 3), w->dilation_y = between(1, 2), w->dilation_x = between(1, 2);
  w->pad_top = between(0, 3), w->pad_left = between(0, 3);
  w->out_height = between(1, 12), w->out_width = between(1, 12);
  // Rows are joined only where all of their taps are inside.
  const int joins = s.groups == 1 && between(0, 2) == 0;
  if (joins) {
    w->dilation_x = 1, w->pad_left = 0;
    w->width = (w->out_width - 1) * w->stride_x + w->kernel_width + between(0, 2);
  }
  const ptrdiff_t pixels = s.batch * s.out_depth * w->out_height * w->out_width;
  const ptrdiff_t inner = s.kernel_depth * w->kernel_height * w->kernel_width * (w->channels / s.groups);
  float *image = noise(s.batch * s.depth * w->height * w->width * w->channels), *kernel = noise(inner * s.filters);
  float *bias = between(0, 2) ? noise(s.filters) : NULL, *addend = between(0, 1) ? noise(pixels * s.filters) : NULL;
  float *scale = between(0, 1) ? noise(s.filters) : NULL;
  float *zeros = empty(joins ? w->kernel_width * w->channels : w->channels);
  memset(zeros, 0, (size_t)(joins ? w->kernel_width * w->channels : w->channels) * sizeof(float));
  const h5k_activation f = activation();
  const ptrdiff_t filters = s.filters / s.groups;
  float *scaled = empty(inner * s.filters);
  for (ptrdiff_t i = 0; i < inner * s.filters; i++) scaled[i] = scale ? kernel[i] * scale[i % s.filters] : kernel[i];
  double *expected = sums(&s, image, scaled, bias, addend, f);
  for (size_t variant = 0; h5k_variant(variant); variant++) {
    const h5k_kernels *k = h5k_variant(variant);
    const ptrdiff_t each = k->packed_count(inner, filters), panels = (filters + k->panel - 1) / k->panel;
    float *packed = empty(s.groups * each), *target = empty(pixels * s.filters);
    for (ptrdiff_t g = 0; g < s.groups; g++)
      k->pack(packed + g * each, kernel + g * filters, inner, filters, s.filters, scale ? scale + g * filters : NULL);
    const h5k_convolution call = {
        .window = *w, .depth = s.depth, .out_depth = s.out_depth, .kernel_depth = s.kernel_depth, .stride_z = s.stride_z,
        .dilation_z = s.dilation_z, .pad_front = s.pad_front, .groups = s.groups, .group_channels = w->channels / s.groups,
        .group_filters = filters, .joins_rows = joins, .image = image, .zeros = zeros, .packed = packed, .bias = bias,
        .addend = addend, .target = target, .f = f};
    const float **pointers = malloc(h5k_most_pointers * sizeof *pointers);
    if (!pointers) abort();
    const ptrdiff_t pixel = between(0, pixels), panel = between(0, panels);
    k->convolve(&call, pointers, 0, pixel, 0, panel);
    k->convolve(&call, pointers, pixel, pixels, 0, panel);
    k->convolve(&call, pointers, 0, pixels, panel, panels);
    compare("a convolution", k->name, target, expected, pixels * s.filters, 5e-6);
    free(pointers), free(packed), free(target);
  }
  free(image), free(kernel), free(bias), free(addend), free(scale), free(zeros), free(scaled), free(expected);
}

// Replaces the results by the largest of each 2 × 2 of an image, and returns how many these are.
static ptrdiff_t pool(const sizes *s, double *results) {
  const ptrdiff_t height = s->w.out_height, width = s->w.out_width, filters = s->filters;
  ptrdiff_t count = 0;
  for (ptrdiff_t image = 0; image < s->batch; image++)
    for (ptrdiff_t y = 0; y + 1 < height; y += 2)
      for (ptrdiff_t x = 0; x + 1 < width; x += 2)
        for (ptrdiff_t n = 0; n < filters; n++) {
          const double *cell = results + ((image * height + y) * width + x) * filters + n;
          results[count++] = fmax(fmax(cell[0], cell[filters]), fmax(cell[width * filters], cell[(width + 1) * filters]));
        }
  return count;
}

static void check_winograd(void) {
  sizes s = {.batch = between(1, 2), .groups = 1, .kernel_depth = 1, .depth = 1, .out_depth = 1, .stride_z = 1, .dilation_z = 1};
  s.filters = channels();
  s.w = (h5k_window){between(1, 14), between(1, 14), channels(), between(1, 14), between(1, 14), 3, 3, 1, 1, 1, 1, between(0, 2), between(0, 2)};
  const h5k_window *w = &s.w;
  const ptrdiff_t pixels = s.batch * w->out_height * w->out_width;
  float *image = noise(s.batch * w->height * w->width * w->channels), *kernel = noise(9 * w->channels * s.filters);
  float *bias = between(0, 2) ? noise(s.filters) : NULL, *addend = between(0, 1) ? noise(pixels * s.filters) : NULL;
  float *scale = between(0, 1) ? noise(s.filters) : NULL, *zeros = empty(w->channels);
  memset(zeros, 0, (size_t)w->channels * sizeof(float));
  const h5k_activation f = activation();
  float *scaled = empty(9 * w->channels * s.filters);
  for (ptrdiff_t i = 0; i < 9 * w->channels * s.filters; i++) scaled[i] = scale ? kernel[i] * scale[i % s.filters] : kernel[i];
  double *expected = sums(&s, image, scaled, bias, addend, f);
  // The largest of each 2 × 2, where the loops can take it.
  const int pools = !addend && (f.function == H5K_LINEAR || f.function == H5K_RELU || f.function == H5K_RELU_GENERAL) && between(0, 1);
  const ptrdiff_t results = pools ? pool(&s, expected) : pixels * s.filters;
  for (size_t variant = 0; h5k_variant(variant); variant++)
    for (int tile = 2; tile <= 4; tile += 2) {
      const h5k_kernels *k = h5k_variant(variant);
      const ptrdiff_t parts = (tile + 2) * (tile + 2), panels = (s.filters + k->panel - 1) / k->panel;
      float *packed = empty(parts * k->packed_count(w->channels, s.filters)), *target = empty(results);
      const ptrdiff_t middle = between(0, w->channels);
      k->winograd_pack(packed, kernel, w->channels, s.filters, tile, scale, middle, w->channels);
      k->winograd_pack(packed, kernel, w->channels, s.filters, tile, scale, 0, middle);
      h5k_winograd call = {
          .height = w->height, .width = w->width, .channels = w->channels, .out_height = w->out_height, .out_width = w->out_width,
          .filters = s.filters, .pad_top = w->pad_top, .pad_left = w->pad_left, .tile = tile,
          .tiles_y = (w->out_height + tile - 1) / tile, .tiles_x = (w->out_width + tile - 1) / tile, .image = image, .zeros = zeros,
          .packed = packed, .bias = bias, .addend = addend, .target = target, .f = f, .pools = pools};
      const ptrdiff_t tiles = s.batch * call.tiles_y * call.tiles_x, block = between(1, tiles);
      float *scratch = empty((ptrdiff_t)k->winograd_scratch(&call, block));
      for (ptrdiff_t start = 0; start < tiles; start += block) {
        const ptrdiff_t count = tiles - start < block ? tiles - start : block, part = between(0, count), panel = between(0, panels);
        k->winograd_in(&call, scratch, block, start, part, count);
        k->winograd_in(&call, scratch, block, start, 0, part);
        for (ptrdiff_t matrix = 0; matrix < parts; matrix++) {
          k->winograd_multiply(&call, scratch, block, 0, count, matrix, 0, panel);
          k->winograd_multiply(&call, scratch, block, 0, count, matrix, panel, panels);
        }
        const ptrdiff_t filter = between(0, s.filters / k->lanes) * k->lanes;
        k->winograd_out(&call, scratch, block, start, 0, part, 0, s.filters);
        k->winograd_out(&call, scratch, block, start, part, count, 0, filter);
        k->winograd_out(&call, scratch, block, start, part, count, filter, s.filters);
      }
      compare("Winograd's algorithm", k->name, target, expected, results, tile == 4 ? 2e-5 : 4e-6);
      free(packed), free(target), free(scratch);

      // The same with a kernel that is transformed on the way.
      packed = empty(k->packed_count(9 * w->channels, s.filters)), target = empty(results);
      k->pack(packed, kernel, 9 * w->channels, s.filters, s.filters, scale);
      call.packed = packed, call.target = target;
      const ptrdiff_t at_once = between(0, 2) ? between(1, 3) * k->lanes : w->channels, middle_tile = between(0, tiles), panel = between(0, panels);
      const ptrdiff_t parts_of_tiles[] = {0, middle_tile, tiles}, parts_of_panels[] = {0, panel, panels};
      for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
          const ptrdiff_t first = parts_of_tiles[i], end = parts_of_tiles[i + 1];
          const ptrdiff_t first_panel = parts_of_panels[j], end_panel = parts_of_panels[j + 1];
          if (first == end || first_panel == end_panel) continue;
          scratch = empty((ptrdiff_t)k->winograd_plain_scratch(tile, end - first, at_once, end_panel - first_panel));
          k->winograd_plain(&call, scratch, at_once, first, end, first_panel, end_panel);
          free(scratch);
        }
      compare("Winograd's algorithm with a plain kernel", k->name, target, expected, results, tile == 4 ? 2e-5 : 4e-6);
      free(packed), free(target);
    }
  free(image), free(kernel), free(bias), free(addend), free(scale), free(zeros), free(scaled), free(expected);
}

static void check_products(void) {
  const ptrdiff_t inner = between(0, 9) ? channels() : between(0, 1) ? 1000 : 0, columns = between(0, 9) ? channels() : 1000, rows = between(1, 30);
  const ptrdiff_t stride = inner + between(0, 3), target_stride = columns + between(0, 3);
  float *a = noise((rows - 1) * stride + inner), *b = noise(inner * columns), *bias = between(0, 1) ? noise(columns) : NULL;
  const h5k_activation f = activation();
  double *expected = calloc((size_t)(rows * columns), sizeof(double)), *plain = calloc((size_t)columns, sizeof(double));
  if (!expected || !plain) abort();
  for (ptrdiff_t r = 0; r < rows; r++)
    for (ptrdiff_t c = 0; c < columns; c++) {
      double sum = 0;
      for (ptrdiff_t i = 0; i < inner; i++) sum += (double)a[r * stride + i] * b[i * columns + c];
      if (r == 0) plain[c] = sum;
      expected[r * columns + c] = applied(sum + (bias ? bias[c] : 0), f);
    }
  for (size_t variant = 0; h5k_variant(variant); variant++) {
    const h5k_kernels *k = h5k_variant(variant);
    float *packed = empty(k->packed_count(inner, columns)), *target = empty((rows - 1) * target_stride + columns), *row = empty(columns);
    k->pack(packed, b, inner, columns, columns, NULL);
    k->multiply(target, target_stride, a, stride, rows, inner, packed, columns, 0, (columns + k->panel - 1) / k->panel, bias, NULL, f);
    for (ptrdiff_t r = 0; r < rows; r++)
      compare("a product", k->name, target + r * target_stride, expected + r * columns, columns, 2e-6);
    k->multiply_row(row, a, b, inner, columns);
    compare("a row times a matrix", k->name, row, plain, columns, 2e-6);
    free(packed), free(target), free(row);
  }
  free(a), free(b), free(bias), free(expected), free(plain);
}

static void check_rows(void) {
  h5k_window w = {between(1, 14), between(1, 14), channels(), 0, 0, between(1, 5), between(1, 5), between(1, 3), between(1, 3), 1, 1, 0, 0};
  const int is_dilated = between(0, 3) == 0;
  if (is_dilated) w.dilation_y = w.dilation_x = 2;
  w.pad_top = between(0, w.kernel_height - 1), w.pad_left = between(0, w.kernel_width - 1);
  w.out_height = (w.height + w.pad_top - 1) / w.stride_y + 1, w.out_width = (w.width + w.pad_left - 1) / w.stride_x + 1;
  float *image = noise(w.height * w.width * w.channels), *kernel = noise(w.kernel_height * w.kernel_width * w.channels);
  float *bias = between(0, 1) ? noise(w.channels) : NULL;
  const h5k_activation f = activation();
  const ptrdiff_t count = w.out_width * w.channels;
  double *convolved = malloc((size_t)count * sizeof(double)), *largest = malloc((size_t)count * sizeof(double));
  double *means = malloc((size_t)count * sizeof(double));
  if (!convolved || !largest || !means) abort();
  for (ptrdiff_t y = 0; y < w.out_height; y++) {
    int is_empty = 0;
    for (ptrdiff_t x = 0; x < w.out_width; x++)
      for (ptrdiff_t c = 0; c < w.channels; c++) {
        double sum = bias ? bias[c] : 0, most = -INFINITY, total = 0;
        ptrdiff_t cells = 0;
        for (ptrdiff_t ky = 0; ky < w.kernel_height; ky++)
          for (ptrdiff_t kx = 0; kx < w.kernel_width; kx++) {
            const ptrdiff_t iy = y * w.stride_y - w.pad_top + ky * w.dilation_y, ix = x * w.stride_x - w.pad_left + kx * w.dilation_x;
            if (iy < 0 || iy >= w.height || ix < 0 || ix >= w.width) continue;
            const double value = image[(iy * w.width + ix) * w.channels + c];
            sum += value * kernel[(ky * w.kernel_width + kx) * w.channels + c];
            if (value > most) most = value;
            total += value, cells++;
          }
        is_empty |= cells == 0;
        convolved[x * w.channels + c] = applied(sum, f), largest[x * w.channels + c] = most;
        means[x * w.channels + c] = cells ? total / (double)cells : 0;
      }
    for (size_t variant = 0; h5k_variant(variant); variant++) {
      const h5k_kernels *k = h5k_variant(variant);
      float *row = empty(count);
      const ptrdiff_t some = between(0, 1) ? between(0, (int)w.channels) : w.channels;
      k->depthwise(row, image, kernel, bias, &w, y, y + 1, 0, some, f);
      k->depthwise(row, image, kernel, bias, &w, y, y + 1, some, w.channels, f);
      compare("a depthwise convolution", k->name, row, convolved, count, 2e-6);
      if (!is_dilated && !is_empty) {
        k->max_pool_row(row, image, &w, y);
        compare("a maximum", k->name, row, largest, count, 0);
        k->average_pool_row(row, image, &w, y);
        compare("a mean", k->name, row, means, count, 2e-6);
      }
      free(row);
    }
  }
  free(image), free(kernel), free(bias), free(convolved), free(largest), free(means);
}

int main(int count, char **arguments) {
  const int rounds = count > 1 ? atoi(arguments[1]) : 80;
  void (*const checks[])(void) = {check_convolution, check_winograd, check_products, check_rows};
  for (int round = 0; round < rounds; round++)
    for (int check = 0; check < 4; check++) {
      largest = 1;
      checks[check]();
    }
  printf("kernels: %d rounds, %d failures, variants:", rounds, failures);
  for (size_t variant = 0; h5k_variant(variant); variant++) printf(" %s", h5k_variant(variant)->name);
  printf("\n");
  return failures > 0;
}
