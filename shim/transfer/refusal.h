/*
 * Callbacks by which a program can refuse what libcurl is about to do: to open a socket, to look a
 * name up, to begin TLS. libcurl reports that as it would a failure of the network; so while a call
 * runs they are asked by functions of ours, which note the answer. Where the program has set none
 * of them nothing is done. (After others that refuse libcurl says so: see retry/ending.h.)
 */
#ifndef RS_TRANSFER_REFUSAL_H
#define RS_TRANSFER_REFUSAL_H

#include <curl/curl.h>
#include <stdbool.h>

struct rs_exchange;

/* Which of them are ours at the moment. */
enum {
	RS_WATCH_SOCKET = 1,
	RS_WATCH_LOOK_UP = 2,
	RS_WATCH_TLS = 4,
};

/* Before an attempt: watch those that are set. */
void rs_refusal_watch(struct rs_exchange *x);

/* During the call: is this option one of what is ours for now? */
bool rs_refusal_owns(const struct rs_exchange *x, CURLoption option);

/* Put back the program's own on `easy`. */
void rs_refusal_restore(const struct rs_exchange *x, CURL *easy);

/* Did the attempt end with `result` because the program refused? */
bool rs_refusal_ended(const struct rs_exchange *x, CURLcode result);

#endif
