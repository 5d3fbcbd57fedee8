/*
 * recover and followup: what they are told, what they change, and that nobody notices them.
 */
#include "harness.h"
#include "server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLICY "[policy default]\nmax_attempts = 3\nbase = 10ms\njitter = none\n"

#define TOKEN  "tok-42"
#define DENIED "{\"error\":\"token expired\"}"

/* An executable script with this text; the path lives as long as the test program. */
static const char *script(const char *name, const char *text)
{
	const char *path = temp_file(name, text, strlen(text));

	assert_int_equal(chmod(path, 0700), 0);
	return path;
}

static const char *rules_with(const char *settings, const char *rule)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), "[retryshim]\nlog_level = warn\n%s\n" POLICY "%s",
		       settings, rule);
	return rules_file(text);
}

static const char *recover_rule(const char *command)
{
	static char text[1024];

	(void)snprintf(text, sizeof(text),
		       "[rule token]\nclass = recoverable\nstatus = 401\nmethod = any\n"
		       "recover = %s\n",
		       command);
	return text;
}

/* A server that gives out the object only to who shows the token, and the token at /token. */
static struct server *serve_token(int tokens)
{
	static struct reply replies[] = {
		{ .path = "/token", .body = TOKEN },
		{ .path = "/o", .status = 401, .body = DENIED, .times = 1 },
		{ .path = "/o", .body = "the object\n" },
	};

	replies[1].times = tokens;
	return server_start(replies, 3);
}

static const char *header_of(struct server *server, size_t index, const char *name)
{
	static char value[256];

	value[0] = '\0';
	request_header(server_request(server, index), name, value, sizeof(value));
	return value;
}

/* Curl as the legacy binary: its token has expired, the command gets another one. */
static void a_token_is_renewed(void **state)
{
	struct server *server = serve_token(1);
	char text[512];
	const char *command;
	struct run run;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "#!/bin/sh\necho \"set-header Authorization: Bearer $(curl -sS %s)\"\n",
		       server_url(server, "/token"));
	command = script("renew", text);
	run = run_words(RUN_SHIM, rules_with("", recover_rule(command)), "curl", "-sS", "-H",
			"Authorization: Bearer old", "-H", "X-Kept: 1", server_url(server, "/o"));
	assert_exit(run, 0);
	assert_output(run, "the object\n");
	assert_string_equal(run.err, "");
	assert_int_equal(server_request_count(server), 3);
	assert_string_equal(header_of(server, 0, "Authorization"), "Bearer old");
	assert_string_equal(server_request(server, 1)->target, "/token");
	assert_string_equal(header_of(server, 2, "Authorization"), "Bearer " TOKEN);
	assert_int_equal(request_header(server_request(server, 2), "Authorization", text, 16), 1);
	assert_string_equal(header_of(server, 2, "X-Kept"), "1");
	run_free(&run);
	server_stop(server);
}

static void the_request_is_the_same_but_for_what_was_printed(void **state)
{
	const struct reply replies[] = {
		{ .path = "/a", .status = 401 },
		{ .path = "/b", .body = "b\n" },
	};
	struct server *server = server_start(replies, 2);
	char text[1024];
	struct run run;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "#!/bin/sh\necho set-url %s\necho remove-header X-Gone\n"
		       "echo remove-header User-Agent\necho 'set-header X-Empty:'\n"
		       "echo 'set-header X-New: first'\necho 'set-header x-new: last'\n",
		       server_url(server, "/b?c=d"));
	run = run_words(RUN_SHIM, rules_with("", recover_rule(script("edit", text))), "curl", "-sS",
			"-d", "body=1", "-H", "X-Gone: 1", "-H", "X-Kept: 2", "-w",
			"%{http_code}\n", server_url(server, "/a"));
	assert_exit(run, 0);
	assert_output(run, "b\n200\n");
	assert_string_equal(server_request(server, 1)->target, "/b?c=d");
	assert_string_equal(server_request(server, 1)->method, "POST");
	assert_string_equal(server_request(server, 1)->body, "body=1");
	assert_string_equal(header_of(server, 1, "X-Kept"), "2");
	assert_string_equal(header_of(server, 1, "X-New"), "last");
	assert_int_equal(request_header(server_request(server, 1), "X-Empty", text, 16), 1);
	assert_int_equal(request_header(server_request(server, 1), "X-New", text, 16), 1);
	assert_int_equal(request_header(server_request(server, 1), "X-Gone", text, 16), 0);
	assert_int_equal(request_header(server_request(server, 1), "User-Agent", text, 16), 0);
	run_free(&run);
	server_stop(server);
}

