/* kept [-q | -s] -n N -c CLIENTS -f FIFO [-m MARK] [-p PAUSE_US] ADDRESS MESSAGE...   fires over kept connections
 *
 * MESSAGE is sent N times in all and leads to `mark FIFO` being run; each client has a connection of its own.
 *   ADDRESS is a socket, MESSAGE ends with a NUL (Varlink); -q: a socket of packets, one each way, MESSAGE is words;
 *   -s: the bus of a systemd, MESSAGE is the command line of a transient service; if compiled with -DSYSTEMD -lsystemd.
 * Prints {"n", "arrived", "per_s"} and, with one client, which waits for each task to start before it fires the next one,
 * arrays of microseconds from the send: "answer" until the answer is there, "start" until the task's first statement, and
 * "limit", that of a MARK spawned after every fire, if there is one. */
#include "measure.h"
#include <sys/socket.h>
#include <sys/un.h>
#ifdef SYSTEMD
#include <systemd/sd-bus.h>
#endif

static enum { STREAM, PACKETS, BUS } kind;
static char **words, message[65536];
static size_t bytes;
struct connection { int fd; struct sd_bus *bus; unsigned number; };

#ifdef SYSTEMD
static int open_bus(struct connection *to, const char *path) {
    char address[256];
    snprintf(address, sizeof address, "unix:path=%s", path);
    return sd_bus_new(&to->bus) >= 0 && sd_bus_set_address(to->bus, address) >= 0 && sd_bus_start(to->bus) >= 0;
}

/* systemd's own `systemd-run --no-block --collect`, without the program that is started for each. */
static int start_transient(struct connection *to) {
    sd_bus_message *m = 0;
    char name[64];
    snprintf(name, sizeof name, "bench-%d-%u.service", getpid(), to->number++);
    int bad = sd_bus_message_new_method_call(to->bus, &m, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                             "org.freedesktop.systemd1.Manager", "StartTransientUnit") < 0
        || sd_bus_message_append(m, "ss", name, "fail") < 0
        || sd_bus_message_open_container(m, 'a', "(sv)") < 0
        || sd_bus_message_append(m, "(sv)", "CollectMode", "s", "inactive-or-failed") < 0
        || sd_bus_message_open_container(m, 'r', "sv") < 0
        || sd_bus_message_append(m, "s", "ExecStart") < 0
        || sd_bus_message_open_container(m, 'v', "a(sasb)") < 0
        || sd_bus_message_open_container(m, 'a', "(sasb)") < 0
        || sd_bus_message_open_container(m, 'r', "sasb") < 0
        || sd_bus_message_append(m, "s", words[0]) < 0
        || sd_bus_message_append_strv(m, words) < 0
        || sd_bus_message_append(m, "b", 0) < 0;
    for (int depth = 0; depth < 5 && !bad; depth++) bad = sd_bus_message_close_container(m) < 0;
    bad = bad || sd_bus_message_append(m, "a(sa(sv))", 0) < 0
        || sd_bus_call(to->bus, m, PATIENCE * 1000ull, 0, 0) < 0;
    sd_bus_message_unref(m);
    return !bad;
}
#else
static int open_bus(struct connection *to, const char *path) { (void)to, (void)path; return 0; }
static int start_transient(struct connection *to) { (void)to; return 0; }
#endif

