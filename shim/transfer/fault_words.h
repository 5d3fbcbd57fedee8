/*
 * What libcurl says of a failure, for one that a fault has made.
 */
#ifndef RS_TRANSFER_FAULT_WORDS_H
#define RS_TRANSFER_FAULT_WORDS_H

struct rs_exchange;

/* Of a response whose length is not known. */
#define RS_WORDS_FOR_BROKEN_OFF "transfer closed with outstanding read data remaining"

/* Into the program's error buffer, if it has set one: the words of libcurl 7.88 for x->fault. What
 * only the wire could tell (of TLS, say) is told by curl_easy_strerror(). */
void rs_fault_say(struct rs_exchange *x);

#endif
