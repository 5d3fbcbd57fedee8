#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/counters.h"

#define THREADS 8
#define ROUNDS  5000

static struct rs_counters *counters;
static struct rs_counted lines[RS_COUNTED_MOST];

static int map(void **state)
{
	(void)state;
	counters = mmap(NULL, sizeof(*counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	return counters == MAP_FAILED;
}

static int unmap(void **state)
{
	(void)state;
	return munmap(counters, sizeof(*counters));
}

static void add(enum rs_call call, const char *rule, enum rs_counter counter, uint64_t amount)
{
	struct rs_amounts amounts = { { 0 } };

	amounts.at[counter] = amount;
	rs_counters_add(counters, call, rule, &amounts);
}

static void check_line(size_t i, enum rs_call call, const char *rule, uint64_t calls)
{
	assert_int_equal(lines[i].call, call);
	assert_string_equal(lines[i].rule, rule);
	assert_int_equal(lines[i].amounts.at[RS_COUNT_CALLS], calls);
}

static void sums_per_call_and_rule(void **state)
{
	(void)state;
	assert_int_equal(rs_counters_read(counters, lines), 0);
	add(RS_CALL_CONNECT, "busy", RS_COUNT_CALLS, 1);
	add(RS_CALL_CURL, "busy", RS_COUNT_CALLS, 2);
	add(RS_CALL_CURL, "", RS_COUNT_CALLS, 3);
	add(RS_CALL_CURL, "alpha", RS_COUNT_CALLS, 4);
	add(RS_CALL_CURL, "busy", RS_COUNT_CALLS, 5);
	add(RS_CALL_CURL, "busy", RS_COUNT_WAIT_NS, 77);
	assert_int_equal(rs_counters_read(counters, lines), 4);
	check_line(0, RS_CALL_CURL, "", 3);
	check_line(1, RS_CALL_CURL, "alpha", 4);
	check_line(2, RS_CALL_CURL, "busy", 7);
	assert_int_equal(lines[2].amounts.at[RS_COUNT_WAIT_NS], 77);
	assert_int_equal(lines[2].amounts.at[RS_COUNT_RETRIES], 0);
	check_line(3, RS_CALL_CONNECT, "busy", 1);
}

static void long_names_are_cut_alike(void **state)
{
	char name[RS_RULE_NAME_SIZE + 50];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	add(RS_CALL_CURL, name, RS_COUNT_CALLS, 1);
	add(RS_CALL_CURL, name, RS_COUNT_CALLS, 1);
	assert_int_equal(rs_counters_read(counters, lines), 1);
	assert_int_equal(strlen(lines[0].rule), RS_RULE_NAME_SIZE - 1);
	assert_int_equal(lines[0].amounts.at[RS_COUNT_CALLS], 2);
}

/* Nothing is lost when there are more than places. */
static void a_crowd_is_counted_together(void **state)
{
	uint64_t sum = 0, others = 0;
	size_t count;

	(void)state;
	for (int i = 0; i < 3 * RS_COUNTERS_SLOTS; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "rule-%d", i);
		add(RS_CALL_CURL, name, RS_COUNT_CALLS, 1);
	}
	count = rs_counters_read(counters, lines);
	assert_true(count > RS_COUNTERS_SLOTS * 9 / 10 && count <= RS_COUNTED_MOST);
	for (size_t i = 0; i < count; i++) {
		sum += lines[i].amounts.at[RS_COUNT_CALLS];
		if (strcmp(lines[i].rule, RS_OTHER_RULES) == 0)
			others = lines[i].amounts.at[RS_COUNT_CALLS];
	}
	assert_int_equal(sum, 3 * RS_COUNTERS_SLOTS);
	assert_true(others >= 2 * RS_COUNTERS_SLOTS);
}

/* A process was killed after it took a place, or inside the name. */
static void half_a_name_is_completed(void **state)
{
	struct rs_counters_slot *slot = counters->slots;

	(void)state;
	add(RS_CALL_CURL, "a-rule-with-a-long-name", RS_COUNT_CALLS, 1);
	while (atomic_load(&slot->key) == 0)
		slot++;
	atomic_store(&slot->name[0], 0);
	assert_int_equal(rs_counters_read(counters, lines), 0);
	add(RS_CALL_CURL, "a-rule-with-a-long-name", RS_COUNT_CALLS, 1);
	assert_int_equal(rs_counters_read(counters, lines), 1);
	check_line(0, RS_CALL_CURL, "a-rule-with-a-long-name", 2);
}

static void any_bytes_are_safe(void **state)
{
	uint64_t random = 7;

	(void)state;
	for (int round = 0; round < 20; round++) {
		uint64_t *words = (uint64_t *)(void *)counters;

		for (size_t i = 0; i < sizeof(*counters) / sizeof(*words); i++)
			words[i] = next_random(&random);
		add(RS_CALL_CURL, "busy", RS_COUNT_CALLS, 1);
		assert_true(rs_counters_read(counters, lines) <= RS_COUNTED_MOST);
	}
}

static void put(size_t place, const struct rs_counters_slot *slot)
{
	memcpy((void *)&counters->slots[place], (const void *)slot, sizeof(*slot));
}

/* A file may be anybody's making: what is printed of it goes to a terminal, and to machines. */
static void no_rule_has_such_a_name(void **state)
{
	struct rs_counters_slot slot = { 0 };

	(void)state;
	add(RS_CALL_CURL, "good.Name_1-x", RS_COUNT_CALLS, 1);
	add(RS_CALL_CURL, "\033[2J", RS_COUNT_CALLS, 1);
	add(RS_CALL_CURL, "two words", RS_COUNT_CALLS, 1);
	add(RS_CALL_CURL, "caf\351", RS_COUNT_CALLS, 1);
	add(RS_CALL_CURL, RS_OTHER_RULES, RS_COUNT_CALLS, 1);
	assert_int_equal(rs_counters_read(counters, lines), 1);
	check_line(0, RS_CALL_CURL, "good.Name_1-x", 1);
	for (size_t i = 0; i < RS_COUNTERS_SLOTS; i++) {
		if (memcmp((void *)counters->slots[i].name, "good", 4) == 0)
			memcpy((void *)&slot, (void *)&counters->slots[i], sizeof(slot));
	}
	for (size_t place = 0; place < 10; place++)
		put(place, &slot);
	assert_int_equal(rs_counters_read(counters, lines), 1);
	check_line(0, RS_CALL_CURL, "good.Name_1-x", 1);
}

static void *count_some(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "rule-number-%d", i % 7);
		add(RS_CALL_CURL, name, RS_COUNT_CALLS, 1);
	}
	return NULL;
}

