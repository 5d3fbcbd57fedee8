/*
 * Downloads that break, and what the program sees of them: transfer-trace writes it down. It is
 * compared with a bare run: against a server where nothing breaks when the download could be
 * completed, against the same break when it could not.
 *
 * For cmocka programs.
 */
#ifndef TESTS_RESUMING_H
#define TESTS_RESUMING_H

#include "harness.h"
#include "server.h"

#define SIZE     200000
#define ROOM     512
#define BREAK    70000
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TAG      "ETag: \"v1\"\r\n"
#define POLICY                                                                                     \
	"[retryshim]\nlog = none\n"                                                                \
	"[policy default]\nmax_attempts = 4\nbase = 1ms\njitter = none\n"
#define RULE "[rule it]\nerror = any\nstatus = 503\nmethod = any\n"

/* SIZE bytes, and a file with POLICY and RULE: from prepare(), the setup of all tests, until
 * clean_up(). */
extern char *object;
extern const char *rules;
int prepare(void **state);
int clean_up(void **state);

/* Replies: the whole object; one that breaks after so many bytes of its body; the part [first, end)
 * of the object, `room` (ROOM bytes) for its headers. */
struct reply whole(const char *headers);
struct reply broken(struct reply reply, size_t after);
struct reply part(size_t first, size_t end, const char *more, char *room);

/* transfer-trace with these words (NULL-terminated, or NULL) asks the server for the object. */
struct child *start_trace(enum run_under under, const char *rules_path, struct server *server,
			  const char *const *words);
struct run trace(enum run_under under, const char *rules_path, struct server *server,
		 const char *const *words);

/* The same without the shim, against a server of its own that always replies so. */
struct run bare_run(const struct reply *reply, const char *const *words);

/* Both saw the same, but for what only the last attempt knows. Frees both. */
void check_trace(struct run *run, struct run *bare, const char *what);

#endif
