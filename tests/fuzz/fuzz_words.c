/* A command line by the shell's quoting rules: what comes of it are words that, quoted again, are
 * the same words; nothing is written outside of the text. */
#include "fuzz.h"
#include "rules/words.h"

struct command {
	char *text;
	struct rs_words words;
	bool right;
};

static struct command split(struct rs_span line)
{
	struct command command = { .text = text_copy(line) };
	size_t len = strlen(command.text);
	const char *why = NULL;

	command.words.at = malloc((len / 2 + 2) * sizeof(char *));
	MUST(command.words.at);
	command.right = rs_words_split(command.text, &command.words, &why);
	MUST(command.right == (why == NULL));
	if (!command.right)
		return command;
	MUST(command.words.at[command.words.count] == NULL);
	for (size_t i = 0; i < command.words.count; i++) {
		const char *word = command.words.at[i];

		MUST(word >= command.text && word + strlen(word) <= command.text + len);
	}
	return command;
}

static void discard(struct command *command)
{
	free(command->words.at);
	free(command->text);
}

/* A quote inside of quotes: '\'' */
static size_t put_quoted(char *to, const char *word)
{
	size_t len = 0;

	to[len++] = '\'';
	for (; *word; word++) {
		if (*word == '\'') {
			memcpy(to + len, "'\\''", 4);
			len += 4;
		} else {
			to[len++] = *word;
		}
	}
	to[len++] = '\'';
	to[len++] = ' ';
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct command first = split((struct rs_span){ (const char *)data, size }), again;
	char *quoted = malloc(4 * size + 4);
	size_t len = 0;

	MUST(quoted);
	for (size_t i = 0; first.right && i < first.words.count; i++)
		len += put_quoted(quoted + len, first.words.at[i]);
	again = split((struct rs_span){ quoted, len });
	if (first.right) {
		MUST(again.right && again.words.count == first.words.count);
		for (size_t i = 0; i < first.words.count; i++)
			MUST(strcmp(again.words.at[i], first.words.at[i]) == 0);
	}
	discard(&again);
	discard(&first);
	free(quoted);
	return 0;
}
