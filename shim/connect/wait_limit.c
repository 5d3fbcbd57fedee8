#include "connect/waits.h"
#include "process.h"
#include "retry/ns.h"

int64_t rs_deadline_ms(int timeout_ms)
{
	return timeout_ms < 0 ? RS_FOREVER : rs_ns_add(rs_now_ns(), timeout_ms * RS_NS_PER_MS);
}

int64_t rs_deadline_timespec(const struct timespec *in)
{
	if (!in)
		return RS_FOREVER;
	return rs_ns_add(rs_now_ns(), rs_ns_add(rs_ns_mul(in->tv_sec, RS_NS_PER_S), in->tv_nsec));
}

const struct timespec *rs_time_left(int64_t until_ns, int64_t now_ns, struct timespec *left)
{
	int64_t left_ns = rs_ns_max(0, until_ns - now_ns);

	if (until_ns == RS_FOREVER)
		return NULL;
	left->tv_sec = left_ns / RS_NS_PER_S;
	left->tv_nsec = left_ns % RS_NS_PER_S;
	return left;
}
