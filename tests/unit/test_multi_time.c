/*
 * The program's timer callback, with a libcurl that is stricter about it than older ones.
 */
#include "unit.h"

#include "transfer/multi.h"
#include "transfer/program.h"

#define T0 S(1000)

/* What is around: a clock, and one call that waits until `due_ns`. */
static int64_t clock_ns, due_ns;
_Thread_local int rs_curl_depth;

int64_t rs_now_ns(void)
{
	return clock_ns;
}

bool rs_exchange_asks(const struct rs_exchange *x)
{
	(void)x;
	return false;
}

int64_t rs_exchange_due_ns(const struct rs_exchange *x)
{
	(void)x;
	return due_ns;
}

int64_t rs_fault_due_ns(const struct rs_exchange *x)
{
	(void)x;
	return due_ns;
}

/* The libcurl. */
static struct {
	curl_multi_timer_callback fn;
	void *data;
} timer;

static CURLMcode setopt(CURLM *multi, CURLMoption option, ...)
{
	va_list args;

	(void)multi;
	va_start(args, option);
	if (option == CURLMOPT_TIMERFUNCTION)
		timer.fn = va_arg(args, curl_multi_timer_callback);
	else
		timer.data = va_arg(args, void *);
	va_end(args);
	return CURLM_OK;
}

static CURLHcode header(CURL *easy, const char *name, size_t index, unsigned origin, int request,
			struct curl_header **found)
{
	(void)easy, (void)name, (void)index, (void)origin, (void)request, (void)found;
	return CURLHE_MISSING;
}

static const struct rs_curl_api strict = { .multi_setopt = setopt, .easy_header = header };
static const struct rs_curl_api older = { .multi_setopt = setopt };

/* The program. */
static struct {
	int calls, answer;
	long timeout_ms;
	bool calling;
} program;

static int on_timer(CURLM *multi, long timeout_ms, void *data)
{
	struct rs_multi *m = data;

	(void)multi;
	program.calls++;
	program.timeout_ms = timeout_ms;
	program.calling = m->calling;
	return program.answer;
}

static struct rs_multi_call waiting;

static void begin(struct rs_multi *m, const struct rs_curl_api *api)
{
	memset(&program, 0, sizeof(program));
	memset(&waiting, 0, sizeof(waiting));
	clock_ns = T0;
	*m = (struct rs_multi){ .api = api, .real_due_ns = RS_FOREVER, .told_due_ns = RS_FOREVER };
	(void)rs_multi_set_timer(m, CURLMOPT_TIMERDATA, m);
	(void)rs_multi_set_timer(m, CURLMOPT_TIMERFUNCTION, (void *)(uintptr_t)on_timer);
}

static void let_wait(struct rs_multi *m, int64_t until_ns)
{
	waiting.state = RS_MULTI_WAITING;
	waiting.x.call.attempts = 1;
	due_ns = until_ns;
	m->calls = &waiting;
	m->waiting = 1;
}

static void what_a_callback_returns_is_heard_at_once(void **state)
{
	struct rs_multi m;

	(void)state;
	begin(&m, &strict);
	m.busy = true;
	assert_int_equal(timer.fn(NULL, 100, timer.data), 0);
	assert_int_equal(program.timeout_ms, 100);
	assert_true(program.calling); /* and whatever it calls is refused */
	assert_false(m.calling);
	program.answer = -1;
	assert_int_equal(timer.fn(NULL, 200, timer.data), -1);
	assert_true(m.refused);
	m.busy = false;
	rs_multi_timer_expired(&m);
	assert_int_equal(rs_multi_tell_timer(&m), 0);
	assert_int_equal(program.calls, 2); /* libcurl would not call it again either */
}

static void libcurl_is_told_of_one_that_failed_in_between(void **state)
{
	struct rs_multi m;

	(void)state;
	begin(&m, &strict);
	let_wait(&m, T0 + MS(50));
	program.answer = -1;
	assert_int_equal(rs_multi_tell_timer(&m), -1);
	assert_int_equal(timer.fn(NULL, 20, timer.data), -1);
	assert_int_equal(program.calls, 1);
}

/* It may use the multi handle, and that is in order when it is called. */
static void an_older_libcurl_is_not_in_the_way(void **state)
{
	struct rs_multi m;

	(void)state;
	begin(&m, &older);
	m.busy = true;
	program.answer = -1;
	assert_int_equal(timer.fn(NULL, 100, timer.data), 0);
	assert_int_equal(program.calls, 0);
	m.busy = false;
	assert_int_equal(rs_multi_tell_timer(&m), 0);
	assert_int_equal(program.timeout_ms, 100);
	assert_false(program.calling);
	assert_false(m.refused);
}

static void a_timer_that_has_gone_off_is_set_again(void **state)
{
	struct rs_multi m;

	(void)state;
	begin(&m, &strict);
	let_wait(&m, T0 + S(1));
	assert_int_equal(timer.fn(NULL, 200, timer.data), 0);
	assert_int_equal(program.timeout_ms, 200);
	clock_ns += MS(100);
	assert_int_equal(timer.fn(NULL, -1, timer.data), 0);
	assert_int_equal(program.calls, 1); /* it will go off before that */
	clock_ns += MS(96);                 /* by a coarse clock it has */
	assert_int_equal(rs_multi_tell_timer(&m), 0);
	assert_int_equal(program.calls, 2);
	assert_int_equal(program.timeout_ms, 804);
	assert_int_equal(rs_multi_tell_timer(&m), 0);
	assert_int_equal(program.calls, 2);
}

/* A transfer whose rest the program has paused. */
static void a_pause_ends_with_the_transfer_s_time(void **state)
{
	struct rs_handle handle = { .options.timeout_ms = 300 };
	struct rs_multi m;

	(void)state;
	begin(&m, &strict);
	let_wait(&m, T0);
	waiting.state = RS_MULTI_PAUSED;
	waiting.x.paused = true;
	waiting.x.handle = &handle;
	waiting.x.attempt_ns = T0 - MS(100);
	assert_int_equal(rs_multi_shorten_ms(&m, -1), 200);
	handle.options.timeout_ms = 0;
	assert_int_equal(rs_multi_shorten_ms(&m, -1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_callback_returns_is_heard_at_once),
		cmocka_unit_test(libcurl_is_told_of_one_that_failed_in_between),
		cmocka_unit_test(an_older_libcurl_is_not_in_the_way),
		cmocka_unit_test(a_timer_that_has_gone_off_is_set_again),
		cmocka_unit_test(a_pause_ends_with_the_transfer_s_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
