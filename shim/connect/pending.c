#include "connect/pending.h"

#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "connect/socket.h"
#include "process.h"
#include "retry/ns.h"

/* From where its hash says: a descriptor's place is one of these many. */
#define PROBES  8
#define YIELDS  100
#define PATIENT (YIELDS + 2000) /* then naps of a millisecond */

/* A place's word: a stage, or held by a process. */
#define HELD      0x80000000U
#define HELD_HERE (HELD | (uint32_t)getpid())

atomic_int rs_pending_count;
atomic_uint rs_pending_taken;

static struct rs_pending places[RS_PENDING_MAX];
/* The descriptor of each place, + 1: together, since most look-ups end here. */
static atomic_int descriptors[RS_PENDING_MAX];

static unsigned place_at(int fd, unsigned probe)
{
	return ((unsigned)fd + probe) % RS_PENDING_MAX;
}

static int descriptor_of(unsigned place)
{
	return atomic_load_explicit(&descriptors[place], memory_order_acquire) - 1;
}

static struct rs_pending *find(int fd)
{
	for (unsigned probe = 0; fd >= 0 && probe < PROBES; probe++) {
		if (descriptor_of(place_at(fd, probe)) == fd)
			return &places[place_at(fd, probe)];
	}
	return NULL;
}

bool rs_pending_has(int fd)
{
	return find(fd) != NULL;
}

bool rs_pending_may_be(int fd, enum rs_pending_stage stage)
{
	const struct rs_pending *place = find(fd);
	uint32_t word = place ? atomic_load_explicit(&place->word, memory_order_acquire) : 0;

	return word == stage || (word & HELD) != 0;
}

/* ---- one thread at a time ---- */

static bool try_hold(struct rs_pending *place, uint32_t word)
{
	return atomic_compare_exchange_strong_explicit(&place->word, &word, HELD_HERE,
						       memory_order_acquire, memory_order_relaxed);
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

/* False: it is free, or its holder does not let go. */
static bool hold(struct rs_pending *place)
{
	for (int i = 0; i < PATIENT; i++) {
		uint32_t word = atomic_load_explicit(&place->word, memory_order_relaxed);

		if (word == RS_PENDING_NONE)
			return false;
		/* Held in the process that we were forked from: nobody here will release it. */
		if (((word & HELD) == 0 || word != HELD_HERE) && try_hold(place, word))
			return true;
		give_way(i);
	}
	return false;
}

struct rs_pending *rs_pending_hold(int fd)
{
	struct rs_pending *place = find(fd);

	if (!place || !hold(place))
		return NULL;
	if (place->fd == fd)
		return place;
	rs_pending_release(place);
	return NULL;
}

void rs_pending_release(struct rs_pending *pending)
{
	if (pending->stage == RS_PENDING_NONE) {
		rs_errand_abandon(&pending->errand);
		atomic_store_explicit(&descriptors[pending - places], 0, memory_order_release);
		atomic_fetch_sub_explicit(&rs_pending_count, 1, memory_order_relaxed);
	}
	atomic_store_explicit(&pending->word, pending->stage, memory_order_release);
}

/* ---- coming in ---- */

static struct rs_pending *take_free(int fd)
{
	for (unsigned probe = 0; probe < PROBES; probe++) {
		struct rs_pending *place = &places[place_at(fd, probe)];

		if (atomic_load_explicit(&place->word, memory_order_relaxed) == RS_PENDING_NONE &&
		    try_hold(place, RS_PENDING_NONE)) {
			atomic_fetch_add_explicit(&rs_pending_taken, 1, memory_order_relaxed);
			atomic_fetch_add_explicit(&rs_pending_count, 1, memory_order_release);
			return place;
		}
	}
	return NULL;
}

/* A socket that the program has closed without a word leaves its place to the next. */
static void drop_closed(int fd)
{
	for (unsigned probe = 0; probe < PROBES; probe++) {
		int other = descriptor_of(place_at(fd, probe));
		struct rs_pending *place = rs_pending_hold(other);

		if (!place)
			continue;
		if (rs_socket_cookie(other) != place->cookie)
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

static void fill(struct rs_pending *place, const struct rs_connect *call)
{
	rs_errand_abandon(&place->errand);
	place->stage = RS_PENDING_FLYING;
	place->fd = call->fd;
	place->began = call->began;
	place->len = call->len;
	place->state = (struct rs_call_state){ .attempts = 1 };
	place->attempt_ns = 0;
	place->ends_ns = RS_FOREVER;
	place->error = 0;
	place->rules = NULL;
	place->rule = NULL;
	place->history.count = 0;
	place->registrations = 0;
}

struct rs_pending *rs_pending_add(const struct rs_connect *call,
				  const struct sockaddr_storage *addr)
{
	struct rs_pending *place;
	uint64_t cookie = rs_socket_cookie(call->fd);

	place = cookie != 0 ? take(call->fd) : NULL;
	if (!place)
		return NULL;
	fill(place, call);
	place->cookie = cookie;
	place->addr = *addr;
	atomic_store_explicit(&descriptors[place - places], call->fd + 1, memory_order_release);
	return place;
}

/* ---- all of them ---- */

int rs_pending_each(unsigned *next)
{
	while (*next < RS_PENDING_MAX) {
		int fd = descriptor_of((*next)++);

		if (fd >= 0)
			return fd;
	}
	return -1;
}

bool rs_pending_is_place(uint64_t address)
{
	return address >= (uintptr_t)places && address < (uintptr_t)(places + RS_PENDING_MAX);
}
