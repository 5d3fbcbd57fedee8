/*
 * A function or variable of the libraries after this one, found without the dynamic linker's help.
 *
 * dlsym(3) takes the linker's lock, which is held by whoever loads a library, until the library's
 * constructors have run: not for a signal handler, nor for a thread that such a constructor waits
 * for. The tables of what was loaded at start can be read without a lock, since they are never
 * written again.
 */
#ifndef RS_NEXT_SYMBOL_H
#define RS_NEXT_SYMBOL_H

#include <stdbool.h>

/* Can symbols be found so? Not where all of them were bound at start (LD_BIND_NOW), since the
 * linker then leaves no trace of where its list is. */
bool rs_next_symbol_possible(void);

/*
 * The default version of `name` in the first library after this one that has it; NULL where there
 * is none, or where only the linker can tell. Of a variable it is that library's own, which a
 * program's copy may have taken the place of. Takes no lock, allocates nothing, leaves
 * errno: async-signal-safe, from any thread.
 */
void *rs_next_symbol(const char *name);

#endif
