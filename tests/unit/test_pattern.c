/* Regular expressions that are compiled when they are first needed. */
#include "unit.h"

#include <stdlib.h>

#include "retry/pattern.h"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HAS_MALLOC 1
void *__libc_malloc(size_t size);

static bool refuse_memory;
static struct rs_pattern *another_thread_needs;

void *malloc(size_t size)
{
	struct rs_pattern *pattern = another_thread_needs;

	if (pattern) {
		another_thread_needs = NULL;
		assert_int_equal(rs_pattern_compile(pattern), 0);
	}
	return refuse_memory ? NULL : __libc_malloc(size);
}
#else
#define HAS_MALLOC 0
static bool refuse_memory;
static struct rs_pattern *another_thread_needs;
#endif

static void finds_and_finds_not(void **state)
{
	struct rs_pattern pattern = { .text = "^a(b|c)$" };

	(void)state;
	assert_true(rs_pattern_finds(&pattern, "ac", 2));
	assert_false(rs_pattern_finds(&pattern, "ad", 2));
	assert_false(rs_pattern_finds(&pattern, NULL, 0));
	assert_int_equal(rs_pattern_compile(&pattern), 0);
	rs_pattern_free(&pattern);
	assert_true(rs_pattern_finds(&pattern, "ab", 2));
	rs_pattern_free(&pattern);
	rs_pattern_free(&pattern);
}

static void one_that_is_none_finds_nothing(void **state)
{
	struct rs_pattern pattern = { .text = "a(b" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rs_pattern_compile(&pattern), REG_EPAREN);
		assert_false(rs_pattern_finds(&pattern, "a(b", 3));
	}
	assert_int_equal(pattern.trouble, REG_EPAREN);
	rs_pattern_free(&pattern);
}

/* Without memory it is not known to be none: there may be some later. */
static void memory_may_come_back(void **state)
{
	struct rs_pattern pattern = { .text = "b" };

	(void)state;
	if (!HAS_MALLOC)
		skip();
	refuse_memory = true;
	assert_false(rs_pattern_finds(&pattern, "abc", 3));
	refuse_memory = false;
	assert_true(rs_pattern_finds(&pattern, "abc", 3));
	rs_pattern_free(&pattern);
}

static void another_thread_may_be_first(void **state)
{
	struct rs_pattern pattern = { .text = "b" };

	(void)state;
	if (!HAS_MALLOC)
		skip();
	another_thread_needs = &pattern;
	assert_true(rs_pattern_finds(&pattern, "abc", 3));
	assert_null(another_thread_needs);
	rs_pattern_free(&pattern);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_and_finds_not),
		cmocka_unit_test(one_that_is_none_finds_nothing),
		cmocka_unit_test(memory_may_come_back),
		cmocka_unit_test(another_thread_may_be_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
