#include "resolve/lookup.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "mark.h"
#include "ops/events.h"
#include "pause.h"
#include "process.h"
#include "retry/match.h"

int rs_eai_of_h_errno(int error)
{
	switch (error) {
	case HOST_NOT_FOUND:
		return EAI_NONAME;
	case TRY_AGAIN:
		return EAI_AGAIN;
	case NO_RECOVERY:
		return EAI_FAIL;
	case NO_DATA:
		return EAI_NODATA;
	default:
		return EAI_SYSTEM;
	}
}

static uint16_t port_of(const char *service)
{
	char *end;
	unsigned long port = service ? strtoul(service, &end, 10) : 0;

	return port > 0 && port <= UINT16_MAX && *end == '\0' ? (uint16_t)port : 0;
}

static struct rs_target target_of(const struct rs_lookup *lookup)
{
	return (struct rs_target){
		.call = RS_CALL_RESOLVE,
		.host = { lookup->host, strlen(lookup->host) },
		.port = port_of(lookup->service),
		.program = rs_program_name(),
	};
}

static bool begin(struct rs_lookup *lookup)
{
	if (lookup->rules)
		return true;
	lookup->rules = rs_process_rules_at_failure();
	if (!lookup->rules || (lookup->rules->calls & 1u << RS_CALL_RESOLVE) == 0)
		return false;
	rs_call_begin(&lookup->state, rs_mark_ns(lookup->began));
	return true;
}

/* A wait that is to end early is reported as such. */
static void report_cancelled(const struct rs_lookup *lookup, const struct rs_target *target,
			     const struct rs_outcome *outcome)
{
	static const struct rs_decision cancelled = {
		.action = RS_ACTION_EXHAUSTED,
		.reason = RS_REASON_CANCELLED,
	};

	rs_event_decision(lookup->rules, lookup->state.last_rule, target, outcome, &lookup->state,
			  &cancelled, rs_now_ns());
}

static bool judge_and_wait(struct rs_lookup *lookup, const struct rs_outcome *outcome,
			   const sigset_t *mask)
{
	const struct rs_rules *rules = lookup->rules;
	const struct rs_target target = target_of(lookup);
	const struct rs_rule *rule;
	struct rs_decision decision;
	struct rs_circumstances now = {
		.replayable = true,
		.now_ns = rs_now_ns(),
		.wall_now_ns = rs_wall_now_ns(),
		.random = rs_random(rules),
		.target = &target,
	};

	if (rs_match(rules, &target, outcome, RS_KNOWN_ALL, &rule) != RS_MATCH_RULE)
		return false;
	decision = rs_decide(rules, rule, &lookup->state, outcome, &now);
	rs_event_decision(rules, rule, &target, outcome, &lookup->state, &decision, now.now_ns);
	if (rules->settings.mode == RS_MODE_OBSERVE) {
		rs_call_unpaid(&lookup->state, now.now_ns);
		return false;
	}
	if (decision.action != RS_ACTION_RETRY && decision.action != RS_ACTION_RECOVER)
		return false;
	if (rs_pause(decision.wait_ns, mask))
		return true;
	report_cancelled(lookup, &target, outcome);
	return false;
}

bool rs_lookup_again(struct rs_lookup *lookup, int eai, int sys_errno)
{
	struct rs_outcome outcome = {
		.error = eai,
		.sys_errno = eai == EAI_SYSTEM ? sys_errno : 0,
		.never_sent = true,
	};
	int saved_errno = errno;
	sigset_t mask;
	bool again;

	if (!lookup->host || !begin(lookup))
		return false;
	lookup->state.attempts++;
	rs_signals_hold(&mask);
	again = judge_and_wait(lookup, &outcome, &mask);
	rs_signals_let(&mask);
	errno = saved_errno;
	return again;
}

void rs_lookup_succeeded(const struct rs_lookup *lookup)
{
	struct rs_call_state state = lookup->state;
	struct rs_target target;

	if (!lookup->rules)
		return;
	target = target_of(lookup);
	state.attempts++;
	rs_call_succeeded(lookup->rules, &state, &target, rs_now_ns());
	rs_event_recovered(lookup->rules, &target, &state, rs_now_ns());
}
