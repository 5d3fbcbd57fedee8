#include "cli/program_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define HEAD_SIZE 4096

static bool is_executable_file(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

bool rs_program_find(const char *program, char path[PATH_MAX])
{
	const char *dirs = getenv("PATH");

	if (strchr(program, '/'))
		return snprintf(path, PATH_MAX, "%s", program) < PATH_MAX;
	if (!dirs)
		dirs = "/bin:/usr/bin";
	for (;;) {
		int len = (int)strcspn(dirs, ":");
		const char *slash = len > 0 ? "/" : "";

		if (snprintf(path, PATH_MAX, "%.*s%s%s", len, dirs, slash, program) < PATH_MAX &&
		    is_executable_file(path))
			return true;
		if (dirs[len] == '\0')
			return false;
		dirs += len + 1;
	}
}

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
static const char *program_of_line(char *line)
{
	char *program, *slash;
	const char *inner;

	line[strcspn(line, "\n")] = '\0';
	program = line + strspn(line, " \t");
	line = program + strcspn(program, " \t");
	if (*line)
		*line++ = '\0';
	slash = strrchr(program, '/');
	inner = slash && strcmp(slash, "/env") == 0 ? program_of_env(line) : NULL;
	return inner ? inner : program;
}

bool rs_program_interpreter(const char *path, char name[PATH_MAX])
{
	char head[HEAD_SIZE + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t len = fd < 0 ? -1 : pread(fd, head, HEAD_SIZE, 0);

	if (fd >= 0)
		close(fd);
	if (len < 2 || head[0] != '#' || head[1] != '!')
		return false;
	head[len] = '\0';
	return snprintf(name, PATH_MAX, "%s", program_of_line(head + 2)) < PATH_MAX && *name;
}

bool rs_program_gains_privileges(const char *path, const struct stat *info)
{
	if ((info->st_mode & S_ISUID) && info->st_uid != getuid())
		return true;
	if ((info->st_mode & S_ISGID) && (info->st_mode & S_IXGRP) && info->st_gid != getgid())
		return true;
	return getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0;
}
