/*
 * One guarded curl call in progress: what is asked for, what the present attempt has brought, and
 * what became of it.
 *
 *   usual.h     how a call begins, and how nearly every one ends
 *   call.c      the call from its first attempt to its end
 *   perform.c   makes the attempts where the calling thread waits between them
 *   progress.c  what the program's progress callback is told
 *   replace.c   the options that are other ones meanwhile
 *   stand_in.c  the functions of ours that stay in libcurl from call to call
 *   response.c  takes what libcurl delivers: holds it, hands it on, or drops it
 *   lines.c     header lines as they are delivered: one by one, after a pause again, or as one
 *   recall.c    lines that were not delivered, where a rule wants to know them
 *   glimpse.c   what libcurl said of what is held, for when it is handed out
 *   release.c   hands out what was held, also when libcurl is done
 *   deliver.c   hands a piece to the program as libcurl would
 *   judge.c     asks retry/ what an outcome means, and what next
 *   refusal.c   notes where the program itself says no
 *   fault.c     what goes wrong on purpose
 *   cut.c       a real response that does: it breaks off
 *   fault_words.c  how libcurl would put it
 *   request.c   what the program asked for: the target, and whether it can be sent again
 *   command.c   runs the commands of rules between attempts, and reports
 *   amend.c     what a recover command has changed about the request
 *
 * An exchange lives in a room of the handle's own, or in the call of a multi handle (multi.h). Not
 * on the stack of the thread that called curl_easy_perform(): that thread may be cancelled inside,
 * and the handle be used again after.
 */
#ifndef RS_TRANSFER_EXCHANGE_H
#define RS_TRANSFER_EXCHANGE_H

#include <stdbool.h>

#include "ops/commands.h"
#include "ops/report.h"
#include "retry/decide.h"
#include "retry/match.h"
#include "retry/ns.h"
#include "transfer/amend.h"
#include "transfer/fault.h"
#include "transfer/handle.h"
#include "transfer/progress.h"
#include "transfer/refusal.h"
#include "transfer/resume.h"
#include "transfer/upload.h"

enum rs_phase {
	RS_HOLDING,    /* not known yet whether the program may see this response */
	RS_STREAMING,  /* it is the program's: handed on as it comes, after what was held */
	RS_DISCARDING, /* another attempt will follow: what still comes is dropped */
	RS_CONTINUING, /* the rest of a broken download: its headers are not handed on */
	RS_ENDING,     /* a continuation that is not the rest: nothing of it is used */
	RS_REFUSING,   /* CURLOPT_FAILONERROR: the program gets no body and an error */
};

/* How a response's headers come to be known. */
enum rs_header_way {
	RS_HEADERS_ASKED, /* libcurl is asked when they matter: the program does not want them */
	RS_HEADERS_SEEN,  /* they pass through our callback */
};

/* A callback of the program that takes what arrives. */
enum rs_sink {
	RS_NO_SINK,
	RS_SINK_BODY,
	RS_SINK_HEADER,
};

struct rs_exchange {
	struct rs_handle *handle;
	const struct rs_rules *rules;
	struct rs_call_state call;
	struct rs_resume resume;
	struct rs_history history;
	struct rs_fault_attempt fault;
	struct rs_upload upload;

	struct rs_target target; /* see rs_exchange_target() */
	char public_url[2048];   /* target.url, a copy */
	char plain_host[256];    /* target.host, where libcurl takes it for another one */

	struct rs_outcome outcome; /* of the present attempt; its spans point into what is held */
	struct rs_decision decision;
	int64_t decided_ns;
	int64_t attempt_ns;         /* when it began; as call.started_ns where it is the first */
	int64_t turn_ns;            /* of the first attempt, where that was put off */
	uint64_t mark;              /* when the call did */
	struct rs_exchange *around; /* where it is `alone`: rs_exchange_here before the attempt */

	/* Where it `repeats`. */
	enum rs_piece_kind line_kind; /* what the line is that will come again */
	size_t line_len;
	size_t lines_done; /* bytes that have been taken of what will come with it, before it */
	size_t echoed;     /* where it `echoes` */

