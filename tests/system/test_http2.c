/*
 * The same comparison over HTTP/2: nghttpx stands before the server, and makes streams of what it
 * answers. An answer that breaks off becomes a stream that is reset.
 */
#include "certificate.h"
#include "loopback.h"
#include "transparency.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct child *proxy;
static char base[64], clear_base[64];

static in_port_t find_free_port(void)
{
	struct sockaddr_in at;

	(void)close(loopback_bound(&at));
	return ntohs(at.sin_port);
}

static bool answers(in_port_t port)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
					.sin_port = htons(port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answers = connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0;

	(void)close(fd);
	return answers;
}

/* `clear`: another port, without TLS. The server is another one for each run, so the proxy is not
 * to stop asking for a while when it found none. */
static void start_proxy(in_port_t port, in_port_t clear)
{
	const struct certificate made = certificate_make();
	char front[64], clear_front[64], back[256];

	(void)snprintf(front, sizeof(front), "--frontend=127.0.0.1,%d", port);
	(void)snprintf(clear_front, sizeof(clear_front), "--frontend=127.0.0.1,%d;no-tls", clear);
	(void)snprintf(back, sizeof(back), "--backend=unix:%s", transparency_way.server.path);
	proxy = child_start(&(struct program){
		.argv = (const char *const[]){ "nghttpx", "--conf=/dev/null", front, clear_front,
					       back, "--workers=1", "--log-level=FATAL", "--no-via",
					       "--no-server-rewrite", "--backend-max-backoff=1ms",
					       made.key, made.certificate, NULL },
		.timeout_ms = 170000,
	});
	for (int i = 0; i < 2000 && !answers(port); i++)
		(void)usleep(5000);
	assert_true(answers(port));
}

static int prepare(void **state)
{
	in_port_t port = find_free_port(), clear = find_free_port();

	(void)snprintf(clear_base, sizeof(clear_base), "http://127.0.0.1:%d", clear);
	(void)snprintf(base, sizeof(base), "https://127.0.0.1:%d", port);
	transparency_way = (struct transparency_way){
		.words = { "SSL_VERIFYPEER=0", "SSL_VERIFYHOST=0" },
		.server = { .family = SERVER_UNIX, .path = temp_path("backend.sock") },
		.base = base,
		.proxied = true,
	};
	start_proxy(port, clear);
	return transparency_prepare(state);
}

static int clean_up(void **state)
{
	struct run run;

	(void)kill(child_pid(proxy), SIGTERM);
	run = child_finish(proxy);
	run_free(&run);
	return transparency_clean_up(state);
}

static void it_is_http2(void **state)
{
	const struct reply reply = { .body = "a stream" };
	struct server *server = server_start_with(&transparency_way.server, &reply, 1);
	struct run run = run_words(RUN_SHIM, NULL, helper_path("transfer-trace"),
				   transparency_way.words[0], transparency_way.words[1], base);

	(void)state;
	assert_exit(run, 0);
	assert_contains(run.err, "HTTP/2 200");
	assert_contains(run.err, "result 0");
	run_free(&run);
	server_stop(server);
}

/* libcurl 7.88 cannot use a connection again that speaks HTTP/2 without TLS, and keeps it. */
static void a_broken_connection_is_not_used_again(void **state)
{
	const struct reply replies[] = { { .status = 503, .body = "busy" }, { .body = "object" } };
	struct server *server = server_start_with(&transparency_way.server, replies, 2);
	struct run run = run_words(RUN_SHIM,
				   rules_file("[retryshim]\nlog = none\n[policy default]\n"
					      "base = 1ms\n[rule it]\nstatus = 503\n"
					      "error = CURLE_HTTP2\n"),
				   "curl", "-sS", "--http2-prior-knowledge", clear_base);

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "object");
	run_free(&run);
	server_stop(server);
}

static void with_nothing_failing(void **state)
{
	(void)state;
	transparency_check_unfailing(&transparency_responses);
	transparency_check_unfailing(&transparency_requests);
	transparency_check_unfailing(&transparency_callbacks);
	assert_int_equal(transparency_differing, 0);
}

static void after_a_failure(void **state)
{
	(void)state;
	transparency_check_failing(&transparency_responses);
	transparency_check_failing(&transparency_requests);
	transparency_check_failing(&transparency_callbacks);
	assert_int_equal(transparency_differing, 0);
}

static void through_the_multi_interface(void **state)
{
	(void)state;
	transparency_way.words[2] = "multi=2";
	transparency_check_failing(&transparency_responses);
	transparency_check_failing(&transparency_callbacks);
	transparency_way.words[2] = NULL;
	assert_int_equal(transparency_differing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_http2),
		cmocka_unit_test(a_broken_connection_is_not_used_again),
		cmocka_unit_test_setup(with_nothing_failing, transparency_begin),
		cmocka_unit_test_setup(after_a_failure, transparency_begin),
		cmocka_unit_test_setup(through_the_multi_interface, transparency_begin),
	};

	return cmocka_run_group_tests(tests, prepare, clean_up);
}
