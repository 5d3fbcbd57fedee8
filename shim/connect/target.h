/*
 * From a socket address to what rules and logs call it.
 */
#ifndef RS_CONNECT_TARGET_H
#define RS_CONNECT_TARGET_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "retry/outcome.h"

/* Holds the bytes that the target points into. */
struct rs_connect_target {
	struct rs_target target;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
};

/* False for a family that rules do not speak of, or an address that is too short. An IPv4 address
 * inside IPv6 (::ffff:a.b.c.d) counts as IPv4. `addr` may go away afterwards. Pure. */
bool rs_connect_target(struct rs_connect_target *target, const struct sockaddr_storage *addr,
		       socklen_t len);

#endif
