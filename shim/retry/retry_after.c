#include "retry/retry_after.h"

#include <string.h>

#include "retry/ascii.h"
#include "retry/ns.h"

#define AMZ_LEEWAY_NS (5 * RS_NS_PER_S)

static const struct rs_span nothing;

/* Cut the first line, without its LF, off `rest`. */
static struct rs_span next_line(struct rs_span *rest)
{
	const char *end = memchr(rest->at, '\n', rest->len);
	struct rs_span line = { rest->at, end ? (size_t)(end - rest->at) : rest->len };
	size_t taken = line.len + (end ? 1 : 0);

	rest->at += taken;
	rest->len -= taken;
	return line;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct rs_span trimmed(struct rs_span text)
{
	while (text.len > 0 && is_blank(text.at[0])) {
		text.at++;
		text.len--;
	}
	while (text.len > 0 && is_blank(text.at[text.len - 1]))
		text.len--;
	return text;
}

struct rs_span rs_header_value(struct rs_span headers, const char *name)
{
	const size_t name_len = strlen(name);

	while (headers.len > 0) {
		struct rs_span line = next_line(&headers);

		if (line.len > name_len && line.at[name_len] == ':' &&
		    rs_ascii_same(line.at, name, name_len))
			return trimmed((struct rs_span){ line.at + name_len + 1,
							 line.len - name_len - 1 });
	}
	return nothing;
}

bool rs_header_next(struct rs_span *rest, struct rs_span *name, struct rs_span *value)
{
	while (rest->len > 0) {
		struct rs_span line = next_line(rest);
		const char *colon = memchr(line.at, ':', line.len);

		if (!colon)
			continue;
		*name = (struct rs_span){ line.at, (size_t)(colon - line.at) };
		*value = trimmed((struct rs_span){ colon + 1, line.len - name->len - 1 });
		return true;
	}
	return false;
}

/* A whole number times `unit_ns`, saturating; RS_NO_RETRY_AFTER unless it is digits throughout. */
static int64_t whole_number_ns(struct rs_span text, int64_t unit_ns)
{
	int64_t value = 0;

	if (text.len == 0)
		return RS_NO_RETRY_AFTER;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return RS_NO_RETRY_AFTER;
		value = rs_ns_add(rs_ns_mul(value, 10), text.at[i] - '0');
	}
	return rs_ns_mul(value, unit_ns);
}

static int64_t date_from_now_ns(struct rs_span value, int64_t wall_now_ns)
{
	int64_t date_s = rs_http_date_s(value, wall_now_ns / RS_NS_PER_S);

	if (date_s < 0)
		return RS_NO_RETRY_AFTER;
	return rs_ns_max(0, rs_ns_mul(date_s, RS_NS_PER_S) - wall_now_ns);
}

int64_t rs_retry_after_ns(struct rs_span value, int64_t wall_now_ns)
{
	int64_t seconds_ns = whole_number_ns(value, RS_NS_PER_S);

	return seconds_ns != RS_NO_RETRY_AFTER ? seconds_ns : date_from_now_ns(value, wall_now_ns);
}

/* x-amz-retry-after is a hint that may lengthen the wait by five seconds and never shorten it. */
static int64_t with_amz_ns(struct rs_span headers, int64_t wait_ns)
{
	struct rs_span value = rs_header_value(headers, "x-amz-retry-after");
	int64_t hint_ns = whole_number_ns(value, RS_NS_PER_MS);

	return rs_ns_max(wait_ns, rs_ns_min(hint_ns, rs_ns_add(wait_ns, AMZ_LEEWAY_NS)));
}

int64_t rs_wait_with_server_ns(const struct rs_policy *policy, struct rs_span headers,
			       int64_t wait_ns, int64_t wall_now_ns, int64_t *asked_ns)
{
	int64_t hinted_ns;

	*asked_ns = RS_NO_RETRY_AFTER;
	if (policy->retry_after == RS_RETRY_AFTER_IGNORE)
		return wait_ns;
	hinted_ns = with_amz_ns(headers, wait_ns);
	*asked_ns = rs_retry_after_ns(rs_header_value(headers, "Retry-After"), wall_now_ns);
	if (*asked_ns == RS_NO_RETRY_AFTER)
		return hinted_ns;
	if (policy->retry_after == RS_RETRY_AFTER_SERVER)
		return *asked_ns;
	return rs_ns_max(*asked_ns, hinted_ns);
}
