/* RestrictSUIDSGID=: a filter of system calls that refuses setuid and setgid bits in every mode that is given to the
 * kernel. Which calls those are is as in systemd's own; openat2(2), whose mode a filter cannot see, and io_uring, which no
 * filter sees at all, look as if the kernel had none: programs that want them have to live without.
 */
#define _GNU_SOURCE
#include "faf_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SUID_BITS (S_ISUID | S_ISGID)
/* The modes count with either. */
#define CREATING_FLAGS (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))
#define NO_FLAGS 0xff

struct rule {
    uint16_t number;
    uint8_t mode, flags; /* which argument; NO_FLAGS: the mode always counts */
};

#define OPENAT2 437
#define IO_URING_SETUP 425
#define FCHMODAT2 452
#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define OTHER_ARCHITECTURE AUDIT_ARCH_I386
#define NUMBER_MASK 0xbfffffffu /* x32 has the same numbers with one more bit */
static const struct rule rules[] = {
    {2, 2, 1},   /* open */
    {257, 3, 2}, /* openat */
    {85, 1, NO_FLAGS},   {90, 1, NO_FLAGS},  {91, 1, NO_FLAGS},  {268, 2, NO_FLAGS}, /* creat chmod fchmod fchmodat */
    {83, 1, NO_FLAGS},   {258, 2, NO_FLAGS}, {133, 1, NO_FLAGS}, {259, 2, NO_FLAGS}, /* mkdir mkdirat mknod mknodat */
    {FCHMODAT2, 2, NO_FLAGS},
};
static const struct rule other_rules[] = {
    {5, 2, 1},
    {295, 3, 2},
    {8, 1, NO_FLAGS},  {15, 1, NO_FLAGS},  {94, 1, NO_FLAGS}, {306, 2, NO_FLAGS},
    {39, 1, NO_FLAGS}, {296, 2, NO_FLAGS}, {14, 1, NO_FLAGS}, {297, 2, NO_FLAGS},
    {FCHMODAT2, 2, NO_FLAGS},
};
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#define OTHER_ARCHITECTURE AUDIT_ARCH_ARM
#define NUMBER_MASK 0xffffffffu
static const struct rule rules[] = {
    {56, 3, 2}, /* openat */
    {52, 1, NO_FLAGS}, {53, 2, NO_FLAGS}, {34, 2, NO_FLAGS}, {33, 2, NO_FLAGS}, /* fchmod fchmodat mkdirat mknodat */
    {FCHMODAT2, 2, NO_FLAGS},
};
static const struct rule other_rules[] = {
    {5, 2, 1},
    {322, 3, 2},
    {8, 1, NO_FLAGS},  {15, 1, NO_FLAGS},  {94, 1, NO_FLAGS}, {333, 2, NO_FLAGS},
    {39, 1, NO_FLAGS}, {323, 2, NO_FLAGS}, {14, 1, NO_FLAGS}, {324, 2, NO_FLAGS},
    {FCHMODAT2, 2, NO_FLAGS},
};
#else
#error "RestrictSUIDSGID= needs the numbers of this architecture's system calls"
#endif

struct program {
    struct sock_filter code[192];
    unsigned short length;
};

static void put(struct program *program, uint16_t code, uint8_t yes, uint8_t no, uint32_t k) {
    program->code[program->length++] = (struct sock_filter){code, yes, no, k};
}

static void load(struct program *program, size_t offset) {
    put(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void answer(struct program *program, uint32_t with) { put(program, BPF_RET | BPF_K, 0, 0, with); }

/* The lower half: both architectures are little-endian, and all flags and bits are in it. */
static size_t argument(unsigned index) { return offsetof(struct seccomp_data, args) + index * sizeof(uint64_t); }

static void put_rules(struct program *program, uint32_t architecture, const struct rule *list, size_t count) {
    load(program, offsetof(struct seccomp_data, arch));
    unsigned short jump = program->length;
    put(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, architecture); /* else to behind the list; filled in below */
    load(program, offsetof(struct seccomp_data, nr));
    put(program, BPF_ALU | BPF_AND | BPF_K, 0, 0, NUMBER_MASK);
    for (size_t i = 0; i < count; i++) {
        int has_flags = list[i].flags != NO_FLAGS;
        put(program, BPF_JMP | BPF_JEQ | BPF_K, 0, has_flags ? 7 : 4, list[i].number);
        if (has_flags) {
            load(program, argument(list[i].flags));
            put(program, BPF_JMP | BPF_JSET | BPF_K, 1, 0, CREATING_FLAGS);
            answer(program, SECCOMP_RET_ALLOW);
        }
        load(program, argument(list[i].mode));
        put(program, BPF_JMP | BPF_JSET | BPF_K, 0, 1, SUID_BITS);
        answer(program, SECCOMP_RET_ERRNO | EPERM);
        answer(program, SECCOMP_RET_ALLOW);
    }
    put(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, OPENAT2);
    put(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, IO_URING_SETUP);
    answer(program, SECCOMP_RET_ERRNO | ENOSYS);
    answer(program, SECCOMP_RET_ALLOW);
    program->code[jump].jf = (uint8_t)(program->length - jump - 1);
}

int faf_forbid_suid(void) {
    struct program program = {.length = 0};
    put_rules(&program, ARCHITECTURE, rules, sizeof rules / sizeof *rules);
    put_rules(&program, OTHER_ARCHITECTURE, other_rules, sizeof other_rules / sizeof *other_rules);
    answer(&program, SECCOMP_RET_KILL_PROCESS); /* no such architecture on this machine */
    struct sock_fprog filter = {program.length, program.code};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0) return 0;
    if (errno != EACCES) return -errno;
    /* Without CAP_SYS_ADMIN, as systemd does it. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -errno;
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0 ? -errno : 0;
}
