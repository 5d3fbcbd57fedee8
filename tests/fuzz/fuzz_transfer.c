/*
 * Whole transfers, hold, judge, replay and resume, with a libcurl that does as the input says.
 *
 * It keeps what libcurl promises: header lines one by one, a short count from a callback ends the
 * transfer, a pause repeats the piece. The server keeps nothing but one thing: the byte of a body
 * at an offset that it announces is the byte of the one file that there is. Then whatever the
 * attempts were the program has that file from its beginning on, without a gap or a byte twice, or
 * the body of one attempt; and when it is told that all went well, all of it is there. With
 * CURLOPT_FAILONERROR it gets no body of a failure, and does not hear that all went well.
 */
#include <stdarg.h>
#include <sys/prctl.h>

#include "fuzz.h"
#include "transfer/exchange.h"
#include "transfer/stand_in.h"

#define BODY_MOST 3000

static const char rules_text[] =
	"[retryshim]\nlog = none\nbody_limit = 512B\nspool_limit = 64B\n"
	"[policy default]\nbase = 1us\njitter = none\nquota = none\nmax_attempts = 5\n"
	"retry_after = ignore\n"
	"[rule body]\nstatus = 200, 503\nbody = Error\nmax_attempts = 3\n"
	"[rule header]\nheader = X-Retry: yes\n"
	"[rule hopeless]\nstatus = 500\nclass = permanent\n"
	"[rule whole]\nstatus = 502\nerror = timeout\nresume = no\n"
	"[rule broken]\nstatus = 503, 504\nerror = partial, reset\n";

/* What the program has got. */
struct program {
	struct input *script;
	bool may_stop; /* its callbacks may return less, or pause */
	bool stopped;
	bool fails; /* CURLOPT_FAILONERROR */
	char body[5 * BODY_MOST];
	size_t len;
};

/* The libcurl. */
struct fake {
	struct input *script;
	curl_write_callback write_fn, header_fn;
	void *write_data, *header_data;
	curl_read_callback read_fn;
	void *read_data;
	long fail_on_error;
	bool looks_early; /* whether it is set: before the last header line, as newer ones do */
	long response_code;
	char range[64];
	int attempts;
	size_t sent;       /* of the request's body in the last attempt */
	size_t begin, end; /* of the file, what the call's last whole and last part bring */
};

static struct fake fake;
static struct program program;

/* The one file. */
static char file_byte(size_t offset)
{
	return (char)('a' + (offset * 7 + offset / 26) % 26);
}

/* ---- the program's callbacks ---- */

static size_t stop_or(struct program *p, size_t len)
{
	unsigned choice = p->may_stop ? take_byte(p->script) : 0;

	if (choice < 250 || len == 0)
		return len;
	p->stopped = true;
	return len - 1;
}

static size_t on_body(char *bytes, size_t one, size_t len, void *user)
{
	struct program *p = user;
	size_t took = stop_or(p, one * len);

	MUST(!p->fails || fake.response_code < 400);
	if (took == len) {
		MUST(p->len + len <= sizeof(p->body));
		memcpy(p->body + p->len, bytes, len);
		p->len += len;
	}
	return took;
}

static size_t on_header(char *bytes, size_t one, size_t len, void *user)
{
	(void)bytes;
	return stop_or(user, one * len);
}

static size_t on_read(char *bytes, size_t one, size_t room, void *user)
{
	size_t *at = user, len = 0;

	while (len < one * room && len < 40 && *at < 200)
		bytes[len++] = file_byte((*at)++);
	return len;
}

/* ---- libcurl's functions ---- */

static CURLcode fake_setopt(CURL *easy, CURLoption option, ...)
{
	va_list args;

	(void)easy;
	va_start(args, option);
	switch (option) {
	case CURLOPT_WRITEFUNCTION:
		fake.write_fn = va_arg(args, curl_write_callback);
		break;
	case CURLOPT_WRITEDATA:
		fake.write_data = va_arg(args, void *);
		break;
	case CURLOPT_HEADERFUNCTION:
		fake.header_fn = va_arg(args, curl_write_callback);
		break;
	case CURLOPT_HEADERDATA:
		fake.header_data = va_arg(args, void *);
		break;
	case CURLOPT_READFUNCTION:
		fake.read_fn = va_arg(args, curl_read_callback);
		break;
	case CURLOPT_READDATA:
		fake.read_data = va_arg(args, void *);
		break;
	case CURLOPT_FAILONERROR:
		fake.fail_on_error = va_arg(args, long);
		break;
	case CURLOPT_RANGE: {
		const char *range = va_arg(args, const char *);

		snprintf(fake.range, sizeof(fake.range), "%s", range ? range : "");
		break;
	}
	default:
		break;
	}
	va_end(args);
	return CURLE_OK;
}

static CURLcode fake_getinfo(CURL *easy, CURLINFO info, ...)
{
	va_list args;
	void *value;

	(void)easy;
	va_start(args, info);
	value = va_arg(args, void *);
	va_end(args);
	if (((int)info & CURLINFO_TYPEMASK) == CURLINFO_LONG)
		*(long *)value = info == CURLINFO_RESPONSE_CODE ? fake.response_code : 0;
	else if (((int)info & CURLINFO_TYPEMASK) == CURLINFO_DOUBLE)
		*(double *)value = 0;
	return CURLE_OK;
}

