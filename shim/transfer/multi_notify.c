/*
 * What libcurl's notifications come to where it does not know how a transfer ends for the program.
 * They come when it is driven, from inside, but all that has ended can be read by then.
 */
#include "transfer/multi.h"
#include "transfer/program.h"

enum {
	INFO_READ, /* there is a message where there was none */
	EASY_DONE,
};

static void tell(struct rs_multi *m, unsigned what, CURL *easy)
{
	bool before = m->notifies;
	int depth = rs_program_enter();

	m->notifies = true;
	m->notify_fn(m->handle, what, easy, m->notify_data);
	m->notifies = before;
	rs_program_leave(depth);
}

static struct rs_multi_call *next_untold(const struct rs_multi *m)
{
	struct rs_multi_call *call = m->calls;

	while (call && !(call->untold && call->state == RS_MULTI_DONE))
		call = call->next;
	return call;
}

/* The callback may take out any of them. */
static void tell_done(struct rs_multi *m)
{
	struct rs_multi_call *call;

	while (m->notify_fn && (call = next_untold(m))) {
		call->untold = false;
		tell(m, EASY_DONE, call->x.handle->easy);
	}
}

void rs_multi_notify(struct rs_multi *m)
{
	tell_done(m);
	if (!m->notify_fn || !m->messenger || !m->news)
		return;
	m->news = false;
	if (m->first)
		tell(m, INFO_READ, m->messenger);
}

/* libcurl's callback. That it speaks of messages shows that the program has asked for it. */
static void on_notify(CURLM *handle, unsigned what, CURL *easy, void *multi)
{
	struct rs_multi *m = multi;
	struct rs_multi_call *call = what == EASY_DONE ? rs_multi_call_of(m, easy) : NULL;

	(void)handle;
	if (call)
		call->untold = true;
	rs_multi_take_messages(m);
	if (what == INFO_READ)
		m->messenger = easy;
	else if (!call)
		tell(m, what, easy);
	rs_multi_notify(m);
}

CURLMcode rs_multi_set_notify(struct rs_multi *m, CURLMoption option, void *value)
{
	rs_notify_fn *fn = m->notify_fn;
	CURLMcode result;

	if (option == RS_CURLMOPT_NOTIFYFUNCTION)
		fn = (rs_notify_fn *)(uintptr_t)value;
	result = m->api->multi_setopt(m->handle, RS_CURLMOPT_NOTIFYDATA, m);
	if (result == CURLM_OK)
		result = m->api->multi_setopt(m->handle, RS_CURLMOPT_NOTIFYFUNCTION,
					      fn ? on_notify : NULL);
	if (result != CURLM_OK)
		return result;
	m->notify_fn = fn;
	if (option == RS_CURLMOPT_NOTIFYDATA)
		m->notify_data = value;
	return CURLM_OK;
}
