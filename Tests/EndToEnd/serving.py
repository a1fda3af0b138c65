"""A real `sidelight serve`, and clients of it that believe little."""

import collections
import http.client
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
TIMEOUT = 20  # seconds, of a client that waits in vain

UNSET, OKAY, ERROR = 0, 1, 2  # status of spans
INTERNAL, SERVER, CLIENT = 1, 2, 3  # their kinds

# Spans are exported soon after their end.
SOON = {"OTEL_BSP_SCHEDULE_DELAY": 50}


def wait_for(condition, seconds=20):
    """The first value of `condition` that is true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)
    return value


class Service:
    """A `sidelight serve` of `entry`, from its start until it says where it serves, to its end."""

    def __init__(self, sidelight, entry, *arguments, receiver=None, env={}, wait=True, listen="127.0.0.1:0", tls=None):
        self.receiver = receiver
        self.folder = sidelight.folder
        self.tls = tls  # what clients connect with
        self.messages = sidelight.folder / f"stderr-{time.monotonic_ns()}.txt"
        export = receiver.export() if receiver else []
        # Services of several tests may live at once, and agents: the standard place is nobody's.
        admin = [] if "--admin" in arguments else ["--admin", "off"]
        with open(self.messages, "w") as errors:
            self.process = sidelight.start(
                "serve", "--listen", listen, *admin, *export, *arguments, entry, env={**SOON, **env},
                stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
            )  # fmt: skip
        self.port = None
        if wait:
            self.wait_until_it_serves()

    def wait_until_it_serves(self):
        found = wait_for(lambda: re.search(r"serving .* on (\S+) ", self.err) or self.process.poll() is not None and "over")
        assert found != "over", self.err
        self.url = found[1]
        if not self.url.startswith("unix:"):
            self.port = int(self.url.rsplit(":", 1)[1])

    @property
    def admin(self):
        """The URL of its admin port."""
        return "http://" + wait_for(lambda: self.said(r"; admin port: (\S+)"))

    @property
    def err(self):
        return self.messages.read_text(errors="replace")

    def said(self, pattern):
        """What it has said that fits: the first group, where the pattern has one."""
        found = re.search(pattern, self.err)
        return found and (found[1] if found.groups() else found[0])

    @property
    def workers(self):
        """Process ids of the workers that live."""
        found = []
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            try:
                found += [int(pid) for pid in task.read_text().split()]
            except OSError:
                pass
        return [pid for pid in found if state_of(pid) not in ("Z", "")]

    def connect(self):
        return Connection(self.port, self.tls)

    def get(self, target="/", *fields, method="GET", body=b"", version="HTTP/1.1"):
        """One request on a connection of its own. Status, fields, content."""
        with self.connect() as connection:
            connection.request(target, *fields, method=method, body=body, version=version)
            return connection.response(method)

    def fetch(self, path="/", timeout=TIMEOUT):
        """The text at a path, as an ordinary client gets it. OSError when there is none."""
        with urllib.request.urlopen(self.url + path, timeout=timeout) as answer:
            return answer.read().decode()

    def later(self, path):
        """Asks on a thread of its own, and does not mind what comes of it."""

        def ask():
            try:
                self.fetch(path, timeout=60)
            except (OSError, http.client.HTTPException):
                pass

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        return thread

    def kept(self, ending):
        """Profiles and snapshots in its store."""
        return sorted((self.folder / ".sidelight" / "profiles").glob("*" + ending))

    def spans(self, path):
        """The server spans of requests for `path`."""
        with self.receiver.lock:
            spans = list(self.receiver.spans)
        return [span for span in spans if span.kind == SERVER and span.attributes.get("url.path") == path]

    def span(self, path):
        """The one span of `path`, once it is there."""
        found = wait_for(lambda: self.spans(path))
        assert len(found) == 1, found
        return found[0]

    def named(self, name):
        """The one span of this name, once it is there."""
        wait_for(lambda: any(span.name == name for span in list(self.receiver.spans)))
        return self.receiver.named(name)

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(30)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def metrics(receiver):
    """The last point of each metric and set of attributes, by the metric's name."""
    found = collections.defaultdict(dict)
    for metric, point in receiver.metric_points():
        found[metric.name][tuple(sorted((pair.key, str(pair.value)) for pair in point.attributes))] = point
    return {name: list(points.values()) for name, points in found.items()}


