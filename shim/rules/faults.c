#include "rules/faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A fault, among those of its file by their lines. */
struct rs_fault_told {
	struct rs_fault_told *before, *after;
	struct rs_complaint complaint;
	char text[];
};

struct rs_faulty_file {
	const char *name;
	struct rs_fault_told *first;
	struct rs_fault_told *newest; /* the next one mostly has its place behind it */
	struct rs_faulty_file *next;
};

bool rs_faults_heard(const struct rs_faults *faults)
{
	return faults->wanted && (faults->want_all || faults->count < RS_FAULTS_KEPT);
}

/* NULL where there is no memory. */
static struct rs_faulty_file *file_called(struct rs_faults *faults, const char *name)
{
	struct rs_faulty_file **at = &faults->files;

	while (*at && (*at)->name != name)
		at = &(*at)->next;
	if (!*at) {
		*at = RS_NEW(faults->arena, struct rs_faulty_file);
		if (*at)
			(*at)->name = name;
	}
	return *at;
}

/* The last fault of the file that stands no later; NULL: all of them do. */
static struct rs_fault_told *place_for(const struct rs_faulty_file *file, int line)
{
	struct rs_fault_told *at = file->newest;

	while (at && at->complaint.line > line)
		at = at->before;
	while (at && at->after && at->after->complaint.line <= line)
		at = at->after;
	return at;
}

static void put(struct rs_faulty_file *file, struct rs_fault_told *new)
{
	struct rs_fault_told *before = place_for(file, new->complaint.line);

	new->before = before;
	new->after = before ? before->after : file->first;
	if (new->after)
		new->after->before = new;
	*(before ? &before->after : &file->first) = new;
	file->newest = new;
}

static void keep(struct rs_faults *faults, const struct rs_complaint *complaint)
{
	struct rs_faulty_file *file = file_called(faults, complaint->file);
	size_t size = strlen(complaint->text) + 1;
	struct rs_fault_told *new = rs_arena_alloc(faults->arena, 1, sizeof(*new) + size);

	if (!file || !new)
		return;
	memcpy(new->text, complaint->text, size);
	new->complaint = *complaint;
	new->complaint.text = new->text;
	put(file, new);
	faults->count++;
}

__attribute__((format(printf, 4, 0))) static void add(struct rs_faults *faults,
						      enum rs_severity severity,
						      struct rs_place place, const char *format,
						      va_list args)
{
	char text[512];
	struct rs_complaint new = { severity, place.file, place.line, text, 1 };

	if (!rs_faults_heard(faults)) {
		faults->dropped++;
		return;
	}
	vsnprintf(text, sizeof(text), format, args);
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

/* Returns the last file of which something was told. */
static const char *tell_kept(const struct rs_faults *faults,
			     void (*complain)(void *arg, const struct rs_complaint *complaint),
			     void *arg)
{
	const char *last = NULL;

	for (const struct rs_faulty_file *file = faults->files; file; file = file->next) {
		for (const struct rs_fault_told *at = file->first; at; at = at->after)
			complain(arg, &at->complaint);
		last = file->name;
	}
	return last;
}

void rs_faults_tell(const struct rs_faults *faults,
		    void (*complain)(void *arg, const struct rs_complaint *complaint), void *arg)
{
	char text[64];
	struct rs_complaint more = {
		.severity = faults->errors > 0 ? RS_ERROR : RS_WARNING,
		.text = text,
		.faults = faults->dropped,
	};

	if (!complain)
		return;
	more.file = tell_kept(faults, complain, arg);
	if (faults->dropped > 0) { /* then others were kept */
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
