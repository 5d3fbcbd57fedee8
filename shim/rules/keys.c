#include "rules/keys.h"

#include <string.h>

#include "retry/fault.h"
#include "retry/rule.h"
#include "rules/names.h"

#define IN(type, field) offsetof(struct type, field)

/* clang-format off */
#define SETTING(name, kind, field, ...) \
	{ name, RS_SECTION_RETRYSHIM, RS_VALUE_##kind, 0, IN(rs_settings, field), __VA_ARGS__ }
#define POLICY(name, kind, field, ...) \
	{ name, RS_SECTION_POLICY, RS_VALUE_##kind, 0, IN(rs_policy, field), __VA_ARGS__ }
#define QUOTA(name, kind, field, ...) \
	{ name, RS_SECTION_QUOTA, RS_VALUE_##kind, 0, IN(rs_quota, field), __VA_ARGS__ }
#define RULE(name, kind, flags, field, ...) \
	{ name, RS_SECTION_RULE, RS_VALUE_##kind, flags, IN(rs_rule, field), __VA_ARGS__ }
#define FAULT(name, kind, flags, field) \
	{ name, RS_SECTION_FAULT, RS_VALUE_##kind, flags, IN(rs_fault, field), "" }

const struct rs_key rs_keys[] = {
	SETTING("mode",       CHOICE, mode,       "enforce\0observe\0off"),
	SETTING("log",        LOG,    log,        "stderr\0syslog\0none"),
	SETTING("log_format", CHOICE, log_format, "text\0json"),
	SETTING("log_level",  CHOICE, log_level,  "error\0warn\0info\0debug"),
	SETTING("body_limit", SIZE,   body_limit, ""),
	SETTING("spool_limit", SIZE,  spool_limit, ""),
	SETTING("annotate",   BOOL,   annotate,   ""),
	SETTING("stats",      LOG,    stats,      "no"),
	SETTING("seed",       SEED,   seed,       ""),
	SETTING("report",     LOG,    report,     "none"),
	SETTING("reload",     DURATION_OR_NO,   reload_ns,       ""),
	SETTING("hook_timeout", DURATION_ABOVE_0, hook_timeout_ns, ""),

	POLICY("max_attempts",    ATTEMPTS,         max_attempts,       ""),
	POLICY("backoff",         CHOICE,           backoff, "constant\0linear\0exponential"),
	POLICY("base",            DURATION_ABOVE_0, base_ns,            ""),
	POLICY("rate",            RATE,             rate_millionths,    ""),
	POLICY("cap",             DURATION_OR_NONE, cap_ns,             ""),
	POLICY("jitter",          CHOICE,           jitter, "none\0full\0equal\0decorrelated"),
	POLICY("max_elapsed",     DURATION_OR_NONE, max_elapsed_ns,     ""),
	POLICY("retry_after",     CHOICE,           retry_after, "max\0server\0ignore"),
	POLICY("retry_after_cap", DURATION,         retry_after_cap_ns, ""),
	POLICY("attempt_timeout", LIMIT,            attempt_timeout_ns, ""),
	POLICY("connect_timeout", LIMIT,            connect_timeout_ns, ""),
	POLICY("fresh_connection", BOOL,            fresh_connection,   ""),
	POLICY("resume",          BOOL,             resume,             ""),
	POLICY("quota",           QUOTA,            quota,              ""),
	POLICY("cost",            COUNT,            cost,               ""),
	POLICY("rate_limit",      CHOICE,           rate_limit, "none\0adaptive"),

	QUOTA("capacity", COUNT, capacity, ""),
	QUOTA("refund",   COUNT, refund,   ""),
	QUOTA("scope",    CHOICE, scope,   "process\0host\0target\0host+target"),

	RULE("class",      CHOICE,    0,                            class,
	     "temporary\0recoverable\0followup\0permanent"),
	RULE("call",       CALLS,     RS_KEY_LIST | RS_KEY_SCOPE,   calls,
	     "curl\0connect\0resolve"),
	RULE("error",      ERRORS,    RS_KEY_LIST | RS_KEY_OUTCOME, error,        ""),
	RULE("status",     STATUSES,  RS_KEY_LIST | RS_KEY_OUTCOME, status,       ""),
	RULE("body",       TEXTS,     RS_KEY_LIST | RS_KEY_OUTCOME, body,         ""),
	RULE("body_regex", REGEX,     RS_KEY_OUTCOME,               body_regex,   ""),
	RULE("header",     HEADER,    RS_KEY_OUTCOME,               header,       ""),
	RULE("method",     METHODS,   RS_KEY_LIST | RS_KEY_SCOPE,                  method,       ""),
	RULE("scheme",     SCHEMES,   RS_KEY_LIST | RS_KEY_SCOPE,                  scheme,       ""),
	RULE("host",       HOSTS,     RS_KEY_LIST | RS_KEY_SCOPE,                  host,         ""),
	RULE("port",       PORTS,     RS_KEY_LIST | RS_KEY_SCOPE,                  ports,        ""),
	RULE("url",        GLOBS,     RS_KEY_LIST | RS_KEY_SCOPE,                  url,          ""),
	RULE("address",    ADDRESSES, RS_KEY_LIST | RS_KEY_SCOPE,                  addresses,    ""),
	RULE("program",    GLOBS,     RS_KEY_LIST | RS_KEY_SCOPE,                  program,      ""),
	RULE("policy",     POLICY,    0,                            policy,       ""),
	RULE("recover",    COMMAND,   RS_KEY_LIST,                  recover,      ""),
	RULE("followup",   COMMAND,   RS_KEY_LIST,                  followup,     ""),

	FAULT("error",       FAULT_ERROR,    0,           error),
	FAULT("status",      FAULT_STATUS,   0,           status),
	FAULT("header",      FAULT_HEADERS,  RS_KEY_LIST, headers),
	FAULT("body",        FAULT_BODY,     RS_KEY_LIST, body),
	FAULT("delay",       DELAY,          0,           delay_min_ns),
	FAULT("cut",         SIZE,           0,           cut),
	FAULT("probability", PROBABILITY,    0,           probability),
	FAULT("first",       COUNT_ABOVE_0,  0,           first),
	FAULT("every",       COUNT_ABOVE_0,  0,           every),
};
/* clang-format on */

const size_t rs_key_count = sizeof(rs_keys) / sizeof(rs_keys[0]);
_Static_assert(sizeof(rs_keys) / sizeof(rs_keys[0]) <= RS_KEYS_MAX, "a bit for every key");

static const char section_names[][12] = {
	[RS_SECTION_RETRYSHIM] = "retryshim", [RS_SECTION_POLICY] = "policy",
	[RS_SECTION_QUOTA] = "quota",         [RS_SECTION_RULE] = "rule",
	[RS_SECTION_FAULT] = "fault",
};
#define SECTION_TYPES (sizeof(section_names) / sizeof(section_names[0]))

static bool may_stand_in(const struct rs_key *key, enum rs_section_type type)
{
	return key->owner == type || (key->owner == RS_SECTION_POLICY && type == RS_SECTION_RULE) ||
	       ((key->flags & RS_KEY_SCOPE) && type == RS_SECTION_FAULT);
}

const struct rs_key *rs_key_find(enum rs_section_type type, const char *name)
{
	if (!*name)
		return NULL;
	for (const struct rs_key *key = rs_keys; key < rs_keys + rs_key_count; key++) {
		if (key->name[0] == name[0] && key->name[1] == name[1] && may_stand_in(key, type) &&
		    strcmp(key->name, name) == 0)
			return key;
	}
	return NULL;
}

static size_t slot_of(const char *name)
{
	unsigned hash = 0;

	for (; *name; name++)
		hash = hash * 31 + (unsigned char)*name;
	return hash % RS_KEY_SLOTS;
}

const struct rs_key *rs_key_find_again(struct rs_found_keys *found, enum rs_section_type type,
				       const char *name)
{
	uint8_t *slot = &found->at[type][slot_of(name)];
	const struct rs_key *key;

	if (*slot > 0 && strcmp(rs_keys[*slot - 1].name, name) == 0)
		return &rs_keys[*slot - 1];
	key = rs_key_find(type, name);
	if (key)
		*slot = (uint8_t)(key - rs_keys + 1);
	return key;
}

const struct rs_key *rs_key_nearest(enum rs_section_type type, const char *name)
{
	const char *names[RS_KEYS_MAX];
	size_t count = 0;
	const char *nearest;

	for (const struct rs_key *key = rs_keys; key < rs_keys + rs_key_count; key++) {
		if (may_stand_in(key, type))
			names[count++] = key->name;
	}
	nearest = rs_nearest(name, names, count);
	return nearest ? rs_key_find(type, nearest) : NULL;
}

enum rs_section_type rs_section_type_by_name(const char *name, size_t len)
{
	for (size_t i = 0; i < SECTION_TYPES; i++) {
		if (strlen(section_names[i]) == len && memcmp(section_names[i], name, len) == 0)
			return (enum rs_section_type)i;
	}
	return RS_SECTION_NONE;
}

const char *rs_section_type_name(enum rs_section_type type)
{
	return section_names[type];
}

const char *rs_section_type_nearest(const char *name)
{
	const char *names[SECTION_TYPES];

	for (size_t i = 0; i < SECTION_TYPES; i++)
		names[i] = section_names[i];
	return rs_nearest(name, names, SECTION_TYPES);
}
