#include "transparency.h"

#include <string.h>

#define OBJECT .body = NULL, .headers = "ETag: \"v1\"\r\nContent-Type: text/x\r\n"
#define RAW(text)                                                                                  \
	{                                                                                          \
		.raw = (text)                                                                      \
	}

#define TUNNEL "PROXY=@", "HTTPPROXYTUNNEL=1"
#define TUNNEL_OPEN                                                                                \
	{                                                                                          \
		.path = "host.invalid:80",                                                         \
		.raw = "HTTP/1.1 200 Connection established\r\nX-Proxy: 1\r\n\r\n"                 \
	}
#define BASIC  "WWW-Authenticate: Basic realm=\"r\"\r\n"
#define DIGEST "WWW-Authenticate: Digest realm=\"r\", nonce=\"abc\", qop=\"auth\"\r\n"

static const struct scenario responses[] = {
	{ "plain", { "@/o" }, { { OBJECT } } },
	{ "included", { "HEADER=1", "@/o" }, { { OBJECT } } },
	{ "short", { "@/o" }, { { .body = "x" } } },
	{ "empty", { "@/o" }, { { .headers = "X-Some: header\r\n" } } },
	{ "204", { "@/o" }, { { .status = 204 } } },
	{ "304", { "@/o" }, { { .status = 304 } } },
	{ "205", { "@/o" }, { { .status = 205 } } },
	{ "HEAD", { "NOBODY=1", "@/o" }, { { OBJECT } } },
	{ "404", { "@/o" }, { { .status = 404, .body = "no such thing" } } },
	{ "404 failing", { "FAILONERROR=1", "@/o" }, { { .status = 404, .body = "none" } } },
	{ "404 failing cut",
	  { "FAILONERROR=1", "@/o" },
	  { { .status = 404,
	      .body = "none",
	      .ending = REPLY_CUT,
	      .part = REPLY_HEADER,
	      .after = 30 } } },
	{ "404 empty failing", { "FAILONERROR=1", "@/o" }, { { .status = 404 } } },
	{ "404 failing included", { "FAILONERROR=1", "HEADER=1", "@/o" }, { { .status = 404 } } },
	{ "200 failing", { "FAILONERROR=1", "@/o" }, { { OBJECT } } },
	{ "401 failing", { "FAILONERROR=1", "@/o" }, { { .status = 401, .body = "who?" } } },
	{ "no length", { "@/o" }, { { OBJECT, .framing = REPLY_CLOSE } } },
	{ "chunks", { "@/o" }, { { OBJECT, .framing = REPLY_CHUNKED } } },
	{ "trailers",
	  { "HEADER=1", "@/o" },
	  { { OBJECT, .framing = REPLY_CHUNKED, .trailers = "X-Sum: 1\r\nX-Other: 2\r\n" } } },
	{ "chunks as they come",
	  { "HTTP_TRANSFER_DECODING=0", "@/o" },
	  { { .body = "in chunks", .framing = REPLY_CHUNKED, .hang_up = true } } },
	{ "gzip", { "ACCEPT_ENCODING=gzip", "@/o" }, { { OBJECT, .gzip = true } } },
	{ "gzip as it comes", { "@/o" }, { { OBJECT, .gzip = true } } },
	{ "bad gzip",
	  { "ACCEPT_ENCODING=gzip", "@/o" },
	  { { .headers = "Content-Encoding: gzip\r\n", .body = "this is not gzip at all" } } },
	{ "1xx",
	  { "HEADER=1", "@/o" },
	  { RAW("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") } },
	{ "HTTP/1.0", { "@/o" }, { RAW("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok") } },
	{ "HTTP/0.9",
	  { "HTTP09_ALLOWED=1", "@/o" },
	  { { .raw = "no header at all", .ending = REPLY_CUT, .part = REPLY_BODY, .after = 99 } } },
	{ "another beginning",
	  { "HTTP200ALIASES=ICY", "HEADER=1", "@/o" },
	  { { .raw = "ICY 200 OK\r\nX-Some: header\r\n\r\nstream", .hang_up = true } } },
	{ "bare newlines",
	  { "HEADER=1", "@/o" },
	  { RAW("HTTP/1.1 200 OK\nContent-Length: 2\nX-Folded: a\n  b\n\nok") } },
	{ "cookie", { "COOKIEFILE=", "@/o" }, { { .headers = "Set-Cookie: a=b\r\n" } } },
	{ "redirect",
	  { "FOLLOWLOCATION=1", "HEADER=1", "@/o" },
	  { { .status = 302, .headers = "Location: /other\r\n", .body = "elsewhere" },
	    { .path = "/other", OBJECT } } },
	{ "redirect not followed",
	  { "@/o" },
	  { { .status = 302, .headers = "Location: /other\r\n", .body = "elsewhere" } } },
	{ "too many redirects",
	  { "FOLLOWLOCATION=1", "MAXREDIRS=0", "@/o" },
	  { { .status = 302, .headers = "Location: /other\r\n", .body = "elsewhere" } } },
	{ "basic",
	  { "HTTPAUTH=-17", "USERPWD=me:pw", "HEADER=1", "@/o" },
	  { { .status = 401, .headers = BASIC, .body = "who?" }, { OBJECT } } },
	{ "basic refused",
	  { "HTTPAUTH=-17", "USERPWD=me:pw", "FAILONERROR=1", "@/o" },
	  { { .status = 401, .headers = BASIC, .body = "who?" },
	    { .status = 401, .headers = BASIC, .body = "no" } } },
	{ "digest",
	  { "HTTPAUTH=2", "USERPWD=me:pw", "@/o" },
	  { { .status = 401, .headers = DIGEST, .body = "who?" }, { OBJECT } } },
	{ "tunnel", { TUNNEL, "HEADER=1", "http://host.invalid/o" }, { TUNNEL_OPEN, { OBJECT } } },
	{ "silent tunnel",
	  { TUNNEL, "SUPPRESS_CONNECT_HEADERS=1", "http://host.invalid/o" },
	  { TUNNEL_OPEN, { OBJECT } } },
	{ "tunnel with a password",
	  { TUNNEL, "PROXYAUTH=-17", "PROXYUSERPWD=me:pw", "http://host.invalid/o" },
	  { { .path = "host.invalid:80",
	      .status = 407,
	      .headers = "Proxy-Authenticate: Basic realm=\"r\"\r\n",
	      .body = "who?" },
	    TUNNEL_OPEN,
	    { .path = "/o", OBJECT } } },
	{ "refused tunnel",
	  { TUNNEL, "http://host.invalid/o" },
	  { RAW("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno") } },
	{ "range",
	  { "RANGE=10-19", "@/o" },
	  { { .status = 206,
	      .headers = "Content-Range: bytes 10-19/100\r\n",
	      .body = "0123456789" } } },
	{ "resume",
	  { "RESUME_FROM_LARGE=90", "@/o" },
	  { { .status = 206,
	      .headers = "Content-Range: bytes 90-99/100\r\n",
	      .body = "0123456789" } } },
	{ "resume ignored", { "RESUME_FROM_LARGE=90", "@/o" }, { { OBJECT } } },
	{ "nothing to resume",
	  { "RESUME_FROM_LARGE=100", "FAILONERROR=1", "@/o" },
	  { { .status = 416, .headers = "Content-Range: bytes */100\r\n", .body = "416" } } },
	{ "ftp by a proxy", { "PROXY=@", "HEADER=1", "ftp://host.invalid/o" }, { { OBJECT } } },
	{ "a file", { "HEADER=1", "file:///etc/passwd" }, { { 0 } } },
	{ "of a file", { "HEADER=1", "NOBODY=1", "file:///etc/passwd" }, { { 0 } } },
	{ "large headers", { "HEADER=1", "@/o" }, { { .headers = "", .body = "long" } } },
};

