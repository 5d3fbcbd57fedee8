/*
 * Request bodies are sent again byte for byte, from wherever they come; where that is not possible
 * the failure goes to the program. No server ever waits for bytes that do not come.
 */
#include "harness.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL     50000
#define LARGE     3000000 /* more than is kept of a stream */
#define OFFSET    1000
#define MAX_WORDS 14
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define OK                                                                                         \
	{                                                                                          \
		.body = "done"                                                                     \
	}
#define BUSY                                                                                       \
	{                                                                                          \
		.status = 503, .body = "busy"                                                      \
	}
#define EARLY                                                                                      \
	{                                                                                          \
		.status = 503, .body = "busy", .early = true                                       \
	}
#define BROKEN                                                                                     \
	{                                                                                          \
		.early = true, .ending = REPLY_RESET                                               \
	}
#define CLOSED                                                                                     \
	{                                                                                          \
		.ending = REPLY_CUT                                                                \
	}
#define MOVED                                                                                      \
	{                                                                                          \
		.path = "/o", .status = 307, .headers = "Location: /other\r\n"                     \
	}

#define POLICY "[policy default]\nmax_attempts = 4\nbase = 1ms\njitter = none\n"
#define RULES  POLICY "[rule it]\nerror = any\nstatus = 503\nmethod = any\n"

static char *bytes;
static const char *small_file, *large_file;
static const char *rules;

static int prepare(void **state)
{
	(void)state;
	bytes = noise(LARGE, 3);
	small_file = temp_file("small", bytes, SMALL);
	large_file = temp_file("large", bytes, LARGE);
	rules = rules_file(RULES);
	return 0;
}

static int clean_up(void **state)
{
	(void)state;
	free(bytes);
	return 0;
}

/* A program that sends; in its words S and L alone, or after = or @, are the files, and the bytes
 * on its stdin and in the request's body are a part of them. */
struct sender {
	const char *name, *words[MAX_WORDS];
	size_t input_len, first, end; /* end 0: a form, whose body only has to be the same */
};

static const struct sender senders[] = {
	{ "-d", { "curl", "-sS", "--data-binary", "@S" }, 0, 0, SMALL },
	{ "--data from a pipe", { "curl", "-sS", "--data-binary", "@-" }, SMALL, 0, SMALL },
	{ "-F", { "curl", "-sS", "-F", "a=b", "-F", "f=@S", "-F", "g=@L" }, 0, 0, 0 },
	{ "-F from a pipe", { "curl", "-sS", "-F", "a=b", "-F", "f=@-" }, LARGE, 0, 0 },
	{ "-T", { "curl", "-sS", "-T", "S" }, 0, 0, SMALL },
	{ "-T large", { "curl", "-sS", "-T", "L" }, 0, 0, LARGE },
	{ "-T from a pipe", { "curl", "-sS", "-T", "-" }, SMALL, 0, SMALL },
	{ "-T from a pipe that is read as it comes",
	  { "curl", "-sS", "-T", "." },
	  SMALL,
	  0,
	  SMALL },
	{ "-T -C", { "curl", "-sS", "-T", "S", "-C", "1000" }, 0, OFFSET, SMALL },
	{ "-T -C large", { "curl", "-sS", "-T", "L", "-C", "1000" }, 0, OFFSET, LARGE },
	{ "-T without waiting", { "curl", "-sS", "-T", "S", "-H", "Expect:" }, 0, 0, SMALL },
	{ "-T large without waiting", { "curl", "-sS", "-T", "L", "-H", "Expect:" }, 0, 0, LARGE },
	{ "-T waiting",
	  { "curl", "-sS", "-T", "S", "-H", "Expect: 100-continue", "--expect100-timeout", "9" },
	  0,
	  0,
	  SMALL },
	{ "a callback",
	  { "transfer-trace", "UPLOAD=1", "INFILESIZE_LARGE=50000", "upload=50000" },
	  0,
	  0,
	  SMALL },
	{ "a callback, in chunks",
	  { "transfer-trace", "POST=1", "upload=50000", "HTTPHEADER=Expect:" },
	  0,
	  0,
	  SMALL },
	{ "a callback that can be put back",
	  { "transfer-trace", "UPLOAD=1", "upload=3000000", "rewind=1" },
	  0,
	  0,
	  LARGE },
	{ "a callback from an offset",
	  { "transfer-trace", "UPLOAD=1", "upload=50000", "INFILESIZE_LARGE=50000",
	    "RESUME_FROM_LARGE=1000" },
	  0,
	  OFFSET,
	  SMALL },
	{ "a file", { "transfer-trace", "UPLOAD=1", "file=S" }, 0, 0, SMALL },
	{ "a file from where it stands",
	  { "transfer-trace", "UPLOAD=1", "file=S", "from=1000" },
	  0,
	  OFFSET,
	  SMALL },
	{ "a large file from where it stands",
	  { "transfer-trace", "UPLOAD=1", "file=L", "from=1000" },
	  0,
	  OFFSET,
	  LARGE },
};

