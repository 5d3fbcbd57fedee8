/*
 * Faults on purpose with a probability: as many as the arithmetic says, and the same for one seed.
 */
#include "faulty.h"

#define RULES FAULTY_RULES("status = 5xx\nmethod = any\n")

#define FETCHES      "400"
#define FETCH_COUNT  400
#define PROBABILITY  0.3
#define FIVE_SIGMA   46 /* of 400 at 0.3: sqrt(400 * 0.3 * 0.7) is 9.2 */
#define SEEDED(seed) "[retryshim]\nseed = " seed "\nlog = none\n"

static int count_failures(const struct run *run)
{
	int count = 0;

	assert_int_equal(run->out_len, FETCH_COUNT + 1);
	for (const char *at = run->out; *at; at++)
		count += *at == 'x';
	return count;
}

static void failures_are_as_many_as_the_arithmetic_says(void **state)
{
	struct server *server = serve();
	const char *url = server_url(server, "/");
	struct run run = RUN(NO_RULES, "status=503,probability=0.3", helper_path("fetch-many"), url,
			     FETCHES);
	int failures = count_failures(&run);

	(void)state;
	assert_in_range(failures, (int)(PROBABILITY * FETCH_COUNT) - FIVE_SIGMA,
			(int)(PROBABILITY * FETCH_COUNT) + FIVE_SIGMA);
	run_free(&run);
	/* 0.3 to the power of 6, 400 times: 0.3 failures; five or more are not to be seen. */
	run = RUN(RULES, "status=503,probability=0.3", helper_path("fetch-many"), url, FETCHES);
	assert_in_range(count_failures(&run), 0, 4);
	run_free(&run);
	server_stop(server);
}

static void a_seed_makes_it_repeatable(void **state)
{
	struct server *server = serve();
	const char *url = server_url(server, "/");
	const char *fault = "error=timeout,probability=0.5";
	struct run first = RUN(SEEDED("7"), fault, helper_path("fetch-many"), url, FETCHES);
	struct run again = RUN(SEEDED("7"), fault, helper_path("fetch-many"), url, FETCHES);
	struct run other = RUN(SEEDED("8"), fault, helper_path("fetch-many"), url, FETCHES);

	(void)state;
	assert_string_equal(first.out, again.out);
	assert_string_not_equal(first.out, other.out);
	assert_in_range(count_failures(&first), 150, 250);
	run_free(&first);
	run_free(&again);
	run_free(&other);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failures_are_as_many_as_the_arithmetic_says),
		cmocka_unit_test(a_seed_makes_it_repeatable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
