/*
 * Continuing a broken download where it stopped.
 *
 * The first response is the one that the program sees: its status, headers, length. When it breaks
 * after bytes were handed over, an attempt with Range and If-Range fetches the rest, and only its
 * body is handed on. Anything but exactly the rest ends the call with the original error.
 */
#ifndef RS_TRANSFER_RESUME_H
#define RS_TRANSFER_RESUME_H

#include <curl/curl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "transfer/entity.h"

struct rs_exchange;
struct rs_handle;

struct rs_resume {
	bool continuing; /* the present attempt is a continuation */
	int64_t got;     /* body bytes handed over, from all attempts */

	struct rs_entity original;  /* what the first response said of itself */
	struct rs_entity part;      /* and what a continuation says */
	int status;                 /* of the first response */
	struct rs_byte_range whole; /* what it carries; last and total may be unknown */

	const struct rs_rule *rule; /* that let it be continued */
	struct rs_outcome broke;    /* how it broke, and libcurl's words for it */
	char error_text[CURL_ERROR_SIZE];

	char validator[128 + sizeof("If-Range: ")]; /* a whole header line */
	struct curl_slist header;                   /* that, in front of the program's own */
};

#define RS_WHOLE_NUMBERS 8

#define RS_LAST_REQUEST (-1)
#define RS_NO_REQUEST   INT_MAX

/* What curl_easy_getinfo() tells of a download that is continued; or of a response that libcurl has
 * left behind: glimpse.h. */
struct rs_whole_info {
	bool valid;
	bool is_glimpse; /* the latter */
	bool trailed;    /* the rest had trailers, which libcurl tells */
	bool has_type;   /* `type` is Content-Type, or empty for none; else it was too long */
	long numbers[RS_WHOLE_NUMBERS]; /* see resume.c */
	curl_off_t filetime;
	curl_off_t size;   /* what the program has got so far */
	curl_off_t length; /* -1: not known */
	char type[128];
	const char *url; /* CURLINFO_EFFECTIVE_URL, until another is set; NULL: libcurl's own */
	int request;     /* its number among those that brought it, or RS_LAST_REQUEST, or
			  * RS_NO_REQUEST */
};

/* Are the lines of the present header block of interest? */
bool rs_resume_notes_lines(const struct rs_exchange *x);

/* A header block begins; one of its lines, or several. */
void rs_resume_block(struct rs_exchange *x);
void rs_resume_lines(struct rs_exchange *x, const char *lines, size_t len);

/* The attempt broke with `result` after bytes were handed over: can it be continued? */
bool rs_resume_possible(struct rs_exchange *x, CURLcode result);

/* The first break: remember what the program has seen and how it broke. Then, before every
 * continuation, the options that ask for the rest. */
void rs_resume_remember(struct rs_exchange *x);
void rs_resume_ask(struct rs_exchange *x);

/* Note what libcurl tells of the present attempt, for rs_resume_info(). */
void rs_resume_note_info(const struct rs_exchange *x, struct rs_whole_info *whole);

/* A continuation's headers are complete: is what follows exactly the rest? */
bool rs_resume_fits(struct rs_exchange *x);

/* Is everything here that the first response announced? */
bool rs_resume_complete(const struct rs_exchange *x);

/* Put the options that ask for the rest back to the program's on `easy`. */
void rs_resume_restore(const struct rs_exchange *x, CURL *easy);

/* It could not be completed: the original error, with its text. */
CURLcode rs_resume_error(struct rs_exchange *x);

/* curl_easy_getinfo(): is this one of the numbers that only we know? Then it is stored. */
bool rs_resume_info(const struct rs_handle *handle, CURLINFO info, void *value);

#endif
