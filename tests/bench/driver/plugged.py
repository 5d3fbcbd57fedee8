"""scripts/bench-NAME: each counts one thing closely. A line a figure: NAME BARE WRAPPED DIFFERENCE LIMIT,
where the limit may be a dash. `make bench-parts` builds what they need."""

import glob
import subprocess
import sys

from .report import Row, exact

# What the name says of the unit, and what one of it is here; else instructions.
UNITS = (("-us", "ns", 1000), ("-kb", "KiB", 1), ("-ratio", "ratio", 1),
         ("-system-calls", "calls", 1), ("", "instructions", 1))


def read_line(line):
    """The row that a line is, or None."""
    words = line.split()
    if len(words) != 5:
        return None
    unit, factor = next((u, f) for part, u, f in UNITS if part in words[0])
    try:
        bare, wrapped, more = (float(word) * factor for word in words[1:4])
        limit = None if words[4] == "-" else float(words[4]) * factor
    except ValueError:
        return None
    figure = exact(wrapped if unit == "ratio" else more)
    return Row(words[0], unit, figure, limit, bare=bare, wrapped=wrapped)


def run(script):
    # A status other than 0 is a limit that was missed: the lines say which.
    done = subprocess.run([script], capture_output=True, text=True, check=False)
    rows = [row for row in map(read_line, done.stdout.splitlines()) if row]
    if not rows:
        print(f"bench: {script} counted nothing: {done.stderr.strip()}", file=sys.stderr)
    return rows


def counted_closely():
    return [row for script in sorted(glob.glob("scripts/bench-*")) for row in run(script)]
