/*
 * A sandbox: programs that a filter of system calls ends at the first one that it does not know.
 */
#ifndef TESTS_FORBIDDING_H
#define TESTS_FORBIDDING_H

/* From now on this system call ends the process, in all threads that are yet to begin, too. */
void forbid(unsigned number);

#endif
