/*
 * From INI text to rules.
 *
 * Loading reads each file with open/read/close, allocates from an anonymous mapping of its own
 * (no malloc, unless regular expressions are compiled) and calls nothing of the program. A FIFO, a
 * directory or a device is refused without blocking.
 */
#ifndef RS_RULES_LOAD_H
#define RS_RULES_LOAD_H

#include "retry/rule.h"

enum rs_severity {
	RS_ERROR,
	RS_WARNING, /* `check` prints it; the rules are usable */
};

/* One complaint about a rules file. Valid during the callback only. */
struct rs_complaint {
	enum rs_severity severity;
	const char *file; /* a path, "built-in rules" or "RETRYSHIM_OPTIONS" */
	int line;         /* 0: the file as a whole */
	const char *text; /* names the cause, and the remedy or nearest name where there is one */
	size_t faults;    /* how many it stands for: more than 1 where not all are wanted */
};

struct rs_load_request {
	const char *paths;   /* colon-separated; NULL or "": use `builtin` */
	const char *options; /* "key=value;key=value" over the files; NULL: none */
	const char *faults;  /* "key=value,key=value" a line, a fault each; NULL: none */
	bool want_warnings;  /* also look for rules that can never be reached */
	bool want_all;       /* tell every fault, not some and how many more there are */
	bool leave_patterns; /* compile a body_regex when it is needed: that needs malloc() */
	void (*complain)(void *arg, const struct rs_complaint *complaint); /* NULL: nobody asks */
	void *arg;
};

/*
 * Read rules. 0 and *rules, owned by the caller until rs_rules_free(); or -errno of the system's
 * failure (ENOENT, EACCES, ENOMEM …), or -EINVAL where the text is wrong. Whatever is returned,
 * the faults have been told to `complain`.
 */
int rs_rules_load(const struct rs_load_request *request, struct rs_rules **rules);

/* Quotas of `rules` that `before` has, too, by name, share its buckets from now on: what was spent
 * stays spent. `before` must not be freed any more. */
void rs_rules_keep_levels(struct rs_rules *rules, const struct rs_rules *before);

/* Release everything. NULL is fine. Nobody may be using the rules. */
void rs_rules_free(struct rs_rules *rules);

/* The text of config/default.ini, compiled in. */
extern const char rs_default_ini[];

#endif
