/*
 * Where code and data lie that every start of a program touches.
 *
 * A page that is touched for the first time costs about as much as a thousand instructions. What a
 * start reads and writes, and the few words that most programs have written soon after, stand
 * beside what the dynamic linker has written already, and the functions that run then stand
 * together.
 */
#ifndef RS_AT_START_H
#define RS_AT_START_H

/* Not for const data, which has pages of its own. */
#define RS_DATA_AT_START __attribute__((section(".data.at_start")))

#define RS_CODE_AT_START __attribute__((section(".text.startup")))

#endif
