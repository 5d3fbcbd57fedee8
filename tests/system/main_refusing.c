/*
 * refusing WHAT DRIVEN URL: a transfer of which a callback refuses a part, and a line that says how
 * it ended and how often the callback was asked.
 *
 *   WHAT    socket, option, look-up, tls, request or seek; first-socket: of two addresses the first
 *   DRIVEN  easy or multi
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "driven.h"

static int asked;

static void ask(const void *user)
{
	if (user != &asked)
		(void)printf("another user pointer, ");
	asked++;
}

static curl_socket_t no_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)purpose, (void)address;
	ask(user);
	return CURL_SOCKET_BAD;
}

static curl_socket_t second_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)purpose;
	ask(user);
	return asked % 2 ? CURL_SOCKET_BAD
			 : socket(address->family, address->socktype, address->protocol);
}

static int no_option(void *user, curl_socket_t fd, curlsocktype purpose)
{
	(void)fd, (void)purpose;
	ask(user);
	return CURL_SOCKOPT_ERROR;
}

static int no_look_up(void *state, void *reserved, void *user)
{
	(void)state, (void)reserved;
	ask(user);
	return 1;
}

static CURLcode no_tls(CURL *easy, void *context, void *user)
{
	(void)easy, (void)context;
	ask(user);
	return CURLE_SSL_CERTPROBLEM;
}

static int no_request(void *user, char *to, char *from, int to_port, int from_port)
{
	(void)to, (void)from, (void)to_port, (void)from_port;
	ask(user);
	return CURL_PREREQFUNC_ABORT;
}

static size_t read_some(char *into, size_t size, size_t count, void *user)
{
	(void)size, (void)count, (void)user;
	memcpy(into, "body", 4);
	return 4;
}

static int no_seek(void *user, curl_off_t offset, int origin)
{
	(void)offset, (void)origin;
	ask(user);
	return CURL_SEEKFUNC_FAIL;
}

/* A body that a redirect makes libcurl send again. */
static void set_upload(CURL *easy)
{
	(void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_INFILESIZE, 4L);
	(void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_some);
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, no_seek);
	(void)curl_easy_setopt(easy, CURLOPT_SEEKDATA, &asked);
}

static void set_callback(CURL *easy, const char *what)
{
	if (strcmp(what, "socket") == 0)
		(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, no_socket);
	else if (strcmp(what, "first-socket") == 0)
		(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, second_socket);
	else if (strcmp(what, "option") == 0)
		(void)curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, no_option);
	else if (strcmp(what, "look-up") == 0)
		(void)curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, no_look_up);
	else if (strcmp(what, "tls") == 0)
		(void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, no_tls);
	else if (strcmp(what, "request") == 0)
		(void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, no_request);
	else if (strcmp(what, "seek") == 0)
		set_upload(easy);
	else
		exit(2);
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &asked);
	(void)curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, &asked);
	(void)curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, &asked);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, &asked);
	(void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, &asked);
}

/* Two addresses of which nothing needs to be looked up. */
static struct curl_slist *two_addresses(const char *url)
{
	char line[64];

	(void)snprintf(line, sizeof(line), "two.test%s:127.0.0.2,127.0.0.1", strrchr(url, ':'));
	return curl_slist_append(NULL, line);
}

int main(int argc, char **argv)
{
	CURL *easy = curl_easy_init();
	struct curl_slist *addresses;
	CURLcode result;

	if (argc != 4)
		return 2;
	addresses = two_addresses(argv[3]);
	set_callback(easy, argv[1]);
	(void)curl_easy_setopt(easy, CURLOPT_URL, argv[3]);
	(void)curl_easy_setopt(easy, CURLOPT_RESOLVE, addresses);
	result = driven_by(argv[2], easy);
	(void)printf("result %d, asked %d times\n", (int)result, asked);
	curl_easy_cleanup(easy);
	curl_slist_free_all(addresses);
	return 0;
}
