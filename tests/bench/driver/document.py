"""docs/benchmarks.md, docs/benchmarks.svg and the rows of README.md: written anew by each run."""

from . import plot
from .report import as_markdown, rows_table, write_between

# Rows that the README shows, by the beginnings of their names.
IMPORTANT = ("start beside an empty library: instructions", "connect(), succeeds", "GET of 1 KiB",
             "one in ten a 503", "… CPU of client",
             "retryshim run true, beside proxychains4")


def machine_text(about):
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return (f"Measured on {about['date']}: {about['cpu']}, {about['cores']} cores, Linux "
            f"{about['kernel']}, Debian {about['debian']}, load {about['load']} at the beginning.\n"
            f"Versions: {versions}.\n")


def whole_text(about, tables):
    parts = [machine_text(about)]
    for table in tables:
        parts += [f"## {table.title}\n", as_markdown(table)]
    return "\n".join(parts) + "\n"


def write(root, about, rows, tables):
    """`tables` are all, in order; the second and third those of the plot."""
    write_between(f"{root}/docs/benchmarks.md", "make bench-docs", whole_text(about, tables))
    shown = [row for row in rows if row.what.startswith(IMPORTANT)]
    write_between(f"{root}/README.md", "make bench-docs", as_markdown(rows_table("", shown)))
    with open(f"{root}/docs/benchmarks.svg", "w", encoding="utf-8") as file:
        file.write(plot.svg(tables[1], tables[2]))
