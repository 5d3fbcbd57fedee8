#include "process.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "mark.h"
#include "ops/log.h"
#include "real.h"
#include "retry/ns.h"
#include "rules/load.h"
#include "rules/where.h"

_Thread_local int rs_curl_depth __attribute__((tls_model("initial-exec")));

/*
 * What the environment said at start. Copies: programs that set their title write over it. They
 * lie in BSS, so that a program which never needs the rules never touches their pages.
 */
static char env_rules[RS_ENV_RULES_SIZE];
static char env_options[RS_ENV_OPTIONS_SIZE];
static char env_config_home[4096];
static bool env_disabled;
static const char *env_too_long; /* the variable that did not fit, or NULL */

/* NULL: nobody needed them yet. &no_rules: there are none to apply. */
const struct rs_rules *_Atomic rs_rules_loaded;
static const struct rs_rules no_rules;
atomic_bool rs_limits_possible;

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

static void keep(const char *name, const char *value, char *copy, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		copy[i] = value[i];
		if (value[i] == '\0')
			return;
	}
	env_too_long = name;
}

/* The value, where `entry` sets the variable `name`, and the environment may be believed: not under
 * secure execution. */
static char *value_in(char *entry, const char *name)
{
	char *rest = after(entry, name);

	return rest && *rest == '=' ? secure_getenv(name) : NULL;
}

/* Options that set a limit make the rules needed before the first attempt. */
static void keep_options(const char *value)
{
	keep("RETRYSHIM_OPTIONS", value, env_options, sizeof(env_options));
	for (char *at = env_options; *at; at++) {
		if (*at == '_' && after(at, "_timeout="))
			rs_limits_possible = true;
	}
}

static void keep_entry(char *entry)
{
	const char *value;

	if ((value = value_in(entry, "RETRYSHIM_RULES")))
		keep("RETRYSHIM_RULES", value, env_rules, sizeof(env_rules));
	else if ((value = value_in(entry, "RETRYSHIM_OPTIONS")))
		keep_options(value);
	else if ((value = value_in(entry, "RETRYSHIM_EARLY")))
		rs_limits_possible = value[0] == '1';
	else if ((value = value_in(entry, "RETRYSHIM_DISABLE")))
		env_disabled = value[0] == '1' && value[1] == '\0';
	else if (value_in(entry, "RETRYSHIM_KEEP_DEEPBIND"))
		rs_dl_open_mask = ~0U;
	else if ((value = value_in(entry, "XDG_CONFIG_HOME")))
		keep("XDG_CONFIG_HOME", value, env_config_home, sizeof(env_config_home));
}

/* Put the environment back as `retryshim run --no-inherit` found it: RETRYSHIM_NO_INHERIT holds the
 * whole entry that LD_PRELOAD was ("LD_PRELOAD=…"), or nothing where there was none. */
static void leave_environment(char *preload)
{
	char **to = environ;

	for (char **from = environ; *from; from++) {
		if (after(*from, "RETRYSHIM_"))
			continue;
		if (!after(*from, "LD_PRELOAD="))
			*to++ = *from;
		else if (*preload)
			*to++ = preload;
	}
	*to = NULL;
}

static void read_environment(void)
{
	char *value, *preload = NULL;

	/* An earlier constructor may have called clearenv(). */
	for (char **entry = environ; entry && *entry; entry++) {
		/* Few entries are ours: one comparison for the others. */
		if (**entry != 'R' && **entry != 'X')
			continue;
		keep_entry(*entry);
		if ((value = value_in(*entry, "RETRYSHIM_NO_INHERIT")))
			preload = value;
	}
	if (preload)
		leave_environment(preload);
}

__attribute__((constructor)) static void start(void)
{
	read_environment();
	rs_mark_begin();
	rs_log_remember_stderr();
	(void)rs_real_connect();
	if (env_disabled)
		atomic_store_explicit(&rs_rules_loaded, &no_rules, memory_order_release);
}

/* ---- rules ---- */

static _Thread_local bool loading __attribute__((tls_model("initial-exec")));

/* The one line about rules that cannot be used: the first fault, and how many there are. */
struct refusal {
	struct rs_log_line line;
	int64_t faults;
};

