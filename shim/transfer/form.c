#include "transfer/form.h"

#include <stdatomic.h>

static atomic_bool unseekable;

void rs_form_note_unseekable(void)
{
	atomic_store_explicit(&unseekable, true, memory_order_relaxed);
}

/* The old form interface may read a part through the read callback. */
bool rs_form_repeatable(const struct rs_options *options)
{
	return !atomic_load_explicit(&unseekable, memory_order_relaxed) &&
	       !(options->old_form && options->read_fn);
}
