#include "connect/pending.h"

#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "connect/pending_word.h"
#include "connect/socket.h"
#include "process.h"
#include "retry/ns.h"

/* From where its hash says: a descriptor's place is one of these many. */
#define PROBES  8
#define YIELDS  100
#define PATIENT (YIELDS + 2000) /* then naps of a millisecond */

/* Of the tally, and of what is special: what is counted above. */
#define ONCE ((uint64_t)1 << 32)

_Atomic uint64_t rs_pending_tally;
_Atomic uint64_t rs_pending_specials;
atomic_uint rs_pending_unseen;

static struct rs_pending places[RS_PENDING_MAX];
static _Atomic uint64_t words[RS_PENDING_MAX];
/* How far from where its hash says any place was ever taken. */
static atomic_uint reach = 1;

static unsigned place_at(int fd, unsigned probe)
{
	return ((unsigned)fd + probe) % RS_PENDING_MAX;
}

static uint64_t held_here(int fd)
{
	return rs_word_of(fd, (uint32_t)getpid(), RS_WORD_HELD);
}

static uint64_t word_at(unsigned place)
{
	return atomic_load_explicit(&words[place], memory_order_acquire);
}

static bool exchange(unsigned place, uint64_t from, uint64_t to)
{
	return atomic_compare_exchange_strong_explicit(&words[place], &from, to,
						       memory_order_acq_rel, memory_order_relaxed);
}

#define NOWHERE RS_PENDING_MAX

static unsigned find_further(int fd, unsigned probes, uint64_t *word)
{
	for (unsigned probe = 1; fd >= 0 && probe < probes; probe++) {
		*word = word_at(place_at(fd, probe));
		if (rs_word_fd(*word) == fd)
			return place_at(fd, probe);
	}
	*word = 0;
	return NOWHERE;
}

/* Mostly there, or nowhere. *word: what was seen of it; 0 where it is nowhere. */
static inline unsigned find(int fd, uint64_t *word)
{
	unsigned probes = atomic_load_explicit(&reach, memory_order_relaxed);

	*word = word_at(place_at(fd, 0));
	if (fd >= 0 && rs_word_fd(*word) == fd)
		return place_at(fd, 0);
	return find_further(fd, probes, word);
}

bool rs_pending_has(int fd)
{
	uint64_t word;

	return find(fd, &word) != NOWHERE;
}

bool rs_pending_may_be(int fd, enum rs_pending_stage stage)
{
	uint64_t word;

	(void)find(fd, &word);
	if (word & RS_WORD_HELD)
		return true;
	return rs_word_stage(word) == stage ||
	       (stage == RS_PENDING_FLYING && rs_word_is_plain(word));
}

/* The number of this taking, which is counted. */
static uint32_t count_in(bool is_more)
{
	uint64_t before =
		atomic_fetch_add_explicit(&rs_pending_tally, ONCE | is_more, memory_order_release);

	return (uint32_t)(before >> 32) + 1;
}

static void count_out(bool is_less)
{
	atomic_fetch_sub_explicit(&rs_pending_tally, is_less, memory_order_relaxed);
}

bool rs_pending_is_anothers(int fd)
{
	uint64_t word;

	(void)find(fd, &word);
	if (word == 0 || rs_word_is_plain(word))
		return false;
	return rs_word_number(word) != ((uint32_t)getpid() & RS_WORD_NUMBERS);
}

bool rs_pending_is_ours(const struct rs_pending *pending)
{
	return pending->process == getpid();
}

/* ---- one thread at a time ---- */

/* What a plain place does not say. */
static void fill(struct rs_pending *place)
{
	place->is_special = false;
	place->process = getpid();
	place->cookie = 0;
	place->state = (struct rs_call_state){ .attempts = 1 };
	place->attempt_ns = 0;
	place->ends_ns = RS_FOREVER;
	place->error = 0;
	place->kernel_tells = false;
	place->rules = NULL;
	place->rule = NULL;
	place->history.count = 0;
	place->absent = -1;
	place->is_left = false;
	place->registrations = 0;
	place->stage = RS_PENDING_FLYING;
}

