#include <string.h>

#include "rules/fields.h"
#include "rules/words.h"

/* The lines of a value as one text, where the rules live. */
static char *joined(struct rs_build *build, const struct rs_entry *entry)
{
	size_t size = 1;
	char *text, *at;

	for (const struct rs_entry *piece = entry; piece; piece = rs_entry_more(piece))
		size += strlen(piece->text) + 1;
	at = text = rs_arena_alloc(build->arena, size, 1);
	for (const struct rs_entry *piece = entry; text && piece; piece = rs_entry_more(piece)) {
		size_t len = strlen(piece->text);

		memcpy(at, piece->text, len);
		at += len;
		*at++ = rs_entry_more(piece) ? ' ' : '\0';
	}
	return text;
}

/* Whoever can write the file could have any command run. */
static bool may_command(struct rs_build *build, const struct rs_section *section,
			const struct rs_entry *entry)
{
	const struct rs_distrust *distrust = build->document->distrusted;
	struct rs_place place = { section->place.file, entry->line };

	while (distrust && distrust->file != section->place.file)
		distrust = distrust->next;
	if (distrust)
		rs_error(build->faults, place, "'%s': commands are not taken from a file that %s",
			 rs_entry_key(entry)->name, distrust->why);
	return !distrust;
}

void rs_set_command(struct rs_build *build, const struct rs_section *section,
		    const struct rs_entry *entry, const char *const **command)
{
	char *text = joined(build, entry);
	struct rs_words words = { NULL, 0, NULL };
	struct rs_place place = { section->place.file, entry->line };
	const char *why;

	if (!text || !may_command(build, section, entry))
		return;
	words.at = RS_NEW_ARRAY(build->arena, strlen(text) / 2 + 2, char *);
	if (!words.at)
		return;
	if (!rs_words_split(text, &words, &why) || (!**words.at && (why = "names no program"))) {
		rs_entry_error(build, section, entry, entry->line, why);
		return;
	}
	if (words.shell)
		rs_warning(build->faults, place,
			   "'%s': no shell will see '%s'; if one should, write: sh -c '…'",
			   rs_entry_key(entry)->name, rs_show(words.shell).text);
	*command = (const char *const *)words.at;
}
