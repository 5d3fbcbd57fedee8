/*
 * What is not HTTP. A file is fetched, or stored, again as long as nothing of it has come; commands
 * are not given twice, and no conversation is begun anew.
 */
#include "ftp.h"
#include "harness.h"

#include <stdio.h>
#include <string.h>

#define RULES                                                                                      \
	"[policy default]\nmax_attempts = 4\nbase = 1ms\n[rule it]\nerror = any\nmethod = any\n"
#define IDEMPOTENT "[policy default]\nmax_attempts = 4\nbase = 1ms\n[rule it]\nerror = any\n"
#define OBJECT     "what was asked for"

static const struct ftp_session failing[] = {
	{ FTP_BUSY, 0 }, { FTP_LOST, 0 }, { FTP_CUT, 0 }, { FTP_WELL, 0 }
};

static void a_file_is_fetched_again(void **state)
{
	struct ftp *ftp = ftp_start(failing, 4, OBJECT), *good = ftp_start(NULL, 0, OBJECT);
	struct run run = run_words(RUN_SHIM, rules_file(IDEMPOTENT), "curl", "-sS", ftp_url(ftp));
	struct run bare = run_words(RUN_BARE, NULL, "curl", "-sS", ftp_url(good));

	(void)state;
	assert_exit(bare, 0);
	assert_exit(run, 0);
	assert_output(run, bare.out);
	assert_int_equal(ftp_sessions(ftp), 4);
	run_free(&run);
	run_free(&bare);
	ftp_stop(ftp);
	ftp_stop(good);
}

/* The header callback gets the last session's lines, and only those. */
static void what_a_dropped_session_said_is_not_seen(void **state)
{
	struct ftp *ftp = ftp_start(failing, 4, OBJECT), *good = ftp_start(NULL, 0, OBJECT);
	const char *lines = temp_path("lines"), *wanted = temp_path("wanted");
	struct run run =
		run_words(RUN_SHIM, rules_file(IDEMPOTENT), "curl", "-sSD", lines, ftp_url(ftp));
	struct run bare = run_words(RUN_BARE, NULL, "curl", "-sSD", wanted, ftp_url(good));

	(void)state;
	assert_exit(bare, 0);
	assert_exit(run, 0);
	assert_int_equal(ftp_sessions(ftp), 4);
	run_free(&run);
	run_free(&bare);
	run = run_words(RUN_BARE, NULL, "sed", "s/|||[0-9]*|/|||PORT|/", lines);
	bare = run_words(RUN_BARE, NULL, "sed", "s/|||[0-9]*|/|||PORT|/", wanted);
	assert_contains(bare.out, "220 hello");
	assert_output(run, bare.out);
	run_free(&run);
	run_free(&bare);
	ftp_stop(ftp);
	ftp_stop(good);
}

static void what_has_come_stays(void **state)
{
	static const struct ftp_session cut[] = { { FTP_CUT, 4 } };
	struct ftp *ftp = ftp_start(cut, 1, OBJECT);
	struct run run = run_words(RUN_SHIM, rules_file(RULES), "curl", "-sS", ftp_url(ftp));

	(void)state;
	assert_exit(run, 56);
	assert_output(run, "what");
	assert_contains(run.err, " reason=committed ");
	assert_int_equal(ftp_sessions(ftp), 1);
	run_free(&run);
	ftp_stop(ftp);
}

static void a_file_is_stored_again(void **state)
{
	static const struct ftp_session cut[] = { { FTP_BUSY, 0 },
						  { FTP_CUT, 4 },
						  { FTP_CLOSED, 0 } };
	struct ftp *ftp = ftp_start(cut, 3, NULL);
	const char *file = temp_path("file");
	FILE *out = fopen(file, "w");
	struct run run;

	(void)state;
	assert_non_null(out);
	(void)fputs(OBJECT, out);
	(void)fclose(out);
	run = run_words(RUN_SHIM, rules_file(IDEMPOTENT), "curl", "-sST", file, ftp_url(ftp));
	assert_exit(run, 0);
	assert_string_equal(ftp_stored(ftp), OBJECT);
	assert_int_equal(ftp_sessions(ftp), 4);
	run_free(&run);
	ftp_stop(ftp);
}

/* That the data cannot be had does not say that nothing was done: neither to a program that listens
 * to what the server says, nor to one that does not, and whose URL could be one for HTTP. */
static void commands_are_given_once(void **state)
{
	static const struct ftp_session closed[] = { { FTP_CLOSED, 0 } };
	static const char deaf[] = "import pycurl, sys\n"
				   "port = sys.argv[1].split(':')[2].split('/')[0]\n"
				   "c = pycurl.Curl()\n"
				   "c.setopt(c.RESOLVE, ['host:%s:127.0.0.1' % port])\n"
				   "c.setopt(c.URL, 'host:%s/o' % port)\n"
				   "c.setopt(c.DEFAULT_PROTOCOL, 'ftp')\n"
				   "c.setopt(c.QUOTE, ['DELE x'])\n"
				   "c.perform()\n";
	struct ftp *first = ftp_start(closed, 1, OBJECT), *second = ftp_start(closed, 1, OBJECT);
	const char *rules = rules_file(IDEMPOTENT);
	struct run run = run_words(RUN_SHIM, rules, "curl", "-sSQ", "DELE x", ftp_url(first));
	struct run other =
		run_words(RUN_SHIM, rules, "/usr/bin/python3", "-c", deaf, ftp_url(second));

	(void)state;
	assert_int_not_equal(run.status, 0);
	assert_int_not_equal(other.status, 0);
	assert_int_equal(ftp_obeyed(first, "DELE x"), 1);
	assert_int_equal(ftp_obeyed(second, "DELE x"), 1);
	run_free(&run);
	run_free(&other);
	ftp_stop(first);
	ftp_stop(second);
}

/* The callbacks for each of several files get the program's pointer in every attempt. */
static void several_files_are_told_of(void **state)
{
	struct ftp *ftp = ftp_start(NULL, 0, "-rw-r--r-- 1 u g 5 Jan  1  2020 o\r\n");
	struct run run = run_words(RUN_SHIM,
				   rules_file(IDEMPOTENT "[fault f]\nerror = refused\nfirst = 2\n"),
				   helper_path("handles"), "wildcard", ftp_url(ftp));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "");
	assert_int_equal(ftp_sessions(ftp), 1);
	run_free(&run);
	ftp_stop(ftp);
}

/* What was said there is said, and what is said next depends on the answer. */
static void conversations_are_not_begun_anew(void **state)
{
	static const char *const urls[] = { "telnet://127.0.0.1:1", "rtsp://127.0.0.1:1/o" };

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct run run = run_program(&(struct program){
			.argv = (const char *const[]){ "curl", "-sS", urls[i], NULL },
			.under = RUN_SHIM,
			.rules = rules_file(RULES
					    "[fault once]\nerror = CURLE_RECV_ERROR\nfirst = 1\n"),
			.input = "" });

		assert_exit(run, 56);
		assert_contains(run.err, "event=exhausted rule=it call=curl method=POST ");
		run_free(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_fetched_again),
		cmocka_unit_test(what_a_dropped_session_said_is_not_seen),
		cmocka_unit_test(what_has_come_stays),
		cmocka_unit_test(a_file_is_stored_again),
		cmocka_unit_test(commands_are_given_once),
		cmocka_unit_test(several_files_are_told_of),
		cmocka_unit_test(conversations_are_not_begun_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
