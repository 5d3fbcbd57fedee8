#include "transfer/canned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "process.h"
#include "retry/retry_after.h"

/* With a Unix socket libcurl looks no name up and asks no proxy. There is none of that name. */
static const char nowhere[] = "retryshim-fault";

/* ---- the response ---- */

static bool sends_all(int fd, const char *bytes, size_t len)
{
	return len == 0 ||
	       send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE) == (ssize_t)len;
}

static const char *reason_of(int status)
{
	static const struct {
		int status;
		char reason[24];
	} known[] = {
		{ 200, "OK" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 408, "Request Timeout" },
		{ 429, "Too Many Requests" },
		{ 500, "Internal Server Error" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].status == status)
			return known[i].reason;
	}
	return "Fault";
}

/* A response to HEAD, 204 and 304 have no body, whatever their headers say. */
static bool send_response(int fd, const struct rs_fault *fault)
{
	bool has_length = rs_header_value(fault->headers, "Content-Length").at ||
			  rs_header_value(fault->headers, "Transfer-Encoding").at;
	char head[128];
	int len = snprintf(head, sizeof(head), "HTTP/1.1 %d %s\r\nConnection: close\r\n",
			   fault->status, reason_of(fault->status));
	size_t body = fault->body.len < fault->cut ? fault->body.len : fault->cut;

	if (!has_length)
		len += snprintf(head + len, sizeof(head) - (size_t)len, "Content-Length: %zu\r\n",
				fault->body.len);
	return sends_all(fd, head, (size_t)len) &&
	       sends_all(fd, fault->headers.at, fault->headers.len) && sends_all(fd, "\r\n", 2) &&
	       sends_all(fd, fault->body.at, body) && shutdown(fd, SHUT_WR) == 0;
}

/* ---- the connection ---- */

static void close_ours(struct rs_exchange *x)
{
	rs_connected_fd = 0;
	if (x->fault.fd >= 0)
		close(x->fault.fd);
	x->fault.fd = -1;
}

