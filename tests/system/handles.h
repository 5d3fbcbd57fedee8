/*
 * handles: what its cases share.
 *
 *   main_handles.c      handles that are made, copied, reset, handed on and dropped
 *   handles_callbacks.c callbacks that change from transfer to transfer
 *   handles_urls.c      the ways to say where a transfer goes
 *   handles_during.c    what happens while transfers run or wait
 *   handles_cut_off.c   threads that end inside of a transfer
 *   handles_left.c      callbacks that leave a transfer by longjmp()
 *   handles_lost.c      a handle that is freed unseen while it is part of a multi handle
 *   handles_fetch.c     one transfer, and whether it brought what it should
 */
#ifndef RS_HANDLES_H
#define RS_HANDLES_H

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

extern const char *handles_base; /* URL of the server */
extern atomic_int handles_complaints;

#define complain(...)                                                                              \
	(atomic_fetch_add(&handles_complaints, 1), (void)printf(__VA_ARGS__), (void)putchar('\n'))

/* What a transfer has brought; the user pointer of handles_take(), a write callback. */
struct fetch {
	char body[256];
	size_t len;
};
size_t handles_take(char *bytes, size_t size, size_t count, void *user);

/* The URL of object `id`, which fails `fail` times before it is answered. */
void handles_set_url(CURL *easy, int fail, int id);

/* Complain, in the name of `who`, unless the transfer has brought object `id`. */
void handles_check(const struct fetch *fetch, CURLcode result, int id, const char *who);

/* One transfer that fails `fail` times before it succeeds. */
void handles_fetch(CURL *easy, int fail, int id, const char *who);

/* All cases of handles_callbacks.c. */
void handles_callbacks(void);

/* libcurl's own function of that name, past whoever interposes it. In main_handles.c: it takes
 * glibc. */
void *handles_past(const char *name);

/* Bytes in use, to a page or two; there, too. */
size_t handles_in_use(void);

/* Cases of handles_urls.c. */
void handles_urls(void);
void handles_curlu(void);
void handles_wildcard(void); /* for which the URL is that of an FTP server's file */

/* All of handles_cut_off.c. */
void handles_cut_off(void);

/* The case of handles_left.c. */
void handles_left(void);

/* What looks for errors with memory does not give it out again soon. */
bool handles_keep_freed_memory(void);

/* The case of handles_lost.c. */
void handles_lost(void);

/* Cases of handles_during.c. */
void handles_nested(void);     /* a transfer inside a callback of another one */
void handles_cancelling(void); /* waits that the program's progress callback ends */
void handles_pauses(void);     /* a pause that ends inside another transfer's callback */
void handles_halting(void);    /* a pause in the middle of a wait */
void handles_going_on(void);   /* while one thread waits, another one goes on */
void handles_moving_on(void);  /* another URL in the middle of a transfer */

#endif
