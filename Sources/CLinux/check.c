/* The script check of design.md 5: who could change what the run executes, between now and the exec?
 *
 * The path is walked by hand with O_PATH descriptors, one component after another, because realpath(3) and the kernel's
 * own walk show neither the directories that hold the symlinks nor what each name meant at the moment it was followed.
 */
#define _GNU_SOURCE
#include "faf_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LINK_LIMIT 40 /* the kernel's own, path_resolution(7) */
#define WRITABLE_BY_OTHERS (S_IWGRP | S_IWOTH)

struct walk {
    uint32_t owner;
    char rest[PATH_MAX]; /* what is still to be walked */
    char *real;          /* walked so far, without a slash at its end; empty for the root directory */
    size_t real_size, real_length;
    int directory;       /* O_PATH, of `real` */
    int is_sticky;       /* that directory passes only because it is sticky */
    int wants_directory; /* the path is to end at one */
    unsigned links;
    char *culprit;
    size_t culprit_size;
    struct faf_check_result *result;
};

static uint32_t refuse(struct walk *w, uint32_t problem, int error, const struct stat *st, const char *name) {
    w->result->problem = problem;
    w->result->error = error;
    w->result->uid = st ? st->st_uid : 0;
    w->result->mode = st ? st->st_mode : 0;
    if (w->culprit_size > 0) {
        size_t n = 0;
        const char *parts[3] = {w->real_length || !name ? w->real : "", name ? "/" : "", name ? name : ""};
        for (int i = 0; i < 3; i++)
            for (const char *p = parts[i]; *p && n + 1 < w->culprit_size; p++) w->culprit[n++] = *p;
        if (n == 0 && n + 1 < w->culprit_size) w->culprit[n++] = '/';
        w->culprit[n] = 0;
    }
    return problem;
}

static uint32_t check_directory(struct walk *w, const struct stat *st, int may_be_sticky) {
    w->is_sticky = 0;
    if (st->st_uid != 0 && st->st_uid != w->owner) return refuse(w, FAF_CHECK_DIRECTORY_OWNER, 0, st, NULL);
    if (!(st->st_mode & WRITABLE_BY_OTHERS)) return FAF_CHECK_OK;
    if (!(may_be_sticky && (st->st_mode & S_ISVTX) && st->st_uid == 0))
        return refuse(w, FAF_CHECK_DIRECTORY_WRITABLE, 0, st, NULL);
    w->is_sticky = 1;
    return FAF_CHECK_OK;
}

/* Goes into `child` (an O_PATH descriptor that the walk now owns). */
static uint32_t enter(struct walk *w, int child, const struct stat *st) {
    /* In a sticky directory the name belongs to whoever made it, so its owner is what counts there; a second sticky
     * directory right below would leave the question open once more. */
    int below_sticky = w->is_sticky;
    close(w->directory);
    w->directory = child;
    return check_directory(w, st, !below_sticky);
}

static uint32_t append_real(struct walk *w, const char *name) {
    size_t n = strlen(name);
    if (w->real_length + 1 + n + 1 > w->real_size) return refuse(w, FAF_CHECK_PATH_TOO_LONG, 0, NULL, name);
    w->real[w->real_length++] = '/';
    memcpy(w->real + w->real_length, name, n + 1);
    w->real_length += n;
    return FAF_CHECK_OK;
}

