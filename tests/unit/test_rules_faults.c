/* What is wrong with a rules file is told with its line and its cause. */
#include "rules_helper.h"

#define RULE "[rule a]\nerror = refused\n"

/* One fault each: the line it is in, and what its text says. */
static const struct {
	const char *text;
	int line;
	const char *says;
} faults[] = {
	/* sections */
	{ "[ruel a]\nerror = any\n", 1, "unknown section 'ruel' (did you mean 'rule'?)" },
	{ "[colours]\nred = 1\n", 1, "unknown section 'colours'" },
	{ "[rule]\nerror = any\n", 1, "[rule] needs a name" },
	{ "[rule a b]\nerror = any\n", 1, "'a b' is no name" },
	{ "[rule a/b]\nerror = any\n", 1, "'a/b' is no name" },
	{ "[rule a:b]\nerror = any\n", 1, "'a:b' is no name" },
	{ "[rule a^b]\nerror = any\n", 1, "'a^b' is no name" },
	{ "[rule a{b]\nerror = any\n", 1, "'a{b' is no name" },
	{ "[retryshim x]\nlog = none\n", 1, "takes no name" },
	{ "[quota none]\ncapacity = 1\n", 1, "cannot be called 'none'" },
	{ RULE "[rule a]\nerror = any\n", 3, "[rule a] is repeated: it stands in line 1" },
	{ "[retryshim]\nlog = none\n[retryshim]\nseed = 1\n", 3, "[retryshim] is repeated" },
	{ "[policy p]\n[policy q]\nbase = 1s\n", 1, "[policy p] is empty" },
	{ RULE "[policy p]\n# nothing\n", 3, "[policy p] is empty" },
	{ "[rule a\nerror = any\n", 1, "']' is missing" },
	{ "[rule a] x\nerror = any\n", 1, "unexpected text after ']': ' x'" },
	{ "[rule a23456789012345678901234567890123456789012345]\nerror = any\n", 1,
	  "50 bytes long and the parser takes 49" },
	{ "[fault f]\nerror = any\n", 2, "name the error that is to happen" },
	{ "[fault f]\ncall = resolve\nstatus = 503\n", 1, "only happen to call = curl" },
	/* lines */
	{ "base = 1s\n", 1, "'base' stands outside of a section" },
	{ RULE "nonsense\n", 3, "'nonsense' is neither" },
	{ RULE "= 5\n", 3, "a key is missing before '='" },
	{ RULE "base = 1s ; a second\n", 3, "put a comment on a line of its own" },
	{ RULE "base = 1s # a second\n", 3, "unknown unit 's # a second'" },
	{ RULE "base = 1s\n\tcap = 2s\n", 4, "an indented line continues 'base' above" },
	{ RULE "host = a,\n  cap = 2s\n", 4, "write 'cap' at the start of the line" },
	{ RULE "error = any\n", 3, "key 'error' is repeated: it stands in line 2" },
	{ RULE "base =\n", 3, "'base' has no value" },
	{ "[rule a]\nerror = refused, timeuot,\n  ETIMEDOUT,\n  EFOOBAR\n", 2,
	  "unknown error name 'timeuot' (did you mean 'timeout'?)" },
	/* keys */
	{ RULE "max_attempt = 3\n", 3, "unknown key 'max_attempt' (did you mean 'max_attempts'?)" },
	{ RULE "colour = red\n", 3, "unknown key 'colour' in [rule a]" },
	{ "[policy p]\nerror = any\n", 2, "unknown key 'error'" },
	{ "[retryshim]\nbase = 1s\n", 2, "unknown key 'base' in [retryshim]" },
	{ "[rule a]\neror = any\n", 2, "unknown key 'eror' (did you mean 'error'?)" },
	{ "[rule a]\nhost = x\n", 1, "says nothing about outcomes" },
	/* values of policies */
	{ RULE "max_attempts = 0\n", 3, "write 1 to never retry, or unlimited" },
	{ RULE "max_attempts = -1\n", 3, "'-1' is no whole number" },
	{ RULE "max_attempts = 2.5\n", 3, "no whole number" },
	{ RULE "max_attempts = 99999999999\n", 3, "too large" },
	{ RULE "max_attempts = unlimited\nmax_elapsed = none\n", 3, "needs a max_elapsed" },
	{ "[policy p]\nmax_elapsed = none\n" RULE "policy = p\nmax_attempts = unlimited\n", 6,
	  "needs a max_elapsed" },
	{ RULE "backoff = expnential\n", 3, "did you mean 'exponential'?" },
	{ RULE "backoff = cubic\n", 3, "one of constant, linear, exponential" },
	{ RULE "base = 0\n", 3, "must be more than 0" },
	{ RULE "base = 0ms\n", 3, "must be more than 0" },
	{ RULE "attempt_timeout = 0\n", 3, "'attempt_timeout': 0 is ambiguous: write none" },
	{ RULE "connect_timeout = 0ms\n", 3, "'connect_timeout': 0 is ambiguous: write none" },
	{ RULE "base = 5\n", 3, "'5' has no unit (write 5ms or 5s)" },
	{ RULE "base = 5 parsecs\n", 3, "unknown unit ' parsecs'" },
	{ RULE "base = fast\n", 3, "'fast' is no duration" },
	{ RULE "base = none\n", 3, "'none' is no duration" },
	{ RULE "base = 1.s\n", 3, "no duration" },
	{ RULE "base = -1s\n", 3, "no duration" },
	{ RULE "base = 999999999999h\n", 3, "longer than 292 years" },
	{ RULE "rate = 0.5\n", 3, "less than 1" },
	{ RULE "rate = 0.9999999\n", 3, "at most six decimals" },
	{ RULE "rate = 2x\n", 3, "'2x' is no number" },
	{ RULE "rate = 1000001\n", 3, "more than 1000000" },
	{ RULE "jitter = ful\n", 3, "did you mean 'full'?" },
	{ RULE "retry_after = 5s\n", 3, "one of max, server, ignore" },
	{ RULE "quota = fast\n", 3, "there is no [quota fast]" },
	{ "[quota backup]\ncapacity = 5\n" RULE "quota = bakcup\n", 5,
	  "there is no [quota bakcup] (did you mean 'backup'?)" },
	{ RULE "quota = standrad\n", 3, "there is no [quota standrad] (did you mean 'standard'?)" },
	{ RULE "policy = defualt\n", 3, "there is no [policy defualt] (did you mean 'default'?)" },
	{ RULE "cost = 1s\n", 3, "no whole number" },
	{ RULE "policy = fast\n", 3, "there is no [policy fast]" },
	{ "[policy quick]\nbase = 1s\n" RULE "policy = quik\n", 5, "did you mean 'quick'?" },
	/* values of rules */
	{ "[rule a]\nerror = ECONREFUSED\n", 2, "did you mean 'ECONNREFUSED'?" },
	{ "[rule a]\nerror = CURLE_FOO\n", 2, "unknown error name 'CURLE_FOO'" },
	{ "[rule a]\nstatus = 99\n", 2, "'99' is no status" },
	{ "[rule a]\nstatus = 1000\n", 2, "no status" },
	{ "[rule a]\nstatus = 504-500\n", 2, "the range '504-500' is empty" },
	{ "[rule a]\nstatus = 500-\n", 2, "no status" },
	{ "[rule a]\nstatus = 500-5xx\n", 2, "no status" },
	{ "[rule a]\nstatus = 0xx\n", 2, "no status" },
	{ "[rule a]\nstatus = 429,,500\n", 2, "nothing stands before a comma" },
	{ "[rule a]\nstatus = ,\n", 2, "nothing stands before a comma" },
	{ "[rule a]\nbody_regex = a(b\n", 2, "'a(b' is no regular expression: " },
	{ "[rule a]\nbody_regex = ((a{1,255}){1,255}){1,255}\n", 2, "repeats too much" },
	{ "[rule a]\nheader = X-Foo\n", 2, "is not 'Name: pattern'" },
	{ "[rule a]\nheader = X Foo: bar\n", 2, "is not 'Name: pattern'" },
	{ "[rule a]\nheader = X-Foo:\n", 2, "has no pattern" },
	{ RULE "class = temprary\n", 3, "did you mean 'temporary'?" },
	{ RULE "call = crul\n", 3, "did you mean 'curl'" },
	{ RULE "method = idempotant\n", 3, "did you mean 'idempotent'?" },
	{ RULE "method = G T\n", 3, "'G T' is no method" },
	{ RULE "scheme = htt*\n", 3, "no scheme" },
	{ RULE "host = http://x\n", 3, "is a URL" },
	{ RULE "port = 0\n", 3, "'0' is no port" },
	{ RULE "port = 65536\n", 3, "no port" },
	{ RULE "address = 10.0.0.0/33\n", 3, "no prefix length of 0 to 32" },
	{ RULE "address = ::1/129\n", 3, "no prefix length of 0 to 128" },
	{ RULE "address = 10.0.0/8\n", 3, "'10.0.0/8' is no address" },
	{ RULE "address = localhost\n", 3, "no address" },
	/* values of settings and quotas */
	{ "[retryshim]\nmode = enfroce\n", 2, "did you mean 'enforce'?" },
	{ "[retryshim]\nlog = stdrr\n", 2, "did you mean 'stderr'?" },
	{ "[retryshim]\nlog_format = xml\n", 2, "one of text, json" },
	{ "[retryshim]\nlog_level = warning\n", 2, "unknown value 'warning'" },
	{ "[retryshim]\nbody_limit = 64\n", 2, "has no unit (write 64B or 64KiB)" },
	{ "[retryshim]\nbody_limit = 64KB\n", 2, "unknown unit 'KB'" },
	{ "[retryshim]\nseed = lucky\n", 2, "'lucky' is no integer" },
	{ "[quota q]\ncapacity = many\n", 2, "no whole number" },
	{ "[retryshim]\nlog = syslogd\n", 2, "did you mean 'syslog'?" },
	{ "[retryshim]\nreport = nome\n", 2, "did you mean 'none'?" },
	{ "[retryshim]\nlog = off\n", 2,
	  "'off' is no word that may stand here (stderr, syslog, none); write './off'" },
	{ "[retryshim]\nlog = no\n", 2, "write './no' for a file of that name" },
	{ "[retryshim]\nlog = stdout\n", 2, "'stdout'" },
	{ "[retryshim]\nstats = None\n", 2, "'None' is no word that may stand here (no)" },
	{ "[retryshim]\nstats = yes\n", 2, "'yes'" },
	{ "[retryshim]\nreport = no\n", 2, "'no' is no word that may stand here (none)" },
	{ "[retryshim]\nreport = stderr\n", 2, "'stderr'" },
	{ "[retryshim]\nreload = never\n", 2, "'never'" },
	{ "[retryshim]\nhook_timeout = 0\n", 2, "must be more than 0" },
	/* commands */
	{ RULE "class = recoverable\n", 1, "has class = recoverable, but no recover =" },
	{ RULE "class = followup\n", 1, "has class = followup, but no followup =" },
	{ RULE "recover = true\n", 3, "only runs in a rule with class = recoverable" },
	{ RULE "class = permanent\nfollowup = true\n", 4, "a rule with class = followup" },
	{ RULE "class = followup\nfollowup = sh -c 'x\n", 4, "a ' is not closed" },
	{ RULE "class = followup\nfollowup = sh -c \"x\n", 4, "a \" is not closed" },
	{ RULE "class = followup\nfollowup = x \\\n", 4, "nothing follows the last \\" },
	{ RULE "class = followup\nfollowup = ''\n", 4, "names no program" },
	{ RULE "class = followup\nfollowup =\n", 4, "has no value" },
	{ RULE "rate_limit = adaptve\n", 3, "did you mean 'adaptive'?" },
	{ "[quota q]\nscope = hosts\n", 2, "did you mean 'host'?" },
	/* known, not supported yet */
};

