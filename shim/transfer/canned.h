/*
 * A transfer whose connection is ours: it brings a canned response, or cannot be had at all.
 */
#ifndef RS_TRANSFER_CANNED_H
#define RS_TRANSFER_CANNED_H

#include "retry/fault.h"
#include "transfer/exchange.h"

/* Replace the options of the connection. With `answer` NULL there will be no socket: libcurl fails
 * with CURLE_COULDNT_CONNECT. False: there was no memory for it, and the attempt is as it was. */
bool rs_canned_replace(struct rs_exchange *x, const struct rs_fault *answer);

/* Remember what curl_easy_getinfo() is to tell, while libcurl still knows. */
void rs_canned_note(struct rs_exchange *x);

/* Put the program's options back, and close what is still open of ours. */
void rs_canned_end(struct rs_exchange *x);

#endif
