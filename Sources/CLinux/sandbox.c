/* Namespaces and mounts of a script's own. What child.c says holds: no allocation, no lock, everything prepared before.
 *
 * Every path is opened once, without symlinks, and used by descriptor: who owns a directory on the way cannot have
 * something else mounted over than what was looked at. What stays writable, and what is bound, is cloned before anything
 * is changed, so that it has exactly the flags that it has outside. No mount reaches the host: all are slaves first, and
 * the namespace goes with its last process.
 */
#define _GNU_SOURCE
#include "faf_record.h"
#include "faf_sandbox.h"
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KNOWN_FLAGS \
    (FAF_SANDBOX_MOUNTS | FAF_SANDBOX_NETWORK | FAF_SANDBOX_NO_DEVICES | FAF_SANDBOX_NO_SUID | FAF_SANDBOX_CAPABILITIES)

/* ------------------------------------------------------------------ credentials */

static int write_credential(int directory, const struct faf_sandbox *sandbox, const struct faf_credential *one) {
    int fd = openat(directory, one->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
    if (fd < 0) return -errno;
    const char *at = one->bytes;
    size_t left = one->count;
    int error = fchown(fd, sandbox->uid, sandbox->gid) < 0 ? -errno : 0;
    while (!error && left > 0) {
        ssize_t n = write(fd, at, left);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            error = n < 0 ? -errno : -ENOSPC;
            break;
        }
        at += n;
        left -= (size_t)n;
    }
    close(fd);
    return error;
}

/* On ramfs, which is never swapped out. */
static int make_credentials(const struct faf_sandbox *sandbox, const char *path) {
    int tree = faf_new_tree("ramfs", 0700, NULL, NULL, 0);
    if (tree < 0) return tree;
    int error = 0;
    for (size_t i = 0; i < sandbox->credential_count && !error; i++)
        error = write_credential(tree, sandbox, &sandbox->credentials[i]);
    if (!error && (fchmodat(tree, ".", 0500, 0) < 0 || fchownat(tree, ".", sandbox->uid, sandbox->gid, 0) < 0))
        error = -errno;
    if (!error)
        error = faf_set_attributes(tree,
                               MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                                   MOUNT_ATTR_NOSYMFOLLOW,
                               0);
    if (error) {
        close(tree);
        return error;
    }
    return faf_attach(tree, path);
}

/* ------------------------------------------------------------------ one after another */

static uint32_t step_of(const struct faf_mount *mount) {
    switch ((enum faf_mount_kind)mount->kind) {
    case FAF_MOUNT_READ_ONLY: return FAF_STEP_READ_ONLY;
    case FAF_MOUNT_READ_WRITE: return FAF_STEP_READ_WRITE;
    case FAF_MOUNT_HIDE: return FAF_STEP_INACCESSIBLE;
    case FAF_MOUNT_TMPFS:
    case FAF_MOUNT_BIND: return FAF_STEP_PRIVATE_TMP;
    case FAF_MOUNT_DEVICES: return FAF_STEP_PRIVATE_DEVICES;
    case FAF_MOUNT_CREDENTIALS: return FAF_STEP_CREDENTIALS;
    }
    return FAF_STEP_MOUNT_NAMESPACE;
}

static int is_directory(int fd) {
    struct stat st;
    return fstat(fd, &st) < 0 ? -errno : S_ISDIR(st.st_mode);
}

/* What is to be mounted later and exists now. */
static int prepare(struct faf_mount *mount) {
    mount->tree = -1;
    switch ((enum faf_mount_kind)mount->kind) {
    case FAF_MOUNT_READ_WRITE: mount->tree = faf_clone_path(mount->path); break;
    case FAF_MOUNT_BIND: mount->tree = faf_clone_path(mount->source); break;
    case FAF_MOUNT_HIDE: {
        int fd = faf_look_up(mount->path);
        if (fd < 0) return fd;
        int result = is_directory(fd);
        close(fd);
        if (result != 0) return result < 0 ? result : 0;
        mount->tree = faf_clone_path(mount->source);
        break;
    }
    default: return 0;
    }
    return mount->tree < 0 ? mount->tree : 0;
}

static int make_read_only(const char *path) {
    int fd = faf_look_up(path);
    if (fd < 0) return fd;
    struct statx status;
    int error = syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_MODE, &status) < 0 ? -errno : 0;
    if (!error && (status.stx_attributes & STATX_ATTR_MOUNT_ROOT)) {
        error = faf_set_attributes(fd, MOUNT_ATTR_RDONLY, AT_RECURSIVE);
    } else if (!error) {
        int tree = faf_clone_tree(fd);
        error = tree < 0 ? tree : faf_set_attributes(tree, MOUNT_ATTR_RDONLY, AT_RECURSIVE);
        if (!error) error = faf_attach(tree, path);
        else if (tree >= 0) close(tree);
    }
    close(fd);
    return error;
}

static int put_back(struct faf_mount *mount) {
    if (mount->flags & FAF_MOUNT_MAKE) {
        int result = is_directory(mount->tree);
        if (result >= 0) result = faf_make_place(mount->path, result);
        if (result < 0) return result;
    }
    return faf_attach(mount->tree, mount->path);
}