def state_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0]
    except (OSError, IndexError):
        return ""


def resident_bytes(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def head(target="/", *fields, method="GET", version="HTTP/1.1"):
    return "".join([f"{method} {target} {version}\r\nHost: a.test\r\n", *(field + "\r\n" for field in fields), "\r\n"]).encode("latin-1")


class Closed(Exception):
    """The server ended the connection where an answer could have begun."""


class Connection:
    """A client of few beliefs: what it cannot read as a response by RFC 9112 is an error."""

    def __init__(self, port, tls=None, **options):
        """`tls`: a client's SSLContext; `options` are those of wrap_socket."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = bytearray()
        self.truncated = False  # it ended without saying so
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="a.test", suppress_ragged_eofs=False, **options)

    @classmethod
    def over(cls, made):
        """One over a socket that is there, or over none."""
        connection = cls.__new__(cls)
        connection.socket, connection.pending, connection.truncated = made, bytearray(), False
        return connection

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def request(self, target="/", *fields, method="GET", body=b"", version="HTTP/1.1"):
        body = body.encode() if isinstance(body, str) else body
        if body or method in ("POST", "PUT"):
            fields = (*fields, f"Content-Length: {len(body)}")
        self.send(head(target, *fields, method=method, version=version) + body)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass  # refused before all of it was sent; the answer may be there

    def receive(self):
        if self.socket is None:
            return b""
        try:
            more = self.socket.recv(1 << 18)
        except (ConnectionResetError, ssl.SSLEOFError):
            more = b""
            self.truncated = True
        self.pending += more
        return more

    def take(self, count):
        while len(self.pending) < count:
            assert self.receive(), f"connection ended within an answer: {bytes(self.pending[:200])!r}"
        taken = bytes(self.pending[:count])
        del self.pending[:count]
        return taken

    def take_line(self):
        while b"\r\n" not in self.pending:
            assert self.receive(), f"connection ended within an answer: {bytes(self.pending[:200])!r}"
        return self.take(self.pending.index(b"\r\n") + 2)[:-2]

    def response(self, method="GET"):
        """Status, fields and content of the next final response."""
        status, fields = self.response_head()
        return status, fields, self.content(fields, method == "HEAD" or status in (204, 304))

    def response_head(self):
        while True:
            if not self.pending and not self.receive():
                raise Closed
            version, status, *_ = self.take_line().decode("latin-1").split(" ", 2)
            assert version == "HTTP/1.1", version
            assert len(status) == 3 and status.isdigit(), status
            fields = {}
            while line := self.take_line():
                name, value = line.decode("latin-1").split(":", 1)
                assert name.lower() not in ("content-length", "transfer-encoding") or name.lower() not in fields
                fields[name.lower()] = value.strip()
            if int(status) >= 200:
                return int(status), fields

    def content(self, fields, is_empty=False):
        assert not ("transfer-encoding" in fields and "content-length" in fields), fields
        if is_empty:
            return b""
        if "transfer-encoding" in fields:
            assert fields["transfer-encoding"].lower() == "chunked"
            return b"".join(self.chunks())
        if "content-length" in fields:
            return self.take(int(fields["content-length"]))
        assert fields.get("connection") == "close", f"a response without an end: {fields}"
        return self.rest()

    def chunks(self):
        while size := int(self.take_line(), 16):
            yield self.take(size)
            assert self.take(2) == b"\r\n"
        assert self.take(2) == b"\r\n"

    def rest(self):
        """All that comes until the server ends the connection."""
        while self.receive():
            pass
        return self.take(len(self.pending))
