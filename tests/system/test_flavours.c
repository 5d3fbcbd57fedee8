/*
 * Each caller gets the libcurl that it was linked with.
 */
#include "harness.h"
#include "server.h"

#include <stdio.h>
#include <string.h>

#define RULES "[policy default]\nbase = 1ms\njitter = none\n[rule it]\nstatus = 503\n"

static struct server *serve(void)
{
	static const struct reply script[] = {
		{ .path = "/twice", .status = 503, .body = "busy\n", .times = 2 },
		{ .path = "/twice", .body = "object\n" },
		{ .path = "/in-turn", .status = 503, .body = "busy\n" },
		{ .path = "/in-turn", .body = "object\n" },
		{ .path = "/in-turn", .status = 503, .body = "busy\n" },
		{ .path = "/in-turn", .body = "object\n" },
		{ .path = "/in-turn", .status = 503, .body = "busy\n" },
		{ .path = "/in-turn", .body = "object\n" },
	};

	return server_start(script, sizeof(script) / sizeof(script[0]));
}

/* Debian's pycurl is linked with the GnuTLS flavour, which python loads RTLD_LOCAL. */
static const char pycurl_fetch[] =
	"import io, pycurl, sys\n"
	"out = io.BytesIO()\n"
	"c = pycurl.Curl()\n"
	"c.setopt(c.URL, sys.argv[1])\n"
	"c.setopt(c.WRITEDATA, out)\n"
	"c.perform()\n"
	"print(c.getinfo(c.RESPONSE_CODE), out.getvalue().decode(), end='')\n"
	"print('GnuTLS' in pycurl.version)\n";

static void pycurl_is_retried(void **state)
{
	struct server *server = serve();
	struct run run = run_words(RUN_SHIM, rules_file(RULES), "/usr/bin/python3", "-c",
				   pycurl_fetch, server_url(server, "/twice"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "200 object\nTrue\n");
	assert_int_equal(server_request_count(server), 3);
	run_free(&run);
	server_stop(server);
}

static void both_flavours_in_one_process(void **state)
{
	struct server *server = serve();
	struct run run = run_words(RUN_SHIM, rules_file(RULES), helper_path("two-flavours"),
				   helper_path("plugin-gnutls.so"), server_url(server, "/in-turn"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "OpenSSL: object\nGnuTLS: object\nOpenSSL: object\n");
	assert_int_equal(server_request_count(server), 6);
	run_free(&run);
	server_stop(server);
}

/* A library that is loaded where another one was is not taken for that one. */
static void plugins_that_come_and_go(void **state)
{
	const char *openssl = helper_path("plugin-flavour-openssl.so");
	const char *gnutls = helper_path("plugin-flavour-gnutls.so");
	struct run run = run_words(RUN_SHIM, rules_file(RULES), helper_path("reloading"), openssl,
				   gnutls, openssl, gnutls);

	(void)state;
	if (run.status == 3)
		skip();
	assert_exit(run, 0);
	assert_output(run, "right\nright\nright\nright\n");
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pycurl_is_retried),
		cmocka_unit_test(both_flavours_in_one_process),
		cmocka_unit_test(plugins_that_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
