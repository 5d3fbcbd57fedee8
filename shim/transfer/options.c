#include "transfer/options.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "real.h"

static void copy_clear(struct rs_copy *copy)
{
	if (copy->text != copy->small)
		free(copy->text);
	copy->text = NULL;
	copy->lost = false;
}

static void copy_set(struct rs_copy *copy, const char *text)
{
	size_t size;

	copy_clear(copy);
	if (!text)
		return;
	size = strlen(text) + 1;
	copy->text = size <= sizeof(copy->small) ? copy->small : malloc(size);
	if (copy->text)
		memcpy(copy->text, text, size);
	else
		copy->lost = true;
}

void rs_options_init(struct rs_options *options)
{
	memset(options, 0, sizeof(*options));
	options->write_data = rs_real_stream(RS_STDOUT);
	options->read_data = rs_real_stream(RS_STDIN);
	options->no_progress = 1;
	options->protocols = -1;
}

void rs_options_clear(struct rs_options *options)
{
	copy_clear(&options->url);
	copy_clear(&options->custom_request);
	copy_clear(&options->range);
	copy_clear(&options->protocol_names);
	copy_clear(&options->unix_socket);
	rs_options_init(options);
}

static void copy_again(struct rs_copy *to, const struct rs_copy *from)
{
	bool lost = from->lost;

	*to = (struct rs_copy){ .text = NULL };
	copy_set(to, from->text);
	to->lost |= lost;
}

void rs_options_copy(struct rs_options *to, const struct rs_options *from)
{
	*to = *from;
	copy_again(&to->url, &from->url);
	copy_again(&to->custom_request, &from->custom_request);
	copy_again(&to->range, &from->range);
	copy_again(&to->protocol_names, &from->protocol_names);
	copy_again(&to->unix_socket, &from->unix_socket);
}

/* An option that switches a request kind on, and off again to GET. */
static void set_kind(struct rs_options *options, enum rs_request_kind kind, void *value)
{
	options->kind = (long)(intptr_t)value ? kind : RS_REQUEST_GET;
}

/* CURLOPT_NOBODY leaves another method alone when it is switched off. */
static void set_no_body(struct rs_options *options, void *value)
{
	if ((long)(intptr_t)value)
		options->kind = RS_REQUEST_HEAD;
	else if (options->kind == RS_REQUEST_HEAD)
		options->kind = RS_REQUEST_GET;
}

static void set_post_fields(struct rs_options *options, void *value)
{
	options->post_fields = value;
	options->post_copied = false;
	options->kind = RS_REQUEST_POST;
}

/* A size set after the copy was made may make libcurl drop the copy and read a stream instead. */
static void forget_post_copy(struct rs_options *options)
{
	if (options->post_copied)
		options->post_fields = NULL;
}

/* libcurl converts function pointers through void *; POSIX asks that this works. */
#define FUNCTION(type, value) ((type)(uintptr_t)(value))
#define LONG(value)           ((long)(intptr_t)(value))

/* The list by names and the list by bits are one thing to libcurl: the last one counts. */
static void set_protocols(struct rs_options *options, CURLoption option, void *value)
{
	copy_set(&options->protocol_names, option == CURLOPT_PROTOCOLS ? NULL : value);
	options->protocols = option == CURLOPT_PROTOCOLS ? LONG(value) : -1;
}

static void set_connection(struct rs_options *options, CURLoption option, void *value)
{
	switch ((int)option) {
	case CURLOPT_OPENSOCKETFUNCTION:
		options->open_socket_fn = FUNCTION(curl_opensocket_callback, value);
		break;
	case CURLOPT_OPENSOCKETDATA:
		options->open_socket_data = value;
		break;
	case CURLOPT_SOCKOPTFUNCTION:
		options->socket_option_fn = FUNCTION(curl_sockopt_callback, value);
		break;
	case CURLOPT_CLOSESOCKETFUNCTION:
		options->close_socket_fn = FUNCTION(curl_closesocket_callback, value);
		break;
	case CURLOPT_FORBID_REUSE:
		options->forbid_reuse = LONG(value);
		break;
	case CURLOPT_HTTP_VERSION:
		options->http_version = LONG(value);
		break;
	case CURLOPT_PROTOCOLS:
	case CURLOPT_PROTOCOLS_STR:
		set_protocols(options, option, value);
		break;
	case CURLOPT_UNIX_SOCKET_PATH:
	case CURLOPT_ABSTRACT_UNIX_SOCKET:
		copy_set(&options->unix_socket, value);
		options->abstract_socket = option == CURLOPT_ABSTRACT_UNIX_SOCKET;
		break;
	default:
		break;
	}
}

