/* ticker [MS]   says STATUS= to its supervisor at once, and again every MS milliseconds; without MS it sleeps then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    const char *path = getenv("NOTIFY_SOCKET");
    int every = argc > 1 ? atoi(argv[1]) : 0, to = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!path) return 2;
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    for (int turn = 1;; turn++) {
        char text[64];
        int bytes = snprintf(text, sizeof text, "STATUS=%d of many", turn);
        if (sendto(to, text, bytes, 0, (void *)&address, sizeof address) != bytes) return 1;
        if (!every) for (;;) pause();
        nanosleep(&(struct timespec){every / 1000, every % 1000 * 1000000l}, 0);
    }
}
