/*
 * How transfers ended, as the program has not read it yet.
 */
#include <stdlib.h>

#include "transfer/multi.h"

/* Room has to be there before libcurl is asked: what it has told it does not tell again. Where
 * memory is short there is room for one, and for the next one when the program has read it. */
bool rs_multi_make_spare(struct rs_multi *m)
{
	if (m->own_used) {
		m->spare = malloc(sizeof(*m->spare));
	} else {
		m->own_used = true;
		m->spare = &m->own;
	}
	return m->spare != NULL;
}

static void free_room(struct rs_multi *m, struct rs_multi_message *room)
{
	if (room == &m->own)
		m->own_used = false;
	else
		free(room);
}

static void post(struct rs_multi *m, struct rs_multi_message *message)
{
	m->news |= !m->first;
	message->next = NULL;
	*m->end = message;
	m->end = &message->next;
}

void rs_multi_post_foreign(struct rs_multi *m, CURLMsg *msg)
{
	struct rs_handle *handle = rs_handle_find(msg->easy_handle);
	struct rs_multi_message *message = m->spare;

	if (!message) /* rs_multi_has_spare() comes before */
		return;
	m->spare = NULL;
	*message =
		(struct rs_multi_message){ .msg = msg, .easy = msg->easy_handle, .foreign = true };
	post(m, message);
	if (handle)
		handle->unread_in = m;
}

void rs_multi_post_done(struct rs_multi_call *call)
{
	call->msg = (CURLMsg){ .msg = CURLMSG_DONE,
			       .easy_handle = call->x.handle->easy,
			       .data = { .result = call->result } };
	call->message.msg = &call->msg;
	call->message.easy = call->msg.easy_handle;
	post(call->multi, &call->message);
}

static void forget_foreign(struct rs_multi *m, struct rs_multi_message *message)
{
	struct rs_handle *handle = rs_handle_find(message->easy);

	if (handle && handle->unread_in == m)
		handle->unread_in = NULL;
	free_room(m, message);
}

/* Take out the message at this place of the list. */
static CURLMsg *unlink_message(struct rs_multi *m, struct rs_multi_message **at)
{
	struct rs_multi_message *message = *at;
	CURLMsg *msg = message->msg;

	*at = message->next;
	if (!*at)
		m->end = at;
	if (message->foreign)
		forget_foreign(m, message);
	return msg;
}

CURLMsg *rs_multi_take_message(struct rs_multi *m)
{
	return m->first ? unlink_message(m, &m->first) : NULL;
}

void rs_multi_find_and_withdraw(struct rs_multi *m, const CURL *easy)
{
	struct rs_multi_message **at = &m->first;

	while (*at) {
		if ((*at)->easy == easy)
			unlink_message(m, at);
		else
			at = &(*at)->next;
	}
}

void rs_multi_free_messages(struct rs_multi *m)
{
	while (m->first)
		unlink_message(m, &m->first);
	if (m->spare)
		free_room(m, m->spare);
}
