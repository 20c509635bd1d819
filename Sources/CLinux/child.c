/* From clone to exec: what runs here is C alone, allocates nothing and takes no lock. Everything was prepared before.
 *
 * System calls that change credentials are made raw: glibc's wrappers change all threads of a process, with locks.
 */
#define _GNU_SOURCE
#include "faf_linux.h"
#include "faf_record.h"
#include "faf_shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEFAULT_TIMER_SLACK_NS 50000
#define DEFAULT_OPEN_FILES 1024
#define GROUPS_ROOM 1024

struct failure {
    uint32_t step;
    int32_t error;
};

/* ------------------------------------------------------------------ the steps: 0 or -errno */

static int check_again(const struct faf_launch *launch) {
    char real[PATH_MAX], culprit[1];
    struct faf_check_result result;
    switch ((enum faf_check_problem)faf_check_script(launch->path, launch->owner, launch->allowed,
                                                     launch->allowed_count, real, sizeof real, culprit,
                                                     sizeof culprit, &result)) {
    case FAF_CHECK_OK:
        return result.device == launch->device && result.inode == launch->inode ? 0 : -ESTALE;
    case FAF_CHECK_SYSTEM: return -result.error;
    case FAF_CHECK_TOO_MANY_LINKS: return -ELOOP;
    case FAF_CHECK_PATH_TOO_LONG: return -ENAMETOOLONG;
    case FAF_CHECK_NOT_ABSOLUTE: return -EINVAL;
    case FAF_CHECK_NOT_REGULAR:
    case FAF_CHECK_NOT_EXECUTABLE: return -EACCES;
    default: return -EPERM;
    }
}

static int put_at(int fd, int place) {
    if (fd < 0) return -errno;
    if (dup2(fd, place) < 0) return -errno; /* fd is above 2: the shim keeps 0 to 2 open */
    close(fd);
    return 0;
}

static int open_null(int place, int flags) { return put_at(open("/dev/null", flags | O_CLOEXEC), place); }

static int open_without_links(const char *path) {
    struct open_how how = {
        .flags = O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC,
        .mode = 0600,
        .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
    return fd < 0 ? -errno : fd;
}

/* Symlinks in the directory's path are followed where only root can have made them. */
static int open_behind_links_of_root(const char *path) {
    const char *name = strrchr(path, '/');
    char directory[PATH_MAX], real[PATH_MAX];
    size_t length = (size_t)(name - path);
    if (length >= sizeof directory) return -ENAMETOOLONG;
    memcpy(directory, path, length);
    directory[length] = 0;
    if (length == 0) return -ELOOP;
    if (faf_resolve_directory(directory, 0, real, sizeof real) < 0) return -ELOOP;
    if (strlen(real) + strlen(name) >= sizeof real) return -ENAMETOOLONG;
    return open_without_links(strcat(real, name));
}

/* For appending, as root, in a directory that may be somebody else's: no symlink of theirs may send root's write
 * elsewhere, and what is there already must be a plain file with this one name. */
static int open_output(const char *path, int place) {
    int fd = open_without_links(path);
    if (fd == -ELOOP) fd = open_behind_links_of_root(path);
    if (fd < 0) return fd;
    struct stat st;
    int error = fstat(fd, &st) < 0 ? errno : S_ISREG(st.st_mode) && st.st_nlink <= 1 ? 0 : EINVAL;
    if (!error && fcntl(fd, F_SETFL, O_APPEND) < 0) error = errno; /* no O_NONBLOCK for the script */
    if (error) {
        close(fd);
        return -error;
    }
    return put_at(fd, place);
}

/* With the run's rights, and so wherever those may write. O_NOCTTY: a terminal must not become the session's.
 * `host`: the root directory as it is outside of the sandbox, which does not keep output from its file; or -1. */
static int open_own_file(int host, const char *path, uint32_t stream, int place) {
    if (!path) return -EINVAL;
    int flags = stream == FAF_STREAM_APPEND ? O_APPEND : stream == FAF_STREAM_TRUNCATE ? O_TRUNC : 0;
    /* O_NONBLOCK: a fifo that nobody reads is refused (ENXIO) instead of waited for. */
    struct open_how how = {
        .flags = (uint64_t)(O_WRONLY | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | flags),
        .mode = 0666,
        .resolve = host < 0 ? 0 : RESOLVE_IN_ROOT,
    };
    int fd = (int)syscall(SYS_openat2, host < 0 ? AT_FDCWD : host, path, &how, sizeof how);
    if (fd >= 0 && fcntl(fd, F_SETFL, flags & O_APPEND) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return put_at(fd, place);
}

/* What the supervisor opens itself, before the ids are dropped; nothing yet for the others. */
static int open_log(const char *path, uint32_t stream, int place) {
    if (stream == FAF_STREAM_SAME || (place == 2 && stream == FAF_STREAM_LOG && !path))
        return dup2(1, 2) < 0 ? -errno : 0;
    return stream == FAF_STREAM_LOG && path ? open_output(path, place) : open_null(place, O_WRONLY);
}

/* What is opened with the run's rights. */
static int open_stream(const struct faf_launch *launch, int host, uint32_t stream, const char *path, int place) {
    switch ((enum faf_stream)stream) {
    case FAF_STREAM_LOG:
    case FAF_STREAM_NULL: return 0;
    case FAF_STREAM_JOURNAL: return dup2(launch->journal, place) < 0 ? -errno : 0;
    case FAF_STREAM_FILE:
    case FAF_STREAM_APPEND:
    case FAF_STREAM_TRUNCATE: return open_own_file(host, path, stream, place);
    case FAF_STREAM_SAME: return place == 2 ? dup2(1, 2) < 0 ? -errno : 0 : -EINVAL;
    }
    return -EINVAL;
}

static int empty_mask(void) {
    const uint64_t none = 0;
    return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none) < 0 ? -errno : 0;
}

static int set_limits(const struct faf_launch *launch) {
    int has_files = 0;
    for (size_t i = 0; i < launch->limit_count; i++) {
        struct rlimit limit = {launch->limits[i].soft, launch->limits[i].hard};
        if (setrlimit(launch->limits[i].resource, &limit) < 0) return -errno;
        has_files |= launch->limits[i].resource == RLIMIT_NOFILE;
    }
    if (has_files) return 0;
    /* Whatever fafd needs itself: select(2) breaks above 1024. */
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0) return -errno;
    files.rlim_cur = files.rlim_max < DEFAULT_OPEN_FILES ? files.rlim_max : DEFAULT_OPEN_FILES;
    return setrlimit(RLIMIT_NOFILE, &files) < 0 ? -errno : 0;
}

