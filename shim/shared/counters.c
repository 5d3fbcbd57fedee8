#include "shared/counters.h"

#include <stdlib.h>
#include <string.h>

#include "retry/target_key.h"

#define NEARBY     64 /* places that are looked at for a key */
#define NAME_WORDS (RS_RULE_NAME_SIZE / 8)

static uint64_t key_of(enum rs_call call, const char *rule)
{
	return rs_key_of_both(rs_name_key(rule), (uint64_t)call + 1);
}

static bool claim(struct rs_counters_slot *slot, uint64_t key)
{
	uint64_t there = 0;

	return atomic_compare_exchange_strong(&slot->key, &there, key) || there == key;
}

static struct rs_counters_slot *place(struct rs_counters *counters, enum rs_call call, uint64_t key)
{
	for (uint64_t i = 0; i < NEARBY; i++) {
		struct rs_counters_slot *slot =
			&counters->slots[(key + i) & (RS_COUNTERS_SLOTS - 1)];

		if (claim(slot, key))
			return slot;
	}
	return &counters->others[call];
}

/* The first word last: where it stands, the name is whole. Others write the same. */
static void write_name(struct rs_counters_slot *slot, const char *rule)
{
	uint64_t words[NAME_WORDS] = { 0 };

	memcpy(words, rule, strnlen(rule, RS_RULE_NAME_SIZE - 1));
	for (size_t i = NAME_WORDS; i-- > 0;)
		atomic_store_explicit(&slot->name[i], words[i], memory_order_release);
}

void rs_counters_add(struct rs_counters *counters, enum rs_call call, const char *rule,
		     const struct rs_amounts *amounts)
{
	char name[RS_RULE_NAME_SIZE] = "";
	struct rs_counters_slot *slot;

	memcpy(name, rule, strnlen(rule, sizeof(name) - 1));
	slot = place(counters, call, key_of(call, name));
	if (name[0] && slot != &counters->others[call] &&
	    atomic_load_explicit(&slot->name[0], memory_order_acquire) == 0)
		write_name(slot, name);
	for (int i = 0; i < RS_COUNTERS; i++) {
		if (amounts->at[i] > 0)
			atomic_fetch_add_explicit(&slot->counts[i], amounts->at[i],
						  memory_order_relaxed);
	}
}

static bool take_counts(const struct rs_counters_slot *slot, struct rs_counted *line)
{
	uint64_t any = 0;

	for (int i = 0; i < RS_COUNTERS; i++) {
		line->amounts.at[i] = atomic_load_explicit(&slot->counts[i], memory_order_relaxed);
		any |= line->amounts.at[i];
	}
	return any != 0;
}

/* One that a rule may have: the file may hold any bytes, and who prints them relies on it. */
static bool is_name(const char *text)
{
	return text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				 "._-")] == '\0';
}

/* The key tells whether the name is whole, and which call it is. */
static bool take_line(const struct rs_counters_slot *slot, struct rs_counted *line)
{
	uint64_t words[NAME_WORDS];
	uint64_t key = atomic_load_explicit(&slot->key, memory_order_relaxed);

	if (key == 0)
		return false;
	for (size_t i = 0; i < NAME_WORDS; i++)
		words[i] = atomic_load_explicit(&slot->name[i], memory_order_acquire);
	memcpy(line->rule, words, sizeof(line->rule));
	line->rule[sizeof(line->rule) - 1] = '\0';
	for (unsigned call = 0; call < RS_CALL_COUNT; call++) {
		line->call = (enum rs_call)call;
		if (key_of(line->call, line->rule) == key)
			return is_name(line->rule) && take_counts(slot, line);
	}
	return false;
}

static int compare(const void *a, const void *b)
{
	const struct rs_counted *one = a, *two = b;

	if (one->call != two->call)
		return one->call < two->call ? -1 : 1;
	return strcmp(one->rule, two->rule);
}

/* Nobody counts the same in two places, but for who made the file. */
static size_t join(struct rs_counted *lines, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || compare(&lines[kept - 1], &lines[i]) != 0)
			lines[kept++] = lines[i];
	}
	return kept;
}

size_t rs_counters_read(const struct rs_counters *counters,
			struct rs_counted lines[RS_COUNTED_MOST])
{
	size_t count = 0;

	for (size_t i = 0; i < RS_COUNTERS_SLOTS; i++)
		count += take_line(&counters->slots[i], &lines[count]);
	for (unsigned call = 0; call < RS_CALL_COUNT; call++) {
		struct rs_counted *line = &lines[count];

		line->call = (enum rs_call)call;
		memcpy(line->rule, RS_OTHER_RULES, sizeof(RS_OTHER_RULES));
		count += take_counts(&counters->others[call], line);
	}
	qsort(lines, count, sizeof(*lines), compare);
	return join(lines, count);
}
