#include "rules/values.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "retry/ascii.h"
#include "retry/ns.h"
#include "rules/faults.h"
#include "rules/names.h"

#define DIGITS_MOST 18 /* what a uint64_t holds whatever they are */
#define RATE_MOST   1000000LL

bool rs_why_not(struct rs_why *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return false;
}

/* digits * 10^-decimals */
struct number {
	uint64_t digits;
	unsigned decimals;
	const char *rest;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "12", "1.5"; false where there is no such number, or one of too many digits. */
static bool scan_number(const char *text, struct number *number)
{
	int count = 0;
	bool fraction = false;

	*number = (struct number){ 0 };
	for (; is_digit(*text) || (*text == '.' && !fraction && count > 0); text++) {
		if (*text == '.') {
			fraction = true;
			continue;
		}
		number->digits = number->digits * 10 + (uint64_t)(*text - '0');
		number->decimals += fraction;
		if (number->digits > 0 && ++count > DIGITS_MOST)
			return false;
		count += count == 0;
	}
	number->rest = text;
	return count > 0 && text[-1] != '.';
}

/* number * unit, exact or saturated. */
static uint64_t scale(const struct number *number, uint64_t unit)
{
	unsigned __int128 product = (unsigned __int128)number->digits * unit;

	for (unsigned i = 0; i < number->decimals; i++)
		product /= 10;
	return product > INT64_MAX ? INT64_MAX : (uint64_t)product;
}

struct unit {
	char name[4];
	uint64_t factor;
};

static const struct unit *find_unit(const struct unit *units, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(units[i].name, name) == 0)
			return &units[i];
	}
	return NULL;
}

static bool is_zero(const struct number *number)
{
	return number->digits == 0 && !*number->rest;
}

bool rs_value_duration(const char *text, int64_t *ns, struct rs_why *why)
{
	static const struct unit units[] = {
		{ "us", RS_NS_PER_US },    { "ms", RS_NS_PER_MS },      { "s", RS_NS_PER_S },
		{ "m", 60 * RS_NS_PER_S }, { "h", 3600 * RS_NS_PER_S },
	};
	const struct unit *unit;
	struct number number;

	if (!scan_number(text, &number))
		return rs_why_not(why, "'%s' is no duration (write 250ms, 1.5s, 2m or 1h)",
				  rs_show(text).text);
	if (!*number.rest && number.digits > 0)
		return rs_why_not(why, "'%s' has no unit (write %sms or %ss)", text, text, text);
	unit = find_unit(units, sizeof(units) / sizeof(units[0]), number.rest);
	if (!unit && !is_zero(&number))
		return rs_why_not(why, "unknown unit '%s' in '%s' (write 250ms, 1.5s, 2m or 1h)",
				  rs_show(number.rest).text, rs_show(text).text);
	*ns = unit ? (int64_t)scale(&number, unit->factor) : 0;
	if (*ns == RS_FOREVER)
		return rs_why_not(why, "'%s' is longer than 292 years", rs_show(text).text);
	return true;
}

bool rs_value_size(const char *text, size_t *bytes, struct rs_why *why)
{
	static const struct unit units[] = {
		{ "B", 1 },
		{ "KiB", 1024 },
		{ "MiB", 1024 * 1024 },
		{ "GiB", 1024 * 1024 * 1024 },
	};
	const struct unit *unit;
	struct number number;

	if (!scan_number(text, &number) || number.decimals > 0)
		return rs_why_not(why, "'%s' is no size (write 512B, 64KiB or 1MiB)",
				  rs_show(text).text);
	if (!*number.rest && number.digits > 0)
		return rs_why_not(why, "'%s' has no unit (write %sB or %sKiB)", text, text, text);
	unit = find_unit(units, sizeof(units) / sizeof(units[0]), number.rest);
	if (!unit && !is_zero(&number))
		return rs_why_not(why, "unknown unit '%s' in '%s' (write 512B, 64KiB or 1MiB)",
				  rs_show(number.rest).text, rs_show(text).text);
	*bytes = unit ? scale(&number, unit->factor) : 0;
	if (*bytes >= INT64_MAX)
		return rs_why_not(why, "'%s' is too large", rs_show(text).text);
	return true;
}

