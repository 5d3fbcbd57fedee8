#include "resolve/target.h"

#include <string.h>

#include "process.h"

/* By hand: strtoul() would set errno. */
static uint16_t port_of(const char *service)
{
	unsigned port = 0;

	if (!service || !*service)
		return 0;
	for (; *service >= '0' && *service <= '9' && port <= UINT16_MAX; service++)
		port = port * 10 + (unsigned)(*service - '0');
	return *service == '\0' && port <= UINT16_MAX ? (uint16_t)port : 0;
}

struct rs_target rs_lookup_target(const struct rs_lookup *lookup)
{
	return (struct rs_target){
		.call = RS_CALL_RESOLVE,
		.host = { lookup->host, strlen(lookup->host) },
		.port = port_of(lookup->service),
		.program = rs_program_name(),
	};
}
