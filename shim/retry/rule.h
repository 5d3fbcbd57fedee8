/*
 * The rules as the program sees them once they are read: plain, immutable data.
 *
 * All of it lies in one arena that rules/load.c fills and frees as a whole. Nothing here is
 * changed after loading except the token buckets and the counts of faults, which are atomic. Safe
 * to read from any thread, after fork, and in a signal handler.
 */
#ifndef RS_RETRY_RULE_H
#define RS_RETRY_RULE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "retry/glob.h"
#include "retry/outcome.h"
#include "retry/pattern.h"
#include "retry/text_index.h"

enum rs_class {
	RS_TEMPORARY,
	RS_RECOVERABLE,
	RS_FOLLOWUP,
	RS_PERMANENT,
};

enum rs_backoff {
	RS_BACKOFF_CONSTANT,
	RS_BACKOFF_LINEAR,
	RS_BACKOFF_EXPONENTIAL,
};

enum rs_jitter {
	RS_JITTER_NONE,
	RS_JITTER_FULL,
	RS_JITTER_EQUAL,
	RS_JITTER_DECORRELATED,
};

enum rs_retry_after_mode {
	RS_RETRY_AFTER_MAX,
	RS_RETRY_AFTER_SERVER,
	RS_RETRY_AFTER_IGNORE,
};

enum rs_rate_limit {
	RS_RATE_UNLIMITED,
	RS_RATE_ADAPTIVE,
};

/* rate is kept as a whole number of millionths, so that base * rate^n is exact integer work. */
#define RS_RATE_ONE       1000000LL
#define RS_UNLIMITED      INT32_MAX
#define RS_NO_QUOTA       (-1)
#define RS_STANDARD_QUOTA 0 /* index of the quota named "standard"; it always exists */
#define RS_QUOTA_CAPACITY 500
#define RS_QUOTA_REFUND   1
#define RS_RELOAD_NS      5000000000LL /* where no settings say */

struct rs_policy {
	const char *name;
	int32_t max_attempts; /* the first included; RS_UNLIMITED */
	enum rs_backoff backoff;
	int64_t base_ns;         /* > 0 */
	int64_t rate_millionths; /* >= RS_RATE_ONE */
	int64_t cap_ns;          /* RS_FOREVER: none */
	enum rs_jitter jitter;
	int64_t max_elapsed_ns; /* RS_FOREVER: none */
	enum rs_retry_after_mode retry_after;
	int64_t retry_after_cap_ns;
	int64_t attempt_timeout_ns; /* RS_FOREVER: none */
	int64_t connect_timeout_ns; /* RS_FOREVER: none */
	bool fresh_connection;
	bool resume;
	int quota; /* index into rs_rules.quotas, or RS_NO_QUOTA */
	int32_t cost;
	enum rs_rate_limit rate_limit;
};

/* The token bucket's level. */
struct rs_bucket {
	_Atomic int32_t tokens;
};

/* Who shares a bucket. */
enum rs_scope {
	RS_SCOPE_PROCESS,
	RS_SCOPE_HOST,
	RS_SCOPE_TARGET,
	RS_SCOPE_HOST_TARGET,
};

struct rs_quota {
	const char *name;
	int32_t capacity;
	int32_t refund;
	struct rs_bucket *bucket; /* scope = process; in the same arena */
	enum rs_scope scope;      /* others: see retry/purse.h */
};

/* Is there anything for a success to do? One load for nearly all of them. */
enum rs_stirred {
	RS_STIR_PAID = 1,   /* a retry was paid for, and what it cost may be missing still */
	RS_STIR_OTHERS = 2, /* other processes may have paid: see the host ledger */
	RS_STIR_COUNT = 4,  /* successes are counted */
	RS_STIR_PACE = 8,   /* successes set a pace */
};
struct rs_stir {
	_Atomic uint32_t bits; /* enum rs_stirred */
};

/* A set of errors: one bit each. See retry/error_set.h for membership. */
struct rs_error_set {
	uint64_t curl[2]; /* CURLcode 1..127 */
	uint64_t sys[3];  /* errno 1..191 */
	uint64_t eai;     /* EAI_*, see rs_eai_bit() */
};

#define RS_STATUS_LIMIT 1000
struct rs_status_set {
	uint64_t bits[(RS_STATUS_LIMIT + 63) / 64];
};

struct rs_texts {
	const struct rs_span *at;
	size_t count;
};

struct rs_globs {
	const struct rs_glob *at;
	size_t count;
};

/* address = …: a network, or a glob over Unix socket paths. */
struct rs_address_matcher {
	enum rs_address_family family;
	uint8_t ip[16];
	unsigned prefix_bits;
	struct rs_glob path;
};