bool rs_value_count(const char *text, int32_t *count, struct rs_why *why)
{
	struct number number;

	if (!scan_number(text, &number) || number.decimals > 0 || *number.rest)
		return rs_why_not(why, "'%s' is no whole number", rs_show(text).text);
	if (number.digits >= INT32_MAX)
		return rs_why_not(why, "'%s' is too large", rs_show(text).text);
	*count = (int32_t)number.digits;
	return true;
}

bool rs_value_rate(const char *text, int64_t *millionths, struct rs_why *why)
{
	struct number number;

	if (!scan_number(text, &number) || *number.rest || number.decimals > 6)
		return rs_why_not(why, "'%s' is no number of at most six decimals",
				  rs_show(text).text);
	*millionths = (int64_t)scale(&number, RS_RATE_ONE);
	if (*millionths < RS_RATE_ONE)
		return rs_why_not(why, "'%s' is less than 1: waits would shrink",
				  rs_show(text).text);
	if (*millionths > RATE_MOST * RS_RATE_ONE)
		return rs_why_not(why, "'%s' is more than %lld", rs_show(text).text, RATE_MOST);
	return true;
}

bool rs_value_probability(const char *text, int32_t *millionths, struct rs_why *why)
{
	struct number number;

	if (!scan_number(text, &number) || *number.rest || number.decimals > 6 ||
	    scale(&number, RS_RATE_ONE) > RS_RATE_ONE)
		return rs_why_not(why, "'%s' is no probability (write 0.3: 0 to 1, six decimals)",
				  rs_show(text).text);
	*millionths = (int32_t)scale(&number, RS_RATE_ONE);
	return true;
}

bool rs_value_delay(const char *text, int64_t *min_ns, int64_t *max_ns, struct rs_why *why)
{
	const char *dash = strchr(text, '-');
	char first[32];

	if (!dash) {
		if (!rs_value_duration(text, min_ns, why))
			return false;
		*max_ns = *min_ns;
		return true;
	}
	if ((size_t)(dash - text) >= sizeof(first))
		return rs_why_not(why, "'%s' is no duration", rs_show(text).text);
	memcpy(first, text, (size_t)(dash - text));
	first[dash - text] = '\0';
	if (!rs_value_duration(first, min_ns, why) || !rs_value_duration(dash + 1, max_ns, why))
		return false;
	if (*min_ns > *max_ns)
		return rs_why_not(why, "the range '%s' is empty", text);
	return true;
}

bool rs_value_seed(const char *text, uint64_t *seed, struct rs_why *why)
{
	bool negative = *text == '-';
	const char *digits = text + negative;
	uint64_t value = 0;

	if (!*digits)
		return rs_why_not(why, "'%s' is no integer", rs_show(text).text);
	for (const char *at = digits; *at; at++) {
		if (!is_digit(*at))
			return rs_why_not(why, "'%s' is no integer", rs_show(text).text);
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
			return rs_why_not(why, "'%s' is too large", rs_show(text).text);
	}
	*seed = negative ? 0 - value : value;
	return true;
}

bool rs_value_bool(const char *text, bool *yes, struct rs_why *why)
{
	*yes = strcmp(text, "yes") == 0;
	if (!*yes && strcmp(text, "no") != 0)
		return rs_why_not(why, "'%s' is neither yes nor no", rs_show(text).text);
	return true;
}

/* "a, b, c"; as much as fits. */
static void list_choices(const char *choices, char *buf, size_t size)
{
	size_t len = 0;

	for (; *choices && len < size; choices += strlen(choices) + 1)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? ", " : "", choices);
}

static const char *nearest_choice(const char *text, const char *choices)
{
	const char *names[8];
	size_t count = 0;

	for (; *choices && count < 8; choices += strlen(choices) + 1)
		names[count++] = choices;
	return rs_nearest(text, names, count);
}

bool rs_value_choice(const char *text, const char *choices, unsigned *choice, struct rs_why *why)
{
	char known[64] = "";
	const char *near;

	*choice = 0;
	for (const char *at = choices; *at; at += strlen(at) + 1, ++*choice) {
		if (strcmp(at, text) == 0)
			return true;
	}
	near = nearest_choice(text, choices);
	if (near)
		return rs_why_not(why, "unknown value '%s' (did you mean '%s'?)",
				  rs_show(text).text, near);
	list_choices(choices, known, sizeof(known));
	return rs_why_not(why, "unknown value '%s' (one of %s)", rs_show(text).text, known);
}

