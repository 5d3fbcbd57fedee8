#include "random_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_plan.h"

struct wanted {
	unsigned long long id;
	size_t len, up_len;
	char flags[8];
};

static bool parse(const struct request *request, struct wanted *wanted)
{
	char *at;

	if (strncmp(request->target, "/t/", 3) != 0)
		return false;
	wanted->id = strtoull(request->target + 3, &at, 10);
	if (*at == '/')
		wanted->len = strtoul(at + 1, &at, 10);
	if (*at == '/')
		wanted->up_len = strtoul(at + 1, &at, 10);
	if (*at != '/')
		return false;
	(void)snprintf(wanted->flags, sizeof(wanted->flags), "%s", at + 1);
	return true;
}

static bool has_flag(const struct wanted *wanted, char flag)
{
	return strchr(wanted->flags, flag) != NULL;
}

/* An answer that is broken off somewhere. One that lasts until the end of the connection is only
 * known to be broken where it is reset; and libcurl takes headers that end before it has seen a
 * length for such an answer. */
static void break_off(struct reply *reply, const struct wanted *wanted, uint64_t *state)
{
	static const enum reply_part parts[] = { REPLY_START, REPLY_HEADER, REPLY_BODY,
						 REPLY_BODY };

	reply->ending = plan_random(state) % 2 ? REPLY_CUT : REPLY_RESET;
	reply->part = parts[plan_random(state) % 4];
	reply->after = plan_random(state) % (reply->part == REPLY_HEADER ? 100 : 1 + wanted->len);
	if (reply->framing == REPLY_CLOSE || reply->part == REPLY_HEADER)
		reply->ending = REPLY_RESET;
}

static void say_no(struct reply *reply, int status, const struct wanted *wanted, char *room)
{
	(void)snprintf(room, DECIDE_ROOM, "busy %llu", wanted->id);
	*reply = (struct reply){ .status = status, .body = room };
}

/* An answer that says no, with or without waiting for the request's body. */
static void refuse(struct reply *reply, const struct wanted *wanted, uint64_t *state, char *room)
{
	static const int statuses[] = { 429, 500, 503, 503 };

	say_no(reply, statuses[plan_random(state) % 4], wanted, room);
	reply->framing = (enum reply_framing)(plan_random(state) % 3);
	reply->early = plan_random(state) % 2 == 0;
}

/* Late, in pieces, or never to its end. */
static void slow_down(struct reply *reply, const struct wanted *wanted, uint64_t *state)
{
	reply->delay_ms = (int)(plan_random(state) % 30);
	reply->piece = 1 + wanted->len / (1 + plan_random(state) % 10);
	reply->pace_ms = (int)(plan_random(state) % 5);
	if (plan_random(state) % 20 > 0)
		return;
	reply->ending = REPLY_SILENT;
	reply->part = REPLY_BODY;
	reply->after = plan_random(state) % (1 + wanted->len);
}

static void count_continued(struct chaos *chaos, const struct request *request,
			    const struct reply *reply)
{
	char etag[32];

	if (reply->status == 206 && request_header(request, "If-Range", etag, sizeof(etag)) > 0)
		atomic_fetch_add(&chaos->continued, 1);
}

void chaos_decide(const struct request *request, struct reply *reply, char *room, void *arg)
{
	struct chaos *chaos = arg;
	uint64_t state = plan_state(chaos->seed, atomic_fetch_add(&chaos->requests, 1));
	struct wanted wanted = { 0 };
	char token[16];

	if (!parse(request, &wanted)) {
		reply->status = 404;
		return;
	}
	server_object(request, chaos->noise + plan_offset(wanted.id), wanted.len,
		      has_flag(&wanted, 'e') ? "\"tag\"" : NULL, reply, room);
	count_continued(chaos, request, reply);
	reply->gzip = has_flag(&wanted, 'z') && wanted.len > 0;
	if (has_flag(&wanted, 'c'))
		reply->framing = REPLY_CHUNKED;
	if (has_flag(&wanted, 'x'))
		reply->framing = REPLY_CLOSE;
	reply->piece = 1 + plan_random(&state) % 20000;
	if (has_flag(&wanted, 'r') && request_header(request, "X-Token", token, sizeof(token)) == 0)
		say_no(reply, 418, &wanted, room);
	else if (plan_random(&state) % 1000 < chaos->slow_permille)
		slow_down(reply, &wanted, &state);
	if (plan_random(&state) % 100 >= chaos->fault_percent)
		return;
	atomic_fetch_add(&chaos->faults, 1);
	if (plan_random(&state) % 2)
		refuse(reply, &wanted, &state, room);
	else
		break_off(reply, &wanted, &state);
}

int chaos_check(const struct chaos *chaos, const struct request *request)
{
	struct wanted wanted = { 0 };

	if (!request->body_whole || !parse(request, &wanted))
		return 0;
	if (strcmp(request->method, "POST") != 0 && strcmp(request->method, "PUT") != 0)
		return 0;
	if (request->body_len == wanted.up_len &&
	    memcmp(request->body, chaos->noise + plan_offset(wanted.id), wanted.up_len) == 0)
		return 1;
	return -1;
}
