#include "ops/cause_text.h"

#include <curl/curl.h>
#include <string.h>

#include "rules/names.h"

bool rs_cause_is_status(const struct rs_cause *cause)
{
	bool failonerror = cause->call == RS_CALL_CURL && cause->status != 0 &&
			   cause->error == CURLE_HTTP_RETURNED_ERROR;

	return failonerror || (cause->error == 0 && cause->sys_errno == 0);
}

static size_t append(char *buf, size_t len, const char *text)
{
	size_t more = strnlen(text, RS_CAUSE_TEXT_SIZE - len);

	memcpy(buf + len, text, more);
	return len + more;
}

static const char *name_of(enum rs_error_domain domain, int code)
{
	const char *name = rs_error_name(domain, code);

	return name ? name : "unknown";
}

static const char *call_error(const struct rs_cause *cause)
{
	bool resolve = cause->call == RS_CALL_RESOLVE;

	return name_of(resolve ? RS_DOMAIN_EAI : RS_DOMAIN_CURL, cause->error);
}

struct rs_span rs_cause_text(const struct rs_cause *cause, char buf[RS_CAUSE_TEXT_SIZE])
{
	size_t len = 0;

	if (cause->error)
		len = append(buf, len, call_error(cause));
	if (cause->error && cause->sys_errno)
		len = append(buf, len, "/");
	if (cause->sys_errno)
		len = append(buf, len, name_of(RS_DOMAIN_ERRNO, cause->sys_errno));
	return (struct rs_span){ buf, len };
}

const char *rs_cause_error(const struct rs_cause *cause)
{
	if (cause->error)
		return call_error(cause);
	return cause->sys_errno ? name_of(RS_DOMAIN_ERRNO, cause->sys_errno) : "";
}
