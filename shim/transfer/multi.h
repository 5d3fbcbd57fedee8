/*
 * Guarded calls through the multi interface: the program's event loop waits, never we.
 *
 * A transfer that is to be tried again is taken out of libcurl's multi handle, and goes back in
 * when its time has come, which is looked at whenever the program drives the multi handle. What
 * libcurl would tell the program is corrected by what waits here: running handles, timeouts, the
 * timer callback, messages. All functions are for the one thread that uses the multi handle.
 */
#ifndef RS_TRANSFER_MULTI_H
#define RS_TRANSFER_MULTI_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "transfer/exchange.h"

enum rs_multi_state {
	RS_MULTI_IDLE,    /* not part of any multi handle */
	RS_MULTI_RUNNING, /* libcurl has it */
	RS_MULTI_WAITING, /* for its next attempt; libcurl does not have it */
	RS_MULTI_PAUSED,  /* ended, but the program has paused while the rest was handed out */
	RS_MULTI_DONE,    /* ended; its message waits or was read */
};

/* A message that the program has not read yet. What it reads has to stay as long as libcurl's own
 * would, that is as long as the easy handle: it lies in the call, or (of a transfer that is not
 * guarded) in libcurl. */
struct rs_multi_message {
	CURLMsg *msg;
	CURL *easy;   /* whose it is */
	bool foreign; /* not a guarded call's: to be freed */
	struct rs_multi_message *next;
};

/* A guarded transfer that the program has added. Part of its rs_handle. */
struct rs_multi_call {
	struct rs_exchange x;
	struct rs_multi *multi;
	enum rs_multi_state state;
	unsigned round; /* of the multi handle, when it was added */
	bool detached;  /* for the program it is in the multi handle, for libcurl it is not */
	bool untold;    /* libcurl has said that it is done, and the program does not know yet */
	CURLcode result;
	CURLMsg msg; /* how it ended, and its place among the messages */
	struct rs_multi_message message;
	struct rs_multi_call *next; /* of the multi handle's calls */
};

/* CURLMOPT_NOTIFYFUNCTION and all of that came with libcurl 8.17. */
#define RS_CURLMOPT_NOTIFYFUNCTION ((CURLMoption)(CURLOPTTYPE_FUNCTIONPOINT + 18))
#define RS_CURLMOPT_NOTIFYDATA     ((CURLMoption)(CURLOPTTYPE_OBJECTPOINT + 19))
typedef void rs_notify_fn(CURLM *, unsigned, CURL *, void *);

/* What is known of a multi handle. */
struct rs_multi {
	CURLM *handle;
	const struct rs_curl_api *api;
	struct rs_multi_call *calls;
	size_t waiting;                    /* calls that wait or are paused */
	unsigned rounds;                   /* how often it was driven */
	unsigned idle_rounds;              /* that rs_multi_calm() has counted */
	unsigned selects;                  /* the program's, when it asked last */
	int64_t asked_ns;                  /* and when that was */
	const struct rs_curl_api *outside; /* while libcurl is driven: what to go back to */
	bool busy;                         /* inside libcurl, or inside a callback that we make */
	bool calling;                      /* inside the latter */
	bool pushes; /* the program takes streams that servers push: their handles are copies, made
		      * by libcurl, and what they receive would be taken for the original's */

	struct rs_multi_message *first, **end; /* to be read */
	struct rs_multi_message *spare;        /* room for a foreign one; NULL: none yet */
	struct rs_multi_message own;           /* the first such room: no memory has to be had */
	bool own_used;

	curl_multi_timer_callback timer_fn; /* the program's */
	void *timer_data;
	int64_t real_due_ns; /* what libcurl asked its timer for */
	int64_t told_due_ns; /* what the program's timer stands at */
	bool refused;        /* the callback has failed: what waits here ends when next driven */

	rs_notify_fn *notify_fn; /* the program's */
	void *notify_data;
	CURL *messenger; /* in whose name libcurl tells of messages; NULL: it has told of none */
	bool news;       /* there is a first message to be read, and the program was not told */
	bool notifies;   /* inside the program's callback, which may call nearly everything */
};

extern struct rs_table rs_multis;

/* NULL: nothing is known of it, and calls go straight to libcurl. */
static inline struct rs_multi *rs_multi_find(CURLM *handle)
{
	return rs_table_find(&rs_multis, handle);
}

/* Find or make. NULL where memory is short, or was when it was to be made: what the program has
 * told libcurl since then is not known here. */
struct rs_multi *rs_multi_of(CURLM *handle, const struct rs_curl_api *api);

/* Forget it, and give its memory back; see rs_multi_free(). */
void rs_multi_drop(struct rs_multi *m);

CURLMcode rs_multi_add(CURLM *handle, struct rs_handle *easy);

/* `known`: what is known of `easy`, or NULL. */
CURLMcode rs_multi_remove(struct rs_multi *m, CURL *easy, const struct rs_handle *known);

