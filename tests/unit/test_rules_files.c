/* Files: those that ship, those that are none, several at once, and where they are looked for. */
#include "rules_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "retry/ns.h"
#include "rules/where.h"

static void shipped_files_are_right(void **state)
{
	static const char *const paths[] = { "", "config/default.ini", "config/aws.ini",
					     "config/step-functions.ini",
					     "config/wait-for-service.ini" };
	static struct told told;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct rs_rules *rules;

		if (load_paths(paths[i], NULL, &told, &rules) != 0 || told.count > 0) {
			print_told(&told);
			fail_msg("%s is not right", paths[i]);
		}
		assert_true(rules->rule_count > 0);
		rs_rules_free(rules);
	}
}

static const struct rs_rule *rule_called(const struct rs_rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->rule_count; i++) {
		if (strcmp(rules->rules[i].name, name) == 0)
			return &rules->rules[i];
	}
	fail_msg("no rule %s", name);
	return NULL;
}

/* The longest the n-th wait, the waits in all, and at least, can be: exponential backoff. */
static double longest_ms(const struct rs_policy *policy, int n)
{
	double wait_ms = (double)policy->base_ns / RS_NS_PER_MS;
	double cap_ms = (double)policy->cap_ns / RS_NS_PER_MS;

	while (--n > 0)
		wait_ms *= (double)policy->rate_millionths / RS_RATE_ONE;
	return wait_ms < cap_ms ? wait_ms : cap_ms;
}

static double least_share(const struct rs_policy *policy)
{
	return policy->jitter == RS_JITTER_NONE ? 1 : policy->jitter == RS_JITTER_EQUAL ? 0.5 : 0;
}

/* What the comments in default.ini promise. */
static void assert_reaches(const struct rs_policy *policy)
{
	double share = least_share(policy);
	double begins_ms = 0, least_ms = 0, most_ms = 0;

	for (int n = 1; n < policy->max_attempts; n++) {
		double wait_ms = longest_ms(policy, n);

		if (begins_ms < 300)
			assert_true(300 + wait_ms < 560);
		begins_ms += wait_ms * share;
		least_ms += wait_ms * share;
		most_ms += wait_ms;
	}
	assert_true(least_ms > 1600);
	assert_true(most_ms < 3850);
	assert_true(policy->max_elapsed_ns > 4 * RS_NS_PER_S);
}

static void default_rules_keep_their_promises(void **state)
{
	static struct told told;
	struct rs_rules *rules;
	const struct rs_policy *policy;

	(void)state;
	assert_int_equal(load_paths(NULL, NULL, &told, &rules), 0);
	assert_reaches(&rule_called(rules, "curl-connect")->policy);
	policy = &rule_called(rules, "connect")->policy;
	assert_reaches(policy);
	assert_int_equal(policy->jitter, RS_JITTER_NONE);
	policy = &rule_called(rules, "unavailable")->policy;
	assert_true(policy->base_ns <= 250 * RS_NS_PER_MS);
	assert_false(rule_called(rules, "unavailable")->method.any);
	assert_int_equal(rule_called(rules, "unavailable")->method.names.count, 6);
	policy = &rule_called(rules, "throttled-503")->policy;
	assert_true(policy->base_ns <= 250 * RS_NS_PER_MS);
	rs_rules_free(rules);
}

static void several_files_read_as_one(void **state)
{
	static const char first[] = "[rule a]\nerror = any\npolicy = p\n";
	static const char second[] = "[policy p]\nbase = 3s\n[rule b]\nstatus = 500\n";
	static struct told told;
	struct rs_rules *rules;
	char one[32], two[32], paths[128];

	(void)state;
	write_file(one, first, strlen(first));
	write_file(two, second, strlen(second));
	snprintf(paths, sizeof(paths), "%s::%s:", one, two);
	assert_int_equal(load_paths(paths, NULL, &told, &rules), 0);
	assert_int_equal(rules->rule_count, 2);
	assert_int_equal(rules->rules[0].policy.base_ns, 3 * RS_NS_PER_S);
	assert_string_equal(rules->rules[1].file, two);
	rs_rules_free(rules);
	unlink(one);
	unlink(two);
}

