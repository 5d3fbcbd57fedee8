/*
 * Clients, and the rules that they are run with.
 */
#include "client.h"

#include <stdio.h>
#include <string.h>

const char client_rules[] =
	"[retryshim]\nlog_level = info\n"
	"[policy default]\nbase = 20ms\nbackoff = constant\njitter = none\nquota = none\n"
	"max_attempts = 500\n"
	"[rule it]\ncall = connect\nerror = refused, ENOENT\n";

static const char *const *with_name(const struct client *client, const char *name)
{
	static const char *argv[17];
	static char words[16][512];

	for (int i = 0; i < 16; i++) {
		const char *word = client->argv[i];
		const char *at = word ? strchr(word, '@') : NULL;

		argv[i] = word;
		if (!at)
			continue;
		(void)snprintf(words[i], sizeof(words[i]), "%.*s%s%s", (int)(at - word), word, name,
			       at + 1);
		argv[i] = words[i];
	}
	return argv;
}

struct program client_program(const struct client *client, const char *name, enum run_under under)
{
	return (struct program){ .argv = with_name(client, name),
				 .under = under,
				 .rules = rules_file(client_rules) };
}
