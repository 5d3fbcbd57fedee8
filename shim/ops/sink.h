/*
 * Where lines go: a whole line by one system call, no descriptor kept.
 *
 * Async-signal-safe, from any thread, after fork; allocates nothing. Signals wait meanwhile, and
 * one that the writing itself raises never reaches the program. A reader that does not read is
 * waited for a second at most; a FIFO that nobody reads not at all.
 */
#ifndef RS_OPS_SINK_H
#define RS_OPS_SINK_H

#include <stddef.h>

#include "retry/outcome.h"

/* Append to a file, which is made where it is not there and found again where it was rotated away:
 * 0 or -errno. Lines of other processes come before or after, never inside. One that a full disk
 * has cut short is ended first. */
int rs_sink_file(const char *path, struct rs_span line);

/* To descriptor 2, if that is still the stream it was at start. */
void rs_sink_stderr(struct rs_span line);

/* Where the system's log takes lines. */
#define RS_SYSLOG_PATH "/dev/log"

/* To the system's log: 0 or -errno; `severity` is one of syslog(3)'s LOG_ERR … LOG_DEBUG. `line`
 * has no line end. */
int rs_sink_syslog(int severity, struct rs_span line);

/* Remember which stream descriptor 2 is. Called once, by the library's constructor. */
void rs_sink_remember_stderr(void);

#endif
