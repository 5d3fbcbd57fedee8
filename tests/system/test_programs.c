/*
 * Debian's own programs, which come before the server they need does: each fails bare, and works
 * under the shim.
 */
#include "client.h"
#include "harness.h"
#include "late.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void fails_bare(const struct client *client, const char *name)
{
	struct program program = client_program(client, name, RUN_BARE);
	struct run run = run_program(&program);

	assert_lacks(run.out, client->prints);
	run_free(&run);
}

static void works_wrapped(const struct client *client, struct late *late, const char *after)
{
	struct program program = client_program(client, late_name(late), RUN_SHIM);
	struct child *child = child_start(&program);
	struct run run;

	assert_true(child_wait_output(child, after));
	late_open(late);
	run = child_finish(child);
	if (!strstr(run.out, client->prints))
		print_error("%s: status %d, %s\n", client->argv[0], run.status, run.err);
	assert_contains(run.out, client->prints);
	assert_contains(run.err, "event=recovered rule=it call=connect");
	run_free(&run);
}

static void check(const struct client *client, const struct late_options *options)
{
	struct late *late = late_start(options);

	fails_bare(client, late_name(late));
	works_wrapped(client, late, "attempt=3 ");
	late_stop(late);
}

/* ---- those that only want to hear something ---- */

static void check_greeted(const struct client *client)
{
	check(client, &(struct late_options){ .banner = HELLO });
}

static void check_greeted_on_path(const struct client *client)
{
	check(client, &(struct late_options){ .path = temp_path("late"), .banner = HELLO });
}

static void netcat(void **state)
{
	(void)state;
	check_greeted(&(struct client){ { "nc", "-N", "127.0.0.1", "@" }, HELLO });
	check_greeted(&(struct client){ { "nc", "-N", "-w", "10", "127.0.0.1", "@" }, HELLO });
	check_greeted_on_path(&(struct client){ { "nc", "-N", "-U", "@" }, HELLO });
}

/* Its connect timeout is alarm() and siglongjmp(). */
static void wget(void **state)
{
	(void)state;
	check(&(struct client){ { "wget", "-q", "-t", "1", "-T", "10", "-O", "-",
				  "http://127.0.0.1:@/" },
				HELLO },
	      &(struct late_options){ .banner = "HTTP/1.0 200 OK\r\n\r\n" HELLO });
}

static void ssh(void **state)
{
	static const char *const argv[] = { "ssh", "-v",   "-o",       "BatchMode=yes",
					    "-F",  "none", "-o",       "ConnectTimeout=10",
					    "-p",  "@",    "127.0.0.1" };
	struct client client = { .prints = "" };
	struct late *late = late_start(&(struct late_options){ .banner = "SSH-2.0-late\r\n" });
	struct program program;
	struct child *child;
	struct run run;

	(void)state;
	memcpy(client.argv, argv, sizeof(argv));
	program = client_program(&client, late_name(late), RUN_BARE);
	run = run_program(&program);
	assert_contains(run.err, "Connection refused");
	run_free(&run);
	program = client_program(&client, late_name(late), RUN_SHIM);
	child = child_start(&program);
	assert_true(child_wait_output(child, "attempt=3 "));
	late_open(late);
	run = child_finish(child);
	assert_contains(run.err, "remote software version late");
	assert_lacks(run.err, "refused\n");
	run_free(&run);
	late_stop(late);
}

static void python(void **state)
{
	static const char blocking[] = "import socket\n"
				       "s = socket.create_connection(('127.0.0.1', @))\n"
				       "print(s.makefile().read())";
	static const char limited[] = "import socket\n"
				      "s = socket.create_connection(('127.0.0.1', @), timeout=10)\n"
				      "print(s.makefile().read())";
	static const char path[] = "import asyncio\n"
				   "async def main():\n"
				   "  r, w = await asyncio.open_unix_connection('@')\n"
				   "  print((await r.read()).decode())\n"
				   "asyncio.run(main())";

	(void)state;
	check_greeted(&(struct client){ { PYTHON, "-c", blocking }, HELLO });
	check_greeted(&(struct client){ { PYTHON, "-c", limited }, HELLO });
	check_greeted_on_path(&(struct client){ { PYTHON, "-c", path }, HELLO });
}

/* An event loop goes on: its ticks of 20 ms stay so for the two seconds. */
static void asyncio(void **state)
{
	static const char script[] =
		"import asyncio, time\n"
		"gaps = []\n"
		"async def tick():\n"
		"  last = time.monotonic()\n"
		"  while True:\n"
		"    await asyncio.sleep(.02)\n"
		"    now = time.monotonic(); gaps.append(now - last); last = now\n"
		"async def main():\n"
		"  task = asyncio.create_task(tick())\n"
		"  r, w = await asyncio.open_connection('127.0.0.1', @)\n"
		"  text = (await r.read()).decode()\n"
		"  print(text, 'steady' if len(gaps) > 50 and max(gaps) < .1 else max(gaps))\n"
		"asyncio.run(main())";
	const struct client client = { { PYTHON, "-c", script }, HELLO " steady" };
	struct late *late = late_start(&(struct late_options){ .banner = HELLO });

	(void)state;
	fails_bare(&client, late_name(late));
	works_wrapped(&client, late, "attempt=95 ");
	late_stop(late);
}

