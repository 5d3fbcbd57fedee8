/*
 * A request body that the program streams through its read callback, sent as often as needed.
 *
 * What passes is kept in a spool. A repeated attempt is served from it, and goes on with the
 * program's callback where the spool ends. A body that has outgrown the spool can only be repeated
 * when the program's own stream can be put back to where it began.
 */
#ifndef RS_TRANSFER_UPLOAD_H
#define RS_TRANSFER_UPLOAD_H

#include <curl/curl.h>
#include <stdbool.h>

#include "transfer/options.h"
#include "transfer/spool.h"

struct rs_upload {
	const struct rs_options *options;
	struct rs_spool spool;
	curl_off_t origin;  /* where in the program's stream the spool begins */
	curl_off_t taken;   /* bytes read from the program since then */
	size_t cursor;      /* bytes of the spool that this attempt has sent */
	bool serving;       /* a repeated attempt: seeks stay inside the spool */
	bool outgrown;      /* the spool does not hold all that was read */
	bool ended;         /* the program has said that there is no more */
	bool stop;          /* another attempt will follow: send no more of this one */
	bool stopped_by_us; /* and libcurl has been told so */
	bool refused;       /* the program's seek callback has failed */
};

/* Does this request stream its body through the read callback in a way that can be watched? */
static inline bool rs_upload_streams(const struct rs_options *o)
{
	if (o->kind != RS_REQUEST_PUT && (o->kind != RS_REQUEST_POST || o->post_fields))
		return false;
	return !o->ioctl_fn || o->seek_fn; /* the oldest way to rewind is left alone */
}

void rs_upload_begin(struct rs_upload *upload, const struct rs_options *options, size_t limit);
void rs_upload_end(struct rs_upload *upload);

/* Can the body be sent again? For one that has outgrown the spool the answer comes from trying:
 * the program's stream is put back. Only while no attempt is running. */
bool rs_upload_repeatable(struct rs_upload *upload);

/* Before a repeated attempt, after rs_upload_repeatable(). */
void rs_upload_repeat(struct rs_upload *upload);

/* CURLOPT_READFUNCTION and CURLOPT_SEEKFUNCTION, with the upload as the user pointer. */
size_t rs_upload_read(char *bytes, size_t size, size_t count, void *upload);
int rs_upload_seek(void *upload, curl_off_t offset, int whence);

#endif
