/* What right rules files become; their matchers are test_rules_matchers'. */
#include "rules_helper.h"

#include "retry/error_set.h"
#include "retry/ns.h"

#define RULE "[rule a]\nerror = refused\n"

static void nothing_but_defaults(void **state)
{
	struct rs_rules *rules = load_good("[rule a]\nerror = refused\n");
	const struct rs_policy *policy = &rules->policies[0];

	(void)state;
	assert_int_equal(rules->settings.mode, RS_MODE_ENFORCE);
	assert_string_equal(rules->settings.log, "stderr");
	assert_int_equal(rules->settings.log_format, RS_LOG_TEXT);
	assert_int_equal(rules->settings.log_level, RS_LOG_WARN);
	assert_int_equal(rules->settings.body_limit, 65536);
	assert_false(rules->settings.has_seed);

	assert_int_equal(rules->policy_count, 1);
	assert_string_equal(policy->name, "default");
	assert_int_equal(policy->max_attempts, 4);
	assert_int_equal(policy->backoff, RS_BACKOFF_EXPONENTIAL);
	assert_int_equal(policy->base_ns, 200 * RS_NS_PER_MS);
	assert_int_equal(policy->rate_millionths, 2000000);
	assert_int_equal(policy->cap_ns, 20 * RS_NS_PER_S);
	assert_int_equal(policy->jitter, RS_JITTER_FULL);
	assert_int_equal(policy->max_elapsed_ns, 300 * RS_NS_PER_S);
	assert_int_equal(policy->retry_after, RS_RETRY_AFTER_MAX);
	assert_int_equal(policy->retry_after_cap_ns, 120 * RS_NS_PER_S);
	assert_int_equal(policy->attempt_timeout_ns, RS_FOREVER);
	assert_int_equal(policy->connect_timeout_ns, RS_FOREVER);
	assert_int_equal(policy->quota, RS_STANDARD_QUOTA);
	assert_int_equal(policy->cost, 14);

	assert_int_equal(rules->quota_count, 1);
	assert_string_equal(rules->quotas[0].name, "standard");
	assert_int_equal(rules->quotas[0].capacity, 500);
	assert_int_equal(rules->quotas[0].refund, 1);
	assert_int_equal(rules->quotas[0].bucket->tokens, 500);

	assert_int_equal(rules->rule_count, 1);
	assert_string_equal(rules->rules[0].name, "a");
	assert_int_equal(rules->rules[0].line, 1);
	assert_int_equal(rules->rules[0].class, RS_TEMPORARY);
	assert_int_equal(rules->rules[0].calls, 7);
	assert_int_equal(rules->rules[0].method.names.count, 6);
	assert_false(rules->rules[0].method.any);
	assert_memory_equal(&rules->rules[0].policy, policy, sizeof(*policy));
	rs_rules_free(rules);
}

static void settings(void **state)
{
	struct rs_rules *rules = load_good("[retryshim]\nmode = off\nlog = /var/log/x.log\n"
					   "log_format = json\nlog_level = debug\n"
					   "body_limit = 1MiB\nseed = 42\nannotate = no\n"
					   "stats = no\nreload = no\nreport = none\n");

	(void)state;
	assert_int_equal(rules->settings.mode, RS_MODE_OFF);
	assert_string_equal(rules->settings.log, "/var/log/x.log");
	assert_string_equal(rules->settings.stats, "no");
	assert_int_equal(rules->settings.log_format, RS_LOG_JSON);
	assert_int_equal(rules->settings.log_level, RS_LOG_DEBUG);
	assert_int_equal(rules->settings.body_limit, 1048576);
	assert_true(rules->settings.has_seed);
	assert_int_equal(rules->settings.seed, 42);
	rs_rules_free(rules);
}

/* A word that would be a slip is a path where a directory stands before it. */
static void paths_as_settings(void **state)
{
	struct rs_rules *rules =
		load_good("[retryshim]\nlog = x.log\nreport = ./off\nstats = nothing.at-all\n");

	(void)state;
	assert_string_equal(rules->settings.log, "x.log");
	assert_string_equal(rules->settings.report, "./off");
	assert_string_equal(rules->settings.stats, "nothing.at-all");
	rs_rules_free(rules);
}

