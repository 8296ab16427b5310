// One pool of threads for the whole process.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "CKernels.h"

enum { MAXIMUM = 64, SPINS = 20000, YIELD_EVERY = 256 };

// The job that is under way: its number, whether workers may still enter it, and how many are in it. A worker that comes late
// finds it closed and is not waited for, so that a busy machine slows a run down by no more than the work itself.
static _Atomic uint64_t state;
static const uint64_t NUMBER = (uint64_t)1 << 32, OPEN = (uint64_t)1 << 31, INSIDE = OPEN - 1;

// Written by the caller while no worker is inside.
static void (*job_task)(void *, size_t);
static void *job_context;
static size_t job_count;
static size_t job_threads;
// Each thread begins with a part of the items of its own, the same part of every job: what it computed of the layer before is in
// its cache. Then it takes what others have not begun.
static struct { _Alignas(128) atomic_size_t next; } parts[MAXIMUM];

static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;  // held while a job runs
static size_t started;                                    // threads that exist; guarded by `busy`
static pthread_mutex_t sleep_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static atomic_int sleepers;

static inline void pause_briefly(int spins) {
  if (spins % YIELD_EVERY == YIELD_EVERY - 1) {
    sched_yield();
    return;
  }
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static size_t part_begin(size_t part) { return job_count * part / job_threads; }

static void take_items(size_t thread) {
  for (size_t i = 0; i < job_threads; i++) {
    const size_t part = (thread + i) % job_threads, end = part_begin(part + 1);
    size_t item;
    while (atomic_load_explicit(&parts[part].next, memory_order_relaxed) < end &&
           (item = atomic_fetch_add_explicit(&parts[part].next, 1, memory_order_relaxed)) < end)
      job_task(job_context, item);
  }
}

// The state once its number is not `seen`.
static uint64_t wait_for_job(uint64_t seen) {
  uint64_t now;
  for (int spins = 0; spins < SPINS; spins++) {
    if ((now = atomic_load(&state)) / NUMBER != seen) return now;
    pause_briefly(spins);
  }
  pthread_mutex_lock(&sleep_lock);
  atomic_fetch_add(&sleepers, 1);
  while ((now = atomic_load(&state)) / NUMBER == seen) pthread_cond_wait(&wake, &sleep_lock);
  atomic_fetch_sub(&sleepers, 1);
  pthread_mutex_unlock(&sleep_lock);
  return now;
}

static void *work(void *argument) {
  const size_t number = (size_t)argument;  // the caller of a job is 0
  uint64_t seen = 0;
  for (;;) {
    uint64_t now = wait_for_job(seen);
    seen = now / NUMBER;
    while ((now & OPEN) && now / NUMBER == seen)
      if (atomic_compare_exchange_weak(&state, &now, now + 1)) {
        if (number < job_threads) take_items(number);
        atomic_fetch_sub(&state, 1);
        break;
      }
  }
  return NULL;
}

void h5k_parallel(size_t count, size_t threads, void (*task)(void *, size_t), void *context) {
  if (threads > MAXIMUM) threads = MAXIMUM;
  if (count < 2 || threads < 2 || pthread_mutex_trylock(&busy) != 0) {
    for (size_t i = 0; i < count; i++) task(context, i);
    return;
  }
  for (; started + 1 < threads; started++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, (void *)(started + 1)) != 0) break;
    pthread_detach(thread);
  }
  job_task = task;
  job_context = context;
  job_count = count;
  job_threads = threads;
  for (size_t part = 0; part < threads; part++) atomic_store_explicit(&parts[part].next, part_begin(part), memory_order_relaxed);
  atomic_store(&state, (atomic_load(&state) / NUMBER + 1) * NUMBER + OPEN);
  if (atomic_load(&sleepers) > 0) {
    pthread_mutex_lock(&sleep_lock);
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&sleep_lock);
  }
  take_items(0);
  atomic_fetch_and(&state, ~OPEN);
  for (int spins = 0; atomic_load(&state) & INSIDE; spins++) pause_briefly(spins);
  pthread_mutex_unlock(&busy);
}

ptrdiff_t h5k_processors(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  const int count = CPU_COUNT(&set);
  return count < 1 ? 1 : count;
}
