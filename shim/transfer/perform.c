/*
 * curl_easy_perform(): the thread that called it waits.
 */
#include "process.h"
#include "retry/ledger.h"
#include "transfer/exchange.h"
#include "transfer/program.h"

_Thread_local struct rs_exchange *rs_exchange_here __attribute__((tls_model("initial-exec")));

static inline CURLcode perform(struct rs_exchange *x)
{
	struct rs_exchange *around = rs_exchange_here;
	const struct rs_curl_api *before = rs_curl_enter(x->handle->api);
	CURLcode result;

	rs_exchange_here = x;
	result = x->handle->api->easy_perform(x->handle->easy);
	rs_exchange_here = around;
	rs_curl_leave(before);
	return result;
}

static inline CURLcode attempt(struct rs_exchange *x)
{
	rs_exchange_begin_attempt(x);
	if (__builtin_expect(x->fault.delayed, 0) && !rs_exchange_wait(x, rs_fault_due_ns(x)))
		return CURLE_ABORTED_BY_CALLBACK;
	return perform(x);
}

/* An attempt has ended with `result`. Returns how the call ends. */
__attribute__((noinline)) static CURLcode go_on(struct rs_exchange *x, CURLcode result)
{
	while (rs_exchange_end_attempt(x, &result)) {
		if (!rs_exchange_wait(x, rs_exchange_due_ns(x)))
			return rs_exchange_cancel(x);
		result = attempt(x);
	}
	while (!rs_exchange_conclude(x, &result)) {
		if (!rs_exchange_wait(x, 0))
			return CURLE_ABORTED_BY_CALLBACK;
	}
	return result;
}

/* Neither tokens to give back nor calls to count. */
static inline bool owes_nothing(const struct rs_rules *rules)
{
	uint32_t stirred = rs_stirred(rules);

	return stirred == 0 || (stirred == RS_STIR_OTHERS && rs_ledger_rests(rules->host_ledger));
}

/* It went well at its first attempt, the program has all of it, no rule has said a word, and there
 * is nothing to account for. */
static inline bool went_well(const struct rs_exchange *x, CURLcode result)
{
	return result == CURLE_OK && x->flows && x->call.attempts == 1 && x->status < 400 &&
	       !x->rule && !x->stopped && !x->fault.strike.fault && owes_nothing(x->rules);
}

/* rs_exchange_close() for the commonest of calls. */
static inline CURLcode close_simply(struct rs_exchange *x)
{
	struct rs_handle *handle = x->handle;

	if (__builtin_expect(x->header_way == RS_HEADERS_SEEN, 0))
		handle->api->easy_setopt(handle->easy, CURLOPT_HEADERFUNCTION,
					 handle->options.header_fn);
	handle->api->easy_setopt(handle->easy, CURLOPT_WRITEFUNCTION, handle->options.write_fn);
	if (__builtin_expect(!rs_hold_rests(&handle->hold), 0))
		rs_hold_rest(&handle->hold);
	handle->active = NULL;
	return CURLE_OK;
}

/* There was no rule for transfers, but perhaps by now there is one. */
__attribute__((noinline)) static CURLcode perform_unguarded(struct rs_handle *handle)
{
	CURLcode result = handle->api->easy_perform(handle->easy);
	long status = 0;

	if (result == CURLE_OK)
		handle->api->easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &status);
	if (result != CURLE_OK || status >= 400)
		(void)rs_process_rules_at_failure();
	return result;
}

CURLcode rs_transfer_perform(struct rs_handle *handle)
{
	struct rs_exchange x;
	CURLcode result;

	if (__builtin_expect(!rs_exchange_open(&x, handle, true), 0))
		return perform_unguarded(handle);
	if (__builtin_expect(x.rules->pacers != NULL, 0) && !rs_exchange_pace(&x)) {
		result = rs_exchange_stop(&x);
		rs_exchange_close(&x, result);
		return result;
	}
	result = attempt(&x);
	if (__builtin_expect(!went_well(&x, result), 0))
		result = go_on(&x, result);
	else if (__builtin_expect(!x.replaced_more, 1))
		return close_simply(&x);
	rs_exchange_close(&x, result);
	return result;
}
