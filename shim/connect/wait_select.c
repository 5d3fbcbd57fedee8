#include <errno.h>
#include <string.h>

#include "connect/flight.h"
#include "connect/waits.h"
#include "pause.h"
#include "process.h"
#include "real_libc.h"
#include "retry/ns.h"

/* Sets as large as this are copied. Larger ones than FD_SETSIZE are made by hand, and seldom: room
 * for those is only taken where it is needed, since a thread's stack may be small. */
#define BITS_MAX  8192
#define BITS_FEW  FD_SETSIZE
#define WORD_BITS (8 * sizeof(unsigned long))

enum { READ, WRITE, EXCEPT, SETS };

/* The words of each set. */
struct bits {
	unsigned long *words[SETS];
};

/* One select() of the program. */
struct selected {
	const struct rs_fd_sets *program;
	struct bits asked; /* what it asked for: its own sets, until the wait is over */
	struct bits quiet; /* the same without those that wait for their next attempt */
	int64_t due_ns;
};

static bool has(const unsigned long *set, int fd)
{
	return (set[(size_t)fd / WORD_BITS] >> ((size_t)fd % WORD_BITS) & 1) != 0;
}

static void clear(unsigned long *set, int fd)
{
	set[(size_t)fd / WORD_BITS] &= ~(1UL << ((size_t)fd % WORD_BITS));
}

/* The program's own. */
static struct bits bits_of(const struct rs_fd_sets *sets)
{
	struct bits bits;

	for (int i = 0; i < SETS; i++)
		bits.words[i] = (unsigned long *)(void *)sets->sets[i];
	return bits;
}

static size_t words(const struct rs_fd_sets *sets)
{
	return ((size_t)sets->count + WORD_BITS - 1) / WORD_BITS;
}

static size_t bytes(const struct rs_fd_sets *sets)
{
	return words(sets) * sizeof(unsigned long);
}

static bool are_few(const struct rs_fd_sets *sets)
{
	return sets->count <= BITS_FEW;
}

/* Room for that many sets that are few, or not, on the stack of whoever asks for it. */
#define ROOM_FOR_FEW(sets)  (BITS_FEW / WORD_BITS * (sets))
#define ROOM_FOR_MANY(sets) (BITS_MAX / WORD_BITS * (sets))

static struct bits bits_in(unsigned long *room, const struct rs_fd_sets *sets)
{
	return (struct bits){ { room, room + words(sets), room + 2 * words(sets) } };
}

static void copy_in(const struct bits *bits, const struct rs_fd_sets *sets)
{
	for (int i = 0; i < SETS; i++) {
		if (sets->sets[i])
			memcpy(bits->words[i], sets->sets[i], bytes(sets));
		else if (i != EXCEPT)
			memset(bits->words[i], 0, bytes(sets));
	}
}

static void copy_out(const struct bits *bits, const struct rs_fd_sets *sets)
{
	for (int i = 0; i < SETS; i++) {
		if (sets->sets[i])
			memcpy(sets->sets[i], bits->words[i], bytes(sets));
	}
}

static bool asks_for(const struct rs_fd_sets *sets, const struct bits *bits, int fd)
{
	for (int i = 0; fd < sets->count && i < SETS; i++) {
		if (sets->sets[i] && has(bits->words[i], fd))
			return true;
	}
	return false;
}

bool rs_select_concerned(const struct rs_fd_sets *sets)
{
	const struct bits asked = bits_of(sets);
	unsigned next = 0;
	int fd;

	if (sets->count <= 0 || sets->count > BITS_MAX)
		return false;
	while ((fd = rs_pending_each(&next)) >= 0) {
		if (asks_for(sets, &asked, fd))
			return true;
	}
	return false;
}

/* ---- where all is plain ---- */

/*
 * Of a connection and of a failure select() tells the same, where the program asks whether it can
 * write. Only a failure can be read from, too, unless there is data already: so that is asked for
 * besides. It ends no wait sooner.
 */
struct plain {
	struct bits bits;    /* asked for, then reported */
	unsigned long *mine; /* of these, what is pending … */
	size_t from, to;     /* … which is in these words */
};

static int lowest(unsigned long word, size_t index)
{
	return (int)(index * WORD_BITS) + __builtin_ctzl(word);
}

static unsigned long pending_in(unsigned long word, size_t index)
{
	unsigned long found = 0;

	for (; word != 0; word &= word - 1) {
		if (rs_pending_has(lowest(word, index)))
			found |= word & -word;
	}
	return found;
}

static void find_mine_in(struct plain *plain, const unsigned long *asked, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (__builtin_expect(asked[i] == 0, 1))
			continue;
		plain->mine[i] |= pending_in(asked[i], i);
		if (!plain->mine[i])
			continue;
		plain->from = i < plain->from ? i : plain->from;
		plain->to = i < plain->to ? plain->to : i + 1;
	}
}

/* False: none of it is pending. */
static bool find_mine(struct plain *plain, const struct rs_fd_sets *sets)
{
	plain->from = words(sets);
	plain->to = 0;
	memset(plain->mine, 0, bytes(sets));
	for (int i = 0; i < SETS; i++) {
		if (sets->sets[i])
			find_mine_in(plain, bits_of(sets).words[i], words(sets));
	}
	return plain->to > 0;
}

