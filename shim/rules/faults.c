#include "rules/faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool rs_faults_heard(const struct rs_faults *faults)
{
	return faults->wanted && faults->count < RS_FAULTS_KEPT;
}

/* After the last fault of the same file that stands no later; at the end for a file's first. */
static size_t place_for(const struct rs_faults *faults, const struct rs_complaint *new)
{
	bool same_file = false;

	for (size_t i = faults->count; i > 0; i--) {
		const struct rs_complaint *old = &faults->kept[i - 1];

		if (old->file == new->file && old->line <= new->line)
			return i;
		if (same_file && old->file != new->file)
			return i;
		same_file = same_file || old->file == new->file;
	}
	return same_file ? 0 : faults->count;
}

static void keep(struct rs_faults *faults, const struct rs_complaint *new)
{
	size_t at = place_for(faults, new);

	memmove(&faults->kept[at + 1], &faults->kept[at],
		(faults->count - at) * sizeof(faults->kept[0]));
	faults->kept[at] = *new;
	faults->count++;
}

__attribute__((format(printf, 4, 0))) static void add(struct rs_faults *faults,
						      enum rs_severity severity,
						      struct rs_place place, const char *format,
						      va_list args)
{
	struct rs_complaint new = { severity, place.file, place.line, NULL };
	char text[512];

	if (!rs_faults_heard(faults)) {
		faults->dropped++;
		return;
	}
	vsnprintf(text, sizeof(text), format, args);
	new.text = rs_arena_text(faults->arena, text, strlen(text));
	if (new.text)
		keep(faults, &new);
}

void rs_error(struct rs_faults *faults, struct rs_place place, const char *format, ...)
{
	va_list args;

	faults->errors++;
	va_start(args, format);
	add(faults, RS_ERROR, place, format, args);
	va_end(args);
}

void rs_warning(struct rs_faults *faults, struct rs_place place, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(faults, RS_WARNING, place, format, args);
	va_end(args);
}

void rs_faults_tell(const struct rs_faults *faults,
		    void (*complain)(void *arg, const struct rs_complaint *complaint), void *arg)
{
	char text[64];

	if (!complain)
		return;
	for (size_t i = 0; i < faults->count; i++)
		complain(arg, &faults->kept[i]);
	if (faults->dropped > 0) { /* then others were kept */
		const struct rs_complaint *last = &faults->kept[faults->count - 1];
		struct rs_complaint more = { faults->errors > 0 ? RS_ERROR : RS_WARNING, last->file,
					     0, text };

		snprintf(text, sizeof(text), "and %zu more like these", faults->dropped);
		complain(arg, &more);
	}
}

struct rs_shown rs_show_span(const char *text, size_t len)
{
	static const char ellipsis[] = "...";
	struct rs_shown shown;
	size_t most = sizeof(shown.text) - sizeof(ellipsis);
	size_t kept = len < most ? len : most;

	for (size_t i = 0; i < kept; i++) {
		unsigned char c = (unsigned char)text[i];

		shown.text[i] = c < 0x20 || c == 0x7f ? '?' : text[i];
	}
	memcpy(shown.text + kept, len > kept ? ellipsis : "", len > kept ? sizeof(ellipsis) : 1);
	return shown;
}

struct rs_shown rs_show(const char *text)
{
	return rs_show_span(text, strlen(text));
}
