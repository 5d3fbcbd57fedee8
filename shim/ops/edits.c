#include "ops/edits.h"

#include <string.h>

#include "retry/url.h"

static const struct {
	char word[16];
	enum rs_edit_kind kind;
} commands[] = {
	{ "set-header", RS_EDIT_SET_HEADER },
	{ "remove-header", RS_EDIT_REMOVE_HEADER },
	{ "set-url", RS_EDIT_SET_URL },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static struct rs_span trim(struct rs_span text)
{
	while (text.len > 0 && is_blank(text.at[0])) {
		text.at++;
		text.len--;
	}
	while (text.len > 0 && (is_blank(text.at[text.len - 1]) || text.at[text.len - 1] == '\r'))
		text.len--;
	return text;
}

/* RFC 9110, 5.6.2. */
static size_t token_len(struct rs_span text)
{
	size_t len = 0;

	while (len < text.len && text.at[len] &&
	       strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
		      "!#$%&'*+-.^_`|~",
		      text.at[len]))
		len++;
	return len;
}

static bool has_controls(struct rs_span text, char least)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.at[i];

		if ((byte < (unsigned char)least && byte != '\t') || byte == 0x7f)
			return true;
	}
	return false;
}

/* Which of the commands the line begins with, or COMMANDS; *rest is what follows. */
static size_t command_of(struct rs_span line, struct rs_span *rest)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		size_t len = strlen(commands[i].word);

		if (line.len > len && memcmp(line.at, commands[i].word, len) == 0 &&
		    is_blank(line.at[len])) {
			*rest = trim((struct rs_span){ line.at + len, line.len - len });
			return i;
		}
	}
	return COMMANDS;
}

static bool is_right(enum rs_edit_kind kind, struct rs_span text)
{
	size_t name = token_len(text);

	switch (kind) {
	case RS_EDIT_SET_HEADER:
		return name > 0 && name < text.len && text.at[name] == ':' &&
		       !has_controls(text, ' ');
	case RS_EDIT_REMOVE_HEADER:
		return name > 0 && name == text.len;
	case RS_EDIT_SET_URL:
		break;
	}
	return text.len > 0 && !has_controls(text, ' ' + 1) && !memchr(text.at, '\t', text.len);
}

static bool take_line(struct rs_span line, struct rs_edits *edits)
{
	struct rs_span rest = { NULL, 0 };
	size_t command = command_of(line, &rest);

	if (command == COMMANDS || edits->count == RS_EDITS_MAX ||
	    !is_right(commands[command].kind, rest))
		return false;
	((char *)rest.at)[rest.len] = '\0';
	edits->at[edits->count++] = (struct rs_edit){ commands[command].kind, rest.at };
	return true;
}

/* The next line without its end; *text is what follows. */
static struct rs_span next_line(struct rs_span *text)
{
	const char *end = memchr(text->at, '\n', text->len);
	size_t len = end ? (size_t)(end - text->at) : text->len;
	struct rs_span line = { text->at, len };

	text->at += len + (end != NULL);
	text->len -= len + (end != NULL);
	return line;
}

int rs_edits_parse(char *text, size_t len, struct rs_edits *edits)
{
	struct rs_span rest = { text, len };
	int number = 0;

	edits->count = 0;
	while (rest.len > 0) {
		struct rs_span line = trim(next_line(&rest));

		number++;
		if (line.len > 0 && !take_line(line, edits))
			return number;
	}
	return 0;
}

const char *rs_edits_url(const struct rs_edits *edits)
{
	const char *url = NULL;

	for (size_t i = 0; i < edits->count; i++) {
		if (edits->at[i].kind == RS_EDIT_SET_URL)
			url = edits->at[i].text;
	}
	return url;
}

/* Of a part of a URL nobody can say what is a password in it: it is shown whole or not at all. */
static void show_url(struct rs_span text, struct rs_line *shown)
{
	char whole[2048];
	struct rs_url url;
	size_t len = strnlen(text.at, text.len), room = shown->size - shown->len;

	if (len != text.len || len >= sizeof(whole)) {
		rs_line_text(shown, "(not shown)");
		return;
	}
	memcpy(whole, text.at, len);
	whole[len] = '\0';
	url = rs_url_split(whole);
	shown->cut = shown->cut || len >= room; /* what is public of it is no longer */
	if (!shown->cut)
		shown->len += rs_url_public(&url, true, shown->text + shown->len, room);
}

/* It may be a line of ours that was mistyped: what stands behind a colon is not shown. */
static void show_unknown(struct rs_span line, struct rs_line *shown)
{
	const char *colon = memchr(line.at, ':', line.len);

	if (!colon) {
		rs_line_put(shown, line.at, line.len);
		return;
	}
	rs_line_put(shown, line.at, (size_t)(colon + 1 - line.at));
	rs_line_text(shown, " (not shown)");
}

static void show_line(struct rs_span line, struct rs_line *shown)
{
	struct rs_span rest = { NULL, 0 };
	size_t command = command_of(line, &rest);

	if (command == COMMANDS) {
		show_unknown(line, shown);
		return;
	}
	rs_line_text(shown, commands[command].word);
	rs_line_text(shown, " ");
	if (commands[command].kind == RS_EDIT_SET_URL)
		show_url(rest, shown);
	else
		rs_line_put(shown, rest.at, token_len(rest));
}

void rs_edits_show(struct rs_span text, struct rs_line *shown)
{
	while (text.len > 0 && !shown->cut) {
		show_line(trim(next_line(&text)), shown);
		rs_line_text(shown, "\n");
	}
}
