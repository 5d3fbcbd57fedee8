#include "rules/names.h"

#include <string.h>

#define WORD_LIMIT 48

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Damerau-Levenshtein distance in its restricted form (optimal string alignment): a letter
 * added, dropped, changed, or swapped with its neighbour costs one. Case costs nothing.
 */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_LIMIT + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_len; j++)
		above[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *recycled = before;

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t change = fold(a[i - 1]) != fold(b[j - 1]);

			row[j] = least(above[j - 1] + change, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = recycled;
	}
	return above[b_len];
}

const char *rs_nearest(const char *word, const char *const *names, size_t count)
{
	size_t len = strlen(word);
	size_t best = len / 3 + 1;
	const char *nearest = NULL;

	if (len == 0 || len > WORD_LIMIT)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t name_len = strlen(names[i]);
		size_t cost =
			name_len <= WORD_LIMIT ? distance(word, len, names[i], name_len) : best;

		if (cost < best) {
			best = cost;
			nearest = names[i];
		}
	}
	return nearest;
}
