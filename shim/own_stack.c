#include "own_stack.h"

#include <stddef.h>
#include <sys/mman.h>

#define STACK_SIZE ((size_t)256 * 1024) /* of which what is touched takes memory */

/* On both sides, not to be touched. As wide as this, so that what follows the stack pointer, as
 * valgrind does, takes it for another stack and not for a large frame. */
#define GUARD_SIZE ((size_t)2 * 1024 * 1024)
#define WHOLE_SIZE (GUARD_SIZE + STACK_SIZE + GUARD_SIZE)

/* fn(arg) with the stack that ends at `top`, which is aligned as a call wants it. */
void rs_call_on_stack(void *top, void (*fn)(void *), void *arg)
	__attribute__((visibility("hidden")));

#define BEGIN_FUNCTION                                                                             \
	"	.text\n"                                                                                 \
	"	.p2align 4\n"                                                                            \
	"	.globl rs_call_on_stack\n"                                                               \
	"	.hidden rs_call_on_stack\n"

/* The frame that holds the caller's stack pointer leads debuggers back. */
#if defined(__x86_64__)
#define HAS_CALL 1
/* clang-format off */
__asm__(
BEGIN_FUNCTION
"	.type rs_call_on_stack, @function\n"
"rs_call_on_stack:\n"
"	.cfi_startproc\n"
"	pushq %rbp\n"
"	.cfi_def_cfa_offset 16\n"
"	.cfi_offset %rbp, -16\n"
"	movq %rsp, %rbp\n"
"	.cfi_def_cfa_register %rbp\n"
"	movq %rdi, %rsp\n"
"	movq %rdx, %rdi\n"
"	call *%rsi\n"
"	movq %rbp, %rsp\n"
"	popq %rbp\n"
"	.cfi_def_cfa %rsp, 8\n"
"	ret\n"
"	.cfi_endproc\n"
"	.size rs_call_on_stack, . - rs_call_on_stack\n"
);
/* clang-format on */
#elif defined(__aarch64__)
#define HAS_CALL 1
/* clang-format off */
__asm__(
BEGIN_FUNCTION
"	.type rs_call_on_stack, %function\n"
"rs_call_on_stack:\n"
"	.cfi_startproc\n"
"	hint #25\n" /* paciasp, where the machine has it */
"	.cfi_negate_ra_state\n"
"	stp x29, x30, [sp, #-16]!\n"
"	.cfi_def_cfa_offset 16\n"
"	.cfi_offset 29, -16\n"
"	.cfi_offset 30, -8\n"
"	mov x29, sp\n"
"	.cfi_def_cfa_register 29\n"
"	mov sp, x0\n"
"	mov x0, x2\n"
"	blr x1\n"
"	mov sp, x29\n"
"	ldp x29, x30, [sp], #16\n"
"	.cfi_def_cfa 31, 0\n"
"	hint #29\n" /* autiasp */
"	.cfi_negate_ra_state\n"
"	ret\n"
"	.cfi_endproc\n"
"	.size rs_call_on_stack, . - rs_call_on_stack\n"
);
/* clang-format on */
#else
#define HAS_CALL 0
void rs_call_on_stack(void *top, void (*fn)(void *), void *arg)
{
	(void)top;
	fn(arg);
}
#endif

/* Where the guard before the stack begins, or NULL. */
static char *map_stack(void)
{
	char *at = mmap(NULL, WHOLE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			-1, 0);

	if (at == MAP_FAILED)
		return NULL;
	if (mprotect(at + GUARD_SIZE, STACK_SIZE, PROT_READ | PROT_WRITE) == 0)
		return at;
	munmap(at, WHOLE_SIZE);
	return NULL;
}

void rs_on_own_stack(void (*fn)(void *), void *arg)
{
	char *at = HAS_CALL ? map_stack() : NULL;

	if (!at) {
		fn(arg);
		return;
	}
	rs_call_on_stack(at + GUARD_SIZE + STACK_SIZE, fn, arg);
	munmap(at, WHOLE_SIZE);
}
