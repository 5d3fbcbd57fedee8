/*
 * What the files of the harness share.
 */
#ifndef TESTS_HARNESS_PARTS_H
#define TESTS_HARNESS_PARTS_H

#include "harness.h"

_Noreturn void harness_die(const char *what);

/* Memory that is there, all zero; the caller frees. */
void *harness_zeroed(size_t size);

/* The environment that a program is to get: NULL-terminated, freed by the function below. */
char **harness_environment(const struct program *program);
void harness_environment_free(char **env);

/* The words that start a program, its emulator's before it if there is one; for posix_spawnp(). The
 * caller frees the list, not the words. */
char **harness_words(const struct program *program);

#endif
