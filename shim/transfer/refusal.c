#include "transfer/refusal.h"

#include <sys/socket.h>

#include "transfer/exchange.h"

/*
 * A program may have unset its callback since the attempt began: then libcurl's default. What the
 * callbacks connect to is for the transfer, and not retried by itself.
 */

/* Of several addresses the last answer counts: a connection to another one may still fail. */
static curl_socket_t open_socket(void *exchange, curlsocktype purpose, struct curl_sockaddr *at)
{
	struct rs_exchange *x = exchange;
	const struct rs_options *o = &x->handle->options;
	curl_socket_t fd;

	if (o->rare.open_socket_fn)
		fd = o->rare.open_socket_fn(o->open_socket_data, purpose, at);
	else
		fd = socket(at->family, at->socktype, at->protocol);
	x->refused = fd == CURL_SOCKET_BAD ? CURLE_COULDNT_CONNECT : CURLE_OK;
	return fd;
}

static int start_look_up(void *state, void *reserved, void *exchange)
{
	struct rs_exchange *x = exchange;
	const struct rs_options *o = &x->handle->options;
	int answer = o->rare.resolver_fn
			     ? o->rare.resolver_fn(state, reserved, o->rare.resolver_data)
			     : 0;

	x->refused = answer ? CURLE_COULDNT_RESOLVE_HOST : CURLE_OK;
	return answer;
}

static CURLcode begin_tls(CURL *easy, void *context, void *exchange)
{
	struct rs_exchange *x = exchange;
	const struct rs_rare_options *rare = &x->handle->options.rare;
	CURLcode answer =
		rare->ssl_ctx_fn ? rare->ssl_ctx_fn(easy, context, rare->ssl_ctx_data) : CURLE_OK;

	x->refused = (uint16_t)answer;
	return answer;
}

void rs_refusal_watch(struct rs_exchange *x)
{
	const struct rs_options *o = &x->handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;
	CURL *easy = x->handle->easy;

	if (o->rare.open_socket_fn) {
		x->watched |= RS_WATCH_SOCKET;
		set(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
		set(easy, CURLOPT_OPENSOCKETDATA, x);
	}
	if (o->rare.resolver_fn) {
		x->watched |= RS_WATCH_LOOK_UP;
		set(easy, CURLOPT_RESOLVER_START_FUNCTION, start_look_up);
		set(easy, CURLOPT_RESOLVER_START_DATA, x);
	}
	if (o->rare.ssl_ctx_fn) {
		x->watched |= RS_WATCH_TLS;
		set(easy, CURLOPT_SSL_CTX_FUNCTION, begin_tls);
		set(easy, CURLOPT_SSL_CTX_DATA, x);
	}
}

bool rs_refusal_owns(const struct rs_exchange *x, CURLoption option)
{
	switch ((int)option) {
	case CURLOPT_OPENSOCKETFUNCTION:
	case CURLOPT_OPENSOCKETDATA:
		return x->watched & RS_WATCH_SOCKET;
	case CURLOPT_RESOLVER_START_FUNCTION:
	case CURLOPT_RESOLVER_START_DATA:
		return x->watched & RS_WATCH_LOOK_UP;
	case CURLOPT_SSL_CTX_FUNCTION:
	case CURLOPT_SSL_CTX_DATA:
		return x->watched & RS_WATCH_TLS;
	default:
		return false;
	}
}

void rs_refusal_restore(const struct rs_exchange *x, CURL *easy)
{
	const struct rs_options *o = &x->handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;

	if (x->watched & RS_WATCH_SOCKET) {
		set(easy, CURLOPT_OPENSOCKETFUNCTION, o->rare.open_socket_fn);
		set(easy, CURLOPT_OPENSOCKETDATA, o->open_socket_data);
	}
	if (x->watched & RS_WATCH_LOOK_UP) {
		set(easy, CURLOPT_RESOLVER_START_FUNCTION, o->rare.resolver_fn);
		set(easy, CURLOPT_RESOLVER_START_DATA, o->rare.resolver_data);
	}
	if (x->watched & RS_WATCH_TLS) {
		set(easy, CURLOPT_SSL_CTX_FUNCTION, o->rare.ssl_ctx_fn);
		set(easy, CURLOPT_SSL_CTX_DATA, o->rare.ssl_ctx_data);
	}
}

bool rs_refusal_ended(const struct rs_exchange *x, CURLcode result)
{
	if (result == CURLE_SEND_FAIL_REWIND && x->streams_up && x->upload.refused)
		return true;
	if (x->refused == CURLE_OK)
		return false;
	return x->refused == result ||
	       (x->refused == CURLE_COULDNT_RESOLVE_HOST && result == CURLE_COULDNT_RESOLVE_PROXY);
}
