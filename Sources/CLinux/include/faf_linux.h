/* System calls behind plain C functions, for LinuxSystem (fafd, faf) and faf-shim.
 *
 * Convention: a function that can fail returns a non-negative result or -errno; it never leaves errno for the caller.
 * Every descriptor made here is close-on-exec. Nothing here allocates unless it says so.
 */
#ifndef FAF_LINUX_H
#define FAF_LINUX_H

#include <stddef.h>
#include <stdint.h>

/* ------------------------------------------------------------------ the script check (one function for fafd and shim) */

enum faf_check_problem {
    FAF_CHECK_OK = 0,
    FAF_CHECK_SYSTEM = 1,            /* a system call failed: error */
    FAF_CHECK_NOT_ABSOLUTE = 2,
    FAF_CHECK_NOT_REGULAR = 3,
    FAF_CHECK_NOT_EXECUTABLE = 4,
    FAF_CHECK_OWNER = 5,             /* the script belongs to somebody else */
    FAF_CHECK_WRITABLE = 6,          /* the script is writable by group or others */
    FAF_CHECK_DIRECTORY_OWNER = 7,
    FAF_CHECK_DIRECTORY_WRITABLE = 8,
    FAF_CHECK_SETUID = 9,            /* setuid, setgid or file capabilities */
    FAF_CHECK_NOT_ALLOWED = 10,      /* below none of the allowed directories */
    FAF_CHECK_TOO_MANY_LINKS = 11,
    FAF_CHECK_PATH_TOO_LONG = 12,
};

struct faf_check_result {
    uint32_t problem; /* enum faf_check_problem */
    int32_t error;    /* errno for SYSTEM */
    uint32_t uid, mode; /* owner and mode of the object at fault */
    uint64_t device, inode; /* of the script, when OK */
};

/* Checks `path` (absolute, NUL-terminated) as design.md 5 and threat-model.md C1-C4 say.
 * `owner`: the uid that may own the script (root may always own directories; the script's owner must be `owner`, or root).
 * `allowed`: `count` NUL-terminated absolute directories, or count 0: anywhere.
 * `real`: receives the real path, NUL-terminated (PATH_MAX bytes). `culprit`: receives the path of the object at fault.
 * Returns 0 when the script may run, else the problem (also in *result). Opens only O_PATH descriptors and closes them;
 * allocates nothing; safe between fork and exec. */
uint32_t faf_check_script(const char *path, uint32_t owner, const char *const *allowed, size_t count,
                          char *real, size_t real_size, char *culprit, size_t culprit_size,
                          struct faf_check_result *result);

#endif
