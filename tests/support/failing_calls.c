/* Preloaded into the program under test: lets system calls fail as a sick file system does. Root may read everything,
 * so that chmod shows nothing; this does.
 *
 * FAILING_CALLS="stat:checkpoints:ESTALE:1 flock::ENOLCK:always": rules "call:part of the path:error:times", separated
 * by spaces. A rule fits calls of its group (see kGroups) on paths that hold the part; for calls on descriptors the
 * path is the open file's. A part that ends in $ is the end of the path. The error SLOW lets a call take two seconds,
 * and then succeed; PAUSE lets it take a third of one, STALL twenty; KILL ends the process there as kill -9 does, HANG
 * never comes back, STOP stops the process as SIGSTOP does. "times" counts calls in a process; "always" has no end;
 * "after=N" spares the first N and fails all later ones, "after=N+K" the next K. A rule that ends in ":rank=R" is for
 * that rank of an Open MPI job only. The group "compute" is of parallel regions, which have no path and cannot fail. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

typedef struct {
  char call[16];
  char part[256];
  int error;
  long spared; /* calls that are let through first */
  long left;   /* calls that fail then; negative: all */
} Rule;

static Rule rules[16];
static int rule_count = -1;

enum { kSlow = -1, kPause = -2, kKill = -3, kHang = -4, kStop = -5, kStall = -6 };

static const struct {
  const char* name;
  int number;
} kErrors[] = {{"SLOW", kSlow},    {"PAUSE", kPause}, {"KILL", kKill},     {"HANG", kHang},     {"STOP", kStop},
             {"STALL", kStall},
             {"EACCES", EACCES}, {"ESTALE", ESTALE}, {"ENOLCK", ENOLCK}, {"ENOSYS", ENOSYS},
               {"ENOSPC", ENOSPC}, {"EFBIG", EFBIG},   {"EIO", EIO},       {"EDQUOT", EDQUOT},
               {"EROFS", EROFS},   {"EMFILE", EMFILE}, {"ENOENT", ENOENT}, {"ELOOP", ELOOP},
               {"EINTR", EINTR},   {"EXDEV", EXDEV},   {"EPERM", EPERM},   {"ENOTSUP", ENOTSUP}};

static void read_rules(void) {
  if (rule_count >= 0) return;
  rule_count = 0;
  const char* text = getenv("FAILING_CALLS");
  char copy[2048];
  if (text == NULL) return;
  snprintf(copy, sizeof copy, "%s", text);
  char* rest = NULL;
  for (char* word = strtok_r(copy, " ", &rest); word != NULL && rule_count < 16; word = strtok_r(NULL, " ", &rest)) {
    char* fields = word;
    const char* call = strsep(&fields, ":");
    const char* part = strsep(&fields, ":");
    const char* error = strsep(&fields, ":");
    if (fields == NULL) {
      fprintf(stderr, "FAILING_CALLS: '%s' is no call:path:error:times\n", call);
      _exit(99);
    }
    char* only = strstr(fields, ":rank=");
    if (only != NULL) {
      const char* rank = getenv("OMPI_COMM_WORLD_RANK");
      if (rank == NULL || strcmp(rank, only + strlen(":rank=")) != 0) continue;
      *only = '\0';
    }
    Rule* rule = &rules[rule_count++];
    snprintf(rule->call, sizeof rule->call, "%s", call);
    snprintf(rule->part, sizeof rule->part, "%s", part);
    for (size_t i = 0; i < sizeof kErrors / sizeof *kErrors; ++i) {
      if (strcmp(error, kErrors[i].name) == 0) rule->error = kErrors[i].number;
    }
    if (rule->error == 0) {
      fprintf(stderr, "FAILING_CALLS: no error is named '%s'\n", error);
      _exit(99);
    }
    rule->left = -1;
    if (strncmp(fields, "after=", 6) == 0) {
      char* behind = NULL;
      rule->spared = strtol(fields + 6, &behind, 10);
      if (*behind == '+') rule->left = atol(behind + 1);
    } else if (strcmp(fields, "always") != 0) {
      rule->left = atol(fields);
    }
  }
}

static int fits(const char* path, const char* part) {
  const size_t length = strlen(part);
  if (length == 0 || part[length - 1] != '$') return strstr(path, part) != NULL;
  const size_t path_length = strlen(path);
  return path_length >= length - 1 && strncmp(path + path_length - (length - 1), part, length - 1) == 0;
}

