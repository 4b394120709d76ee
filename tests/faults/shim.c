/* A layer between a process and its disk, for LD_PRELOAD: writes a trace of all that happens to files under FAULT_ROOT
   (FAULT_TRACE: the trace's path) and lets chosen calls fail (FAULT_CONTROL: a file of struct control, read live).

   A trace record: op (1 byte), offset (8), length of path (2), of second path (2), of data (4), then those three. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN = 1, WRITE = 2, TRUNCATE = 4, SYNC = 8, RENAME = 16, UNLINK = 32, READ = 64, MKDIR = 128 };

struct control {
    uint32_t enabled, operations, error, nth, sticky, seen, failed, spare;
    char match[224]; /* fails only where the path holds this text */
};

#define FDS 65536
static char *paths[FDS];
static unsigned char is_dir[FDS];
static int trace_fd = -1, ready;
static const char *root;
static size_t root_length;
static struct control *control;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ({ static __typeof__(&name) f; if (!f) f = (__typeof__(&name))dlsym(RTLD_NEXT, #name); f; })

static void set_up(void) {
    if (ready) return;
    ready = 1;
    root = getenv("FAULT_ROOT");
    root_length = root ? strlen(root) : 0;
    const char *name = getenv("FAULT_TRACE");
    if (name) {
        int fd = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (fd >= 0) { trace_fd = syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 1000); syscall(SYS_close, fd); }
    }
    name = getenv("FAULT_CONTROL");
    int fd = name ? syscall(SYS_openat, AT_FDCWD, name, O_RDWR | O_CLOEXEC, 0) : -1;
    if (fd >= 0) {
        void *page = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        control = page == MAP_FAILED ? NULL : page;
        syscall(SYS_close, fd);
    }
}

__attribute__((constructor)) static void start(void) { set_up(); }

static int ours(const char *path) {
    set_up();
    return root && path && strncmp(path, root, root_length) == 0;
}

static const char *path_of(int fd) { return fd >= 0 && fd < FDS ? paths[fd] : NULL; }

/* Whether this call is to fail now: -1 with errno set, 1 for a short write, 0 to go on. */
static int fails(uint32_t operation, const char *path) {
    if (!control || !path || !control->enabled || !(control->operations & operation)) return 0;
    if (!strstr(path, control->match)) return 0;
    uint32_t seen = __atomic_add_fetch(&control->seen, 1, __ATOMIC_SEQ_CST);
    if (seen != control->nth && !(control->sticky && seen > control->nth)) return 0;
    __atomic_add_fetch(&control->failed, 1, __ATOMIC_SEQ_CST);
    if (!control->error) return 1;
    errno = control->error;
    return -1;
}

static void put(char op, uint64_t offset, const char *path, const char *other, const void *data, uint32_t count) {
    if (trace_fd < 0) return;
    int kept = errno;
    uint16_t a = path ? strlen(path) : 0, b = other ? strlen(other) : 0;
    size_t size = 17 + a + b + count;
    char *record = malloc(size);
    record[0] = op;
    memcpy(record + 1, &offset, 8);
    memcpy(record + 9, &a, 2);
    memcpy(record + 11, &b, 2);
    memcpy(record + 13, &count, 4);
    memcpy(record + 17, path, a);
    memcpy(record + 17 + a, other, b);
    memcpy(record + 17 + a + b, data, count);
    for (size_t done = 0; done < size;) {
        ssize_t n = syscall(SYS_write, trace_fd, record + done, size - done);
        if (n <= 0) abort();
        done += n;
    }
    free(record);
    errno = kept;
}

#define LOCKED(call, record) ({ \
    if (trace_fd >= 0) pthread_mutex_lock(&lock); \
    __auto_type r = (call); \
    if (r >= 0) { record; } \
    if (trace_fd >= 0) pthread_mutex_unlock(&lock); \
    r; })

static void remember(int fd, const char *path) {
    struct stat seen;
    if (fd < 0 || fd >= FDS) return;
    free(paths[fd]);
    paths[fd] = strdup(path);
    is_dir[fd] = fstat(fd, &seen) == 0 && S_ISDIR(seen.st_mode);
}

static int opened(int at, const char *path, int flags, mode_t mode) {
    if (!ours(path)) return syscall(SYS_openat, at, path, flags, mode);
    if (fails(OPEN, path)) return -1;
    int was_there = syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
    int fd = LOCKED(syscall(SYS_openat, at, path, flags, mode), {
        remember(r, path);
        if (!was_there && (flags & O_CREAT)) put('C', 0, path, NULL, NULL, 0);
        else if (flags & O_TRUNC) put('T', 0, path, NULL, NULL, 0);
    });
    return fd;
}

