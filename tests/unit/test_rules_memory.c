/* Memory that runs out at any moment while rules are loaded: they are loaded, or -ENOMEM is said.
 */
#include "rules_helper.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "retry/brief.h"
#include "rules/unite.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

static void memory_runs_out_anywhere(void **state)
{
	(void)state;
	skip(); /* the sanitizers want mmap(2) for themselves */
}

#else

static long maps_left = -1; /* mappings that are still granted; negative: any number */

/* The rules are the only ones here that map memory for themselves. */
void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	if (maps_left == 0) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	maps_left -= maps_left > 0;
	return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
}

static const char rules_text[] =
	"[retryshim]\nlog = /tmp/a-path-that-is-long-enough-to-be-what-there-is-no-room-for\n"
	"seed = 5\n[quota q]\ncapacity = 7\n"
	"[policy p]\nquota = q\nbase = 1s\n"
	"[rule a]\ncall = curl\nerror = tls, timeout\n"
	"method = GET, A-METHOD-WITH-A-NAME-SO-LONG-THAT-THERE-MAY-BE-NO-ROOM-FOR-IT\n"
	"scheme = a-scheme-with-a-name-so-long-that-there-may-be-no-room-for-it.at-all\n"
	"host = a.*, *.b\nport = 80, 81\nurl = *x*y\nprogram = curl, wget\npolicy = p\n"
	"[rule b]\ncall = connect\naddress = 10.0.0.0/8, /run/*\nerror = refused\n"
	"[rule c]\nstatus = 5xx\nbody = one,\n  two\n\n"
	"header = A-Header-With-A-Name-So-Long-That-There-May-Be-No-Room-For-It: "
	"a-value-so-long-that-there-may-be-no-room-for-it-either-where-there-was-for-the-name*\n"
	"[rule d]\nstatus = 503\nbody_regex = a(b|c)\nrate = 3\n"
	"[rule e]\nstatus = 504\nclass = followup\nfollowup = one two\n"
	"host = the-last-thing-that-there-is-room-for.example.org\n"
	"[rule f]\nstatus = 429\nrate_limit = adaptive\n"
	"[quota r]\nscope = target\n[quota s]\nscope = target\n"
	"[fault f]\nheader = A: b\n C: d\nbody = one\n two\n[fault g]\nerror = refused\n"
	"[rule wrong]\nerror = REFUSED\nbase = 3\nbase = 4\ncap = 1s\ncap = 2s\n"
	"[rule worse]\nerror = REFUSED\nbase = 3\nbase = 4\ncap = 1s\n";

#define PACED_PART   "[rule f]"
#define LARGE_PART   "[quota r]"
#define WRONG_PART   "[rule wrong]"
#define PADDING_MOST 16800
#define LINES_MOST   500

enum part {
	UP_TO_PACED,
	UP_TO_LARGE, /* without what takes a chunk of its own */
	UP_TO_WRONG,
	ALL,
};

/* A file of these rules behind a rule with many texts, so that the end of a chunk of memory falls
 * somewhere else for each number of them. */
static void write_rules(char path[32], size_t lines, enum part part)
{
	static char text[LINES_MOST * 16 + sizeof(rules_text) + 64];
	size_t len = (size_t)snprintf(text, sizeof(text), "[rule pad]\nbody = x");
	const char *end = part == UP_TO_PACED   ? strstr(rules_text, PACED_PART)
			  : part == UP_TO_LARGE ? strstr(rules_text, LARGE_PART)
			  : part == UP_TO_WRONG ? strstr(rules_text, WRONG_PART)
						: strchr(rules_text, '\0');

	for (size_t i = 0; i < lines; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ",\n %zu", i % 10);
	text[len++] = '\n';
	memcpy(text + len, rules_text, (size_t)(end - rules_text));
	write_file(path, text, len + (size_t)(end - rules_text));
}

static const char *more_faults; /* of the command line */

static void load_with(const char *path, long maps, bool right)
{
	static struct told told;
	const struct rs_load_request request = {
		.paths = path,
		.options = "max_attempts=3",
		.faults = more_faults,
		.want_warnings = true,
		.complain = hear,
		.arg = &told,
	};
	struct rs_rules *rules = NULL;
	int rc;

	told.count = 0;
	maps_left = maps;
	rc = rs_rules_load(&request, &rules);
	maps_left = -1;
	if (rc == -ENOMEM)
		assert_string_equal(told.at[told.count - 1].text, "out of memory");
	else
		assert_int_equal(rc, right ? 0 : -EINVAL);
	assert_int_equal(rules != NULL, rc == 0);
	rs_rules_free(rules);
}

static void memory_runs_out_anywhere(void **state)
{
	char path[32];

	(void)state;
	for (size_t lines = 0; lines < LINES_MOST; lines++) {
		more_faults = lines % 3 ? "status=503,delay=1s\nerror=refused" : NULL;
		write_rules(path, lines, lines % 2 ? UP_TO_WRONG : ALL);
		for (long maps = 0; maps < 8; maps++)
			load_with(path, maps, lines % 2 > 0);
		unlink(path);
	}
	more_faults = NULL;
}

/* Paths are copied to where the rules are: with each of these lengths before it the text finds the
 * end of a chunk somewhere else. The file of the padding is empty. */
static void pad_paths(char *paths, const char *empty, const char *right, size_t pad)
{
	static const char dir[] = "/tmp/";

	while (pad > 0) {
		size_t len = pad < 4000 ? pad : 4000, dots = len / 2;

		memcpy(paths, dir, sizeof(dir) - 1);
		paths += sizeof(dir) - 1;
		for (size_t i = 0; i < dots; i++, paths += 2)
			memcpy(paths, "./", 2);
		paths = stpcpy(stpcpy(paths, empty + sizeof(dir) - 1), ":");
		pad -= len;
	}
	stpcpy(paths, right);
}