/* One piece through a callback of whoever has set it; a pause is asked again. */
static bool give(curl_write_callback fn, void *data, const char *bytes, size_t len)
{
	char copy[1024];

	MUST(len <= sizeof(copy));
	memcpy(copy, bytes, len);
	return fn(copy, 1, len, data) == len;
}

__attribute__((format(printf, 1, 2))) static bool header(const char *format, ...)
{
	char line[256];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line) - 2, format, args);
	va_end(args);
	if (len > (int)sizeof(line) - 3)
		len = (int)sizeof(line) - 3;
	memcpy(line + len, "\r\n", 2);
	return give(fake.header_fn, fake.header_data, line, (size_t)len + 2);
}

/* What is announced of the body, truly or not. Returns where in the file it begins. */
static bool announce(int status, size_t *from, size_t *length)
{
	unsigned lie = take_byte(fake.script);
	unsigned shape = take_byte(fake.script);
	size_t asked = strtoul(fake.range, NULL, 10);

	*length = (size_t)take_byte(fake.script) * 8;
	*from = 0;
	if (status == 206)
		*from = lie < 200 ? asked : lie;
	if (status == 206 && *length == 0)
		*length = 1;
	if (!(shape & 1) && !header("Content-Length: %zu", *length))
		return false;
	if (status == 206 && !(shape & 2) &&
	    !header("Content-Range: bytes %zu-%zu/%zu", *from, *from + *length - 1,
		    *from + *length))
		return false;
	if (!(shape & 4) && !header("ETag: \"%s\"", shape & 64 ? "other" : "file"))
		return false;
	if (shape & 8 && !header("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"))
		return false;
	if (shape & 16 && !header("X-Retry: %s", shape & 128 ? "yes" : "no"))
		return false;
	return !(shape & 32) || header("Content-Encoding: gzip");
}

static bool deliver_body(size_t from, size_t length, bool as_error)
{
	size_t done = 0;

	while (done < length) {
		size_t chunk = 1 + take_byte(fake.script) * 3, most = length - done;
		char bytes[1024];

		if (chunk == 1 && fake.script->left == 0)
			chunk = 512;
		chunk = chunk < most ? chunk : most;
		for (size_t i = 0; i < chunk; i++)
			bytes[i] = as_error ? "Error "[(done + i) % 6] : file_byte(from + done + i);
		if (!give(fake.write_fn, fake.write_data, bytes, chunk))
			return false;
		done += chunk;
	}
	return true;
}

static bool upload(void)
{
	char bytes[64];
	size_t got;

	fake.sent = 0;
	while ((got = fake.read_fn(bytes, 1, sizeof(bytes), fake.read_data)) > 0) {
		if (got > sizeof(bytes))
			return false;
		for (size_t i = 0; i < got; i++)
			MUST(bytes[i] == file_byte(fake.sent + i));
		fake.sent += got;
	}
	MUST(fake.sent == 200);
	return true;
}

static const int statuses[] = { 200, 200, 206, 404, 500, 502, 503, 504, 100, 302, 204 };
static const CURLcode endings[] = { CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_OPERATION_TIMEDOUT,
				    CURLE_COULDNT_CONNECT, CURLE_GOT_NOTHING };

/* One response block; *more where another one follows it. */
static CURLcode respond(bool *more)
{
	unsigned choice = take_byte(fake.script);
	int status = statuses[choice % (sizeof(statuses) / sizeof(statuses[0]))];
	unsigned cut = take_byte(fake.script);
	size_t from = 0, length = 0;
	bool as_error = choice >= 128 && status != 206, refuses;

	*more = status == 100 || status == 302;
	fake.response_code = status;
	if (!header("HTTP/1.1 %d Whatever", status))
		return CURLE_WRITE_ERROR;
	if (!*more && !announce(status, &from, &length))
		return CURLE_WRITE_ERROR;
	refuses = fake.looks_early && fake.fail_on_error;
	if (!give(fake.header_fn, fake.header_data, "\r\n", 2))
		return CURLE_WRITE_ERROR;
	if (*more)
		return CURLE_OK;
	refuses |= !fake.looks_early && fake.fail_on_error;
	if (refuses && status >= 400)
		return CURLE_HTTP_RETURNED_ERROR;
	if (!fake.range[0])
		fake.begin = from;
	fake.end = from + length;
	if (cut < 128)
		length = length * cut / 128;
	if (!deliver_body(from, length, as_error))
		return CURLE_WRITE_ERROR;
	return cut < 128 ? endings[cut % 2] : CURLE_OK;
}

static CURLcode fake_perform(CURL *easy)
{
	unsigned before = take_byte(fake.script);
	CURLcode result = CURLE_OK;
	bool more = true;

	(void)easy;
	fake.attempts++;
	MUST(fake.attempts <= 16);
	if (before >= 240)
		return endings[before % (sizeof(endings) / sizeof(endings[0]))];
	if (fake.read_fn && !upload())
		return CURLE_ABORTED_BY_CALLBACK;
	for (int blocks = 0; more && blocks < 4 && result == CURLE_OK; blocks++)
		result = respond(&more);
	return more && result == CURLE_OK ? CURLE_GOT_NOTHING : result;
}

