"""Malformed requests against a live server: each gets its refusal and the connection ends, and nothing of it leaks into the
next request, neither on a new connection nor on the same one where that goes on.

`server` (conftest.py) runs programs/echo_requests.mjs and has its `port` on 127.0.0.1.
"""

import itertools
import json

import pytest

from malformed_requests import CLOSED, FAMILIES, OK
from serving import Closed

numbers = itertools.count()


def check_good_request(connection):
    """A request that has nothing to do with what was before gets its own answer."""
    path = f"/good/{next(numbers)}"
    body = f"body of {path}"
    connection.send(
        f"PUT {path} HTTP/1.1\r\nHost: good\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    status, _, content = connection.response()
    assert status == 200, status
    assert json.loads(content) == {"method": "PUT", "path": path, "body": body}


def check(entry, connect):
    with connect() as connection:
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
                check_good_request(connection)
            else:
                check_refusal(entry, connection)
    with connect() as connection:
        check_good_request(connection)


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
    check_family(family, server.connect)


def check_family(family, connect):
    failures = []
    for entry in FAMILIES[family]:
        try:
            check(entry, connect)
        except (AssertionError, Closed, OSError, ValueError, KeyError) as failure:
            failures.append(f"{entry.name}\n    {type(failure).__name__}: {str(failure)[:300]}")
    assert not failures, f"{len(failures)} of {len(FAMILIES[family])}:\n" + "\n".join(failures)