static const struct scenario requests[] = {
	{ "post", { "POSTFIELDS=a=b&c=d", "@/o" }, { { OBJECT } } },
	{ "copied post", { "COPYPOSTFIELDS=a=b&c=d", "@/o" }, { { OBJECT } } },
	{ "streamed post",
	  { "POST=1", "POSTFIELDSIZE_LARGE=50000", "upload=50000", "HTTPHEADER=Expect:", "@/o" },
	  { { OBJECT } } },
	{ "chunked post",
	  { "POST=1", "upload=50000", "HTTPHEADER=Expect:", "@/o" },
	  { { OBJECT } } },
	{ "put", { "UPLOAD=1", "INFILESIZE_LARGE=50000", "upload=50000", "@/o" }, { { OBJECT } } },
	{ "put of nothing",
	  { "UPLOAD=1", "INFILESIZE_LARGE=0", "upload=0", "@/o" },
	  { { OBJECT } } },
	{ "put from an offset",
	  { "UPLOAD=1", "INFILESIZE_LARGE=50000", "RESUME_FROM_LARGE=20000", "upload=50000",
	    "rewind=1", "@/o" },
	  { { OBJECT } } },
	{ "put and redirect",
	  { "UPLOAD=1", "INFILESIZE_LARGE=50000", "upload=50000", "rewind=1", "FOLLOWLOCATION=1",
	    "@/o" },
	  { { .status = 307, .headers = "Location: /other\r\n" }, { .path = "/other", OBJECT } } },
	{ "delete", { "CUSTOMREQUEST=DELETE", "@/o" }, { { .body = "gone" } } },
};

