#define _GNU_SOURCE
#include "faf_daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RETRY(result, expression) \
    do { \
        result = (expression); \
    } while (result < 0 && errno == EINTR)

static int outcome(int result) { return result < 0 ? -errno : result; }

const char *fafd_errno_name(int error) { return strerrorname_np(error); }
const char *fafd_errno_text(int error) { return strerrordesc_np(error); }

/* ------------------------------------------------------------------ files */

int fafd_open(int directory, const char *path, uint32_t flags, uint32_t mode) {
    int how = O_CLOEXEC | O_NOCTTY;
    if (flags & FAFD_OPEN_WRITE) how |= O_WRONLY;
    if (flags & FAFD_OPEN_READ_WRITE) how |= O_RDWR;
    if (flags & FAFD_OPEN_CREATE) how |= O_CREAT;
    if (flags & FAFD_OPEN_EXCLUSIVE) how |= O_EXCL;
    if (flags & FAFD_OPEN_TRUNCATE) how |= O_TRUNC;
    if (flags & FAFD_OPEN_APPEND) how |= O_APPEND;
    if (flags & FAFD_OPEN_DIRECTORY) how |= O_DIRECTORY;
    if (flags & FAFD_OPEN_NOFOLLOW) how |= O_NOFOLLOW;
    if (flags & FAFD_OPEN_NONBLOCK) how |= O_NONBLOCK;
    if (flags & FAFD_OPEN_PATH) how |= O_PATH;
    int fd;
    RETRY(fd, openat(directory < 0 ? AT_FDCWD : directory, path, how, (mode_t)mode));
    return outcome(fd);
}

/* Not retried: Linux has let go of the descriptor even when close says EINTR. */
int fafd_close(int fd) { return outcome(close(fd)); }

int fafd_duplicate(int fd, int at_least) { return outcome(fcntl(fd, F_DUPFD_CLOEXEC, at_least)); }

int64_t fafd_read(int fd, void *bytes, size_t n) {
    ssize_t r;
    RETRY(r, read(fd, bytes, n));
    return r < 0 ? -errno : r;
}

int64_t fafd_pread(int fd, void *bytes, size_t n, uint64_t offset) {
    ssize_t r;
    RETRY(r, pread(fd, bytes, n, (off_t)offset));
    return r < 0 ? -errno : r;
}

int64_t fafd_write(int fd, const void *bytes, size_t n) {
    ssize_t r;
    RETRY(r, write(fd, bytes, n));
    return r < 0 ? -errno : r;
}

int fafd_truncate(int fd, uint64_t size) {
    int r;
    RETRY(r, ftruncate(fd, (off_t)size));
    return outcome(r);
}

int fafd_sync(int fd) {
    int r;
    RETRY(r, fsync(fd));
    return outcome(r);
}

int fafd_rename(const char *from, const char *to) { return outcome(rename(from, to)); }
int fafd_unlink(const char *path) { return outcome(unlink(path)); }
int fafd_make_directory(const char *path, uint32_t mode) { return outcome(mkdir(path, (mode_t)mode)); }
int fafd_remove_directory(const char *path) { return outcome(rmdir(path)); }
int fafd_change_mode(int fd, uint32_t mode) { return outcome(fchmod(fd, (mode_t)mode)); }
int fafd_change_owner(int fd, uint32_t uid, uint32_t gid) { return outcome(fchown(fd, uid, gid)); }
int fafd_may_write(const char *path) { return outcome(faccessat(AT_FDCWD, path, W_OK, AT_EACCESS)); }

static void convert(const struct stat *in, struct fafd_stat *out) {
    out->device = in->st_dev;
    out->inode = in->st_ino;
    out->size = (uint64_t)in->st_size;
    out->mode = in->st_mode;
    out->uid = in->st_uid;
    out->gid = in->st_gid;
    out->links = (uint32_t)in->st_nlink;
    out->modified_us = (int64_t)in->st_mtim.tv_sec * 1000000 + in->st_mtim.tv_nsec / 1000;
}

