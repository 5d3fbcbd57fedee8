/*
 * A command line taken apart into words, by the quoting rules of the shell (POSIX.1-2017, Shell
 * Command Language 2.2) and nothing else of it: no variables, no globs, no pipes.
 */
#ifndef RS_RULES_WORDS_H
#define RS_RULES_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct rs_words {
	char **at; /* words, room for as many as the text has bytes / 2 + 2; NULL after the last */
	size_t count;
	const char *shell; /* the first word that only a shell would understand, or NULL */
};

/* Split `text`, which is rewritten: the words lie in it. False, with *why (a static text), where a
 * quote is not closed or a backslash ends the text. Pure. */
bool rs_words_split(char *text, struct rs_words *words, const char **why);

#endif