/* Whether this call is to fail; then errno is set. */
static int fails(const char* call, const char* path) {
  read_rules();
  for (int i = 0; i < rule_count; ++i) {
    Rule* rule = &rules[i];
    if (strcmp(rule->call, call) != 0 || !fits(path, rule->part)) continue;
    if (rule->spared > 0) {
      --rule->spared;
      continue;
    }
    if (rule->left == 0) continue;
    if (rule->left > 0) --rule->left;
    if (rule->error == kSlow || rule->error == kPause) {
      usleep(rule->error == kSlow ? 2000000 : 333333);
      continue;
    }
    if (rule->error == kStall) sleep(20);
    if (rule->error == kKill) kill(getpid(), SIGKILL);
    if (rule->error == kStop) kill(getpid(), SIGSTOP);
    while (rule->error == kHang) pause();
    if (rule->error < 0) continue;
    errno = rule->error;
    return 1;
  }
  return 0;
}

static int fails_on(const char* call, int file) {
  read_rules();
  if (rule_count == 0) return 0;
  const int before = errno;
  char link[64];
  char path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  errno = before;
  path[length < 0 ? 0 : length] = '\0';
  return fails(call, path);
}

#define NEXT(type, name) ((type)dlsym(RTLD_NEXT, name))

static mode_t mode_of(int flags, va_list list) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
}

/* "open" is opening to read, "create" is opening to write. */
static const char* opening(int flags) { return (flags & O_ACCMODE) == O_RDONLY ? "open" : "create"; }