/* A streamed upload is sent again whole, through both of libcurl's interfaces. */
static void an_upload_is_sent_again(void **state)
{
	static const char *const ways[] = { "-sS", "-sSZ", "-sSf" };
	char *body = noise(200000, 5);

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct server *server = serve_token(1);
		struct run run = run_program(&(struct program){
			.argv = (const char *const[]){ "curl", ways[i], "-T", "-",
						       server_url(server, "/o"), NULL },
			.under = RUN_SHIM,
			.rules = rules_with("", recover_rule("echo set-header X-New: 1")),
			.input = body,
			.input_len = 200000,
		});
		const struct request *again = server_request(server, 1);

		assert_exit(run, 0);
		assert_output(run, "the object\n");
		assert_int_equal(server_request_count(server), 2);
		assert_string_equal(again->method, "PUT");
		assert_bytes(again->body, again->body_len, body, 200000);
		assert_string_equal(header_of(server, 1, "X-New"), "1");
		run_free(&run);
		server_stop(server);
	}
	free(body);
}

/* Not only responses: a service that is down can be started. */
static void an_error_can_be_mended(void **state)
{
	struct server *server = server_start_refusing();
	const char *began = temp_path("curl-began");
	char text[512];
	struct program program = {
		.argv = (const char *const[]){ "curl", "-sS", server_url(server, "/o"), NULL },
		.under = RUN_SHIM,
	};
	struct child *child;
	struct run run;
	char *told = NULL;
	size_t len = 0;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "[rule start-it]\nclass = recoverable\nerror = refused\n"
		       "recover = sh -c 'echo $RETRYSHIM_ERROR $RETRYSHIM_STATUS >%s; sleep 0.3'\n",
		       began);
	program.rules = rules_with("", text);
	child = child_start(&program);
	for (int i = 0; i < 500 && len == 0; i++) {
		free(told);
		(void)usleep(10000);
		told = read_file(began, &len);
	}
	server_open(server);
	run = child_finish(child);
	assert_exit(run, 0);
	assert_string_equal(told, "CURLE_COULDNT_CONNECT\n");
	assert_string_equal(run.err, "");
	assert_int_equal(server_request_count(server), 1);
	free(told);
	run_free(&run);
	server_stop(server);
}

/* One recovery per rule and call; after it the rule's policy alone. */
static void one_recovery_in_a_call(void **state)
{
	struct server *server = serve_token(9);
	const char *ran = temp_path("ran-once");
	char text[256];
	struct run run;
	char *lines;
	size_t len;

	(void)state;
	(void)snprintf(text, sizeof(text), "#!/bin/sh\necho run >>%s\n", ran);
	run = run_words(RUN_SHIM, rules_with("log = none", recover_rule(script("count", text))),
			"curl", "-sS", "-w", "%{http_code}", server_url(server, "/o"));
	assert_exit(run, 0);
	assert_output(run, DENIED "401");
	assert_int_equal(server_request_count(server), 3);
	lines = read_file(ran, &len);
	assert_int_equal(count_lines(lines, "run"), 1);
	free(lines);
	run_free(&run);
	server_stop(server);
}

