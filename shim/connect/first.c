#include "connect/first.h"

#include <errno.h>

#include "connect/socket.h"
#include "ops/events.h"
#include "pause.h"
#include "retry/decide.h"
#include "retry/pacer.h"

void rs_connect_note_success(const struct rs_rules *rules, const struct rs_connect *call)
{
	static const struct rs_call_state first_attempt = { .attempts = 1 };
	struct rs_connect_target about;
	const struct rs_target *target;

	if (rs_curl_depth > 0 || (!rules->pacers && !rs_call_refunds(rules, &first_attempt)))
		return;
	target = rs_connect_find_target(&about, call, RS_ADDRESS_READ) ? &about.target : NULL;
	rs_call_succeeded(rules, &first_attempt, target, rs_now_ns());
	if (rules->pacers && target)
		rs_pacer_outcome(rules->pacers, target, false, rs_now_ns());
}

static void await_turn(const struct rs_rules *rules, const struct rs_target *target)
{
	int64_t now_ns = rs_now_ns();
	int64_t turn_ns = rs_pacer_wait_ns(rules->pacers, target, now_ns);

	rs_pacer_take(rules->pacers, target, now_ns);
	if (turn_ns == 0)
		return;
	rs_event_paced(rules, target, turn_ns);
	(void)rs_pause(turn_ns, NULL);
}

void rs_connect_pace(const struct rs_rules *rules, const struct rs_connect *call)
{
	int saved_errno = errno;
	struct rs_connect_target about;

	if (rs_curl_depth == 0 && rules->settings.mode != RS_MODE_OBSERVE &&
	    rs_socket_blocks(call->fd) && rs_connect_find_target(&about, call, RS_ADDRESS_UNREAD))
		await_turn(rules, &about.target);
	errno = saved_errno;
}
