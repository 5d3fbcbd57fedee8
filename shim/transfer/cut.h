/*
 * A real response that breaks off on purpose.
 *
 * libcurl reads more at once than is let through, and does not know that a write error of ours is
 * to be a broken connection: what it tells of sizes, and in words, is put right here.
 */
#ifndef RS_TRANSFER_CUT_H
#define RS_TRANSFER_CUT_H

#include <curl/curl.h>
#include <stdbool.h>

struct rs_exchange;
struct rs_fault_told;

/* The attempt that begins will have so much of a body, and no more: x->fault.strike says how much.
 */
void rs_cut_begin(struct rs_exchange *x);

/* It has ended with `result`: what it was made to be, and what is to be told of it is noted. */
CURLcode rs_cut_end(struct rs_exchange *x, CURLcode result);

/* How much of the body has come, where libcurl has counted so much. */
curl_off_t rs_cut_got(const struct rs_exchange *x, bool has_length, curl_off_t counted);

/* curl_easy_getinfo(): is this something that only we know? Then it is stored. */
bool rs_cut_info(const struct rs_fault_told *told, CURLINFO info, void *value);

#endif
