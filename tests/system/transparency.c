#include "transparency.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

#define BODY_LEN 200000

/* Rules that let every answer stream, and rules that make every answer wait for its body. */
#define RULES                                                                                         \
	"[retryshim]\nlog = none\n"                                                                   \
	"[policy default]\nmax_attempts = 3\nbase = 1ms\njitter = none\n"                             \
	"[rule it]\nerror = reset, partial, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR,\n" \
	"  CURLE_HTTP2, CURLE_HTTP2_STREAM\nstatus = 429, 503\nmethod = any\n"
#define HOLDING "[rule hold]\nstatus = 100-599\nbody = no such text\nmethod = any\n"

struct transparency_way transparency_way;
int transparency_differing;

static char *object;
static char *long_header;
static const char *rules[2];

/* For the transfer past the shim. */
static char plugin_word[512];
static const char *const keep_deepbind[] = { "RETRYSHIM_KEEP_DEEPBIND=1", NULL };

int transparency_prepare(void **state)
{
	static char text[60100];

	(void)state;
	object = noise(BODY_LEN, 7);
	memset(text, 'h', 60000);
	memcpy(text, "X-Long: ", 8);
	memcpy(text + 60000, "\r\n", 3);
	long_header = text;
	rules[0] = rules_file(RULES);
	rules[1] = rules_file(RULES HOLDING);
	(void)snprintf(plugin_word, sizeof(plugin_word), "plugin=%s",
		       helper_path("plugin-past.so"));
	return 0;
}

int transparency_clean_up(void **state)
{
	(void)state;
	free(object);
	return 0;
}

/* Static tables cannot hold what is made at run time. */
static struct reply complete(const struct scenario *scenario, struct reply reply)
{
	if (!reply.raw && !reply.body && reply.headers && strstr(reply.headers, "text/x")) {
		reply.body = object;
		reply.body_len = BODY_LEN;
	}
	if (scenario && strcmp(scenario->name, "large headers") == 0 && !reply.status)
		reply.headers = long_header;
	return reply;
}

static struct reply complete_failure(struct reply reply)
{
	if (reply.status == 503 && !reply.body && !reply.headers) {
		reply.body = object;
		reply.body_len = BODY_LEN / 2;
	}
	return reply;
}

static bool is_used(const struct reply *reply)
{
	return reply->body || reply->headers || reply->raw || reply->status || reply->path;
}

/* The failure, if any, then what the server answers when nothing fails. */
static struct server *serve(const struct scenario *scenario, const struct reply *failure)
{
	struct reply script[SCENARIO_REPLIES + 2] = { { .path = "/second",
							.times = 99,
							.headers = "X-Second: 1\r\n",
							.body = "the second" } };
	size_t count = 1;

	if (failure)
		script[count++] = complete_failure(*failure);
	for (size_t i = 0; i < SCENARIO_REPLIES && is_used(&scenario->good[i]); i++)
		script[count++] = complete(scenario, scenario->good[i]);
	return server_start_with(&transparency_way.server, script, count);
}

/* The words of one transfer: `all` as they are run. */
struct words {
	const char *all[SCENARIO_WORDS + 10];
	char texts[SCENARIO_WORDS + 10][512];
	size_t count;
};

/* With the server's address in the place of @. */
static void add(struct words *words, const struct server *server, const char *word)
{
	const char *at = strchr(word, '@');
	char *text = words->texts[words->count];

	words->all[words->count] = word;
	if (at) {
		(void)snprintf(text, sizeof(words->texts[0]), "%.*s%s%s", (int)(at - word), word,
			       transparency_way.base ? transparency_way.base
						     : server_url(server, ""),
			       at + 1);
		words->all[words->count] = text;
	}
	words->count++;
}

static struct run trace(enum run_under under, const char *rules_path, struct server *server,
			const struct scenario *scenario, const char *const *more)
{
	struct words words = { .count = 0 };

	add(&words, server, helper_path("transfer-trace"));
	add(&words, server, plugin_word);
	for (size_t i = 0; i < COUNT(transparency_way.words) && transparency_way.words[i]; i++)
		add(&words, server, transparency_way.words[i]);
	for (; more && *more; more++)
		add(&words, server, *more);
	for (size_t i = 0; i < SCENARIO_WORDS && scenario->words[i]; i++)
		add(&words, server, scenario->words[i]);
	return run_program(&(struct program){
		.argv = words.all, .under = under, .rules = rules_path, .env = keep_deepbind });
}

/* Stop the server with the run: the threads of an unfinished answer are not the next one's. */
static struct run run_once(enum run_under under, const char *rules_path,
			   const struct scenario *scenario, const struct reply *failure,
			   const char *const *more)
{
	struct server *server = serve(scenario, failure);
	struct run run = trace(under, rules_path, server, scenario, more);

	server_stop(server);
	return run;
}

