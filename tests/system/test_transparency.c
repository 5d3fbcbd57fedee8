/*
 * Under the shim a program sees what it sees without it: all that transfer-trace can write down is
 * compared, first with nothing failing, then with failures that a retry makes good. What a retry
 * cannot make good is compared with the same failure without the shim.
 */
#include "harness.h"
#include "server.h"
#include "trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_LEN  200000
#define MAX_WORDS 12
#define MAX_GOOD  4
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

static char *object;
static char *long_header;

/* `words` are arguments of transfer-trace, @ standing for the server; `good` is how the server
 * answers when nothing fails. The last word is the URL. */
struct scenario {
	const char *name;
	const char *words[MAX_WORDS];
	struct reply good[MAX_GOOD];
};

#define OBJECT .body = NULL, .headers = "ETag: \"v1\"\r\nContent-Type: text/x\r\n"
#define RAW(text)                                                                                  \
	{                                                                                          \
		.raw = (text)                                                                      \
	}

#define TUNNEL "PROXY=@", "HTTPPROXYTUNNEL=1"
#define TUNNEL_OPEN                                                                                \
	{                                                                                          \
		.path = "host.invalid:80",                                                         \
		.raw = "HTTP/1.1 200 Connection established\r\nX-Proxy: 1\r\n\r\n"                 \
	}
#define BASIC  "WWW-Authenticate: Basic realm=\"r\"\r\n"
#define DIGEST "WWW-Authenticate: Digest realm=\"r\", nonce=\"abc\", qop=\"auth\"\r\n"

