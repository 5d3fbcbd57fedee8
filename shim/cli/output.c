#include "cli/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool rs_cli_flush(const char *verb)
{
	int error = fflush(stdout) == 0 ? 0 : errno;

	if (!error && !ferror(stdout))
		return true;
	fprintf(stderr, "retryshim: %s%scannot write: %s\n", verb, *verb ? ": " : "",
		strerror(error ? error : EIO));
	return false;
}
