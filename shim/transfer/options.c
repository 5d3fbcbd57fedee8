#include "transfer/options.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static inline void copy_clear(struct rs_copy *copy)
{
	if (copy->text && copy->text != copy->small)
		free(copy->text);
	copy->text = NULL;
	copy->lost = false;
}

static void copy_set(struct rs_options *options, struct rs_copy *copy, const char *text)
{
	size_t size;

	copy_clear(copy);
	if (!text)
		return;
	options->has_copies = true;
	size = strlen(text) + 1;
	copy->text = size <= sizeof(copy->small) ? copy->small : malloc(size);
	if (copy->text)
		memcpy(copy->text, text, size);
	else
		copy->lost = true;
}

void rs_options_release_copies(struct rs_options *options)
{
	copy_clear(&options->url);
	copy_clear(&options->custom_request);
	copy_clear(&options->range);
	copy_clear(&options->protocol_names);
	copy_clear(&options->unix_socket);
	memset(&options->rare, 0, sizeof(options->rare));
}

void rs_options_clear(struct rs_options *options)
{
	rs_options_release(options);
	rs_options_init(options);
}

void rs_options_learn_url(struct rs_options *options, const char *text)
{
	copy_set(options, &options->url, text);
	options->url_known = true;
	options->url_kind = rs_url_kind_of(text);
}

static void copy_again(struct rs_options *options, struct rs_copy *to, const struct rs_copy *from)
{
	bool lost = from->lost;

	*to = (struct rs_copy){ .text = NULL };
	copy_set(options, to, from->text);
	to->lost |= lost;
}

void rs_options_copy(struct rs_options *to, const struct rs_options *from)
{
	*to = *from;
	copy_again(to, &to->url, &from->url);
	copy_again(to, &to->custom_request, &from->custom_request);
	copy_again(to, &to->range, &from->range);
	copy_again(to, &to->protocol_names, &from->protocol_names);
	copy_again(to, &to->unix_socket, &from->unix_socket);
}

#define LONG(value) ((long)(intptr_t)(value))

/* libcurl keeps both units in one place. */
static long in_ms(void *seconds)
{
	long ms;

	return __builtin_mul_overflow(LONG(seconds), 1000L, &ms) ? LONG_MAX : ms;
}

static void set_timeout(struct rs_options *options, void *value)
{
	options->timeout_ms = in_ms(value);
}

static void set_connect_timeout(struct rs_options *options, void *value)
{
	options->connect_timeout_ms = in_ms(value);
}

static void set_custom_request(struct rs_options *options, void *value)
{
	copy_set(options, &options->custom_request, value);
}

static void set_range(struct rs_options *options, void *value)
{
	copy_set(options, &options->range, value);
}

static void set_decoding(struct rs_options *options, void *value)
{
	options->keeps_chunks = !LONG(value);
}

/* The list by names and the list by bits are one thing to libcurl: the last one counts. */
static void set_protocols(struct rs_options *options, void *value)
{
	copy_clear(&options->protocol_names);
	options->protocols = LONG(value);
}

static void set_protocol_names(struct rs_options *options, void *value)
{
	copy_set(options, &options->protocol_names, value);
	options->protocols = -1;
}

static void set_unix_socket(struct rs_options *options, void *value)
{
	copy_set(options, &options->unix_socket, value);
	options->abstract_socket = false;
}

static void set_abstract_socket(struct rs_options *options, void *value)
{
	copy_set(options, &options->unix_socket, value);
	options->abstract_socket = true;
}

static void set_default_scheme(struct rs_options *options, void *value)
{
	const char *scheme = value ? value : "";
	size_t len = strnlen(scheme, sizeof(options->rare.default_scheme) - 1);

	memset(options->rare.default_scheme, 0, sizeof(options->rare.default_scheme));
	memcpy(options->rare.default_scheme, scheme, len);
	options->has_copies = true;
}

/* ---- what is sent ---- */

static void set_get(struct rs_options *options, void *value)
{
	if (LONG(value))
		options->kind = RS_REQUEST_GET;
}

/* CURLOPT_NOBODY leaves another method alone when it is switched off. */
static void set_no_body(struct rs_options *options, void *value)
{
	if (LONG(value))
		options->kind = RS_REQUEST_HEAD;
	else if (options->kind == RS_REQUEST_HEAD)
		options->kind = RS_REQUEST_GET;
}

/* Options that switch a request kind on, and off again to GET. */
static void set_post(struct rs_options *options, void *value)
{
	options->kind = LONG(value) ? RS_REQUEST_POST : RS_REQUEST_GET;
}

static void set_upload(struct rs_options *options, void *value)
{
	options->kind = LONG(value) ? RS_REQUEST_PUT : RS_REQUEST_GET;
}

static void set_form(struct rs_options *options, void *value)
{
	(void)value;
	options->kind = RS_REQUEST_FORM;
	options->old_form = NULL;
}

static void set_old_form(struct rs_options *options, void *value)
{
	options->kind = RS_REQUEST_FORM;
	options->old_form = value;
}

