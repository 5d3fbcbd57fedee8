"""One answer in ten is a 503: who gets the others, how fast, at what cost, and what the origin sees.

Four attempts in all, everywhere, and no wait to speak of between them, as HAProxy has it: the
shim's policy waits a microsecond. curl --retry cannot wait less than a second.
"""

import os
import statistics
from dataclasses import dataclass

from . import measure
from .costs import closing
from .measure import Failed, Loop, in_turn, median
from .report import Row, Table, exact, show
from .servers import Haproxy

RULES = "[policy default]\nmax_attempts = 4\nbase = 1us\njitter = none\n[rule busy]\nstatus = 503\n"
CURL = ["/usr/bin/curl", "-sf", "-o", "/dev/null"]
SHELL_LOOP = ('n=1; until /usr/bin/curl -sf -o /dev/null "$0"; do '
              '[ $n -lt 4 ] || exit 1; n=$((n+1)); done')


@dataclass
class Round:
    """One batch of GETs: the client's answer, and what was seen elsewhere meanwhile."""

    answer: measure.Answer
    sidecar_ns: int
    origin: int

    @property
    def per_second(self):
        return len(self.answer.each_ns) * 1e9 / self.answer.wall_ns

    @property
    def cpu_ns(self):
        """Of the client and the sidecar, for a GET."""
        return (self.answer.cpu_ns + self.sidecar_ns) / len(self.answer.each_ns)


def run(loops, sidecars, nginx, batch, rounds):
    def around(name, ask):
        sidecar = sidecars.get(name)
        origin = nginx.requests()
        busy = measure.busy_ns(sidecar.pid) if sidecar else 0
        answer = ask()
        busy = measure.busy_ns(sidecar.pid) - busy if sidecar else 0
        return Round(answer, busy, nginx.requests() - origin - 1)

    return closing(loops, lambda them: in_turn(them, batch, rounds, around, must=False))


def one_client(bench, nginx, haproxy, shim):
    """A program with one easy handle that keeps its connection."""
    direct, through = nginx.url("/flaky"), haproxy.url("/flaky")
    loops = {
        "no retries": Loop([bench.loop, "fetch", direct]),
        "retryshim": Loop([bench.loop, "fetch", direct], shim),
        "HAProxy sidecar": Loop([bench.loop, "fetch", through]),
    }
    return run(loops, {"HAProxy sidecar": haproxy}, nginx, 500, bench.rounds(80))


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
        "success": 100 * sum(r.answer.good for r in rounds) / count,
        "origin": sum(r.origin for r in rounds) / count,
    }


UNITS = {"per second": "per second", "p50": "ns", "p99": "ns", "CPU": "ns", "success": "percent",
         "origin": "number"}
HEAD = ["", "GETs", "p50", "p99", "CPU of a GET", "succeed", "at the origin, a GET"]


def table(found):
    values = {name: summary(rounds) for name, rounds in found.items()}
    lines = [[name, *(show(line[key], unit) for key, unit in UNITS.items())]
             for name, line in values.items()]
    note = ("One client at a time; four attempts in all; the retries follow at once, but curl's own,\n"
            "which wait a second at least. CPU is that of client and sidecar together, without the\n"
            "origin. curl: a process for each GET; the others are one program with one easy handle.")
    return Table("One answer in ten is a 503, from nginx", HEAD, lines, values, note)


def claims(found):
    shim, haproxy = found["retryshim"], found["HAProxy sidecar"]
    speed = median([s.per_second / h.per_second for s, h in zip(shim, haproxy)])
    cpu = median([s.cpu_ns / h.cpu_ns for s, h in zip(shim, haproxy)])
    mine, theirs = summary(shim), summary(haproxy)
    return [
        Row("one in ten a 503, beside HAProxy: requests per second", "ratio", speed, 1.3,
            at_least=True, bare=theirs["per second"], wrapped=mine["per second"],
            parts_unit="per second"),
        Row("… CPU of client and sidecar", "ratio", cpu, 0.55, bare=theirs["CPU"],
            wrapped=mine["CPU"], parts_unit="ns"),
        # Of forty thousand GETs by each, some four should fail four times.
        Row("… success rate, less than HAProxy's by", "percent",
            exact(theirs["success"] - mine["success"]), 0.02, bare=theirs["success"],
            wrapped=mine["success"]),
    ]


def measure_all(bench, nginx):
    if not os.path.exists("/usr/sbin/haproxy"):
        raise Failed("no haproxy; see scripts/setup bench")
    shim = bench.wrapped("retries", RULES)
    haproxy = Haproxy(bench.directory, nginx.port)
    try:
        found = one_client(bench, nginx, haproxy, shim)
        found |= a_process_each(bench, nginx, haproxy, shim)
    finally:
        haproxy.close()
    return claims(found), table(found)
