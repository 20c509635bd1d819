/* An attempt's processes: who belongs to it, and signals that reach all of them.
 *
 * A process is never signalled by a remembered number: its pidfd is opened, then it is seen to belong (again), then the
 * signal goes through the pidfd.
 */
#define _GNU_SOURCE
#include "faf_shim.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define FREEZE_WAIT_MS 200
#define LIST_ROUNDS 16
#define CGROUP_DEPTH 8
#define QUEUE_BYTES ((size_t)1 << 20)

/* ------------------------------------------------------------------ text of /proc */

static void proc_path(char *text, int pid, const char *file) {
    char digits[12];
    size_t n = 6, d = 0;
    memcpy(text, "/proc/", 6);
    for (unsigned v = (unsigned)pid; d == 0 || v > 0; v /= 10) digits[d++] = (char)('0' + v % 10);
    while (d > 0) text[n++] = digits[--d];
    strcpy(text + n, file);
}

ssize_t faf_cgroup_of(int pid, char *text, size_t size) {
    static const char mark[] = "0::"; /* the line of cgroup v2; those of v1 hierarchies come first */
    char path[32], chunk[1024];
    proc_path(path, pid, "/cgroup");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? -ESRCH : -errno;
    size_t column = 0, length = 0;
    int matches = 1, is_found = 0;
    ssize_t n, result = -ENODATA;
    while (!is_found && (n = read(fd, chunk, sizeof chunk)) > 0) {
        for (ssize_t i = 0; i < n && !is_found; i++, column++) {
            if (chunk[i] == '\n') {
                is_found = matches && column >= sizeof mark - 1;
                if (is_found) break;
                column = (size_t)-1;
                matches = 1;
            } else if (column < sizeof mark - 1) {
                matches = matches && chunk[i] == mark[column];
            } else if (matches) {
                if (length + 1 < size) text[length] = chunk[i];
                length++;
            }
        }
    }
    if (!is_found && n <= 0) result = n < 0 ? -errno : column == 0 ? -ESRCH : -ENODATA; /* read(2): ESRCH, it is gone */
    close(fd);
    if (!is_found) return result;
    if (length + 1 > size) return -ENAMETOOLONG;
    text[length] = 0;
    return (ssize_t)length;
}

int faf_is_in_cgroup(int pid, const char *cgroup, size_t length) {
    char text[1536];
    ssize_t n = faf_cgroup_of(pid, text, sizeof text);
    if (n < 0) return (int)n;
    if ((size_t)n < length || memcmp(text, cgroup, length) != 0) return 0;
    /* The blank: "… (deleted)". */
    return text[length] == 0 || text[length] == '/' || text[length] == ' ';
}

static int parent_of(int pid) {
    char path[32], content[512];
    proc_path(path, pid, "/stat");
    ssize_t n = faf_read_file(path, content, sizeof content - 1);
    if (n <= 0) return -ESRCH;
    content[n] = 0;
    char *p = strrchr(content, ')'); /* the name may hold anything */
    if (!p || strlen(p) < 5) return -ESRCH;
    int parent = 0;
    for (p += 4; *p >= '0' && *p <= '9'; p++) parent = parent * 10 + (*p - '0');
    return parent;
}

int faf_is_descendant(int pid) {
    int self = getpid();
    /* Again when somebody on the way up ends meanwhile: whoever was below has a new parent then. */
    for (int attempt = 0; attempt < LIST_ROUNDS; attempt++) {
        int ancestor = pid;
        for (int hops = 0; hops < 4096 && ancestor > 1; hops++) {
            ancestor = parent_of(ancestor);
            if (ancestor == self) return 1;
            if (ancestor < 0 && hops == 0) return ancestor;
        }
        if (ancestor >= 0) return 0;
    }
    return 0;
}

/* Names in a directory, without the allocation that opendir(3) makes. */
struct entries {
    int fd;
    ssize_t filled, at;
    char bytes[1024] __attribute__((aligned(8)));
};

/* The next visible name of that type (DT_…); valid until the next call. NULL: no more. */
static const char *next_entry(struct entries *entries, unsigned char type) {
    for (;;) {
        if (entries->at >= entries->filled) {
            entries->at = 0;
            entries->filled = syscall(SYS_getdents64, entries->fd, entries->bytes, sizeof entries->bytes);
            if (entries->filled <= 0) return NULL;
        }
        struct dirent64 *entry = (struct dirent64 *)(entries->bytes + entries->at);
        entries->at += entry->d_reclen;
        if (entry->d_type == type && entry->d_name[0] != '.') return entry->d_name;
    }
}

/* ------------------------------------------------------------------ cgroup files */