int fafd_stat_fd(int fd, struct fafd_stat *out) {
    struct stat s;
    if (fstat(fd, &s) < 0) return -errno;
    convert(&s, out);
    return 0;
}

int fafd_stat_path(int directory, const char *path, int follow, struct fafd_stat *out) {
    struct stat s;
    if (fstatat(directory < 0 ? AT_FDCWD : directory, path, &s, follow ? 0 : AT_SYMLINK_NOFOLLOW) < 0) return -errno;
    convert(&s, out);
    return 0;
}

int64_t fafd_read_link(int directory, const char *path, char *out, size_t n) {
    ssize_t r = readlinkat(directory < 0 ? AT_FDCWD : directory, path, out, n);
    return r < 0 ? -errno : r;
}

int fafd_real_path(const char *path, char *out) { return realpath(path, out) ? 0 : -errno; }

int fafd_is_proc(int fd) {
    struct statfs s;
    int r;
    RETRY(r, fstatfs(fd, &s));
    if (r < 0) return -errno;
    return s.f_type == PROC_SUPER_MAGIC;
}

int fafd_is_local(const char *path) {
    struct statfs s;
    int r;
    RETRY(r, statfs(path, &s));
    if (r < 0) return -errno;
    /* What systemd's is_network_fs() has, FUSE, and what is mounted when it is looked at. */
    switch ((uint32_t)s.f_type) {
    case NFS_SUPER_MAGIC: case SMB_SUPER_MAGIC: case SMB2_SUPER_MAGIC: case CIFS_SUPER_MAGIC: case CODA_SUPER_MAGIC:
    case AFS_SUPER_MAGIC: case AFS_FS_MAGIC: case CEPH_SUPER_MAGIC: case V9FS_MAGIC: case OCFS2_SUPER_MAGIC:
    case AUTOFS_SUPER_MAGIC: case FUSE_SUPER_MAGIC:
    case 0x564c /* NCP */: case 0x01161970 /* GFS2 */: case 0x0bd00bd0 /* Lustre */: case 0x20030528 /* OrangeFS */:
    case 0x47504653 /* GPFS */: return 0;
    default: return 1;
    }
}

int fafd_list_open(const char *path, void **list) {
    int fd = fafd_open(-1, path, FAFD_OPEN_DIRECTORY, 0);
    if (fd < 0) return fd;
    DIR *directory = fdopendir(fd);
    if (directory == NULL) {
        int error = errno;
        close(fd);
        return -error;
    }
    *list = directory;
    return 0;
}

int fafd_list_next(void *list, char *name, size_t n) {
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(list);
        if (entry == NULL) return -errno; /* 0 at the end */
        size_t length = strlen(entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (length + 1 > n) return -ENAMETOOLONG;
        memcpy(name, entry->d_name, length + 1);
        return 1;
    }
}

void fafd_list_close(void *list) { closedir(list); }

