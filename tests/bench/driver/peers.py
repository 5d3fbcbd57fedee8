"""Other libraries that are preloaded, as Debian has them, told to let calls pass: what they cost
then is what they cost at least."""

import os
from dataclasses import dataclass, field

LIB = "/usr/lib/x86_64-linux-gnu"


@dataclass
class Peer:
    name: str
    package: str
    preload: str
    launcher: list  # before the program; empty: there is none
    settings: dict = field(default_factory=dict)

    @property
    def environment(self):
        return {"LD_PRELOAD": self.preload, **self.settings}

    @property
    def is_installed(self):
        return all(os.path.exists(path) for path in self.preload.split(":"))


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return path


def find_peers(directory):
    """Those that are installed; their settings are written to the directory."""
    return [peer for peer in all_peers(directory) if peer.is_installed]


def all_peers(directory):
    chains = write(
        f"{directory}/proxychains.conf",
        "strict_chain\nlocalnet 127.0.0.0/255.0.0.0\n[ProxyList]\nsocks4 127.0.0.1 9050\n",
    )
    tor = write(
        f"{directory}/torsocks.conf",
        "TorAddress 127.0.0.1\nTorPort 9050\nOnionAddrRange 127.42.42.0/24\n"
        "AllowOutboundLocalhost 1\n",
    )
    return [
        Peer(
            "proxychains4",
            "proxychains4",
            f"{LIB}/libproxychains.so.4",
            ["proxychains4", "-q", "-f", chains],
            {"PROXYCHAINS_CONF_FILE": chains, "PROXYCHAINS_QUIET_MODE": "1"},
        ),
        Peer(
            "torsocks",
            "torsocks",
            f"{LIB}/torsocks/libtorsocks.so",
            ["torsocks"],
            {"TORSOCKS_CONF_FILE": tor},
        ),
        Peer(
            "libfiu",
            "fiu-utils",
            "/usr/lib/fiu/fiu_run_preload.so:/usr/lib/fiu/fiu_posix_preload.so",
            ["fiu-run", "-x"],
        ),
        # Without SOCKET_WRAPPER_DIR it passes all on; with it nothing leaves the machine.
        Peer("socket_wrapper", "libsocket-wrapper", f"{LIB}/libsocket_wrapper.so", []),
        Peer(
            "faketime",
            "faketime",
            f"{LIB}/faketime/libfaketime.so.1",
            ["faketime", "-f", "+0"],
            {"FAKETIME": "+0"},
        ),
    ]
