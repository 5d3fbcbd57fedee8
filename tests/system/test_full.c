/*
 * Disks that are full or may not be written to, files at the limit of their size, no descriptors
 * left: the program goes on as if the library were not there, and one line tells where one can.
 */
#include "harness.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define UPLOAD ((size_t)600000) /* more than a spool keeps in memory */

static const struct reply script[] = {
	{ .status = 503, .body = "busy" },
	{ .body = "done" },
};

/* What is written, all into one directory; or nothing but lines on stderr. */
#define POLICY                                                                                     \
	"log_level = info\nspool_limit = 1MiB\n"                                                   \
	"[policy default]\nmax_attempts = 2\nbackoff = constant\nbase = 1ms\njitter = none\n"      \
	"quota = shared\n"                                                                         \
	"[quota shared]\nscope = host\n"                                                           \
	"[rule busy]\nstatus = 503\nmethod = any\n"                                                \
	"[rule refused]\nerror = refused\n"

static const char *rules_for(const char *log, const char *dir)
{
	char text[2048];

	if (log)
		(void)snprintf(text, sizeof(text),
			       "[retryshim]\nlog = %s\nreport = %s/report\n"
			       "stats = %s/stats\n" POLICY,
			       log, dir, dir);
	else
		(void)snprintf(text, sizeof(text), "[retryshim]\n" POLICY);
	return rules_file(text);
}

/* A directory for the files, and the setting that has the budget there, too. */
struct place {
	const char *dir;
	char runtime[300];
	const char *env[3];
};

static struct place new_place(void)
{
	static int number;
	char name[32];
	struct place place = { .env = { NULL } };

	(void)snprintf(name, sizeof(name), "place-%d", number++);
	place.dir = temp_path(name);
	assert_int_equal(mkdir(place.dir, 0700), 0);
	(void)snprintf(place.runtime, sizeof(place.runtime), "XDG_RUNTIME_DIR=%s", place.dir);
	return place;
}

/* In a shell: `before`, then the program with what follows. $0 is the directory. */
static struct run run_after(struct place *place, const char *before, const char *rules,
			    const char *command, const char *url)
{
	char words[1024];
	const char *const argv[] = { "unshare", "-rm", "sh", "-c", words, place->dir, url, NULL };
	char *input = noise(UPLOAD, 5);
	struct run run;

	place->env[0] = place->runtime;
	(void)snprintf(words, sizeof(words), "%s || exit 99; exec %s", before, command);
	run = run_program(&(struct program){ .argv = argv,
					     .under = RUN_SHIM,
					     .rules = rules,
					     .env = place->env,
					     .input = input,
					     .input_len = UPLOAD });
	free(input);
	if (run.status == 99 || strncmp(run.err, "unshare:", 8) == 0) {
		run_free(&run);
		skip(); /* not allowed here */
	}
	return run;
}

#define DOWNLOAD "curl -sS \"$1\""
#define PUT      "curl -sS -T - \"$1\""

static struct run download_after(struct place *place, const char *before, const char *log)
{
	struct server *server = server_start(script, 2);
	struct run run = run_after(place, before, rules_for(log, place->dir), DOWNLOAD,
				   server_url(server, "/"));

	server_stop(server);
	return run;
}

/* One line each, whatever else could not be written. */
static void check_complaints(const struct run *run, const char *cause)
{
	assert_output(*run, "done");
	assert_exit(*run, 0);
	assert_int_equal(count_lines(run->err, "action=not_shared"), 1);
	assert_int_equal(count_lines(run->err, "action=not_counted"), 1);
	assert_contains(run->err, cause);
}

static void full_disk(void **state)
{
	struct place place = new_place();
	struct run run = download_after(&place,
					"mount -t tmpfs -o size=4k,nr_inodes=9 none \"$0\" && "
					"{ head -c 9999 /dev/zero >\"$0/fill\" || :; } 2>&-",
					"stderr");

	(void)state;
	check_complaints(&run, "no space left");
	run_free(&run);
}

static void full_disk_for_the_log(void **state)
{
	struct place place = new_place();
	struct run run = download_after(&place, "true", "/dev/full");

	(void)state;
	assert_output(run, "done");
	assert_exit(run, 0);
	assert_int_equal(count_lines(run.err, "event="), 1);
	assert_contains(run.err, "event=log action=dropped file=/dev/full error=ENOSPC");
	run_free(&run);
}

/* The answer that nothing was tried for is reported; that has no place, which is told. */
static void full_disk_for_the_report(void **state)
{
	static const struct reply broken[] = { { .status = 503, .body = "busy" } };
	struct server *server = server_start(broken, 1);
	struct run run;

	(void)state;
	run = run_words(RUN_SHIM,
			rules_file("[retryshim]\nreport = /dev/full\n"
				   "[policy default]\nmax_attempts = 1\n[rule it]\nstatus = 503\n"),
			"curl", "-sS", server_url(server, "/"), server_url(server, "/"));
	assert_output(run, "busybusy");
	assert_exit(run, 0);
	assert_int_equal(count_lines(run.err, "event=report action=dropped file=/dev/full"), 1);
	assert_contains(run.err, "ENOSPC");
	run_free(&run);
	server_stop(server);
}

