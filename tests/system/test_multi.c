/*
 * The multi interface: transfers that fail retryably look like slow ones, however they are driven.
 */
#include "harness.h"
#include "server.h"

#include <stdlib.h>
#include <string.h>

#define RULES                                                                                      \
	"[policy default]\nmax_attempts = 4\nbase = 100ms\nbackoff = constant\njitter = none\n"    \
	"[rule it]\nstatus = 503\nerror = refused, reset\n"

/* Two busy answers, then an object, at each of three paths. */
static struct server *serve(void)
{
	static const struct reply script[] = {
		{ .path = "/a", .status = 503, .body = "busy", .times = 2 },
		{ .path = "/a", .body = "object a\n" },
		{ .path = "/b", .ending = REPLY_RESET, .part = REPLY_START, .times = 2 },
		{ .path = "/b", .body = "object b\n" },
		{ .path = "/c", .body = "object c\n" },
	};

	return server_start(script, sizeof(script) / sizeof(script[0]));
}

static void curl_in_parallel(void **state)
{
	const char *a = temp_path("out-a"), *b = temp_path("out-b"), *c = temp_path("out-c");
	struct server *server = serve();
	struct run run = run_words(RUN_SHIM, rules_file(RULES), "curl", "-sSZ", "-o", a,
				   server_url(server, "/a"), "-o", b, server_url(server, "/b"),
				   "-o", c, server_url(server, "/c"));
	size_t len;
	char *text;

	(void)state;
	assert_exit(run, 0);
	text = read_file(a, &len);
	assert_string_equal(text, "object a\n");
	free(text);
	text = read_file(b, &len);
	assert_string_equal(text, "object b\n");
	free(text);
	text = read_file(c, &len);
	assert_string_equal(text, "object c\n");
	free(text);
	assert_int_equal(server_request_count(server), 7);
	run_free(&run);
	server_stop(server);
}

/* curl -Z: a download that breaks off, an upload, one that is over the limit of attempts. */
static void curl_in_parallel_with_all_sorts(void **state)
{
	static const char rules[] =
		"[retryshim]\nlog = none\n[policy default]\nmax_attempts = 3\nbase = 20ms\n"
		"jitter = none\n[rule it]\nstatus = 500-599\nerror = reset, partial\n";
	char *object = noise(200000, 5), *sent = noise(50000, 6);
	const char *file = temp_file("sent", sent, 50000), *into = temp_path("whole");
	const struct reply script[] = {
		{ .path = "/cut",
		  .headers = "ETag: \"e\"\r\n",
		  .body = object,
		  .body_len = 200000,
		  .ending = REPLY_CUT,
		  .part = REPLY_BODY,
		  .after = 70000 },
		{ .path = "/cut", .status = 500 },
		{ .path = "/cut",
		  .status = 206,
		  .headers = "ETag: \"e\"\r\nContent-Range: bytes 70000-199999/200000\r\n",
		  .body = object + 70000,
		  .body_len = 130000 },
		{ .path = "/up", .status = 503, .times = 2 },
		{ .path = "/up", .body = "thanks" },
		{ .path = "/never", .status = 500, .body = "never" },
	};
	struct server *server = server_start(script, sizeof(script) / sizeof(script[0]));
	struct run run = run_words(RUN_SHIM, rules_file(rules), "curl", "-sSZf", "-o", into,
				   server_url(server, "/cut"), "-o", temp_path("a"),
				   server_url(server, "/never"), "--next", "-sSf", "-T", file,
				   server_url(server, "/up"));
	size_t len;
	char *got = read_file(into, &len);

	(void)state;
	assert_bytes(got, len, object, 200000);
	assert_output(run, "thanks");
	assert_contains(run.err, "error: 500");
	assert_int_equal(server_request_count(server), 9);
	for (size_t i = 0; i < 9; i++) {
		const struct request *request = server_request(server, i);

		if (strcmp(request->method, "PUT") == 0)
			assert_bytes(request->body, request->body_len, sent, 50000);
	}
	free(got);
	free(object);
	free(sent);
	run_free(&run);
	server_stop(server);
}

