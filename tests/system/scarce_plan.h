/*
 * What scarce-case asks of its server, and what it must get.
 */
#ifndef TESTS_SCARCE_PLAN_H
#define TESTS_SCARCE_PLAN_H

/* The object is noise(SCARCE_OBJECT, SCARCE_SEED): more than a spool keeps in memory. What it
 * breaks after is more than the rules hold back. */
#define SCARCE_OBJECT 300000
#define SCARCE_BREAK  150000
#define SCARCE_SEED   11
#define SCARCE_BUSY   "busy"

#endif