static void set_body(struct rs_options *options, CURLoption option, void *value)
{
	switch (option) {
	case CURLOPT_READFUNCTION:
		options->read_fn = FUNCTION(curl_read_callback, value);
		break;
	case CURLOPT_READDATA:
		options->read_data = value;
		break;
	case CURLOPT_SEEKFUNCTION:
		options->seek_fn = FUNCTION(curl_seek_callback, value);
		break;
	case CURLOPT_SEEKDATA:
		options->seek_data = value;
		break;
	case CURLOPT_IOCTLFUNCTION:
		options->ioctl_fn = FUNCTION(curl_ioctl_callback, value);
		break;
	case CURLOPT_POSTFIELDS:
		set_post_fields(options, value);
		break;
	case CURLOPT_COPYPOSTFIELDS:
		set_post_fields(options, value);
		options->post_copied = true;
		break;
	case CURLOPT_POSTFIELDSIZE:
	case CURLOPT_POSTFIELDSIZE_LARGE:
		forget_post_copy(options);
		break;
	default:
		set_connection(options, option, value);
	}
}

/* libcurl keeps both units in one place. */
static long in_ms(void *seconds)
{
	long ms;

	return __builtin_mul_overflow(LONG(seconds), 1000L, &ms) ? LONG_MAX : ms;
}

static void set_limit(struct rs_options *options, CURLoption option, void *value)
{
	switch (option) {
	case CURLOPT_TIMEOUT:
		options->timeout_ms = in_ms(value);
		break;
	case CURLOPT_TIMEOUT_MS:
		options->timeout_ms = LONG(value);
		break;
	case CURLOPT_CONNECTTIMEOUT:
		options->connect_timeout_ms = in_ms(value);
		break;
	case CURLOPT_CONNECTTIMEOUT_MS:
		options->connect_timeout_ms = LONG(value);
		break;
	case CURLOPT_FRESH_CONNECT:
		options->fresh_connect = LONG(value);
		break;
	default:
		set_body(options, option, value);
	}
}

static void set_request(struct rs_options *options, CURLoption option, void *value)
{
	switch (option) {
	case CURLOPT_URL:
		copy_set(&options->url, value);
		break;
	case CURLOPT_PORT:
		options->port = LONG(value);
		break;
	case CURLOPT_CURLU:
		options->curlu = value;
		break;
	case CURLOPT_CUSTOMREQUEST:
		copy_set(&options->custom_request, value);
		break;
	case CURLOPT_RANGE:
		copy_set(&options->range, value);
		break;
	case CURLOPT_RESUME_FROM:
	case CURLOPT_RESUME_FROM_LARGE:
		options->resume_from = (curl_off_t)(intptr_t)value;
		break;
	case CURLOPT_HTTPHEADER:
		options->header_list = value;
		break;
	case CURLOPT_HTTP_TRANSFER_DECODING:
		options->keeps_chunks = !LONG(value);
		break;
	case CURLOPT_HTTPGET:
		if (LONG(value))
			options->kind = RS_REQUEST_GET;
		break;
	case CURLOPT_NOBODY:
		set_no_body(options, value);
		break;
	case CURLOPT_POST:
		set_kind(options, RS_REQUEST_POST, value);
		break;
	case CURLOPT_UPLOAD:
	case CURLOPT_PUT:
		set_kind(options, RS_REQUEST_PUT, value);
		break;
	case CURLOPT_HTTPPOST:
	case CURLOPT_MIMEPOST:
		options->kind = RS_REQUEST_FORM;
		options->old_form = option == CURLOPT_HTTPPOST;
		break;
	default:
		set_limit(options, option, value);
	}
}

