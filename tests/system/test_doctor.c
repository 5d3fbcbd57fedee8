/*
 * retryshim doctor: what it finds out about programs, and that what it says is what happens.
 */
#include "harness.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RULES                                                                                      \
	"[retryshim]\nlog_level = info\n[policy default]\nbase = 1ms\n"                            \
	"[rule it]\nstatus = 503\n[rule refused]\ncall = connect\nerror = refused\n"

#define YES    0
#define PARTLY 1
#define NO     2

#define NOBODY 65534
#define PYCURL "/usr/lib/python3/dist-packages/pycurl.cpython-311-x86_64-linux-gnu.so"

/* ---- samples ---- */

static struct run command(const char *verb, const char *program)
{
	const char *const argv[] = { command_path(), verb, "--json", program, NULL };

	return run_program(&(struct program){ .argv = argv });
}

/* What doctor --json says of it. */
static struct run doctor(const char *program)
{
	return command("doctor", program);
}

static const char *write_program(const char *name, const char *bytes, size_t len)
{
	const char *path = temp_file(name, bytes, len);

	assert_int_equal(chmod(path, 0755), 0);
	return path;
}

static const char *script_file(const char *name, const char *text)
{
	return write_program(name, text, strlen(text));
}

static char *copy_of(const char *program, size_t *len)
{
	char *bytes = read_file(program, len);

	assert_non_null(bytes);
	return bytes;
}

static const char *compile(const char *name, const char *source, const char *option)
{
	const char *path = temp_path(name);
	const char *const argv[] = { "cc", "-x", "c", "-o", path, "-", option, NULL };
	struct run run = run_program(&(struct program){ .argv = argv, .input = source });

	assert_exit(run, 0);
	run_free(&run);
	return path;
}

#define CONNECT_SOURCE                                                                             \
	"#include <arpa/inet.h>\n#include <netinet/in.h>\n"                                        \
	"int main(void) {\n"                                                                       \
	"  struct sockaddr_in a = { AF_INET, htons(1), { htonl(0x7f000001) }, { 0 } };\n"          \
	"  return connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&a, sizeof(a)) != 0;\n"         \
	"}\n"

static void check(const char *program, int status, const char *const *says)
{
	struct run run = doctor(program);

	assert_exit(run, status);
	assert_string_equal(run.err, "");
	for (; *says; says++)
		assert_contains(run.out, *says);
	run_free(&run);
}

#define CHECK(program, status, ...)                                                                \
	check(program, status, (const char *const[]){ __VA_ARGS__, NULL })

/* ---- what it finds ---- */

static void an_ordinary_program(void **state)
{
	(void)state;
	CHECK("curl", YES, "\"verdict\":\"yes\"", "\"because\":[]", "\"libc\":\"glibc\"",
	      "\"flavour\":\"OpenSSL\",\"how\":\"linked\",\"name\":\"libcurl.so.4\"",
	      "\"interfaces\":[\"easy\",\"multi\"]", "\"static\":false", "\"program\":\"/");
	/* All that doctor looks for stands in itself. */
	CHECK(command_path(), YES, "\"go\":false", "\"libcurl\":[]");
	CHECK(helper_path("connect-once"), YES, "\"libcurl\":[]", "\"connect\":true");
}

static void the_flavour_of_a_plugin(void **state)
{
	(void)state;
	if (access(PYCURL, R_OK) == 0)
		CHECK(PYCURL, YES, "\"kind\":\"shared object\"", "\"flavour\":\"GnuTLS\"",
		      "\"interfaces\":[\"easy\"");
	CHECK("/usr/bin/python3", YES, "\"flavour\":\"GnuTLS\",\"how\":\"plugin\"",
	      "/pycurl.cpython-");
}