/* What becomes of the first attempts. The body is read from the start before the last answer. */
static const struct course {
	const char *name;
	struct reply replies[4];
} courses[] = {
	{ "503", { BUSY, OK } },
	{ "503 twice", { BUSY, BUSY, OK } },
	{ "503 in the middle", { EARLY, OK } },
	{ "a reset in the middle", { BROKEN, OK } },
	{ "a reset and a 503", { BROKEN, BUSY, OK } },
};

static const char *file_word(const char *word, char *room, size_t size)
{
	size_t len = strlen(word);
	const char *file = len && word[len - 1] == 'S' ? small_file : large_file;
	bool stands_alone = len == 1 || (len > 1 && strchr("@=", word[len - 2]));

	if (len == 0 || !strchr("SL", word[len - 1]) || !stands_alone)
		return word;
	(void)snprintf(room, size, "%.*s%s", (int)len - 1, word, file);
	return room;
}

static struct run send_to(struct server *server, const struct sender *sender, const char *more)
{
	const char *argv[MAX_WORDS + 4];
	char rooms[MAX_WORDS][4200];
	size_t count = 0;

	for (; sender->words[count]; count++)
		argv[count] = file_word(sender->words[count], rooms[count], sizeof(rooms[0]));
	if (count > 0 && strcmp(sender->words[0], "transfer-trace") == 0)
		argv[0] = helper_path("transfer-trace");
	if (more)
		argv[count++] = more;
	argv[count++] = server_url(server, "/o");
	argv[count] = NULL;
	return run_program(&(struct program){ .argv = argv,
					      .under = RUN_SHIM,
					      .rules = rules,
					      .input = sender->input_len ? bytes : NULL,
					      .input_len = sender->input_len });
}

static size_t reply_count(const struct course *course)
{
	size_t count = 1;

	while (count < COUNT(course->replies) &&
	       strcmp(course->replies[count - 1].body
			      ? (const char *)course->replies[count - 1].body
			      : "",
		      "done") != 0)
		count++;
	return count;
}

/* Every body that the server has got whole is the right one; for forms: the same one. */
static void check_bodies(struct server *server, const struct sender *sender, const char *course)
{
	size_t count, whole = 0;
	const struct request *const *requests = server_requests(server, &count);
	const struct request *last = requests[count - 1];
	const char *wanted = sender->end ? bytes + sender->first : last->body;
	size_t len = sender->end ? sender->end - sender->first : last->body_len;

	for (size_t i = 0; i < count; i++) {
		if (!requests[i]->body_whole)
			continue;
		whole++;
		if (requests[i]->body_len == len && memcmp(requests[i]->body, wanted, len) == 0)
			continue;
		print_error("%s, %s: body %zu of %zu differs: %zu bytes, wanted %zu\n",
			    sender->name, course, i, count, requests[i]->body_len, len);
		fail();
	}
	if (whole == 0 || !last->body_whole)
		fail_msg("%s, %s: the last body is not whole", sender->name, course);
}