/* Whatever goes wrong with the command: the program gets the error as it was, once. */
static void a_recovery_that_fails(void **state)
{
	static const struct {
		const char *command, *says;
	} rows[] = {
		{ "false", "exit status 1" },
		{ "sh -c 'kill -9 $$'", "killed by signal 9" },
		{ "/no/such/program", "cannot be started: ENOENT" },
		{ "echo token", "line 1 is no set-header, remove-header or set-url" },
		{ "sh -c 'yes | head -c 70000'", "line 1 is no" },
		{ "sleep 60", "ran into hook_timeout" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct server *server = serve_token(9);
		const char *rules =
			rules_with("hook_timeout = 300ms", recover_rule(rows[i].command));
		struct run run = run_words(RUN_SHIM, rules, "curl", "-sSf", "-D", "-",
					   server_url(server, "/o"));

		assert_exit(run, 22);
		assert_int_equal(count_lines(run.out, "HTTP/"), 1);
		assert_contains(run.err, "event=recover rule=token");
		assert_contains(run.err, "result=failed");
		assert_contains(run.err, rows[i].says);
		assert_contains(run.err, "returned error: 401");
		assert_lacks(run.err, "event=exhausted");
		assert_int_equal(server_request_count(server), 1);
		run_free(&run);
		server_stop(server);
	}
}

#define NAMES "RULE CALL METHOD URL HOST PORT STATUS ERROR ATTEMPT PROGRAM"

/* The promised variables and no others of ours, the body, no preload, a clean slate of signals. */
static void what_a_command_is_given(void **state)
{
	struct server *server = serve_token(1);
	const char *told = temp_path("told");
	char text[2048], url[256];
	struct run run;
	char *given;
	size_t len;

	(void)state;
	(void)snprintf(
		text, sizeof(text),
		"#!/bin/sh\n{ echo \"stdin=$(cat)\"\n"
		"for n in " NAMES "; do eval echo $n=\\$RETRYSHIM_$n; done\n"
		"env | grep -c ^RETRYSHIM_\necho preload=$LD_PRELOAD kept=$KEPT\n"
		"[ \"$RETRYSHIM_ELAPSED_MS\" -ge 0 ] && kill -0 $RETRYSHIM_PID && echo alive\n"
		"ls /proc/self/fd | wc -l\ngrep SigBlk /proc/self/status\n"
		"grep SigIgn /proc/self/status\n} >%s\n",
		told);
	(void)snprintf(url, sizeof(url), "http://me:secret@127.0.0.1:%d/o?secret=1",
		       server_port(server));
	run = run_program(&(struct program){
		.argv = (const char *const[]){ "curl", "-sS", url, NULL },
		.under = RUN_SHIM,
		.rules = rules_with("", recover_rule(script("tell", text))),
		.env = (const char *const[]){ "KEPT=yes", NULL },
	});
	assert_exit(run, 0);
	given = read_file(told, &len);
	(void)snprintf(text, sizeof(text),
		       "stdin=" DENIED "\nRULE=token\nCALL=curl\nMETHOD=GET\n"
		       "URL=http://127.0.0.1:%d/o\nHOST=127.0.0.1\nPORT=%d\nSTATUS=401\nERROR=\n"
		       "ATTEMPT=1\nPROGRAM=curl\n12\npreload= kept=yes\nalive\n4\n"
		       "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n",
		       server_port(server), server_port(server));
	assert_string_equal(given, text);
	assert_lacks(given, "secret");
	free(given);
	run_free(&run);
	server_stop(server);
}

/* Nothing of the shim's stays in a program that has loaded it besides another library. */
static void other_preloads_stay(void **state)
{
	struct server *server = serve_token(1);
	const char *told = temp_path("preload");
	char text[512], preload[512];
	struct run run;
	char *given;
	size_t len;

	(void)state;
	(void)snprintf(text, sizeof(text), "#!/bin/sh\necho \"$LD_PRELOAD\" >%s\n", told);
	(void)snprintf(preload, sizeof(preload), "LD_PRELOAD=libm.so.6:%s:libdl.so.2",
		       library_path());
	run = run_program(&(struct program){
		.argv = (const char *const[]){ "curl", "-sS", server_url(server, "/o"), NULL },
		.rules = rules_with("", recover_rule(script("preload-tell", text))),
		.env = (const char *const[]){ preload, NULL },
	});
	assert_exit(run, 0);
	assert_output(run, "the object\n");
	given = read_file(told, &len);
	assert_string_equal(given, "libm.so.6:libdl.so.2\n");
	free(given);
	run_free(&run);
	server_stop(server);
}

/* The program has children of its own kind only: none. */
static void no_child_is_to_be_seen(void **state)
{
	struct server *server = serve_token(1);
	const char *children = helper_path("children");
	struct run run = run_words(RUN_SHIM, rules_with("", recover_rule("true")), children,
				   server_url(server, "/token"), server_url(server, "/o"));

	(void)state;
	assert_output(run, "result 0 signals 0 wait ECHILD descriptors +0\n");
	assert_int_equal(server_request_count(server), 3);
	run_free(&run);
	server_stop(server);
}

/* A shell that waits for its jobs sees its jobs alone. */
static void a_shell_sees_its_own_jobs(void **state)
{
	struct server *server = serve_token(1);
	char line[512];
	struct run run;

	(void)state;
	(void)snprintf(line, sizeof(line),
		       "trap 'echo child' CHLD; curl -sS %s & wait $!; echo $?; wait; jobs",
		       server_url(server, "/o"));
	run = run_words(RUN_SHIM, rules_with("", recover_rule("true")), "bash", "-c", line);
	assert_exit(run, 0);
	assert_int_equal(count_lines(run.out, "child"), 1);
	assert_contains(run.out, "the object\n");
	run_free(&run);
	server_stop(server);
}

/* All that the command has started in its group ends with it. */
static void a_timeout_ends_the_whole_group(void **state)
{
	struct server *server = serve_token(9);
	const char *pids = temp_path("pids");
	char text[512];
	struct run run;
	pid_t first, second;
	char *written, *rest;
	size_t len;

	(void)state;
	(void)snprintf(
		text, sizeof(text),
		"#!/bin/sh\ntrap '' TERM\nsleep 60 & echo $$ $! >%s\nwhile :; do wait; done\n",
		pids);
	run = run_words(
		RUN_SHIM,
		rules_with("hook_timeout = 300ms\nlog = none", recover_rule(script("group", text))),
		"curl", "-sS", server_url(server, "/o"));
	assert_exit(run, 0);
	assert_output(run, DENIED);
	assert_true(run.elapsed_ns < INT64_C(3000000000));
	written = read_file(pids, &len);
	first = (pid_t)strtol(written, &rest, 10);
	second = (pid_t)strtol(rest, NULL, 10);
	assert_true(first > 0 && second > 0);
	assert_int_equal(kill(first, 0), -1);
	free(written);
	assert_int_equal(kill(second, 0), -1);
	run_free(&run);
	server_stop(server);
}

/* Interrupted in the middle of a command, the program ends at once, and the command with it. */
static void the_program_can_be_killed_meanwhile(void **state)
{
	struct server *server = serve_token(9);
	const char *pid_file = temp_path("pid");
	char text[256];
	const struct program program = {
		.argv = (const char *const[]){ "curl", "-sS", server_url(server, "/o"), NULL },
		.under = RUN_SHIM,
		.rules = rules_with("", recover_rule(script("long", text))),
	};
	struct child *child;
	struct run run;
	char *pid = NULL;
	size_t len = 0;

	(void)state;
	(void)snprintf(text, sizeof(text), "#!/bin/sh\necho $$ >%s\nexec sleep 60\n", pid_file);
	(void)script("long", text);
	child = child_start(&program);
	for (int i = 0; i < 500 && len == 0; i++) {
		free(pid);
		(void)usleep(10000);
		pid = read_file(pid_file, &len);
	}
	assert_true(len > 0);
	assert_int_equal(kill(child_pid(child), SIGINT), 0);
	run = child_finish(child);
	assert_int_equal(run.signal, SIGINT);
	assert_true(run.elapsed_ns < INT64_C(6000000000));
	for (int i = 0; i < 200 && kill((pid_t)strtol(pid, NULL, 10), 0) == 0; i++)
		(void)usleep(10000);
	assert_int_equal(kill((pid_t)strtol(pid, NULL, 10), 0), -1);
	free(pid);
	run_free(&run);
	server_stop(server);
}

/* What was changed for one call is forgotten in the next, and in what the handle says. The URL is
 * again as the program spelled it. */
static const char twice_fetch[] = "import io, pycurl, sys\n"
				  "b = io.BytesIO()\n"
				  "c = pycurl.Curl()\n"
				  "c.setopt(pycurl.URL, sys.argv[1])\n"
				  "c.setopt(pycurl.HTTPHEADER, ['X-Token: old', 'X-Kept: 1'])\n"
				  "c.setopt(pycurl.WRITEDATA, b)\n"
				  "c.perform()\n"
				  "c.setopt(pycurl.PATH_AS_IS, 1)\n"
				  "c.perform()\n"
				  "print(c.getinfo(pycurl.RESPONSE_CODE), b.getvalue())\n";

static void the_handle_is_as_before(void **state)
{
	const struct reply replies[] = {
		{ .path = "/a", .status = 401, .body = "no", .times = 1 },
		{ .path = "/b", .body = "b" },
		{ .path = "/x/../a", .body = "a" },
	};
	struct server *server = server_start(replies, 3);
	char text[512];
	struct run run;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "#!/bin/sh\necho set-url %s\necho set-header X-Token: new\n",
		       server_url(server, "/b"));
	run = run_words(RUN_SHIM, rules_with("", recover_rule(script("other", text))),
			"/usr/bin/python3", "-c", twice_fetch, server_url(server, "/x/../a"));
	assert_exit(run, 0);
	assert_output(run, "200 b'ba'\n");
	assert_int_equal(server_request_count(server), 3);
	assert_string_equal(header_of(server, 0, "X-Token"), "old");
	assert_string_equal(header_of(server, 1, "X-Token"), "new");
	assert_string_equal(header_of(server, 1, "X-Kept"), "1");
	assert_string_equal(server_request(server, 2)->target, "/x/../a");
	assert_string_equal(header_of(server, 2, "X-Token"), "old");
	run_free(&run);
	server_stop(server);
}

