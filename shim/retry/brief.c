#include "retry/brief.h"

#include <string.h>

#include "retry/error_set.h"

static uint64_t status_bit(int status)
{
	return status > 0 && status < RS_STATUS_LIMIT ? UINT64_C(1) << status % 64 : 0;
}

static uint64_t statuses_of(const struct rs_rule *rule)
{
	uint64_t folded = 0;

	if (!rule->status)
		return rs_rule_has_response_matcher(rule) ? UINT64_MAX : 0;
	for (size_t i = 0; i < sizeof(rule->status->bits) / sizeof(rule->status->bits[0]); i++)
		folded |= rule->status->bits[i];
	return folded;
}

static void add_pairs(struct rs_pairs *to, const struct rs_pairs *pairs)
{
	for (size_t i = 0; i < RS_PAIRS_WORDS; i++)
		to->bits[i] |= pairs->bits[i];
}

static void add_text(struct rs_pairs *to, struct rs_span text)
{
	const struct rs_pairs pairs = rs_pairs_of(text);

	add_pairs(to, &pairs);
}

/* Of a list any glob will do, so only what all of them have is asked for. */
static void add_common(struct rs_pairs *to, const struct rs_globs *globs)
{
	struct rs_pairs common;

	if (globs->count == 0)
		return;
	common = rs_glob_pairs(&globs->at[0]);
	for (size_t i = 1; i < globs->count; i++) {
		const struct rs_pairs pairs = rs_glob_pairs(&globs->at[i]);

		for (size_t j = 0; j < RS_PAIRS_WORDS; j++)
			common.bits[j] &= pairs.bits[j];
	}
	add_pairs(to, &common);
}

struct rs_brief rs_brief_of(const struct rs_rule *rule)
{
	struct rs_brief brief = {
		.errors = rule->has_error ? rs_error_set_folded(&rule->error) : 0,
		.statuses = statuses_of(rule),
		.texts = rs_text_set_of(rule->text_numbers,
					rule->text_numbers ? rule->body.count : 0),
	};

	add_common(&brief.pairs, &rule->host);
	add_common(&brief.pairs, &rule->url);
	add_common(&brief.pairs, &rule->program);
	return brief;
}

struct rs_brief rs_brief_offer(const struct rs_target *target, const struct rs_outcome *outcome)
{
	struct rs_brief offer = {
		.errors = rs_error_folded(target->call, outcome),
		.statuses = status_bit(outcome->status),
	};

	add_text(&offer.pairs, target->host);
	add_text(&offer.pairs, target->url);
	add_text(&offer.pairs, (struct rs_span){ target->program, strlen(target->program) });
	return offer;
}
