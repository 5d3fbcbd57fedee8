#include "cli/complaint.h"

#include <stdio.h>

void rs_cli_print_complaint(void *arg, const struct rs_complaint *complaint)
{
	const char *severity = complaint->severity == RS_WARNING ? "warning" : "error";

	(void)arg;
	if (complaint->line > 0)
		fprintf(stderr, "%s:%d: %s: %s\n", complaint->file, complaint->line, severity,
			complaint->text);
	else
		fprintf(stderr, "%s: %s: %s\n", complaint->file, severity, complaint->text);
}
