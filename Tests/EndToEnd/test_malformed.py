"""Malformed requests against a live server: each gets its refusal and the connection ends, and nothing of it leaks into the
next request, neither on a new connection nor on the same one where that goes on.

`server` (conftest.py) runs programs/echo_requests.mjs and has its `port` on 127.0.0.1.
"""

import itertools
import json
import socket

import pytest

from malformed_requests import CLOSED, FAMILIES, OK

TIMEOUT = 10  # seconds; nothing here waits for the server's own limits

numbers = itertools.count()


class Closed(Exception):
    """The server ended the connection where an answer could have begun."""


class Connection:
    """A client of few beliefs: what it cannot read as a response by RFC 9112 is an error."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all of it was sent; the answer may be there

    def receive(self):
        try:
            more = self.socket.recv(65536)
        except ConnectionResetError:
            more = b""
        self.pending += more
        return more

    def take(self, count):
        while len(self.pending) < count:
            assert self.receive(), f"connection ended within an answer: {self.pending!r}"
        taken, self.pending = self.pending[:count], self.pending[count:]
        return taken

    def take_line(self):
        while b"\r\n" not in self.pending:
            assert self.receive(), f"connection ended within an answer: {self.pending!r}"
        line, self.pending = self.pending.split(b"\r\n", 1)
        return line

    def response(self):
        """Status, fields and content of the next final response."""
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
                return int(status), fields, self.content(fields)

    def content(self, fields):
        assert not ("transfer-encoding" in fields and "content-length" in fields), fields
        if "transfer-encoding" in fields:
            assert fields["transfer-encoding"].lower() == "chunked"
            content = b""
            while size := int(self.take_line(), 16):
                content += self.take(size)
                assert self.take(2) == b"\r\n"
            assert self.take(2) == b"\r\n"
            return content
        if "content-length" in fields:
            return self.take(int(fields["content-length"]))
        assert fields.get("connection") == "close", f"a response without an end: {fields}"
        return self.rest()

    def rest(self):
        """All that comes until the server ends the connection."""
        while self.receive():
            pass
        rest, self.pending = self.pending, b""
        return rest

    def check_good_request(self):
        """A request that has nothing to do with what was before gets its own answer."""
        path = f"/good/{next(numbers)}"
        body = f"body of {path}"
        self.send(
            f"PUT {path} HTTP/1.1\r\nHost: good\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        status, _, content = self.response()
        assert status == 200, status
        assert json.loads(content) == {"method": "PUT", "path": path, "body": body}


def check(entry, port):
    with Connection(port) as connection:
        connection.send(entry.data)
        for index in range(entry.answers):
            status, fields, content = connection.response()
            assert status == 200, f"answer {index} is {status}"
            if index == 0 and entry.content:
                seen = json.loads(content)
                assert {name: seen[name] for name in entry.content} == entry.content
            if fields.get("connection", "").lower() == "close":
                assert index == entry.answers - 1 and entry.expected == OK, "closed too early"
                assert connection.rest() == b""
                break
        else:
            if entry.expected == OK:
                connection.check_good_request()
            else:
                check_refusal(entry, connection)
    with Connection(port) as connection:
        connection.check_good_request()


def check_refusal(entry, connection):
    try:
        status, fields, _ = connection.response()
    except Closed:
        assert CLOSED in entry.expected, f"closed without an answer, not {set(entry.expected)}"
        return
    assert status in entry.expected, f"{status}, not {set(entry.expected)}"
    assert fields.get("connection", "").lower() == "close", "the refusal does not say that the connection ends"
    assert connection.rest() == b"", "something follows the refusal"


@pytest.mark.parametrize("family", FAMILIES)
def test_malformed_requests_are_refused_and_leave_nothing_behind(server, family):
    failures = []
    for entry in FAMILIES[family]:
        try:
            check(entry, server.port)
        except (AssertionError, Closed, OSError, ValueError, KeyError) as failure:
            failures.append(f"{entry.name}\n    {type(failure).__name__}: {str(failure)[:300]}")
    assert not failures, f"{len(failures)} of {len(FAMILIES[family])}:\n" + "\n".join(failures)
