#include "rules/ini_text.h"

#include <ini.h>
#include <string.h>

#include "rules/section_header.h"

enum line_kind {
	LINE_EMPTY, /* or a comment */
	LINE_HEADER,
	LINE_KEY,
	LINE_CONTINUATION,
};

struct ini_text {
	struct rs_document *document;
	struct rs_place place; /* of the line in hand */
	char *at, *end;
	bool has_nul, has_semicolon; /* somewhere in the text: most have neither */
	char *line;                  /* the line in hand */
	struct rs_span text;         /* of it, trimmed */
	struct rs_section *section;  /* NULL: before the first, or in one that was refused */
	bool refused_section;
	bool has_key; /* a key, right or wrong, has been seen since the last header */
	bool refused_key;
	enum line_kind kind;    /* of the line in hand */
	struct rs_entry *entry; /* the one that a continuation continues */
};

static struct rs_span next_line(struct ini_text *ini)
{
	char *newline = memchr(ini->at, '\n', (size_t)(ini->end - ini->at));
	struct rs_span line = { ini->at, (size_t)((newline ? newline : ini->end) - ini->at) };

	ini->line = ini->at;
	ini->at = newline ? newline + 1 : ini->end;
	ini->place.line++;
	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	return line;
}

static enum line_kind kind_of(const struct ini_text *ini, struct rs_span line, struct rs_span text)
{
	if (text.len == 0 || text.at[0] == ';' || text.at[0] == '#')
		return LINE_EMPTY;
	if (text.at != line.at && ini->has_key)
		return LINE_CONTINUATION;
	return text.at[0] == '[' ? LINE_HEADER : LINE_KEY;
}

static bool has_inline_comment(struct rs_span text)
{
	const char *end = text.at + text.len;

	for (const char *at = text.at + 1; (at = memchr(at, ';', (size_t)(end - at))); at++) {
		if (rs_is_space(at[-1]))
			return true;
	}
	return false;
}

/* What inih would cut or misread whatever kind of line it is. */
static bool line_is_sound(struct ini_text *ini, struct rs_span line, size_t limit)
{
	struct rs_faults *faults = ini->document->faults;

	if (ini->has_nul && memchr(line.at, '\0', line.len)) {
		rs_error(faults, ini->place, "a NUL byte: this is not a text file");
		return false;
	}
	if (line.len > limit) {
		rs_error(faults, ini->place,
			 "the line is %zu bytes long and the parser takes %zu: "
			 "continue a list on indented lines",
			 line.len, limit);
		return false;
	}
	if (ini->has_semicolon && ini->kind != LINE_EMPTY && has_inline_comment(line)) {
		rs_error(faults, ini->place,
			 "' ;' would begin a comment and cut the line there: put a comment on a "
			 "line of its own (in a pattern, write '[;]')");
		return false;
	}
	return true;
}

static void end_section(struct ini_text *ini)
{
	const struct rs_section *section = ini->section;

	if (section && !section->has_lines)
		rs_error(ini->document->faults, section->place, "section [%s%s%s] is empty",
			 rs_section_type_name(section->type), *section->name ? " " : "",
			 section->name);
	ini->section = NULL;
}

static void take_header(struct ini_text *ini, struct rs_span text, bool sound)
{
	end_section(ini);
	ini->has_key = false;
	ini->refused_key = false;
	ini->entry = NULL;
	if (sound)
		ini->section = rs_header_read(ini->document, ini->place, text);
	ini->refused_section = !ini->section;
}

/* A key's line as such: has it a key, a separator? */
static bool take_key(struct ini_text *ini, struct rs_span text, bool sound)
{
	ini->has_key = true;
	ini->entry = NULL;
	if (ini->section)
		ini->section->has_lines = true;
	if (sound && (text.at[0] == '=' || text.at[0] == ':')) {
		rs_error(ini->document->faults, ini->place, "a key is missing before '%c'",
			 text.at[0]);
		sound = false;
	} else if (sound && !memchr(text.at, '=', text.len) && !memchr(text.at, ':', text.len)) {
		rs_error(ini->document->faults, ini->place,
			 "'%s' is neither 'key = value' nor a [section] nor a comment",
			 rs_show_span(text.at, text.len).text);
		sound = false;
	}
	ini->refused_key = !sound;
	if (ini->section && !sound)
		ini->section->has_outcome = true; /* who knows what it was meant to be */
	return sound;
}

