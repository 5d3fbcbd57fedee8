/*
 * From the words of the command line to a call and how it ended.
 */
#ifndef RS_CLI_EXPLAIN_CASE_H
#define RS_CLI_EXPLAIN_CASE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/explain.h"

#define RS_EXPLAIN_ERRORS 2 /* a curl error, and the errno behind it */

/* As given; NULL: not given. */
struct rs_explain_words {
	const char *call, *method, *url, *address, *program, *status;
	const char *errors[RS_EXPLAIN_ERRORS];
	size_t error_count;
	const char *headers; /* lines with CRLF, NULL: none */
	const char *body;    /* a file's path, or "-" */
};

/* What the case points to; release with free(). */
struct rs_explain_memory {
	char url[2048];
	char path[128];
	char *body;
};

/*
 * Fill `asked`, which points into `words` and `memory`. Of a response's body `body_limit` bytes
 * are read. 0; or an exit status, after a line on stderr.
 */
int rs_explain_case(const struct rs_explain_words *words, size_t body_limit,
		    struct rs_explain_memory *memory, struct rs_explain_case *asked);

/* "retryshim: explain: …" on stderr, and the status of a usage error. */
int rs_explain_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
