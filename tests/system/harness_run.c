/*
 * Child processes: started in a process group of their own, read to the end, never outlived.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness_parts.h"

#define DEFAULT_TIMEOUT_MS 20000

enum { STREAM_OUT, STREAM_ERR, STREAM_IN, STREAM_COUNT };

struct output {
	char *at;
	size_t len, size;
};

struct child {
	pid_t pid;
	int fds[STREAM_COUNT]; /* our ends; -1: closed */
	struct output read[2];
	char *input;
	size_t input_len, input_sent;
	int64_t started_ns, ends_ns;
	bool timed_out;
};

/* Children that run now: whoever ends this test program by SIGTERM or SIGINT ends them, too. */
#define RUNNING_LIMIT 32
static volatile pid_t running[RUNNING_LIMIT];

static void end_with_children(int number)
{
	for (int i = 0; i < RUNNING_LIMIT; i++) {
		if (running[i] > 0)
			(void)kill(-running[i], SIGKILL);
	}
	_exit(128 + number);
}

static void replace_running(pid_t old, pid_t new)
{
	for (int i = 0; i < RUNNING_LIMIT; i++) {
		if (running[i] == old) {
			running[i] = new;
			return;
		}
	}
}

static void make_pipe(int *ours, int *theirs, bool child_writes)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		harness_die("pipe");
	*ours = ends[child_writes ? 0 : 1];
	*theirs = ends[child_writes ? 1 : 0];
	(void)fcntl(*ours, F_SETFL, O_NONBLOCK);
}

static void copy_input(struct child *child, const struct program *program)
{
	size_t len = program->input_len;

	if (!program->input)
		return;
	child->input_len = len > 0 ? len : strlen(program->input);
	child->input = malloc(child->input_len + 1);
	if (!child->input)
		harness_die("memory");
	memcpy(child->input, program->input, child->input_len);
}

/* Signals as a shell would leave them, whatever the test program ignores. */
static void set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, ours;

	(void)sigemptyset(&none);
	(void)sigemptyset(&ours);
	(void)sigaddset(&ours, SIGPIPE);
	(void)posix_spawnattr_init(attributes);
	(void)posix_spawnattr_setpgroup(attributes, 0);
	(void)posix_spawnattr_setsigmask(attributes, &none);
	(void)posix_spawnattr_setsigdefault(attributes, &ours);
	(void)posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
							   POSIX_SPAWN_SETSIGDEF);
}

static void spawn(struct child *child, const struct program *program, const int theirs[])
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char **env = harness_environment(program);
	char **argv = harness_words(program);
	int rc;

	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, theirs[STREAM_IN], 0);
	(void)posix_spawn_file_actions_adddup2(&actions, theirs[STREAM_OUT], 1);
	(void)posix_spawn_file_actions_adddup2(&actions, theirs[STREAM_ERR], 2);
	set_attributes(&attributes);
	rc = posix_spawnp(&child->pid, argv[0], &actions, &attributes, argv, env);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	harness_environment_free(env);
	free(argv);
	if (rc != 0) {
		errno = rc;
		harness_die(program->argv[0]);
	}
}

struct child *child_start(const struct program *program)
{
	struct child *child = harness_zeroed(sizeof(*child));
	int timeout_ms = program->timeout_ms > 0 ? program->timeout_ms : DEFAULT_TIMEOUT_MS;
	int theirs[STREAM_COUNT];

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGTERM, end_with_children);
	(void)signal(SIGINT, end_with_children);
	make_pipe(&child->fds[STREAM_OUT], &theirs[STREAM_OUT], true);
	make_pipe(&child->fds[STREAM_ERR], &theirs[STREAM_ERR], true);
	make_pipe(&child->fds[STREAM_IN], &theirs[STREAM_IN], false);
	copy_input(child, program);
	child->started_ns = now_ns();
	child->ends_ns = child->started_ns + (int64_t)timeout_ms * 1000000;
	spawn(child, program, theirs);
	replace_running(0, child->pid);
	for (int i = 0; i < STREAM_COUNT; i++)
		(void)close(theirs[i]);
	return child;
}

pid_t child_pid(const struct child *child)
{
	return child->pid;
}

