#include "cli/explain_case.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/verbs.h"
#include "retry/curl_error.h"
#include "retry/error_set.h"
#include "retry/url.h"
#include "rules/names.h"
#include "rules/values.h"

int rs_explain_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("retryshim: explain: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return RS_EXIT_USAGE;
}

static struct rs_span span_of(const char *text)
{
	return (struct rs_span){ text, strlen(text) };
}

/* ---- the call ---- */

static int take_call(const char *word, struct rs_target *target)
{
	static const char *const names[RS_CALL_COUNT] = { "curl", "connect", "resolve" };
	const char *near;

	if (!word)
		return rs_explain_fail("--call curl, --call connect or --call resolve is missing");
	for (int call = 0; call < RS_CALL_COUNT; call++) {
		target->call = (enum rs_call)call;
		if (strcmp(word, names[call]) == 0)
			return 0;
	}
	near = rs_nearest(word, names, RS_CALL_COUNT);
	if (near)
		return rs_explain_fail("unknown call '%s'; did you mean '%s'?", word, near);
	return rs_explain_fail("unknown call '%s'; it is curl, connect or resolve", word);
}

static void take_url(const char *word, struct rs_explain_memory *memory, struct rs_target *target)
{
	struct rs_url url = rs_url_split(word);

	target->host = url.host;
	if (target->call == RS_CALL_RESOLVE)
		return;
	target->scheme = url.scheme.len ? url.scheme : span_of("http");
	target->url.at = memory->url;
	target->url.len = rs_url_public(&url, false, memory->url, sizeof(memory->url));
	target->port = url.port;
}

/* "IP", "IP:PORT" and "[IP]:PORT": the IP goes to `ip`, and *port to what follows, or NULL. */
static bool split_address(const char *word, char *ip, size_t size, const char **port)
{
	bool bracketed = word[0] == '[';
	const char *start = word + bracketed;
	const char *colon = strchr(start, ':');
	size_t len = bracketed                          ? strcspn(start, "]")
		     : colon && !strchr(colon + 1, ':') ? (size_t)(colon - start)
							: strlen(start);
	const char *rest = start + len + bracketed;

	*port = NULL;
	if (len >= size || (bracketed && start[len] != ']') || (*rest && *rest != ':'))
		return false;
	if (*rest == ':')
		*port = rest + 1;
	memcpy(ip, start, len);
	ip[len] = '\0';
	return true;
}

static int take_address(const char *word, struct rs_target *target)
{
	struct rs_why why = { "" };
	const char *port;
	char ip[INET6_ADDRSTRLEN];

	if (word[0] == '/' || word[0] == '@') {
		target->address.family = RS_ADDRESS_UNIX;
		target->address.path = span_of(word);
		return 0;
	}
	if (!split_address(word, ip, sizeof(ip), &port))
		return rs_explain_fail("--address %s: as in 10.0.0.1:80, [::1]:80, /run/x.sock",
				       word);
	target->address.family = strchr(ip, ':') ? RS_ADDRESS_IPV6 : RS_ADDRESS_IPV4;
	if (inet_pton(strchr(ip, ':') ? AF_INET6 : AF_INET, ip, target->address.ip) != 1)
		return rs_explain_fail("--address %s: no IP address and no path; as in "
				       "10.0.0.1:80, [::1]:80, /run/x.sock",
				       word);
	if (target->address.family == RS_ADDRESS_IPV6 && rs_value_unmap(target->address.ip))
		target->address.family = RS_ADDRESS_IPV4; /* as for a connect */
	if (port && !rs_value_port(port, &target->port, &why))
		return rs_explain_fail("--address %s: %s", word, why.text);
	return 0;
}

static int take_target(const struct rs_explain_words *words, struct rs_explain_memory *memory,
		       struct rs_target *target)
{
	int status = take_call(words->call, target);

	if (status != 0)
		return status;
	if (words->address && target->call != RS_CALL_CONNECT)
		return rs_explain_fail("--address is for --call connect");
	if (words->url && target->call == RS_CALL_CONNECT)
		return rs_explain_fail("a connect knows no URL; use --address");
	if (words->method && target->call != RS_CALL_CURL)
		return rs_explain_fail("--method is for --call curl");
	target->program = words->program ? words->program : "";
	if (target->call == RS_CALL_CURL) {
		target->method = span_of(words->method ? words->method : "GET");
		target->scheme = span_of("http");
	}
	if (words->url)
		take_url(words->url, memory, target);
	return words->address ? take_address(words->address, target) : 0;
}