	struct rs_match_room match_room;
	struct rs_progress progress; /* what libcurl has told last, where it is watched */
	struct rs_progress sent;     /* where it `sends_again`: what it had told of the upload */

	/* From here on: all zero when a call begins. */
	enum rs_phase phase;
	enum rs_header_way header_way; /* how the headers of the present attempt are learned */
	bool alone; /* nothing but this call runs in its thread's libcurl: rs_exchange_here */
	bool replaced_more; /* there are other options to restore than where the body goes */
	bool judged;        /* by the newest rules: there was a failure */
	bool has_target;
	bool streams_up;        /* the body comes through the read callback, and `upload` */
	bool watches_seek;      /* and seeks in it go through `upload` too */
	bool altered;           /* the program changed the request while it was running */
	bool native_fail;       /* CURLOPT_FAILONERROR is in force inside libcurl */
	bool waits;             /* libcurl is not running, but the call goes on */
	bool paused;            /* the program wants no more while it `waits` */
	bool in_headers;        /* inside a header block */
	bool has_block;         /* a header block has begun */
	bool provisional;       /* the block may not be the last: 1xx, a redirect, a CONNECT … */
	bool leaves_header : 1; /* CURLOPT_HEADER is libcurl's own to do: this is not HTTP */
	bool echoes : 1;        /* and ours: the body callback has had `echoed` bytes of a line */
	bool watches_progress : 1; /* the program's progress callback is called by ours */
	bool brings_progress : 1;  /* which is there for this call alone */
	bool progress_hidden : 1;  /* and was not told of a download that there is */
	bool sends_again : 1;      /* and has been told of more than this attempt has sent */
	bool repeats : 1;          /* the program has paused at a header line: see lines.c */
	bool delivered;            /* the program has seen some of this attempt: it is committed */
	bool timed;                /* call.started_ns and attempt_ns are set: rs_exchange_time() */
	struct {
		bool attempt, connect, fresh;
		int64_t attempt_ns;
	} limits;                     /* of ours that are in force */
	struct rs_recovery *recovery; /* the last one of this call, or NULL */
	struct rs_amended amended;

	/* The present attempt. */
	const struct rs_rule *rule; /* that decides; NULL: none does, or not yet */
	enum rs_sink stopped;       /* the program's callback that ended it, if one did */
	bool misnamed;              /* by libcurl, to which it was the other one */
	bool halted;          /* it wants no more, while libcurl runs, which keeps what comes */
	uint16_t refused;     /* one has refused what leads to this CURLcode, or 0 */
	int status;           /* of the newest block */
	uint8_t watched;      /* those that may, and are asked by ours for now: refusal.h */
	bool talks;           /* the server has said something that is not HTTP */
	size_t headers_at;    /* among the held bytes: its first line after the status line */
	size_t body_at;       /* where its body begins */
	size_t body_len;      /* held bytes of it */
	size_t header_pieces; /* held pieces up to the end of its headers */
	size_t drained;       /* bytes dropped */
};

/*
 * The call of which curl_easy_perform() runs in this thread, innermost. Its user pointers need not
 * be replaced: our callbacks find it here. Where a callback has left one by longjmp() it stays
 * until its handle is freed.
 */
extern _Thread_local struct rs_exchange *rs_exchange_here
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

/* request.c ----------------------------------------------------------------------------------- */

/* What the call is about; put together at the first use. Valid as long as the exchange. */
const struct rs_target *rs_exchange_target(struct rs_exchange *x);

/* The URL that the next attempt asks for, whole, to be freed. NULL: no memory. */
char *rs_exchange_copy_url(const struct rs_exchange *x);

/* Is this a call that can be guarded at all? */
static inline bool rs_exchange_possible(const struct rs_handle *handle)
{
	const struct rs_options *o = &handle->options;

	return !o->connect_only && !(o->url.lost && o->url_known) && !o->custom_request.lost;
}

/* Can the request be sent again byte for byte? A streamed body that has outgrown its spool only
 * shows that once the attempt has `ended`, and is put back to its beginning by the question. */
bool rs_exchange_replayable(struct rs_exchange *x, const struct rs_outcome *outcome, bool ended);