static void read_only_directory(void **state)
{
	struct place place = new_place();
	struct run run = download_after(&place, "mount -t tmpfs -o ro none \"$0\"", "stderr");

	(void)state;
	check_complaints(&run, "read-only");
	run_free(&run);
}

static void no_directory(void **state)
{
	struct place place = new_place();
	struct run run = download_after(&place, "rmdir \"$0\"", "stderr");

	(void)state;
	check_complaints(&run, "no such directory");
	run_free(&run);
}

/* The body cannot be kept: it is sent once, and the answer to that is the program's. */
static void check_not_kept(const char *before)
{
	struct server *server = server_start(script, 2);
	struct place place = new_place();
	struct run run =
		run_after(&place, before, rules_for(NULL, NULL), PUT, server_url(server, "/"));

	assert_output(run, "busy");
	assert_exit(run, 0);
	assert_int_equal(server_request_count(server), 1);
	assert_int_equal(server_request(server, 0)->body_len, UPLOAD);
	assert_contains(run.err, "reason=not_replayable");
	run_free(&run);
	server_stop(server);
}

/* The library itself may lie below /tmp. */
static void no_room_for_a_spool(void **state)
{
	(void)state;
	check_not_kept("rules=$(cat $RETRYSHIM_RULES) && lib=$(dirname ${LD_PRELOAD%% *}) && "
		       "mount --bind /tmp /mnt && mount -t tmpfs -o size=1m none /tmp && "
		       "case $lib in /tmp/*) "
		       "mkdir -p $lib && mount --bind /mnt${lib#/tmp} $lib;; esac && "
		       "mkdir -p $XDG_RUNTIME_DIR && echo \"$rules\" >$RETRYSHIM_RULES");
	check_not_kept("mount --bind /tmp /tmp && mount -o remount,ro,bind /tmp");
}

/* A file that would outgrow the limit raises SIGXFSZ, which ends programs. */
/* A library that counts its lines writes them down at the end, and would run into the limit. */
static void counts_nothing(void)
{
	if (getenv("RS_COUNTING"))
		skip();
}

static void limit_on_the_size_of_files(void **state)
{
	static const char *const limits[] = { "0", "1", "100" };

	(void)state;
	counts_nothing();
	for (size_t i = 0; i < 3; i++) {
		struct place place = new_place();
		char before[64], log[300];
		struct run run;

		(void)snprintf(before, sizeof(before), "ulimit -f %s", limits[i]);
		(void)snprintf(log, sizeof(log), "%s/log", place.dir);
		run = download_after(&place, before, log);
		assert_output(run, "done");
		assert_exit(run, 0);
		run_free(&run);
		check_not_kept(before);
	}
}

/* A log that has grown up to the limit before. */
static void log_at_its_limit(void **state)
{
	struct place place = new_place();
	char log[300];
	struct run run;

	(void)state;
	counts_nothing();
	(void)snprintf(log, sizeof(log), "%s/log", place.dir);
	run = download_after(&place, "yes | head -c 510 >\"$0/log\" && ulimit -f 1", log);
	assert_output(run, "done");
	assert_exit(run, 0);
	run_free(&run);
}

/* ---- descriptors ---- */

static struct run run_with(int descriptors, enum run_under under, const char *rules,
			   const struct place *place, const char *command, const char *url)
{
	char words[256];
	const char *const argv[] = { "sh", "-c", words, "sh", url, NULL };
	const char *const env[] = { place->runtime, NULL };

	(void)snprintf(words, sizeof(words), "ulimit -n %d; exec %s \"$1\"", descriptors, command);
	return run_program(
		&(struct program){ .argv = argv, .under = under, .rules = rules, .env = env });
}

/* With the shim it is the bare program's end, or that of a retry. */
static void check_same(const struct run *bare, const struct run *shim)
{
	assert_int_equal(shim->signal, 0);
	assert_int_equal(shim->status, bare->status);
	if (strcmp(shim->out, bare->out) != 0)
		assert_string_equal(shim->out, "done");
	if (bare->status != 0) {
		char *port = strstr(bare->err, " port "); /* is another one */

		if (port)
			*port = '\0';
		assert_contains(shim->err, bare->err);
	}
}

static void few_descriptors(void **state)
{
	struct place place = new_place();
	char log[300];

	(void)state;
	(void)snprintf(log, sizeof(log), "%s/log", place.dir);
	for (int most = 3; most < 12; most++) {
		struct server *server = server_start(script, 1);
		struct run bare =
			run_with(most, RUN_BARE, NULL, &place, "curl -sS", server_url(server, "/"));
		struct run shim;

		server_stop(server);
		server = server_start(script, 2);
		shim = run_with(most, RUN_SHIM, rules_for(log, place.dir), &place, "curl -sS",
				server_url(server, "/"));
		check_same(&bare, &shim);
		run_free(&bare);
		run_free(&shim);
		server_stop(server);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_disk),
		cmocka_unit_test(full_disk_for_the_log),
		cmocka_unit_test(full_disk_for_the_report),
		cmocka_unit_test(read_only_directory),
		cmocka_unit_test(no_directory),
		cmocka_unit_test(no_room_for_a_spool),
		cmocka_unit_test(limit_on_the_size_of_files),
		cmocka_unit_test(log_at_its_limit),
		cmocka_unit_test(few_descriptors),
	};

	return cmocka_run_group_tests_name("full", tests, NULL, NULL);
}
