/*
 * Running a command beside the program, without the program noticing.
 *
 * The command is no child of the program's: a helper process stands between them. The helper is
 * made with exit signal 0, so that neither the SIGCHLD handler nor wait() nor waitpid(-1) of the
 * program sees it; since an exec would reset that to SIGCHLD, the helper never execs but starts
 * the command as a child of its own. What they have to tell goes through shared memory: the
 * program never has a descriptor of theirs, and neither of them any of the program's.
 *
 * From any thread; allocates from mappings of its own; async-signal-safe.
 */
#ifndef RS_OPS_HOOK_H
#define RS_OPS_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "retry/outcome.h"

struct rs_hook_run;

/* As much of a command's stdout is kept; the rest is read and dropped. */
#define RS_HOOK_OUTPUT 65536

/* The variables that a command gets: "NAME=value\0NAME=value\0". */
#define RS_HOOK_ENV 8192

/* Writes them to `env`, which is zero; how many bytes they are. It goes straight to where the
 * helper reads it: a thread's stack may be small. */
typedef size_t (*rs_hook_env_fn)(const void *of, char env[RS_HOOK_ENV]);

struct rs_hook {
	const char *const *argv; /* searched for in PATH */
	rs_hook_env_fn put_env;
	const void *env_of;
	struct rs_span input;     /* its stdin */
	int64_t timeout_ns;       /* then its process group is ended */
	bool (*go_on)(void *arg); /* asked at least every 50 ms; false ends the group. NULL: yes */
	void *arg;
};

enum rs_hook_end {
	RS_HOOK_EXITED, /* code: its exit status */
	RS_HOOK_KILLED, /* code: the signal */
	RS_HOOK_TIMED_OUT,
	RS_HOOK_CANCELLED,   /* go_on() said no */
	RS_HOOK_NOT_STARTED, /* code: the errno */
};

struct rs_hook_result {
	enum rs_hook_end end;
	int code;
	struct rs_span output;
	bool cut;     /* there was more of it */
	void *memory; /* where the output lies */
};

/* Run to the end. A command that outlives its timeout gets SIGTERM, and SIGKILL soon after. What
 * it leaves running in the background when it exits by itself is its own business. Where that would
 * become the program's child, since the program is process 1 or a subreaper, the helper stays its
 * parent until it ends. */
void rs_hook_run(const struct rs_hook *hook, struct rs_hook_result *result);

/* Give back the output's memory. */
void rs_hook_release(struct rs_hook_result *result);

/* The same for who cannot wait: begun, asked after, told. Its memory is the hook's until then. */
struct rs_hook_job {
	struct rs_hook_run *run; /* NULL: no memory */
	int program;             /* that began it: a fork's child has no part in it */
	int helper;              /* its process, or -errno */
	bool gone;               /* and reaped */
	int64_t until_ns;        /* CLOCK_MONOTONIC: then the helper itself is ended */
};

/* `hook` is not needed afterwards, but for what it points to; go_on() is not asked. Takes as long
 * as a fork. */
void rs_hook_start(const struct rs_hook *hook, struct rs_hook_job *job);

/* Does not wait. A child of the program that began it may ask, too. */
bool rs_hook_is_over(struct rs_hook_job *job);

/* It is over: how it ended. The result is to be released. */
void rs_hook_finish(struct rs_hook_job *job, struct rs_hook_result *result);

/* Nobody waits for it any more: it is ended, soon. */
void rs_hook_abandon(struct rs_hook_job *job);

#endif
