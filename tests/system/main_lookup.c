/*
 * lookup FUNCTION [TIMES]: look "service.test" up, and print what came of it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../errno_name.h"

static const char host[] = "service.test";

static void on_signal(int number)
{
	(void)number;
}

static void tell(int status)
{
	if (status == 0)
		puts("found");
	else if (status == EAI_SYSTEM)
		printf("EAI_SYSTEM %s\n", errno_name(errno));
	else
		printf("%s\n", gai_strerror(status));
}

static void modern(void)
{
	struct addrinfo *found = NULL;

	tell(getaddrinfo(host, "80", NULL, &found));
	if (found)
		freeaddrinfo(found);
}

static void numeric(void)
{
	struct addrinfo *found, hints = { .ai_flags = AI_NUMERICHOST };

	tell(getaddrinfo(host, "80", &hints, &found));
}

/* Digits, without a word of it in the hints. */
static void digits(void)
{
	struct addrinfo *found = NULL;

	tell(getaddrinfo("127.0.0.1", "80", NULL, &found));
	if (found)
		freeaddrinfo(found);
}

static void interrupted(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigaction(SIGUSR1, &action, NULL);
	modern();
}

static void in_group(void)
{
	setpgid(0, 0);
	modern();
}

static void *in_thread(void *arg)
{
	(void)arg;
	modern();
	return NULL;
}

/* SIGUSR1 says when. */
static void cancelled(void)
{
	sigset_t set;
	pthread_t thread;
	void *result;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_create(&thread, NULL, in_thread, NULL);
	sigwait(&set, &number);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	puts(result == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
}

static void tell_host(const struct hostent *found, int error)
{
	puts(found ? "found" : hstrerror(error));
}

static void plain(void)
{
	const struct hostent *found = gethostbyname(host);

	tell_host(found, h_errno);
}

static void plain2(void)
{
	const struct hostent *found = gethostbyname2(host, AF_INET);

	tell_host(found, h_errno);
}

static void reentrant(void)
{
	struct hostent space, *found = NULL;
	char buffer[512];
	int error = 0;

	if (gethostbyname_r(host, &space, buffer, 8, &found, &error) == ERANGE)
		puts("ERANGE");
	gethostbyname_r(host, &space, buffer, sizeof(buffer), &found, &error);
	tell_host(found, error);
}

static void reentrant2(void)
{
	struct hostent space, *found = NULL;
	char buffer[512];
	int error = 0;

	gethostbyname2_r(host, AF_INET, &space, buffer, sizeof(buffer), &found, &error);
	tell_host(found, error);
}

/* What else a program may look at. */
static void status(void)
{
	struct hostent space, *found = &space;
	char buffer[512];
	int error = 0, result;

	errno = 0;
	result = gethostbyname_r(host, &space, buffer, sizeof(buffer), &found, &error);
	printf("%s %s %d %s\n", result ? strerrorname_np(result) : "0",
	       errno ? strerrorname_np(errno) : "0", error, found ? "found" : "nothing");
}

/* A look-up that ends well need not touch what tells of errors. */
static void kept(void)
{
	struct hostent space, *found = NULL;
	char buffer[512];
	int error = 44;

	errno = 43;
	h_errno = 42;
	gethostbyname_r(host, &space, buffer, sizeof(buffer), &found, &error);
	printf("%s %d %d %d\n", found ? "found" : "nothing", errno, h_errno, error);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "getaddrinfo", modern },
	{ "numeric", numeric },
	{ "interrupted", interrupted },
	{ "in-group", in_group },
	{ "cancelled", cancelled },
	{ "gethostbyname", plain },
	{ "gethostbyname2", plain2 },
	{ "gethostbyname_r", reentrant },
	{ "gethostbyname2_r", reentrant2 },
	{ "digits", digits },
	{ "status", status },
	{ "kept", kept },
};

int main(int argc, char **argv)
{
	long times = argc > 2 ? strtol(argv[2], NULL, 10) : 1;

	for (size_t i = 0; argc >= 2 && i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(argv[1], cases[i].name) != 0)
			continue;
		for (long k = 0; k < times; k++)
			cases[i].run();
		return fflush(stdout) == 0 ? 0 : 2;
	}
	return 2;
}