static void set_post_fields(struct rs_options *options, void *value)
{
	options->post_fields = value;
	options->post_copied = false;
	options->kind = RS_REQUEST_POST;
}

static void set_post_copy(struct rs_options *options, void *value)
{
	options->post_fields = value;
	options->post_copied = true;
	options->kind = RS_REQUEST_POST;
}

/* A size set after the copy was made may make libcurl drop the copy and read a stream instead. */
static void forget_post_copy(struct rs_options *options, void *value)
{
	(void)value;
	if (options->post_copied)
		options->post_fields = NULL;
}

/* ---- which is which ---- */

enum setter {
	SET_NONE,
	SET_ABSTRACT_SOCKET,
	SET_CONNECT_TIMEOUT,
	SET_CUSTOM_REQUEST,
	SET_DECODING,
	SET_DEFAULT_SCHEME,
	SET_FORM,
	SET_GET,
	SET_NO_BODY,
	SET_OLD_FORM,
	SET_POST,
	SET_POST_COPY,
	SET_POST_FIELDS,
	SET_POST_SIZE,
	SET_PROTOCOLS,
	SET_PROTOCOL_NAMES,
	SET_RANGE,
	SET_TIMEOUT,
	SET_UNIX_SOCKET,
	SET_UPLOAD,
};

const rs_option_setter rs_option_setters[] = {
	[SET_ABSTRACT_SOCKET] = set_abstract_socket,
	[SET_CONNECT_TIMEOUT] = set_connect_timeout,
	[SET_CUSTOM_REQUEST] = set_custom_request,
	[SET_DECODING] = set_decoding,
	[SET_DEFAULT_SCHEME] = set_default_scheme,
	[SET_FORM] = set_form,
	[SET_GET] = set_get,
	[SET_NO_BODY] = set_no_body,
	[SET_OLD_FORM] = set_old_form,
	[SET_POST] = set_post,
	[SET_POST_COPY] = set_post_copy,
	[SET_POST_FIELDS] = set_post_fields,
	[SET_POST_SIZE] = forget_post_copy,
	[SET_PROTOCOLS] = set_protocols,
	[SET_PROTOCOL_NAMES] = set_protocol_names,
	[SET_RANGE] = set_range,
	[SET_TIMEOUT] = set_timeout,
	[SET_UNIX_SOCKET] = set_unix_socket,
	[SET_UPLOAD] = set_upload,
};

#define NUMBER(option) [(option) % RS_OPTIONS_LIMIT]
/* Pointers and longs; libcurl converts function pointers through void *, and POSIX asks that this
 * works. */
#define WORD(member)                                                                               \
	(RS_OPTION_WORDS + offsetof(struct rs_options, member) +                                   \
	 0 * sizeof(char[sizeof(__typeof__(((struct rs_options *)0)->member)) == sizeof(void *)    \
				 ? 1                                                               \
				 : -1]))

/* libcurl stores these without a look at them, ever since it has had them. */
#define SURE(member) (RS_OPTION_SURE + WORD(member))

/* And of these it may have been given others: stand_in.h. */
#define STANDS(member) (RS_OPTION_STANDS + WORD(member))
_Static_assert(RS_OPTION_WORDS + sizeof(struct rs_options) < RS_OPTION_STANDS, "no way is two");

