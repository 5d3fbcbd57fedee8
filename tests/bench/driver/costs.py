"""Beside the bare program: section by section what the library may cost, and what others do."""

from . import measure
from .measure import Failed, Loop, in_turn, median, ratio
from .report import Row, Table, exact, show

# What loop calls it, what connect-many does, what people do; is it the successful path, of which
# something is promised?
CONNECTS = (("connect", "ok", "connect(), succeeds", True),
            ("begun", "begun", "connect(), non-blocking, then poll()", True),
            ("begun", "asked", "connect(), poll(), SO_ERROR", True),
            ("selected", "selected", "connect(), select(), SO_ERROR", True),
            ("epolled", "epolled", "connect(), epoll_wait(), SO_ERROR", True),
            ("refused", "refused", "connect(), refused, no rule for it", False))


class Bench:
    """What all parts share: paths, environments, how often."""

    def __init__(self, build, directory, peers, effort):
        self.build, self.directory, self.peers, self.effort = build, directory, peers, effort
        self.counts = 1 if effort < 1 else 3  # of instructions, where servers are about
        self.shim = f"{build}/libretryshim.so"
        self.empty = {"LD_PRELOAD": f"{build}/tests/bench/empty.so"}
        self.loop = f"{build}/tests/bench/loop"
        # Rules of other calls and other errors, as a program has them that runs under a host's.
        self.quiet = self.wrapped(
            "quiet", "[rule it]\ncall = connect\nerror = ENOENT\n[rule web]\nstatus = 503\n"
        )
        # An environment of the same size: libcurl and the dynamic linker read through it.
        self.bare = {"LD_PRELOAD_": self.shim, "RETRYSHIM_RULES": self.quiet["RETRYSHIM_RULES"]}

    def wrapped(self, name, rules):
        path = f"{self.directory}/{name}.ini"
        with open(path, "w", encoding="ascii") as file:
            file.write(rules)
        return {"LD_PRELOAD": self.shim, "RETRYSHIM_RULES": path}

    def rounds(self, count):
        return max(3, round(count * self.effort))


def closing(loops, use):
    try:
        return use(loops)
    finally:
        for loop in loops.values():
            loop.close()


def middle(answers):
    return median([answer.calm_ns for answer in answers]).value


def spawn_loops(bench, variants):
    """{name: (settings, words)} → loops that start that program."""
    return {
        name: Loop([bench.loop, "spawn", *(f"{k}={v}" for k, v in settings.items()), *words],
                   cpu=0)
        for name, (settings, words) in variants.items()
    }


def drop_failing(loops):
    """Ask each once: {name: why it cannot be measured}, and those are out."""
    failed = {}
    for name in list(loops):
        try:
            loops[name].ask(2)
        except Failed as why:
            failed[name] = str(why)
            loops.pop(name).close()
    return failed


def attempt(measured, *args):
    """The number, or None where it cannot be had."""
    try:
        return measured(*args)
    except Failed:
        return None


# ---- start ----


def start(bench):
    program = ["/usr/bin/true"]
    variants = {"bare": ({}, program), "empty": (bench.empty, program),
                "retryshim": ({"LD_PRELOAD": bench.shim}, program)}
    variants |= {peer.name: (peer.environment, program) for peer in bench.peers}
    loops = spawn_loops(bench, variants)
    drop_failing(loops)
    times = closing(loops, lambda them: in_turn(them, 10, bench.rounds(150)))
    counts, calls = {}, {}
    for name, (settings, words) in variants.items():
        found = attempt(measure.instructions, words, settings)
        counts[name] = found and found[0]
        calls[name] = attempt(measure.system_calls, words, settings)
    return start_rows(times, counts, calls), start_peers(times, counts, calls)


def start_rows(times, counts, calls):
    more = lambda of: exact(of["retryshim"] - of["empty"])
    return [
        Row("start beside an empty library: instructions more", "instructions", more(counts),
            12000, bare=counts["empty"], wrapped=counts["retryshim"]),
        Row("… system calls more", "calls", more(calls), 2, bare=calls["empty"],
            wrapped=calls["retryshim"]),
        Row("… time", "ratio", ratio(times["retryshim"], times["empty"]), 1.03,
            bare=middle(times["empty"]), wrapped=middle(times["retryshim"]), parts_unit="ns"),
    ]


def difference(of, name, base):
    return None if of[name] is None else of[name] - of[base]