/* Does the line go to inih? */
static bool take_line(struct ini_text *ini, struct rs_span line, size_t limit)
{
	struct rs_span text = rs_trim(line.at, line.len);
	bool sound;

	ini->text = text;
	ini->kind = kind_of(ini, line, text);
	sound = line_is_sound(ini, line, limit);
	switch (ini->kind) {
	case LINE_EMPTY:
		return false;
	case LINE_HEADER:
		take_header(ini, text, sound);
		return true;
	case LINE_KEY:
		return take_key(ini, text, sound);
	case LINE_CONTINUATION:
		break;
	}
	return sound && !ini->refused_key;
}

/* inih's reader callback, as fgets(3). A header has been read here: an empty one is all that inih
 * needs to forget the key before it. */
static char *read_line(char *to, int size, void *stream)
{
	struct ini_text *ini = stream;
	size_t limit = (size_t)size - 1;
	struct rs_span line;

	do {
		if (ini->at == ini->end)
			return NULL;
		line = next_line(ini);
	} while (!take_line(ini, line, limit));
	if (ini->kind == LINE_HEADER)
		line = (struct rs_span){ "[]", 2 };
	memcpy(to, line.at, line.len);
	to[line.len] = '\0';
	return to;
}

/* An indented "key = value" or "[section]" below a key was hardly meant to continue its value. */
static bool continues(struct ini_text *ini, const char *text)
{
	struct rs_faults *faults = ini->document->faults;
	const char *above = rs_entry_key(ini->entry)->name;
	size_t name_len = strcspn(text, "=");
	char name[sizeof(rs_keys[0].name)];
	struct rs_span trimmed = rs_trim(text, name_len);

	if (!(rs_entry_key(ini->entry)->flags & RS_KEY_LIST)) {
		rs_error(faults, ini->place,
			 "an indented line continues '%s' above, which takes one line: "
			 "do not indent keys and sections",
			 above);
		return false;
	}
	if (!text[name_len] || trimmed.len >= sizeof(name))
		return true;
	memcpy(name, trimmed.at, trimmed.len);
	name[trimmed.len] = '\0';
	if (!rs_key_find(ini->section->type, name))
		return true;
	rs_error(faults, ini->place,
		 "an indented line continues '%s' above: write '%s' at the start of the line",
		 above, name);
	return false;
}

/*
 * The value, which inih has in a buffer of its own, where it stands in the source: it ends the
 * line. The byte after it is the line's end, or white space, and has been looked at already. A
 * locale may have more bytes that are space to inih: then the value is a shorter one.
 */
static char *in_source(struct ini_text *ini, const char *value)
{
	size_t len = strlen(value);
	char *end = ini->line + (ini->text.at - ini->line) + ini->text.len;

	if (memcmp(end - len, value, len) != 0)
		return rs_arena_text(ini->document->arena, value, len);
	*end = '\0';
	return end - len;
}

/* inih's handler callback. */
static int take_value(void *user, const char *section, const char *name, const char *value)
{
	struct ini_text *ini = user;

	(void)section;
	if (ini->kind == LINE_CONTINUATION) {
		if (ini->entry && continues(ini, value))
			rs_section_continue(ini->document, ini->section, in_source(ini, value),
					    ini->place.line);
	} else if (ini->section) {
		ini->entry = rs_section_add(ini->document, ini->section, name,
					    in_source(ini, value), ini->place.line);
	} else if (!ini->refused_section) {
		rs_error(ini->document->faults, ini->place, "key '%s' stands outside of a section",
			 rs_show(name).text);
	}
	return 1;
}

static bool is_utf16(const char *text, size_t len)
{
	return len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0);
}

void rs_ini_read(struct rs_document *document, const char *file, char *text, size_t len)
{
	struct ini_text ini = {
		.document = document,
		.place = { file, 0 },
		.at = text,
		.end = text + len,
		.has_nul = memchr(text, '\0', len),
		.has_semicolon = memchr(text, ';', len),
	};

	if (is_utf16(text, len)) {
		rs_error(document->faults, ini.place, "is UTF-16 text: save it as UTF-8");
		return;
	}
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		ini.at += 3;
	ini_parse_stream(read_line, &ini, take_value, &ini);
	end_section(&ini);
}
