// OpenBLAS, opened when the first product is wanted: a program that only looks into files does not pay for it, and it starts its threads
// when it is loaded, so a process that is to fork must not have it.
#pragma once

// The function of `cblas.h`: row-major C = A·B, or C += A·B; B is transposed or not.
typedef struct {
  int rows, columns, inner;
  const float *a;
  int a_stride;
  const float *b;
  int b_stride, b_is_transposed;
  float *c;
  int c_stride, adds;
} h5c_product;

// Loads OpenBLAS, which then computes on the thread that calls it. Again and again does nothing. Returns whether it is there.
int h5c_load_openblas(void);

// Computes a product, by loops of our own where OpenBLAS is not installed. Rows, columns and inner are at least 1.
void h5c_multiply(const h5c_product *product);