static void a_library_in_between(void **state)
{
	static const char build[] =
		"cd \"$0\" && echo 'int curl_easy_perform(void *); int f(void) { return "
		"curl_easy_perform(0); }' | cc -shared -fPIC -o libbetween.so -x c - "
		"-l:libcurl.so.4 && echo 'int f(void); int main(void) { return f(); }' | "
		"cc -o through -x c - -L. -lbetween -Wl,-rpath,'$ORIGIN'";
	const char *const argv[] = { "sh", "-c", build, temp_dir(), NULL };
	struct run run = run_program(&(struct program){ .argv = argv });

	(void)state;
	assert_exit(run, 0);
	run_free(&run);
	CHECK(temp_path("through"), YES, "\"how\":\"library\"", "/libbetween.so\"",
	      "\"interfaces\":[\"easy\"]");
	/* By a link in another place, as Debian's java. */
	assert_int_equal(mkdir(temp_path("links"), 0700), 0);
	assert_int_equal(symlink(temp_path("through"), temp_path("links/through")), 0);
	CHECK(temp_path("links/through"), YES, "\"because\":[]", "\"how\":\"library\"",
	      "/libbetween.so\"");
}

static void one_that_bundles_libcurl(void **state)
{
	static const char source[] =
		"const char *volatile texts[] = { \"libcurl/7.88.1\", \"Could not resolve host\",\n"
		"  \"Failure when receiving data from the peer\" };\n"
		"int main(void) { return texts[0] == 0; }\n";

	(void)state;
	CHECK(compile("bundles", source, "-O0"), PARTLY, "\"how\":\"bundled\"", "never leave it");
}

static void a_go_program(void **state)
{
	const char *path = compile("go", CONNECT_SOURCE, "-O0");
	const char *const argv[] = { "objcopy", "--add-section", ".go.buildinfo=/etc/hostname",
				     path, NULL };
	struct run run = run_program(&(struct program){ .argv = argv });

	(void)state;
	assert_exit(run, 0);
	run_free(&run);
	CHECK(path, NO, "\"go\":true", "past the C library");
}

static void other_machines_and_libcs(void **state)
{
	static const char ours[] = "/lib64/ld-linux", theirs[] = "/lib64/ld-musl-";
	size_t len;
	char *bytes = copy_of("/bin/true", &len);
	char *linker;

	(void)state;
	bytes[4] = 1;  /* ELFCLASS32 */
	bytes[18] = 3; /* EM_386 */
	CHECK(write_program("i386", bytes, len), NO, "\"architecture\":\"32-bit x86\"");
	free(bytes);
	bytes = copy_of("/bin/true", &len);
	linker = memmem(bytes, len, ours, strlen(ours));
	if (linker) {
		memcpy(linker, theirs, strlen(theirs));
		CHECK(write_program("musl", bytes, len), NO, "\"libc\":\"musl\"");
	}
	free(bytes);
}

static void scripts_are_judged_by_their_interpreters(void **state)
{
	(void)state;
	CHECK(script_file("plain", "#!/bin/sh\n"), YES, "\"kind\":\"script\"",
	      "\"interpreter\":\"/bin/sh\"");
	CHECK(script_file("by-env", "#!/usr/bin/env ldconfig\n"), NO, "statically linked");
	CHECK(script_file("none", "#!/no/such/interpreter\n"), NO, "No such file");
	/* The shell runs what names none. */
	CHECK(script_file("no-line", "exec true\n"), YES, "\"interpreter\":\"/bin/sh\"");
}

/* What env(1) does with its options is what it is asked to tell here, too. */
static void the_words_of_env(void **state)
{
	static const char *const lines[] = {
		"-S -u FOO ldconfig -p",
		"-S -uFOO -C / ldconfig",
		"-S -i --unset FOO --chdir=/ A=b ldconfig",
		"-S--unset=FOO -- ldconfig",
		"-vS'ldconfig'",
		"-iSldconfig",
		"--split-string=ldconfig",
	};
	static const char ran[] = "#!/usr/bin/env -S -u FOO -C / A=b 'cat'\nwords\n";
	struct run run;
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		(void)snprintf(text, sizeof(text), "#!/usr/bin/env %s\n", lines[i]);
		CHECK(script_file("env-words", text), NO, "\"interpreter\":\"/", "/ldconfig\"",
		      "statically linked");
	}
	CHECK(script_file("env-no", "#!/usr/bin/env -S 'open\n"), YES, "/usr/bin/env\"");
	CHECK(script_file("env-ran", ran), YES, "/cat\"");
	run = run_words(RUN_BARE, NULL, temp_path("env-ran"));
	assert_output(run, ran);
	run_free(&run);
}

