// Long ranges of files, copied and summed by two threads: while one's piece is read, the other's is written or summed. On a file system
// that cannot share blocks a copy takes two thirds of the time of `copy_file_range`, which `cp` uses.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "CSystem.h"

// PIECE: large enough that calls do not count, small enough for the cache.
enum { PIECE = 1 << 20, WORTH_A_THREAD = 8 << 20 };

struct range {
  int source, target;
  int64_t from, to;
  size_t count;
  // What is done with each piece, if anything: false when that failed, with errno.
  int (*take)(struct range *, const char *piece, size_t size, size_t done);
  int is_summed;
  uint32_t crc;
  h5c_range_result result;
};

static void fail(struct range *range, h5c_range_end end) { range->result = (h5c_range_result){.end = end, .code = errno}; }

static void read_pieces(struct range *range, char *buffer) {
  for (size_t done = 0; done < range->count;) {
    size_t wanted = range->count - done < PIECE ? range->count - done : PIECE;
    ssize_t got = pread(range->source, buffer, wanted, range->from + (int64_t)done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(range, H5C_READ_FAILED);
    if (got == 0) return fail(range, H5C_SOURCE_ENDED);
    if (range->is_summed) range->crc = h5c_crc32(range->crc, buffer, (size_t)got);
    if (range->take && !range->take(range, buffer, (size_t)got, done)) return fail(range, H5C_WRITE_FAILED);
    done += (size_t)got;
  }
}

static void *work(void *argument) {
  struct range *range = argument;
  char *buffer = malloc(range->count < PIECE ? range->count + 1 : PIECE);
  if (buffer)
    read_pieces(range, buffer);
  else
    fail(range, H5C_READ_FAILED);
  free(buffer);
  return NULL;
}

// Works on `first`; where that pays, on its second half in another thread.
static void work_on_both(struct range *first, struct range *second) {
  *second = *first;
  second->count = 0;
  if (first->count < WORTH_A_THREAD) {
    work(first);
    return;
  }
  second->count = first->count - first->count / 2;
  first->count /= 2;
  second->from += (int64_t)first->count;
  second->to += (int64_t)first->count;
  pthread_t thread;
  int has_thread = pthread_create(&thread, NULL, work, second) == 0;
  work(first);
  if (has_thread)
    pthread_join(thread, NULL);
  else
    work(second);
  if (!first->result.end) first->result = second->result;
}

static int write_piece(struct range *range, const char *piece, size_t size, size_t done) {
  while (size > 0) {
    ssize_t count = pwrite(range->target, piece, size, range->to + (int64_t)done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return 0;
    piece += count;
    size -= (size_t)count;
    done += (size_t)count;
  }
  return 1;
}

h5c_range_result h5c_copy(int source, int64_t source_offset, int target, int64_t target_offset, size_t count,
                         uint32_t *crc) {
  struct range first = {
      .source = source, .target = target, .from = source_offset, .to = target_offset, .count = count, .take = write_piece,
      .is_summed = crc != NULL};
  struct range second;
  work_on_both(&first, &second);
  if (crc) *crc = h5c_crc32_combined(first.crc, second.crc, second.count);
  return first.result;
}

h5c_range_result h5c_crc32_of_range(int file, int64_t offset, size_t count, uint32_t *crc) {
  struct range first = {.source = file, .from = offset, .count = count, .is_summed = 1};
  struct range second;
  work_on_both(&first, &second);
  *crc = h5c_crc32_combined(first.crc, second.crc, second.count);
  return first.result;
}
