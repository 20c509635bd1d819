/* The container runtime of conmon's fires: `runtime create --bundle BUNDLE --pid-file FILE ID` starts the program that the
 * words of BUNDLE/command name and leaves; whatever else is asked for succeeds. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
    char *bundle = 0, *file = 0, path[512], program[512], argument[512], *words[] = {program, argument, 0};
    int creates = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "create")) creates = 1;
        else if (!strcmp(argv[i], "--bundle") && i + 1 < argc) bundle = argv[++i];
        else if (!strcmp(argv[i], "--pid-file") && i + 1 < argc) file = argv[++i];
    }
    if (!creates) return 0;
    if (!bundle || !file) return 2;
    snprintf(path, sizeof path, "%s/command", bundle);
    FILE *command = fopen(path, "r");
    if (!command || fscanf(command, "%511s %511s", program, argument) != 2) return 3;
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    for (int fd = 0; fd < 3; fd++) posix_spawn_file_actions_addopen(&quiet, fd, "/dev/null", O_RDWR, 0);
    pid_t pid;
    if (posix_spawn(&pid, program, &quiet, 0, words, environ)) return 4;
    FILE *id = fopen(file, "w");
    return !id || fprintf(id, "%d", pid) < 0 || fclose(id);
}