static void both_places_of_a_repeated_section(void **state)
{
	static const char text[] = "\n[rule a]\nerror = any\n";
	static struct told told;
	struct rs_rules *rules;
	char one[32], two[32], paths[128], place[64];

	(void)state;
	write_file(one, text, strlen(text));
	write_file(two, text, strlen(text));
	snprintf(paths, sizeof(paths), "%s:%s", one, two);
	assert_int_equal(load_paths(paths, NULL, &told, &rules), -EINVAL);
	unlink(one);
	unlink(two);
	snprintf(place, sizeof(place), "%s:2", one);
	assert_int_equal(told.count, 1);
	assert_string_equal(told.at[0].file, two);
	assert_int_equal(told.at[0].line, 2);
	assert_non_null(strstr(told.at[0].text, place));
}

static void what_is_no_file(void **state)
{
	static struct told told;
	struct rs_rules *rules;
	char directory[] = "/tmp/rs-rules-XXXXXX";
	char fifo[64];

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(fifo, sizeof(fifo), "%s/fifo", directory);
	assert_int_equal(mkfifo(fifo, 0600), 0);

	alarm(10); /* a FIFO that is waited for ends the test */
	assert_int_equal(load_paths(fifo, NULL, &told, &rules), -EINVAL);
	alarm(0);
	assert_non_null(strstr(told.at[0].text, "is a FIFO"));
	unlink(fifo);

	assert_int_equal(load_paths(fifo, NULL, &told, &rules), -ENOENT);
	assert_string_equal(told.at[0].text, "No such file or directory");
	assert_string_equal(told.at[0].file, fifo);
	assert_int_equal(told.at[0].line, 0);

	assert_int_equal(load_paths(directory, NULL, &told, &rules), -EISDIR);
	assert_non_null(strstr(told.at[0].text, "is a directory"));
	rmdir(directory);

	assert_int_equal(load_paths("/dev/null", NULL, &told, &rules), -EINVAL);
	assert_non_null(strstr(told.at[0].text, "is a device"));
}

static void a_missing_file_does_not_hide_other_faults(void **state)
{
	static const char text[] = "[rule a]\nerror = any\npolicy = elsewhere\nbase = 5\n";
	static struct told told;
	struct rs_rules *rules;
	char path[32], paths[128];

	(void)state;
	write_file(path, text, strlen(text));
	snprintf(paths, sizeof(paths), "/nonexistent.ini:%s", path);
	assert_int_equal(load_paths(paths, NULL, &told, &rules), -ENOENT);
	unlink(path);
	/* The policy may stand in the missing file. */
	assert_int_equal(told.count, 2);
	assert_int_equal(told.at[1].line, 4);
}

static void garbage_gives_a_bounded_answer(void **state)
{
	enum { SIZE = 10 * 1024 * 1024 };
	static struct told told;
	struct rs_rules *rules;
	char *garbage = malloc(SIZE);
	uint32_t x = 1;

	(void)state;
	assert_non_null(garbage);
	for (size_t i = 0; i < SIZE; i++) {
		x = x * 1664525 + 1013904223;
		garbage[i] = (char)(x >> 24);
	}
	assert_int_equal(load_bytes(garbage, SIZE, &told, &rules), -EINVAL);
	free(garbage);
	assert_int_equal(told.count, 101);
	assert_non_null(strstr(told.at[100].text, "more like these"));
}

struct all_told {
	size_t count, faults;
	int lines[2]; /* of each of two files, the last one */
	const char *last_file;
	bool second, in_order;
};

static void hear_all(void *arg, const struct rs_complaint *complaint)
{
	struct all_told *all = arg;

	all->second |= all->count > 0 && complaint->file != all->last_file;
	all->in_order &= complaint->line >= all->lines[all->second];
	all->lines[all->second] = complaint->line;
	all->last_file = complaint->file;
	all->count++;
	all->faults += complaint->faults;
}

/* Keys that are wrong are found while the file is read, values when rules are made of it. */
static void write_wrong_rules(char path[32], char file, int rules)
{
	static const char format[] = "[rule %c%d]\nbase = 5\nstatus = 99\nbses = 1s\n";
	const size_t most = sizeof(format) + 16;
	char *text = malloc((size_t)rules * most);
	size_t len = 0;

	assert_non_null(text);
	for (int i = 0; i < rules; i++)
		len += (size_t)snprintf(text + len, most, format, file, i);
	write_file(path, text, len);
	free(text);
}

