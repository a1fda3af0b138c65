"""Requests and responses of a real `sidelight serve`: connections, framing, content both ways, and handlers that fail."""

import itertools
import json
import socket
import struct

import pytest

from conftest import HERE
from serving import Closed, Connection, ERROR, UNSET, head, resident_bytes, wait_for

numbers = itertools.count(1)
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def service(module_service):
    return module_service(HERE / "programs" / "service.mjs", "--limit", "body=300MB")


def unique(route):
    return f"/{route}/{next(numbers)}"


def pattern(length, offset=0):
    block = bytes(range(251)) * (length // 251 + 2)
    return block[offset % 251 : offset % 251 + length]


def events(service, name):
    return json.loads(service.get(f"/happened/{name}")[2])


@pytest.fixture(autouse=True)
def same_worker(service):
    """No test costs the worker its life."""
    workers = service.workers
    yield
    assert service.process.poll() is None
    assert service.workers == workers, service.err


# -- connections


def test_a_connection_is_kept(service):
    with service.connect() as connection:
        for number in range(20):
            connection.request(f"/text/{number}")
            status, fields, body = connection.response()
            assert (status, body) == (200, b"hello")
            assert "connection" not in fields
            connection.request("/echo", method="POST", body=f"body {number}")
            assert connection.response()[2] == f"body {number}".encode()


def test_connection_close_is_obeyed_and_said(service):
    with service.connect() as connection:
        connection.request("/text", "Connection: close")
        status, fields, body = connection.response()
        assert (status, body, fields["connection"]) == (200, b"hello", "close")
        assert connection.rest() == b""


@pytest.mark.parametrize("fields, kept", [((), False), (("Connection: keep-alive",), True), (("Connection: Keep-Alive, x",), True)])
def test_http_1_0(service, fields, kept):
    with service.connect() as connection:
        connection.request("/text", *fields, version="HTTP/1.0")
        status, answered, body = connection.response()
        assert (status, body, answered["content-length"]) == (200, b"hello", "5")
        assert answered["connection"] == ("keep-alive" if kept else "close")
        if kept:
            connection.request("/text", version="HTTP/1.0")
            assert connection.response()[2] == b"hello"
        assert connection.rest() == b""


def test_a_stream_for_http_1_0_lasts_until_the_end_of_the_connection(service):
    with service.connect() as connection:
        connection.request("/stream?bytes=5000", "Connection: keep-alive", version="HTTP/1.0")
        status, fields, body = connection.response()
        assert (status, body) == (200, pattern(5000))
        assert "transfer-encoding" not in fields and "content-length" not in fields


def test_heads_byte_by_byte(service):
    with service.connect() as connection:
        for byte in head("/text/by-bytes"):
            connection.send(bytes([byte]))
        assert connection.response()[2] == b"hello"


def test_pipelined_requests_are_answered_in_order(service):
    with service.connect() as connection:
        paths = [f"/later/{number}?ms={5 - number % 5}" for number in range(50)]
        connection.send(b"".join(head(path) for path in paths))
        for path in paths:
            assert connection.response()[2].decode() == path.split("?")[0]


def test_pipelined_requests_with_content(service):
    with service.connect() as connection:
        bodies = [pattern(length, length) for length in (0, 1, 10, 1000, 20_000, 70_000, 3)]
        data = b""
        for body in bodies:
            data += head("/echo", f"Content-Length: {len(body)}", method="POST") + body
            data += head("/unread", f"Content-Length: {len(body)}", method="PUT") + body
            data += head("/mirror", "Transfer-Encoding: chunked", method="POST") + b"%x\r\n%s\r\n0\r\nX: y\r\n\r\n" % (7, b"chunked")
            data += head("/text")
        connection.send(data)
        for body in bodies:
            assert connection.response()[2] == body
            assert connection.response()[2] == b"not read"
            assert connection.response()[2] == b"chunked"
            assert connection.response()[2] == b"hello"


def test_pipelined_requests_wait_for_a_gate(service):
    """The second is not looked at before the first is answered, and is not lost."""
    name = f"pipelined-{next(numbers)}"
    with service.connect() as connection:
        connection.send(head(f"/wait/{name}") + head("/text") + head("/echo", "Content-Length: 3", method="POST") + b"abc")
        wait_for(lambda: "waits" in events(service, name))
        service.get(f"/open/{name}")
        assert connection.response()[2].decode() == f"/wait/{name}"
        assert connection.response()[2] == b"hello"
        assert connection.response()[2] == b"abc"


def test_many_connections_at_once(service):
    connections = [service.connect() for _ in range(2000)]
    try:
        for round in range(2):
            for connection in connections:
                connection.request(f"/text/{round}")
            for connection in connections:
                assert connection.response()[2] == b"hello"
    finally:
        for connection in connections:
            connection.socket.close()
    assert service.get("/text")[0] == 200


# -- what a handler sees


def test_what_the_handler_sees(service):
    with service.connect() as connection:
        connection.request("/request/a%20b?c=d&e", "X-A: 1", "x-a: 2", "X-B:  caf\xe9  ")
        seen = json.loads(connection.response()[2])
    assert seen["method"] == "GET"
    assert seen["url"] == "http://a.test/request/a%20b?c=d&e"
    assert seen["headers"] == [["host", "a.test"], ["x-a", "1, 2"], ["x-b", "caf\xe9"]]
    assert seen["body"] is False


# -- content of requests


def chunks_of(body, *sizes):
    at = 0
    for size in itertools.cycle(sizes):
        if at >= len(body):
            break
        piece = body[at : at + size]
        yield b"%x;ext=1\r\n%s\r\n" % (len(piece), piece)
        at += size
    yield b"0\r\nX-Trailer: y\r\n\r\n"


@pytest.mark.parametrize("route", ["echo", "mirror"])
@pytest.mark.parametrize("length", [0, 1, 1000, 65_536, 1_000_000])
def test_content_comes_back(service, route, length):
    body = pattern(length)
    with service.connect() as connection:
        for _ in range(2):
            connection.request(f"/{route}", method="POST", body=body)
            assert connection.response()[2] == body
            connection.send(head(f"/{route}", "Transfer-Encoding: chunked", method="POST"))
            connection.send(b"".join(chunks_of(body, 1, 7, 1000, 40_000)))
            assert connection.response()[2] == body


def test_content_byte_by_byte(service):
    body = pattern(300)
    with service.connect() as connection:
        connection.send(head("/echo", "Content-Length: 300", method="POST"))
        for byte in body:
            connection.send(bytes([byte]))
        assert connection.response()[2] == body
        for byte in head("/echo", "Transfer-Encoding: chunked", method="POST") + b"".join(chunks_of(body, 3, 11)):
            connection.send(bytes([byte]))
        assert connection.response()[2] == body


@pytest.mark.parametrize("route, answer", [("unread", b"not read"), ("some", b"true")])
@pytest.mark.parametrize("length", [1, 5000, 200_000])
def test_content_that_is_not_read_is_passed_over(service, route, answer, length):
    with service.connect() as connection:
        for _ in range(3):
            connection.request(f"/{route}", method="POST", body=head("/smuggled") * (length // len(head("/smuggled")) + 1))
            status, _, body = connection.response()
            assert (status, body) == (200, answer)
            connection.request("/text")
            assert connection.response()[2] == b"hello"


def test_too_much_content_that_is_not_read_ends_the_connection_and_the_answer_arrives(service):
    with service.connect() as connection:
        connection.send(head("/unread", f"Content-Length: {20 * MEGABYTE}", method="POST"))
        assert connection.response()[2] == b"not read"
        connection.send(bytes(20 * MEGABYTE))
        assert connection.rest() == b""


def test_content_that_is_announced_too_large(service):
    path = unique("echo")
    with service.connect() as connection:
        connection.send(head(path, "Content-Length: 400000000", method="POST"))
        status, fields, _ = connection.response()
        assert (status, fields["connection"]) == (413, "close")
        assert connection.rest() == b""


def test_chunks_that_become_too_large(serve):
    service = serve(
        "export default { async fetch(request) {\n"
        "    if (request.url.endsWith('mine')) { try { await request.text(); } catch (error) { return new Response(error.message); } }\n"
        "    return new Response(await request.arrayBuffer());\n} };",
        "--limit", "body=1KB",
    )  # fmt: skip
    for path, status in (("/theirs", 413), ("/mine", 200)):
        with service.connect() as connection:
            connection.send(head(path, "Transfer-Encoding: chunked", method="POST") + b"".join(chunks_of(pattern(5000), 500)))
            answer = connection.response()
            assert (answer[0], answer[1]["connection"]) == (status, "close")
            assert connection.rest() == b""
    with service.connect() as connection:
        connection.request("/", method="POST", body=pattern(1000))
        assert connection.response()[2] == pattern(1000)
    assert service.span("/theirs").attributes["http.response.status_code"] == 413
    assert service.span("/theirs").status == UNSET


def test_expect_100_continue_that_is_read(service):
    with service.connect() as connection:
        for _ in range(2):
            connection.send(head("/echo", "Content-Length: 5", "Expect: 100-continue", method="POST"))
            assert connection.take_line() == b"HTTP/1.1 100 Continue"
            assert connection.take_line() == b""
            connection.send(b"abcde")
            assert connection.response()[2] == b"abcde"


def test_expect_100_continue_that_is_answered_with_what_comes(serve):
    service = serve("export default { fetch: (request) => new Response(request.body) }")
    with service.connect() as connection:
        connection.send(head("/", "Content-Length: 5", "Expect: 100-continue", method="POST"))
        assert connection.take_line() == b"HTTP/1.1 100 Continue"
        assert connection.take_line() == b""
        connection.send(b"abcde")
        assert connection.response()[2] == b"abcde"


def test_expect_100_continue_that_is_not_read(service):
    """The client may send the content all the same, so the connection cannot go on."""
    with service.connect() as connection:
        connection.send(head("/unread", "Content-Length: 5", "Expect: 100-continue", method="POST"))
        line = connection.take_line()
        assert line == b"HTTP/1.1 200 OK"
        connection.pending[:0] = line + b"\r\n"
        status, fields, body = connection.response()
        assert (body, fields["connection"]) == (b"not read", "close")
        assert connection.rest() == b""


def test_a_large_upload_that_is_read_slowly(service):
    total = 200 * MEGABYTE
    (worker,) = service.workers
    before = most = resident_bytes(worker)
    block = pattern(251 * 1000)
    with service.connect() as connection:
        connection.send(head("/count", f"Content-Length: {total}", method="POST"))
        sent = 0
        while sent < total:
            connection.send(block[: total - sent])
            sent += len(block)
            most = max(most, resident_bytes(worker))
        assert json.loads(connection.response()[2]) == {"bytes": total, "good": True}
    assert most - before < 100 * MEGABYTE


def test_content_waits_in_the_kernel_until_somebody_reads_it(service):
    name = f"upload-{next(numbers)}"
    (worker,) = service.workers
    before = resident_bytes(worker)
    with service.connect() as connection:
        connection.send(head(f"/wait/{name}", f"Content-Length: {50 * MEGABYTE}", method="POST"))
        connection.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.socket.sendall(bytes(50 * MEGABYTE))
        assert resident_bytes(worker) - before < 20 * MEGABYTE
        service.get(f"/open/{name}")


# -- content of responses


@pytest.mark.parametrize("query", ["bytes=0", "bytes=1", "bytes=100000", "bytes=200000&piece=16383", "bytes=200000&piece=16384", "bytes=1000000&piece=100000", "bytes=3000000&piece=3000000"])
def test_streams(service, query):
    length = int(query.split("&")[0].split("=")[1])
    with service.connect() as connection:
        for _ in range(2):
            connection.request(f"/stream?{query}")
            status, fields, body = connection.response()
            assert (status, fields["transfer-encoding"]) == (200, "chunked")
            assert body == pattern(length)
            connection.request(f"/stream?{query}&length")
            status, fields, body = connection.response()
            assert (status, fields["content-length"]) == (200, str(length))
            assert body == pattern(length)


@pytest.mark.parametrize(
    "path, length", [("/text", "5"), ("/stream?bytes=10", None), ("/stream?bytes=10&length", "10"), ("/big?bytes=1000000", "1000000")]
)
def test_head_has_fields_and_no_content(service, path, length):
    with service.connect() as connection:
        for _ in range(3):
            connection.request(path, method="HEAD")
            status, fields, _ = connection.response("HEAD")
            assert (status, fields.get("content-length")) == (200, length)
            connection.request("/text")
            assert connection.response()[2] == b"hello"


def test_content_of_several_pieces(service):
    """More than is put together with a head, of which the kernel takes a part at once."""
    length = 64 * MEGABYTE + 1
    with service.connect() as connection:
        connection.request(f"/big?bytes={length}")
        status, fields, body = connection.response()
        assert (status, fields["content-length"]) == (200, str(length))
        assert body == pattern(length)
        connection.request(f"/big?bytes={length}", method="HEAD")
        status, fields, _ = connection.response("HEAD")
        assert (status, fields["content-length"]) == (200, str(length))


@pytest.mark.parametrize("status", [204, 304, 205])
def test_statuses_without_content(service, status):
    with service.connect() as connection:
        for _ in range(2):
            connection.request(f"/status/{status}")
            answered, fields, body = connection.response()
            assert (answered, body) == (status, b"")
            assert "transfer-encoding" not in fields
            assert fields.get("content-length") == (None if status != 205 else "0")


@pytest.mark.parametrize("status", [200, 201, 299, 300, 404, 418, 499, 500, 503, 599])
def test_statuses(service, status):
    assert service.get(f"/status/{status}")[0] == status


@pytest.mark.parametrize("way", ["latin", "wide", "bytes"])
@pytest.mark.parametrize("length", [10, 100_000, 20_000_000])
def test_large_responses(service, way, length):
    expected = {"latin": b"0123456789" * (length // 10), "wide": "é€😀a".encode() * (length // 10), "bytes": pattern(length)}[way]
    with service.connect() as connection:
        for _ in range(2):
            connection.request(f"/big?bytes={length}&as={way}")
            status, fields, body = connection.response()
            assert (status, int(fields["content-length"])) == (200, len(expected))
            assert body == expected


def test_text_is_utf_8(service):
    status, fields, body = service.get("/utf8")
    assert body == "é€😀\0\ufffdx".encode()
    assert fields["content-type"] == "text/plain;charset=UTF-8"


def test_fields_of_a_response(service):
    with service.connect() as connection:
        connection.request("/headers")
        assert connection.take_line() == b"HTTP/1.1 201 Fine"
        lines = []
        while line := connection.take_line():
            lines.append(tuple(line.decode("latin-1").split(": ", 1)))
        assert connection.take(1) == b"x"
        names = [name for name, _ in lines]
        assert [value for name, value in lines if name == "x-a"] == ["1", "2"]
        assert [value for name, value in lines if name == "set-cookie"] == ["a=1", "b=2"]
        assert ("x-latin", "caf\xe9") in lines
        assert names.count("date") == 1 and ("date", "never") not in lines
        assert not {"connection", "transfer-encoding", "keep-alive"} & set(names)
        connection.request("/text")
        assert connection.response()[2] == b"hello"


def test_an_own_content_length_cannot_lie_about_a_text(service):
    with service.connect() as connection:
        connection.request("/bad-length")
        status, fields, body = connection.response()
        assert (body, fields["content-length"]) == (b"four", "4")


@pytest.mark.parametrize("route", ["short-stream", "long-stream", "broken-stream"])
def test_a_stream_that_fails_never_looks_complete(service, route):
    path = unique(route)
    with service.connect() as connection:
        connection.request(path)
        with pytest.raises((AssertionError, Closed, ConnectionError, ValueError)):
            connection.response()
    with service.connect() as connection:
        connection.request(unique(route), version="HTTP/1.0")
        with pytest.raises((AssertionError, Closed, ConnectionError, ValueError)):
            connection.response()
            # Content until the end of the connection: only a reset tells that it is not whole.
            connection.socket.recv(1)
            raise AssertionError("it looks complete") if route != "broken-stream" else ConnectionError
    span = service.span(path)
    assert span.status == ERROR
    assert span.attributes["error.type"] == ("RangeError" if route == "broken-stream" else "TypeError")
    assert span.attributes["http.response.status_code"] == 200


def test_a_slow_client_slows_the_stream_down(service):
    total = 200 * MEGABYTE
    (worker,) = service.workers
    before = most = resident_bytes(worker)
    with service.connect() as connection:
        connection.request(f"/stream?bytes={total}&piece=50000&length")
        connection.response_head()
        seen = len(connection.pending)
        while seen < total:
            connection.pending.clear()
            seen += len(connection.receive())
            most = max(most, resident_bytes(worker))
        assert seen == total
    assert most - before < 100 * MEGABYTE


def test_a_client_that_does_not_read_stops_the_stream(service):
    name = f"endless-{next(numbers)}"
    (worker,) = service.workers
    with service.connect() as connection:
        connection.request(f"/endless/{name}")
        connection.response_head()
        before = resident_bytes(worker)
        for _ in range(50):
            service.get("/later/x?ms=10")
        assert resident_bytes(worker) - before < 30 * MEGABYTE
    wait_for(lambda: events(service, name) == ["cancelled: AbortError"])
    assert service.span(f"/endless/{name}").status == ERROR


# -- clients that leave


def leave(connection, reset):
    if reset:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.socket.close()


@pytest.mark.parametrize("reset", [False, True])
def test_a_client_that_leaves_before_the_response(service, reset):
    name = f"left-{next(numbers)}"
    connection = service.connect()
    connection.request(f"/wait/{name}")
    wait_for(lambda: "waits" in events(service, name))
    leave(connection, reset)
    wait_for(lambda: "aborted: AbortError" in events(service, name))
    span = service.span(f"/wait/{name}")
    assert (span.status, span.attributes["error.type"]) == (ERROR, "client_left")
    assert "http.response.status_code" not in span.attributes
    service.get(f"/open/{name}")


def test_a_client_that_leaves_within_a_stream(service):
    name = f"left-{next(numbers)}"
    connection = service.connect()
    connection.request(f"/gated/{name}")
    connection.response_head()
    assert connection.take(6) == b"6\r\nfir"
    leave(connection, reset=True)
    wait_for(lambda: {"aborted", "cancelled: AbortError"} <= set(events(service, name)))
    span = service.span(f"/gated/{name}")
    assert (span.status, span.attributes["error.type"]) == (ERROR, "client_left")
    assert span.attributes["http.response.status_code"] == 200
    service.get(f"/open/{name}")


@pytest.mark.parametrize("reset", [False, True])
def test_a_client_that_leaves_within_a_large_response(service, reset):
    path = unique("big")
    connection = service.connect()
    connection.request(f"{path}?bytes=50000000")
    connection.response_head()
    leave(connection, reset)
    span = service.span(path)
    assert (span.status, span.attributes["error.type"]) == (ERROR, "client_left")


def test_a_client_that_closes_within_a_stream_is_noticed_by_the_next_pieces(service):
    path = f"/endless/closed-{next(numbers)}"
    connection = service.connect()
    connection.request(path)
    connection.response_head()
    leave(connection, reset=False)
    span = service.span(path)
    assert (span.status, span.attributes["error.type"]) == (ERROR, "client_left")


@pytest.mark.parametrize("gone", [False, True])
def test_a_client_that_leaves_within_its_content(service, gone):
    path = unique("echo")
    connection = service.connect()
    connection.send(head(path, "Content-Length: 1000", method="POST") + b"abc")
    if gone:
        connection.socket.close()
    else:
        # It reads on, but nothing can be answered to half a request.
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.rest() == b""
    span = service.span(path)
    assert (span.status, span.attributes["error.type"]) == (ERROR, "client_left")


# -- clients that send nothing more, and read


def half_closed(service, data):
    """All that comes after the client has closed its sending side behind `data`."""
    connection = service.connect()
    connection.send(data)
    connection.socket.shutdown(socket.SHUT_WR)
    return connection


def test_who_closes_the_sending_side_gets_the_answers(service):
    with half_closed(service, head("/later/a?ms=50") + head("/text") + head("/echo", "Content-Length: 3", method="POST") + b"abc") as connection:
        assert [connection.response()[2] for _ in range(3)] == [b"/later/a", b"hello", b"abc"]
        assert connection.rest() == b""


def test_who_closes_the_sending_side_gets_the_stream(service):
    size = 5 * MEGABYTE
    with half_closed(service, head(f"/stream/x?bytes={size}&piece=10000")) as connection:
        assert connection.response()[2] == pattern(size)
        assert connection.rest() == b""
    with half_closed(service, head("/stream/y?bytes=20&piece=10", version="HTTP/1.0")) as connection:
        assert connection.response()[2] == pattern(20)


def test_who_closes_the_sending_side_is_not_taken_for_gone(service):
    """Before a response an interim one finds out whether somebody is there; a client of HTTP/1.0 would not understand it."""
    for version in ("HTTP/1.1", "HTTP/1.0"):
        name = f"half-{next(numbers)}"
        with half_closed(service, head(f"/wait/{name}", version=version)) as connection:
            interim = b"HTTP/1.1 100 Continue\r\n\r\n" if version == "HTTP/1.1" else b""
            assert connection.take(len(interim)) == interim
            wait_for(lambda: events(service, name) == ["waits"])
            service.get(f"/open/{name}")
            assert connection.response()[2] == f"/wait/{name}".encode()
            assert connection.rest() == b""
        assert service.span(f"/wait/{name}").status == UNSET


@pytest.mark.parametrize("data", [b"", b"GET / HT", head("/text") + b"GET"])
def test_who_closes_the_sending_side_within_a_head(service, data):
    with half_closed(service, data) as connection:
        if data.startswith(b"GET /text"):
            assert connection.response()[2] == b"hello"
        assert connection.rest() == b""


# -- what is no request to an origin server


def test_connect_is_not_implemented(service):
    with service.connect() as connection:
        connection.send(b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n" + head("/text"))
        status, fields, _ = connection.response()
        assert (status, fields["connection"]) == (501, "close")
        assert connection.rest() == b""


# -- handlers that fail


@pytest.mark.parametrize(
    "route, kind",
    [
        ("throw", "RangeError"), ("reject", "TypeError"), ("throw-nothing", "_OTHER"), ("throw-text", "_OTHER"), ("throw-hostile", None),
        ("used", "TypeError"), *((f"nonsense/{name}", "TypeError") for name in (
            "undefined", "null", "number", "text", "object", "symbol", "function", "promise", "thenable", "error", "proxy")),
    ],
)  # fmt: skip
def test_what_fails_is_answered_with_500(service, route, kind):
    path = unique(route)
    with service.connect() as connection:
        connection.request(path)
        status, fields, body = connection.response()
        assert (status, body) == (500, b"Internal Server Error")
        connection.request("/text")
        assert connection.response()[2] == b"hello"
    span = service.span(path)
    assert span.status == ERROR
    assert span.attributes["http.response.status_code"] == 500
    if kind:
        assert span.attributes["error.type"] == kind
    logs = wait_for(lambda: [log for log in service.receiver.logs if log.span_id == span.span_id])
    assert [log.event_name for log in logs] == ["exception"]


def test_a_thenable_may_give_the_response(service):
    assert service.get("/thenable-response")[2] == b"by thenable"


def test_wait_until_outlives_the_response(service):
    name = f"until-{next(numbers)}"
    assert service.get(f"/until/{name}")[2] == b"answered"
    assert events(service, name) == ["began"]
    service.get(f"/open/{name}")
    wait_for(lambda: events(service, name) == ["began", "ended"])
    span = service.span(f"/until/{name}")
    assert span.status == UNSET
    (log,) = wait_for(lambda: [log for log in service.receiver.logs if log.span_id == span.span_id])
    assert log.attributes["exception.message"] == "in waitUntil"
