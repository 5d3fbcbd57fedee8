/*
 * How every call begins, and how nearly every one ends: well, at the first attempt, without a rule
 * that has had a word to say. Here to be inlined.
 */
#ifndef RS_TRANSFER_USUAL_H
#define RS_TRANSFER_USUAL_H

#include <stddef.h>
#include <string.h>

#include "mark.h"
#include "process.h"
#include "retry/ledger.h"
#include "transfer/exchange.h"

/* ---- the beginning ---- */

/* What is not cleared here is set before it is read. */
static inline void rs_exchange_clear(struct rs_exchange *x)
{
	const size_t from = offsetof(struct rs_exchange, phase);
	const size_t middle = offsetof(struct rs_exchange, rule);

	/* Short enough, both, to be done by a few moves. */
	memset((char *)x + from, 0, middle - from);
	memset((char *)x + middle, 0, sizeof(*x) - middle);
	x->fault.strike.fault = NULL;
	x->fault.delayed = x->fault.replaced = x->fault.other_url = x->fault.cuts = false;
	x->history.count = 0;
	x->resume.continuing = false;
	x->resume.got = 0;
	x->upload.outgrown = x->upload.stopped_by_us = false;
}

/* A fault for connects guards transfers, too: libcurl's connects are not the program's. */
static inline bool rs_exchange_is_guarded(const struct rs_rules *rules,
					  const struct rs_handle *handle)
{
	return (rules->calls & 1u << RS_CALL_CURL || rules->fault_calls) && !handle->active &&
	       rs_exchange_possible(handle);
}

/* Begin a guarded call, `alone` in this thread's libcurl or not. False: this one cannot be, or need
 * not be, guarded. */
static inline bool rs_exchange_open(struct rs_exchange *x, struct rs_handle *handle, bool alone)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();

	if (__builtin_expect(!rules, 0)) {
		rules = rs_process_rules(RS_CALL_CURL);
		if (!rules) {
			rs_exchange_not_open(handle);
			return false;
		}
	}
	if (!rs_handle_url_can_wait(handle, rules))
		rs_handle_learn_url(handle); /* whatever becomes of it */
	if (__builtin_expect(rs_handle_tells(handle), 0) && !handle->active)
		rs_handle_forget_last(handle);
	if (__builtin_expect(!rs_exchange_is_guarded(rules, handle), 0))
		return false;
	rs_exchange_clear(x);
	x->handle = handle;
	x->rules = rules;
	x->alone = alone;
	x->mark = rs_mark();
	rs_call_begin(&x->call, 0);
	if (rs_upload_streams(&handle->options))
		rs_exchange_open_upload(x);
	handle->active = x;
	rs_transfer_replace(x);
	return true;
}

/* ---- the end ---- */

/* Neither tokens to give back nor calls to count. */
static inline bool rs_rules_owed_nothing(const struct rs_rules *rules)
{
	uint32_t stirred = rs_stirred(rules);

	return stirred == 0 || (stirred == RS_STIR_OTHERS && rs_ledger_rests(rules->host_ledger));
}

/* An attempt has ended with `result`: was it the first, does the program have all of it, and is
 * there nothing to judge, to report, or to account for? */
static inline bool rs_exchange_succeeded(const struct rs_exchange *x, CURLcode result)
{
	return result == CURLE_OK && x->handle->flows && x->call.attempts == 1 && x->status < 400 &&
	       !x->rule && !x->stopped && !x->fault.strike.fault && rs_rules_owed_nothing(x->rules);
}

/* rs_exchange_close() for such a call. */
static inline void rs_exchange_close_success(struct rs_exchange *x)
{
	struct rs_handle *handle = x->handle;

	if (__builtin_expect(x->replaced_more, 0) ||
	    (x->header_way == RS_HEADERS_SEEN &&
	     !(handle->header_stands && handle->options.header_fn))) {
		rs_exchange_close(x, CURLE_OK);
		return;
	}
	if (!handle->body_stands)
		handle->api->easy_setopt(handle->easy, CURLOPT_WRITEFUNCTION,
					 handle->options.write_fn);
	if (__builtin_expect(!rs_hold_rests(&handle->hold), 0))
		rs_hold_rest(&handle->hold);
	handle->flows = handle->lines_flow = false;
	handle->active = NULL;
}

#endif