static void every_body_is_sent_again(void **state)
{
	(void)state;
	for (size_t s = 0; s < COUNT(senders); s++) {
		for (size_t c = 0; c < COUNT(courses); c++) {
			size_t count = reply_count(&courses[c]);
			struct server *server = server_start(courses[c].replies, count);
			struct run run = send_to(server, &senders[s], NULL);

			if (run.status != 0 || server_request_count(server) != count)
				print_error("%s, %s: %zu requests\n", senders[s].name,
					    courses[c].name, server_request_count(server));
			assert_exit(run, 0);
			assert_int_equal(server_request_count(server), count);
			check_bodies(server, &senders[s], courses[c].name);
			run_free(&run);
			server_stop(server);
		}
	}
}

/* A stream that is longer than what is kept of it: the failure, and one line that says why. */
static void too_long_a_stream_is_not_sent_again(void **state)
{
	static const struct sender pipe = { "", { "curl", "-sS", "-T", "-" }, LARGE, 0, LARGE };
	static const struct sender callback = {
		"", { "transfer-trace", "UPLOAD=1", "upload=3000000" }, 0, 0, LARGE
	};
	const struct sender *const both[] = { &pipe, &callback };
	const struct reply busy[] = { BUSY, OK };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct server *server = server_start(busy, 2);
		struct run run = send_to(server, both[i], NULL);

		assert_exit(run, 0);
		if (i == 0)
			assert_output(run, "busy");
		assert_int_equal(server_request_count(server), 1);
		assert_int_equal(count_lines(run.err, "retryshim: "), 1);
		assert_contains(run.err, "reason=not_replayable");
		check_bodies(server, both[i], "too long");
		run_free(&run);
		server_stop(server);
	}
}

/* libcurl asks for them once in a handle's life, and forgets that it has let go of what it got. */
static void trailers_are_not_sent_again(void **state)
{
	static const struct sender trailing = { "trailers",
						{ "transfer-trace", "POST=1", "upload=50000",
						  "trailers=1", "HTTPHEADER=Expect:" },
						0,
						0,
						SMALL };
	const struct reply busy[] = { BUSY, OK };
	struct server *server = server_start(busy, 2), *refusing = server_start_refusing();
	struct run run = send_to(server, &trailing, NULL);

	(void)state;
	assert_exit(run, 0);
	assert_int_equal(server_request_count(server), 1);
	assert_int_equal(count_lines(run.err, "trailers"), 1);
	assert_contains(run.err, "reason=not_replayable");
	check_bodies(server, &trailing, "busy");
	run_free(&run);
	run = send_to(refusing, &trailing, NULL);
	assert_contains(run.err, "reason=attempts");
	run_free(&run);
	server_stop(refusing);
	server_stop(server);
}

/* libcurl sends a body twice by itself; what it sent first and what a retry sends is the same. */
/* libcurl itself begins the second attempt again, on another connection, and wants the body from
 * its start. */
static void a_kept_connection_is_gone(void **state)
{
	static const struct sender callback = { "",
						{ "transfer-trace", "UPLOAD=1", "upload=50000",
						  "INFILESIZE_LARGE=50000", "HTTPHEADER=Expect:" },
						0,
						0,
						SMALL };
	const struct reply gone[] = { BUSY, CLOSED, OK };
	struct server *server = server_start(gone, 3);
	const char *others = rules;
	struct run run;

	(void)state;
	rules = rules_file(POLICY "[rule it]\nstatus = 503\nmethod = any\n");
	run = send_to(server, &callback, NULL);
	rules = others;
	assert_exit(run, 0);
	assert_contains(run.err, "result 0 ");
	assert_int_equal(server_request_count(server), 3);
	check_bodies(server, &callback, "a connection that is gone");
	run_free(&run);
	server_stop(server);
}

