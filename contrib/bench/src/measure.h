/* What everything that drives has in common: the clock, the FIFO of marks, spawning with a time limit, arrays as JSON. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A task that has not started after that many milliseconds is lost; a CLI that has not ended after so many is killed. */
enum { PATIENCE = 5000, CLI_PATIENCE = 20000 };

struct mark { uint64_t ns; uint32_t id, pid; };
extern char **environ;
static posix_spawn_file_actions_t quiet;

static inline uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + t.tv_nsec;
}

static inline int next_mark(int fifo, struct mark *mark, int ms) {
    struct pollfd ready = {fifo, POLLIN, 0};
    return poll(&ready, 1, ms) > 0 && read(fifo, mark, sizeof *mark) == sizeof *mark;
}

/* The FIFO's descriptor: both ends, so that it is never at its end; empty of what came too late for somebody else. */
static inline int prepare(const char *path) {
    int fifo = open(path, O_RDWR | O_CLOEXEC);
    if (fifo < 0) { perror(path); exit(1); }
    for (struct mark late; next_mark(fifo, &late, 0);) {}
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
    return fifo;
}

/* 0: it failed, or took too long and was killed. `reaped`: when. */
static inline int run(char **cmd, uint64_t *reaped) {
    pid_t pid;
    int status;
    *reaped = 0;
    if (posix_spawnp(&pid, cmd[0], &quiet, 0, cmd, environ)) return 0;
    struct pollfd ended = {syscall(SYS_pidfd_open, pid, 0), POLLIN, 0};
    if (poll(&ended, 1, CLI_PATIENCE) <= 0) kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    *reaped = now();
    close(ended.fd);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The limit: MARK itself, spawned now. Microseconds until its first statement and until it is reaped; 0: it failed. */
static inline int limit(char *mark, char *path, int fifo, double *start, double *wall) {
    char *direct[] = {mark, path, 0};
    struct mark spawned;
    uint64_t reaped, began = now();
    *start = *wall = 0;
    if (!run(direct, &reaped) || !next_mark(fifo, &spawned, PATIENCE)) return 0;
    *start = ((double)spawned.ns - began) / 1e3;
    *wall = (reaped - began) / 1e3;
    return 1;
}

static inline void print_array(const char *name, const double *values, int n) {
    printf(",\"%s\":[", name);
    for (int i = 0; i < n; i++) printf("%s%.1f", i ? "," : "", values[i]);
    printf("]");
}
