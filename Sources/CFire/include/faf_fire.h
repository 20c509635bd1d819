/* `faf fire TASK --name=value ...` without Swift's runtime.
 *
 * Setting that up and touching the code of the ordinary path for the first time costs twice as much as all that a fire
 * needs (exec to connect(2): 1.5 ms instead of 0.7 ms). So a constructor that runs before the runtime's own looks at the
 * command line: a plain fire (printable ASCII, strings only, no option but --socket=) is sent at once, and when its
 * answer is a run, the number is written and the process is over. Everything else is left to the ordinary path: command
 * lines that are not plain as if nobody had looked at them, and answers that are not plain with the connection on which
 * they wait. What is sent and taken here is what Client.fire would have sent and taken.
 */
#ifndef FAF_FIRE_H
#define FAF_FIRE_H

/* The connection on which this process's fire was sent, its answer unread; the caller's from then on. -1: none was. */
int faf_fire_connection(void);

/* What of the environment matters; NULL: not set. */
struct faf_fire_environment {
    const char *faf_user, *faf_socket;
};

/* The message for a plain command line, with its NUL, and the socket's path; the message's length, or -1 if it is not
 * plain or does not fit. */
long faf_fire_message(int argc, char *const *argv, const struct faf_fire_environment *environment, char *message,
                      unsigned long room, const char **socket);

/* The run's number in an answer of `length` bytes, as the text that is to be printed with its newline: its length, or -1
 * if this is not simply a run. */
long faf_fire_number(const char *answer, unsigned long length, char text[24]);

#endif
