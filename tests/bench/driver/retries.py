"""One answer in ten is a 503: who gets the others, how fast, at what cost, and what the origin sees.

Four attempts in all, everywhere, and no wait to speak of between them, as HAProxy has it: the
shim's policy waits a microsecond. curl --retry cannot wait less than a second.
"""

import math
import os
import statistics
from dataclasses import dataclass

from . import measure
from .costs import closing
from .measure import Crowd, Failed, Figure, Loop, in_turn, median
from .report import Row, Table, show
from .servers import Haproxy, Nginx

RULES = "[policy default]\nmax_attempts = 4\nbase = 1us\njitter = none\n[rule busy]\nstatus = 503\n"
CLIENTS = 8
WAYS = ("no retries", "retryshim", "HAProxy sidecar")
CURL = ["/usr/bin/curl", "-sf", "-o", "/dev/null"]
SHELL_LOOP = ('n=1; until /usr/bin/curl -sf -o /dev/null "$0"; do '
              '[ $n -lt 4 ] || exit 1; n=$((n+1)); done')


@dataclass
class Round:
    """One batch of GETs: the client's answer, and what was seen elsewhere meanwhile."""

    answer: measure.Answer
    sidecar_ns: int
    origin_ns: int
    origin: int

    @property
    def per_second(self):
        return len(self.answer.each_ns) * 1e9 / self.answer.wall_ns

    @property
    def cpu_ns(self):
        """Of the client and the sidecar, for a GET."""
        return (self.answer.cpu_ns + self.sidecar_ns) / len(self.answer.each_ns)

    @property
    def asked(self):
        """Requests at the origin, for a GET."""
        return self.origin / len(self.answer.each_ns)


def run(loops, sidecars, nginx, batch, rounds):
    def around(name, ask):
        sidecar = sidecars.get(name)
        origin = nginx.requests()
        busy = measure.busy_ns(sidecar.pid) if sidecar else 0
        origin_busy = nginx.busy_ns()
        answer = ask()
        busy = measure.busy_ns(sidecar.pid) - busy if sidecar else 0
        origin_busy = nginx.busy_ns() - origin_busy
        return Round(answer, busy, origin_busy, nginx.requests() - origin - 1)

    return closing(loops, lambda them: in_turn(them, batch, rounds, around, must=False))


def programs(bench, nginx, haproxy, shim, clients):
    """Programs with one easy handle each, that keep their connections."""
    ways = dict(zip(WAYS, ((nginx, None), (nginx, shim), (haproxy, None))))
    prefix = "" if clients == 1 else f"{clients} clients, "
    loops = {
        prefix + name: Crowd([Loop([bench.loop, "fetch", server.url("/flaky")], settings)
                              for _ in range(clients)])
        for name, (server, settings) in ways.items()
    }
    batch, rounds = (500, 80) if clients == 1 else (200, 25)
    return run(loops, {prefix + "HAProxy sidecar": haproxy}, nginx, batch, bench.rounds(rounds))


def a_process_each(bench, nginx, haproxy, shim):
    """A curl process for every GET, as scripts have it."""
    direct, through = nginx.url("/flaky"), haproxy.url("/flaky")
    commands = {
        "curl": [*CURL, direct],
        "curl, retryshim": [*(f"{k}={v}" for k, v in shim.items()), *CURL, direct],
        "curl, HAProxy sidecar": [*CURL, through],
        "curl in a shell loop": ["/bin/sh", "-c", SHELL_LOOP, direct],
        "curl --retry 3": [*CURL, "--retry", "3", direct],
    }
    loops = {name: Loop([bench.loop, "spawn", *words]) for name, words in commands.items()}
    return run(loops, {"curl, HAProxy sidecar": haproxy}, nginx, 10, bench.rounds(25))