bool rs_exchange_is_http(struct rs_exchange *x);

/* Is what the server says before the first byte to wait, so that the attempt can still be dropped?
 * Where it is no HTTP, and fetches a file or stores one. */
bool rs_exchange_holds_talk(struct rs_exchange *x);

/* The same before the first attempt; also where a proxy may speak it in the place of a server that
 * does not, and for what begins as HTTP. */
bool rs_exchange_may_speak_http(struct rs_exchange *x);

/* May a CONNECT to a proxy come before the response? Rather yes than no. */
static inline bool rs_exchange_may_tunnel(const struct rs_exchange *x)
{
	const struct rs_options *o = &x->handle->options;

	return o->proxy_tunnel || o->url_kind != RS_URL_HTTP || o->curlu || x->amended.url;
}

/* response.c ---------------------------------------------------------------------------------- */

/* Another attempt than the first begins. */
void rs_response_begin(struct rs_exchange *x);

/* What libcurl calls, with the exchange as the user pointer; and where it is `alone`, with the
 * program's. */
size_t rs_response_body(char *bytes, size_t one, size_t len, void *exchange);
size_t rs_response_body_here(char *bytes, size_t one, size_t len, void *data);

/* The attempt is over: learn the headers of a response that had no body, where they were not seen.
 * */
void rs_response_recall(struct rs_exchange *x);

/* A header line; or several, where a pause has made them one piece. Like rs_deliver(). */
size_t rs_response_lines(struct rs_exchange *x, char *bytes, size_t len);

/* One of x->line_kind that was judged when it came first, and at which the program has paused. */
size_t rs_response_repeat(struct rs_exchange *x, char *bytes, size_t len);

/* lines.c ------------------------------------------------------------------------------------- */

/* As rs_response_body() and the other. */
size_t rs_response_header(char *bytes, size_t one, size_t len, void *exchange);
size_t rs_response_header_here(char *bytes, size_t one, size_t len, void *data);

/* recall.c ------------------------------------------------------------------------------------ */

/* Those of the newest response, which has x->status, from what libcurl has kept. */
void rs_response_recall_lines(struct rs_exchange *x);

/* release.c ----------------------------------------------------------------------------------- */

/* Hand out what is held. Like rs_deliver(): `len` when all of it went. The program may take a piece
 * and have none follow it. */
size_t rs_response_release(struct rs_exchange *x, size_t len);

/* The attempt is over and the rest of what is held is the program's. *result: CURLE_OK, or what its
 * callbacks made of it, or that its time was up before they wanted it. False: one of them has
 * paused; ask again once it goes on, or at rs_exchange_ends_ns(). */
bool rs_response_finish(struct rs_exchange *x, CURLcode *result);

/* The limit on the present attempt as a whole, the program's or else ours. */
static inline int64_t rs_exchange_limit_ns(const struct rs_exchange *x)
{
	long own_ms = x->handle->options.timeout_ms;

	if (own_ms > 0)
		return rs_ns_mul(own_ms, RS_NS_PER_MS);
	return x->limits.attempt ? x->limits.attempt_ns : RS_FOREVER;
}

/* When it is up: after rs_exchange_time(). */
static inline int64_t rs_exchange_ends_ns(const struct rs_exchange *x)
{
	return rs_ns_add(x->attempt_ns, rs_exchange_limit_ns(x));
}

/* deliver.c ----------------------------------------------------------------------------------- */

/* Hand one piece to the program. Returns what libcurl is to be told: len, a pause, or anything
 * else for an error (x->stopped is set then). */
size_t rs_deliver(struct rs_exchange *x, enum rs_piece_kind kind, char *bytes, size_t len);

/* What libcurl 7.88 says when that callback has ended a transfer. */
const char *rs_words_for(enum rs_sink sink);

/* judge.c ------------------------------------------------------------------------------------- */

/* The first failure of a call: rules that have changed since it began are taken up. It keeps to the
 * rules that it was first judged by. */
void rs_judge_by_newest(struct rs_exchange *x, bool failed);