/* Nothing but the beginning of a program, and what a compiler leaves for the linker. */
static void check_stumps(void)
{
	size_t len;
	char *bytes = copy_of("/bin/true", &len);

	CHECK(write_program("stump", bytes, 64), NO, "\"kind\":\"unknown\"");
	bytes[16] = 1; /* ET_REL */
	CHECK(write_program("object", bytes, len), NO, "\"kind\":\"unknown\"");
	free(bytes);
}

static void what_is_no_program(void **state)
{
	(void)state;
	CHECK("no-such-program", NO, "\"kind\":\"missing\"", "No such file or directory");
	CHECK("/nowhere/at/all", NO, "No such file or directory");
	CHECK(temp_file("text", "hello", 5), NO, "\"kind\":\"unknown\"");
	CHECK(temp_file("no-x", "#!/bin/sh\n", 10), NO, "it is not executable");
	CHECK(temp_dir(), NO, "\"kind\":\"unknown\"");
	CHECK(temp_file("empty", "", 0), NO, "\"kind\":\"unknown\"");
	check_stumps();
}

/* Whatever a file claims of itself. */
static void broken_files_do_no_harm(void **state)
{
	size_t len;
	char *bytes = copy_of("/bin/true", &len);
	char *junk = noise(len, 3);

	(void)state;
	for (size_t step = 0; step < 48; step++) {
		char *broken = malloc(len);
		struct run run;

		assert_non_null(broken);
		memcpy(broken, bytes, len);
		memcpy(broken + 20 + step * 16, junk + step * 16, 16);
		run = doctor(write_program("broken", broken, step % 2 ? len : len / 2 + step));
		assert_int_equal(run.signal, 0);
		assert_contains(run.out, "\"verdict\":");
		run_free(&run);
		free(broken);
	}
	free(junk);
	free(bytes);
}

static void for_people(void **state)
{
	struct run run = run_words(RUN_BARE, NULL, command_path(), "doctor", "curl");

	(void)state;
	assert_exit(run, 0);
	assert_contains(run.out, "/curl: yes\n");
	assert_contains(run.out, "  libcurl: OpenSSL flavour, linked (/");
	assert_contains(run.out, "  name look-ups: not called by what it is linked with\n");
	run_free(&run);
	/* What it starts for its transfers is another program. */
	run = run_words(RUN_BARE, NULL, command_path(), "doctor", "git");
	assert_exit(run, 0);
	assert_contains(run.out, "  libcurl: not used by it");
	assert_contains(run.out, "  name look-ups: called, by it or one of its libraries\n");
	run_free(&run);
}

static void wrong_usage(void **state)
{
	const char *const none[] = { command_path(), "doctor", NULL };
	const char *const two[] = { command_path(), "doctor", "a", "b", NULL };
	const char *const unknown[] = { command_path(), "doctor", "--jsn", "a", NULL };
	const char *const *const wrong[] = { none, two, unknown };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct run run = run_program(&(struct program){ .argv = wrong[i] });

		assert_exit(run, 2);
		assert_string_equal(run.out, "");
		assert_contains(run.err, "usage: retryshim doctor");
		run_free(&run);
	}
}

/* ---- what then happens ---- */

/* How often it was retried when it ran under the command. */
static int retries_of(const char *const *words)
{
	const char *argv[16] = { command_path(), "run", "-r", rules_file(RULES) };
	size_t count = 4;
	struct run run;
	int retries;

	while (*words && count < 15)
		argv[count++] = *words++;
	run = run_program(&(struct program){ .argv = argv });
	retries = count_lines(run.err, "event=retry");
	run_free(&run);
	return retries;
}

