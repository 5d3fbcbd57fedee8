/* The corners of rules files: odd values, odd files, and rules that hide each other just not. */
#include "rules_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "rules/where.h"

/* ---- values ---- */

static void assert_refused(const char *text, const char *why)
{
	static struct told told;
	struct rs_rules *rules;

	assert_int_equal(load_text(text, &told, &rules), -EINVAL);
	for (size_t i = 0; i < told.count; i++) {
		if (strstr(told.at[i].text, why))
			return;
	}
	print_told(&told);
	fail_msg("not said: %s", why);
}

static void numbers_too_large(void **state)
{
	(void)state;
	assert_refused("[retryshim]\nbody_limit = 99999999999GiB\n", "too large");
	assert_refused("[retryshim]\nseed = 99999999999999999999\n", "too large");
	assert_refused("[retryshim]\nseed = -\n", "is no integer");
	assert_refused("[retryshim]\nseed = 1x\n", "is no integer");
	assert_refused("[retryshim]\nbody_limit = 1.5KiB\n", "is no size");
	assert_refused("[retryshim]\nbody_limit = 5\n", "has no unit");
	assert_refused("[retryshim]\nbody_limit = 5Kib\n", "unknown unit");
	assert_refused("[retryshim]\nannotate = maybe\n", "neither yes nor no");
	assert_refused("[policy a]\nbase = 1.2.3s\n", "'1.2.3s'");
	assert_refused("[policy a]\nbase = 123456789012345678901234567890s\n", "");
}

static void addresses_that_are_none(void **state)
{
	(void)state;
	assert_refused("[rule a]\nerror = any\naddress = 11111111111111111111111111111111111111111"
		       "11111111111111111111\n",
		       "is no address");
	assert_refused("[rule a]\nerror = any\naddress = 10.0.0.0/33\n", "33");
	assert_refused("[rule a]\nerror = any\naddress = 10.0.0/8\n", "10.0.0/8");
	assert_refused("[rule a]\nerror = any\naddress = fd00::/x\n", "fd00::/x");
}

static void empty_names(void **state)
{
	(void)state;
	assert_refused("[rule a]\n = 5\nerror = any\n", "");
	assert_refused("[rule a]\nheader = : x\n", "");
	assert_refused("[rule a]\nheader = Name\n", "");
	assert_refused("[rule a]\nbody_regex = a(\n", "body_regex");
	assert_refused("[rule a]\nbody = a,,b\n", "");
}

/* ---- files ---- */

static void assert_unreadable(const char *path, int error, const char *why)
{
	static struct told told;
	struct rs_rules *rules;

	assert_int_equal(load_paths(path, NULL, &told, &rules), error);
	assert_string_equal(told.at[0].text, why);
	assert_int_equal(told.at[0].line, 0);
}

static void paths_that_cannot_be_opened(void **state)
{
	char directory[] = "/tmp/rs-rules-XXXXXX", link[64], name[300], socket_path[64];
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(link, sizeof(link), "%s/link", directory);
	assert_int_equal(symlink(link, link), 0);
	assert_unreadable(link, -ELOOP, "Too many levels of symbolic links");
	unlink(link);

	snprintf(socket_path, sizeof(socket_path), "%s/socket", directory);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", socket_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_unreadable(socket_path, -ENXIO, "ENXIO");
	close(fd);
	unlink(socket_path);
	rmdir(directory);

	memset(name, 'x', sizeof(name) - 1);
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	assert_unreadable(name, -ENAMETOOLONG, "ENAMETOOLONG");
	assert_unreadable("/dev/null/rules", -ENOTDIR, "Not a directory");
}

