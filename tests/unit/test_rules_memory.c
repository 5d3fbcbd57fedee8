/* Memory that runs out at any moment while rules are loaded: they are loaded, or -ENOMEM is said.
 */
#include "rules_helper.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

static void memory_runs_out_anywhere(void **state)
{
	(void)state;
	skip(); /* the sanitizers want mmap(2) for themselves */
}

#else

static long maps_left = -1; /* mappings that are still granted; negative: any number */

/* The rules are the only ones here that map memory for themselves. */
void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	if (maps_left == 0) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	maps_left -= maps_left > 0;
	return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
}

static const char rules_text[] =
	"[retryshim]\nlog = /tmp/log\nseed = 5\n"
	"[quota q]\ncapacity = 7\n"
	"[policy p]\nquota = q\nbase = 1s\n"
	"[rule a]\ncall = curl\nerror = tls, timeout\nmethod = GET, PUT\nscheme = http\n"
	"host = a.*, *.b\nport = 80, 81\nurl = *x*y\nprogram = curl, wget\npolicy = p\n"
	"[rule b]\ncall = connect\naddress = 10.0.0.0/8, /run/*\nerror = refused\n"
	"[rule c]\nstatus = 5xx\nbody = one,\n  two\nheader = Name: value*\n"
	"[rule d]\nstatus = 503\nbody_regex = a(b|c)\nrate = 3\n"
	"[rule wrong]\nerror = REFUSED\nbase = 3\n";

#define WRONG_PART "[rule wrong]"
#define LINES_MOST 500

/* A file of these rules behind a rule with many texts, so that the end of a chunk of memory falls
 * somewhere else for each number of them. */
static void write_rules(char path[32], size_t lines, bool right)
{
	static char text[LINES_MOST * 16 + sizeof(rules_text) + 64];
	size_t len = (size_t)snprintf(text, sizeof(text), "[rule pad]\nbody = x");
	const char *end = right ? strstr(rules_text, WRONG_PART) : strchr(rules_text, '\0');

	for (size_t i = 0; i < lines; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ",\n %zu", i % 10);
	text[len++] = '\n';
	memcpy(text + len, rules_text, (size_t)(end - rules_text));
	write_file(path, text, len + (size_t)(end - rules_text));
}

static void load_with(const char *path, long maps, bool right)
{
	static struct told told;
	struct rs_rules *rules = NULL;
	int rc;

	maps_left = maps;
	rc = load_paths(path, "max_attempts=3", &told, &rules);
	maps_left = -1;
	if (rc == -ENOMEM)
		assert_string_equal(told.at[told.count - 1].text, "out of memory");
	else
		assert_int_equal(rc, right ? 0 : -EINVAL);
	assert_int_equal(rules != NULL, rc == 0);
	rs_rules_free(rules);
}

static void memory_runs_out_anywhere(void **state)
{
	char path[32];

	(void)state;
	for (size_t lines = 0; lines < LINES_MOST; lines++) {
		write_rules(path, lines, lines % 4 > 0);
		for (long maps = 0; maps < 8; maps++)
			load_with(path, maps, lines % 4 > 0);
		unlink(path);
	}
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_runs_out_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
