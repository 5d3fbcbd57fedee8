#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "at_start.h"
#include "gnu.h"
#include "next_symbol.h"
#include "ops/sink.h"
#include "own_stack.h"
#include "pause.h"
#include "process_env.h"
#include "real.h"
#include "retry/ns.h"

_Thread_local int rs_curl_depth __attribute__((tls_model("initial-exec")));
_Thread_local int rs_connected_fd __attribute__((tls_model("initial-exec")));
atomic_bool rs_faults_watched;
atomic_bool rs_lookups_watched;
atomic_bool rs_limits_possible;

struct rs_process_env rs_process_env;

/* ---- start ---- */

/* What stands after `prefix` in `entry`, or NULL. Spelled out, since each function of libc that is
 * called at start has to be looked up at start. */
static char *after(char *entry, const char *prefix)
{
	while (*prefix && *entry == *prefix) {
		entry++;
		prefix++;
	}
	return *prefix ? NULL : entry;
}

static bool copied(const char *value, char *copy, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		copy[i] = value[i];
		if (value[i] == '\0')
			return true;
	}
	return false;
}

static void keep(const char *name, const char *value, char *copy, size_t size)
{
	if (!copied(value, copy, size))
		rs_process_env.too_long = name;
}

/* The value, where `entry` sets the variable `name`, and the environment may be believed: not under
 * secure execution. */
static char *value_in(char *entry, const char *name)
{
	char *rest = after(entry, name);

	return rest && *rest == '=' ? secure_getenv(name) : NULL;
}

static void keep_faults(const char *value)
{
	keep("RETRYSHIM_FAULTS", value, rs_process_env.faults, sizeof(rs_process_env.faults));
	rs_faults_watched = rs_lookups_watched = true;
}

/* Options that set a limit make the rules needed before the first attempt. */
static void keep_options(const char *value)
{
	keep("RETRYSHIM_OPTIONS", value, rs_process_env.options, sizeof(rs_process_env.options));
	for (char *at = rs_process_env.options; *at; at++) {
		if (*at == '_' && after(at, "_timeout="))
			rs_limits_possible = true;
	}
}

static void keep_entry(char *entry)
{
	const char *value;

	if ((value = value_in(entry, "RETRYSHIM_RULES")))
		keep("RETRYSHIM_RULES", value, rs_process_env.rules, sizeof(rs_process_env.rules));
	else if ((value = value_in(entry, "RETRYSHIM_OPTIONS")))
		keep_options(value);
	else if ((value = value_in(entry, "RETRYSHIM_EARLY")))
		rs_limits_possible = value[0] == '1';
	else if ((value = value_in(entry, "RETRYSHIM_FAULTS")))
		keep_faults(value);
	else if ((value = value_in(entry, "RETRYSHIM_DISABLE")))
		rs_process_env.disabled |= value[0] == '1' && value[1] == '\0';
	else if (value_in(entry, "RETRYSHIM_ATTEMPT"))
		rs_process_env.disabled = true; /* a command of ours, which would call for itself */
	else if (value_in(entry, "RETRYSHIM_KEEP_DEEPBIND"))
		rs_dl_open_mask = ~0U;
}

/* One that is too long for a path is none. */
static void keep_path(const char *value, char copy[RS_ENV_PATH_SIZE])
{
	if (!copied(value, copy, RS_ENV_PATH_SIZE))
		copy[0] = '\0';
}

/* Most programs have these, whether under the shim or not: that they are to be believed is left to
 * whoever reads them. */
static void keep_directory(char *entry)
{
	const char *value;

	if ((value = after(entry, "XDG_CONFIG_HOME=")))
		keep_path(value, rs_process_env.config_home);
	else if ((value = after(entry, "XDG_RUNTIME_DIR=")))
		keep_path(value, rs_process_env.runtime_dir);
}

/* The environment again as `retryshim run --no-inherit` found it: `preload` is the whole entry that
 * LD_PRELOAD was ("LD_PRELOAD=…"), or nothing where there was none. */
static void leave_environment(char *preload)
{
	char **to = *rs_process_environ();

	for (char **from = to; from && *from; from++) {
		if (after(*from, "RETRYSHIM_"))
			continue;
		if (!after(*from, "LD_PRELOAD="))
			*to++ = *from;
		else if (*preload)
			*to++ = preload;
	}
	if (to)
		*to = NULL;
}

/*
 * RETRYSHIM_NO_INHERIT is "PID:" and that entry. The process with this number, which exec() does
 * not change, is the program, be it the third that an entry point becomes: it stays wrapped, and
 * so does what it becomes next. Any other is a child. (One in a PID namespace of its own may have
 * the number again, and is wrapped, too.) Without a number, as --print-env has it, the first to
 * read it is the program.
 */
