#include "cli/plan_print.h"

#include <stdio.h>
#include <string.h>

#include "cli/bar.h"
#include "cli/duration_text.h"
#include "retry/decide.h"
#include "retry/ns.h"

enum {
	LEAST,
	EXPECTED,
	LONGEST,
	SO_FAR,
	COLUMNS,
};

static const char *const headings[COLUMNS] = { "least", "expected", "longest", "running total" };

struct row {
	struct rs_duration_text cell[COLUMNS];
};

static struct row row_of(const struct rs_plan_wait *wait)
{
	return (struct row){ {
		[LEAST] = rs_duration_plain(wait->wait.min_ns),
		[EXPECTED] = rs_duration_plain(wait->wait.mean_ns),
		[LONGEST] = rs_duration_plain(wait->wait.max_ns),
		[SO_FAR] = rs_duration_human(wait->total.mean_ns),
	} };
}

static void find_widths(const struct rs_plan *plan, int *widths)
{
	for (int c = 0; c < COLUMNS; c++)
		widths[c] = (int)strlen(headings[c]);
	for (size_t i = 0; i < plan->count; i++) {
		struct row row = row_of(&plan->waits[i]);

		for (int c = 0; c < COLUMNS; c++) {
			int len = (int)strlen(row.cell[c].text);

			widths[c] = len > widths[c] ? len : widths[c];
		}
	}
}

static int64_t longest_wait_ns(const struct rs_plan *plan)
{
	int64_t longest_ns = 0;

	for (size_t i = 0; i < plan->count; i++)
		longest_ns = rs_ns_max(longest_ns, plan->waits[i].wait.max_ns);
	return longest_ns;
}

static void print_rows(const struct rs_plan *plan)
{
	int widths[COLUMNS];
	int used = 7;
	struct rs_bar bar;

	find_widths(plan, widths);
	printf("\nattempt");
	for (int c = 0; c < COLUMNS; c++) {
		printf("  %*s", widths[c], headings[c]);
		used += 2 + widths[c];
	}
	putchar('\n');
	bar = rs_bar_for_stdout(used + 2, longest_wait_ns(plan));
	for (size_t i = 0; i < plan->count; i++) {
		const struct rs_plan_wait *wait = &plan->waits[i];
		struct row row = row_of(wait);

		printf("%7d", (int)wait->attempt);
		for (int c = 0; c < COLUMNS; c++)
			printf("  %*s", widths[c], row.cell[c].text);
		if (bar.width > 0)
			printf("  ");
		rs_bar_draw(&bar, wait->wait.mean_ns, wait->wait.max_ns);
		putchar('\n');
	}
	putchar('\n');
}

static void print_total(const char *label, int64_t ns)
{
	struct rs_duration_text plain = rs_duration_plain(ns);
	struct rs_duration_text human = rs_duration_human(ns);

	printf("%s%s", label, plain.text);
	if (strcmp(plain.text, human.text) != 0)
		printf(" (%s)", human.text);
	putchar('\n');
}

static void print_totals(const struct rs_plan *plan)
{
	struct rs_plan_range total = rs_plan_total(plan);

	if (total.min_ns == total.max_ns) {
		print_total("total: ", total.mean_ns);
		return;
	}
	print_total("total, least:    ", total.min_ns);
	print_total("total, expected: ", total.mean_ns);
	print_total("total, longest:  ", total.max_ns);
}

static void print_jitter(enum rs_jitter jitter)
{
	static const char *const names[] = {
		[RS_JITTER_NONE] = "no",
		[RS_JITTER_FULL] = "full",
		[RS_JITTER_EQUAL] = "equal",
		[RS_JITTER_DECORRELATED] = "decorrelated",
	};

	printf(", %s jitter", names[jitter]);
}

