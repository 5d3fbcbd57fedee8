/*
 * The bytes of a rules file.
 *
 * A regular file only: opening never waits (FIFO), never takes a terminal, and what is not a
 * regular file is refused by name.
 */
#ifndef RS_RULES_SOURCE_H
#define RS_RULES_SOURCE_H

#include "rules/arena.h"

#define RS_SOURCE_LIMIT ((size_t)16 * 1024 * 1024)

struct rs_source {
	char *text; /* in the arena, with a byte to spare behind it */
	size_t len;
	const char *distrusted; /* why no command may be taken from it, or NULL */
};

/* Read the whole of `path`. 0, or -errno with *why naming the cause (a static text). */
int rs_source_read(struct rs_arena *arena, const char *path, struct rs_source *source,
		   const char **why);

#endif