int fafd_sealed_memory(const char *name, const void *bytes, size_t n) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -errno;
    const char *p = bytes;
    while (n > 0) {
        int64_t written = fafd_write(fd, p, n);
        if (written <= 0) {
            close(fd);
            return written < 0 ? (int)written : -EIO;
        }
        p += written;
        n -= (size_t)written;
    }
    if (lseek(fd, 0, SEEK_SET) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int fafd_open_as(const char *path, uint32_t uid, uint32_t gid, const uint32_t *groups, size_t count) {
    if (uid == UINT32_MAX || gid == UINT32_MAX) return -EINVAL;
    uint32_t own_uid = geteuid(), own_gid = getegid();
    if (own_uid != 0) {
        if (uid != own_uid) return -EPERM;
        return fafd_open(-1, path, FAFD_OPEN_NONBLOCK, 0);
    }
    int saved_count = getgroups(0, NULL);
    if (saved_count < 0) return -errno;
    gid_t *saved = malloc(sizeof(gid_t) * (size_t)(saved_count + 1));
    if (saved == NULL) return -ENOMEM;
    saved_count = getgroups(saved_count, saved);
    if (saved_count < 0) {
        int error = errno;
        free(saved);
        return -error;
    }
    /* A signal handler must not run with half of somebody else's rights. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int fd;
    /* The system calls themselves: glibc's wrappers would change every thread. setfs[ug]id answer with the old value and
     * never fail openly, so they are asked again. setfsuid comes last and goes first: it takes the capabilities that
     * overrule file modes along. */
    if (syscall(SYS_setgroups, count, groups) < 0) {
        fd = -errno;
    } else {
        syscall(SYS_setfsgid, gid);
        syscall(SYS_setfsuid, uid);
        if ((uint32_t)syscall(SYS_setfsgid, -1) != gid || (uint32_t)syscall(SYS_setfsuid, -1) != uid)
            fd = -EPERM;
        else
            fd = fafd_open(-1, path, FAFD_OPEN_NONBLOCK, 0);
        syscall(SYS_setfsuid, own_uid);
        syscall(SYS_setfsgid, own_gid);
    }
    if ((uint32_t)syscall(SYS_setfsuid, -1) != own_uid || (uint32_t)syscall(SYS_setfsgid, -1) != own_gid ||
        syscall(SYS_setgroups, (size_t)saved_count, saved) < 0)
        abort(); /* going on with another user's rights would be worse than not going on */
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    free(saved);
    return fd;
}

/* ------------------------------------------------------------------ locks */

int fafd_lock(int fd) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int r;
    RETRY(r, fcntl(fd, F_SETLK, &lock));
    if (r < 0) return errno == EACCES ? -EAGAIN : -errno;
    return 0;
}

int fafd_lock_holder(int fd, int32_t *pid) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int r;
    RETRY(r, fcntl(fd, F_GETLK, &lock));
    if (r < 0) return -errno;
    *pid = 0;
    if (lock.l_type == F_UNLCK) return FAFD_LOCK_FREE;
    if (lock.l_pid > 0) *pid = lock.l_pid;
    return FAFD_LOCK_HELD;
}

/* ------------------------------------------------------------------ sockets */

static int address(const char *path, struct sockaddr_un *out) {
    size_t length = strlen(path);
    if (length > FAFD_SOCKET_PATH_MAX) return -ENAMETOOLONG;
    if (length == 0) return -EINVAL; /* would be an abstract or unnamed address */
    memset(out, 0, sizeof *out);
    out->sun_family = AF_UNIX;
    memcpy(out->sun_path, path, length);
    return 0;
}

int fafd_listen(const char *path, uint32_t mode, int backlog) {
    struct sockaddr_un name;
    int r = address(path, &name);
    if (r < 0) return r;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    /* Nobody can connect before listen, so the mode is right in time. */
    if (bind(fd, (struct sockaddr *)&name, sizeof name) < 0) goto fail;
    if (chmod(path, (mode_t)mode) < 0 || listen(fd, backlog) < 0) {
        int error = errno;
        unlink(path);
        errno = error;
        goto fail;
    }
    return fd;
fail:
    r = -errno;
    close(fd);
    return r;
}

int64_t fafd_inherited_listener(int fd, char *path, size_t n) {
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return -errno;
    int value = 0;
    static const struct { int option, wanted; } facts[] = {
        {SO_DOMAIN, AF_UNIX}, {SO_TYPE, SOCK_STREAM}, {SO_ACCEPTCONN, 1}};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        socklen_t size = sizeof value;
        if (getsockopt(fd, SOL_SOCKET, facts[i].option, &value, &size) < 0) return -errno;
        if (value != facts[i].wanted) return -EINVAL;
    }
    struct sockaddr_un name = {0};
    socklen_t size = sizeof name;
    if (getsockname(fd, (struct sockaddr *)&name, &size) < 0) return -errno;
    /* An abstract one begins with a NUL, one without a name has none. */
    size_t length = strnlen(name.sun_path, sizeof name.sun_path);
    if (size <= offsetof(struct sockaddr_un, sun_path) || length == 0) return -EINVAL;
    if (length > n) return -ENAMETOOLONG;
    memcpy(path, name.sun_path, length);
    return (int64_t)length;
}