int faf_open_in(int directory, const char *name) {
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int write_in(int directory, const char *name, const char *text) {
    int fd = openat(directory, name, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int error = write(fd, text, strlen(text)) < 0 ? -errno : 0;
    close(fd);
    return error;
}

/* The number behind "key " at the start of a line. -1: not there. */
static long long number_in(const char *text, const char *key) {
    size_t length = strlen(key);
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (length > 0 && (strncmp(line, key, length) != 0 || line[length] != ' ')) continue;
        const char *p = line + length + (length > 0);
        if (*p < '0' || *p > '9') return -1;
        unsigned long long value = 0;
        for (; *p >= '0' && *p <= '9'; p++) value = value * 10 + (unsigned)(*p - '0');
        return (long long)value;
    }
    return -1;
}

static long long event(int events, const char *key) {
    char text[1024];
    ssize_t n = pread(events, text, sizeof text - 1, 0);
    if (n <= 0) return -1; /* ENODEV: the cgroup is gone */
    text[n] = 0;
    return number_in(text, key);
}

int faf_is_populated(int events) { return event(events, "populated") == 1; }
int faf_is_frozen(int events) { return (int)event(events, "frozen"); }
int faf_freeze(int cgroup, int on) { return write_in(cgroup, "cgroup.freeze", on ? "1" : "0"); }

uint64_t faf_number_at(int fd, const char *key) {
    long long value = event(fd, key);
    return value < 0 ? UINT64_MAX : (uint64_t)value;
}

uint64_t faf_cgroup_number(int cgroup, const char *file, const char *key) {
    int fd = openat(cgroup, file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return UINT64_MAX;
    uint64_t value = faf_number_at(fd, key);
    close(fd);
    return value;
}

void faf_cgroup_text(int cgroup, const char *file, char *text, size_t size) {
    int fd = openat(cgroup, file, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);
    text[n < 0 ? 0 : n] = 0;
    faf_close(fd);
}

uint64_t faf_number_in(const char *text, const char *key) {
    long long value = number_in(text, key);
    return value < 0 ? UINT64_MAX : (uint64_t)value;
}

void faf_cgroup_io(int cgroup, struct faf_io *io) {
    static const char keys[4][8] = {"rbytes", "wbytes", "rios", "wios"};
    uint64_t sums[5] = {0}, value = 0; /* the last one: of all other keys */
    int fd = openat(cgroup, "io.stat", O_RDONLY | O_CLOEXEC);
    *io = (struct faf_io){UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    if (fd < 0) return;
    /* Words "key=number", one line for each device: any number of them, so byte by byte. */
    char text[512], word[8];
    size_t length = 0;
    int key = -1; /* of the number that is being read */
    for (ssize_t n; (n = read(fd, text, sizeof text)) > 0;) {
        for (ssize_t i = 0; i < n; i++) {
            char c = text[i];
            if (c == ' ' || c == '\n') {
                if (key >= 0) sums[key] += value;
                length = value = 0;
                key = -1;
            } else if (key >= 0) {
                value = value * 10 + (unsigned)(c - '0');
            } else if (c != '=') {
                if (length < sizeof word) word[length] = c;
                length++;
            } else {
                for (key = 0; key < 4; key++)
                    if (length == strlen(keys[key]) && memcmp(word, keys[key], length) == 0) break;
            }
        }
    }
    close(fd);
    *io = (struct faf_io){sums[0], sums[1], sums[2], sums[3]};
}

int faf_write_in_cgroup(int cgroup, const char *file, const char *text) { return write_in(cgroup, file, text); }

/* ------------------------------------------------------------------ all processes of a cgroup */

struct order {
    const char *name;
    size_t length;
    int signal, resume; /* signal 0: none */
    uint64_t *written;  /* NULL: not asked for */
};

static void add_written(int pid, uint64_t *sum) {
    char path[32], text[512];
    proc_path(path, pid, "/io");
    ssize_t n = faf_read_file(path, text, sizeof text - 1);
    if (n == -ENOENT || n == -ESRCH || *sum == UINT64_MAX) return;
    text[n < 0 ? 0 : n] = 0;
    long long written = number_in(text, "wchar:");
    *sum = written < 0 ? UINT64_MAX : *sum + (uint64_t)written;
}

static int deliver(int pid, const struct order *order) {
    if (order->written) add_written(pid, order->written);
    if (order->signal == 0) return 1;
    int pidfd = faf_pidfd(pid);
    if (pidfd < 0) return 0;
    int belongs = faf_is_in_cgroup(pid, order->name, order->length) == 1;
    if (belongs) {
        faf_signal_process(pidfd, order->signal);
        if (order->resume) faf_signal_process(pidfd, SIGCONT);
    }
    close(pidfd);
    return belongs;
}

static int signal_list(int directory, const struct order *order) {
    int fd = openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    char text[512];
    int found = 0, pid = 0;
    for (ssize_t n; (n = read(fd, text, sizeof text)) > 0;) {
        for (ssize_t i = 0; i < n; i++) {
            if (text[i] >= '0' && text[i] <= '9') {
                pid = pid * 10 + (text[i] - '0');
            } else {
                if (pid > 0) found += deliver(pid, order);
                pid = 0;
            }
        }
    }
    close(fd);
    return found;
}

/* Cgroups that the attempt itself made lie below. */
static int signal_tree(int directory, const struct order *order, int depth) {
    int found = signal_list(directory, order);
    int again = depth == 0 ? -1 : openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct entries entries = {.fd = again};
    for (const char *name; again >= 0 && (name = next_entry(&entries, DT_DIR));) {
        int child = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (child < 0) continue;
        found += signal_tree(child, order, depth - 1);
        close(child);
    }
    faf_close(again);
    return found;
}

static int is_frozen(int cgroup) { return faf_cgroup_number(cgroup, "cgroup.freeze", "") == 1; }

static void wait_until_frozen(int cgroup) {
    int events = openat(cgroup, "cgroup.events", O_RDONLY | O_CLOEXEC);
    if (events < 0) return;
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    while (event(events, "frozen") == 0) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        long passed = (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000;
        /* One that sleeps in the kernel freezes late; it cannot fork meanwhile either. */
        if (passed >= FREEZE_WAIT_MS) break;
        struct pollfd changed = {events, POLLPRI, 0};
        poll(&changed, 1, (int)(FREEZE_WAIT_MS - passed));
    }
    close(events);
}

uint64_t faf_cgroup_written(int cgroup) {
    uint64_t sum = 0;
    struct order order = {.written = &sum};
    signal_tree(cgroup, &order, CGROUP_DEPTH);
    return sum;
}

int faf_signal_cgroup(int cgroup, const char *name, size_t length, int signal, int resume) {
    struct order order = {name, length, signal, resume, NULL};
    if (signal == 0) return signal_tree(cgroup, &order, CGROUP_DEPTH);
    /* What somebody froze stays so for a mere signal; a task that is to end must be able to. */
    if (!resume && is_frozen(cgroup)) return signal_tree(cgroup, &order, CGROUP_DEPTH);
    if (write_in(cgroup, "cgroup.freeze", "1") == 0) wait_until_frozen(cgroup);
    int found = signal_tree(cgroup, &order, CGROUP_DEPTH);
    write_in(cgroup, "cgroup.freeze", "0");
    return found;
}

int faf_kill_cgroup(int cgroup, const char *name, size_t length) {
    if (write_in(cgroup, "cgroup.kill", "1") == 0) return 0;
    for (int round = 0; round < LIST_ROUNDS; round++)
        if (faf_signal_cgroup(cgroup, name, length, SIGKILL, 0) == 0) break;
    return 0;
}

/* ------------------------------------------------------------------ all descendants */

struct queue {
    int *pids;
    size_t count, room;
};

static void add_list(struct queue *queue, int fd) {
    char text[512];
    int pid = 0;
    for (ssize_t n; (n = read(fd, text, sizeof text)) > 0;) {
        for (ssize_t i = 0; i < n; i++) {
            if (text[i] >= '0' && text[i] <= '9') {
                pid = pid * 10 + (text[i] - '0');
            } else {
                if (pid > 0 && queue->count < queue->room) queue->pids[queue->count++] = pid;
                pid = 0;
            }
        }
    }
}

/* The kernel lists children by the thread that made them. */
static void add_children(struct queue *queue, int pid) {
    char path[40];
    proc_path(path, pid, "/task");
    int tasks = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (tasks < 0) return;
    struct entries entries = {.fd = tasks};
    for (const char *name; (name = next_entry(&entries, DT_DIR));) {
        int task = openat(tasks, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int list = task < 0 ? -1 : openat(task, "children", O_RDONLY | O_CLOEXEC);
        if (list >= 0) add_list(queue, list);
        faf_close(list);
        faf_close(task);
    }
    close(tasks);
}

static int signal_descendants(const struct order *order) {
    struct queue queue = {.pids = faf_map(QUEUE_BYTES), .room = QUEUE_BYTES / sizeof(int)};
    if (!queue.pids) return -ENOMEM;
    add_children(&queue, getpid());
    int found = 0;
    for (size_t i = 0; i < queue.count; i++) {
        int pid = queue.pids[i];
        add_children(&queue, pid); /* before it dies and they move up */
        int pidfd = faf_pidfd(pid);
        if (pidfd < 0) continue;
        if (faf_is_descendant(pid) == 1 && !faf_has_ended(pidfd)) {
            found++;
            if (order->written) add_written(pid, order->written);
            if (order->signal != 0) faf_signal_process(pidfd, order->signal);
            if (order->signal != 0 && order->resume) faf_signal_process(pidfd, SIGCONT);
        }
        close(pidfd);
    }
    faf_unmap(queue.pids, QUEUE_BYTES);
    return found;
}

int faf_signal_descendants(int signal, int resume) {
    struct order order = {.signal = signal, .resume = resume};
    return signal_descendants(&order);
}

uint64_t faf_descendants_written(void) {
    uint64_t sum = 0;
    struct order order = {.written = &sum};
    return signal_descendants(&order) < 0 ? UINT64_MAX : sum;
}
