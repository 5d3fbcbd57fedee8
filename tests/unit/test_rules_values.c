/* The odd values of rules files, and what is and is not said of them. */
#include "rules_helper.h"

#include <errno.h>

#include "retry/fault.h"
#include "retry/ns.h"
#include "rules/names.h"
#include "rules/values.h"

#define RULE "[rule a]\nerror = refused\n"

static struct told told;

static void refused(const char *text, const char *why)
{
	struct rs_rules *rules;

	assert_int_equal(load_text(text, &told, &rules), -EINVAL);
	for (size_t i = 0; i < told.count; i++) {
		if (strstr(told.at[i].text, why))
			return;
	}
	print_told(&told);
	fail_msg("not said: %s", why);
}

static void all_refused(const char *format, const char *const *values, const char *why)
{
	for (; *values; values++) {
		char text[400];

		(void)snprintf(text, sizeof(text), "%s%s\n", format, *values);
		refused(text, why);
	}
}

static void numbers(void **state)
{
	static const char *const durations[] = { ".5s", "0x", "s", "1.5.5s", NULL };
	static const char *const sizes[] = { "big", "1.5KiB", "0KiBs", NULL };
	static const char *const counts[] = { "x", "1.0", "5x", NULL };
	static const char *const rates[] = { "fast", "2.", "1.0000001", NULL };
	static const char *const ports[] = { "http", "80.5", "80x", "0", NULL };
	static const char *const prefixes[] = { "x", "8.5", "8x", "33", NULL };

	(void)state;
	all_refused(RULE "base = ", durations, "");
	all_refused("[retryshim]\nbody_limit = ", sizes, "");
	all_refused("[quota q]\ncapacity = ", counts, "no whole number");
	all_refused(RULE "rate = ", rates, "no number of at most six decimals");
	all_refused(RULE "port = ", ports, "is no port");
	all_refused(RULE "address = 10.0.0.0/", prefixes, "no prefix length");
	refused("[retryshim]\nseed = 18446744073709551616\n", "too large");
}

static void nothing_is_a_number_too(void **state)
{
	struct rs_rules *rules =
		load_good("[retryshim]\nbody_limit = 0\nseed = -1\n"
			  "annotate = no\n[policy default]\ncap = 0\nfresh_connection = yes\n");

	(void)state;
	assert_int_equal(rules->settings.body_limit, 0);
	assert_true(rules->settings.seed == UINT64_MAX);
	assert_int_equal(rules->policies[0].cap_ns, 0);
	rs_rules_free(rules);
}

static void statuses(void **state)
{
	static const char *const wrong[] = { "0xx", "axx", "5x5",     "5Xx",      "5xxx",
					     "5a0", "50a", "500x",    "500-5000", "500-abc",
					     "050", ":xx", "5XX-599", NULL };
	struct rs_rules *rules = load_good("[rule a]\nstatus = 4XX, 500-504\n");

	(void)state;
	assert_true(rs_status_in(rules->rules[0].status, 400));
	assert_true(rs_status_in(rules->rules[0].status, 504));
	assert_false(rs_status_in(rules->rules[0].status, 505));
	rs_rules_free(rules);
	all_refused("[rule a]\nstatus = ", wrong, "no status");
}

/* ---- faults ---- */

#define FAULT "[fault f]\n"

static void values_of_faults(void **state)
{
	static const char *const chances[] = { "x", "0.5x", "0.1234567", "1.5", NULL };
	static const char *const statuses[] = { "100", "600", "x", NULL };
	static const char *const headers[] = { "Name", ": x", NULL };
	static const char *const counts[] = { "x", NULL };

	(void)state;
	all_refused(FAULT "error = refused\nprobability = ", chances, "is no probability");
	all_refused(FAULT "status = ", statuses, "");
	all_refused(FAULT "header = ", headers, "'Name: value' is meant");
	all_refused(FAULT "error = refused\nfirst = ", counts, "no whole number");
	refused(FAULT "error = refused\nevery = 0\n", "must be more than 0");
	refused(FAULT "error = xyzzyxyzzyxyzzy\n", "unknown error name 'xyzzyxyzzyxyzzy'");
	refused(FAULT "error = refusd\n", "did you mean 'refused'?");
	refused(FAULT "status =\n", "'status' has no value");
	refused(FAULT "delay = x-5s\n", "no duration");
	refused(FAULT "delay = 1s-x\n", "no duration");
	refused(FAULT "delay = 2s-1s\n", "the range '2s-1s' is empty");
	refused(FAULT "delay = 1111111111111111111111111111111111111111s-2s\n", "no duration");
	refused(FAULT "error = refused\nstatus = 500\n", "take out either error");
	refused(FAULT "error = refused\ncut = 5B\n", "take out either error");
	refused(FAULT "call = connect\nerror = EAI_AGAIN\n", "that its calls do not end with");
	refused(FAULT "host = x\n", "does nothing");
}

