#include <errno.h>
#include <poll.h>

#include "connect/flight.h"
#include "connect/left.h"
#include "connect/select_bits.h"
#include "connect/waits.h"
#include "pause.h"
#include "process.h"
#include "real_libc.h"
#include "retry/ns.h"

/* One select() of the program. */
struct selected {
	const struct rs_fd_sets *program;
	struct rs_bits asked; /* what it asked for: its own sets, until the wait is over */
	struct rs_bits quiet; /* the same without those that wait for their next attempt */
	int64_t due_ns;
};

static bool asks_for(const struct rs_fd_sets *sets, const struct rs_bits *bits, int fd)
{
	for (int i = 0; fd < sets->count && i < RS_SETS; i++) {
		if (sets->sets[i] && rs_bits_has(bits->words[i], fd))
			return true;
	}
	return false;
}

bool rs_select_concerned(const struct rs_fd_sets *sets)
{
	const struct rs_bits asked = rs_bits_of(sets);
	unsigned next = 0;
	int fd;

	if (sets->count <= 0 || sets->count > RS_BITS_MAX)
		return false;
	while ((fd = rs_pending_each(&next)) >= 0) {
		if (asks_for(sets, &asked, fd))
			return true;
	}
	return rs_left_maybe();
}

/* ---- before the wait ---- */

static void clear_all(const struct rs_fd_sets *sets, const struct rs_bits *bits, int fd)
{
	for (int i = 0; i < RS_SETS; i++) {
		if (sets->sets[i])
			rs_bits_clear(bits->words[i], fd);
	}
}

static void prepare_one(struct selected *selected, int fd, int64_t now_ns)
{
	struct rs_pending *pending = rs_flight_hold(fd);

	if (!pending)
		return;
	if (now_ns >= rs_flight_due_ns(pending))
		(void)rs_flight_advance(pending, now_ns, 0, NULL);
	selected->due_ns = rs_ns_min(selected->due_ns, rs_flight_due_ns(pending));
	if (pending->stage == RS_PENDING_WAITS)
		clear_all(selected->program, &selected->quiet, fd);
	rs_pending_release(pending);
}

static void prepare(struct selected *selected, int64_t now_ns)
{
	unsigned next = 0;
	int fd;

	rs_bits_copy_in(&selected->quiet, selected->program);
	selected->due_ns = rs_left_bring_on(now_ns);
	while ((fd = rs_pending_each(&next)) >= 0) {
		if (asks_for(selected->program, &selected->asked, fd))
			prepare_one(selected, fd, now_ns);
	}
}

/* ---- after it ---- */

/* Take back what the program may not know. Returns how many bits that were. */
static int hide(struct selected *selected, int fd)
{
	int hidden = 0;

	for (int i = 0; i < RS_SETS; i++) {
		if (selected->program->sets[i] && rs_bits_has(selected->quiet.words[i], fd)) {
			rs_bits_clear(selected->quiet.words[i], fd);
			hidden++;
		}
	}
	return hidden;
}

/* What was reported of it, as poll() has it. */
static short reported(const struct selected *selected, int fd)
{
	static const short events[RS_SETS] = { POLLIN, POLLOUT, POLLPRI };
	short found = 0;

	for (int i = 0; i < RS_SETS; i++) {
		if (selected->program->sets[i] && rs_bits_has(selected->quiet.words[i], fd))
			found |= events[i];
	}
	return found;
}

/* One that is nothing but readable is no connect under way: it was closed without a word, and its
 * number is that of something else now. */
static int report_one(struct selected *selected, int fd, int64_t now_ns)
{
	struct rs_pending *pending = rs_flight_hold(fd);
	enum rs_pending_stage stage;

	if (!pending)
		return 0;
	stage = rs_flight_advance(pending, now_ns, reported(selected, fd), NULL);
	rs_pending_release(pending);
	return stage == RS_PENDING_WAITS || stage == RS_PENDING_FLYING ? hide(selected, fd) : 0;
}

static int report(struct selected *selected, int ready)
{
	int64_t now_ns = rs_now_ns();
	unsigned next = 0;
	int fd;

	while (ready > 0 && (fd = rs_pending_each(&next)) >= 0) {
		if (asks_for(selected->program, &selected->quiet, fd))
			ready -= report_one(selected, fd, now_ns);
	}
	return ready;
}

/* ---- the wait ---- */

static fd_set *set_of(struct selected *selected, int set)
{
	return selected->program->sets[set] ? (fd_set *)(void *)selected->quiet.words[set] : NULL;
}

static int wait_once(struct selected *selected, int64_t now_ns, const struct rs_limit *limit)
{
	struct timespec left;
	int64_t until_ns = rs_ns_min(limit->deadline_ns, selected->due_ns);
	int ready;

	rs_cancel_let(limit->before);
	ready = rs_real_pselect(selected->program->count, set_of(selected, RS_SET_READ),
				set_of(selected, RS_SET_WRITE), set_of(selected, RS_SET_EXCEPT),
				rs_time_left(until_ns, now_ns, &left), limit->mask);
	rs_cancel_hold();
	return ready <= 0 ? ready : report(selected, ready);
}

static int wait_all(struct selected *selected, const struct rs_limit *limit)
{
	int64_t now_ns = rs_now_ns();
	int ready;

	rs_flight_sweep(now_ns);
	do {
		prepare(selected, now_ns);
		ready = wait_once(selected, now_ns, limit);
		now_ns = rs_now_ns();
	} while (ready == 0 && now_ns < limit->deadline_ns);
	/* After an error the program's sets are as they were. */
	if (ready >= 0)
		rs_bits_copy_out(&selected->quiet, selected->program);
	return ready;
}

static int wait_in(unsigned long *room, const struct rs_fd_sets *sets, struct rs_limit limit)
{
	struct selected selected = { .program = sets,
				     .asked = rs_bits_of(sets),
				     .quiet = rs_bits_in(room, sets) };
	struct rs_before before;
	int ready, error = errno; /* which a wait that succeeds leaves as it is */

	rs_signals_hold_to_wait(&before);
	limit.before = &before;
	if (!limit.mask)
		limit.mask = &before.mask;
	ready = wait_all(&selected, &limit);
	if (ready < 0)
		error = errno;
	rs_signals_let(&before);
	errno = error;
	return ready;
}

__attribute__((noinline)) static int wait_for_many(const struct rs_fd_sets *sets,
						   struct rs_limit limit)
{
	unsigned long room[RS_ROOM_FOR_MANY(RS_SETS)];

	return wait_in(room, sets, limit);
}

__attribute__((noinline)) static int wait_for_few(const struct rs_fd_sets *sets,
						  struct rs_limit limit)
{
	unsigned long room[RS_ROOM_FOR_FEW(RS_SETS)];

	return wait_in(room, sets, limit);
}

int rs_wait_select(const struct rs_fd_sets *sets, struct rs_limit limit)
{
	return rs_bits_are_few(sets) ? wait_for_few(sets, limit) : wait_for_many(sets, limit);
}