static void every_fault_is_told_with_its_line(void **state)
{
	static struct told told;

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct rs_rules *rules;
		int rc = load_text(faults[i].text, &told, &rules);

		if (rc == -22 && !rules && told.count >= 1 && told.at[0].line == faults[i].line &&
		    told.at[0].severity == RS_ERROR && strstr(told.at[0].text, faults[i].says))
			continue;
		print_told(&told);
		fail_msg("of: %s\nexpected in line %d: %s", faults[i].text, faults[i].line,
			 faults[i].says);
	}
}

static void a_fault_is_told_once(void **state)
{
	static struct told told;

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct rs_rules *rules;

		load_text(faults[i].text, &told, &rules);
		/* The one row with two wrong names. */
		if (told.count == (strstr(faults[i].text, "EFOOBAR") ? 2 : 1))
			continue;
		print_told(&told);
		fail_msg("%zu faults of: %s", told.count, faults[i].text);
	}
}

static void all_faults_of_a_file_in_order(void **state)
{
	static const int lines[] = { 2, 3, 4, 8, 9 };
	static struct told told;
	struct rs_rules *rules;

	(void)state;
	assert_int_equal(load_text("[rule a]\nerror = EFOO\nbase = 5\nnonsense\n\n[rule b]\n"
				   "error = any\n  EBAR\n[colours]\nred = 1\n",
				   &told, &rules),
			 -22);
	assert_int_equal(told.count, 5);
	for (size_t i = 0; i < told.count; i++)
		assert_int_equal(told.at[i].line, lines[i]);
}

