/*
 * Parts of forms whose bytes the program gives by a callback. libcurl gets ours in its place, which
 * pass everything on, and note which call a part was read for.
 *
 * libcurl puts a part back by the program's seek function, and only once the next attempt has
 * begun: if the function then fails there is nothing left of the last one. So it is asked before.
 * Nothing says for which of several calls a multi handle reads: of those no part can be told.
 */
#ifndef RS_TRANSFER_PART_H
#define RS_TRANSFER_PART_H

#include <curl/curl.h>
#include <stdbool.h>

struct rs_exchange;
struct rs_part;

/* What curl_mime_data_cb() is to be given in place of the program's; `read` is not NULL. Or, where
 * libcurl copies a part that is ours, in place of that. NULL: no memory. Any thread. */
struct rs_part *rs_part_new(curl_read_callback read, curl_seek_callback seek,
			    curl_free_callback release, void *arg);
size_t rs_part_read(char *bytes, size_t size, size_t count, void *part);
int rs_part_seek(void *part, curl_off_t offset, int whence);
void rs_part_release(void *part);

/* libcurl has not taken it: the program's release function is not called. */
void rs_part_drop(struct rs_part *part);

/* A handle with a form is being copied: a libcurl that does not come by us has the copy share the
 * parts, for as long as it likes. From now on none is given back. */
void rs_part_share(void);

/* Can all that was read by callbacks be read again? They are put back to their beginning if so:
 * only once the attempt has `ended`. */
bool rs_part_repeatable(const struct rs_exchange *x, bool ended);

/* The call is over. */
void rs_part_forget(struct rs_exchange *x);

#endif
