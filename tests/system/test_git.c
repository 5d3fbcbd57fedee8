/*
 * git over HTTP: a real git, a real web server (lighttpd) with git-http-backend, and between them
 * a relay that spoils exchanges. git drives libcurl's multi interface by curl_multi_fdset().
 */
#include "harness.h"
#include "web_relay.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Also for requests that are not idempotent: git's are, by what they mean. */
#define RULES                                                                                      \
	"[retryshim]\nlog = none\n"                                                                \
	"[policy default]\nmax_attempts = 4\nbase = 10ms\nbackoff = constant\njitter = none\n"     \
	"[rule git]\nerror = any\nstatus = 500-599\nmethod = any\nurl = http://127.0.0.1:*/*\n"

#define FILE_LEN 400000
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct child *web;
static uint16_t web_port;
static char *content;

static struct run run_git(enum run_under under, const char *const *argv)
{
	const char *const env[] = { "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
				    "GIT_AUTHOR_NAME=a",     "GIT_AUTHOR_EMAIL=a@example.org",
				    "GIT_COMMITTER_NAME=a",  "GIT_COMMITTER_EMAIL=a@example.org",
				    "GIT_CONFIG_COUNT=1",    "GIT_CONFIG_KEY_0=safe.directory",
				    "GIT_CONFIG_VALUE_0=*",  NULL };

	return run_program(&(struct program){
		.argv = argv, .under = under, .rules = rules_file(RULES), .env = env });
}

#define git(under, ...) run_git(under, (const char *const[]){ "git", __VA_ARGS__, NULL })

static void git_ok(const char *const *argv)
{
	struct run run = run_git(RUN_BARE, argv);

	assert_exit(run, 0);
	run_free(&run);
}

#define must(...) git_ok((const char *const[]){ "git", __VA_ARGS__, NULL })

/* A work tree with one commit, and the bare repository that is served. */
static void make_repositories(void)
{
	const char *work = temp_path("work"), *served = temp_path("served.git");

	must("init", "-q", "-b", "main", work);
	content = noise(FILE_LEN, 11);
	(void)temp_file("work/file", content, FILE_LEN); /* does not compress: a long pack */
	must("-C", work, "add", "file");
	must("-C", work, "commit", "-q", "-m", "one");
	must("clone", "-q", "--bare", work, served);
	must("-C", served, "config", "http.receivepack", "true");
	must("-C", served, "repack", "-q", "-a", "-d");
	must("-C", served, "update-server-info");
}

static bool is_listening(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answers;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	answers = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	(void)close(fd);
	return answers;
}

static void start_web_server(void)
{
	static const char text[] =
		"server.modules = (\"mod_alias\", \"mod_setenv\", \"mod_cgi\")\n"
		"server.document-root = \"%s\"\n"
		"server.bind = \"127.0.0.1\"\n"
		"server.port = %u\n"
		"server.max-keep-alive-requests = 0\n"
		"mimetype.assign = (\"\" => \"application/octet-stream\")\n"
		"alias.url = (\"/git\" => \"/usr/lib/git-core/git-http-backend\")\n"
		"$HTTP[\"url\"] =~ \"^/git/\" {\n"
		"  cgi.assign = (\"\" => \"\")\n"
		"  setenv.set-environment = (\"GIT_HTTP_EXPORT_ALL\" => \"1\",\n"
		"    \"GIT_PROJECT_ROOT\" => \"%s\", \"GIT_CONFIG_COUNT\" => \"1\",\n"
		"    \"GIT_CONFIG_KEY_0\" => \"safe.directory\", \"GIT_CONFIG_VALUE_0\" => \"*\")\n"
		"}\n";
	const char *argv[] = { "/usr/sbin/lighttpd", "-D", "-f", temp_path("web.conf"), NULL };
	char config[2048];
	int64_t ends_ns;

	web_port = free_port();
	(void)snprintf(config, sizeof(config), text, temp_dir(), web_port, temp_dir());
	(void)temp_file("web.conf", config, strlen(config));
	web = child_start(&(struct program){ .argv = argv, .timeout_ms = 120000 });
	ends_ns = now_ns() + INT64_C(10) * 1000 * 1000 * 1000;
	while (!is_listening(web_port) && now_ns() < ends_ns)
		(void)usleep(10000);
}

static int start(void **state)
{
	(void)state;
	make_repositories();
	start_web_server();
	return 0;
}

static int stop(void **state)
{
	struct run run;

	(void)state;
	(void)kill(child_pid(web), SIGTERM);
	run = child_finish(web);
	run_free(&run);
	free(content);
	return 0;
}

static char *url_of(const struct web_relay *relay, const char *path)
{
	static char url[256];

	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", web_relay_port(relay), path);
	return url;
}

/* Clone from behind a relay with these faults into a fresh directory. */
static struct run clone(enum run_under under, const char *path, const char *into,
			const struct web_fault *faults, size_t count, size_t happen)
{
	struct web_relay *relay = web_relay_start(web_port, faults, count);
	struct run run = git(under, "clone", "-q", url_of(relay, path), temp_path(into));

	assert_int_equal(web_relay_stop(relay), happen);
	return run;
}

