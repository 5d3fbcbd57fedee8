/*
 * Where the real functions are.
 *
 * libcurl is found relative to the caller, since two flavours may be loaded at once, or one only
 * inside a plugin's private scope: return address -> link map -> its DT_NEEDED libcurl -> its
 * symbols. Only where that fails RTLD_NEXT is asked. It is never loaded, only found.
 */
#ifndef RS_REAL_H
#define RS_REAL_H

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

/* One libcurl's functions. A pointer is NULL where that libcurl does not have it. */
struct rs_curl_api {
	uintptr_t loaded_at; /* its place in memory */
	size_t loaded_len;
	bool complete;      /* it has what a guarded call needs at least */
	bool tells_headers; /* and can be asked for a response's headers */
	unsigned version;   /* LIBCURL_VERSION_NUM; 0: not known */

	CURL *(*easy_init)(void);
	CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
	CURLcode (*easy_perform)(CURL *);
	void (*easy_cleanup)(CURL *);
	void (*easy_reset)(CURL *);
	CURL *(*easy_duphandle)(CURL *);
	CURLcode (*easy_pause)(CURL *, int);
	CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
	const char *(*easy_strerror)(CURLcode);
	CURLHcode (*easy_header)(CURL *, const char *, size_t, unsigned, int,
				 struct curl_header **);
	struct curl_header *(*easy_nextheader)(CURL *, unsigned, int, struct curl_header *);
	CURLMcode (*multi_add_handle)(CURLM *, CURL *);
	CURLMcode (*multi_remove_handle)(CURLM *, CURL *);
	CURLMcode (*multi_perform)(CURLM *, int *);
	CURLMsg *(*multi_info_read)(CURLM *, int *);
	CURLMcode (*multi_wait)(CURLM *, struct curl_waitfd *, unsigned, int, int *);
	CURLMcode (*multi_poll)(CURLM *, struct curl_waitfd *, unsigned, int, int *);
	CURLMcode (*multi_timeout)(CURLM *, long *);
	CURLMcode (*multi_fdset)(CURLM *, fd_set *, fd_set *, fd_set *, int *);
	CURLMcode (*multi_socket_action)(CURLM *, curl_socket_t, int, int *);
	CURLMcode (*multi_socket_all)(CURLM *, int *);
	CURLMcode (*multi_setopt)(CURLM *, CURLMoption, ...);
	CURLMcode (*multi_cleanup)(CURLM *);
	CURLcode (*mime_data_cb)(curl_mimepart *, curl_off_t, curl_read_callback,
				 curl_seek_callback, curl_free_callback, void *);
	CURLcode (*mime_filedata)(curl_mimepart *, const char *);
	CURLUcode (*url_get)(const CURLU *, CURLUPart, char **, unsigned);
	void (*free)(void *);
};

/* CURLOPT_HEADER brings trailers, too. */
static inline bool rs_curl_includes_trailers(const struct rs_curl_api *api)
{
	return api->version >= 0x080100;
}

/* CURLOPT_FAILONERROR is looked at before the last header line, not after it. */
static inline bool rs_curl_refuses_early(const struct rs_curl_api *api)
{
	return api->version >= 0x080700;
}

/* What a caller gets: its libcurl, and whether the caller is that libcurl itself (which enters its
 * own public functions through the PLT; such calls are none of the program's). */
struct rs_curl_caller {
	const struct rs_curl_api *api; /* never NULL */
	bool is_libcurl;
};

/*
 * The libcurl that the code at `caller` (a return address) was linked with, or NULL where none is
 * loaded. Cached per caller: the cached path is a few loads, takes no lock and allocates nothing.
 * The first use by a caller takes the dynamic linker's lock. From any thread; not in a signal
 * handler. The library found stays loaded for the rest of the process.
 */
const struct rs_curl_caller *rs_real_curl(const void *caller);

/* The functions of a libcurl: those that are known, else the caller's. NULL: there are none. */
static inline const struct rs_curl_api *rs_curl_api_of(const struct rs_curl_api *known,
						       const void *caller)
{
	const struct rs_curl_caller *found;

	if (known)
		return known;
	found = rs_real_curl(caller);
	return found ? found->api : NULL;
}

