#define _GNU_SOURCE
#include "faf_fire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define SYSTEM_SOCKET "/run/faf/fafd.sock" /* SocketLocation.system */

enum { CONNECT_SECONDS = 30, ANSWER_MS = 1000 };

static int connection = -1;

int faf_fire_connection(void) {
    int mine = connection;
    connection = -1;
    return mine;
}

/* ------------------------------------------------------------------ the message */

struct text {
    char *bytes;
    size_t room, length;
};

static void add(struct text *text, const char *bytes, size_t length) {
    if (length > text->room - text->length) {
        text->room = text->length; /* full: nothing fits any more */
        text->bytes = NULL;
        return;
    }
    if (text->bytes) memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

static void add_string(struct text *text, const char *bytes, size_t length) {
    add(text, "\"", 1);
    add(text, bytes, length);
    add(text, "\"", 1);
}

/* What needs no escape in JSON. */
static int is_plain(const char *word) {
    for (; *word; word++)
        if (*word < 0x20 || *word > 0x7e || *word == '"' || *word == '\\') return 0;
    return 1;
}

static int is(const char *name, size_t length, const char *other) {
    return strlen(other) == length && memcmp(name, other, length) == 0;
}

static int is_option(const char *name, size_t length) {
    static const char *const options[] = {"wait", "status-to-stdout", "json", "user", "help"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (is(name, length, options[i])) return 1;
    return 0;
}

/* Length of NAME in --NAME=VALUE, if it is a parameter that is a string; 0: it is not. */
static size_t parameter_name(const char *word) {
    if (strncmp(word, "--", 2) != 0) return 0;
    const char *end = strchr(word, '=');
    if (!end || end - word < 3 || end[-1] == ':') return 0;
    size_t length = (size_t)(end - word) - 2;
    return is_option(word + 2, length) ? 0 : length;
}

static int is_given_twice(int argc, char *const *argv, int index, size_t length) {
    for (int i = 2; i < argc; i++)
        if (i != index && parameter_name(argv[i]) == length && memcmp(argv[i], argv[index], length + 2) == 0) return 1;
    return 0;
}

static int is_set(const char *value) { return value && *value; }

long faf_fire_message(int argc, char *const *argv, const struct faf_fire_environment *environment, char *message,
                      unsigned long room, const char **socket) {
    if (argc < 3 || strcmp(argv[1], "fire") != 0 || is_set(environment->faf_user)) return -1;
    const char *task = NULL;
    *socket = NULL;
    for (int i = 2; i < argc; i++) {
        if (!is_plain(argv[i])) return -1;
        if (argv[i][0] != '-') {
            size_t length = strlen(argv[i]);
            if (task || length == 0 || (length > 5 && strcmp(argv[i] + length - 5, ".task") == 0)) return -1;
            task = argv[i];
            continue;
        }
        size_t length = parameter_name(argv[i]);
        if (length == 0 || is_given_twice(argc, argv, i, length)) return -1;
        if (is(argv[i] + 2, length, "socket")) *socket = argv[i] + 2 + length + 1;
    }
    if (!task || (*socket && !**socket)) return -1;
    if (!*socket) *socket = is_set(environment->faf_socket) ? environment->faf_socket : SYSTEM_SOCKET;

    struct text text = {message, room, 0};
#define ADD(literal) add(&text, literal, sizeof literal - 1)
    ADD("{\"method\":\"io.faf.Supervisor.Fire\",\"parameters\":{\"task\":");
    add_string(&text, task, strlen(task));
    int count = 0;
    for (int i = 2; i < argc; i++) {
        size_t length = parameter_name(argv[i]);
        if (length == 0 || is(argv[i] + 2, length, "socket")) continue;
        if (count++ == 0) ADD(",\"parameters\":{"); else ADD(",");
        add_string(&text, argv[i] + 2, length);
        ADD(":");
        add_string(&text, argv[i] + 2 + length + 1, strlen(argv[i] + 2 + length + 1));
    }
    if (count > 0) ADD("}");
    add(&text, "}}", 3); /* with the NUL that ends it */
#undef ADD
    return text.bytes ? (long)text.length : -1;
}

/* ------------------------------------------------------------------ the answer */

long faf_fire_number(const char *answer, unsigned long length, char text[24]) {
    static const char begin[] = "{\"parameters\":{\"run\":{\"number\":", end[] = "}}}";
    size_t digits = 0;
    const char *number = answer + sizeof begin - 1;
    if (length < sizeof begin + sizeof end || memcmp(answer, begin, sizeof begin - 1) != 0) return -1;
    /* One message and nothing behind it; and nothing but the run in it, so that there is no "continues". */
    if (memchr(answer, 0, length) != answer + length - 1 || memcmp(answer + length - sizeof end, end, sizeof end) != 0)
        return -1;
    while (number[digits] >= '0' && number[digits] <= '9') digits++;
    if (digits == 0 || digits > 19 || number[digits] != ',') return -1;
    memcpy(text, number, digits);
    text[digits] = '\n';
    return (long)digits + 1;
}

/* ------------------------------------------------------------------ both */

static int connected(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return -1;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    /* connect(2) waits for room in the backlog. */
    struct timeval limit = {CONNECT_SECONDS, 0};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    close(fd);
    return -1;
}

/* What goes wrong before the whole message is sent has had no effect: the ordinary path tries it itself, and says why. */
__attribute__((constructor(101))) static void fire_at_once(int argc, char **argv) {
    static char buffer[65536];
    const struct faf_fire_environment environment = {getenv("FAF_USER"), getenv("FAF_SOCKET")};
    const char *path;
    long length = faf_fire_message(argc, argv, &environment, buffer, sizeof buffer, &path);
    if (length < 0) return;
    int fd = connected(path);
    if (fd < 0) return;
    if (send(fd, buffer, (size_t)length, MSG_NOSIGNAL) != length) {
        close(fd);
        return;
    }
    connection = fd;
    struct pollfd answer = {.fd = fd, .events = POLLIN};
    if (poll(&answer, 1, ANSWER_MS) <= 0) return;
    /* Looked at and left there: it may be for the ordinary path. */
    ssize_t got = recv(fd, buffer, sizeof buffer, MSG_PEEK | MSG_DONTWAIT);
    char text[24];
    long count = got > 0 ? faf_fire_number(buffer, (size_t)got, text) : -1;
    if (count > 0 && write(STDOUT_FILENO, text, (size_t)count) == count) _exit(0);
}
