/*
 * Commands into words, as a shell would quote them; and whose files they are taken from.
 */
#include "rules_helper.h"

#include <sys/stat.h>

#include "rules/words.h"

/* The words with a '|' after each. */
static const char *split(const char *text)
{
	static char joined[256], copy[256];
	char *at[130];
	struct rs_words words = { .at = at };
	const char *why;
	size_t len = 0;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	if (!rs_words_split(copy, &words, &why))
		return why;
	joined[0] = '\0';
	for (size_t i = 0; i < words.count; i++)
		len += (size_t)snprintf(joined + len, sizeof(joined) - len, "%s|", words.at[i]);
	assert_null(words.at[words.count]);
	return joined;
}

static void words_and_quotes(void **state)
{
	(void)state;
	assert_string_equal(split("a"), "a|");
	assert_string_equal(split("  a \t bc  d "), "a|bc|d|");
	assert_string_equal(split("a\nb\n"), "a|b|");
	assert_string_equal(split(""), "");
	assert_string_equal(split("'a b' \"c d\""), "a b|c d|");
	assert_string_equal(split("a'b c'd\"e f\"g"), "ab cde fg|");
	assert_string_equal(split("'' \"\" a''"), "||a|");
	assert_string_equal(split("a\\ b \\'"), "a b|'|");
	assert_string_equal(split("'\\n' \"\\n\" \\n"), "\\n|\\n|n|");
	assert_string_equal(split("\"\\$ \\` \\\" \\\\ \\a\""), "$ ` \" \\ \\a|");
	assert_string_equal(split("'it'\\''s'"), "it's|");
	assert_string_equal(split("é 'ü'"), "é|ü|");
}

static void what_is_not_closed(void **state)
{
	(void)state;
	assert_string_equal(split("a 'b"), "a ' is not closed");
	assert_string_equal(split("a \"b'"), "a \" is not closed");
	assert_string_equal(split("a \"b\\\""), "a \" is not closed");
	assert_string_equal(split("a \\"), "nothing follows the last \\");
	assert_string_equal(split("a \"b\\"), "a \" is not closed");
}

#define FOLLOWUP(command) "[rule a]\nstatus = 500\nclass = followup\nfollowup = " command "\n"

static void commands_of_rules(void **state)
{
	struct rs_rules *rules = load_good(FOLLOWUP("sh -c 'cat >x'\n  two \"th ree\""));
	const char *const *words = rules->rules[0].followup;

	(void)state;
	assert_null(rules->rules[0].recover);
	assert_string_equal(words[0], "sh");
	assert_string_equal(words[1], "-c");
	assert_string_equal(words[2], "cat >x");
	assert_string_equal(words[3], "two");
	assert_string_equal(words[4], "th ree");
	assert_null(words[5]);
	rs_rules_free(rules);
}

/* No shell will see it: most likely a mistake, but none that we can be sure of. */
static void what_only_a_shell_knows_is_a_warning(void **state)
{
	static const struct {
		const char *text;
		size_t warnings;
	} rows[] = {
		{ FOLLOWUP("cat /proc/loadavg | logger"), 1 },
		{ FOLLOWUP("touch $HOME/x"), 1 },
		{ FOLLOWUP("a && b"), 1 },
		{ FOLLOWUP("a &"), 1 },
		{ FOLLOWUP("a \\; b"), 1 },
		{ FOLLOWUP("curl http://127.0.0.1/?a=1&b=2"), 0 },
		{ FOLLOWUP("sh -c 'cat | logger $HOME && true'"), 0 },
		{ FOLLOWUP("sh -c \"echo $HOME\""), 0 },
	};
	static struct told told;
	struct rs_rules *rules;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(load_text(rows[i].text, &told, &rules), 0);
		assert_int_equal(told.count, rows[i].warnings);
		rs_rules_free(rules);
	}
}

static int load_with_mode(const char *text, mode_t mode, uid_t owner, struct told *told)
{
	struct rs_rules *rules;
	char path[32];
	int rc;

	write_file(path, text, strlen(text));
	assert_int_equal(chmod(path, mode), 0);
	if (owner != getuid() && chown(path, owner, (gid_t)-1) != 0)
		fail();
	rc = load_paths(path, NULL, told, &rules);
	unlink(path);
	rs_rules_free(rules);
	return rc;
}

static void commands_only_from_files_that_others_cannot_write(void **state)
{
	static struct told told;

	(void)state;
	assert_int_equal(load_with_mode(FOLLOWUP("true"), 0644, getuid(), &told), 0);
	assert_int_equal(load_with_mode(FOLLOWUP("true"), 0664, getuid(), &told), -22);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.at[0].line, 4);
	assert_non_null(strstr(told.at[0].text, "others than its owner may write (chmod go-w)"));
	assert_int_equal(load_with_mode(FOLLOWUP("true"), 0646, getuid(), &told), -22);
	assert_int_equal(load_with_mode("[rule a]\nstatus = 500\n", 0666, getuid(), &told), 0);
	if (getuid() != 0)
		return; /* nobody else can give a file away */
	assert_int_equal(load_with_mode(FOLLOWUP("true"), 0600, 65534, &told), -22);
	assert_non_null(strstr(told.at[0].text, "belongs neither to root nor to the user"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_quotes),
		cmocka_unit_test(what_is_not_closed),
		cmocka_unit_test(commands_of_rules),
		cmocka_unit_test(what_only_a_shell_knows_is_a_warning),
		cmocka_unit_test(commands_only_from_files_that_others_cannot_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
