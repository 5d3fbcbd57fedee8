#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "contention.h"
#include "retry/backoff.h"
#include "retry/ns.h"

/* What a client does next, once its message has arrived or its wait is over. */
enum step {
	READ_ARRIVES,
	VERSION_ARRIVES,
	WRITE_ARRIVES,
	ANSWER_ARRIVES,
	DONE,
};

struct client {
	enum step next;
	int64_t at_ns;
	int version; /* that it has read */
	bool success;
	int32_t failures;
	int64_t previous_ns; /* its last wait */
	uint64_t random;
};

struct row {
	int version;
	int writes;
};

static int64_t wait_after_failure(struct client *client, const struct rs_policy *policy)
{
	client->failures++;
	if (!policy)
		return 0;
	client->previous_ns = rs_backoff_jittered_ns(policy, client->failures, client->previous_ns,
						     next_random(&client->random));
	return client->previous_ns;
}

static bool compare_and_set(struct row *row, int version)
{
	row->writes++;
	if (row->version != version)
		return false;
	row->version++;
	return true;
}

/* ---- in virtual time ---- */

static void step(struct client *client, struct row *row, const struct rs_policy *policy)
{
	int64_t wait_ns = 0;

	switch (client->next) {
	case READ_ARRIVES:
		client->version = row->version;
		client->next = VERSION_ARRIVES;
		break;
	case VERSION_ARRIVES:
		client->next = WRITE_ARRIVES;
		break;
	case WRITE_ARRIVES:
		client->success = compare_and_set(row, client->version);
		client->next = ANSWER_ARRIVES;
		break;
	case ANSWER_ARRIVES:
		client->next = client->success ? DONE : READ_ARRIVES;
		if (client->success)
			return;
		wait_ns = wait_after_failure(client, policy);
		break;
	case DONE:
		return;
	}
	client->at_ns += wait_ns + hop_ns(&client->random);
}

static struct client *earliest(struct client *clients, int count)
{
	struct client *found = NULL;

	for (int i = 0; i < count; i++) {
		if (clients[i].next != DONE && (!found || clients[i].at_ns < found->at_ns))
			found = &clients[i];
	}
	return found;
}

static void begin(struct client *client, uint64_t seed, int number)
{
	*client = (struct client){ .random = seed * 1000003 + (uint64_t)number };
}

struct result simulate(int count, const struct rs_policy *policy, uint64_t seed)
{
	struct client clients[MOST], *next;
	struct row row = { 0, 0 };
	int64_t end_ns = 0;

	for (int i = 0; i < count; i++) {
		begin(&clients[i], seed, i);
		clients[i].at_ns = hop_ns(&clients[i].random);
	}
	while ((next = earliest(clients, count))) {
		end_ns = next->at_ns;
		step(next, &row, policy);
	}
	return (struct result){ row.writes, (double)end_ns / (double)RS_NS_PER_MS };
}

/* ---- with threads ---- */

struct shared {
	pthread_mutex_t lock;
	struct row row;
	const struct rs_policy *policy;
};

struct thread {
	pthread_t id;
	struct client client;
	struct shared *shared;
};

static void pause_for(int64_t ns)
{
	const struct timespec wait = { .tv_sec = ns / RS_NS_PER_S, .tv_nsec = ns % RS_NS_PER_S };

	nanosleep(&wait, NULL);
}

static bool try_once(struct client *client, struct shared *shared)
{
	pause_for(hop_ns(&client->random));
	pthread_mutex_lock(&shared->lock);
	client->version = shared->row.version;
	pthread_mutex_unlock(&shared->lock);
	pause_for(hop_ns(&client->random) + hop_ns(&client->random));
	pthread_mutex_lock(&shared->lock);
	client->success = compare_and_set(&shared->row, client->version);
	pthread_mutex_unlock(&shared->lock);
	pause_for(hop_ns(&client->random));
	return client->success;
}

static void *run_client(void *arg)
{
	struct thread *thread = arg;

	while (!try_once(&thread->client, thread->shared))
		pause_for(wait_after_failure(&thread->client, thread->shared->policy));
	return NULL;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * RS_NS_PER_S + now.tv_nsec;
}

struct result with_threads(int count, const struct rs_policy *policy, uint64_t seed)
{
	struct shared shared = { .lock = PTHREAD_MUTEX_INITIALIZER, .policy = policy };
	struct thread threads[MOST];
	int64_t began_ns = now_ns();
	int started = 0;

	for (int i = 0; i < count; i++) {
		begin(&threads[i].client, seed, i);
		threads[i].shared = &shared;
		started += pthread_create(&threads[i].id, NULL, run_client, &threads[i]) == 0;
	}
	for (int i = 0; i < started; i++)
		pthread_join(threads[i].id, NULL);
	return (struct result){ shared.row.writes,
				(double)(now_ns() - began_ns) / (double)RS_NS_PER_MS };
}
