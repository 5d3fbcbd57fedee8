/*
 * Faults on purpose in connects and in name look-ups.
 */
#include "faulty.h"

#include <stdio.h>
#include <string.h>

#define RULES FAULTY_RULES("")

/* ---- connect ---- */

static void a_connect_fails_and_is_retried(void **state)
{
	struct server *server = serve();
	char port[8];
	struct run run;

	(void)state;
	(void)snprintf(port, sizeof(port), "%d", server_port(server));
	run = RUN(NO_RULES, "call=connect,error=ETIMEDOUT", helper_path("connect-once"),
		  "127.0.0.1", port);
	assert_exit(run, 1);
	assert_output(run, "connect: Connection timed out\n");
	run_free(&run);
	run = RUN(RULES, "call=connect,error=refused,first=2,delay=5ms",
		  helper_path("connect-once"), "127.0.0.1", port);
	assert_exit(run, 0);
	assert_int_equal(count_lines(run.err, "event=retry rule=it"), 2);
	run_free(&run);
	run = RUN(NO_RULES, "call=connect,error=refused,port=1", helper_path("connect-once"),
		  "127.0.0.1", port);
	assert_exit(run, 0);
	run_free(&run);
	server_stop(server);
}

static const char nonblocking[] =
	"import errno, socket, sys\n"
	"s = socket.socket()\n"
	"s.setblocking(False)\n"
	"print(errno.errorcode[s.connect_ex(('127.0.0.1', int(sys.argv[1])))])\n"
	"u = socket.socket(socket.AF_UNIX)\n"
	"print(errno.errorcode[u.connect_ex('/nowhere/x')])\n"
	"print(socket.socket(type=socket.SOCK_DGRAM).connect_ex(('127.0.0.1', 9)))\n";

/* A non-blocking connect does not wait for a delay; datagrams connect to nothing. */
static void other_sockets(void **state)
{
	struct server *server = serve();
	char port[8];
	struct run run;

	(void)state;
	(void)snprintf(port, sizeof(port), "%d", server_port(server));
	run = RUN(NO_RULES, "call=connect,error=ENETUNREACH,address=127.0.0.0/8,delay=30s",
		  "/usr/bin/python3", "-c", nonblocking, port);
	assert_exit(run, 0);
	assert_output(run, "EINPROGRESS\nENOENT\n0\n");
	assert_true(run.elapsed_ns < INT64_C(10000000000));
	run_free(&run);
	run = RUN(NO_RULES, "call=connect,error=ENETUNREACH,address=127.0.0.0/8",
		  "/usr/bin/python3", "-c", nonblocking, port);
	assert_output(run, "ENETUNREACH\nENOENT\n0\n");
	run_free(&run);
	run = RUN(NO_RULES, "call=connect,error=EACCES,address=/nowhere/*", "/usr/bin/python3",
		  "-c", nonblocking, port);
	assert_output(run, "EINPROGRESS\nEACCES\n0\n");
	run_free(&run);
	server_stop(server);
}

static const char connected[] =
	"import errno, socket, sys\n"
	"s, l = socket.socket(), socket.socket()\n"
	"s.connect(('127.0.0.1', int(sys.argv[1])))\n"
	"l.listen()\n"
	"for it in s, l:\n"
	"    print(errno.errorcode[it.connect_ex(('127.0.0.1', int(sys.argv[1])))])\n";

/* To connect what is connected is no attempt that could fail otherwise, nor is it counted. */
static void what_is_connected_is_not_struck(void **state)
{
	struct server *server = serve();
	char port[8];
	struct run run;

	(void)state;
	(void)snprintf(port, sizeof(port), "%d", server_port(server));
	run = RUN(NO_RULES, "call=connect,error=refused,every=2", "/usr/bin/python3", "-c",
		  connected, port);
	assert_exit(run, 0);
	assert_output(run, "EISCONN\nEISCONN\n");
	assert_int_equal(count_lines(run.err, "event=fault"), 0);
	run_free(&run);
	server_stop(server);
}

