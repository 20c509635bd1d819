#define _GNU_SOURCE
#include "faf_shim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int result(long value) { return value < 0 ? -errno : (int)value; }

/* ------------------------------------------------------------------ arguments */

static int argument_count;
static char **arguments;

__attribute__((constructor)) static void keep_arguments(int count, char **values) {
    argument_count = count;
    arguments = values;
}

int faf_argument_count(void) { return argument_count; }
const char *faf_argument(int index) { return index < argument_count ? arguments[index] : NULL; }
const char *faf_environment(const char *name) { return getenv(name); }

/* ------------------------------------------------------------------ files */

int faf_open(const char *path, uint32_t mode) {
    switch ((enum faf_open_mode)mode) {
    case FAF_OPEN_READ: return result(open(path, O_RDONLY | O_CLOEXEC));
    case FAF_OPEN_DIRECTORY: return result(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    case FAF_OPEN_WRITE: return result(open(path, O_WRONLY | O_CLOEXEC));
    case FAF_OPEN_EXCLUSIVE: return result(open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    }
    return -EINVAL;
}

void faf_close(int fd) {
    if (fd >= 0) close(fd);
}

int faf_unlink(const char *path) { return result(unlink(path)); }
int faf_rmdir(const char *path) { return result(rmdir(path)); }
int faf_mkdir(const char *path, uint32_t mode) { return result(mkdir(path, mode)); }
int faf_link(const char *from, const char *to) { return result(link(from, to)); }
int faf_rename(const char *from, const char *to) { return result(rename(from, to)); }
int faf_fsync(int fd) { return result(fsync(fd)); }

int faf_write_all(int fd, const void *bytes, size_t count) {
    const char *p = bytes;
    while (count > 0) {
        ssize_t n = write(fd, p, count);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        if (n == 0) return -ENOSPC;
        p += n;
        count -= (size_t)n;
    }
    return 0;
}

int faf_write_at(int fd, const void *head, size_t head_count, const void *tail, size_t tail_count, uint64_t offset) {
    struct iovec parts[2] = {{(void *)head, head_count}, {(void *)tail, tail_count}};
    ssize_t n = pwritev(fd, parts, tail_count > 0 ? 2 : 1, (off_t)offset);
    if (n < 0) return -errno;
    return (size_t)n == head_count + tail_count ? 0 : -ENOSPC;
}

ssize_t faf_read_at(int fd, void *bytes, size_t count, uint64_t offset) {
    ssize_t n = pread(fd, bytes, count, (off_t)offset);
    return n < 0 ? -errno : n;
}

ssize_t faf_read_file(const char *path, void *bytes, size_t count) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    size_t filled = 0;
    while (filled < count) {
        ssize_t n = read(fd, (char *)bytes + filled, count - filled);
        if (n < 0) {
            int error = errno;
            close(fd);
            return -error;
        }
        if (n == 0) break;
        filled += (size_t)n;
    }
    close(fd);
    return (ssize_t)filled;
}

int faf_write_file(const char *path, const void *bytes, size_t count) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int error = write(fd, bytes, count) < 0 ? -errno : 0;
    close(fd);
    return error;
}

int64_t faf_file_size(int fd) {
    struct stat st;
    return fstat(fd, &st) < 0 ? -errno : st.st_size;
}

int faf_lock_for_life(int fd) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return result(fcntl(fd, F_SETLK, &lock));
}

int faf_make_private_directory(const char *path, uint32_t uid, uint32_t gid) {
    if (mkdir(path, 0700) == 0) {
        if (lchown(path, uid, gid) == 0 || (errno == EPERM && geteuid() == uid)) return 1;
        int error = errno;
        rmdir(path);
        return -error;
    }
    if (errno != EEXIST) return -errno;
    struct stat st;
    if (lstat(path, &st) < 0) return -errno;
    return S_ISDIR(st.st_mode) && st.st_uid == uid && (st.st_mode & 07777) == 0700 ? 0 : -EEXIST;
}

/* ------------------------------------------------------------------ memory */