/* Debian's PHP opens its curl with RTLD_DEEPBIND. */
static void php_multi(void **state)
{
	static const char program[] =
		"$m = curl_multi_init(); $all = [];"
		"foreach (array_slice($argv, 1) as $url) { $c = curl_init($url);"
		"  curl_setopt($c, CURLOPT_RETURNTRANSFER, true);"
		"  curl_multi_add_handle($m, $c); $all[] = $c; }"
		"$wakes = 0;"
		"do { curl_multi_exec($m, $running); if ($running) curl_multi_select($m, 1);"
		"  $wakes++; } while ($running);"
		"foreach ($all as $c) { echo curl_getinfo($c, CURLINFO_RESPONSE_CODE), ' ',"
		"  curl_multi_getcontent($c); curl_multi_remove_handle($m, $c); }"
		"echo $wakes > 200 ? 'spins' : 'calm';";
	struct server *server = serve();
	struct run run = run_words(RUN_BARE, NULL, "php", "-r", program, "--",
				   server_url(server, "/a"), server_url(server, "/b"));

	(void)state;
	assert_exit(run, 0);
	assert_lacks(run.out, "object");
	run_free(&run);
	server_stop(server);
	server = serve();
	run = run_words(RUN_SHIM, rules_file(RULES), "php", "-r", program, "--",
			server_url(server, "/a"), server_url(server, "/b"));
	assert_exit(run, 0);
	assert_output(run, "200 object a\n200 object b\ncalm");
	run_free(&run);
	server_stop(server);
}

#define PYTHON_HEAD                                                                                \
	"import io, pycurl, select, sys, time\n"                                                   \
	"m = pycurl.CurlMulti(); outs = {}; wakes = 0\n"                                           \
	"for url in sys.argv[1:]:\n"                                                               \
	"    c = pycurl.Curl(); out = io.BytesIO(); outs[c] = (url, out)\n"                        \
	"    c.setopt(c.URL, url); c.setopt(c.WRITEDATA, out)\n"

#define PYTHON_TAIL                                                                                \
	"for c, (url, out) in sorted(outs.items(), key=lambda item: item[1][0]):\n"                \
	"    print(c.getinfo(c.RESPONSE_CODE), out.getvalue().decode(), end='')\n"                 \
	"print(m.info_read()[1:])\n"                                                               \
	"for c in outs: m.remove_handle(c); c.close()\n"                                           \
	"m.close()\n"                                                                              \
	"print('spins' if wakes > 100 else 'calm')\n"

static const char by_select[] = PYTHON_HEAD "    m.add_handle(c)\n"
					    "running = 1\n"
					    "while running:\n"
					    "    wakes += 1\n"
					    "    ret, running = m.perform()\n"
					    "    if running and m.select(1.0) == -1:\n"
					    "        time.sleep(m.timeout() / 1000)\n" PYTHON_TAIL;

static const char by_sockets[] = PYTHON_HEAD
	"timer = None; poll = select.epoll()\n"
	"def on_timer(ms):\n"
	"    global timer\n"
	"    timer = None if ms < 0 else time.monotonic() + ms / 1000\n"
	"def on_socket(what, fd, multi, data):\n"
	"    try: poll.unregister(fd)\n"
	"    except (OSError, ValueError): pass\n"
	"    if what in (1, 2, 3): poll.register(fd, {1: 1, 2: 4, 3: 5}[what])\n"
	"m.setopt(pycurl.M_TIMERFUNCTION, on_timer)\n"
	"m.setopt(pycurl.M_SOCKETFUNCTION, on_socket)\n"
	"for c in outs: m.add_handle(c)\n"
	"running = 1\n"
	"while running:\n"
	"    wakes += 1\n"
	"    left = 5 if timer is None else max(0, timer - time.monotonic())\n"
	"    events = poll.poll(left)\n"
	"    for fd, ev in events:\n"
	"        ret, running = m.socket_action(fd, (1 if ev & 1 else 0) | (2 if ev & 4 else 0))\n"
	"    if not events:\n"
	"        timer = None\n"
	"        ret, running = m.socket_action(pycurl.SOCKET_TIMEOUT, 0)\n" PYTHON_TAIL;

static void check_pycurl(const char *program)
{
	struct server *server = serve();
	struct run run = run_words(RUN_SHIM, rules_file(RULES), "/usr/bin/python3", "-c", program,
				   server_url(server, "/a"), server_url(server, "/b"),
				   server_url(server, "/c"));

	assert_exit(run, 0);
	assert_contains(run.out, "200 object a\n200 object b\n200 object c\n(");
	assert_contains(run.out, "], [])\n"); /* none failed */
	assert_contains(run.out, "calm\n");
	assert_int_equal(server_request_count(server), 7);
	run_free(&run);
	server_stop(server);
}

static void pycurl_by_select(void **state)
{
	(void)state;
	check_pycurl(by_select);
}

static void pycurl_by_socket_action(void **state)
{
	(void)state;
	check_pycurl(by_sockets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(curl_in_parallel),
		cmocka_unit_test(curl_in_parallel_with_all_sorts),
		cmocka_unit_test(php_multi),
		cmocka_unit_test(pycurl_by_select),
		cmocka_unit_test(pycurl_by_socket_action),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
