/*
 * The pure core: rules read from a file, and an outcome judged that none of them fits.
 */
#include <stddef.h>
#include <string.h>

#include "loop.h"
#include "retry/match.h"
#include "rules/load.h"

static struct rs_load_request request;
static struct rs_rules *rules;

static bool takes_path(char **args)
{
	request.paths = args[0];
	return args[0] && !args[1];
}

static bool load_first(char **args)
{
	return takes_path(args) && rs_rules_load(&request, &rules) == 0;
}

static struct rs_span span(const char *text)
{
	return (struct rs_span){ text, strlen(text) };
}

static void judge_often(struct loop_result *result, long count)
{
	const struct rs_target target = {
		.call = RS_CALL_CURL,
		.method = span("GET"),
		.scheme = span("http"),
		.host = span("storage.example.net"),
		.url = span("http://storage.example.net/photos/2024/a.jpg"),
		.port = 80,
		.program = "loop",
	};
	const struct rs_outcome unavailable = {
		.status = 503,
		.headers = span("Content-Type: text/plain\r\nContent-Length: 5\r\n"),
		.body = span("busy\n"),
		.body_complete = true,
	};

	for (long i = 0; i < count; i++) {
		const struct rs_rule *rule = NULL;
		int64_t began_ns = loop_now_ns();

		result->good += rs_match(rules, &target, &unavailable, RS_KNOWN_ALL, &rule) ==
				RS_MATCH_NONE;
		result->took_ns[i] = loop_now_ns() - began_ns;
	}
}

static void parse_often(struct loop_result *result, long count)
{
	for (long i = 0; i < count; i++) {
		struct rs_rules *read = NULL;
		int64_t began_ns = loop_now_ns();

		result->good += rs_rules_load(&request, &read) == 0;
		result->took_ns[i] = loop_now_ns() - began_ns;
		rs_rules_free(read);
	}
}

const struct loop_kind loop_judge = { "judge", load_first, judge_often };
const struct loop_kind loop_parse = { "parse", takes_path, parse_often };
