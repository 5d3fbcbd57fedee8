/*
 * epoll-torture slow|late SEED THREADS [FACTOR]: many non-blocking connects in one epoll set, a
 * random mix of triggers, closes and reused descriptors, and what each of them got to see.
 *
 * slow: the listeners are there, but their queues are full: until one is emptied, the kernel's own
 * connects take time. late: the listeners are not there yet, and connects are refused. With a shim
 * that hides the retries both print the same. All takes FACTOR times as long, for slow machines.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SOCKETS   64
#define OPENS_MS  300  /* the late listener */
#define SPEAKS_MS 1500 /* what took a closed one's place */
#define ENDS_MS   2200

enum { AT_ONCE, LATE, NEVER, TARGETS };

struct log {
	char text[256];
	size_t len;
};

/* One connect, and what became of its descriptor. */
static struct connection {
	int target;
	uint32_t events;
	bool registers_first;
	int closes_ms;  /* 0: never */
	int changes_ms; /* asks for something else then; 0: never */
	int fd;
	bool closed, told;
	int replaced[2]; /* a socket pair; the first has the closed one's number */
	struct log log, replacement_log;
} connections[SOCKETS];

static struct sockaddr_in targets[TARGETS];
static int listeners[TARGETS];
static int set;
static bool slow;
static long factor = 1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t began_ms;
static unsigned random_state;

static unsigned pick(unsigned count)
{
	random_state = random_state * 1103515245U + 12345U;
	return (random_state >> 16) % count;
}

static int elapsed_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int)((now.tv_sec * 1000 + now.tv_nsec / 1000000 - began_ms) / factor);
}

static void note(struct log *log, const char *what, unsigned number)
{
	size_t room = sizeof(log->text) - log->len;
	int len = snprintf(log->text + log->len, room, " %s%x", what, number);

	if (len > 0 && (size_t)len < room)
		log->len += (size_t)len;
}

/* ---- the listeners ---- */

static int stream_socket(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	if (fd < 0)
		abort();
	return fd;
}

static void listen_on(int target)
{
	socklen_t len = sizeof(targets[target]);
	int fd = stream_socket(0);

	targets[target].sin_family = AF_INET;
	targets[target].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&targets[target], len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&targets[target], &len) != 0)
		abort();
	listeners[target] = fd;
	if (target == AT_ONCE)
		(void)listen(fd, 2 * SOCKETS);
}

static void fill_queue(int target)
{
	if (target == AT_ONCE || !slow)
		return;
	(void)listen(listeners[target], 0);
	for (int i = 0; i < 3; i++)
		(void)connect(stream_socket(SOCK_NONBLOCK), (struct sockaddr *)&targets[target],
			      sizeof(targets[target]));
	usleep(10000);
}

static void open_late(void)
{
	struct pollfd waiting = { .fd = listeners[LATE], .events = POLLIN };

	(void)listen(listeners[LATE], 2 * SOCKETS);
	(void)fcntl(listeners[LATE], F_SETFL, O_NONBLOCK);
	while (slow && poll(&waiting, 1, 0) > 0)
		(void)accept(listeners[LATE], NULL, NULL);
}

/* ---- the connects ---- */

static void ask_for(int index, int operation, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.u64 = (unsigned)index };

	if (epoll_ctl(set, operation, connections[index].fd, &event) != 0)
		note(&connections[index].log, "ctl", (unsigned)errno);
}

static void start(int index, bool threads)
{
	static const uint32_t triggers[] = { 0, EPOLLET, EPOLLONESHOT, EPOLLET | EPOLLONESHOT };
	static const uint32_t wanted[] = { EPOLLOUT, EPOLLIN | EPOLLOUT, EPOLLOUT | EPOLLRDHUP };
	struct connection *c = &connections[index];

	c->target = (int)pick(TARGETS);
	c->events = wanted[pick(3)] | triggers[threads ? 2 + pick(2) : pick(4)];
	c->registers_first = !threads && pick(4) == 0 && (c->events & EPOLLONESHOT) == 0;
	c->closes_ms = c->target != AT_ONCE && pick(4) == 0 ? 20 + (int)pick(200) : 0;
	c->changes_ms = c->target != AT_ONCE && pick(4) == 0 ? 20 + (int)pick(200) : 0;
	c->fd = stream_socket(SOCK_NONBLOCK);
	if (c->registers_first)
		ask_for(index, EPOLL_CTL_ADD, c->events);
	if (connect(c->fd, (struct sockaddr *)&targets[c->target], sizeof(targets[0])) == 0 ||
	    errno != EINPROGRESS)
		note(&c->log, "connect", (unsigned)errno);
	if (!c->registers_first)
		ask_for(index, EPOLL_CTL_ADD, c->events);
}

