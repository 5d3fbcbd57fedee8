#include "cli/env_line.h"

#include <limits.h>
#include <string.h>

#include "rules/words.h"

/* The letter of an option that takes a value ends its word, or what follows is the value. */
#define WITH_VALUE "uCa"

/* Of long ones that stand alone the next word is the value. */
static bool takes_next_word(const char *option)
{
	static const char *const names[] = { "--unset", "--chdir", "--argv0" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(option, names[i]) == 0)
			return true;
	}
	return false;
}

/* What is left of a word that splits what follows ("-vSperl", "--split-string=perl"), or NULL. */
static const char *split_here(const char *word)
{
	static const char name[] = "--split-string=";

	if (strncmp(word, name, strlen(name)) == 0)
		return word + strlen(name);
	if (word[0] != '-' || word[1] == '-')
		return NULL;
	word += strcspn(word, "S" WITH_VALUE);
	return *word == 'S' ? word + 1 : NULL;
}

/* An option's words: 0 where `word` is none. */
static size_t words_of_option(const char *word)
{
	size_t letters;

	if (word[0] != '-')
		return 0;
	if (word[1] == '-')
		return takes_next_word(word) ? 2 : 1;
	letters = strcspn(word, WITH_VALUE);
	return word[letters] && !word[letters + 1] ? 2 : 1;
}

const char *rs_env_program(char *line)
{
	char *at[PATH_MAX / 2 + 2];
	struct rs_words words = { .at = at };
	const char *why;
	size_t i = 0;

	if (strlen(line) >= PATH_MAX || !rs_words_split(line, &words, &why))
		return NULL;
	while (i < words.count) {
		const char *word = words.at[i];
		const char *rest = split_here(word);

		if (rest)
			word = rest;
		if (!*word || strchr(word, '='))
			i++;
		else if (words_of_option(word) > 0)
			i += words_of_option(word);
		else
			return word;
	}
	return NULL;
}