static struct rs_curl_api api = {
	.easy_setopt = fake_setopt,
	.easy_getinfo = fake_getinfo,
	.easy_perform = fake_perform,
};

/* ---- the judgement ---- */

/* The body is a stretch of the file, or of the text of an error page. */
static void check_body(void)
{
	static const char page[] = "Error ";
	size_t from = 0;

	for (size_t i = 0; i < program.len; i++) {
		if (program.body[i] != page[i % 6])
			break;
		if (i + 1 == program.len)
			return;
	}
	/* A first answer of 206 need not begin at the file's beginning. */
	for (; from < 256; from++) {
		size_t i = 0;

		while (i < program.len && program.body[i] == file_byte(from + i))
			i++;
		if (i == program.len)
			return;
	}
	fprintf(stderr, "the body is neither one attempt's nor a stretch of the file\n");
	abort();
}

static void check_handle(const struct rs_handle *handle, long fail_on_error)
{
	MUST(handle->active == NULL && !handle->flows && !handle->lines_flow);
	MUST(fake.write_fn == (handle->stand_in ? handle->stand_in->body : on_body));
	MUST(fake.header_fn == (handle->stand_in ? handle->stand_in->header : on_header));
	MUST(fake.write_data == &program && fake.header_data == &program);
	MUST(fake.fail_on_error == fail_on_error);
	MUST(fake.range[0] == '\0');
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[] = "/tmp/rs-fuzz-XXXXXX";
	int fd;

	(void)argc;
	prctl(PR_SET_TIMERSLACK, 1UL); /* the waits are of a microsecond */
	/* The shim reads the environment when it is loaded. */
	if (getenv("RETRYSHIM_RULES"))
		return 0;
	fd = mkstemp(path);
	MUST(fd >= 0 && write(fd, rules_text, strlen(rules_text)) == (ssize_t)strlen(rules_text));
	setenv("RETRYSHIM_RULES", path, 1);
	unsetenv("RETRYSHIM_OPTIONS");
	execv("/proc/self/exe", *argv);
	return -1;
}

static void set_up(struct rs_handle *handle, unsigned shape, size_t *upload_at)
{
	struct rs_options *o = &handle->options;

	rs_options_set(o, CURLOPT_URL, (void *)(uintptr_t) "http://example.org/");
	rs_options_set(o, CURLOPT_WRITEFUNCTION, (void *)(uintptr_t)on_body);
	rs_options_set(o, CURLOPT_WRITEDATA, &program);
	rs_options_set(o, CURLOPT_HEADERFUNCTION, (void *)(uintptr_t)on_header);
	rs_options_set(o, CURLOPT_HEADERDATA, &program);
	fake.write_fn = on_body;
	fake.write_data = &program;
	fake.header_fn = on_header;
	fake.header_data = &program;
	rs_options_set(o, CURLOPT_FOLLOWLOCATION, (void *)(intptr_t)1);
	rs_options_set(o, CURLOPT_FAILONERROR, (void *)(intptr_t)(shape & 1));
	if (shape & 2) {
		rs_options_set(o, CURLOPT_UPLOAD, (void *)1);
		rs_options_set(o, CURLOPT_READFUNCTION, (void *)(uintptr_t)on_read);
		rs_options_set(o, CURLOPT_READDATA, upload_at);
		fake.read_fn = on_read;
		fake.read_data = upload_at;
	}
	fake.fail_on_error = o->fail_on_error;
}

/* One of those for which functions of ours stay in libcurl from call to call, or another. */
static struct rs_handle *new_handle(bool kept)
{
	struct rs_handle *handle;

	if (kept)
		return rs_handle_add((CURL *)&fake, &api);
	handle = calloc(1, sizeof(*handle));
	MUST(handle);
	handle->easy = handle->allocated = handle;
	handle->api = &api;
	rs_options_init(&handle->options);
	return handle;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input script = input_of(data, size);
	unsigned shape = take_byte(&script);
	struct rs_handle *handle;
	size_t upload_at = 0;
	CURLcode result;

	memset(&program, 0, sizeof(program));
	memset(&fake, 0, sizeof(fake));
	fake.script = program.script = &script;
	fake.looks_early = shape & 16;
	api.version = fake.looks_early ? 0x080e01 : 0x075801;
	program.fails = shape & 1;
	program.may_stop = shape & 4;
	handle = new_handle(shape & 8);
	set_up(handle, shape, &upload_at);

	result = rs_transfer_perform(handle);
	check_handle(handle, shape & 1);
	check_body();
	MUST(!program.stopped || result != CURLE_OK);
	MUST(!program.fails || result != CURLE_OK || fake.response_code < 400);
	MUST(result != CURLE_OK || program.len == fake.end - fake.begin);
	rs_handle_free(handle->stand_in ? rs_handle_take(handle->easy) : handle);
	return 0;
}
