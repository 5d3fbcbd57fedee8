/*
 * Forms. libcurl rewinds the parts of a form by itself, but for those that it can only read once:
 * a callback without a seek function, a file that is not a regular one.
 *
 * The list of an old form (curl_formadd()) is public, and is looked through when somebody asks. For
 * callbacks of the other kind see part.h. From a file of that kind nothing leads to the handle that
 * will send it, so one that can only be read once is remembered for the whole process: from then on
 * no form of that kind counts as repeatable.
 */
#ifndef RS_TRANSFER_FORM_H
#define RS_TRANSFER_FORM_H

#include <stdbool.h>

struct rs_exchange;

/* A part that can only be read once has been made. Any thread; never undone. */
void rs_form_note_unseekable(void);

/* Can the form be sent again? Looks at files: not on the way of a call that succeeds. Where
 * callbacks have to be asked that is only known once the attempt has `ended`, and they are put
 * back. */
bool rs_form_repeatable(const struct rs_exchange *x, bool ended);

#endif
