// The process that does the work, and what it may do: fork, limits, Landlock, seccomp.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// A worker, as each of the two processes sees it.
typedef struct {
  // The worker's process; 0 in the worker.
  pid_t process;
  // One end of a channel that keeps messages apart.
  int control;
  // Parent: what the worker's libraries write to descriptor 2. Worker: the descriptor for messages to the user.
  int errors;
  // Parent: where its signals arrive.
  int signals;
} h5c_worker;

// Starts a worker: returns in both processes. In the worker descriptor 0 is empty, and 2 goes to the parent unless `keeps_errors`; all
// others but 1 are closed. It dies with its parent. 0, or errno.
//
// Must be called while the process has one thread.
int h5c_start_worker(h5c_worker *worker, int keeps_errors);

// What `work` gives for `context`, run on a thread of its own, or here where there can be none.
//
// Swift's locks belong to a thread's number, which its runtime keeps; after fork() the only thread still has that of the parent's, and a lock
// that two threads want is never free again. A new thread asks for its own.
int h5c_on_own_thread(int (*work)(void *), void *context);

typedef enum { H5C_REQUEST, H5C_NOISE, H5C_SIGNAL, H5C_ENDED, H5C_TIME_OUT } h5c_event_kind;

typedef struct {
  h5c_event_kind kind;
  // Bytes in the buffer (a request, noise); the signal's number; the status of waitpid.
  int value;
} h5c_event;

// Waits, in the parent, for the next that happens, at most `milliseconds`. What the worker sent before it ended comes before its end.
h5c_event h5c_next_event(h5c_worker *worker, char *buffer, size_t size, int milliseconds);

// Ends the worker, in the parent, and waits until it is gone.
void h5c_kill_worker(h5c_worker *worker);

// Ends this process as the signal would have.
void h5c_die_of_signal(int number);

// Names in signal.h: "SEGV"; NULL for none.
const char *h5c_signal_name(int number);

// Bytes, seconds and descriptors; 0 leaves a limit as it is.
typedef struct {
  uint64_t address_space, file_size, processor_seconds, open_files;
} h5c_limits;

// Sets them for this process, and no core dumps. 0, or errno.
int h5c_set_limits(const h5c_limits *limits);

typedef enum { H5C_READ_FILES = 1, H5C_LIST_FOLDERS = 2, H5C_MAKE_FILES = 4 } h5c_access;

// The version of the kernel's interface to confine access to files; 0 where it has none.
int h5c_landlock_version(void);

// What may be done with a file, or with everything in a folder. A path that does not exist is no grant.
typedef struct {
  const char *path;
  int access;
} h5c_grant;

// What is in force.
typedef struct {
  // The version of Landlock's interface; 0 where the kernel has none.
  int landlock;
  // 1, or 0 where there is none.
  int seccomp, no_new_privileges;
} h5c_confinement;

// Takes away from this process, for good, what the work does not need: files but the granted ones, programs, sockets, other processes.
// What the kernel does not have is left out. Must be called while the process has one thread.
h5c_confinement h5c_confine(const h5c_grant *grants, size_t count);

// Removes a folder and all in it, without following links. 0, or errno.
int h5c_remove_folder(const char *path);