static void inheritance(void **state)
{
	/* Nothing stands before what it refers to. */
	struct rs_rules *rules =
		load_good("[rule b]\nerror = refused\ncap = 9s\npolicy = p\n"
			  "[rule c]\nerror = any\n"
			  "[policy p]\nbase = 1s\nquota = q\nmax_attempts = unlimited\n"
			  "[quota q]\ncapacity = 7\nrefund = 2\nscope = process\n"
			  "[policy default]\nbase = 5s\ncost = 3\nmax_elapsed = 1h\n");
	const struct rs_policy *b = &rules->rules[0].policy;
	const struct rs_policy *c = &rules->rules[1].policy;

	(void)state;
	assert_int_equal(rules->policy_count, 2);
	assert_string_equal(b->name, "p");
	assert_int_equal(b->base_ns, RS_NS_PER_S);
	assert_int_equal(b->cap_ns, 9 * RS_NS_PER_S);
	assert_int_equal(b->cost, 3);
	assert_int_equal(b->max_elapsed_ns, 3600 * RS_NS_PER_S);
	assert_int_equal(b->max_attempts, RS_UNLIMITED);
	assert_string_equal(rules->quotas[b->quota].name, "q");
	assert_int_equal(rules->quotas[b->quota].capacity, 7);
	assert_int_equal(rules->quotas[b->quota].bucket->tokens, 7);
	assert_string_equal(c->name, "default");
	assert_int_equal(c->base_ns, 5 * RS_NS_PER_S);
	assert_int_equal(c->quota, RS_STANDARD_QUOTA);
	rs_rules_free(rules);
}

/* Memory for buckets per target is there where a quota has them. */
static void scopes(void **state)
{
	static const struct {
		const char *value;
		enum rs_scope scope;
		bool per_target;
	} cases[] = {
		{ "process", RS_SCOPE_PROCESS, false },
		{ "host", RS_SCOPE_HOST, false },
		{ "target", RS_SCOPE_TARGET, true },
		{ "host+target", RS_SCOPE_HOST_TARGET, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rs_rules *rules;
		char text[64];

		(void)snprintf(text, sizeof(text), "[quota q]\nscope = %s\n", cases[i].value);
		rules = load_good(text);
		assert_int_equal(rules->quotas[0].scope, RS_SCOPE_PROCESS);
		assert_int_equal(rules->quotas[1].scope, cases[i].scope);
		assert_int_equal(rules->target_ledger != NULL, cases[i].per_target);
		assert_null(rules->host_ledger);
		rs_rules_free(rules);
	}
}

static void durations_and_numbers(void **state)
{
	static const struct {
		const char *value;
		int64_t ns;
	} durations[] = {
		{ "250ms", 250000000 },
		{ "1.5s", 1500000000 },
		{ "2m", 120000000000 },
		{ "1h", 3600000000000 },
		{ "10us", 10000 },
		{ "0.25s", 250000000 },
		{ "0", 0 },
		{ "0s", 0 },
		{ "00.10s", 100000000 },
		{ "1.000000001s", 1000000001 },
		{ "none", RS_FOREVER },
		{ "2562047h", 2562047LL * 3600 * 1000000000 },
	};
	static const struct {
		const char *value;
		int64_t millionths;
	} rates[] = { { "1", 1000000 }, { "1.5", 1500000 }, { "3.000001", 3000001 } };
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		struct rs_rules *rules;

		snprintf(text, sizeof(text), RULE "cap = %s\n", durations[i].value);
		rules = load_good(text);
		assert_true(rules->rules[0].policy.cap_ns == durations[i].ns);
		rs_rules_free(rules);
	}
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct rs_rules *rules;

		snprintf(text, sizeof(text), RULE "rate = %s\n", rates[i].value);
		rules = load_good(text);
		assert_true(rules->rules[0].policy.rate_millionths == rates[i].millionths);
		rs_rules_free(rules);
	}
}

