#include "late.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct late {
	struct late_options options;
	int listener;
	int stop[2]; /* a pipe: closed when it is time to end */
	bool open;
	pthread_t thread;
	char name[16];
};

/* One who has come. */
struct guest {
	struct late *late;
	int fd;
};

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "late listener: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct sockaddr_un unix_address(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(addr.sun_path))
		die("path");
	memcpy(addr.sun_path, path, strlen(path) + 1);
	return addr;
}

/* A port that is bound is nobody else's, and refuses as long as nobody listens. */
static void take_port(struct late *late)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	late->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(late->listener, (struct sockaddr *)&addr, len) != 0 ||
	    getsockname(late->listener, (struct sockaddr *)&addr, &len) != 0)
		die("bind");
	(void)snprintf(late->name, sizeof(late->name), "%u", ntohs(addr.sin_port));
}

static void take_path(struct late *late)
{
	struct sockaddr_un addr = unix_address(late->options.path);

	late->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(late->listener, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		die(late->options.path);
}

struct late *late_start(const struct late_options *options)
{
	struct late *late = calloc(1, sizeof(*late));

	if (!late || pipe2(late->stop, O_CLOEXEC) != 0)
		die("start");
	late->options = *options;
	late->listener = -1;
	if (!options->path)
		take_port(late);
	return late;
}

const char *late_name(const struct late *late)
{
	return late->options.path ? late->options.path : late->name;
}

/* ---- who comes ---- */

/* What there is to read goes to the other side; false at its end. */
static bool pump(int from, int to)
{
	char bytes[4096];
	ssize_t got = read(from, bytes, sizeof(bytes));

	return got > 0 && send(to, bytes, (size_t)got, MSG_NOSIGNAL) == got;
}

static void put_through(const struct guest *guest)
{
	struct sockaddr_un addr = unix_address(guest->late->options.relay);
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool on = connect(server, (struct sockaddr *)&addr, sizeof(addr)) == 0;

	while (on) {
		struct pollfd fds[] = { { .fd = guest->fd, .events = POLLIN },
					{ .fd = server, .events = POLLIN },
					{ .fd = guest->late->stop[0], .events = POLLIN } };

		on = poll(fds, 3, -1) > 0 && fds[2].revents == 0;
		if (on && fds[0].revents)
			on = pump(guest->fd, server);
		if (on && fds[1].revents)
			on = pump(server, guest->fd);
	}
	close(server);
}

/* Say it, and hear the guest out: to close on what was not read would be a reset. */
static void greet(const struct guest *guest)
{
	const char *banner = guest->late->options.banner;
	struct pollfd fds[] = { { .fd = guest->fd, .events = POLLIN },
				{ .fd = guest->late->stop[0], .events = POLLIN } };
	char bytes[4096];

	(void)send(guest->fd, banner, strlen(banner), MSG_NOSIGNAL);
	shutdown(guest->fd, SHUT_WR);
	while (poll(fds, 2, -1) > 0 && fds[1].revents == 0) {
		if (read(guest->fd, bytes, sizeof(bytes)) <= 0)
			break;
	}
}

static void *serve(void *arg)
{
	struct guest *guest = arg;

	if (guest->late->options.relay)
		put_through(guest);
	else
		greet(guest);
	close(guest->fd);
	free(guest);
	return NULL;
}

static void let_in(struct late *late, pthread_t *thread)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	if (!guest)
		die("guest");
	guest->late = late;
	guest->fd = accept4(late->listener, NULL, NULL, SOCK_CLOEXEC);
	if (guest->fd < 0 || pthread_create(thread, NULL, serve, guest) != 0)
		die("accept");
}

#define GUESTS 64

static void *receive(void *arg)
{
	struct late *late = arg;
	pthread_t threads[GUESTS];
	int guests = 0;

	while (guests < GUESTS) {
		struct pollfd fds[] = { { .fd = late->listener, .events = POLLIN },
					{ .fd = late->stop[0], .events = POLLIN } };

		if (poll(fds, 2, -1) <= 0 || fds[1].revents)
			break;
		let_in(late, &threads[guests++]);
	}
	while (guests > 0)
		pthread_join(threads[--guests], NULL);
	return NULL;
}

void late_open(struct late *late)
{
	if (late->options.path)
		take_path(late);
	late->open = true;
	if (listen(late->listener, 64) != 0 ||
	    pthread_create(&late->thread, NULL, receive, late) != 0)
		die("listen");
}

void late_stop(struct late *late)
{
	close(late->stop[1]);
	if (late->open)
		pthread_join(late->thread, NULL);
	if (late->listener >= 0)
		close(late->listener);
	close(late->stop[0]);
	if (late->open && late->options.path)
		unlink(late->options.path);
	free(late);
}
