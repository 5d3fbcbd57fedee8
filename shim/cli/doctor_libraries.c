#include "cli/doctor_libraries.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "cli/elf_search.h"
#include "rules/arena.h"

/* Of a program's libraries, their libraries, and so on. */
#define OBJECTS_MOST 256

bool rs_doctor_names_libcurl(const char *soname)
{
	const char *slash = strrchr(soname, '/');
	const char *base = slash ? slash + 1 : soname;

	return strncmp(base, "libcurl.so", 10) == 0 ||
	       (strncmp(base, "libcurl-", 8) == 0 && strstr(base, ".so"));
}

/* ---- what one file asks for ---- */

static unsigned uses_of(const struct rs_elf *elf)
{
	unsigned uses = 0;

	if (rs_elf_imports(elf, "curl_easy_perform"))
		uses |= RS_DOCTOR_EASY;
	if (rs_elf_imports_prefix(elf, "curl_multi_"))
		uses |= RS_DOCTOR_MULTI;
	if (rs_elf_imports(elf, "connect"))
		uses |= RS_DOCTOR_CONNECT;
	if (rs_elf_imports(elf, "getaddrinfo"))
		uses |= RS_DOCTOR_RESOLVE;
	return uses;
}

/* ---- libcurl, wherever it is named ---- */

void rs_doctor_add_curl(struct rs_doctor_facts *facts, enum rs_doctor_how how, const char *soname,
			const char *by, const char *file)
{
	struct rs_doctor_curl *curl = &facts->curls[facts->curl_count];

	for (size_t i = 0; i < facts->curl_count; i++) {
		if (strcmp(facts->curls[i].soname, soname) == 0 && facts->curls[i].how <= how)
			return;
	}
	if (facts->curl_count == RS_DOCTOR_CURLS)
		return;
	facts->curl_count++;
	curl->how = how;
	snprintf(curl->soname, sizeof(curl->soname), "%s", soname);
	snprintf(curl->by, sizeof(curl->by), "%s", by);
	snprintf(curl->file, sizeof(curl->file), "%s", file);
}

/* ---- the program and all that it is linked with, breadth first ---- */

struct walk {
	struct rs_doctor_facts *facts;
	enum rs_doctor_how how; /* LINKED: from the program, PLUGIN: from one of its plugins */
	const char *root;
	const char *rpath; /* of the root: its libraries inherit it */
	struct rs_arena arena;
	const char *paths[OBJECTS_MOST];
	size_t count;
};

static bool is_known(const struct walk *walk, const char *path)
{
	for (size_t i = 0; i < walk->count; i++) {
		if (strcmp(walk->paths[i], path) == 0)
			return true;
	}
	return false;
}

static void enqueue(struct walk *walk, const char *path)
{
	const char *copy;

	if (walk->count == OBJECTS_MOST || is_known(walk, path))
		return;
	copy = rs_arena_text(&walk->arena, path, strlen(path));
	if (copy)
		walk->paths[walk->count++] = copy;
}

static enum rs_doctor_how how_named(const struct walk *walk, const char *by)
{
	if (walk->how == RS_DOCTOR_PLUGIN)
		return RS_DOCTOR_PLUGIN;
	return strcmp(by, walk->root) == 0 ? RS_DOCTOR_LINKED : RS_DOCTOR_THROUGH;
}

static void take_needed(struct walk *walk, const struct rs_elf_asker *asker, const char *soname)
{
	struct rs_doctor_facts *facts = walk->facts;
	char found[PATH_MAX] = "";
	bool there = rs_elf_search(asker, soname, found);

	if (rs_doctor_names_libcurl(soname))
		rs_doctor_add_curl(facts, how_named(walk, asker->path), soname, asker->path,
				   there ? found : "");
	else if (there)
		enqueue(walk, found);
	if (!there && !facts->missing[0] && walk->how == RS_DOCTOR_LINKED)
		snprintf(facts->missing, sizeof(facts->missing), "%s", soname);
}

/* libc's own imports are none of the program's. */
static void examine_object(struct walk *walk, const char *path)
{
	struct rs_elf elf;
	struct rs_elf_asker asker = { &elf, path, walk->rpath, walk->root };
	const char *soname;

	if (rs_elf_open(&elf, path) == RS_ELF_OURS) {
		walk->facts->uses |= uses_of(&elf);
		for (size_t n = 0; (soname = rs_elf_text(&elf, DT_NEEDED, n)); n++)
			take_needed(walk, &asker, soname);
	}
	rs_elf_close(&elf);
}

void rs_doctor_libraries(struct rs_doctor_facts *facts, enum rs_doctor_how how, const char *root,
			 const struct rs_elf *elf)
{
	struct walk walk = { .facts = facts, .how = how, .root = root };

	if (!rs_elf_text(elf, DT_RUNPATH, 0))
		walk.rpath = rs_elf_text(elf, DT_RPATH, 0);
	enqueue(&walk, root);
	for (size_t i = 0; i < walk.count; i++)
		examine_object(&walk, walk.paths[i]);
	rs_arena_free(&walk.arena);
}

/* ---- plugins ---- */

/* Programs that are known by what they provide to their plugins, and where Debian keeps these. */
struct host {
	const char *symbol;
	const char *plugins[2];
	bool deep_bind;
};

static const struct host hosts[] = {
	{ "PyModule_Create2",
	  { "/usr/lib/python3/dist-packages/*.so", "/usr/lib/python3/dist-packages/*/*.so" },
	  false },
	{ "php_module_startup", { "/usr/lib/php/2*/*.so", NULL }, true },
	{ "zend_startup", { "/usr/lib/php/2*/*.so", NULL }, true },
	{ "Perl_newXS",
	  { "/usr/lib/*/perl5/5.*/auto/*/*/*.so", "/usr/lib/*/perl5/5.*/auto/*/*/*/*.so" },
	  false },
};

static void examine_plugin(struct rs_doctor_facts *facts, const char *path)
{
	struct rs_elf elf;
	bool uses_curl =
		rs_elf_open(&elf, path) == RS_ELF_OURS && rs_elf_imports_prefix(&elf, "curl_");

	if (uses_curl)
		rs_doctor_libraries(facts, RS_DOCTOR_PLUGIN, path, &elf);
	rs_elf_close(&elf);
}

static void examine_plugins(struct rs_doctor_facts *facts, const char *pattern)
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		examine_plugin(facts, found.gl_pathv[i]);
	globfree(&found);
}

void rs_doctor_plugins(struct rs_doctor_facts *facts, const struct rs_elf *elf)
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (!rs_elf_exports(elf, hosts[i].symbol))
			continue;
		for (size_t p = 0; p < 2 && hosts[i].plugins[p]; p++)
			examine_plugins(facts, hosts[i].plugins[p]);
		facts->deep_bind |= hosts[i].deep_bind;
		return;
	}
}
