/*
 * What a recover command says about the next attempt, a line each:
 *
 *   set-header Name: value
 *   remove-header Name
 *   set-url URL
 *
 * Pure.
 */
#ifndef RS_OPS_EDITS_H
#define RS_OPS_EDITS_H

#include <stddef.h>

#include "ops/line.h"

enum rs_edit_kind {
	RS_EDIT_SET_HEADER,    /* "Name: value"; "Name:" where the value is empty */
	RS_EDIT_REMOVE_HEADER, /* "Name" */
	RS_EDIT_SET_URL,
};

struct rs_edit {
	enum rs_edit_kind kind;
	const char *text;
};

#define RS_EDITS_MAX 64

struct rs_edits {
	size_t count;
	struct rs_edit at[RS_EDITS_MAX];
};

/* Take `text` apart, which is rewritten and pointed into: its byte at `len` is written, too.
 * Empty lines count for nothing. 0, or the number of the first line that is none of the three. */
int rs_edits_parse(char *text, size_t len, struct rs_edits *edits);

/* Where the next attempt goes to: of several the last one counts. NULL: where the last one went. */
const char *rs_edits_url(const struct rs_edits *edits);

/* The same text as it may be shown: without the values of headers, and without user info and
 * query of URLs. As much as fits. */
void rs_edits_show(struct rs_span text, struct rs_line *shown);

#endif
