/* Which attempts a fault strikes. */
#include "unit.h"

#include "retry/fault.h"

#define HUNDRED_THOUSAND 100000

static struct rs_fault_counts counts;

static struct rs_fault some_fault(void)
{
	return (struct rs_fault){
		.name = "it",
		.scope = any_scope_rule("scope"),
		.status = 503,
		.cut = RS_NO_CUT,
		.probability = RS_CERTAIN,
		.every = 1,
	};
}

static struct rs_rules rules_of(const struct rs_fault *faults, size_t count)
{
	memset(&counts, 0, sizeof(counts));
	return (struct rs_rules){
		.faults = faults,
		.fault_count = count,
		.fault_counts = &counts,
	};
}

static struct rs_rules seeded(const struct rs_fault *fault, uint64_t seed)
{
	struct rs_rules rules = rules_of(fault, 1);

	rules.settings.has_seed = true;
	rules.settings.seed = seed;
	return rules;
}

static struct rs_target target_of(const char *host, const char *url)
{
	return (struct rs_target){
		.call = RS_CALL_CURL,
		.method = span("POST"),
		.scheme = span("http"),
		.host = span(host),
		.url = span(url),
		.port = 80,
		.program = "curl",
	};
}

static bool strikes(const struct rs_rules *rules, const struct rs_target *target)
{
	return rs_fault_next(rules, target, RS_FAULTS_ALL, 0).fault != NULL;
}

/* Which of the next 64 attempts are struck, as bits. */
static uint64_t pattern(const struct rs_rules *rules, const struct rs_target *target)
{
	uint64_t bits = 0;

	for (int i = 0; i < 64; i++)
		bits |= (uint64_t)strikes(rules, target) << i;
	return bits;
}

static void always_unless_told_otherwise(void **state)
{
	struct rs_fault fault = some_fault();
	struct rs_rules rules = rules_of(&fault, 1);
	struct rs_target target = target_of("a", "http://a/");

	(void)state;
	assert_true(pattern(&rules, &target) == UINT64_MAX);
}

static void only_what_its_scope_covers(void **state)
{
	struct rs_glob host = rs_glob_make("a", true);
	struct rs_fault fault = some_fault();
	struct rs_rules rules = rules_of(&fault, 1);
	struct rs_target a = target_of("a", "http://a/"), b = target_of("b", "http://b/");

	(void)state;
	fault.scope.host = (struct rs_globs){ &host, 1 };
	assert_true(strikes(&rules, &a));
	assert_false(strikes(&rules, &b));
}

static void the_first_of_each_target(void **state)
{
	struct rs_fault fault = some_fault();
	struct rs_rules rules = rules_of(&fault, 1);
	struct rs_target a = target_of("a", "http://a/1"), b = target_of("b", "http://b/");

	(void)state;
	fault.first = 2;
	assert_true(strikes(&rules, &a));
	a.url = span("http://a/2"); /* the same target */
	assert_true(pattern(&rules, &a) == 1);
	assert_true(pattern(&rules, &b) == 3);
}

static void each_nth_attempt(void **state)
{
	struct rs_fault fault = some_fault();
	struct rs_rules rules = rules_of(&fault, 1);
	struct rs_target a = target_of("a", "http://a/");

	(void)state;
	fault.every = 4;
	assert_true(pattern(&rules, &a) == UINT64_C(0x8888888888888888));
}

static void the_first_that_strikes_counts(void **state)
{
	struct rs_fault faults[2] = { some_fault(), some_fault() };
	struct rs_rules rules = rules_of(faults, 2);
	struct rs_target a = target_of("a", "http://a/");

	(void)state;
	faults[0].first = 1;
	assert_ptr_equal(rs_fault_next(&rules, &a, RS_FAULTS_ALL, 0).fault, &faults[0]);
	assert_ptr_equal(rs_fault_next(&rules, &a, RS_FAULTS_ALL, 0).fault, &faults[1]);
}

