/* What a script is kept from: namespaces, mounts, capabilities, a filter of system calls. For faf-shim, between clone
 * and exec and once before. The convention of faf_linux.h holds.
 */
#ifndef FAF_SANDBOX_H
#define FAF_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

struct faf_mount {
    uint32_t kind, flags, mode; /* enum faf_mount_kind, enum faf_mount_flag */
    int32_t tree;               /* the child's: what was cloned before anything changed */
    const char *path, *source;
};

struct faf_credential {
    const char *name;
    const void *bytes;
    size_t count;
};

struct faf_sandbox {
    uint32_t flags; /* enum faf_sandbox_flag */
    uint32_t uid, gid;
    uint32_t reserved;
    uint64_t bounding, ambient;
    struct faf_mount *mounts;
    size_t mount_count;
    const struct faf_credential *credentials;
    size_t credential_count;
};

/* Makes DIRECTORY/tmp (mode 1777) and before it DIRECTORY (0700), as this process's user. One that a dead shim of the
 * same attempt left counts. `path` ends in /tmp. */
int faf_make_private_tmp(const char *path);
/* Removes both, if they are empty. */
void faf_remove_private_tmp(const char *path);

/* Namespaces, mounts, filter: everything that wants the rights that the script will not have. 0, or -errno with *step. */
int faf_enter_sandbox(const struct faf_sandbox *sandbox, uint32_t *step);
/* No file may be given a setuid or setgid bit from here on. Implies no_new_privs where this process has no CAP_SYS_ADMIN. */
int faf_forbid_suid(void);

/* Before the ids change: the bounding set shrinks, and what is to be ambient is kept over the change. */
int faf_limit_capabilities(const struct faf_sandbox *sandbox);
/* After the ids have changed: inheritable and ambient are exactly `ambient`, and so is what an ordinary user has. */
int faf_take_capabilities(const struct faf_sandbox *sandbox);

#endif