/* header = Name: pattern */
struct rs_header_matcher {
	struct rs_span name; /* NUL-terminated */
	uint32_t name_hash;  /* rs_ascii_hash() */
	struct rs_glob value;
};

/* Methods: "any", or the listed ones; "idempotent" is expanded into its members by the parser. */
struct rs_method_matcher {
	bool any;
	struct rs_texts names; /* upper case */
};

struct rs_rule {
	/* Outcome. At least one of the following is there. What a response is held against comes
	 * first: with many rules, reading them from memory takes longer than all else. */
	bool has_error;
	const struct rs_status_set *status; /* NULL: none; rules may share one */
	struct rs_texts body;
	const uint32_t *text_numbers; /* of its texts in rs_rules.texts; NULL: they are not in it */
	struct rs_pattern *body_regex;          /* NULL: none */
	const struct rs_header_matcher *header; /* NULL: none */
	struct rs_error_set error;

	/* Scope. An empty list matches anything. */
	unsigned calls; /* bit 1u << enum rs_call */
	struct rs_method_matcher method;
	struct rs_globs scheme; /* literals, lower case */
	struct rs_globs host;   /* case folded */
	struct rs_globs url;
	struct rs_globs program;
	const uint16_t *ports;
	size_t port_count;
	const struct rs_address_matcher *addresses;
	size_t address_count;

	const char *name;
	const char *file; /* where it stands, for messages */
	int line;
	enum rs_class class;

	/* What to run for a class that says so: words, NULL after the last; NULL: none. */
	const char *const *recover;
	const char *const *followup;

	struct rs_policy policy; /* whole: the named policy with this rule's overrides */
};

static inline bool rs_rule_has_response_matcher(const struct rs_rule *rule)
{
	return rule->status || rule->body.count > 0 || rule->body_regex || rule->header;
}

enum rs_mode {
	RS_MODE_ENFORCE,
	RS_MODE_OBSERVE,
	RS_MODE_OFF,
};

enum rs_log_level {
	RS_LOG_ERROR,
	RS_LOG_WARN,
	RS_LOG_INFO,
	RS_LOG_DEBUG,
};

enum rs_log_format {
	RS_LOG_TEXT,
	RS_LOG_JSON,
};

/* [retryshim] */
struct rs_settings {
	enum rs_mode mode;
	const char *log; /* "stderr", "syslog", "none", or a path */
	enum rs_log_format log_format;
	enum rs_log_level log_level;
	const char *report; /* "none", or a path */
	int64_t reload_ns;  /* RS_FOREVER: never */
	int64_t hook_timeout_ns;
	const char *stats;  /* "no" or NULL, or a path */
	size_t body_limit;  /* bytes of a response that rules look at */
	size_t spool_limit; /* bytes of a streamed request body that are kept */
	bool has_seed;
	uint64_t seed;
	bool annotate; /* say in the program's error text what was tried */
};

struct rs_rules {
	struct rs_settings settings;
	const struct rs_rule *rules; /* in file order */
	size_t rule_count;
	const struct rs_brief *briefs;     /* one for each of them; NULL: they are few (brief.h) */
	const struct rs_text_index *texts; /* of their bodies; NULL: there is none */
	const struct rs_policy *policies;  /* [0] is "default" */
	size_t policy_count;
	const struct rs_quota *quotas; /* [RS_STANDARD_QUOTA] is "standard" */
	size_t quota_count;
	struct rs_stir *stir;            /* in the same arena; NULL: look every time */
	struct rs_ledger *target_ledger; /* in the same arena; NULL: no quota is per target */
	struct rs_ledger *host_ledger;   /* shared by processes; NULL: none, or not to be had */
	struct rs_pacers *pacers;        /* in the same arena; NULL: nothing is paced */
	struct rs_passed *passed;        /* counts for `stats`; NULL: none */

	const struct rs_fault *faults; /* in file order; see retry/fault.h */
	size_t fault_count;
	struct rs_fault_counts *fault_counts; /* the process's; NULL until rules are in force */
	unsigned fault_calls;                 /* that a fault may strike: bit 1u << enum rs_call */

	/* Unions over all rules, so that the common "no rule could care" costs a bit test. */
	unsigned calls;
	bool has_patterns;    /* a rule has a body_regex */
	bool patterns_unread; /* a body_regex may turn out to be none when it is needed */
	bool limits;          /* a policy limits attempts or their connecting */
	bool minds_first;     /* first attempts may be limited, struck by a fault, or put off */
	bool minds_url;       /* a rule asks for more of it than its host, or may change it */
	struct rs_status_set status; /* a rule with only body or header matchers sets every bit */
	struct rs_error_set error;
};

static inline bool rs_status_in(const struct rs_status_set *set, int status)
{
	return status > 0 && status < RS_STATUS_LIMIT &&
	       (set->bits[status / 64] >> (status % 64) & 1) != 0;
}

#endif
