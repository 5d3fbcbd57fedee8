/*
 * Handles in all walks of life; and waits that leave the program its say.
 */
#include "harness.h"
#include "server.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS    20000
#define POLICY "[policy default]\nmax_attempts = 4\njitter = none\nquota = none\n"
#define QUICK  POLICY "base = 1ms\n[rule it]\nstatus = 503\n"
#define HERE   QUICK "host = 127.0.0.1\n"
#define FAULT  QUICK "[fault f]\nstatus = 503\nbody = fault\nfirst = 1\n"
#define SLOW   POLICY "base = 1s\n[rule it]\nstatus = 503\n"

static atomic_int asked[IDS];

/* /fail/N/ID fails N times. */
static void decide(const struct request *request, struct reply *reply, char *room, void *arg)
{
	bool known = strncmp(request->target, "/fail/", 6) == 0;
	long times = 0, id = -1;
	char *at;

	(void)arg;
	if (known)
		times = strtol(request->target + 6, &at, 10);
	if (known && *at == '/')
		id = strtol(at + 1, NULL, 10);
	if (id < 0 || id >= IDS) {
		reply->status = 404;
		return;
	}
	reply->status = atomic_fetch_add(&asked[id], 1) < times ? 503 : 200;
	reply->headers = "Set-Cookie: a=b\r\n";
	(void)snprintf(room, DECIDE_ROOM, "object %ld", id);
	reply->body = reply->status == 200 ? room : "busy";
}

static struct server *serve(void)
{
	for (size_t i = 0; i < IDS; i++)
		asked[i] = 0;
	return server_start_with(&(struct server_options){ .decide = decide }, NULL, 0);
}

static void check_case(const char *name, const char *rules)
{
	struct server *server = serve();
	struct run run = run_words(RUN_SHIM, rules_file(rules), helper_path("handles"), name,
				   server_url(server, ""));

	assert_exit(run, 0);
	assert_output(run, "");
	run_free(&run);
	server_stop(server);
}

#define CASE(function, name, rules)                                                                \
	static void function(void **state)                                                         \
	{                                                                                          \
		(void)state;                                                                       \
		check_case(name, rules);                                                           \
	}

CASE(copies_are_guarded_too, "copies", QUICK)
CASE(reset_is_a_new_beginning, "reset", QUICK)
CASE(a_new_handle_is_new, "again", QUICK)
CASE(urls_are_libcurls_copies, "urls", QUICK)
CASE(curlu_handles_go_first, "curlu", HERE)
CASE(curlu_handles_are_known_from_the_beginning, "curlu", HERE "connect_timeout = 5s\n")
CASE(unseen_handles_work, "unseen", QUICK)
CASE(handles_that_went_unseen, "gone", QUICK)
CASE(a_waiting_handle_that_went_unseen, "lost", SLOW)
CASE(a_transfer_left_by_longjmp, "left", QUICK)
CASE(one_handle_in_many_threads_in_turn, "turns", QUICK)
CASE(share_objects, "share", QUICK)
CASE(thousands_at_once, "many", QUICK)
CASE(coming_and_going_in_threads, "coming", QUICK)
CASE(fork_with_live_handles, "fork", QUICK)
CASE(a_transfer_inside_a_callback, "nested", QUICK)
CASE(what_attempts_set_is_gone_after, "behind", QUICK)
CASE(callbacks_that_change, "callbacks", QUICK)
CASE(a_pause_that_ends_inside_another_transfer, "pauses", QUICK)
CASE(waits_are_cancelled_by_the_progress_callback, "cancel", SLOW)
CASE(a_wait_is_paused, "halting", SLOW)
CASE(other_threads_go_on_during_a_wait, "going-on", SLOW)
CASE(another_url_in_the_middle, "moving-on", FAULT)

/* A sanitizer takes what such a thread has left behind on its stack for in use. */
static void threads_that_end_in_the_middle(void **state)
{
	(void)state;
	if (getenv("RS_PRELOAD_FIRST"))
		skip();
	check_case("cut-off", SLOW);
}

/* Foreign code leaks; reads and writes out of place would be ours. */
static void under_valgrind(void **state)
{
	static const char *const names[] = { "copies", "reset", "again", "urls",
					     "nested", "turns", "curlu", "left" };

	(void)state;
	if (getenv("RS_PRELOAD_FIRST"))
		skip();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct server *server = serve();
		struct run run = run_words(RUN_SHIM, rules_file(QUICK), "valgrind", "-q",
					   "--error-exitcode=9", helper_path("handles"), names[i],
					   server_url(server, ""));

		assert_exit(run, 0);
		assert_output(run, "");
		assert_string_equal(run.err, "");
		run_free(&run);
		server_stop(server);
	}
}

