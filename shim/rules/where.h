/*
 * Which rules files are in force.
 */
#ifndef RS_RULES_WHERE_H
#define RS_RULES_WHERE_H

#include <stddef.h>

#define RS_SYSTEM_RULES "/etc/retryshim.ini"

/*
 * The colon-separated paths of the rules in force, or "" for the built-in ones, into buf:
 * `retryshim_rules` (the value of RETRYSHIM_RULES) where it is not empty; else
 * `xdg_config_home`/retryshim.ini, else RS_SYSTEM_RULES, where there is such a file, be it one that
 * cannot be read or a link to none. NULL stands for a variable that is not set. Returns the length;
 * where that is >= size, buf holds "" and the path did not fit. Asks the file system only where
 * retryshim_rules says nothing.
 * Async-signal-safe; may change errno.
 */
size_t rs_rules_where(const char *retryshim_rules, const char *xdg_config_home, char *buf,
		      size_t size);

#endif