/* Another descriptor of the same number, at one blow. */
static void replace(int index)
{
	struct connection *c = &connections[index];
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT,
				     .data.u64 = (unsigned)index + SOCKETS };

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, c->replaced) != 0 ||
	    dup2(c->replaced[0], c->fd) != c->fd)
		abort();
	close(c->replaced[0]);
	c->replaced[0] = c->fd;
	c->closed = true;
	epoll_ctl(set, EPOLL_CTL_ADD, c->fd, &event);
}

static void act(int now_ms)
{
	for (int i = 0; i < SOCKETS; i++) {
		struct connection *c = &connections[i];

		if (c->changes_ms > 0 && now_ms >= c->changes_ms && !c->closed && !c->told) {
			ask_for(i, EPOLL_CTL_MOD, c->events ^ EPOLLIN);
			c->changes_ms = 0;
		}
		if (c->closes_ms > 0 && now_ms >= c->closes_ms && !c->told) {
			replace(i);
			c->closes_ms = 0;
		}
		if (c->closed && now_ms >= SPEAKS_MS && c->replaced[1] >= 0) {
			(void)!write(c->replaced[1], "x", 1);
			c->replaced[1] = -1;
		}
	}
}

/* ---- what is told ---- */

static void told(const struct epoll_event *event)
{
	int index = (int)(event->data.u64 % SOCKETS), error = -1;
	socklen_t len = sizeof(error);
	struct connection *c = &connections[index];

	if (event->data.u64 >= 2ULL * SOCKETS)
		abort();
	if (event->data.u64 >= SOCKETS) {
		char byte;
		ssize_t got = read(c->replaced[0], &byte, 1);

		note(&c->replacement_log, "event", event->events);
		note(&c->replacement_log, "read", (unsigned)got);
		return;
	}
	/* A thread may come with what it was told before the descriptor was closed. */
	if (c->closed)
		return;
	note(&c->log, "event", event->events);
	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	note(&c->log, "error", (unsigned)error);
	/* Told once. Those that are told of edges, or but once, stay: nothing more may come. */
	if ((event->events & EPOLLOUT) && (c->events & (EPOLLET | EPOLLONESHOT)) == 0)
		ask_for(index, EPOLL_CTL_MOD, EPOLLIN);
	c->told = true;
}

static int wait_somehow(struct epoll_event *events, unsigned way, int max, int limit_ms)
{
	const struct timespec limit = { .tv_nsec = limit_ms * 1000000L };

	if (way == 0)
		return epoll_wait(set, events, max, limit_ms);
	if (way == 1)
		return epoll_pwait(set, events, max, limit_ms, NULL);
	return epoll_pwait2(set, events, max, &limit, NULL);
}

static void *wait_for_events(void *unused)
{
	struct epoll_event events[8];
	unsigned turn = 0;

	while (elapsed_ms() < ENDS_MS) {
		int count =
			wait_somehow(events, turn % 3, 1 + (int)(turn % 8), 1 + (int)(turn % 40));

		turn++;
		pthread_mutex_lock(&lock);
		for (int i = 0; i < count; i++)
			told(&events[i]);
		pthread_mutex_unlock(&lock);
	}
	return unused;
}

static void *run_the_show(void *unused)
{
	bool open = false;

	while (elapsed_ms() < ENDS_MS) {
		int now_ms = elapsed_ms();

		pthread_mutex_lock(&lock);
		act(now_ms);
		pthread_mutex_unlock(&lock);
		/* Not before what is to be closed until then was closed, however slow we are. */
		if (!open && now_ms >= OPENS_MS) {
			open_late();
			open = true;
		}
		usleep(5000);
	}
	return unused;
}

int main(int argc, char **argv)
{
	struct timespec now;
	pthread_t threads[8];
	long count = argc >= 4 ? strtol(argv[3], NULL, 10) : 0;

	if (argc == 5)
		factor = strtol(argv[4], NULL, 10);
	if (count < 1 || count > 7 || factor < 1)
		return 2;
	slow = strcmp(argv[1], "slow") == 0;
	random_state = (unsigned)strtoul(argv[2], NULL, 10);
	for (int i = 0; i < TARGETS; i++)
		listen_on(i);
	for (int i = 0; i < TARGETS; i++)
		fill_queue(i);
	set = epoll_create1(0);
	clock_gettime(CLOCK_MONOTONIC, &now);
	began_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000;
	for (int i = 0; i < SOCKETS; i++)
		start(i, count > 1);
	for (long i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, wait_for_events, NULL);
	pthread_create(&threads[count], NULL, run_the_show, NULL);
	for (long i = 0; i <= count; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < SOCKETS; i++)
		printf("%d %d %x%s:%s /%s\n", i, connections[i].target, connections[i].events,
		       connections[i].closed ? " closed" : "", connections[i].log.text,
		       connections[i].replacement_log.text);
	return fflush(stdout) == 0 ? 0 : 2;
}
