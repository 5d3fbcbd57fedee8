/*
 * The grammar of a rules file as a table: which keys there are, where they may stand, what kind
 * of value they take and which field of the rules they fill.
 *
 * The tables hold their texts inline, not by pointer: a pointer in a preloaded object is a
 * relocation, and every program would pay for it at its start.
 */
#ifndef RS_RULES_KEYS_H
#define RS_RULES_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rs_section_type {
	RS_SECTION_RETRYSHIM,
	RS_SECTION_POLICY,
	RS_SECTION_QUOTA,
	RS_SECTION_RULE,
	RS_SECTION_FAULT,
	RS_SECTION_NONE, /* outside of any, or inside one that was refused */
};

enum rs_value_kind {
	RS_VALUE_CHOICE, /* an enum, whose members `choices` lists in order */
	RS_VALUE_BOOL,
	RS_VALUE_DURATION,
	RS_VALUE_DURATION_ABOVE_0,
	RS_VALUE_DURATION_OR_NONE,
	RS_VALUE_DURATION_OR_NO, /* "no" as RS_FOREVER */
	RS_VALUE_LIMIT,          /* of time: more than 0, or none */
	RS_VALUE_COUNT,          /* int32_t >= 0 */
	RS_VALUE_ATTEMPTS,
	RS_VALUE_RATE,
	RS_VALUE_SIZE,
	RS_VALUE_SEED,
	RS_VALUE_LOG,
	RS_VALUE_QUOTA,  /* a reference */
	RS_VALUE_POLICY, /* a reference */
	RS_VALUE_CALLS,
	RS_VALUE_ERRORS,
	RS_VALUE_STATUSES,
	RS_VALUE_TEXTS,
	RS_VALUE_REGEX,
	RS_VALUE_HEADER,
	RS_VALUE_METHODS,
	RS_VALUE_SCHEMES,
	RS_VALUE_GLOBS,
	RS_VALUE_HOSTS, /* globs without regard to case */
	RS_VALUE_PORTS,
	RS_VALUE_ADDRESSES,
	RS_VALUE_PATH,
	RS_VALUE_COMMAND,
	RS_VALUE_FAULT_ERROR,
	RS_VALUE_FAULT_STATUS,
	RS_VALUE_FAULT_HEADERS,
	RS_VALUE_FAULT_BODY,
	RS_VALUE_DELAY,       /* a duration, or MIN-MAX */
	RS_VALUE_PROBABILITY, /* 0 to 1, in millionths */
	RS_VALUE_COUNT_ABOVE_0,
};

enum rs_key_flags {
	RS_KEY_LIST = 1,    /* continues on indented lines */
	RS_KEY_OUTCOME = 2, /* a rule needs one of these */
	RS_KEY_SCOPE = 4,   /* of a rule; may stand in a fault, too */
};

/* A key. `owner` is the section it belongs to; the keys of a policy may stand in rules too, and
 * those of a rule that are RS_KEY_SCOPE in faults. */
struct rs_key {
	char name[20];
	uint8_t owner; /* enum rs_section_type */
	uint8_t kind;  /* enum rs_value_kind */
	uint8_t flags; /* enum rs_key_flags */
	uint16_t offset;
	char choices[44]; /* "one\0two\0" */
};

#define RS_KEYS_MAX 64 /* a section remembers its keys in 64 bits */
extern const struct rs_key rs_keys[];
extern const size_t rs_key_count;

/* The key called `name` in a section of that type, or NULL. */
const struct rs_key *rs_key_find(enum rs_section_type type, const char *name);

/* Where keys were found before: a file has few, many times over. All 0 at first. */
#define RS_KEY_SLOTS 128
struct rs_found_keys {
	uint8_t at[RS_SECTION_NONE][RS_KEY_SLOTS]; /* index into rs_keys + 1; 0: none */
};

/* rs_key_find(), quicker from the second time on. */
const struct rs_key *rs_key_find_again(struct rs_found_keys *found, enum rs_section_type type,
				       const char *name);

/* The nearest key of such a section, or NULL. */
const struct rs_key *rs_key_nearest(enum rs_section_type type, const char *name);

/* "policy" …; RS_SECTION_NONE where there is no such section. */
enum rs_section_type rs_section_type_by_name(const char *name, size_t len);
const char *rs_section_type_name(enum rs_section_type type);

/* The nearest name of a section type, or NULL. */
const char *rs_section_type_nearest(const char *name);

#endif
