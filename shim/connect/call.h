/*
 * One connect() as the program asked for it.
 */
#ifndef RS_CONNECT_CALL_H
#define RS_CONNECT_CALL_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "connect/target.h"
#include "real.h"

struct rs_connect {
	rs_connect_fn real;
	int fd;
	const struct sockaddr *addr;
	socklen_t len;
	uint64_t began; /* rs_mark() */
};

/* Has the kernel read the address of a call? Else a bad pointer is the kernel's to judge, and no
 * crash of ours: to read it all the same takes a system call. */
enum rs_address_state {
	RS_ADDRESS_UNREAD,
	RS_ADDRESS_READ,
};

/* The kernel says so of one that it could not read; of all else it has read it before. */
static inline enum rs_address_state rs_connect_address_after(int error)
{
	return error == EFAULT ? RS_ADDRESS_UNREAD : RS_ADDRESS_READ;
}

/* A copy, zero where it ends. False for what no address of a family that rules speak of can be:
 * too short, too long, not readable. */
bool rs_connect_copy_address(struct sockaddr_storage *addr, const struct rs_connect *call,
			     enum rs_address_state state);

/* Where the call goes to, program included. False where rules have nothing to say of it: another
 * family (AF_UNSPEC, which dissolves a connection, among them), or an address as above. */
bool rs_connect_find_target(struct rs_connect_target *about, const struct rs_connect *call,
			    enum rs_address_state state);

#endif
