/*
 * retryshim doctor, in four steps.
 *
 *   doctor.c          the command line
 *   doctor_examine.c  what can be read of the program: facts
 *                     (doctor_libraries.c: of its libraries and plugins)
 *   doctor_judge.c    what they mean: a verdict, and why
 *   doctor_print.c    the answer
 *
 * The program is read and never run.
 */
#ifndef RS_CLI_DOCTOR_H
#define RS_CLI_DOCTOR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum rs_doctor_kind {
	RS_DOCTOR_MISSING,
	RS_DOCTOR_UNKNOWN, /* neither ELF nor a script that names its interpreter */
	RS_DOCTOR_FOREIGN, /* another architecture */
	RS_DOCTOR_PROGRAM,
	RS_DOCTOR_OBJECT, /* a shared object: a plugin or a library */
};

enum rs_doctor_privileges {
	RS_DOCTOR_PLAIN,
	RS_DOCTOR_OWNER_ONLY, /* gains them, unless its owner runs it, as now */
	RS_DOCTOR_PRIVILEGED,
};

enum rs_doctor_how {
	RS_DOCTOR_LINKED,
	RS_DOCTOR_THROUGH,   /* through a library that is linked with it */
	RS_DOCTOR_PLUGIN,    /* through a plugin that the program may load */
	RS_DOCTOR_BUNDLED,   /* in the file itself */
	RS_DOCTOR_LOOKED_UP, /* dlopen() and dlsym() */
};

/* A libcurl that the program may come to use. */
struct rs_doctor_curl {
	enum rs_doctor_how how;
	char soname[64];
	char file[PATH_MAX]; /* "": not found, or none */
	char by[PATH_MAX];   /* THROUGH, PLUGIN: what names it */
};

/* What a program or its libraries ask for: bits. */
enum rs_doctor_uses {
	RS_DOCTOR_EASY = 1,
	RS_DOCTOR_MULTI = 2,
	RS_DOCTOR_CONNECT = 4,
	RS_DOCTOR_RESOLVE = 8,
};

#define RS_DOCTOR_CURLS 8
struct rs_doctor_facts {
	enum rs_doctor_kind kind;
	char file[PATH_MAX];   /* what was asked about */
	char judged[PATH_MAX]; /* that, or the interpreter of a script */
	int error;             /* MISSING: an errno */
	const char *machine;
	char libc[64]; /* "glibc", "musl", … */
	bool is_script, is_static, is_go, is_executable;
	bool deep_bind; /* loads its plugins with RTLD_DEEPBIND */
	enum rs_doctor_privileges privileges;
	struct rs_doctor_curl curls[RS_DOCTOR_CURLS];
	size_t curl_count;
	unsigned uses;      /* bits of enum rs_doctor_uses */
	char missing[64];   /* a library that is nowhere; "": none */
	unsigned covered;   /* what of these the shim interposes … */
	bool covers_dlopen; /* … and whether it sees what plugins are loaded with … */
	bool covers_dlsym;  /* … and what is looked up */
	bool shim_found;    /* false: libretryshim.so is not there to be asked */
};

enum rs_doctor_verdict {
	RS_DOCTOR_YES,
	RS_DOCTOR_PARTLY,
	RS_DOCTOR_NO,
};

#define RS_DOCTOR_REASONS 12
struct rs_doctor_judgement {
	enum rs_doctor_verdict verdict;
	const char *reasons[RS_DOCTOR_REASONS];
	size_t count;
};

void rs_doctor_examine(const char *program, struct rs_doctor_facts *facts);
struct rs_doctor_judgement rs_doctor_judge(const struct rs_doctor_facts *facts);

void rs_doctor_print(const struct rs_doctor_facts *facts,
		     const struct rs_doctor_judgement *judgement);
void rs_doctor_print_json(const struct rs_doctor_facts *facts,
			  const struct rs_doctor_judgement *judgement);

/* "OpenSSL", "GnuTLS", "NSS", "unknown": by the name that Debian gives it. */
const char *rs_doctor_flavour(const struct rs_doctor_curl *curl);

#endif