int fafd_connect(const char *path, int kind) {
    struct sockaddr_un name;
    int r = address(path, &name);
    if (r < 0) return r;
    int fd = socket(AF_UNIX, kind | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    RETRY(r, connect(fd, (struct sockaddr *)&name, sizeof name));
    if (r < 0) {
        r = -errno;
        close(fd);
        return r;
    }
    return fd;
}

int fafd_accept(int fd, int nonblocking) {
    int r;
    RETRY(r, accept4(fd, NULL, NULL, SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0)));
    return outcome(r);
}

int fafd_socket_pair(int kind, int fds[2]) { return outcome(socketpair(AF_UNIX, kind | SOCK_CLOEXEC, 0, fds)); }

int fafd_set_nonblocking(int fd, int on) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    return outcome(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}

int fafd_peer(int fd, int32_t *pid, uint32_t *uid, uint32_t *gid) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0) return -errno;
    if (length != sizeof credentials) return -EPROTO;
    *pid = credentials.pid;
    *uid = credentials.uid;
    *gid = credentials.gid;
    return 0;
}

int fafd_peer_groups(int fd, uint32_t *groups, size_t count) {
    _Static_assert(sizeof(gid_t) == sizeof(uint32_t), "gid_t has 32 bits on Linux");
    socklen_t length = (socklen_t)(count * sizeof(gid_t));
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) < 0 && errno != ERANGE) return -errno;
    return (int)(length / sizeof(gid_t));
}

#define PASSED_MAX 16

int64_t fafd_send(int fd, const void *bytes, size_t n, const int *fds, size_t count) {
    union {
        char space[CMSG_SPACE(sizeof(int) * PASSED_MAX)];
        struct cmsghdr aligned;
    } control;
    struct iovec part = {(void *)bytes, n};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > PASSED_MAX) return -EINVAL;
    if (count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.space;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
    }
    ssize_t r;
    RETRY(r, sendmsg(fd, &message, MSG_NOSIGNAL));
    return r < 0 ? -errno : r;
}

int64_t fafd_receive(int fd, void *bytes, size_t n, int *fds, size_t count, size_t *received, int *truncated) {
    union {
        char space[CMSG_SPACE(sizeof(int) * 253)]; /* SCM_MAX_FD: all that one message can carry */
        struct cmsghdr aligned;
    } control;
    struct iovec part = {bytes, n};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof control.space};
    ssize_t r;
    RETRY(r, recvmsg(fd, &message, MSG_CMSG_CLOEXEC));
    *received = 0;
    *truncated = 0;
    if (r < 0) return -errno;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t there = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < there; i++) {
            int passed;
            memcpy(&passed, CMSG_DATA(header) + i * sizeof(int), sizeof passed);
            if (*received < count) {
                fds[(*received)++] = passed;
            } else {
                close(passed);
                *truncated = 1;
            }
        }
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) *truncated = 1;
    return r;
}

int fafd_poll(int fd, int events, int timeout_ms) {
    struct pollfd one = {.fd = fd, .events = (short)events};
    int r = poll(&one, 1, timeout_ms);
    if (r < 0) return errno == EINTR ? 0 : -errno;
    return r == 0 ? 0 : one.revents;
}

/* ------------------------------------------------------------------ waiting */

_Static_assert((unsigned)FAFD_EVENT_IN == (unsigned)EPOLLIN && (unsigned)FAFD_EVENT_PRI == (unsigned)EPOLLPRI &&
                   (unsigned)FAFD_EVENT_OUT == (unsigned)EPOLLOUT && (unsigned)FAFD_EVENT_ERR == (unsigned)EPOLLERR &&
                   (unsigned)FAFD_EVENT_HUP == (unsigned)EPOLLHUP && (unsigned)FAFD_EVENT_ONCE == (unsigned)EPOLLONESHOT,
               "the flags are the kernel's");

