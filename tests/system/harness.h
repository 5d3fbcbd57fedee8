/*
 * Running real programs, bare or under the shim, and looking at what became of them.
 *
 * For cmocka programs. Whatever the harness itself cannot do (no pipe, no temporary directory)
 * ends the test program with a message.
 *
 * The library under test is $RS_LIB, else build/libretryshim.so; the command is $RS_COMMAND, else
 * build/retryshim. $RS_PRELOAD_FIRST, where set, is preloaded before the library (a sanitizer's
 * runtime has to be).
 *
 * Programs and a library for another machine or C library: $RS_HELPERS is where the helpers for it
 * are, else beside the test. $RS_EMULATOR, where set, is qemu's user-mode program, and $RS_ROOT the
 * directory with that machine's libraries and programs; programs are then taken from there.
 */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

/* cmocka.h wants these before it. */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <stdbool.h>
#include <sys/types.h>

enum run_under {
	RUN_BARE,
	RUN_SHIM, /* with the library in LD_PRELOAD */
};

struct program {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
	enum run_under under;
	const char *rules;   /* RETRYSHIM_RULES: a path; NULL: not set, the built-in rules hold */
	const char *options; /* RETRYSHIM_OPTIONS; NULL: not set */
	const char *const
		*env;      /* "NAME=value" sets, "NAME" removes; NULL-terminated; may be NULL */
	const void *input; /* stdin; NULL: empty */
	size_t input_len;  /* 0 with input: it is a string */
	int timeout_ms;    /* 0: 20 s. Then it is killed, and so is what it started */
};

/* How a program ended. `out` and `err` have a NUL after their last byte. */
struct run {
	int status; /* exit status; -1: it was killed by `signal` */
	int signal; /* 0: it exited */
	bool timed_out;
	char *out;
	size_t out_len;
	char *err;
	size_t err_len;
	int64_t elapsed_ns;
};

/*
 * Run to the end. The program's environment is the test's own, without what would disturb:
 * LD_PRELOAD, RETRYSHIM_*, proxies; HOME and XDG_CONFIG_HOME are an empty directory.
 */
struct run run_program(const struct program *program);

/* run_program() for a list of words: run_words(RUN_SHIM, rules, "curl", "-sS", url). */
#define run_words(where, rules_path, ...)                                                          \
	run_program(&(struct program){                                                             \
		.argv = (const char *const[]){ __VA_ARGS__, NULL },                                \
		.under = (where),                                                                  \
		.rules = (rules_path),                                                             \
	})

/* The same in two steps, for what happens in between. `program` is not needed after the start. */
struct child;
struct child *child_start(const struct program *program);
pid_t child_pid(const struct child *child);
/* Read what the child writes until its stderr (or stdout) holds `text`; false at its end. */
bool child_wait_output(struct child *child, const char *text);
struct run child_finish(struct child *child);

void run_free(struct run *run);

/* Skips the test under an emulator: for what qemu passes on neither to the kernel nor to other
 * programs, SO_COOKIE and exec() among it. */
void needs_no_emulator(void);

/* How many lines of the text contain `word`. */
int count_lines(const char *text, const char *word);

int64_t now_ns(void);

/* Files. Everything lies in one directory that is removed when the test program ends; returned
 * strings live as long. */
const char *temp_dir(void);
const char *temp_path(const char *name);
const char *temp_file(const char *name, const void *data, size_t len);
/* A rules file with this text, under a name of its own. */
const char *rules_file(const char *text);
/* One that has so many lines "x = 1" in [retryshim], from the second on, each of them wrong. */
const char *rules_file_with_faults(int count);
/* A file's bytes, NUL-terminated; the caller frees. NULL where it cannot be read. */
char *read_file(const char *path, size_t *len);
/* `len` bytes that do not repeat, the same for the same seed; the caller frees. */
char *noise(size_t len, uint64_t seed);

const char *library_path(void);
const char *command_path(void);
/* build/tests/NAME, or in $RS_HELPERS: a helper program built from main_*.c. */
const char *helper_path(const char *name);

/* Assertions that show what the program wrote when they fail. */
void check_exit_at(const struct run *run, int status, const char *file, int line);
void check_bytes_at(const void *got, size_t got_len, const void *wanted, size_t wanted_len,
		    const char *file, int line);
void check_contains_at(const char *text, const char *part, bool wanted, const char *file, int line);

#define assert_exit(run, status) check_exit_at(&(run), status, __FILE__, __LINE__)
#define assert_bytes(got, got_len, wanted, wanted_len)                                             \
	check_bytes_at(got, got_len, wanted, wanted_len, __FILE__, __LINE__)
/* stdout is exactly this string. */
#define assert_output(run, text)                                                                   \
	check_bytes_at((run).out, (run).out_len, text, strlen(text), __FILE__, __LINE__)
#define assert_contains(text, part) check_contains_at(text, part, true, __FILE__, __LINE__)
#define assert_lacks(text, part)    check_contains_at(text, part, false, __FILE__, __LINE__)

#endif
