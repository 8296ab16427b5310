// One pool of threads for the whole process.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "CKernels.h"

enum { MAXIMUM = 64, SPINS = 20000 };

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;   // held while a job runs
static pthread_mutex_t sleep_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static size_t started;                                     // threads that exist; guarded by `busy`

static void (*job_task)(void *, size_t);
static void *job_context;
static size_t job_count;
static size_t job_threads;          // workers that take part
static atomic_size_t next_item;
static atomic_size_t working;       // workers that have not finished the job
static atomic_uint generation;      // counts jobs

static inline void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void take_items(void) {
  size_t i;
  while ((i = atomic_fetch_add_explicit(&next_item, 1, memory_order_relaxed)) < job_count) job_task(job_context, i);
}

static void *work(void *argument) {
  const size_t number = (size_t)argument;
  unsigned seen = 0;
  for (;;) {
    unsigned now;
    int spins = 0;
    while ((now = atomic_load_explicit(&generation, memory_order_acquire)) == seen) {
      if (++spins < SPINS) {
        pause_briefly();
        continue;
      }
      pthread_mutex_lock(&sleep_lock);
      while ((now = atomic_load_explicit(&generation, memory_order_acquire)) == seen) pthread_cond_wait(&wake, &sleep_lock);
      pthread_mutex_unlock(&sleep_lock);
      break;
    }
    seen = now;
    // Every worker answers every job, so that none still looks at an old one when the next is written.
    if (number < job_threads) take_items();
    atomic_fetch_sub_explicit(&working, 1, memory_order_acq_rel);
  }
  return NULL;
}

void h5k_parallel(size_t count, size_t threads, void (*task)(void *, size_t), void *context) {
  if (threads > MAXIMUM) threads = MAXIMUM;
  if (count < 2 || threads < 2 || pthread_mutex_trylock(&busy) != 0) {
    for (size_t i = 0; i < count; i++) task(context, i);
    return;
  }
  while (started + 1 < threads) {
    pthread_t thread;
    // A new worker must not miss the coming job: its count of jobs begins at 0, so the first job is number 1 or later.
    if (pthread_create(&thread, NULL, work, (void *)started) != 0) break;
    pthread_detach(thread);
    started++;
    // Let it see the present generation as an empty job.
    if (atomic_load(&generation) != 0) {
      atomic_fetch_add(&working, 1);
      while (atomic_load(&working) != 0) pause_briefly();
    }
  }
  job_task = task;
  job_context = context;
  job_count = count;
  job_threads = threads - 1 < started ? threads - 1 : started;
  atomic_store_explicit(&next_item, 0, memory_order_relaxed);
  atomic_store_explicit(&working, started, memory_order_relaxed);
  pthread_mutex_lock(&sleep_lock);
  atomic_fetch_add_explicit(&generation, 1, memory_order_release);
  pthread_cond_broadcast(&wake);
  pthread_mutex_unlock(&sleep_lock);
  take_items();
  while (atomic_load_explicit(&working, memory_order_acquire) != 0) pause_briefly();
  pthread_mutex_unlock(&busy);
}

ptrdiff_t h5k_processors(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  const int count = CPU_COUNT(&set);
  return count < 1 ? 1 : count;
}
