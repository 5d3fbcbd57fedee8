#include "transfer/progress.h"

#include "transfer/cut.h"
#include "transfer/exchange.h"
#include "transfer/program.h"
#include "transfer/stand_in.h"

/* The length that the program was told, and how much of it it has got. */
static void count_whole(const struct rs_exchange *x, struct rs_progress *told)
{
	int64_t length = x->resume.original.length;

	told->dltotal = length == RS_UNKNOWN_LENGTH ? 0 : length;
	told->dlnow = x->resume.got;
}

static void count_sent(struct rs_exchange *x, struct rs_progress *told)
{
	x->sends_again = told->ulnow < x->sent.ulnow;
	if (x->sends_again) {
		told->ultotal = x->sent.ultotal;
		told->ulnow = x->sent.ulnow;
	}
}

/* Of one that is refused it gets the headers, which say how long the body is. */
static bool is_the_programs(const struct rs_exchange *x)
{
	return x->phase == RS_STREAMING || x->phase == RS_REFUSING;
}

static struct rs_progress to_be_told(struct rs_exchange *x)
{
	bool hides = !x->resume.continuing && !is_the_programs(x);
	struct rs_progress *last = &x->progress, told;

	if (x->fault.cuts)
		last->dlnow = rs_cut_got(x, last->dltotal > 0, last->dlnow);
	told = *last;
	x->progress_hidden = hides && (told.dltotal || told.dlnow);
	if (x->resume.continuing)
		count_whole(x, &told);
	else if (hides)
		told.dltotal = told.dlnow = 0;
	else if (x->phase == RS_REFUSING)
		told.dlnow = 0;
	if (x->sends_again)
		count_sent(x, &told);
	return told;
}

/* libcurl lets CURLOPT_XFERINFOFUNCTION win over the older callback; where the program has taken
 * both back, it is libcurl that shows how far it is. */
static int call(const struct rs_options *o, const struct rs_progress *told)
{
	int depth = rs_program_enter(), answer = CURL_PROGRESSFUNC_CONTINUE;

	if (o->xferinfo_fn)
		answer = o->xferinfo_fn(o->progress_data, told->dltotal, told->dlnow, told->ultotal,
					told->ulnow);
	else if (o->progress_fn)
		answer =
			o->progress_fn(o->progress_data, (double)told->dltotal, (double)told->dlnow,
				       (double)told->ultotal, (double)told->ulnow);
	rs_program_leave(depth);
	return answer;
}

/* What is hidden from the program libcurl is not to show, either. */
int rs_progress_pass(struct rs_exchange *x)
{
	const struct rs_progress told = to_be_told(x);
	int answer = call(&x->handle->options, &told);

	return answer == CURL_PROGRESSFUNC_CONTINUE && x->progress_hidden ? 0 : answer;
}

static int on_progress(void *exchange, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
		       curl_off_t ulnow)
{
	struct rs_exchange *x = exchange;

	x->progress = (struct rs_progress){ dltotal, dlnow, ultotal, ulnow };
	return rs_progress_pass(x);
}

void rs_progress_take(struct rs_exchange *x)
{
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;

	if (!rs_exchange_asks(x))
		return;
	x->watches_progress = true;
	x->progress = (struct rs_progress){ .dlnow = 0 };
	if (rs_stand_in_for_progress(x->handle))
		return;
	x->brings_progress = x->replaced_more = true;
	set(x->handle->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	set(x->handle->easy, CURLOPT_XFERINFODATA, x);
}

void rs_progress_again(struct rs_exchange *x)
{
	x->progress.dltotal = x->progress.dlnow = 0; /* of the one that was dropped */
	x->progress_hidden = false;
	if (!x->watches_progress || x->progress.ulnow == 0)
		return;
	if (!x->sends_again || x->progress.ulnow > x->sent.ulnow)
		x->sent = x->progress;
	x->sends_again = true;
}

/* libcurl notes whether the last one that it was given was one. */
static void restore_functions(const struct rs_exchange *x, CURL *easy)
{
	CURLcode (*set)(CURL *, CURLoption, ...) = x->handle->api->easy_setopt;
	const struct rs_options *o = &x->handle->options;

	set(easy, CURLOPT_XFERINFOFUNCTION, o->xferinfo_fn);
	if (!o->xferinfo_fn)
		set(easy, CURLOPT_PROGRESSFUNCTION, o->progress_fn);
}

void rs_progress_restore(const struct rs_exchange *x, CURL *easy)
{
	struct rs_handle *handle = x->handle;

	if (!x->brings_progress && !(handle->progress_stands && !handle->options.xferinfo_fn))
		return;
	restore_functions(x, easy);
	if (x->brings_progress)
		handle->api->easy_setopt(easy, CURLOPT_XFERINFODATA, handle->options.progress_data);
	if (easy == handle->easy)
		handle->progress_stands = false;
}

bool rs_progress_tell(struct rs_exchange *x)
{
	int answer;

	if (!x->watches_progress)
		x->progress = (struct rs_progress){ .dlnow = 0 };
	answer = rs_progress_pass(x);
	return answer == 0 || answer == CURL_PROGRESSFUNC_CONTINUE;
}

bool rs_progress_catch_up(struct rs_exchange *x)
{
	return !x->progress_hidden || !is_the_programs(x) || rs_exchange_ask(x);
}