/* A fault that a wrong key has left without an effect is not blamed for that, too. */
static void one_complaint_is_enough(void **state)
{
	(void)state;
	refused(FAULT "status = x\n", "no whole number");
	assert_int_equal(told.count, 1);
	refused(FAULT, "is empty");
	assert_int_equal(told.count, 1);
}

static void a_response_too_long(void **state)
{
	enum { LINES = 500 };
	static char text[LINES * 160];
	size_t len = (size_t)snprintf(text, sizeof(text), FAULT "body = x");

	(void)state;
	for (int i = 0; i < LINES; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "\n %0140d", i);
	refused(text, "more than 64 KiB");
}

static struct rs_rules *with_faults(const char *text, const char *faults)
{
	char path[32];
	struct rs_load_request request = {
		.paths = path,
		.faults = faults,
		.complain = hear,
		.arg = &told,
	};
	struct rs_rules *rules;

	told.count = 0;
	write_file(path, text, strlen(text));
	if (rs_rules_load(&request, &rules) != 0) {
		print_told(&told);
		fail();
	}
	unlink(path);
	return rules;
}

/* Those of the command line take a name that no file has given. */
static void names_of_faults(void **state)
{
	struct rs_rules *rules = with_faults("[fault fault-2]\nstatus = 500\n",
					     "\tstatus\t=\t503\t,delay= 1s \n\n \nerror=EPIPE");

	(void)state;
	assert_int_equal(rules->fault_count, 3);
	assert_string_equal(rules->faults[0].name, "fault-2");
	assert_string_equal(rules->faults[1].name, "fault-1");
	assert_int_equal(rules->faults[1].status, 503);
	assert_int_equal(rules->faults[1].delay_min_ns, RS_NS_PER_S);
	assert_int_equal(rules->faults[2].error.sys, EPIPE);
	assert_string_not_equal(rules->faults[1].name, rules->faults[0].name);
	assert_string_not_equal(rules->faults[1].name, rules->faults[2].name);
	assert_string_not_equal(rules->faults[2].name, rules->faults[0].name);
	rs_rules_free(rules);
}

/* ---- rules ---- */

static void words_and_lists(void **state)
{
	struct rs_rules *rules;

	(void)state;
	refused("[rule a]\nerror = {timeout\n", "unknown error name '{timeout'");
	refused("[rule a]\nbody_regex = a{1\n", "no regular expression");
	refused("[rule a]\nbody_regex = (a{99,}){999999}\n", "repeats too much");
	refused("[rule a]\nbody_regex = a{x}\n", "no regular expression");
	refused(RULE "policy =\n", "'policy' has no value");
	assert_int_equal(told.count, 1);
	refused("[retryshim]\n[rule a]\nerror = any\n", "section [retryshim] is empty");
	refused(RULE "policy = zzzzzzzz\n", "there is no [policy zzzzzzzz]");
	rules = load_good("[rule a]\nbody_regex = ab{0}c{1,}d{2,30}e\n"
			  "method = g~t\nhost = a,\n  b=c,\n  a-name-longer-than-any-key=d\n"
			  "quota = standard\n");
	assert_int_equal(rules->rules[0].host.count, 3);
	assert_string_equal(rules->rules[0].method.names.at[0].at, "G~T");
	assert_int_equal(rules->rules[0].policy.quota, 0);
	rs_rules_free(rules);
}

/* So many are compared, and no more. */
static void a_name_among_many(void **state)
{
	static char text[120 * 40];
	size_t len = 0;

	(void)state;
	for (int i = 0; i < 120; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"[policy number-%03d]\nbase = 1s\n", i);
	(void)snprintf(text + len, sizeof(text) - len, RULE "policy = numbr-050\n");
	refused(text, "did you mean 'number-050'?");
}

/* Either limit is one; a rule without a line is one complaint. */
static void limits_of_attempts(void **state)
{
	static const char *const limits[] = { "attempt_timeout", "connect_timeout", "cap" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char text[100];
		struct rs_rules *rules;

		(void)snprintf(text, sizeof(text), RULE "%s = 1s\n", limits[i]);
		rules = load_good(text);
		assert_int_equal(rules->limits, i < 2);
		rs_rules_free(rules);
	}
	refused("[rule a]\n"
		"[rule b]\nerror = any\n",
		"section [rule a] is empty");
	assert_int_equal(told.count, 1);
}

/* What is only watched is not made to fail. */
static void modes_and_logs(void **state)
{
	struct rs_rules *rules =
		load_good("[retryshim]\nmode = observe\nlog = some.file\n" FAULT "status = 500\n");

	(void)state;
	assert_int_equal(rules->fault_calls, 0);
	assert_string_equal(rules->settings.log, "some.file");
	rs_rules_free(rules);
}

