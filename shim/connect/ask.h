/*
 * Programs that ask how a pending connect stands, instead of waiting for it.
 */
#ifndef RS_CONNECT_ASK_H
#define RS_CONNECT_ASK_H

#include <stdbool.h>

#include "connect/call.h"

/*
 * getsockopt(SO_ERROR) on a descriptor. Where its connect has failed and is being retried the
 * answer is awaited. True: *error is the answer. False: the kernel knows it.
 */
bool rs_ask_error(int fd, int *error);

/* The same where the kernel has been asked already, and has told *error. True: that is the answer
 * now.
 */
bool rs_ask_told_error(int fd, int *error);

/* connect() once more on a descriptor that may be pending. True: it has failed with *error. False:
 * the real call answers. */
bool rs_ask_connect(const struct rs_connect *call, int *error);

/*
 * The program is about to close the descriptor, or to make it another one's. A thread that is busy
 * with it at this moment is waited for.
 *
 * A child that closes what it has from its parent ends nothing: of a vfork the parent goes on with
 * the connect, from the same memory. Where its first attempt has not failed yet who closes it is
 * not asked, since that would take a system call: then it is made, and not retried.
 */
void rs_ask_forget(int fd);

#endif
