#include "ops/stats.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "ops/log.h"
#include "retry/ns.h"
#include "shared/counters.h"

static bool are_wanted(const struct rs_rules *rules)
{
	const char *path = rules->settings.stats;

	return path && strcmp(path, "no") != 0;
}

/* One page for the process, whichever rules are in force. */
static struct rs_passed *_Atomic page;

static struct rs_passed *new_page(void)
{
	size_t size = sizeof(struct rs_passed);
	struct rs_passed *there = NULL;
	void *mine = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mine == MAP_FAILED)
		return NULL;
	/* What was not told yet is the parent's to tell. */
	(void)madvise(mine, size, MADV_WIPEONFORK);
	if (atomic_compare_exchange_strong(&page, &there, mine))
		return mine;
	munmap(mine, size);
	return there;
}

void rs_stats_attach(struct rs_rules *rules)
{
	struct rs_passed *there = atomic_load(&page);

	if (are_wanted(rules))
		rules->passed = there ? there : new_page();
}

/* By itself, and so are the log's other lines: a small thread's stack has no room for one while
 * something else is done. */
__attribute__((noinline)) static void say_once(const struct rs_rules *rules, const char *why)
{
	static atomic_bool said;
	struct rs_log_line line;

	if (atomic_exchange(&said, true))
		return;
	rs_log_begin(&line, &rules->settings, RS_LOG_WARN, "rules");
	rs_log_str(&line, "action", "not_counted");
	rs_log_str(&line, "file", rules->settings.stats);
	rs_log_str(&line, "error", why);
	rs_log_end(&line);
}

static struct rs_counters *open_file(const struct rs_rules *rules, const char **why)
{
	const struct rs_shared_file file = {
		.path = rules->settings.stats,
		.title = RS_COUNTERS_TITLE,
		.size = sizeof(struct rs_counters),
		.mode = 0644,
		.allowed = 0664,
		.roots_too = true,
	};
	void *at;

	return rs_shared_map(&file, &at, why) == 0 ? at : NULL;
}

static void add_passed(const struct rs_rules *rules, struct rs_counters *counters)
{
	for (unsigned call = 0; rules->passed && call < RS_CALL_COUNT; call++) {
		struct rs_amounts amounts = { { 0 } };

		amounts.at[RS_COUNT_CALLS] = atomic_exchange_explicit(&rules->passed->calls[call],
								      0, memory_order_relaxed);
		if (amounts.at[RS_COUNT_CALLS] > 0)
			rs_counters_add(counters, (enum rs_call)call, "", &amounts);
	}
}

/* What was decided (rule NULL: nothing), and all that has gathered. */
static void tell(const struct rs_rules *rules, const struct rs_rule *rule, enum rs_call call,
		 const struct rs_amounts *amounts)
{
	const char *why = NULL;
	struct rs_counters *counters = open_file(rules, &why);

	if (!counters) {
		say_once(rules, why);
		return;
	}
	add_passed(rules, counters);
	if (rule)
		rs_counters_add(counters, call, rule->name, amounts);
	munmap(counters, sizeof(*counters));
}

/* No handler may leave, and no cancellation strike, while the file is open. */
static void tell_undisturbed(const struct rs_rules *rules, const struct rs_rule *rule,
			     enum rs_call call, const struct rs_amounts *amounts)
{
	int saved_errno = errno, cancel_state;
	sigset_t all, mask;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	tell(rules, rule, call, amounts);
	pthread_setcancelstate(cancel_state, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	errno = saved_errno;
}

void rs_stats_flush(const struct rs_rules *rules)
{
	uint64_t any = 0;

	for (unsigned call = 0; rules->passed && call < RS_CALL_COUNT; call++)
		any |= atomic_load_explicit(&rules->passed->calls[call], memory_order_relaxed);
	if (any)
		tell_undisturbed(rules, NULL, RS_CALL_CURL, NULL);
}

void rs_stats_passed_at(const struct rs_rules *rules, enum rs_call call, int64_t now_ns)
{
	int64_t told_ns;

	if (!rules->passed)
		return;
	rs_stats_passed(rules, call);
	told_ns = atomic_load_explicit(&rules->passed->told_ns, memory_order_relaxed);
	if (now_ns - told_ns >= RS_NS_PER_S &&
	    atomic_compare_exchange_strong(&rules->passed->told_ns, &told_ns, now_ns))
		rs_stats_flush(rules);
}

static bool is_cancelled(const struct rs_decision *decision)
{
	return decision->action == RS_ACTION_EXHAUSTED && decision->reason == RS_REASON_CANCELLED;
}

/* Every call is counted once, under the rule that decided its first attempt. */
void rs_stats_decision(const struct rs_rules *rules, const struct rs_rule *rule, enum rs_call call,
		       const struct rs_call_state *state, const struct rs_decision *decision)
{
	struct rs_amounts amounts = { { 0 } };
	bool retries = decision->action == RS_ACTION_RETRY || decision->action == RS_ACTION_RECOVER;

	if (!are_wanted(rules))
		return;
	amounts.at[RS_COUNT_CALLS] = state->attempts <= 1 && !is_cancelled(decision);
	amounts.at[RS_COUNT_RETRIES] = retries;
	amounts.at[RS_COUNT_EXHAUSTED] = decision->action == RS_ACTION_EXHAUSTED;
	amounts.at[RS_COUNT_QUOTA_REFUSED] =
		decision->action == RS_ACTION_EXHAUSTED && decision->reason == RS_REASON_QUOTA;
	amounts.at[RS_COUNT_WAIT_NS] = retries ? (uint64_t)decision->wait_ns : 0;
	tell_undisturbed(rules, rule, call, &amounts);
}

void rs_stats_recovered(const struct rs_rules *rules, enum rs_call call,
			const struct rs_call_state *state)
{
	const struct rs_amounts amounts = { .at[RS_COUNT_RECOVERED] = 1 };

	if (are_wanted(rules) && state->last_rule)
		tell_undisturbed(rules, state->last_rule, call, &amounts);
}
