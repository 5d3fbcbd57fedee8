/*
 * Log lines: what they look like, and what they do not do to the program.
 */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops/log.h"
#include "ops/target_text.h"

static char dir[] = "/tmp/test_log.XXXXXX";
static char path[64];
static char text[8192];

static struct rs_settings settings(enum rs_log_format format)
{
	return (struct rs_settings){ .log = path, .log_format = format, .log_level = RS_LOG_INFO };
}

static const char *logged(void)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	unlink(path);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

static const char *log_span(enum rs_log_format format, const char *value, size_t len)
{
	struct rs_settings to = settings(format);
	struct rs_log_line line;

	rs_log_begin(&line, &to, RS_LOG_INFO, "e");
	rs_log_span(&line, "k", (struct rs_span){ value, len });
	rs_log_end(&line);
	return logged();
}

#define IN_TEXT(value) log_span(RS_LOG_TEXT, value, sizeof(value) - 1)
#define IN_JSON(value) log_span(RS_LOG_JSON, value, sizeof(value) - 1)

static void text_is_logfmt(void **state)
{
	(void)state;
	assert_string_equal(IN_TEXT("[::1]:80"), "retryshim: event=e k=[::1]:80\n");
	assert_string_equal(IN_TEXT(""), "retryshim: event=e k=\"\"\n");
	assert_string_equal(IN_TEXT("a b"), "retryshim: event=e k=\"a b\"\n");
	assert_string_equal(IN_TEXT("a=b"), "retryshim: event=e k=\"a=b\"\n");
	assert_string_equal(IN_TEXT("a\"\\"), "retryshim: event=e k=\"a\\\"\\\\\"\n");
	assert_string_equal(IN_TEXT("a\nb"), "retryshim: event=e k=\"a\\nb\"\n");
	assert_string_equal(IN_TEXT("\033[2J\x7f"), "retryshim: event=e k=\"\\u001b[2J\\u007f\"\n");
}

static void json_is_json(void **state)
{
	(void)state;
	assert_string_equal(IN_JSON("plain"), "{\"event\":\"e\",\"k\":\"plain\"}\n");
	assert_string_equal(IN_JSON("\"\\\t\r\1"),
			    "{\"event\":\"e\",\"k\":\"\\\"\\\\\\t\\u000d\\u0001\"}\n");
	assert_string_equal(IN_JSON("\0"), "{\"event\":\"e\",\"k\":\"\\u0000\"}\n");
}

static void broken_utf8_is_replaced(void **state)
{
	(void)state;
	assert_string_equal(IN_JSON("é€😀"), "{\"event\":\"e\",\"k\":\"é€😀\"}\n");
	/* A lone byte, an overlong slash, a surrogate, past U+10FFFF, cut short. */
	assert_string_equal(IN_JSON("\xff"), "{\"event\":\"e\",\"k\":\"\\ufffd\"}\n");
	assert_string_equal(IN_JSON("\xc0\xaf"), "{\"event\":\"e\",\"k\":\"\\ufffd\\ufffd\"}\n");
	assert_string_equal(IN_JSON("\xed\xa0\x80"),
			    "{\"event\":\"e\",\"k\":\"\\ufffd\\ufffd\\ufffd\"}\n");
	assert_string_equal(IN_JSON("\xf4\x90\x80\x80"),
			    "{\"event\":\"e\",\"k\":\"\\ufffd\\ufffd\\ufffd\\ufffd\"}\n");
	assert_string_equal(IN_JSON("\xe2\x82"), "{\"event\":\"e\",\"k\":\"\\ufffd\\ufffd\"}\n");
	/* A control sequence introducer in one character. */
	assert_string_equal(IN_TEXT("\xc2\x9b"), "retryshim: event=e k=\"\\u009b\"\n");
}

static void numbers(void **state)
{
	struct rs_settings to = settings(RS_LOG_TEXT);
	struct rs_log_line line;

	(void)state;
	rs_log_begin(&line, &to, RS_LOG_WARN, "e");
	rs_log_int(&line, "zero", 0);
	rs_log_int(&line, "least", INT64_MIN);
	rs_log_int(&line, "most", INT64_MAX);
	rs_log_end(&line);
	assert_string_equal(logged(), "retryshim: event=e zero=0 least=-9223372036854775808 "
				      "most=9223372036854775807\n");
}

static bool ends_in(const char *whole, const char *end)
{
	size_t len = strlen(whole), tail = strlen(end);

	return len >= tail && strcmp(whole + len - tail, end) == 0;
}

/* Every length around the limit gives a whole line, with or without the mark of a cut. */
static void what_does_not_fit_is_cut(void **state)
{
	static char value[3000];

	(void)state;
	memset(value, '"', sizeof(value));
	for (size_t len = 980; len < 1040; len++) {
		const char *line = log_span(RS_LOG_JSON, value, len);
		size_t whole = strlen("{\"event\":\"e\",\"k\":\"\"}\n") + 2 * len;

		assert_true(strlen(line) <= 2048);
		assert_true(strlen(line) == whole ? ends_in(line, "\\\"\"}\n")
						  : ends_in(line, "\\\"\",\"cut\":true}\n"));
		line = log_span(RS_LOG_TEXT, value, len);
		assert_true(ends_in(line, "\\\"\"\n") || ends_in(line, "\\\"\"…\n"));
	}
	assert_true(ends_in(log_span(RS_LOG_TEXT, value, sizeof(value)), "\"…\n"));
	memset(value, 'a', sizeof(value));
	assert_true(ends_in(log_span(RS_LOG_JSON, value, sizeof(value)), "a\",\"cut\":true}\n"));
}

