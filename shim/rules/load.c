#include "rules/load.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "rules/build.h"
#include "rules/fault_options.h"
#include "rules/ini_text.h"
#include "rules/source.h"

static const char builtin_name[] = "built-in rules";

/* The rules, and the memory that they and everything they point to lie in. */
struct loaded {
	struct rs_arena arena;
	struct rs_rules rules;
};

/* What is needed only while loading. */
struct loading {
	struct rs_arena scratch;
	struct rs_faults faults;
	struct rs_document document;
	int rc; /* of the first failure of the system */
};

struct file {
	const char *path;
	struct rs_source source;
};

static struct loaded *new_loaded(void)
{
	struct rs_arena arena = { 0 };
	struct loaded *loaded = RS_NEW(&arena, struct loaded);

	if (loaded)
		loaded->arena = arena;
	return loaded;
}

static size_t count_paths(const char *paths)
{
	size_t count = 1;

	for (; (paths = strchr(paths, ':')); paths++)
		count++;
	return count;
}

static void note_distrust(struct loading *loading, const struct file *file)
{
	struct rs_distrust *distrust = RS_NEW(&loading->scratch, struct rs_distrust);

	if (!distrust)
		return;
	*distrust = (struct rs_distrust){
		.file = file->path,
		.why = file->source.distrusted,
		.next = loading->document.distrusted,
	};
	loading->document.distrusted = distrust;
}

/* Paths are copied to where the rules live: a rule says which file it stands in. */
static void read_file(struct loading *loading, struct rs_arena *arena, struct file *file,
		      const char *path, size_t len)
{
	const char *why;
	int rc;

	file->path = rs_arena_text(arena, path, len);
	if (!file->path)
		return;
	rc = rs_source_read(&loading->scratch, file->path, &file->source, &why);
	if (!rc && file->source.distrusted)
		note_distrust(loading, file);
	if (!rc)
		return;
	file->source.len = 0;
	loading->document.incomplete = true;
	loading->rc = loading->rc ? loading->rc : rc;
	rs_error(&loading->faults, (struct rs_place){ file->path, 0 }, "%s", why);
}

static size_t read_files(struct loading *loading, struct rs_arena *arena, const char *paths,
			 struct file *files)
{
	size_t count = 0;

	while (*paths) {
		size_t len = strcspn(paths, ":");

		if (len > 0)
			read_file(loading, arena, &files[count++], paths, len);
		paths += len + (paths[len] == ':');
	}
	return count;
}

static int parse_files(struct loading *loading, const struct file *files, size_t count)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++)
		bytes += files[i].source.len;
	if (!rs_document_begin(&loading->document, bytes))
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (files[i].source.len > 0)
			rs_ini_read(&loading->document, files[i].path, files[i].source.text,
				    files[i].source.len);
	}
	return loading->scratch.failed ? -ENOMEM : 0;
}

static int read_document(struct loading *loading, struct rs_arena *arena, const char *paths)
{
	struct file builtin = { builtin_name, { .text = NULL } };
	struct file *files;
	size_t count;

	if (!paths || !paths[0]) {
		builtin.source.text =
			rs_arena_text(&loading->scratch, rs_default_ini, strlen(rs_default_ini));
		builtin.source.len = strlen(rs_default_ini);
		return builtin.source.text ? parse_files(loading, &builtin, 1) : -ENOMEM;
	}
	files = RS_NEW_ARRAY(&loading->scratch, count_paths(paths), struct file);
	if (!files)
		return -ENOMEM;
	count = read_files(loading, arena, paths, files);
	return parse_files(loading, files, count);
}

static int load(struct loading *loading, const struct rs_load_request *request,
		struct loaded *loaded)
{
	int rc = read_document(loading, &loaded->arena, request->paths);

	if (rc)
		return rc;
	rs_fault_options_read(&loading->document, request->faults);
	rc = rs_build_rules(&loading->document, request->options, &loaded->arena, &loaded->rules);
	if (rc)
		return rc;
	if (loading->scratch.failed)
		return -ENOMEM;
	if (loading->rc)
		return loading->rc;
	if (loading->faults.errors > 0)
		return -EINVAL;
	loaded->rules.patterns_unread = request->leave_patterns;
	if (request->want_warnings)
		rs_warn_unreachable(&loaded->rules, &loading->faults);
	return 0;
}

static void tell_no_memory(const struct rs_load_request *request)
{
	struct rs_complaint no_memory = { RS_ERROR, request->paths, 0, "out of memory", 1 };

	if (!no_memory.file || !no_memory.file[0])
		no_memory.file = builtin_name;
	if (request->complain)
		request->complain(request->arg, &no_memory);
}

int rs_rules_load(const struct rs_load_request *request, struct rs_rules **rules)
{
	struct rs_arena scratch = { 0 };
	struct loading *loading = RS_NEW(&scratch, struct loading);
	struct loaded *loaded = new_loaded();
	int rc = -ENOMEM;

	*rules = NULL;
	if (loading && loaded) {
		loading->faults.arena = &loading->scratch;
		loading->faults.wanted = request->complain != NULL;
		loading->faults.want_all = request->want_all;
		loading->document.arena = &loading->scratch;
		loading->document.faults = &loading->faults;
		loading->document.leave_patterns = request->leave_patterns;
		rc = load(loading, request, loaded);
		rs_faults_tell(&loading->faults, request->complain, request->arg);
		rs_arena_free(&loading->scratch);
	}
	if (rc == -ENOMEM)
		tell_no_memory(request);
	if (rc == 0)
		*rules = &loaded->rules;
	else if (loaded)
		rs_rules_free(&loaded->rules);
	rs_arena_free(&scratch);
	return rc;
}

static void keep_level(struct rs_quota *quota, const struct rs_quota *before)
{
	_Atomic int32_t *tokens = &before->bucket->tokens;
	int32_t level = atomic_load(tokens);

	quota->bucket = before->bucket;
	while (level > quota->capacity &&
	       !atomic_compare_exchange_weak(tokens, &level, quota->capacity))
		;
}

void rs_rules_keep_levels(struct rs_rules *rules, const struct rs_rules *before)
{
	struct rs_quota *quotas = (struct rs_quota *)rules->quotas;

	for (size_t i = 0; i < rules->quota_count; i++) {
		for (size_t j = 0; j < before->quota_count; j++) {
			if (strcmp(quotas[i].name, before->quotas[j].name) == 0)
				keep_level(&quotas[i], &before->quotas[j]);
		}
	}
}

void rs_rules_free(struct rs_rules *rules)
{
	struct loaded *loaded;
	struct rs_arena arena;

	if (!rules)
		return;
	for (size_t i = 0; i < rules->rule_count; i++) {
		if (rules->rules[i].body_regex)
			rs_pattern_free(rules->rules[i].body_regex);
	}
	loaded = (struct loaded *)(void *)((char *)rules - offsetof(struct loaded, rules));
	arena = loaded->arena;
	rs_arena_free(&arena);
}
