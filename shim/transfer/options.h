/*
 * What the program set on an easy handle, as far as a retry has to know it.
 *
 * libcurl has setters and no getters, so curl_easy_setopt() is watched. Pointers are the
 * program's own and are kept only where libcurl keeps them too; what libcurl copies (the URL, the
 * method) is copied here. A handle is used by one thread at a time, and so is this.
 */
#ifndef RS_TRANSFER_OPTIONS_H
#define RS_TRANSFER_OPTIONS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "real.h"

enum rs_request_kind {
	RS_REQUEST_GET,
	RS_REQUEST_HEAD,
	RS_REQUEST_POST,
	RS_REQUEST_FORM, /* CURLOPT_HTTPPOST or CURLOPT_MIMEPOST */
	RS_REQUEST_PUT,
};

/* How a URL begins. */
enum rs_url_kind {
	RS_URL_OTHER,
	RS_URL_H,    /* as one for HTTP does; perhaps as a host's name does */
	RS_URL_HTTP, /* "http:" */
};

/* A string that libcurl copies too. Short ones need no allocation. */
struct rs_copy {
	char *text; /* NULL: not set, or could not be kept (`lost`) */
	bool lost;
	char small[216];
};

/* Not cleared for every handle: few programs set any. */
struct rs_rare_options {
	curl_opensocket_callback open_socket_fn;
	curl_resolver_start_callback resolver_fn;
	void *resolver_data;
	curl_ssl_ctx_callback ssl_ctx_fn;
	void *ssl_ctx_data;
	curl_trailer_callback trailer_fn;
	long wildcard;
	void *chunk_data;
	char default_scheme[16]; /* CURLOPT_DEFAULT_PROTOCOL; one that is longer is not known */
};

struct rs_options {
	enum rs_request_kind kind;
	bool post_copied;
	bool keeps_chunks; /* CURLOPT_HTTP_TRANSFER_DECODING off */
	bool abstract_socket;
	bool has_copies; /* of those at the end one may be set, or lost; or one of the rare ones */

	curl_write_callback write_fn; /* NULL: libcurl's default, fwrite */
	void *write_data;
	curl_write_callback header_fn;
	void *header_data;
	long include_header;
	long fail_on_error;
	char *error_buffer;

	curl_read_callback read_fn; /* NULL: libcurl's default, fread */
	void *read_data;
	curl_seek_callback seek_fn;
	void *seek_data;
	curl_ioctl_callback ioctl_fn;

	long no_progress;
	curl_xferinfo_callback xferinfo_fn;
	curl_progress_callback progress_fn;
	void *progress_data;

	const void *curlu; /* CURLOPT_CURLU: the URL is in there, whatever CURLOPT_URL says */
	bool has_rare;     /* one of those words has been set */
	bool url_known;    /* `url` is what it is: see rs_options_expect_url() */
	enum rs_url_kind url_kind;
	const struct curl_httppost
		*old_form;       /* CURLOPT_HTTPPOST; NULL: not the form, or an empty one */
	const void *post_fields; /* NULL: the body, if any, comes from the read callback */

	intptr_t resume_from;
	long time_condition;
	unsigned long http_auth, proxy_auth; /* 0: libcurl's default, Basic */
	long append;
	const struct curl_slist *quote, *pre_quote, *post_quote;
	struct curl_slist *header_list;
	long timeout_ms;         /* 0: none */
	long connect_timeout_ms; /* 0: libcurl's own */
	long fresh_connect;

	/* What a fault has to put back. */
	void *open_socket_data; /* and rare.open_socket_fn */
	curl_sockopt_callback socket_option_fn;
	curl_closesocket_callback close_socket_fn;
	long forbid_reuse;
	long http_version;
	long protocols; /* -1: all */

	long follow_location;
	long connect_only;
	long proxy_tunnel;
	long port; /* 0: the URL's */

	/* From here on: what rs_options_release() leaves as it was in the beginning. */
	struct rs_copy url;
	struct rs_copy custom_request;
	struct rs_copy range;
	struct rs_copy protocol_names;
	struct rs_copy unix_socket;
	struct rs_rare_options rare;
};