static void a_nul_byte(void **state)
{
	static const char text[] = "[rule a]\nerror = ref\0used\n";
	static struct told told;
	struct rs_rules *rules;

	(void)state;
	assert_int_equal(load_bytes(text, sizeof(text) - 1, &told, &rules), -22);
	assert_int_equal(told.at[0].line, 2);
	assert_non_null(strstr(told.at[0].text, "NUL"));
}

static void long_lines(void **state)
{
	static struct told told;
	struct rs_rules *rules;
	char text[512];

	(void)state;
	for (int len = 190; len < 300; len++) {
		int rc;

		snprintf(text, sizeof(text), "[rule a]\nbody = %0*d\n", len - 7, 7);
		rc = load_text(text, &told, &rules);
		if (len <= 199) {
			assert_int_equal(rc, 0);
			assert_int_equal(rules->rules[0].body.at[0].len, len - 7);
			rs_rules_free(rules);
			continue;
		}
		assert_int_equal(rc, -22);
		assert_int_equal(told.count, 1);
		assert_int_equal(told.at[0].line, 2);
		assert_non_null(strstr(told.at[0].text, "the parser takes 199"));
	}
}

static void faults_of_options(void **state)
{
	static const struct {
		const char *options, *says;
	} rows[] = {
		{ "base", "'base' is not key=value" },
		{ "bsae=1s", "unknown key 'bsae' (did you mean 'base'?)" },
		{ "error=any", "unknown key 'error'" },
		{ "base=5", "has no unit" },
		{ "base=1s;max_attempts=0", "write 1" },
		{ "max_attempts=unlimited;max_elapsed=none", "needs a max_elapsed" },
		{ "base=", "'base' has no value" },
	};
	static struct told told;
	struct rs_rules *rules;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(load_paths(NULL, rows[i].options, &told, &rules), -22);
		assert_int_equal(told.count, 1);
		assert_string_equal(told.at[0].file, "RETRYSHIM_OPTIONS");
		assert_int_equal(told.at[0].line, 0);
		assert_non_null(strstr(told.at[0].text, rows[i].says));
	}
}