/* connect() as it is, not as Python goes on after a signal; then what becomes of the connect. */
static const char waiting[] =
	"import ctypes, errno, select, signal, socket, struct, sys, time\n"
	"def connect():\n"
	"    ctypes.set_errno(0)\n"
	"    libc.connect(s.fileno(), address, len(address))\n"
	"    return errno.errorcode.get(ctypes.get_errno(), '0')\n"
	"libc = ctypes.CDLL(None, use_errno=True)\n"
	"port, way, then = int(sys.argv[1]), sys.argv[2], sys.argv[3]\n"
	"address = struct.pack('=HH4s8x', 2, socket.htons(port), bytes((127, 0, 0, 1)))\n"
	"s, began = socket.socket(), time.monotonic()\n"
	"if 'limit' in way:\n"
	"    limit = struct.pack('ll', 0, 200000)\n"
	"    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)\n"
	"if 'signal' in way or 'restart' in way:\n"
	"    signal.signal(signal.SIGALRM, lambda *args: None)\n"
	"    signal.siginterrupt(signal.SIGALRM, 'signal' in way)\n"
	"    signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
	"    signal.setitimer(signal.ITIMER_REAL, 0.1)\n"
	"if 'poll' in way: s.setblocking(False)\n"
	"print(connect())\n"
	"if way == 'restart': print(time.monotonic() - began >= 0.3)\n"
	"if then == 'wait':\n"
	"    poll = select.poll()\n"
	"    poll.register(s, select.POLLOUT)\n"
	"    poll.poll()\n"
	"    error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)\n"
	"    print(errno.errorcode.get(error, '0'))\n"
	"if then == 'again': print(connect())\n";

static void a_delay_is_waited_out_as_the_kernel_would(void **state)
{
	static const struct {
		const char *fault, *way, *then, *output;
	} rows[] = {
		{ "delay=60s", "limit", "wait", "EINPROGRESS\n0\n" },
		{ "delay=60s", "signal", "wait", "EINTR\n0\n" },
		{ "delay=60s", "restart limit", "wait", "EINTR\n0\n" },
		{ "delay=300ms", "restart", "", "0\nTrue\n" },
		{ "delay=500ms,error=refused", "limit", "wait", "EINPROGRESS\nECONNREFUSED\n" },
		{ "delay=300ms,error=refused", "signal", "wait", "EINTR\nECONNREFUSED\n" },
		{ "delay=300ms,error=refused", "signal", "again", "EINTR\nECONNREFUSED\n" },
		{ "delay=300ms,error=refused", "restart", "", "ECONNREFUSED\nTrue\n" },
	};
	struct server *server = serve();
	char port[8];

	(void)state;
	(void)snprintf(port, sizeof(port), "%d", server_port(server));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char fault[64];
		struct run run;

		(void)snprintf(fault, sizeof(fault), "call=connect,%s", rows[i].fault);
		run = RUN(NO_RULES, fault, "/usr/bin/python3", "-c", waiting, port, rows[i].way,
			  rows[i].then);
		assert_exit(run, 0);
		assert_output(run, rows[i].output);
		assert_true(run.elapsed_ns < INT64_C(30000000000));
		assert_int_equal(count_lines(run.err, "event=fault"), 1);
		run_free(&run);
	}
	server_stop(server);
}

#define LIMIT "[rule slow]\nerror = timeout\nmax_attempts = 1\nconnect_timeout = 200ms\n"

/* A limit that a rule sets. */
static void a_delay_can_be_a_timeout(void **state)
{
	struct server *server = serve();
	char port[8];
	struct run run;

	(void)state;
	(void)snprintf(port, sizeof(port), "%d", server_port(server));
	run = RUN(LIMIT, "call=connect,delay=60s", "/usr/bin/python3", "-c", waiting, port, "", "");
	assert_output(run, "ETIMEDOUT\n");
	run_free(&run);
	run = RUN(LIMIT, "call=connect,delay=60s", "/usr/bin/python3", "-c", waiting, port, "poll",
		  "wait");
	assert_output(run, "EINPROGRESS\nETIMEDOUT\n");
	run_free(&run);
	run = RUN(LIMIT, "call=connect,delay=10ms", "/usr/bin/python3", "-c", waiting, port, "",
		  "");
	assert_output(run, "0\n");
	run_free(&run);
	server_stop(server);
}

/* libcurl's own connects are not the program's. */
static void a_transfer_is_struck_once(void **state)
{
	struct server *server = serve();
	struct run run =
		RUN(NO_RULES, "call=connect,error=refused", "curl", "-sS", server_url(server, "/"));

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "object\n");
	run_free(&run);
	server_stop(server);
}

