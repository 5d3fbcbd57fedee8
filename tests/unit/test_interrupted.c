/*
 * A signal handler, or another thread, comes in the middle: between the look at a word that is
 * shared and the change of it. Nothing is lost, nothing is paid twice, nobody waits for ever. A
 * timer strikes the loops below until it has surely struck everywhere.
 */
#include "unit.h"

#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "retry/ledger.h"
#include "retry/pacer.h"
#include "retry/quota.h"
#include "retry/target_key.h"
#include "rules/load.h"

#define STRIKES 800
#define LONGEST S(4) /* where the machine has other things to do */

static void (*strike)(void);
static volatile sig_atomic_t strikes;

static void on_alarm(int number)
{
	(void)number;
	strikes++;
	strike();
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return S(now.tv_sec) + now.tv_nsec;
}

/* Run `loop` under the timer until it has struck often; how often the loop ran. */
static int64_t under_fire(void (*each)(void), void (*loop)(void))
{
	const struct itimerval often = { { 0, 100 }, { 0, 100 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = on_alarm };
	int64_t end_ns = now_ns() + LONGEST, rounds = 0;

	strike = each;
	strikes = 0;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	while (strikes < STRIKES && (rounds % 1000 || now_ns() < end_ns)) {
		loop();
		rounds++;
	}
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	signal(SIGALRM, SIG_IGN);
	return rounds;
}

/* ---- the bucket of a process ---- */

static struct rs_bucket bucket;
static const struct rs_quota quota = { "q", INT32_MAX, 1, &bucket, RS_SCOPE_PROCESS };
static volatile int64_t paid;

static void pay_one(void)
{
	if (rs_quota_take(&quota, 1) >= 0)
		paid++;
}

static void pay_two_and_get_one(void)
{
	assert_true(rs_quota_take(&quota, 2) >= 0);
	rs_quota_give(&quota, 1);
}

static void a_quota(void **state)
{
	int64_t rounds;

	(void)state;
	bucket.tokens = INT32_MAX;
	paid = 0;
	rounds = under_fire(pay_one, pay_two_and_get_one);
	assert_int_equal(rs_quota_level(&quota), INT32_MAX - paid - rounds);
}

/* ---- the buckets that processes share ---- */

#define NOW_S 1000u

static struct rs_ledger ledger;
static const struct rs_ledger_bucket deep = { 7, 1000000000 };

static void pay_ledger(void)
{
	if (rs_ledger_take(&ledger, deep, 3, NOW_S) >= 0)
		paid += 3;
}

static void pay_ledger_and_get(void)
{
	assert_true(rs_ledger_take(&ledger, deep, 5, NOW_S) >= 0);
	rs_ledger_give(&ledger, deep, 4, NOW_S);
}

static void a_ledger(void **state)
{
	int64_t rounds;

	(void)state;
	memset(&ledger, 0, sizeof(ledger));
	paid = 0;
	rounds = under_fire(pay_ledger, pay_ledger_and_get);
	assert_int_equal(rs_ledger_level(&ledger, deep, NOW_S), deep.capacity - paid - rounds);
}

/* Of two who want all that is there one gets it. */
static volatile uint32_t clock_s;
static volatile int paid_by_other;
static const struct rs_ledger_bucket shallow = { 9, 100 };

static void take_all(void)
{
	if (rs_ledger_take(&ledger, shallow, 100, clock_s) == 0)
		paid_by_other++;
}

static void want_all(void)
{
	int32_t left;

	paid_by_other = 0;
	clock_s += RS_LEDGER_REST_S;
	left = rs_ledger_take(&ledger, shallow, 100, clock_s);
	assert_int_equal((left == 0) + paid_by_other, 1);
}

static void the_last_tokens(void **state)
{
	(void)state;
	memset(&ledger, 0, sizeof(ledger));
	clock_s = NOW_S;
	assert_int_equal(rs_ledger_take(&ledger, shallow, 100, clock_s), 0);
	under_fire(take_all, want_all);
}

/* Two buckets want the same place at the same time: then they may share it, and pay for each other.
 */
static volatile uint64_t place;
static volatile bool refused;

static struct rs_ledger_bucket fresh(uint64_t whose)
{
	return (struct rs_ledger_bucket){ whose << 40 | place, 100 };
}

static uint32_t later_s(void)
{
	return NOW_S + (uint32_t)(place / RS_LEDGER_SLOTS) * RS_LEDGER_REST_S;
}

static void come_first(void)
{
	struct rs_ledger_bucket other = fresh(1 + (uint64_t)strikes % 2);

	if (rs_ledger_take(&ledger, other, 1, later_s()) < 0)
		refused = true;
}

static void take_a_place(void)
{
	place += 2; /* so that there is room for both */
	assert_in_range(rs_ledger_take(&ledger, fresh(1), 14, later_s()), 0, 86);
	assert_in_range(rs_ledger_level(&ledger, fresh(1), later_s()), 0, 100);
}

static void places_of_a_ledger(void **state)
{
	(void)state;
	memset(&ledger, 0, sizeof(ledger));
	place = 1;
	refused = false;
	under_fire(come_first, take_a_place);
	assert_false(refused);
}

/* Two come to a bucket that has no place yet: it gets one, and both pay from it. */
static volatile uint64_t paid_from;

static struct rs_ledger_bucket newest(void)
{
	return (struct rs_ledger_bucket){ 1ull << 40 | place, 1000000000 };
}

static void pay_newest(void)
{
	if (paid_from != place)
		paid = 0;
	paid_from = place;
	if (rs_ledger_take(&ledger, newest(), 3, later_s()) >= 0)
		paid += 3;
}

static int64_t paid_from_newest(void)
{
	return paid_from == place ? paid : 0;
}

static void pay_from_new(void)
{
	int64_t before;
	int32_t left;

	place++;
	assert_true(rs_ledger_take(&ledger, newest(), 5, later_s()) >= 0);
	do {
		before = paid_from_newest();
		left = rs_ledger_level(&ledger, newest(), later_s());
	} while (paid_from_newest() != before);
	assert_int_equal(left, newest().capacity - 5 - before);
}

static void a_new_bucket(void **state)
{
	(void)state;
	memset(&ledger, 0, sizeof(ledger));
	place = 1;
	paid_from = 0;
	under_fire(pay_newest, pay_from_new);
}

/* When all was at rest the note of it is taken down, and up again by who pays meanwhile. */
static void pay_now(void)
{
	if (rs_ledger_take(&ledger, deep, 1, clock_s) < 0)
		refused = true;
}

static void rest_and_give(void)
{
	clock_s += RS_LEDGER_REST_S;
	assert_true(rs_ledger_take(&ledger, deep, 1, clock_s) >= 0);
	clock_s += RS_LEDGER_REST_S;
	rs_ledger_give(&ledger, deep, 1, clock_s);
	assert_int_equal(rs_ledger_level(&ledger, deep, clock_s + RS_LEDGER_REST_S), deep.capacity);
}

static void a_rest(void **state)
{
	(void)state;
	memset(&ledger, 0, sizeof(ledger));
	clock_s = NOW_S;
	refused = false;
	under_fire(pay_now, rest_and_give);
	assert_false(refused);
}

/* ---- the pace of a target ---- */

static struct rs_pacers pacers;
static const struct rs_target target = { .call = RS_CALL_CURL, .host = { "h", 1 }, .port = 1 };
static struct rs_pacer *own;

static void find_own(void)
{
	memset(&pacers, 0, sizeof(pacers));
	rs_pacer_outcome(&pacers, &target, true, S(1000));
	for (own = pacers.at; atomic_load(&own->key) == 0; own++)
		;
}

/* Another thread holds it for a while, or gives its place to another target. */
static void hold_or_let_go(void)
{
	int64_t free_ns = 0, held_ns = S(1000) | 3;

	if (!atomic_compare_exchange_strong(&own->held_ns, &free_ns, held_ns))
		atomic_compare_exchange_strong(&own->held_ns, &held_ns, 0);
}

static void give_away_or_back(void)
{
	uint64_t key = atomic_load(&own->key);

	atomic_store(&own->key, key == 1 ? rs_target_key(&target) : 1);
}

static void ask_for_the_wait(void)
{
	int64_t wait_ns = rs_pacer_wait_ns(&pacers, &target, S(1000));

	assert_true(wait_ns == 0 || wait_ns == S(2));
}

static void a_pace(void **state)
{
	(void)state;
	find_own();
	under_fire(hold_or_let_go, ask_for_the_wait);
	atomic_store(&own->held_ns, 0);
	under_fire(give_away_or_back, ask_for_the_wait);
	assert_int_equal(atomic_load(&own->held_ns), 0);
}

/* ---- new rules ---- */

static struct rs_quota small = { "q", 100, 1, NULL, RS_SCOPE_PROCESS };

static void pay_from_many(void)
{
	(void)rs_quota_take(&quota, 1);
}

static void keep(void)
{
	const struct rs_rules before = { .quotas = &quota, .quota_count = 1 };
	struct rs_rules rules = { .quotas = &small, .quota_count = 1 };

	bucket.tokens = 1000000;
	rs_rules_keep_levels(&rules, &before);
	assert_true(small.bucket == &bucket);
	assert_in_range(rs_quota_level(&small), 0, 100);
}

static void a_smaller_quota(void **state)
{
	struct rs_bucket other = { 50 };
	const struct rs_quota more[] = { { "r", 100, 1, &other, RS_SCOPE_PROCESS },
					 { "q", 100, 1, &bucket, RS_SCOPE_PROCESS } };
	const struct rs_rules before = { .quotas = more, .quota_count = 2 };
	struct rs_rules rules = { .quotas = &small, .quota_count = 1 };

	(void)state;
	bucket.tokens = 60; /* less than it may hold: kept as it is, and by its name */
	rs_rules_keep_levels(&rules, &before);
	assert_true(small.bucket == &bucket);
	assert_int_equal(rs_quota_level(&small), 60);
	under_fire(pay_from_many, keep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quota),
		cmocka_unit_test(a_ledger),
		cmocka_unit_test(places_of_a_ledger),
		cmocka_unit_test(a_new_bucket),
		cmocka_unit_test(the_last_tokens),
		cmocka_unit_test(a_rest),
		cmocka_unit_test(a_pace),
		cmocka_unit_test(a_smaller_quota),
	};

	return cmocka_run_group_tests_name("interrupted", tests, NULL, NULL);
}