/* What select() is to be asked; NULL where that is nothing. */
static void ask(struct plain *plain, const struct rs_fd_sets *sets, fd_set *asked[SETS])
{
	unsigned long *to_read = plain->bits.words[READ], *to_write = plain->bits.words[WRITE];

	copy_in(&plain->bits, sets);
	for (size_t i = plain->from; i < plain->to; i++)
		to_read[i] |= plain->mine[i] & to_write[i];
	for (int i = 0; i < SETS; i++)
		asked[i] = (fd_set *)(void *)plain->bits.words[i];
	if (!sets->sets[EXCEPT])
		asked[EXCEPT] = NULL;
}

static bool all_have_landed(unsigned long word, size_t index, uint32_t since)
{
	for (; word != 0; word &= word - 1) {
		if (!rs_flight_landed(lowest(word, index), since))
			return false;
	}
	return true;
}

static bool is_told_plainly(const struct plain *plain, bool excepts, uint32_t since)
{
	unsigned long *const *told = plain->bits.words;

	for (size_t i = plain->from; i < plain->to; i++) {
		if (plain->mine[i] & (told[READ][i] | (excepts ? told[EXCEPT][i] : 0)))
			return false;
		if (!all_have_landed(plain->mine[i] & told[WRITE][i], i, since))
			return false;
	}
	return true;
}

static int select_real(const struct rs_select_call *call, fd_set *const sets[SETS])
{
	if (call->is_pselect)
		return rs_real_pselect(call->sets.count, sets[READ], sets[WRITE], sets[EXCEPT],
				       call->timeout, call->mask);
	return rs_real_select(call->sets.count, sets[READ], sets[WRITE], sets[EXCEPT],
			      call->interval);
}

static bool select_in(unsigned long *room, const struct rs_select_call *call, int *ready)
{
	const struct rs_fd_sets *sets = &call->sets;
	uint32_t since = rs_pending_taken();
	struct plain plain = { .bits = bits_in(room, sets), .mine = room + SETS * words(sets) };
	fd_set *asked[SETS];

	if (!find_mine(&plain, sets)) {
		*ready = select_real(call, sets->sets);
		return true;
	}
	ask(&plain, sets, asked);
	*ready = select_real(call, asked);
	if (*ready > 0 && !is_told_plainly(&plain, sets->sets[EXCEPT], since))
		return false;
	/* After an error the program's sets are as they were. */
	if (*ready >= 0)
		copy_out(&plain.bits, sets);
	return true;
}

__attribute__((noinline)) static bool select_many(const struct rs_select_call *call, int *ready)
{
	unsigned long room[ROOM_FOR_MANY(SETS + 1)];

	return select_in(room, call, ready);
}

__attribute__((noinline)) static bool select_few(const struct rs_select_call *call, int *ready)
{
	unsigned long room[ROOM_FOR_FEW(SETS + 1)];

	return select_in(room, call, ready);
}

bool rs_select_plainly(const struct rs_select_call *call, int *ready)
{
	if (call->sets.count <= 0 || call->sets.count > BITS_MAX) {
		*ready = select_real(call, call->sets.sets);
		return true;
	}
	return are_few(&call->sets) ? select_few(call, ready) : select_many(call, ready);
}

/* ---- before the wait ---- */

static void clear_all(const struct rs_fd_sets *sets, const struct bits *bits, int fd)
{
	for (int i = 0; i < SETS; i++) {
		if (sets->sets[i])
			clear(bits->words[i], fd);
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

	copy_in(&selected->quiet, selected->program);
	selected->due_ns = RS_FOREVER;
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

	for (int i = 0; i < SETS; i++) {
		if (selected->program->sets[i] && has(selected->quiet.words[i], fd)) {
			clear(selected->quiet.words[i], fd);
			hidden++;
		}
	}
	return hidden;
}

static int report_one(struct selected *selected, int fd, int64_t now_ns)
{
	struct rs_pending *pending = rs_flight_hold(fd);
	enum rs_pending_stage stage;

	if (!pending)
		return 0;
	stage = rs_flight_advance(pending, now_ns, 0, NULL);
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
	ready = rs_real_pselect(selected->program->count, set_of(selected, READ),
				set_of(selected, WRITE), set_of(selected, EXCEPT),
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
		copy_out(&selected->quiet, selected->program);
	return ready;
}

static int wait_in(unsigned long *room, const struct rs_fd_sets *sets, struct rs_limit limit)
{
	struct selected selected = { .program = sets,
				     .asked = bits_of(sets),
				     .quiet = bits_in(room, sets) };
	struct rs_before before;
	int ready, error;

	rs_signals_hold_to_wait(&before);
	limit.before = &before;
	if (!limit.mask)
		limit.mask = &before.mask;
	ready = wait_all(&selected, &limit);
	error = errno;
	rs_signals_let(&before);
	errno = error;
	return ready;
}

__attribute__((noinline)) static int wait_for_many(const struct rs_fd_sets *sets,
						   struct rs_limit limit)
{
	unsigned long room[ROOM_FOR_MANY(SETS)];

	return wait_in(room, sets, limit);
}

__attribute__((noinline)) static int wait_for_few(const struct rs_fd_sets *sets,
						  struct rs_limit limit)
{
	unsigned long room[ROOM_FOR_FEW(SETS)];

	return wait_in(room, sets, limit);
}

int rs_wait_select(const struct rs_fd_sets *sets, struct rs_limit limit)
{
	return are_few(sets) ? wait_for_few(sets, limit) : wait_for_many(sets, limit);
}
