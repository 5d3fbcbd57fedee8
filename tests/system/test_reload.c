/*
 * Rules that change while a program runs. The program fetches once for each line of its input.
 */
#include "harness.h"
#include "server.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD                                                                                       \
	"[retryshim]\nreload = 0\nlog_level = info\n"                                              \
	"[policy default]\nbase = 1ms\njitter = none\nquota = own\n"                               \
	"[quota own]\ncapacity = 100\n"
#define TWICE  HEAD "[rule busy]\nstatus = 503\nmax_attempts = 2\n"
#define THRICE HEAD "[rule busy]\nstatus = 503\nmax_attempts = 3\n"
#define ONCE   HEAD "[rule other]\nstatus = 599\n"

static const char fetcher[] =
	"import io, os, pycurl, sys\n"
	"for n in range(int(sys.argv[2])):\n"
	"    fifo = open(sys.argv[3] + str(n)); fifo.read(); fifo.close()\n"
	"    c = pycurl.Curl(); b = io.BytesIO()\n"
	"    c.setopt(pycurl.URL, sys.argv[1]); c.setopt(pycurl.WRITEDATA, b); c.perform()\n"
	"    sys.stdout.write('done %d;\\n' % n); sys.stdout.flush()\n";

/* A program that fetches whenever it is told to, and the rules that it runs under. */
struct fetches {
	struct server *server;
	struct child *child;
	const char *rules;
	char fifo[256];
	int done;
	size_t requests; /* before the last fetch */
};

static void replace_rules(const struct fetches *f, const char *text)
{
	char temporary[300];
	FILE *file;

	(void)snprintf(temporary, sizeof(temporary), "%s.new", f->rules);
	file = fopen(temporary, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(temporary, f->rules), 0);
}

/* In place, as an editor or a shell's ">" does it. */
static FILE *begin_writing(const struct fetches *f, const char *text)
{
	FILE *file = fopen(f->rules, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fflush(file), 0);
	return file;
}

static void begin_with(struct fetches *f, const char *name, const char *text, int count)
{
	static const struct reply replies[] = { { .status = 503 } };
	char number[8];

	*f = (struct fetches){ .server = server_start(replies, 1),
			       .rules = temp_file(name, text, strlen(text)) };
	(void)snprintf(f->fifo, sizeof(f->fifo), "%s/%s-fifo", temp_dir(), name);
	for (int n = 0; n < count; n++) {
		char path[300];

		(void)snprintf(path, sizeof(path), "%s%d", f->fifo, n);
		assert_int_equal(mkfifo(path, 0600), 0);
	}
	(void)snprintf(number, sizeof(number), "%d", count);
	f->child = child_start(&(struct program){
		.argv = (const char *const[]){ "/usr/bin/python3", "-c", fetcher,
					       server_url(f->server, "/"), number, f->fifo, NULL },
		.under = RUN_SHIM,
		.rules = f->rules,
	});
}

/* Fetch once more; how many requests that took. */
static int fetch(struct fetches *f)
{
	char path[300], text[32];
	int fd;

	f->requests = server_request_count(f->server);
	(void)snprintf(path, sizeof(path), "%s%d", f->fifo, f->done);
	(void)snprintf(text, sizeof(text), "done %d;", f->done++);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_true(child_wait_output(f->child, text));
	return (int)(server_request_count(f->server) - f->requests);
}

static struct run finish(struct fetches *f)
{
	struct run run = child_finish(f->child);

	assert_exit(run, 0);
	server_stop(f->server);
	return run;
}

static void changed_rules_are_taken_up(void **state)
{
	struct fetches f;
	struct run run;

	(void)state;
	begin_with(&f, "changed.ini", TWICE, 4);
	assert_int_equal(fetch(&f), 2);
	replace_rules(&f, THRICE);
	assert_int_equal(fetch(&f), 3);
	replace_rules(&f, ONCE);
	assert_int_equal(fetch(&f), 1);
	(void)fclose(begin_writing(&f, TWICE));
	assert_int_equal(fetch(&f), 2);
	run = finish(&f);
	assert_int_equal(count_lines(run.err, "event=rules action=reloaded"), 3);
	run_free(&run);
}

