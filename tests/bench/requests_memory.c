/*
 * Memory for libcurl that costs the same whatever was allocated before: what malloc() does depends
 * on how all that came to lie, which differs between a bare program and a wrapped one, by chance.
 * Sizes are powers of two; what is freed is kept for the next of its size.
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "requests.h"

#define CLASSES  48
#define SMALLEST 6 /* 64 bytes */

/* In front of each block; as large as what malloc() aligns to. */
union head {
	struct {
		union head *next; /* while it is free */
		unsigned class;
	} of;
	max_align_t aligned;
};

static union head *freed[CLASSES];

static unsigned class_of(size_t size)
{
	unsigned class = SMALLEST;

	while (((size_t)1 << class) < size)
		class ++;
	return class;
}

static void *take(size_t size)
{
	unsigned class = class_of(size);
	union head *head = freed[class];

	if (head)
		freed[class] = head->of.next;
	else
		head = malloc(sizeof(*head) + ((size_t)1 << class));
	if (!head)
		abort();
	head->of.class = class;
	return head + 1;
}

static void give_back(void *block)
{
	union head *head;

	if (!block)
		return;
	head = (union head *)block - 1;
	head->of.next = freed[head->of.class];
	freed[head->of.class] = head;
}

static void *take_more(void *block, size_t size)
{
	size_t had = block ? (size_t)1 << ((union head *)block - 1)->of.class : 0;
	void *larger;

	if (size <= had)
		return block;
	larger = take(size);
	if (block)
		memcpy(larger, block, had);
	give_back(block);
	return larger;
}

static char *copy_text(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(take(size), text, size);
}

static void *take_cleared(size_t count, size_t size)
{
	return memset(take(count * size), 0, count * size);
}

bool bench_begin_curl(void)
{
	return curl_global_init_mem(CURL_GLOBAL_DEFAULT, take, give_back, take_more, copy_text,
				    take_cleared) == CURLE_OK;
}