static void do_not_inherit(char *value)
{
	pid_t pid = 0;
	char *at = value;

	for (; *at >= '0' && *at <= '9'; at++)
		pid = (pid_t)((unsigned)pid * 10 + (unsigned)(*at - '0'));
	if (at == value || *at != ':') {
		leave_environment(value);
	} else if (pid != getpid()) {
		rs_process_env.disabled = true;
		rs_dl_open_mask = ~0U;
		leave_environment(at + 1);
	}
}

/* What the program was started with; an earlier constructor may have taken from it since. */
static void read_environment(char **entry)
{
	char *value, *no_inherit = NULL;

	for (; entry && *entry; entry++) {
		/* Few entries are ours: one comparison for the others. */
		if (**entry == 'X')
			keep_directory(*entry);
		if (**entry != 'R')
			continue;
		keep_entry(*entry);
		if ((value = value_in(*entry, "RETRYSHIM_NO_INHERIT")))
			no_inherit = value;
	}
	if (no_inherit)
		do_not_inherit(no_inherit);
}

__attribute__((constructor)) static void start(int argc, char **argv, char **env)
{
	(void)argc;
	(void)argv;
	read_environment(rs_start_environ(env));
	rs_sink_remember_stderr();
	/* A handler may connect, and the dynamic linker's lock is not for handlers. */
	if (!rs_next_symbol_possible())
		(void)rs_real_connect();
}

const char *rs_process_directory(const char *directory)
{
	return getauxval(AT_SECURE) ? "" : directory;
}

/* ---- name, clocks, randomness ---- */

#define NAME_WORDS 32

/* Threads that come at the same time write the same words: no lock, and no torn name. */
RS_DATA_AT_START static _Atomic uint64_t name_words[NAME_WORDS];
RS_DATA_AT_START static atomic_bool name_known;

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Of a process whose first thread has ended /proc knows it by the others. */
static long read_executable(char *path, size_t size)
{
	long len = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path, size);

	return len > 0 ? len
		       : syscall(SYS_readlinkat, AT_FDCWD, "/proc/thread-self/exe", path, size);
}

/* The executable's path, or, without /proc, what the kernel calls the thread. */
static const char *executable(char *path, size_t size)
{
	static const char deleted[] = " (deleted)";
	size_t tail = strlen(deleted);
	long len = read_executable(path, size - 1);

	if (len <= 0) {
		memset(path, 0, size);
		syscall(SYS_prctl, PR_GET_NAME, path);
		return path;
	}
	path[len] = '\0';
	if ((size_t)len > tail && strcmp(path + (size_t)len - tail, deleted) == 0)
		path[(size_t)len - tail] = '\0';
	return path;
}

static void find_name(void *unused)
{
	char path[RS_ENV_PATH_SIZE];
	uint64_t words[NAME_WORDS] = { 0 };
	const char *name = base_name(executable(path, sizeof(path)));

	(void)unused;
	memcpy(words, name, strnlen(name, sizeof(words) - 1));
	for (size_t i = 0; i < NAME_WORDS; i++)
		atomic_store_explicit(&name_words[i], words[i], memory_order_relaxed);
	atomic_store_explicit(&name_known, true, memory_order_release);
}

const char *rs_program_name(void)
{
	int saved_errno = errno;
	struct rs_before before;

	if (!atomic_load_explicit(&name_known, memory_order_acquire)) {
		rs_signals_hold(&before);
		rs_on_own_stack(find_name, NULL);
		rs_signals_let(&before);
	}
	errno = saved_errno;
	return (const char *)name_words;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * RS_NS_PER_S + now.tv_nsec;
}

int64_t rs_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int64_t rs_wall_now_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

/* Sebastiano Vigna's splitmix64: https://prng.di.unimi.it/splitmix64.c */
static uint64_t splitmix64(uint64_t state)
{
	uint64_t mixed = state;

	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ (mixed >> 31);
}

uint64_t rs_random(const struct rs_rules *rules)
{
	static const uint64_t step = UINT64_C(0x9e3779b97f4a7c15);
	static _Atomic uint64_t draws;
	uint64_t value;
	uint64_t draw = atomic_fetch_add_explicit(&draws, 1, memory_order_relaxed) + 1;
	int saved_errno = errno;

	if (rules->settings.has_seed)
		return splitmix64(rules->settings.seed + draw * step);
	/* Not getrandom(): that is a cancellation point. */
	if (syscall(SYS_getrandom, &value, sizeof(value), GRND_NONBLOCK) != sizeof(value))
		value = splitmix64((uint64_t)rs_now_ns() + (uint64_t)getpid() * step + draw);
	errno = saved_errno;
	return value;
}
