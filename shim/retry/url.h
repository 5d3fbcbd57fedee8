/*
 * A URL taken apart as far as rules and logs need it. Pure; allocates nothing; safe anywhere.
 */
#ifndef RS_RETRY_URL_H
#define RS_RETRY_URL_H

#include <stdbool.h>

#include "retry/outcome.h"

struct rs_url {
	struct rs_span scheme; /* where the text names none: the default one, or a guess */
	struct rs_span host;   /* without the brackets of an IPv6 literal */
	struct rs_span path;   /* from the slash up to, but without, query and fragment */
	uint16_t port;         /* the one written, else the scheme's default, else 0 */
	struct rs_span before_user_info, after_user_info; /* the text on both sides of "user:pw@" */
	bool scheme_is_written;
};

/* Take `text` apart the way libcurl does: a missing scheme is `scheme`; where that is NULL, or
 * empty, it is guessed from the host name ("ftp." and the like) and is http otherwise. Never fails;
 * what is not there is empty. */
struct rs_url rs_url_split_as(const char *text, const char *scheme);
struct rs_url rs_url_split(const char *text);

/* The host that libcurl takes this one for, into buf (always NUL-terminated): an IPv4 address in
 * any spelling is its four numbers, and what is percent-encoded is not. Returns its length; 0 where
 * it clearly stands as it is written, or makes no sense, or does not fit. */
size_t rs_url_plain_host(struct rs_span host, char *buf, size_t size);

/* The URL without its user info into buf (always NUL-terminated, cut where it does not fit).
 * Returns the bytes written without the NUL. With `for_log`, query and fragment are left out too;
 * without it the URL is a whole one, with its scheme. */
size_t rs_url_public(const struct rs_url *url, bool for_log, char *buf, size_t size);

#endif
