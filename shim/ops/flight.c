#include "ops/flight.h"

#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process.h"

/* A table full of runs only means that the next run is not shared. */
#define FLIGHTS 16

struct flight {
	struct rs_flight_key key;
	int runner;       /* the process that runs it; 0: nobody does */
	int thread;       /* the one of its threads */
	int64_t until_ns; /* then a run counts as given up: its thread has been left by a jump */
	struct rs_recovery *last;
};

static struct flight flights[FLIGHTS];
static atomic_int holder; /* the process that holds the lock; 0: nobody does */

#define FOREIGN_YIELDS 100

/* Another process's number is the parent's, whose thread does not exist here. But in a child of
 * vfork() it does, and lets go soon. */
static void lock(sigset_t *mask)
{
	sigset_t all;
	int self = getpid(), seen = 0, foreign = 0;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, mask);
	while (!atomic_compare_exchange_weak(&holder, &seen, self)) {
		if (seen == 0 || seen == self || foreign++ < FOREIGN_YIELDS) {
			seen = 0;
			sched_yield();
		}
	}
}

static void unlock(const sigset_t *mask)
{
	int self = getpid();

	(void)atomic_compare_exchange_strong(&holder, &self, 0); /* unless it was taken over */
	sigprocmask(SIG_SETMASK, mask, NULL);
}

static int this_thread(void)
{
	return (int)syscall(SYS_gettid);
}

static bool is_flying(const struct flight *flight)
{
	return flight->runner == getpid() && rs_now_ns() < flight->until_ns;
}

static bool same_key(const struct rs_flight_key *a, const struct rs_flight_key *b)
{
	return a->rule == b->rule && a->target == b->target;
}

/* The flight of that key, or NULL. */
static struct flight *find(const struct rs_flight_key *key)
{
	for (size_t i = 0; i < FLIGHTS; i++) {
		if (same_key(&flights[i].key, key))
			return &flights[i];
	}
	return NULL;
}

static int64_t age_of(const struct flight *flight)
{
	return flight->last ? flight->last->ended_ns : INT64_MIN;
}

/* A place for a new flight: the one that has landed longest ago; NULL where all are flying. */
static struct flight *vacate(void)
{
	struct flight *oldest = NULL;

	for (size_t i = 0; i < FLIGHTS; i++) {
		if (!is_flying(&flights[i]) && (!oldest || age_of(&flights[i]) < age_of(oldest)))
			oldest = &flights[i];
	}
	if (oldest) {
		rs_recovery_release(oldest->last);
		*oldest = (struct flight){ .runner = 0 };
	}
	return oldest;
}

/* Has the last run helped a call that failed meanwhile? Where it leads to another place, that is in
 * the place of what it was run for, and of nothing else. */
static bool serves(const struct rs_recovery *last, const struct rs_flight_key *key,
		   int64_t attempt_ns)
{
	return last && last->ended_ns >= attempt_ns &&
	       (last->url == key->url || !rs_edits_url(&last->edits));
}

static enum rs_flight_role board(const struct rs_flight_key *key, int64_t attempt_ns,
				 int64_t until_ns, struct rs_recovery **recovery)
{
	struct flight *flight = find(key);

	if (flight && is_flying(flight))
		return flight->thread == this_thread() ? RS_FLIGHT_NESTED : RS_FLIGHT_WAITS;
	if (flight && serves(flight->last, key, attempt_ns)) {
		atomic_fetch_add(&flight->last->users, 1);
		*recovery = flight->last;
		return RS_FLIGHT_SHARES;
	}
	if (!flight)
		flight = vacate();
	if (flight) {
		flight->key = *key;
		flight->runner = getpid();
		flight->thread = this_thread();
		flight->until_ns = until_ns;
	}
	return RS_FLIGHT_RUNS;
}

enum rs_flight_role rs_flight_board(const struct rs_flight_key *key, int64_t attempt_ns,
				    int64_t until_ns, struct rs_recovery **recovery)
{
	enum rs_flight_role role;
	sigset_t mask;

	lock(&mask);
	role = board(key, attempt_ns, until_ns, recovery);
	unlock(&mask);
	return role;
}

void rs_flight_land(const struct rs_flight_key *key, struct rs_recovery *recovery)
{
	struct flight *flight;
	sigset_t mask;

	lock(&mask);
	flight = find(key);
	if (flight && flight->runner == getpid()) {
		flight->runner = 0;
		if (recovery && !recovery->cancelled) {
			rs_recovery_release(flight->last);
			atomic_fetch_add(&recovery->users, 1);
			recovery->url = key->url;
			flight->last = recovery;
		}
	}
	unlock(&mask);
}

/* FNV-1a. */
static uint64_t hash(uint64_t seed, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < len; i++)
		seed = (seed ^ at[i]) * UINT64_C(0x100000001b3);
	return seed;
}

struct rs_flight_key rs_flight_key_of(const struct rs_incident *incident)
{
	const struct rs_target *target = incident->target;
	const uint64_t empty = UINT64_C(0xcbf29ce484222325);
	uint64_t sum = empty;

	sum = hash(sum, target->host.at, target->host.len);
	sum = hash(sum, &target->port, sizeof(target->port));
	sum = hash(sum, target->address.ip, sizeof(target->address.ip));
	sum = hash(sum, target->address.path.at, target->address.path.len);
	return (struct rs_flight_key){
		.rule = incident->rule,
		.target = sum,
		.url = hash(empty, target->url.at, target->url.len),
	};
}
