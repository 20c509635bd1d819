/* Removes what somebody else has left in a directory of ours, however deep, as root and for whatever it is. */
#define _GNU_SOURCE
#include "faf_daemon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct removal {
    int top;
    uint64_t deadline_us, moved;
};

static uint64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int is_dot(const char *name) { return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])); }

/* To the top, under a name that is free there: so depth costs neither descriptors nor stack. */
static int move_up(struct removal *removal, int directory, const char *name) {
    for (;;) {
        char fresh[32];
        snprintf(fresh, sizeof fresh, ".%llx", (unsigned long long)removal->moved++);
        if (renameat2(directory, name, removal->top, fresh, RENAME_NOREPLACE) == 0) return 0;
        if (errno != EEXIST || now_us() > removal->deadline_us) return -errno;
    }
}

static int remove_directory(struct removal *removal, int parent, const char *name);

/* One pass over a directory: 1 if it was empty, 0 if something was removed or moved, else -errno. */
static int empty(struct removal *removal, int directory) {
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* fdopendir takes it */
    if (copy < 0) return -errno;
    DIR *list = fdopendir(copy);
    if (!list) {
        int error = -errno;
        close(copy);
        return error;
    }
    int result = 1;
    struct dirent *entry;
    while (result >= 0 && (entry = readdir(list))) {
        if (is_dot(entry->d_name)) continue;
        if (now_us() > removal->deadline_us) {
            result = -EAGAIN;
        } else if (unlinkat(directory, entry->d_name, 0) == 0 || errno == ENOENT) {
            result = 0;
        } else if (errno == EISDIR || errno == EPERM) {
            int error = remove_directory(removal, directory, entry->d_name);
            result = error < 0 ? error : 0;
        } else {
            result = -errno;
        }
    }
    closedir(list);
    return result;
}

static int remove_directory(struct removal *removal, int parent, const char *name) {
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
    if (errno != ENOTEMPTY && errno != EEXIST) return -errno;
    if (parent != removal->top) return move_up(removal, parent, name);
    int directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0) return -errno;
    int result = empty(removal, directory);
    close(directory);
    return result < 0 ? result : 0; /* removed by the next pass */
}

int fafd_remove_tree(const char *path, uint64_t limit_us) {
    struct removal removal = {.deadline_us = now_us() + limit_us};
    removal.top = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (removal.top < 0) return errno == ENOENT ? 0 : -errno;
    int result;
    do result = empty(&removal, removal.top);
    while (result == 0);
    close(removal.top);
    if (result < 0) return result;
    return rmdir(path) < 0 && errno != ENOENT ? -errno : 0;
}
