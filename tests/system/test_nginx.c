/*
 * Debian's curl and nginx, with a relay between them that cuts connections: in the clear, with
 * TLS, with HTTP/2. What arrives is the file, or the beginning of it and a failure.
 */
#include "certificate.h"
#include "harness.h"
#include "relay.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SIZE      1000000
#define ROUNDS    25
#define HUGE      (1L << 30)
#define HUGE_TEXT "1073741824"
#define RULES                                                                                      \
	"[retryshim]\nlog = none\n"                                                                \
	"[policy default]\nmax_attempts = 12\nbase = 1ms\njitter = none\n"                         \
	"[rule it]\nerror = any\n"

static char *object;
static char *text; /* of the same size, and worth to compress */
static struct child *nginx;
static const char *clear_socket, *tls_socket;

static const char config[] =
	"error_log @/error.log;\npid @/nginx.pid;\nworker_processes 1;\n"
	"events { worker_connections 256; }\n"
	"http {\n"
	"  access_log off; root @;\n"
	"  client_body_temp_path @/t1; proxy_temp_path @/t2; fastcgi_temp_path @/t3;\n"
	"  uwsgi_temp_path @/t4; scgi_temp_path @/t5;\n"
	"  types { text/plain txt; }\n"
	"  gzip on; gzip_types text/plain; gzip_min_length 1;\n"
	"  server { listen unix:@/clear.sock; }\n"
	"  server { listen unix:@/tls.sock ssl http2;\n"
	"           ssl_certificate @/cert.pem; ssl_certificate_key @/key.pem; }\n"
	"}\n";

static bool answers(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connected;

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	connected = connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0;
	(void)close(fd);
	return connected;
}

/* With the temporary directory for each @. */
static size_t write_config(char *to, size_t size)
{
	size_t len = (size_t)snprintf(to, size, "%s", geteuid() == 0 ? "user root;\n" : "");

	for (const char *from = config; *from && len < size - 1; from++) {
		if (*from == '@')
			len += (size_t)snprintf(to + len, size - len, "%s", temp_dir());
		else
			to[len++] = *from;
	}
	assert_true(len < size - 1);
	return len;
}