/* What cannot be read may have held what is missing: that is not said as well. */
static void half_of_the_files(void **state)
{
	char path[32], paths[128];
	struct rs_rules *rules;

	(void)state;
	write_file(path, RULE "quota = theirs\npolicy = theirs\n", 56);
	(void)snprintf(paths, sizeof(paths), "/nonexistent/1:%s::/nonexistent/2", path);
	assert_int_equal(load_paths(paths, NULL, &told, &rules), -ENOENT);
	assert_int_equal(told.count, 2);
	assert_string_equal(told.at[0].file, "/nonexistent/1");
	assert_string_equal(told.at[1].file, "/nonexistent/2");
	unlink(path);
}

/* ---- who asks, and who does not ---- */

static int silently(const char *text, const char *options)
{
	char path[32];
	struct rs_load_request request = { .paths = path, .options = options };
	struct rs_rules *rules;
	int rc;

	write_file(path, text, strlen(text));
	rc = rs_rules_load(&request, &rules);
	unlink(path);
	rs_rules_free(rules);
	return rc;
}

/* A program under the shim with bad rules: nobody reads what is wrong, and it is wrong all the
 * same. */
static void without_an_ear(void **state)
{
	(void)state;
	assert_int_equal(silently("[ruel a]\nerror = any\n", NULL), -EINVAL);
	assert_int_equal(silently("[rule a]\nerror = timeuot\n", NULL), -EINVAL);
	assert_int_equal(silently("[rule a]\neror = any\n", NULL), -EINVAL);
	assert_int_equal(silently(RULE "policy = fast\n", NULL), -EINVAL);
	assert_int_equal(silently(FAULT "error = timeuot\n", NULL), -EINVAL);
	assert_int_equal(silently(RULE, "=5"), -EINVAL);
	assert_int_equal(silently(RULE, "max_attempts=x"), -EINVAL);
	assert_int_equal(silently(RULE, "\tmax_attempts\t=\t3\t; ;log = none"), 0);
}

static void short_files(void **state)
{
	struct rs_rules *rules;

	(void)state;
	rs_rules_free(load_good("\n"));
	rs_rules_free(load_good(";"));
	rs_rules_free(load_good("\xef\xbb\xbf" RULE));
	assert_int_equal(load_bytes("\xfe\xff\0[", 4, &told, &rules), -EINVAL);
	assert_non_null(strstr(told.at[0].text, "UTF-16"));
	refused("\xef\xbb", "neither");
	refused("\xef\xbb[rule a]\n", "neither");
}

/* Complaints stand together by their files, and there by lines, in whatever order they were found.
 */
static void complaints_in_order(void **state)
{
	char one[32], two[32], paths[80];
	struct rs_rules *rules;
	int files = 1;

	(void)state;
	write_file(one, "[rule a]\nhost = x\n[rule b]\nerror = foo\nred = 1\n", 47);
	write_file(two, "[rule c]\nhost = x\n[rule d]\nerror = foo\nred = 1\n", 47);
	(void)snprintf(paths, sizeof(paths), "%s:%s", one, two);
	assert_int_equal(load_paths(paths, "max_attempts=x", &told, &rules), -EINVAL);
	assert_int_equal(told.count, 7);
	for (size_t i = 1; i < told.count; i++) {
		if (strcmp(told.at[i - 1].file, told.at[i].file) == 0)
			assert_true(told.at[i - 1].line <= told.at[i].line);
		else
			files++;
	}
	assert_int_equal(files, 3);
	unlink(one);
	unlink(two);
}

/* ---- choices ---- */

static void more_choices_than_fit(void **state)
{
	static const char many[] =
		"first-of-many-words\0second-of-many-words\0third-of-many-words\0"
		"fourth-of-many-words\0e\0f\0g\0h\0i\0j\0";
	struct rs_why why = { "" };
	unsigned choice;

	(void)state;
	assert_true(rs_value_choice("j", many, &choice, &why));
	assert_int_equal(choice, 9);
	assert_false(rs_value_choice("something else altogether", many, &choice, &why));
	assert_non_null(strstr(why.text, "one of first-of-many-words, second-of-many-words"));
}

static void names_too_long_to_compare(void **state)
{
	static const char *const names[] = {
		"a-name-of-more-than-the-forty-eight-bytes-that-are-compared", "near"
	};

	(void)state;
	assert_string_equal(rs_nearest("nea", names, 2), "near");
	assert_null(rs_nearest(names[0], names, 2));
	assert_null(rs_nearest("", names, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(nothing_is_a_number_too),
		cmocka_unit_test(statuses),
		cmocka_unit_test(values_of_faults),
		cmocka_unit_test(one_complaint_is_enough),
		cmocka_unit_test(a_response_too_long),
		cmocka_unit_test(names_of_faults),
		cmocka_unit_test(words_and_lists),
		cmocka_unit_test(a_name_among_many),
		cmocka_unit_test(limits_of_attempts),
		cmocka_unit_test(modes_and_logs),
		cmocka_unit_test(half_of_the_files),
		cmocka_unit_test(without_an_ear),
		cmocka_unit_test(short_files),
		cmocka_unit_test(complaints_in_order),
		cmocka_unit_test(more_choices_than_fit),
		cmocka_unit_test(names_too_long_to_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
