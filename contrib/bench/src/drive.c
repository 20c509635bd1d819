/* drive seq  -n N -f FIFO -m MARK [-p PAUSE_US] [-w WARM] [-b BASE] -- CMD ...   one fire after another
 * drive rate -n N -f FIFO -c CLIENTS [-b BASE] -- CMD ...                        as many as they can
 *
 * CMD must lead to `mark FIFO` being run once; words of it may contain @ID@, a number that grows from BASE.
 * seq: one JSON object with arrays of microseconds, one element per fire that arrived:
 *   start        the task's own clock at its first statement - the instant before CMD is spawned
 *   cli          CMD reaped - the same instant
 *   limit, wall  the same two of a MARK that is spawned directly after every fire, so that each ratio compares neighbours in
 *                time
 * rate: {"n", "failed", "arrived", "per_s"}: from the first spawn until the last task's first statement, or until the last
 *   CMD is reaped if that is later. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
struct mark { uint64_t ns; uint32_t id, pid; };
static posix_spawn_file_actions_t quiet;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* The command with its number; freed by `forget`. */
static char **numbered(char **cmd, long id) {
    int n = 0;
    while (cmd[n]) n++;
    char **words = calloc(n + 1, sizeof *words);
    for (int i = 0; i < n; i++) {
        char *place = strstr(cmd[i], "@ID@");
        int bytes = place ? asprintf(&words[i], "%.*s%ld%s", (int)(place - cmd[i]), cmd[i], id, place + 4)
                          : asprintf(&words[i], "%s", cmd[i]);
        if (bytes < 0) exit(9);
    }
    return words;
}

static void forget(char **words) {
    for (char **word = words; *word; word++) free(*word);
    free(words);
}

/* 0: it failed. `reaped`: when. */
static int run(char **cmd, uint64_t *reaped) {
    pid_t pid;
    int status;
    if (posix_spawnp(&pid, cmd[0], &quiet, 0, cmd, environ)) return 0;
    waitpid(pid, &status, 0);
    *reaped = now();
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int next_mark(int fifo, struct mark *mark, int ms) {
    struct pollfd ready = {fifo, POLLIN, 0};
    return poll(&ready, 1, ms) > 0 && read(fifo, mark, sizeof *mark) == sizeof *mark;
}

static void print_array(const char *name, const double *values, int n, const char *after) {
    printf("\"%s\":[", name);
    for (int i = 0; i < n; i++) printf("%s%.1f", i ? "," : "", values[i]);
    printf("]%s", after);
}

static void one_by_one(char **cmd, char *path, char *mark, int fifo, int n, int warm, int base, int pause_us) {
    double *start = calloc(n, 8), *cli = calloc(n, 8), *limit = calloc(n, 8), *wall = calloc(n, 8);
    int arrived = 0, lost = 0;
    for (int i = -warm; i < n && lost < 10; i++) {
        char **words = numbered(cmd, base + warm + i), *direct[] = {mark, path, 0};
        struct mark fired, spawned;
        uint64_t reaped, direct_reaped;
        while (next_mark(fifo, &fired, 0)) {}
        uint64_t began = now();
        int is_fired = run(words, &reaped) && next_mark(fifo, &fired, 5000);
        forget(words);
        if (pause_us) usleep(pause_us);
        uint64_t direct_began = now();
        int is_spawned = run(direct, &direct_reaped) && next_mark(fifo, &spawned, 5000);
        if (pause_us) usleep(pause_us);
        if (!is_fired || !is_spawned) { lost++; continue; }
        if (i < 0) continue;
        start[arrived] = ((double)fired.ns - began) / 1e3;
        cli[arrived] = (reaped - began) / 1e3;
        limit[arrived] = ((double)spawned.ns - direct_began) / 1e3;
        wall[arrived++] = (direct_reaped - direct_began) / 1e3;
    }
    printf("{\"lost\":%d,", lost);
    print_array("start", start, arrived, ",");
    print_array("cli", cli, arrived, ",");
    print_array("limit", limit, arrived, ",");
    print_array("wall", wall, arrived, "}\n");
}

static void rate(char **cmd, int fifo, int n, int clients, int base) {
    int ends[2], arrived = 0, ended = 0, failed = 0;
    if (pipe(ends)) exit(1);
    uint64_t began = now(), last = began;
    for (int client = 0; client < clients; client++)
        if (!fork()) {
            uint64_t end[2] = {began, 0};
            for (int i = client; i < n; i += clients) {
                char **words = numbered(cmd, base + i);
                if (!run(words, &end[0])) end[1]++;
                forget(words);
            }
            if (write(ends[1], end, sizeof end) != sizeof end) _exit(1);
            _exit(0);
        }
    while (arrived < n || ended < clients) {
        struct pollfd ready[2] = {{fifo, POLLIN, 0}, {ends[0], POLLIN, 0}};
        struct mark mark;
        uint64_t end[2];
        if (poll(ready, 2, ended == clients ? 5000 : 60000) <= 0) break;
        if (ready[0].revents & POLLIN && read(fifo, &mark, sizeof mark) == sizeof mark) {
            arrived++;
            if (mark.ns > last) last = mark.ns;
        }
        if (ready[1].revents & POLLIN && read(ends[0], end, sizeof end) == sizeof end) {
            ended++;
            failed += end[1];
            if (end[0] > last) last = end[0];
        }
    }
    while (wait(0) > 0) {}
    printf("{\"n\":%d,\"failed\":%d,\"arrived\":%d,\"per_s\":%.1f}\n", n, failed, arrived, arrived / ((last - began) / 1e9));
}

int main(int argc, char **argv) {
    int n = 200, clients = 1, pause_us = 0, warm = 5, base = 0, option;
    char *path = 0, *mark = 0;
    if (argc < 2) return 2;
    optind = 2;
    while ((option = getopt(argc, argv, "+n:f:m:c:p:w:b:")) != -1) switch (option) {
        case 'n': n = atoi(optarg); break;
        case 'f': path = optarg; break;
        case 'm': mark = optarg; break;
        case 'c': clients = atoi(optarg); break;
        case 'p': pause_us = atoi(optarg); break;
        case 'w': warm = atoi(optarg); break;
        case 'b': base = atoi(optarg); break;
        default: return 2;
        }
    if (!path || !argv[optind]) return 2;
    int fifo = open(path, O_RDWR | O_CLOEXEC);
    if (fifo < 0) { perror(path); return 1; }
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
    if (!strcmp(argv[1], "seq") && mark) one_by_one(argv + optind, path, mark, fifo, n, warm, base, pause_us);
    else if (!strcmp(argv[1], "rate")) rate(argv + optind, fifo, n, clients, base);
    else return 2;
    return 0;
}
