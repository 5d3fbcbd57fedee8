/* A program's locale may call other bytes space than we do: rules read the same, and in bounds. */
#include "rules_helper.h"

#include <ctype.h>
#include <locale.h>

#ifdef __GLIBC__

static unsigned short table[384];
static const unsigned short *current;

static const unsigned short *plain(void)
{
	static locale_t c;

	if (!c)
		c = newlocale(LC_ALL_MASK, "C", NULL);
	return c->__ctype_b;
}

/* What isspace(3) looks at, also inside of inih. */
const unsigned short **__ctype_b_loc(void)
{
	if (!current)
		current = plain();
	return &current;
}

static void with_space(unsigned char byte)
{
	memcpy(table, plain() - 128, sizeof(table));
	table[128 + byte] = (unsigned short)_ISspace;
	current = table + 128;
}

static const char *host_of(const struct rs_rules *rules, size_t i)
{
	return rules->rules[0].host.at[i].pattern;
}

/* ISO 8859-1's no-break space. */
static void more_is_space(void **state)
{
	struct rs_rules *rules;

	(void)state;
	with_space(0xa0);
	rules = load_good("[rule a]\nerror = any\nhost = a\xa0\n  b,c \xa0\n");
	current = plain();
	assert_int_equal(rules->rules[0].host.count, 3);
	assert_string_equal(host_of(rules, 0), "a");
	assert_string_equal(host_of(rules, 2), "c");
	rs_rules_free(rules);
}

#else

static void more_is_space(void **state)
{
	(void)state;
	skip(); /* there what is space is no table */
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_is_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