#define MODE va_list rest; va_start(rest, flags); mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; va_end(rest)
int open(const char *path, int flags, ...) { MODE; return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE; return opened(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE; return opened(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE; return opened(at, path, flags, mode); }

int close(int fd) {
    if (fd == trace_fd && fd >= 0) { errno = EBADF; return -1; }
    if (fd >= 0 && fd < FDS && paths[fd]) { free(paths[fd]); paths[fd] = NULL; }
    return syscall(SYS_close, fd);
}

static void note_socket(int fd, const void *data, ssize_t count, char op, const char *start) {
    size_t length = strlen(start);
    if (trace_fd < 0 || count < (ssize_t)length || path_of(fd) || memcmp(data, start, length)) return;
    pthread_mutex_lock(&lock);
    put(op, 0, NULL, NULL, data, count < 200 ? count : 200);
    pthread_mutex_unlock(&lock);
}
#define ANSWERED(fd, data, count) note_socket(fd, data, count, 'H', "HTTP/1.1 202")
#define ASKED(fd, data, count) note_socket(fd, data, count, 'Q', "POST /logs")

static ssize_t written(int fd, const void *data, size_t count, int64_t offset) {
    const char *path = path_of(fd);
    if (!path) {
        if (offset >= 0) return syscall(SYS_pwrite64, fd, data, count, offset);
        ANSWERED(fd, data, (ssize_t)count);
        return syscall(SYS_write, fd, data, count);
    }
    int failing = fails(WRITE, path);
    if (failing < 0) return -1;
    if (failing > 0 && count > 1) count /= 2;
    int64_t at = offset;
    return LOCKED(({
        if (offset < 0) {
            int append = syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND;
            at = syscall(SYS_lseek, fd, 0, append ? SEEK_END : SEEK_CUR);
        }
        offset < 0 ? syscall(SYS_write, fd, data, count) : syscall(SYS_pwrite64, fd, data, count, offset);
    }), put(strstr(path, ".acks") ? 'A' : 'W', at, path, NULL, data, r));
}

ssize_t write(int fd, const void *data, size_t count) { return written(fd, data, count, -1); }
ssize_t pwrite(int fd, const void *data, size_t count, off_t at) { return written(fd, data, count, at); }
ssize_t pwrite64(int fd, const void *data, size_t count, off64_t at) { return written(fd, data, count, at); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (!path_of(fd)) {
        if (count > 0) ANSWERED(fd, parts[0].iov_base, (ssize_t)parts[0].iov_len);
        return syscall(SYS_writev, fd, parts, count);
    }
    ssize_t all = 0;
    for (int i = 0; i < count; i++) {
        ssize_t n = written(fd, parts[i].iov_base, parts[i].iov_len, -1);
        if (n < 0) return all ? all : -1;
        all += n;
        if ((size_t)n < parts[i].iov_len) break;
    }
    return all;
}

ssize_t send(int fd, const void *data, size_t count, int flags) {
    ANSWERED(fd, data, (ssize_t)count);
    return syscall(SYS_sendto, fd, data, count, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    if (message->msg_iovlen) ANSWERED(fd, message->msg_iov[0].iov_base, (ssize_t)message->msg_iov[0].iov_len);
    return syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t read(int fd, void *data, size_t count) {
    const char *path = path_of(fd);
    if (path && fails(READ, path)) return -1;
    ssize_t n = syscall(SYS_read, fd, data, count);
    if (!path) ASKED(fd, data, n);
    return n;
}

ssize_t recv(int fd, void *data, size_t count, int flags) {
    ssize_t n = syscall(SYS_recvfrom, fd, data, count, flags, NULL, NULL);
    ASKED(fd, data, n);
    return n;
}

static ssize_t read_at(int fd, void *data, size_t count, off64_t at) {
    const char *path = path_of(fd);
    if (path && fails(READ, path)) return -1;
    return syscall(SYS_pread64, fd, data, count, at);
}
ssize_t pread(int fd, void *data, size_t count, off_t at) { return read_at(fd, data, count, at); }
ssize_t pread64(int fd, void *data, size_t count, off64_t at) { return read_at(fd, data, count, at); }

static int truncated(int fd, off64_t size) {
    const char *path = path_of(fd);
    if (!path) return syscall(SYS_ftruncate, fd, size);
    if (fails(TRUNCATE, path)) return -1;
    return LOCKED(syscall(SYS_ftruncate, fd, size), put('T', size, path, NULL, NULL, 0));
}
int ftruncate(int fd, off_t size) { return truncated(fd, size); }
int ftruncate64(int fd, off64_t size) { return truncated(fd, size); }

static int synced(int fd, long call) {
    const char *path = path_of(fd);
    if (!path) return syscall(call, fd);
    if (fails(SYNC, path)) return -1;
    return LOCKED(syscall(call, fd), put(is_dir[fd] ? 'D' : 'S', 0, path, NULL, NULL, 0));
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

static int renamed(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    if (!ours(to)) return syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    if (fails(RENAME, to)) return -1;
    return LOCKED(syscall(SYS_renameat2, from_at, from, to_at, to, flags), put('R', 0, from, to, NULL, 0));
}
int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return renamed(a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) { return renamed(a, from, b, to, flags); }

static int unlinked(int at, const char *path, int flags) {
    if (!ours(path)) return syscall(SYS_unlinkat, at, path, flags);
    if (fails(UNLINK, path)) return -1;
    return LOCKED(syscall(SYS_unlinkat, at, path, flags), put(flags ? 'X' : 'U', 0, path, NULL, NULL, 0));
}
int unlink(const char *path) { return unlinked(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinked(AT_FDCWD, path, AT_REMOVEDIR); }
int unlinkat(int at, const char *path, int flags) { return unlinked(at, path, flags); }

static int made(int at, const char *path, mode_t mode) {
    if (!ours(path)) return syscall(SYS_mkdirat, at, path, mode);
    if (fails(MKDIR, path)) return -1;
    return LOCKED(syscall(SYS_mkdirat, at, path, mode), put('M', 0, path, NULL, NULL, 0));
}
int mkdir(const char *path, mode_t mode) { return made(AT_FDCWD, path, mode); }
int mkdirat(int at, const char *path, mode_t mode) { return made(at, path, mode); }
