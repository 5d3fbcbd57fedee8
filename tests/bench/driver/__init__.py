"""What scripts/bench is made of.

measure.py    loops asked in turn, medians and what they are worth, instructions, system calls
servers.py    nginx and HAProxy on free ports
peers.py      other preloaded libraries, and how they are told to let calls pass
costs.py      start, connect(), requests, rules, memory: the part beside the bare program
retries.py    one answer in ten a 503: the shim, HAProxy, curl --retry, a shell loop
plugged.py    the figures of scripts/bench-NAME
report.py     rows, limits, the tables as text and as Markdown
plot.py       docs/benchmarks.svg
document.py   docs/benchmarks.md, rows of README.md
machine.py    what it was measured on
"""
