/*
 * Memory, descriptors and processes that run out at every single moment at which the library asks
 * for one: the program goes on as if the library were not there, or as the retries would have it.
 */
#include "harness.h"
#include "scarce_plan.h"
#include "server.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define IDS 65536

static struct {
	char *object;
	atomic_uchar attempts[IDS], had_token[IDS];
	atomic_int leaked; /* changes of a recover command that outlived their call */
} world;

#define RULES                                                                                      \
	"[retryshim]\nlog = %s\nlog_level = info\nlog_format = json\nreport = %s\n"                \
	"stats = %s\nspool_limit = 1MiB\nreload = 4ms\n"                                           \
	"[policy default]\nmax_attempts = 50\nbackoff = constant\nbase = 1ms\njitter = none\n"     \
	"quota = shared\n"                                                                         \
	"[quota shared]\nscope = host\ncapacity = 1000000\n"                                       \
	"[rule broken]\nerror = reset, partial, refused, CURLE_COULDNT_CONNECT\nmethod = any\n"    \
	"[rule busy]\nstatus = 503\nbody_regex = bu(s|z)y\nmethod = any\n"                         \
	"[rule token]\nclass = recoverable\nstatus = 418\n"                                        \
	"recover = sh -c 'echo set-header X-Token: new; echo set-url ${RETRYSHIM_URL}x'\n"         \
	"[rule gone]\nclass = followup\nstatus = 410\nfollowup = echo it is gone\n"                \
	"[rule hold]\nstatus = 2xx\nbody = no such text\nurl = */hold/*\n"                         \
	"[rule names]\ncall = resolve\nerror = EAI_AGAIN\n"                                        \
	"[fault canned]\nurl = */canned/*\nstatus = 503\nbody = busy\nfirst = 2\n"                 \
	"[fault strike]\nurl = */strike/*\nerror = CURLE_COULDNT_CONNECT\nfirst = 2\n"             \
	"[fault cutting]\nurl = */cutting/*\ncut = 150000B\nfirst = 1\n"

static bool goes(const char *target, const char *name, unsigned long *id)
{
	size_t len = strlen(name);

	if (target[0] != '/' || strncmp(target + 1, name, len) != 0 || target[len + 1] != '/')
		return false;
	*id = strtoul(target + len + 2, NULL, 10) % IDS;
	return true;
}

static bool is_amended(const struct request *request)
{
	char value[16];
	bool header = request_header(request, "X-Token", value, sizeof(value)) == 1;
	bool url = request->target[strlen(request->target) - 1] == 'x';

	if (header != url)
		atomic_fetch_add(&world.leaked, 1);
	return header && url;
}

/* A call begins without what the recover command has given to the one before. */
static void decide_recover(const struct request *request, struct reply *reply, unsigned long id)
{
	bool amended = is_amended(request);

	if (amended && atomic_load(&world.had_token[id]))
		atomic_fetch_add(&world.leaked, 1);
	atomic_store(&world.had_token[id], amended);
	if (!amended)
		*reply = (struct reply){ .status = 418, .body = SCARCE_BUSY };
}

static void decide(const struct request *request, struct reply *reply, char *room, void *unused)
{
	unsigned long id = 0;
	const char *target = request->target;

	(void)unused;
	server_object(request, world.object, SCARCE_OBJECT, "\"tag\"", reply, room);
	if (goes(target, "busy", &id) && atomic_fetch_add(&world.attempts[id], 1) < 2)
		*reply = (struct reply){ .status = 503, .body = SCARCE_BUSY };
	else if (goes(target, "gone", &id))
		*reply = (struct reply){ .status = 410, .body = SCARCE_BUSY };
	else if (goes(target, "recover", &id))
		decide_recover(request, reply, id);
	if (goes(target, "broken", &id) && atomic_fetch_add(&world.attempts[id], 1) == 0) {
		reply->ending = REPLY_CUT;
		reply->part = REPLY_BODY;
		reply->after = SCARCE_BREAK;
	}
}

static void check_uploads(struct server *server)
{
	size_t count;
	const struct request *const *requests = server_requests(server, &count);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(requests[i]->method, "PUT") == 0 && requests[i]->body_whole)
			assert_bytes(requests[i]->body, requests[i]->body_len, world.object,
				     SCARCE_OBJECT);
	}
}

static void check_lines(const char *path)
{
	static const char script[] = "import json, sys\n"
				     "for line in open(sys.argv[1]): json.loads(line)\n";
	struct run run = run_words(RUN_BARE, NULL, "python3", "-c", script, path);

	assert_output(run, "");
	assert_string_equal(run.err, "");
	assert_exit(run, 0);
	run_free(&run);
}

static struct {
	const char *rules, *log, *report, *environment[4];
} files;

