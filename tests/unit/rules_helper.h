/* Loading rules from a text, and what was told about it. For the test_rules_* programs. */
#ifndef RS_TESTS_RULES_HELPER_H
#define RS_TESTS_RULES_HELPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/load.h"

#define TOLD_MOST 128

struct told {
	size_t count;
	struct {
		enum rs_severity severity;
		int line;
		char file[64];
		char text[512];
	} at[TOLD_MOST];
};

static inline void hear(void *arg, const struct rs_complaint *complaint)
{
	struct told *told = arg;
	size_t i = told->count++;

	assert_true(i < TOLD_MOST);
	told->at[i].severity = complaint->severity;
	told->at[i].line = complaint->line;
	snprintf(told->at[i].file, sizeof(told->at[i].file), "%s", complaint->file);
	snprintf(told->at[i].text, sizeof(told->at[i].text), "%s", complaint->text);
}

static inline int load_paths(const char *paths, const char *options, struct told *told,
			     struct rs_rules **rules)
{
	struct rs_load_request request = {
		.paths = paths,
		.options = options,
		.want_warnings = true,
		.complain = hear,
		.arg = told,
	};

	told->count = 0;
	return rs_rules_load(&request, rules);
}

/* A file of its own with these bytes; to be unlinked. */
static inline void write_file(char path[32], const void *bytes, size_t len)
{
	int fd;

	(void)snprintf(path, 32, "/tmp/rs-rules-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

static inline int load_bytes(const void *bytes, size_t len, struct told *told,
			     struct rs_rules **rules)
{
	char path[32];
	int rc;

	write_file(path, bytes, len);
	rc = load_paths(path, NULL, told, rules);
	unlink(path);
	return rc;
}

static inline int load_text(const char *text, struct told *told, struct rs_rules **rules)
{
	return load_bytes(text, strlen(text), told, rules);
}

static inline void print_told(const struct told *told)
{
	for (size_t i = 0; i < told->count; i++)
		print_error("  %s:%d: %s\n", told->at[i].file, told->at[i].line, told->at[i].text);
}

/* The rules of a text that is right. */
static inline struct rs_rules *load_good(const char *text)
{
	static struct told told;
	struct rs_rules *rules;

	if (load_text(text, &told, &rules) != 0) {
		print_told(&told);
		fail_msg("refused: %s", text);
	}
	return rules;
}

#endif
