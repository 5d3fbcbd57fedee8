/*
 * loop: something done many times, in the hands of scripts/bench.
 *
 *   loop.c          the program: what it is told, and what it answers
 *   loop_connect.c  connects to loopback
 *   loop_curl.c     transfers, and options set
 *   loop_patient.c  … where libcurl finds there at once what it has asked for
 *   loop_rules.c    rules read, outcomes judged
 *   loop_spawn.c    programs started
 *
 * Bare and wrapped copies live side by side and are asked in turn, so that what else the machine
 * does hits both alike.
 */
#ifndef RS_BENCH_LOOP_H
#define RS_BENCH_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/* What was seen of so many repetitions. */
struct loop_result {
	int64_t *took_ns; /* of each; the caller's */
	int64_t cpu_ns;   /* of all, user and system; 0: that of this process */
	long good;        /* how many ended as they should */
	long pieces;      /* body callbacks */
};

/* A thing to do. `prepare` gets what follows the name, NULL-terminated, and says whether it can be
 * used; `repeat` does it `count` times. */
struct loop_kind {
	const char *name;
	bool (*prepare)(char **args);
	void (*repeat)(struct loop_result *result, long count);
};

extern const struct loop_kind loop_connect, loop_refused, loop_begun, loop_selected, loop_epolled;
extern const struct loop_kind loop_fetch, loop_count, loop_setopt;
extern const struct loop_kind loop_judge, loop_parse;
extern const struct loop_kind loop_spawn;

/* libcurl is kept waiting until there is something for it to read. */
extern bool loop_is_patient;

/* The monotonic clock. */
int64_t loop_now_ns(void);

#endif