static void write_rules_once(void)
{
	static char runtime[300], preload[1600];
	char text[4096], above[512];

	if (files.rules)
		return;
	files.log = temp_path("log");
	files.report = temp_path("report");
	(void)snprintf(text, sizeof(text), RULES, files.log, files.report, temp_path("stats"));
	files.rules = rules_file(text);
	assert_int_equal(mkdir(temp_path("runtime"), 0700), 0);
	(void)snprintf(runtime, sizeof(runtime), "XDG_RUNTIME_DIR=%s", temp_path("runtime"));
	(void)snprintf(above, sizeof(above), "%s", helper_path("plugin-scarce.so"));
	(void)snprintf(preload, sizeof(preload), "LD_PRELOAD=%s:%s:%s", above, library_path(),
		       helper_path("plugin-lookups.so"));
	files.environment[0] = runtime;
	files.environment[1] = preload;
	files.environment[2] = "LOOKUPS=EAI_AGAIN:2";
}

static void everything_runs_out(const char *scenario, int asks_least)
{
	struct server *server =
		server_start_with(&(struct server_options){ .decide = decide }, NULL, 0);
	const char *const argv[] = { helper_path("scarce-case"), scenario, server_url(server, ""),
				     NULL };
	struct run run;

	memset(world.attempts, 0, sizeof(world.attempts));
	memset(world.had_token, 0, sizeof(world.had_token));
	atomic_store(&world.leaked, 0);
	write_rules_once();
	run = run_program(&(struct program){ .argv = argv,
					     .under = RUN_SHIM,
					     .rules = files.rules,
					     .env = files.environment,
					     .timeout_ms = 150000 });
	print_message("%s", run.out);
	assert_lacks(run.out, "wrong:");
	assert_exit(run, 0);
	assert_true(strtol(strstr(run.out, "asked ") + 6, NULL, 10) >= asks_least);
	assert_int_equal(world.leaked, 0);
	check_uploads(server);
	run_free(&run);
	server_stop(server);
}

/* Of all that was written meanwhile nothing was written in part. */
static void lines_are_whole(void **state)
{
	(void)state;
	check_lines(files.log);
	check_lines(files.report);
}

#define SCENARIO(function, name, asks_least)                                                       \
	static void function(void **state)                                                         \
	{                                                                                          \
		(void)state;                                                                       \
		everything_runs_out(name, asks_least);                                             \
	}

SCENARIO(a_plain_download, "plain", 5)
SCENARIO(an_answer_that_is_busy, "busy", 10)
SCENARIO(an_answer_that_is_held, "hold", 10)
SCENARIO(a_broken_download, "broken", 10)
SCENARIO(an_upload, "upload", 20)
SCENARIO(a_recover_command, "recover", 20)
SCENARIO(a_followup_command, "followup", 15)
SCENARIO(a_canned_answer, "canned", 15)
SCENARIO(a_canned_error, "strike", 10)
SCENARIO(a_download_cut_on_purpose, "cutting", 10)
SCENARIO(a_copied_handle, "copied", 10)
SCENARIO(a_handle_that_was_reset, "reset", 15)
SCENARIO(rules_loaded_again, "reload", 20)
SCENARIO(several_by_poll, "multi-poll", 20)
SCENARIO(several_by_socket, "multi-socket", 20)
SCENARIO(a_blocking_connect, "connect", 10)
SCENARIO(a_connect_and_poll, "connect-poll", 10)
SCENARIO(a_connect_and_poll_of_many, "connect-poll-many", 10)
SCENARIO(a_connect_and_select, "connect-select", 10)
SCENARIO(a_connect_and_epoll, "connect-epoll", 10)
SCENARIO(a_look_up, "lookup", 10)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_download),
		cmocka_unit_test(an_answer_that_is_busy),
		cmocka_unit_test(an_answer_that_is_held),
		cmocka_unit_test(a_broken_download),
		cmocka_unit_test(an_upload),
		cmocka_unit_test(a_recover_command),
		cmocka_unit_test(a_followup_command),
		cmocka_unit_test(a_canned_answer),
		cmocka_unit_test(a_canned_error),
		cmocka_unit_test(a_download_cut_on_purpose),
		cmocka_unit_test(a_copied_handle),
		cmocka_unit_test(a_handle_that_was_reset),
		cmocka_unit_test(rules_loaded_again),
		cmocka_unit_test(several_by_poll),
		cmocka_unit_test(several_by_socket),
		cmocka_unit_test(a_blocking_connect),
		cmocka_unit_test(a_connect_and_poll),
		cmocka_unit_test(a_connect_and_poll_of_many),
		cmocka_unit_test(a_connect_and_select),
		cmocka_unit_test(a_connect_and_epoll),
		cmocka_unit_test(a_look_up),
		cmocka_unit_test(lines_are_whole),
	};
	int failed;

	world.object = noise(SCARCE_OBJECT, SCARCE_SEED);
	failed = cmocka_run_group_tests_name("scarce", tests, NULL, NULL);
	free(world.object);
	return failed;
}