static int set_scheduling(const struct faf_launch *launch) {
    if (prctl(PR_SET_TIMERSLACK, DEFAULT_TIMER_SLACK_NS, 0, 0, 0) < 0) return -errno;
    if (sched_getscheduler(0) != SCHED_OTHER) {
        struct sched_param plain = {0};
        /* EPERM: an ordinary user's supervisor under SCHED_IDLE cannot give more than it has. */
        if (sched_setscheduler(0, SCHED_OTHER, &plain) < 0 && errno != EPERM) return -errno;
    }
    int wanted = launch->set_nice ? launch->nice : 0;
    errno = 0;
    if (getpriority(PRIO_PROCESS, 0) == wanted && errno == 0) return 0;
    if (setpriority(PRIO_PROCESS, 0, wanted) == 0) return 0;
    /* Without privileges a supervisor that was started nice cannot give its tasks more than it has. */
    return launch->set_nice ? -errno : 0;
}

static int reset_oom_score(void) {
    int error = faf_write_file("/proc/self/oom_score_adj", "0", 1);
    /* Below what an unprivileged manager was given (systemd --user: 200) only root may go. */
    return error == -EACCES || error == -EPERM || error == -ENOENT ? 0 : error;
}

static int set_groups(const struct faf_launch *launch) {
    if (syscall(SYS_setgroups, launch->group_count, launch->groups) < 0) return -errno;
    uint32_t now[GROUPS_ROOM];
    long count = syscall(SYS_getgroups, 0, NULL);
    if (count < 0) return -errno;
    if ((size_t)count != launch->group_count) return -EPERM;
    if (count > GROUPS_ROOM) return 0; /* the kernel sorts them: comparing needs room */
    if (syscall(SYS_getgroups, GROUPS_ROOM, now) < 0) return -errno;
    for (size_t i = 0; i < launch->group_count; i++) {
        int is_there = 0;
        for (long k = 0; k < count; k++) is_there |= now[k] == launch->groups[i];
        if (!is_there) return -EPERM;
    }
    return 0;
}

static int set_gid(uint32_t gid) {
    if (gid == UINT32_MAX) return -EINVAL; /* "no change" to the kernel */
    if (syscall(SYS_setresgid, gid, gid, gid) < 0) return -errno;
    uint32_t real, effective, saved;
    if (syscall(SYS_getresgid, &real, &effective, &saved) < 0) return -errno;
    return real == gid && effective == gid && saved == gid ? 0 : -EPERM;
}

static int set_uid(uint32_t uid) {
    if (uid == UINT32_MAX) return -EINVAL;
    if (syscall(SYS_setresuid, uid, uid, uid) < 0) return -errno;
    uint32_t real, effective, saved;
    if (syscall(SYS_getresuid, &real, &effective, &saved) < 0) return -errno;
    return real == uid && effective == uid && saved == uid ? 0 : -EPERM;
}

static int set_death_signal(int parent) {
    /* After the change of ids, which clears it. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) return -errno;
    return getppid() == parent ? 0 : -ESRCH;
}

/* The keys of fafd's session, and with them those of all other tasks, are not for the script: possession is checked by
 * keyring, not by uid (keyrings(7)). Made as root, whose quota has room. A container may forbid the call; then its keys
 * are nobody's either. */
static void leave_session_keyring(void) { syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL); }

