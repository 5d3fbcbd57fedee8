/*
 * What a response's headers say of the thing it carries: enough to tell whether a broken download
 * can be continued, and whether a later response carries the rest of the same thing. Pure.
 */
#ifndef RS_TRANSFER_ENTITY_H
#define RS_TRANSFER_ENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "retry/outcome.h"

#define RS_UNKNOWN_LENGTH (-1)

/* Text that did not fit is as good as none: `len` is 0 then. */
struct rs_short_text {
	uint8_t len;
	char text[127];
};

struct rs_entity {
	struct rs_short_text etag; /* as written, W/ included */
	struct rs_short_text last_modified;
	struct rs_short_text date;
	struct rs_short_text range; /* Content-Range */
	int64_t length;             /* Content-Length */
	bool coded;                 /* Content-Encoding other than identity */
};

/* A single range of bytes, as in "bytes 0-99/1000". */
struct rs_byte_range {
	int64_t first, last;
	int64_t total; /* RS_UNKNOWN_LENGTH for "*" */
};

void rs_entity_clear(struct rs_entity *entity);

/* Take in one header line. Lines that do not matter cost a look at their first letter. */
void rs_entity_note(struct rs_entity *entity, const char *line, size_t len);

/* The value for If-Range: a strong ETag, else a Last-Modified that RFC 9110 §8.8.2.2 lets count as
 * strong (its Date is at least a second later). {NULL, 0}: there is none. `now_s` as for
 * rs_http_date_s(). */
struct rs_span rs_entity_validator(const struct rs_entity *entity, int64_t now_s);

/* Does the response to a request that named the validator of `original` say that it carries the
 * same thing? It has to name the validator, too (RFC 9110 §15.3.7: a server that knows it does),
 * and must not contradict in what else both say. */
bool rs_entity_confirms(const struct rs_entity *original, const struct rs_entity *part);

/* Content-Range, RFC 9110 §14.4. False where there is none or it is not of that form. */
bool rs_entity_range(const struct rs_entity *entity, struct rs_byte_range *range);

#endif
