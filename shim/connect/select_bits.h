/*
 * The sets of select(), word by word.
 */
#ifndef RS_CONNECT_SELECT_BITS_H
#define RS_CONNECT_SELECT_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/select.h>

#include "connect/waits.h"

/* Sets as large as this are copied. Larger ones than FD_SETSIZE are made by hand, and seldom: room
 * for those is only taken where it is needed, since a thread's stack may be small. */
#define RS_BITS_MAX  8192
#define RS_BITS_FEW  FD_SETSIZE
#define RS_WORD_BITS (8 * sizeof(unsigned long))

enum { RS_SET_READ, RS_SET_WRITE, RS_SET_EXCEPT, RS_SETS };

/* The words of each set. */
struct rs_bits {
	unsigned long *words[RS_SETS];
};

static inline bool rs_bits_has(const unsigned long *set, int fd)
{
	return (set[(size_t)fd / RS_WORD_BITS] >> ((size_t)fd % RS_WORD_BITS) & 1) != 0;
}

static inline void rs_bits_clear(unsigned long *set, int fd)
{
	set[(size_t)fd / RS_WORD_BITS] &= ~(1UL << ((size_t)fd % RS_WORD_BITS));
}

/* The program's own. */
static inline struct rs_bits rs_bits_of(const struct rs_fd_sets *sets)
{
	struct rs_bits bits;

	for (int i = 0; i < RS_SETS; i++)
		bits.words[i] = (unsigned long *)(void *)sets->sets[i];
	return bits;
}

static inline size_t rs_bits_words(const struct rs_fd_sets *sets)
{
	return ((size_t)sets->count + RS_WORD_BITS - 1) / RS_WORD_BITS;
}

static inline size_t rs_bits_bytes(const struct rs_fd_sets *sets)
{
	return rs_bits_words(sets) * sizeof(unsigned long);
}

static inline bool rs_bits_are_few(const struct rs_fd_sets *sets)
{
	return sets->count <= RS_BITS_FEW;
}

/* Room for that many sets that are few, or not, on the stack of whoever asks for it. */
#define RS_ROOM_FOR_FEW(sets)  (RS_BITS_FEW / RS_WORD_BITS * (sets))
#define RS_ROOM_FOR_MANY(sets) (RS_BITS_MAX / RS_WORD_BITS * (sets))

static inline struct rs_bits rs_bits_in(unsigned long *room, const struct rs_fd_sets *sets)
{
	return (struct rs_bits){ { room, room + rs_bits_words(sets),
				   room + 2 * rs_bits_words(sets) } };
}

static inline void rs_bits_copy_in(const struct rs_bits *bits, const struct rs_fd_sets *sets)
{
	for (int i = 0; i < RS_SETS; i++) {
		if (sets->sets[i])
			memcpy(bits->words[i], sets->sets[i], rs_bits_bytes(sets));
		else if (i != RS_SET_EXCEPT)
			memset(bits->words[i], 0, rs_bits_bytes(sets));
	}
}

static inline void rs_bits_copy_out(const struct rs_bits *bits, const struct rs_fd_sets *sets)
{
	for (int i = 0; i < RS_SETS; i++) {
		if (sets->sets[i])
			memcpy(sets->sets[i], bits->words[i], rs_bits_bytes(sets));
	}
}

#endif
