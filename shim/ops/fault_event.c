#include "ops/fault_event.h"

#include "ops/log.h"
#include "ops/target_text.h"
#include "retry/decide.h"
#include "retry/ns.h"
#include "rules/names.h"

/* The error as this kind of call will tell it. */
static const char *error_name(const struct rs_fault_error *error, enum rs_call call)
{
	switch (call) {
	case RS_CALL_CURL:
		return error->curl ? rs_error_name(RS_DOMAIN_CURL, error->curl) : NULL;
	case RS_CALL_CONNECT:
		return error->sys ? rs_error_name(RS_DOMAIN_ERRNO, error->sys) : NULL;
	case RS_CALL_RESOLVE:
		break;
	}
	return error->eai ? rs_error_name(RS_DOMAIN_EAI, error->eai) : NULL;
}

void rs_event_fault(const struct rs_rules *rules, const struct rs_fault_strike *strike,
		    const struct rs_target *target)
{
	const struct rs_fault *fault = strike->fault;
	char buf[RS_TARGET_TEXT_SIZE];
	const char *error = error_name(&fault->error, target->call);
	struct rs_log_line line;

	rs_log_begin(&line, &rules->settings, RS_LOG_INFO, "fault");
	if (!line.wanted)
		return;
	rs_log_str(&line, "fault", fault->name);
	rs_log_str(&line, "call", rs_call_name(target->call));
	if (target->method.len > 0)
		rs_log_span(&line, "method", target->method);
	rs_log_span(&line, "target", rs_target_text(target, buf));
	if (error)
		rs_log_str(&line, "error", error);
	if (fault->status)
		rs_log_int(&line, "status", fault->status);
	if (fault->cut != RS_NO_CUT)
		rs_log_int(&line, "cut", (int64_t)fault->cut);
	if (strike->delay_ns > 0)
		rs_log_int(&line, "delay_ms", strike->delay_ns / RS_NS_PER_MS);
	rs_log_end(&line);
}