/* Threads that fail together: sixteen transfers, one run. */
static const char threads_fetch[] =
	"import io, pycurl, sys, threading\n"
	"def fetch():\n"
	"    b = io.BytesIO()\n"
	"    c = pycurl.Curl()\n"
	"    c.setopt(pycurl.URL, sys.argv[1])\n"
	"    c.setopt(pycurl.NOSIGNAL, 1)\n"
	"    c.setopt(pycurl.WRITEDATA, b)\n"
	"    c.perform()\n"
	"    sys.stdout.write(f'{c.getinfo(pycurl.RESPONSE_CODE)} {b.getvalue()}\\n')\n"
	"threads = [threading.Thread(target=fetch) for _ in range(16)]\n"
	"[t.start() for t in threads]\n"
	"[t.join() for t in threads]\n";

static void callers_that_fail_together_share_one_run(void **state)
{
	struct server *server = serve_token(16);
	const char *ran = temp_path("ran-shared");
	char text[256];
	struct run run;
	char *lines;
	size_t len;

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "#!/bin/sh\necho run >>%s\nsleep 0.5\necho set-header X-New: 1\n", ran);
	run = run_words(RUN_SHIM, rules_with("", recover_rule(script("shared", text))),
			"/usr/bin/python3", "-c", threads_fetch, server_url(server, "/o"));
	assert_exit(run, 0);
	assert_int_equal(count_lines(run.out, "200 b'the object\\n'"), 16);
	assert_int_equal(server_request_count(server), 32);
	for (size_t i = 16; i < 32; i++)
		assert_string_equal(header_of(server, i, "X-New"), "1");
	lines = read_file(ran, &len);
	assert_int_equal(count_lines(lines, "run"), 1);
	free(lines);
	run_free(&run);
	server_stop(server);
}

