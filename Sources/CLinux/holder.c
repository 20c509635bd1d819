/* faf-tasks.service: the process that keeps the tasks' cgroup subtree while supervisors come and go. */
#define _GNU_SOURCE
#include "faf_shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int append(char *text, size_t size, const char *more) {
    if (strlen(text) + strlen(more) + 1 > size) return -ENAMETOOLONG;
    strcat(text, more);
    return 0;
}

/* Where the cgroup v2 hierarchy is mounted: the field before " - cgroup2 " in mountinfo. */
static int find_hierarchy(char *text, size_t size) {
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    if (!mounts) return -errno;
    char line[4096], place[PATH_MAX], root[PATH_MAX];
    int error = -ENOENT;
    while (error && fgets(line, sizeof line, mounts)) {
        if (!strstr(line, " - cgroup2 ")) continue;
        if (sscanf(line, "%*s %*s %*s %4095s %4095s", root, place) != 2) continue;
        text[0] = 0;
        error = append(text, size, place);
    }
    fclose(mounts);
    return error;
}

static int find_own_cgroup(char *text, size_t size) {
    char name[1024];
    int error = find_hierarchy(text, size);
    ssize_t length = error ? error : faf_cgroup_of(getpid(), name, sizeof name);
    if (length < 0) return (int)length;
    return strcmp(name, "/") == 0 ? 0 : append(text, size, name);
}

static int write_in(const char *directory, const char *file, const char *text) {
    char path[PATH_MAX] = "";
    int error = append(path, sizeof path, directory);
    if (!error) error = append(path, sizeof path, file);
    return error ? error : faf_write_file(path, text, strlen(text));
}

/* One by one: a controller that some machine lacks must not cost the others. */
static void enable_controllers(const char *directory) {
    static const char *const wanted[] = {"+cpu", "+memory", "+pids", "+io", "+cpuset"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        write_in(directory, "/cgroup.subtree_control", wanted[i]);
}

static int write_path(const char *file, const char *text) {
    char aside[PATH_MAX] = "";
    int error = append(aside, sizeof aside, file);
    if (!error) error = append(aside, sizeof aside, ".new");
    if (error) return error;
    unlink(aside);
    int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0) return -errno;
    error = faf_write_all(fd, text, strlen(text));
    if (!error) error = faf_write_all(fd, "\n", 1);
    close(fd);
    if (!error && rename(aside, file) < 0) error = -errno;
    if (error) unlink(aside);
    return error;
}

int faf_make_subtree(const char *cgroup, const char *file) {
    static const char *const folders[] = {"/hold", "/shims", "/t"};
    char base[PATH_MAX] = "", path[PATH_MAX];
    int error = cgroup ? append(base, sizeof base, cgroup) : find_own_cgroup(base, sizeof base);
    if (error) return error;
    for (size_t length = strlen(base); length > 1 && base[length - 1] == '/'; length--) base[length - 1] = 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        path[0] = 0;
        error = append(path, sizeof path, base);
        if (!error) error = append(path, sizeof path, folders[i]);
        /* New ones, where nothing is left of before: see fafd_spawn on cgroup.kill. */
        if (!error) rmdir(path);
        if (!error && mkdir(path, 0755) < 0 && errno != EEXIST) error = -errno;
        if (error) return error;
    }
    /* What --stop-all has closed, if the cgroup is still the one of then. */
    write_in(base, "/t/cgroup.max.descendants", "max");
    write_in(base, "/shims/pids.max", "max");
    /* Out of the subtree's root first: where controllers are enabled no process may be. */
    error = write_in(base, "/hold/cgroup.procs", "0");
    if (error) return error;
    enable_controllers(base);
    path[0] = 0;
    append(path, sizeof path, base);
    append(path, sizeof path, "/t");
    enable_controllers(path);
    return write_path(file, base);
}

void faf_say_error(int error) { dprintf(2, "%s\n", strerror(error)); }
