/*
 * What is wrong with the rules: collected while they are read, told at the end, in the order of
 * the lines. Unless all are wanted RS_FAULTS_KEPT are told, then how many more there are, so that a
 * program whose rules file is none at all pays little for it.
 */
#ifndef RS_RULES_FAULTS_H
#define RS_RULES_FAULTS_H

#include "rules/arena.h"
#include "rules/load.h"

#define RS_FAULTS_KEPT 100

struct rs_place {
	const char *file;
	int line;
};

struct rs_faults {
	struct rs_arena *arena; /* the texts of the faults live here */
	bool wanted;            /* somebody listens */
	bool want_all;
	size_t errors; /* all of them, kept or not */
	size_t dropped;
	size_t count;                 /* of those that were kept */
	struct rs_faulty_file *files; /* in the order of their first faults */
};

void rs_error(struct rs_faults *faults, struct rs_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void rs_warning(struct rs_faults *faults, struct rs_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Would the next fault be told? What is costly to find out need not be found out otherwise. */
bool rs_faults_heard(const struct rs_faults *faults);

/* Tell all that was kept, and how many were not. */
void rs_faults_tell(const struct rs_faults *faults,
		    void (*complain)(void *arg, const struct rs_complaint *complaint), void *arg);

/* Bytes from a file as they may be shown: unprintable ones replaced, cut where long. */
struct rs_shown {
	char text[72];
};
struct rs_shown rs_show(const char *text);
struct rs_shown rs_show_span(const char *text, size_t len);

#endif
