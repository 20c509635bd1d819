/* kept [-p] -n N -c CLIENTS -f FIFO SOCKET MESSAGE   fires over kept connections, each client with one of its own
 *
 * MESSAGE is sent N times in all and leads to `mark FIFO` being run. Stream sockets: a message ends with a NUL (Varlink);
 * -p: a socket of packets, a packet each way.
 * Prints {"arrived", "per_s"} and, with one client, which waits for each task to start before it fires the next one, arrays
 * of microseconds from the send: "answer" until the answer is there, "start" until the task's first statement. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct mark { uint64_t ns; uint32_t id, pid; };

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int dial(const char *path, int type) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (void *)&address, sizeof address)) { perror(path); exit(1); }
    return fd;
}

static int call(int fd, int type, const char *message, size_t bytes) {
    static char answer[65536];
    if (send(fd, message, bytes, MSG_NOSIGNAL) != (ssize_t)bytes) return 0;
    for (;;) {
        ssize_t got = recv(fd, answer, sizeof answer, 0);
        if (got <= 0) return 0;
        if (type == SOCK_SEQPACKET) return 1;
        if (answer[got - 1] == 0) return memmem(answer, got, "\"error\"", 7) == 0;
    }
}

static int next_mark(int fifo, struct mark *mark) {
    struct pollfd ready = {fifo, POLLIN, 0};
    return poll(&ready, 1, 5000) > 0 && read(fifo, mark, sizeof *mark) == sizeof *mark;
}

static void print_array(const char *name, const double *values, int n) {
    printf(",\"%s\":[", name);
    for (int i = 0; i < n; i++) printf("%s%.1f", i ? "," : "", values[i]);
    printf("]");
}

int main(int argc, char **argv) {
    int n = 200, clients = 1, type = SOCK_STREAM, option;
    char *path = 0;
    while ((option = getopt(argc, argv, "+pn:c:f:")) != -1) switch (option) {
        case 'p': type = SOCK_SEQPACKET; break;
        case 'n': n = atoi(optarg); break;
        case 'c': clients = atoi(optarg); break;
        case 'f': path = optarg; break;
        default: return 2;
        }
    if (!path || argc - optind < 2) return 2;
    /* Packets are words, each ended by a NUL: the rest of the command line. */
    static char message[65536];
    size_t bytes = 0;
    for (int i = optind + 1; i < argc; i++) bytes += snprintf(message + bytes, sizeof message - bytes, "%s", argv[i]) + 1;
    int fifo = open(path, O_RDWR | O_CLOEXEC), arrived = 0;
    if (fifo < 0) { perror(path); return 1; }
    struct mark mark;
    double *answer = calloc(n, 8), *start = calloc(n, 8);
    uint64_t began = now(), last = began;
    if (clients == 1) {
        int fd = dial(argv[optind], type);
        while (arrived < n) {
            uint64_t sent = now();
            if (!call(fd, type, message, bytes)) break;
            answer[arrived] = (now() - sent) / 1e3;
            if (!next_mark(fifo, &mark)) break;
            last = mark.ns;
            start[arrived++] = ((double)mark.ns - sent) / 1e3;
        }
    } else {
        for (int client = 0; client < clients; client++)
            if (!fork()) {
                int fd = dial(argv[optind], type);
                for (int i = client; i < n; i += clients)
                    if (!call(fd, type, message, bytes)) _exit(1);
                _exit(0);
            }
        while (arrived < n && next_mark(fifo, &mark)) {
            arrived++;
            if (mark.ns > last) last = mark.ns;
        }
        while (wait(0) > 0) {}
    }
    printf("{\"n\":%d,\"arrived\":%d,\"per_s\":%.1f", n, arrived, arrived / ((last - began) / 1e9));
    if (clients == 1) {
        print_array("answer", answer, arrived);
        print_array("start", start, arrived);
    }
    printf("}\n");
    return 0;
}
