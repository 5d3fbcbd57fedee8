/*
 * The helper between the program and a command: a copy of the program that has the memory as it
 * was, one thread, and nothing of it that it may touch but this code. No heap, no locks.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/futex.h>

#include "ops/hook_run.h"
#include "process.h"
#include "retry/ns.h"

#define SLICE_NS (50 * RS_NS_PER_MS)

/* What a command has between SIGTERM and SIGKILL. */
#define GRACE_NS (200 * RS_NS_PER_MS)

struct helper {
	const struct rs_hook *hook;
	struct rs_hook_run *run;
	pid_t program, command;
	int to_stdin, from_stdout; /* -1: closed */
	size_t written;
	int64_t until_ns;
	bool exited;
};

/* ---- the environment ---- */

static const char *after(const char *entry, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(entry, prefix, len) == 0 ? entry + len : NULL;
}

static void *map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static bool is_our_library(const char *path, size_t len)
{
	static const char name[] = "libretryshim.so";
	const char *slash = memrchr(path, '/', len);
	const char *base = slash ? slash + 1 : path;

	return strncmp(base, name, sizeof(name) - 1) == 0;
}

/* LD_PRELOAD without our library; NULL where nothing else is in it. */
static char *without_library(const char *entry, const char *list)
{
	char *kept = map(strlen(entry) + 1);
	size_t len = (size_t)(list - entry), name_len = len;

	if (!kept)
		return NULL;
	memcpy(kept, entry, len);
	while (*(list += strspn(list, ": "))) {
		size_t word = strcspn(list, ": ");

		if (!is_our_library(list, word)) {
			if (len > name_len)
				kept[len++] = ':';
			memcpy(kept + len, list, word);
			len += word;
		}
		list += word;
	}
	return len > name_len ? kept : NULL;
}

/* The program's environment but for what is the shim's. Under secure execution it is whoever
 * started the program that wrote it: nothing of it is used. */
static size_t take_over(const struct helper *helper, char **to)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	size_t count = 0;

	if (helper->run->secure) {
		to[count++] = path;
		return count;
	}
	for (char **from = *rs_process_environ(); from && *from; from++) {
		const char *preload = after(*from, "LD_PRELOAD=");
		char *entry = preload ? without_library(*from, preload) : *from;

		if (entry && !after(entry, "RETRYSHIM_"))
			to[count++] = entry;
	}
	return count;
}

static size_t count_strings(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += text[i] == '\0';
	return count;
}

/* NULL where there is no memory. */
static char **command_environment(struct helper *helper)
{
	size_t len = helper->run->env_len;
	size_t count = count_strings(helper->run->env, len) + 2;
	char *at = helper->run->env;
	char **env;

	for (char **from = *rs_process_environ(); from && *from; from++)
		count++;
	env = map(count * sizeof(*env));
	if (!env)
		return NULL;
	count = take_over(helper, env);
	for (; at < helper->run->env + len; at += strlen(at) + 1)
		env[count++] = at;
	return env;
}

/* ---- the command ---- */

/* All zero is SIG_DFL. Past libc, which keeps two signals to itself: they may have been inherited
 * as ignored. */
static void reset_signals(void)
{
	static const uint64_t standard[16];

	for (int number = 1; number < NSIG; number++)
		syscall(SYS_rt_sigaction, number, standard, NULL, sizeof(uint64_t));
}