/* Judge a response as far as it is known and enter the phase that follows from it. */
void rs_judge_response(struct rs_exchange *x, enum rs_known known);

/* No attempt will follow: the response is the program's. One of a continuation is not. */
void rs_hand_over(struct rs_exchange *x);

/* Judge an attempt that has ended with `result`. */
void rs_judge_end(struct rs_exchange *x, CURLcode result);

/* The attempt that has been judged will be followed by another one. */
void rs_prepare_retry(struct rs_exchange *x);

/* command.c ----------------------------------------------------------------------------------- */

/* Run the recover command that was decided on. What it changes is in force afterwards. */
enum rs_recovered {
	RS_RECOVERED_YES,
	RS_RECOVERED_NO,        /* the outcome is the program's, and reported */
	RS_RECOVERED_CANCELLED, /* by the program's progress callback */
};
enum rs_recovered rs_exchange_recover(struct rs_exchange *x);

/* The last attempt is over, and the program has what there was of it: report it, if a rule says so;
 * for class = followup after running its command. */
void rs_exchange_report(struct rs_exchange *x);

/* wait.c -------------------------------------------------------------------------------------- */

/* Ask the program's progress callback whether to go on. false: it wants to abort. */
bool rs_exchange_ask(struct rs_exchange *x);

/* The same, where the answer changes nothing about how the call ends. */
bool rs_exchange_go_on(struct rs_exchange *x);

/* Is there one to be asked? */
bool rs_exchange_asks(const struct rs_exchange *x);

/* Wait until `until_ns` (monotonic), and as long as the program has paused, asking the program's
 * progress callback at least every 100 ms. false: the program asked to abort. */
bool rs_exchange_wait(struct rs_exchange *x, int64_t until_ns);

/* The same while the program has paused the rest of what was held. */
bool rs_exchange_wait_for_program(struct rs_exchange *x);

/* pace.c -------------------------------------------------------------------------------------- */

/* Before the first attempt: has it to wait for its turn, which is x->turn_ns (monotonic)? */
bool rs_exchange_put_off(struct rs_exchange *x);

/* The same where the caller can wait, and does. false: the program asked to abort. */
bool rs_exchange_pace(struct rs_exchange *x);

/* An attempt that was put off will not be made. */
void rs_exchange_give_turn_back(struct rs_exchange *x);

/* An attempt has ended that no rule decided. */
void rs_exchange_went_well(struct rs_exchange *x);

/* How an attempt that `rule` decided ended sets the pace: how long the next one has to wait. */
int64_t rs_exchange_pace_after(struct rs_exchange *x, const struct rs_rule *rule);

/* replace.c ----------------------------------------------------------------------------------- */

/* A program that has no use for headers, with a libcurl that can be asked for them: the common
 * case, in which not a line of them has to be touched. */
static inline bool rs_transfer_can_ask(const struct rs_handle *handle)
{
	const struct rs_options *o = &handle->options;

	return !o->header_fn && !o->header_data && !(o->include_header | o->fail_on_error) &&
	       handle->api->tells_headers && o->url_kind != RS_URL_OTHER && !o->curlu &&
	       !(o->url_kind == RS_URL_H && o->rare.default_scheme[0]);
}

/* curl_easy_setopt() during a call: is the option one that an attempt has replaced? Then libcurl
 * must not be told now; the program's value takes effect all the same. */
bool rs_transfer_owns(const struct rs_exchange *x, CURLoption option);

/* The program has changed an option: can libcurl still deliver headers by itself? */
void rs_transfer_mind_headers(struct rs_exchange *x);

/* Before a repeated attempt, whose body libcurl may have to begin anew: the spool can be put back,
 * whatever the program's stream can. */
void rs_transfer_repeat_upload(struct rs_exchange *x);

/* Put the options that an attempt replaces back to the program's on `easy`. */
void rs_transfer_restore(const struct rs_exchange *x, CURL *easy);

/* Let the response's body come to response.c; or to another function of ours, in one of its two
 * forms. */
void rs_transfer_take_body(struct rs_exchange *x);
void rs_transfer_divert_body(struct rs_exchange *x, curl_write_callback with_exchange,
			     curl_write_callback here);