static uint32_t go_up(struct walk *w) {
    int parent = openat(w->directory, "..", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (parent < 0) return refuse(w, FAF_CHECK_SYSTEM, errno, NULL, "..");
    while (w->real_length > 0 && w->real[--w->real_length] != '/') {}
    w->real[w->real_length] = 0;
    struct stat st;
    if (fstat(parent, &st) < 0) {
        int error = errno;
        close(parent);
        return refuse(w, FAF_CHECK_SYSTEM, error, NULL, NULL);
    }
    w->is_sticky = 0;
    return enter(w, parent, &st);
}

static uint32_t follow(struct walk *w, int link, const struct stat *st, const char *name) {
    /* A sticky directory may be an ancestor of the script; what points somewhere else has to lie in a safe one. */
    struct stat holder;
    if (w->is_sticky) {
        if (fstat(w->directory, &holder) < 0) return refuse(w, FAF_CHECK_SYSTEM, errno, NULL, NULL);
        return refuse(w, FAF_CHECK_DIRECTORY_WRITABLE, 0, &holder, NULL);
    }
    if (++w->links > LINK_LIMIT) return refuse(w, FAF_CHECK_TOO_MANY_LINKS, 0, st, name);
    char target[PATH_MAX];
    ssize_t n = readlinkat(link, "", target, sizeof target);
    if (n < 0) return refuse(w, FAF_CHECK_SYSTEM, errno, NULL, name);
    if (n == 0) return refuse(w, FAF_CHECK_SYSTEM, ENOENT, NULL, name);
    size_t tail = strlen(w->rest);
    if ((size_t)n + tail + 1 > sizeof w->rest) return refuse(w, FAF_CHECK_PATH_TOO_LONG, 0, NULL, name);
    memmove(w->rest + n, w->rest, tail + 1); /* the tail is empty or begins with a slash */
    memcpy(w->rest, target, (size_t)n);
    if (target[0] != '/') return FAF_CHECK_OK;

    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return refuse(w, FAF_CHECK_SYSTEM, errno, NULL, "");
    w->real_length = 0;
    w->real[0] = 0;
    struct stat root_stat;
    if (fstat(root, &root_stat) < 0) {
        int error = errno;
        close(root);
        return refuse(w, FAF_CHECK_SYSTEM, error, NULL, NULL);
    }
    return enter(w, root, &root_stat);
}

/* 1: has file capabilities; 0: has none; else -errno. O_PATH descriptors have no fgetxattr(2). */
static int has_capabilities(int file) {
    char path[32] = "/proc/self/fd/", digits[12];
    size_t n = strlen(path), d = 0;
    for (unsigned v = (unsigned)file; d == 0 || v > 0; v /= 10) digits[d++] = (char)('0' + v % 10);
    while (d > 0) path[n++] = digits[--d];
    path[n] = 0;
    if (getxattr(path, "security.capability", NULL, 0) >= 0) return 1;
    return errno == ENODATA || errno == EOPNOTSUPP ? 0 : -errno;
}

static int is_below(const char *real, const char *directory) {
    size_t n = strlen(directory);
    while (n > 0 && directory[n - 1] == '/') n--;
    return directory[0] == '/' && strncmp(real, directory, n) == 0 && real[n] == '/';
}

static uint32_t check_file(struct walk *w, int file, const struct stat *st, const char *const *allowed, size_t count) {
    struct stat holder;
    if (w->is_sticky) { /* may hold the script's ancestors, never the script */
        if (fstat(w->directory, &holder) < 0) return refuse(w, FAF_CHECK_SYSTEM, errno, NULL, NULL);
        w->real[w->real_length - strlen(strrchr(w->real, '/'))] = 0;
        return refuse(w, FAF_CHECK_DIRECTORY_WRITABLE, 0, &holder, NULL);
    }
    if (!S_ISREG(st->st_mode)) return refuse(w, FAF_CHECK_NOT_REGULAR, 0, st, NULL);
    if (st->st_uid != 0 && st->st_uid != w->owner) return refuse(w, FAF_CHECK_OWNER, 0, st, NULL);
    if (st->st_mode & WRITABLE_BY_OTHERS) return refuse(w, FAF_CHECK_WRITABLE, 0, st, NULL);
    if (st->st_mode & (S_ISUID | S_ISGID)) return refuse(w, FAF_CHECK_SETUID, 0, st, NULL);
    int capabilities = has_capabilities(file);
    if (capabilities < 0) return refuse(w, FAF_CHECK_SYSTEM, -capabilities, st, NULL);
    if (capabilities) return refuse(w, FAF_CHECK_SETUID, 0, st, NULL);
    if (!(st->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH))) return refuse(w, FAF_CHECK_NOT_EXECUTABLE, 0, st, NULL);
    int is_allowed = count == 0;
    for (size_t i = 0; i < count && !is_allowed; i++) is_allowed = is_below(w->real, allowed[i]);
    if (!is_allowed) return refuse(w, FAF_CHECK_NOT_ALLOWED, 0, st, NULL);
    w->result->device = st->st_dev;
    w->result->inode = st->st_ino;
    return FAF_CHECK_OK;
}