static bool is_plain(const struct rs_pending *place)
{
	return place->stage == RS_PENDING_FLYING && place->state.attempts == 1 &&
	       place->cookie == 0 && place->ends_ns == RS_FOREVER;
}

static void count_special(struct rs_pending *place, bool is_special)
{
	if (place->is_special == is_special)
		return;
	place->is_special = is_special;
	if (is_special)
		atomic_fetch_add_explicit(&rs_pending_specials, ONCE | 1, memory_order_release);
	else
		atomic_fetch_sub_explicit(&rs_pending_specials, 1, memory_order_relaxed);
}

static struct rs_pending *try_hold(unsigned place, uint64_t word, uint64_t held)
{
	if (!exchange(place, word, held))
		return NULL;
	if (rs_word_is_plain(word))
		fill(&places[place]);
	return &places[place];
}

/* On a busy machine a holder may have to wait for a processor: a thread that only yields takes it
 * from the very one that it waits for. */
static void give_way(int round)
{
	const struct timespec nap = { .tv_nsec = RS_NS_PER_MS };

	if (round < YIELDS)
		sched_yield();
	else
		syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &nap, NULL);
}

/* Another process may be one that shares its memory with this one for a while (vfork), and lets go;
 * or the one that we were forked from, and nobody here ever will. */
static bool is_held(uint64_t word, uint64_t here, int round)
{
	return (word & RS_WORD_HELD) && (word == here || round < YIELDS);
}

/* NULL: it is another one's, or its holder does not let go. */
static struct rs_pending *hold(unsigned place, int fd)
{
	uint64_t here = held_here(fd);
	struct rs_pending *held;

	for (int i = 0; i < PATIENT; i++) {
		uint64_t word = word_at(place);

		if (rs_word_fd(word) != fd)
			return NULL;
		if (!is_held(word, here, i) && (held = try_hold(place, word, here)))
			return held;
		give_way(i);
	}
	return NULL;
}

struct rs_pending *rs_pending_hold(int fd)
{
	uint64_t word;
	unsigned place = find(fd, &word);

	return place == NOWHERE ? NULL : hold(place, fd);
}

void rs_pending_release(struct rs_pending *pending)
{
	unsigned place = (unsigned)(pending - places);
	bool plain = is_plain(pending);

	if (pending->stage == RS_PENDING_NONE) {
		rs_errand_abandon(&pending->errand);
		count_special(pending, false);
		atomic_store_explicit(&words[place], 0, memory_order_release);
		count_out(true);
		return;
	}
	count_special(pending, !plain);
	atomic_store_explicit(&words[place],
			      plain ? rs_word_of(pending->fd, pending->number, RS_WORD_PLAIN)
				    : (word_at(place) & ~(uint64_t)RS_WORD_HELD) | pending->stage,
			      memory_order_release);
}

/* ---- coming in ---- */

/* The first 32 bytes at most, which is all of an Internet address, in moves that may overlap. */
static inline void copy_address(void *to, const void *from, socklen_t len)
{
	if (__builtin_expect(len < 16 || len > 32, 0)) {
		memcpy(to, from, len);
		return;
	}
	memcpy(to, from, 16);
	memcpy((char *)to + len - 16, (const char *)from + len - 16, 16);
}

static inline void write_down(struct rs_pending *place, const struct rs_connect *call,
			      const void *addr, uint32_t number)
{
	place->fd = call->fd;
	place->number = number;
	place->unseen = atomic_load_explicit(&rs_pending_unseen, memory_order_relaxed);
	place->len = call->len;
	place->began = call->began;
	copy_address(&place->addr, addr, call->len);
}

static void reach_out(unsigned probes)
{
	unsigned before = atomic_load_explicit(&reach, memory_order_relaxed);

	while (before < probes && !atomic_compare_exchange_weak(&reach, &before, probes))
		;
}