static void check_same(const struct run *run, const struct run *bare,
		       const struct scenario *scenario, const char *failure, size_t r)
{
	const char *apart = transparency_apart(scenario);
	struct trace_difference at;

	/* libcurl keeps the connection of an answer without a body, and if the next request meets
	 * its end sends that again by itself. */
	if (strcmp(scenario->name, "HEAD") == 0 && strcmp(failure, "503 cut") == 0)
		apart = "info REQUEST_SIZE";

	if (r > 0 && apart && strcmp(apart, "all") == 0)
		return;
	if (!trace_differs(run->err, bare->err, apart, &at) && run->status == bare->status &&
	    run->out_len == bare->out_len && memcmp(run->out, bare->out, bare->out_len) == 0)
		return;
	print_error("%s, %s, %s rules: status %d, wanted %d; %zu bytes on stdout, wanted %zu\n"
		    "  first other line: %.*s\n            wanted: %.*s\n",
		    scenario->name, failure, r == 0 ? "streaming" : "holding", run->status,
		    bare->status, run->out_len, bare->out_len, at.got_len, at.got, at.wanted_len,
		    at.wanted);
	transparency_differing++;
}

int transparency_begin(void **state)
{
	(void)state;
	transparency_differing = 0;
	return 0;
}

/* A second transfer would find nothing to read after an upload, no proxy after a tunnel. */
static const char *const *extras(const struct scenario *scenario, bool all)
{
	static const char *const with_all[] = { "past=@/second", "second=@/second", "all=1", NULL };
	static const char *const without[] = { "past=@/second", "second=@/second", NULL };
	bool only_one = strstr(scenario->name, "put") || strstr(scenario->name, "ed post") ||
			strstr(scenario->name, "read:") || strstr(scenario->name, "tunnel");

	return (all ? with_all : without) + (only_one ? 2 : 0);
}

static bool ends_as_sent(const struct reply *reply)
{
	return !transparency_way.proxied || reply->ending == REPLY_WHOLE ||
	       reply->part == REPLY_BODY;
}

/* Not what is no HTTP, not what is for another proxy, nothing that is too large for it, and nothing
 * that breaks off before it knows what it is. */
static bool is_passed_on(const struct scenario *scenario)
{
	for (size_t i = 0; i < SCENARIO_REPLIES; i++) {
		if (scenario->good[i].raw || !ends_as_sent(&scenario->good[i]))
			return false;
	}
	return !strstr(scenario->name, "tunnel") && strcmp(scenario->name, "large headers") != 0;
}

static bool may_be_made(const struct scenario *scenario)
{
	return !transparency_way.proxied || is_passed_on(scenario);
}

static void check_unfailing(const struct scenario *scenario)
{
	const char *const *more = extras(scenario, true);
	struct run bare = run_once(RUN_BARE, NULL, scenario, NULL, more);

	assert_exit(bare, 0);
	for (size_t r = 0; r < COUNT(rules); r++) {
		struct run run = run_once(RUN_SHIM, rules[r], scenario, NULL, more);

		check_same(&run, &bare, scenario, "none", r);
		run_free(&run);
	}
	run_free(&bare);
}

void transparency_check_unfailing(const struct scenarios *scenarios)
{
	for (size_t i = 0; i < scenarios->count; i++) {
		if (may_be_made(&scenarios->rows[i]))
			check_unfailing(&scenarios->rows[i]);
	}
}

/* `number` of the scenario: every other one of its failures meets rules that hold. */
static void check_failing(const struct scenario *scenario, size_t number)
{
	const struct failures *failures = &transparency_failures;
	const char *const *more = extras(scenario, false);
	struct run bare = run_once(RUN_BARE, NULL, scenario, NULL, more);

	for (size_t f = 0; f < failures->count; f++) {
		const struct failure *failure = &failures->rows[f];
		size_t r = (number + f) % COUNT(rules);
		struct run run;

		if (!ends_as_sent(&failure->reply))
			continue;
		run = run_once(RUN_SHIM, rules[r], scenario, &failure->reply, more);
		check_same(&run, &bare, scenario, failure->name, r);
		run_free(&run);
	}
	run_free(&bare);
}

void transparency_check_failing(const struct scenarios *scenarios)
{
	for (size_t i = 0; i < scenarios->count; i++) {
		if (may_be_made(&scenarios->rows[i]))
			check_failing(&scenarios->rows[i], i);
	}
}

/* Each of them with both rules, with nothing failing and after a failure. */
static void check_sinks(const struct scenario *scenario, const char *sinks)
{
	static const struct reply busy = { .status = 503, .body = "busy" };
	static const struct reply *const ways[] = { NULL, &busy };
	const char *const more[] = { sinks, NULL };
	struct run bare = run_once(RUN_BARE, NULL, scenario, NULL, more);

	for (size_t way = 0; way < 4; way++) {
		struct run run = run_once(RUN_SHIM, rules[way % 2], scenario, ways[way / 2], more);

		check_same(&run, &bare, scenario, sinks, way % 2);
		run_free(&run);
	}
	run_free(&bare);
}

void transparency_check_sinks(void)
{
	for (unsigned sinks = 0; sinks < 16; sinks++) {
		char word[16];

		(void)snprintf(word, sizeof(word), "sinks=%u", sinks);
		for (size_t i = 0; i < 2; i++)
			check_sinks(&transparency_responses.rows[i], word);
	}
}