static void check_agrees(const char *judged, int verdict, const char *const *words)
{
	struct run run = doctor(judged);
	int retries = retries_of(words);

	assert_exit(run, verdict);
	if (verdict == NO)
		assert_int_equal(retries, 0);
	else
		assert_true(retries > 0);
	run_free(&run);
}

#define CHECK_AGREES(judged, verdict, ...)                                                         \
	check_agrees(judged, verdict, (const char *const[]){ __VA_ARGS__, NULL })

static const char pycurl_fetch[] = "import pycurl, sys\nc = pycurl.Curl()\n"
				   "c.setopt(c.URL, sys.argv[1])\nc.perform()\n";

static const char *set_user_id_curl(void)
{
	size_t len;
	char *bytes = copy_of("/usr/bin/curl", &len);
	const char *path = write_program("setuid-curl", bytes, len);

	free(bytes);
	if (getuid() != 0)
		return NULL;
	assert_int_equal(chown(path, NOBODY, NOBODY), 0);
	assert_int_equal(chmod(path, 04755), 0);
	return path;
}

static void the_verdict_is_what_happens(void **state)
{
	static const struct reply script[] = { { .status = 503, .body = "busy" } };
	struct server *server = server_start(script, 1);
	const char *url = server_url(server, "/");
	const char *dynamic = compile("dynamic", CONNECT_SOURCE, "-O0");
	const char *statically = compile("static", CONNECT_SOURCE, "-static");
	const char *shell = script_file("shell", "#!/bin/sh\nexec curl -sS \"$1\"\n");
	const char *privileged = set_user_id_curl();

	(void)state;
	CHECK_AGREES("curl", YES, "curl", "-sS", url);
	CHECK_AGREES("curl", YES, "curl", "-sSZ", url);
	CHECK_AGREES(shell, YES, shell, url);
	CHECK_AGREES(PYCURL, YES, "/usr/bin/python3", "-c", pycurl_fetch, url);
	CHECK_AGREES(dynamic, YES, dynamic);
	CHECK_AGREES(statically, NO, statically);
	if (privileged)
		CHECK_AGREES(privileged, NO, privileged, "-sS", url);
	server_stop(server);
}

/* PHP opens its extensions with RTLD_DEEPBIND. */
static void php_is_as_the_verdict_says(void **state)
{
	static const struct reply script[] = { { .status = 503, .body = "busy" } };
	struct server *server;
	struct run run;

	(void)state;
	if (access("/usr/bin/php", X_OK) != 0 || access("/usr/lib/php", X_OK) != 0)
		skip();
	server = server_start(script, 1);
	run = doctor("/usr/bin/php");
	assert_contains(run.out, "\"how\":\"plugin\"");
	assert_exit(run, retries_of((const char *const[]){ "/usr/bin/php", "-r",
							   "curl_exec(curl_init($argv[1]));",
							   server_url(server, "/"), NULL }) > 0
				 ? YES
				 : PARTLY);
	run_free(&run);
	server_stop(server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ordinary_program),
		cmocka_unit_test(the_flavour_of_a_plugin),
		cmocka_unit_test(a_library_in_between),
		cmocka_unit_test(one_that_bundles_libcurl),
		cmocka_unit_test(a_go_program),
		cmocka_unit_test(other_machines_and_libcs),
		cmocka_unit_test(scripts_are_judged_by_their_interpreters),
		cmocka_unit_test(the_words_of_env),
		cmocka_unit_test(what_is_no_program),
		cmocka_unit_test(broken_files_do_no_harm),
		cmocka_unit_test(for_people),
		cmocka_unit_test(wrong_usage),
		cmocka_unit_test(the_verdict_is_what_happens),
		cmocka_unit_test(php_is_as_the_verdict_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
