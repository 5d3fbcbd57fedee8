#include <stdio.h>
#include <string.h>

#include "cli/doctor.h"
#include "cli/json.h"

static const char *const verdicts[] = {
	[RS_DOCTOR_YES] = "yes",
	[RS_DOCTOR_PARTLY] = "partly",
	[RS_DOCTOR_NO] = "no",
};

static const char *const hows[] = {
	[RS_DOCTOR_LINKED] = "linked",       [RS_DOCTOR_THROUGH] = "library",
	[RS_DOCTOR_PLUGIN] = "plugin",       [RS_DOCTOR_BUNDLED] = "bundled",
	[RS_DOCTOR_LOOKED_UP] = "looked up",
};

const char *rs_doctor_flavour(const struct rs_doctor_curl *curl)
{
	if (strstr(curl->soname, "gnutls"))
		return "GnuTLS";
	if (strstr(curl->soname, "nss"))
		return "NSS";
	return strncmp(curl->soname, "libcurl.so", 10) == 0 ? "OpenSSL" : "unknown";
}

static const char *kind_name(const struct rs_doctor_facts *facts)
{
	static const char *const names[] = {
		[RS_DOCTOR_MISSING] = "missing",      [RS_DOCTOR_UNKNOWN] = "unknown",
		[RS_DOCTOR_FOREIGN] = "program",      [RS_DOCTOR_PROGRAM] = "program",
		[RS_DOCTOR_OBJECT] = "shared object",
	};

	return facts->is_script ? "script" : names[facts->kind];
}

/* ---- for people ---- */

static void print_curl(const struct rs_doctor_curl *curl)
{
	switch (curl->how) {
	case RS_DOCTOR_LINKED:
		printf("  libcurl: %s flavour, linked (%s)\n", rs_doctor_flavour(curl),
		       curl->file[0] ? curl->file : "not found");
		break;
	case RS_DOCTOR_THROUGH:
	case RS_DOCTOR_PLUGIN:
		printf("  libcurl: %s flavour, through %s %s (%s)\n", rs_doctor_flavour(curl),
		       curl->how == RS_DOCTOR_PLUGIN ? "the plugin" : "the library", curl->by,
		       curl->file[0] ? curl->file : "not found");
		break;
	case RS_DOCTOR_BUNDLED:
		printf("  libcurl: built into %s\n", curl->file);
		break;
	case RS_DOCTOR_LOOKED_UP:
		puts("  libcurl: looked up at run time");
		break;
	}
}

static void print_use(const char *what, bool is_called)
{
	printf("  %s: %s\n", what,
	       is_called ? "called, by it or one of its libraries"
			 : "not called by what it is linked with");
}

static void print_uses(const struct rs_doctor_facts *facts)
{
	bool easy = facts->uses & RS_DOCTOR_EASY, multi = facts->uses & RS_DOCTOR_MULTI;

	if (easy || multi)
		printf("  interface: %s%s%s\n", easy ? "easy" : "", easy && multi ? ", " : "",
		       multi ? "multi" : "");
	else if (facts->curl_count == 0)
		puts("  libcurl: not used by it; programs that it starts are wrapped, too: ask about them");
	print_use("connect()", facts->uses & RS_DOCTOR_CONNECT);
	print_use("name look-ups", facts->uses & RS_DOCTOR_RESOLVE);
	if (facts->missing[0])
		printf("  not found: %s\n", facts->missing);
}

void rs_doctor_print(const struct rs_doctor_facts *facts,
		     const struct rs_doctor_judgement *judgement)
{
	printf("%s: %s\n", facts->file, verdicts[judgement->verdict]);
	for (size_t i = 0; i < judgement->count; i++)
		printf("  %s\n", judgement->reasons[i]);
	if (facts->is_script)
		printf("  script, run by %s\n", facts->judged);
	if (facts->kind == RS_DOCTOR_OBJECT)
		puts("  shared object: judged as part of a program that loads it");
	if (facts->machine)
		printf("  for %s%s%s\n", facts->machine, facts->libc[0] ? ", " : "", facts->libc);
	for (size_t i = 0; i < facts->curl_count; i++)
		print_curl(&facts->curls[i]);
	if (facts->kind == RS_DOCTOR_PROGRAM || facts->kind == RS_DOCTOR_OBJECT)
		print_uses(facts);
}

/* ---- for programs ---- */

static void json_text(const char *key, const char *value)
{
	rs_json_key(key, false);
	rs_json_text(value && value[0] ? value : NULL);
}

static void json_bool(const char *key, bool value)
{
	rs_json_key(key, false);
	fputs(value ? "true" : "false", stdout);
}

static void json_reasons(const struct rs_doctor_judgement *judgement)
{
	rs_json_key("because", false);
	putchar('[');
	for (size_t i = 0; i < judgement->count; i++) {
		if (i > 0)
			putchar(',');
		rs_json_text(judgement->reasons[i]);
	}
	putchar(']');
}

static void json_curls(const struct rs_doctor_facts *facts)
{
	rs_json_key("libcurl", false);
	putchar('[');
	for (size_t i = 0; i < facts->curl_count; i++) {
		const struct rs_doctor_curl *curl = &facts->curls[i];

		fputs(i ? ",{" : "{", stdout);
		rs_json_key("flavour", true);
		rs_json_text(rs_doctor_flavour(curl));
		json_text("how", hows[curl->how]);
		json_text("name", curl->soname);
		json_text("file", curl->file);
		json_text("by", curl->by);
		putchar('}');
	}
	putchar(']');
}

static void json_interfaces(unsigned uses)
{
	bool easy = uses & RS_DOCTOR_EASY, multi = uses & RS_DOCTOR_MULTI;

	rs_json_key("interfaces", false);
	printf("[%s%s%s]", easy ? "\"easy\"" : "", easy && multi ? "," : "",
	       multi ? "\"multi\"" : "");
}

void rs_doctor_print_json(const struct rs_doctor_facts *facts,
			  const struct rs_doctor_judgement *judgement)
{
	putchar('{');
	rs_json_key("program", true);
	rs_json_text(facts->file);
	json_text("verdict", verdicts[judgement->verdict]);
	json_reasons(judgement);
	json_text("kind", kind_name(facts));
	json_text("interpreter", facts->is_script ? facts->judged : NULL);
	json_text("architecture", facts->machine);
	json_text("libc", facts->libc);
	json_bool("static", facts->is_static);
	json_bool("privileged", facts->privileges != RS_DOCTOR_PLAIN);
	json_bool("go", facts->is_go);
	json_curls(facts);
	json_interfaces(facts->uses);
	json_bool("connect", facts->uses & RS_DOCTOR_CONNECT);
	json_bool("resolve", facts->uses & RS_DOCTOR_RESOLVE);
	puts("}");
}
