/*
 * Where the dynamic linker would find a library, without asking it to load anything: RPATH,
 * RUNPATH, /etc/ld.so.cache, and the default directories (ld.so(8)).
 */
#ifndef RS_CLI_ELF_SEARCH_H
#define RS_CLI_ELF_SEARCH_H

#include <limits.h>
#include <stdbool.h>

#include "cli/elf_file.h"

/* What names the library, and where that itself lies. */
struct rs_elf_asker {
	const struct rs_elf *elf;
	const char *path;
	const char *inherited_rpath; /* DT_RPATH of the program, with $ORIGIN of it; NULL: none */
	const char *inherited_path;  /* the program's path */
};

/* The path of `name` (as in DT_NEEDED); false where it is nowhere. */
bool rs_elf_search(const struct rs_elf_asker *asker, const char *name, char found[PATH_MAX]);

#endif
