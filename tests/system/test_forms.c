/*
 * Forms of the old kind: those that can be read again are sent again, and no others; also where
 * libcurl was built so that it does not come by the library when it calls itself.
 */
#include "harness.h"
#include "other_libcurl.h"
#include "server.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#define RULES                                                                                      \
	"[policy default]\nbase = 1ms\njitter = none\n"                                            \
	"[rule it]\nstatus = 503\nmethod = any\n"

static const char *rules, *file, *two_files, *file_and_pipe, *bound;

/* As -Bsymbolic would have it. */
static bool bind_to_itself(char *image, size_t len)
{
	(void)len;
	return other_libcurl_add_flags(image, DF_SYMBOLIC);
}

static int prepare(void **state)
{
	static char two[8200], mixed[8200];

	(void)state;
	rules = rules_file(RULES);
	file = temp_file("file", "as often as you like", 20);
	(void)snprintf(two, sizeof(two), "%s,%s", file, file);
	(void)snprintf(mixed, sizeof(mixed), "%s,pipe", file);
	two_files = two;
	file_and_pipe = mixed;
	bound = other_libcurl(bind_to_itself);
	return 0;
}

/* Send it to a server that is busy at first, with one libcurl and with the other. */
static void check_form(const char *first, const char *second, bool again)
{
	const struct reply script[] = { { .status = 503, .body = "busy" }, { .body = "done" } };

	for (int way = 0; way < (bound ? 2 : 1); way++) {
		struct server *server = server_start(script, 2);
		const char *const argv[] = { helper_path("form"), server_url(server, "/"), first,
					     second, NULL };
		struct run run = run_program(&(struct program){
			.argv = argv,
			.under = RUN_SHIM,
			.rules = rules,
			.env = way == 0 ? NULL : (const char *const[]){ bound, NULL } });
		size_t count;
		const struct request *const *requests = server_requests(server, &count);

		assert_exit(run, 0);
		assert_output(run, again ? "done" : "busy");
		assert_int_equal(count, again ? 2 : 1);
		if (again) /* but for the boundary, which is a new one */
			assert_int_equal(requests[1]->body_len, requests[0]->body_len);
		else
			assert_contains(run.err, "reason=not_replayable");
		run_free(&run);
		server_stop(server);
	}
}

static void files_are_sent_again(void **state)
{
	(void)state;
	check_form(file, NULL, true);
	check_form(two_files, file, true);
}

static void what_can_be_read_once_is_not(void **state)
{
	(void)state;
	check_form("callback", NULL, false);
	check_form("pipe", NULL, false);
	check_form(file, "callback", false);
	check_form(file_and_pipe, NULL, false);
}

static void libcurl_can_be_bound_to_itself(void **state)
{
	(void)state;
	if (!bound)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libcurl_can_be_bound_to_itself),
		cmocka_unit_test(files_are_sent_again),
		cmocka_unit_test(what_can_be_read_once_is_not),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
