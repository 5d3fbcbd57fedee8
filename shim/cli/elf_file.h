/*
 * An ELF file of this machine's class, read and never run. Whatever it says of itself is checked
 * against its size: a broken or hostile file gives no answers, and does no harm.
 */
#ifndef RS_CLI_ELF_FILE_H
#define RS_CLI_ELF_FILE_H

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rs_elf {
	const char *bytes; /* mapped, read-only; NULL: closed */
	size_t size;
	const ElfW(Ehdr) * header;
	const ElfW(Dyn) * dynamic; /* NULL: none */
	size_t dynamic_count;
	const char *strings; /* of the dynamic section */
	size_t strings_size;
	const ElfW(Sym) * symbols;
	size_t symbol_count;
	const char *interpreter; /* NULL: none */
};

enum rs_elf_kind {
	RS_ELF_NONE,    /* not an ELF file that could be run or loaded, or it cannot be read */
	RS_ELF_FOREIGN, /* of another class or machine: rs_elf_close() still holds */
	RS_ELF_OURS,
};

/* Map the file and find its parts. */
enum rs_elf_kind rs_elf_open(struct rs_elf *elf, const char *path);
void rs_elf_close(struct rs_elf *elf);

/* The n-th value of a dynamic tag as text, or NULL. */
const char *rs_elf_text(const struct rs_elf *elf, int64_t tag, size_t n);
/* A dynamic tag's value; 0 where there is none. */
uint64_t rs_elf_number(const struct rs_elf *elf, int64_t tag);

/* Does it ask for the symbol (undefined here), or provide it, in its dynamic symbols? */
bool rs_elf_imports(const struct rs_elf *elf, const char *symbol);
bool rs_elf_exports(const struct rs_elf *elf, const char *symbol);
/* The same for any symbol that begins so. */
bool rs_elf_imports_prefix(const struct rs_elf *elf, const char *prefix);

/* Is it a library? One that could be both, a position-independent program too, says which. The
 * dynamic linker itself is one. */
bool rs_elf_is_object(const struct rs_elf *elf);

/* Is there a section of this name? */
bool rs_elf_has_section(const struct rs_elf *elf, const char *name);

/* Do these bytes stand anywhere in the file? NULL where they do not. */
const char *rs_elf_find(const struct rs_elf *elf, const void *bytes, size_t len);

/* "x86-64", "32-bit x86", …, of a file that rs_elf_open() has taken for FOREIGN or OURS. */
const char *rs_elf_machine(const struct rs_elf *elf);

#endif
