/*
 * small-thread HOW WHERE: a call in a thread that has the least stack that the C library allows.
 * WHERE is a URL for "easy" and "multi", else a port of 127.0.0.1. Says how it went.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../errno_name.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LITTLE 131072 /* they take some for themselves */
#else
#define LITTLE 16384 /* PTHREAD_STACK_MIN, where that is no more */
#endif

#define PATIENCE_MS 15000

static const char *where;

/* ---- connects ---- */

static int begin(int flags)
{
	struct sockaddr_in target = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	target.sin_port = htons((uint16_t)strtoul(where, NULL, 10));
	errno = 0;
	(void)connect(fd, (const struct sockaddr *)&target, sizeof(target));
	return fd;
}

static void tell_end(int fd)
{
	int error = -1;
	socklen_t len = sizeof(error);

	(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	puts(error ? errno_name(error) : "connected");
	close(fd);
}

static void *in_connect(void *unused)
{
	int fd = begin(0);

	(void)unused;
	puts(errno ? errno_name(errno) : "connected");
	close(fd);
	return NULL;
}

static void *in_poll(void *unused)
{
	struct pollfd fds = { .fd = begin(SOCK_NONBLOCK), .events = POLLOUT };

	(void)unused;
	(void)poll(&fds, 1, PATIENCE_MS);
	tell_end(fds.fd);
	return NULL;
}

static void *in_select(void *unused)
{
	int fd = begin(SOCK_NONBLOCK);
	struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	fd_set to_write;

	(void)unused;
	FD_ZERO(&to_write);
	FD_SET(fd, &to_write);
	(void)select(fd + 1, NULL, &to_write, NULL, &patience);
	tell_end(fd);
	return NULL;
}

static void *in_epoll(void *unused)
{
	int fd = begin(SOCK_NONBLOCK), epfd = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLOUT };

	(void)unused;
	(void)epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event);
	(void)epoll_wait(epfd, &event, 1, PATIENCE_MS);
	tell_end(fd);
	close(epfd);
	return NULL;
}

/* ---- transfers ---- */

static size_t drop(char *bytes, size_t one, size_t len, void *arg)
{
	(void)bytes;
	(void)one;
	(void)arg;
	return len;
}

static CURL *easy(void)
{
	CURL *handle = curl_easy_init();

	curl_easy_setopt(handle, CURLOPT_URL, where);
	curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, drop);
	curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	return handle;
}

static void tell_status(CURL *handle)
{
	long status = 0;

	curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
	(void)printf("%ld\n", status);
	curl_easy_cleanup(handle);
}

static void *in_easy(void *unused)
{
	CURL *handle = easy();

	(void)unused;
	curl_easy_perform(handle);
	tell_status(handle);
	return NULL;
}

static void *in_multi(void *unused)
{
	CURL *handle = easy();
	CURLM *multi = curl_multi_init();
	int running = 1;

	(void)unused;
	curl_multi_add_handle(multi, handle);
	while (running > 0 && curl_multi_perform(multi, &running) == CURLM_OK)
		curl_multi_wait(multi, NULL, 0, 100, NULL);
	curl_multi_remove_handle(multi, handle);
	tell_status(handle);
	curl_multi_cleanup(multi);
	return NULL;
}

static const struct {
	const char *name;
	void *(*run)(void *unused);
} ways[] = {
	{ "connect", in_connect }, { "poll", in_poll }, { "select", in_select },
	{ "epoll", in_epoll },     { "easy", in_easy }, { "multi", in_multi },
};

static int run_in_thread(void *(*run)(void *unused))
{
	size_t least = (size_t)sysconf(_SC_THREAD_STACK_MIN);
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	if (pthread_attr_setstacksize(&attributes, least > LITTLE ? least : LITTLE) != 0 ||
	    pthread_create(&thread, &attributes, run, NULL) != 0)
		return 2;
	pthread_join(thread, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	where = argv[2];
	curl_global_init(CURL_GLOBAL_DEFAULT);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].name, argv[1]) == 0)
			return run_in_thread(ways[i].run);
	}
	return 2;
}
