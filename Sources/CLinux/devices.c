/* A /dev with pseudo devices alone (PrivateDevices=): those are bound from the old one, so that no right to make device
 * files is needed. */
#define _GNU_SOURCE
#include "mounts.h"

#include <errno.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const char *const files[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
                                             "/dev/tty", "/dev/log"};
static const char *const mounts[] = {"/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/hugepages"};
static const char *const links[][2] = {{"/dev/fd", "/proc/self/fd"},
                                              {"/dev/stdin", "/proc/self/fd/0"},
                                              {"/dev/stdout", "/proc/self/fd/1"},
                                              {"/dev/stderr", "/proc/self/fd/2"}};
#define COUNT(array) (sizeof(array) / sizeof *(array))
_Static_assert(COUNT(files) == FAF_DEVICE_FILES && COUNT(mounts) == FAF_DEVICE_MOUNTS, "room for each");

/* Those that there are; a container may have few. */
int faf_clone_devices(struct faf_devices *devices) {
    for (size_t i = 0; i < COUNT(files); i++) {
        devices->files[i] = faf_clone_path(files[i]);
        if (devices->files[i] < 0 && devices->files[i] != -ENOENT && devices->files[i] != -ELOOP)
            return devices->files[i];
    }
    for (size_t i = 0; i < COUNT(mounts); i++) {
        devices->mounts[i] = faf_clone_path(mounts[i]);
        if (devices->mounts[i] < 0 && devices->mounts[i] != -ENOENT && devices->mounts[i] != -ELOOP)
            return devices->mounts[i];
    }
    ssize_t n = readlink("/dev/log", devices->log, sizeof devices->log - 1);
    devices->log[n > 0 ? n : 0] = 0;
    struct stat st;
    devices->has_own_multiplexer = lstat("/dev/ptmx", &st) == 0 && S_ISCHR(st.st_mode);
    return 0;
}

int faf_make_devices(const char *path, struct faf_devices *devices) {
    int tree = faf_new_tree("tmpfs", 0755, "4m", "128", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
    if (tree < 0) return tree;
    int error = faf_attach(tree, path);
    if (error) return error;
    for (size_t i = 0; i < COUNT(files); i++) {
        if (devices->files[i] < 0) continue;
        error = faf_make_place(files[i], 0);
        if (!error) error = faf_attach(devices->files[i], files[i]);
        if (error) return error;
    }
    for (size_t i = 0; i < COUNT(mounts); i++) {
        if (devices->mounts[i] < 0) continue;
        error = faf_make_place(mounts[i], 1);
        if (!error) error = faf_attach(devices->mounts[i], mounts[i]);
        if (error) return error;
    }
    for (size_t i = 0; i < COUNT(links); i++)
        if (symlink(links[i][1], links[i][0]) < 0) return -errno;
    if (devices->log[0] && symlink(devices->log, "/dev/log") < 0 && errno != EEXIST) return -errno;
    /* A bound one does not find its pts; making one may be forbidden in a container. */
    if (devices->has_own_multiplexer && mknod("/dev/ptmx", S_IFCHR | 0666, makedev(5, 2)) == 0) return 0;
    return symlink("pts/ptmx", "/dev/ptmx") < 0 ? -errno : 0;
}