static void every_fault_is_told_where_all_are_wanted(void **state)
{
	enum { RULES = 2000, FAULTS = 3 };
	struct all_told all = { .in_order = true };
	struct rs_load_request request = { .want_all = true, .complain = hear_all, .arg = &all };
	char first[32], second[32], paths[70];
	struct rs_rules *rules;

	(void)state;
	write_wrong_rules(first, 'a', RULES);
	write_wrong_rules(second, 'b', RULES);
	(void)snprintf(paths, sizeof(paths), "%s:%s", first, second);
	request.paths = paths;
	assert_int_equal(rs_rules_load(&request, &rules), -EINVAL);
	assert_int_equal(all.count, 2 * RULES * FAULTS);
	assert_int_equal(all.faults, all.count);
	assert_true(all.in_order);

	all = (struct all_told){ .in_order = true };
	request.want_all = false;
	assert_int_equal(rs_rules_load(&request, &rules), -EINVAL);
	assert_int_equal(all.count, 101);
	assert_int_equal(all.faults, 2 * RULES * FAULTS);
	unlink(first);
	unlink(second);
}

static void an_empty_file_has_no_rules(void **state)
{
	struct rs_rules *rules = load_good("");

	(void)state;
	assert_int_equal(rules->rule_count, 0);
	assert_int_equal(rules->policy_count, 1);
	rs_rules_free(rules);
}

static void utf16_is_named(void **state)
{
	static struct told told;
	struct rs_rules *rules;

	(void)state;
	assert_int_equal(load_bytes("\xff\xfe[\0r\0", 6, &told, &rules), -EINVAL);
	assert_int_equal(told.count, 1);
	assert_non_null(strstr(told.at[0].text, "UTF-16"));
}

static void nobody_need_listen(void **state)
{
	struct rs_load_request request = { .paths = "/nonexistent.ini" };
	struct rs_rules *rules;

	(void)state;
	assert_int_equal(rs_rules_load(&request, &rules), -ENOENT);
	assert_null(rules);
	request.paths = NULL;
	request.options = "policy=x";
	assert_int_equal(rs_rules_load(&request, &rules), -EINVAL);
	assert_null(rules);
	rs_rules_free(NULL);
}

static void where_rules_are_looked_for(void **state)
{
	const char *builtin = access(RS_SYSTEM_RULES, F_OK) == 0 ? RS_SYSTEM_RULES : "";
	char home[] = "/tmp/rs-rules-XXXXXX";
	char path[64], buf[64];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(home));
	snprintf(path, sizeof(path), "%s/retryshim.ini", home);

	assert_int_equal(rs_rules_where("/a:/b", home, buf, sizeof(buf)), 5);
	assert_string_equal(buf, "/a:/b");
	rs_rules_where("", home, buf, sizeof(buf));
	assert_string_equal(buf, builtin);

	fd = creat(path, 0600);
	assert_true(fd >= 0);
	close(fd);
	rs_rules_where("", home, buf, sizeof(buf));
	assert_string_equal(buf, path);
	rs_rules_where(NULL, home + 1, buf, sizeof(buf));
	assert_string_equal(buf, builtin);
	rs_rules_where(NULL, NULL, buf, sizeof(buf));
	assert_string_equal(buf, builtin);
	assert_int_equal(rs_rules_where(NULL, home, buf, 10), strlen(path));
	assert_string_equal(buf, "");
	unlink(path);
	rmdir(home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shipped_files_are_right),
		cmocka_unit_test(default_rules_keep_their_promises),
		cmocka_unit_test(several_files_read_as_one),
		cmocka_unit_test(both_places_of_a_repeated_section),
		cmocka_unit_test(what_is_no_file),
		cmocka_unit_test(a_missing_file_does_not_hide_other_faults),
		cmocka_unit_test(garbage_gives_a_bounded_answer),
		cmocka_unit_test(every_fault_is_told_where_all_are_wanted),
		cmocka_unit_test(an_empty_file_has_no_rules),
		cmocka_unit_test(utf16_is_named),
		cmocka_unit_test(nobody_need_listen),
		cmocka_unit_test(where_rules_are_looked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
