/*
 * What a call is about (its target) and how one attempt ended (its outcome).
 *
 * Both are plain views: they own nothing, and every pointer in them stays valid only as long
 * as the caller of the function that takes them says.
 */
#ifndef RS_RETRY_OUTCOME_H
#define RS_RETRY_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rs_call {
	RS_CALL_CURL,
	RS_CALL_CONNECT,
	RS_CALL_RESOLVE,
};
#define RS_CALL_COUNT 3

/* Bytes that belong to somebody else; not NUL-terminated. {NULL, 0} where there are none. */
struct rs_span {
	const char *at;
	size_t len;
};

enum rs_address_family {
	RS_ADDRESS_NONE, /* the call has no address (curl, resolve) */
	RS_ADDRESS_IPV4,
	RS_ADDRESS_IPV6,
	RS_ADDRESS_UNIX,
};

struct rs_address {
	enum rs_address_family family;
	uint8_t ip[16];      /* network order; the first 4 bytes for IPv4 */
	struct rs_span path; /* Unix: the path, or "@name" for the abstract namespace */
};

/* What a call is about. It does not change from attempt to attempt. Absent spans are {NULL, 0}. */
struct rs_target {
	enum rs_call call;
	struct rs_span
		method; /* curl: GET, POST …; a non-HTTP download counts as GET, upload as PUT */
	struct rs_span scheme;
	struct rs_span host;
	struct rs_span url; /* without user info */
	uint16_t port;      /* 0: none */
	struct rs_address address;
	const char *program; /* base name of the executable; never NULL */
};

/*
 * How one attempt ended: error != 0, or status != 0, or both (a response that broke off, or one
 * that CURLOPT_FAILONERROR turned into an error), or neither (success without a status).
 */
struct rs_outcome {
	int error;              /* CURLcode for curl, EAI_* for resolve, 0 for connect; 0 = none */
	int sys_errno;          /* the errno behind it (connect: the error itself); 0 = none */
	int status;             /* of the final response; 0 = no response */
	struct rs_span headers; /* raw lines of the final response, "Name: value\r\n" each */
	struct rs_span body;    /* decoded, as far as it was kept */
	bool body_complete;     /* no more bytes of it will come, or no more will be looked at */
	bool never_sent;        /* nothing of the request left the machine */
};

#endif