static int hide(struct faf_mount *mount) {
    if (mount->tree < 0) mount->tree = faf_new_tree("tmpfs", mount->mode, "64k", "64", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    return mount->tree < 0 ? mount->tree : faf_attach(mount->tree, mount->path);
}

static int mount_one(const struct faf_sandbox *sandbox, struct faf_mount *mount, struct faf_devices *devices) {
    int error;
    switch ((enum faf_mount_kind)mount->kind) {
    case FAF_MOUNT_READ_ONLY: return make_read_only(mount->path);
    case FAF_MOUNT_READ_WRITE: return put_back(mount);
    case FAF_MOUNT_HIDE: return hide(mount);
    case FAF_MOUNT_TMPFS:
        mount->tree = faf_new_tree("tmpfs", mount->mode, "10%", "400k", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
        return mount->tree < 0 ? mount->tree : faf_attach(mount->tree, mount->path);
    case FAF_MOUNT_BIND:
        error = faf_set_attributes(mount->tree, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, 0);
        return error ? error : faf_attach(mount->tree, mount->path);
    case FAF_MOUNT_DEVICES: return faf_make_devices(mount->path, devices);
    case FAF_MOUNT_CREDENTIALS:
        error = mount->flags & FAF_MOUNT_MAKE ? faf_make_place(mount->path, 1) : 0;
        return error ? error : make_credentials(sandbox, mount->path);
    }
    return -EINVAL;
}

/* What was mounted to be empty is read-only once everything that is kept below it has its place there. */
static int finish(const struct faf_mount *mount) {
    if (mount->kind != FAF_MOUNT_HIDE && mount->kind != FAF_MOUNT_DEVICES) return 0;
    int fd = faf_look_up(mount->path);
    if (fd < 0) return fd;
    int error = faf_set_attributes(fd, MOUNT_ATTR_RDONLY, 0);
    close(fd);
    return error;
}

static int make_all(const struct faf_sandbox *sandbox, uint32_t *step) {
    struct faf_devices devices;
    int error = 0;
    *step = FAF_STEP_PRIVATE_DEVICES;
    if (sandbox->flags & FAF_SANDBOX_NO_DEVICES) {
        error = faf_clone_devices(&devices);
        int root = error ? error : faf_look_up("/");
        if (root < 0) return root;
        error = faf_set_attributes(root, MOUNT_ATTR_NODEV, AT_RECURSIVE);
        close(root);
    }
    for (size_t i = 0; i < sandbox->mount_count && !error; i++) {
        *step = step_of(&sandbox->mounts[i]);
        error = prepare(&sandbox->mounts[i]);
    }
    for (size_t i = 0; i < sandbox->mount_count && !error; i++) {
        *step = step_of(&sandbox->mounts[i]);
        error = mount_one(sandbox, &sandbox->mounts[i], &devices);
    }
    for (size_t i = 0; i < sandbox->mount_count && !error; i++) {
        *step = step_of(&sandbox->mounts[i]);
        error = finish(&sandbox->mounts[i]);
    }
    return error;
}

/* ------------------------------------------------------------------ the sandbox */

static int new_network(void) {
    if (unshare(CLONE_NEWNET) < 0) return -errno;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    struct ifreq loopback = {.ifr_name = "lo"};
    int error = ioctl(fd, SIOCGIFFLAGS, &loopback) < 0 ? -errno : 0;
    loopback.ifr_flags |= IFF_UP;
    if (!error && ioctl(fd, SIOCSIFFLAGS, &loopback) < 0) error = -errno;
    close(fd);
    return error;
}

int faf_enter_sandbox(const struct faf_sandbox *sandbox, uint32_t *step) {
    int error = 0;
    *step = FAF_STEP_SPECIFICATION;
    if (sandbox->flags & ~(uint32_t)KNOWN_FLAGS) return -EINVAL;
    if (!(sandbox->flags & FAF_SANDBOX_MOUNTS) && sandbox->mount_count > 0) return -EINVAL;
    if (sandbox->flags & FAF_SANDBOX_NETWORK) {
        *step = FAF_STEP_NETWORK;
        error = new_network();
    }
    if (!error && sandbox->flags & FAF_SANDBOX_MOUNTS) {
        *step = FAF_STEP_MOUNT_NAMESPACE;
        /* What the host mounts and unmounts reaches the script, and never the other way round. */
        if (unshare(CLONE_NEWNS) < 0 || syscall(SYS_mount, NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0) return -errno;
        error = make_all(sandbox, step);
        if (!error && syscall(SYS_mount, NULL, "/", NULL, MS_SHARED | MS_REC, NULL) < 0) {
            *step = FAF_STEP_MOUNT_NAMESPACE;
            error = -errno;
        }
    }
    if (!error && sandbox->flags & FAF_SANDBOX_NO_SUID) {
        *step = FAF_STEP_SUID_FILTER;
        error = faf_forbid_suid();
    }
    return error;
}

/* ------------------------------------------------------------------ directories for PrivateTmp= */

static int parent_of(const char *path, char *parent, size_t size) {
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path || (size_t)(slash - path) >= size) return -EINVAL;
    memcpy(parent, path, (size_t)(slash - path));
    parent[slash - path] = 0;
    return 0;
}

static int make_own(const char *path, uint32_t mode) {
    if (mkdir(path, mode) < 0 && errno != EEXIST) return -errno;
    struct stat st;
    if (lstat(path, &st) < 0) return -errno;
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid()) return -EEXIST;
    return chmod(path, mode) < 0 ? -errno : 0;
}

int faf_make_private_tmp(const char *path) {
    char parent[PATH_MAX];
    int error = parent_of(path, parent, sizeof parent);
    if (!error) error = make_own(parent, 0700);
    return error ? error : make_own(path, 01777);
}

void faf_remove_private_tmp(const char *path) {
    char parent[PATH_MAX];
    if (parent_of(path, parent, sizeof parent) < 0) return;
    rmdir(path);
    rmdir(parent);
}