static const struct scenario responses[] = {
	{ "plain", { "@/o" }, { { OBJECT } } },
	{ "included", { "HEADER=1", "@/o" }, { { OBJECT } } },
	{ "short", { "@/o" }, { { .body = "x" } } },
	{ "empty", { "@/o" }, { { .headers = "X-Some: header\r\n" } } },
	{ "204", { "@/o" }, { { .status = 204 } } },
	{ "304", { "@/o" }, { { .status = 304 } } },
	{ "205", { "@/o" }, { { .status = 205 } } },
	{ "HEAD", { "NOBODY=1", "@/o" }, { { OBJECT } } },
	{ "404", { "@/o" }, { { .status = 404, .body = "no such thing" } } },
	{ "404 failing", { "FAILONERROR=1", "@/o" }, { { .status = 404, .body = "none" } } },
	{ "404 empty failing", { "FAILONERROR=1", "@/o" }, { { .status = 404 } } },
	{ "404 failing included", { "FAILONERROR=1", "HEADER=1", "@/o" }, { { .status = 404 } } },
	{ "200 failing", { "FAILONERROR=1", "@/o" }, { { OBJECT } } },
	{ "401 failing", { "FAILONERROR=1", "@/o" }, { { .status = 401, .body = "who?" } } },
	{ "no length", { "@/o" }, { { OBJECT, .framing = REPLY_CLOSE } } },
	{ "chunks", { "@/o" }, { { OBJECT, .framing = REPLY_CHUNKED } } },
	{ "trailers",
	  { "HEADER=1", "@/o" },
	  { { OBJECT, .framing = REPLY_CHUNKED, .trailers = "X-Sum: 1\r\nX-Other: 2\r\n" } } },
	{ "chunks as they come",
	  { "HTTP_TRANSFER_DECODING=0", "@/o" },
	  { { .body = "in chunks", .framing = REPLY_CHUNKED, .hang_up = true } } },
	{ "gzip", { "ACCEPT_ENCODING=gzip", "@/o" }, { { OBJECT, .gzip = true } } },
	{ "gzip as it comes", { "@/o" }, { { OBJECT, .gzip = true } } },
	{ "bad gzip",
	  { "ACCEPT_ENCODING=gzip", "@/o" },
	  { { .headers = "Content-Encoding: gzip\r\n", .body = "this is not gzip at all" } } },
	{ "1xx",
	  { "HEADER=1", "@/o" },
	  { RAW("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") } },
	{ "HTTP/1.0", { "@/o" }, { RAW("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok") } },
	{ "HTTP/0.9",
	  { "HTTP09_ALLOWED=1", "@/o" },
	  { { .raw = "no header at all", .ending = REPLY_CUT, .part = REPLY_BODY, .after = 99 } } },
	{ "bare newlines",
	  { "HEADER=1", "@/o" },
	  { RAW("HTTP/1.1 200 OK\nContent-Length: 2\nX-Folded: a\n  b\n\nok") } },
	{ "cookie", { "COOKIEFILE=", "@/o" }, { { .headers = "Set-Cookie: a=b\r\n" } } },
	{ "redirect",
	  { "FOLLOWLOCATION=1", "HEADER=1", "@/o" },
	  { { .status = 302, .headers = "Location: /other\r\n", .body = "elsewhere" },
	    { .path = "/other", OBJECT } } },
	{ "redirect not followed",
	  { "@/o" },
	  { { .status = 302, .headers = "Location: /other\r\n", .body = "elsewhere" } } },
	{ "too many redirects",
	  { "FOLLOWLOCATION=1", "MAXREDIRS=0", "@/o" },
	  { { .status = 302, .headers = "Location: /other\r\n", .body = "elsewhere" } } },
	{ "basic",
	  { "HTTPAUTH=-17", "USERPWD=me:pw", "HEADER=1", "@/o" },
	  { { .status = 401, .headers = BASIC, .body = "who?" }, { OBJECT } } },
	{ "basic refused",
	  { "HTTPAUTH=-17", "USERPWD=me:pw", "FAILONERROR=1", "@/o" },
	  { { .status = 401, .headers = BASIC, .body = "who?" },
	    { .status = 401, .headers = BASIC, .body = "no" } } },
	{ "digest",
	  { "HTTPAUTH=2", "USERPWD=me:pw", "@/o" },
	  { { .status = 401, .headers = DIGEST, .body = "who?" }, { OBJECT } } },
	{ "tunnel", { TUNNEL, "HEADER=1", "http://host.invalid/o" }, { TUNNEL_OPEN, { OBJECT } } },
	{ "silent tunnel",
	  { TUNNEL, "SUPPRESS_CONNECT_HEADERS=1", "http://host.invalid/o" },
	  { TUNNEL_OPEN, { OBJECT } } },
	{ "tunnel with a password",
	  { TUNNEL, "PROXYAUTH=-17", "PROXYUSERPWD=me:pw", "http://host.invalid/o" },
	  { { .path = "host.invalid:80",
	      .status = 407,
	      .headers = "Proxy-Authenticate: Basic realm=\"r\"\r\n",
	      .body = "who?" },
	    TUNNEL_OPEN,
	    { .path = "/o", OBJECT } } },
	{ "refused tunnel",
	  { TUNNEL, "http://host.invalid/o" },
	  { RAW("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno") } },
	{ "range",
	  { "RANGE=10-19", "@/o" },
	  { { .status = 206,
	      .headers = "Content-Range: bytes 10-19/100\r\n",
	      .body = "0123456789" } } },
	{ "resume",
	  { "RESUME_FROM_LARGE=90", "@/o" },
	  { { .status = 206,
	      .headers = "Content-Range: bytes 90-99/100\r\n",
	      .body = "0123456789" } } },
	{ "resume ignored", { "RESUME_FROM_LARGE=90", "@/o" }, { { OBJECT } } },
	{ "nothing to resume",
	  { "RESUME_FROM_LARGE=100", "FAILONERROR=1", "@/o" },
	  { { .status = 416, .headers = "Content-Range: bytes */100\r\n", .body = "416" } } },
	{ "large headers", { "HEADER=1", "@/o" }, { { .headers = "", .body = "long" } } },
};

