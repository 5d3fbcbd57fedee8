#include "ops/hook.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ops/hook_run.h"
#include "process.h"
#include "retry/ns.h"

#define SLICE_NS (50 * RS_NS_PER_MS)

/* How much longer than its command the helper may take. If it does, somebody has stopped it. */
#define HELPER_PATIENCE_NS (2 * RS_NS_PER_S)

/* A plain fork, but that the exit signal is 0; past libc, whose handlers for it are the program's.
 * All signals wait while there are two of us: the helper must not run a handler of the program. */
static pid_t start_helper(const struct rs_hook *hook, struct rs_hook_run *run)
{
	sigset_t all, mask;
	int program = getpid();
	pid_t helper;
	int error;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	helper = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (helper == 0)
		rs_hook_helper(hook, run, program);
	error = errno;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return helper > 0 ? helper : -error;
}

/* Sleep until the helper is done, or a slice is over. Not a cancellation point. */
static void doze(struct rs_hook_run *run)
{
	const struct timespec slice = { .tv_nsec = SLICE_NS };

	syscall(SYS_futex, &run->done, FUTEX_WAIT, 0, &slice, NULL, 0);
}

static bool is_over(const struct rs_hook_run *run)
{
	return atomic_load(&run->done) != 0;
}

static bool reap(pid_t helper, int flags)
{
	long reaped;

	do {
		reaped = syscall(SYS_wait4, helper, NULL, (unsigned)(flags) | (unsigned)__WCLONE,
				 NULL);
	} while (reaped < 0 && errno == EINTR);
	return reaped != 0;
}

/* False: it was killed, by whomever, before its work was done. */
static bool wait_for_helper(const struct rs_hook *hook, struct rs_hook_run *run, pid_t helper)
{
	int64_t until_ns =
		rs_ns_add(rs_hook_now_ns(), rs_ns_add(hook->timeout_ns, HELPER_PATIENCE_NS));
	bool gone = false;

	while (!is_over(run) && !gone && rs_hook_now_ns() < until_ns) {
		if (hook->go_on && !atomic_load(&run->stop) && !hook->go_on(hook->arg))
			atomic_store(&run->stop, 1);
		doze(run);
		gone = reap(helper, WNOHANG);
	}
	if (is_over(run)) {
		if (!gone)
			reap(helper, 0);
		return true;
	}
	if (!gone) {
		kill(helper, SIGKILL);
		reap(helper, 0);
	}
	if (atomic_load(&run->group) > 0)
		kill(-atomic_load(&run->group), SIGKILL);
	return is_over(run);
}

static void not_started(struct rs_hook_result *result, int error)
{
	result->end = RS_HOOK_NOT_STARTED;
	result->code = error;
}

static void conclude(struct rs_hook_run *run, struct rs_hook_result *result)
{
	int status = run->wait_status;

	result->output = (struct rs_span){ run->output, run->output_len };
	result->cut = run->cut;
	if (atomic_load(&run->exec_errno)) {
		not_started(result, atomic_load(&run->exec_errno));
	} else if (atomic_load(&run->stop)) {
		result->end = RS_HOOK_CANCELLED;
	} else if (run->timed_out) {
		result->end = RS_HOOK_TIMED_OUT;
	} else if (WIFEXITED(status)) {
		result->end = RS_HOOK_EXITED;
		result->code = WEXITSTATUS(status);
	} else {
		result->end = RS_HOOK_KILLED;
		result->code = WTERMSIG(status);
	}
}

static void run_helper(const struct rs_hook *hook, struct rs_hook_run *run,
		       struct rs_hook_result *result)
{
	pid_t helper;

	memcpy(run->env, hook->env.at, hook->env.len < RS_HOOK_ENV ? hook->env.len : RS_HOOK_ENV);
	/* What the helper, a fork without libc's help, had better not look up itself. */
	run->secure = getauxval(AT_SECURE) != 0;
	(void)rs_process_environ();
	helper = start_helper(hook, run);
	if (helper < 0)
		not_started(result, -helper);
	else if (wait_for_helper(hook, run, helper))
		conclude(run, result);
	else
		*result = (struct rs_hook_result){ .end = RS_HOOK_KILLED,
						   .code = SIGKILL,
						   .memory = run };
}

void rs_hook_run(const struct rs_hook *hook, struct rs_hook_result *result)
{
	int saved_errno = errno;
	int cancel_state;
	struct rs_hook_run *run;

	*result = (struct rs_hook_result){ .end = RS_HOOK_NOT_STARTED, .code = ENOMEM };
	run = mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run != MAP_FAILED) {
		result->memory = run;
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
		run_helper(hook, run, result);
		pthread_setcancelstate(cancel_state, NULL);
	}
	errno = saved_errno;
}

void rs_hook_release(struct rs_hook_result *result)
{
	if (result->memory)
		munmap(result->memory, sizeof(struct rs_hook_run));
	*result = (struct rs_hook_result){ .memory = NULL };
}
