/* journald's stream protocol, as systemd's own connect_logger_as speaks it: seven lines, then output, whose first line is
 * our mark. */
#define _GNU_SOURCE
#include "faf_shim.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define TIMEOUT_S 1
#define BUFFER (8 << 20)

static int outcome(ssize_t written, ssize_t length) {
    if (written < 0) return errno == EAGAIN ? -ETIMEDOUT : -errno;
    return written == length ? 0 : -EIO;
}

static int greet(int fd, const char *path, const struct faf_journal_words *words) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    /* Where its queue is full connect(2) waits that long, then says EAGAIN. */
    struct timeval limit = {.tv_sec = TIMEOUT_S}, none = {0};
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0) return -errno;
    int error = outcome(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    if (error < 0) return error;
    if (shutdown(fd, SHUT_RD) < 0) return -errno;
    int room = BUFFER; /* as systemd has it: a slow journald does not hold the script up at once */
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    /* identifier, unit, priority (daemon.info), whether <N> counts, then: to syslog, kmsg, console */
    const char *rest = words->level_prefix ? "\n30\n1\n0\n0\n0\n" : "\n30\n0\n0\n0\n0\n";
    const char *texts[] = {words->identifier, "\n", words->unit, rest, words->mark, "\n"};
    const int count = sizeof texts / sizeof *texts;
    struct iovec parts[sizeof texts / sizeof *texts];
    ssize_t length = 0;
    for (int i = 0; i < count; i++) {
        parts[i] = (struct iovec){(void *)texts[i], strlen(texts[i])};
        length += (ssize_t)parts[i].iov_len;
    }
    error = outcome(writev(fd, parts, count), length);
    if (error < 0) return error;
    return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none) < 0 ? -errno : 0;
}

int faf_journal_stream(const char *path, const struct faf_journal_words *words) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int error = greet(fd, path, words);
    if (error == 0) return fd;
    close(fd);
    return error;
}
