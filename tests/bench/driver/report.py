"""Rows with a limit, tables without; as text, Markdown and JSON."""

from dataclasses import dataclass
from typing import Optional

from .measure import Figure


def show(value, unit):
    """A number as people read it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return {
        "ratio": lambda v: f"{v:.3f}" if abs(v) < 10 else f"{v:.1f}",
        "instructions": lambda v: f"{v:,.0f}",
        "calls": lambda v: f"{v:.0f}" if abs(v - round(v)) < 0.05 else f"{v:.1f}",
        "KiB": lambda v: f"{v:.0f} KiB",
        "percent": lambda v: f"{v:.2f} %",
        "per second": lambda v: f"{v:,.0f}/s",
        "ns": show_time,
        "number": lambda v: f"{v:.3f}",
    }[unit](value)


def show_time(ns):
    for factor, name in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if abs(ns) >= factor:
            return f"{ns / factor:.3g} {name}" if ns / factor < 100 else f"{ns / factor:.0f} {name}"
    return f"{ns:.0f} ns"


def exact(value):
    return Figure(value, value, value)


@dataclass
class Row:
    """A figure beside its limit. `bare` and `wrapped` are what it was made of."""

    what: str
    unit: str
    figure: Optional[Figure]  # None: could not be had
    limit: Optional[float] = None
    at_least: bool = False
    bare: object = None
    wrapped: object = None
    parts_unit: Optional[str] = None  # of bare and wrapped, where it is another
    note: str = ""

    @property
    def verdict(self):
        if self.figure is None:
            return self.note or "-"
        if self.limit is None:
            return ""
        keeps = lambda v: v >= self.limit if self.at_least else v <= self.limit
        met = "met" if keeps(self.figure.value) else "missed"
        sure = keeps(self.figure.low) == keeps(self.figure.high)
        return met if sure else f"{met}, within the noise"

    def cells(self):
        unit = self.parts_unit or self.unit
        shown = "-"
        if self.figure:
            shown = show(self.figure.value, self.unit)
            if self.figure.low != self.figure.high:
                low, high = show(self.figure.low, self.unit), show(self.figure.high, self.unit)
                shown += f" ({low}–{high})"
        limit = ""
        if self.limit is not None:
            limit = ("≥ " if self.at_least else "≤ ") + show(self.limit, self.unit)
        return [self.what, show(self.bare, unit), show(self.wrapped, unit), shown, limit,
                self.verdict]

    def as_json(self):
        return {
            "what": self.what,
            "unit": self.unit,
            "bare": self.bare,
            "wrapped": self.wrapped,
            "figure": self.figure and self.figure.value,
            "low": self.figure and self.figure.low,
            "high": self.figure and self.figure.high,
            "limit": self.limit,
            "at_least": self.at_least,
            "verdict": self.verdict,
        }


@dataclass
class Table:
    """Named columns, and a row of texts for each line; nothing is promised about them."""

    title: str
    head: list
    lines: list
    values: object = None  # for JSON and the plot
    note: str = ""


def rows_table(title, rows, note=""):
    head = ["", "bare", "retryshim", "figure", "limit", ""]
    return Table(title, head, [row.cells() for row in rows], [row.as_json() for row in rows], note)


def as_text(table):
    widths = [max(len(line[i]) for line in [table.head, *table.lines])
              for i in range(len(table.head))]
    out = [table.title, ""]
    for line in [table.head, *table.lines]:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
        out.append("  ".join(cells).rstrip())
    if table.note:
        out += ["", table.note]
    return "\n".join(out) + "\n"


def as_markdown(table):
    def line(cells):
        return "| " + " | ".join(cells) + " |"

    out = [line(table.head), "| --- |" + " ---: |" * (len(table.head) - 1)]
    out += [line(cells) for cells in table.lines]
    if table.note:
        out += ["", table.note]
    return "\n".join(out) + "\n"


def write_between(path, name, text):
    """Replace what stands between <!-- name --> and <!-- end of name -->."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    with open(path, encoding="utf-8") as file:
        page = file.read()
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise SystemExit(f"{path}: has no '{begin.strip()}' … '{end.strip()}'")
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + begin + text + end + after)