struct reach {
	const char *text;
	bool warned;
};

static void check_reach(const struct reach *rows, size_t count)
{
	static struct told told;

	for (size_t i = 0; i < count; i++) {
		struct rs_rules *rules;

		assert_int_equal(load_text(rows[i].text, &told, &rules), 0);
		if (told.count != rows[i].warned)
			fail_msg("%s: %s", rows[i].warned ? "no warning" : "a warning",
				 rows[i].text);
		if (told.count) {
			assert_int_equal(told.at[0].severity, RS_WARNING);
			assert_non_null(strstr(told.at[0].text, "rule 'b' can never be reached: "
								"rule 'a' in line 1"));
		}
		rs_rules_free(rules);
	}
}

static void unreachable_rules(void **state)
{
	static const struct reach rows[] = {
		{ "[rule a]\nstatus = 5xx\n[rule b]\nstatus = 503\n", true },
		{ "[rule a]\nstatus = 503\n[rule b]\nstatus = 5xx\n", false },
		{ "[rule a]\nerror = any\n[rule b]\nerror = refused\n", true },
		{ "[rule a]\nerror = refused\n[rule b]\nerror = refused, timeout\n", false },
		{ "[rule a]\nerror = any\n[rule b]\nerror = any\nstatus = 500\n", false },
		{ "[rule a]\nstatus = 5xx\nbody = x\n[rule b]\nstatus = 503\n", false },
		{ "[rule a]\nbody = Slow\n[rule b]\nbody = SlowDown\nstatus = 503\n", true },
		{ "[rule a]\nbody = SlowDown\n[rule b]\nbody = Slow\n", false },
		{ "[rule a]\nstatus = 5xx\nhost = *.b.c\n[rule b]\nstatus = 503\nhost = a.b.c\n",
		  true },
		{ "[rule a]\nstatus = 5xx\nhost = *.b.c\n[rule b]\nstatus = 503\n", false },
		{ "[rule a]\nstatus = 5xx\nhost = *.c\n[rule b]\nstatus = 503\nhost = *.b.c\n",
		  true },
		{ "[rule a]\nstatus = 503\n[rule b]\nstatus = 503\nmethod = any\n", false },
		{ "[rule a]\nstatus = 503\nmethod = any\n[rule b]\nstatus = 503\n", true },
		{ "[rule a]\nstatus = 503\n[rule b]\nstatus = 503\nmethod = GET\n", true },
		{ "[rule a]\nerror = any\naddress = 10.0.0.0/8\n[rule b]\nerror = any\n"
		  "address = 10.1.0.0/16\n",
		  true },
		{ "[rule a]\nerror = any\naddress = 10.1.0.0/16\n[rule b]\nerror = any\n"
		  "address = 10.0.0.0/8\n",
		  false },
		{ "[rule a]\nerror = any\nport = 80, 443\n[rule b]\nerror = any\nport = 443\n",
		  true },
		{ "[rule a]\nerror = any\nport = 80\n[rule b]\nerror = any\nport = 443\n", false },
		{ "[rule a]\nerror = any\ncall = curl\n[rule b]\nerror = any\n", false },
		{ "[rule a]\nheader = X: a*\n[rule b]\nheader = x: ab\n", true },
		{ "[rule a]\nheader = X: a*\n[rule b]\nheader = Y: ab\n", false },
		{ "[rule a]\nbody_regex = a\n[rule b]\nbody_regex = a\n", false },
	};

	(void)state;
	check_reach(rows, sizeof(rows) / sizeof(rows[0]));
}

