/*
 * Programs that have their own way with a connect that fails: their timeouts, their next address
 * and their speed are under the shim what they are without it.
 */
#include "client.h"
#include "harness.h"
#include "late.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char matching_nothing[] = "[rule it]\ncall = connect\nport = 65000\nerror = refused\n";

static struct run run_client(const struct client *client, const char *name, const char *text)
{
	struct program program = client_program(client, name, RUN_SHIM);

	program.rules = rules_file(text);
	return run_program(&program);
}

static void a_timeout_of_the_program_holds(void **state)
{
	static const char script[] =
		"import socket, time\n"
		"since = time.monotonic()\n"
		"try: socket.create_connection(('127.0.0.1', @), timeout=1)\n"
		"except TimeoutError: print('timeout', round(time.monotonic() - since, 1))";
	struct late *late = late_start(&(struct late_options){ .banner = HELLO });
	struct run run = run_client(&(struct client){ .argv = { PYTHON, "-c", script } },
				    late_name(late), client_rules);

	(void)state;
	assert_output(run, "timeout 1.0\n");
	run_free(&run);
	late_stop(late);
}

/* One address never answers: the other one is taken, as soon as without the shim. */
static void happy_eyeballs_picks_the_working_address(void **state)
{
	static const char script[] =
		"import asyncio, socket, time\n"
		"async def main():\n"
		"  loop = asyncio.get_running_loop()\n"
		"  async def both(*a, **k): return [\n"
		"    (socket.AF_INET6, socket.SOCK_STREAM, 6, '', ('::1', @, 0, 0)),\n"
		"    (socket.AF_INET, socket.SOCK_STREAM, 6, '', ('127.0.0.1', @))]\n"
		"  loop.getaddrinfo = both\n"
		"  since = time.monotonic()\n"
		"  r, w = await asyncio.open_connection('two', @, happy_eyeballs_delay=.1)\n"
		"  print(w.get_extra_info('peername')[0], time.monotonic() - since < .5)\n"
		"asyncio.run(main())";
	struct late *late = late_start(&(struct late_options){ .banner = HELLO });
	char text[sizeof(script) + 64], *at = text;
	struct run run;

	(void)state;
	late_open(late);
	for (const char *from = script; *from; from++)
		at += snprintf(at, sizeof(text) - (size_t)(at - text), *from == '@' ? "%s" : "%.1s",
			       *from == '@' ? late_name(late) : from);
	run = run_client(&(struct client){ .argv = { PYTHON, "-c", text } }, "", client_rules);
	assert_output(run, "127.0.0.1 True\n");
	run_free(&run);
	late_stop(late);
}

/* Two thousand closed ports, a hundred at a time: not half as long again, in the best of some
 * tries, since others use the machine, too. */
#define SCANS 5
static void a_port_scanner_is_as_fast_as_bare(void **state)
{
	static const char script[] =
		"import select, socket, time\n"
		"def scan():\n"
		"  since = time.monotonic()\n"
		"  for start in range(1, 2000, 100):\n"
		"    poll, open = select.poll(), {}\n"
		"    for port in range(start, start + 100):\n"
		"      s = socket.socket(); s.setblocking(False); s.connect_ex(('127.0.0.9', port))\n"
		"      poll.register(s, select.POLLOUT); open[s.fileno()] = s\n"
		"    while open:\n"
		"      for fd, _ in poll.poll():\n"
		"        open[fd].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)\n"
		"        poll.unregister(fd); open.pop(fd).close()\n"
		"  return time.monotonic() - since\n"
		"print(int(min(scan() for _ in range(5)) * 1e6))";
	const struct client client = { { PYTHON, "-c", script }, "" };
	bool fast = false;

	(void)state;
	for (int i = 0; i < SCANS && !fast; i++) {
		struct run bare = run_program(&(struct program){ .argv = client.argv });
		struct run wrapped = run_client(&client, "", matching_nothing);
		long bare_us = strtol(bare.out, NULL, 10);
		long wrapped_us = strtol(wrapped.out, NULL, 10);

		print_message("2000 ports: bare %ld us, wrapped %ld us\n", bare_us, wrapped_us);
		assert_true(bare_us > 0 && wrapped_us > 0);
		fast = wrapped_us < bare_us * 3 / 2;
		run_free(&bare);
		run_free(&wrapped);
	}
	assert_true(fast);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timeout_of_the_program_holds),
		cmocka_unit_test(happy_eyeballs_picks_the_working_address),
		cmocka_unit_test(a_port_scanner_is_as_fast_as_bare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
