/*
 * requests: what interposed libcurl calls cost, in the hands of callgrind.
 *
 *   requests.c         the cases, each counted apart
 *   requests_server.c  a server without a time of its own
 *   requests_memory.c  memory that costs libcurl always the same
 *
 * The counts have to repeat to the instruction, and the greatest noise is in how a response happens
 * to be cut into reads. So the program serves itself: its answers are in the socket before libcurl
 * looks for them.
 */
#ifndef RS_BENCH_REQUESTS_H
#define RS_BENCH_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>

/* curl_global_init(). */
bool bench_begin_curl(void);

/* Listens on loopback; the port, or -1. For one client at a time, in the same thread. */
int bench_listen(void);

/* Answer the next request, that it will send on the newest connection, with `len` bytes of a body.
 * Their first 16 KiB at most go out at once, the rest by bench_more(). */
void bench_answer(size_t len);

/* `len` more bytes, as far as there are some to come. */
void bench_more(size_t len);

#endif
