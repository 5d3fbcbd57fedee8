/*
 * What libcurl's errors say beyond their number. Pure; safe anywhere.
 */
#ifndef RS_RETRY_CURL_ERROR_H
#define RS_RETRY_CURL_ERROR_H

#include <stdbool.h>

/* Does a transfer that fails with this CURLcode end before its request is sent? (A time limit may
 * strike at any time; it does not count.) */
bool rs_curl_error_before_request(int code);

/* The CURLcode with which libcurl reports a system call that failed with `error`. */
int rs_curl_error_of_errno(int error);

/* The CURLcode of a name look-up that failed. */
int rs_curl_error_of_look_up(void);

#endif