static void close_stream(struct child *child, int stream)
{
	if (child->fds[stream] >= 0)
		(void)close(child->fds[stream]);
	child->fds[stream] = -1;
}

static void read_some(struct child *child, int stream)
{
	struct output *output = &child->read[stream];
	ssize_t got;

	if (output->size - output->len < 65536) {
		output->size = output->size * 2 + 65537;
		output->at = realloc(output->at, output->size);
		if (!output->at)
			harness_die("memory");
	}
	got = read(child->fds[stream], output->at + output->len, output->size - output->len - 1);
	if (got > 0)
		output->len += (size_t)got;
	else if (got == 0 || errno != EAGAIN)
		close_stream(child, stream);
	output->at[output->len] = '\0';
}

static void write_some(struct child *child)
{
	ssize_t sent = 0;

	if (child->input_sent < child->input_len)
		sent = write(child->fds[STREAM_IN], child->input + child->input_sent,
			     child->input_len - child->input_sent);
	if (sent > 0)
		child->input_sent += (size_t)sent;
	if (child->input_sent == child->input_len || (sent < 0 && errno != EAGAIN))
		close_stream(child, STREAM_IN);
}

/* Move bytes both ways once; false when the streams or the time have ended. */
static bool exchange(struct child *child)
{
	struct pollfd fds[STREAM_COUNT];
	int64_t left_ns = child->ends_ns - now_ns();

	if (child->fds[STREAM_OUT] < 0 && child->fds[STREAM_ERR] < 0)
		return false;
	if (left_ns <= 0) {
		child->timed_out = true;
		return false;
	}
	for (int i = 0; i < STREAM_COUNT; i++) {
		fds[i].fd = child->fds[i];
		fds[i].events = i == STREAM_IN ? POLLOUT : POLLIN;
		fds[i].revents = 0;
	}
	(void)poll(fds, STREAM_COUNT, (int)(left_ns / 1000000) + 1);
	if (fds[STREAM_OUT].revents)
		read_some(child, STREAM_OUT);
	if (fds[STREAM_ERR].revents)
		read_some(child, STREAM_ERR);
	if (fds[STREAM_IN].revents)
		write_some(child);
	return true;
}

static bool has_written(const struct child *child, const char *text)
{
	for (int i = 0; i < 2; i++) {
		if (child->read[i].at && strstr(child->read[i].at, text))
			return true;
	}
	return false;
}

bool child_wait_output(struct child *child, const char *text)
{
	while (!has_written(child, text)) {
		if (!exchange(child))
			return has_written(child, text);
	}
	return true;
}

/* A child may close its streams and live on: its end is waited for within the same limit. */
static int wait_for_end(struct child *child)
{
	siginfo_t info = { 0 };
	int status = 0;

	while (!child->timed_out) {
		if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    info.si_pid == child->pid)
			break;
		child->timed_out = now_ns() > child->ends_ns;
		(void)poll(NULL, 0, 1);
	}
	/* The group goes while its leader still holds the number, so that it is nobody else's. */
	(void)kill(-child->pid, SIGKILL);
	replace_running(child->pid, 0);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

static char *or_empty(const struct output *output)
{
	char *text = output->at ? output->at : calloc(1, 1);

	if (!text)
		harness_die("memory");
	return text;
}

struct run child_finish(struct child *child)
{
	struct run run = { .status = -1 };
	int status;

	while (exchange(child))
		continue;
	status = wait_for_end(child);
	run.elapsed_ns = now_ns() - child->started_ns;
	run.timed_out = child->timed_out;
	if (WIFEXITED(status))
		run.status = WEXITSTATUS(status);
	else
		run.signal = WTERMSIG(status);
	run.out = or_empty(&child->read[STREAM_OUT]);
	run.out_len = child->read[STREAM_OUT].len;
	run.err = or_empty(&child->read[STREAM_ERR]);
	run.err_len = child->read[STREAM_ERR].len;
	for (int i = 0; i < STREAM_COUNT; i++)
		close_stream(child, i);
	free(child->input);
	free(child);
	return run;
}

struct run run_program(const struct program *program)
{
	return child_finish(child_start(program));
}

void run_free(struct run *run)
{
	free(run->out);
	free(run->err);
	*run = (struct run){ 0 };
}