#define DEFINE_OPEN(name)                                                  \
  int name(const char* path, int flags, ...) {                             \
    va_list list;                                                          \
    va_start(list, flags);                                                 \
    const mode_t mode = mode_of(flags, list);                              \
    va_end(list);                                                          \
    if (fails(opening(flags), path)) return -1;                            \
    return NEXT(int (*)(const char*, int, ...), #name)(path, flags, mode); \
  }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

#define DEFINE_OPENAT(name)                                                              \
  int name(int folder, const char* path, int flags, ...) {                               \
    va_list list;                                                                        \
    va_start(list, flags);                                                               \
    const mode_t mode = mode_of(flags, list);                                            \
    va_end(list);                                                                        \
    if (fails((flags & O_DIRECTORY) != 0 ? "opendir" : opening(flags), path)) return -1; \
    return NEXT(int (*)(int, const char*, int, ...), #name)(folder, path, flags, mode);  \
  }
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)

#define DEFINE_FOPEN(name)                                                       \
  FILE* name(const char* path, const char* mode) {                               \
    if (fails(strchr(mode, 'r') != NULL ? "open" : "create", path)) return NULL; \
    return NEXT(FILE * (*)(const char*, const char*), #name)(path, mode);        \
  }
DEFINE_FOPEN(fopen)
DEFINE_FOPEN(fopen64)

/* A function of the same shape: result, name, group, arguments with types, arguments, what a failure returns. */
#define DEFINE_PATH(result, name, group, types, values, failure) \
  result name types {                                            \
    if (fails(group, path)) return failure;                      \
    return NEXT(result(*) types, #name) values;                  \
  }
#define DEFINE_FILE(result, name, group, types, values, failure) \
  result name types {                                            \
    if (fails_on(group, file)) return failure;                   \
    return NEXT(result(*) types, #name) values;                  \
  }

DEFINE_PATH(int, stat, "stat", (const char* path, struct stat* status), (path, status), -1)
DEFINE_PATH(int, stat64, "stat", (const char* path, struct stat64* status), (path, status), -1)
DEFINE_PATH(int, lstat, "stat", (const char* path, struct stat* status), (path, status), -1)
DEFINE_PATH(int, lstat64, "stat", (const char* path, struct stat64* status), (path, status), -1)
DEFINE_PATH(int, fstatat, "stat", (int folder, const char* path, struct stat* status, int flags),
            (folder, path, status, flags), -1)
DEFINE_PATH(int, fstatat64, "stat", (int folder, const char* path, struct stat64* status, int flags),
            (folder, path, status, flags), -1)
DEFINE_PATH(int, statx, "stat", (int folder, const char* path, int flags, unsigned mask, struct statx* status),
            (folder, path, flags, mask, status), -1)
DEFINE_PATH(int, access, "access", (const char* path, int mode), (path, mode), -1)
DEFINE_PATH(DIR*, opendir, "opendir", (const char* path), (path), NULL)
DEFINE_PATH(int, mkdir, "mkdir", (const char* path, mode_t mode), (path, mode), -1)
DEFINE_PATH(int, unlink, "unlink", (const char* path), (path), -1)
DEFINE_PATH(int, remove, "unlink", (const char* path), (path), -1)
DEFINE_PATH(int, truncate, "truncate", (const char* path, off_t length), (path, length), -1)

int rename(const char* from, const char* to) {
  if (fails("rename", to)) return -1;
  return NEXT(int (*)(const char*, const char*), "rename")(from, to);
}
int renameat2(int a, const char* from, int b, const char* to, unsigned flags) {
  if (fails("rename", to)) return -1;
  return NEXT(int (*)(int, const char*, int, const char*, unsigned), "renameat2")(a, from, b, to, flags);
}
int link(const char* from, const char* to) {
  if (fails("link", to)) return -1;
  return NEXT(int (*)(const char*, const char*), "link")(from, to);
}

DEFINE_FILE(ssize_t, read, "read", (int file, void* to, size_t bytes), (file, to, bytes), -1)
DEFINE_FILE(ssize_t, pread, "read", (int file, void* to, size_t bytes, off_t at), (file, to, bytes, at), -1)
DEFINE_FILE(ssize_t, pread64, "read", (int file, void* to, size_t bytes, off64_t at), (file, to, bytes, at), -1)
DEFINE_FILE(ssize_t, write, "write", (int file, const void* from, size_t bytes), (file, from, bytes), -1)
DEFINE_FILE(ssize_t, pwrite, "write", (int file, const void* from, size_t bytes, off_t at), (file, from, bytes, at), -1)
DEFINE_FILE(ssize_t, pwrite64, "write", (int file, const void* from, size_t bytes, off64_t at), (file, from, bytes, at),
            -1)
DEFINE_FILE(ssize_t, writev, "write", (int file, const struct iovec* parts, int count), (file, parts, count), -1)
DEFINE_FILE(int, fsync, "fsync", (int file), (file), -1)
DEFINE_FILE(int, fdatasync, "fsync", (int file), (file), -1)
DEFINE_FILE(int, ftruncate, "truncate", (int file, off_t length), (file, length), -1)
DEFINE_FILE(int, ftruncate64, "truncate", (int file, off64_t length), (file, length), -1)
DEFINE_FILE(int, flock, "flock", (int file, int operation), (file, operation), -1)

/* Streams of the C library write by calls of its own that cannot be seen from here: their flush fails instead. */
int fflush(FILE* stream) {
  if (stream != NULL && fails_on("write", fileno(stream))) return EOF;
  return NEXT(int (*)(FILE*), "fflush")(stream);
}
size_t fread(void* to, size_t size, size_t count, FILE* stream) {
  if (fails_on("read", fileno(stream))) {
    /* ferror() must say so: a read from a stream that cannot be read. */
    stream->_flags |= 0x20;
    return 0;
  }
  return NEXT(size_t(*)(void*, size_t, size_t, FILE*), "fread")(to, size, count, stream);
}

struct dirent* readdir(DIR* folder) {
  if (fails_on("readdir", dirfd(folder))) return NULL;
  return NEXT(struct dirent * (*)(DIR*), "readdir")(folder);
}
struct dirent64* readdir64(DIR* folder) {
  if (fails_on("readdir", dirfd(folder))) return NULL;
  return NEXT(struct dirent64 * (*)(DIR*), "readdir64")(folder);
}

void GOMP_parallel(void (*region)(void*), void* data, unsigned threads, unsigned flags) {
  fails("compute", "");
  NEXT(void (*)(void (*)(void*), void*, unsigned, unsigned), "GOMP_parallel")(region, data, threads, flags);
}

static int lock_fails(int file, int command) {
  const int locks = command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW;
  if (command == F_OFD_GETLK) return fails_on("asklock", file);
  return locks && fails_on("lock", file);
}
#define DEFINE_FCNTL(name)                                               \
  int name(int file, int command, ...) {                                 \
    va_list list;                                                        \
    va_start(list, command);                                             \
    void* argument = va_arg(list, void*);                                \
    va_end(list);                                                        \
    if (lock_fails(file, command)) return -1;                            \
    return NEXT(int (*)(int, int, ...), #name)(file, command, argument); \
  }
DEFINE_FCNTL(fcntl)
DEFINE_FCNTL(fcntl64)