static const struct scenario requests[] = {
	{ "post", { "POSTFIELDS=a=b&c=d", "@/o" }, { { OBJECT } } },
	{ "copied post", { "COPYPOSTFIELDS=a=b&c=d", "@/o" }, { { OBJECT } } },
	{ "streamed post",
	  { "POST=1", "POSTFIELDSIZE_LARGE=50000", "upload=50000", "HTTPHEADER=Expect:", "@/o" },
	  { { OBJECT } } },
	{ "chunked post",
	  { "POST=1", "upload=50000", "HTTPHEADER=Expect:", "@/o" },
	  { { OBJECT } } },
	{ "put", { "UPLOAD=1", "INFILESIZE_LARGE=50000", "upload=50000", "@/o" }, { { OBJECT } } },
	{ "put of nothing",
	  { "UPLOAD=1", "INFILESIZE_LARGE=0", "upload=0", "@/o" },
	  { { OBJECT } } },
	{ "put from an offset",
	  { "UPLOAD=1", "INFILESIZE_LARGE=50000", "RESUME_FROM_LARGE=20000", "upload=50000",
	    "rewind=1", "@/o" },
	  { { OBJECT } } },
	{ "put and redirect",
	  { "UPLOAD=1", "INFILESIZE_LARGE=50000", "upload=50000", "rewind=1", "FOLLOWLOCATION=1",
	    "@/o" },
	  { { .status = 307, .headers = "Location: /other\r\n" }, { .path = "/other", OBJECT } } },
	{ "delete", { "CUSTOMREQUEST=DELETE", "@/o" }, { { .body = "gone" } } },
};

#define ANSWER                                                                                     \
	{                                                                                          \
		{                                                                                  \
			OBJECT                                                                     \
		}                                                                                  \
	}
static const struct scenario callbacks[] = {
	{ "write: getinfo", { "on=write:info", "@/o" }, ANSWER },
	{ "header: getinfo", { "on=header:info", "@/o" }, ANSWER },
	{ "write: setopt", { "on=write:set", "@/o" }, ANSWER },
	{ "header: setopt", { "on=header:set", "@/o" }, ANSWER },
	{ "write: a pointer for headers alone",
	  { "sinks=1", "on=write:set", "@/o" },
	  { { OBJECT, .framing = REPLY_CHUNKED, .trailers = "X-Sum: 1\r\n" } } },
	{ "write: pause", { "on=write:pause", "@/o" }, ANSWER },
	{ "header: pause", { "on=header:pause", "@/o" }, ANSWER },
	{ "included: pause", { "on=header:pause", "HEADER=1", "@/o" }, ANSWER },
	{ "write: error", { "on=write:short", "@/o" }, ANSWER },
	{ "write: error at a header", { "on=write:short", "HEADER=1", "@/o" }, ANSWER },
	{ "header: error", { "on=header:short", "@/o" }, ANSWER },
	{ "progress: abort", { "on=progress:abort", "@/o" }, ANSWER },
	{ "read: abort",
	  { "on=read:abort", "UPLOAD=1", "upload=50000", "HTTPHEADER=Expect:", "@/o" },
	  ANSWER },
	{ "write: another transfer",
	  { "on=write:nest", "nested=@/nested", "@/o" },
	  { { OBJECT }, { .path = "/nested", .body = "inner" } } },
	{ "header: a copy",
	  { "on=header:dup", "nested=@/nested", "@/o" },
	  { { OBJECT }, { .path = "/nested", .body = "inner" } } },
};

/* What differs where an answer is held before the program gets it: lines that begin with one of
 * these words, or all. */
#define REFUSED "progress|info NUM" /* the body came, and was kept from the program */
#define LATE    "progress|info|stored|inside"
static const struct {
	const char *name, *apart;
} differences[] = {
	{ "404 failing", REFUSED },
	{ "404 empty failing", REFUSED },
	{ "404 failing included", REFUSED },
	{ "401 failing", REFUSED },
	{ "basic refused", REFUSED },
	{ "header: getinfo", LATE },
	{ "header: pause", LATE },
	{ "included: pause", "all" },
	{ "write: error", LATE },
	{ "write: error at a header", LATE },
	{ "header: error", LATE },
};

static const char *apart_of(const struct scenario *scenario)
{
	for (size_t i = 0; i < COUNT(differences); i++) {
		if (strcmp(differences[i].name, scenario->name) == 0)
			return differences[i].apart;
	}
	return NULL;
}