def start_peers(times, counts, calls):
    return {
        "start: time, beside an empty library":
            ("ratio", {name: ratio(times[name], times["empty"]).value for name in times
                       if name not in ("bare", "empty")}),
        "start: instructions more than an empty library":
            ("instructions", {name: difference(counts, name, "empty") for name in counts
                              if name not in ("bare", "empty")}),
        "start: system calls more than an empty library":
            ("calls", {name: difference(calls, name, "empty") for name in calls
                       if name not in ("bare", "empty")}),
    }


def launch(bench):
    """`LAUNCHER true`, from nothing to the end of true."""
    variants = {"bare": ({}, ["true"]),
                "retryshim": ({}, [f"{bench.build}/retryshim", "run", "true"])}
    variants |= {peer.name: ({}, [*peer.launcher, "true"]) for peer in bench.peers
                 if peer.launcher}
    loops = spawn_loops(bench, variants)
    drop_failing(loops)
    times = closing(loops, lambda them: in_turn(them, 4, bench.rounds(60)))
    rows = [
        Row(f"retryshim run true, beside {peer.name}'s launcher", "ratio",
            ratio(times["retryshim"], times[peer.name]), 1.0, bare=middle(times[peer.name]),
            wrapped=middle(times["retryshim"]), parts_unit="ns")
        for peer in bench.peers if peer.name in times
    ]
    taken = {name: middle(times[name]) for name in times}
    return rows, {"LAUNCHER true: time": ("ns", taken)}


# ---- connect() ----


def connect(bench):
    rows, beside = [], {}
    settings = {"bare": bench.bare, "retryshim": bench.quiet}
    settings |= {peer.name: peer.environment for peer in bench.peers}
    for kind, counted, what, promised in CONNECTS:
        only = settings if kind == "connect" else {n: settings[n] for n in ("bare", "retryshim")}
        found = connect_one(bench, kind, counted, only)
        rows += connect_rows(what, promised, *found)
        if kind == "connect":
            beside = connect_peers(*found)
    return rows, beside


def connect_one(bench, kind, counted, settings):
    many = [f"{bench.build}/tests/connect-many"]
    loops = {name: Loop([bench.loop, kind], env, cpu=0) for name, env in settings.items()}
    drop_failing(loops)
    times = closing(loops, lambda them: in_turn(them, 100, bench.rounds(100)))

    def each(tool, env):
        few, more = [tool([*many, str(count), counted], env) for count in (100, 900)]
        return (more - few) / 800

    run = lambda words, env: measure.instructions(words, env)[0]
    counts = {name: attempt(each, run, env) for name, env in settings.items()}
    calls = {name: attempt(each, measure.system_calls, env) for name, env in settings.items()}
    return times, counts, calls


def connect_rows(what, promised, times, counts, calls):
    return [
        Row(f"{what}: instructions more", "instructions",
            exact(counts["retryshim"] - counts["bare"]), 60 if promised else None,
            bare=counts["bare"], wrapped=counts["retryshim"]),
        Row("… system calls more", "calls", exact(calls["retryshim"] - calls["bare"]),
            0 if promised else None, bare=calls["bare"], wrapped=calls["retryshim"]),
        Row("… time", "ratio", ratio(times["retryshim"], times["bare"]),
            bare=middle(times["bare"]), wrapped=middle(times["retryshim"]), parts_unit="ns"),
    ]


def connect_peers(times, counts, calls):
    names = [name for name in counts if name != "bare"]
    return {
        "socket() and connect(): instructions more":
            ("instructions", {name: difference(counts, name, "bare") for name in names}),
        "socket() and connect(): system calls more":
            ("calls", {name: difference(calls, name, "bare") for name in names}),
        "connect(): time, beside the bare program":
            ("ratio", {name: ratio(times[name], times["bare"]).value for name in names
                       if name in times}),
    }


# ---- transfers ----


def options(bench):
    """Four options set, of which the library has to watch three."""
    words = [bench.loop, "setopt"]
    counts = [measure.instructions_each(words, env, 1000, 9000) / 4
              for env in (bench.bare, bench.quiet)]
    return [Row("curl_easy_setopt(): instructions more", "instructions",
                exact(counts[1] - counts[0]), 60, bare=counts[0], wrapped=counts[1])]


def fetch_times(bench, url, batch, rounds):
    loops = {name: Loop([bench.loop, "fetch", url], env, cpu=0)
             for name, env in (("bare", bench.bare), ("retryshim", bench.quiet))}
    return closing(loops, lambda them: in_turn(them, batch, rounds))


