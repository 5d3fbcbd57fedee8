/*
 * From the name of a program to the file that the kernel would run.
 */
#ifndef RS_CLI_PROGRAM_FILE_H
#define RS_CLI_PROGRAM_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

/* Linux follows #! lines four times. */
#define RS_SCRIPT_DEPTH 4

/* The path that execvp(3) would run; false where PATH has none. */
bool rs_program_find(const char *program, char path[PATH_MAX]);

/* Is the file at `path` a script? Then the name of its interpreter, as execvp(3) takes it: a path,
 * or what env(1) would look up; the shell where the script names none. */
bool rs_program_interpreter(const char *path, char name[PATH_MAX]);

/* Does the program run with more than this process's rights (set-user-ID, set-group-ID, file
 * capabilities)? The dynamic linker then ignores LD_PRELOAD. */
bool rs_program_gains_privileges(const char *path, const struct stat *info);

/* Does the file lie where such rights count, not on a mount that is `nosuid`? */
bool rs_program_keeps_privileges(const char *path);

#endif