/* ---- how it ended ---- */

static int unknown_error(const char *name)
{
	struct rs_error_set group = { { 0 }, { 0 }, 0 };
	const char *near = rs_error_nearest(name);

	if (rs_error_set_add_name(&group, name))
		return rs_explain_fail("--error %s is a group; name one of its members", name);
	if (near)
		return rs_explain_fail("unknown error name '%s'; did you mean '%s'?", name, near);
	return rs_explain_fail("unknown error name '%s'", name);
}

static int take_error(const char *name, enum rs_call call, struct rs_outcome *outcome)
{
	static const char *const kinds[] = { "a CURLE_", "an errno's", "an EAI_" };
	enum rs_error_domain domain;
	int code;
	int *place = &outcome->error;

	if (!rs_error_by_name(name, &domain, &code))
		return unknown_error(name);
	if (domain == RS_DOMAIN_ERRNO)
		place = &outcome->sys_errno;
	else if (domain != (call == RS_CALL_RESOLVE ? RS_DOMAIN_EAI : RS_DOMAIN_CURL) ||
		 call == RS_CALL_CONNECT)
		return rs_explain_fail("--error %s: such a call does not end with %s name", name,
				       kinds[domain]);
	if (*place)
		return rs_explain_fail("--error %s: one error, and for curl or resolve the errno "
				       "behind it",
				       name);
	*place = code;
	return 0;
}

/* What goes without saying: an errno of a transfer or look-up is reported by a certain error. */
static void complete_error(enum rs_call call, struct rs_outcome *outcome)
{
	if (outcome->error == 0 && call == RS_CALL_CURL)
		outcome->error = rs_curl_error_of_errno(outcome->sys_errno);
	if (outcome->error == 0 && call == RS_CALL_RESOLVE)
		outcome->error = EAI_SYSTEM;
	outcome->never_sent = call != RS_CALL_CURL || rs_curl_error_before_request(outcome->error);
}

static int take_errors(const struct rs_explain_words *words, enum rs_call call,
		       struct rs_outcome *outcome)
{
	int status = 0;

	if (words->status || words->headers || words->body)
		return rs_explain_fail("either --error, or --status with --header and --body");
	for (size_t i = 0; i < words->error_count && status == 0; i++)
		status = take_error(words->errors[i], call, outcome);
	if (status == 0)
		complete_error(call, outcome);
	return status;
}

static int read_body(const char *path, size_t limit, struct rs_explain_memory *memory,
		     struct rs_outcome *outcome)
{
	bool from_stdin = strcmp(path, "-") == 0;
	FILE *file = from_stdin ? stdin : fopen(path, "re");
	size_t len = 0;
	int error;

	memory->body = file ? malloc(limit + 1) : NULL;
	if (memory->body)
		len = fread(memory->body, 1, limit, file);
	error = file && memory->body && !ferror(file) ? 0 : errno;
	if (file && !from_stdin)
		fclose(file);
	if (error != 0) {
		rs_explain_fail("%s: %s", path, strerror(error));
		return EXIT_FAILURE;
	}
	outcome->body = (struct rs_span){ memory->body, len };
	return 0;
}

static int take_response(const struct rs_explain_words *words, enum rs_call call, size_t limit,
			 struct rs_explain_memory *memory, struct rs_outcome *outcome)
{
	char *end;
	long code;

	if (!words->status)
		return rs_explain_fail("how did it end? --error NAME or --status N is missing");
	if (call != RS_CALL_CURL)
		return rs_explain_fail("--status is for --call curl; other calls end with --error");
	code = strtol(words->status, &end, 10);
	if (end == words->status || *end || code < 100 || code > 999)
		return rs_explain_fail("--status %s: a number from 100 to 999 is meant",
				       words->status);
	outcome->status = (int)code;
	outcome->body_complete = true;
	if (words->headers)
		outcome->headers = span_of(words->headers);
	return words->body ? read_body(words->body, limit, memory, outcome) : 0;
}

int rs_explain_case(const struct rs_explain_words *words, size_t body_limit,
		    struct rs_explain_memory *memory, struct rs_explain_case *asked)
{
	int status;

	memset(asked, 0, sizeof(*asked));
	status = take_target(words, memory, &asked->target);
	if (status != 0)
		return status;
	if (words->error_count > 0)
		return take_errors(words, asked->target.call, &asked->outcome);
	return take_response(words, asked->target.call, body_limit, memory, &asked->outcome);
}