/* What the second rule names of other calls than its own counts for nothing. */
static void unreachable_by_its_calls(void **state)
{
	static const struct reach rows[] = {
		{ "[rule a]\ncall = connect\nerror = ETIMEDOUT, ECONNREFUSED\n"
		  "[rule b]\ncall = connect\nerror = timeout\n",
		  true },
		{ "[rule a]\nerror = ETIMEDOUT\n[rule b]\naddress = ::1\nerror = timeout\n", true },
		{ "[rule a]\nerror = ETIMEDOUT\n[rule b]\nerror = timeout\n", false },
		{ "[rule a]\ncall = resolve\nerror = dns\n[rule b]\ncall = resolve\n"
		  "error = EAI_AGAIN, CURLE_COULDNT_RESOLVE_HOST\n",
		  true },
		{ "[rule a]\ncall = curl\nerror = dns\n[rule b]\ncall = curl, resolve\n"
		  "error = EAI_AGAIN\n",
		  false },
		{ "[rule a]\ncall = connect\nerror = any\n[rule b]\ncall = connect\n"
		  "error = any\nmethod = POST\n",
		  true },
		{ "[rule a]\nerror = any\n[rule b]\nerror = any\nmethod = POST\n", false },
		{ "[rule a]\nerror = any\ncall = connect\n[rule b]\nerror = any\n"
		  "call = connect\nstatus = 500\n",
		  true },
		{ "[rule a]\nerror = any\ncall = curl, resolve\n[rule b]\nerror = any\nhost = h\n",
		  true },
		{ "[rule a]\nerror = any\ncall = curl\n[rule b]\nerror = any\nhost = h\n", false },
		{ "[rule a]\nerror = any\ncall = curl\n[rule b]\nerror = any\nurl = *\n", true },
		{ "[rule a]\nerror = any\naddress = 10.0.0.0/8\n"
		  "[rule b]\nerror = any\naddress = ::ffff:10.1.0.0/112\n",
		  true },
	};

	(void)state;
	check_reach(rows, sizeof(rows) / sizeof(rows[0]));
}

