/*
 * The libraries and plugins of a program, as far as doctor wants to know of them.
 */
#ifndef RS_CLI_DOCTOR_LIBRARIES_H
#define RS_CLI_DOCTOR_LIBRARIES_H

#include "cli/doctor.h"
#include "cli/elf_file.h"

/* Is it the name of a libcurl ("libcurl.so.4", "libcurl-gnutls.so.4", with or without path)? */
bool rs_doctor_names_libcurl(const char *soname);

/* Note a libcurl, unless it is there already in a nearer way. */
void rs_doctor_add_curl(struct rs_doctor_facts *facts, enum rs_doctor_how how, const char *soname,
			const char *by, const char *file);

/* Examine the file at `root`, which is open as `elf`, and all that it is linked with. `how`:
 * LINKED, or PLUGIN where the root is one. */
void rs_doctor_libraries(struct rs_doctor_facts *facts, enum rs_doctor_how how, const char *root,
			 const struct rs_elf *elf);

/* If the program is known to load plugins: those that use libcurl. */
void rs_doctor_plugins(struct rs_doctor_facts *facts, const struct rs_elf *elf);

#endif
