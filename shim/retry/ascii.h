/*
 * Comparing names of protocols: without regard to ASCII case, whatever locale the program has set
 * (in a Turkish one strncasecmp(3) tells FILE from file). Pure; safe anywhere.
 */
#ifndef RS_RETRY_ASCII_H
#define RS_RETRY_ASCII_H

#include <stdbool.h>
#include <stddef.h>

static inline char rs_ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline bool rs_ascii_same(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (a[i] != b[i] && rs_ascii_lower(a[i]) != rs_ascii_lower(b[i]))
			return false;
	}
	return true;
}

#endif
