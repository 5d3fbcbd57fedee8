/*
 * Forms of the old kind: those that can be read again are sent again, and no others; also where
 * libcurl was built so that it does not come by the library when it calls itself.
 */
#include "harness.h"
#include "server.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULES                                                                                      \
	"[policy default]\nbase = 1ms\njitter = none\n"                                            \
	"[rule it]\nstatus = 503\nmethod = any\n"

static const char *rules, *file, *two_files, *file_and_pipe, *bound;

/* ---- a libcurl that is bound to itself ---- */

static ElfW(Dyn) * dynamic_of(char *image)
{
	const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)(void *)image;
	const ElfW(Phdr) *parts = (const ElfW(Phdr) *)(void *)(image + header->e_phoff);

	for (int i = 0; i < header->e_phnum; i++) {
		if (parts[i].p_type == PT_DYNAMIC)
			return (ElfW(Dyn) *)(void *)(image + parts[i].p_offset);
	}
	return NULL;
}

/* As -Bsymbolic would have it. False: there is no room to say so. */
static bool bind_to_itself(char *image)
{
	for (ElfW(Dyn) *d = dynamic_of(image); d && d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_FLAGS) {
			d->d_un.d_val |= DF_SYMBOLIC;
			return true;
		}
	}
	return false;
}

/* A setting of LD_LIBRARY_PATH by which it is found; NULL: there is none. */
static const char *bound_libcurl(void)
{
	static char setting[4200];
	char *(*version)(void) = curl_version;
	char *image = NULL;
	size_t len = 0;
	void *symbol;
	Dl_info about;

	memcpy(&symbol, &version, sizeof(symbol));
	if (dladdr(symbol, &about) != 0)
		image = read_file(about.dli_fname, &len);
	if (!image || !bind_to_itself(image)) {
		free(image);
		return NULL;
	}
	(void)temp_file("libcurl.so.4", image, len);
	free(image);
	(void)snprintf(setting, sizeof(setting), "LD_LIBRARY_PATH=%s", temp_dir());
	return setting;
}

/* ---- forms ---- */

static int prepare(void **state)
{
	static char two[8200], mixed[8200];

	(void)state;
	rules = rules_file(RULES);
	file = temp_file("file", "as often as you like", 20);
	(void)snprintf(two, sizeof(two), "%s,%s", file, file);
	(void)snprintf(mixed, sizeof(mixed), "%s,pipe", file);
	two_files = two;
	file_and_pipe = mixed;
	bound = bound_libcurl();
	return 0;
}

/* Send it to a server that is busy at first, with one libcurl and with the other. */
static void check_form(const char *first, const char *second, bool again)
{
	const struct reply script[] = { { .status = 503, .body = "busy" }, { .body = "done" } };

	for (int way = 0; way < (bound ? 2 : 1); way++) {
		struct server *server = server_start(script, 2);
		const char *const argv[] = { helper_path("form"), server_url(server, "/"), first,
					     second, NULL };
		struct run run = run_program(&(struct program){
			.argv = argv,
			.under = RUN_SHIM,
			.rules = rules,
			.env = way == 0 ? NULL : (const char *const[]){ bound, NULL } });
		size_t count;
		const struct request *const *requests = server_requests(server, &count);

		assert_exit(run, 0);
		assert_output(run, again ? "done" : "busy");
		assert_int_equal(count, again ? 2 : 1);
		if (again) /* but for the boundary, which is a new one */
			assert_int_equal(requests[1]->body_len, requests[0]->body_len);
		else
			assert_contains(run.err, "reason=not_replayable");
		run_free(&run);
		server_stop(server);
	}
}

static void files_are_sent_again(void **state)
{
	(void)state;
	check_form(file, NULL, true);
	check_form(two_files, file, true);
}

static void what_can_be_read_once_is_not(void **state)
{
	(void)state;
	check_form("callback", NULL, false);
	check_form("pipe", NULL, false);
	check_form(file, "callback", false);
	check_form(file_and_pipe, NULL, false);
}

static void libcurl_can_be_bound_to_itself(void **state)
{
	(void)state;
	if (!bound)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libcurl_can_be_bound_to_itself),
		cmocka_unit_test(files_are_sent_again),
		cmocka_unit_test(what_can_be_read_once_is_not),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
