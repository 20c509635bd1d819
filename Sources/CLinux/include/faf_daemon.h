/* System calls for LinuxSystem (fafd and faf), behind plain C functions.
 *
 * Convention: a function that can fail returns a non-negative result or -errno and leaves errno to nobody. EINTR is
 * retried here. Every descriptor made or received here is close-on-exec; it belongs to the caller. Nothing allocates
 * unless it says so. Paths are NUL-terminated.
 */
#ifndef FAF_DAEMON_H
#define FAF_DAEMON_H

#include <stddef.h>
#include <stdint.h>

/* "EACCES" for 13; NULL for an unknown number. Static storage. */
const char *fafd_errno_name(int error);
/* "Permission denied" for 13; NULL for an unknown number. Static storage. */
const char *fafd_errno_text(int error);

/* ------------------------------------------------------------------ files */

struct fafd_stat {
    uint64_t device, inode, size;
    uint32_t mode, uid, gid, links;
    int64_t modified_us; /* CLOCK_REALTIME */
};

enum fafd_open_flag {
    FAFD_OPEN_READ = 0,
    FAFD_OPEN_WRITE = 1u << 0,
    FAFD_OPEN_READ_WRITE = 1u << 1,
    FAFD_OPEN_CREATE = 1u << 2,
    FAFD_OPEN_EXCLUSIVE = 1u << 3,
    FAFD_OPEN_TRUNCATE = 1u << 4,
    FAFD_OPEN_APPEND = 1u << 5,
    FAFD_OPEN_DIRECTORY = 1u << 6,
    FAFD_OPEN_NOFOLLOW = 1u << 7,
    FAFD_OPEN_NONBLOCK = 1u << 8,
    FAFD_OPEN_PATH = 1u << 9,
};

/* openat(2), O_CLOEXEC | O_NOCTTY always. `directory` -1: the current one. */
int fafd_open(int directory, const char *path, uint32_t flags, uint32_t mode);
int fafd_close(int fd);
int fafd_duplicate(int fd, int at_least);
int64_t fafd_read(int fd, void *bytes, size_t n);
int64_t fafd_pread(int fd, void *bytes, size_t n, uint64_t offset);
int64_t fafd_write(int fd, const void *bytes, size_t n);
int fafd_truncate(int fd, uint64_t size);
int fafd_sync(int fd);
int fafd_rename(const char *from, const char *to);
int fafd_unlink(const char *path);
int fafd_make_directory(const char *path, uint32_t mode);
int fafd_remove_directory(const char *path);
/* A directory with all that is in it (remove_tree.c); 0 too if there is none. No link is followed. -EAGAIN: not done
 * within the limit, the next call goes on. */
int fafd_remove_tree(const char *path, uint64_t limit_us);
/* realpath(3); `out` has PATH_MAX bytes. */
int fafd_real_path(const char *path, char *out);
int fafd_change_mode(int fd, uint32_t mode);
int fafd_change_owner(int fd, uint32_t uid, uint32_t gid);
/* access(2) with the effective ids, for writing. */
int fafd_may_write(const char *path);
int fafd_stat_fd(int fd, struct fafd_stat *out);
int fafd_stat_path(int directory, const char *path, int follow, struct fafd_stat *out);
/* readlink(2); returns the length, not NUL-terminated. */
int64_t fafd_read_link(int directory, const char *path, char *out, size_t n);
/* 1 if the file lies on procfs, whose files answer with the reader's own secrets. */
int fafd_is_proc(int fd);
/* 1 if the file lies on a file system that asks no other machine and no other process (statfs(2)). */
int fafd_is_local(const char *path);

/* Directory listing: opens (allocates), then names one by one; 0 at the end. "." and ".." are left out. */
int fafd_list_open(const char *path, void **list);
int fafd_list_next(void *list, char *name, size_t n);
void fafd_list_close(void *list);