def summary(rounds):
    """What a line of the table says."""
    each = [ns for r in rounds for ns in r.answer.each_ns]
    count = len(each)
    return {
        "GETs": count,
        "per second": median([r.per_second for r in rounds]).value,
        "p50": statistics.median(each),
        "p99": statistics.quantiles(each, n=100)[98],
        "CPU": median([r.cpu_ns for r in rounds]).value,
        "origin CPU": sum(r.origin_ns for r in rounds) / count,
        "success": 100 * sum(r.answer.good for r in rounds) / count,
        "origin": sum(r.origin for r in rounds) / count,
    }


UNITS = {"per second": "per second", "p50": "ns", "p99": "ns", "CPU": "ns", "origin CPU": "ns",
         "success": "percent", "origin": "number"}
HEAD = ["", "GETs", "p50", "p99", "CPU", "origin's CPU", "succeed",
        "requests at the origin"]


def table(found):
    values = {name: summary(rounds) for name, rounds in found.items()}
    lines = [[name, *(show(line[key], unit) for key, unit in UNITS.items())]
             for name, line in values.items()]
    note = ("Four attempts in all; the retries follow at once, but curl's own, which wait a second at\n"
            "least. CPU is that of client and sidecar together; it, the origin's and the requests\n"
            "there are per GET. curl: a process for each GET, one at a time; the others are programs\n"
            "with one easy handle.")
    return Table("One answer in ten is a 503, from nginx", HEAD, lines, values, note)


def less_often(mine, theirs):
    """By how many percent of the GETs one succeeds less often, with its 95 % bounds."""
    less = theirs["success"] - mine["success"]
    share = [1 - side["success"] / 100 for side in (mine, theirs)]
    away = 196 * math.sqrt(sum(p * (1 - p) for p in share) / mine["GETs"])
    return Figure(less, less - away, less + away)


def claims(found, prefix, what):
    bare, shim, haproxy = (found[prefix + way] for way in WAYS)
    speed = median([s.per_second / h.per_second for s, h in zip(shim, haproxy)])
    cpu = median([s.cpu_ns / h.cpu_ns for s, h in zip(shim, haproxy)])
    # What the requests themselves cost the client: no way to retry can take less.
    least = [b.cpu_ns * s.asked for b, s in zip(bare, shim)]
    floor = median([ns / h.cpu_ns for ns, h in zip(least, haproxy)])
    mine, theirs = summary(shim), summary(haproxy)
    return [
        Row(f"one in ten a 503, beside HAProxy, {what}: requests per second", "ratio", speed, 1.3,
            at_least=True, bare=theirs["per second"], wrapped=mine["per second"],
            parts_unit="per second"),
        Row("… CPU of client and sidecar", "ratio", cpu, 0.55, bare=theirs["CPU"],
            wrapped=mine["CPU"], parts_unit="ns"),
        Row("… CPU of the bare client, asking as often: the least there is", "ratio", floor,
            bare=theirs["CPU"], wrapped=statistics.median(least), parts_unit="ns"),
        Row("… succeeds less often, by", "percent", less_often(mine, theirs), 0.02,
            bare=theirs["success"], wrapped=mine["success"]),
    ]


def measure_all(bench):
    if not os.path.exists("/usr/sbin/haproxy"):
        raise Failed("no haproxy; see scripts/setup bench")
    directory = f"{bench.directory}/retries"
    os.mkdir(directory)
    nginx = Nginx(directory)  # of its own: tied to no processor, as the others are not
    try:
        haproxy = Haproxy(directory, nginx.port)
        try:
            return measure_with(bench, nginx, haproxy)
        finally:
            haproxy.close()
    finally:
        nginx.close()


def measure_with(bench, nginx, haproxy):
    shim = bench.wrapped("retries", RULES)
    found = programs(bench, nginx, haproxy, shim, 1)
    found |= programs(bench, nginx, haproxy, shim, CLIENTS)
    found |= a_process_each(bench, nginx, haproxy, shim)
    rows = claims(found, "", "one client")
    rows += claims(found, f"{CLIENTS} clients, ", f"{CLIENTS} clients")
    return rows, table(found)
