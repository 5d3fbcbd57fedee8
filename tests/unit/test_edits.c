/*
 * What a recover command may print, and what of it may be shown.
 */
#include "unit.h"

#include "ops/edits.h"

static struct rs_edits edits;
static char text[16384];

static int parse(const char *printed)
{
	size_t len = strlen(printed);

	assert_true(len < sizeof(text));
	memcpy(text, printed, len + 1);
	return rs_edits_parse(text, len, &edits);
}

static void assert_edit(size_t i, enum rs_edit_kind kind, const char *wanted)
{
	assert_true(i < edits.count);
	assert_int_equal(edits.at[i].kind, kind);
	assert_string_equal(edits.at[i].text, wanted);
}

static void the_three_lines(void **state)
{
	(void)state;
	assert_int_equal(parse("set-header Authorization: Bearer a.b.c\n"
			       "remove-header X-Old\n"
			       "set-url https://other.example/x?y=z\n"),
			 0);
	assert_int_equal(edits.count, 3);
	assert_edit(0, RS_EDIT_SET_HEADER, "Authorization: Bearer a.b.c");
	assert_edit(1, RS_EDIT_REMOVE_HEADER, "X-Old");
	assert_edit(2, RS_EDIT_SET_URL, "https://other.example/x?y=z");
}

static void blanks_and_line_ends(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_int_equal(edits.count, 0);
	assert_int_equal(parse("\n  \r\n\n"), 0);
	assert_int_equal(edits.count, 0);
	assert_int_equal(parse("  set-header \t A:b \r\nset-header C:"), 0);
	assert_edit(0, RS_EDIT_SET_HEADER, "A:b");
	assert_edit(1, RS_EDIT_SET_HEADER, "C:");
}

static void anything_else_is_wrong(void **state)
{
	static const char *const wrong[] = {
		"token\n",
		"set-header\n",
		"set-header \n",
		"set-header Authorization\n",
		"set-header A B: c\n",
		"set-header : c\n",
		"set-header A: \001\n",
		"set-headers A: b\n",
		"SET-HEADER A: b\n",
		"remove-header A: b\n",
		"remove-header\n",
		"set-url\n",
		"set-url http://a b\n",
		"set-url a\tb\n",
	};
	char later[128];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(parse(wrong[i]), 1);
		(void)snprintf(later, sizeof(later), "\nset-header A: b\n%s", wrong[i]);
		assert_int_equal(parse(later), 3);
	}
	/* A NUL ends nothing. */
	memcpy(text, "set-header A: b\0c", 18);
	assert_int_equal(rs_edits_parse(text, 17, &edits), 1);
}

static void so_many_and_no_more(void **state)
{
	char many[8192] = "";
	size_t len = 0;

	(void)state;
	for (int i = 0; i < RS_EDITS_MAX; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len, "set-header A%d: b\n", i);
	assert_int_equal(parse(many), 0);
	assert_int_equal(edits.count, RS_EDITS_MAX);
	(void)snprintf(many + len, sizeof(many) - len, "set-header B: c\n");
	assert_int_equal(parse(many), RS_EDITS_MAX + 1);
}

static const char *shown(const char *printed)
{
	static char buf[257];
	struct rs_line line = { .text = buf, .size = sizeof(buf) - 1 };

	rs_edits_show(span(printed), &line);
	buf[line.len] = '\0';
	return buf;
}

static void secrets_are_not_shown(void **state)
{
	(void)state;
	assert_string_equal(shown("set-header Authorization: Bearer secret\nremove-header X\n"),
			    "set-header Authorization\nremove-header X\n");
	assert_string_equal(shown("set-url https://me:secret@h/x?token=secret#y\n"),
			    "set-url https://h/x\n");
	assert_string_equal(shown("set-header Bearer secret\n"), "set-header Bearer\n");
	assert_string_equal(shown("no answer from h"), "no answer from h\n");
	assert_string_equal(
		shown("set-headers Authorization: Bearer secret\nseturl http://me:x@h/\n"),
		"set-headers Authorization: (not shown)\nseturl http: (not shown)\n");
	assert_string_equal(shown(""), "");
}

/* Cut anywhere, a password may look like a host. */
static void half_a_url_is_not_shown(void **state)
{
	static const char with_nul[] = "set-url http://me:secret\0@h/x\n";
	char printed[4096] = "set-url http://me:";
	char buf[64];
	struct rs_line line = { .text = buf, .size = sizeof(buf) };
	size_t len = strlen(printed);

	(void)state;
	memset(printed + len, 's', 3000);
	(void)snprintf(printed + len + 3000, 8, "@h/x");
	assert_string_equal(shown(printed), "set-url (not shown)\n");
	rs_edits_show((struct rs_span){ with_nul, sizeof(with_nul) - 1 }, &line);
	assert_int_equal(line.len, strlen("set-url (not shown)\n"));
	assert_memory_equal(buf, "set-url (not shown)\n", line.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_three_lines),        cmocka_unit_test(blanks_and_line_ends),
		cmocka_unit_test(anything_else_is_wrong), cmocka_unit_test(so_many_and_no_more),
		cmocka_unit_test(secrets_are_not_shown),  cmocka_unit_test(half_a_url_is_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