/* An answer too long to be held is the program's: it cannot be mended any more. */
static void a_long_answer_is_not_held(void **state)
{
	char *body = noise(300000, 3);
	const struct reply replies[] = { { .status = 401, .body = body, .body_len = 300000 } };
	struct server *server = server_start(replies, 1);
	struct run run = run_words(RUN_SHIM, rules_with("", recover_rule("true")), "curl", "-sS",
				   server_url(server, "/o"));

	(void)state;
	assert_exit(run, 0);
	assert_bytes(run.out, run.out_len, body, 300000);
	assert_contains(run.err, "reason=committed");
	assert_int_equal(server_request_count(server), 1);
	free(body);
	run_free(&run);
	server_stop(server);
}

static void a_followup_joins_the_report(void **state)
{
	const struct reply replies[] = { { .status = 500, .body = "disk full" } };
	struct server *server = server_start(replies, 1);
	const char *report = temp_path("followup-report");
	char settings[256];
	struct run run;
	char *text;
	size_t len;

	(void)state;
	(void)snprintf(settings, sizeof(settings), "report = %s", report);
	run = run_words(RUN_SHIM,
			rules_with(settings, "[rule f]\nclass = followup\nstatus = 500\n"
					     "followup = sh -c 'echo \"$(cat)!\"; exit 3'\n"),
			"curl", "-sSf", server_url(server, "/o"));
	assert_exit(run, 22);
	assert_output(run, "");
	assert_contains(run.err, "event=followup rule=f");
	assert_contains(run.err, "error=\"exit status 3\"");
	assert_int_equal(server_request_count(server), 1);
	text = read_file(report, &len);
	assert_int_equal(count_lines(text, "{"), 1);
	assert_contains(text, "\"class\":\"followup\"");
	assert_contains(text, "\"attempts\":[{\"outcome\":\"500\",\"wait_ms\":0}]");
	assert_contains(text, "\"reason\":\"followup\",\"output\":\"disk full!\\n\"}");
	free(text);
	run_free(&run);
	server_stop(server);
}

