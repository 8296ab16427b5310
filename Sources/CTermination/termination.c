#include "CTermination.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 16384, PATH_ROOM = 4096, CRASH_CODE = 70 };

static _Atomic(char *) temporaries[ROOM];
static char about[PATH_ROOM];

int h5c_register_temporary(const char *path) {
  char *copy = strdup(path);
  if (!copy) return -1;
  for (int i = 0; i < ROOM; i++) {
    char *free_place = NULL;
    if (atomic_compare_exchange_strong(&temporaries[i], &free_place, copy)) return i;
  }
  free(copy);
  return -1;
}

void h5c_forget_temporary(int number) {
  if (number >= 0 && number < ROOM) free(atomic_exchange(&temporaries[number], NULL));
}

void h5c_working_on(const char *file) {
  strncpy(about, file, sizeof about - 1);
}

// From here on only what a signal handler may call.

static void remove_temporaries(void) {
  // Files first, so that the folders are empty.
  for (int i = 0; i < ROOM; i++) {
    const char *path = atomic_load(&temporaries[i]);
    if (path) unlink(path);
  }
  for (int i = 0; i < ROOM; i++) {
    const char *path = atomic_load(&temporaries[i]);
    if (path) rmdir(path);
  }
}

static void say(const char *text) {
  size_t rest = strlen(text);
  while (rest > 0) {
    ssize_t count = write(STDERR_FILENO, text, rest);
    if (count <= 0) return;
    text += count;
    rest -= (size_t)count;
  }
}

static void crash(int number) {
  (void)number;
  remove_temporaries();
  say("h5conv: ");
  for (char *c = about; *c; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
  say(about);
  say(about[0] ? ": " : "");
  say("h5conv crashed (in a damaged file, or by a fault of its own): get the file again, or report it\n");
  _exit(CRASH_CODE);
}

static void interrupt(int number) {
  remove_temporaries();
  signal(number, SIG_DFL);
  raise(number);
}

void h5c_end_orderly(void) {
  // A stack of its own: the other one may be what overflowed.
  static char stack[64 << 10];
  const stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&other, NULL);
  struct sigaction action = {.sa_handler = crash, .sa_flags = SA_ONSTACK | SA_RESETHAND};
  const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};
  for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) sigaction(crashes[i], &action, NULL);
  action.sa_handler = interrupt;
  const int interrupts[] = {SIGINT, SIGTERM, SIGHUP};
  for (size_t i = 0; i < sizeof interrupts / sizeof *interrupts; i++) sigaction(interrupts[i], &action, NULL);
}
