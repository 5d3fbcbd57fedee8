/*
 * A text that is put together piece by piece, in room that the test has for it. For cmocka tests.
 */
#ifndef TESTS_TEXT_H
#define TESTS_TEXT_H

#include <stdarg.h>
#include <stdio.h>

#include "unit.h"

struct text {
	char *at;
	size_t size, len; /* bytes, without the NUL after them */
};
#define TEXT_IN(array) ((struct text){ (array), sizeof(array), 0 })

/* As printf(). The test fails where there is no room. */
__attribute__((format(printf, 2, 3))) static inline void text_add(struct text *text,
								  const char *format, ...)
{
	size_t room = text->size - text->len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text->at + text->len, room, format, args);
	va_end(args);
	assert_true(len >= 0 && (size_t)len < room);
	text->len += (size_t)len;
}

static inline struct rs_span text_span(const struct text *text)
{
	return (struct rs_span){ text->at, text->len };
}

#endif
