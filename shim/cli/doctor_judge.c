#include <string.h>

#include "cli/doctor.h"
#include "gnu.h"

static void because(struct rs_doctor_judgement *judgement, enum rs_doctor_verdict verdict,
		    const char *reason)
{
	if (verdict > judgement->verdict)
		judgement->verdict = verdict;
	if (judgement->count < RS_DOCTOR_REASONS)
		judgement->reasons[judgement->count++] = reason;
}

/* What keeps the shim out altogether. */
static bool is_out_of_reach(const struct rs_doctor_facts *facts,
			    struct rs_doctor_judgement *judgement)
{
	if (facts->kind == RS_DOCTOR_MISSING)
		because(judgement, RS_DOCTOR_NO, strerror(facts->error));
	else if (facts->kind == RS_DOCTOR_UNKNOWN)
		because(judgement, RS_DOCTOR_NO,
			"it is neither a program nor a script that names its interpreter");
	else if (facts->kind == RS_DOCTOR_FOREIGN)
		because(judgement, RS_DOCTOR_NO, "it is built for another architecture");
	else if (facts->kind == RS_DOCTOR_PROGRAM && !facts->is_executable)
		because(judgement, RS_DOCTOR_NO, "it is not executable");
	if (facts->privileges == RS_DOCTOR_PRIVILEGED)
		because(judgement, RS_DOCTOR_NO,
			"it is set-user-ID, set-group-ID or has file capabilities: the dynamic "
			"linker then ignores LD_PRELOAD");
	if (facts->is_static)
		because(judgement, RS_DOCTOR_NO,
			"it is statically linked: there is no dynamic linker to preload anything");
	if (strcmp(facts->libc, RS_OTHER_LIBC) == 0)
		because(judgement, RS_DOCTOR_NO,
			"it uses another C library (" RS_OTHER_LIBC
			"), which the shim is not built for");
	return judgement->verdict == RS_DOCTOR_NO;
}

static bool any_curl(const struct rs_doctor_facts *facts, enum rs_doctor_how from,
		     enum rs_doctor_how to)
{
	for (size_t i = 0; i < facts->curl_count; i++) {
		if (facts->curls[i].how >= from && facts->curls[i].how <= to)
			return true;
	}
	return false;
}

static void judge_curl(const struct rs_doctor_facts *facts, struct rs_doctor_judgement *judgement)
{
	if (any_curl(facts, RS_DOCTOR_BUNDLED, RS_DOCTOR_BUNDLED))
		because(judgement, RS_DOCTOR_PARTLY,
			"a libcurl is built into it, the calls of which never leave it");
	if (any_curl(facts, RS_DOCTOR_LOOKED_UP, RS_DOCTOR_LOOKED_UP) && !facts->covers_dlsym)
		because(judgement, RS_DOCTOR_PARTLY,
			"it looks libcurl's functions up with dlsym(), past the shim");
	if (facts->deep_bind && !facts->covers_dlopen)
		because(judgement, RS_DOCTOR_PARTLY,
			"PHP loads its extensions with RTLD_DEEPBIND, which hides the shim from "
			"them");
	if ((facts->uses & RS_DOCTOR_MULTI) && !(facts->covered & RS_DOCTOR_MULTI))
		because(judgement, RS_DOCTOR_PARTLY,
			"transfers through libcurl's multi interface are left alone");
}

/* Go's own network code makes its system calls itself; C code in the same program does not. */
static void judge_go(const struct rs_doctor_facts *facts, struct rs_doctor_judgement *judgement)
{
	if (!facts->is_go)
		return;
	because(judgement,
		any_curl(facts, RS_DOCTOR_LINKED, RS_DOCTOR_THROUGH) ? RS_DOCTOR_PARTLY
								     : RS_DOCTOR_NO,
		"it is written in Go, which makes its system calls itself, past the C library");
}

struct rs_doctor_judgement rs_doctor_judge(const struct rs_doctor_facts *facts)
{
	struct rs_doctor_judgement judgement = { .verdict = RS_DOCTOR_YES };

	if (is_out_of_reach(facts, &judgement))
		return judgement;
	judge_go(facts, &judgement);
	judge_curl(facts, &judgement);
	if (facts->privileges == RS_DOCTOR_OWNER_ONLY)
		because(&judgement, RS_DOCTOR_PARTLY,
			"it gains privileges (set-user-ID, set-group-ID or file capabilities), "
			"unless its owner runs it: others run it without the shim");
	if (facts->missing[0])
		because(&judgement, RS_DOCTOR_PARTLY,
			"a library that it needs was not found: it may not start");
	if (!facts->shim_found)
		because(&judgement, RS_DOCTOR_PARTLY,
			"libretryshim.so is neither beside this command nor installed");
	return judgement;
}
