#include "rules/arena.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define FIRST_CHUNK  ((size_t)16 * 1024)
#define LARGEST_STEP ((size_t)64 * 1024)
#define PAGE         ((size_t)4096)
#define ALIGNMENT    ((size_t)8) /* of pointers and int64_t: nothing here needs more */

struct rs_arena_chunk {
	struct rs_arena_chunk *next;
	size_t size;
};

static size_t round_up(size_t size, size_t step)
{
	return (size + step - 1) / step * step;
}

/* Each chunk is twice the one before it, up to what is worth having at once. */
static size_t next_chunk_size(const struct rs_arena *arena, size_t need)
{
	size_t size = arena->chunks ? arena->chunks->size * 2 : FIRST_CHUNK;

	if (size > LARGEST_STEP)
		size = LARGEST_STEP;
	need += round_up(sizeof(struct rs_arena_chunk), ALIGNMENT);
	return need > size ? round_up(need, PAGE) : size;
}

static bool grow(struct rs_arena *arena, size_t need)
{
	size_t size = next_chunk_size(arena, need);
	size_t header = round_up(sizeof(struct rs_arena_chunk), ALIGNMENT);
	/* Where so much is needed nearly all of it will be: then a fault for each page costs more
	 * than the pages. */
	int at_once = size >= LARGEST_STEP ? MAP_POPULATE : 0;
	struct rs_arena_chunk *chunk = mmap(NULL, size, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS | at_once, -1, 0);

	if (chunk == MAP_FAILED)
		return false;
	chunk->next = arena->chunks;
	chunk->size = size;
	arena->chunks = chunk;
	arena->at = (char *)chunk + header;
	arena->left = size - header;
	return true;
}

static void *take(struct rs_arena *arena, size_t need)
{
	void *result;

	if (need > SIZE_MAX / 2 || (need > arena->left && !grow(arena, need))) {
		arena->failed = true;
		return NULL;
	}
	result = arena->at;
	arena->at += need;
	arena->left -= need;
	return result;
}

void *rs_arena_alloc(struct rs_arena *arena, size_t count, size_t size)
{
	size_t gap = (size_t)(-(uintptr_t)arena->at) % ALIGNMENT;
	size_t need;

	if (__builtin_mul_overflow(count, size, &need))
		need = SIZE_MAX;
	if (gap > 0) { /* a chunk ends aligned: there is room for it */
		arena->at += gap;
		arena->left -= gap;
	}
	return take(arena, need);
}

char *rs_arena_text(struct rs_arena *arena, const char *text, size_t len)
{
	char *copy = take(arena, len + 1);

	if (copy && len > 0)
		memcpy(copy, text, len);
	return copy;
}

void rs_arena_free(struct rs_arena *arena)
{
	struct rs_arena_chunk *chunk = arena->chunks;

	while (chunk) {
		struct rs_arena_chunk *next = chunk->next;

		munmap(chunk, chunk->size);
		chunk = next;
	}
	*arena = (struct rs_arena){ 0 };
}
