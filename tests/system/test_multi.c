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
		cmocka_unit_test(pycurl_by_select),
		cmocka_unit_test(pycurl_by_socket_action),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