static void all_letters_of_names(void **state)
{
	struct rs_rules *rules = load_good("[rule azAZ09._-]\nerror = any\n");

	(void)state;
	assert_string_equal(rules->rules[0].name, "azAZ09._-");
	rs_rules_free(rules);
}

static void options_override(void **state)
{
	static struct told told;
	struct rs_rules *rules;
	char path[32];
	static const char text[] = "[policy default]\nbase = 5s\n[retryshim]\nlog = none\n"
				   "[policy p]\nbase = 6s\n[rule a]\nerror = any\n"
				   "[rule b]\nerror = any\nmethod = any\npolicy = p\n";

	(void)state;
	write_file(path, text, strlen(text));
	assert_int_equal(
		load_paths(path, "base=1s; log = /x ;max_attempts=9;base=2s;", &told, &rules), 0);
	unlink(path);
	assert_string_equal(rules->settings.log, "/x");
	assert_int_equal(rules->rules[0].policy.base_ns, 2 * RS_NS_PER_S);
	assert_int_equal(rules->rules[0].policy.max_attempts, 9);
	assert_int_equal(rules->rules[1].policy.base_ns, 6 * RS_NS_PER_S);
	assert_int_equal(rules->rules[1].policy.max_attempts, 9);
	rs_rules_free(rules);
}

/* The same two rules, however the file is written. */
static void ways_to_write_a_file(void **state)
{
	static const char *const texts[] = {
		"[rule a]\nerror = refused\n[rule b]\nerror = any\n",
		"[rule a]\nerror = refused\n[rule b]\nerror = any",
		"[rule a]\r\nerror = refused\r\n[rule b]\r\nerror = any\r\n",
		"\xef\xbb\xbf[rule a]\nerror = refused\n[rule b]\nerror = any\n",
		"; a comment\n# another\n[ rule  a ]\nerror=refused\n\n\n[rule b]\n error : any \n",
		"[rule a]\nerror =\n  # a comment; within\n\n  refused\n[rule b]\n\terror=any\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct rs_rules *rules = load_good(texts[i]);

		assert_int_equal(rules->rule_count, 2);
		assert_string_equal(rules->rules[0].name, "a");
		assert_true(rs_error_set_has(&rules->rules[0].error, RS_DOMAIN_ERRNO, 111));
		assert_false(rs_error_set_has(&rules->rules[0].error, RS_DOMAIN_ERRNO, 110));
		assert_true(rs_error_set_has(&rules->rules[1].error, RS_DOMAIN_ERRNO, 110));
		rs_rules_free(rules);
	}
}

static void what_happens_anyway_may_be_said(void **state)
{
	(void)state;
	rs_rules_free(load_good(RULE "attempt_timeout = none\nconnect_timeout = none\n"
				     "fresh_connection = no\nresume = no\nrate_limit = none\n"));
}

static void a_seed_may_be_negative(void **state)
{
	struct rs_rules *rules = load_good("[retryshim]\nseed = -1\n");

	(void)state;
	assert_true(rules->settings.seed == UINT64_MAX);
	rs_rules_free(rules);
}

/* A section's first key may be indented: there is nothing that it could continue. */
static void an_indented_key_begins_a_section(void **state)
{
	struct rs_rules *rules =
		load_good("[rule a]\nstatus = 503\n[rule b]\n  status = 504\nerror = any\n");

	(void)state;
	assert_int_equal(rules->rule_count, 2);
	assert_true(rules->rules[1].status && rules->rules[1].has_error);
	rs_rules_free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_but_defaults),
		cmocka_unit_test(settings),
		cmocka_unit_test(paths_as_settings),
		cmocka_unit_test(inheritance),
		cmocka_unit_test(scopes),
		cmocka_unit_test(durations_and_numbers),
		cmocka_unit_test(all_letters_of_names),
		cmocka_unit_test(options_override),
		cmocka_unit_test(ways_to_write_a_file),
		cmocka_unit_test(what_happens_anyway_may_be_said),
		cmocka_unit_test(a_seed_may_be_negative),
		cmocka_unit_test(an_indented_key_begins_a_section),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
