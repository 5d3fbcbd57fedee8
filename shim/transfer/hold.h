/*
 * What an attempt's response brought while it may not be shown to the program yet: the pieces as
 * libcurl gave them, in order.
 *
 * The bytes lie contiguous, so that headers and body can be judged as text. The memory is kept
 * from call to call while it is small.
 */
#ifndef RS_TRANSFER_HOLD_H
#define RS_TRANSFER_HOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "retry/outcome.h"

enum rs_piece_kind {
	RS_PIECE_HEADER,
	RS_PIECE_TRAILER,
	RS_PIECE_BODY,
};

struct rs_piece {
	enum rs_piece_kind kind;
	size_t len;
};

struct rs_glimpse;

/* All zero is empty. */
struct rs_hold {
	char *bytes;
	size_t len, size;
	struct rs_piece *pieces;
	size_t count, room;
	size_t released;                   /* pieces that the program has got */
	size_t released_bytes;             /* and their bytes */
	struct rs_glimpse *glimpses;       /* what there is to tell of them: glimpse.h */
	struct rs_glimpse *newest, *shown; /* of those: the last one; the one told last, or NULL */
};

/* Append a piece: 0 or -ENOMEM (nothing is changed then). */
int rs_hold_add(struct rs_hold *hold, enum rs_piece_kind kind, struct rs_span bytes);

/* Forget all pieces from number `count` on that were not released. */
void rs_hold_truncate(struct rs_hold *hold, size_t count);

/* The oldest piece not released yet; false where there is none. */
bool rs_hold_next(const struct rs_hold *hold, enum rs_piece_kind *kind, struct rs_span *bytes);
void rs_hold_released(struct rs_hold *hold);

static inline bool rs_hold_has_next(const struct rs_hold *hold)
{
	return hold->released < hold->count;
}

/* Forget the pieces. */
void rs_hold_empty(struct rs_hold *hold);

/* What it may keep from call to call. */
#define RS_HOLD_KEPT 16384

/* Between calls: empty, and give back what a large response has taken. */
void rs_hold_rest(struct rs_hold *hold);

static inline bool rs_hold_rests(const struct rs_hold *hold)
{
	return hold->count == 0 && !hold->glimpses && hold->size <= RS_HOLD_KEPT;
}

void rs_hold_free(struct rs_hold *hold);

#endif