static void check_clone(const char *name)
{
	char path[512];
	size_t len;
	char *text;

	(void)snprintf(path, sizeof(path), "%s/file", temp_path(name));
	text = read_file(path, &len);
	assert_non_null(text);
	assert_bytes(text, len, content, FILE_LEN);
	free(text);
	must("-C", temp_path(name), "fsck", "--strict");
}

/* Three in a row for each of the requests that a clone makes. */
#define THREE(where)                                                                               \
	{ where, 0, WEB_BUSY, 0 }, { where, 0, WEB_RESET, 0 },                                     \
	{                                                                                          \
		where, 0, WEB_CUT, 0                                                               \
	}
static const struct web_fault clone_faults[] = {
	THREE("GET /git/served.git/info/refs"),
	THREE("POST /git/served.git/git-upload-pack"),
	{ "POST /git/served.git/git-upload-pack", 1, WEB_BUSY, 0 },
	{ "POST /git/served.git/git-upload-pack", 0, WEB_RESET, 0 },
	{ "POST /git/served.git/git-upload-pack", 0, WEB_CUT, 0 },
};

static void clone_through_faults(void **state)
{
	struct run run =
		clone(RUN_BARE, "/git/served.git", "bare", clone_faults, COUNT(clone_faults), 1);

	(void)state;
	assert_exit(run, 128);
	run_free(&run);
	run = clone(RUN_SHIM, "/git/served.git", "wrapped", clone_faults, COUNT(clone_faults),
		    COUNT(clone_faults));
	assert_exit(run, 0);
	assert_string_equal(run.err, "");
	check_clone("wrapped");
	run_free(&run);
}

/* The answer to a POST cannot be had from the middle: the failure is git's own, as ever. */
static void pack_cut_in_the_middle_of_an_answer_to_post(void **state)
{
	static const struct web_fault faults[] = {
		{ "POST /git/served.git/git-upload-pack", 1, WEB_CUT, 150000 },
	};
	struct run bare = clone(RUN_BARE, "/git/served.git", "cut-bare", faults, 1, 1);
	struct run run = clone(RUN_SHIM, "/git/served.git", "cut", faults, 1, 1);

	(void)state;
	assert_exit(bare, 128);
	assert_exit(run, 128);
	assert_contains(run.err, "transfer closed");
	assert_contains(bare.err, "transfer closed");
	assert_int_not_equal(access(temp_path("cut"), F_OK), 0);
	run_free(&bare);
	run_free(&run);
}

/* From a server of plain files git fetches the pack by GET: that is continued. */
static void pack_cut_in_the_middle_of_a_file(void **state)
{
	static const struct web_fault faults[] = {
		{ ".pack ", 0, WEB_CUT, 150000 },
		{ ".pack ", 0, WEB_BUSY, 0 },
		{ ".pack ", 0, WEB_CUT, 100000 },
	};
	struct run run = clone(RUN_BARE, "/served.git", "file-bare", faults, COUNT(faults), 1);

	(void)state;
	assert_exit(run, 128);
	run_free(&run);
	run = clone(RUN_SHIM, "/served.git", "file", faults, COUNT(faults), COUNT(faults));
	assert_exit(run, 0);
	check_clone("file");
	run_free(&run);
}

static const struct web_fault push_faults[] = {
	THREE("GET /git/served.git/info/refs"),
	THREE("POST /git/served.git/git-receive-pack"),
	{ "POST /git/served.git/git-receive-pack", 1, WEB_BUSY, 0 },
	{ "POST /git/served.git/git-receive-pack", 0, WEB_RESET, 0 },
	{ "POST /git/served.git/git-receive-pack", 0, WEB_CUT, 0 },
};

static struct run push(enum run_under under, const char *name, size_t happen)
{
	struct web_relay *relay = web_relay_start(web_port, push_faults, COUNT(push_faults));
	char refspec[64];
	struct run run;

	(void)snprintf(refspec, sizeof(refspec), "HEAD:refs/heads/%s", name);
	/* A small post buffer: the pack is streamed, in chunks. */
	run = git(under, "-c", "http.postBuffer=65536", "-C", temp_path("work"), "push", "-q",
		  url_of(relay, "/git/served.git"), refspec);
	assert_int_equal(web_relay_stop(relay), happen);
	return run;
}

static void push_through_faults(void **state)
{
	const char *work = temp_path("work"), *served = temp_path("served.git");
	char *more = noise(FILE_LEN, 12);
	struct run run;

	(void)state;
	(void)temp_file("work/more", more, FILE_LEN);
	must("-C", work, "add", "more");
	must("-C", work, "commit", "-q", "-m", "two");
	run = push(RUN_BARE, "bare", 1);
	assert_int_not_equal(run.status, 0);
	run_free(&run);
	run = push(RUN_SHIM, "wrapped", COUNT(push_faults));
	assert_exit(run, 0);
	run_free(&run);
	run = git(RUN_BARE, "-C", served, "cat-file", "blob", "refs/heads/wrapped:more");
	assert_bytes(run.out, run.out_len, more, FILE_LEN);
	run_free(&run);
	must("-C", served, "fsck", "--strict");
	free(more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clone_through_faults),
		cmocka_unit_test(pack_cut_in_the_middle_of_an_answer_to_post),
		cmocka_unit_test(pack_cut_in_the_middle_of_a_file),
		cmocka_unit_test(push_through_faults),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
