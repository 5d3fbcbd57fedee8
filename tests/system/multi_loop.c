#include "multi_loop.h"

#include <poll.h>
#include <string.h>
#include <sys/select.h>

#include "harness.h"

#define MS INT64_C(1000000)

static void find_wrong(struct multi_loop *loop, const char *what)
{
	if (!loop->wrong)
		loop->wrong = what;
}

static int find_socket(const struct multi_loop *loop, curl_socket_t fd)
{
	for (int i = 0; i < loop->socket_count; i++) {
		if (loop->sockets[i].fd == fd)
			return i;
	}
	return -1;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
	struct multi_loop *loop = data;
	int at = find_socket(loop, fd);

	(void)easy;
	(void)socket_data;
	if (what == CURL_POLL_REMOVE) {
		if (at < 0)
			find_wrong(loop, "an unknown socket was removed");
		else
			loop->sockets[at] = loop->sockets[--loop->socket_count];
		return 0;
	}
	if (at < 0 && loop->socket_count < LOOP_SOCKETS)
		at = loop->socket_count++;
	if (at < 0) {
		find_wrong(loop, "too many sockets");
		return 0;
	}
	loop->sockets[at].fd = fd;
	loop->sockets[at].what = what;
	return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *data)
{
	struct multi_loop *loop = data;

	if (multi != loop->multi)
		find_wrong(loop, "another multi handle's timer");
	if (timeout_ms < -1)
		find_wrong(loop, "a timer before now");
	loop->timer_set = timeout_ms >= 0;
	loop->timer_ns = now_ns() + timeout_ms * MS;
	return 0;
}

void multi_loop_init(struct multi_loop *loop, enum multi_style style)
{
	memset(loop, 0, sizeof(*loop));
	loop->style = style;
	loop->multi = curl_multi_init();
	if (style == BY_SOCKET || style == BY_ALL) {
		(void)curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
		(void)curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
	}
	if (style == BY_SOCKET || style == BY_ALL || style == BY_TIMER) {
		(void)curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, on_timer);
		(void)curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
	}
}

static void expect_ok(struct multi_loop *loop, CURLMcode code)
{
	if (code != CURLM_OK)
		find_wrong(loop, curl_multi_strerror(code));
}

struct descriptors {
	fd_set reading, writing, failing;
	int highest; /* -1: there are none */
};

static void ask_descriptors(struct multi_loop *loop, struct descriptors *all)
{
	FD_ZERO(&all->reading);
	FD_ZERO(&all->writing);
	FD_ZERO(&all->failing);
	all->highest = -1;
	expect_ok(loop, curl_multi_fdset(loop->multi, &all->reading, &all->writing, &all->failing,
					 &all->highest));
}

static bool select_for(struct descriptors *all, long timeout_ms)
{
	struct timeval timeout = { .tv_sec = timeout_ms / 1000,
				   .tv_usec = timeout_ms % 1000 * 1000 };

	return select(all->highest + 1, &all->reading, &all->writing, &all->failing, &timeout) > 0;
}

/* As curl_multi_fdset(3) has it: no descriptor means to wait a little and look again. */
static void wait_by_select(struct multi_loop *loop, int longest_ms)
{
	struct descriptors all;
	long timeout_ms = -1;

	expect_ok(loop, curl_multi_timeout(loop->multi, &timeout_ms));
	ask_descriptors(loop, &all);
	if (timeout_ms < 0 || timeout_ms > longest_ms)
		timeout_ms = longest_ms;
	if (all.highest < 0 && timeout_ms > 100)
		timeout_ms = 100;
	(void)select_for(&all, timeout_ms);
}

static void wait_by_poll(struct multi_loop *loop, int longest_ms)
{
	int ready;

	if (loop->wakes % 2)
		expect_ok(loop, curl_multi_poll(loop->multi, NULL, 0, longest_ms, &ready));
	else
		expect_ok(loop, curl_multi_wait(loop->multi, NULL, 0, longest_ms, &ready));
}

static int ms_to_timer(const struct multi_loop *loop, int longest_ms)
{
	int64_t left_ms = (loop->timer_ns - now_ns() + MS - 1) / MS;

	if (!loop->timer_set || left_ms > longest_ms)
		return longest_ms;
	return left_ms > 0 ? (int)left_ms : 0;
}

static int events_of(short revents)
{
	return (revents & POLLIN ? CURL_CSELECT_IN : 0) |
	       (revents & POLLOUT ? CURL_CSELECT_OUT : 0) |
	       (revents & (POLLERR | POLLHUP) ? CURL_CSELECT_ERR : 0);
}

static void act(struct multi_loop *loop, curl_socket_t socket, int events)
{
	if (loop->style == BY_SOCKET)
		expect_ok(loop,
			  curl_multi_socket_action(loop->multi, socket, events, &loop->running));
	else if (loop->wakes % 2)
		expect_ok(loop, curl_multi_socket_all(loop->multi, &loop->running));
	else
		expect_ok(loop, (curl_multi_socket)(loop->multi, socket, &loop->running));
}

static void act_on_sockets(struct multi_loop *loop, int longest_ms)
{
	struct pollfd fds[LOOP_SOCKETS];
	int count = loop->socket_count;

	for (int i = 0; i < count; i++) {
		fds[i].fd = loop->sockets[i].fd;
		fds[i].events = (short)((loop->sockets[i].what & CURL_POLL_IN ? POLLIN : 0) |
					(loop->sockets[i].what & CURL_POLL_OUT ? POLLOUT : 0));
		fds[i].revents = 0;
	}
	(void)poll(fds, (nfds_t)count, ms_to_timer(loop, longest_ms));
	for (int i = 0; i < count; i++) {
		if (fds[i].revents != 0 && find_socket(loop, fds[i].fd) >= 0)
			act(loop, fds[i].fd, events_of(fds[i].revents));
	}
	if (loop->timer_set && loop->timer_ns <= now_ns()) {
		loop->timer_set = false;
		act(loop, CURL_SOCKET_TIMEOUT, 0);
	}
}

/* The handle is driven only where there is a reason to. */
static void act_on_timer(struct multi_loop *loop, int longest_ms)
{
	struct descriptors all;
	bool ready;

	ask_descriptors(loop, &all);
	ready = select_for(&all, ms_to_timer(loop, longest_ms));
	if (loop->timer_set && loop->timer_ns <= now_ns()) {
		loop->timer_set = false;
		ready = true;
	}
	if (ready)
		expect_ok(loop, curl_multi_perform(loop->multi, &loop->running));
}

void multi_loop_round(struct multi_loop *loop, int longest_ms)
{
	int64_t began_ns = now_ns(), took_ns;

	loop->wakes++;
	if (loop->style == BY_SOCKET || loop->style == BY_ALL) {
		act_on_sockets(loop, longest_ms);
	} else if (loop->style == BY_TIMER) {
		act_on_timer(loop, longest_ms);
	} else {
		expect_ok(loop, curl_multi_perform(loop->multi, &loop->running));
		if (loop->running > 0 && loop->style == BY_SELECT)
			wait_by_select(loop, longest_ms);
		else if (loop->running > 0)
			wait_by_poll(loop, longest_ms);
	}
	took_ns = now_ns() - began_ns;
	if (took_ns > loop->longest_ns)
		loop->longest_ns = took_ns;
}

void multi_loop_free(struct multi_loop *loop)
{
	expect_ok(loop, curl_multi_cleanup(loop->multi));
	if (loop->socket_count > 0)
		find_wrong(loop, "a socket was never removed");
}
