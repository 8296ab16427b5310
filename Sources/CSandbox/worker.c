#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "CSandbox.h"

// Signals of the user's, which end both processes; unless whoever started the program has it ignore them.
static const int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static sigset_t watched_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGCONT);
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    struct sigaction now;
    if (sigaction(endings[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN) sigaddset(&set, endings[i]);
  }
  return set;
}

static void close_all_but(const int *kept, size_t count) {
#ifdef SYS_close_range
  unsigned first = 3;
  for (;;) {
    unsigned next = ~0u;
    for (size_t i = 0; i < count; i++)
      if ((unsigned)kept[i] >= first && (unsigned)kept[i] < next) next = (unsigned)kept[i];
    if (next > first) syscall(SYS_close_range, first, next == ~0u ? ~0u : next - 1, 0);
    if (next == ~0u) return;
    first = next + 1;
  }
#endif
}

// For the handler of crashes.
static int crash_channel = -1, crash_memory = -1;

// Tells how much memory the process had, and lets it die of the signal when it returns: whoever sent it, there is no handler any more.
static void tell_crash(int number) {
  char text[32] = {'C', 0};
  ssize_t told = crash_memory >= 0 && pread(crash_memory, text + 2, sizeof text - 3, 0) > 0 ? write(crash_channel, text, sizeof text) : 0;
  (void)told;
  raise(number);
}

// Gives the thread a stack for the handler: its own may be what overflowed.
static void set_crash_stack(void) {
  static char stack[16 << 10];
  const stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
  sigaltstack(&other, NULL);
}

static void watch_for_crashes(int channel) {
  set_crash_stack();
  crash_channel = channel;
  crash_memory = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  // No handler of the runtime's prints stacks.
  struct sigaction action = {.sa_handler = tell_crash, .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND)};
  const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP};
  for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) sigaction(crashes[i], &action, NULL);
}

static void become_worker(h5c_worker *worker, int control, int noise, pid_t parent, int keeps_errors) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The parent may have gone before that.
  if (getppid() != parent) _exit(70);
  worker->process = 0;
  worker->control = control;
  worker->errors = keeps_errors ? 2 : fcntl(2, F_DUPFD_CLOEXEC, 3);
  worker->signals = -1;
  int empty = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (empty >= 0) dup2(empty, 0);
  if (worker->errors < 0) {
    // No descriptor is left: messages and noise go the same way.
    worker->errors = 2;
    keeps_errors = 1;
  }
  if (!keeps_errors) dup2(noise, 2);
  const int kept[] = {control, worker->errors};
  close_all_but(kept, 2);
  if (!keeps_errors) watch_for_crashes(control);
  // The work is not done by the first thread. Others have memory from arenas of their own, which grow by a system call for every 4 KB; and
  // what is freed is used again soon.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TOP_PAD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  // Writing past the limit is an error of the call.
  signal(SIGXFSZ, SIG_IGN);
  // Whoever started the program may have blocked more.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

int h5c_start_worker(h5c_worker *worker, int keeps_errors) {
  // Descriptors 0 to 2 exist, so that no file of ours gets their numbers; writing to a closed one stays an error.
  int lowest = open("/dev/null", O_RDONLY);
  while (lowest >= 0 && lowest <= 2) lowest = open("/dev/null", O_RDONLY);
  if (lowest >= 0) close(lowest);
  int control[2], noise[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0) return errno;
  if (pipe2(noise, O_CLOEXEC | O_NONBLOCK) != 0) {
    int error = errno;
    close(control[0]);
    close(control[1]);
    return error;
  }
  // Whoever started the program may have it ignore its children.
  signal(SIGCHLD, SIG_DFL);
  sigset_t watched = watched_signals(), before;
  sigprocmask(SIG_BLOCK, &watched, &before);
  int signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
  pid_t parent = getpid();
  pid_t process = signals < 0 ? -1 : fork();
  if (process < 0) {
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    const int opened[] = {control[0], control[1], noise[0], noise[1], signals};
    for (size_t i = 0; i < 5; i++)
      if (opened[i] >= 0) close(opened[i]);
    return error;
  }
  if (process == 0) {
    become_worker(worker, control[1], noise[1], parent, keeps_errors);
    return 0;
  }
  close(control[1]);
  close(noise[1]);
  *worker = (h5c_worker){.process = process, .control = control[0], .errors = noise[0], .signals = signals};
  return 0;
}