static void node(void **state)
{
	static const char script[] = "require('net').connect(@, '127.0.0.1')"
				     ".on('data', d => process.stdout.write(d))"
				     ".on('error', e => console.log(e.code))";
	static const char path[] = "require('net').connect('@')"
				   ".on('data', d => process.stdout.write(d))"
				   ".on('error', e => console.log(e.code))";

	(void)state;
	check_greeted(&(struct client){ { "node", "-e", script }, HELLO });
	check_greeted_on_path(&(struct client){ { "node", "-e", path }, HELLO });
}

/* ---- those that need their real server ---- */

/* Wait until a server answers on its socket. */
static void await(const char *const *argv, const char *answer)
{
	for (int i = 0; i < 200; i++) {
		struct run run = run_program(&(struct program){ .argv = argv });
		bool there = strstr(run.out, answer) != NULL;

		run_free(&run);
		if (there)
			return;
		usleep(50000);
	}
	fail_msg("%s: no server", argv[0]);
}

static void end(struct child *server)
{
	struct run run;

	kill(child_pid(server), SIGTERM);
	run = child_finish(server);
	run_free(&run);
}

static void redis(void **state)
{
	const char *path = temp_path("redis");
	const char *const argv[] = { "redis-server", "--port",      "0",  "--unixsocket",
				     path,           "--save",      "",   "--dir",
				     temp_dir(),     "--daemonize", "no", NULL };
	const char *const ping[] = { "redis-cli", "-s", path, "ping", NULL };
	struct child *server = child_start(&(struct program){ .argv = argv });

	(void)state;
	await(ping, "PONG");
	check(&(struct client){ { "redis-cli", "-p", "@", "ping" }, "PONG" },
	      &(struct late_options){ .relay = path });
	check(&(struct client){ { "redis-cli", "-s", "@", "ping" }, "PONG" },
	      &(struct late_options){ .path = temp_path("late-redis"), .relay = path });
	end(server);
}

/* PostgreSQL refuses to run as root. */
static struct child *start_postgres(const char *dir)
{
	static const char script[] =
		"PATH=$PATH:$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)\n"
		"initdb -D \"$0/data\" -A trust -U test --no-sync --no-instructions >/dev/null &&\n"
		"exec postgres -D \"$0/data\" -k \"$0\" -c listen_addresses= -p 5432 -F";
	const char *const as_root[] = { "setpriv",
					"--reuid=postgres",
					"--regid=postgres",
					"--clear-groups",
					"sh",
					"-c",
					script,
					dir,
					NULL };

	return child_start(&(struct program){
		.argv = getuid() == 0 ? as_root : as_root + 4,
		.timeout_ms = 60000,
	});
}

static void postgres(void **state)
{
	char dir[] = "/tmp/retryshim-pg-XXXXXX", path[64], late_dir[64], late_path[96];
	const char *const select[] = { "psql",          "-h",       dir, "-U", "test", "-Atc",
				       "select 40 + 2", "postgres", NULL };
	const char *const owner[] = { "chown", "postgres", dir, NULL };
	const char *const sweep[] = { "rm", "-rf", dir, NULL };
	struct child *server;

	(void)state;
	assert_non_null(mkdtemp(dir));
	if (getuid() == 0)
		run_free(&(struct run[]){ run_program(&(struct program){ .argv = owner }) }[0]);
	server = start_postgres(dir);
	await(select, "42");
	(void)snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", dir);
	(void)snprintf(late_dir, sizeof(late_dir), "%s/late", dir);
	(void)snprintf(late_path, sizeof(late_path), "%s/.s.PGSQL.5432", late_dir);
	assert_int_equal(mkdir(late_dir, 0755), 0);
	check(&(struct client){ { "psql", "-h", "127.0.0.1", "-p", "@", "-U", "test", "-Atc",
				  "select 40 + 2", "postgres" },
				"42\n" },
	      &(struct late_options){ .relay = path });
	check(&(struct client){ { "psql", "-h", late_dir, "-U", "test", "-Atc", "select 40 + 2",
				  "postgres" },
				"42\n" },
	      &(struct late_options){ .path = late_path, .relay = path });
	end(server);
	run_free(&(struct run[]){ run_program(&(struct program){ .argv = sweep }) }[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(netcat), cmocka_unit_test(wget),     cmocka_unit_test(ssh),
		cmocka_unit_test(python), cmocka_unit_test(asyncio),  cmocka_unit_test(node),
		cmocka_unit_test(redis),  cmocka_unit_test(postgres),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