void *faf_map(size_t count) {
    void *pages = mmap(NULL, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

void *faf_map_file(int fd, size_t count, int *error) {
    void *pages = mmap(NULL, count, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    *error = pages == MAP_FAILED ? errno : 0;
    return pages == MAP_FAILED ? NULL : pages;
}

void faf_unmap(void *pages, size_t count) { munmap(pages, count); }

/* ------------------------------------------------------------------ clocks and timers */

static uint64_t microseconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void faf_now(uint64_t *realtime_us, uint64_t *boottime_us) {
    *realtime_us = microseconds(CLOCK_REALTIME);
    *boottime_us = microseconds(CLOCK_BOOTTIME);
}

uint64_t faf_boottime(void) { return microseconds(CLOCK_BOOTTIME); }

int faf_timer(void) { return result(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)); }

int faf_timer_set(int fd, uint64_t boottime_us) {
    /* Far beyond any uptime, and still within time_t's arithmetic in the kernel. */
    const uint64_t furthest = (uint64_t)1 << 58;
    if (boottime_us > furthest) boottime_us = furthest;
    struct itimerspec time = {
        .it_value = {(time_t)(boottime_us / 1000000), (long)(boottime_us % 1000000) * 1000},
    };
    return result(timerfd_settime(fd, TFD_TIMER_ABSTIME, &time, NULL));
}

void faf_timer_read(int fd) {
    uint64_t count;
    if (read(fd, &count, sizeof count) < 0) return; /* EAGAIN: was set anew meanwhile */
}

void faf_sleep(uint64_t us) {
    struct timespec t = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
    while (nanosleep(&t, &t) < 0 && errno == EINTR) {}
}

uint64_t faf_random(uint64_t bound) {
    uint64_t value = 0;
    if (bound == 0 || getrandom(&value, sizeof value, 0) < 0) return 0;
    return value % bound;
}

/* ------------------------------------------------------------------ sockets */

/* Closes all descriptors of a control message but the first `keep`, which go to fds. Returns how many were kept. */
static unsigned take_descriptors(struct msghdr *message, int *fds, unsigned keep) {
    unsigned kept = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (kept < keep) fds[kept++] = fd;
            else close(fd);
        }
    }
    return kept;
}

ssize_t faf_receive(int socket, void *bytes, size_t count, int *fd, int *is_truncated) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct iovec part = {bytes, count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t n;
    do n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    *fd = -1;
    *is_truncated = 0;
    if (n < 0) return -errno;
    take_descriptors(&message, fd, 1);
    *is_truncated = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
    return n;
}

int faf_send(int socket, const void *bytes, size_t count) {
    ssize_t n = send(socket, bytes, count, MSG_NOSIGNAL);
    return n < 0 ? -errno : 0;
}

int faf_notify_socket(const char *path, uint32_t uid, uint32_t gid) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof address.sun_path) return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    int on = 1, error = 0;
    /* Before the name exists: a message without credentials could never be judged. */
    if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0) error = errno;
    if (!error) {
        mode_t before = umask(0177);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) error = errno;
        umask(before);
        if (error == EADDRINUSE) error = EEXIST;
    }
    /* The group has no rights: an ordinary user need not be able to give it away. */
    if (!error && lchown(path, uid, gid) < 0 && !(errno == EPERM && uid == geteuid())) {
        error = errno;
        unlink(path);
    }
    if (error) {
        close(fd);
        return -error;
    }
    return fd;
}

int faf_receive_datagram(int socket, void *bytes, size_t count, struct faf_datagram *datagram) {
    /* Room for the credentials, which come first, and four descriptors: the kernel closes what does not fit. */
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(FAF_NOTIFY_DESCRIPTORS * sizeof(int))];
    } control;
    struct iovec part = {bytes, count};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t n;
    do n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    memset(datagram, 0, sizeof *datagram);
    if (n < 0) return -errno;
    int fds[FAF_NOTIFY_DESCRIPTORS] = {-1, -1, -1, -1};
    datagram->fd_count = take_descriptors(&message, fds, FAF_NOTIFY_DESCRIPTORS);
    datagram->fd0 = fds[0];
    datagram->fd1 = fds[1];
    datagram->fd2 = fds[2];
    datagram->fd3 = fds[3];
    datagram->length = (uint32_t)n;
    int has_credentials = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS) continue;
        struct ucred sender;
        memcpy(&sender, CMSG_DATA(c), sizeof sender);
        datagram->pid = sender.pid;
        datagram->uid = sender.uid;
        has_credentials = 1;
    }
    datagram->is_whole = has_credentials && !(message.msg_flags & MSG_TRUNC);
    return 0;
}

void faf_close_datagram(const struct faf_datagram *datagram) {
    const int fds[FAF_NOTIFY_DESCRIPTORS] = {datagram->fd0, datagram->fd1, datagram->fd2, datagram->fd3};
    for (unsigned i = 0; i < datagram->fd_count; i++) faf_close(fds[i]);
}

int faf_tell_manager(const char *text) {
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path || !*path) return 0;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof address.sun_path) return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length);
    if (address.sun_path[0] == '@') address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    ssize_t n = sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
                       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
    int error = n < 0 ? -errno : 0;
    close(fd);
    return error;
}

