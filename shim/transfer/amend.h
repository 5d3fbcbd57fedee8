/*
 * What a recover command has changed about the request of a call: for its further attempts, until
 * the call ends and the program's own options are in force again.
 */
#ifndef RS_TRANSFER_AMEND_H
#define RS_TRANSFER_AMEND_H

#include <curl/curl.h>
#include <stdbool.h>

#include "ops/edits.h"

struct rs_exchange;

/* All zero is an unchanged request. */
struct rs_amended {
	char *url; /* NULL: the program's */
	bool headers;
	struct curl_slist *header_list; /* instead of the program's, where `headers` */
	struct curl_slist *nodes;       /* its nodes that are ours, one block */
};

/* Make the next attempts by these edits, over those that are in force. False where there is no
 * memory for all of them. */
bool rs_amend(struct rs_exchange *x, const struct rs_edits *edits);

/* The header list that is in force, the program's or the changed one. */
struct curl_slist *rs_amended_headers(const struct rs_exchange *x);

/* Set the program's own options on `easy`, where they were changed. */
void rs_amended_restore(const struct rs_exchange *x, CURL *easy);

/* Release what was changed, once no handle refers to it. */
void rs_amended_end(struct rs_amended *amended);

#endif
