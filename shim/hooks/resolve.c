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

static uint64_t begin(void)
{
	rs_mark_begin();
	return rs_mark();
}

/* A look-up that is the program's own, if its caller is not libcurl. */
static bool is_guarded(const char *host)
{
	return host && rs_curl_depth == 0 && rs_lookup_is_due(host);
}

/* ---- getaddrinfo ---- */

struct by_info {
	struct rs_lookup lookup;
	const struct addrinfo *hints;
	struct addrinfo **found;
};

static void attempt_info(struct rs_lookup *lookup)
{
	const struct by_info *call = (const struct by_info *)lookup;

	lookup->eai = rs_real_getaddrinfo(lookup->host, lookup->service, call->hints, call->found);
	lookup->sys_errno = errno;
}

static void fail_info(struct rs_lookup *lookup, int eai, int sys_errno)
{
	lookup->eai = eai;
	lookup->sys_errno = sys_errno;
	if (eai == EAI_SYSTEM)
		errno = sys_errno;
}

static bool is_numeric(const struct addrinfo *hints)
{
	return hints && (hints->ai_flags & AI_NUMERICHOST) != 0;
}

/* libcurl's, perhaps in a thread of its own: what a name service's module connects to meanwhile is
 * part of the transfer, too. */
static int belonging_to_a_transfer(const struct by_info *call)
{
	int result;

	rs_curl_depth++;
	result = rs_real_getaddrinfo(call->lookup.host, call->lookup.service, call->hints,
				     call->found);
	rs_curl_depth--;
	return result;
}

RS_EXPORT int getaddrinfo(const char *__restrict host, const char *__restrict service,
			  const struct addrinfo *__restrict hints,
			  struct addrinfo **__restrict found)
{
	struct by_info call = {
		.lookup = { .host = host,
			    .service = service,
			    .began = begin(),
			    .attempt = attempt_info,
			    .fail = fail_info },
		.hints = hints,
		.found = found,
	};

	/* Without threads libcurl leaves a look-up by siglongjmp(): there the depth is not touched.
	 */
	if (rs_curl_depth == 0 && rs_is_libcurl(__builtin_return_address(0)))
		return belonging_to_a_transfer(&call);
	if (is_numeric(hints) || !is_guarded(host))
		return rs_real_getaddrinfo(host, service, hints, found);
	rs_lookup_make(&call.lookup);
	return call.lookup.eai;
}

/* ---- gethostbyname ---- */

/* One call of any of them, and how it ended. */
struct by_name {
	struct rs_lookup lookup;
	void (*real)(struct by_name *call);
	int family;
	struct hostent *space; /* NULL: it has none, the result is in memory of libc's own */
	char *buffer;
	size_t size;
	struct hostent *result;
	int entry;  /* what the program had where the error goes: success may leave it alone */
	int error;  /* h_errno */
	int status; /* what the _r variants return: an errno */
};

static void attempt_name(struct rs_lookup *lookup)
{
	struct by_name *call = (struct by_name *)lookup;

	call->error = call->entry;
	call->real(call);
	lookup->sys_errno = call->space ? call->status : errno;
	if (call->result)
		lookup->eai = 0;
	else if (call->space && call->status == ERANGE)
		lookup->eai = EAI_SYSTEM;
	else
		lookup->eai = rs_eai_of_h_errno(call->error);
}

/* What glibc's return with: a name that is none is no error to them. */
static int status_of(int error, int sys_errno)
{
	switch (error) {
	case HOST_NOT_FOUND:
	case NO_DATA:
		return 0;
	case TRY_AGAIN:
		return EAGAIN;
	case NETDB_INTERNAL:
		return sys_errno;
	default:
		return EINVAL;
	}
}

static void fail_name(struct rs_lookup *lookup, int eai, int sys_errno)
{
	struct by_name *call = (struct by_name *)lookup;

	call->result = NULL;
	call->error = rs_h_errno_of_eai(eai);
	call->status = status_of(call->error, sys_errno);
	if (!call->space)
		h_errno = call->error;
	if (call->status != 0)
		errno = call->status;
	lookup->eai = rs_eai_of_h_errno(call->error);
	lookup->sys_errno = call->status;
}

static void by_name(struct by_name *call, const char *name, void (*real)(struct by_name *call),
		    const void *caller)
{
	call->lookup = (struct rs_lookup){
		.host = name,
		.began = begin(),
		.attempt = attempt_name,
		.fail = fail_name,
	};
	call->real = real;
	if (is_guarded(name) && !rs_is_libcurl(caller))
		rs_lookup_make(&call->lookup);
	else
		real(call);
}

static void real_plain(struct by_name *call)
{
	call->result = rs_real_gethostbyname(call->lookup.host);
	call->error = h_errno;
}

static void real_plain2(struct by_name *call)
{
	call->result = rs_real_gethostbyname2(call->lookup.host, call->family);
	call->error = h_errno;
}

static void real_reentrant(struct by_name *call)
{
	call->status = rs_real_gethostbyname_r(call->lookup.host, call->space, call->buffer,
					       call->size, &call->result, &call->error);
}

static void real_reentrant2(struct by_name *call)
{
	call->status =
		rs_real_gethostbyname2_r(call->lookup.host, call->family, call->space, call->buffer,
					 call->size, &call->result, &call->error);
}

RS_EXPORT struct hostent *gethostbyname(const char *name)
{
	struct by_name call = { .family = AF_UNSPEC };

	by_name(&call, name, real_plain, __builtin_return_address(0));
	return call.result;
}

RS_EXPORT struct hostent *gethostbyname2(const char *name, int family)
{
	struct by_name call = { .family = family };

	by_name(&call, name, real_plain2, __builtin_return_address(0));
	return call.result;
}

/* `error` is written only where the real call would have done it. */
static int by_name_reentrant(struct by_name *call, const char *name,
			     void (*real)(struct by_name *call), const void *caller,
			     struct hostent **result, int *error)
{
	call->entry = call->error = *error;
	by_name(call, name, real, caller);
	*result = call->result;
	*error = call->error;
	return call->status;
}

RS_EXPORT int gethostbyname_r(const char *__restrict name, struct hostent *__restrict space,
			      char *__restrict buffer, size_t size,
			      struct hostent **__restrict result, int *__restrict error)
{
	struct by_name call = { .space = space, .buffer = buffer, .size = size };

	return by_name_reentrant(&call, name, real_reentrant, __builtin_return_address(0), result,
				 error);
}

RS_EXPORT int gethostbyname2_r(const char *__restrict name, int family,
			       struct hostent *__restrict space, char *__restrict buffer,
			       size_t size, struct hostent **__restrict result,
			       int *__restrict error)
{
	struct by_name call = { .family = family, .space = space, .buffer = buffer, .size = size };

	return by_name_reentrant(&call, name, real_reentrant2, __builtin_return_address(0), result,
				 error);
}
