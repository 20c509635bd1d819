/* What faf-shim needs from the kernel. The convention of faf_linux.h holds: a non-negative result or -errno, every
 * descriptor close-on-exec, nothing allocated. One thread: nothing here is meant for a program that has several.
 */
#ifndef FAF_SHIM_H
#define FAF_SHIM_H

#include "faf_sandbox.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Embedded Swift has no errno.h of its own. */
static const int32_t FAF_EBADMSG = EBADMSG, FAF_ECHILD = ECHILD, FAF_EEXIST = EEXIST, FAF_EMSGSIZE = EMSGSIZE,
                     FAF_ENAMETOOLONG = ENAMETOOLONG, FAF_ENOENT = ENOENT, FAF_ENOMEM = ENOMEM, FAF_ESRCH = ESRCH;

/* ------------------------------------------------------------------ arguments (Embedded Swift has no CommandLine here) */

int faf_argument_count(void);
/* NULL behind the last one. */
const char *faf_argument(int index);
/* getenv(3). */
const char *faf_environment(const char *name);

/* ------------------------------------------------------------------ files */

enum faf_open_mode {
    FAF_OPEN_READ = 0,
    FAF_OPEN_DIRECTORY = 1,
    FAF_OPEN_WRITE = 2,     /* O_WRONLY */
    FAF_OPEN_EXCLUSIVE = 3, /* O_RDWR|O_CREAT|O_EXCL, mode 0600 */
};
int faf_open(const char *path, uint32_t mode);
void faf_close(int fd);
int faf_unlink(const char *path);
int faf_rmdir(const char *path);
int faf_mkdir(const char *path, uint32_t mode);
/* link(2): -EEXIST when the new name is taken. */
int faf_link(const char *from, const char *to);
int faf_rename(const char *from, const char *to);
int faf_fsync(int fd);
/* Writes all or fails; -ENOSPC for a write that makes no progress. */
int faf_write_all(int fd, const void *bytes, size_t count);
/* pwritev(2) of two parts in one call, so that a reader is told once. Short writes are -ENOSPC. */
int faf_write_at(int fd, const void *head, size_t head_count, const void *tail, size_t tail_count, uint64_t offset);
ssize_t faf_read_at(int fd, void *bytes, size_t count, uint64_t offset);
ssize_t faf_read_file(const char *path, void *bytes, size_t count);
/* Opens, writes in one call, closes: for the kernel's files. */
int faf_write_file(const char *path, const void *bytes, size_t count);
int64_t faf_file_size(int fd);
/* F_SETLK of a write lock on the whole file: lives until the first close of that file in this process. */
int faf_lock_for_life(int fd);
/* Mode 0700 directory of uid:gid. An existing one counts if it is exactly that. 1: made; 0: was there. */
int faf_make_private_directory(const char *path, uint32_t uid, uint32_t gid);

/* ------------------------------------------------------------------ memory */

/* Anonymous zeroed pages, which count only once they are touched. NULL: no memory. */
void *faf_map(size_t count);
/* A private, writable view of a file: changes stay here. NULL with *error. */
void *faf_map_file(int fd, size_t count, int *error);
void faf_unmap(void *pages, size_t count);

/* ------------------------------------------------------------------ clocks and timers */

void faf_now(uint64_t *realtime_us, uint64_t *boottime_us);
uint64_t faf_boottime(void);
/* timerfd on CLOCK_BOOTTIME, non-blocking. */
int faf_timer(void);
/* Absolute; 0 disarms; a time that has passed fires at once. */
int faf_timer_set(int fd, uint64_t boottime_us);
void faf_timer_read(int fd);
void faf_sleep(uint64_t us);
/* Evenly from 0 up to `bound`, which is not reached; 0 for 0. */
uint64_t faf_random(uint64_t bound);

/* ------------------------------------------------------------------ sockets */

/* One datagram of SOCK_SEQPACKET, blocking, EINTR retried. 0: end of file. The first descriptor that came goes to *fd
 * (else -1), others are closed; *is_truncated says that the message was longer. */
ssize_t faf_receive(int socket, void *bytes, size_t count, int *fd, int *is_truncated);
/* MSG_NOSIGNAL. */
int faf_send(int socket, const void *bytes, size_t count);

/* SOCK_DGRAM with SO_PASSCRED, bound to `path`, mode 0600 of uid:gid whatever the umask is. Non-blocking. */
int faf_notify_socket(const char *path, uint32_t uid, uint32_t gid);

#define FAF_NOTIFY_DESCRIPTORS 4
struct faf_datagram {
    int32_t pid; /* 0: not visible from here */
    uint32_t uid;
    uint32_t length;
    uint32_t is_whole;    /* neither text nor credentials are missing */
    uint32_t fd_count;    /* descriptors that came along: give them back with faf_close_datagram */
    int32_t fd0, fd1, fd2, fd3; /* more than four are closed by the kernel */
};
/* -EAGAIN when there is none. */
int faf_receive_datagram(int socket, void *bytes, size_t count, struct faf_datagram *datagram);
void faf_close_datagram(const struct faf_datagram *datagram);

