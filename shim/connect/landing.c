/*
 * Places whose time is over: their connects have come about, or their sockets were closed.
 */
#include <poll.h>

#include "connect/first.h"
#include "connect/flight.h"
#include "connect/launch.h"
#include "ops/stats.h"
#include "process.h"
#include "real_libc.h"
#include "retry/ns.h"

#define SWEEP_NS (100 * RS_NS_PER_MS)

static void pass(const struct rs_rules *rules)
{
	if (rules)
		rs_stats_passed(rules, RS_CALL_CONNECT);
}

bool rs_flight_landed(int fd, uint32_t since)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();

	if (rules && rs_connect_success_matters(rules, rs_stirred(rules)))
		return !rs_pending_has(fd);
	switch (rs_pending_take_plain(fd, since)) {
	case RS_PENDING_TOOK:
		pass(rules);
		return true;
	case RS_PENDING_NOT_THERE:
		return true;
	case RS_PENDING_NOT_PLAIN:
		break;
	}
	return false;
}

bool rs_flight_dropped(int fd, uint32_t since)
{
	if (rs_pending_take_plain(fd, since) != RS_PENDING_TOOK)
		return false;
	pass(rs_process_rules_if_loaded());
	return true;
}

/* So many are looked at with one system call. */
#define AT_ONCE 64

static nfds_t collect_flying(struct pollfd *fds, unsigned *next)
{
	nfds_t count = 0;
	int fd;

	while (count < AT_ONCE && (fd = rs_pending_each(next)) >= 0) {
		if (rs_pending_may_be(fd, RS_PENDING_FLYING))
			fds[count++] = (struct pollfd){ .fd = fd, .events = POLLOUT };
	}
	return count;
}

/* Judged is a failure only where the program waits for it. Looked at again: since the descriptor
 * was seen to be ready, its number may have become another socket's. */
static void land_one(int fd)
{
	struct rs_pending *pending = rs_flight_hold(fd);
	struct pollfd now = { .fd = fd, .events = POLLOUT };

	if (!pending)
		return;
	if (pending->stage == RS_PENDING_FLYING && rs_real_poll(&now, 1, 0) > 0 &&
	    now.revents == POLLOUT)
		pending->stage = rs_launch_arrived(pending);
	rs_pending_release(pending);
}

void rs_flight_land_all(void)
{
	uint32_t since = rs_pending_taken();
	struct pollfd fds[AT_ONCE];
	unsigned next = 0;
	nfds_t count;

	while ((count = collect_flying(fds, &next)) > 0) {
		if (rs_real_poll(fds, count, 0) <= 0)
			continue;
		for (nfds_t i = 0; i < count; i++) {
			if (fds[i].revents == POLLOUT && !rs_flight_landed(fds[i].fd, since))
				land_one(fds[i].fd);
			if (fds[i].revents & POLLNVAL)
				(void)rs_flight_dropped(fds[i].fd, since);
		}
	}
}

static void drop_if_closed(int fd)
{
	struct rs_pending *pending = rs_flight_hold(fd);

	if (pending)
		rs_pending_release(pending);
}

void rs_flight_sweep(int64_t now_ns)
{
	static _Atomic int64_t swept_ns;
	int64_t last_ns = atomic_load_explicit(&swept_ns, memory_order_relaxed);
	unsigned next = 0;
	int fd;

	if (now_ns - last_ns < SWEEP_NS ||
	    !atomic_compare_exchange_strong(&swept_ns, &last_ns, now_ns))
		return;
	rs_flight_land_all();
	while ((fd = rs_pending_each(&next)) >= 0)
		drop_if_closed(fd);
}
