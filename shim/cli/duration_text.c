#include "cli/duration_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "retry/ns.h"

#define NS_PER_MINUTE (60 * RS_NS_PER_S)
#define NS_PER_HOUR   (60 * NS_PER_MINUTE)
#define NS_PER_DAY    (24 * NS_PER_HOUR)

/* `ns` in units, with as many of `decimals` decimals as are not zeros at the end. What is less
 * than the last decimal is dropped. */
static struct rs_duration_text number(int64_t ns, int64_t unit_ns, int decimals)
{
	struct rs_duration_text out;
	int used = snprintf(out.text, sizeof(out.text), "%" PRId64, ns / unit_ns);
	int needed = used;

	out.text[used++] = '.';
	for (int i = 0; i < decimals; i++) {
		ns %= unit_ns;
		unit_ns /= 10;
		out.text[used++] = (char)('0' + ns / unit_ns);
		if (ns >= unit_ns)
			needed = used;
	}
	out.text[needed] = '\0';
	return out;
}

static void append(struct rs_duration_text *out, int64_t ns, int64_t unit_ns, int decimals,
		   const char *unit)
{
	size_t used = strlen(out->text);
	struct rs_duration_text value = number(ns, unit_ns, decimals);

	snprintf(out->text + used, sizeof(out->text) - used, "%s%s %s", used > 0 ? " " : "",
		 value.text, unit);
}

struct rs_duration_text rs_duration_plain(int64_t ns)
{
	struct rs_duration_text out = { "" };

	if (ns == RS_FOREVER)
		return (struct rs_duration_text){ "forever" };
	if (ns > 0 && ns < RS_NS_PER_S)
		append(&out, ns, RS_NS_PER_MS, ns < RS_NS_PER_MS / 1000 ? 6 : 3, "ms");
	else
		append(&out, ns, RS_NS_PER_S, 3, "s");
	return out;
}

struct rs_duration_text rs_duration_human(int64_t ns)
{
	struct rs_duration_text out = { "" };

	if (ns < NS_PER_MINUTE || ns == RS_FOREVER)
		return rs_duration_plain(ns);
	if (ns >= NS_PER_DAY)
		append(&out, ns, NS_PER_DAY, 0, "d");
	if (ns % NS_PER_DAY >= NS_PER_HOUR)
		append(&out, ns % NS_PER_DAY, NS_PER_HOUR, 0, "h");
	if (ns % NS_PER_HOUR >= NS_PER_MINUTE)
		append(&out, ns % NS_PER_HOUR, NS_PER_MINUTE, 0, "m");
	if (ns % NS_PER_MINUTE >= RS_NS_PER_MS)
		append(&out, ns % NS_PER_MINUTE, RS_NS_PER_S, 3, "s");
	return out;
}

struct rs_duration_text rs_millionths(int64_t value)
{
	return number(value, 1000000, 6);
}

struct rs_duration_text rs_duration_ms(int64_t ns)
{
	return number(ns, RS_NS_PER_MS, 6);
}