typedef struct {
  int (*work)(void *);
  void *context;
  int result;
} job;

static void *do_job(void *argument) {
  job *the = argument;
  if (crash_channel >= 0) set_crash_stack();
  the->result = the->work(the->context);
  return NULL;
}

int h5c_on_own_thread(int (*work)(void *), void *context) {
  // As much as a first thread has.
  enum { STACK = 8 << 20 };
  job the = {work, context, 0};
  pthread_attr_t attributes;
  pthread_t thread;
  if (pthread_attr_init(&attributes) != 0) return work(context);
  pthread_attr_setstacksize(&attributes, STACK);
  const int code = pthread_create(&thread, &attributes, do_job, &the);
  pthread_attr_destroy(&attributes);
  if (code != 0) return work(context);
  pthread_join(thread, NULL);
  return the.result;
}

// A message or some bytes that are there already; 0 when there are none.
static int received(int *descriptor, char *buffer, size_t size) {
  if (*descriptor < 0) return 0;
  struct pollfd entry = {.fd = *descriptor, .events = POLLIN};
  if (poll(&entry, 1, 0) <= 0) return 0;
  ssize_t count = read(*descriptor, buffer, size);
  if (count > 0) return (int)count;
  if (count == 0 || (errno != EINTR && errno != EAGAIN)) {
    close(*descriptor);
    *descriptor = -1;
  }
  return 0;
}

// What was left of its results may need the descriptors to be found.
static void close_worker(h5c_worker *worker) {
  const int descriptors[] = {worker->control, worker->errors, worker->signals};
  for (size_t i = 0; i < 3; i++)
    if (descriptors[i] >= 0) close(descriptors[i]);
}

h5c_event h5c_next_event(h5c_worker *worker, char *buffer, size_t size, int milliseconds) {
  struct pollfd entries[] = {
      {.fd = worker->control, .events = POLLIN}, {.fd = worker->errors, .events = POLLIN}, {.fd = worker->signals, .events = POLLIN}};
  const int isLate = poll(entries, 3, milliseconds) == 0;
  int count = received(&worker->control, buffer, size);
  if (count > 0) return (h5c_event){H5C_REQUEST, count};
  count = received(&worker->errors, buffer, size);
  if (count > 0) return (h5c_event){H5C_NOISE, count};
  // The signal is taken before its end is looked for: of one that came in between nobody would be told again, when the worker's
  // descriptors are closed already.
  struct signalfd_siginfo signal;
  const int isSignalled = read(worker->signals, &signal, sizeof signal) == sizeof signal;
  if (isSignalled && signal.ssi_signo != SIGCHLD) return (h5c_event){H5C_SIGNAL, (int)signal.ssi_signo};
  // Its end is looked for only when all that it sent has been read.
  int status;
  siginfo_t information = {0};
  if (waitid(P_PID, (id_t)worker->process, &information, WEXITED | WNOHANG | WNOWAIT) == 0 && information.si_pid == worker->process) {
    count = received(&worker->control, buffer, size);
    if (count > 0) return (h5c_event){H5C_REQUEST, count};
    count = received(&worker->errors, buffer, size);
    if (count > 0) return (h5c_event){H5C_NOISE, count};
    waitpid(worker->process, &status, 0);
    close_worker(worker);
    return (h5c_event){H5C_ENDED, status};
  }
  return (h5c_event){isLate ? H5C_TIME_OUT : H5C_NOISE, 0};
}

void h5c_kill_worker(h5c_worker *worker) {
  kill(worker->process, SIGKILL);
  while (waitpid(worker->process, NULL, 0) < 0 && errno == EINTR) {
  }
  close_worker(worker);
}

void h5c_die_of_signal(int number) {
  signal(number, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  raise(number);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  _exit(128 + number);
}

const char *h5c_signal_name(int number) { return sigabbrev_np(number); }

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place) {
  (void)status, (void)place;
  return (kind == FTW_DP || kind == FTW_DNR ? rmdir(path) : unlink(path)) == 0 ? 0 : errno;
}

int h5c_remove_folder(const char *path) {
  // Most are empty; that takes no descriptor.
  if (rmdir(path) == 0) return 0;
  int result = nftw(path, remove_entry, 16, FTW_PHYS | FTW_DEPTH);
  return result < 0 ? errno : result;
}