/* connect() has nothing to change about, but a service to start. */
static void a_connect_recovers(void **state)
{
	struct server *server = server_start_refusing();
	const char *began = temp_path("began");
	char port[8], text[512];
	const struct program program = {
		.argv = (const char *const[]){ helper_path("connect-once"), "127.0.0.1", port,
					       NULL },
		.under = RUN_SHIM,
		.rules = rules_with("", "[rule start-it]\ncall = connect\nclass = recoverable\n"
					"error = refused\nrecover = /bin/sh -c 'true'\n"),
	};
	struct run run;

	(void)state;
	(void)snprintf(port, sizeof(port), "%d", server_port(server));
	run = run_program(&program);
	assert_exit(run, 1);
	assert_contains(run.err, "event=exhausted");
	run_free(&run);

	(void)snprintf(text, sizeof(text),
		       "[rule start-it]\ncall = connect\nclass = recoverable\nerror = refused\n"
		       "recover = sh -c 'echo $RETRYSHIM_ERROR >%s; sleep 0.3'\n",
		       began);
	{
		struct program late = program;
		struct child *child;
		char *told = NULL;
		size_t len = 0;

		late.rules = rules_with("", text);
		child = child_start(&late);
		for (int i = 0; i < 500 && len == 0; i++) {
			free(told);
			(void)usleep(10000);
			told = read_file(began, &len);
		}
		server_open(server);
		run = child_finish(child);
		assert_exit(run, 0);
		assert_string_equal(told, "ECONNREFUSED\n");
		free(told);
	}
	run_free(&run);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_renewed),
		cmocka_unit_test(the_request_is_the_same_but_for_what_was_printed),
		cmocka_unit_test(an_upload_is_sent_again),
		cmocka_unit_test(an_error_can_be_mended),
		cmocka_unit_test(one_recovery_in_a_call),
		cmocka_unit_test(a_recovery_that_fails),
		cmocka_unit_test(what_a_command_is_given),
		cmocka_unit_test(other_preloads_stay),
		cmocka_unit_test(no_child_is_to_be_seen),
		cmocka_unit_test(a_shell_sees_its_own_jobs),
		cmocka_unit_test(a_timeout_ends_the_whole_group),
		cmocka_unit_test(the_program_can_be_killed_meanwhile),
		cmocka_unit_test(the_handle_is_as_before),
		cmocka_unit_test(callers_that_fail_together_share_one_run),
		cmocka_unit_test(a_long_answer_is_not_held),
		cmocka_unit_test(a_followup_joins_the_report),
		cmocka_unit_test(a_connect_recovers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
