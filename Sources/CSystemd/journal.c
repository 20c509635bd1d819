#include "faf_journal.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#define SD_JOURNAL_LOCAL_ONLY 1
/* One line of output is cut at 64 KiB; journald's own lines have 48 KiB. */
#define DATA_THRESHOLD (256 * 1024)

static struct {
    int (*open)(void **, int);
    void (*close)(void *);
    int (*add_match)(void *, const void *, size_t);
    int (*add_disjunction)(void *);
    void (*flush_matches)(void *);
    int (*seek_head)(void *);
    int (*seek_tail)(void *);
    int (*seek_realtime_usec)(void *, uint64_t);
    int (*seek_cursor)(void *, const char *);
    int (*test_cursor)(void *, const char *);
    int (*get_cursor)(void *, char **);
    int (*next)(void *);
    int (*previous_skip)(void *, uint64_t);
    int (*wait)(void *, uint64_t);
    int (*get_data)(void *, const char *, const void **, size_t *);
    int (*get_realtime_usec)(void *, uint64_t *);
    int (*set_data_threshold)(void *, size_t);
} sd;
static int loaded = -ENOENT;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
    /* The library is never closed: journals may be open. */
    void *library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    struct {
        const char *name;
        void **place;
    } functions[] = {
        {"sd_journal_open", (void **)&sd.open},
        {"sd_journal_close", (void **)&sd.close},
        {"sd_journal_add_match", (void **)&sd.add_match},
        {"sd_journal_add_disjunction", (void **)&sd.add_disjunction},
        {"sd_journal_flush_matches", (void **)&sd.flush_matches},
        {"sd_journal_seek_head", (void **)&sd.seek_head},
        {"sd_journal_seek_tail", (void **)&sd.seek_tail},
        {"sd_journal_seek_realtime_usec", (void **)&sd.seek_realtime_usec},
        {"sd_journal_seek_cursor", (void **)&sd.seek_cursor},
        {"sd_journal_test_cursor", (void **)&sd.test_cursor},
        {"sd_journal_get_cursor", (void **)&sd.get_cursor},
        {"sd_journal_next", (void **)&sd.next},
        {"sd_journal_previous_skip", (void **)&sd.previous_skip},
        {"sd_journal_wait", (void **)&sd.wait},
        {"sd_journal_get_data", (void **)&sd.get_data},
        {"sd_journal_get_realtime_usec", (void **)&sd.get_realtime_usec},
        {"sd_journal_set_data_threshold", (void **)&sd.set_data_threshold},
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        *functions[i].place = dlsym(library, functions[i].name);
        if (!*functions[i].place) {
            loaded = -ENOSYS;
            return;
        }
    }
    loaded = 0;
}

int faf_journal_load(void) {
    pthread_once(&once, load);
    return loaded;
}

int faf_journal_open(void **journal) {
    int error = faf_journal_load();
    if (error < 0) return error;
    error = sd.open(journal, SD_JOURNAL_LOCAL_ONLY);
    if (error < 0) return error;
    error = sd.set_data_threshold(*journal, DATA_THRESHOLD);
    if (error < 0) sd.close(*journal);
    return error;
}

void faf_journal_close(void *journal) { sd.close(journal); }
int faf_journal_match(void *journal, const void *match, size_t length) { return sd.add_match(journal, match, length); }
int faf_journal_or(void *journal) { return sd.add_disjunction(journal); }
void faf_journal_flush_matches(void *journal) { sd.flush_matches(journal); }
int faf_journal_seek_head(void *journal) { return sd.seek_head(journal); }
int faf_journal_seek_tail(void *journal) { return sd.seek_tail(journal); }
int faf_journal_seek_realtime(void *journal, uint64_t microseconds) {
    return sd.seek_realtime_usec(journal, microseconds);
}
int faf_journal_seek_cursor(void *journal, const char *cursor) { return sd.seek_cursor(journal, cursor); }
int faf_journal_test_cursor(void *journal, const char *cursor) { return sd.test_cursor(journal, cursor); }
int faf_journal_cursor(void *journal, char **cursor) { return sd.get_cursor(journal, cursor); }
int faf_journal_next(void *journal) { return sd.next(journal); }
int faf_journal_back(void *journal, uint64_t count) { return sd.previous_skip(journal, count); }
int faf_journal_wait(void *journal, uint64_t microseconds) { return sd.wait(journal, microseconds); }

int faf_journal_field(void *journal, const char *field, const void **data, size_t *length) {
    return sd.get_data(journal, field, data, length);
}

int faf_journal_realtime(void *journal, uint64_t *microseconds) { return sd.get_realtime_usec(journal, microseconds); }
