/* Reading the journal (sd-journal(3)) without linking libsystemd: it is opened when it is first needed, and a machine
 * without it has its logs in files. All functions return what libsystemd's do: >= 0, or -errno. A journal may be used by
 * the thread alone that opened it.
 */
#ifndef FAF_JOURNAL_H
#define FAF_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

/* 0: libsystemd is here; -ENOENT: it is not; -ENOSYS: it lacks a function. From any thread. */
int faf_journal_load(void);

/* sd_journal_open of this machine's journal; closed with faf_journal_close. */
int faf_journal_open(void **journal);
void faf_journal_close(void *journal);

/* "FIELD=value"; the matches of different fields since the last faf_journal_or must all be met. */
int faf_journal_match(void *journal, const void *match, size_t length);
int faf_journal_or(void *journal);
void faf_journal_flush_matches(void *journal);

int faf_journal_seek_head(void *journal);
int faf_journal_seek_tail(void *journal);
/* Before the first entry at or after this moment, µs since 1970. */
int faf_journal_seek_realtime(void *journal, uint64_t microseconds);
/* Before the entry with this cursor, or if it is gone before the next one; -EINVAL: it is no cursor. */
int faf_journal_seek_cursor(void *journal, const char *cursor);
/* 1: the present entry has this cursor. */
int faf_journal_test_cursor(void *journal, const char *cursor);
/* The present entry's; freed with free(3). */
int faf_journal_cursor(void *journal, char **cursor);
/* 1: moved; 0: there is none. */
int faf_journal_next(void *journal);
/* How many entries it went back. */
int faf_journal_back(void *journal, uint64_t count);
/* Waits until the journal changes; without it, rotated files are not noticed. */
int faf_journal_wait(void *journal, uint64_t microseconds);

/* The field of the present entry, with "FIELD=" before its value; valid until the next call. -ENOENT: it has none. */
int faf_journal_field(void *journal, const char *field, const void **data, size_t *length);
int faf_journal_realtime(void *journal, uint64_t *microseconds);

#endif
