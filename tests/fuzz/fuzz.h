/*
 * What the fuzz targets share. A target reads its input as a script, and checks properties that
 * must hold whatever the input says; the sanitizers see to the memory.
 */
#ifndef RS_TESTS_FUZZ_H
#define RS_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rules/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* A property that does not hold is a finding. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,          \
				#condition);                                                       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* Input still to be read; what is missing reads as zeros. */
struct input {
	const char *at;
	size_t left;
};

static inline struct input input_of(const uint8_t *data, size_t size)
{
	return (struct input){ (const char *)data, size };
}

static inline unsigned take_byte(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return (unsigned char)*in->at++;
}

static inline struct rs_span take_bytes(struct input *in, size_t most)
{
	struct rs_span bytes = { in->at, in->left < most ? in->left : most };

	in->at += bytes.len;
	in->left -= bytes.len;
	return bytes;
}

/* Up to, and past, `end`. */
static inline struct rs_span take_until(struct input *in, char end)
{
	const char *found = in->left ? memchr(in->at, end, in->left) : NULL;
	struct rs_span bytes = take_bytes(in, found ? (size_t)(found - in->at) : in->left);

	take_bytes(in, 1);
	return bytes;
}

/* The bytes on the heap, exactly as many: reading past them is seen. To be freed. */
static inline char *exact_copy(struct rs_span bytes)
{
	char *copy = malloc(bytes.len ? bytes.len : 1);

	MUST(copy);
	if (bytes.len)
		memcpy(copy, bytes.at, bytes.len);
	return copy;
}

static inline char *text_copy(struct rs_span bytes)
{
	char *copy = malloc(bytes.len + 1);

	MUST(copy);
	if (bytes.len)
		memcpy(copy, bytes.at, bytes.len);
	copy[bytes.len] = '\0';
	return copy;
}

/* A path under which these bytes can be read as a file; good until the next call. */
static inline const char *path_of(struct rs_span bytes)
{
	static char path[32];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("input", MFD_CLOEXEC);
		MUST(fd >= 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	MUST(ftruncate(fd, 0) == 0);
	MUST(pwrite(fd, bytes.at, bytes.len, 0) == (ssize_t)bytes.len);
	return path;
}

/* The rules of a text that is right. */
static inline struct rs_rules *rules_of(const char *text)
{
	struct rs_load_request request = {
		.paths = path_of((struct rs_span){ text, strlen(text) }),
	};
	struct rs_rules *rules;

	MUST(rs_rules_load(&request, &rules) == 0);
	return rules;
}

#endif