/* A memfd with these bytes, sealed against every change. */
int fafd_sealed_memory(const char *name, const void *bytes, size_t n);

/* Opens for reading with the rights of these ids, on the calling thread only (fsuid, fsgid and groups are per thread for
 * the kernel), and takes the own rights back. The process is ended if they cannot be taken back. O_NONBLOCK: opening a
 * FIFO does not wait. If the process may not change ids, it must have `uid` already (else -EPERM). */
int fafd_open_as(const char *path, uint32_t uid, uint32_t gid, const uint32_t *groups, size_t count);

/* ------------------------------------------------------------------ locks (POSIX, fcntl(2)) */

/* F_SETLK for writing on the whole file: 0, or -EAGAIN when somebody else holds it. */
int fafd_lock(int fd);
enum fafd_lock_state { FAFD_LOCK_FREE = 0, FAFD_LOCK_HELD = 1 };
/* F_GETLK: whether another process holds a lock, and who (0: not visible in this pid namespace). l_type is looked at
 * first: without a holder l_pid says nothing. */
int fafd_lock_holder(int fd, int32_t *pid);

/* ------------------------------------------------------------------ sockets (AF_UNIX) */

enum fafd_socket_kind { FAFD_SOCKET_STREAM = 1, FAFD_SOCKET_DATAGRAM = 2, FAFD_SOCKET_PACKET = 5 };

/* Longest path that fits sockaddr_un with its NUL. */
#define FAFD_SOCKET_PATH_MAX 107

int fafd_listen(const char *path, uint32_t mode, int backlog);
/* A descriptor that came with exec, made close-on-exec: the length of the path that it listens on, which is written to `path`
 * without a NUL. -EINVAL: not a listening AF_UNIX stream socket with a path. */
int64_t fafd_inherited_listener(int fd, char *path, size_t n);
int fafd_connect(const char *path, int kind);
int fafd_accept(int fd, int nonblocking);
int fafd_socket_pair(int kind, int fds[2]);
int fafd_set_nonblocking(int fd, int on);
/* SO_PEERCRED. */
int fafd_peer(int fd, int32_t *pid, uint32_t *uid, uint32_t *gid);
/* SO_PEERGROUPS: returns the number there is, which may be more than `count` (then nothing is written). */
int fafd_peer_groups(int fd, uint32_t *groups, size_t count);

/* sendmsg(2) with MSG_NOSIGNAL; `fds` may be NULL. */
int64_t fafd_send(int fd, const void *bytes, size_t n, const int *fds, size_t count);
/* recvmsg(2) with MSG_CMSG_CLOEXEC. Stores at most `count` descriptors and closes all others that came, also those of a
 * truncated control message. *truncated: the message or its descriptors did not fit. */
int64_t fafd_receive(int fd, void *bytes, size_t n, int *fds, size_t count, size_t *received, int *truncated);
/* poll(2) for one descriptor; events as POLLIN = 1, POLLPRI = 2, POLLOUT = 4. Returns revents, 0 on timeout. */
int fafd_poll(int fd, int events, int timeout_ms);

/* ------------------------------------------------------------------ waiting: epoll, eventfd, inotify */

struct fafd_event {
    uint32_t events;
    uint32_t reserved;
    uint64_t token;
};

enum fafd_event_flag { FAFD_EVENT_IN = 1, FAFD_EVENT_PRI = 2, FAFD_EVENT_OUT = 4, FAFD_EVENT_ERR = 8, FAFD_EVENT_HUP = 16,
                       FAFD_EVENT_ONCE = 1 << 30 };

int fafd_epoll(void);
int fafd_epoll_add(int epoll, int fd, uint32_t events, uint64_t token);
/* After an event that is reported once. */
int fafd_epoll_again(int epoll, int fd, uint32_t events, uint64_t token);
int fafd_epoll_remove(int epoll, int fd);
/* timeout_ms -1: none. */
int fafd_epoll_wait(int epoll, struct fafd_event *out, int count, int timeout_ms);

