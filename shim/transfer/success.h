/*
 * How nearly every call ends, here to be inlined: well, at the first attempt, without a rule that
 * has had a word to say.
 */
#ifndef RS_TRANSFER_SUCCESS_H
#define RS_TRANSFER_SUCCESS_H

#include "process.h"
#include "retry/ledger.h"
#include "transfer/exchange.h"

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