static void memory_runs_out_at_once(void **state)
{
	static char paths[PADDING_MOST * 2 + 400];
	char empty[32], right[32];

	(void)state;
	write_file(empty, "", 0);
	for (enum part part = UP_TO_PACED; part <= UP_TO_WRONG; part++) {
		write_rules(right, 0, part);
		/* What is allocated first is small, and needs the longest padding. */
		for (size_t pad = 0; pad < PADDING_MOST; pad += pad < 14000 ? 64 : 8) {
			pad_paths(paths, empty, right, pad);
			for (long maps = 2; maps < 5; maps++)
				load_with(paths, maps, true);
		}
		unlink(right);
	}
	unlink(empty);
}

/* The texts of many faults, after the table that counts them. */
static void memory_runs_out_for_faults(void **state)
{
	enum { FAULTS = 60, LONG = 1500 };
	static char faults[FAULTS * (LONG + 40)];
	char path[32], *end = faults;

	(void)state;
	for (int i = 0; i < FAULTS; i++)
		end += snprintf(end, LONG + 40, "status=503,header=A: %0*d\n", LONG, i);
	more_faults = faults;
	write_rules(path, 0, UP_TO_PACED);
	for (long maps = 0; maps < 12; maps++)
		load_with(path, maps, true);
	unlink(path);
	more_faults = NULL;
}

/* Long comments: it is the text itself that there is no room for, or what is made of it first. */
static void memory_runs_out_with_the_text(void **state)
{
	static char text[PADDING_MOST + 64];
	char path[32];

	(void)state;
	for (size_t pad = 0; pad < PADDING_MOST; pad += 128) {
		size_t len = 0;

		for (; len < pad; len += 64) {
			memset(text + len, '#', 63);
			text[len + 63] = '\n';
		}
		len += (size_t)snprintf(text + len, 64, "[rule a]\nstatus = 503\n");
		write_file(path, text, len);
		for (long maps = 1; maps < 5; maps++)
			load_with(path, maps, true);
		unlink(path);
	}
}

/* A few rules have none, and need no memory for them. */
static void memory_runs_out_for_briefs(void **state)
{
	struct rs_rule some[RS_BRIEF_LEAST] = { { .status = NULL } };
	struct rs_rules rules = { .rules = some, .rule_count = RS_BRIEF_LEAST - 1 };
	struct rs_arena arena = { 0 };

	(void)state;
	maps_left = 0;
	assert_true(rs_unite_rules(&rules, &arena));
	rules.rule_count++;
	assert_false(rs_unite_rules(&rules, &arena));
	assert_null(rules.briefs);
	maps_left = -1;
	assert_true(rs_unite_rules(&rules, &arena));
	assert_non_null(rules.briefs);
	rs_arena_free(&arena);
}

/* So many that what is made for all of them takes mappings of its own: each fails in its turn. */
static void memory_runs_out_for_many_rules(void **state)
{
	enum { RULES = 1500, MAPS = 64 };
	static char text[RULES * 32];
	char path[32];
	size_t len = 0;

	(void)state;
	for (int i = 0; i < RULES; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"[rule r%d]\nstatus = 503\n", i);
	write_file(path, text, len);
	for (long maps = 0; maps < MAPS; maps++)
		load_with(path, maps, true);
	unlink(path);
}

/* A file that grows while it is read; -EINVAL where it was read. */
static void memory_runs_out_while_reading(void **state)
{
	(void)state;
	for (long maps = 1; maps < 12; maps++)
		load_with("/proc/self/smaps", maps, false);
}

/* Nobody's commands are run because it was forgotten whose they are. */
static void memory_runs_out_for_distrust(void **state)
{
	static char paths[PADDING_MOST];
	char path[32], *end = paths;

	(void)state;
	write_rules(path, 0, UP_TO_LARGE);
	assert_int_equal(chmod(path, 0666), 0);
	/* Room is made for as many files as there are colons. */
	for (int colons = 0; colons < 600; colons++) {
		stpcpy(end, path);
		for (long maps = 1; maps < 5; maps++)
			load_with(paths, maps, false);
		end = stpcpy(end, ":");
	}
	unlink(path);
}

/* Without files, and without anybody who asks. */
static void memory_runs_out_for_the_built_in_rules(void **state)
{
	static struct told told;
	struct rs_load_request request = { .faults = "status=503,delay=1s\nerror=refused" };
	struct rs_rules *rules;
	bool loaded = false;

	(void)state;
	for (long maps = 0; maps < 8; maps++) {
		maps_left = maps;
		request.paths = maps % 2 ? "" : NULL;
		request.complain = maps % 3 ? hear : NULL;
		request.arg = &told;
		told.count = 0;
		loaded = rs_rules_load(&request, &rules) == 0;
		maps_left = -1;
		assert_int_equal(rules != NULL, loaded);
		if (!loaded && request.complain)
			assert_string_equal(told.at[0].file, "built-in rules");
		rs_rules_free(rules);
	}
	assert_true(loaded);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_runs_out_anywhere),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		cmocka_unit_test(memory_runs_out_at_once),
		cmocka_unit_test(memory_runs_out_for_faults),
		cmocka_unit_test(memory_runs_out_with_the_text),
		cmocka_unit_test(memory_runs_out_for_briefs),
		cmocka_unit_test(memory_runs_out_for_many_rules),
		cmocka_unit_test(memory_runs_out_while_reading),
		cmocka_unit_test(memory_runs_out_for_distrust),
		cmocka_unit_test(memory_runs_out_for_the_built_in_rules),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
