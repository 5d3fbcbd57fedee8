/*
 * What the program's progress callback is told: of the response that is its own, and of nothing
 * else. While it is not known yet whose a response is, and of one that is dropped, nothing has been
 * downloaded; of a download that is continued, what has been of the whole; and of an upload that is
 * sent again, what had been sent, until it is as much again.
 *
 * Ours is in libcurl in the place of the program's, of either generation, in a call that begins
 * with one that is to be called.
 */
#ifndef RS_TRANSFER_PROGRESS_H
#define RS_TRANSFER_PROGRESS_H

#include <curl/curl.h>
#include <stdbool.h>

struct rs_exchange;

/* As libcurl counts. */
struct rs_progress {
	curl_off_t dltotal, dlnow, ultotal, ulnow;
};

/* Put ours there, and the program's back on `easy`. One that stands in (stand_in.h) stays. */
void rs_progress_take(struct rs_exchange *x);
void rs_progress_restore(const struct rs_exchange *x, CURL *easy);

/* Another attempt than the first begins. */
void rs_progress_again(struct rs_exchange *x);

/* Call the program's, if there is one, by what libcurl has told last. What it answers. */
int rs_progress_pass(struct rs_exchange *x);

/* The same. false: it wants to abort. */
bool rs_progress_tell(struct rs_exchange *x);

/* The response is the program's: tell it what was kept from it, if anything was. */
bool rs_progress_catch_up(struct rs_exchange *x);

#endif
