#include "transfer/multi.h"

#include <stdlib.h>

#include "process.h"
#include "transfer/program.h"
#include "transfer/stand_in.h"
#include "transfer/usual.h"

static void link_call(struct rs_multi *m, struct rs_multi_call *call)
{
	call->multi = m;
	call->round = m->rounds;
	call->next = m->calls;
	m->calls = call;
}

static void unlink_call(struct rs_multi *m, struct rs_multi_call *call)
{
	struct rs_multi_call **at = &m->calls;

	while (*at && *at != call)
		at = &(*at)->next;
	if (*at)
		*at = call->next;
	call->multi = NULL;
	call->state = RS_MULTI_IDLE;
}

static bool is_waiting(const struct rs_multi_call *call)
{
	return call->state == RS_MULTI_WAITING || call->state == RS_MULTI_PAUSED;
}

static void enter(struct rs_multi_call *call, enum rs_multi_state state)
{
	call->multi->waiting -= is_waiting(call);
	call->state = state;
	call->x.waits = is_waiting(call);
	call->multi->waiting += call->x.waits;
}

/* ---- a call's end ---- */

/* The call is over for the program, unless it has paused the rest of what was held. */
static void conclude(struct rs_multi_call *call)
{
	bool over;

	call->multi->calling = true;
	over = rs_exchange_conclude(&call->x, &call->result);
	call->multi->calling = false;
	if (!over) {
		enter(call, RS_MULTI_PAUSED);
		return;
	}
	rs_exchange_close(&call->x, call->result);
	enter(call, RS_MULTI_DONE);
	rs_multi_post_done(call);
}

static void end_attempt(struct rs_multi_call *call, CURLcode result)
{
	struct rs_multi *m = call->multi;
	bool again;

	call->result = result;
	if (__builtin_expect(rs_exchange_succeeded(&call->x, result), 1)) {
		rs_exchange_close_success(&call->x);
		enter(call, RS_MULTI_DONE);
		rs_multi_post_done(call);
		return;
	}
	m->calling = true; /* its stream may have to seek */
	again = rs_exchange_end_attempt(&call->x, &call->result);
	m->calling = false;
	if (!again) {
		conclude(call);
		return;
	}
	m->api->multi_remove_handle(m->handle, call->x.handle->easy);
	call->detached = true;
	enter(call, RS_MULTI_WAITING);
}

void rs_multi_take_messages(struct rs_multi *m)
{
	int left;

	while (rs_multi_has_spare(m)) {
		CURLMsg *msg = m->api->multi_info_read(m->handle, &left);
		struct rs_multi_call *call;

		if (!msg)
			return;
		call = msg->msg == CURLMSG_DONE ? rs_multi_call_of(m, msg->easy_handle) : NULL;
		if (!call && msg->data.result != CURLE_OK)
			(void)rs_process_rules_at_failure(RS_CALL_CURL);
		if (call && call->state == RS_MULTI_RUNNING)
			end_attempt(call, msg->data.result);
		else
			rs_multi_post_foreign(m, msg);
	}
}

/* ---- driving ---- */

static void begin_attempt(struct rs_multi_call *call)
{
	struct rs_multi *m = call->multi;

	if (!call->x.fault.delayed)
		rs_exchange_begin_attempt(&call->x);
	if (rs_fault_holds(&call->x))
		return;
	call->detached = false;
	enter(call, RS_MULTI_RUNNING);
	if (m->api->multi_add_handle(m->handle, call->x.handle->easy) == CURLM_OK)
		return;
	call->detached = true;
	call->result = CURLE_OUT_OF_MEMORY;
	conclude(call);
}

static bool ask(struct rs_multi_call *call)
{
	bool goes_on;

	call->multi->calling = true;
	goes_on = rs_exchange_ask(&call->x);
	call->multi->calling = false;
	return goes_on;
}

