#include "retry/text_index.h"

#include <limits.h>

#include "gnu.h"

/* ---- one text ---- */

#define PLACES 256

/* memmem(3) leaps by the length of the text, and is slow with a short one. */
#define SHORT_TEXT 12

/* May the text begin at one of so many places? In a form that compilers make vectors of (gcc from
 * its 12th version on). */
static bool may_begin(struct rs_span text, const char *at)
{
	const size_t ahead = text.len > 1, to_last = text.len - 1;
	const char first = text.at[0], second = text.at[ahead], last = text.at[to_last];
	unsigned char least = UCHAR_MAX; /* bits that differ: 0 where none does */

	for (size_t i = 0; i < PLACES; i++) {
		const unsigned char differ =
			(unsigned char)((at[i] ^ first) | (at[i + ahead] ^ second) |
					(at[i + to_last] ^ last));

		least = differ < least ? differ : least;
	}
	return least == 0;
}

static bool searched(struct rs_span text, const char *at, size_t len)
{
	return memmem(at, len, text.at, text.len) != NULL;
}

bool rs_text_occurs(struct rs_span text, struct rs_span body)
{
	const char *at = body.at;
	size_t left = body.len;

	if (text.len == 0 || text.len > body.len)
		return text.len == 0;
	if (text.len >= SHORT_TEXT)
		return searched(text, at, left);
	for (; left >= PLACES + text.len - 1; at += PLACES, left -= PLACES) {
		if (may_begin(text, at) && searched(text, at, PLACES + text.len - 1))
			return true;
	}
	return searched(text, at, left);
}

/* ---- all of them ---- */

/* More entries than this are not looked at: in a body that is made to hold what many texts share
 * the pass would cost more than searching for each of them. */
#define LOOKED_AT_MOST(len) (1000 + (len) / 8)

static bool has_bit(const uint64_t *bits, uint32_t number)
{
	return (bits[number / 64] >> number % 64 & 1) != 0;
}

static void set_bit(uint64_t *bits, uint32_t number)
{
	bits[number / 64] |= UINT64_C(1) << number % 64;
}

static bool stands_at(struct rs_span text, size_t before, struct rs_span body, size_t at)
{
	return at >= before && body.len - (at - before) >= text.len &&
	       memcmp(body.at + (at - before), text.at, text.len) == 0;
}

/* The block at `at` may be that of the entry. Note its text if it stands there. */
static void note_text(const struct rs_text_index *index, struct rs_span body, size_t at,
		      uint32_t entry, struct rs_found_texts *found)
{
	const uint32_t number = entry / index->stride;
	const size_t before = index->begin[number] + entry % index->stride;

	if (!has_bit(found->found, number) && stands_at(index->texts[number], before, body, at)) {
		set_bit(found->found, number);
		set_bit(found->known, number);
	}
}

/* Note the texts that have their place in the body by the block at `at`. */
static void note_texts(const struct rs_text_index *index, struct rs_span body, size_t at,
		       uint32_t hash, struct rs_found_texts *found, size_t *left)
{
	uint32_t entry = index->first[rs_text_bucket(hash, index->bucket_mask)];

	while (entry > 0 && *left > 0) {
		const uint32_t link = index->links[entry - 1];

		if ((link & ~(uint32_t)UINT16_MAX) == rs_text_tag(hash))
			note_text(index, body, at, entry - 1, found);
		entry = link & UINT16_MAX;
		--*left;
	}
}

static inline bool may_be_indexed(const uint32_t *filter, uint32_t bucket_mask, uint32_t hash)
{
	return filter[rs_text_bucket(hash, bucket_mask)] >> rs_text_filter_bit(hash) & 1;
}

static inline bool is_stranger(const struct rs_text_index *index, const char *block,
			       enum rs_stride stride)
{
	return __builtin_expect(!may_be_indexed(index->filter, index->bucket_mask,
						rs_text_block_hash(block, stride)),
				1);
}

/* The first place from `at` on where a block begins that may be of the index, or where there are
 * not four left. */
static inline size_t skip(const struct rs_text_index *index, struct rs_span body, size_t at,
			  enum rs_stride stride)
{
	const size_t four = (size_t)3 * stride + rs_text_block_len(stride);

	/* Not a loop: compilers would leave it one. */
	for (; at + four <= body.len; at += stride) {
		if (!is_stranger(index, body.at + at, stride))
			break;
		at += stride;
		if (!is_stranger(index, body.at + at, stride))
			break;
		at += stride;
		if (!is_stranger(index, body.at + at, stride))
			break;
		at += stride;
		if (!is_stranger(index, body.at + at, stride))
			break;
	}
	return at;
}

/* Loops of their own, in which the stride is a constant. */
__attribute__((noinline)) static size_t skip_strangers(const struct rs_text_index *index,
						       struct rs_span body, size_t at)
{
	switch (index->stride) {
	case RS_STRIDE_LONG:
		return skip(index, body, at, RS_STRIDE_LONG);
	case RS_STRIDE_MEDIUM:
		return skip(index, body, at, RS_STRIDE_MEDIUM);
	default:
		return skip(index, body, at, RS_STRIDE_SHORT);
	}
}

/* False where it was given up. */
static bool pass(const struct rs_text_index *index, struct rs_span body,
		 struct rs_found_texts *found)
{
	const size_t last = rs_text_block_len(index->stride);
	size_t left = LOOKED_AT_MOST(body.len);
	size_t at = skip_strangers(index, body, 0);

	for (; left > 0 && at + last <= body.len;
	     at = skip_strangers(index, body, at + index->stride)) {
		const uint32_t hash = rs_text_block_hash(body.at + at, index->stride);

		if (may_be_indexed(index->filter, index->bucket_mask, hash))
			note_texts(index, body, at, hash, found, &left);
	}
	return left > 0;
}

struct rs_text_set rs_text_set_of(const uint32_t *numbers, size_t count)
{
	struct rs_text_set set = { .word = count > 0 ? numbers[0] / 64 : 0 };

	for (size_t i = 0; i < count; i++) {
		if (numbers[i] == RS_TEXT_NO_INDEX || numbers[i] / 64 != set.word)
			return (struct rs_text_set){ .bits = 0 };
		set.bits |= UINT64_C(1) << numbers[i] % 64;
	}
	return set;
}

static void begin(const struct rs_text_index *index, struct rs_found_texts *found)
{
	const size_t bytes = (index->count + 63) / 64 * sizeof(found->known[0]);

	found->begun = true;
	memset(found->known, 0, bytes);
	memset(found->found, 0, bytes);
}

static void make_pass(const struct rs_text_index *index, struct rs_span body,
		      struct rs_found_texts *found)
{
	found->passed = true;
	if (!pass(index, body, found))
		return;
	for (size_t i = 0; i < (index->count + 63) / 64; i++)
		found->known[i] |= index->indexed[i];
}

static void search(const struct rs_text_index *index, uint32_t number, struct rs_span body,
		   struct rs_found_texts *found)
{
	set_bit(found->known, number);
	if (rs_text_occurs(index->texts[number], body))
		set_bit(found->found, number);
}

/* Its inner loop takes half as long again where it lies badly in cache lines, and where it lies is
 * otherwise decided by what stands before it. */
__attribute__((aligned(64))) bool rs_text_found(const struct rs_text_index *index, uint32_t number,
						struct rs_span body, struct rs_found_texts *found)
{
	if (!found->begun)
		begin(index, found);
	if (!found->passed && has_bit(index->indexed, number))
		make_pass(index, body, found);
	if (!has_bit(found->known, number))
		search(index, number, body, found);
	return has_bit(found->found, number);
}
