/*
 * connect-once HOST PORT | connect-once PATH: one blocking connect(), and what came of it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

static bool parse_ip(const char *host, const char *port, union address *address, socklen_t *len)
{
	uint16_t number = htons((uint16_t)strtoul(port, NULL, 10));

	if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = number;
		*len = sizeof(address->v4);
		return true;
	}
	if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = number;
		*len = sizeof(address->v6);
		return true;
	}
	return false;
}

static bool parse(int argc, char **argv, union address *address, socklen_t *len)
{
	if (argc == 3)
		return parse_ip(argv[1], argv[2], address, len);
	if (argc != 2 || strlen(argv[1]) >= sizeof(address->un.sun_path))
		return false;
	address->un.sun_family = AF_UNIX;
	memcpy(address->un.sun_path, argv[1], strlen(argv[1]) + 1);
	*len = sizeof(address->un);
	return true;
}

int main(int argc, char **argv)
{
	union address address = { 0 };
	socklen_t len = 0;
	int fd;

	if (!parse(argc, argv, &address, &len)) {
		(void)fprintf(stderr, "usage: connect-once ADDRESS PORT | connect-once PATH\n");
		return 2;
	}
	fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		perror("socket");
		return 2;
	}
	if (connect(fd, &address.any, len) < 0) {
		(void)printf("connect: %s\n", strerror(errno));
		return 1;
	}
	(void)printf("connected\n");
	(void)close(fd);
	return 0;
}