static void no_field_follows_a_cut(void **state)
{
	static char value[2000];
	struct rs_settings to = settings(RS_LOG_JSON);
	struct rs_log_line line;

	(void)state;
	memset(value, 'a', sizeof(value));
	rs_log_begin(&line, &to, RS_LOG_WARN, "e");
	rs_log_span(&line, "k", (struct rs_span){ value, sizeof(value) });
	rs_log_int(&line, "number", 1234567);
	rs_log_str(&line, "s", "");
	rs_log_end(&line);
	assert_true(ends_in(logged(), "a\",\"cut\":true}\n"));
}

static void levels(void **state)
{
	struct rs_settings to = settings(RS_LOG_TEXT);
	struct rs_log_line line;

	(void)state;
	rs_log_begin(&line, &to, RS_LOG_DEBUG, "e");
	assert_false(line.wanted);
	rs_log_str(&line, "k", "v");
	rs_log_end(&line);
	assert_string_equal(logged(), "");
	to.log = "none";
	rs_log_begin(&line, &to, RS_LOG_ERROR, "e");
	assert_false(line.wanted);
	rs_log_begin(&line, NULL, RS_LOG_WARN, "e");
	assert_true(line.wanted);
	assert_string_equal(line.sink, "stderr");
}

static void write_event(const char *event)
{
	struct rs_settings to = settings(RS_LOG_TEXT);
	struct rs_log_line line;

	rs_log_begin(&line, &to, RS_LOG_WARN, event);
	rs_log_end(&line);
}

static void a_rotated_file_is_followed(void **state)
{
	char rotated[80];

	(void)state;
	(void)snprintf(rotated, sizeof(rotated), "%s.1", path);
	write_event("first");
	assert_int_equal(rename(path, rotated), 0);
	write_event("second");
	assert_string_equal(logged(), "retryshim: event=second\n");
	unlink(rotated);
}

static void errno_and_descriptors_stay(void **state)
{
	int before = dup(0);
	int after;

	(void)state;
	close(before);
	assert_int_equal(mkfifo(path, 0600), 0); /* nobody reads it: not waited for, not written */
	errno = EXDEV;
	write_event("e");
	assert_int_equal(errno, EXDEV);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	write_event("e");
	assert_int_equal(errno, EXDEV);
	rmdir(path);
	after = dup(0);
	assert_int_equal(after, before);
	close(after);
}

/* The kernel raises SIGXFSZ for a write past the limit: it must not reach the program. */
static void a_file_at_its_limit_raises_no_signal(void **state)
{
	struct rlimit old, none;
	sigset_t pending;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none = (struct rlimit){ 0, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	write_event("e");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	sigpending(&pending);
	assert_false(sigismember(&pending, SIGXFSZ));
	assert_string_equal(logged(), "");
}

static const char *target_text(struct rs_target target)
{
	static char buf[RS_TARGET_TEXT_SIZE + 1];
	struct rs_span span = rs_target_text(&target, buf);

	buf[span.len] = '\0';
	return buf;
}

static struct rs_target ipv6(const uint8_t *ip, uint16_t port)
{
	struct rs_target target = { .port = port, .address = { .family = RS_ADDRESS_IPV6 } };

	memcpy(target.address.ip, ip, 16);
	return target;
}

static void targets(void **state)
{
	static const uint8_t any[16], loopback[16] = { [15] = 1 };
	static const uint8_t full[16] = {
		0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0xab, 0, 0
	};
	static const uint8_t ties[16] = { 0x20, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 9 };

	(void)state;
	assert_string_equal(
		target_text((struct rs_target){
			.port = 5432,
			.address = { .family = RS_ADDRESS_IPV4, .ip = { 127, 0, 0, 1 } } }),
		"127.0.0.1:5432");
	assert_string_equal(target_text(ipv6(any, 80)), "[::]:80");
	assert_string_equal(target_text(ipv6(loopback, 65535)), "[::1]:65535");
	assert_string_equal(target_text(ipv6(full, 1)), "[2001:db8:0:1:1:1:ab:0]:1");
	assert_string_equal(target_text(ipv6(ties, 1)), "[2001:0:0:3::9]:1");
	assert_string_equal(target_text((struct rs_target){
				    .address = { .family = RS_ADDRESS_UNIX,
						 .path = { "/run/db", strlen("/run/db") } } }),
			    "unix:/run/db");
	assert_string_equal(
		target_text((struct rs_target){ .port = 443, .host = { "example.org", 11 } }),
		"example.org:443");
	assert_string_equal(target_text((struct rs_target){ .port = 443, .host = { "::1", 3 } }),
			    "[::1]:443");
}

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/log", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_logfmt),
		cmocka_unit_test(json_is_json),
		cmocka_unit_test(broken_utf8_is_replaced),
		cmocka_unit_test(numbers),
		cmocka_unit_test(what_does_not_fit_is_cut),
		cmocka_unit_test(no_field_follows_a_cut),
		cmocka_unit_test(levels),
		cmocka_unit_test(a_rotated_file_is_followed),
		cmocka_unit_test(errno_and_descriptors_stay),
		cmocka_unit_test(a_file_at_its_limit_raises_no_signal),
		cmocka_unit_test(targets),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