def fetch_row(what, times, limit=None):
    return Row(what, "ratio", ratio(times["retryshim"], times["bare"]), limit,
               bare=middle(times["bare"]), wrapped=middle(times["retryshim"]), parts_unit="ns")


def body_callback(bench, url, env):
    """Instructions for 64 MiB more, a body callback of 16 KiB."""
    words = [bench.loop, "count", url]
    runs = [measure.instructions(words, env, count) for count in (1, 2)]
    pieces = [measure.read_answer(out, 1).pieces for _, out in runs]
    return (runs[1][0] - runs[0][0]) / (pieces[1] - pieces[0])


def transfers(bench, nginx):
    small, large = nginx.url("/1k"), nginx.url("/64m")
    words = [bench.loop, "count", small]
    counts = [[measure.instructions_each(words, env, 200, 1200) for _ in range(bench.counts)]
              for env in (bench.bare, bench.quiet)]
    bare, wrapped = (median(of).value for of in counts)
    each = [median([body_callback(bench, large, env) for _ in range(bench.counts)]).value
            for env in (bench.bare, bench.quiet)]
    return [
        Row("GET of 1 KiB from nginx: instructions more", "instructions", exact(wrapped - bare),
            1000, bare=bare, wrapped=wrapped),
        fetch_row("… time", fetch_times(bench, small, 200, bench.rounds(400)), 1.01),
        Row("GET of 64 MiB from nginx: instructions more, a callback", "instructions",
            exact(each[1] - each[0]), 40, bare=each[0], wrapped=each[1]),
        fetch_row("… time", fetch_times(bench, large, 1, bench.rounds(100))),
    ]


# ---- rules, memory ----


def thousand_rules(bench):
    path = f"{bench.directory}/thousand.ini"
    with open(path, "w", encoding="ascii") as file:
        for i in range(1000):
            file.write(f"[rule service-{i}]\nstatus = 500, 502-504\nerror = reset\n"
                       f"host = *.service{i}.example\n\n")
    return path


def rules(bench):
    path, rows = thousand_rules(bench), []
    for kind, batch, what, limit in (("judge", 100, "1,000 rules judged, none fits", 20e3),
                                     ("parse", 5, "a file of 1,000 rules parsed", 2e6)):
        answers = closing({kind: Loop([bench.loop, kind, path], cpu=0)},
                          lambda them: in_turn(them, batch, bench.rounds(100)))[kind]
        rows.append(Row(what, "ns", median([answer.calm_ns for answer in answers]), limit))
    return rows


def idle_kib(env):
    """cat, that has written a line and waits for more."""
    cat = Loop(["/usr/bin/cat"], env)
    try:
        cat.begin("1 1 1 1")
        cat.finish()
        return measure.private_kib(cat.pid)
    finally:
        cat.close()


def fetching_kib(bench, env, url):
    loop = Loop([bench.loop, "fetch", url], env)
    try:
        loop.ask(20)
        return measure.private_kib(loop.pid)
    finally:
        loop.close()


def memory(bench, nginx):
    found = []
    for what, probe in (("private memory more, cat", idle_kib),
                        ("private memory more, after requests",
                         lambda env: fetching_kib(bench, env, nginx.url("/1k")))):
        bare, wrapped = ([probe(env) for _ in range(bench.rounds(9))]
                         for env in (bench.bare, bench.quiet))
        found.append(Row(what, "KiB", median([w - b for w, b in zip(wrapped, bare)]), 64,
                         bare=median(bare).value, wrapped=median(wrapped).value))
    return found


# ---- others ----


def beside_table(peers, measured):
    """{what: (unit, {name: number})} as a table, a column for each library."""
    names = ["bare", "retryshim", *(peer.name for peer in peers)]
    lines = [[what, *(show(values[name], unit) if values.get(name) is not None else "-"
                      for name in names)]
             for what, (unit, values) in measured.items()]
    note = ("All are told to let calls pass: proxychains4 has loopback for its local net, torsocks\n"
            "may reach loopback, libfiu and socket_wrapper have nothing enabled, faketime is at +0.\n"
            "socket_wrapper has no launcher.")
    values = {what: values for what, (unit, values) in measured.items()}
    return Table("Beside other preloaded libraries", ["", *names], lines, values,
                 note if peers else "")
