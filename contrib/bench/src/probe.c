/* A reachable floor, not a product: the smallest supervisor of faf's shape.
 *   probe daemon SOCKET DIR     listens; spawns a shim per request, in a session of its own
 *   probe fire SOCKET CMD ...   the CLI; prints the number
 *   probe shim DIR NUMBER CMD   spawns CMD, waits, stores its exit status
 * PROBE_CG=DIR: the shim starts the task in DIR/NUMBER, by clone3(CLONE_INTO_CGROUP).
 * PROBE_SYNC=1: the daemon appends a record and fdatasyncs before it answers. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLIENTS = 1024, WORDS = 256, RECORD = 128, PREALLOCATED = 1 << 22 };
extern char **environ;
static char buffer[65536];

static struct sockaddr_un address(const char *path) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strncpy(to.sun_path, path, sizeof to.sun_path - 1);
    return to;
}

static int fire(const char *path, char **words) {
    struct sockaddr_un to = address(path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (connect(fd, (void *)&to, sizeof to)) { perror(path); return 1; }
    size_t bytes = 0;
    for (; *words; words++) bytes += snprintf(buffer + bytes, sizeof buffer - bytes, "%s", *words) + 1;
    char answer[32];
    if (send(fd, buffer, bytes, 0) < 0) return 1;
    ssize_t got = recv(fd, answer, sizeof answer - 1, 0);
    if (got <= 0) return 1;
    answer[got] = '\n';
    return write(1, answer, got + 1) != got + 1;
}

static pid_t start(char *number, char **cmd) {
    pid_t pid;
    char *cgroup = getenv("PROBE_CG"), path[512];
    if (!cgroup) return posix_spawn(&pid, cmd[0], 0, 0, cmd, environ) ? -1 : pid;
    snprintf(path, sizeof path, "%s/%s", cgroup, number);
    mkdir(path, 0755);
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct clone_args into = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)directory};
    pid = syscall(SYS_clone3, &into, sizeof into);
    if (pid == 0) {
        execv(cmd[0], cmd);
        _exit(127);
    }
    return pid;
}

static int shim(char *directory, char *number, char **cmd) {
    char aside[512], end[512];
    snprintf(aside, sizeof aside, "%s/%s.new", directory, number);
    snprintf(end, sizeof end, "%s/%s.exit", directory, number);
    int status;
    pid_t pid = start(number, cmd);
    if (pid < 0 || waitpid(pid, &status, 0) != pid) return 127;
    int fd = open(aside, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    dprintf(fd, "%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    close(fd);
    return rename(aside, end);
}

/* One request, a packet of words that each end with a NUL; 0: the client has gone. */
static int serve(int client, char *self, char *directory, int log, const posix_spawnattr_t *session) {
    static long number;
    static off_t place;
    char *words[WORDS] = {self, "shim", directory}, text[24], answer[32];
    ssize_t bytes = recv(client, buffer, sizeof buffer - 1, MSG_DONTWAIT);
    if (bytes <= 0) return 0;
    buffer[bytes] = 0;
    snprintf(text, sizeof text, "%ld", ++number);
    words[3] = text;
    int count = 4;
    for (char *word = buffer; word < buffer + bytes && count < WORDS - 1; word += strlen(word) + 1) words[count++] = word;
    if (log >= 0) {
        if (pwrite(log, buffer, bytes < RECORD ? bytes : RECORD, place) < 0) return 0;
        place += RECORD;
        fdatasync(log);
    }
    pid_t pid;
    int failed = posix_spawn(&pid, self, 0, session, words, environ);
    send(client, answer, snprintf(answer, sizeof answer, failed ? "ERR" : "%ld", number), MSG_NOSIGNAL);
    return 1;
}

static int serve_all(char *self, char *path, char *directory) {
    struct sockaddr_un here = address(path);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), log = -1;
    mkdir(directory, 0700);
    signal(SIGCHLD, SIG_IGN);
    if (bind(listener, (void *)&here, sizeof here) || listen(listener, 512)) { perror(path); return 1; }
    if (getenv("PROBE_SYNC")) {
        snprintf(buffer, sizeof buffer, "%s/log", directory);
        log = open(buffer, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
        if (posix_fallocate(log, 0, PREALLOCATED) || fsync(log)) return 1;
    }
    posix_spawnattr_t session;
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGCHLD);
    posix_spawnattr_init(&session);
    posix_spawnattr_setsigdefault(&session, &defaults);
    posix_spawnattr_setflags(&session, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF);
    struct pollfd ready[CLIENTS] = {{listener, POLLIN, 0}};
    for (int count = 1;;) {
        poll(ready, count, -1);
        for (int i = count - 1; i > 0; i--)
            if (ready[i].revents && !serve(ready[i].fd, self, directory, log, &session)) {
                close(ready[i].fd);
                ready[i] = ready[--count];
            }
        if (ready[0].revents & POLLIN && count < CLIENTS) {
            int client = accept4(listener, 0, 0, SOCK_CLOEXEC);
            if (client >= 0) ready[count++] = (struct pollfd){client, POLLIN, 0};
        }
    }
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    if (!strcmp(argv[1], "fire")) return fire(argv[2], argv + 3);
    if (!strcmp(argv[1], "shim") && argc > 4) return shim(argv[2], argv[3], argv + 4);
    if (!strcmp(argv[1], "daemon")) return serve_all(argv[0], argv[2], argv[3]);
    return 2;
}
