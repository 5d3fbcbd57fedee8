#include "transfer/form.h"

#include <stdatomic.h>
#include <sys/stat.h>

#include "transfer/exchange.h"
#include "transfer/part.h"

static atomic_bool unseekable;

void rs_form_note_unseekable(void)
{
	atomic_store_explicit(&unseekable, true, memory_order_relaxed);
}

/* "-" is the program's stdin to libcurl. */
static bool is_regular_file(const char *name)
{
	struct stat about;

	return name && !(name[0] == '-' && !name[1]) && stat(name, &about) == 0 &&
	       S_ISREG(about.st_mode);
}

static bool can_be_read_again(const struct curl_httppost *part)
{
	if (part->flags & CURL_HTTPPOST_CALLBACK)
		return false;
	return !(part->flags & (CURL_HTTPPOST_FILENAME | CURL_HTTPPOST_READFILE)) ||
	       is_regular_file(part->contents);
}

/* A part may have several files. */
static bool old_form_repeatable(const struct curl_httppost *part)
{
	for (; part; part = part->next) {
		for (const struct curl_httppost *file = part; file; file = file->more) {
			if (!can_be_read_again(file))
				return false;
		}
	}
	return true;
}

bool rs_form_repeatable(const struct rs_exchange *x, bool ended)
{
	const struct rs_options *options = &x->handle->options;

	if (options->old_form)
		return old_form_repeatable(options->old_form);
	return !atomic_load_explicit(&unseekable, memory_order_relaxed) &&
	       rs_part_repeatable(x, ended);
}
