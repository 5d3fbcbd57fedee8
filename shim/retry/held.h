/*
 * Texts that many rules are held against in one judgement: what is found out about a text for the
 * first rule that asks is kept for those after it. Each of these lives no longer than its
 * judgement, begins with `known` false, and is only ever used with one text. They
 * save time and change no answer: NULL stands for one that is not there. Pure; safe anywhere.
 */
#ifndef RS_RETRY_HELD_H
#define RS_RETRY_HELD_H

#include "retry/rule.h"

/* A host, a URL, a header's value. */
struct rs_held {
	bool known;
	struct rs_pairs pairs;
};

struct rs_held_line {
	struct rs_span name, value;
	struct rs_held held;
	uint32_t hash; /* of the name */
	uint8_t next;  /* with the same hash: index + 1; 0: none */
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

/* rs_glob_matches() */
bool rs_held_glob(const struct rs_glob *glob, struct rs_span text, struct rs_held *held);

/* Both must outlive the result. */
struct rs_header_matcher rs_header_matcher_make(const char *name, const char *pattern);

/* Has one of the header lines the matcher's name (in any case), and a value that its glob matches?
 */
bool rs_held_header(const struct rs_header_matcher *matcher, struct rs_span headers,
		    struct rs_held_headers *held);

/* False where it is cheap to tell that rs_held_header() says no. */
bool rs_held_may_have_header(const struct rs_header_matcher *matcher, struct rs_span headers,
			     struct rs_held_headers *held);

#endif
