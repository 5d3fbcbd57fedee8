/*
 * The multi functions inside of a callback: what they answer to a program that calls them there.
 */
#include <stdio.h>

#include "harness.h"
#include "multi_case.h"

/* What the multi functions answer inside of a callback: all answers that there were. */
static struct {
	bool inside;
	unsigned add, remove, perform, action, poll, wait, timeout, setopt, cleanup, read;
	CURL *other;
} nested;

static void nest(void)
{
	int number = 0;
	long timeout;

	if (nested.inside)
		return;
	nested.inside = true;
	nested.add |= 1u << curl_multi_add_handle(case_loop.multi, nested.other);
	nested.perform |= 1u << curl_multi_perform(case_loop.multi, &number);
	nested.action |=
		1u << curl_multi_socket_action(case_loop.multi, CURL_SOCKET_TIMEOUT, 0, &number);
	nested.poll |= 1u << curl_multi_poll(case_loop.multi, NULL, 0, 0, &number);
	nested.wait |= 1u << curl_multi_wait(case_loop.multi, NULL, 0, 0, &number);
	nested.timeout |= 1u << curl_multi_timeout(case_loop.multi, &timeout);
	nested.setopt |= 1u << curl_multi_setopt(case_loop.multi, CURLMOPT_MAXCONNECTS, 10L);
	nested.cleanup |= 1u << curl_multi_cleanup(case_loop.multi);
	nested.read |= curl_multi_info_read(case_loop.multi, &number) ? 2u : 1u;
	nested.inside = false;
}

static int nest_in_progress(void *data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	nested.remove |= 1u << curl_multi_remove_handle(case_loop.multi, data);
	nest();
	return 0;
}

static int nest_in_timer(CURLM *multi, long timeout_ms, void *data)
{
	(void)multi;
	case_loop.timer_set = timeout_ms >= 0;
	case_loop.timer_ns = now_ns() + timeout_ms * MS;
	(void)data;
	nest();
	return 0;
}

void multi_recursive(void)
{
	struct transfer t = { 0 };

	nested.other = curl_easy_init();
	multi_set(&t, "/held");
	(void)curl_easy_setopt(t.easy, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(t.easy, CURLOPT_XFERINFOFUNCTION, nest_in_progress);
	(void)curl_easy_setopt(t.easy, CURLOPT_XFERINFODATA, t.easy);
	if (case_loop.style == BY_SOCKET)
		(void)curl_multi_setopt(case_loop.multi, CURLMOPT_TIMERFUNCTION, nest_in_timer);
	(void)curl_multi_add_handle(case_loop.multi, t.easy);
	multi_tell_message(multi_drive_to_message(), &t);
	printf("add %x remove %x perform %x action %x poll %x wait %x timeout %x setopt %x "
	       "cleanup %x read %x\n",
	       nested.add, nested.remove, nested.perform, nested.action, nested.poll, nested.wait,
	       nested.timeout, nested.setopt, nested.cleanup, nested.read);
	nested.inside = true;
	(void)curl_multi_remove_handle(case_loop.multi, t.easy);
	curl_easy_cleanup(t.easy);
	curl_easy_cleanup(nested.other);
}
