/*
 * When the program has to drive its multi handle again.
 */
#include <time.h>

#include "process.h"
#include "transfer/multi.h"
#include "transfer/program.h"

/* A program that is back within SPIN_NS, and that often, is not waiting. */
#define SPIN_NS     (200 * RS_NS_PER_US)
#define SPIN_ROUNDS 10
#define NAP_NS      (5 * RS_NS_PER_MS)

/* A program's timer may go off this long before its time: its clock is a coarse one. */
#define EARLY_NS (10 * RS_NS_PER_MS)

/* While a call waits, the program's progress callback is asked at least this often. */
#define ASK_NS (100 * RS_NS_PER_MS)

int64_t rs_multi_call_due_ns(const struct rs_multi_call *call)
{
	if (call->x.call.attempts == 0)
		return call->x.turn_ns;
	return call->x.fault.delayed ? rs_fault_due_ns(&call->x) : rs_exchange_due_ns(&call->x);
}

static int64_t call_due_ns(const struct rs_multi_call *call, int64_t now_ns)
{
	int64_t due_ns = RS_FOREVER;

	if (call->state != RS_MULTI_WAITING && call->state != RS_MULTI_PAUSED)
		return RS_FOREVER;
	if (!call->x.paused)
		due_ns = call->state == RS_MULTI_WAITING ? rs_multi_call_due_ns(call) : now_ns;
	else if (call->state == RS_MULTI_PAUSED)
		due_ns = rs_exchange_ends_ns(&call->x);
	if (rs_exchange_asks(&call->x))
		due_ns = rs_ns_min(due_ns, now_ns + ASK_NS);
	return due_ns;
}

/* When the program has to come back at the latest: RS_FOREVER where nothing waits. */
static int64_t due_ns_of_waiting(const struct rs_multi *m)
{
	int64_t due_ns = RS_FOREVER, now_ns;

	if (m->waiting == 0)
		return RS_FOREVER;
	now_ns = rs_now_ns();
	for (const struct rs_multi_call *call = m->calls; call; call = call->next)
		due_ns = rs_ns_min(due_ns, call_due_ns(call, now_ns));
	return due_ns;
}

/* Rounded up: a program that wakes before the time would only come to wait again. */
static long ms_until(int64_t due_ns)
{
	int64_t left_ns = due_ns - rs_now_ns();

	return left_ns > 0 ? (long)((left_ns + RS_NS_PER_MS - 1) / RS_NS_PER_MS) : 0;
}

long rs_multi_shorten_ms(const struct rs_multi *m, long timeout_ms)
{
	int64_t due_ns = due_ns_of_waiting(m);
	long due_ms;

	if (due_ns == RS_FOREVER)
		return timeout_ms;
	due_ms = ms_until(due_ns);
	return timeout_ms < 0 || due_ms < timeout_ms ? due_ms : timeout_ms;
}

/* The timer has to be told anew: nothing waits here and libcurl has changed its mind; or something
 * does, and the timer stands later than that, or has gone off, of which a program that drives the
 * handle with curl_multi_perform() says nothing. */
static bool is_stale(const struct rs_multi *m, int64_t due_ns)
{
	if (m->waiting == 0)
		return due_ns != m->told_due_ns;
	return due_ns < m->told_due_ns || m->told_due_ns <= rs_now_ns() + EARLY_NS;
}

/* Since 7.82 libcurl lets a timer callback use the multi handle no more, and ends all transfers
 * when the callback returns -1. What is asked for here came with 7.83. */
static bool is_strict(const struct rs_multi *m)
{
	return m->api->easy_header != NULL;
}

int rs_multi_ask_timer(struct rs_multi *m)
{
	int64_t due_ns = rs_ns_min(m->real_due_ns, due_ns_of_waiting(m));
	bool calling = m->calling;
	int depth, answer;

	if (!is_stale(m, due_ns))
		return 0;
	m->told_due_ns = due_ns;
	m->calling = calling || is_strict(m);
	depth = rs_program_enter();
	answer =
		m->timer_fn(m->handle, due_ns == RS_FOREVER ? -1 : ms_until(due_ns), m->timer_data);
	rs_program_leave(depth);
	m->calling = calling;
	if (answer != -1 || !is_strict(m))
		return 0;
	m->refused = true;
	return -1;
}

void rs_multi_libcurl_expires(struct rs_multi *m)
{
	if (m->real_due_ns <= rs_now_ns())
		m->real_due_ns = RS_FOREVER;
}

void rs_multi_timer_expired(struct rs_multi *m)
{
	m->told_due_ns = RS_FOREVER;
	rs_multi_libcurl_expires(m);
}

void rs_multi_calm(struct rs_multi *m, unsigned selects)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };
	int64_t now_ns = rs_now_ns();
	bool is_idle = selects == m->selects && now_ns - m->asked_ns < SPIN_NS;

	m->idle_rounds = is_idle ? m->idle_rounds + 1 : 0;
	if (m->idle_rounds > SPIN_ROUNDS) {
		clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
		now_ns = rs_now_ns();
	}
	m->selects = selects;
	m->asked_ns = now_ns;
}

/* libcurl's timer callback. It hears at once what the program's returns; one that has no use for
 * that lets the callback call what it likes, and so the program hears of it when all is in order
 * here. */
static int on_timer(CURLM *handle, long timeout_ms, void *multi)
{
	struct rs_multi *m = multi;

	(void)handle;
	m->real_due_ns = timeout_ms < 0 ? RS_FOREVER : rs_now_ns() + timeout_ms * RS_NS_PER_MS;
	if (!m->refused && (is_strict(m) ? rs_multi_ask_timer(m) : rs_multi_tell_timer(m)) == 0)
		return 0;
	m->real_due_ns = m->told_due_ns = RS_FOREVER; /* libcurl has no more to tell */
	return -1;
}

CURLMcode rs_multi_set_timer(struct rs_multi *m, CURLMoption option, void *value)
{
	curl_multi_timer_callback fn = m->timer_fn;
	CURLMcode result;

	if (option == CURLMOPT_TIMERFUNCTION)
		fn = (curl_multi_timer_callback)(uintptr_t)value;
	result = m->api->multi_setopt(m->handle, CURLMOPT_TIMERDATA, m);
	if (result == CURLM_OK)
		result = m->api->multi_setopt(m->handle, CURLMOPT_TIMERFUNCTION,
					      fn ? on_timer : NULL);
	if (result != CURLM_OK)
		return result;
	m->timer_fn = fn;
	if (option == CURLMOPT_TIMERDATA)
		m->timer_data = value;
	return CURLM_OK;
}
