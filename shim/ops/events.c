#include "ops/events.h"

#include "ops/cause_text.h"
#include "ops/log.h"
#include "ops/stats.h"
#include "ops/target_text.h"
#include "retry/ns.h"

static const char *action_name(enum rs_action action)
{
	switch (action) {
	case RS_ACTION_RETRY:
		return "retry";
	case RS_ACTION_EXHAUSTED:
		return "exhausted";
	case RS_ACTION_PERMANENT:
		return "permanent";
	case RS_ACTION_RECOVER:
		return "recover";
	case RS_ACTION_FOLLOWUP:
		return "followup";
	}
	return "";
}

static bool observes(const struct rs_rules *rules)
{
	return rules->settings.mode == RS_MODE_OBSERVE;
}

/* A retry that may still help is no news at the default level; what is only observed is, since
 * to be told is why it was asked for. */
static enum rs_log_level level_of(const struct rs_rules *rules, enum rs_action action)
{
	if (!observes(rules) && (action == RS_ACTION_RETRY || action == RS_ACTION_RECOVER))
		return RS_LOG_INFO;
	return RS_LOG_WARN;
}

static void put_cause(struct rs_log_line *line, const struct rs_target *target,
		      const struct rs_outcome *outcome)
{
	const struct rs_cause cause = rs_cause_of(target->call, outcome);
	char buf[RS_CAUSE_TEXT_SIZE];

	if (rs_cause_is_status(&cause))
		rs_log_int(line, "cause", cause.status);
	else
		rs_log_span(line, "cause", rs_cause_text(&cause, buf));
}

/* rule call method target: what the event is about. */
static void put_subject(struct rs_log_line *line, const struct rs_rule *rule,
			const struct rs_target *target)
{
	char buf[RS_TARGET_TEXT_SIZE];

	if (rule)
		rs_log_str(line, "rule", rule->name);
	rs_log_str(line, "call", rs_call_name(target->call));
	if (target->method.len > 0)
		rs_log_span(line, "method", target->method);
	rs_log_span(line, "target", rs_target_text(target, buf));
}

static void put_attempt(struct rs_log_line *line, const struct rs_rule *rule,
			const struct rs_call_state *state)
{
	rs_log_int(line, "attempt", state->attempts);
	if (rule->policy.max_attempts == RS_UNLIMITED)
		rs_log_str(line, "of", "unlimited");
	else
		rs_log_int(line, "of", rule->policy.max_attempts);
}

static void put_elapsed(struct rs_log_line *line, const struct rs_call_state *state, int64_t now_ns)
{
	rs_log_int(line, "elapsed_ms", (now_ns - state->started_ns) / RS_NS_PER_MS);
}

static void put_decision(struct rs_log_line *line, const struct rs_call_state *state,
			 const struct rs_decision *decision, int64_t now_ns)
{
	bool waits = decision->action == RS_ACTION_RETRY || decision->action == RS_ACTION_RECOVER;

	if (waits)
		rs_log_int(line, "wait_ms", decision->wait_ns / RS_NS_PER_MS);
	if (waits && decision->quota_left >= 0)
		rs_log_int(line, "quota", decision->quota_left);
	if (decision->action == RS_ACTION_EXHAUSTED)
		rs_log_str(line, "reason", rs_reason_name(decision->reason));
	if (!waits)
		put_elapsed(line, state, now_ns);
}

/* Lines are composed where nothing else is done meanwhile: a thread's stack may be small. */
__attribute__((noinline)) static void
log_decision(const struct rs_rules *rules, const struct rs_rule *rule,
	     const struct rs_target *target, const struct rs_outcome *outcome,
	     const struct rs_call_state *state, const struct rs_decision *decision, int64_t now_ns)
{
	struct rs_log_line line;

	rs_log_begin(&line, &rules->settings, level_of(rules, decision->action),
		     observes(rules) ? "observe" : action_name(decision->action));
	if (!line.wanted)
		return;
	if (observes(rules))
		rs_log_str(&line, "action", action_name(decision->action));
	put_subject(&line, rule, target);
	put_attempt(&line, rule, state);
	put_cause(&line, target, outcome);
	put_decision(&line, state, decision, now_ns);
	rs_log_end(&line);
}