static void threads_lose_nothing(void **state)
{
	pthread_t threads[THREADS];
	uint64_t sum = 0;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_some, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(rs_counters_read(counters, lines), 7);
	for (size_t i = 0; i < 7; i++)
		sum += lines[i].amounts.at[RS_COUNT_CALLS];
	assert_int_equal(sum, THREADS * ROUNDS);
}

/* Killed anywhere: what the others count is there, under whole names. */
static void killed_processes_spoil_nothing(void **state)
{
	enum { CHILDREN = 10 };
	pid_t children[CHILDREN];
	uint64_t sum = 0;
	size_t count;

	(void)state;
	for (int i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			count_some(NULL);
			_exit(0);
		}
		if (i % 2)
			kill(children[i], SIGKILL);
	}
	for (int i = 0; i < CHILDREN; i++)
		assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
	count = rs_counters_read(counters, lines);
	assert_int_equal(count, 7);
	for (size_t i = 0; i < count; i++) {
		assert_memory_equal(lines[i].rule, "rule-number-", 12);
		sum += lines[i].amounts.at[RS_COUNT_CALLS];
	}
	assert_in_range(sum, CHILDREN / 2 * ROUNDS, CHILDREN * ROUNDS);
}

#define MAPPED(test) cmocka_unit_test_setup_teardown(test, map, unmap)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MAPPED(sums_per_call_and_rule),      MAPPED(long_names_are_cut_alike),
		MAPPED(a_crowd_is_counted_together), MAPPED(half_a_name_is_completed),
		MAPPED(any_bytes_are_safe),          MAPPED(no_rule_has_such_a_name),
		MAPPED(threads_lose_nothing),        MAPPED(killed_processes_spoil_nothing),
	};

	return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}
