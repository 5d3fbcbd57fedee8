#include "cli/program_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cli/env_line.h"

#define HEAD_SIZE 4096
#define SHELL     "/bin/sh"

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
	inner = slash && strcmp(slash, "/env") == 0 ? rs_env_program(line) : NULL;
	return inner ? inner : program;
}

/* What the kernel cannot run execvp(3) gives to the shell, which takes what is text. */
static bool is_for_the_shell(const char *path, const char *head, size_t len)
{
	return !memchr(head, '\0', len) && is_executable_file(path);
}

bool rs_program_interpreter(const char *path, char name[PATH_MAX])
{
	char head[HEAD_SIZE + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t len = fd < 0 ? -1 : pread(fd, head, HEAD_SIZE, 0);

	if (fd >= 0)
		close(fd);
	if (len < 1)
		return false;
	head[len] = '\0';
	if (head[0] != '#' || head[1] != '!')
		return is_for_the_shell(path, head, (size_t)len) &&
		       snprintf(name, PATH_MAX, "%s", SHELL) < PATH_MAX;
	return snprintf(name, PATH_MAX, "%s", program_of_line(head + 2)) < PATH_MAX && *name;
}

bool rs_program_keeps_privileges(const char *path)
{
	struct statvfs mount;

	return statvfs(path, &mount) != 0 || !(mount.f_flag & ST_NOSUID);
}

/* File capabilities have the linker ignore LD_PRELOAD also where no_new_privs takes them away. */
bool rs_program_gains_privileges(const char *path, const struct stat *info)
{
	bool set_id = ((info->st_mode & S_ISUID) && info->st_uid != getuid()) ||
		      ((info->st_mode & S_ISGID) && (info->st_mode & S_IXGRP) &&
		       info->st_gid != getgid());

	if (!rs_program_keeps_privileges(path))
		return false;
	if (set_id && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return true;
	return getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0;
}
