#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ops/command_run.h"
#include "ops/events.h"
#include "ops/flight.h"
#include "process.h"

/* How often somebody who waits for another call's run looks whether it is over. */
#define LOOK_NS (10 * RS_NS_PER_MS)

/* How much longer than its command a run may take. */
#define RUN_PATIENCE_NS (5 * RS_NS_PER_S)

/* In place of a run for which there was no memory: it has mended nothing. */
static struct rs_recovery not_run;

void rs_recovery_release(struct rs_recovery *recovery)
{
	struct rs_hook_result result;

	if (!recovery || recovery == &not_run || atomic_fetch_sub(&recovery->users, 1) > 1)
		return;
	result = (struct rs_hook_result){ .memory = recovery->memory };
	rs_hook_release(&result);
	munmap(recovery, sizeof(*recovery));
}

struct rs_span rs_recovery_shown(const struct rs_recovery *recovery)
{
	if (!recovery || recovery->cancelled)
		return (struct rs_span){ NULL, 0 };
	return (struct rs_span){ recovery->shown, recovery->shown_len };
}

static void note_bad_line(struct rs_recovery *recovery, int number)
{
	struct rs_line line = { .text = recovery->why, .size = sizeof(recovery->why) - 1 };

	rs_line_text(&line, "line ");
	rs_line_int(&line, number);
	rs_line_text(&line, " is no set-header, remove-header or set-url");
	recovery->why[line.len] = '\0';
}

static void judge(struct rs_recovery *recovery, const struct rs_hook_result *result)
{
	struct rs_line shown = { .text = recovery->shown, .size = sizeof(recovery->shown) };
	int bad;

	recovery->ended_ns = rs_now_ns();
	recovery->memory = result->memory;
	recovery->cancelled = result->end == RS_HOOK_CANCELLED;
	rs_edits_show(result->output, &shown);
	recovery->shown_len = shown.len;
	rs_command_why(result, recovery->why, sizeof(recovery->why));
	if (recovery->why[0])
		return;
	bad = rs_edits_parse((char *)result->output.at, result->output.len, &recovery->edits);
	if (bad)
		note_bad_line(recovery, bad);
	else if (result->cut)
		memcpy(recovery->why, "too long an output", sizeof("too long an output"));
	recovery->mended = !recovery->why[0];
}

/* NULL: no memory. */
static struct rs_recovery *conclude(struct rs_hook_result *result)
{
	struct rs_recovery *recovery = mmap(NULL, sizeof(*recovery), PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (recovery == MAP_FAILED) {
		rs_hook_release(result);
		return NULL;
	}
	atomic_init(&recovery->users, 1);
	judge(recovery, result);
	return recovery;
}

static struct rs_recovery *run(const struct rs_incident *incident,
			       const struct rs_patience *patience)
{
	struct rs_hook_result result;

	rs_command_run(incident, incident->rule->recover, patience, &result);
	return conclude(&result);
}

static enum rs_flight_role board(const struct rs_flight_key *key,
				 const struct rs_incident *incident, int64_t attempt_ns,
				 struct rs_recovery **recovery)
{
	int64_t run_ns = rs_ns_add(incident->rules->settings.hook_timeout_ns, RUN_PATIENCE_NS);

	return rs_flight_board(key, attempt_ns, rs_ns_add(rs_now_ns(), run_ns), recovery);
}

/* Not a cancellation point. */
static void doze(void)
{
	const struct timespec look = { .tv_nsec = LOOK_NS };

	(void)syscall(SYS_nanosleep, &look, NULL);
}

static struct rs_recovery *recover(const struct rs_incident *incident, int64_t attempt_ns,
				   const struct rs_patience *patience)
{
	const struct rs_flight_key key = rs_flight_key_of(incident);
	struct rs_recovery *recovery = NULL;
	enum rs_flight_role role;

	while ((role = board(&key, incident, attempt_ns, &recovery)) == RS_FLIGHT_WAITS) {
		if (patience->go_on && !patience->go_on(patience->arg))
			return NULL;
		doze();
	}
	if (role == RS_FLIGHT_SHARES)
		return recovery;
	recovery = run(incident, patience);
	if (role == RS_FLIGHT_RUNS)
		rs_flight_land(&key, recovery);
	return recovery ? recovery : &not_run;
}

/* One that was given up is as good as none. */
static struct rs_recovery *told(const struct rs_incident *incident, struct rs_recovery *recovery)
{
	if (!recovery || recovery->cancelled) {
		rs_recovery_release(recovery);
		return NULL;
	}
	rs_event_command(incident, recovery == &not_run ? "no memory" : recovery->why, rs_now_ns());
	return recovery;
}

struct rs_recovery *rs_recover(const struct rs_incident *incident, int64_t attempt_ns,
			       const struct rs_patience *patience)
{
	return told(incident, recover(incident, attempt_ns, patience));
}

bool rs_recover_beside(struct rs_errand *errand, const struct rs_incident *incident,
		       int64_t attempt_ns, struct rs_recovery **recovery)
{
	struct rs_hook_result result;

	*recovery = NULL;
	if (!errand->runs) {
		errand->key = rs_flight_key_of(incident);
		errand->shared = true;
		switch (board(&errand->key, incident, attempt_ns, recovery)) {
		case RS_FLIGHT_WAITS:
		case RS_FLIGHT_NESTED:
			return false;
		case RS_FLIGHT_SHARES:
			*recovery = told(incident, *recovery);
			return true;
		case RS_FLIGHT_RUNS:
			rs_command_start(incident, incident->rule->recover, &errand->job);
			errand->runs = true;
		}
	}
	if (!rs_hook_is_over(&errand->job))
		return false;
	rs_hook_finish(&errand->job, &result);
	errand->runs = false;
	*recovery = conclude(&result);
	rs_flight_land(&errand->key, *recovery);
	*recovery = told(incident, *recovery);
	return true;
}

bool rs_errand_is_ours(const struct rs_errand *errand)
{
	return errand->runs && errand->job.program == getpid();
}

void rs_errand_abandon(struct rs_errand *errand)
{
	if (!errand->runs)
		return;
	rs_hook_abandon(&errand->job);
	errand->runs = false;
	if (errand->shared)
		rs_flight_land(&errand->key, NULL);
}
