/*
 * What the table of pending connects says of a place in one word, which is all that most look-ups
 * want. 0: it is free. Else the descriptor + 1; below it the place's number where it is plain, else
 * whose process holds it or was the last to; and its stage (enum rs_pending_stage), or one of
 * these.
 */
#ifndef RS_CONNECT_PENDING_WORD_H
#define RS_CONNECT_PENDING_WORD_H

#include <stdbool.h>
#include <stdint.h>

#define RS_WORD_HELD  8U
#define RS_WORD_PLAIN 4U /* FLYING, and nothing else to be known */

#define RS_WORD_NUMBERS 0x0fffffffU /* what counts of a number */
#define RS_WORD_NOBODY  (-2)        /* in place of the descriptor, while one is noted */

static inline uint64_t rs_word_of(int fd, uint32_t number, unsigned stage)
{
	return ((uint64_t)(unsigned)fd + 1) << 32 | (number & RS_WORD_NUMBERS) << 4 | stage;
}

static inline int rs_word_fd(uint64_t word)
{
	return (int)(word >> 32) - 1;
}

static inline uint32_t rs_word_number(uint64_t word)
{
	return (uint32_t)word >> 4;
}

/* RS_PENDING_NONE while it is held. */
static inline unsigned rs_word_stage(uint64_t word)
{
	return word & 7U;
}

static inline bool rs_word_is_plain(uint64_t word)
{
	return rs_word_stage(word) == RS_WORD_PLAIN;
}

#endif