/* ------------------------------------------------------------------ the holder (holder.c) */

/* Makes hold/, shims/ and t/ below `cgroup` (NULL: this process's own), goes into hold/, enables what controllers there
 * are down to the attempts, and writes the absolute path of `cgroup` to `file` (aside, then renamed). */
int faf_make_subtree(const char *cgroup, const char *file);
/* strerror(3) and a newline to standard error. */
void faf_say_error(int error);
/* sd_notify(3) of one message to $NOTIFY_SOCKET; 0 without one. */
int faf_tell_manager(const char *message);

/* memfd that holds a large launch specification: -EPERM unless it is sealed against writing and shrinking. */
int faf_check_seals(int fd);

/* ------------------------------------------------------------------ signals, processes */

/* Blocks every signal, SIG_DFL for all but SIGCHLD, which is ignored if so asked: children need no wait then. Scripts
 * inherit the dispositions: nothing else may change one. */
void faf_take_signals(int ignore_children);
void faf_restore_child_signal(void);
/* signalfd of SIGCHLD and SIGRTMIN+`offset`, non-blocking. */
int faf_signal_descriptor(int offset);
struct faf_signal {
    uint32_t is_request; /* SIGRTMIN+offset with si_code SI_QUEUE; else SIGCHLD or nothing that counts */
    uint32_t uid;        /* as the sender says */
    uint64_t value;
};
/* -EAGAIN when there is none. */
int faf_read_signal(int fd, struct faf_signal *signal);

int faf_fork(void);
void faf_exit(int status) __attribute__((noreturn));
int faf_self(void);
/* setsid(2), no descriptors from `first_unused` on, 0-2 to /dev/null, umask 0, directory /. */
int faf_become_background(int first_unused);
int faf_set_subreaper(void);
/* As far as it is allowed. */
void faf_avoid_oom(void);
void faf_pause(void);

struct faf_ended {
    int32_t pid;
    uint32_t code; /* CLD_EXITED, CLD_KILLED, CLD_DUMPED */
    int32_t status;
    uint64_t user_us, system_us, max_resident_bytes;
    uint64_t minor_faults, major_faults, blocks_in, blocks_out, voluntary_switches, involuntary_switches;
};
/* The pid of a child that has ended and is still to be reaped; 0: none has; -ECHILD: there is no child. */
int faf_ended_child(void);
/* Reaps that one. 0: has not ended. */
int faf_reap(int pid, struct faf_ended *ended);

int faf_pidfd(int pid);
/* 0: still runs, also when it is nobody's child here; 1: has ended. */
int faf_has_ended(int pidfd);
int faf_signal_process(int pidfd, int signal);

/* Waits for any of these that is >= 0, without a time limit: the timer is one of them. A set of bits. */
struct faf_wait_set {
    int signals, notify, timer, events, main, memory;
};
enum faf_wait_bit {
    FAF_WAIT_SIGNALS = 1,
    FAF_WAIT_NOTIFY = 2,
    FAF_WAIT_TIMER = 4,
    FAF_WAIT_EVENTS = 8, /* POLLPRI: cgroup.events changed since it was read */
    FAF_WAIT_MAIN = 16,
    FAF_WAIT_MEMORY = 32, /* POLLPRI: memory.events changed since it was read */
};
int faf_wait(const struct faf_wait_set *set);

/* ------------------------------------------------------------------ launching the script (child.c) */

struct faf_limit {
    uint32_t resource, reserved;
    uint64_t soft, hard;
};

/* All of it prepared before: the child neither allocates nor returns. */
struct faf_launch {
    const char *path;                 /* what execve gets, and what is checked again */
    const char *const *arguments;     /* ends with NULL, never empty */
    const char *const *environment;   /* ends with NULL */
    const char *directory;
    const char *output, *errors;      /* NULL: /dev/null; errors NULL: the same as output */
    const char *output_file, *errors_file; /* opened with the run's rights; NULL: none */
    const char *const *allowed;
    size_t allowed_count;
    const uint32_t *groups;
    size_t group_count;
    const struct faf_limit *limits;
    size_t limit_count;
    uint64_t device, inode;
    uint32_t owner;
    uint32_t uid, gid, umask;
    int32_t nice;
    uint32_t change_user, set_nice, no_new_privileges, directory_is_optional, death_signal;
    uint32_t output_stream, errors_stream; /* enum faf_stream */
    char *watchdog_pid; /* where the child writes its pid, in `environment`, with room for it; NULL: nowhere */
    int32_t journal; /* from faf_journal_stream, or -1; stays the caller's */
    int32_t cgroup; /* descriptor of its directory, or -1 */
    struct faf_sandbox sandbox; /* all zeros: none */
};

/* What journald is told of a stream; no text has a newline. */
struct faf_journal_words {
    const char *identifier;
    /* Of writers that are gone before journald can look at their cgroup; believed if root connects. */
    const char *unit;
    /* The stream's first line. journald gives all lines of a stream one id, and for a writer that is gone that is all it
     * tells of where the line comes from; this line, whose writer is still there, tells whose the id is. */
    const char *mark;
    uint32_t level_prefix; /* 1: <N> at the beginning of a line is its priority */
};

