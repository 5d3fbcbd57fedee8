"""docs/benchmarks.svg: bars, a panel for each question."""

from html import escape

from .report import show

WIDTH, BAR, GAP, LABEL = 880, 14, 5, 165
SHIM, BARE, OTHER = "#1b9e77", "#888888", "#d95f02"


def colour(name):
    if "retryshim" in name:
        return SHIM
    return BARE if name in ("bare", "curl") or "no retries" in name else OTHER


def panel(title, unit, values, left, top, width):
    """A bar for each name; (the SVG, its height)."""
    bars = {name: value for name, value in values.items() if value is not None}
    room = width - LABEL - 70
    most = max(bars.values())
    out = [f'<text x="{left}" y="{top + 14}" class="title">{escape(title)}</text>']
    y = top + 26
    for name, value in bars.items():
        length = max(1, room * max(value, 0) / most)
        out.append(f'<text x="{left + LABEL - 6}" y="{y + 12}" class="name">{escape(name)}</text>'
                   f'<rect x="{left + LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" '
                   f'fill="{colour(name)}"/>'
                   f'<text x="{left + LABEL + length + 6:.1f}" y="{y + 12}">'
                   f'{escape(show(value, unit))}</text>')
        y += BAR + GAP
    return "\n".join(out), y - top + 14


def column(table, key):
    return {name: line[key] for name, line in table.values.items()}


def svg(beside, retries):
    """Of the tables of peers and of retries."""
    panels = [
        ("GETs per second, one in ten a 503", "per second",
         {n: v for n, v in column(retries, "per second").items() if "curl" not in n}),
        ("CPU of client and sidecar for a GET", "ns",
         {n: v for n, v in column(retries, "CPU").items() if "curl" not in n}),
        ("99 of 100 GETs take less than: a curl process each", "ns",
         {n: v for n, v in column(retries, "p99").items() if "curl" in n}),
        ("LAUNCHER true", "ns", beside.values["LAUNCHER true: time"]),
        ("start: instructions beyond an empty library", "instructions",
         beside.values["start: instructions more than an empty library"]),
        ("socket() and connect(): instructions more", "instructions",
         beside.values["socket() and connect(): instructions more"]),
    ]
    out, top = [], 10
    for pair in (panels[:2], panels[2:4], panels[4:]):
        heights = []
        for side, (title, unit, values) in enumerate(pair):
            drawn, height = panel(title, unit, values, 10 + side * WIDTH // 2, top, WIDTH // 2)
            out.append(drawn)
            heights.append(height)
        top += max(heights) + 10
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" '
            'font-family="sans-serif" font-size="12">\n'
            "<style>.title{font-size:14px}.name{text-anchor:end}</style>\n"
            f'<rect width="{WIDTH}" height="{top}" fill="white"/>\n'
            + "\n".join(out) + "\n</svg>\n")