static unsigned find_free_further(int fd)
{
	for (unsigned probe = 1; probe < PROBES; probe++) {
		if (word_at(place_at(fd, probe)) != 0)
			continue;
		reach_out(probe + 1);
		return place_at(fd, probe);
	}
	return NOWHERE;
}

static inline unsigned find_free(int fd)
{
	return word_at(place_at(fd, 0)) == 0 ? place_at(fd, 0) : find_free_further(fd);
}

/* Claim the place, which is free, or plain: an earlier connect may have gone by without our being
 * told. Nobody finds it then. */
static bool claim(unsigned place, uint64_t before, uint32_t *number)
{
	*number = count_in(before == 0);
	if (exchange(place, before, rs_word_of(RS_WORD_NOBODY, *number, RS_WORD_PLAIN)))
		return true;
	count_out(before == 0);
	return false;
}

bool rs_pending_note(const struct rs_connect *call)
{
	uint64_t before;
	unsigned place = find(call->fd, &before);
	uint32_t number;

	if (place == NOWHERE)
		place = find_free(call->fd);
	if (place == NOWHERE || (before != 0 && !rs_word_is_plain(before)) ||
	    !claim(place, before, &number))
		return false;
	write_down(&places[place], call, call->addr, number);
	atomic_store_explicit(&words[place], rs_word_of(call->fd, number, RS_WORD_PLAIN),
			      memory_order_release);
	return true;
}

enum rs_pending_taking rs_pending_take_plain(int fd, uint32_t since)
{
	uint64_t word;
	unsigned place = find(fd, &word);
	uint32_t older = (since - rs_word_number(word)) & RS_WORD_NUMBERS;

	if (place == NOWHERE)
		return RS_PENDING_NOT_THERE;
	if (!rs_word_is_plain(word) || older > RS_WORD_NUMBERS / 2 || !exchange(place, word, 0))
		return RS_PENDING_NOT_PLAIN;
	count_out(true);
	return RS_PENDING_TOOK;
}

/* ---- coming in, held ---- */

static struct rs_pending *take_free(int fd)
{
	unsigned place = find_free(fd);
	uint32_t number;

	if (place == NOWHERE)
		return NULL;
	number = count_in(true);
	if (!exchange(place, 0, held_here(fd))) {
		count_out(true);
		return NULL;
	}
	places[place].number = number;
	places[place].is_special = false;
	return &places[place];
}

/* Sockets that the program has closed without a word leave their places to the next. */
static void drop_closed(int fd)
{
	for (unsigned probe = 0; probe < PROBES; probe++) {
		struct rs_pending *place =
			rs_pending_hold(rs_word_fd(word_at(place_at(fd, probe))));

		if (!place)
			continue;
		if (place->cookie != 0 && rs_socket_cookie(place->fd) != place->cookie)
			place->stage = RS_PENDING_NONE;
		rs_pending_release(place);
	}
}

static struct rs_pending *take(int fd)
{
	struct rs_pending *place = rs_pending_hold(fd);

	if (!place)
		place = take_free(fd);
	if (place)
		return place;
	drop_closed(fd);
	return take_free(fd);
}

struct rs_pending *rs_pending_add(const struct rs_connect *call,
				  const struct sockaddr_storage *addr)
{
	uint64_t cookie = rs_socket_cookie(call->fd);
	struct rs_pending *place = cookie != 0 ? take(call->fd) : NULL;

	if (!place)
		return NULL;
	rs_errand_abandon(&place->errand);
	count_special(place, false);
	fill(place);
	write_down(place, call, addr, place->number);
	place->cookie = cookie;
	return place;
}

/* ---- all of them ---- */

int rs_pending_each(unsigned *next)
{
	while (*next < RS_PENDING_MAX) {
		int fd = rs_word_fd(word_at((*next)++));

		if (fd >= 0)
			return fd;
	}
	return -1;
}

bool rs_pending_is_place(uint64_t address)
{
	return address >= (uintptr_t)places && address < (uintptr_t)(places + RS_PENDING_MAX);
}