/* Every option that a function below looks at. */
#define WATCH(option) [(option) % CURLOPTTYPE_OBJECTPOINT] = true
const bool rs_options_watched[RS_OPTIONS_LIMIT] = {
	WATCH(CURLOPT_ABSTRACT_UNIX_SOCKET),
	WATCH(CURLOPT_CLOSESOCKETFUNCTION),
	WATCH(CURLOPT_CONNECTTIMEOUT),
	WATCH(CURLOPT_CONNECTTIMEOUT_MS),
	WATCH(CURLOPT_CONNECT_ONLY),
	WATCH(CURLOPT_COPYPOSTFIELDS),
	WATCH(CURLOPT_CURLU),
	WATCH(CURLOPT_CUSTOMREQUEST),
	WATCH(CURLOPT_ERRORBUFFER),
	WATCH(CURLOPT_FAILONERROR),
	WATCH(CURLOPT_FORBID_REUSE),
	WATCH(CURLOPT_FRESH_CONNECT),
	WATCH(CURLOPT_HEADER),
	WATCH(CURLOPT_HEADERDATA),
	WATCH(CURLOPT_HEADERFUNCTION),
	WATCH(CURLOPT_HTTPGET),
	WATCH(CURLOPT_HTTPHEADER),
	WATCH(CURLOPT_HTTPPOST),
	WATCH(CURLOPT_HTTPPROXYTUNNEL),
	WATCH(CURLOPT_HTTP_TRANSFER_DECODING),
	WATCH(CURLOPT_HTTP_VERSION),
	WATCH(CURLOPT_IOCTLFUNCTION),
	WATCH(CURLOPT_MIMEPOST),
	WATCH(CURLOPT_NOBODY),
	WATCH(CURLOPT_NOPROGRESS),
	WATCH(CURLOPT_OPENSOCKETDATA),
	WATCH(CURLOPT_OPENSOCKETFUNCTION),
	WATCH(CURLOPT_PORT),
	WATCH(CURLOPT_POST),
	WATCH(CURLOPT_POSTFIELDS),
	WATCH(CURLOPT_POSTFIELDSIZE),
	WATCH(CURLOPT_POSTFIELDSIZE_LARGE),
	WATCH(CURLOPT_PROGRESSFUNCTION),
	WATCH(CURLOPT_PROTOCOLS),
	WATCH(CURLOPT_PROTOCOLS_STR),
	WATCH(CURLOPT_PUT),
	WATCH(CURLOPT_RANGE),
	WATCH(CURLOPT_READDATA),
	WATCH(CURLOPT_READFUNCTION),
	WATCH(CURLOPT_RESUME_FROM),
	WATCH(CURLOPT_RESUME_FROM_LARGE),
	WATCH(CURLOPT_SEEKDATA),
	WATCH(CURLOPT_SEEKFUNCTION),
	WATCH(CURLOPT_SOCKOPTFUNCTION),
	WATCH(CURLOPT_TIMEOUT),
	WATCH(CURLOPT_TIMEOUT_MS),
	WATCH(CURLOPT_UNIX_SOCKET_PATH),
	WATCH(CURLOPT_UPLOAD),
	WATCH(CURLOPT_URL),
	WATCH(CURLOPT_WRITEDATA),
	WATCH(CURLOPT_WRITEFUNCTION),
	WATCH(CURLOPT_XFERINFODATA),
	WATCH(CURLOPT_XFERINFOFUNCTION),
};

void rs_options_set(struct rs_options *options, CURLoption option, void *value)
{
	switch (option) {
	case CURLOPT_WRITEFUNCTION:
		options->write_fn = FUNCTION(curl_write_callback, value);
		break;
	case CURLOPT_WRITEDATA:
		options->write_data = value;
		break;
	case CURLOPT_HEADERFUNCTION:
		options->header_fn = FUNCTION(curl_write_callback, value);
		break;
	case CURLOPT_HEADERDATA:
		options->header_data = value;
		break;
	case CURLOPT_HEADER:
		options->include_header = LONG(value);
		break;
	case CURLOPT_FAILONERROR:
		options->fail_on_error = LONG(value);
		break;
	case CURLOPT_ERRORBUFFER:
		options->error_buffer = value;
		break;
	case CURLOPT_NOPROGRESS:
		options->no_progress = LONG(value);
		break;
	case CURLOPT_XFERINFOFUNCTION:
		options->xferinfo_fn = FUNCTION(curl_xferinfo_callback, value);
		break;
	case CURLOPT_PROGRESSFUNCTION:
		options->progress_fn = FUNCTION(curl_progress_callback, value);
		break;
	case CURLOPT_XFERINFODATA:
		options->progress_data = value;
		break;
	case CURLOPT_CONNECT_ONLY:
		options->connect_only = LONG(value);
		break;
	case CURLOPT_HTTPPROXYTUNNEL:
		options->proxy_tunnel = LONG(value);
		break;
	default:
		set_request(options, option, value);
	}
}