/* Without regard to case; what another key than this one may take is among them. */
static bool is_switch(const char *text)
{
	static const char words[][8] = { "no",   "none",  "off",    "yes",    "on",
					 "true", "false", "stdout", "stderr", "syslog" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (rs_ascii_same(words[i], text, strlen(words[i]) + 1))
			return true;
	}
	return false;
}

bool rs_value_place(const char *text, const char *choices, struct rs_why *why)
{
	char known[64] = "";
	unsigned choice;

	if (strchr(text, '/') || rs_value_choice(text, choices, &choice, why))
		return true;
	if (strstr(why->text, "did you mean"))
		return false;
	if (!is_switch(text))
		return true;
	list_choices(choices, known, sizeof(known));
	return rs_why_not(why,
			  "'%s' is no word that may stand here (%s); write './%s' for a file "
			  "of that name",
			  text, known, text);
}

static bool is_class(const char *text)
{
	return text[0] >= '1' && text[0] <= '9' && (text[1] == 'x' || text[1] == 'X') &&
	       text[2] == text[1] && !text[3];
}

static bool scan_code(const char *text, int *code)
{
	if (!is_digit(text[0]) || !is_digit(text[1]) || !is_digit(text[2]) || text[0] == '0')
		return false;
	*code = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
	return true;
}

bool rs_value_status(const char *text, struct rs_status_set *set, struct rs_why *why)
{
	int first, last = 0;

	if (is_class(text)) {
		first = (text[0] - '0') * 100;
		last = first + 99;
	} else {
		if (!scan_code(text, &first) || (text[3] && text[3] != '-') ||
		    (text[3] && (!scan_code(text + 4, &last) || text[7])))
			return rs_why_not(why, "'%s' is no status (write 429, 500-504 or 5xx)",
					  rs_show(text).text);
		if (!text[3])
			last = first;
	}
	if (last < first)
		return rs_why_not(why, "the range '%s' is empty", text);
	for (int status = first; status <= last; status++)
		set->bits[status / 64] |= UINT64_C(1) << (status % 64);
	return true;
}

bool rs_value_port(const char *text, uint16_t *port, struct rs_why *why)
{
	struct number number;

	if (!scan_number(text, &number) || number.decimals > 0 || *number.rest ||
	    number.digits == 0 || number.digits > UINT16_MAX)
		return rs_why_not(why, "'%s' is no port (1 to 65535)", rs_show(text).text);
	*port = (uint16_t)number.digits;
	return true;
}

static bool scan_prefix(const char *text, unsigned most, unsigned *bits)
{
	struct number number;

	if (!scan_number(text, &number) || number.decimals > 0 || *number.rest ||
	    number.digits > most)
		return false;
	*bits = (unsigned)number.digits;
	return true;
}

bool rs_value_unmap(uint8_t ip[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (memcmp(ip, mapped, sizeof(mapped)) != 0)
		return false;
	memmove(ip, ip + 12, 4);
	memset(ip + 4, 0, 12);
	return true;
}

bool rs_value_address(const char *text, struct rs_address_matcher *address, struct rs_why *why)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char ip[INET6_ADDRSTRLEN];
	unsigned most;

	*address = (struct rs_address_matcher){ .family = RS_ADDRESS_UNIX };
	if (strchr("/@*", text[0])) {
		address->path = rs_glob_make(text, false);
		return true;
	}
	if (len >= sizeof(ip))
		return rs_why_not(why, "'%s' is no address", rs_show(text).text);
	memcpy(ip, text, len);
	ip[len] = '\0';
	address->family = strchr(ip, ':') ? RS_ADDRESS_IPV6 : RS_ADDRESS_IPV4;
	most = address->family == RS_ADDRESS_IPV6 ? 128 : 32;
	address->prefix_bits = most;
	if (inet_pton(most == 128 ? AF_INET6 : AF_INET, ip, address->ip) != 1)
		return rs_why_not(why, "'%s' is no address (write 10.0.0.0/8, ::1 or /run/*.sock)",
				  rs_show(text).text);
	if (slash && !scan_prefix(slash + 1, most, &address->prefix_bits))
		return rs_why_not(why, "'%s' has no prefix length of 0 to %u after the slash",
				  rs_show(text).text, most);
	if (most == 128 && address->prefix_bits >= 96 && rs_value_unmap(address->ip)) {
		address->family = RS_ADDRESS_IPV4;
		address->prefix_bits -= 96;
	}
	return true;
}
