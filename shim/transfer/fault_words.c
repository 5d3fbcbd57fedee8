#include "transfer/fault_words.h"

#include <stdio.h>
#include <string.h>

#include "transfer/exchange.h"

/* A host in words, as long as it is sensible. */
#define HOST_MOST 128

struct words {
	char text[CURL_ERROR_SIZE];
};

static const char *in_general(const struct rs_exchange *x)
{
	return x->handle->api->easy_strerror ? x->handle->api->easy_strerror(x->fault.error) : "";
}

static long long waited_ms(const struct rs_exchange *x)
{
	return (long long)(x->fault.waited_ns / RS_NS_PER_MS);
}

static int host_len(const struct rs_target *target)
{
	return (int)(target->host.len < HOST_MOST ? target->host.len : HOST_MOST);
}

/* libcurl counts from the beginning of the transfer, and the delay is what there was of it. */
static void say_no_connection(struct rs_exchange *x, struct words *words)
{
	const struct rs_target *target = rs_exchange_target(x);
	int len = host_len(target);

	if (len > 0)
		snprintf(words->text, sizeof(words->text),
			 "Failed to connect to %.*s port %u after %lld ms: %s", len,
			 target->host.at, target->port, waited_ms(x), in_general(x));
}

static void say_no_host(struct rs_exchange *x, struct words *words)
{
	const struct rs_target *target = rs_exchange_target(x);
	int len = host_len(target);

	if (len > 0)
		snprintf(words->text, sizeof(words->text), "Could not resolve host: %.*s", len,
			 target->host.at);
}

/* Nothing was sent: it was at connecting. */
static void say_timeout(const struct rs_exchange *x, struct words *words)
{
	snprintf(words->text, sizeof(words->text), "Connection timed out after %lld milliseconds",
		 waited_ms(x));
}

static void say_broken(const struct rs_exchange *x, const char *what, struct words *words)
{
	int error = x->fault.strike.fault->error.sys;

	if (error)
		snprintf(words->text, sizeof(words->text), "%s failure: %s", what, strerror(error));
}

static void put_into_words(struct rs_exchange *x, struct words *words)
{
	switch ((int)x->fault.error) {
	case CURLE_COULDNT_CONNECT:
		say_no_connection(x, words);
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
		say_no_host(x, words);
		break;
	case CURLE_OPERATION_TIMEDOUT:
		say_timeout(x, words);
		break;
	case CURLE_RECV_ERROR:
		say_broken(x, "Recv", words);
		break;
	case CURLE_SEND_ERROR:
		say_broken(x, "Send", words);
		break;
	case CURLE_GOT_NOTHING:
		snprintf(words->text, sizeof(words->text), "Empty reply from server");
		break;
	case CURLE_PARTIAL_FILE:
		snprintf(words->text, sizeof(words->text), RS_WORDS_FOR_BROKEN_OFF);
		break;
	default:
		break;
	}
}

void rs_fault_say(struct rs_exchange *x)
{
	struct words words;

	snprintf(words.text, sizeof(words.text), "%s", in_general(x));
	put_into_words(x, &words);
	rs_transfer_error(x, words.text);
}
