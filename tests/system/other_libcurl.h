/*
 * A libcurl that differs from the system's as a test wants it.
 */
#ifndef RS_OTHER_LIBCURL_H
#define RS_OTHER_LIBCURL_H

#include <stdbool.h>
#include <stddef.h>

/* Change the bytes of the file, of which the length stays. False: it cannot be done. */
typedef bool change_libcurl(char *image, size_t len);

/* Make one: a setting of LD_LIBRARY_PATH by which programs find it. One for a test program. NULL:
 * it cannot be had, and tests of it are to be skipped. */
const char *other_libcurl(change_libcurl *change);

/* For a change: add these to the flags of its dynamic section, if it has any. */
bool other_libcurl_add_flags(char *image, unsigned flags);

#endif
