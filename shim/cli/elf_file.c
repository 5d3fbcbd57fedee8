#include "cli/elf_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The linker's name for this command's own ELF header: what "this machine" is. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

/* ---- the file ---- */

static bool map(struct rs_elf *elf, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat info;
	void *bytes = MAP_FAILED;

	if (fd < 0)
		return false;
	if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
	    (size_t)info.st_size >= sizeof(*elf->header))
		bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED)
		return false;
	elf->bytes = bytes;
	elf->size = (size_t)info.st_size;
	elf->header = bytes;
	return true;
}

/* `count` things of `size` bytes at `offset`, or NULL where the file does not hold them all. */
static const void *at(const struct rs_elf *elf, size_t offset, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes) || offset > elf->size ||
	    bytes > elf->size - offset || offset % sizeof(uint32_t) != 0)
		return NULL;
	return elf->bytes + offset;
}

/* A text that ends inside the `size` bytes it lies in, or NULL. */
static const char *text_in(const char *table, size_t size, size_t offset)
{
	if (!table || offset >= size || !memchr(table + offset, '\0', size - offset))
		return NULL;
	return table + offset;
}

/* ---- segments ---- */

static const ElfW(Phdr) * segments(const struct rs_elf *elf)
{
	if (elf->header->e_phentsize != sizeof(ElfW(Phdr)))
		return NULL;
	return at(elf, elf->header->e_phoff, elf->header->e_phnum, sizeof(ElfW(Phdr)));
}

/* Where in the file an address of the program lies; SIZE_MAX: nowhere. */
static size_t offset_of(const struct rs_elf *elf, uint64_t address)
{
	const ElfW(Phdr) *segment = segments(elf);

	for (size_t i = 0; segment && i < elf->header->e_phnum; i++, segment++) {
		if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
		    address - segment->p_vaddr < segment->p_filesz)
			return segment->p_offset + (address - segment->p_vaddr);
	}
	return SIZE_MAX;
}

static void find_segments(struct rs_elf *elf)
{
	const ElfW(Phdr) *segment = segments(elf);

	for (size_t i = 0; segment && i < elf->header->e_phnum; i++, segment++) {
		if (segment->p_type == PT_INTERP && segment->p_offset < elf->size)
			elf->interpreter = text_in(elf->bytes, elf->size, segment->p_offset);
		if (segment->p_type != PT_DYNAMIC)
			continue;
		elf->dynamic_count = segment->p_filesz / sizeof(ElfW(Dyn));
		elf->dynamic = at(elf, segment->p_offset, elf->dynamic_count, sizeof(ElfW(Dyn)));
	}
}

/* ---- the dynamic section ---- */

static const ElfW(Dyn) * entry(const struct rs_elf *elf, int64_t tag, size_t n)
{
	for (size_t i = 0; elf->dynamic && i < elf->dynamic_count; i++) {
		const ElfW(Dyn) *dyn = &elf->dynamic[i];

		if (dyn->d_tag == DT_NULL)
			break;
		if (dyn->d_tag == tag && n-- == 0)
			return dyn;
	}
	return NULL;
}

uint64_t rs_elf_number(const struct rs_elf *elf, int64_t tag)
{
	const ElfW(Dyn) *found = entry(elf, tag, 0);

	return found ? found->d_un.d_val : 0;
}

const char *rs_elf_text(const struct rs_elf *elf, int64_t tag, size_t n)
{
	const ElfW(Dyn) *found = entry(elf, tag, n);

	return found ? text_in(elf->strings, elf->strings_size, found->d_un.d_val) : NULL;
}

/* How many symbols there are the dynamic section does not say; their strings follow them in every
 * file that a linker has made. */
static void find_symbols(struct rs_elf *elf)
{
	size_t strings = offset_of(elf, rs_elf_number(elf, DT_STRTAB));
	size_t symbols = offset_of(elf, rs_elf_number(elf, DT_SYMTAB));

	elf->strings_size = rs_elf_number(elf, DT_STRSZ);
	if (strings >= elf->size || elf->strings_size > elf->size - strings)
		return;
	elf->strings = elf->bytes + strings;
	if (symbols >= strings)
		return;
	elf->symbol_count = (strings - symbols) / sizeof(ElfW(Sym));
	elf->symbols = at(elf, symbols, elf->symbol_count, sizeof(ElfW(Sym)));
}

/* ---- opening ---- */

/* The kernel and the linker want segments; an object file has none, and of a stump they are cut
 * off. */
