/* Memory that runs out while texts are indexed: then there is no index, and nothing else happens.
 */
#include "unit.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rules/index_texts.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

static void memory_runs_out(void **state)
{
	(void)state;
	skip(); /* the sanitizers want mmap(2) for themselves */
}

#else

static bool refuse_maps;

void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	if (refuse_maps) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
}

#define CHUNK 16000 /* of which an arena has room for, and no more */

/* Is there an index where of one of the arenas so many bytes are taken already? */
static bool is_indexed(struct rs_rules *rules, size_t taken, size_t scratch_taken)
{
	struct rs_arena arena = { 0 }, scratch = { 0 };
	bool ok;

	assert_true(rs_arena_alloc(&arena, taken, 1) && rs_arena_alloc(&scratch, scratch_taken, 1));
	rules->texts = NULL;
	refuse_maps = true;
	ok = rs_index_texts(rules, &arena, &scratch);
	refuse_maps = false;
	rs_arena_free(&arena);
	rs_arena_free(&scratch);
	return ok;
}

static void memory_runs_out(void **state)
{
	struct rs_rule rules[100] = { { .calls = 0 } };
	struct rs_rules all = { .rules = rules, .rule_count = COUNT(rules) };
	char words[COUNT(rules)][32];
	struct rs_span texts[COUNT(rules)];
	bool there = true, there_for_scratch = true;

	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++) {
		snprintf(words[i], sizeof(words[i]), "<Code>Error%zu</Code>", i);
		texts[i] = span(words[i]);
		rules[i].body = (struct rs_texts){ &texts[i], 1 };
	}
	assert_true(is_indexed(&all, 1, 1));
	/* Once there is too little there stays too little. */
	for (size_t taken = 1; taken < CHUNK; taken += 8) {
		bool was_there = there, was_there_for_scratch = there_for_scratch;

		there = is_indexed(&all, taken, 1);
		there_for_scratch = is_indexed(&all, 1, taken);
		assert_true(was_there || !there);
		assert_true(was_there_for_scratch || !there_for_scratch);
	}
	assert_false(there || there_for_scratch);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests_name("text_index_memory", tests, NULL, NULL);
}
