/*
 * Names of errors, both ways: CURLE_*, errno E*, EAI_*, and groups. Tables; pure; safe anywhere.
 *
 *   any          every error there is
 *   timeout      CURLE_OPERATION_TIMEDOUT CURLE_FTP_ACCEPT_TIMEOUT ETIMEDOUT
 *   refused      ECONNREFUSED; not CURLE_COULDNT_CONNECT, which says only that no connection came
 *                about: curl tells the errno behind it, and that is what is looked at
 *   unreachable  ENETUNREACH EHOSTUNREACH ENETDOWN EHOSTDOWN ENONET
 *   reset        the peer, or the path to it, ended an established connection or stream:
 *                ECONNRESET ECONNABORTED ENETRESET EPIPE CURLE_GOT_NOTHING CURLE_SEND_ERROR
 *                CURLE_RECV_ERROR CURLE_HTTP2 CURLE_HTTP2_STREAM
 *   dns          CURLE_COULDNT_RESOLVE_HOST CURLE_COULDNT_RESOLVE_PROXY EAI_AGAIN EAI_FAIL
 *                EAI_NONAME EAI_NODATA
 *   tls          CURLE_SSL_* (handshake, certificates, engines), CURLE_PEER_FAILED_VERIFICATION,
 *                CURLE_USE_SSL_FAILED
 *   partial      CURLE_PARTIAL_FILE: less came than was announced
 */
#ifndef RS_RULES_NAMES_H
#define RS_RULES_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "retry/error_set.h"

/* Add the error or group called `name` to `set`; false where there is none of that name. */
bool rs_error_set_add_name(struct rs_error_set *set, const char *name);

/* A single (not group) name's domain and code; false where there is none of that name. */
bool rs_error_by_name(const char *name, enum rs_error_domain *domain, int *code);

/* "CURLE_COULDNT_CONNECT", "ECONNREFUSED", "EAI_AGAIN"; NULL for a code without a name. */
const char *rs_error_name(enum rs_error_domain domain, int code);

/* The error or group whose name is nearest to `word`, or NULL. */
const char *rs_error_nearest(const char *word);

/* The entry of `names` nearest to `word` (edit distance at most a third of it), or NULL. */
const char *rs_nearest(const char *word, const char *const *names, size_t count);

#endif
