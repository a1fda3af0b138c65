"""Mutated requests over real connections: whatever comes is answered in HTTP or closed, and the next request is served.

FUZZ_REQUESTS: how many (3000). FUZZ_SEED: which.
"""

import os
import random
import selectors
import time

import pytest

from malformed_requests import FAMILIES, OK
from serving import Connection
from test_malformed import check_good_request

# 500 is not among them: the handler has no fault that a request could bring out.
STATUSES = {200, 400, 404, 408, 413, 414, 417, 431, 501, 505}
BATCH = 250
PATIENCE = 0.25  # seconds; a request that is not whole waits for more and gets none

PIECES = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b"\0", b":", b",", b";", b"0", b"ffffffffffffffff", b"-1", b"HTTP/1.1", b"HTTP/1.0", b"GET ",
    b"POST / HTTP/1.1\r\nHost: a\r\n", b"Content-Length: 3\r\n", b"Content-Length: 99999999999\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: x\r\n", b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"Expect: 100-continue\r\n", b"Host: b\r\n",
    b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n", b"tracestate: a=1,,=\r\n", b"baggage: %%%,=,a=b;c\r\n",
    b"0\r\n\r\n", b"3\r\nabc\r\n", b"*", b"http://x/", b"/%ff%00", b"\xff\xfe", b"x" * 300, b"a: b\r\n" * 50,
]  # fmt: skip


def mutated(source, valid):
    data = b"".join(source.choice(valid) for _ in range(source.choice((1, 1, 1, 2, 3))))
    data = bytearray(data[:20_000])
    for _ in range(source.choice((1, 1, 2, 3, 8))):
        at = source.randrange(len(data) + 1)
        match source.randrange(7):
            case 0: data[at : at + 1] = bytes([source.randrange(256)])
            case 1: del data[at : at + source.randrange(1, 9)]
            case 2: data[at:at] = source.choice(PIECES)
            case 3: data[at : at + source.randrange(1, 9)] = source.choice(PIECES)
            case 4: data[at:at] = data[at : at + source.randrange(1, 60)]
            case 5: del data[at:]
            case 6 if at < len(data): data[at] ^= 1 << source.randrange(8)
    return bytes(data) or b"\r"  # fmt: skip


def gather(connections):
    """What each gets until it is closed or nothing came for a while. True of those that the server closed."""
    closed = [False] * len(connections)
    with selectors.DefaultSelector() as selector:
        for index, connection in enumerate(connections):
            connection.socket.setblocking(False)
            selector.register(connection.socket, selectors.EVENT_READ, index)
        quiet = time.monotonic() + PATIENCE
        while selector.get_map() and time.monotonic() < quiet:
            for key, _ in selector.select(0.02):
                quiet = time.monotonic() + PATIENCE
                if not connections[key.data].receive():
                    closed[key.data] = True
                    selector.unregister(key.fileobj)
    return closed


def check_answers(data, answer, is_closed):
    """Nothing but responses, one behind the other; only the last may be cut off, by a reset."""
    connection = Connection.over(None)
    connection.pending = bytearray(answer)
    while connection.pending:
        if connection.pending.startswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
            del connection.pending[:25]
            continue
        status, fields, _ = connection.response("HEAD" if b"HEAD " in data and b"content-length: 0" not in answer else "GET")
        assert status in STATUSES, status
        if fields.get("connection") == "close":
            assert is_closed, "it said close and did not"
            assert not connection.pending, "something follows the end"


@pytest.fixture(scope="module")
def valid():
    return [entry.data for family in FAMILIES.values() for entry in family if entry.expected == OK and b"HEAD" not in entry.data]


def test_mutated_requests(server, valid):
    total = int(os.environ.get("FUZZ_REQUESTS", 3000))
    seed = int(os.environ.get("FUZZ_SEED", random.randrange(1 << 32)))
    print(f"FUZZ_SEED={seed}")
    source = random.Random(seed)
    workers = server.workers
    failures = []
    for _ in range(0, total, BATCH):
        requests = [mutated(source, valid) for _ in range(BATCH)]
        connections = [Connection(server.port) for _ in requests]
        for connection, data in zip(connections, requests):
            connection.send(data)
        closed = gather(connections)
        for connection, data, is_closed in zip(connections, requests, closed):
            try:
                check_answers(data, bytes(connection.pending), is_closed)
            except Exception as error:  # noqa: BLE001
                failures.append(f"{data!r}\n    {error!r}: {bytes(connection.pending[:300])!r}")
            connection.socket.close()
        with Connection(server.port) as connection:
            check_good_request(connection)
        assert server.workers == workers, server.err
    assert not failures, f"{len(failures)} of {total}:\n" + "\n".join(failures[:20])