static void a_faulty_file_leaves_the_old_rules(void **state)
{
	struct fetches f;
	struct run run;

	(void)state;
	begin_with(&f, "faulty.ini", TWICE, 6);
	assert_int_equal(fetch(&f), 2);
	replace_rules(&f, THRICE "stauts = 503\n");
	assert_int_equal(fetch(&f), 2);
	assert_int_equal(fetch(&f), 2);
	assert_int_equal(unlink(f.rules), 0);
	assert_int_equal(fetch(&f), 2);
	assert_int_equal(fetch(&f), 2);
	replace_rules(&f, THRICE);
	assert_int_equal(fetch(&f), 3);
	run = finish(&f);
	assert_int_equal(count_lines(run.err, "action=refused"), 2);
	assert_int_equal(count_lines(run.err, "unknown key 'stauts'"), 1);
	run_free(&run);
}

/* The first half would be right by itself, and mean something else. */
static void half_a_file_is_never_taken(void **state)
{
	struct fetches f;
	struct run run;
	FILE *file;

	(void)state;
	begin_with(&f, "half.ini", TWICE, 4);
	assert_int_equal(fetch(&f), 2);
	file = begin_writing(&f, ONCE);
	assert_int_equal(fetch(&f), 2);
	assert_int_equal(fetch(&f), 2);
	assert_true(fputs("[rule busy]\nstatus = 503\nmax_attempts = 3\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(fetch(&f), 3);
	run = finish(&f);
	assert_int_equal(count_lines(run.err, "action=reloaded"), 1);
	assert_int_equal(count_lines(run.err, "action=refused"), 0);
	run_free(&run);
}

/* What was spent stays spent, and a smaller capacity holds at once. */
static void quotas_keep_their_level(void **state)
{
	struct fetches f;
	struct run run;

	(void)state;
	begin_with(&f, "quota.ini", TWICE, 3);
	assert_int_equal(fetch(&f), 2);
	replace_rules(&f, THRICE);
	assert_int_equal(fetch(&f), 3);
	replace_rules(&f, "[retryshim]\nreload = 0\nlog_level = info\n"
			  "[policy default]\nbase = 1ms\nquota = own\nmax_attempts = 2\n"
			  "[quota own]\ncapacity = 20\n[rule busy]\nstatus = 503\n");
	assert_int_equal(fetch(&f), 2);
	run = finish(&f);
	assert_int_equal(count_lines(run.err, "quota=86"), 1);
	assert_int_equal(count_lines(run.err, "quota=72"), 1);
	assert_int_equal(count_lines(run.err, "quota=58"), 1);
	assert_int_equal(count_lines(run.err, "quota=6"), 1);
	run_free(&run);
}

/* The first one stays the first one. */
static void faults_keep_their_count(void **state)
{
	struct fetches f;
	struct run run;

	(void)state;
	begin_with(&f, "fault.ini", TWICE "[fault once]\nstatus = 599\nfirst = 1\n", 4);
	assert_int_equal(fetch(&f), 0);
	assert_int_equal(fetch(&f), 2);
	replace_rules(&f, "[fault other]\nfirst = 1\nstatus = 599\nport = 1\n" TWICE
			  "[fault once]\nstatus = 599\nfirst = 1\n");
	assert_int_equal(fetch(&f), 2);
	assert_int_equal(fetch(&f), 2);
	run = finish(&f);
	assert_int_equal(count_lines(run.err, "action=reloaded"), 1);
	assert_int_equal(count_lines(run.err, "event=fault"), 1);
	run_free(&run);
}

static void no_means_no(void **state)
{
	struct fetches f;
	struct run run;

	(void)state;
	begin_with(&f, "never.ini",
		   "[retryshim]\nreload = no\n[policy default]\nbase = 1ms\n"
		   "[rule busy]\nstatus = 503\nmax_attempts = 2\n",
		   2);
	assert_int_equal(fetch(&f), 2);
	replace_rules(&f, THRICE);
	assert_int_equal(fetch(&f), 2);
	run = finish(&f);
	run_free(&run);
}

/* Rules that were refused at start can be mended while the program runs; so can mode = off. */
static void rules_can_come_later(void **state)
{
	struct fetches f;
	struct run run;

	(void)state;
	begin_with(&f, "off.ini", "[retryshim]\nmode = off\nreload = 0\n", 3);
	assert_int_equal(fetch(&f), 1);
	replace_rules(&f, TWICE);
	assert_int_equal(fetch(&f), 1); /* this failure makes it look … */
	assert_int_equal(fetch(&f), 2); /* … so that the next one is retried */
	run = finish(&f);
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changed_rules_are_taken_up),
		cmocka_unit_test(a_faulty_file_leaves_the_old_rules),
		cmocka_unit_test(half_a_file_is_never_taken),
		cmocka_unit_test(quotas_keep_their_level),
		cmocka_unit_test(faults_keep_their_count),
		cmocka_unit_test(no_means_no),
		cmocka_unit_test(rules_can_come_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