void rs_event_decision(const struct rs_rules *rules, const struct rs_rule *rule,
		       const struct rs_target *target, const struct rs_outcome *outcome,
		       const struct rs_call_state *state, const struct rs_decision *decision,
		       int64_t now_ns)
{
	bool runs = decision->action == RS_ACTION_RECOVER || decision->action == RS_ACTION_FOLLOWUP;

	rs_stats_decision(rules, rule, target->call, state, decision);
	/* A command's event tells how it went, too. */
	if (observes(rules) || !runs)
		log_decision(rules, rule, target, outcome, state, decision, now_ns);
}

/* One that has mended an error is no more news than a retry. */
static enum rs_log_level command_level(const struct rs_incident *incident, const char *why)
{
	return incident->rule->class == RS_RECOVERABLE && !*why ? RS_LOG_INFO : RS_LOG_WARN;
}

void rs_event_command(const struct rs_incident *incident, const char *why, int64_t now_ns)
{
	struct rs_log_line line;

	rs_log_begin(&line, &incident->rules->settings, command_level(incident, why),
		     action_name(incident->decision->action));
	if (!line.wanted)
		return;
	put_subject(&line, incident->rule, incident->target);
	put_attempt(&line, incident->rule, incident->state);
	put_cause(&line, incident->target, incident->outcome);
	put_decision(&line, incident->state, incident->decision, incident->now_ns);
	rs_log_str(&line, "result", *why ? "failed" : "ok");
	if (*why)
		rs_log_str(&line, "error", why);
	rs_log_int(&line, "run_ms", (now_ns - incident->now_ns) / RS_NS_PER_MS);
	rs_log_end(&line);
}

__attribute__((noinline)) static void log_recovered(const struct rs_rules *rules,
						    const struct rs_target *target,
						    const struct rs_call_state *state,
						    int64_t now_ns)
{
	struct rs_log_line line;

	rs_log_begin(&line, &rules->settings, RS_LOG_INFO, "recovered");
	if (!line.wanted)
		return;
	put_subject(&line, state->last_rule, target);
	rs_log_int(&line, "attempts", state->attempts);
	put_elapsed(&line, state, now_ns);
	rs_log_end(&line);
}

void rs_event_recovered(const struct rs_rules *rules, const struct rs_target *target,
			const struct rs_call_state *state, int64_t now_ns)
{
	rs_stats_recovered(rules, target->call, state);
	log_recovered(rules, target, state, now_ns);
}

void rs_event_paced(const struct rs_rules *rules, const struct rs_target *target, int64_t wait_ns)
{
	struct rs_log_line line;

	rs_log_begin(&line, &rules->settings, RS_LOG_INFO, "paced");
	if (!line.wanted)
		return;
	put_subject(&line, NULL, target);
	rs_log_int(&line, "wait_ms", wait_ns / RS_NS_PER_MS);
	rs_log_end(&line);
}

static void tell_pattern(const struct rs_rules *rules, const struct rs_rule *rule)
{
	struct rs_log_line line;

	if (atomic_exchange(&rule->body_regex->told, true))
		return;
	rs_log_begin(&line, &rules->settings, RS_LOG_ERROR, "rules");
	rs_log_str(&line, "action", "refused");
	rs_log_str(&line, "file", rule->file);
	rs_log_int(&line, "line", rule->line);
	rs_log_str(&line, "rule", rule->name);
	rs_log_str(&line, "error", "body_regex is no regular expression: it never matches");
	rs_log_end(&line);
}

void rs_event_patterns(const struct rs_rules *rules)
{
	for (size_t i = 0; rules->patterns_unread && i < rules->rule_count; i++) {
		const struct rs_rule *rule = &rules->rules[i];

		if (rule->body_regex && atomic_load(&rule->body_regex->trouble) != 0)
			tell_pattern(rules, rule);
	}
}
