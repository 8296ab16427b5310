#include "COpenBLAS.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

// Of cblas.h, whose header and library are found by name at run time.
enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, TRANSPOSE = 112 };
typedef void (*sgemm)(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
typedef void (*sgemv)(int, int, int, int, float, const float *, int, const float *, int, float, float *, int);

static sgemm multiply_matrices;
static sgemv multiply_vector;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
  void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (!library) return;
  void (*set_threads)(int) = (void (*)(int))dlsym(library, "openblas_set_num_threads");
  sgemm matrices = (sgemm)dlsym(library, "cblas_sgemm");
  sgemv vector = (sgemv)dlsym(library, "cblas_sgemv");
  if (!set_threads || !matrices || !vector) return;
  set_threads(1);
  multiply_matrices = matrices;
  multiply_vector = vector;
}

int h5c_load_openblas(void) {
  pthread_once(&once, load);
  return multiply_matrices != NULL;
}

static void multiply_plainly(const h5c_product *p) {
  for (int row = 0; row < p->rows; row++) {
    const float *a = p->a + (size_t)row * p->a_stride;
    float *c = p->c + (size_t)row * p->c_stride;
    if (!p->adds)
      for (int column = 0; column < p->columns; column++) c[column] = 0;
    if (p->b_is_transposed) {
      for (int column = 0; column < p->columns; column++) {
        const float *b = p->b + (size_t)column * p->b_stride;
        float sum = 0;
        for (int i = 0; i < p->inner; i++) sum += a[i] * b[i];
        c[column] += sum;
      }
      continue;
    }
    for (int i = 0; i < p->inner; i++) {
      const float *b = p->b + (size_t)i * p->b_stride;
      const float factor = a[i];
      for (int column = 0; column < p->columns; column++) c[column] += factor * b[column];
    }
  }
}

// OpenBLAS takes a buffer for each call that is under way, keeps it for later calls, and tries for ever where there is no memory for one.
enum { BUFFER = 136 << 20 };
static atomic_int under_way, most_buffers;

// Whether there is a buffer for one more call, the `number`th at the same time.
static int has_buffer(int number) {
  if (number <= atomic_load_explicit(&most_buffers, memory_order_relaxed)) return 1;
  void *trial = mmap(NULL, BUFFER, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (trial == MAP_FAILED) return 0;
  munmap(trial, BUFFER);
  int most = atomic_load(&most_buffers);
  while (number > most && !atomic_compare_exchange_weak(&most_buffers, &most, number)) {
  }
  return 1;
}

static void multiply_by_openblas(const h5c_product *p) {
  const float beta = p->adds ? 1 : 0;
  if (p->rows == 1 && !p->b_is_transposed)
    multiply_vector(ROW_MAJOR, TRANSPOSE, p->inner, p->columns, 1, p->b, p->b_stride, p->a, 1, beta, p->c, 1);
  else
    multiply_matrices(
        ROW_MAJOR, NO_TRANSPOSE, p->b_is_transposed ? TRANSPOSE : NO_TRANSPOSE, p->rows, p->columns, p->inner, 1, p->a,
        p->a_stride, p->b, p->b_stride, beta, p->c, p->c_stride);
}

void h5c_multiply(const h5c_product *p) {
  if (!h5c_load_openblas()) return multiply_plainly(p);
  if (has_buffer(atomic_fetch_add(&under_way, 1) + 1))
    multiply_by_openblas(p);
  else
    multiply_plainly(p);
  atomic_fetch_sub(&under_way, 1);
}