/* Libcurl's defaults, in memory that is all zero, or was released. */
static inline void rs_options_init(struct rs_options *options)
{
	const size_t len = offsetof(struct rs_options, url), block = 64;
	char *at = (char *)options;

	/* At once it would be done word by word; a block is four moves. */
#pragma GCC unroll 8
	for (size_t i = 0; i < len / block; i++, at += block)
		memset(at, 0, block);
	memset(at, 0, len % block);
	options->write_data = rs_real_stream(RS_STDOUT);
	options->read_data = rs_real_stream(RS_STDIN);
	options->no_progress = 1;
	options->protocols = -1;
	options->url_known = true;
}

/* The handle is gone: release the copies. */
void rs_options_release_copies(struct rs_options *options);
static inline void rs_options_release(struct rs_options *options)
{
	if (__builtin_expect(options->has_copies, 0))
		rs_options_release_copies(options);
}

/* To be asked of a string of any length, by few instructions. */
static inline enum rs_url_kind rs_url_kind_of(const char *url)
{
	if (!url || (url[0] | 0x20) != 'h')
		return RS_URL_OTHER;
	return url[0] == 'h' && url[1] == 't' && url[2] == 't' && url[3] == 'p' && url[4] == ':'
		       ? RS_URL_HTTP
		       : RS_URL_H;
}

/*
 * The URL is set for every request, and only one that fails needs it: curl_easy_setopt() between
 * calls notes no more than that there is a new one, and how it begins. libcurl gives back the copy
 * that it has made, in its own spelling once a transfer has begun, and as long as none has led to
 * another URL. So it is asked before a transfer that may, or for which rules ask how the program
 * spells it, and else when the URL is needed. From then on it is in `url`.
 */
static inline void rs_options_expect_url(struct rs_options *options, const char *url)
{
	options->url_known = false;
	options->url_kind = rs_url_kind_of(url);
}

/* It is `url`; `text` NULL: none. */
void rs_options_learn_url(struct rs_options *options, const char *text);

/* What curl_easy_reset() does: back to the defaults. Releases the copies. */
void rs_options_clear(struct rs_options *options);

/* What curl_easy_duphandle() does: `to` must not hold copies of its own. */
void rs_options_copy(struct rs_options *to, const struct rs_options *from);

/*
 * How an option is kept, by its number, type and all: not at all (0), by one of
 * the setters of options.c, or as the word that it is, at so many bytes in struct rs_options. Words
 * that libcurl never refuses need not wait for what it says.
 */
#define RS_OPTIONS_LIMIT 4096 /* a power of two, modulo which all numbers of options differ */
#define RS_OPTION_URL    ((uint16_t)63)     /* rs_options_expect_url() */
#define RS_OPTION_WORDS  ((uint16_t)64)     /* from here on */
#define RS_OPTION_STANDS ((uint16_t)0x4000) /* from here on: a stand-in may be in their place */
#define RS_OPTION_SURE   ((uint16_t)0x8000) /* from here on: those that are never refused */
extern const uint16_t rs_option_ways[RS_OPTIONS_LIMIT];

typedef void (*rs_option_setter)(struct rs_options *options, void *value);
extern const rs_option_setter rs_option_setters[];

static inline unsigned rs_option_way(CURLoption option)
{
	return rs_option_ways[(unsigned)option % RS_OPTIONS_LIMIT];
}

static inline bool rs_option_is_word(unsigned way)
{
	return way >= RS_OPTION_WORDS;
}

static inline bool rs_option_has_stand_in(unsigned way)
{
	return (way & RS_OPTION_STANDS) != 0;
}

static inline bool rs_option_is_sure(unsigned way)
{
	return way >= RS_OPTION_SURE;
}

/* Where the word is kept; the way is taken without RS_OPTION_SURE and RS_OPTION_STANDS. */
static inline void *rs_option_word(struct rs_options *options, unsigned way)
{
	return (char *)options + (way - RS_OPTION_WORDS);
}

static inline void rs_option_keep_word(struct rs_options *options, unsigned way, void *value)
{
	memcpy(rs_option_word(options, way), &value, sizeof(value));
	if (way >= RS_OPTION_WORDS + offsetof(struct rs_options, rare))
		options->has_rare = options->has_copies = true;
}

/* One curl_easy_setopt(), of whichever way; `value` is the argument as a machine word. A URL is
 * known at once. */
void rs_options_set(struct rs_options *options, CURLoption option, void *value);

#endif