/* The program's say, and then the clock's. */
static void serve(struct rs_multi_call *call)
{
	if (call->multi->refused || !ask(call)) {
		call->result = call->state == RS_MULTI_WAITING ? rs_exchange_stop(&call->x)
							       : CURLE_ABORTED_BY_CALLBACK;
		rs_exchange_close(&call->x, call->result);
		enter(call, RS_MULTI_DONE);
		rs_multi_post_done(call);
	} else if (call->state == RS_MULTI_PAUSED) {
		conclude(call);
	} else if (!call->x.paused && rs_multi_call_due_ns(call) <= rs_now_ns()) {
		begin_attempt(call);
	}
}

void rs_multi_before(struct rs_multi *m)
{
	struct rs_multi_call *call = m->calls, *next;

	m->busy = true;
	m->rounds++;
	for (; m->waiting > 0 && call; call = next) {
		next = call->next;
		if (is_waiting(call))
			serve(call);
	}
	m->refused = false;
	if (__builtin_expect(m->notify_fn != NULL, 0))
		rs_multi_notify(m); /* libcurl counts what is added now */
	m->outside = rs_curl_enter(m->api);
}

CURLMcode rs_multi_after(struct rs_multi *m, int *running, CURLMcode result)
{
	rs_curl_leave(m->outside);
	rs_multi_take_messages(m);
	if (running)
		*running += (int)m->waiting;
	m->busy = false;
	if (__builtin_expect(rs_multi_tell_timer(m) != 0, 0) && result == CURLM_OK)
		return CURLM_ABORTED_BY_CALLBACK;
	return result;
}

CURLMsg *rs_multi_read(struct rs_multi *m, int *left)
{
	CURLMsg *msg;

	*left = 0;
	if (rs_multi_is_closed(m) || m->calling)
		return NULL;         /* as libcurl, inside of a callback */
	if (!m->first && !m->busy) { /* else all were taken when libcurl was driven */
		size_t waiting = m->waiting;

		m->busy = true;
		rs_multi_take_messages(m);
		m->busy = false;
		if (m->waiting != waiting) /* but some for which there was no memory */
			rs_multi_tell_timer(m);
	}
	msg = rs_multi_take_message(m);
	for (const struct rs_multi_message *rest = m->first; rest; rest = rest->next)
		++*left;
	return msg;
}

/* ---- adding and removing ---- */

static struct rs_multi_call *room_for_call(struct rs_handle *easy)
{
	if (!easy->multi_call)
		easy->multi_call = calloc(1, sizeof(*easy->multi_call));
	return easy->multi_call;
}

/* Let libcurl have the handle. */
static CURLMcode add_real(struct rs_multi *m, CURL *easy)
{
	bool busy = m->busy;
	CURLMcode result;

	m->busy = true;
	result = m->api->multi_add_handle(m->handle, easy);
	m->busy = busy;
	rs_multi_tell_timer(m);
	return result;
}

/* Whatever the call was at, it is no longer ours. */
static void let_go(struct rs_multi *m, struct rs_multi_call *call)
{
	rs_multi_withdraw(m, call->x.handle->easy);
	if (call->x.handle->active == &call->x)
		rs_exchange_abandon(&call->x);
	m->waiting -= is_waiting(call);
	unlink_call(m, call);
}

CURLMcode rs_multi_add(CURLM *handle, struct rs_handle *easy)
{
	const struct rs_curl_api *api = easy->api;
	struct rs_multi_call *call = room_for_call(easy);
	struct rs_multi *m;
	CURLMcode result;

	if (easy->active &&
	    easy->active->alone) /* its thread was cancelled, or asks in a callback */
		return CURLM_ADDED_ALREADY;
	if (call && call->multi && (call->detached || easy->active))
		return CURLM_ADDED_ALREADY;
	if (call && call->multi) /* done, and not removed yet: libcurl will say so */
		return api->multi_add_handle(handle, easy->easy);
	m = call ? rs_multi_of(handle, api) : NULL;
	if (m && m->calling)
		return CURLM_RECURSIVE_API_CALL;
	if (!m || rs_multi_is_closed(m) || m->pushes || !rs_exchange_open(&call->x, easy, false)) {
		if (!easy->active) {
			rs_exchange_not_open(easy);
			rs_stand_in_leave(easy);
		}
		return api->multi_add_handle(handle, easy->easy);
	}
	link_call(m, call);
	call->detached = !rs_exchange_starts(&call->x);
	enter(call, call->detached ? RS_MULTI_WAITING : RS_MULTI_RUNNING);
	if (call->detached) { /* as libcurl: a program drives at once what it has added */
		rs_exchange_time(&call->x);
		m->real_due_ns = rs_ns_min(m->real_due_ns, call->x.call.started_ns);
		if (rs_multi_tell_timer(m) == 0)
			return CURLM_OK;
		let_go(m, call);
		return CURLM_ABORTED_BY_CALLBACK;
	}
	result = add_real(m, easy->easy);
	if (result != CURLM_OK) {
		rs_exchange_close(&call->x, CURLE_OK);
		unlink_call(m, call);
	}
	return result;
}