/* Nothing of these can reach the program; the rule says to try again. */
static const struct {
	const char *name;
	struct reply reply;
} failures[] = {
	{ "503", { .status = 503, .body = "busy" } },
	{ "503 without a body", { .status = 503, .headers = "X-Some: failure\r\n" } },
	{ "503 in chunks", { .status = 503, .body = NULL, .framing = REPLY_CHUNKED } },
	{ "503 to the end", { .status = 503, .body = "busy", .framing = REPLY_CLOSE } },
	{ "503 cut",
	  { .status = 503, .body = NULL, .ending = REPLY_CUT, .part = REPLY_BODY, .after = 99 } },
	{ "429", { .status = 429, .headers = "Retry-After: 0\r\n" } },
	{ "reset", { .ending = REPLY_RESET } },
	{ "cut", { .ending = REPLY_CUT } },
	{ "cut in the status", { .ending = REPLY_CUT, .part = REPLY_HEADER, .after = 10 } },
};

/* Rules that let every answer stream, and rules that make every answer wait for its body. */
#define RULES                                                                                      \
	"[retryshim]\nlog = none\n"                                                                \
	"[policy default]\nmax_attempts = 3\nbase = 1ms\njitter = none\n"                          \
	"[rule it]\nerror = reset, partial, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR\nstatus = 429, 503\nmethod = any\n"
#define HOLDING "[rule hold]\nstatus = 100-599\nbody = no such text\nmethod = any\n"

static const char *rules[2];

/* For the transfer past the shim. */
static char plugin_word[512];
static const char *const keep_deepbind[] = { "RETRYSHIM_KEEP_DEEPBIND=1", NULL };

static int prepare(void **state)
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

static int clean_up(void **state)
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
	struct reply script[MAX_GOOD + 2] = { { .path = "/second",
						.times = 99,
						.headers = "X-Second: 1\r\n",
						.body = "the second" } };
	size_t count = 1;

	if (failure)
		script[count++] = complete_failure(*failure);
	for (size_t i = 0; i < MAX_GOOD && is_used(&scenario->good[i]); i++)
		script[count++] = complete(scenario, scenario->good[i]);
	return server_start(script, count);
}

/* How the transfers are driven: NULL for curl_easy_perform(). */
static const char *driven;

static struct run trace(enum run_under under, const char *rules_path, struct server *server,
			const struct scenario *scenario, const char *const *more)
{
	const char *argv[MAX_WORDS + 8] = { helper_path("transfer-trace"), plugin_word };
	char texts[MAX_WORDS + 8][512];
	size_t count = 2;

	if (driven)
		argv[count++] = driven;
	for (size_t i = 0; more && more[i]; i++)
		argv[count++] = more[i];
	for (size_t i = 0; i < MAX_WORDS && scenario->words[i]; i++)
		argv[count++] = scenario->words[i];
	for (size_t i = 1; i < count; i++) {
		const char *at = strchr(argv[i], '@');

		if (!at)
			continue;
		(void)snprintf(texts[i], sizeof(texts[i]), "%.*s%s", (int)(at - argv[i]), argv[i],
			       server_url(server, at + 1));
		argv[i] = texts[i];
	}
	return run_program(&(struct program){
		.argv = argv, .under = under, .rules = rules_path, .env = keep_deepbind });
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

/* All that differ are told before the test fails. */
static int differing;

static void check_same(const struct run *run, const struct run *bare,
		       const struct scenario *scenario, const char *failure, size_t r)
{
	const char *apart = apart_of(scenario);
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
	differing++;
}

static int begin_test(void **state)
{
	(void)state;
	differing = 0;
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

static void check_unfailing(const struct scenario *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *const *more = extras(&table[i], true);
		struct run bare = run_once(RUN_BARE, NULL, &table[i], NULL, more);

		assert_exit(bare, 0);
		for (size_t r = 0; r < COUNT(rules); r++) {
			struct run run = run_once(RUN_SHIM, rules[r], &table[i], NULL, more);

			check_same(&run, &bare, &table[i], "none", r);
			run_free(&run);
		}
		run_free(&bare);
	}
}

static void check_failing(const struct scenario *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct run bare =
			run_once(RUN_BARE, NULL, &table[i], NULL, extras(&table[i], false));

		for (size_t f = 0; f < COUNT(failures); f++) {
			size_t r = (i + f) % COUNT(rules);
			struct run run = run_once(RUN_SHIM, rules[r], &table[i], &failures[f].reply,
						  extras(&table[i], false));

			check_same(&run, &bare, &table[i], failures[f].name, r);
			run_free(&run);
		}
		run_free(&bare);
	}
}

