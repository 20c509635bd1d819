/* drive seq  -n N -f FIFO -m MARK [-p PAUSE_US] [-w WARM] [-b BASE] -- CMD ...   one fire after another
 * drive rate -n N -f FIFO -c CLIENTS [-b BASE] -- CMD ...                        as many as they can
 *
 * CMD must lead to `mark FIFO` being run once; words of it may contain @ID@, a number that grows from BASE.
 * seq: one JSON object with arrays of microseconds, one element per fire that arrived:
 *   start        the task's own clock at its first statement - the instant before CMD is spawned
 *   cli          CMD reaped - the same instant
 *   limit, wall  the same two of a MARK that is spawned directly after every fire, so that each ratio compares neighbours in
 *                time
 *   and "n", how many were asked for (WARM ones are not counted), "lost", those that failed or did not arrive. After ten
 *   lost ones it gives up: the rest counts as lost too.
 * rate: {"n", "failed", "arrived", "per_s"}: from the first spawn until the last task's first statement, or until the last
 *   CMD is reaped if that is later. */
#include "measure.h"

/* The command with its number, in every word; freed by `forget`. */
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

static void one_by_one(char **cmd, char *path, char *mark, int fifo, int n, int warm, int base, int pause_us) {
    double *start = calloc(n, 8), *cli = calloc(n, 8), *spawned = calloc(n, 8), *wall = calloc(n, 8);
    int arrived = 0, lost = 0;
    for (int i = -warm; i < n && lost < 10; i++) {
        char **words = numbered(cmd, base + warm + i);
        struct mark fired;
        uint64_t reaped;
        double at_start, at_end;
        /* A fire that was given up may still arrive. */
        while (next_mark(fifo, &fired, 0)) {}
        uint64_t began = now();
        int is_fired = run(words, &reaped) && next_mark(fifo, &fired, PATIENCE);
        forget(words);
        if (pause_us) usleep(pause_us);
        int is_spawned = limit(mark, path, fifo, &at_start, &at_end);
        if (pause_us) usleep(pause_us);
        if (!is_fired || !is_spawned) { lost++; continue; }
        if (i < 0) continue;
        start[arrived] = ((double)fired.ns - began) / 1e3;
        cli[arrived] = (reaped - began) / 1e3;
        spawned[arrived] = at_start;
        wall[arrived++] = at_end;
    }
    printf("{\"n\":%d,\"lost\":%d", n, lost < 10 ? lost : n - arrived);
    print_array("start", start, arrived);
    print_array("cli", cli, arrived);
    print_array("limit", spawned, arrived);
    print_array("wall", wall, arrived);
    printf("}\n");
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
        if (poll(ready, 2, ended == clients ? PATIENCE : CLI_PATIENCE + PATIENCE) <= 0) break;
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
    printf("{\"n\":%d,\"failed\":%d,\"arrived\":%d,\"per_s\":%.1f}\n", n, failed, arrived,
           arrived ? arrived / ((last - began) / 1e9) : 0);
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
    int fifo = prepare(path);
    if (!strcmp(argv[1], "seq") && mark) one_by_one(argv + optind, path, mark, fifo, n, warm, base, pause_us);
    else if (!strcmp(argv[1], "rate")) rate(argv + optind, fifo, n, clients, base);
    else return 2;
    return 0;
}
