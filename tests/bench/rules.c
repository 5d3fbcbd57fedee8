/*
 * rules [ROUNDS [KIND]]: what a thousand rules cost: to judge an outcome that only the last of them
 * matches, and to read their file. A line for each kind of rule: the median of the rounds and the
 * lowest, in microseconds of processor time, of the one and of the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "retry/match.h"
#include "rules/load.h"

#define RULES 1000

/* @ is the number of the rule. The last rule gets `hit` in place of `line`. */
static const struct kind {
	const char *name, *line, *hit;
	size_t body; /* bytes of the response */
	bool varied; /* they are of no few lines over and over */
} kinds[] = {
	{ "status", "status = 418", "status = 503", 0, false },
	{ "host", "status = 503\nhost = node@.example.com", "status = 503", 0, false },
	{ "suffix", "status = 503\nhost = *.node@.example.com", "status = 503", 0, false },
	{ "stars", "status = 503\nurl = https://*/v1/*/item@/*", "status = 503", 0, false },
	{ "question", "status = 503\nhost = api-?.eu-west-@?.example.*", "status = 503", 0, false },
	{ "bracket", "status = 503\nurl = https://*/v[0-9]/[a-z]*/item@", "status = 503", 0,
	  false },
	{ "both", "status = 503\nurl = https://*/v[0-9]/item@?[ab]*", "status = 503", 0, false },
	{ "header", "header = X-Error: code-@-[a-z]*", "header = X-Error: *", 0, false },
	{ "body-1k", "body = <Code>Error@</Code>", "body = last", 1024, false },
	{ "body-64k", "body = <Code>Error@</Code>", "body = last", (size_t)64 * 1024, false },
	/* As rules for object stores have them: two thousand texts, of one length and of many. */
	{ "store", "status = 400, 503\nbody = <Code>Throttling@</Code>, <Code>SlowDown@</Code>",
	  "status = 503\nbody = last", 1024, false },
	{ "codes-64k", "status = 400, 503\nbody = Failure@, E@-Busy", "status = 503\nbody = last",
	  (size_t)64 * 1024, true },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_times(double *us, size_t rounds)
{
	qsort(us, rounds, sizeof(*us), by_size);
	printf(" %10.1f %10.1f", us[rounds / 2], us[0]);
}

static void write_line(FILE *file, const char *line, int number)
{
	for (; *line; line++) {
		if (*line == '@')
			fprintf(file, "%d", number);
		else
			putc(*line, file);
	}
	putc('\n', file);
}

static void write_rules(const struct kind *kind, const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file)
		give_up(path);
	for (int i = 0; i < RULES; i++) {
		fprintf(file, "[rule number-%d]\nmethod = any\nmax_attempts = %d\nbase = 250ms\n",
			i, 2 + i % 7);
		write_line(file, i == RULES - 1 ? kind->hit : kind->line, i);
		putc('\n', file);
	}
	if (fclose(file) != 0)
		give_up(path);
}

static void time_loading(const char *path, double *us, size_t rounds, struct rs_rules **rules)
{
	const struct rs_load_request request = { .paths = path };

	for (size_t i = 0; i < rounds; i++) {
		double began = now_us();

		if (rs_rules_load(&request, rules) != 0)
			give_up(path);
		us[i] = now_us() - began;
		if (i + 1 < rounds)
			rs_rules_free(*rules);
	}
}

static struct rs_span span(const char *text)
{
	return (struct rs_span){ text, strlen(text) };
}

/* Lines of an error, or letters that seldom come twice; what only the last rule looks for is at
 * the end. */
static void fill_body(const struct kind *kind, char *body)
{
	static const char letters[] = "etaoin shrdlucmfw Error <Code>E0123-";
	uint32_t random = 1;

	for (size_t i = 0; i < kind->body; i++) {
		random = random * 1664525 + 1013904223;
		body[i] = kind->varied ? letters[(random >> 16) % (sizeof(letters) - 1)]
				       : "<Error><Code>Slow</Code></Error>\n"[i % 33];
	}
	if (kind->body)
		memcpy(body + kind->body - 4, "last", 4);
}

static void time_judging(const struct kind *kind, const struct rs_rules *rules, double *us,
			 size_t rounds)
{
	const struct rs_target target = {
		.call = RS_CALL_CURL,
		.method = span("GET"),
		.scheme = span("https"),
		.host = span("api-1.eu-west-1.example.org"),
		.url = span("https://api-1.eu-west-1.example.org/v1/things/item"),
		.port = 443,
		.program = "curl",
	};
	char *body = malloc(kind->body + 1);
	struct rs_outcome outcome = {
		.status = 503,
		.headers = span("Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nServer: one\r\n"
				"X-Error: code-x\r\nContent-Type: text/xml\r\n"),
		.body_complete = true,
	};
	const struct rs_rule *rule = NULL;

	if (!body)
		give_up("body");
	fill_body(kind, body);
	outcome.body = (struct rs_span){ body, kind->body };
	for (size_t i = 0; i < rounds; i++) {
		double began = now_us();

		if (rs_match(rules, &target, &outcome, RS_KNOWN_ALL, &rule) != RS_MATCH_RULE ||
		    rule != &rules->rules[RULES - 1])
			give_up("it is not the last rule that matches");
		us[i] = now_us() - began;
	}
	free(body);
}

static void run(const struct kind *kind, const char *path, size_t rounds)
{
	double *judging = calloc(rounds, sizeof(double));
	double *loading = calloc(rounds, sizeof(double));
	struct rs_rules *rules = NULL;

	if (!judging || !loading)
		give_up("rounds");
	write_rules(kind, path);
	time_loading(path, loading, rounds, &rules);
	time_judging(kind, rules, judging, rounds);
	rs_rules_free(rules);
	printf("%-10s", kind->name);
	print_times(judging, rounds);
	print_times(loading, rounds);
	putchar('\n');
	free(judging);
	free(loading);
}

int main(int argc, char **argv)
{
	size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 200;
	char path[] = "/tmp/rules.XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || rounds == 0)
		give_up("usage: rules [ROUNDS [KIND]]");
	for (size_t i = 0; i < KINDS; i++) {
		if (argc < 3 || strcmp(argv[2], kinds[i].name) == 0)
			run(&kinds[i], path, rounds);
	}
	close(fd);
	unlink(path);
	return 0;
}
