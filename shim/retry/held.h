/*
 * Texts that many rules are held against in one judgement: what is found out about a text for the
 * first rule that asks is kept for those after it. Each of these lives no longer than its
 * judgement, begins with `known` false (and `asked` 0), and is only ever used with one text. They
 * save time and change no answer: NULL stands for one that is not there. Pure; safe anywhere.
 */
#ifndef RS_RETRY_HELD_H
#define RS_RETRY_HELD_H

#include "retry/glob.h"

/* A host, a URL, a header's value. */
struct rs_held {
	bool known;
	struct rs_pairs pairs;
};

struct rs_held_line {
	struct rs_span name, value;
	struct rs_held held;
	uint8_t next; /* with the same hash: index + 1; 0: none */
};

/* The header lines of a response, by a hash of their names. */
#define RS_HELD_LINES_MOST 32
struct rs_held_headers {
	bool known;
	bool too_many; /* for `line`: then they are searched */
	uint8_t count;
	uint8_t first[64];
	struct rs_held_line line[RS_HELD_LINES_MOST];
};

/*
 * Which runs of four bytes a body has, hashed: those that begin at a multiple of `stride`. A text
 * with at least stride + 3 bytes cannot stand in the body unless the runs of the text that would
 * begin there are among them.
 */
#define RS_HELD_RUN_BITS 15
struct rs_held_body {
	bool known;
	unsigned asked; /* texts that were searched for before it seemed worth while */
	unsigned stride;
	uint64_t runs[(1U << RS_HELD_RUN_BITS) / 64];
};

/* rs_glob_matches() */
bool rs_held_glob(const struct rs_glob *glob, struct rs_span text, struct rs_held *held);

/* Has one of the header lines called `name` (any case) a value that the glob matches? */
bool rs_held_header(const char *name, const struct rs_glob *value, struct rs_span headers,
		    struct rs_held_headers *held);

/* Does `text` occur in the body? */
bool rs_held_text(struct rs_span text, struct rs_span body, struct rs_held_body *held);

#endif
