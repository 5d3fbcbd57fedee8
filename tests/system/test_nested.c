/*
 * Calls inside of calls: what a transfer needs is not retried by itself, what the program does in
 * its callbacks is.
 */
#include "harness.h"
#include "server.h"

#include <stdio.h>
#include <string.h>

#define RULES                                                                                      \
	"[policy default]\nmax_attempts = 3\nbase = 1ms\njitter = none\n"                          \
	"[rule transfers]\ncall = curl\nerror = any\n"                                             \
	"[rule connects]\ncall = connect\nerror = refused\n"                                       \
	"[rule look-ups]\ncall = resolve\nerror = any\n"

/* Look-ups are made by a library below the shim, which connects to a closed port first. */
static struct run under_lookups(const char *lookups, const char *const *argv)
{
	char preload[1024], script[64];
	const char *const env[] = { preload, script, "LOOKUPS_CONNECT=1", NULL };

	(void)snprintf(preload, sizeof(preload), "LD_PRELOAD=%s %s", library_path(),
		       helper_path("plugin-lookups.so"));
	(void)snprintf(script, sizeof(script), "LOOKUPS=%s", lookups);
	return run_program(&(struct program){ .argv = argv,
					      .under = RUN_SHIM,
					      .rules = rules_file(RULES),
					      .options = "log_level=info",
					      .env = env });
}

static struct run get_by_name(const struct server *server, const char *lookups)
{
	char url[64];
	const char *const argv[] = { "curl", "-sS", url, NULL };

	(void)snprintf(url, sizeof(url), "http://some.test:%d/", server_port(server));
	return under_lookups(lookups, argv);
}

/* The program's own look-up, to compare: there it is a connect() like any other. */
static void a_look_up_s_connect_is_retried(void **state)
{
	const char *const argv[] = { helper_path("lookup"), "getaddrinfo", NULL };
	struct run run = under_lookups("EAI_AGAIN:0", argv);

	(void)state;
	assert_exit(run, 0);
	assert_int_equal(count_lines(run.err, "event=retry rule=connects"), 2);
	run_free(&run);
}

static void a_transfer_s_is_not(void **state)
{
	const struct reply script[] = { { .body = "here", .times = 9 } };
	struct server *server = server_start(script, 1);
	struct run run = get_by_name(server, "EAI_AGAIN:0");

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "here");
	assert_lacks(run.err, "retryshim:");
	run_free(&run);
	server_stop(server);
}

/* Three attempts of the transfer, one look-up and one connect in each. */
static void nor_is_its_look_up(void **state)
{
	const struct reply script[] = { { .body = "here", .times = 9 } };
	struct server *server = server_start(script, 1);
	struct run run = get_by_name(server, "EAI_AGAIN:2");

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "here");
	assert_int_equal(count_lines(run.err, "event=retry rule=transfers"), 2);
	assert_int_equal(count_lines(run.err, "event=recovered rule=transfers"), 1);
	assert_int_equal(count_lines(run.err, "retryshim:"), 3);
	run_free(&run);
	server_stop(server);
}

/* A script that gets "here" from the URL that is its argument, and ends well. */
static struct run run_python(const char *script, const char *output)
{
	const struct reply replies[] = { { .body = "here" } };
	struct server *server = server_start(replies, 1);
	const char *const argv[] = { "/usr/bin/python3", "-c", script, server_url(server, "/"),
				     NULL };
	struct run run = run_program(&(struct program){ .argv = argv,
							.under = RUN_SHIM,
							.rules = rules_file(RULES),
							.options = "log_level=info" });

	server_stop(server);
	assert_exit(run, 0);
	assert_output(run, output);
	return run;
}

/* libcurl asks for a socket to connect: what is done then is part of the transfer. */
static const char for_a_socket[] = "import pycurl, socket, sys\n"
				   "def opened(purpose, address):\n"
				   "    socket.socket().connect_ex(('127.0.0.1', 1))\n"
				   "    return socket.socket(*address[:3])\n"
				   "c = pycurl.Curl()\n"
				   "c.setopt(c.URL, sys.argv[1])\n"
				   "c.setopt(c.OPENSOCKETFUNCTION, opened)\n"
				   "c.perform()\n";

static void nor_is_what_its_socket_takes(void **state)
{
	struct run run = run_python(for_a_socket, "here");

	(void)state;
	assert_lacks(run.err, "rule=connects");
	assert_lacks(run.err, "rule=transfers");
	run_free(&run);
}

static const char in_a_callback[] =
	"import pycurl, socket, sys\n"
	"def got(data):\n"
	"    s = socket.socket()\n"
	"    print(data.decode(), s.connect_ex(('127.0.0.1', 1)) != 0)\n"
	"c = pycurl.Curl()\n"
	"c.setopt(c.URL, sys.argv[1])\n"
	"c.setopt(c.WRITEFUNCTION, got)\n"
	"c.perform()\n";

static void a_callback_s_connect_is_the_programs(void **state)
{
	struct run run = run_python(in_a_callback, "here True\n");

	(void)state;
	assert_int_equal(count_lines(run.err, "event=retry rule=connects"), 2);
	assert_int_equal(count_lines(run.err, "event=exhausted rule=connects"), 1);
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_look_up_s_connect_is_retried),
		cmocka_unit_test(a_transfer_s_is_not),
		cmocka_unit_test(nor_is_its_look_up),
		cmocka_unit_test(nor_is_what_its_socket_takes),
		cmocka_unit_test(a_callback_s_connect_is_the_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
