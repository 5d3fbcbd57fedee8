#include "transfer/hold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "transfer/glimpse.h"

#define FIRST_BYTES  2048
#define FIRST_PIECES 32

/* Room for `wanted` elements, doubling: 0 or -ENOMEM. */
static int grow(void **memory, size_t *size, size_t wanted, size_t start, size_t element)
{
	size_t larger = *size ? *size : start, bytes;
	void *moved;

	if (wanted <= *size)
		return 0;
	while (larger < wanted)
		larger *= 2;
	moved = __builtin_mul_overflow(larger, element, &bytes) ? NULL : realloc(*memory, bytes);
	if (!moved)
		return -ENOMEM;
	*memory = moved;
	*size = larger;
	return 0;
}

int rs_hold_add(struct rs_hold *hold, enum rs_piece_kind kind, struct rs_span bytes)
{
	void *memory = hold->bytes;
	int failed = grow(&memory, &hold->size, hold->len + bytes.len, FIRST_BYTES, 1);

	hold->bytes = memory;
	if (failed)
		return failed;
	memory = hold->pieces;
	failed = grow(&memory, &hold->room, hold->count + 1, FIRST_PIECES, sizeof(*hold->pieces));
	hold->pieces = memory;
	if (failed)
		return failed;
	memcpy(hold->bytes + hold->len, bytes.at, bytes.len);
	hold->len += bytes.len;
	hold->pieces[hold->count++] = (struct rs_piece){ kind, bytes.len };
	return 0;
}

void rs_hold_truncate(struct rs_hold *hold, size_t count)
{
	while (hold->count > count && hold->count > hold->released)
		hold->len -= hold->pieces[--hold->count].len;
}

bool rs_hold_next(const struct rs_hold *hold, enum rs_piece_kind *kind, struct rs_span *bytes)
{
	const struct rs_piece *piece;

	if (hold->released == hold->count)
		return false;
	piece = hold->pieces + hold->released;
	*kind = piece->kind;
	*bytes = (struct rs_span){ hold->bytes + hold->released_bytes, piece->len };
	return true;
}

void rs_hold_released(struct rs_hold *hold)
{
	hold->released_bytes += hold->pieces[hold->released++].len;
}

void rs_hold_empty(struct rs_hold *hold)
{
	rs_glimpse_free(hold->glimpses);
	hold->glimpses = hold->newest = hold->shown = NULL;
	hold->len = hold->count = 0;
	hold->released = hold->released_bytes = 0;
}

void rs_hold_rest(struct rs_hold *hold)
{
	rs_hold_empty(hold);
	if (hold->size > RS_HOLD_KEPT)
		rs_hold_free(hold);
}

void rs_hold_free(struct rs_hold *hold)
{
	rs_glimpse_free(hold->glimpses);
	free(hold->bytes);
	free(hold->pieces);
	*hold = (struct rs_hold){ .bytes = NULL };
}
