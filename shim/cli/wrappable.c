#include "cli/wrappable.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/elf_file.h"
#include "cli/program_file.h"
#include "gnu.h"

static const struct rs_wrappable yes;

static struct rs_wrappable no(const char *why)
{
	return (struct rs_wrappable){ .why_not = why };
}

static struct rs_wrappable refuses(const char *why)
{
	return (struct rs_wrappable){ .why_not = why, .refuses = true };
}

static struct rs_wrappable judge_elf(const struct rs_elf *elf, enum rs_elf_kind kind)
{
	if (kind == RS_ELF_FOREIGN)
		return refuses("it is built for another architecture");
	if (!elf->interpreter && !rs_elf_is_object(elf))
		return no("it is statically linked");
	if (elf->interpreter && strstr(elf->interpreter, RS_OTHER_LOADER))
		return refuses("it uses another C library (" RS_OTHER_LIBC ")");
	return yes;
}

static struct rs_wrappable judge_file(const char *path)
{
	struct rs_wrappable answer = yes;
	struct rs_elf elf;
	struct stat info;
	enum rs_elf_kind kind = rs_elf_open(&elf, path);

	if (kind != RS_ELF_NONE)
		answer = judge_elf(&elf, kind);
	if (kind != RS_ELF_NONE && stat(path, &info) == 0 &&
	    rs_program_gains_privileges(path, &info))
		answer = no("it is set-user-ID, set-group-ID or has file capabilities");
	rs_elf_close(&elf);
	return answer;
}

struct rs_wrappable rs_wrappable(const char *program)
{
	char path[PATH_MAX], interpreter[PATH_MAX];

	if (!rs_program_find(program, path))
		return yes;
	for (int depth = 0; depth < RS_SCRIPT_DEPTH; depth++) {
		if (!rs_program_interpreter(path, interpreter))
			break;
		if (!rs_program_find(interpreter, path))
			return yes;
	}
	return judge_file(path);
}