CURLMcode rs_multi_remove(struct rs_multi *m, CURL *easy, const struct rs_handle *known)
{
	struct rs_multi_call *call = known ? known->multi_call : NULL;
	CURLMcode result = CURLM_OK;
	bool busy = m->busy;

	if (!call || call->multi != m) {
		result = m->api->multi_remove_handle(m->handle, easy);
		if (result == CURLM_OK)
			rs_multi_withdraw(m, easy);
		return result;
	}
	if (rs_multi_is_closed(m))
		return CURLM_RECURSIVE_API_CALL;
	m->busy = true;
	if (!call->detached)
		result = m->api->multi_remove_handle(m->handle, easy);
	m->busy = busy;
	if (result == CURLM_OK)
		let_go(m, call);
	rs_multi_tell_timer(m);
	return result;
}

/* From now on servers may push: what was added, and not begun, is not guarded either. */
static void unguard(struct rs_multi *m)
{
	struct rs_multi_call *call = m->calls, *next;

	for (; call; call = next) {
		next = call->next;
		if (call->state != RS_MULTI_RUNNING || call->round != m->rounds)
			continue;
		let_go(m, call);
		rs_stand_in_leave(call->x.handle);
	}
}

CURLMcode rs_multi_set(struct rs_multi *m, CURLMoption option, void *value)
{
	CURLMcode result;

	if (option == RS_CURLMOPT_NOTIFYFUNCTION || option == RS_CURLMOPT_NOTIFYDATA)
		return rs_multi_set_notify(m, option, value);
	if (option != CURLMOPT_PUSHFUNCTION)
		return rs_multi_set_timer(m, option, value);
	result = m->api->multi_setopt(m->handle, option, value);
	if (result != CURLM_OK)
		return result;
	m->pushes = value != NULL;
	if (m->pushes)
		unguard(m);
	return CURLM_OK;
}

bool rs_multi_keeps(const struct rs_handle *easy)
{
	return rs_multi_has(easy) && easy->multi_call->detached;
}

void rs_multi_unpaused(const struct rs_handle *easy)
{
	if (rs_multi_has(easy))
		rs_multi_tell_timer(easy->multi_call->multi);
}

static void forget(struct rs_handle *easy)
{
	if (easy->unread_in)
		rs_multi_withdraw(easy->unread_in, easy->easy);
	easy->unread_in = NULL;
	if (rs_multi_has(easy))
		let_go(easy->multi_call->multi, easy->multi_call);
}

/* libcurl, which tells the timer then, does not have what waits. */
void rs_multi_forget(struct rs_handle *easy)
{
	struct rs_multi *m = rs_multi_has(easy) ? easy->multi_call->multi : NULL;

	forget(easy);
	if (m && !m->calling)
		rs_multi_tell_timer(m);
}

void rs_multi_lose(struct rs_handle *easy)
{
	struct rs_multi_call *call = easy->multi_call;

	if (rs_multi_has(easy) && easy->active == &call->x) {
		rs_exchange_release(&call->x);
		easy->active = NULL;
	}
	forget(easy);
}

void rs_multi_free(struct rs_multi *m)
{
	while (m->calls)
		let_go(m, m->calls);
	rs_multi_free_messages(m);
	rs_multi_drop(m);
}
