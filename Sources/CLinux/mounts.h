/* Mounts by descriptor, for sandbox.c: the kernel's newer calls (5.12 for mount_setattr(2)). Between clone and exec: no
 * allocation, no lock. 0 or a descriptor, or -errno.
 */
#ifndef FAF_MOUNTS_H
#define FAF_MOUNTS_H

#include <stdint.h>

/* O_PATH; -ELOOP for a symlink on the way. */
int faf_look_up(const char *path);
/* A copy of what is mounted there and below, itself mounted nowhere. */
int faf_clone_tree(int fd);
int faf_clone_path(const char *path);
/* MOUNT_ATTR_…; `flags`: AT_RECURSIVE. */
int faf_set_attributes(int fd, uint64_t attributes, unsigned flags);
/* Mounts `tree` there; closes it. */
int faf_attach(int tree, const char *path);
/* A new file system, mounted nowhere yet. Sizes are a tmpfs's; NULL: none. */
int faf_new_tree(const char *type, uint32_t mode, const char *size, const char *inodes, uint64_t attributes);
/* Makes `path`, a directory or an empty file, and the directories above it; what is there stays. */
int faf_make_place(const char *path, int is_directory);

/* /dev of PrivateDevices= (devices.c): what it takes over from the old one, then the new one. */
#define FAF_DEVICE_FILES 7
#define FAF_DEVICE_MOUNTS 4
struct faf_devices {
    int files[FAF_DEVICE_FILES], mounts[FAF_DEVICE_MOUNTS]; /* clones, or -errno */
    char log[128];           /* where /dev/log points to */
    int has_own_multiplexer; /* /dev/ptmx is a device file of its own */
};
int faf_clone_devices(struct faf_devices *devices);
int faf_make_devices(const char *path, struct faf_devices *devices);

#endif