/* Nor does one count what it cannot strike. */
static void one_that_cannot_strike_is_passed_over(void **state)
{
	struct rs_fault faults[2] = { some_fault(), some_fault() };
	struct rs_rules rules = rules_of(faults, 2);
	struct rs_target a = target_of("a", "file:///a");

	(void)state;
	faults[0].first = 1;
	faults[1].status = 0;
	assert_ptr_equal(rs_fault_next(&rules, &a, RS_FAULTS_WITHOUT_ANSWER, 0).fault, &faults[1]);
	assert_ptr_equal(rs_fault_next(&rules, &a, RS_FAULTS_ALL, 0).fault, &faults[0]);
}

static int count_of(const struct rs_rules *rules, const struct rs_target *target, bool random)
{
	uint64_t state = 7;
	int count = 0;

	for (int i = 0; i < HUNDRED_THOUSAND; i++)
		count += rs_fault_next(rules, target, RS_FAULTS_ALL,
				       random ? next_random(&state) : 0)
				 .fault != NULL;
	return count;
}

/* 0.3 of 100,000: within five standard deviations of 145. */
static void as_often_as_the_probability_says(void **state)
{
	struct rs_fault fault = some_fault();
	struct rs_rules rules = rules_of(&fault, 1);
	struct rs_target a = target_of("a", "http://a/");

	(void)state;
	fault.probability = 300000;
	assert_in_range(count_of(&rules, &a, true), 29275, 30725);
	rules = seeded(&fault, 1);
	assert_in_range(count_of(&rules, &a, false), 29275, 30725);
	fault.probability = 0;
	assert_int_equal(count_of(&rules, &a, true), 0);
}

static void a_seed_repeats(void **state)
{
	struct rs_fault fault = some_fault();
	struct rs_rules rules = seeded(&fault, 42);
	struct rs_target a = target_of("a", "http://a/");
	uint64_t first, other;

	(void)state;
	fault.probability = RS_CERTAIN / 2;
	first = pattern(&rules, &a);
	rules = seeded(&fault, 42);
	assert_true(pattern(&rules, &a) == first);
	rules = seeded(&fault, 43);
	other = pattern(&rules, &a);
	assert_true(other != first);
	assert_true(first != 0 && first != UINT64_MAX);
}

/* What one thread does is not another one's luck. */
static void targets_do_not_disturb_each_other(void **state)
{
	struct rs_fault fault = some_fault();
	struct rs_rules rules = seeded(&fault, 42);
	struct rs_target a = target_of("a", "http://a/1"), b = target_of("a", "http://a/2");
	uint64_t alone, among = 0;

	(void)state;
	fault.probability = RS_CERTAIN / 2;
	alone = pattern(&rules, &a);
	rules = seeded(&fault, 42);
	for (int i = 0; i < 64; i++) {
		strikes(&rules, &b);
		among |= (uint64_t)strikes(&rules, &a) << i;
	}
	assert_true(among == alone);
}

/* The i-th of many, to be used before the next one is asked for. */
static struct rs_target numbered(int i)
{
	static char host[32], url[64];

	(void)snprintf(host, sizeof(host), "host-%d", i);
	(void)snprintf(url, sizeof(url), "http://a/%d", i);
	return target_of(host, url);
}

/* To be found again when so many have come: three thousand, as it is documented. */
static void thousands_of_targets(void **state)
{
	struct rs_fault fault = some_fault();
	struct rs_rules rules = rules_of(&fault, 1);

	(void)state;
	fault.first = 1;
	for (int i = 0; i < 6000; i++) {
		struct rs_target target = numbered(i % 3000);

		assert_int_equal(strikes(&rules, &target), i < 3000);
	}
}

static void more_targets_than_places(void **state)
{
	struct rs_fault fault = some_fault();
	struct rs_rules rules = rules_of(&fault, 1);
	int struck = 0;

	(void)state;
	fault.first = 1;
	for (int i = 0; i < HUNDRED_THOUSAND; i++) {
		struct rs_target target = numbered(i);

		struck += strikes(&rules, &target);
	}
	assert_in_range(struck, RS_FAULT_PLACES - 100, RS_FAULT_PLACES + 1);
}

