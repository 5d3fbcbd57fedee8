#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "cli/doctor_libraries.h"
#include "cli/environment.h"
#include "cli/program_file.h"

/* ---- what stands in the file ---- */

static bool has_text(const struct rs_elf *elf, const char *text)
{
	return rs_elf_find(elf, text, strlen(text)) != NULL;
}

/* "libcurl/7.88.1" and the like. */
static bool has_version_of_libcurl(const struct rs_elf *elf)
{
	char text[] = "libcurl/0";

	for (char *digit = &text[sizeof(text) - 2]; *digit <= '9'; ++*digit) {
		if (has_text(elf, text))
			return true;
	}
	return false;
}

/* Where libcurl is in the file itself: its symbols, or its version with some of its messages. */
static bool bundles_libcurl(const struct rs_elf *elf)
{
	if (rs_elf_exports(elf, "curl_easy_perform"))
		return true;
	return !rs_elf_imports_prefix(elf, "curl_") && has_text(elf, "Could not resolve") &&
	       has_text(elf, "Failure when receiving data from the peer") &&
	       has_version_of_libcurl(elf);
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
	       rs_elf_has_section(elf, ".note.go.buildid");
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

/* $ORIGIN of a program is where its file lies, and not a link to it; of a library where it was
 * found. */
static void examine_libraries(struct rs_doctor_facts *facts, const struct rs_elf *elf)
{
	char real[PATH_MAX];
	bool is_program = facts->kind == RS_DOCTOR_PROGRAM;
	const char *root = is_program && realpath(facts->judged, real) ? real : facts->judged;

	rs_doctor_libraries(facts, RS_DOCTOR_LINKED, root, elf);
}

static void examine_elf(struct rs_doctor_facts *facts, const struct rs_elf *elf)
{
	facts->kind = rs_elf_is_object(elf) ? RS_DOCTOR_OBJECT : RS_DOCTOR_PROGRAM;
	facts->is_static = facts->kind == RS_DOCTOR_PROGRAM && !elf->interpreter;
	facts->is_go = is_go(elf);
	find_libc(facts, elf);
	if (bundles_libcurl(elf) && !rs_doctor_names_libcurl(facts->judged))
		rs_doctor_add_curl(facts, RS_DOCTOR_BUNDLED, "libcurl", "", facts->judged);
	if (facts->is_static)
		return;
	if (looks_libcurl_up(elf))
		rs_doctor_add_curl(facts, RS_DOCTOR_LOOKED_UP, "libcurl", "", "");
	examine_libraries(facts, elf);
	rs_doctor_plugins(facts, elf);
	facts->deep_bind |= is_php_plugin(elf);
}

static void find_privileges(struct rs_doctor_facts *facts)
{
	struct stat info;

	if (stat(facts->judged, &info) != 0 || facts->kind == RS_DOCTOR_OBJECT ||
	    !rs_program_keeps_privileges(facts->judged))
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