static void responses_with_nothing_failing(void **state)
{
	(void)state;
	check_unfailing(responses, COUNT(responses));
	assert_int_equal(differing, 0);
}

static void requests_with_nothing_failing(void **state)
{
	(void)state;
	check_unfailing(requests, COUNT(requests));
	assert_int_equal(differing, 0);
}

static void callbacks_with_nothing_failing(void **state)
{
	(void)state;
	check_unfailing(callbacks, COUNT(callbacks));
	assert_int_equal(differing, 0);
}

static void responses_after_a_failure(void **state)
{
	(void)state;
	check_failing(responses, COUNT(responses));
	assert_int_equal(differing, 0);
}

static void requests_after_a_failure(void **state)
{
	(void)state;
	check_failing(requests, COUNT(requests));
	assert_int_equal(differing, 0);
}

static void callbacks_after_a_failure(void **state)
{
	(void)state;
	check_failing(callbacks, COUNT(callbacks));
	assert_int_equal(differing, 0);
}

/* All combinations of callbacks and pointers that are set or not, headers included or not. */
static void every_way_to_receive(void **state)
{
	static const struct reply busy = { .status = 503, .body = "busy" };
	static const struct reply *const ways[] = { NULL, &busy };

	(void)state;
	for (unsigned sinks = 0; sinks < 16; sinks++) {
		char word[16];
		const char *const more[] = { word, NULL };

		(void)snprintf(word, sizeof(word), "sinks=%u", sinks);
		for (size_t i = 0; i < 2; i++) {
			struct run bare = run_once(RUN_BARE, NULL, &responses[i], NULL, more);

			for (size_t way = 0; way < 4; way++) {
				struct run run = run_once(RUN_SHIM, rules[way % 2], &responses[i],
							  ways[way / 2], more);

				check_same(&run, &bare, &responses[i], word, way % 2);
				run_free(&run);
			}
			run_free(&bare);
		}
	}
	assert_int_equal(differing, 0);
}

static void check_driven(const char *how)
{
	driven = how;
	check_unfailing(responses, COUNT(responses));
	check_unfailing(callbacks, COUNT(callbacks));
	check_failing(responses, COUNT(responses));
	check_failing(requests, COUNT(requests));
	check_failing(callbacks, COUNT(callbacks));
	driven = NULL;
	assert_int_equal(differing, 0);
}

static void through_the_multi_interface_by_poll(void **state)
{
	(void)state;
	check_driven("multi=1");
}

static void through_the_multi_interface_by_sockets(void **state)
{
	(void)state;
	check_driven("multi=2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(responses_with_nothing_failing, begin_test),
		cmocka_unit_test_setup(requests_with_nothing_failing, begin_test),
		cmocka_unit_test_setup(callbacks_with_nothing_failing, begin_test),
		cmocka_unit_test_setup(every_way_to_receive, begin_test),
		cmocka_unit_test_setup(responses_after_a_failure, begin_test),
		cmocka_unit_test_setup(requests_after_a_failure, begin_test),
		cmocka_unit_test_setup(callbacks_after_a_failure, begin_test),
		cmocka_unit_test_setup(through_the_multi_interface_by_poll, begin_test),
		cmocka_unit_test_setup(through_the_multi_interface_by_sockets, begin_test),
	};

	return cmocka_run_group_tests(tests, prepare, clean_up);
}