#define ANSWER                                                                                     \
	{                                                                                          \
		{                                                                                  \
			OBJECT                                                                     \
		}                                                                                  \
	}
/* Of 17, 19, 16 and 2 bytes. */
#define LINES                                                                                      \
	{                                                                                          \
		RAW("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Some: header\r\n\r\nok")            \
	}
static const struct scenario callbacks[] = {
	{ "write: getinfo", { "on=write:info", "@/o" }, ANSWER },
	{ "header: getinfo", { "on=header:info", "@/o" }, ANSWER },
	{ "write: setopt", { "on=write:set", "@/o" }, ANSWER },
	{ "header: setopt", { "on=header:set", "@/o" }, ANSWER },
	{ "write: a pointer for headers alone",
	  { "sinks=1", "on=write:set", "@/o" },
	  { { OBJECT, .framing = REPLY_CHUNKED, .trailers = "X-Sum: 1\r\n" } } },
	{ "write: pause", { "on=write:pause", "@/o" }, ANSWER },
	{ "header: pause", { "on=header:pause", "@/o" }, ANSWER },
	{ "included: pause", { "on=header:pause", "HEADER=1", "@/o" }, ANSWER },
	{ "included: pause at the end",
	  { "on=later:pause", "later=52", "HEADER=1", "@/o" },
	  LINES },
	{ "included: pause at a line",
	  { "on=line:pause", "later=17", "sinks=14", "HEADER=1", "@/o" },
	  LINES },
	{ "included: pause behind a pause",
	  { "on=line:pause", "later=17", "again=16", "sinks=14", "HEADER=1", "@/o" },
	  LINES },
	{ "refused: halt at a line",
	  { "on=line:halt", "later=14", "FAILONERROR=1", "@/o" },
	  { RAW("HTTP/1.1 503\r\nContent-Length: 2\r\nX-Some: header\r\n\r\nno") } },
	{ "write: pause in all of it", { "on=write:pause", "@/o" }, { { .body = "object" } } },
	{ "refused: halt at a line for good",
	  { "on=line:halt", "later=14", "TIMEOUT_MS=2000", "FAILONERROR=1", "@/o" },
	  { RAW("HTTP/1.1 404\r\nContent-Length: 2\r\nX-Some: header\r\n\r\nno") } },
	{ "redirect: told",
	  { "told=1", "FOLLOWLOCATION=1", "@/o" },
	  { { .status = 302,
	      .headers = "Location: /other\r\nX-Of: first\r\nContent-Type: a/b\r\n",
	      .body = "elsewhere" },
	    { .path = "/other", OBJECT } } },
	{ "redirect with trailers: told",
	  { "told=1", "FOLLOWLOCATION=1", "@/o" },
	  { { .status = 302,
	      .headers = "Location: /other\r\nX-Of: first\r\n",
	      .body = "elsewhere",
	      .framing = REPLY_CHUNKED,
	      .trailers = "X-Sum: 1\r\n" },
	    { .path = "/other", OBJECT } } },
	{ "redirect to a failure: told",
	  { "told=1", "FOLLOWLOCATION=1", "FAILONERROR=1", "@/o" },
	  { { .status = 302, .headers = "Location: /other\r\nX-Of: first\r\n" },
	    { .path = "/other", .status = 404, .headers = "X-Of: second\r\n" } } },
	{ "digest: told",
	  { "told=1", "HTTPAUTH=2", "USERPWD=me:pw", "@/o" },
	  { { .status = 401, .headers = DIGEST "X-Of: first\r\n", .body = "who?" },
	    { .headers = "X-Of: second\r\n", .body = "you it is" } } },
	{ "1xx: told",
	  { "told=1", "@/o" },
	  { RAW("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") } },
	{ "tunnel: told",
	  { "told=1", TUNNEL, "http://host.invalid/o" },
	  { TUNNEL_OPEN, { OBJECT } } },
	{ "write: error", { "on=write:short", "@/o" }, ANSWER },
	{ "write: error at a header", { "on=write:short", "HEADER=1", "@/o" }, ANSWER },
	{ "header: error", { "on=header:short", "@/o" }, ANSWER },
	{ "progress: abort", { "on=progress:abort", "@/o" }, ANSWER },
	{ "read: abort",
	  { "on=read:abort", "UPLOAD=1", "upload=50000", "HTTPHEADER=Expect:", "@/o" },
	  ANSWER },
	{ "write: another transfer",
	  { "on=write:nest", "nested=@/nested", "@/o" },
	  { { OBJECT }, { .path = "/nested", .body = "inner" } } },
	{ "header: a copy",
	  { "on=header:dup", "nested=@/nested", "@/o" },
	  { { OBJECT }, { .path = "/nested", .body = "inner" } } },
};

