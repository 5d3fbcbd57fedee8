#include "rules/index_texts.h"

#include <limits.h>

/* About how many instructions eight bytes of a body take: in a pass, divided by its stride, and in
 * the search for one text that is too short for it. */
#define COST_OF_PASS   80
#define COST_OF_SEARCH 6

/* As many buckets as entries: then a thirty-second of the filter is set, and few of a body's blocks
 * are taken for one of the index. More would not stay in a processor's first cache. */
#define BUCKETS_LEAST ((size_t)16)
#define BUCKETS_MOST  ((size_t)8192)

/* ---- numbers ---- */

/* Which texts have a number already. */
struct numbering {
	struct rs_span *texts;
	uint32_t count;
	uint32_t *slots;   /* number + 1; 0: none */
	size_t slot_count; /* a power of two */
};

/* Eight bytes at a time, the last of which may have been taken before. */
static size_t hash_of(struct rs_span text)
{
	const size_t word = sizeof(uint64_t);
	uint64_t hash = text.len, eight = 0;

	for (size_t i = 0; i + word < text.len; i += word) {
		memcpy(&eight, text.at + i, word);
		hash = (hash ^ eight) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	if (text.len >= word)
		memcpy(&eight, text.at + text.len - word, word);
	else if (text.len > 0)
		memcpy(&eight, text.at, text.len);
	return (size_t)((hash ^ eight) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static bool same_text(struct rs_span a, struct rs_span b)
{
	return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

/* The slot of the text, or the free one that it is to have. */
static uint32_t *slot_of(const struct numbering *numbering, struct rs_span text)
{
	for (size_t i = hash_of(text);; i++) {
		uint32_t *slot = &numbering->slots[i & (numbering->slot_count - 1)];

		if (*slot == 0 || same_text(numbering->texts[*slot - 1], text))
			return slot;
	}
}

static uint32_t number_of(struct numbering *numbering, struct rs_span text)
{
	uint32_t *slot = slot_of(numbering, text);

	if (*slot == 0 && numbering->count == RS_TEXTS_MOST)
		return RS_TEXT_NO_INDEX;
	if (*slot == 0) {
		numbering->texts[numbering->count] = text;
		*slot = ++numbering->count;
	}
	return *slot - 1;
}

static void number_texts(struct rs_rules *rules, struct numbering *numbering, uint32_t *numbers)
{
	for (size_t i = 0; i < rules->rule_count; i++) {
		struct rs_rule *rule = (struct rs_rule *)&rules->rules[i];

		rule->text_numbers = numbers;
		for (size_t j = 0; j < rule->body.count; j++)
			*numbers++ = number_of(numbering, rule->body.at[j]);
	}
}

/* ---- blocks ---- */

/* An index in the making. */
struct making {
	struct rs_arena *arena, *scratch;
	struct rs_text_index *index;
	uint64_t *indexed;
	uint32_t *filter, *links, *begin;
	uint16_t *first;
	uint8_t *counts; /* of the blocks of all texts, by hash */
};

static size_t block_count(const struct rs_text_index *index, struct rs_span text)
{
	return text.len - rs_text_block_len(index->stride) + 1;
}

/* The shortest text that holds a block for each place where it may stand. */
static size_t least_len(enum rs_stride stride)
{
	return stride + rs_text_block_len(stride) - 1;
}

static size_t texts_for(const struct rs_text_index *index, enum rs_stride stride)
{
	size_t count = 0;

	for (size_t i = 0; i < index->count; i++)
		count += index->texts[i].len >= least_len(stride);
	return count;
}

static enum rs_stride choose_stride(const struct rs_text_index *index)
{
	static const uint8_t strides[] = { RS_STRIDE_SHORT, RS_STRIDE_MEDIUM, RS_STRIDE_LONG };
	const size_t all = texts_for(index, RS_STRIDE_SHORT);
	enum rs_stride cheapest = RS_STRIDE_NONE;
	size_t least = all * COST_OF_SEARCH;

	for (size_t i = 0; i < sizeof(strides); i++) {
		const enum rs_stride stride = (enum rs_stride)strides[i];
		size_t cost =
			COST_OF_PASS / stride + (all - texts_for(index, stride)) * COST_OF_SEARCH;

		if (cost < least) {
			least = cost;
			cheapest = stride;
		}
	}
	return cheapest;
}

static size_t buckets_for(size_t entries)
{
	size_t buckets = BUCKETS_LEAST;

	while (buckets < BUCKETS_MOST && buckets < entries)
		buckets *= 2;
	return buckets;
}

static bool make_room(struct making *making)
{
	struct rs_text_index *index = making->index;
	const size_t entries = (size_t)index->count * index->stride;
	const size_t buckets = buckets_for(entries);

	index->bucket_mask = (uint32_t)buckets - 1;
	making->filter = RS_NEW_ARRAY(making->arena, buckets, uint32_t);
	making->first = RS_NEW_ARRAY(making->arena, buckets, uint16_t);
	making->links = RS_NEW_ARRAY(making->arena, entries, uint32_t);
	making->begin = RS_NEW_ARRAY(making->arena, index->count, uint32_t);
	making->counts = RS_NEW_ARRAY(making->scratch, buckets, uint8_t);
	return making->filter && making->first && making->links && making->begin && making->counts;
}

static uint32_t hash_at(const struct making *making, const char *block)
{
	return rs_text_block_hash(block, making->index->stride);
}

static uint8_t *count_at(const struct making *making, const char *block)
{
	return &making->counts[rs_text_bucket(hash_at(making, block), making->index->bucket_mask)];
}

static void count_blocks(const struct making *making, struct rs_span text)
{
	for (size_t i = 0; i < block_count(making->index, text); i++) {
		uint8_t *count = count_at(making, text.at + i);

		*count = (uint8_t)(*count + (*count < UINT8_MAX));
	}
}

/* Where the blocks begin that the fewest texts have, about: of what many have bodies are full. */
static uint32_t rarest(const struct making *making, struct rs_span text)
{
	const size_t stride = making->index->stride, blocks = block_count(making->index, text);
	uint8_t counts[RS_STRIDE_LONG] = { 0 }; /* of the last `stride` blocks */
	unsigned sum = 0, least = UINT_MAX;
	uint32_t begin = 0;

	for (size_t i = 0; i < blocks; i++) {
		uint8_t *last = &counts[i & (stride - 1)];

		sum -= *last;
		*last = *count_at(making, text.at + i);
		sum += *last;
		if (i + 1 >= stride && sum < least) {
			least = sum;
			begin = (uint32_t)(i + 1 - stride);
		}
	}
	return begin;
}

static void enter(const struct making *making, const char *block, uint32_t entry)
{
	const uint32_t hash = hash_at(making, block);
	const uint32_t bucket = rs_text_bucket(hash, making->index->bucket_mask);
	uint16_t *first = &making->first[bucket];

	making->filter[bucket] |= UINT32_C(1) << rs_text_filter_bit(hash);
	making->links[entry] = rs_text_tag(hash) | *first;
	*first = (uint16_t)(entry + 1);
}

static void enter_text(const struct making *making, uint32_t number)
{
	const struct rs_span text = making->index->texts[number];
	const uint32_t begin = rarest(making, text), stride = making->index->stride;

	making->indexed[number / 64] |= UINT64_C(1) << number % 64;
	making->begin[number] = begin;
	for (uint32_t i = 0; i < stride; i++)
		enter(making, text.at + begin + i, number * stride + i);
}

static void enter_texts(const struct making *making)
{
	const struct rs_text_index *index = making->index;
	const size_t least = least_len(index->stride);

	for (uint32_t i = 0; i < index->count; i++) {
		if (index->texts[i].len >= least)
			count_blocks(making, index->texts[i]);
	}
	for (uint32_t i = 0; i < index->count; i++) {
		if (index->texts[i].len >= least)
			enter_text(making, i);
	}
}

static bool index_blocks(struct making *making)
{
	struct rs_text_index *index = making->index;

	index->stride = choose_stride(index);
	making->indexed = RS_NEW_ARRAY(making->arena, (index->count + 63) / 64, uint64_t);
	if (!making->indexed || (index->stride != RS_STRIDE_NONE && !make_room(making)))
		return false;
	index->indexed = making->indexed;
	index->filter = making->filter;
	index->first = making->first;
	index->links = making->links;
	index->begin = making->begin;
	if (index->stride != RS_STRIDE_NONE)
		enter_texts(making);
	return true;
}

/* ---- both ---- */

static size_t count_texts(const struct rs_rules *rules)
{
	size_t count = 0;

	for (size_t i = 0; i < rules->rule_count; i++)
		count += rules->rules[i].body.count;
	return count;
}

static size_t table_for(size_t texts)
{
	size_t slots = 2;

	while (slots < texts * 2)
		slots *= 2;
	return slots;
}

bool rs_index_texts(struct rs_rules *rules, struct rs_arena *arena, struct rs_arena *scratch)
{
	const size_t count = count_texts(rules);
	struct making making = { .arena = arena, .scratch = scratch };
	struct numbering numbering = { .slot_count = table_for(count) };
	uint32_t *numbers;

	if (count == 0)
		return true;
	making.index = RS_NEW(arena, struct rs_text_index);
	numbers = RS_NEW_ARRAY(arena, count, uint32_t);
	numbering.texts = RS_NEW_ARRAY(arena, count, struct rs_span);
	numbering.slots = RS_NEW_ARRAY(scratch, numbering.slot_count, uint32_t);
	if (!making.index || !numbers || !numbering.texts || !numbering.slots)
		return false;
	number_texts(rules, &numbering, numbers);
	making.index->texts = numbering.texts;
	making.index->count = numbering.count;
	rules->texts = making.index;
	return index_blocks(&making);
}
