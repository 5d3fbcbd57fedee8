/* retryshim doctor: can this program be wrapped? */
#include "cli/doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "cli/verbs.h"

#define USAGE "usage: retryshim doctor [--json] PROGRAM"

static int fail(const char *wrong, const char *what)
{
	fprintf(stderr, "retryshim: doctor: %s%s%s; " USAGE "\n", wrong, what ? " " : "",
		what ? what : "");
	return RS_EXIT_USAGE;
}

/* A file that the user may not read tells nothing, whatever it is. */
static int answer(const char *program, bool json)
{
	static struct rs_doctor_facts facts;
	struct rs_doctor_judgement judgement;

	rs_doctor_examine(program, &facts);
	judgement = rs_doctor_judge(&facts);
	if (json)
		rs_doctor_print_json(&facts, &judgement);
	else
		rs_doctor_print(&facts, &judgement);
	return rs_cli_flush("doctor") ? (int)judgement.verdict : RS_EXIT_USAGE;
}

int rs_cli_doctor(int argc, char **argv)
{
	const char *program = NULL;
	bool json = false, options = true;

	for (int i = 1; i < argc; i++) {
		if (options && strcmp(argv[i], "--help") == 0) {
			puts(USAGE);
			return rs_cli_flush("doctor") ? 0 : RS_EXIT_USAGE;
		}
		if (options && strcmp(argv[i], "--json") == 0)
			json = true;
		else if (options && strcmp(argv[i], "--") == 0)
			options = false;
		else if (options && argv[i][0] == '-')
			return fail("unknown option", argv[i]);
		else if (program)
			return fail("one program at a time, not also", argv[i]);
		else
			program = argv[i];
	}
	return program ? answer(program, json) : fail("PROGRAM is missing", NULL);
}