/* Where there is no /dev/null they may be among those that they are to become. */
static bool take_as_standard(int in, int out)
{
	in = fcntl(in, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	out = fcntl(out, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return in >= 0 && out >= 0 && dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0;
}

/* Everything as for a program that a shell has just started. */
_Noreturn static void become_command(const struct helper *helper, int in, int out, char **env)
{
	sigset_t none;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* of the helper, which else would see to its end */
	reset_signals();
	if (take_as_standard(in, out)) {
		*rs_process_environ() = env;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execvp(helper->hook->argv[0], (char *const *)helper->hook->argv);
	}
	atomic_store(&helper->run->exec_errno, errno);
	_exit(127);
}

static bool start_command(struct helper *helper)
{
	char **env = command_environment(helper);
	int in[2], out[2];

	if (!env || syscall(SYS_pipe2, in, O_CLOEXEC) != 0 ||
	    syscall(SYS_pipe2, out, O_CLOEXEC) != 0)
		return false;
	helper->command = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (helper->command == 0)
		become_command(helper, in[0], out[1], env);
	if (helper->command < 0)
		return false;
	setpgid(helper->command, helper->command);
	atomic_store(&helper->run->group, helper->command);
	close(in[0]);
	close(out[1]);
	helper->to_stdin = in[1];
	helper->from_stdout = out[0];
	fcntl(in[1], F_SETFL, O_NONBLOCK);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	return true;
}

/* ---- its stdin and stdout ---- */

static void close_end(int *fd)
{
	close(*fd);
	*fd = -1;
}

static void feed(struct helper *helper)
{
	struct rs_span input = helper->hook->input;
	ssize_t written = 0;

	if (helper->written < input.len)
		written = write(helper->to_stdin, input.at + helper->written,
				input.len - helper->written);
	if (written < 0 && errno == EAGAIN)
		return;
	if (written > 0)
		helper->written += (size_t)written;
	if (written < 0 || helper->written == input.len)
		close_end(&helper->to_stdin);
}

/* Read what is there; beyond what is kept it is read all the same, so that nobody blocks. */
static void drain(struct helper *helper)
{
	struct rs_hook_run *run = helper->run;
	char dropped[512]; /* the stack is a copy of the thread's, which may be small */

	for (;;) {
		size_t room = RS_HOOK_OUTPUT - run->output_len;
		ssize_t got =
			room > 0 ? read(helper->from_stdout, run->output + run->output_len, room)
				 : read(helper->from_stdout, dropped, sizeof(dropped));

		if (got < 0 && errno == EAGAIN)
			return;
		if (got <= 0) {
			close_end(&helper->from_stdout);
			return;
		}
		if (room > 0)
			run->output_len += (size_t)got;
		else
			run->cut = true;
		if (room == 0 && helper->exited)
			return; /* something in the background goes on writing */
	}
}

/* Until there is something to do: the command writes, reads, or ends (SIGCHLD). Past our own hook:
 * the connects that are pending are the program's. */
static void wait_a_little(const struct helper *helper)
{
	struct timespec slice = { .tv_nsec = SLICE_NS };
	struct pollfd fds[2] = {
		{ .fd = helper->to_stdin, .events = POLLOUT },
		{ .fd = helper->from_stdout, .events = POLLIN },
	};
	sigset_t mask;

	sigfillset(&mask);
	sigdelset(&mask, SIGCHLD);
	syscall(SYS_ppoll, fds, 2UL, &slice, &mask, (size_t)_NSIG / 8);
}

/* ---- its end ---- */

static bool must_stop(const struct helper *helper)
{
	return atomic_load(&helper->run->stop) || getppid() != helper->program;
}

/* As a subreaper we are the parent of all that is left of the command. */
static void reap_the_rest(void)
{
	int64_t until_ns = rs_hook_now_ns() + GRACE_NS;

	while (waitpid(-1, NULL, WNOHANG) >= 0 && rs_hook_now_ns() < until_ns)
		wait_a_little(&(struct helper){ .to_stdin = -1, .from_stdout = -1 });
}

/* SIGTERM first; what is left of the group, the command itself included, gets SIGKILL. */
static void end_group(struct helper *helper)
{
	int64_t until_ns = rs_hook_now_ns() + GRACE_NS;

	kill(-helper->command, SIGTERM);
	while (!helper->exited && rs_hook_now_ns() < until_ns) {
		helper->exited = waitpid(helper->command, &helper->run->wait_status, WNOHANG) > 0;
		if (!helper->exited)
			wait_a_little(&(struct helper){ .to_stdin = -1, .from_stdout = -1 });
	}
	kill(-helper->command, SIGKILL);
	if (!helper->exited)
		waitpid(helper->command, &helper->run->wait_status, 0);
	helper->exited = true;
	reap_the_rest();
}

static void look_after(struct helper *helper)
{
	while (!helper->exited) {
		wait_a_little(helper);
		helper->exited = waitpid(helper->command, &helper->run->wait_status, WNOHANG) > 0;
		if (helper->to_stdin >= 0)
			feed(helper);
		if (helper->from_stdout >= 0)
			drain(helper);
		if (helper->exited)
			return;
		if (must_stop(helper)) {
			end_group(helper);
		} else if (rs_hook_now_ns() >= helper->until_ns) {
			helper->run->timed_out = true;
			end_group(helper);
		}
	}
}

/* Is there anything left of the command that the program must not get for a child? What a command
 * leaves in the background by intention, as a service that it has started, is not ended. */
static bool must_stay(const struct helper *helper)
{
	pid_t ended = 1;

	while (ended > 0)
		ended = waitpid(-1, NULL, WNOHANG);
	return ended == 0 && helper->run->inherits && getppid() == helper->program;
}

static void stay(void)
{
	while (waitpid(-1, NULL, 0) > 0)
		continue;
}

/* ---- the helper itself ---- */

static void on_child(int number)
{
	(void)number;
}

/* Every copy of a descriptor that stayed open here would keep the program's sockets and files
 * from being closed. In their place: nothing on 0, 1 and 2. */
static void drop_descriptors(void)
{
	if (syscall(SYS_close_range, 0U, ~0U, 0U) != 0) {
		struct rlimit most = { .rlim_cur = 65536 };

		getrlimit(RLIMIT_NOFILE, &most);
		for (rlim_t fd = 0; fd < most.rlim_cur && fd < 1048576; fd++)
			close((int)fd);
	}
	for (int i = 0; i < 3; i++)
		(void)open("/dev/null", O_RDWR);
}

static void tell_done(struct rs_hook_run *run)
{
	atomic_store(&run->done, 1);
	syscall(SYS_futex, &run->done, FUTEX_WAKE, 1, NULL, NULL, 0);
}

_Noreturn void rs_hook_helper(const struct rs_hook *hook, struct rs_hook_run *run, int program)
{
	struct sigaction action = { .sa_handler = on_child };
	struct helper helper = {
		.hook = hook,
		.run = run,
		.program = program,
		.to_stdin = -1,
		.from_stdout = -1,
		.until_ns = rs_ns_add(rs_hook_now_ns(), hook->timeout_ns),
	};

	prctl(PR_SET_NAME, "retryshim-hook");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	setpgid(0, 0); /* what is sent to the program's group is not for us: we are to outlive it */
	drop_descriptors();
	sigfillset(&action.sa_mask);
	sigaction(SIGCHLD, &action, NULL);
	if (start_command(&helper))
		look_after(&helper);
	else
		atomic_store(&run->exec_errno, errno ? errno : ENOMEM);
	run->stays = must_stay(&helper);
	tell_done(run);
	if (run->stays)
		stay();
	_exit(0);
}
