/*
 * The rules in force: loaded when they are first needed, and loaded again when their files have
 * changed.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "at_start.h"
#include "ops/log.h"
#include "ops/stats.h"
#include "own_stack.h"
#include "process_env.h"
#include "retry/fault.h"
#include "rules/load.h"
#include "rules/watch.h"
#include "rules/where.h"
#include "shared/budget.h"

/*
 * Calls in flight keep the rules that they began with, and the successful path looks at rules
 * without saying so: what was once in force is never released. So that this stays bounded, rules
 * are taken up so often and no more.
 */
#define RELOADS_MOST 1000

/* NULL: nobody needed them yet. &no_rules: there are none to apply. */
RS_DATA_AT_START const struct rs_rules *_Atomic rs_rules_loaded;
static struct rs_stir never_stirred;
static const struct rs_rules no_rules = { .stir = &never_stirred };
static _Thread_local bool loading __attribute__((tls_model("initial-exec")));

/* Written by whoever holds `looker`, and by the first load. */
RS_DATA_AT_START static struct {
	uint64_t sum; /* of the files when they were last looked at closely */
	int reloads;
} seen;
static char seen_paths[RS_ENV_RULES_SIZE]; /* that the rules in force, or refused, came from */
RS_DATA_AT_START static _Atomic int64_t looked_ns; /* when; 0: never */
static _Atomic int64_t reload_ns = RS_RELOAD_NS;
RS_DATA_AT_START static atomic_int looker; /* the process in which a thread looks; 0: none does */

/* ---- loading ---- */

/* The one line about rules that cannot be used: the first fault, and how many there are. */
struct refusal {
	const struct rs_settings *settings; /* of the rules that stay in force, or NULL */
	struct rs_rules *by_options;        /* where there are none: for what the options say */
	struct rs_log_line line;
	int64_t faults;
};

/* Where to, and whether, is for RETRYSHIM_OPTIONS to say where no rules are in force. */
static const struct rs_settings *settings_for(struct refusal *refusal)
{
	const struct rs_load_request request = { .options = rs_process_env.options,
						 .leave_patterns = true };

	if (!refusal->settings && rs_rules_load(&request, &refusal->by_options) == 0)
		refusal->settings = &refusal->by_options->settings;
	return refusal->settings;
}

static void note_fault(void *arg, const struct rs_complaint *complaint)
{
	struct refusal *refusal = arg;
	bool first = refusal->faults == 0;

	if (complaint->severity == RS_ERROR)
		refusal->faults += (int64_t)complaint->faults;
	if (complaint->severity != RS_ERROR || !first)
		return;
	rs_log_begin(&refusal->line, settings_for(refusal), RS_LOG_ERROR, "rules");
	rs_log_str(&refusal->line, "action", "refused");
	rs_log_str(&refusal->line, "file", complaint->file);
	if (complaint->line > 0)
		rs_log_int(&refusal->line, "line", complaint->line);
	rs_log_str(&refusal->line, "error", complaint->text);
}

/* Where the rules come from now; false where that is too long to say. */
static bool find_paths(char paths[RS_ENV_RULES_SIZE])
{
	return rs_rules_where(rs_process_env.rules,
			      rs_process_directory(rs_process_env.config_home), paths,
			      RS_ENV_RULES_SIZE) < RS_ENV_RULES_SIZE;
}

/* A handler may connect, and have interrupted malloc(). */
static struct rs_rules *load(const char *paths, enum rs_call call, struct refusal *refusal)
{
	struct rs_rules *rules = NULL;
	const struct rs_load_request request = {
		.paths = paths,
		.options = rs_process_env.options,
		.faults = rs_process_env.faults,
		.leave_patterns = call != RS_CALL_CURL,
		.complain = note_fault,
		.arg = refusal,
	};

	return rs_rules_load(&request, &rules) == 0 ? rules : NULL;
}

static struct rs_rules *first_load(const char *paths, enum rs_call call, struct refusal *refusal)
{
	if (!rs_process_env.too_long)
		return load(paths, call, refusal);
	note_fault(refusal, &(struct rs_complaint){ .file = rs_process_env.too_long,
						    .text = "the value is too long",
						    .faults = 1 });
	return NULL;
}

