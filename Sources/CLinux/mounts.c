#define _GNU_SOURCE
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int faf_look_up(const char *path) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
    return fd < 0 ? -errno : fd;
}

int faf_clone_tree(int fd) {
    int tree = (int)syscall(SYS_open_tree, fd, "",
                            OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
    return tree < 0 ? -errno : tree;
}

int faf_clone_path(const char *path) {
    int fd = faf_look_up(path);
    if (fd < 0) return fd;
    int tree = faf_clone_tree(fd);
    close(fd);
    return tree;
}

int faf_set_attributes(int fd, uint64_t attributes, unsigned flags) {
    struct mount_attr attr = {.attr_set = attributes};
    return syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | flags, &attr, sizeof attr) < 0 ? -errno : 0;
}

int faf_attach(int tree, const char *path) {
    int place = faf_look_up(path);
    int error = place < 0 ? place : 0;
    if (!error && syscall(SYS_move_mount, tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
        error = -errno;
    if (place >= 0) close(place);
    close(tree);
    return error;
}

int faf_new_tree(const char *type, uint32_t mode, const char *size, const char *inodes, uint64_t attributes) {
    int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
    if (context < 0) return -errno;
    int tree = -1, error = 0;
    if ((size && syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "size", size, 0) < 0) ||
        (inodes && syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "nr_inodes", inodes, 0) < 0) ||
        syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ||
        (tree = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes)) < 0 ||
        fchmodat(tree, ".", mode, 0) < 0)
        error = -errno;
    close(context);
    if (error && tree >= 0) close(tree);
    return error ? error : tree;
}

int faf_make_place(const char *path, int is_directory) {
    char name[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof name) return -ENAMETOOLONG;
    memcpy(name, path, length + 1);
    for (char *slash = strchr(name + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(name, 0755) < 0 && errno != EEXIST) return -errno;
        *slash = '/';
    }
    if (is_directory) return mkdir(name, 0755) < 0 && errno != EEXIST ? -errno : 0;
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0) return errno == EEXIST ? 0 : -errno;
    close(fd);
    return 0;
}
