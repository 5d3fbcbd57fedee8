#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "cli/elf_search.h"
#include "cli/environment.h"
#include "cli/program_file.h"

/* Of a program's libraries, their libraries, and so on. */
#define OBJECTS_MOST 256

static bool names_libcurl(const char *soname)
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

static bool has_text(const struct rs_elf *elf, const char *text)
{
	return rs_elf_find(elf, text, strlen(text)) != NULL;
}

/* Where libcurl is in the file itself: its symbols, or its version with some of its messages. */
static bool bundles_libcurl(const struct rs_elf *elf)
{
	static const char version[] = "libcurl/";
	const char *found = rs_elf_find(elf, version, sizeof(version) - 1);
	const char *next = found ? found + sizeof(version) - 1 : NULL;

	if (rs_elf_exports(elf, "curl_easy_perform"))
		return true;
	return next && next < elf->bytes + elf->size && *next >= '0' && *next <= '9' &&
	       !rs_elf_imports_prefix(elf, "curl_") && has_text(elf, "Could not resolve") &&
	       has_text(elf, "Failure when receiving data from the peer");
}

/* As ctypes or a plugin loader of its own would: the name stands in it, and is not imported. */
static bool looks_libcurl_up(const struct rs_elf *elf)
{
	static const char name[] = "curl_easy_perform";

	return rs_elf_imports(elf, "dlsym") && !rs_elf_imports_prefix(elf, "curl_") &&
	       rs_elf_find(elf, name, sizeof(name)) && !bundles_libcurl(elf);
}

static bool is_go(const struct rs_elf *elf)
{
	return rs_elf_has_section(elf, ".go.buildinfo") || rs_elf_has_section(elf, ".gopclntab") ||
	       has_text(elf, "\xff Go buildinf:");
}

/* ---- libcurl, wherever it is named ---- */

