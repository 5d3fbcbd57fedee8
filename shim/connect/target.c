#include "connect/target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

static void take_ipv4(struct rs_target *target, const void *ip, in_port_t port)
{
	target->address.family = RS_ADDRESS_IPV4;
	memcpy(target->address.ip, ip, 4);
	target->port = ntohs(port);
}

static bool take_inet(struct rs_target *target, const struct sockaddr_storage *addr, socklen_t len)
{
	struct sockaddr_in in;

	if (len < sizeof(in))
		return false;
	memcpy(&in, addr, sizeof(in));
	take_ipv4(target, &in.sin_addr, in.sin_port);
	return true;
}

static bool take_inet6(struct rs_target *target, const struct sockaddr_storage *addr, socklen_t len)
{
	struct sockaddr_in6 in;

	/* The kernel takes an address without sin6_scope_id, too. */
	if (len < offsetof(struct sockaddr_in6, sin6_scope_id))
		return false;
	memcpy(&in, addr, sizeof(in));
	if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
		take_ipv4(target, &in.sin6_addr.s6_addr[12], in.sin6_port);
		return true;
	}
	target->address.family = RS_ADDRESS_IPV6;
	memcpy(target->address.ip, &in.sin6_addr, 16);
	target->port = ntohs(in.sin6_port);
	return true;
}

/* A path ends at its NUL, if it has one; an abstract name is all of the rest and begins with NUL.
 */
static bool take_unix(struct rs_connect_target *target, const struct sockaddr_storage *addr,
		      socklen_t len)
{
	const char *path = (const char *)addr + offsetof(struct sockaddr_un, sun_path);
	size_t size = len - offsetof(struct sockaddr_un, sun_path);
	bool abstract;

	if (len <= offsetof(struct sockaddr_un, sun_path) || size >= sizeof(target->path))
		return false;
	abstract = path[0] == '\0';
	memcpy(target->path, path, size);
	if (abstract)
		target->path[0] = '@';
	target->target.address.family = RS_ADDRESS_UNIX;
	target->target.address.path =
		(struct rs_span){ target->path, abstract ? size : strnlen(path, size) };
	return true;
}

bool rs_connect_target(struct rs_connect_target *target, const struct sockaddr_storage *addr,
		       socklen_t len)
{
	memset(target, 0, sizeof(*target));
	target->target.call = RS_CALL_CONNECT;
	if (len < sizeof(addr->ss_family))
		return false;
	switch (addr->ss_family) {
	case AF_INET:
		return take_inet(&target->target, addr, len);
	case AF_INET6:
		return take_inet6(&target->target, addr, len);
	case AF_UNIX:
		return take_unix(target, addr, len);
	default:
		return false;
	}
}
