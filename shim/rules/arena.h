/*
 * Memory for rules: bump allocation over anonymous mappings, released as a whole.
 *
 * Not malloc: the rules may be loaded inside a signal handler, or in a program whose allocator
 * calls hooks of ours. A mapping that cannot be had makes the allocation return NULL and sets
 * `failed`, so that a caller may look once at the end.
 */
#ifndef RS_RULES_ARENA_H
#define RS_RULES_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct rs_arena {
	struct rs_arena_chunk *chunks;
	char *at;
	size_t left;
	bool failed;
};

/* count * size zeroed bytes, aligned for pointers and int64_t; NULL where there is no memory. */
void *rs_arena_alloc(struct rs_arena *arena, size_t count, size_t size);

/* A NUL-terminated copy of `len` bytes; NULL where there is no memory. */
char *rs_arena_text(struct rs_arena *arena, const char *text, size_t len);

/* Unmap everything; the arena may be used again. */
void rs_arena_free(struct rs_arena *arena);

#define RS_NEW(arena, type)              ((type *)rs_arena_alloc((arena), 1, sizeof(type)))
#define RS_NEW_ARRAY(arena, count, type) ((type *)rs_arena_alloc((arena), (count), sizeof(type)))

#endif
