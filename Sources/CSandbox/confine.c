#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CSandbox.h"

static int set_limit(__rlimit_resource_t what, uint64_t value) {
  if (value == 0) return 0;
  struct rlimit limit;
  if (getrlimit(what, &limit) != 0) return errno;
  // A stricter one of the user's stays.
  if (limit.rlim_max == RLIM_INFINITY || value < limit.rlim_max) limit.rlim_max = value;
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > limit.rlim_max || what == RLIMIT_NOFILE) limit.rlim_cur = limit.rlim_max;
  return setrlimit(what, &limit) == 0 ? 0 : errno;
}

int h5c_set_limits(const h5c_limits *limits) {
  struct rlimit none = {0, 0};
  int error = setrlimit(RLIMIT_CORE, &none) == 0 ? 0 : errno;
  if (!error) error = set_limit(RLIMIT_AS, limits->address_space);
  if (!error) error = set_limit(RLIMIT_FSIZE, limits->file_size);
  if (!error) error = set_limit(RLIMIT_CPU, limits->processor_seconds);
  if (!error) error = set_limit(RLIMIT_NOFILE, limits->open_files);
  return error;
}

// Landlock, of the kernel's documentation (userspace-api/landlock): the interface's numbers, since a distribution's headers may be older
// than its kernel.
enum {
  CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446,
  VERSION = 1, PATH_BENEATH = 1,
  WRITE_FILE = 1 << 1, READ_FILE = 1 << 2, READ_DIR = 1 << 3, REMOVE_DIR = 1 << 4, REMOVE_FILE = 1 << 5, MAKE_DIR = 1 << 7,
  MAKE_REG = 1 << 8, TRUNCATE = 1 << 14,
  BIND_AND_CONNECT_TCP = 3, ABSTRACT_SOCKETS_AND_SIGNALS = 3,
};

struct ruleset { uint64_t files, net, scoped; };
struct __attribute__((packed)) path_rule { uint64_t access; int32_t folder; };

static uint64_t known_file_rights(int version) {
  if (version >= 5) return (1 << 16) - 1;
  if (version >= 3) return (1 << 15) - 1;
  if (version == 2) return (1 << 14) - 1;
  return (1 << 13) - 1;
}

static void allow(int rules, uint64_t known, const h5c_grant *grant) {
  int place = open(grant->path, O_PATH | O_CLOEXEC);
  if (place < 0) return;
  struct stat status;
  if (fstat(place, &status) == 0) {
    uint64_t access = 0;
    if (grant->access & H5C_READ_FILES) access |= READ_FILE;
    if (S_ISDIR(status.st_mode)) {
      if (grant->access & H5C_LIST_FOLDERS) access |= READ_DIR;
      if (grant->access & H5C_MAKE_FILES)
        access |= READ_FILE | WRITE_FILE | READ_DIR | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | TRUNCATE;
    }
    struct path_rule rule = {.access = access & known, .folder = place};
    if (rule.access) syscall(ADD_RULE, rules, PATH_BENEATH, &rule, 0);
  }
  close(place);
}

int h5c_landlock_version(void) {
  long version = syscall(CREATE_RULESET, NULL, 0, VERSION);
  return version > 0 ? (int)version : 0;
}

static int confine_files(const h5c_grant *grants, size_t count) {
  int version = h5c_landlock_version();
  if (version == 0) return 0;
  struct ruleset set = {.files = known_file_rights(version)};
  size_t size = sizeof set.files;
  if (version >= 4) {
    set.net = BIND_AND_CONNECT_TCP;
    size = offsetof(struct ruleset, scoped);
  }
  if (version >= 6) {
    set.scoped = ABSTRACT_SOCKETS_AND_SIGNALS;
    size = sizeof set;
  }
  int rules = (int)syscall(CREATE_RULESET, &set, size, 0);
  if (rules < 0) return 0;
  for (size_t i = 0; i < count; i++) allow(rules, set.files, &grants[i]);
  int is_set = syscall(RESTRICT_SELF, rules, 0) == 0;
  close(rules);
  return is_set ? version : 0;
}

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE

// System calls that the work needs: files, memory, threads, time. The busiest first.
static const int allowed[] = {
    SYS_futex, SYS_sched_yield, SYS_pread64, SYS_pwrite64, SYS_read, SYS_write, SYS_munmap, SYS_madvise, SYS_brk,
    SYS_mremap, SYS_openat, SYS_close, SYS_fstat, SYS_newfstatat, SYS_statx, SYS_lseek, SYS_readv, SYS_writev, SYS_fcntl,
    SYS_getdents64, SYS_ftruncate, SYS_fallocate, SYS_fsync, SYS_fdatasync, SYS_fadvise64, SYS_copy_file_range, SYS_sendfile,
    SYS_memfd_create, SYS_mkdirat, SYS_unlinkat, SYS_renameat, SYS_renameat2, SYS_readlinkat, SYS_faccessat, SYS_getcwd, SYS_flock,
    SYS_fchmod, SYS_umask, SYS_dup, SYS_dup3, SYS_ppoll,
    SYS_sched_getaffinity, SYS_set_robust_list, SYS_set_tid_address, SYS_exit, SYS_exit_group,
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall, SYS_membarrier,
    SYS_getrandom, SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday,
    SYS_getpid, SYS_gettid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_uname, SYS_sysinfo, SYS_getrusage,
#ifdef SYS_getrlimit
    SYS_getrlimit,
#endif
#ifdef SYS_rseq
    SYS_rseq,
#endif
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
#ifdef __x86_64__
    SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_mkdir, SYS_rmdir, SYS_unlink, SYS_rename, SYS_readlink, SYS_dup2, SYS_poll,
    SYS_time, SYS_arch_prctl,
#endif
};

enum { ALLOWED = sizeof allowed / sizeof *allowed, MOST = 4 + 2 * ALLOWED + 48 };

struct program {
  struct sock_filter lines[MOST];
  unsigned short count;
};

static void add(struct program *p, struct sock_filter line) {
  if (p->count < MOST) p->lines[p->count++] = line;
}

static void load(struct program *p, size_t offset) {
  add(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void answer(struct program *p, uint32_t action) { add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action)); }

// The call's answer when the loaded number is `value`: the next line otherwise.
static void answer_if(struct program *p, uint32_t value, uint32_t action) {
  add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
  answer(p, action);
}

// Both architectures have the low half first.
static size_t low_half(int argument) { return offsetof(struct seccomp_data, args) + (size_t)argument * 8; }

static const uint32_t REFUSED = SECCOMP_RET_ERRNO | EPERM;

// `call` is allowed when a bit of `mask` in its argument is set (or not); refused otherwise.
static void allow_by_bits(struct program *p, int call, int argument, uint32_t mask, int set) {
  add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 4));
  load(p, low_half(argument));
  add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, mask, set ? 0 : 1, set ? 1 : 0));
  answer(p, SECCOMP_RET_ALLOW);
  answer(p, REFUSED);
}

// `call` is allowed when its argument is the value; refused otherwise.
static void allow_by_value(struct program *p, int call, int argument, uint32_t value) {
  add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 6));
  load(p, low_half(argument));
  add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 3));
  load(p, low_half(argument) + 4);
  add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1));
  answer(p, SECCOMP_RET_ALLOW);
  answer(p, REFUSED);
}

static int confine_calls(void) {
  struct program p = {.count = 0};
  load(&p, offsetof(struct seccomp_data, arch));
  add(&p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
  answer(&p, SECCOMP_RET_KILL_PROCESS);
  load(&p, offsetof(struct seccomp_data, nr));
  for (size_t i = 0; i < ALLOWED; i++) answer_if(&p, (uint32_t)allowed[i], SECCOMP_RET_ALLOW);
  // Memory, but none to run code from.
  allow_by_bits(&p, SYS_mmap, 2, PROT_EXEC, 0);
  allow_by_bits(&p, SYS_mprotect, 2, PROT_EXEC, 0);
  // Threads, but no processes. The newer call hides its flags from filters: the C library then takes the older.
  allow_by_bits(&p, SYS_clone, 0, CLONE_THREAD, 1);
#ifdef SYS_clone3
  answer_if(&p, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
#endif
  // Signals to itself: abort().
  allow_by_value(&p, SYS_tgkill, 0, (uint32_t)getpid());
  // Is it a terminal?
  allow_by_value(&p, SYS_ioctl, 1, TCGETS);
  // Limits may be read: no address of new ones.
  allow_by_value(&p, SYS_prlimit64, 2, 0);
  answer(&p, REFUSED);
  struct sock_fprog program = {.len = p.count, .filter = p.lines};
  return p.count < MOST && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

#else

static int confine_calls(void) { return 0; }

#endif

h5c_confinement h5c_confine(const h5c_grant *grants, size_t count) {
  h5c_confinement result = {0};
  // Without it the two others are refused.
  result.no_new_privileges = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  result.landlock = confine_files(grants, count);
  result.seccomp = confine_calls();
  return result;
}