static struct connection dial(const char *path) {
    struct connection to = {-1, 0, 0};
    if (kind == BUS) {
        if (!open_bus(&to, path)) { fprintf(stderr, "%s: no systemd\n", path); exit(1); }
        return to;
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    to.fd = socket(AF_UNIX, (kind == STREAM ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_CLOEXEC, 0);
    struct timeval patience = {PATIENCE / 1000, 0};
    setsockopt(to.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (to.fd < 0 || connect(to.fd, (void *)&address, sizeof address)) { perror(path); exit(1); }
    return to;
}

static int call(struct connection *to) {
    static char answer[65536];
    if (kind == BUS) return start_transient(to);
    if (send(to->fd, message, bytes, MSG_NOSIGNAL) != (ssize_t)bytes) return 0;
    for (;;) {
        ssize_t got = recv(to->fd, answer, sizeof answer, 0);
        if (got <= 0) return 0;
        if (kind == PACKETS) return memcmp(answer, "ERR", 3) != 0;
        if (answer[got - 1] == 0) return memmem(answer, got, "\"error\"", 7) == 0;
    }
}

static int one_by_one(const char *address, char *mark, char *path, int fifo, int n, int pause_us) {
    double *answer = calloc(n, 8), *start = calloc(n, 8), *spawned = calloc(n, 8), wall;
    struct connection to = dial(address);
    int arrived = 0;
    for (int i = 0; i < n && i - arrived < 10; i++) {
        struct mark fired;
        /* A fire that was given up may still arrive. */
        while (next_mark(fifo, &fired, 0)) {}
        uint64_t sent = now();
        int is_fired = call(&to);
        uint64_t answered = now();
        is_fired = is_fired && next_mark(fifo, &fired, PATIENCE);
        usleep(pause_us);
        if (!is_fired || (mark && !limit(mark, path, fifo, &spawned[arrived], &wall))) continue;
        usleep(pause_us);
        answer[arrived] = (answered - sent) / 1e3;
        start[arrived++] = ((double)fired.ns - sent) / 1e3;
    }
    printf("{\"n\":%d,\"arrived\":%d", n, arrived);
    print_array("answer", answer, arrived);
    print_array("start", start, arrived);
    if (mark) print_array("limit", spawned, arrived);
    printf("}\n");
    return 0;
}

static int at_once(const char *address, int fifo, int n, int clients) {
    int arrived = 0, ready[2], go[2];
    struct mark mark;
    char byte = 0;
    if (pipe(ready) || pipe(go)) return 1;
    for (int client = 0; client < clients; client++)
        if (!fork()) {
            close(go[1]);
            struct connection to = dial(address);
            /* The clock starts when all are connected. */
            if (write(ready[1], &byte, 1) != 1 || close(ready[1]) || read(go[0], &byte, 1) != 0) _exit(1);
            for (int i = client; i < n; i += clients)
                if (!call(&to)) _exit(1);
            _exit(0);
        }
    close(ready[1]);
    for (int client = 0; client < clients && read(ready[0], &byte, 1) == 1; client++) {}
    uint64_t began = now(), last = began;
    close(go[1]);
    while (arrived < n && next_mark(fifo, &mark, PATIENCE)) {
        arrived++;
        if (mark.ns > last) last = mark.ns;
    }
    while (wait(0) > 0) {}
    /* The last answer may come after the last mark. */
    if (arrived == n) last = now();
    printf("{\"n\":%d,\"arrived\":%d,\"per_s\":%.1f}\n", n, arrived, arrived ? arrived / ((last - began) / 1e9) : 0);
    return 0;
}

int main(int argc, char **argv) {
    int n = 200, clients = 1, pause_us = 0, option;
    char *path = 0, *mark = 0;
    while ((option = getopt(argc, argv, "+qsn:c:f:m:p:")) != -1) switch (option) {
        case 'q': kind = PACKETS; break;
        case 's': kind = BUS; break;
        case 'n': n = atoi(optarg); break;
        case 'c': clients = atoi(optarg); break;
        case 'f': path = optarg; break;
        case 'm': mark = optarg; break;
        case 'p': pause_us = atoi(optarg); break;
        default: return 2;
        }
    if (!path || argc - optind < 2) return 2;
    words = argv + optind + 1;
    /* Each word is ended by a NUL. */
    for (char **word = words; *word; word++)
        bytes += snprintf(message + bytes, sizeof message - bytes, "%s", *word) + 1;
    int fifo = prepare(path);
    return clients == 1 ? one_by_one(argv[optind], mark, path, fifo, n, pause_us)
                        : at_once(argv[optind], fifo, n, clients);
}
