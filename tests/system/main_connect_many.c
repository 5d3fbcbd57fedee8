/*
 * connect-many COUNT ok|refused|begun: so many connects, for counting what each costs. ok:
 * blocking, to a listener of its own; refused: to a port without one; begun: non-blocking, and
 * waited for.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int tcp_target(struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*addr = (struct sockaddr_in){ .sin_family = AF_INET };
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)addr, len) != 0 ||
	    getsockname(fd, (struct sockaddr *)addr, &len) != 0)
		abort();
	return fd;
}

/* The sockets stay: to close them would count, too. */
static void connect_once(const struct sockaddr_in *addr, int flags)
{
	struct pollfd fds = { .fd = socket(AF_INET, SOCK_STREAM | flags, 0), .events = POLLOUT };

	if (connect(fds.fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0 &&
	    errno == EINPROGRESS)
		(void)poll(&fds, 1, -1);
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr;
	int listener = tcp_target(&addr);

	if (argc != 3)
		return 2;
	if (strcmp(argv[2], "refused") != 0 && listen(listener, 4096) != 0)
		return 2;
	for (long count = strtol(argv[1], NULL, 10); count > 0; count--)
		connect_once(&addr, strcmp(argv[2], "begun") == 0 ? SOCK_NONBLOCK : 0);
	return 0;
}
