/*
 * What the files of scarce-case share.
 */
#ifndef TESTS_SCARCE_CASE_H
#define TESTS_SCARCE_CASE_H

/* As the retries have it, as if the library were not there, or neither. */
enum end { RETRIED, BARE, WRONG };

/* Tell what is. */
enum end scarce_wrong(const char *what, long number);

/* Pieces of a program's life: scarce_connect.c */
enum end scarce_blocking(void);
enum end scarce_by_poll(void);
enum end scarce_by_select(void);
enum end scarce_by_epoll(void);
enum end scarce_lookup(void);

#endif