/* A library may have been unloaded, and another one may get its place: who called from there is
 * forgotten. From any thread; not in a signal handler. */
void rs_real_curl_forget(void);

/*
 * The program's stdin and stdout, which libcurl reads and writes where nothing else is set. Found
 * at the first use: a reference to them would be resolved at every start. From any thread.
 */
enum rs_stream {
	RS_STDIN,
	RS_STDOUT,
};
#define RS_STREAMS 2

/* The variables, not their values: a program may assign to stdout. */
FILE **rs_find_stream(enum rs_stream stream);
extern _Atomic(FILE **) rs_found_streams[RS_STREAMS] __attribute__((visibility("hidden")));

static inline FILE *rs_real_stream(enum rs_stream stream)
{
	FILE **found = atomic_load_explicit(&rs_found_streams[stream], memory_order_relaxed);

	if (__builtin_expect(!found, 0))
		found = rs_find_stream(stream);
	return found ? *found : NULL;
}

/* Is the code at `caller` libcurl's own? Lock-free and async-signal-safe. */
bool rs_is_libcurl(const void *caller);

/* The libcurl that this thread is inside of, or was last. */
extern _Thread_local const struct rs_curl_api *rs_curl_inside
	__attribute__((tls_model("initial-exec")));

/* Is the code at `caller` part of that libcurl? */
static inline bool rs_is_part_of(const struct rs_curl_api *api, const void *caller)
{
	return (uintptr_t)caller - api->loaded_at < api->loaded_len;
}

/* Is it that libcurl itself that calls? What it asks of the multi interface is its own business. */
static inline bool rs_is_inside(const void *caller)
{
	const struct rs_curl_api *api = rs_curl_inside;

	return api && rs_is_part_of(api, caller);
}

/*
 * Tokens for the flavours: where a caller's return address is asked for, one of these names the
 * libcurl itself. Set by the entry points behind dlsym() just before they jump to a hook.
 */
extern const char rs_flavour_tokens[];
extern _Thread_local const void *rs_curl_bound __attribute__((tls_model("initial-exec")));

static inline const void *rs_take_caller(const void *return_address)
{
	const void *bound = rs_curl_bound;

	if (__builtin_expect(!bound, 1))
		return return_address;
	rs_curl_bound = NULL;
	return bound;
}

/* Which flavour's function `name` this is, by number; -1: none's. */
int rs_real_flavour_of(const void *function, const char *name);

/* The flags of dlopen() that stay; ~0U leaves RTLD_DEEPBIND to the program. */
extern unsigned rs_dl_open_mask __attribute__((visibility("hidden")));

/* The C library's own function, past every hook, or NULL. */
void *rs_real_symbol(const char *name);
void *rs_real_dlsym(void *handle, const char *name);
int rs_real_dlclose(void *handle);

/* libc's __libc_single_threaded: its address, that of a zero where there is none, or that of
 * rs_not_asked, which is zero, too. Looked up when it is first asked for. */
const char *rs_find_single_threaded(void);
extern const char rs_not_asked __attribute__((visibility("hidden")));
extern _Atomic(const char *) rs_found_single_threaded __attribute__((visibility("hidden")));

static inline bool rs_is_single_threaded(void)
{
	const char *found = atomic_load_explicit(&rs_found_single_threaded, memory_order_relaxed);

	return *(found != &rs_not_asked ? found : rs_find_single_threaded()) != 0;
}

/* The same without looking anything up: false where it was never asked for. */
static inline bool rs_is_known_single_threaded(void)
{
	return *atomic_load_explicit(&rs_found_single_threaded, memory_order_relaxed) != 0;
}

typedef int (*rs_connect_fn)(int, const struct sockaddr *, socklen_t);

/* Look the real connect() up and remember it; where there is none, what fails with ENOSYS. */
rs_connect_fn rs_find_connect(void);
extern _Atomic(rs_connect_fn) rs_found_connect __attribute__((visibility("hidden")));

/* The real connect(). Found when it is first asked for: without a lock, or by the
 * constructor where only the dynamic linker can tell (next_symbol.h). */
static inline rs_connect_fn rs_real_connect(void)
{
	rs_connect_fn found = atomic_load_explicit(&rs_found_connect, memory_order_relaxed);

	return found ? found : rs_find_connect();
}

#endif