static void no_descriptor_left(void **state)
{
	struct rlimit before, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_unreadable("/etc/passwd", -EMFILE, "Too many open files");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void a_file_that_is_too_large(void **state)
{
	char path[32];

	(void)state;
	write_file(path, "", 0);
	assert_int_equal(truncate(path, 17 * 1024 * 1024), 0);
	assert_unreadable(path, -EFBIG, "is larger than 16 MiB");
	unlink(path);
}

/* Files in /proc say that they are empty, and are not. */
static void a_file_that_grows(void **state)
{
	static struct told told;
	struct rs_rules *rules;

	(void)state;
	assert_int_equal(load_paths("/proc/self/smaps", NULL, &told, &rules), -EINVAL);
	assert_true(told.at[0].line > 0);
}

static void rules_of_the_system(void **state)
{
	char buf[64], small[4];
	size_t len = rs_rules_where(NULL, "/nonexistent", buf, sizeof(buf));

	(void)state;
	assert_true(len == 0 || strcmp(buf, "/etc/retryshim.ini") == 0);
	assert_true(rs_rules_where("/a/long/path", NULL, small, sizeof(small)) >= sizeof(small));
}

/* ---- rules that hide each other ---- */

static size_t warnings_of(const char *text)
{
	static struct told told;
	struct rs_rules *rules;
	int rc = load_text(text, &told, &rules);

	if (rc)
		print_told(&told);
	assert_int_equal(rc, 0);
	rs_rules_free(rules);
	return told.count;
}

#define PAIR(wide, narrow) "[rule a]\nerror = any\n" wide "\n[rule b]\nerror = any\n" narrow "\n"

static void assert_hides(const char *pair)
{
	if (warnings_of(pair) != 1)
		fail_msg("not seen as hidden:\n%s", pair);
}

static void assert_shows(const char *pair)
{
	if (warnings_of(pair) != 0)
		fail_msg("seen as hidden:\n%s", pair);
}

static void what_a_scope_covers(void **state)
{
	(void)state;
	assert_hides(PAIR("host = *.org", "host = a.org"));
	assert_hides(PAIR("host = *.org", "host = *a.org"));
	assert_hides(PAIR("host = a*", "host = ab*"));
	assert_hides(PAIR("host = *", "host = ab*"));
	assert_hides(PAIR("host = a*b*c", "host = a*b*c"));
	assert_hides(PAIR("method = any", "method = GET"));
	assert_hides(PAIR("method = GET, PUT", "method = PUT"));
	assert_hides(PAIR("port = 80, 81", "port = 81"));
	assert_hides(PAIR("call = connect\naddress = 10.0.0.0/8", "call = connect\n"
								  "address = 10.1.0.0/9"));
	assert_hides(PAIR("call = connect\naddress = /run/*", "call = connect\naddress = /run/a"));
	assert_hides(PAIR("call = connect\naddress = 10.16.0.0/12", "call = connect\n"
								    "address = 10.17.0.0/16"));
	assert_hides("[rule a]\nstatus = 5xx\n[rule b]\nstatus = 503\nbody = x\n");
	assert_hides("[rule a]\nstatus = 5xx\nbody = x, y\n[rule b]\nstatus = 503\nbody = x\n");
}

static void what_a_scope_does_not_cover(void **state)
{
	(void)state;
	assert_shows(PAIR("host = *.org", "host = *.net"));
	assert_shows(PAIR("host = a*", "host = b*"));
	assert_shows(PAIR("host = a*", "host = *a"));
	assert_shows(PAIR("host = *a", "host = a*"));
	assert_shows(PAIR("host = a*b*c", "host = a*"));
	assert_shows(PAIR("host = a", ""));
	assert_shows(PAIR("method = GET", "method = PUT"));
	assert_shows(PAIR("method = GET", "method = POST"));
	assert_shows(PAIR("method = GET", "method = any"));
	assert_shows(PAIR("", "method = any"));
	assert_shows(PAIR("host = *abc", "host = *c"));
	assert_shows(PAIR("call = connect\naddress = 10.16.0.0/12", "call = connect\n"
								    "address = 10.32.0.0/16"));
	assert_shows(PAIR("method = idempotent", "method = any"));
	assert_shows(PAIR("port = 80", "port = 81"));
	assert_shows(PAIR("port = 80", ""));
	assert_shows(PAIR("call = connect", ""));
	assert_shows(PAIR("scheme = http", "scheme = https"));
	assert_shows(PAIR("url = *a", "url = *b"));
	assert_shows(PAIR("program = a", "program = b"));
	assert_shows(PAIR("call = connect\naddress = 10.0.0.0/8", "call = connect\n"
								  "address = 11.0.0.0/8"));
	assert_shows(PAIR("call = connect\naddress = 10.0.0.0/9", "call = connect\n"
								  "address = 10.0.0.0/8"));
	assert_shows(PAIR("call = connect\naddress = 10.0.0.0/9", "call = connect\n"
								  "address = 10.128.0.0/9"));
	assert_shows(PAIR("call = connect\naddress = fd00::/8", "call = connect\n"
								"address = 10.0.0.0/8"));
	assert_shows(PAIR("call = connect\naddress = 10.0.0.0/8", "call = connect"));
}

static void what_an_outcome_does_not_cover(void **state)
{
	(void)state;
	assert_shows("[rule a]\nerror = timeout\n[rule b]\nerror = dns\n");
	assert_shows("[rule a]\nerror = ECONNREFUSED\n[rule b]\nerror = EPIPE\n");
	assert_shows("[rule a]\nerror = EAI_AGAIN\n[rule b]\nerror = EAI_FAIL\n");
	assert_shows("[rule a]\nstatus = 500\n[rule b]\nstatus = 501\n");
	assert_shows("[rule a]\nstatus = 500\n[rule b]\nstatus = 500\nerror = dns\n");
	assert_shows("[rule a]\nerror = dns\n[rule b]\nstatus = 500\nerror = dns\n");
	assert_shows("[rule a]\nbody = x\n[rule b]\nbody = y\n");
	assert_shows("[rule a]\nbody = x\n[rule b]\nstatus = 500\n");
	assert_shows("[rule a]\nbody_regex = x\n[rule b]\nbody_regex = y\n");
	assert_shows("[rule a]\nbody_regex = x\n[rule b]\nstatus = 500\n");
	assert_shows("[rule a]\nheader = A: x\n[rule b]\nheader = B: x\n");
	assert_shows("[rule a]\nheader = A: x\n[rule b]\nheader = A: y\n");
	assert_shows("[rule a]\nheader = A: x\n[rule b]\nstatus = 500\n");
}

/* The rule in the way stands in another file. */
static void hidden_by_another_file(void **state)
{
	static struct told told;
	struct rs_rules *rules;
	char one[32], two[32], paths[80];

	(void)state;
	write_file(one, "[rule a]\nerror = any\n", 21);
	write_file(two, "[rule b]\nerror = dns\n", 21);
	snprintf(paths, sizeof(paths), "%s:%s", one, two);
	assert_int_equal(load_paths(paths, NULL, &told, &rules), 0);
	assert_int_equal(told.count, 1);
	assert_non_null(strstr(told.at[0].text, one));
	assert_string_equal(told.at[0].file, two);
	rs_rules_free(rules);
	unlink(one);
	unlink(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_too_large),
		cmocka_unit_test(addresses_that_are_none),
		cmocka_unit_test(empty_names),
		cmocka_unit_test(paths_that_cannot_be_opened),
		cmocka_unit_test(no_descriptor_left),
		cmocka_unit_test(a_file_that_is_too_large),
		cmocka_unit_test(a_file_that_grows),
		cmocka_unit_test(rules_of_the_system),
		cmocka_unit_test(what_a_scope_covers),
		cmocka_unit_test(what_a_scope_does_not_cover),
		cmocka_unit_test(what_an_outcome_does_not_cover),
		cmocka_unit_test(hidden_by_another_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