/* ---- look-ups ---- */

/* Whatever is looked up is found: in a library below the one under test. */
static struct run look_up(const char *rules, const char *fault, const char *function,
			  const char *times)
{
	char preload[512];
	const char *const env[] = { preload, NULL };
	const char *const program[] = { helper_path("lookup"), function, times, NULL };

	(void)snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", helper_path("plugin-lookups.so"));
	return run_faulty(rules, fault, env, program);
}

static void every_function_fails(void **state)
{
	static const struct {
		const char *function, *error, *output;
	} rows[] = {
		{ "getaddrinfo", "EAI_AGAIN", "Temporary failure in name resolution\n" },
		{ "getaddrinfo", "dns", "Temporary failure in name resolution\n" },
		{ "getaddrinfo", "timeout", "Temporary failure in name resolution\n" },
		{ "getaddrinfo", "EAI_FAMILY", "ai_family not supported\n" },
		{ "getaddrinfo", "EHOSTUNREACH", "EAI_SYSTEM EHOSTUNREACH\n" },
		{ "getaddrinfo", "EAI_SYSTEM", "EAI_SYSTEM EIO\n" },
		{ "gethostbyname", "EAI_NONAME", "Unknown host\n" },
		{ "gethostbyname", "EAI_AGAIN", "Host name lookup failure\n" },
		{ "gethostbyname2", "EAI_NODATA", "No address associated with name\n" },
		{ "gethostbyname2_r", "EAI_FAIL", "Unknown server error\n" },
		{ "gethostbyname2_r", "EAI_FAMILY", "Unknown server error\n" },
		{ "gethostbyname2_r", "ENETDOWN", "Resolver internal error\n" },
		{ "status", "EAI_AGAIN", "EAGAIN EAGAIN 2 nothing\n" },
		{ "status", "EAI_NONAME", "0 0 1 nothing\n" },
		{ "status", "ENETDOWN", "ENETDOWN ENETDOWN -1 nothing\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char fault[64];
		struct run run;

		(void)snprintf(fault, sizeof(fault), "call=resolve,error=%s", rows[i].error);
		run = look_up(NO_RULES, fault, rows[i].function, "1");
		assert_exit(run, 0);
		assert_output(run, rows[i].output);
		assert_contains(run.err, "event=fault fault=fault-1 call=resolve "
					 "target=service.test");
		run_free(&run);
	}
}

static void a_look_up_is_retried(void **state)
{
	struct run run = look_up(RULES, "call=resolve,error=EAI_AGAIN,first=2,delay=100ms",
				 "getaddrinfo", "1");

	(void)state;
	assert_output(run, "found\n");
	assert_int_equal(count_lines(run.err, "event=fault fault=fault-1 call=resolve "
					      "target=service.test:80 error=EAI_AGAIN "
					      "delay_ms=100"),
			 2);
	assert_int_equal(count_lines(run.err, "event=retry rule=it call=resolve"), 2);
	assert_int_equal(count_lines(run.err, "event=recovered"), 1);
	assert_true(run.elapsed_ns >= INT64_C(200000000));
	run_free(&run);
}

static const char interrupted[] = "import signal, socket, time\n"
				  "signal.signal(signal.SIGALRM, lambda *args: None)\n"
				  "signal.setitimer(signal.ITIMER_REAL, 0.05)\n"
				  "began = time.monotonic()\n"
				  "try:\n"
				  "    socket.getaddrinfo('service.test', 80)\n"
				  "except socket.gaierror:\n"
				  "    print(time.monotonic() - began >= 0.3)\n";

static void a_signal_ends_no_delay(void **state)
{
	struct run run = RUN(NO_RULES, "call=resolve,error=dns,delay=300ms", "/usr/bin/python3",
			     "-c", interrupted);

	(void)state;
	assert_exit(run, 0);
	assert_output(run, "True\n");
	run_free(&run);
}

static void which_and_how_often(void **state)
{
	static const struct {
		const char *fault, *function, *output;
	} rows[] = {
		{ "error=dns,every=2", "gethostbyname",
		  "found\nHost name lookup failure\nfound\nHost name lookup failure\n" },
		{ "call=resolve,error=EAI_NONAME,first=1", "gethostbyname",
		  "Unknown host\nfound\nfound\nfound\n" },
		{ "call=resolve,error=dns,host=*.example", "gethostbyname",
		  "found\nfound\nfound\nfound\n" },
		{ "call=resolve,error=dns,port=443", "getaddrinfo",
		  "found\nfound\nfound\nfound\n" },
		{ "error=refused", "getaddrinfo", "found\nfound\nfound\nfound\n" },
		{ "status=503", "getaddrinfo", "found\nfound\nfound\nfound\n" },
		{ "call=resolve,error=EAI_FAIL", "digits", "found\nfound\nfound\nfound\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct run run = look_up(NO_RULES, rows[i].fault, rows[i].function, "4");

		assert_exit(run, 0);
		assert_output(run, rows[i].output);
		run_free(&run);
	}
}

static void a_seed_makes_look_ups_repeatable(void **state)
{
	static const char fault[] = "call=resolve,error=EAI_FAIL,probability=0.5";
	struct run first = look_up("[retryshim]\nseed = 7\n", fault, "gethostbyname", "100");
	struct run again = look_up("[retryshim]\nseed = 7\n", fault, "gethostbyname", "100");
	struct run other = look_up("[retryshim]\nseed = 8\n", fault, "gethostbyname", "100");

	(void)state;
	assert_string_equal(first.out, again.out);
	assert_string_not_equal(first.out, other.out);
	assert_in_range(count_lines(first.out, "found"), 25, 75); /* five sigma */
	run_free(&first);
	run_free(&again);
	run_free(&other);
}

/* libcurl's own look-ups are not the program's, in whatever thread it makes them. */
static void look_ups_of_a_transfer_are_its_own(void **state)
{
	struct server *server = serve();
	char preload[512], url[64];
	const char *const env[] = { preload, NULL };
	const char *const program[] = { "curl", "-sS", url, NULL };
	struct run run;

	(void)state;
	(void)snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", helper_path("plugin-lookups.so"));
	(void)snprintf(url, sizeof(url), "http://service.test:%d/", server_port(server));
	run = run_faulty(NO_RULES, "call=resolve,error=EAI_AGAIN", env, program);
	assert_exit(run, 0);
	assert_output(run, "object\n");
	assert_lacks(run.err, "target=service.test");
	run_free(&run);
	server_stop(server);
}

/* ---- both ---- */

/* Sections of a rules file strike from the first call on, without -f. */
static void check_section(const char *section, const char *const *program, const char *output)
{
	const char *argv[16] = { command_path(), "run", "-r", rules_file(section) };
	char preload[512];
	const char *const env[] = { preload, NULL };
	struct run run;

	for (size_t i = 0; i < 11 && program[i]; i++)
		argv[4 + i] = program[i];
	(void)snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", helper_path("plugin-lookups.so"));
	run = run_program(&(struct program){ .argv = argv, .env = env });
	assert_output(run, output);
	run_free(&run);
}

static void sections_of_a_file(void **state)
{
	const char *const connects[] = { helper_path("connect-once"), "127.0.0.1", "1", NULL };
	const char *const looks_up[] = { helper_path("lookup"), "getaddrinfo", NULL };

	(void)state;
	check_section("[fault it]\ncall = connect\nerror = ENETUNREACH\n", connects,
		      "connect: Network is unreachable\n");
	check_section("[fault it]\ncall = resolve\nerror = EAI_FAIL\n", looks_up,
		      "Non-recoverable failure in name resolution\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connect_fails_and_is_retried),
		cmocka_unit_test(other_sockets),
		cmocka_unit_test(what_is_connected_is_not_struck),
		cmocka_unit_test(a_delay_is_waited_out_as_the_kernel_would),
		cmocka_unit_test(a_delay_can_be_a_timeout),
		cmocka_unit_test(a_transfer_is_struck_once),
		cmocka_unit_test(every_function_fails),
		cmocka_unit_test(a_look_up_is_retried),
		cmocka_unit_test(a_signal_ends_no_delay),
		cmocka_unit_test(which_and_how_often),
		cmocka_unit_test(a_seed_makes_look_ups_repeatable),
		cmocka_unit_test(look_ups_of_a_transfer_are_its_own),
		cmocka_unit_test(sections_of_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
