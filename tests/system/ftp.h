/*
 * An FTP server on loopback that spoils sessions on purpose: one at a time, and passive mode only.
 */
#ifndef TESTS_FTP_H
#define TESTS_FTP_H

#include <stddef.h>
#include <stdint.h>

enum ftp_how {
	FTP_WELL,
	FTP_BUSY,   /* it begins, and ends, with 421 */
	FTP_LOST,   /* the connection ends instead of the answer to EPSV */
	FTP_CLOSED, /* nobody listens where the data are to be had */
	FTP_CUT,    /* both connections end after `after` bytes of data */
};

struct ftp_session {
	enum ftp_how how;
	size_t after;
};

struct ftp;

/* The sessions in order; those after the last go well. `object` is what is fetched, whatever its
 * name, a list of files, too. What cannot be had ends the process. */
struct ftp *ftp_start(const struct ftp_session *sessions, size_t count, const char *object);

/* ftp://127.0.0.1:PORT/o, until ftp_stop(). */
const char *ftp_url(const struct ftp *ftp);

/* After the program's end. How many sessions there were; of how many commands of that name were
 * obeyed; what was stored last. */
int ftp_sessions(const struct ftp *ftp);
int ftp_obeyed(const struct ftp *ftp, const char *command);
const char *ftp_stored(const struct ftp *ftp);

void ftp_stop(struct ftp *ftp);

#endif