/* Before libcurl is driven: calls whose time has come go back in, the program's progress callbacks
 * are asked. After, with what libcurl returned: what has ended is judged. Returns what the program
 * is to be told. */
void rs_multi_before(struct rs_multi *m);
CURLMcode rs_multi_after(struct rs_multi *m, int *running, CURLMcode result);

/* The next message for the program, as curl_multi_info_read(). */
CURLMsg *rs_multi_read(struct rs_multi *m, int *left);

/* multi_messages.c: what is to be read. Room for one of libcurl's has to be there before libcurl is
 * asked for it. */
bool rs_multi_make_spare(struct rs_multi *m);
static inline bool rs_multi_has_spare(struct rs_multi *m)
{
	return m->spare || rs_multi_make_spare(m);
}
void rs_multi_post_foreign(struct rs_multi *m, CURLMsg *msg);
void rs_multi_post_done(struct rs_multi_call *call);

/* The first one, which is the program's then, or NULL. */
CURLMsg *rs_multi_take_message(struct rs_multi *m);

/* The easy handle is no longer part of the multi handle: what was not read is not to be. */
void rs_multi_find_and_withdraw(struct rs_multi *m, const CURL *easy);
static inline void rs_multi_withdraw(struct rs_multi *m, const CURL *easy)
{
	if (m->first)
		rs_multi_find_and_withdraw(m, easy);
}
void rs_multi_free_messages(struct rs_multi *m);

/* When a call that waits is to be attempted. */
int64_t rs_multi_call_due_ns(const struct rs_multi_call *call);

/* `timeout_ms` (negative: none) as short as what waits here needs it. */
long rs_multi_shorten_ms(const struct rs_multi *m, long timeout_ms);

/*
 * The program was told that libcurl has no descriptors to wait for: all that it has waits here. It
 * is to wait a little then, says curl_multi_fdset(3). Some come back at once instead, again and
 * again, and after some such rounds each costs them a short nap. Not one that has waited for
 * descriptors of its own meanwhile, of which `selects` tells, nor one that does not ask: whatever
 * they do in between, they must not be held up.
 */
void rs_multi_calm(struct rs_multi *m, unsigned selects);

/* Tell the program's timer what it is to stand at, unless it does. -1: its callback has failed, and
 * libcurl would end all transfers. */
int rs_multi_ask_timer(struct rs_multi *m);
static inline int rs_multi_tell_timer(struct rs_multi *m)
{
	return m->timer_fn && !m->busy ? rs_multi_ask_timer(m) : 0;
}
/* The program's timer has gone off. */
void rs_multi_timer_expired(struct rs_multi *m);

/* libcurl is about to be told that its timer has gone off: it forgets what that stood at, also what
 * it said for an attempt that has begun since, and tells it anew if it needs it again. */
void rs_multi_libcurl_expires(struct rs_multi *m);

/* Inside libcurl, or a callback from which libcurl takes no call. */
static inline bool rs_multi_is_closed(const struct rs_multi *m)
{
	return m->busy && !m->notifies;
}

/* What has ended for libcurl is judged. */
void rs_multi_take_messages(struct rs_multi *m);

/* multi_notify.c: the program hears of what has ended for it, and was not told. */
void rs_multi_notify(struct rs_multi *m);
CURLMcode rs_multi_set_notify(struct rs_multi *m, CURLMoption option, void *value);

/* The guarded call of that easy handle in this multi handle, or NULL. */
static inline struct rs_multi_call *rs_multi_call_of(const struct rs_multi *m, CURL *easy)
{
	struct rs_handle *handle = rs_handle_find(easy);
	struct rs_multi_call *call = handle ? handle->multi_call : NULL;

	return call && call->multi == m ? call : NULL;
}

/* curl_multi_setopt() of an option that the record has to know. */
CURLMcode rs_multi_set(struct rs_multi *m, CURLMoption option, void *value);
CURLMcode rs_multi_set_timer(struct rs_multi *m, CURLMoption option, void *value);

/* Is it part of a multi handle? And of one that libcurl does not have it in? */
static inline bool rs_multi_has(const struct rs_handle *easy)
{
	return easy->multi_call && easy->multi_call->multi;
}
bool rs_multi_keeps(const struct rs_handle *easy);

/* The program goes on with what it had paused. */
void rs_multi_unpaused(const struct rs_handle *easy);

/* The easy handle is being freed, and is part of a multi handle, or its message, which libcurl
 * frees with it, is unread. */
static inline bool rs_multi_minds(const struct rs_handle *easy)
{
	return rs_multi_has(easy) || easy->unread_in;
}
void rs_multi_forget(struct rs_handle *easy);

/* The same where it was freed out of our sight, and libcurl has another one in its place. */
void rs_multi_lose(struct rs_handle *easy);

/* One of which nothing is known is gone for libcurl, or is about to. */
void rs_multi_unknown_gone(const CURLM *handle);

/* The multi handle is gone for libcurl. */
void rs_multi_free(struct rs_multi *m);

#endif