int fafd_epoll(void) { return outcome(epoll_create1(EPOLL_CLOEXEC)); }

int fafd_epoll_add(int epoll, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return outcome(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

int fafd_epoll_again(int epoll, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return outcome(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event));
}

int fafd_epoll_remove(int epoll, int fd) {
    struct epoll_event unused = {0};
    return outcome(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &unused));
}

int fafd_epoll_wait(int epoll, struct fafd_event *out, int count, int timeout_ms) {
    struct epoll_event events[64];
    if (count > 64) count = 64;
    int n = epoll_wait(epoll, events, count, timeout_ms);
    if (n < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < n; i++) {
        out[i].events = events[i].events;
        out[i].reserved = 0;
        out[i].token = events[i].data.u64;
    }
    return n;
}

int fafd_eventfd(void) { return outcome(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int fafd_eventfd_signal(int fd) {
    uint64_t one = 1;
    int64_t r = fafd_write(fd, &one, sizeof one);
    return r < 0 && r != -EAGAIN ? (int)r : 0;
}

int fafd_eventfd_drain(int fd) {
    uint64_t count;
    int64_t r = fafd_read(fd, &count, sizeof count);
    return r < 0 && r != -EAGAIN ? (int)r : 0;
}

int fafd_inotify(void) { return outcome(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)); }
int fafd_inotify_watch(int fd, const char *path, uint32_t mask) { return outcome(inotify_add_watch(fd, path, mask)); }

_Static_assert(FAFD_INOTIFY_MODIFY == IN_MODIFY && FAFD_INOTIFY_CLOSE_WRITE == IN_CLOSE_WRITE &&
                   FAFD_INOTIFY_MOVED_TO == IN_MOVED_TO && FAFD_INOTIFY_CREATE == IN_CREATE &&
                   FAFD_INOTIFY_DELETE == IN_DELETE && FAFD_INOTIFY_DELETE_SELF == IN_DELETE_SELF &&
                   FAFD_INOTIFY_OVERFLOW == IN_Q_OVERFLOW && FAFD_INOTIFY_IGNORED == IN_IGNORED &&
                   FAFD_INOTIFY_ONLY_DIRECTORY == IN_ONLYDIR,
               "the masks are the kernel's");

/* ------------------------------------------------------------------ processes */

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

int fafd_pidfd_open(int32_t pid) {
    if (pid <= 0) return -ESRCH;
    return outcome((int)syscall(SYS_pidfd_open, pid, 0));
}

int fafd_pidfd_signal(int pidfd, int signal) {
    return outcome((int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int fafd_pidfd_queue(int pidfd, int offset, uint64_t value) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = SIGRTMIN + offset;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = (void *)(uintptr_t)value;
    return outcome((int)syscall(SYS_pidfd_send_signal, pidfd, info.si_signo, &info, 0));
}

int fafd_reap(int pidfd) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int r;
    RETRY(r, waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | __WALL));
    if (r < 0) return errno == ECHILD ? 1 : -errno; /* ECHILD: SIGCHLD is ignored, the kernel reaped it */
    return info.si_pid != 0;
}

/* What the child says through its pipe when a step failed. */
struct spawn_failure {
    int step, error;
};

/* In the child: only system calls, on memory that the parent prepared. */
static void spawn_child(int program, char *const argv[], char *const envp[], int null, int socket, int move_into,
                        int errors) {
    struct spawn_failure failure = {FAFD_SPAWN_CGROUP, 0};
    if (move_into >= 0) {
        int processes = openat(move_into, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (processes < 0 || write(processes, "0", 1) < 0) goto fail;
    }
    failure.step = FAFD_SPAWN_SESSION;
    if (setsid() < 0 || chdir("/") < 0) goto fail; /* a terminal's Ctrl-C is for fafd, not for tasks */
    umask(077);
    failure.step = FAFD_SPAWN_SIGNALS;
    /* The system call itself: glibc keeps 32 and 33 from its callers, and a parent may have ignored them too. An action of
     * zeros is SIG_DFL without flags on every architecture. */
    static const char standard[64];
    for (int signal = 1; signal <= 64; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP) continue;
        if (syscall(SYS_rt_sigaction, signal, standard, NULL, 8) < 0) goto fail;
    }
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) < 0) goto fail;
    failure.step = FAFD_SPAWN_DESCRIPTORS;
    /* All of them lie above 9, so nothing is overwritten before it is used. dup2 clears close-on-exec. */
    for (int fd = 0; fd < 3; fd++)
        if (dup2(null, fd) < 0) goto fail;
    if (dup2(socket, 3) < 0) goto fail;
    /* Whatever fafd inherited or somebody forgot to mark stays outside (runc CVE-2024-21626). */
    if (syscall(SYS_close_range, 4u, ~0u, CLOSE_RANGE_CLOEXEC) < 0) goto fail;
    struct spawn_failure none_yet = {0, 0};
    if (write(errors, &none_yet, sizeof none_yet) < 0) goto fail;
    failure.step = FAFD_SPAWN_EXEC;
    syscall(SYS_execveat, program, "", argv, envp, AT_EMPTY_PATH);
