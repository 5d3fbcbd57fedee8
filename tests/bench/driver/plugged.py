"""scripts/bench-NAME: counts to the instruction, a line each: NAME BARE WRAPPED DIFFERENCE LIMIT, where
the limit may be a dash. `make bench-NAME` builds what it needs and runs it."""

import glob
import os
import subprocess
import sys

from .report import Row, exact


def read_line(line):
    """The row that a line is, or None."""
    words = line.split()
    if len(words) != 5:
        return None
    try:
        bare, wrapped, more = (float(word) for word in words[1:4])
        limit = None if words[4] == "-" else float(words[4])
    except ValueError:
        return None
    return Row(words[0], "instructions", exact(more), limit, bare=bare, wrapped=wrapped)


def run(name):
    # A status other than 0 is a limit that was missed: the lines say which.
    done = subprocess.run(["make", "-s", "--no-print-directory", name], capture_output=True,
                          text=True, check=False)
    rows = [row for row in map(read_line, done.stdout.splitlines()) if row]
    if not rows:
        print(f"bench: {name} counted nothing: {done.stderr.strip()}", file=sys.stderr)
    return rows


def counted_exactly():
    names = sorted(os.path.basename(path) for path in glob.glob("scripts/bench-*"))
    return [row for name in names for row in run(name)]
