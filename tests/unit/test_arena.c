#include "unit.h"

#include "rules/arena.h"

static void more_than_there_can_be(void **state)
{
	struct rs_arena arena = { .chunks = NULL };

	(void)state;
	assert_null(rs_arena_alloc(&arena, SIZE_MAX / 2, 3));
	assert_true(arena.failed);
	arena.failed = false;
	assert_null(rs_arena_alloc(&arena, SIZE_MAX / 2 + 1, 1));
	assert_true(arena.failed);
	assert_null(arena.chunks);
	assert_non_null(rs_arena_alloc(&arena, 1, 1));
	rs_arena_free(&arena);
}

/* The rest of a chunk is too short to be aligned in: the next one is begun. */
static void alignment_at_the_end_of_a_chunk(void **state)
{
	struct rs_arena arena = { .chunks = NULL };

	(void)state;
	for (size_t rest = 0; rest <= 20; rest++) {
		char *last, *next;
		size_t left;

		assert_non_null(rs_arena_alloc(&arena, 1, 16));
		left = arena.left;
		last = rs_arena_text(&arena, "", 0);
		assert_non_null(last);
		last = rs_arena_alloc(&arena, arena.left - arena.left % 16 - 32, 1);
		assert_non_null(last);
		while (arena.left > rest)
			assert_non_null(rs_arena_text(&arena, "", 0));
		next = rs_arena_alloc(&arena, 1, 16);
		assert_non_null(next);
		assert_int_equal((uintptr_t)next % sizeof(int64_t), 0);
		for (size_t i = 0; i < 16; i++)
			assert_int_equal(next[i], 0);
		assert_true(left > 0);
	}
	assert_false(arena.failed);
	rs_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_than_there_can_be),
		cmocka_unit_test(alignment_at_the_end_of_a_chunk),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