fail:
    failure.error = errno;
    ssize_t written = write(errors, &failure, sizeof failure);
    (void)written;
    _exit(127);
}

/* -EAGAIN with *step FAFD_SPAWN_CGROUP: the child was killed before its first instruction. */
static int spawn_once(int program, const char *name, const char *argument, int socket, int cgroup, int moves, int *pidfd,
                      int *step) {
    int null = -1, safe_program = -1, safe_socket = -1, pipe_read = -1, pipe_write = -1, ends[2], made_pidfd = -1;
    int result = 0;
    char *argv[] = {(char *)name, (char *)argument, NULL};
    char *envp[] = {NULL};
    *step = FAFD_SPAWN_PREPARE;
    *pidfd = -1;
    if ((null = fafd_open(-1, "/dev/null", FAFD_OPEN_READ_WRITE, 0)) < 0) return null;
    int high = fcntl(null, F_DUPFD_CLOEXEC, 10);
    close(null);
    null = high;
    if (null < 0) return -errno;
    if ((safe_program = fcntl(program, F_DUPFD_CLOEXEC, 10)) < 0 ||
        (safe_socket = fcntl(socket, F_DUPFD_CLOEXEC, 10)) < 0) {
        result = -errno;
        goto out;
    }
    if (pipe2(ends, O_CLOEXEC) < 0) {
        result = -errno;
        goto out;
    }
    pipe_read = ends[0];
    pipe_write = fcntl(ends[1], F_DUPFD_CLOEXEC, 10);
    if (pipe_write < 0) result = -errno;
    close(ends[1]);
    if (result < 0) goto out;

    *step = FAFD_SPAWN_CLONE;
    struct clone_args arguments;
    memset(&arguments, 0, sizeof arguments);
    /* A copy of the address space, not CLONE_VM: mothers are rare, and the child of a copy cannot harm the parent. The
     * wait for exec (CLONE_VFORK) keeps the pipe's answer at hand. */
    int clones_into = cgroup >= 0 && !moves;
    arguments.flags = CLONE_PIDFD | CLONE_VFORK | (clones_into ? CLONE_INTO_CGROUP : 0);
    arguments.pidfd = (uint64_t)(uintptr_t)&made_pidfd;
    arguments.exit_signal = SIGCHLD;
    arguments.cgroup = clones_into ? (uint64_t)cgroup : 0;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of fafd may run in the child */
    long pid = syscall(SYS_clone3, &arguments, sizeof arguments);
    int clone_error = errno;
    if (pid == 0) spawn_child(safe_program, argv, envp, null, safe_socket, moves ? cgroup : -1, pipe_write);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) {
        result = -clone_error;
        goto out;
    }
    close(pipe_write);
    pipe_write = -1;
    struct spawn_failure failure = {FAFD_SPAWN_CGROUP, EAGAIN};
    int said = fafd_read(pipe_read, &failure, sizeof failure) == sizeof failure;
    if (said && failure.step == 0) said = fafd_read(pipe_read, &failure, sizeof failure) == sizeof failure;
    if (said || failure.step != 0) {
        *step = failure.step;
        result = failure.error > 0 ? -failure.error : -EIO;
        siginfo_t info;
        int waited;
        RETRY(waited, waitid((idtype_t)P_PIDFD, (id_t)made_pidfd, &info, WEXITED | __WALL));
        close(made_pidfd);
        goto out;
    }
    *pidfd = made_pidfd;
    result = (int)pid;
