#include "ops/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Room that is kept for the end of a line. */
#define END_ROOM 16

#define STDERR_PATIENCE_MS 1000

/* Which stream descriptor 2 was when the process began; mode 0: it was closed. */
static struct {
	mode_t mode;
	dev_t dev, rdev;
	ino_t ino;
} first_stderr;

/* ---- composing ---- */

static size_t room(const struct rs_log_line *line)
{
	return sizeof(line->text) - END_ROOM - line->len;
}

/* Append all of it or nothing. Once something did not fit, nothing more is taken. */
static void put(struct rs_log_line *line, const char *text, size_t len)
{
	if (line->cut || len > room(line)) {
		line->cut = true;
		return;
	}
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

static void put_text(struct rs_log_line *line, const char *text)
{
	put(line, text, strlen(text));
}

/* How many bytes of `at` are one well-formed UTF-8 character (RFC 3629); 0: none is. */
static size_t utf8_len(const unsigned char *at, size_t len)
{
	unsigned char lead = at[0];
	size_t want = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	/* The second byte's range shuts out overlong forms, surrogates and what is past U+10FFFF.
	 */
	unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;

	if (want == 1)
		return 1;
	if (lead < 0xc2 || lead > 0xf4 || len < want || at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < want; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	return want;
}

static void put_escape(struct rs_log_line *line, unsigned code)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = { '\\', 'u', '0', '0', hex[code >> 4 & 15], hex[code & 15] };

	put(line, text, sizeof(text));
}

static void put_ascii(struct rs_log_line *line, unsigned char byte)
{
	char pair[2] = { '\\', (char)byte };

	if (byte == '"' || byte == '\\')
		put(line, pair, sizeof(pair));
	else if (byte == '\n')
		put_text(line, "\\n");
	else if (byte == '\t')
		put_text(line, "\\t");
	else if (byte < 0x20 || byte == 0x7f)
		put_escape(line, byte);
	else
		put(line, pair + 1, 1);
}

/* The inside of a quoted value: that of a JSON string, in both formats. */
static void put_escaped(struct rs_log_line *line, struct rs_span value)
{
	const unsigned char *at = (const unsigned char *)value.at;
	size_t left = value.len;

	while (left > 0 && !line->cut) {
		size_t len = utf8_len(at, left);

		if (len == 0)
			put_text(line, "\\ufffd");
		else if (len == 1)
			put_ascii(line, *at);
		else if (at[0] == 0xc2 && at[1] < 0xa0)
			put_escape(line, at[1]); /* a control character of ISO 8859-1 */
		else
			put(line, (const char *)at, len);
		len = len > 0 ? len : 1;
		at += len;
		left -= len;
	}
}

static bool is_plain(struct rs_span value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char byte = (unsigned char)value.at[i];

		if (byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '=' || byte == '\\')
			return false;
	}
	return value.len > 0;
}

static void put_key(struct rs_log_line *line, const char *key)
{
	bool json = line->format == RS_LOG_JSON;

	put_text(line, json ? ",\"" : " ");
	put_text(line, key);
	put_text(line, json ? "\":" : "=");
}

static void put_quoted(struct rs_log_line *line, struct rs_span value)
{
	put_escaped(line, value);
	put_text(line, "\"");
	if (line->cut)
		line->text[line->len++] = '"'; /* from END_ROOM */
}

static void put_field(struct rs_log_line *line, const char *key, struct rs_span value, bool quoted)
{
	size_t start = line->len;

	if (!line->wanted || line->cut)
		return;
	put_key(line, key);
	if (quoted)
		put_text(line, "\"");
	else
		put(line, value.at, value.len);
	if (line->cut)
		line->len = start; /* not even a part of it fits */
	else if (quoted)
		put_quoted(line, value);
}

void rs_log_span(struct rs_log_line *line, const char *key, struct rs_span value)
{
	put_field(line, key, value, line->format == RS_LOG_JSON || !is_plain(value));
}

void rs_log_str(struct rs_log_line *line, const char *key, const char *value)
{
	rs_log_span(line, key, (struct rs_span){ value, strlen(value) });
}

void rs_log_int(struct rs_log_line *line, const char *key, int64_t value)
{
	char digits[24];
	char *at = digits + sizeof(digits);
	/* The magnitude of INT64_MIN is no int64_t. */
	uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do {
		*--at = (char)('0' + magnitude % 10);
		magnitude /= 10;
	} while (magnitude > 0);
	if (value < 0)
		*--at = '-';
	put_field(line, key, (struct rs_span){ at, (size_t)(digits + sizeof(digits) - at) }, false);
}

