/*
 * Libraries out of the preload's reach: RTLD_DEEPBIND, and functions fetched with dlsym().
 */
#include "harness.h"
#include "server.h"

#include <stdio.h>
#include <string.h>

#define RULES "[policy default]\nbase = 1ms\njitter = none\n[rule it]\nstatus = 503\n"

static struct server *serve(void)
{
	static const struct reply script[] = {
		{ .path = "/a", .status = 503, .body = "busy", .times = 2 },
		{ .path = "/a", .body = "object a\n" },
		{ .path = "/b", .status = 503, .body = "busy", .times = 2 },
		{ .path = "/b", .body = "object b\n" },
	};

	return server_start(script, sizeof(script) / sizeof(script[0]));
}

/* Debian's PHP opens its extensions with RTLD_DEEPBIND. */
static const char php_easy[] = "foreach (array_slice($argv, 1) as $url) {"
			       "  $c = curl_init($url); curl_setopt($c, CURLOPT_RETURNTRANSFER, 1);"
			       "  echo curl_exec($c); }";
static const char php_multi[] =
	"$m = curl_multi_init(); $all = [];"
	"foreach (array_slice($argv, 1) as $url) {"
	"  $c = curl_init($url); curl_setopt($c, CURLOPT_RETURNTRANSFER, 1);"
	"  curl_multi_add_handle($m, $c); $all[] = $c; }"
	"do { curl_multi_exec($m, $running); curl_multi_select($m); } while ($running);"
	"while ($done = curl_multi_info_read($m)) { if ($done['result']) echo 'failed'; }"
	"foreach ($all as $c) { echo curl_multi_getcontent($c); }";

static void check_php(const char *script)
{
	struct server *server = serve();
	struct run bare = run_words(RUN_BARE, NULL, "php", "-r", script, server_url(server, "/a"));
	struct run run;

	assert_output(bare, "busy");
	server_stop(server);
	server = serve();
	run = run_words(RUN_SHIM, rules_file(RULES), "php", "-r", script, server_url(server, "/a"),
			server_url(server, "/b"));
	assert_exit(run, 0);
	assert_output(run, "object a\nobject b\n");
	assert_int_equal(server_request_count(server), 6);
	run_free(&bare);
	run_free(&run);
	server_stop(server);
}

static void php_is_retried(void **state)
{
	(void)state;
	check_php(php_easy);
}

static void php_multi_is_retried(void **state)
{
	(void)state;
	check_php(php_multi);
}

/* The switch that leaves RTLD_DEEPBIND alone. */
static void deepbind_can_be_kept(void **state)
{
	struct server *server = serve();
	struct run run = run_program(&(struct program){
		.argv = (const char *const[]){ "php", "-r", php_easy, server_url(server, "/a"),
					       NULL },
		.under = RUN_SHIM,
		.rules = rules_file(RULES),
		.env = (const char *const[]){ "RETRYSHIM_KEEP_DEEPBIND=1", NULL },
	});

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "busy");
	run_free(&run);
	server_stop(server);
}

/* Two flavours through ctypes in one process: each function belongs to the libcurl it was fetched
 * from, which the words of its TLS errors tell. */
static const char ctypes_fetch[] =
	"import ctypes, sys\n"
	"def fetch(name, url):\n"
	"    lib = ctypes.CDLL(name)\n"
	"    lib.curl_easy_init.restype = ctypes.c_void_p\n"
	"    lib.curl_easy_init.argtypes = []\n"
	"    easy = lib.curl_easy_init()\n"
	"    text = ctypes.create_string_buffer(256)\n"
	"    def set(option, value): lib.curl_easy_setopt(ctypes.c_void_p(easy), option, value)\n"
	"    set(10002, ctypes.c_char_p(url.encode()))\n"
	"    set(10010, text)\n"
	"    set(10065, ctypes.c_char_p(b'/no/such/file'))\n"
	"    sys.stdout.flush()\n"
	"    lib.curl_easy_perform.argtypes = [ctypes.c_void_p]\n"
	"    lib.curl_easy_perform(easy)\n"
	"    lib.curl_easy_cleanup.argtypes = [ctypes.c_void_p]\n"
	"    lib.curl_easy_cleanup(easy)\n"
	"    ctypes.CDLL(None).fflush(None)\n"
	"    print(text.value.decode().split(':')[0])\n"
	"fetch('libcurl.so.4', sys.argv[1])\n"
	"fetch('libcurl-gnutls.so.4', sys.argv[2])\n";

static void functions_fetched_with_dlsym(void **state)
{
	struct server *server = serve();
	const char *rules = rules_file(RULES);
	struct run run = run_words(RUN_SHIM, rules, "/usr/bin/python3", "-c", ctypes_fetch,
				   server_url(server, "/a"), server_url(server, "/b"));
	char url[64];
	struct run bare;

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "object a\n\nobject b\n\n");
	run_free(&run);
	snprintf(url, sizeof(url), "https://127.0.0.1:%d/", server_port(server));
	run = run_words(RUN_SHIM, rules, "/usr/bin/python3", "-c", ctypes_fetch, url, url);
	bare = run_words(RUN_BARE, NULL, "/usr/bin/python3", "-c", ctypes_fetch, url, url);
	assert_exit(run, 0);
	assert_output(run, bare.out);
	assert_int_equal(count_lines(run.out, "error setting certificate file"), 1);
	run_free(&bare);
	run_free(&run);
	server_stop(server);
}

/* All other look-ups, error texts, RUNPATH and versions are the C library's own. */
static void other_look_ups_are_the_same(void **state)
{
	struct run bare = run_words(RUN_BARE, NULL, helper_path("dl-case"));
	struct run run = run_words(RUN_SHIM, rules_file(RULES), helper_path("dl-case"));

	(void)state;
	assert_exit(bare, 0);
	assert_contains(bare.out, "open libhere.so: yes");
	assert_contains(bare.out, "plugin \"here\": here in libhere.so");
	assert_exit(run, 0);
	assert_output(run, bare.out);
	run_free(&bare);
	run_free(&run);
}

/* Where there is no libcurl the hooks answer with the interface's own errors. */
static void without_any_libcurl(void **state)
{
	static const char program[] = "import ctypes\n"
				      "here = ctypes.CDLL(None)\n"
				      "here.curl_easy_init.restype = ctypes.c_void_p\n"
				      "print(here.curl_easy_init(), here.curl_easy_perform(None),\n"
				      "      here.curl_easy_setopt(None, 10002, None),\n"
				      "      here.curl_multi_perform(None, None))\n";
	struct run run = run_words(RUN_SHIM, rules_file(RULES), "/usr/bin/python3", "-c", program);

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "None 2 2 4\n"); /* CURLE_FAILED_INIT, CURLM_INTERNAL_ERROR */
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(php_is_retried),
		cmocka_unit_test(php_multi_is_retried),
		cmocka_unit_test(deepbind_can_be_kept),
		cmocka_unit_test(functions_fetched_with_dlsym),
		cmocka_unit_test(other_look_ups_are_the_same),
		cmocka_unit_test(without_any_libcurl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