static void log_loaded(const struct rs_rules *rules, enum rs_log_level level, const char *action)
{
	struct rs_log_line line;

	rs_log_begin(&line, &rules->settings, level, "rules");
	rs_log_str(&line, "action", action);
	rs_log_int(&line, "rules", (int64_t)rules->rule_count);
	rs_log_int(&line, "policies", (int64_t)rules->policy_count);
	rs_log_end(&line);
}

static void log_refused(struct refusal *refusal)
{
	rs_log_int(&refusal->line, "faults", refusal->faults);
	rs_log_end(&refusal->line);
	rs_rules_free(refusal->by_options);
}

static bool is_wanted(const struct rs_rules *rules)
{
	return rules && rules->settings.mode != RS_MODE_OFF;
}

/* Faults in connects and look-ups have to be looked for before the first of them fails. */
static void watch_faults(const struct rs_rules *rules)
{
	unsigned struck = is_wanted(rules) ? rules->fault_calls : 0;

	rs_limits_possible = is_wanted(rules) && rules->limits;
	rs_faults_watched = (struck & 1u << RS_CALL_CONNECT) != 0;
	rs_lookups_watched = (struck & 1u << RS_CALL_RESOLVE) != 0;
}

static int64_t coarse_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec * RS_NS_PER_S + now.tv_nsec;
}

/* What the first load has seen, for the looks that follow. The files are looked at before they are
 * read: what is written meanwhile counts as a change. */
static void note_first(const char *paths, uint64_t sum, const struct rs_rules *rules)
{
	if (paths[0]) /* else it is as it was, and its page need not be written */
		memcpy(seen_paths, paths, strlen(paths) + 1);
	seen.sum = sum;
	if (rules)
		atomic_store(&reload_ns, rules->settings.reload_ns);
	atomic_store(&looked_ns, coarse_now_ns());
}

/* Without them a program is still kept from storms of its own. */
static void share_buckets(struct rs_rules *rules)
{
	static atomic_bool said;
	struct rs_budget_trouble trouble;
	struct rs_log_line line;

	if (rs_budget_attach(rules, rs_process_directory(rs_process_env.runtime_dir), &trouble) ==
		    0 ||
	    atomic_exchange(&said, true))
		return;
	rs_log_begin(&line, &rules->settings, RS_LOG_WARN, "rules");
	rs_log_str(&line, "action", "not_shared");
	rs_log_str(&line, "file", trouble.path);
	rs_log_str(&line, "error", trouble.why);
	rs_log_str(&line, "scope", "process");
	rs_log_end(&line);
}

static uint32_t what_stirs(const struct rs_rules *rules)
{
	return (rules->host_ledger ? RS_STIR_OTHERS : 0u) | (rules->passed ? RS_STIR_COUNT : 0u) |
	       (rules->pacers ? RS_STIR_PACE : 0u);
}

/* What new rules share with others, before anybody uses them; and with those before them. */
static void prepare(struct rs_rules *rules)
{
	static struct rs_fault_counts fault_counts;

	rules->fault_counts = &fault_counts;
	share_buckets(rules);
	rs_stats_attach(rules);
	atomic_init(&rules->stir->bits, what_stirs(rules));
}

/* Load, and make the result everybody's unless another thread was first. */
static void load_and_publish(void *call)
{
	char paths[RS_ENV_RULES_SIZE];
	struct refusal refusal = { .faults = 0 };
	uint64_t sum = find_paths(paths) ? rs_watch_sum(paths) : 0;
	struct rs_rules *rules = first_load(paths, *(enum rs_call *)call, &refusal);
	const struct rs_rules *unset = NULL;

	if (is_wanted(rules))
		prepare(rules);
	if (!atomic_compare_exchange_strong(&rs_rules_loaded, &unset,
					    is_wanted(rules) ? rules : &no_rules)) {
		rs_rules_free(rules);
		rs_rules_free(refusal.by_options);
		return;
	}
	note_first(paths, sum, rules);
	watch_faults(rules);
	if (rules)
		log_loaded(rules, RS_LOG_DEBUG, "loaded");
	else
		log_refused(&refusal);
	if (!is_wanted(rules))
		rs_rules_free(rules);
}

__attribute__((destructor)) RS_CODE_AT_START static void end(void)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();

	if (rules)
		rs_stats_flush(rules);
}

/* ---- loading again ---- */

static const struct rs_rules *in_force(void)
{
	const struct rs_rules *rules = rs_process_rules_if_loaded();

	return rules == &no_rules ? NULL : rules;
}

