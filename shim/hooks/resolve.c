/*
 * Name look-ups. Those that libcurl makes, be it in a thread of its own, belong to its transfers.
 */
#include <errno.h>
#include <netdb.h>

#include "hooks/export.h"
#include "mark.h"
#include "process.h"
#include "real.h"
#include "real_libc.h"
#include "resolve/lookup.h"

static bool is_the_programs(const void *caller)
{
	return rs_curl_depth == 0 && !rs_is_libcurl(caller);
}

/* An address in digits is not looked up. */
static bool is_numeric(const struct addrinfo *hints)
{
	return hints && (hints->ai_flags & AI_NUMERICHOST) != 0;
}

RS_EXPORT int getaddrinfo(const char *__restrict host, const char *__restrict service,
			  const struct addrinfo *__restrict hints,
			  struct addrinfo **__restrict found)
{
	struct rs_lookup lookup = { .host = host, .service = service, .began = rs_mark() };
	int entry_errno = errno;
	int status = rs_real_getaddrinfo(host, service, hints, found);

	if (is_numeric(hints) || !is_the_programs(__builtin_return_address(0)))
		return status;
	while (status != 0 && rs_lookup_again(&lookup, status, errno)) {
		errno = entry_errno;
		status = rs_real_getaddrinfo(host, service, hints, found);
	}
	if (status == 0)
		rs_lookup_succeeded(&lookup);
	return status;
}

/* ---- gethostbyname ---- */

/* One call of any of them, and how it ended. */
struct by_name {
	const char *name;
	int family;
	struct hostent *space; /* NULL: it has none, the result is in memory of libc's own */
	char *buffer;
	size_t size;
	struct hostent *result;
	int error;  /* h_errno */
	int status; /* what the _r variants return: an errno */
};

typedef void (*by_name_fn)(struct by_name *call);

/* Too small a buffer is not the network's fault. */
static bool by_name_again(struct rs_lookup *lookup, const struct by_name *call)
{
	int error = call->space ? call->status : errno;

	return !call->result && error != ERANGE &&
	       rs_lookup_again(lookup, rs_eai_of_h_errno(call->error), error);
}

static void by_name(struct by_name *call, by_name_fn attempt, const void *caller)
{
	struct rs_lookup lookup = { .host = call->name, .began = rs_mark() };

	attempt(call);
	if (!is_the_programs(caller))
		return;
	while (by_name_again(&lookup, call))
		attempt(call);
	if (call->result)
		rs_lookup_succeeded(&lookup);
}

static void attempt_plain(struct by_name *call)
{
	call->result = rs_real_gethostbyname(call->name);
	call->error = h_errno;
}

static void attempt_plain2(struct by_name *call)
{
	call->result = rs_real_gethostbyname2(call->name, call->family);
	call->error = h_errno;
}

static void attempt_reentrant(struct by_name *call)
{
	call->status = rs_real_gethostbyname_r(call->name, call->space, call->buffer, call->size,
					       &call->result, &call->error);
}

static void attempt_reentrant2(struct by_name *call)
{
	call->status = rs_real_gethostbyname2_r(call->name, call->family, call->space, call->buffer,
						call->size, &call->result, &call->error);
}

RS_EXPORT struct hostent *gethostbyname(const char *name)
{
	struct by_name call = { .name = name };

	by_name(&call, attempt_plain, __builtin_return_address(0));
	return call.result;
}

RS_EXPORT struct hostent *gethostbyname2(const char *name, int family)
{
	struct by_name call = { .name = name, .family = family };

	by_name(&call, attempt_plain2, __builtin_return_address(0));
	return call.result;
}

/* `error` is written only where the real call would have done it. */
static int by_name_reentrant(struct by_name *call, by_name_fn attempt, const void *caller,
			     struct hostent **result, int *error)
{
	call->error = *error;
	by_name(call, attempt, caller);
	*result = call->result;
	*error = call->error;
	return call->status;
}

RS_EXPORT int gethostbyname_r(const char *__restrict name, struct hostent *__restrict space,
			      char *__restrict buffer, size_t size,
			      struct hostent **__restrict result, int *__restrict error)
{
	struct by_name call = { .name = name, .space = space, .buffer = buffer, .size = size };

	return by_name_reentrant(&call, attempt_reentrant, __builtin_return_address(0), result,
				 error);
}

RS_EXPORT int gethostbyname2_r(const char *__restrict name, int family,
			       struct hostent *__restrict space, char *__restrict buffer,
			       size_t size, struct hostent **__restrict result,
			       int *__restrict error)
{
	struct by_name call = {
		.name = name, .family = family, .space = space, .buffer = buffer, .size = size
	};

	return by_name_reentrant(&call, attempt_reentrant2, __builtin_return_address(0), result,
				 error);
}
