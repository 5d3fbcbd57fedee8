"""Measuring: loops that are asked in turn, and counts that do not depend on time."""

import math
import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass


class Failed(Exception):
    """This figure cannot be had; the text says why."""


@dataclass
class Answer:
    """What a loop says of so many repetitions (see tests/bench/loop.c)."""

    wall_ns: int
    cpu_ns: int
    good: int
    pieces: int
    each_ns: list

    @property
    def calm_ns(self):
        """What nine in ten took at least: noise only ever adds."""
        return sorted(self.each_ns)[len(self.each_ns) // 10]


def environment(settings):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, **settings}


class Loop:
    """A running copy of build/tests/bench/loop, under an environment, on a processor."""

    def __init__(self, words, settings=None, cpu=None):
        # More than one processor: client and server stay apart, and do not wander.
        pin = cpu is not None and os.cpu_count() > 1
        self.process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(settings or {}),
            text=True,
            preexec_fn=(lambda: os.sched_setaffinity(0, {cpu})) if pin else None,
        )
        self.words = words

    @property
    def pid(self):
        return self.process.pid

    def begin(self, count):
        try:
            self.process.stdin.write(f"{count}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failed("the program ended") from None

    def finish(self, least_good=0):
        return read_answer(self.process.stdout.readline(), least_good)

    def ask(self, count, must=True):
        self.begin(count)
        return self.finish(count if must else 0)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Crowd:
    """Several loops that are asked at once, as if they were one."""

    def __init__(self, loops):
        self.loops = loops

    def ask(self, count, must=True):
        began_ns = time.monotonic_ns()
        for loop in self.loops:
            loop.begin(count)
        answers = [loop.finish(count if must else 0) for loop in self.loops]
        return Answer(
            time.monotonic_ns() - began_ns,
            sum(answer.cpu_ns for answer in answers),
            sum(answer.good for answer in answers),
            sum(answer.pieces for answer in answers),
            [ns for answer in answers for ns in answer.each_ns],
        )

    def close(self):
        for loop in self.loops:
            loop.close()


def read_answer(line, least_good):
    numbers = [int(word) for word in line.split()]
    if len(numbers) < 4:
        raise Failed("the program ended")
    answer = Answer(*numbers[:4], numbers[4:])
    if answer.good < least_good:
        raise Failed(f"{least_good - answer.good} of {least_good} calls failed")
    return answer


def in_turn(loops, batch, rounds, around=None, must=True):
    """Ask each of {name: loop} for a batch, round after round; {name: [Answer]}. Who begins
    changes with the round. `around(name, ask)` may look at something before and after."""
    names = list(loops)
    answers = {name: [] for name in names}
    for name in names:
        loops[name].ask(batch, must)  # the first time everything is cold
    for number in range(rounds):
        for place in range(len(names)):
            name = names[(place + number) % len(names)]
            ask = lambda: loops[name].ask(batch, must)
            answers[name].append(around(name, ask) if around else ask())
    return answers


@dataclass
class Figure:
    """A median and the bounds within which the true one lies with 95 % certainty."""

    value: float
    low: float
    high: float


def median(values):
    ordered = sorted(values)
    count = len(ordered)
    # Order statistics: the ranks n/2 -+ 1.96 * sqrt(n)/2.
    away = 0.98 * math.sqrt(count)
    low = max(0, math.floor(count / 2 - away))
    high = min(count - 1, math.ceil(count / 2 + away) - 1)
    return Figure(statistics.median(ordered), ordered[low], ordered[high])


def ratio(over, under, key=lambda answer: answer.calm_ns):
    """Of the two answers of each round: what slows one round down slows both."""
    return median([key(a) / key(b) for a, b in zip(over, under)])


def run_loop(words, count, settings):
    """The program under a tool, asked once: (its answer, what the tool said)."""
    done = subprocess.run(
        words,
        input=f"{count}\n",
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Failed(f"exit status {done.returncode}")
    return done.stdout, done.stderr


CALLGRIND = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]


def with_same_size(settings):
    """valgrind gives every program an LD_PRELOAD: one that has its own has a variable less, and
    libcurl reads through them all for each request."""
    return {"LD_PRELOAD_": settings["LD_PRELOAD"], **settings} if "LD_PRELOAD" in settings else settings


def instructions(words, settings, count=0):
    """User instructions of a run, and what it printed."""
    out, err = run_loop([*CALLGRIND, *words], count, with_same_size(settings))
    for line in err.splitlines():
        if "Collected :" in line:
            return int(line.split()[-1]), out
    raise Failed("callgrind counted nothing")


def instructions_each(words, settings, few, many):
    """User instructions of one repetition: what `many - few` more of them add, divided."""
    counts = [instructions(words, settings, count)[0] for count in (few, many)]
    return (counts[1] - counts[0]) / (many - few)


def system_calls(words, settings, count=0):
    """System calls of a run, threads and children included."""
    with tempfile.NamedTemporaryFile(mode="r", prefix="bench-") as trace:
        set_all = [word for name, value in settings.items() for word in ("-E", f"{name}={value}")]
        run_loop(["strace", "-f", "-o", trace.name, *set_all, *words], count, {})
        return sum(1 for line in trace if "(" in line and "<unfinished" not in line)


def system_calls_each(words, settings, few, many):
    counts = [system_calls(words, settings, count) for count in (few, many)]
    return (counts[1] - counts[0]) / (many - few)


def private_kib(pid):
    """Memory that is a process's own and must be kept. Pages of files that nobody else happens to
    have mapped at the moment, which come and go, are not."""
    total = 0
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        for line in rollup:
            if line.startswith(("Private_Dirty:", "Swap:")):
                total += int(line.split()[1])
    return total


def busy_ns(pid):
    """Time that all threads of a process have been on a processor."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as stat:
            total += int(stat.read().split()[0])
    return total
