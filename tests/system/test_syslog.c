/*
 * The log elsewhere than on stderr: the system's log, and a file that many write.
 */
#include "harness.h"
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int listener = -1;

static void bind_device(const char *dir, const char *name)
{
	char from[64], to[320];
	int fd;

	(void)snprintf(from, sizeof(from), "/dev/%s", name);
	(void)snprintf(to, sizeof(to), "%s/%s", dir, name);
	fd = open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(mount(from, to, NULL, MS_BIND, NULL), 0);
}

/* A /dev of our own with a /dev/log of our own, for this process and its children. */
static int listen_at_dev_log(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const char *dir = temp_path("dev");

	(void)state;
	/* Not allowed to, or in a chroot that is no mount of its own: the tests are skipped. */
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return 0;
	assert_int_equal(mkdir(dir, 0755), 0);
	bind_device(dir, "null");
	bind_device(dir, "urandom");
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/log", dir);
	listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(mount(dir, "/dev", NULL, MS_BIND | MS_REC, NULL), 0);
	return 0;
}

static int unmount(void **state)
{
	const char *dir = temp_path("dev");
	char path[320];

	(void)state;
	if (listener < 0)
		return 0;
	(void)close(listener);
	(void)umount2("/dev", MNT_DETACH);
	(void)snprintf(path, sizeof(path), "%s/null", dir);
	(void)umount2(path, MNT_DETACH);
	(void)snprintf(path, sizeof(path), "%s/urandom", dir);
	(void)umount2(path, MNT_DETACH);
	return 0;
}

static const char *next_datagram(void)
{
	static char text[4096];
	ssize_t len = recv(listener, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

#define RULES                                                                                      \
	"log = syslog\nlog_level = info\n[policy default]\nmax_attempts = 2\nbase = 1ms\n"         \
	"[rule busy]\nstatus = 503\n"

static void text_lines(void **state)
{
	const struct reply replies[] = { { .status = 503 } };
	struct server *server;
	struct run run;
	const char *text;

	(void)state;
	if (listener < 0)
		skip();
	server = server_start(replies, 1);
	run = run_words(RUN_SHIM, rules_file("[retryshim]\n" RULES), "curl", "-sS",
			server_url(server, "/"));
	assert_exit(run, 0);
	assert_string_equal(run.err, "");
	text = next_datagram();
	assert_int_equal(strncmp(text, "<14>retryshim[", 14), 0);
	assert_contains(text, "]: event=retry rule=busy call=curl");
	assert_null(strchr(text, '\n'));
	text = next_datagram();
	assert_int_equal(strncmp(text, "<12>retryshim[", 14), 0);
	assert_contains(text, "]: event=exhausted rule=busy");
	assert_string_equal(next_datagram(), "");
	run_free(&run);
	server_stop(server);
}

static void json_lines(void **state)
{
	const struct reply replies[] = { { .status = 503 } };
	struct server *server;
	struct run run;
	const char *text;

	(void)state;
	if (listener < 0)
		skip();
	server = server_start(replies, 1);
	run = run_words(RUN_SHIM, rules_file("[retryshim]\nlog_format = json\n" RULES), "curl",
			"-sS", server_url(server, "/"));
	assert_exit(run, 0);
	text = next_datagram();
	assert_contains(text, "]: {\"event\":\"retry\",\"rule\":\"busy\"");
	assert_int_equal(text[strlen(text) - 1], '}');
	run_free(&run);
	server_stop(server);
}

static struct run fetch(struct server *server, const char *url)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "curl -sS '%s%s'", server_url(server, "/"), url);
	return run_words(RUN_SHIM, rules_file("[retryshim]\n" RULES), "sh", "-c", line);
}

/* That is said where it can be, once. */
static void nobody_listens(void **state)
{
	const struct reply replies[] = { { .status = 503 } };
	struct server *server;
	struct run run;

	(void)state;
	if (listener < 0)
		skip();
	server = server_start(replies, 1);
	assert_int_equal(rename("/dev/log", "/dev/log.away"), 0);
	run = fetch(server, "?[1-3]");
	assert_int_equal(rename("/dev/log.away", "/dev/log"), 0);
	assert_exit(run, 0);
	assert_string_equal(run.err,
			    "retryshim: event=log action=dropped file=/dev/log error=ENOENT\n");
	run_free(&run);
	server_stop(server);
}

/* A daemon that does not read its socket loses lines; the program loses no time. */
static void nobody_reads(void **state)
{
	const struct reply replies[] = { { .status = 503 } };
	struct server *server;
	struct run run;

	(void)state;
	if (listener < 0)
		skip();
	server = server_start(replies, 1);
	run = fetch(server, "?[1-300]");
	assert_exit(run, 0);
	assert_string_equal(run.err,
			    "retryshim: event=log action=dropped file=/dev/log error=EAGAIN\n");
	while (next_datagram()[0])
		;
	run_free(&run);
	server_stop(server);
}

/* Whole lines in a file that fifty processes write, and that is rotated away meanwhile. */
static void many_write_one_file(void **state)
{
	const struct reply replies[] = { { .status = 503 } };
	struct server *server = server_start(replies, 1);
	const char *log = temp_path("many.log");
	char rules[256], line[512], *text;
	struct run run;
	size_t len;
	int lines = 0;

	(void)state;
	(void)snprintf(
		rules, sizeof(rules),
		"[retryshim]\nlog = %s\nlog_level = info\nlog_format = json\n"
		"[policy default]\nmax_attempts = 2\nbase = 1ms\n[rule busy]\nstatus = 503\n",
		log);
	(void)snprintf(line, sizeof(line),
		       "for i in $(seq 25); do curl -sS %s & done; wait; mv %s %s.1\n"
		       "for i in $(seq 25); do curl -sS %s & done; wait; cat %s.1 >>%s",
		       server_url(server, "/"), log, log, server_url(server, "/"), log, log);
	run = run_words(RUN_SHIM, rules_file(rules), "bash", "-c", line);
	assert_exit(run, 0);
	text = read_file(log, &len);
	for (const char *at = text; *at; at = strchr(at, '\n') + 1) {
		assert_int_equal(strncmp(at, "{\"event\":\"", 10), 0);
		lines++;
	}
	assert_int_equal(lines, 100);
	free(text);
	run_free(&run);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_lines),          cmocka_unit_test(json_lines),
		cmocka_unit_test(nobody_listens),      cmocka_unit_test(nobody_reads),
		cmocka_unit_test(many_write_one_file),
	};

	return cmocka_run_group_tests(tests, listen_at_dev_log, unmount);
}