/* Takes one component off the rest. Returns 0 at the end of the path. */
static int next_name(struct walk *w, char *name, size_t size) {
    char *p = w->rest;
    while (*p == '/') p++;
    size_t n = strcspn(p, "/");
    if (n >= size) n = size - 1; /* too long for any file system: openat says so */
    memcpy(name, p, n);
    name[n] = 0;
    memmove(w->rest, p + n, strlen(p + n) + 1);
    return n > 0;
}

static uint32_t step(struct walk *w, const char *name, const char *const *allowed, size_t count, int *is_done) {
    *is_done = 0;
    if (strcmp(name, ".") == 0) return FAF_CHECK_OK;
    if (strcmp(name, "..") == 0) return go_up(w);
    int child = openat(w->directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (child < 0) return refuse(w, FAF_CHECK_SYSTEM, errno, NULL, name);
    struct stat st;
    uint32_t problem;
    if (fstat(child, &st) < 0) {
        problem = refuse(w, FAF_CHECK_SYSTEM, errno, NULL, name);
    } else if (S_ISLNK(st.st_mode)) {
        problem = follow(w, child, &st, name);
    } else if (S_ISDIR(st.st_mode)) {
        problem = append_real(w, name);
        if (problem == FAF_CHECK_OK) return enter(w, child, &st);
    } else if (w->rest[0] != 0 || w->wants_directory) {
        problem = refuse(w, FAF_CHECK_SYSTEM, ENOTDIR, &st, name);
    } else {
        problem = append_real(w, name);
        if (problem == FAF_CHECK_OK) problem = check_file(w, child, &st, allowed, count);
        *is_done = 1;
    }
    close(child);
    return problem;
}

static uint32_t walk(struct walk *w, const char *path, const char *const *allowed, size_t count) {
    memset(w->result, 0, sizeof *w->result);
    if (w->culprit_size > 0) w->culprit[0] = 0;
    if (w->real_size == 0) return w->result->problem = FAF_CHECK_PATH_TOO_LONG;
    w->real[0] = 0;
    if (path[0] != '/') return refuse(w, FAF_CHECK_NOT_ABSOLUTE, 0, NULL, NULL);
    if (strlen(path) >= sizeof w->rest) return refuse(w, FAF_CHECK_PATH_TOO_LONG, 0, NULL, NULL);
    strcpy(w->rest, path);

    struct stat st;
    w->directory = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (w->directory < 0 || fstat(w->directory, &st) < 0) {
        uint32_t problem = refuse(w, FAF_CHECK_SYSTEM, errno, NULL, NULL);
        if (w->directory >= 0) close(w->directory);
        return problem;
    }
    uint32_t problem = check_directory(w, &st, 1);
    int is_done = 0;
    char name[NAME_MAX + 2];
    while (problem == FAF_CHECK_OK && !is_done) {
        if (next_name(w, name, sizeof name)) {
            problem = step(w, name, allowed, count, &is_done);
            continue;
        }
        /* The path ends at a directory. */
        is_done = 1;
        if (w->wants_directory) break;
        problem = fstat(w->directory, &st) < 0 ? refuse(w, FAF_CHECK_SYSTEM, errno, NULL, NULL)
                                               : refuse(w, FAF_CHECK_NOT_REGULAR, 0, &st, NULL);
    }
    close(w->directory);
    return problem;
}

uint32_t faf_check_script(const char *path, uint32_t owner, const char *const *allowed, size_t count,
                          char *real, size_t real_size, char *culprit, size_t culprit_size,
                          struct faf_check_result *result) {
    struct walk w = {.owner = owner, .real = real, .real_size = real_size, .directory = -1, .culprit = culprit,
                     .culprit_size = culprit_size, .result = result};
    return walk(&w, path, allowed, count);
}

int faf_resolve_directory(const char *path, uint32_t owner, char *real, size_t real_size) {
    struct faf_check_result result;
    struct walk w = {.owner = owner, .real = real, .real_size = real_size, .directory = -1, .wants_directory = 1,
                     .result = &result};
    switch ((enum faf_check_problem)walk(&w, path, NULL, 0)) {
    case FAF_CHECK_OK: return 0;
    case FAF_CHECK_SYSTEM: return -result.error;
    case FAF_CHECK_TOO_MANY_LINKS: return -ELOOP;
    case FAF_CHECK_PATH_TOO_LONG: return -ENAMETOOLONG;
    default: return -EPERM;
    }
}
