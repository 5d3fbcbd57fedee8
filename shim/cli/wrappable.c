#include "cli/wrappable.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Linux follows #! lines four times. */
#define SCRIPT_DEPTH 4
#define HEAD_SIZE    4096

/* The linker's name for this command's own ELF header: what "this architecture" is. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static const struct rs_wrappable yes;

static struct rs_wrappable no(const char *why)
{
	return (struct rs_wrappable){ .why_not = why };
}

static struct rs_wrappable refuses(const char *why)
{
	return (struct rs_wrappable){ .why_not = why, .refuses = true };
}

/* ---- finding it ---- */

static bool is_executable_file(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

/* The path that execvp(3) would run, into buf; false where there is none. */
static bool find(const char *program, char buf[PATH_MAX])
{
	const char *dirs = getenv("PATH");

	if (strchr(program, '/'))
		return snprintf(buf, PATH_MAX, "%s", program) < PATH_MAX;
	if (!dirs)
		dirs = "/bin:/usr/bin";
	for (;;) {
		int len = (int)strcspn(dirs, ":");
		const char *slash = len > 0 ? "/" : "";

		if (snprintf(buf, PATH_MAX, "%.*s%s%s", len, dirs, slash, program) < PATH_MAX &&
		    is_executable_file(buf))
			return true;
		if (dirs[len] == '\0')
			return false;
		dirs += len + 1;
	}
}

/* ---- programs that gain privileges: their linker ignores LD_PRELOAD ---- */

static bool gains_privileges(int fd, const struct stat *info)
{
	if ((info->st_mode & S_ISUID) && info->st_uid != getuid())
		return true;
	if ((info->st_mode & S_ISGID) && (info->st_mode & S_IXGRP) && info->st_gid != getgid())
		return true;
	return getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0;
}

/* ---- ELF ---- */

static const char *interpreter(int fd, const ElfW(Phdr) * header, char name[PATH_MAX])
{
	size_t size = header->p_filesz < PATH_MAX - 1 ? header->p_filesz : PATH_MAX - 1;
	ssize_t got = pread(fd, name, size, (off_t)header->p_offset);

	name[got > 0 ? got : 0] = '\0';
	return name;
}

static struct rs_wrappable judge_elf(int fd, const ElfW(Ehdr) * elf)
{
	ElfW(Phdr) header;
	char name[PATH_MAX];

	if (memcmp(elf->e_ident, __ehdr_start.e_ident, EI_DATA + 1) != 0 ||
	    elf->e_machine != __ehdr_start.e_machine)
		return refuses("it is built for another architecture");
	for (unsigned i = 0; i < elf->e_phnum; i++) {
		off_t at = (off_t)(elf->e_phoff + (size_t)i * elf->e_phentsize);

		if (pread(fd, &header, sizeof(header), at) != sizeof(header))
			return yes;
		if (header.p_type != PT_INTERP)
			continue;
		if (strstr(interpreter(fd, &header, name), "/ld-musl"))
			return refuses("it uses another C library (musl)");
		return yes;
	}
	return no("it is statically linked");
}

/* ---- scripts ---- */

static struct rs_wrappable judge(const char *program, int depth);

/* The program that `env` would run for the words of a #! line, or NULL. */
static const char *program_of_env(char *words)
{
	char *next;

	for (char *word = strtok_r(words, " \t", &next); word;
	     word = strtok_r(NULL, " \t", &next)) {
		if (strncmp(word, "-S", 2) == 0 && word[2] != '\0')
			return word + 2;
		if (word[0] != '-' && !strchr(word, '='))
			return word;
	}
	return NULL;
}

/* `line` is what follows "#!". */
static struct rs_wrappable judge_script(char *line, int depth)
{
	char *program, *slash;
	const char *inner;

	line[strcspn(line, "\n")] = '\0';
	program = line + strspn(line, " \t");
	line = program + strcspn(program, " \t");
	if (*line)
		*line++ = '\0';
	if (depth == 0 || *program == '\0')
		return yes;
	slash = strrchr(program, '/');
	inner = slash && strcmp(slash, "/env") == 0 ? program_of_env(line) : NULL;
	return judge(inner ? inner : program, depth - 1);
}

/* ---- both ---- */

static struct rs_wrappable judge_file(int fd, int depth)
{
	char head[HEAD_SIZE + 1];
	ElfW(Ehdr) elf;
	struct stat info;
	ssize_t len = pread(fd, head, HEAD_SIZE, 0);

	if (len < 2 || fstat(fd, &info) != 0)
		return yes;
	head[len] = '\0';
	if (memcmp(head, "#!", 2) == 0)
		return judge_script(head + 2, depth);
	if ((size_t)len < sizeof(elf) || memcmp(head, ELFMAG, SELFMAG) != 0)
		return yes;
	if (gains_privileges(fd, &info))
		return no("it is set-user-ID, set-group-ID or has file capabilities");
	memcpy(&elf, head, sizeof(elf));
	return judge_elf(fd, &elf);
}

static struct rs_wrappable judge(const char *program, int depth)
{
	char path[PATH_MAX];
	struct rs_wrappable answer;
	int fd;

	if (!find(program, path) || (fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		return yes;
	answer = judge_file(fd, depth);
	close(fd);
	return answer;
}

struct rs_wrappable rs_wrappable(const char *program)
{
	return judge(program, SCRIPT_DEPTH);
}
