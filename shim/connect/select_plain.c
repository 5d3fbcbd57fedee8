/*
 * select(), where all that is pending is plain.
 */
#include "connect/flight.h"
#include "connect/select_bits.h"
#include "connect/waits.h"
#include "real_libc.h"

/*
 * Of a connection and of a failure select() tells the same, where the program asks whether it can
 * write. Only a failure can be read from, too, unless there is data already: so that is asked for
 * besides. It ends no wait sooner.
 */
struct plain {
	struct rs_bits bits; /* asked for, then reported */
	unsigned long *mine; /* of these, what is pending … */
	size_t from, to;     /* … which is in these words */
};

static int lowest(unsigned long word, size_t index)
{
	return (int)(index * RS_WORD_BITS) + __builtin_ctzl(word);
}

static unsigned long pending_in(unsigned long word, size_t index)
{
	unsigned long found = 0;

	for (; word != 0; word &= word - 1) {
		if (rs_pending_has(lowest(word, index)))
			found |= word & -word;
	}
	return found;
}

static void find_mine_in(struct plain *plain, const unsigned long *asked, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (__builtin_expect(asked[i] == 0, 1))
			continue;
		plain->mine[i] |= pending_in(asked[i], i);
		if (!plain->mine[i])
			continue;
		plain->from = i < plain->from ? i : plain->from;
		plain->to = i < plain->to ? plain->to : i + 1;
	}
}

/* False: none of it is pending. */
static bool find_mine(struct plain *plain, const struct rs_fd_sets *sets)
{
	plain->from = rs_bits_words(sets);
	plain->to = 0;
	memset(plain->mine, 0, rs_bits_bytes(sets));
	for (int i = 0; i < RS_SETS; i++) {
		if (sets->sets[i])
			find_mine_in(plain, rs_bits_of(sets).words[i], rs_bits_words(sets));
	}
	return plain->to > 0;
}

/* What select() is to be asked; NULL where that is nothing. */
static void ask(struct plain *plain, const struct rs_fd_sets *sets, fd_set *asked[RS_SETS])
{
	unsigned long *to_read = plain->bits.words[RS_SET_READ],
		      *to_write = plain->bits.words[RS_SET_WRITE];

	rs_bits_copy_in(&plain->bits, sets);
	for (size_t i = plain->from; i < plain->to; i++)
		to_read[i] |= plain->mine[i] & to_write[i];
	for (int i = 0; i < RS_SETS; i++)
		asked[i] = (fd_set *)(void *)plain->bits.words[i];
	if (!sets->sets[RS_SET_EXCEPT])
		asked[RS_SET_EXCEPT] = NULL;
}

static bool all_have_landed(unsigned long word, size_t index, uint32_t since)
{
	for (; word != 0; word &= word - 1) {
		if (!rs_flight_landed(lowest(word, index), since))
			return false;
	}
	return true;
}

static bool is_told_plainly(const struct plain *plain, bool excepts, uint32_t since)
{
	unsigned long *const *told = plain->bits.words;

	for (size_t i = plain->from; i < plain->to; i++) {
		if (plain->mine[i] &
		    (told[RS_SET_READ][i] | (excepts ? told[RS_SET_EXCEPT][i] : 0)))
			return false;
		if (!all_have_landed(plain->mine[i] & told[RS_SET_WRITE][i], i, since))
			return false;
	}
	return true;
}

static int select_real(const struct rs_select_call *call, fd_set *const sets[RS_SETS])
{
	if (call->is_pselect)
		return rs_real_pselect(call->sets.count, sets[RS_SET_READ], sets[RS_SET_WRITE],
				       sets[RS_SET_EXCEPT], call->timeout, call->mask);
	return rs_real_select(call->sets.count, sets[RS_SET_READ], sets[RS_SET_WRITE],
			      sets[RS_SET_EXCEPT], call->interval);
}

static bool select_in(unsigned long *room, const struct rs_select_call *call, int *ready)
{
	const struct rs_fd_sets *sets = &call->sets;
	uint32_t since = rs_pending_taken();
	struct plain plain = { .bits = rs_bits_in(room, sets),
			       .mine = room + RS_SETS * rs_bits_words(sets) };
	fd_set *asked[RS_SETS];

	if (!find_mine(&plain, sets)) {
		*ready = select_real(call, sets->sets);
		return true;
	}
	ask(&plain, sets, asked);
	*ready = select_real(call, asked);
	if (*ready > 0 && !is_told_plainly(&plain, sets->sets[RS_SET_EXCEPT], since))
		return false;
	/* After an error the program's sets are as they were. */
	if (*ready >= 0)
		rs_bits_copy_out(&plain.bits, sets);
	return true;
}

__attribute__((noinline)) static bool select_many(const struct rs_select_call *call, int *ready)
{
	unsigned long room[RS_ROOM_FOR_MANY(RS_SETS + 1)];

	return select_in(room, call, ready);
}

__attribute__((noinline)) static bool select_few(const struct rs_select_call *call, int *ready)
{
	unsigned long room[RS_ROOM_FOR_FEW(RS_SETS + 1)];

	return select_in(room, call, ready);
}

bool rs_select_plainly(const struct rs_select_call *call, int *ready)
{
	if (call->sets.count <= 0 || call->sets.count > RS_BITS_MAX) {
		*ready = select_real(call, call->sets.sets);
		return true;
	}
	return rs_bits_are_few(&call->sets) ? select_few(call, ready) : select_many(call, ready);
}
