/*
 * The command itself, run with words, and scripts for it to run.
 */
#ifndef TESTS_RUN_COMMAND_H
#define TESTS_RUN_COMMAND_H

#include "harness.h"

#include <string.h>
#include <sys/stat.h>

#define GOOD "[policy default]\nbase = 2ms\n[rule it]\ncall = connect\nerror = refused\n"

static inline struct run command(const char *const *argv, const char *const *env)
{
	return run_program(&(struct program){ .argv = argv, .env = env });
}

#define RETRYSHIM(...) command((const char *const[]){ command_path(), __VA_ARGS__, NULL }, NULL)

static inline const char *script_file(const char *name, const char *first_line)
{
	const char *path = temp_file(name, first_line, strlen(first_line));

	assert_int_equal(chmod(path, 0755), 0);
	return path;
}

#endif