int fafd_eventfd(void);
int fafd_eventfd_signal(int fd);
int fafd_eventfd_drain(int fd);

int fafd_inotify(void);
int fafd_inotify_watch(int fd, const char *path, uint32_t mask);

#define FAFD_INOTIFY_MODIFY 0x2u
#define FAFD_INOTIFY_CLOSE_WRITE 0x8u
#define FAFD_INOTIFY_MOVED_TO 0x80u
#define FAFD_INOTIFY_CREATE 0x100u
#define FAFD_INOTIFY_DELETE 0x200u
#define FAFD_INOTIFY_DELETE_SELF 0x400u
#define FAFD_INOTIFY_OVERFLOW 0x4000u
#define FAFD_INOTIFY_IGNORED 0x8000u
#define FAFD_INOTIFY_ONLY_DIRECTORY 0x1000000u

/* ------------------------------------------------------------------ processes */

int fafd_pidfd_open(int32_t pid);
/* pidfd_send_signal(2), as kill(2) would. */
int fafd_pidfd_signal(int pidfd, int signal);
/* SIGRTMIN + offset with si_code SI_QUEUE and the 64-bit value. */
int fafd_pidfd_queue(int pidfd, int offset, uint64_t value);
/* waitid(P_PIDFD): 1 reaped, 0 still there. */
int fafd_reap(int pidfd);

enum fafd_spawn_step {
    FAFD_SPAWN_PREPARE = 1,
    FAFD_SPAWN_CLONE = 2,
    FAFD_SPAWN_SESSION = 3,
    FAFD_SPAWN_SIGNALS = 4,
    FAFD_SPAWN_DESCRIPTORS = 5,
    FAFD_SPAWN_EXEC = 6,
    FAFD_SPAWN_CGROUP = 7,
};

/* Starts the program behind `program` (execveat, AT_EMPTY_PATH) with argv {name, argument}, an empty environment, `socket` as
 * descriptor 3, /dev/null as 0 to 2 and nothing else, in a session of its own, at /, with default signals, in the cgroup
 * behind `cgroup` (-1: the caller's). Returns the pid and stores a pidfd; else -errno and *step. */
int fafd_spawn(int program, const char *name, const char *argument, int socket, int cgroup, int *pidfd, int *step);

/* PR_SET_CHILD_SUBREAPER. */
int fafd_become_subreaper(void);
/* Soft and hard limit; UINT64_MAX: none. */
int fafd_get_limit(int resource, uint64_t *soft, uint64_t *hard);
#define FAFD_LIMIT_OPEN_FILES 7
int fafd_set_soft_limit(int resource, uint64_t soft);
uint32_t fafd_uid(void);
uint32_t fafd_gid(void);
int32_t fafd_pid(void);
int fafd_own_groups(uint32_t *groups, size_t count);

/* A detached-from-signals POSIX thread: every signal is blocked in it, so handlers run elsewhere. Allocates. */
int fafd_thread(void (*body)(void *), void *context, const char *name);

/* ------------------------------------------------------------------ clocks, terminal */

int64_t fafd_boottime_us(void);
int64_t fafd_monotonic_us(void);
int64_t fafd_realtime_us(void);
void fafd_sleep_us(uint64_t us);
int fafd_is_terminal(int fd);
/* Columns of the terminal; 0: unknown. */
int fafd_window_width(int fd);

/* Unmaps what the program's own text has in memory (clean pages of its file, which come back from the page cache when
 * they are touched): most of it is of use only at the start. */
void fafd_give_back_program(void);

/* Pages of the heap that nothing lies in any more. Takes some ms with a large heap, during which allocation waits. */
void fafd_give_back_heap(void);

/* At most this many heaps from now on (mallopt(3), M_ARENA_MAX). */
void fafd_limit_heaps(int n);

#endif