/* What differs where an answer is held before the program gets it: lines that begin with one of
 * these words, or all. */
#define REFUSED "info NUM" /* the body came, and was kept from the program */
#define LATE    "progress|info|stored|inside"
static const struct {
	const char *name, *apart;
} differences[] = {
	{ "404 failing", REFUSED },
	{ "404 empty failing", REFUSED },
	{ "404 failing included", REFUSED },
	{ "401 failing", REFUSED },
	{ "basic refused", "progress|" REFUSED },
	{ "redirect to a failure: told", REFUSED },
	{ "refused: halt at a line for good", LATE },
	{ "header: getinfo", LATE },
	{ "header: pause", LATE },
	{ "included: pause", "all" },
	{ "refused: halt at a line", REFUSED "|stored" },
	{ "included: pause at the end", LATE },
	{ "included: pause at a line", LATE },
	{ "included: pause behind a pause", LATE },
	{ "write: error", LATE },
	{ "write: error at a header", LATE },
	{ "header: error", LATE },
};

const char *transparency_apart(const struct scenario *scenario)
{
	for (size_t i = 0; i < COUNT(differences); i++) {
		if (strcmp(differences[i].name, scenario->name) == 0)
			return differences[i].apart;
	}
	return NULL;
}

static const struct failure failures[] = {
	{ "503", { .status = 503, .body = "busy" } },
	{ "503 without a body", { .status = 503, .headers = "X-Some: failure\r\n" } },
	{ "503 in chunks", { .status = 503, .body = NULL, .framing = REPLY_CHUNKED } },
	{ "503 to the end", { .status = 503, .body = "busy", .framing = REPLY_CLOSE } },
	{ "503 cut",
	  { .status = 503, .body = NULL, .ending = REPLY_CUT, .part = REPLY_BODY, .after = 99 } },
	{ "429", { .status = 429, .headers = "Retry-After: 0\r\n" } },
	{ "reset", { .ending = REPLY_RESET } },
	{ "cut", { .ending = REPLY_CUT } },
	{ "cut in the status", { .ending = REPLY_CUT, .part = REPLY_HEADER, .after = 10 } },
};

const struct scenarios transparency_responses = { responses, COUNT(responses) };
const struct scenarios transparency_requests = { requests, COUNT(requests) };
const struct scenarios transparency_callbacks = { callbacks, COUNT(callbacks) };
const struct failures transparency_failures = { failures, COUNT(failures) };
