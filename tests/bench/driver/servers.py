"""Real servers on loopback, on free ports, ended by their own process ids."""

import http.client
import os
import re
import socket
import subprocess
import time

from .measure import Failed, busy_ns

NGINX = """
error_log {dir}/error.log; pid {dir}/nginx.pid; worker_processes 1; {user}
events {{ worker_connections 256; }}
http {{
    access_log off; root {dir};
    client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
    uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
    keepalive_requests 100000000; keepalive_timeout 1h;
    # By chance, one in ten.
    split_clients $request_id $fate {{ 10% busy; * well; }}
    server {{
        listen 127.0.0.1:{port};
        location = /1k {{ }}
        location = /64m {{ }}
        location = /flaky {{
            if ($fate = busy) {{ return 503 "busy\\n"; }}
            try_files /1k =404;
        }}
        location = /count {{ stub_status; }}
    }}
}}
"""

# As a sidecar is mostly set up: one thread, the connections to the origin kept and shared, the
# answers that call for it asked for again at once, three times at most.
HAPROXY = """
global
    nbthread 1
    maxconn 256
defaults
    mode http
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    http-reuse always
    retries 3
    retry-on 503
frontend sidecar
    bind fd@{fd}
    default_backend origin
backend origin
    server nginx 127.0.0.1:{port}
"""


def wait_until_open(process, port, told):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Failed(f"{told} ended at once")
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.01)
    raise Failed(f"{told} does not answer")


def pin(cpu):
    return (lambda: os.sched_setaffinity(0, {cpu})) if os.cpu_count() > 1 else None


class Nginx:
    """Files of 1 KiB and 64 MiB; /flaky, which is a 503 one time in ten."""

    def __init__(self, directory, cpu=None):
        self.process = None
        for name, size in (("1k", 1024), ("64m", 64 << 20)):
            with open(f"{directory}/{name}", "wb") as file:
                file.write(b"x" * size)
        os.chmod(directory, 0o755)
        for attempt in range(5):  # somebody may take the port that was free
            try:
                self.start(directory, cpu)
                return
            except Failed:
                if attempt == 4:
                    raise

    def start(self, directory, cpu):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        path = f"{directory}/nginx.conf"
        with open(path, "w", encoding="ascii") as file:
            user = "user root;" if os.geteuid() == 0 else ""
            file.write(NGINX.format(dir=directory, port=self.port, user=user))
        self.process = subprocess.Popen(
            ["/usr/sbin/nginx", "-e", "stderr", "-g", "daemon off;", "-c", path],
            stderr=subprocess.DEVNULL,
            preexec_fn=pin(cpu) if cpu is not None else None,
        )
        wait_until_open(self.process, self.port, "nginx")

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def busy_ns(self):
        """Time on a processor: that of its one worker."""
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            return sum(busy_ns(int(child)) for child in children.read().split())

    def requests(self):
        """How many it has been asked so far, without this one."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", "/count")
        text = connection.getresponse().read().decode()
        connection.close()
        return int(re.search(r"\n \d+ \d+ (\d+)", text).group(1)) - 1

    def close(self):
        if self.process:
            self.process.terminate()
            self.process.wait()


class Haproxy:
    """In front of a port. The worker is the process itself: no master."""

    def __init__(self, directory, port):
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        path = f"{directory}/haproxy.cfg"
        with open(path, "w", encoding="ascii") as file:
            file.write(HAPROXY.format(fd=listener.fileno(), port=port))
        self.process = subprocess.Popen(
            ["/usr/sbin/haproxy", "-db", "-q", "-f", path], pass_fds=[listener.fileno()]
        )
        listener.close()
        wait_until_open(self.process, self.port, "haproxy")

    @property
    def pid(self):
        return self.process.pid

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def close(self):
        self.process.kill()  # asked to end, it would wait for its clients
        self.process.wait()
