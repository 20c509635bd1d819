/* faf-tasks.service is stopped: ask every shim, whoever started it, to stop its task. */
#define _GNU_SOURCE
#include "faf_record.h"
#include "faf_shim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int join(char *path, size_t size, const char *directory, const char *name) {
    int length = snprintf(path, size, "%s%s", directory, name);
    return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

int faf_read_tree(const char *runtime, char *tree, size_t size) {
    char path[PATH_MAX];
    int error = join(path, sizeof path, runtime, "/tasks");
    if (error) return error;
    ssize_t length = faf_read_file(path, tree, size - 1);
    if (length < 0) return (int)length;
    tree[length] = 0;
    tree[strcspn(tree, "\n")] = 0;
    return tree[0] == '/' ? 0 : -EBADMSG;
}

int faf_write_in(const char *directory, const char *file, const char *text) {
    char path[PATH_MAX];
    int error = join(path, sizeof path, directory, file);
    return error ? error : faf_write_file(path, text, strlen(text));
}

int faf_has_processes(const char *directory, const char *child) {
    char path[PATH_MAX], name[PATH_MAX], text[256];
    int error = join(name, sizeof name, child, "/cgroup.events");
    if (!error) error = join(path, sizeof path, directory, name);
    if (error) return error;
    ssize_t length = faf_read_file(path, text, sizeof text - 1);
    if (length == -ENOENT || length == -ENODEV) return 0;
    if (length < 0) return (int)length;
    text[length] = 0;
    return strstr(text, "populated 1") != NULL;
}

/* The pidfd means whoever has the number now: it has to be in the cgroup still. */
static int is_still_in(int pid, const char *child) {
    char name[PATH_MAX];
    ssize_t length = faf_cgroup_of(pid, name, sizeof name);
    size_t suffix = strlen(child);
    return length >= (ssize_t)suffix && strcmp(name + length - suffix, child) == 0;
}

void faf_kill_processes(const char *directory, const char *child) {
    char path[PATH_MAX], name[PATH_MAX];
    if (join(name, sizeof name, child, "/cgroup.procs") || join(path, sizeof path, directory, name)) return;
    FILE *processes = fopen(path, "re");
    if (!processes) return;
    int pid;
    while (fscanf(processes, "%d", &pid) == 1) {
        int pidfd = pid > 0 ? faf_pidfd(pid) : -1;
        if (pidfd >= 0 && is_still_in(pid, child)) faf_signal_process(pidfd, SIGKILL);
        faf_close(pidfd);
    }
    fclose(processes);
}

/* The process that holds the write lock: 0: nobody; -ESRCH: somebody who cannot be seen from here. */
static int lock_holder(int fd) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_GETLK, &lock) < 0) return -errno;
    /* Without a holder l_pid says nothing. */
    if (lock.l_type == F_UNLCK) return 0;
    return lock.l_pid > 0 ? lock.l_pid : -ESRCH;
}

static void queue(int pidfd, uint64_t value) {
    siginfo_t info = {.si_signo = SIGRTMIN + FAF_STOP_SIGNAL_OFFSET, .si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = (void *)(uintptr_t)value;
    syscall(SYS_pidfd_send_signal, pidfd, info.si_signo, &info, 0);
}

/* 1: somebody holds the record. */
static int ask(int directory, const char *name, uint64_t value) {
    int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return 0;
    int holder = lock_holder(fd);
    if (holder > 0 && value != 0) {
        int pidfd = faf_pidfd(holder);
        if (pidfd >= 0 && lock_holder(fd) == holder) queue(pidfd, value);
        faf_close(pidfd);
    }
    close(fd);
    return holder != 0;
}

int faf_ask_shims(const char *runtime, uint64_t value) {
    char path[PATH_MAX];
    int error = join(path, sizeof path, runtime, "/runs");
    if (error) return error;
    DIR *records = opendir(path);
    if (!records) return errno == ENOENT ? 0 : -errno;
    int held = 0;
    for (struct dirent *entry; (entry = readdir(records));) {
        /* A record has its final name before its attempt has a cgroup, and all that was made before has one. */
        if (entry->d_name[0] != '.') held += ask(dirfd(records), entry->d_name, value);
    }
    closedir(records);
    return held;
}

void faf_say_count(const char *what, int count) { dprintf(2, "faf-shim: %s %d\n", what, count); }