static void start_nginx(void)
{
	static const char *argv[] = {
		"nginx", "-e", "stderr", "-g", "daemon off;", "-c", NULL, NULL
	};
	char written[8192];
	size_t len = write_config(written, sizeof(written));

	argv[6] = temp_file("nginx.conf", written, len);
	nginx = child_start(&(struct program){
		.argv = argv,
		.env = (const char *const[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL },
		.timeout_ms = 170000 });
	for (int i = 0; i < 2000 && !answers(tls_socket); i++)
		(void)usleep(5000);
	assert_true(answers(tls_socket));
}

static int prepare(void **state)
{
	static const char words[] = "All work and no play makes Jack a dull boy. ";

	(void)state;
	object = noise(SIZE, 5);
	text = noise(SIZE, 6);
	for (size_t i = 0; i < SIZE; i++)
		if (i % 500 > 40)
			text[i] = words[i % (sizeof(words) - 1)];
	(void)temp_file("object.bin", object, SIZE);
	(void)temp_file("object.txt", text, SIZE);
	clear_socket = temp_path("clear.sock");
	tls_socket = temp_path("tls.sock");
	(void)certificate_make();
	start_nginx();
	return 0;
}

static int clean_up(void **state)
{
	struct run run;

	(void)state;
	(void)kill(child_pid(nginx), SIGTERM);
	run = child_finish(nginx);
	run_free(&run);
	free(object);
	free(text);
	return 0;
}

/* How the rounds ended. */
struct tally {
	int whole, broken;
};

static void check_arrived(const struct run *run, const char *wanted, struct tally *tally)
{
	if (run->status == 0) {
		tally->whole++;
		assert_bytes(run->out, run->out_len, wanted, SIZE);
		return;
	}
	tally->broken++;
	assert_false(run->timed_out);
	assert_true(run->out_len <= SIZE);
	assert_memory_equal(run->out, wanted, run->out_len);
}

static struct tally fetch_often(const char *socket_path, const char *scheme, const char *name,
				const char *option, const char *wanted, size_t most)
{
	const char *rules = rules_file(RULES);
	struct tally tally = { 0 };
	struct relay *relay = relay_start(socket_path, 42, most);

	for (int i = 0; i < ROUNDS; i++) {
		char url[256];
		struct run run;

		(void)snprintf(url, sizeof(url), "%s://127.0.0.1:%u/%s", scheme, relay_port(relay),
			       name);
		run = run_words(RUN_SHIM, rules, "curl", "-sSk", option, url);
		check_arrived(&run, wanted, &tally);
		run_free(&run);
	}
	print_message("%s %s %s: %d whole, %d failures, %d cuts\n", scheme, option, name,
		      tally.whole, tally.broken, relay_cuts(relay));
	assert_true(relay_cuts(relay) >= ROUNDS / 3);
	relay_stop(relay);
	return tally;
}

#define MOST  (SIZE + SIZE / 2)
#define CODED (SIZE / 8) /* about what is sent of the text */

static void in_the_clear(void **state)
{
	(void)state;
	assert_int_equal(
		fetch_often(clear_socket, "http", "object.bin", "--http1.1", object, MOST).broken,
		0);
}

static void with_tls(void **state)
{
	(void)state;
	assert_int_equal(
		fetch_often(tls_socket, "https", "object.bin", "--http1.1", object, MOST).broken,
		0);
}

static void with_http2(void **state)
{
	(void)state;
	assert_int_equal(
		fetch_often(tls_socket, "https", "object.bin", "--http2", object, MOST).broken, 0);
}

/* Several at a time over one connection, which takes all of them down when it is cut. */
static void multiplexed(void **state)
{
	static const char *const names[] = { "m0", "m1", "m2", "m3" };
	const char *rules = rules_file(RULES);
	struct relay *relay = relay_start(tls_socket, 44, 4 * SIZE);
	char url[256];

	(void)state;
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/object.bin", relay_port(relay));
	for (int i = 0; i < ROUNDS / 2; i++) {
		struct run run = run_words(RUN_SHIM, rules, "curl", "-sSkZ", "--http2", "-w",
					   "%{http_version} %{http_code};", "-o", temp_path("m0"),
					   url, "-o", temp_path("m1"), url, "-o", temp_path("m2"),
					   url, "-o", temp_path("m3"), url);

		assert_exit(run, 0);
		assert_output(run, "2 200;2 200;2 200;2 200;");
		run_free(&run);
		for (size_t k = 0; k < 4; k++) {
			size_t len;
			char *got = read_file(temp_path(names[k]), &len);

			assert_bytes(got, len, object, SIZE);
			free(got);
			(void)unlink(temp_path(names[k]));
		}
	}
	print_message("multiplexed: %d cuts\n", relay_cuts(relay));
	assert_true(relay_cuts(relay) >= ROUNDS / 4);
	relay_stop(relay);
}

/* What was decoded cannot be continued: there, failures are all that a late cut leaves. */
static void compressed(void **state)
{
	(void)state;
	(void)fetch_often(clear_socket, "http", "object.txt", "--compressed", text, CODED);
	(void)fetch_often(tls_socket, "https", "object.txt", "--compressed", text, CODED);
}

/* The program resumes by itself, and is helped to do so. */
static void resumed_by_the_program(void **state)
{
	const char *rules = rules_file(RULES), *path = temp_path("resumed");
	struct relay *relay = relay_start(tls_socket, 43, SIZE);
	char url[256], *got;
	struct run run;
	size_t len;

	(void)state;
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/object.bin", relay_port(relay));
	for (int i = 0; i < 5; i++) {
		(void)temp_file("resumed", object, SIZE / 3);
		run = run_words(RUN_SHIM, rules, "curl", "-sSk", "-C", "-", "-o", path, url);
		assert_exit(run, 0);
		run_free(&run);
		got = read_file(path, &len);
		assert_bytes(got, len, object, SIZE);
		free(got);
	}
	relay_stop(relay);
}

static long peak_of(enum run_under under)
{
	struct run run = run_words(under, rules_file(RULES), helper_path("peak-memory"), "curl",
				   "-sS", "--unix-socket", clear_socket, "-o", "/dev/null", "-w",
				   "%{size_download}", "http://localhost/huge.bin");
	const char *told = strstr(run.err, "peak ");
	long peak;

	assert_exit(run, 0);
	assert_output(run, HUGE_TEXT);
	assert_non_null(told);
	peak = strtol(told + 5, NULL, 10);
	run_free(&run);
	return peak;
}

/* What passes is not kept: a gigabyte takes no more memory than it takes without the shim. */
static void memory_stays_flat(void **state)
{
	const char *path = temp_file("huge.bin", "", 0);
	long bare, shim;

	(void)state;
	assert_int_equal(truncate(path, HUGE), 0);
	bare = peak_of(RUN_BARE);
	shim = peak_of(RUN_SHIM);
	print_message("most memory resident: %ld KiB bare, %ld KiB under the shim\n", bare, shim);
	/* Something else is preloaded, or all that is executed counted: that takes memory, too. */
	if (!getenv("RS_PRELOAD_FIRST") && !getenv("RS_COUNTING"))
		assert_true(shim < bare + 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_the_clear),      cmocka_unit_test(with_tls),
		cmocka_unit_test(with_http2),        cmocka_unit_test(multiplexed),
		cmocka_unit_test(compressed),        cmocka_unit_test(resumed_by_the_program),
		cmocka_unit_test(memory_stays_flat),
	};

	return cmocka_run_group_tests(tests, prepare, clean_up);
}
