#include "connect/waits.h"
#include "retry/ns.h"

const struct timespec *rs_time_left(int64_t until_ns, int64_t now_ns, struct timespec *left)
{
	int64_t left_ns = rs_ns_max(0, until_ns - now_ns);

	if (until_ns == RS_FOREVER)
		return NULL;
	left->tv_sec = left_ns / RS_NS_PER_S;
	left->tv_nsec = left_ns % RS_NS_PER_S;
	return left;
}
