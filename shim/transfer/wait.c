#include <time.h>

#include "process.h"
#include "transfer/exchange.h"

#define SLICE_NS (50 * RS_NS_PER_MS)

/* A signal only makes the slice shorter: libcurl's own waits go on after one, too. */
static void sleep_until(int64_t until_ns)
{
	const struct timespec until = {
		.tv_sec = until_ns / RS_NS_PER_S,
		.tv_nsec = until_ns % RS_NS_PER_S,
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

bool rs_exchange_asks(const struct rs_exchange *x)
{
	const struct rs_options *o = &x->handle->options;

	return !o->no_progress && (o->xferinfo_fn || o->progress_fn);
}

bool rs_exchange_go_on(struct rs_exchange *x)
{
	return !rs_exchange_asks(x) || rs_progress_tell(x);
}

bool rs_exchange_ask(struct rs_exchange *x)
{
	bool goes_on = rs_exchange_go_on(x);

	if (!goes_on)
		rs_transfer_error(x, "Callback aborted");
	return goes_on;
}

/* Until `until_ns`, and for as long as the program has paused, but then until `ends_ns` at most. */
static bool wait_in_slices(struct rs_exchange *x, int64_t until_ns, int64_t ends_ns)
{
	int64_t now_ns = rs_now_ns();

	while (now_ns < until_ns || (x->paused && now_ns < ends_ns)) {
		int64_t last_ns = now_ns < until_ns ? until_ns : ends_ns;

		if (!rs_exchange_ask(x))
			return false;
		sleep_until(rs_ns_min(last_ns, now_ns + SLICE_NS));
		now_ns = rs_now_ns();
	}
	return true;
}

bool rs_exchange_wait(struct rs_exchange *x, int64_t until_ns)
{
	bool goes_on;

	x->waits = true;
	goes_on = wait_in_slices(x, until_ns, RS_FOREVER);
	x->waits = false;
	return goes_on;
}

bool rs_exchange_wait_for_program(struct rs_exchange *x)
{
	bool goes_on;

	x->waits = true;
	goes_on = wait_in_slices(x, 0, rs_exchange_ends_ns(x));
	x->waits = false;
	return goes_on;
}