const uint16_t rs_option_ways[RS_OPTIONS_LIMIT] = {
	NUMBER(CURLOPT_ABSTRACT_UNIX_SOCKET) = SET_ABSTRACT_SOCKET,
	NUMBER(CURLOPT_APPEND) = WORD(append),
	NUMBER(CURLOPT_CHUNK_DATA) = WORD(rare.chunk_data),
	NUMBER(CURLOPT_CLOSESOCKETFUNCTION) = WORD(close_socket_fn),
	NUMBER(CURLOPT_CONNECTTIMEOUT) = SET_CONNECT_TIMEOUT,
	NUMBER(CURLOPT_CONNECTTIMEOUT_MS) = WORD(connect_timeout_ms),
	NUMBER(CURLOPT_CONNECT_ONLY) = WORD(connect_only),
	NUMBER(CURLOPT_COPYPOSTFIELDS) = SET_POST_COPY,
	NUMBER(CURLOPT_CURLU) = WORD(curlu),
	NUMBER(CURLOPT_CUSTOMREQUEST) = SET_CUSTOM_REQUEST,
	NUMBER(CURLOPT_DEFAULT_PROTOCOL) = SET_DEFAULT_SCHEME,
	NUMBER(CURLOPT_ERRORBUFFER) = SURE(error_buffer),
	NUMBER(CURLOPT_FAILONERROR) = WORD(fail_on_error),
	NUMBER(CURLOPT_FOLLOWLOCATION) = WORD(follow_location),
	NUMBER(CURLOPT_FORBID_REUSE) = WORD(forbid_reuse),
	NUMBER(CURLOPT_FRESH_CONNECT) = WORD(fresh_connect),
	NUMBER(CURLOPT_HEADER) = WORD(include_header),
	NUMBER(CURLOPT_HEADERDATA) = SURE(header_data),
	NUMBER(CURLOPT_HEADERFUNCTION) = STANDS(header_fn),
	NUMBER(CURLOPT_HTTPAUTH) = WORD(http_auth),
	NUMBER(CURLOPT_HTTPGET) = SET_GET,
	NUMBER(CURLOPT_HTTPHEADER) = WORD(header_list),
	NUMBER(CURLOPT_HTTPPOST) = SET_OLD_FORM,
	NUMBER(CURLOPT_HTTPPROXYTUNNEL) = WORD(proxy_tunnel),
	NUMBER(CURLOPT_HTTP_TRANSFER_DECODING) = SET_DECODING,
	NUMBER(CURLOPT_HTTP_VERSION) = WORD(http_version),
	NUMBER(CURLOPT_IOCTLFUNCTION) = WORD(ioctl_fn),
	NUMBER(CURLOPT_MIMEPOST) = SET_FORM,
	NUMBER(CURLOPT_NOBODY) = SET_NO_BODY,
	NUMBER(CURLOPT_NOPROGRESS) = WORD(no_progress),
	NUMBER(CURLOPT_OPENSOCKETDATA) = WORD(open_socket_data),
	NUMBER(CURLOPT_OPENSOCKETFUNCTION) = WORD(rare.open_socket_fn),
	NUMBER(CURLOPT_PORT) = WORD(port),
	NUMBER(CURLOPT_POST) = SET_POST,
	NUMBER(CURLOPT_POSTFIELDS) = SET_POST_FIELDS,
	NUMBER(CURLOPT_POSTFIELDSIZE) = SET_POST_SIZE,
	NUMBER(CURLOPT_POSTFIELDSIZE_LARGE) = SET_POST_SIZE,
	NUMBER(CURLOPT_POSTQUOTE) = WORD(post_quote),
	NUMBER(CURLOPT_PREQUOTE) = WORD(pre_quote),
	NUMBER(CURLOPT_PROGRESSFUNCTION) = WORD(progress_fn),
	NUMBER(CURLOPT_PROTOCOLS) = SET_PROTOCOLS,
	NUMBER(CURLOPT_PROTOCOLS_STR) = SET_PROTOCOL_NAMES,
	NUMBER(CURLOPT_PROXYAUTH) = WORD(proxy_auth),
	NUMBER(CURLOPT_PUT) = SET_UPLOAD,
	NUMBER(CURLOPT_QUOTE) = WORD(quote),
	NUMBER(CURLOPT_RANGE) = SET_RANGE,
	NUMBER(CURLOPT_READDATA) = SURE(read_data),
	NUMBER(CURLOPT_READFUNCTION) = SURE(read_fn),
	NUMBER(CURLOPT_RESOLVER_START_DATA) = WORD(rare.resolver_data),
	NUMBER(CURLOPT_RESOLVER_START_FUNCTION) = WORD(rare.resolver_fn),
	NUMBER(CURLOPT_RESUME_FROM) = WORD(resume_from),
	NUMBER(CURLOPT_RESUME_FROM_LARGE) = WORD(resume_from),
	NUMBER(CURLOPT_SEEKDATA) = WORD(seek_data),
	NUMBER(CURLOPT_SEEKFUNCTION) = WORD(seek_fn),
	NUMBER(CURLOPT_SOCKOPTFUNCTION) = WORD(socket_option_fn),
	NUMBER(CURLOPT_SSL_CTX_DATA) = WORD(rare.ssl_ctx_data),
	NUMBER(CURLOPT_SSL_CTX_FUNCTION) = WORD(rare.ssl_ctx_fn),
	NUMBER(CURLOPT_TIMECONDITION) = WORD(time_condition),
	NUMBER(CURLOPT_TIMEOUT) = SET_TIMEOUT,
	NUMBER(CURLOPT_TIMEOUT_MS) = WORD(timeout_ms),
	NUMBER(CURLOPT_TRAILERFUNCTION) = WORD(rare.trailer_fn),
	NUMBER(CURLOPT_UNIX_SOCKET_PATH) = SET_UNIX_SOCKET,
	NUMBER(CURLOPT_UPLOAD) = SET_UPLOAD,
	NUMBER(CURLOPT_URL) = RS_OPTION_URL,
	NUMBER(CURLOPT_WILDCARDMATCH) = WORD(rare.wildcard),
	NUMBER(CURLOPT_WRITEDATA) = SURE(write_data),
	NUMBER(CURLOPT_WRITEFUNCTION) = STANDS(write_fn),
	NUMBER(CURLOPT_XFERINFODATA) = WORD(progress_data),
	NUMBER(CURLOPT_XFERINFOFUNCTION) = STANDS(xferinfo_fn),
};

void rs_options_set(struct rs_options *options, CURLoption option, void *value)
{
	unsigned way = rs_option_way(option);

	if (option == CURLOPT_URL)
		rs_options_learn_url(options, value);
	else if (rs_option_is_word(way))
		rs_option_keep_word(options, way % RS_OPTION_STANDS, value);
	else if (way != SET_NONE)
		rs_option_setters[way](options, value);
}
