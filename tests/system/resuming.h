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

/* SIZE bytes, and a file with POLICY and RULE: from resuming_prepare(), the setup of all tests,
 * until resuming_clean_up(). */
extern char *resumed_object;
extern const char *resumed_rules;
int resuming_prepare(void **state);
int resuming_clean_up(void **state);

/* Replies: the whole object; one that breaks after so many bytes of its body; the part [first, end)
 * of the object, `room` (ROOM bytes) for its headers. */
struct reply resumed_whole(const char *headers);
struct reply resumed_broken(struct reply reply, size_t after);
struct reply resumed_part(size_t first, size_t end, const char *more, char *room);

/* transfer-trace with these words (NULL-terminated, or NULL) asks the server for the object. */
struct child *resumed_start(enum run_under under, const char *rules_path, struct server *server,
			    const char *const *words);
struct run resumed_trace(enum run_under under, const char *rules_path, struct server *server,
			 const char *const *words);

/* The same without the shim, against a server of its own that always replies so. */
struct run resumed_bare(const struct reply *reply, const char *const *words);

/* Both saw the same, but for what only the last attempt knows. Frees both. */
void resumed_check(struct run *run, struct run *bare, const char *what);

#endif