/* Decorrelated jitter grows in its own way, whatever `backoff` says. */
static void print_growth(const struct rs_policy *policy)
{
	static const char *const names[] = {
		[RS_BACKOFF_CONSTANT] = "constant",
		[RS_BACKOFF_LINEAR] = "linear",
		[RS_BACKOFF_EXPONENTIAL] = "exponential",
	};

	if (policy->jitter != RS_JITTER_DECORRELATED)
		printf("%s backoff, ", names[policy->backoff]);
	printf("base %s", rs_duration_human(policy->base_ns).text);
	if (policy->jitter != RS_JITTER_DECORRELATED && policy->backoff == RS_BACKOFF_EXPONENTIAL)
		printf(", rate %s", rs_millionths(policy->rate_millionths).text);
}

static void print_limit(const char *name, int64_t limit_ns)
{
	if (limit_ns == RS_FOREVER)
		printf(", no %s", name);
	else
		printf(", %s %s", name, rs_duration_human(limit_ns).text);
}

static void print_policy(const struct rs_policy *policy, const struct rs_rule *rule)
{
	if (rule)
		printf("rule %s, ", rule->name);
	printf("policy %s: ", policy->name);
	if (policy->max_attempts == RS_UNLIMITED)
		printf("unlimited attempts, ");
	else
		printf("%d attempt%s, ", (int)policy->max_attempts,
		       policy->max_attempts == 1 ? "" : "s");
	print_growth(policy);
	print_limit("cap", policy->cap_ns);
	print_jitter(policy->jitter);
	print_limit("max_elapsed", policy->max_elapsed_ns);
	putchar('\n');
}

static void print_notes(const struct rs_policy *policy, const struct rs_rule *rule,
			const struct rs_plan *plan)
{
	const int next = (int)plan->count + 2;
	struct rs_duration_text max_elapsed = rs_duration_human(policy->max_elapsed_ns);

	if (rule && !rs_plan_retries(rule->class))
		printf("class = %s: nothing is retried.\n", rs_class_name(rule->class));
	else if (policy->max_attempts == 1)
		printf("max_attempts = 1: nothing is retried.\n");
	if (plan->end == RS_PLAN_LIMIT)
		printf("These are the first %d attempts; more would follow (-n N shows N).\n",
		       next - 1);
	if (plan->doubtful_from > 0)
		printf("When the waits are at their longest, max_elapsed = %s ends the retries "
		       "before attempt %d.\n",
		       max_elapsed.text, (int)plan->doubtful_from);
	if (plan->end == RS_PLAN_ELAPSED)
		printf("max_elapsed = %s %s the retries before attempt %d.\n", max_elapsed.text,
		       policy->jitter == RS_JITTER_NONE ? "ends" : "is expected to end", next);
}

void rs_plan_print_table(const struct rs_policy *policy, const struct rs_rule *rule,
			 const struct rs_plan *plan)
{
	print_policy(policy, rule);
	if (plan->count > 0) {
		print_rows(plan);
		print_totals(plan);
	}
	print_notes(policy, rule, plan);
}

static void print_range_json(const char *prefix, const struct rs_plan_range *range)
{
	printf("\"%smin_ms\":%s,\"%smean_ms\":%s,\"%smax_ms\":%s", prefix,
	       rs_duration_ms(range->min_ns).text, prefix, rs_duration_ms(range->mean_ns).text,
	       prefix, rs_duration_ms(range->max_ns).text);
}

/* Names of policies consist of letters, digits, '.', '_' and '-': nothing to escape. */
void rs_plan_print_json(const struct rs_policy *policy, const struct rs_plan *plan)
{
	struct rs_plan_range total = rs_plan_total(plan);

	printf("{\"policy\":\"%s\",\"waits\":[", policy->name);
	for (size_t i = 0; i < plan->count; i++) {
		printf("%s{\"attempt\":%d,", i > 0 ? "," : "", (int)plan->waits[i].attempt);
		print_range_json("", &plan->waits[i].wait);
		putchar('}');
	}
	printf("],");
	print_range_json("total_", &total);
	printf("}\n");
}
