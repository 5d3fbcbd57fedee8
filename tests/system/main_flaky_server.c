/*
 * flaky-server: the misbehaving server as a program of its own.
 *
 * Answers the first N requests with a failure, every later one with the object. Lives until its
 * stdin ends or a signal ends it, so that it cannot outlive the script that started it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server.h"

static const char usage[] =
	"usage: flaky-server [--fail N] [--status CODE] [--body FILE] [--object FILE]\n"
	"                    [--header 'Name: value'] [--port PORT] [--port-file FILE]\n"
	"                    [--delay-listen MS]\n";

struct settings {
	int fail, status, delay_listen_ms, port;
	const char *body, *object, *header, *port_file;
};

_Noreturn static void die(const char *what, const char *which)
{
	(void)fprintf(stderr, "flaky-server: %s: %s\n%s", what, which, usage);
	exit(2);
}

static int number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end != '\0' || value < 0 || value > 1000000)
		die("not a number", text);
	return (int)value;
}

static void read_options(int argc, char **argv, struct settings *settings)
{
	static const struct option options[] = {
		{ "fail", required_argument, NULL, 'f' },
		{ "status", required_argument, NULL, 's' },
		{ "body", required_argument, NULL, 'b' },
		{ "object", required_argument, NULL, 'o' },
		{ "header", required_argument, NULL, 'h' },
		{ "port", required_argument, NULL, 'p' },
		{ "port-file", required_argument, NULL, 'P' },
		{ "delay-listen", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			settings->fail = number(optarg);
			break;
		case 's':
			settings->status = number(optarg);
			break;
		case 'b':
			settings->body = optarg;
			break;
		case 'o':
			settings->object = optarg;
			break;
		case 'h':
			settings->header = optarg;
			break;
		case 'p':
			settings->port = number(optarg);
			break;
		case 'P':
			settings->port_file = optarg;
			break;
		case 'd':
			settings->delay_listen_ms = number(optarg);
			break;
		default:
			die("bad option", argv[optind - 1]);
		}
	}
	if (optind < argc)
		die("unexpected", argv[optind]);
	if (settings->port > 65535)
		die("no port", "--port");
}

/* The file's bytes, freed by the caller; NULL where there is no file. */
static char *file_bytes(const char *path, size_t *len)
{
	FILE *file = path ? fopen(path, "rb") : NULL;
	char *data = NULL;
	long size = -1;

	*len = 0;
	if (!path)
		return NULL;
	if (file && fseek(file, 0, SEEK_END) == 0)
		size = ftell(file);
	if (size < 0)
		die("cannot read", path);
	data = malloc((size_t)size + 1);
	if (!data || fseek(file, 0, SEEK_SET) != 0 ||
	    fread(data, 1, (size_t)size, file) != (size_t)size)
		die("cannot read", path);
	(void)fclose(file);
	*len = (size_t)size;
	return data;
}

/* The port appears whole or not at all: whoever waits for the file may read it at once. */
static void tell_port(const struct settings *settings, const struct server *server)
{
	char *fresh = NULL;
	FILE *file;

	(void)printf("%u\n", server_port(server));
	(void)fflush(stdout);
	if (!settings->port_file)
		return;
	if (asprintf(&fresh, "%s.new", settings->port_file) < 0)
		die("memory", "");
	file = fopen(fresh, "w");
	if (!file || fprintf(file, "%u\n", server_port(server)) < 0 || fclose(file) != 0 ||
	    rename(fresh, settings->port_file) != 0)
		die("cannot write", settings->port_file);
	free(fresh);
}

static void wait_for_stdin_to_end(void)
{
	char sink[256];

	while (read(STDIN_FILENO, sink, sizeof(sink)) > 0)
		continue;
}

int main(int argc, char **argv)
{
	struct settings settings = { .status = 503 };
	struct reply script[2] = { { 0 }, { 0 } };
	struct server_options options = { 0 };
	char headers[1024] = "";
	struct server *server;
	char *failure, *object;

	read_options(argc, argv, &settings);
	if (settings.header)
		(void)snprintf(headers, sizeof(headers), "%s\r\n", settings.header);
	script[0].status = settings.status;
	script[0].times = settings.fail;
	script[0].headers = headers;
	failure = file_bytes(settings.body, &script[0].body_len);
	object = file_bytes(settings.object, &script[1].body_len);
	script[0].body = failure;
	script[1].body = object;
	options.port = (uint16_t)settings.port;
	options.open_after_ms = settings.delay_listen_ms;
	options.opening = settings.delay_listen_ms > 0 ? SERVER_LATE : SERVER_AT_ONCE;
	server = settings.fail > 0 ? server_start_with(&options, script, 2)
				   : server_start_with(&options, script + 1, 1);
	tell_port(&settings, server);
	wait_for_stdin_to_end();
	server_stop(server);
	free(failure);
	free(object);
	return 0;
}