static void requests_do_not_crowd_targets_out(void **state)
{
	struct rs_fault faults[2] = { some_fault(), some_fault() };
	struct rs_rules rules = seeded(faults, 1);
	struct rs_target target = target_of("a", "http://a/");

	(void)state;
	rules.fault_count = 2;
	faults[0].probability = 0;
	for (int i = 0; i < HUNDRED_THOUSAND; i++) {
		struct rs_target other = numbered(i);

		assert_true(strikes(&rules, &other));
	}
	faults[1].first = 1;
	assert_true(strikes(&rules, &target));
	assert_false(strikes(&rules, &target));
}

static void hosts_are_one_in_any_case(void **state)
{
	struct rs_fault fault = some_fault();
	struct rs_rules rules = rules_of(&fault, 1);
	struct rs_target small = target_of("localhost", "http://localhost/");
	struct rs_target large = target_of("LocalHost", "http://LocalHost/");

	(void)state;
	fault.first = 1;
	assert_true(strikes(&rules, &small));
	assert_false(strikes(&rules, &large));
}

/* Whatever stands before a fault in the file. */
static void a_fault_keeps_its_count_by_name(void **state)
{
	struct rs_fault faults[2] = { some_fault(), some_fault() };
	struct rs_rules rules = rules_of(&faults[1], 1);
	struct rs_target a = target_of("a", "http://a/");

	(void)state;
	faults[0].name = "new";
	faults[0].first = faults[1].first = 1;
	assert_true(strikes(&rules, &a));
	rules.faults = faults;
	rules.fault_count = 2;
	assert_ptr_equal(rs_fault_next(&rules, &a, RS_FAULTS_ALL, 0).fault, &faults[0]);
	assert_false(strikes(&rules, &a));
}

static void sockets_of_the_file_system_are_targets(void **state)
{
	struct rs_fault fault = some_fault();
	struct rs_rules rules = rules_of(&fault, 1);
	struct rs_target a = { .call = RS_CALL_CONNECT,
			       .address = { .family = RS_ADDRESS_UNIX, .path = span("/run/a") },
			       .program = "" };
	struct rs_target b = a;

	(void)state;
	b.address.path = span("/run/b");
	fault.first = 1;
	assert_true(strikes(&rules, &a));
	assert_true(strikes(&rules, &b));
	assert_false(strikes(&rules, &a));
	assert_false(strikes(&rules, &b));
}

static void delays_lie_in_their_range(void **state)
{
	struct rs_fault fault = some_fault();
	struct rs_rules rules = rules_of(&fault, 1);
	struct rs_target a = target_of("a", "http://a/");
	int64_t least = RS_FOREVER, most = 0;
	uint64_t random = 1;

	(void)state;
	fault.delay_min_ns = MS(100);
	fault.delay_max_ns = MS(200);
	for (int i = 0; i < 1000; i++) {
		int64_t ns =
			rs_fault_next(&rules, &a, RS_FAULTS_ALL, next_random(&random)).delay_ns;

		least = rs_ns_min(least, ns);
		most = rs_ns_max(most, ns);
	}
	assert_true(least >= MS(100) && least < MS(102));
	assert_true(most <= MS(200) && most > MS(198));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(always_unless_told_otherwise),
		cmocka_unit_test(only_what_its_scope_covers),
		cmocka_unit_test(the_first_of_each_target),
		cmocka_unit_test(each_nth_attempt),
		cmocka_unit_test(the_first_that_strikes_counts),
		cmocka_unit_test(one_that_cannot_strike_is_passed_over),
		cmocka_unit_test(as_often_as_the_probability_says),
		cmocka_unit_test(a_seed_repeats),
		cmocka_unit_test(targets_do_not_disturb_each_other),
		cmocka_unit_test(thousands_of_targets),
		cmocka_unit_test(more_targets_than_places),
		cmocka_unit_test(requests_do_not_crowd_targets_out),
		cmocka_unit_test(hosts_are_one_in_any_case),
		cmocka_unit_test(a_fault_keeps_its_count_by_name),
		cmocka_unit_test(sockets_of_the_file_system_are_targets),
		cmocka_unit_test(delays_lie_in_their_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
