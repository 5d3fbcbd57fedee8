/*
 * Under the shim a program sees what it sees without it: first with nothing failing, then with
 * failures that a retry makes good. What a retry cannot make good is compared with the same failure
 * without the shim.
 */
#include "transparency.h"

#include <string.h>

#include "other_libcurl.h"

static void responses_with_nothing_failing(void **state)
{
	(void)state;
	transparency_check_unfailing(&transparency_responses);
	assert_int_equal(transparency_differing, 0);
}

static void requests_with_nothing_failing(void **state)
{
	(void)state;
	transparency_check_unfailing(&transparency_requests);
	assert_int_equal(transparency_differing, 0);
}

static void callbacks_with_nothing_failing(void **state)
{
	(void)state;
	transparency_check_unfailing(&transparency_callbacks);
	assert_int_equal(transparency_differing, 0);
}

static void responses_after_a_failure(void **state)
{
	(void)state;
	transparency_check_failing(&transparency_responses);
	assert_int_equal(transparency_differing, 0);
}

static void requests_after_a_failure(void **state)
{
	(void)state;
	transparency_check_failing(&transparency_requests);
	assert_int_equal(transparency_differing, 0);
}

static void callbacks_after_a_failure(void **state)
{
	(void)state;
	transparency_check_failing(&transparency_callbacks);
	assert_int_equal(transparency_differing, 0);
}

static void every_way_to_receive(void **state)
{
	(void)state;
	transparency_check_sinks();
	assert_int_equal(transparency_differing, 0);
}

/* Another version's for a callback that did not take its piece. */
static bool change_words(char *image, size_t len)
{
	static const char old[] = "Failure writing output to destination",
			  new[] = "Failure writing output to anywhere...";
	char *found = memmem(image, len, old, sizeof(old));

	if (found)
		memcpy(found, new, sizeof(new));
	return found != NULL;
}

static void words_are_libcurl_s_own(void **state)
{
	const struct reply script = { .body = "object" };
	const char *setting = other_libcurl(change_words);
	struct server *server;
	struct run runs[2];

	(void)state;
	if (!setting)
		skip();
	server = server_start(&script, 1);
	for (int i = 0; i < 2; i++)
		runs[i] = run_program(&(struct program){
			.argv = (const char *const[]){ helper_path("transfer-trace"), "sinks=15",
						       "on=write:short", server_url(server, "/"),
						       NULL },
			.under = i == 0 ? RUN_BARE : RUN_SHIM,
			.rules = rules_file("[rule it]\nstatus = 503\n"),
			.env = (const char *const[]){ setting, NULL },
		});
	assert_contains(runs[0].err, "to anywhere...");
	assert_string_equal(runs[1].err, runs[0].err);
	run_free(&runs[0]);
	run_free(&runs[1]);
	server_stop(server);
}

static void check_driven(const char *how)
{
	transparency_way = (struct transparency_way){ .words = { how } };
	transparency_check_unfailing(&transparency_responses);
	transparency_check_unfailing(&transparency_callbacks);
	transparency_check_failing(&transparency_responses);
	transparency_check_failing(&transparency_requests);
	transparency_check_failing(&transparency_callbacks);
	transparency_way = (struct transparency_way){ .words = { NULL } };
	assert_int_equal(transparency_differing, 0);
}

static void through_the_multi_interface_by_poll(void **state)
{
	(void)state;
	check_driven("multi=1");
}

static void through_the_multi_interface_by_sockets(void **state)
{
	(void)state;
	check_driven("multi=2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(responses_with_nothing_failing, transparency_begin),
		cmocka_unit_test_setup(requests_with_nothing_failing, transparency_begin),
		cmocka_unit_test_setup(callbacks_with_nothing_failing, transparency_begin),
		cmocka_unit_test_setup(every_way_to_receive, transparency_begin),
		cmocka_unit_test_setup(responses_after_a_failure, transparency_begin),
		cmocka_unit_test_setup(requests_after_a_failure, transparency_begin),
		cmocka_unit_test_setup(callbacks_after_a_failure, transparency_begin),
		cmocka_unit_test(words_are_libcurl_s_own),
		cmocka_unit_test_setup(through_the_multi_interface_by_poll, transparency_begin),
		cmocka_unit_test_setup(through_the_multi_interface_by_sockets, transparency_begin),
	};

	return cmocka_run_group_tests(tests, transparency_prepare, transparency_clean_up);
}
