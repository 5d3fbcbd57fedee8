#include "resuming.h"
#include "trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What only the last attempt knows. */
#define OF_THE_LAST "info REQUEST_SIZE"

char *resumed_object;
const char *resumed_rules;

int resuming_prepare(void **state)
{
	(void)state;
	resumed_object = noise(SIZE, 7);
	resumed_rules = rules_file(POLICY RULE);
	return 0;
}

int resuming_clean_up(void **state)
{
	(void)state;
	free(resumed_object);
	return 0;
}

struct reply resumed_whole(const char *headers)
{
	return (struct reply){ .headers = headers, .body = resumed_object, .body_len = SIZE };
}

struct reply resumed_broken(struct reply reply, size_t after)
{
	reply.ending = REPLY_CUT;
	reply.part = REPLY_BODY;
	reply.after = after;
	return reply;
}

struct reply resumed_part(size_t first, size_t end, const char *more, char *room)
{
	(void)snprintf(room, ROOM, "Content-Range: bytes %zu-%zu/%d\r\n%s", first, end - 1, SIZE,
		       more);
	return (struct reply){ .status = 206,
			       .headers = room,
			       .body = resumed_object + first,
			       .body_len = end - first };
}

struct child *resumed_start(enum run_under under, const char *rules_path, struct server *server,
			    const char *const *words)
{
	const char *argv[12] = { helper_path("transfer-trace") };
	char nested[256] = "nested=";
	size_t count = 1;

	for (; words && words[count - 1]; count++)
		argv[count] = words[count - 1];
	(void)snprintf(nested, sizeof(nested), "nested=%s", server_url(server, "/nested"));
	argv[count++] = nested;
	argv[count++] = server_url(server, "/o");
	return child_start(&(struct program){ .argv = argv, .under = under, .rules = rules_path });
}

struct run resumed_trace(enum run_under under, const char *rules_path, struct server *server,
			 const char *const *words)
{
	return child_finish(resumed_start(under, rules_path, server, words));
}

struct run resumed_bare(const struct reply *reply, const char *const *words)
{
	struct server *server = server_start(reply, 1);
	struct run run = resumed_trace(RUN_BARE, NULL, server, words);

	server_stop(server);
	return run;
}

void resumed_check(struct run *run, struct run *bare, const char *what)
{
	struct trace_difference at;

	assert_exit(*run, bare->status);
	if (trace_differs(run->err, bare->err, OF_THE_LAST, &at)) {
		print_error("%s: the first other line: %.*s\n  wanted: %.*s\n", what, at.got_len,
			    at.got, at.wanted_len, at.wanted);
		fail();
	}
	assert_bytes(run->out, run->out_len, bare->out, bare->out_len);
	run_free(run);
	run_free(bare);
}
