/* Capabilities of a script, capabilities(7), by raw calls: no library, no locks. */
#define _GNU_SOURCE
#include "faf_record.h"
#include "faf_sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Bits in a set; the kernel says which of them it has. */
#define MOST 64

static uint64_t ambient_of(const struct faf_sandbox *sandbox) {
    return sandbox->flags & FAF_SANDBOX_CAPABILITIES ? sandbox->ambient : 0;
}

int faf_limit_capabilities(const struct faf_sandbox *sandbox) {
    if (sandbox->flags & FAF_SANDBOX_CAPABILITIES) {
        for (int i = 0; i < MOST; i++) {
            if (sandbox->bounding >> i & 1) continue;
            int has = prctl(PR_CAPBSET_READ, i, 0, 0, 0);
            if (has < 0) break; /* the kernel has no more */
            if (has && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0) return -errno;
        }
    }
    return prctl(PR_SET_KEEPCAPS, ambient_of(sandbox) != 0, 0, 0, 0) < 0 ? -errno : 0;
}

int faf_take_capabilities(const struct faf_sandbox *sandbox) {
    uint64_t ambient = ambient_of(sandbox);
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) return -errno;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return -errno;
    for (int half = 0; half < 2; half++) {
        uint32_t wanted = (uint32_t)(ambient >> 32 * half);
        data[half].inheritable = wanted;
        if (geteuid() == 0) continue;
        data[half].permitted &= wanted;
        data[half].effective = data[half].permitted;
    }
    if (syscall(SYS_capset, &header, data) < 0) return -errno;
    for (int i = 0; i < MOST; i++)
        if (ambient >> i & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0) return -errno;
    return 0;
}
