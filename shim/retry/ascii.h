/*
 * Comparing names of protocols: without regard to ASCII case, whatever locale the program has set
 * (in a Turkish one strncasecmp(3) tells FILE from file). Pure; safe anywhere.
 */
#ifndef RS_RETRY_ASCII_H
#define RS_RETRY_ASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* FNV-1a of the text in lower case. */
static inline uint32_t rs_ascii_hash(const char *text, size_t len)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)rs_ascii_lower(text[i])) * 16777619U;
	return hash;
}

#endif
