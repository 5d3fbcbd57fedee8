/*
 * What libcurl said of a response whose header lines are held: by the time that the program gets
 * them, libcurl may be at the next one, behind a redirect, a password or a tunnel. While they are
 * handed out curl_easy_getinfo() and curl_easy_header() are answered as they would have been then,
 * the status line and trailers by themselves and the other lines as the last of them. Of headers
 * libcurl keeps those of each request, and among them may be the ones of another response to the
 * same request.
 *
 * Glimpses lie in memory of their own, with the held pieces, and are only taken where the program
 * wants headers. Where memory is short, none is, and libcurl's newest answers have to do.
 */
#ifndef RS_TRANSFER_GLIMPSE_H
#define RS_TRANSFER_GLIMPSE_H

#include <stddef.h>

#include "transfer/resume.h"

struct rs_exchange;
struct rs_handle;

struct rs_glimpse {
	struct rs_glimpse *next;
	size_t pieces; /* of the held ones: it is of those before, that no earlier glimpse is of */
	struct rs_whole_info info;
	char url[];
};

/* Of the newest of the held pieces. */
void rs_glimpse_take(struct rs_exchange *x);

/* Tell what there is for the piece that is handed out next, where there are any; and what libcurl
 * says. */
void rs_glimpse_show(struct rs_handle *handle);
void rs_glimpse_hide(struct rs_handle *handle);

/* What came is dropped, and until the next attempt begins nothing has come, for whoever asks: the
 * program's progress callback for one. rs_glimpse_hide() ends this, too. */
void rs_glimpse_nothing(struct rs_handle *handle);

void rs_glimpse_free(struct rs_glimpse *glimpse);

#endif