static void redirects_with_a_body(void **state)
{
	static const struct sender curls[] = {
		{ "-d", { "curl", "-sSL", "--data-binary", "@S" }, 0, 0, SMALL },
		{ "-T", { "curl", "-sSL", "-T", "S" }, 0, 0, SMALL },
		{ "-T large", { "curl", "-sSL", "-T", "L" }, 0, 0, LARGE },
		{ "-F", { "curl", "-sSL", "-F", "f=@S" }, 0, 0, 0 },
		{ "a callback that can be put back",
		  { "transfer-trace", "FOLLOWLOCATION=1", "UPLOAD=1", "upload=50000", "rewind=1" },
		  0,
		  0,
		  SMALL },
		{ "a long one",
		  { "transfer-trace", "FOLLOWLOCATION=1", "UPLOAD=1", "upload=3000000",
		    "INFILESIZE_LARGE=3000000", "rewind=1" },
		  0,
		  0,
		  LARGE },
		{ "a file",
		  { "transfer-trace", "FOLLOWLOCATION=1", "UPLOAD=1", "file=L" },
		  0,
		  0,
		  LARGE },
	};
	static const struct course ways[] = {
		{ "moved, 503", { MOVED, BUSY, MOVED, OK } },
		{ "503 early, moved", { EARLY, MOVED, OK } },
		{ "reset, moved", { BROKEN, MOVED, OK } },
	};

	(void)state;
	for (size_t s = 0; s < COUNT(curls); s++) {
		for (size_t w = 0; w < COUNT(ways); w++) {
			size_t count = reply_count(&ways[w]);
			struct server *server = server_start(ways[w].replies, count);
			struct run run = send_to(server, &curls[s], NULL);

			if (run.status != 0 || server_request_count(server) != count)
				print_error("%s, %s: %zu requests\n", curls[s].name, ways[w].name,
					    server_request_count(server));
			assert_exit(run, 0);
			assert_int_equal(server_request_count(server), count);
			check_bodies(server, &curls[s], ways[w].name);
			run_free(&run);
			server_stop(server);
		}
	}
}

/* libcurl sends it again, without having asked: what is said of the question is no response, unless
 * CURLOPT_FAILONERROR makes it one. */
static void nobody_is_asked_whether_to_send(void **state)
{
	static const struct sender curl = {
		"-T", { "curl", "-sSi", "--expect100-timeout", "9", "-T", "L" }, 0, 0, LARGE
	};
	static const struct reply script[] = {
		{ .raw = "HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno", .early = true },
		{ .status = 503, .body = "busy" },
		{ .status = 200, .body = "object" },
	};

	const char *usual = rules;

	(void)state;
	rules = rules_file(POLICY "[rule it]\nstatus = 503\nmethod = any\n");
	for (int fails = 0; fails <= 1; fails++) {
		struct server *server = server_start(script, COUNT(script));
		struct run run = send_to(server, &curl, fails ? "-f" : NULL);

		assert_exit(run, fails ? 22 : 0);
		assert_int_equal(server_request_count(server), fails ? 1 : 3);
		assert_int_equal(count_lines(run.out, "HTTP/1.1"), 1);
		assert_lacks(run.out, "503");
		run_free(&run);
		server_stop(server);
	}
	rules = usual;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_body_is_sent_again),
		cmocka_unit_test(too_long_a_stream_is_not_sent_again),
		cmocka_unit_test(trailers_are_not_sent_again),
		cmocka_unit_test(a_kept_connection_is_gone),
		cmocka_unit_test(redirects_with_a_body),
		cmocka_unit_test(nobody_is_asked_whether_to_send),
	};

	return cmocka_run_group_tests(tests, prepare, clean_up);
}