static int enter_directory(const struct faf_launch *launch) {
    if (chdir(launch->directory) == 0) return 0;
    if (!launch->directory_is_optional || (errno != ENOENT && errno != ENOTDIR)) return -errno;
    return chdir("/") < 0 ? -errno : 0;
}

/* ------------------------------------------------------------------ the child */

#define STEP(name, call)                                  \
    do {                                                  \
        int error_ = (call);                              \
        if (error_ < 0) return (struct failure){name, -error_}; \
    } while (0)

static void write_pid(char *text) {
    char digits[12];
    size_t n = 0;
    for (unsigned pid = (unsigned)getpid(); n == 0 || pid > 0; pid /= 10) digits[n++] = (char)('0' + pid % 10);
    while (n > 0) *text++ = digits[--n];
    *text = 0;
}

static struct failure become_script(const struct faf_launch *launch, int parent) {
    uint32_t step = FAF_STEP_NONE;
    STEP(FAF_STEP_SETSID, setsid() < 0 ? -errno : 0);
    /* Before the sandbox: it may hide these, or make them read-only. */
    STEP(FAF_STEP_STDIN, open_null(0, O_RDONLY));
    STEP(FAF_STEP_STDOUT, open_log(launch->output, launch->output_stream, 1));
    STEP(FAF_STEP_STDERR, open_log(launch->errors, launch->errors_stream, 2));
    STEP(FAF_STEP_OOM_SCORE, reset_oom_score());
    int host = -1;
    if (launch->sandbox.flags & FAF_SANDBOX_MOUNTS) {
        host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (host < 0) return (struct failure){FAF_STEP_MOUNT_NAMESPACE, errno};
    }
    STEP(step, faf_enter_sandbox(&launch->sandbox, &step));
    /* In it: what is checked is what will be executed there. */
    STEP(FAF_STEP_SCRIPT_CHECK, check_again(launch));
    STEP(FAF_STEP_LIMITS, set_limits(launch));
    STEP(FAF_STEP_NICE, set_scheduling(launch));
    umask(launch->umask);
    leave_session_keyring();
    STEP(FAF_STEP_CAPABILITIES, faf_limit_capabilities(&launch->sandbox));
    if (launch->change_user) {
        STEP(FAF_STEP_GROUPS, set_groups(launch));
        STEP(FAF_STEP_GID, set_gid(launch->gid));
        STEP(FAF_STEP_UID, set_uid(launch->uid));
    }
    STEP(FAF_STEP_CAPABILITIES, faf_take_capabilities(&launch->sandbox));
    STEP(FAF_STEP_STDOUT, open_stream(launch, host, launch->output_stream, launch->output_file, 1));
    STEP(FAF_STEP_STDERR, open_stream(launch, host, launch->errors_stream, launch->errors_file, 2));
    if (launch->death_signal) STEP(FAF_STEP_SIGNALS, set_death_signal(parent));
    STEP(FAF_STEP_CHDIR, enter_directory(launch));
    if (launch->no_new_privileges)
        STEP(FAF_STEP_NO_NEW_PRIVILEGES, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0);
    /* Marked rather than closed: the report has to stay open until exec closes it. */
    STEP(FAF_STEP_CLOSE_RANGE, syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) < 0 ? -errno : 0);
    STEP(FAF_STEP_SIGNALS, empty_mask());
    if (launch->watchdog_pid) write_pid(launch->watchdog_pid);
    execve(launch->path, (char *const *)launch->arguments, (char *const *)launch->environment);
    return (struct failure){FAF_STEP_EXEC, errno};
}

int faf_start(const struct faf_launch *launch, int *pid, int *pidfd, int *report) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
    struct clone_args args = {
        .flags = CLONE_PIDFD | (launch->cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
        .pidfd = (uint64_t)(uintptr_t)pidfd,
        .exit_signal = SIGCHLD,
        .cgroup = launch->cgroup >= 0 ? (uint64_t)launch->cgroup : 0,
    };
    int parent = getpid();
    long child = syscall(SYS_clone3, &args, sizeof args);
    if (child < 0) {
        int error = errno;
        close(ends[0]);
        close(ends[1]);
        return -error;
    }
    if (child == 0) {
        struct failure failure = become_script(launch, parent);
        while (write(ends[1], &failure, sizeof failure) < 0 && errno == EINTR) {}
        _exit(127);
    }
    close(ends[1]);
    *pid = (int)child;
    *report = ends[0];
    return 0;
}

int faf_started(int report, uint32_t *step) {
    struct failure failure;
    ssize_t n;
    do n = read(report, &failure, sizeof failure);
    while (n < 0 && errno == EINTR);
    int error = errno;
    close(report);
    *step = FAF_STEP_NONE;
    if (n == 0) return 0;
    if (n != sizeof failure) {
        *step = FAF_STEP_CLONE;
        return n < 0 ? -error : -EIO;
    }
    *step = failure.step;
    return -failure.error;
}
