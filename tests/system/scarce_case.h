/*
 * scarce-case: what its files share.
 *
 *   main_scarce_case.c    one time after the other, each in a process of its own
 *   scarce_transfers.c    transfers, by the easy interface and by the multi interface
 *   scarce_connect.c      connects and names
 */
#ifndef TESTS_SCARCE_CASE_H
#define TESTS_SCARCE_CASE_H

#include "scarce.h"

extern const char *scarce_url;   /* of the server */
extern const char *scarce_bytes; /* of SCARCE_OBJECT and of the uploads */
extern unsigned long scarce_id;  /* of this process's first request */

/* From now on nothing is refused. */
extern scarce_end *scarce_grant_all;

/* As the retries have it, as if the library were not there, or neither. */
enum end { RETRIED, BARE, WRONG };

/* Tell what is. */
enum end scarce_wrong(const char *what, long number);

/* Pieces of a program's life: scarce_transfers.c */
enum end scarce_plain(void);
enum end scarce_busy(void);
enum end scarce_held_back(void);
enum end scarce_broken(void);
enum end scarce_upload(void);
enum end scarce_recover(void);
enum end scarce_followup(void);
enum end scarce_canned(void);
enum end scarce_strike(void);
enum end scarce_cutting(void);
enum end scarce_copied(void);
enum end scarce_reset(void);
enum end scarce_reload(void);
enum end scarce_many_by_poll(void);
enum end scarce_many_by_socket(void);

/* And scarce_connect.c */
enum end scarce_blocking(void);
enum end scarce_by_poll(void);
enum end scarce_among_many(void);
enum end scarce_by_select(void);
enum end scarce_by_epoll(void);
enum end scarce_lookup(void);

#endif
