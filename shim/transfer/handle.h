/*
 * The easy handles of the program, and what is known of each.
 *
 * Handles that libcurl makes for itself are not here, nor any that were made out of our sight:
 * calls on those are passed on as they are. Finding a handle takes no lock. A handle is used by
 * one thread at a time (libcurl's own rule), so what belongs to it needs none either.
 */
#ifndef RS_TRANSFER_HANDLE_H
#define RS_TRANSFER_HANDLE_H

#include <stdatomic.h>

#include "real.h"
#include "retry/rule.h"
#include "transfer/hold.h"
#include "transfer/options.h"
#include "transfer/resume.h"
#include "transfer/table.h"

struct rs_exchange;
struct rs_kept_headers;
struct rs_multi;
struct rs_multi_call;
struct rs_stand_in;

/* What curl_easy_getinfo() tells of an attempt that a fault has struck, or a recover command led
 * elsewhere. */
struct rs_fault_told {
	bool valid;
	long os_errno;
	char *url;     /* as it would be, until the program sets another; NULL: libcurl's own */
	bool is_https; /* and that is its scheme */
	bool is_cut;   /* it broke off: */
	curl_off_t size, speed;
	curl_off_t delay_us; /* before libcurl began */
};

struct rs_handle {
	CURL *easy;
	const struct rs_curl_api *api;
	struct rs_options
		options;     /* as the program set them, whatever is in force for an attempt */
	struct rs_hold hold; /* empty between calls; its memory is used again */
	struct rs_whole_info whole;       /* of the last call, where libcurl cannot know */
	char *whole_url;                  /* whole.url, where that is a download's */
	struct rs_kept_headers *headers;  /* where `whole` is valid, or NULL: libcurl's */
	struct rs_fault_told fault;       /* of the present or last attempt */
	struct rs_multi_call *multi_call; /* room for a call through the multi interface, or NULL */
	struct rs_multi *unread_in;       /* has libcurl's message about it, unread; or NULL */
	struct rs_exchange *active;       /* the guarded call in progress, or NULL */
	struct rs_part *parts;            /* of a form, that this call has read: part.h */
	struct rs_exchange *room;         /* for one by curl_easy_perform(); NULL: none yet */
	atomic_bool *taken;               /* of a record that is kept, or NULL */
	void *allocated;                  /* this record, where it was, or NULL */

	const struct rs_stand_in *stand_in; /* of a record that is kept, or NULL: stand_in.h */
	bool body_stands, header_stands,
		progress_stands; /* libcurl has these in place of the program's */

	/* Of the call in progress, and here because all that arrives asks for it; else false. */
	bool flows;      /* streaming, and nothing is held: pieces of the body go to body_fn */
	bool lines_flow; /* so do the lines of the present header block, to the program's callback
			  */
	curl_write_callback body_fn; /* the program's, or libcurl's default; set when it `flows` */
};

/*
 * Most programs have few handles at a time, and some make one for every request: the first ones are
 * not the allocator's, which would have to find them a place among libcurl's, each time.
 */
#define RS_HANDLES_KEPT 4
struct rs_kept_handle {
	atomic_bool taken;
	struct rs_handle record;
};
extern struct rs_kept_handle rs_handles_kept[RS_HANDLES_KEPT] __attribute__((visibility("hidden")));

extern struct rs_table rs_handles;

/* NULL: not one of ours. */
static inline struct rs_handle *rs_handle_find(CURL *easy)
{
	return rs_table_find(&rs_handles, easy);
}

/* Nearly always; NULL where rs_handle_find() has to be asked. */
static inline struct rs_handle *rs_handle_glance(CURL *easy)
{
	return rs_table_glance(&rs_handles, easy);
}

/* Is there anything of the last call that libcurl cannot tell? */
static inline bool rs_handle_tells(const struct rs_handle *handle)
{
	return handle->whole.valid || handle->fault.valid;
}

/* From now on libcurl is asked again. */
void rs_handle_forget_last(struct rs_handle *handle);

/* The functions for it, or to pass an unknown handle (NULL) on to. NULL: there are none. */
static inline const struct rs_curl_api *rs_handle_api(const struct rs_handle *handle,
						      const void *caller)
{
	return rs_curl_api_of(handle ? handle->api : NULL, caller);
}

/* What the handle's URL is. To be learned before a transfer, unless rs_handle_url_can_wait(). */
void rs_handle_ask_url(struct rs_handle *handle);

static inline void rs_handle_learn_url(struct rs_handle *handle)
{
	if (__builtin_expect(!handle->options.url_known, 0))
		rs_handle_ask_url(handle);
}

/* No redirect can lead to another URL, and no rule asks how the program spells it. */
static inline bool rs_handle_url_can_wait(const struct rs_handle *handle,
					  const struct rs_rules *rules)
{
	return !rules->minds_url && !handle->options.follow_location;
}

/* Remember a new handle; one of that address that was freed out of our sight is forgotten first.
 * NULL where memory is short: the handle then stays unknown, and unguarded. */
struct rs_handle *rs_handle_add(CURL *easy, const struct rs_curl_api *api);

/* Forget the handle: what was known of it (NULL: nothing), to be freed once libcurl has let go of
 * it, too. Forgotten first, because the address may be another thread's new handle right after. */
static inline struct rs_handle *rs_handle_take(CURL *easy)
{
	return rs_table_take(&rs_handles, easy);
}

void rs_handle_free(struct rs_handle *handle);

#endif
