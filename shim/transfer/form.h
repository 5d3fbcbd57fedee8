/*
 * Forms. libcurl rewinds the parts of a form by itself, but for those that it can only read once:
 * a callback without a seek function, a file that is not a regular one.
 *
 * The list of an old form (curl_formadd()) is public, and is looked through when somebody asks. To
 * a part of the other kind nothing leads from the handle that will send it, so one that can only be
 * read once is remembered for the whole process: from then on no form of that kind counts as
 * repeatable.
 */
#ifndef RS_TRANSFER_FORM_H
#define RS_TRANSFER_FORM_H

#include "transfer/options.h"

/* A part that can only be read once has been made. Any thread; never undone. */
void rs_form_note_unseekable(void);

/* Can this handle's form be sent again? Looks at files: not on the way of a call that succeeds. */
bool rs_form_repeatable(const struct rs_options *options);

#endif
