#include <string.h>

#include "process.h"
#include "retry/ascii.h"
#include "retry/url.h"
#include "transfer/exchange.h"
#include "transfer/form.h"

static struct rs_span span_of(const char *text)
{
	return (struct rs_span){ text, strlen(text) };
}

static bool scheme_is(struct rs_span scheme, const char *name)
{
	return scheme.len == strlen(name) && rs_ascii_same(scheme.at, name, scheme.len);
}

/* An empty scheme is one that libcurl takes for http. */
static bool is_http(struct rs_span scheme)
{
	return scheme.len == 0 || scheme_is(scheme, "http") || scheme_is(scheme, "https");
}

/* Sending mail twice is not the same as sending it once. */
static bool sends_mail(struct rs_span scheme)
{
	return scheme_is(scheme, "smtp") || scheme_is(scheme, "smtps") ||
	       scheme_is(scheme, "imap") || scheme_is(scheme, "imaps");
}

/* What the program says there depends on what it has heard. */
static bool converses(struct rs_span scheme)
{
	return scheme_is(scheme, "telnet") || scheme_is(scheme, "rtsp");
}

/* Nor is appending to a file, or running commands. */
static bool does_more(const struct rs_options *o)
{
	return o->quote || o->pre_quote || o->post_quote ||
	       (o->kind == RS_REQUEST_PUT && (o->append || o->resume_from));
}

static struct rs_span method_of(const struct rs_options *o, struct rs_span scheme)
{
	if (o->custom_request.text)
		return span_of(o->custom_request.text);
	if (!is_http(scheme) && (does_more(o) || converses(scheme)))
		return span_of("POST");
	switch (o->kind) {
	case RS_REQUEST_GET:
		return span_of("GET");
	case RS_REQUEST_HEAD:
		return span_of("HEAD");
	case RS_REQUEST_PUT:
		return span_of(sends_mail(scheme) ? "POST" : "PUT");
	case RS_REQUEST_POST:
	case RS_REQUEST_FORM:
		break;
	}
	return span_of("POST");
}

/* What a CURLU handle of the program's holds, to be given back to libcurl. NULL: there is none that
 * counts, or libcurl cannot tell. */
static char *curlu_text(const struct rs_exchange *x)
{
	const struct rs_curl_api *api = x->handle->api;
	const CURLU *curlu = x->handle->options.curlu;
	char *text = NULL;

	if (!curlu || x->amended.url || !api->url_get || !api->free ||
	    api->url_get(curlu, CURLUPART_URL, &text, 0) != CURLUE_OK)
		return NULL;
	return text;
}

/* The URL as the program set it, if it is no CURLU handle. */
static const char *url_text(const struct rs_exchange *x)
{
	const char *text = x->amended.url;

	if (!text) {
		rs_handle_learn_url(x->handle);
		text = x->handle->options.url.text;
	}
	if (!text)
		x->handle->api->easy_getinfo(x->handle->easy, CURLINFO_EFFECTIVE_URL, &text);
	return text ? text : "";
}

char *rs_exchange_copy_url(const struct rs_exchange *x)
{
	char *told = curlu_text(x), *copy;

	rs_handle_learn_url(x->handle); /* the other one, while it is set */
	copy = strdup(told ? told : url_text(x));
	if (told)
		x->handle->api->free(told);
	return copy;
}

/* And x->public_url, which is all that stays of one that libcurl had to tell. */
static struct rs_url split_url(struct rs_exchange *x)
{
	const char *scheme = x->handle->options.rare.default_scheme;
	char *told = curlu_text(x);
	struct rs_url url = rs_url_split_as(told ? told : url_text(x), scheme);

	rs_url_public(&url, false, x->public_url, sizeof(x->public_url));
	if (!told)
		return url;
	x->handle->api->free(told);
	return rs_url_split(x->public_url);
}

/* As libcurl has it, whether it has been asked or not. */
static struct rs_span host_of(struct rs_exchange *x, const struct rs_url *url)
{
	size_t len = rs_url_plain_host(url->host, x->plain_host, sizeof(x->plain_host));

	return len > 0 ? (struct rs_span){ x->plain_host, len } : url->host;
}

const struct rs_target *rs_exchange_target(struct rs_exchange *x)
{
	const struct rs_options *o = &x->handle->options;
	struct rs_url url;

	/* What the program has changed meanwhile may be what the target points into. */
	if (x->has_target && !x->altered)
		return &x->target;
	url = split_url(x);
	x->target = (struct rs_target){
		.call = RS_CALL_CURL,
		.scheme = url.scheme.len ? url.scheme : span_of("http"),
		.host = host_of(x, &url),
		.url = span_of(x->public_url),
		.port = o->port && !x->amended.url ? (uint16_t)o->port : url.port,
		.program = rs_program_name(),
	};
	x->target.method = method_of(o, x->target.scheme);
	x->has_target = true;
	return &x->target;
}

bool rs_exchange_is_http(struct rs_exchange *x)
{
	return is_http(rs_exchange_target(x)->scheme);
}

bool rs_exchange_holds_talk(struct rs_exchange *x)
{
	const struct rs_options *o = &x->handle->options;
	struct rs_span scheme = rs_exchange_target(x)->scheme;

	return !is_http(scheme) && !converses(scheme) && !sends_mail(scheme) && !does_more(o) &&
	       !o->rare.wildcard;
}

bool rs_exchange_may_speak_http(struct rs_exchange *x)
{
	static const char other[][5] = { "ftp", "ftps", "ws", "wss" };
	const char *by_default = x->handle->options.rare.default_scheme;
	struct rs_span scheme = rs_url_split_as(url_text(x), by_default).scheme;

	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		if (scheme_is(scheme, other[i]))
			return true;
	}
	return is_http(scheme);
}

static bool sends_body(enum rs_request_kind kind)
{
	return kind != RS_REQUEST_GET && kind != RS_REQUEST_HEAD;
}

bool rs_exchange_replayable(struct rs_exchange *x, const struct rs_outcome *outcome, bool ended)
{
	const struct rs_options *o = &x->handle->options;

	if (x->altered)
		return false;
	if (converses(rs_exchange_target(x)->scheme))
		return outcome->never_sent;
	if (o->rare.trailer_fn && sends_body(o->kind)) /* libcurl asks for them once */
		return outcome->never_sent;
	if (x->streams_up)
		return !x->upload.outgrown || (ended && rs_upload_repeatable(&x->upload));
	switch (o->kind) {
	case RS_REQUEST_GET:
	case RS_REQUEST_HEAD:
		return true;
	case RS_REQUEST_POST:
		return o->post_fields || outcome->never_sent;
	case RS_REQUEST_FORM:
		return outcome->never_sent || rs_form_repeatable(x, ended);
	case RS_REQUEST_PUT:
		break;
	}
	return outcome->never_sent;
}
