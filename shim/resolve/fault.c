#include "resolve/fault.h"

#include <errno.h>
#include <netdb.h>

#include "ops/fault_event.h"
#include "pause.h"
#include "process.h"
#include "resolve/target.h"
#include "retry/fault.h"

/* EAI_SYSTEM without an errno behind it would be no error at all. */
static int errno_of(const struct rs_fault_error *error)
{
	return error->sys ? error->sys : EIO;
}

/* A look-up goes on whatever signals come. */
static void delay(int64_t delay_ns)
{
	int64_t due_ns = rs_ns_add(rs_now_ns(), delay_ns), left_ns;

	while ((left_ns = due_ns - rs_now_ns()) > 0)
		(void)rs_pause(left_ns, NULL);
}

bool rs_lookup_struck(struct rs_lookup *lookup)
{
	const struct rs_rules *rules = rs_process_rules(RS_CALL_RESOLVE);
	int entry_errno = errno;
	struct rs_fault_strike strike;
	struct rs_target target;

	if (!rules || (rules->fault_calls & 1u << RS_CALL_RESOLVE) == 0)
		return false;
	target = rs_lookup_target(lookup);
	strike = rs_fault_next(rules, &target, RS_FAULTS_ALL, rs_random(rules));
	if (!strike.fault)
		return false;
	rs_event_fault(rules, &strike, &target);
	delay(strike.delay_ns);
	errno = entry_errno;
	if (!strike.fault->error.eai)
		return false;
	lookup->fail(lookup, strike.fault->error.eai, errno_of(&strike.fault->error));
	return true;
}
