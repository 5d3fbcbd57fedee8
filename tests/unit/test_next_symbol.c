#include "unit.h"

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>

#include "next_symbol.h"

#ifdef __GLIBC__

/* What the library interposes, and a few that it does not; `environ` is a variable. */
static const char *const names[] = {
	"close",      "connect", "dup2",   "dup3",    "epoll_wait",      "getaddrinfo",
	"getsockopt", "poll",    "ppoll",  "select",  "gethostbyname_r", "pselect",
	"dlopen",     "dlsym",   "malloc", "regexec", "epoll_pwait",     "__poll_chk",
	"mmap",       "environ", "qsort",
};

/* Linked with -z now: glibc then tells a program nothing of itself. */
static bool is_bound_at_start(void)
{
	for (const ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
		if ((d->d_tag == DT_FLAGS && d->d_un.d_val & DF_BIND_NOW) ||
		    (d->d_tag == DT_FLAGS_1 && d->d_un.d_val & DF_1_NOW))
			return true;
	}
	return false;
}

static void finds_what_dlsym_finds(void **state)
{
	(void)state;
	assert_int_equal(rs_next_symbol_possible(), !is_bound_at_start());
	if (is_bound_at_start())
		skip();
	for (size_t i = 0; i < COUNT(names); i++) {
		void *found = rs_next_symbol(names[i]);
		void *expected = dlsym(RTLD_NEXT, names[i]);

		assert_non_null(expected);
		if (found != expected)
			fail_msg("%s: %p, not %p", names[i], found, expected);
	}
}

/* Of several versions the default one: the first regexec() does not know REG_STARTEND. */
static void passes_older_versions_by(void **state)
{
	(void)state;
	assert_ptr_not_equal(rs_next_symbol("regexec"),
			     dlvsym(RTLD_NEXT, "regexec", "GLIBC_2.2.5"));
}

static void leaves_choosers_to_the_linker(void **state)
{
	(void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip(); /* its own strlen() comes first, and is none */
#endif
	assert_non_null(dlsym(RTLD_NEXT, "strlen"));
	assert_null(rs_next_symbol("strlen"));
}

static void does_not_find_what_is_not_there(void **state)
{
	(void)state;
	assert_null(rs_next_symbol("no_such_function"));
	assert_null(rs_next_symbol(""));
	assert_null(rs_next_symbol("connec"));
	assert_null(rs_next_symbol("connectt"));
}

#else

static void finds_nothing(void **state)
{
	(void)state;
	assert_false(rs_next_symbol_possible());
	assert_null(rs_next_symbol("connect"));
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef __GLIBC__
		cmocka_unit_test(finds_what_dlsym_finds),
		cmocka_unit_test(passes_older_versions_by),
		cmocka_unit_test(leaves_choosers_to_the_linker),
		cmocka_unit_test(does_not_find_what_is_not_there),
#else
		cmocka_unit_test(finds_nothing),
#endif
	};

	return cmocka_run_group_tests_name("next_symbol", tests, NULL, NULL);
}
