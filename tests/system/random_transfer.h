/*
 * Random transfers (random_plan.h) as a program makes them: every byte that arrives is compared
 * with what it must be.
 */
#ifndef TESTS_RANDOM_TRANSFER_H
#define TESTS_RANDOM_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where they come from; the same for all of a program. */
struct random_source {
	const char *url; /* of the server (random_server.h) */
	uint64_t seed;
	const char *noise;
	long timeout_ms; /* 0: none */
	bool recovers;   /* some need what a recover command gives */
};

enum random_kind { GET, RANGE, HEAD, POST, PUT, DELETE, KINDS };

struct random_transfer {
	const struct random_source *source;
	CURL *easy;
	uint64_t id;
	enum random_kind kind;
	size_t len, first, end; /* of the object, and what of it is asked for */
	size_t up_len, up_sent;
	size_t got;
	bool is_wrong, refused;
	char refusal[64];
	char error[CURL_ERROR_SIZE];
};

/* Make transfer number `number` of the source out of `easy`, which is reset for it and lets go of
 * `t` in random_transfer_judge(). */
void random_transfer_prepare(struct random_transfer *t, const struct random_source *source,
			     CURL *easy, uint64_t number);

enum random_end { RANDOM_GOOD, RANDOM_FAILED, RANDOM_WRONG };

/* What it came to; what is wrong is also told on stderr. */
enum random_end random_transfer_judge(struct random_transfer *t, CURLcode result);

#endif