/* A connection to journald on which a script may write: its descriptor, or -errno; -ETIMEDOUT after a second.
 *
 * To be made by another process than the script's: then journald takes the credentials of each line's writer for the
 * trusted fields, and the mark's are ours. */
int faf_journal_stream(const char *path, const struct faf_journal_words *words);

/* clone3(2), into the cgroup if there is one. 0 with *pid, *pidfd and *report, or -errno: nothing was started. */
int faf_start(const struct faf_launch *launch, int *pid, int *pidfd, int *report);
/* Waits until the child is past execve (0) or has failed: -errno with *step (enum faf_step). Closes the report. */
int faf_started(int report, uint32_t *step);

/* The real path of a directory that only root and `owner` can have arranged: every directory on the way and those of the
 * symlinks, by the rules of the script check (check.c). "" is the root directory. -EPERM: somebody else could. */
int faf_resolve_directory(const char *path, uint32_t owner, char *real, size_t real_size);

/* ------------------------------------------------------------------ the attempt's processes (processes.c) */

/* Where the process lies in the cgroup v2 hierarchy ("/…"). Length; -ESRCH when it is gone. */
ssize_t faf_cgroup_of(int pid, char *text, size_t size);
/* 1: `path` is `cgroup` or lies below it. */
int faf_is_in_cgroup(int pid, const char *cgroup, size_t length);
/* 1: a descendant of this process; 0: not; -ESRCH: gone. */
int faf_is_descendant(int pid);

/* Sends to every process of the cgroup (and of those below it), frozen meanwhile so that no fork escapes, then SIGCONT
 * to each if `resume`, which also thaws what somebody else had frozen. Returns how many were found. `cgroup`: descriptor of the directory; `name`, `length`: as
 * faf_cgroup_of says it. Signal 0 counts only, and does not freeze. */
int faf_signal_cgroup(int cgroup, const char *name, size_t length, int signal, int resume);
/* cgroup.kill; where the kernel has none, SIGKILL to each while frozen. */
int faf_kill_cgroup(int cgroup, const char *name, size_t length);
/* The same for all descendants of this process, found through /proc. */
int faf_signal_descendants(int signal, int resume);

/* How much the processes of the cgroup (of this process: its descendants) have written in all, to whatever with write(2)
 * and the like: wchar of proc_pid_io(5), with that of the children that they waited for. UINT64_MAX: one of them may not
 * be looked at. */
uint64_t faf_cgroup_written(int cgroup);
uint64_t faf_descendants_written(void);

/* 1: populated; 0: empty, or the cgroup is gone. `events`: descriptor of cgroup.events. */
int faf_is_populated(int events);
/* 1: every process of it is frozen; 0: not; -1: the cgroup is gone. */
int faf_is_frozen(int events);
/* cgroup.freeze. */
int faf_freeze(int cgroup, int on);
int faf_open_in(int directory, const char *name);
/* The number behind `key` ("" for a file that is one number) in a file of the cgroup; UINT64_MAX: unknown. */
uint64_t faf_cgroup_number(int cgroup, const char *file, const char *key);
/* The same of an open file, which is read from its beginning. */
uint64_t faf_number_at(int fd, const char *key);
/* What a file of the cgroup says, as far as there is room; "": no such file. */
void faf_cgroup_text(int cgroup, const char *file, char *text, size_t size);
/* As faf_cgroup_number, of what was read. */
uint64_t faf_number_in(const char *text, const char *key);
/* io.stat, all devices together; UINT64_MAX: unknown. */
struct faf_io {
    uint64_t read_bytes, written_bytes, reads, writes;
};
void faf_cgroup_io(int cgroup, struct faf_io *io);
int faf_write_in_cgroup(int cgroup, const char *file, const char *text);

/* ------------------------------------------------------------------ --stop-all (stop.c) */

/* The cgroup subtree that the file `tasks` of the runtime directory names, NUL-terminated. */
int faf_read_tree(const char *runtime, char *tree, size_t size);
/* Writes `text` to `file` ("/t/cgroup.kill") below `directory`; -ENOENT where the kernel has no such file. */
int faf_write_in(const char *directory, const char *file, const char *text);
/* 1: processes below `directory``child`; 0: none, or no such cgroup. */
int faf_has_processes(const char *directory, const char *child);
/* SIGKILL to each process of `directory``child`; those that come meanwhile are for the next call. */
void faf_kill_processes(const char *directory, const char *child);
/* Sends SIGRTMIN+1 with `value` to whoever holds the lock of a record in `runtime`/runs; 0 sends nothing. A pid counts
 * only if it still holds the lock once its pidfd is open, so no recycled one is hit. Returns how many hold one. */
int faf_ask_shims(const char *runtime, uint64_t value);
/* "faf-shim: WHAT COUNT\n" to standard error. */
void faf_say_count(const char *what, int count);

#endif