/* Before an attempt: which way its headers take. */
void rs_transfer_choose_headers(struct rs_exchange *x);

/* The same before the first one, which has two ways that need nothing to be done. */
static inline void rs_transfer_choose_first_headers(struct rs_exchange *x)
{
	const struct rs_handle *handle = x->handle;

	if (handle->header_stands && handle->options.header_fn)
		x->header_way = RS_HEADERS_SEEN;
	else if (!rs_transfer_can_ask(handle))
		rs_transfer_choose_headers(x);
}

/* Replace the others (again, after curl_easy_reset() has undone it). */
void rs_transfer_replace_more(struct rs_exchange *x);

static inline void rs_transfer_replace(struct rs_exchange *x)
{
	const struct rs_options *o = &x->handle->options;

	if (__builtin_expect(!x->handle->body_stands, 0))
		rs_transfer_take_body(x);
	if ((o->include_header | o->fail_on_error) || x->streams_up || o->has_rare)
		rs_transfer_replace_more(x);
	if (__builtin_expect(!o->no_progress, 0))
		rs_progress_take(x);
}

/* Limit the next attempt as `policy` says where the program has not; and the end of that. */
void rs_transfer_limit(struct rs_exchange *x, const struct rs_policy *policy);

/* call.c -------------------------------------------------------------------------------------- */

/* For rs_exchange_open() (usual.h): the body of the request comes through the read callback; there
 * are no rules, and what is known of the handle is kept up to date all the same. */
void rs_exchange_open_upload(struct rs_exchange *x);
void rs_exchange_not_open(struct rs_handle *handle);

/* Before the call's times are needed: a call that succeeds reads no clock. */
void rs_exchange_time(struct rs_exchange *x);

/* Around every attempt. Where it is delayed on purpose (x->fault.delayed) it begins at
 * rs_fault_due_ns(). At its end *result becomes what it was made to be; true: wait until
 * rs_exchange_due_ns(), then make another. A recover command is run in between; *result is another
 * one when the program cancels that. */
void rs_exchange_begin_attempt(struct rs_exchange *x);
bool rs_exchange_end_attempt(struct rs_exchange *x, CURLcode *result);
int64_t rs_exchange_due_ns(const struct rs_exchange *x);

/* The first attempt, of which no rule says how it is to be made: not rules->minds_first. */
static inline void rs_exchange_begin_plainly(struct rs_exchange *x)
{
	rs_transfer_choose_first_headers(x);
	x->call.attempts = 1;
}

/* The first attempt of a call that nobody waits for. False: it begins later. */
bool rs_exchange_starts_with_care(struct rs_exchange *x);
static inline bool rs_exchange_starts(struct rs_exchange *x)
{
	if (__builtin_expect(x->rules->minds_first, 0))
		return rs_exchange_starts_with_care(x);
	rs_exchange_begin_plainly(x);
	return true;
}

/* The program has ended the wait before another attempt, or any wait. Returns how the call ends. */
CURLcode rs_exchange_cancel(struct rs_exchange *x);
CURLcode rs_exchange_stop(struct rs_exchange *x);

/* After the last attempt: hand out what is held; *result becomes how the call ends. False: the
 * program has paused; ask again once it goes on. */
bool rs_exchange_conclude(struct rs_exchange *x, CURLcode *result);

/* The program has taken the handle away in the middle of the call, or the thread is gone that was
 * to end it. */
void rs_exchange_abandon(struct rs_exchange *x);

/* Its handle is gone: what it has of its own is freed, and libcurl not asked. */
void rs_exchange_release(struct rs_exchange *x);

/* The call is over: the handle is again as the program left it. */
void rs_exchange_close(struct rs_exchange *x, CURLcode result);

/* perform.c ----------------------------------------------------------------------------------- */

/* curl_easy_perform() for a handle of ours. Its thread may be cancelled inside: the call then stays
 * in progress until the handle is freed, as it does in libcurl. */
CURLcode rs_transfer_perform(struct rs_handle *handle);

/* Write a message where libcurl would have written its own. */
void rs_transfer_error(const struct rs_exchange *x, const char *text);

#endif
