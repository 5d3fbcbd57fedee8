"""What it was measured on, and with which versions."""

import datetime
import os
import platform
import subprocess


def cpu_model():
    with open("/proc/cpuinfo", encoding="ascii") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def debian():
    try:
        with open("/etc/debian_version", encoding="ascii") as file:
            return file.read().strip()
    except FileNotFoundError:
        return "none"


def version(package):
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", package],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout or "not installed"


PACKAGES = ["libc6", "libcurl4", "nginx-light", "haproxy", "curl", "valgrind"]


def describe(peers):
    packages = [*PACKAGES, *(peer.package for peer in peers)]
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "debian": debian(),
        "date": datetime.date.today().isoformat(),
        "load": round(os.getloadavg()[0], 2),
        "versions": {name: version(name) for name in packages},
    }
