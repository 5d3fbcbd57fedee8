/*
 * The names of errors and their codes. Sorted by name; texts inline, see rules/keys.h.
 */
#ifndef RS_RULES_NAME_TABLES_H
#define RS_RULES_NAME_TABLES_H

#include <stddef.h>
#include <stdint.h>

struct rs_error_entry {
	char name[38];
	int16_t code;
};

struct rs_error_table {
	const struct rs_error_entry *at;
	size_t count;
};

/* A name per code, and further names for some of the codes. */
struct rs_error_table rs_curl_names(void);
struct rs_error_table rs_curl_aliases(void);
struct rs_error_table rs_errno_names(void);
struct rs_error_table rs_errno_aliases(void);
struct rs_error_table rs_eai_names(void);

#endif