static void note_fault(void *arg, const struct rs_complaint *complaint)
{
	struct refusal *refusal = arg;

	if (complaint->severity != RS_ERROR || refusal->faults++ > 0)
		return;
	rs_log_begin(&refusal->line, NULL, RS_LOG_ERROR, "rules");
	rs_log_str(&refusal->line, "action", "refused");
	rs_log_str(&refusal->line, "file", complaint->file);
	if (complaint->line > 0)
		rs_log_int(&refusal->line, "line", complaint->line);
	rs_log_str(&refusal->line, "error", complaint->text);
}

static struct rs_rules *load(struct refusal *refusal)
{
	char paths[sizeof(env_rules)];
	struct rs_rules *rules = NULL;
	struct rs_load_request request = {
		.options = env_options,
		.complain = note_fault,
		.arg = refusal,
	};

	if (env_too_long) {
		note_fault(refusal, &(struct rs_complaint){ .file = env_too_long,
							    .text = "the value is too long" });
		return NULL;
	}
	if (rs_rules_where(env_rules, env_config_home, paths, sizeof(paths)) >= sizeof(paths)) {
		note_fault(refusal, &(struct rs_complaint){ .file = "XDG_CONFIG_HOME",
							    .text = "the value is too long" });
		return NULL;
	}
	request.paths = paths;
	return rs_rules_load(&request, &rules) == 0 ? rules : NULL;
}

static void log_loaded(const struct rs_rules *rules)
{
	struct rs_log_line line;

	rs_log_begin(&line, &rules->settings, RS_LOG_DEBUG, "rules");
	rs_log_str(&line, "action", "loaded");
	rs_log_int(&line, "rules", (int64_t)rules->rule_count);
	rs_log_int(&line, "policies", (int64_t)rules->policy_count);
	rs_log_end(&line);
}

static void log_refused(struct refusal *refusal)
{
	rs_log_int(&refusal->line, "faults", refusal->faults);
	rs_log_end(&refusal->line);
}

/* Load, and make the result everybody's unless another thread was first. */
static void load_and_publish(void)
{
	struct refusal refusal = { .faults = 0 };
	struct rs_rules *rules = load(&refusal);
	bool wanted = rules && rules->settings.mode != RS_MODE_OFF;
	const struct rs_rules *unset = NULL;

	if (!atomic_compare_exchange_strong(&rs_rules_loaded, &unset, wanted ? rules : &no_rules)) {
		rs_rules_free(rules);
		return;
	}
	rs_limits_possible = wanted && rules->limits;
	if (rules)
		log_loaded(rules);
	else
		log_refused(&refusal);
	if (!wanted)
		rs_rules_free(rules);
}

/* No signal handler may run, and no cancellation strike, while files are open and memory is held:
 * both could leave for good. The flag is for an allocator that calls an interposed function. */
static void load_undisturbed(void)
{
	sigset_t all, mask;
	int cancel_state;

	loading = true;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	load_and_publish();
	pthread_setcancelstate(cancel_state, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	loading = false;
}

const struct rs_rules *rs_process_rules(void)
{
	int saved_errno = errno;
	const struct rs_rules *rules;

	if (env_disabled || loading)
		return NULL;
	if (!rs_process_rules_if_loaded())
		load_undisturbed();
	errno = saved_errno;
	rules = rs_process_rules_if_loaded();
	return rules == &no_rules ? NULL : rules;
}

/* ---- name, clocks, randomness ---- */

#define NAME_WORDS 32

/* Threads that come at the same time write the same words: no lock, and no torn name. */
static _Atomic uint64_t name_words[NAME_WORDS];
static atomic_bool name_known;

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The executable's path, or, without /proc, what the kernel calls the thread. */
static const char *executable(char *path, size_t size)
{
	static const char deleted[] = " (deleted)";
	size_t tail = strlen(deleted);
	long len = syscall(SYS_readlink, "/proc/self/exe", path, size - 1);

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

static void find_name(void)
{
	char path[4096];
	uint64_t words[NAME_WORDS] = { 0 };
	const char *name = base_name(executable(path, sizeof(path)));

	memcpy(words, name, strnlen(name, sizeof(words) - 1));
	for (size_t i = 0; i < NAME_WORDS; i++)
		atomic_store_explicit(&name_words[i], words[i], memory_order_relaxed);
	atomic_store_explicit(&name_known, true, memory_order_release);
}

const char *rs_program_name(void)
{
	int saved_errno = errno;

	if (!atomic_load_explicit(&name_known, memory_order_acquire))
		find_name();
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
