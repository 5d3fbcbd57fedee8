/* The three date forms of RFC 9110 §5.6.7, without locale, time zone or leap seconds. */
#include <string.h>

#include "retry/retry_after.h"

#define SECONDS_PER_DAY 86400

struct date {
	int64_t year;
	int month; /* 1..12 */
	int day, hour, minute, second;
	bool two_digit_year;
};

/* Text still to be read. */
struct reader {
	const char *at, *end;
};

static bool read_text(struct reader *in, const char *text)
{
	size_t len = strlen(text);

	if (!in->at || (size_t)(in->end - in->at) < len || memcmp(in->at, text, len) != 0)
		return false;
	in->at += len;
	return true;
}

/* Exactly `digits` digits whose value lies in low..high. */
static bool read_number(struct reader *in, int digits, int low, int high, int *value)
{
	*value = 0;
	if (in->end - in->at < digits)
		return false;
	for (int i = 0; i < digits; i++, in->at++) {
		if (*in->at < '0' || *in->at > '9')
			return false;
		*value = *value * 10 + (*in->at - '0');
	}
	return *value >= low && *value <= high;
}

/* Names stand inline, not behind pointers: see rules/keys.h. */
#define NAME_SIZE 10

/* One of `names`; *index counts from 0. */
static bool read_name(struct reader *in, const char names[][NAME_SIZE], int count, int *index)
{
	for (*index = 0; *index < count; ++*index) {
		if (read_text(in, names[*index]))
			return true;
	}
	return false;
}

static bool read_short_weekday(struct reader *in)
{
	static const char names[][NAME_SIZE] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
	int index;

	return read_name(in, names, 7, &index);
}

static bool read_long_weekday(struct reader *in)
{
	static const char names[][NAME_SIZE] = { "Monday", "Tuesday",  "Wednesday", "Thursday",
						 "Friday", "Saturday", "Sunday" };
	int index;

	return read_name(in, names, 7, &index);
}

static bool read_month(struct reader *in, struct date *date)
{
	static const char names[][NAME_SIZE] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
						 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

	if (!read_name(in, names, 12, &date->month))
		return false;
	date->month++;
	return true;
}

static bool read_day(struct reader *in, struct date *date)
{
	return read_number(in, 2, 1, 31, &date->day);
}

static bool read_year(struct reader *in, int digits, struct date *date)
{
	int year;

	if (!read_number(in, digits, 0, 9999, &year))
		return false;
	date->year = year;
	date->two_digit_year = digits == 2;
	return true;
}

/* 60 is a leap second. */
static bool read_time(struct reader *in, struct date *date)
{
	return read_number(in, 2, 0, 23, &date->hour) && read_text(in, ":") &&
	       read_number(in, 2, 0, 59, &date->minute) && read_text(in, ":") &&
	       read_number(in, 2, 0, 60, &date->second);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool read_imf_fixdate(struct reader in, struct date *date)
{
	return read_short_weekday(&in) && read_text(&in, ", ") && read_day(&in, date) &&
	       read_text(&in, " ") && read_month(&in, date) && read_text(&in, " ") &&
	       read_year(&in, 4, date) && read_text(&in, " ") && read_time(&in, date) &&
	       read_text(&in, " GMT") && in.at == in.end;
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool read_rfc850(struct reader in, struct date *date)
{
	return read_long_weekday(&in) && read_text(&in, ", ") && read_day(&in, date) &&
	       read_text(&in, "-") && read_month(&in, date) && read_text(&in, "-") &&
	       read_year(&in, 2, date) && read_text(&in, " ") && read_time(&in, date) &&
	       read_text(&in, " GMT") && in.at == in.end;
}

/* Sun Nov  6 08:49:37 1994 */
static bool read_asctime(struct reader in, struct date *date)
{
	return read_short_weekday(&in) && read_text(&in, " ") && read_month(&in, date) &&
	       read_text(&in, " ") &&
	       (read_text(&in, " ") ? read_number(&in, 1, 1, 9, &date->day)
				    : read_day(&in, date)) &&
	       read_text(&in, " ") && read_time(&in, date) && read_text(&in, " ") &&
	       read_year(&in, 4, date) && in.at == in.end;
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool day_exists(const struct date *date)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int length = lengths[date->month - 1];

	if (date->month == 2 && is_leap(date->year))
		length++;
	return date->day <= length;
}

/* Seconds since 1970. Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
 * days_from_civil: years begin in March, so that the leap day comes last. */
static int64_t seconds_of(const struct date *date)
{
	int64_t year = date->month > 2 ? date->year : date->year - 1;
	int64_t day_of_year =
		(153 * (date->month + (date->month > 2 ? -3 : 9)) + 2) / 5 + date->day - 1;
	int64_t era = year / 400;
	int64_t year_of_era = year % 400;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	int64_t days = era * 146097 + day_of_era - 719468;

	return days * SECONDS_PER_DAY + INT64_C(3600) * date->hour + INT64_C(60) * date->minute +
	       date->second;
}

/* RFC 9110: a two-digit year that appears to lie more than 50 years ahead is the latest past year
 * with these digits. 9999 is where the search begins; it ends within a few dozen steps. */
static void resolve_century(struct date *date, int64_t now_s)
{
	struct date fifty_before = *date;

	fifty_before.year += 9900 - 50;
	while (fifty_before.year >= 100 && seconds_of(&fifty_before) > now_s)
		fifty_before.year -= 100;
	date->year = fifty_before.year + 50;
}

int64_t rs_http_date_s(struct rs_span text, int64_t now_s)
{
	struct reader in = { text.at, text.at ? text.at + text.len : NULL };
	struct date date = { 0 };
	int64_t date_s;

	if (!read_imf_fixdate(in, &date) && !read_rfc850(in, &date) && !read_asctime(in, &date))
		return -1;
	if (date.two_digit_year)
		resolve_century(&date, now_s);
	if (!day_exists(&date))
		return -1;
	date_s = seconds_of(&date);
	return date_s > 0 ? date_s : 0;
}