/* A file that is gone is one that is being replaced, or a mistake: what it said stays. */
static bool is_gone(const char *paths, struct refusal *refusal)
{
	if (!seen_paths[0] || strcmp(paths, seen_paths) == 0 || access(seen_paths, F_OK) == 0)
		return false;
	note_fault(refusal, &(struct rs_complaint){ .file = seen_paths,
						    .text = "is not there any more",
						    .faults = 1 });
	return true;
}

static void publish(struct rs_rules *rules)
{
	const struct rs_rules *before = in_force();

	if (is_wanted(rules))
		prepare(rules);
	if (before) {
		rs_rules_keep_levels(rules, before);
		rs_stats_flush(before);
	}
	atomic_store(&reload_ns, rules->settings.reload_ns);
	atomic_store_explicit(&rs_rules_loaded, is_wanted(rules) ? rules : &no_rules,
			      memory_order_release);
	watch_faults(rules);
	seen.reloads++;
	log_loaded(rules, RS_LOG_INFO, "reloaded");
}

/* Files that change while they are read are looked at again later. So are those that somebody has
 * open to write them: what there is of them may be no more than a half. */
static void look_closely(const char *paths, uint64_t sum, enum rs_call call)
{
	const struct rs_rules *before = in_force();
	struct refusal refusal = { .settings = before ? &before->settings : NULL };
	struct rs_rules *rules = NULL;

	if (!is_gone(paths, &refusal)) {
		if (!rs_watch_at_rest(paths))
			return;
		rules = load(paths, call, &refusal);
		if (rs_watch_sum(paths) != sum) {
			rs_rules_free(rules);
			rs_rules_free(refusal.by_options);
			return;
		}
		memcpy(seen_paths, paths, strlen(paths) + 1);
	}
	seen.sum = sum;
	if (rules)
		publish(rules);
	else
		log_refused(&refusal);
}

static void look(enum rs_call call)
{
	char paths[RS_ENV_RULES_SIZE];
	uint64_t sum;

	if (seen.reloads >= RELOADS_MOST || !find_paths(paths))
		return;
	sum = rs_watch_sum(paths);
	if (sum != seen.sum)
		look_closely(paths, sum, call);
}

/* A look that a fork left behind in the child is nobody's there. In a child of vfork() it is the
 * parent's, and over when the next one is due. */
static bool may_look(int self)
{
	static atomic_int left_by; /* whose look was found at the last one */
	int other = 0;

	while (!atomic_compare_exchange_weak(&looker, &other, self)) {
		if (other == self || (other != 0 && atomic_exchange(&left_by, other) != other))
			return false;
	}
	atomic_store(&left_by, 0);
	return true;
}

/* One thread looks, the others go on with the rules there are. */
static void look_alone(void *call)
{
	int self = getpid();

	if (!may_look(self))
		return;
	look(*(enum rs_call *)call);
	atomic_store(&looked_ns, coarse_now_ns());
	(void)atomic_compare_exchange_strong(&looker, &self, 0);
}

/* ---- asking for them ---- */

/* No signal handler may run, and no cancellation strike, while files are open and memory is held:
 * both could leave for good. The flag is for an allocator that calls an interposed function. The
 * stack may be a signal handler's, and small. */
static void undisturbed(void (*act)(void *), enum rs_call call)
{
	sigset_t all, mask;
	int cancel_state;

	loading = true;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	rs_on_own_stack(act, &call);
	pthread_setcancelstate(cancel_state, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	loading = false;
}

const struct rs_rules *rs_process_rules(enum rs_call call)
{
	int saved_errno = errno;

	if (rs_process_env.disabled || loading)
		return NULL;
	if (!rs_process_rules_if_loaded())
		undisturbed(load_and_publish, call);
	errno = saved_errno;
	return in_force();
}

static bool are_old(void)
{
	int64_t most_ns = atomic_load_explicit(&reload_ns, memory_order_relaxed);
	int64_t last_ns = atomic_load_explicit(&looked_ns, memory_order_relaxed);

	/* Never: another thread is about to say that it has. */
	return most_ns != RS_FOREVER && last_ns != 0 && coarse_now_ns() - last_ns >= most_ns;
}

const struct rs_rules *rs_process_rules_at_failure(enum rs_call call)
{
	const struct rs_rules *rules = rs_process_rules(call);
	int saved_errno = errno;

	if (rs_process_env.disabled || loading || !are_old())
		return rules;
	undisturbed(look_alone, call);
	errno = saved_errno;
	return in_force();
}
