#include "ftp.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loopback.h"

#define ROOM 65536 /* for all commands, and for what is stored */

struct ftp {
	const struct ftp_session *sessions;
	size_t count;
	const char *object;
	char url[64];
	int listener;
	pthread_t thread;
	int seen;
	char commands[ROOM]; /* each behind a newline */
	char stored[ROOM];
};

/* One session. */
struct talk {
	struct ftp *ftp;
	struct ftp_session plan;
	FILE *control;
	int data; /* that listens; -1: none */
};

static void say(struct talk *t, const char *line)
{
	char bytes[128];
	int len = snprintf(bytes, sizeof(bytes), "%s\r\n", line);

	(void)send(fileno(t->control), bytes, (size_t)len, MSG_NOSIGNAL);
}

static void open_data(struct talk *t, const char *how)
{
	struct sockaddr_in at;
	char line[64];
	int port;

	t->data = loopback_bound(&at);
	port = ntohs(at.sin_port);
	if (t->plan.how != FTP_CLOSED)
		(void)listen(t->data, 1);
	if (strcmp(how, "EPSV") == 0)
		(void)snprintf(line, sizeof(line), "229 (|||%d|)", port);
	else
		(void)snprintf(line, sizeof(line), "227 (127,0,0,1,%d,%d)", port / 256, port % 256);
	say(t, line);
}

static void close_data(struct talk *t)
{
	if (t->data >= 0)
		(void)close(t->data);
	t->data = -1;
}

static void give(struct talk *t, int fd)
{
	size_t len = strlen(t->ftp->object);

	if (t->plan.how == FTP_CUT && t->plan.after < len)
		len = t->plan.after;
	(void)send(fd, t->ftp->object, len, MSG_NOSIGNAL);
}

static void take(struct talk *t, int fd)
{
	size_t len = 0, most = t->plan.how == FTP_CUT ? t->plan.after : ROOM - 1;
	ssize_t got = 1;

	while (got > 0 && len < most) {
		got = recv(fd, t->ftp->stored + len, most - len, 0);
		len += got > 0 ? (size_t)got : 0;
	}
	t->ftp->stored[len] = '\0';
}

/* False: the session is over. */
static bool transfer(struct talk *t, void (*move)(struct talk *, int))
{
	int fd;

	say(t, "150 here it is");
	fd = accept(t->data, NULL, NULL);
	move(t, fd);
	(void)close(fd);
	close_data(t);
	if (t->plan.how == FTP_CUT)
		return false;
	say(t, "226 done");
	return true;
}

static bool obey(struct talk *t, const char *command)
{
	static const char *const answers[][2] = {
		{ "USER", "331 and the password" },
		{ "PASS", "230 welcome" },
		{ "PWD", "257 \"/\"" },
		{ "TYPE", "200 so be it" },
		{ "DELE", "250 gone" },
		{ "QUIT", "221 bye" },
	};

	if (strcmp(command, "EPSV") == 0 || strcmp(command, "PASV") == 0) {
		if (t->plan.how == FTP_LOST)
			return false;
		close_data(t);
		open_data(t, command);
		return true;
	}
	if (strncmp(command, "RETR", 4) == 0 || strncmp(command, "LIST", 4) == 0)
		return transfer(t, give);
	if (strncmp(command, "STOR", 4) == 0)
		return transfer(t, take);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (strncmp(command, answers[i][0], strlen(answers[i][0])) == 0) {
			say(t, answers[i][1]);
			return true;
		}
	}
	say(t, "500 what");
	return true;
}

static void note(struct ftp *ftp, const char *command)
{
	size_t used = strlen(ftp->commands);

	(void)snprintf(ftp->commands + used, sizeof(ftp->commands) - used, "\n%s", command);
}

static void converse(struct talk *t)
{
	char line[512];
	bool goes_on = t->plan.how != FTP_BUSY;

	say(t, goes_on ? "220 hello" : "421 too many");
	while (goes_on && fgets(line, sizeof(line), t->control)) {
		line[strcspn(line, "\r\n")] = '\0';
		note(t->ftp, line);
		goes_on = obey(t, line);
	}
	close_data(t);
}

static void *serve(void *arg)
{
	struct ftp *ftp = arg;
	int fd;

	while ((fd = accept(ftp->listener, NULL, NULL)) >= 0) {
		struct talk talk = { .ftp = ftp, .control = fdopen(fd, "r"), .data = -1 };

		if ((size_t)ftp->seen < ftp->count)
			talk.plan = ftp->sessions[ftp->seen];
		ftp->seen++;
		if (!talk.control)
			abort();
		converse(&talk);
		(void)fclose(talk.control);
	}
	return NULL;
}

struct ftp *ftp_start(const struct ftp_session *sessions, size_t count, const char *object)
{
	struct ftp *ftp = calloc(1, sizeof(*ftp));
	struct sockaddr_in at;

	if (!ftp)
		abort();
	ftp->sessions = sessions;
	ftp->count = count;
	ftp->object = object;
	ftp->listener = loopback_bound(&at);
	(void)snprintf(ftp->url, sizeof(ftp->url), "ftp://127.0.0.1:%d/o", ntohs(at.sin_port));
	if (listen(ftp->listener, 16) != 0 || pthread_create(&ftp->thread, NULL, serve, ftp) != 0)
		abort();
	return ftp;
}

const char *ftp_url(const struct ftp *ftp)
{
	return ftp->url;
}

int ftp_sessions(const struct ftp *ftp)
{
	return ftp->seen;
}

int ftp_obeyed(const struct ftp *ftp, const char *command)
{
	char wanted[64];
	int count = 0;

	(void)snprintf(wanted, sizeof(wanted), "\n%s", command);
	for (const char *at = ftp->commands; (at = strstr(at, wanted)); at++)
		count++;
	return count;
}

const char *ftp_stored(const struct ftp *ftp)
{
	return ftp->stored;
}

void ftp_stop(struct ftp *ftp)
{
	(void)shutdown(ftp->listener, SHUT_RDWR);
	(void)pthread_join(ftp->thread, NULL);
	(void)close(ftp->listener);
	free(ftp);
}