static void what_can_never_match(void **state)
{
	static const struct {
		const char *keys;
		const char *says; /* NULL: nothing */
	} rows[] = {
		{ "call = connect\nhost = a.test\nerror = any\n", "it is for have no host" },
		{ "call = connect\nurl = *\nerror = any\n", "it is for have no url" },
		{ "call = resolve\nscheme = http\nerror = any\n", "it is for have no scheme" },
		{ "call = curl, resolve\naddress = ::1\nerror = any\n", "have no address" },
		{ "host = a.test\naddress = ::1\nerror = any\n", "have no address" },
		{ "call = connect\nstatus = 500\n", "do not end so" },
		{ "call = resolve\nbody = x\n", "do not end so" },
		{ "call = connect\nerror = EAI_AGAIN, CURLE_RECV_ERROR\n", "do not end so" },
		{ "call = curl\nerror = EAI_AGAIN\n", "do not end so" },
		{ "address = ::1\nheader = A: b\n", "do not end so" },
		{ "status = 500\nprogram = /usr/bin/curl\n",
		  "program '/usr/bin/curl' can never match: it is the base name" },
		{ "status = 500\nhost = a.test/x\n", "host 'a.test/x' can never match: a host has "
						     "no slash" },
		{ "status = 500\nhost = a.test:80\n",
		  "host 'a.test:80' can never match: a host has "
		  "no port" },
		{ "call = connect, curl\nhost = a.test\nstatus = 500\n", NULL },
		{ "call = connect\nport = 80\naddress = /run/x\nerror = EPERM\n", NULL },
		{ "call = resolve\nhost = a.test\nport = 80\nerror = EAI_AGAIN\n", NULL },
		{ "call = resolve\nstatus = 500\nerror = EIO\n", NULL },
		{ "status = 500\nhost = ::1, fe80::*, a*, a:, [ab]:80\nprogram = [/a]*, curl\n",
		  NULL },
	};
	static struct told told;
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rs_rules *rules;

		snprintf(text, sizeof(text), "[rule first]\nstatus = 999\n[rule a]\n%s",
			 rows[i].keys);
		assert_int_equal(load_text(text, &told, &rules), 0);
		if (told.count != (rows[i].says ? 1 : 0))
			fail_msg("%zu warnings: %s", (size_t)told.count, text);
		if (rows[i].says) {
			assert_int_equal(told.at[0].severity, RS_WARNING);
			assert_int_equal(told.at[0].line, 3);
			assert_non_null(strstr(told.at[0].text, rows[i].says));
		}
		rs_rules_free(rules);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fault_is_told_with_its_line),
		cmocka_unit_test(a_fault_is_told_once),
		cmocka_unit_test(all_faults_of_a_file_in_order),
		cmocka_unit_test(a_nul_byte),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(faults_of_options),
		cmocka_unit_test(unreachable_rules),
		cmocka_unit_test(unreachable_by_its_calls),
		cmocka_unit_test(what_can_never_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