out:
    if (null >= 0) close(null);
    if (safe_program >= 0) close(safe_program);
    if (safe_socket >= 0) close(safe_socket);
    if (pipe_read >= 0) close(pipe_read);
    if (pipe_write >= 0) close(pipe_write);
    return result;
}

int fafd_spawn(int program, const char *name, const char *argument, int socket, int cgroup, int *pidfd, int *step) {
    int result = spawn_once(program, name, argument, socket, cgroup, 0, pidfd, step);
    /* Linux from 6.14 on (and 6.12.14, 6.6.78, 6.1.129) kills what is cloned from one cgroup into another one if
     * cgroup.kill was ever used on one of the two: cgroup_css_set_fork() compares the counter of the parent's cgroup with
     * that of the child's. A service manager may have used it on ours. Moving takes some 10 ms and is not struck. */
    if (result == -EAGAIN && *step == FAFD_SPAWN_CGROUP && cgroup >= 0)
        result = spawn_once(program, name, argument, socket, cgroup, 1, pidfd, step);
    return result;
}

int fafd_become_subreaper(void) { return outcome(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)); }

_Static_assert(FAFD_LIMIT_OPEN_FILES == RLIMIT_NOFILE, "the kernel's number");

int fafd_get_limit(int resource, uint64_t *soft, uint64_t *hard) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) < 0) return -errno;
    *soft = limit.rlim_cur; /* RLIM_INFINITY is UINT64_MAX */
    *hard = limit.rlim_max;
    return 0;
}

int fafd_set_soft_limit(int resource, uint64_t soft) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) < 0) return -errno;
    limit.rlim_cur = soft > limit.rlim_max ? limit.rlim_max : soft;
    return outcome(setrlimit((__rlimit_resource_t)resource, &limit));
}

uint32_t fafd_uid(void) { return geteuid(); }
uint32_t fafd_gid(void) { return getegid(); }
int32_t fafd_pid(void) { return getpid(); }

int fafd_own_groups(uint32_t *groups, size_t count) { return outcome(getgroups((int)count, groups)); }

struct thread_start {
    void (*body)(void *);
    void *context;
    char name[16];
};

static void *thread_main(void *argument) {
    struct thread_start start = *(struct thread_start *)argument;
    free(argument);
    pthread_setname_np(pthread_self(), start.name);
    start.body(start.context);
    return NULL;
}

int fafd_thread(void (*body)(void *), void *context, const char *name) {
    struct thread_start *start = calloc(1, sizeof *start);
    if (start == NULL) return -ENOMEM;
    start->body = body;
    start->context = context;
    strncpy(start->name, name, sizeof start->name - 1);
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, NULL, thread_main, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        free(start);
        return -error;
    }
    pthread_detach(thread);
    return 0;
}

/* ------------------------------------------------------------------ clocks, terminal */

static int64_t clock_us(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now) < 0) return 0; /* cannot fail for these clocks */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t fafd_monotonic_us(void) { return clock_us(CLOCK_MONOTONIC); }
int64_t fafd_boottime_us(void) { return clock_us(CLOCK_BOOTTIME); }
int64_t fafd_realtime_us(void) { return clock_us(CLOCK_REALTIME); }

void fafd_sleep_us(uint64_t us) {
    struct timespec left = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR) {
    }
}

int fafd_is_terminal(int fd) { return isatty(fd) == 1; }

int fafd_window_width(int fd) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) return 0;
    return size.ws_col;
}