static bool is_complete(const struct rs_elf *elf)
{
	return (elf->header->e_type == ET_EXEC || elf->header->e_type == ET_DYN) &&
	       elf->header->e_phnum > 0 && segments(elf);
}

enum rs_elf_kind rs_elf_open(struct rs_elf *elf, const char *path)
{
	memset(elf, 0, sizeof(*elf));
	if (!map(elf, path))
		return RS_ELF_NONE;
	if (memcmp(elf->bytes, ELFMAG, SELFMAG) != 0) {
		rs_elf_close(elf);
		return RS_ELF_NONE;
	}
	if (memcmp(elf->bytes, __ehdr_start.e_ident, EI_DATA + 1) != 0 ||
	    elf->header->e_machine != __ehdr_start.e_machine)
		return RS_ELF_FOREIGN;
	if (!is_complete(elf)) {
		rs_elf_close(elf);
		return RS_ELF_NONE;
	}
	find_segments(elf);
	find_symbols(elf);
	return RS_ELF_OURS;
}

void rs_elf_close(struct rs_elf *elf)
{
	if (elf->bytes)
		munmap((void *)elf->bytes, elf->size);
	memset(elf, 0, sizeof(*elf));
}

/* ---- questions ---- */

enum match {
	WHOLE,
	PREFIX,
};

static bool has_symbol(const struct rs_elf *elf, const char *name, enum match match, bool defined)
{
	size_t len = strlen(name) + (match == WHOLE);

	for (size_t i = 1; elf->symbols && i < elf->symbol_count; i++) {
		const ElfW(Sym) *symbol = &elf->symbols[i];
		const char *found;

		if ((symbol->st_shndx != SHN_UNDEF) != defined)
			continue;
		found = text_in(elf->strings, elf->strings_size, symbol->st_name);
		if (found && strncmp(found, name, len) == 0)
			return true;
	}
	return false;
}

bool rs_elf_imports(const struct rs_elf *elf, const char *symbol)
{
	return has_symbol(elf, symbol, WHOLE, false);
}

bool rs_elf_exports(const struct rs_elf *elf, const char *symbol)
{
	return has_symbol(elf, symbol, WHOLE, true);
}

bool rs_elf_imports_prefix(const struct rs_elf *elf, const char *prefix)
{
	return has_symbol(elf, prefix, PREFIX, false);
}

bool rs_elf_is_object(const struct rs_elf *elf)
{
	return elf->header->e_type == ET_DYN && !elf->interpreter &&
	       !(rs_elf_number(elf, DT_FLAGS_1) & DF_1_PIE);
}

static const ElfW(Shdr) * sections(const struct rs_elf *elf)
{
	if (elf->header->e_shentsize != sizeof(ElfW(Shdr)) || elf->header->e_shoff == 0)
		return NULL;
	return at(elf, elf->header->e_shoff, elf->header->e_shnum, sizeof(ElfW(Shdr)));
}

bool rs_elf_has_section(const struct rs_elf *elf, const char *name)
{
	const ElfW(Shdr) *section = sections(elf), *names;

	if (!section || elf->header->e_shstrndx >= elf->header->e_shnum)
		return false;
	names = section + elf->header->e_shstrndx;
	if (names->sh_offset > elf->size || names->sh_size > elf->size - names->sh_offset)
		return false;
	for (size_t i = 0; i < elf->header->e_shnum; i++, section++) {
		const char *found =
			text_in(elf->bytes + names->sh_offset, names->sh_size, section->sh_name);

		if (found && strcmp(found, name) == 0)
			return true;
	}
	return false;
}

const char *rs_elf_find(const struct rs_elf *elf, const void *bytes, size_t len)
{
	return elf->bytes ? memmem(elf->bytes, elf->size, bytes, len) : NULL;
}

/* e_machine lies in the same place in both classes. */
const char *rs_elf_machine(const struct rs_elf *elf)
{
	switch (elf->header->e_machine) {
	case EM_X86_64:
		return elf->bytes[EI_CLASS] == ELFCLASS32 ? "x86-64 with 32-bit pointers (x32)"
							  : "x86-64";
	case EM_386:
		return "32-bit x86";
	case EM_AARCH64:
		return "64-bit ARM";
	case EM_ARM:
		return "32-bit ARM";
	case EM_RISCV:
		return "RISC-V";
	case EM_PPC64:
		return "64-bit PowerPC";
	case EM_S390:
		return "S/390";
	default:
		return "another machine";
	}
}
