#include "connect/socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "real.h"
#include "real_libc.h"

uint64_t rs_socket_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return rs_real_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0 ? cookie : 0;
}

/* ---- its past ---- */

static bool is_aimed_at_ipv4(int fd, const struct sockaddr_storage *addr)
{
	struct sockaddr_in wanted, found;
	socklen_t len = sizeof(found);

	memcpy(&wanted, addr, sizeof(wanted));
	return rs_real_getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &found, &len) == 0 &&
	       len == sizeof(found) && found.sin_family == AF_INET &&
	       found.sin_port == wanted.sin_port &&
	       (wanted.sin_addr.s_addr == htonl(INADDR_ANY) ||
		found.sin_addr.s_addr == wanted.sin_addr.s_addr);
}

static bool is_aimed_at_ipv6(int fd, const struct sockaddr_storage *addr)
{
	struct sockaddr_in6 wanted, found;
	socklen_t len = sizeof(found);

	memcpy(&wanted, addr, sizeof(wanted));
	return rs_real_getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &found, &len) == 0 &&
	       len == sizeof(found) && found.sin6_family == AF_INET6 &&
	       found.sin6_port == wanted.sin6_port &&
	       (IN6_IS_ADDR_UNSPECIFIED(&wanted.sin6_addr) ||
		IN6_ARE_ADDR_EQUAL(&found.sin6_addr, &wanted.sin6_addr));
}

bool rs_socket_aimed_at(int fd, const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET)
		return is_aimed_at_ipv4(fd, addr);
	return addr->ss_family == AF_INET6 && is_aimed_at_ipv6(fd, addr);
}

/* The beginning of the kernel's struct tcp_info, whose copy in <netinet/tcp.h> ends before that. */
struct beginning {
	unsigned char before[120];
	uint64_t bytes_acked;
	unsigned char between[12];
	uint32_t segs_in;
};

enum rs_socket_past rs_socket_past(int fd)
{
	struct beginning info = { .bytes_acked = 0 };
	socklen_t len = sizeof(info), protocol_len = sizeof(int);
	int protocol = 0;

	if (rs_real_getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &protocol_len) != 0 ||
	    protocol != IPPROTO_TCP ||
	    rs_real_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 || len < sizeof(info))
		return RS_SOCKET_DOES_NOT_TELL;
	if (info.bytes_acked > 0)
		return RS_SOCKET_WAS_CONNECTED;
	return info.segs_in > 0 ? RS_SOCKET_WAS_REFUSED : RS_SOCKET_NEVER_CONNECTED;
}

/* ---- what it is ---- */

bool rs_socket_connects(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return rs_real_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       (type == SOCK_STREAM || type == SOCK_SEQPACKET);
}

bool rs_socket_is_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

bool rs_socket_sends_signals(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ASYNC) != 0;
}

/* Of sockets that connect only these are hung up without having ended. */
bool rs_socket_is_fresh(int fd)
{
	struct pollfd now = { .fd = fd, .events = POLLIN | POLLRDHUP };

	return rs_socket_connects(fd) && rs_real_poll(&now, 1, 0) == 1 && now.revents == POLLHUP;
}

bool rs_socket_is_shut_down(int fd)
{
	struct pollfd now = { .fd = fd, .events = POLLRDHUP };

	return rs_real_poll(&now, 1, 0) == 1 && (now.revents & POLLRDHUP) != 0;
}

bool rs_socket_blocks(int fd)
{
	return rs_socket_is_fresh(fd) && !rs_socket_is_nonblocking(fd);
}

/* ---- between two attempts ---- */

static bool is_an_address_of_its_own(const struct sockaddr_storage *name)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	memcpy(&in, name, sizeof(in));
	memcpy(&in6, name, sizeof(in6));
	if (name->ss_family == AF_INET)
		return in.sin_addr.s_addr != htonl(INADDR_ANY) && in.sin_port != 0;
	return name->ss_family == AF_INET6 && !IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr) &&
	       in6.sin6_port != 0;
}

static bool may_have_any_port(int fd)
{
	int any = 0;
	socklen_t len = sizeof(any);

	return rs_real_getsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &any, &len) == 0 &&
	       any != 0;
}

/* The port is no longer the socket's, but still in its name. Of one that has kept it, since it was
 * asked for by number, bind() is refused. */
void rs_socket_bind_again(int fd)
{
	struct sockaddr_storage name = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(name);

	if (getsockname(fd, (struct sockaddr *)&name, &len) == 0 &&
	    is_an_address_of_its_own(&name) && !may_have_any_port(fd))
		(void)bind(fd, (struct sockaddr *)&name, len);
}

static int tcp_option(int fd, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return rs_real_getsockopt(fd, IPPROTO_TCP, name, &value, &len) == 0 ? value : 0;
}

struct rs_socket_settings rs_socket_settings(int fd)
{
	return (struct rs_socket_settings){ tcp_option(fd, TCP_MAXSEG),
					    tcp_option(fd, TCP_WINDOW_CLAMP) };
}

/* The segment's size reads the same before and after where it was not the program's. */
void rs_socket_restore(int fd, const struct rs_socket_settings *settings)
{
	rs_socket_bind_again(fd);
	if (settings->segment != tcp_option(fd, TCP_MAXSEG))
		(void)setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &settings->segment, sizeof(int));
	if (settings->window != 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &settings->window, sizeof(int));
}

void rs_socket_dissolve(int fd)
{
	static const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	int before;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	(void)rs_real_connect()(fd, &nowhere, sizeof(nowhere));
	pthread_setcancelstate(before, NULL);
}

void rs_socket_call_off(int fd)
{
	const struct rs_socket_settings settings = rs_socket_settings(fd);

	rs_socket_dissolve(fd);
	(void)rs_socket_take_error(fd);
	rs_socket_restore(fd, &settings);
}

int rs_socket_take_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return rs_real_getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : 0;
}
