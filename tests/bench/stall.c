/*
 * stall PIDFILE: a server on loopback that answers each request with the first megabyte of two, and
 * then with nothing. It prints its port and goes on in the background, under the pid in PIDFILE.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 2097152\r\n\r\n";

static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

static void answer(int client)
{
	static char chunk[1 << 16];
	char request[4096];

	if (read(client, request, sizeof(request)) <= 0 ||
	    write(client, head, sizeof(head) - 1) < 0)
		return;
	for (int i = 0; i < 16; i++) {
		for (size_t sent = 0; sent < sizeof(chunk);) {
			ssize_t more = write(client, chunk + sent, sizeof(chunk) - sent);

			if (more <= 0)
				return;
			sent += (size_t)more;
		}
	}
}

static _Noreturn void serve(int listener)
{
	for (;;)
		answer(accept(listener, NULL, NULL)); /* which stays open */
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	FILE *file;
	pid_t child;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (argc != 2 || listener < 0 || bind(listener, (struct sockaddr *)&at, len) != 0 ||
	    listen(listener, 8) != 0 || getsockname(listener, (struct sockaddr *)&at, &len) != 0)
		give_up("stall PIDFILE");
	signal(SIGPIPE, SIG_IGN);
	child = fork();
	if (child == 0) {
		close(STDOUT_FILENO);
		alarm(60);
		serve(listener);
	}
	file = fopen(argv[1], "w");
	if (child < 0 || !file)
		give_up(argv[1]);
	fprintf(file, "%d\n", (int)child);
	fclose(file);
	printf("%d\n", ntohs(at.sin_port));
	return 0;
}
