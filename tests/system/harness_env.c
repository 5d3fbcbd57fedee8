/*
 * The environment and the words that programs under test get.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness_parts.h"

extern char **environ;

static size_t name_length(const char *entry)
{
	return strcspn(entry, "=");
}

static bool is_disturbing(const char *entry)
{
	static const char *const names[] = { "LD_PRELOAD", "http_proxy",  "https_proxy",
					     "HTTP_PROXY", "HTTPS_PROXY", "all_proxy",
					     "ALL_PROXY",  "no_proxy",    "NO_PROXY",
					     "CURL_HOME",  "HOME",        "XDG_CONFIG_HOME" };
	size_t len = name_length(entry);

	if (strncmp(entry, "RETRYSHIM_", 10) == 0)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i]) == len && strncmp(names[i], entry, len) == 0)
			return true;
	}
	return false;
}

static void remove_name(char **env, const char *entry)
{
	size_t len = name_length(entry);
	size_t kept = 0;

	for (size_t i = 0; env[i]; i++) {
		if (name_length(env[i]) == len && strncmp(env[i], entry, len) == 0)
			free(env[i]);
		else
			env[kept++] = env[i];
	}
	env[kept] = NULL;
}

static void set(char **env, const char *name, const char *value)
{
	size_t end = 0;
	char *entry = NULL;

	if (asprintf(&entry, "%s=%s", name, value) < 0)
		harness_die("memory");
	remove_name(env, entry);
	while (env[end])
		end++;
	env[end] = entry;
	env[end + 1] = NULL;
}

static void set_preload(char **env)
{
	const char *first = getenv("RS_PRELOAD_FIRST");
	char *value = NULL;

	if (asprintf(&value, "%s%s%s", first ? first : "", first && *first ? ":" : "",
		     library_path()) < 0)
		harness_die("memory");
	set(env, "LD_PRELOAD", value);
	free(value);
	/* What the programs under test leak is not ours to find. */
	if (first && !getenv("ASAN_OPTIONS"))
		set(env, "ASAN_OPTIONS", "detect_leaks=0");
}

static size_t length(const char *const *list)
{
	size_t count = 0;

	while (list && list[count])
		count++;
	return count;
}

static void apply(char **env, const char *const *changes)
{
	for (size_t i = 0; changes && changes[i]; i++) {
		size_t len = name_length(changes[i]);
		char *name;

		remove_name(env, changes[i]);
		if (changes[i][len] != '=')
			continue;
		name = strndup(changes[i], len);
		if (!name)
			harness_die("memory");
		set(env, name, changes[i] + len + 1);
		free(name);
	}
}

char **harness_environment(const struct program *program)
{
	size_t inherited = length((const char *const *)environ);
	char **env = calloc(inherited + length(program->env) + 8, sizeof(char *));
	size_t count = 0;

	if (!env)
		harness_die("memory");
	for (size_t i = 0; i < inherited; i++) {
		if (is_disturbing(environ[i]))
			continue;
		env[count] = strdup(environ[i]);
		if (!env[count++])
			harness_die("memory");
	}
	set(env, "HOME", temp_dir());
	set(env, "XDG_CONFIG_HOME", temp_dir());
	if (program->under == RUN_SHIM)
		set_preload(env);
	if (program->rules)
		set(env, "RETRYSHIM_RULES", program->rules);
	if (program->options)
		set(env, "RETRYSHIM_OPTIONS", program->options);
	apply(env, program->env);
	return env;
}

void harness_environment_free(char **env)
{
	for (size_t i = 0; env[i]; i++)
		free(env[i]);
	free(env);
}

void needs_no_emulator(void)
{
	const char *emulator = getenv("RS_EMULATOR");

	if (emulator && *emulator)
		skip();
}

/* Where a program of the emulated machine is; one in no directory is taken from its /usr/bin. */
static char *emulated_program(const char *name, const char *root)
{
	static char *path; /* of the last, which has been started since */

	free(path);
	path = NULL;
	if (strchr(name, '/') && strncmp(name, "/usr/", 5) != 0)
		path = strdup(name);
	else if (asprintf(&path, "%s%s%s", root, *name == '/' ? "" : "/usr/bin/", name) < 0)
		path = NULL;
	if (!path)
		harness_die("memory");
	return path;
}

char **harness_words(const struct program *program)
{
	const char *emulator = getenv("RS_EMULATOR");
	const char *root = getenv("RS_ROOT");
	size_t count = length(program->argv), first = 0;
	const char **words = harness_zeroed((count + 4) * sizeof(*words));
	char **mutable; /* posix_spawnp() does not write to the words */

	if (emulator && *emulator && root) {
		words[first++] = emulator;
		words[first++] = "-L";
		words[first++] = root;
	}
	memcpy(words + first, program->argv, count * sizeof(*words));
	if (first > 0)
		words[first] = emulated_program(program->argv[0], root);
	memcpy(&mutable, &words, sizeof(mutable));
	return mutable;
}