static void add_curl(struct rs_doctor_facts *facts, enum rs_doctor_how how, const char *soname,
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
	char *paths[OBJECTS_MOST];
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
	char *copy;

	if (walk->count == OBJECTS_MOST || is_known(walk, path))
		return;
	copy = strdup(path);
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

	if (names_libcurl(soname))
		add_curl(facts, how_named(walk, asker->path), soname, asker->path,
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

static void walk_from(struct rs_doctor_facts *facts, enum rs_doctor_how how, const char *root,
		      const struct rs_elf *elf)
{
	struct walk walk = { .facts = facts, .how = how, .root = root };

	if (!rs_elf_text(elf, DT_RUNPATH, 0))
		walk.rpath = rs_elf_text(elf, DT_RPATH, 0);
	enqueue(&walk, root);
	for (size_t i = 0; i < walk.count; i++)
		examine_object(&walk, walk.paths[i]);
	while (walk.count > 0)
		free(walk.paths[--walk.count]);
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
		walk_from(facts, RS_DOCTOR_PLUGIN, path, &elf);
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

static void examine_host(struct rs_doctor_facts *facts, const struct rs_elf *elf)
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

/* A plugin of PHP, which is going to load it its own way. */
static bool is_php_plugin(const struct rs_elf *elf)
{
	return rs_elf_exports(elf, "get_module") && rs_elf_imports_prefix(elf, "zend_");
}

/* ---- the file ---- */

static void find_libc(struct rs_doctor_facts *facts, const struct rs_elf *elf)
{
	const char *name = elf->interpreter, *soname;

	for (size_t n = 0; !name && (soname = rs_elf_text(elf, DT_NEEDED, n)); n++) {
		if (strncmp(soname, "libc.", 5) == 0)
			name = strcmp(soname, "libc.so") == 0 ? "/ld-musl" : "/ld-linux";
	}
	if (!name)
		return;
	snprintf(facts->libc, sizeof(facts->libc), "%s",
		 strstr(name, "/ld-musl")                             ? "musl"
		 : strstr(name, "/ld-linux") || strstr(name, "/ld64") ? "glibc"
								      : name);
}

/* A file that could be both, a position-independent program or a library, says which. */
static bool is_object(const struct rs_elf *elf)
{
	return elf->header->e_type == ET_DYN && !elf->interpreter &&
	       !(rs_elf_number(elf, DT_FLAGS_1) & DF_1_PIE);
}

static void examine_elf(struct rs_doctor_facts *facts, const struct rs_elf *elf)
{
	facts->kind = is_object(elf) ? RS_DOCTOR_OBJECT : RS_DOCTOR_PROGRAM;
	facts->is_static = facts->kind == RS_DOCTOR_PROGRAM && !elf->interpreter;
	facts->is_go = is_go(elf);
	find_libc(facts, elf);
	if (bundles_libcurl(elf) && !names_libcurl(facts->judged))
		add_curl(facts, RS_DOCTOR_BUNDLED, "libcurl", "", facts->judged);
	if (facts->is_static)
		return;
	if (looks_libcurl_up(elf))
		add_curl(facts, RS_DOCTOR_LOOKED_UP, "libcurl", "", "");
	walk_from(facts, RS_DOCTOR_LINKED, facts->judged, elf);
	examine_host(facts, elf);
	facts->deep_bind |= is_php_plugin(elf);
}

static void find_privileges(struct rs_doctor_facts *facts)
{
	struct stat info;

	if (stat(facts->judged, &info) != 0 || facts->kind == RS_DOCTOR_OBJECT)
		return;
	if (rs_program_gains_privileges(facts->judged, &info))
		facts->privileges = RS_DOCTOR_PRIVILEGED;
	else if ((info.st_mode & S_ISUID) ||
		 ((info.st_mode & S_ISGID) && (info.st_mode & S_IXGRP)) ||
		 getxattr(facts->judged, "security.capability", NULL, 0) > 0)
		facts->privileges = RS_DOCTOR_OWNER_ONLY;
}

static void examine_file(struct rs_doctor_facts *facts)
{
	struct rs_elf elf;
	enum rs_elf_kind kind = rs_elf_open(&elf, facts->judged);

	facts->kind = RS_DOCTOR_UNKNOWN;
	if (kind != RS_ELF_NONE)
		facts->machine = rs_elf_machine(&elf);
	if (kind == RS_ELF_FOREIGN)
		facts->kind = RS_DOCTOR_FOREIGN;
	else if (kind == RS_ELF_OURS)
		examine_elf(facts, &elf);
	rs_elf_close(&elf);
	if (kind != RS_ELF_NONE)
		find_privileges(facts);
}

/* ---- what the shim does about it: its own symbols tell ---- */

static void examine_shim(struct rs_doctor_facts *facts)
{
	const char *library = rs_environment_library();
	struct rs_elf shim;

	if (!library)
		return;
	facts->shim_found = rs_elf_open(&shim, library) == RS_ELF_OURS;
	if (facts->shim_found) {
		facts->covered =
			(rs_elf_exports(&shim, "curl_easy_perform") ? RS_DOCTOR_EASY : 0) |
			(rs_elf_exports(&shim, "curl_multi_perform") ? RS_DOCTOR_MULTI : 0) |
			(rs_elf_exports(&shim, "connect") ? RS_DOCTOR_CONNECT : 0) |
			(rs_elf_exports(&shim, "getaddrinfo") ? RS_DOCTOR_RESOLVE : 0);
		facts->covers_dlopen = rs_elf_exports(&shim, "dlopen");
		facts->covers_dlsym = rs_elf_exports(&shim, "dlsym");
	}
	rs_elf_close(&shim);
}

/* ---- all of it ---- */

static bool find(struct rs_doctor_facts *facts, const char *program)
{
	if (!rs_program_find(program, facts->judged)) {
		facts->error = ENOENT;
		return false;
	}
	if (access(facts->judged, R_OK) != 0) {
		facts->error = errno;
		return false;
	}
	return true;
}

void rs_doctor_examine(const char *program, struct rs_doctor_facts *facts)
{
	char interpreter[PATH_MAX];
	bool found;

	memset(facts, 0, sizeof(*facts));
	examine_shim(facts);
	snprintf(facts->file, sizeof(facts->file), "%s", program);
	found = find(facts, program);
	if (found)
		snprintf(facts->file, sizeof(facts->file), "%s", facts->judged);
	facts->is_executable = found && access(facts->file, X_OK) == 0;
	for (int depth = 0; found && depth < RS_SCRIPT_DEPTH; depth++) {
		if (!rs_program_interpreter(facts->judged, interpreter))
			break;
		facts->is_script = true;
		found = find(facts, interpreter);
	}
	if (found)
		examine_file(facts);
}
