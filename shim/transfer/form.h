/*
 * Forms. libcurl rewinds the parts of a form by itself, but for those that it can only read once:
 * a callback without a seek function, a file that is not a regular one. Nothing leads from such a
 * part to the handle that will send it, so one of them is remembered for the whole process: from
 * then on no form counts as repeatable.
 */
#ifndef RS_TRANSFER_FORM_H
#define RS_TRANSFER_FORM_H

#include "transfer/options.h"

/* A part that can only be read once has been made. Any thread; never undone. */
void rs_form_note_unseekable(void);

/* Can this handle's form be sent again? */
bool rs_form_repeatable(const struct rs_options *options);

#endif
