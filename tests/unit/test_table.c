#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "transfer/table.h"

#define MANY 3000

static struct rs_table table;
static char things[MANY];

static int empty(void **state)
{
	(void)state;
	memset(&table, 0, sizeof(table));
	return 0;
}

static void what_was_put_is_found_until_it_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < MANY; i++)
		assert_true(rs_table_put(&table, &things[i], &things[i]));
	for (size_t i = 0; i < MANY; i++) {
		assert_ptr_equal(rs_table_find(&table, &things[i]), &things[i]);
		assert_ptr_equal(rs_table_take(&table, &things[i]), &things[i]);
		assert_null(rs_table_find(&table, &things[i]));
		assert_null(rs_table_take(&table, &things[i]));
	}
	for (size_t i = 0; i < RS_TABLE_SEGMENTS - 1; i++)
		free(table.more[i]);
}

/* Between two loads of who asks, another thread puts its own in the place that looked free. */
static void without_a_key_nothing_is_taken(void **state)
{
	(void)state;
	table.first[0].value = &things[0];
	assert_null(rs_table_take(&table, NULL));
	assert_ptr_equal(table.first[0].value, &things[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_was_put_is_found_until_it_is_taken, empty),
		cmocka_unit_test_setup(without_a_key_nothing_is_taken, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
