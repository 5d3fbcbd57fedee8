#include "rules/words.h"

#include <string.h>

/* Where reading and writing have got to: quoting only ever makes a text shorter. */
struct cursor {
	const char *from;
	char *to;
	bool for_shell; /* something unquoted that a shell would act on */
};

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n';
}

static bool take_single(struct cursor *at)
{
	for (at->from++; *at->from != '\''; at->from++) {
		if (!*at->from)
			return false;
		*at->to++ = *at->from;
	}
	at->from++;
	return true;
}

/* Inside double quotes a backslash only quotes what would be special there. */
static bool take_double(struct cursor *at)
{
	for (at->from++; *at->from != '"'; at->from++) {
		if (!*at->from)
			return false;
		if (*at->from == '\\' && at->from[1] && strchr("$`\"\\", at->from[1]))
			at->from++;
		*at->to++ = *at->from;
	}
	at->from++;
	return true;
}

static bool take_escaped(struct cursor *at)
{
	if (!at->from[1])
		return false;
	*at->to++ = at->from[1];
	at->from += 2;
	return true;
}

static void take_plain(struct cursor *at)
{
	if (strchr("|<>$`", *at->from))
		at->for_shell = true;
	*at->to++ = *at->from++;
}

static const char *take_word(struct cursor *at)
{
	while (*at->from && !is_blank(*at->from)) {
		if (*at->from == '\'' && !take_single(at))
			return "a ' is not closed";
		if (*at->from == '"' && !take_double(at))
			return "a \" is not closed";
		if (*at->from == '\\' && !take_escaped(at))
			return "nothing follows the last \\";
		if (*at->from && !is_blank(*at->from) && !strchr("'\"\\", *at->from))
			take_plain(at);
	}
	return NULL;
}

static bool is_operator(const char *word)
{
	return strcmp(word, "&") == 0 || strcmp(word, "&&") == 0 || strcmp(word, ";") == 0;
}

bool rs_words_split(char *text, struct rs_words *words, const char **why)
{
	struct cursor at = { .from = text, .to = text };

	words->count = 0;
	words->shell = NULL;
	for (;;) {
		char *word = at.to;

		while (is_blank(*at.from))
			at.from++;
		if (!*at.from)
			break;
		at.for_shell = false;
		*why = take_word(&at);
		if (*why)
			return false;
		if (*at.from)
			at.from++; /* what is written next must not be read as the rest */
		*at.to++ = '\0';
		words->at[words->count++] = word;
		if (!words->shell && (at.for_shell || is_operator(word)))
			words->shell = word;
	}
	words->at[words->count] = NULL;
	return true;
}
