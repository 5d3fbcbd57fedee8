#include "recovering.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define POLICY "[policy default]\nmax_attempts = 3\nbase = 10ms\njitter = none\n"

const char *recovering_script(const char *name, const char *text)
{
	const char *path = temp_file(name, text, strlen(text));

	assert_int_equal(chmod(path, 0700), 0);
	return path;
}

const char *recovering_rules(const char *settings, const char *rule)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), "[retryshim]\nlog_level = warn\n%s\n" POLICY "%s",
		       settings, rule);
	return rules_file(text);
}

const char *recovering_rule(const char *command)
{
	static char text[1024];

	(void)snprintf(text, sizeof(text),
		       "[rule token]\nclass = recoverable\nstatus = 401\nmethod = any\n"
		       "recover = %s\n",
		       command);
	return text;
}

struct server *recovering_serve(int tokens)
{
	static struct reply replies[] = {
		{ .path = "/token", .body = TOKEN },
		{ .path = "/o", .status = 401, .body = DENIED, .times = 1 },
		{ .path = "/o", .body = "the object\n" },
	};

	replies[1].times = tokens;
	return server_start(replies, 3);
}

const char *recovering_header(struct server *server, size_t index, const char *name)
{
	static char value[256];

	value[0] = '\0';
	request_header(server_request(server, index), name, value, sizeof(value));
	return value;
}
