/*
 * A loop that has things of its own to do, and drives the multi handle after each of them.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

#include "harness.h"
#include "multi_case.h"

#define ROUNDS 500

/* How often the thread has gone to sleep of itself. */
static long sleeps(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw;
}

/* Until the first answer has come, where it says to wait for a second. */
static void let_it_wait(void)
{
	int64_t ends_ns = now_ns() + 300 * MS;

	while (now_ns() < ends_ns)
		multi_loop_round(&case_loop, 20);
}

/* For libcurl's descriptors, and one of its own at which there is always something. */
static void select_with(int own)
{
	fd_set reading, writing, failing;
	int highest = -1;

	FD_ZERO(&reading);
	FD_ZERO(&writing);
	FD_ZERO(&failing);
	(void)curl_multi_fdset(case_loop.multi, &reading, &writing, &failing, &highest);
	FD_SET(own, &reading);
	(void)select((highest > own ? highest : own) + 1, &reading, &writing, &failing, NULL);
}

static void go_round(const char *how, int own)
{
	long before = sleeps();
	int running = 0;

	for (int i = 0; i < ROUNDS; i++) {
		if (own >= 0)
			select_with(own);
		(void)curl_multi_perform(case_loop.multi, &running);
	}
	printf("%s: running %d, %s\n", how, running,
	       sleeps() - before < ROUNDS / 10 ? "busy" : "asleep");
}

void multi_busy(void)
{
	struct transfer t = { 0 };
	int own[2];

	if (pipe(own) != 0 || write(own[1], "x", 1) != 1)
		return;
	multi_set(&t, "/later");
	(void)curl_multi_add_handle(case_loop.multi, t.easy);
	let_it_wait();
	go_round("by itself", -1);
	go_round("by select", own[0]);
	multi_tell_message(multi_drive_to_message(), &t);
	(void)curl_multi_remove_handle(case_loop.multi, t.easy);
	curl_easy_cleanup(t.easy);
	(void)close(own[0]);
	(void)close(own[1]);
}
