/*
 * The texts that rules look for in bodies, indexed: one pass over a body finds those of a thousand
 * that it holds. Immutable once made (rules/index_texts.h). Pure; safe anywhere.
 *
 * The pass looks at a block of bytes of the body at every multiple of `stride`. A text is known by
 * as many blocks, of which each begins a byte behind the one before: wherever the text stands in a
 * body, one of them is looked at. The index holds those blocks.
 */
#ifndef RS_RETRY_TEXT_INDEX_H
#define RS_RETRY_TEXT_INDEX_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "retry/outcome.h"

#define RS_TEXTS_MOST    8128       /* so that 16 bits count their entries */
#define RS_TEXT_NO_INDEX UINT32_MAX /* the number of those beyond */

/* How a body is looked at: the longer the texts, the fewer blocks it takes. */
enum rs_stride {
	RS_STRIDE_NONE = 0,
	RS_STRIDE_SHORT = 1,
	RS_STRIDE_MEDIUM = 4,
	RS_STRIDE_LONG = 8,
};

struct rs_text_index {
	const struct rs_span *texts; /* each once; by number */
	uint32_t count;
	const uint64_t *indexed; /* a bit per number: is the text found by the pass? */
	enum rs_stride stride;
	uint32_t bucket_mask;
	const uint32_t *filter; /* per bucket: a bit for each of the blocks there */
	const uint16_t *first;  /* per bucket: the first entry there; + 1; 0: none */
	const uint32_t *links;  /* per entry: the next one, the same way, below its block's tag */
	const uint32_t *begin;  /* per number: where the first of its blocks begins */
};

/* Entry number * stride + n is the nth block of text `number`. */
_Static_assert(RS_TEXTS_MOST < UINT16_MAX / RS_STRIDE_LONG, "an entry is known by its number + 1");

static inline size_t rs_text_block_len(enum rs_stride stride)
{
	return stride == RS_STRIDE_LONG ? sizeof(uint64_t) : sizeof(uint32_t);
}

/* Knuth, "Sorting and Searching" 6.4, multiplicative hashing: the upper bits are the good ones. */
static inline uint32_t rs_text_block_hash(const char *block, enum rs_stride stride)
{
	uint64_t eight;
	uint32_t four;

	if (stride == RS_STRIDE_LONG) {
		memcpy(&eight, block, sizeof(eight));
		return (uint32_t)(eight * UINT64_C(0x9e3779b97f4a7c15) >> 32);
	}
	memcpy(&four, block, sizeof(four));
	return four * UINT32_C(2654435761);
}

static inline uint32_t rs_text_bucket(uint32_t hash, uint32_t bucket_mask)
{
	return hash >> 14 & bucket_mask;
}

/* The place of a block's bit in the filter of its bucket. */
static inline uint32_t rs_text_filter_bit(uint32_t hash)
{
	return hash >> 27;
}

/* Of the block that an entry is of, in its link: of the bits that tell no bucket. */
static inline uint32_t rs_text_tag(uint32_t hash)
{
	return hash << 16;
}

/*
 * What has been found out about one body, in one judgement; only ever used with one index and
 * one body.
 */
struct rs_found_texts {
	bool begun, passed; /* both false at first */
	uint64_t known[RS_TEXTS_MOST / 64], found[RS_TEXTS_MOST / 64];
};

/* Texts whose numbers stand for bits of one and the same word. */
struct rs_text_set {
	uint64_t bits; /* 0: they are no such texts */
	uint32_t word;
};

struct rs_text_set rs_text_set_of(const uint32_t *numbers, size_t count);

/* Is it known of all these texts that they do not occur? Once the body has been passed over. */
static inline bool rs_texts_known_missing(const struct rs_text_set *set,
					  const struct rs_found_texts *found)
{
	return set->bits != 0 &&
	       (set->bits & ~(found->known[set->word] & ~found->found[set->word])) == 0;
}

/* Does the text of that number occur in the body? */
bool rs_text_found(const struct rs_text_index *index, uint32_t number, struct rs_span body,
		   struct rs_found_texts *found);

/* Does `text` occur in the body? */
bool rs_text_occurs(struct rs_span text, struct rs_span body);

#endif