int faf_check_seals(int fd) {
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0) return -errno;
    return (seals & (F_SEAL_SHRINK | F_SEAL_WRITE)) == (F_SEAL_SHRINK | F_SEAL_WRITE) ? 0 : -EPERM;
}

/* ------------------------------------------------------------------ signals, processes */

void faf_take_signals(int ignore_children) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    /* Raw, because glibc keeps two signals to itself, and whoever started us may have had them ignored. As large as any
     * architecture's struct of the kernel; all zeros is SIG_DFL without flags. */
    const uint64_t defaults[8] = {0};
    for (int i = 1; i <= 64; i++) syscall(SYS_rt_sigaction, i, defaults, NULL, sizeof(uint64_t));
    if (ignore_children) signal(SIGCHLD, SIG_IGN);
}

void faf_restore_child_signal(void) { signal(SIGCHLD, SIG_DFL); }

static int request_signal;

int faf_signal_descriptor(int offset) {
    sigset_t wanted;
    sigemptyset(&wanted);
    request_signal = SIGRTMIN + offset;
    sigaddset(&wanted, request_signal);
    sigaddset(&wanted, SIGCHLD);
    return result(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

int faf_read_signal(int fd, struct faf_signal *signal) {
    struct signalfd_siginfo info;
    ssize_t n;
    do n = read(fd, &info, sizeof info);
    while (n < 0 && errno == EINTR);
    if (n < 0) return -errno;
    if (n != sizeof info) return -EIO;
    signal->is_request = (int)info.ssi_signo == request_signal && info.ssi_code == SI_QUEUE;
    signal->uid = info.ssi_uid;
    signal->value = info.ssi_ptr;
    return 0;
}

int faf_fork(void) { return result(fork()); }
void faf_exit(int status) { _exit(status); }
int faf_self(void) { return getpid(); }

int faf_become_background(int first_unused) {
    umask(0);
    if (chdir("/") < 0) return -errno;
    setsid(); /* fails only for a leader, which has its session */
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) return -errno;
    for (int fd = 0; fd <= 2; fd++)
        if (null != fd && dup2(null, fd) < 0) return -errno;
    if (null > 2) close(null);
    return result(syscall(SYS_close_range, (unsigned)first_unused, ~0u, 0u));
}

int faf_set_subreaper(void) { return result(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)); }

void faf_avoid_oom(void) { faf_write_file("/proc/self/oom_score_adj", "-1000", 5); }

void faf_pause(void) { pause(); }

int faf_ended_child(void) {
    siginfo_t info = {0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0) return -errno;
    return info.si_pid;
}

static uint64_t from_timeval(struct timeval t) { return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec; }

int faf_reap(int pid, struct faf_ended *ended) {
    siginfo_t info = {0};
    struct rusage usage = {0};
    /* The raw call: glibc's has no place for the usage of exactly this child. */
    if (syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG, &usage) < 0) return -errno;
    if (info.si_pid == 0) return 0;
    *ended = (struct faf_ended){
        .pid = info.si_pid,
        .code = (uint32_t)info.si_code,
        .status = info.si_status,
        .user_us = from_timeval(usage.ru_utime),
        .system_us = from_timeval(usage.ru_stime),
        .max_resident_bytes = (uint64_t)usage.ru_maxrss * 1024,
        .minor_faults = (uint64_t)usage.ru_minflt,
        .major_faults = (uint64_t)usage.ru_majflt,
        .blocks_in = (uint64_t)usage.ru_inblock,
        .blocks_out = (uint64_t)usage.ru_oublock,
        .voluntary_switches = (uint64_t)usage.ru_nvcsw,
        .involuntary_switches = (uint64_t)usage.ru_nivcsw,
    };
    return info.si_pid;
}

int faf_pidfd(int pid) { return result(syscall(SYS_pidfd_open, pid, 0)); }

int faf_has_ended(int pidfd) {
    struct pollfd one = {pidfd, POLLIN, 0};
    return poll(&one, 1, 0) > 0;
}

int faf_signal_process(int pidfd, int signal) {
    return result(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int faf_wait(const struct faf_wait_set *set) {
    struct pollfd fds[6] = {
        {set->signals, POLLIN, 0}, {set->notify, POLLIN, 0}, {set->timer, POLLIN, 0},
        {set->events, POLLPRI, 0}, {set->main, POLLIN, 0}, {set->memory, POLLPRI, 0},
    };
    if (poll(fds, 6, -1) < 0) return errno == EINTR ? 0 : -errno;
    int bits = 0;
    for (int i = 0; i < 6; i++)
        if (fds[i].revents) bits |= 1 << i;
    return bits;
}