/* A redirect comes back for another one; it gets the same answer. */
static curl_socket_t open_socket(void *exchange, curlsocktype purpose, struct curl_sockaddr *addr)
{
	struct rs_exchange *x = exchange;
	int ends[2];

	(void)purpose;
	(void)addr;
	close_ours(x);
	if (x->fault.error != CURLE_OK ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return CURL_SOCKET_BAD;
	x->fault.fd = ends[1];
	rs_connected_fd = ends[0] + 1;
	if (send_response(ends[1], x->fault.strike.fault))
		return ends[0];
	close(ends[0]);
	close_ours(x);
	return CURL_SOCKET_BAD;
}

static int is_connected(void *exchange, curl_socket_t fd, curlsocktype purpose)
{
	(void)exchange;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

/* ---- the options ---- */

static bool is_https(const char *url)
{
	return strncasecmp(url, "https:", 6) == 0;
}

static bool is_file(const char *url)
{
	return strncasecmp(url, "file:", 5) == 0;
}

/* libcurl has to go through a socket, and nobody on our side speaks TLS. NULL: no memory. */
static char *url_for(const char *own)
{
	char *plain = NULL;

	if (is_file(own))
		return strdup("http://localhost/");
	return asprintf(&plain, "http:%s", own + strlen("https:")) < 0 ? NULL : plain;
}

/* A CURLU handle would win over it. */
static void set_url(struct rs_exchange *x, const char *plain)
{
	const struct rs_options *o = &x->handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;
	CURL *easy = x->handle->easy;

	x->fault.other_url = true;
	if (o->curlu)
		set(easy, CURLOPT_CURLU, NULL);
	set(easy, CURLOPT_URL, plain);
	if (o->protocols != -1 || o->protocol_names.text)
		set(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
}

/* False: no memory. */
static bool replace_url(struct rs_exchange *x)
{
	struct rs_fault_told *told = &x->handle->fault;
	char *own = rs_exchange_copy_url(x), *plain;

	if (!own || !(is_https(own) || is_file(own))) {
		free(own);
		return own != NULL;
	}
	plain = url_for(own);
	if (plain)
		set_url(x, plain);
	free(plain);
	told->url = own;
	told->is_https = is_https(own);
	told->valid = true;
	return plain != NULL;
}

bool rs_canned_replace(struct rs_exchange *x, const struct rs_fault *answer)
{
	const struct rs_options *o = &x->handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;
	CURL *easy = x->handle->easy;

	if (!replace_url(x))
		return false;
	x->fault.replaced = true;
	set(easy, CURLOPT_UNIX_SOCKET_PATH, nowhere);
	set(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	set(easy, CURLOPT_OPENSOCKETDATA, x);
	set(easy, CURLOPT_SOCKOPTFUNCTION, is_connected);
	set(easy, CURLOPT_CLOSESOCKETFUNCTION, NULL);
	set(easy, CURLOPT_FRESH_CONNECT, 1L);
	set(easy, CURLOPT_FORBID_REUSE, 1L);
	if (answer && o->http_version > CURL_HTTP_VERSION_2TLS)
		set(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	return true;
}

void rs_canned_note(struct rs_exchange *x)
{
	struct rs_fault_told *told = &x->handle->fault;
	const char *url = NULL;
	char *whole;

	told->valid = true;
	if (!x->fault.other_url || !told->is_https)
		return;
	x->handle->api->easy_getinfo(x->handle->easy, CURLINFO_EFFECTIVE_URL, &url);
	if (!url || strncmp(url, "http:", 5) != 0 || asprintf(&whole, "https:%s", url + 5) < 0)
		whole = NULL;
	free(told->url);
	told->url = whole;
}

static void restore_protocols(const struct rs_options *o, const struct rs_curl_api *api, CURL *easy)
{
	if (o->protocol_names.text)
		api->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, o->protocol_names.text);
	else if (o->protocols != -1)
		api->easy_setopt(easy, CURLOPT_PROTOCOLS, o->protocols);
}

/* One that a recover command has set stays, until the call is over. */
static void restore_url(const struct rs_exchange *x, CURL *easy)
{
	const struct rs_options *o = &x->handle->options;
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;
	const char *amended = easy == x->handle->easy ? x->amended.url : NULL;

	set(easy, CURLOPT_URL, amended ? amended : o->url.text);
	if (o->curlu && !amended)
		set(easy, CURLOPT_CURLU, o->curlu);
}

void rs_fault_restore(const struct rs_exchange *x, CURL *easy)
{
	const struct rs_options *o = &x->handle->options;
	const struct rs_curl_api *api = x->handle->api;
	CURLcode (*set)(CURL *, CURLoption, ...) = api->easy_setopt;

	if (!x->fault.replaced)
		return;
	set(easy, o->abstract_socket ? CURLOPT_ABSTRACT_UNIX_SOCKET : CURLOPT_UNIX_SOCKET_PATH,
	    o->unix_socket.text);
	set(easy, CURLOPT_OPENSOCKETFUNCTION, o->rare.open_socket_fn);
	set(easy, CURLOPT_OPENSOCKETDATA, o->open_socket_data);
	set(easy, CURLOPT_SOCKOPTFUNCTION, o->socket_option_fn);
	set(easy, CURLOPT_CLOSESOCKETFUNCTION, o->close_socket_fn);
	set(easy, CURLOPT_FRESH_CONNECT, o->fresh_connect);
	set(easy, CURLOPT_FORBID_REUSE, o->forbid_reuse);
	if (o->http_version > CURL_HTTP_VERSION_2TLS)
		set(easy, CURLOPT_HTTP_VERSION, o->http_version);
	if (x->fault.other_url)
		restore_url(x, easy);
	restore_protocols(o, api, easy);
}

void rs_canned_end(struct rs_exchange *x)
{
	rs_fault_restore(x, x->handle->easy);
	x->fault.replaced = x->fault.other_url = false;
	close_ours(x);
}

bool rs_fault_owns(const struct rs_exchange *x, CURLoption option)
{
	switch ((int)option) {
	case CURLOPT_UNIX_SOCKET_PATH:
	case CURLOPT_ABSTRACT_UNIX_SOCKET:
	case CURLOPT_OPENSOCKETFUNCTION:
	case CURLOPT_OPENSOCKETDATA:
	case CURLOPT_SOCKOPTFUNCTION:
	case CURLOPT_CLOSESOCKETFUNCTION:
	case CURLOPT_FRESH_CONNECT:
	case CURLOPT_FORBID_REUSE:
		return x->fault.replaced;
	case CURLOPT_URL:
	case CURLOPT_CURLU:
		return x->fault.other_url;
	default:
		return false;
	}
}
