#include "ops/hook.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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
	int program = getpid(), cancel_state;
	pid_t helper;
	int error;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state); /* the helper's, too */
	helper = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (helper == 0)
		rs_hook_helper(hook, run, program);
	error = errno;
	pthread_setcancelstate(cancel_state, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return helper > 0 ? helper : -error;
}

/* Sleep until the helper is done, or a slice is over. Not a cancellation point. */
static void doze(struct rs_hook_run *run)
{
	const struct timespec slice = { .tv_nsec = SLICE_NS };

	syscall(SYS_futex, &run->done, FUTEX_WAIT, 0, &slice, NULL, 0);
}

static bool is_done(const struct rs_hook_run *run)
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

/* ---- helpers that nobody waits for ---- */

#define ABANDONED 32

static atomic_int abandoned[ABANDONED];

/* Until it is reaped it is a zombie, sooner or later, which the program does not see. When there
 * are too many of them they stay so. */
static void leave(int helper)
{
	int none = 0;

	for (size_t i = 0; i < ABANDONED; i++, none = 0) {
		if (atomic_compare_exchange_strong(&abandoned[i], &none, helper))
			return;
	}
}

static void reap_abandoned(void)
{
	for (size_t i = 0; i < ABANDONED; i++) {
		int helper = atomic_load(&abandoned[i]);

		if (helper > 0 && reap(helper, WNOHANG))
			atomic_compare_exchange_strong(&abandoned[i], &helper, 0);
	}
}

/* ---- from start to end ---- */

static bool inherits(void)
{
	int subreaper = 0;

	return getpid() == 1 || (prctl(PR_GET_CHILD_SUBREAPER, &subreaper) == 0 && subreaper != 0);
}

void rs_hook_start(const struct rs_hook *hook, struct rs_hook_job *job)
{
	int saved_errno = errno;
	struct rs_hook_run *run =
		mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	reap_abandoned();
	*job = (struct rs_hook_job){ .program = getpid(), .helper = -ENOMEM };
	if (run != MAP_FAILED) {
		run->inherits = inherits();
		run->env_len = hook->put_env(hook->env_of, run->env);
		/* What the helper, a fork without libc's help, had better not look up itself. */
		run->secure = getauxval(AT_SECURE) != 0;
		(void)rs_process_environ();
		job->run = run;
		job->helper = start_helper(hook, run);
		job->until_ns = rs_ns_add(rs_hook_now_ns(),
					  rs_ns_add(hook->timeout_ns, HELPER_PATIENCE_NS));
	}
	errno = saved_errno;
}

static bool is_ours(const struct rs_hook_job *job)
{
	return job->helper > 0 && job->program == getpid();
}

bool rs_hook_is_over(struct rs_hook_job *job)
{
	int saved_errno = errno;

	if (job->helper > 0 && !is_done(job->run) && is_ours(job) && !job->gone)
		job->gone = reap(job->helper, WNOHANG);
	errno = saved_errno;
	return job->helper <= 0 || is_done(job->run) || job->gone ||
	       rs_hook_now_ns() >= job->until_ns;
}

/* One that is not done was killed, by whomever, or has been stopped for too long. */
static void end_helper(const struct rs_hook_job *job)
{
	if (!is_ours(job))
		return;
	if (!is_done(job->run) && !job->gone)
		kill(job->helper, SIGKILL);
	if (!job->gone && is_done(job->run) && job->run->stays)
		leave(job->helper);
	else if (!job->gone)
		reap(job->helper, 0);
	if (!is_done(job->run) && atomic_load(&job->run->group) > 0)
		kill(-atomic_load(&job->run->group), SIGKILL);
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

void rs_hook_finish(struct rs_hook_job *job, struct rs_hook_result *result)
{
	int saved_errno = errno;

	*result = (struct rs_hook_result){ .memory = job->run };
	end_helper(job);
	if (job->helper <= 0) {
		not_started(result, -job->helper);
	} else if (is_done(job->run)) {
		conclude(job->run, result);
	} else {
		result->end = RS_HOOK_KILLED;
		result->code = SIGKILL;
	}
	job->run = NULL;
	errno = saved_errno;
}

void rs_hook_abandon(struct rs_hook_job *job)
{
	struct rs_hook_result result = { .memory = job->run };
	int saved_errno = errno;

	if (is_ours(job)) {
		atomic_store(&job->run->stop, 1);
		if (!job->gone && !reap(job->helper, WNOHANG))
			leave(job->helper);
	}
	rs_hook_release(&result);
	job->run = NULL;
	errno = saved_errno;
}

static void wait_for(const struct rs_hook *hook, struct rs_hook_job *job)
{
	while (!rs_hook_is_over(job)) {
		if (hook->go_on && !atomic_load(&job->run->stop) && !hook->go_on(hook->arg))
			atomic_store(&job->run->stop, 1);
		doze(job->run);
	}
}

void rs_hook_run(const struct rs_hook *hook, struct rs_hook_result *result)
{
	int saved_errno = errno, cancel_state;
	struct rs_hook_job job;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	rs_hook_start(hook, &job);
	wait_for(hook, &job);
	rs_hook_finish(&job, result);
	pthread_setcancelstate(cancel_state, NULL);
	errno = saved_errno;
}

void rs_hook_release(struct rs_hook_result *result)
{
	if (result->memory)
		munmap(result->memory, sizeof(struct rs_hook_run));
	*result = (struct rs_hook_result){ .memory = NULL };
}