/* A language binding with every callback that it knows. */
static const char pycurl_script[] =
	"import pycurl, sys, hashlib\n"
	"url, out = sys.argv[1], []\n"
	"body, up = hashlib.sha256(), [b'u' * 50000]\n"
	"def header(line): out.append(('header', line))\n"
	"def write(data): body.update(data)\n"
	"def read(size):\n"
	"    data, up[0] = up[0][:size], up[0][size:]\n"
	"    return data\n"
	"def seek(offset, origin):\n"
	"    up[0] = b'u' * (50000 - offset)\n"
	"    return pycurl.SEEKFUNC_OK\n"
	"def progress(dt, dn, ut, un): last[:] = [dt, dn]; return 0\n"
	"last = []\n"
	"def sockopt(fd, purpose): return pycurl.SOCKOPT_OK\n"
	"for upload in (False, True, False):\n"
	"    c = pycurl.Curl()\n"
	"    c.setopt(c.URL, url)\n"
	"    c.setopt(c.HEADERFUNCTION, header)\n"
	"    c.setopt(c.WRITEFUNCTION, write)\n"
	"    c.setopt(c.NOPROGRESS, 0)\n"
	"    c.setopt(c.XFERINFOFUNCTION, progress)\n"
	"    c.setopt(c.SOCKOPTFUNCTION, sockopt)\n"
	"    if upload:\n"
	"        c.setopt(c.UPLOAD, 1)\n"
	"        c.setopt(c.INFILESIZE, 50000)\n"
	"        c.setopt(c.HTTPHEADER, ['Expect:'])\n"
	"        c.setopt(c.READFUNCTION, read)\n"
	"        c.setopt(c.SEEKFUNCTION, seek)\n"
	"    c.perform()\n"
	"    out.append((c.getinfo(c.RESPONSE_CODE), c.getinfo(c.SIZE_DOWNLOAD), last,\n"
	"                c.getinfo(c.HEADER_SIZE), c.errstr(), body.hexdigest()))\n"
	"    d = c.duphandle()\n"
	"    c.close()\n"
	"    d.close()\n"
	"print(out)\n";

static void pycurl_with_every_callback(void **state)
{
	char *object = noise(200000, 9);
	const struct reply good = {
		.headers = "ETag: \"v1\"\r\n", .body = object, .body_len = 200000, .times = 9
	};
	const struct reply busy = { .status = 503, .body = "busy" };
	struct reply cut = good;
	struct run bare, run;
	struct server *server;

	(void)state;
	cut.times = 1;
	cut.ending = REPLY_CUT;
	cut.after = 0;
	server = server_start(&good, 1);
	bare = run_words(RUN_BARE, NULL, "/usr/bin/python3", "-c", pycurl_script,
			 server_url(server, "/o"));
	server_stop(server);
	assert_exit(bare, 0);
	server = server_start((const struct reply[]){ busy, busy, cut, good }, 4);
	run = run_words(RUN_SHIM,
			rules_file(POLICY "base = 1ms\n[rule it]\nstatus = 503\n"
					  "error = partial, CURLE_GOT_NOTHING, reset\n"),
			"/usr/bin/python3", "-c", pycurl_script, server_url(server, "/o"));
	assert_exit(run, 0);
	assert_string_equal(run.out, bare.out);
	assert_string_equal(run.err, "");
	assert_int_equal(server_request_count(server), 6);
	run_free(&run);
	run_free(&bare);
	server_stop(server);
	free(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_are_guarded_too),
		cmocka_unit_test(reset_is_a_new_beginning),
		cmocka_unit_test(a_new_handle_is_new),
		cmocka_unit_test(urls_are_libcurls_copies),
		cmocka_unit_test(curlu_handles_go_first),
		cmocka_unit_test(curlu_handles_are_known_from_the_beginning),
		cmocka_unit_test(unseen_handles_work),
		cmocka_unit_test(handles_that_went_unseen),
		cmocka_unit_test(a_waiting_handle_that_went_unseen),
		cmocka_unit_test(a_transfer_left_by_longjmp),
		cmocka_unit_test(one_handle_in_many_threads_in_turn),
		cmocka_unit_test(share_objects),
		cmocka_unit_test(thousands_at_once),
		cmocka_unit_test(coming_and_going_in_threads),
		cmocka_unit_test(fork_with_live_handles),
		cmocka_unit_test(a_transfer_inside_a_callback),
		cmocka_unit_test(what_attempts_set_is_gone_after),
		cmocka_unit_test(callbacks_that_change),
		cmocka_unit_test(a_pause_that_ends_inside_another_transfer),
		cmocka_unit_test(waits_are_cancelled_by_the_progress_callback),
		cmocka_unit_test(a_wait_is_paused),
		cmocka_unit_test(other_threads_go_on_during_a_wait),
		cmocka_unit_test(another_url_in_the_middle),
		cmocka_unit_test(threads_that_end_in_the_middle),
		cmocka_unit_test(under_valgrind),
		cmocka_unit_test(pycurl_with_every_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