void rs_log_begin(struct rs_log_line *line, const struct rs_settings *settings,
		  enum rs_log_level level, const char *event)
{
	enum rs_log_level most = settings ? settings->log_level : RS_LOG_WARN;

	line->sink = settings ? settings->log : "stderr";
	line->wanted = level <= most && strcmp(line->sink, "none") != 0;
	line->format = settings ? settings->log_format : RS_LOG_TEXT;
	line->cut = false;
	line->len = 0;
	if (!line->wanted)
		return;
	put_text(line, line->format == RS_LOG_JSON ? "{\"event\":\"" : "retryshim: event=");
	put_text(line, event);
	if (line->format == RS_LOG_JSON)
		put_text(line, "\"");
}

static void put_end(struct rs_log_line *line)
{
	bool json = line->format == RS_LOG_JSON;
	const char *cut = json ? ",\"cut\":true" : "…";
	const char *end = json ? "}\n" : "\n";

	if (line->cut) {
		memcpy(line->text + line->len, cut, strlen(cut));
		line->len += strlen(cut);
	}
	memcpy(line->text + line->len, end, strlen(end));
	line->len += strlen(end);
}

/* ---- writing ---- */

void rs_log_remember_stderr(void)
{
	struct stat now;

	if (fstat(STDERR_FILENO, &now) != 0) {
		errno = 0; /* as a program finds it */
		return;
	}
	first_stderr.mode = now.st_mode;
	first_stderr.dev = now.st_dev;
	first_stderr.rdev = now.st_rdev;
	first_stderr.ino = now.st_ino;
}

/* Daemons close descriptor 2, and it may then become anything: a database, a client's socket. */
static bool is_first_stderr(void)
{
	struct stat now;

	return first_stderr.mode != 0 && fstat(STDERR_FILENO, &now) == 0 &&
	       (now.st_mode & S_IFMT) == (first_stderr.mode & S_IFMT) &&
	       now.st_dev == first_stderr.dev && now.st_ino == first_stderr.ino &&
	       now.st_rdev == first_stderr.rdev;
}

static void write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t written = write(fd, text, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return;
		text += written;
		len -= (size_t)written;
	}
}

/* Opened for each line: no descriptor is kept, and a file that was rotated away is followed. A
 * FIFO that nobody reads is not waited for. */
static void write_file(const char *path, const char *text, size_t len)
{
	int fd =
		open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);

	if (fd < 0)
		return;
	write_all(fd, text, len);
	close(fd);
}

/* Signals wait while we write, so a reader that does not read must not hold us for long. */
static bool stderr_takes_a_line(void)
{
	struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&fd, 1, STDERR_PATIENCE_MS) == 1;
}

static void write_line(const struct rs_log_line *line)
{
	if (strcmp(line->sink, "stderr") != 0)
		write_file(line->sink, line->text, line->len);
	else if (is_first_stderr() && stderr_takes_a_line())
		write_all(STDERR_FILENO, line->text, line->len);
}

/* Take back a signal that our own write raised. One that was pending before is the program's. */
static void take_back(int number, const sigset_t *pending_before)
{
	static const struct timespec at_once;
	sigset_t only, pending;

	if (sigismember(pending_before, number) || sigpending(&pending) != 0 ||
	    !sigismember(&pending, number))
		return;
	sigemptyset(&only);
	sigaddset(&only, number);
	while (sigtimedwait(&only, NULL, &at_once) < 0 && errno == EINTR)
		;
}

/* A reader that has gone raises SIGPIPE, a file at its limit SIGXFSZ: neither may end a program
 * for a log line. All signals wait, so that no handler leaves while the file is open. */
static void write_undisturbed(const struct rs_log_line *line)
{
	sigset_t all, mask, pending;
	int cancel_state;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	sigpending(&pending);
	write_line(line);
	take_back(SIGPIPE, &pending);
	take_back(SIGXFSZ, &pending);
	pthread_setcancelstate(cancel_state, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

void rs_log_end(struct rs_log_line *line)
{
	int saved_errno = errno;

	if (!line->wanted)
		return;
	put_end(line);
	write_undisturbed(line);
	errno = saved_errno;
}
