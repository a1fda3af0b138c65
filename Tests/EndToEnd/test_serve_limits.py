"""Clients that are slow or silent, and limits of time and number. Each limit is set low; nothing asserts how long something took."""

import json

import pytest

from conftest import HERE
from serving import Closed, Connection, ERROR, UNSET, head, wait_for

SERVICE = HERE / "programs" / "service.mjs"


@pytest.fixture(scope="module")
def impatient(module_service):
    return module_service(SERVICE, "--limit", "header-timeout=1s", "--limit", "idle=1s")


@pytest.fixture(scope="module")
def hasty(module_service):
    # Handlers that never return are waited for at the end; hence the code.
    return module_service(SERVICE, "--limit", "request-timeout=500ms", "--shutdown-timeout", "300ms", code=1)


# -- header-timeout, idle


def test_half_a_head_then_silence(impatient):
    with impatient.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: ")
        status, fields, _ = connection.response()
        assert (status, fields["connection"]) == (408, "close")
        assert connection.rest() == b""


def test_a_head_that_drips_for_ever(impatient):
    """Each byte comes in time; the head does not."""
    with impatient.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\nX: ")
        connection.socket.settimeout(0.1)
        for _ in range(600):
            connection.send(b"y")
            try:
                if connection.receive():
                    break
            except TimeoutError:
                pass
        assert connection.response()[0] == 408


def test_half_a_head_behind_a_whole_request(impatient):
    with impatient.connect() as connection:
        connection.send(head("/text") + b"GET / HTTP/1.1\r\n")
        assert connection.response()[2] == b"hello"
        assert connection.response()[0] == 408
        assert connection.rest() == b""


def test_half_of_the_content_then_silence(impatient):
    path = "/echo/silence"
    with impatient.connect() as connection:
        connection.send(head(path, "Content-Length: 10", method="POST") + b"abc")
        status, fields, _ = connection.response()
        assert (status, fields["connection"]) == (408, "close")
        assert connection.rest() == b""
    span = impatient.span(path)
    assert (span.status, span.attributes["error.type"], span.attributes["http.response.status_code"]) == (ERROR, "timeout", 408)


def test_content_that_nobody_reads_and_that_never_comes(impatient):
    with impatient.connect() as connection:
        connection.send(head("/unread", "Content-Length: 10", method="POST") + b"abc")
        assert connection.response()[2] == b"not read"
        assert connection.rest() == b""


def test_the_time_for_content_runs_from_when_it_is_asked_for(serve):
    service = serve(
        "export default { async fetch(request) {\n"
        "    await new Promise((resolve) => setTimeout(resolve, 2000));\n"
        "    return new Response(await request.text());\n} };",
        "--limit", "header-timeout=1s", "--limit", "idle=1s",
    )  # fmt: skip
    with service.connect() as connection:
        connection.send(head("/", "Content-Length: 3", "Expect: 100-continue", method="POST"))
        assert connection.take_line() == b"HTTP/1.1 100 Continue"
        connection.take_line()
        connection.send(b"abc")
        assert connection.response()[2] == b"abc"
        # Nor was the connection idle meanwhile.
        connection.request("/", method="POST", body="def")
        assert connection.response()[2] == b"def"


def test_an_idle_connection_is_closed(impatient):
    with impatient.connect() as connection:
        assert connection.rest() == b""
    with impatient.connect() as connection:
        connection.request("/text")
        assert connection.response()[2] == b"hello"
        assert connection.rest() == b""


def test_a_client_that_takes_nothing_is_cut_off(impatient):
    path = "/big/takes-nothing"
    with impatient.connect() as connection:
        connection.request(f"{path}?bytes=50000000")
        span = impatient.span(path)
        assert (span.status, span.attributes["error.type"]) == (ERROR, "timeout")
        with pytest.raises(AssertionError):
            connection.response()


def test_a_client_that_takes_little_by_little_is_not(impatient):
    """It takes longer than the idle limit, but something every now and then."""
    path = "/big/takes-little"
    total = 12_000_000
    with impatient.connect() as connection:
        connection.request(f"{path}?bytes={total}")
        connection.socket.settimeout(0.2)
        connection.response_head()
        seen = len(connection.pending)
        pauses = 0
        while seen < total:
            chunk = connection.socket.recv(200_000)
            assert chunk
            seen += len(chunk)
            if pauses < 30:
                pauses += 1
                impatient.get("/later/x?ms=100")
    assert impatient.span(path).status == UNSET


# -- request-timeout


def test_a_handler_that_takes_too_long(hasty):
    path = "/never/too-long"
    with hasty.connect() as connection:
        connection.request(path)
        status, fields, _ = connection.response()
        assert (status, fields["connection"]) == (503, "close")
        assert connection.rest() == b""
    span = hasty.span(path)
    assert (span.status, span.attributes["error.type"], span.attributes["http.response.status_code"]) == (ERROR, "timeout", 503)


def test_a_handler_that_is_told_of_its_end(hasty):
    hasty.get("/wait/told")
    wait_for(lambda: json.loads(hasty.get("/happened/told")[2]) == ["waits", "aborted: TimeoutError"])


def test_a_stream_that_takes_too_long_is_cut(hasty):
    for version in ("HTTP/1.1", "HTTP/1.0"):
        path = f"/gated/cut-{version[-1]}"
        with hasty.connect() as connection:
            connection.request(path, version=version)
            with pytest.raises((AssertionError, Closed, ConnectionError)):
                assert connection.response()[2] != b"first ", "it looks complete"
                raise AssertionError
        span = hasty.span(path)
        assert (span.status, span.attributes["error.type"], span.attributes["http.response.status_code"]) == (ERROR, "timeout", 200)


def test_who_is_in_time_is_not_touched(hasty):
    with hasty.connect() as connection:
        for _ in range(8):
            connection.request("/later/x?ms=100")
            assert connection.response()[2] == b"/later/x"


# -- numbers


def test_connections_over_the_limit_are_closed_and_the_others_served(serve):
    service = serve("export default { fetch: () => new Response('x') };", "--limit", "connections=20")
    kept = [service.connect() for _ in range(20)]
    for connection in kept:
        connection.request()
        assert connection.response()[2] == b"x"
    for _ in range(5):
        with service.connect() as connection:
            connection.request()
            with pytest.raises(Closed):
                connection.response()
    for connection in kept:
        connection.request()
        assert connection.response()[2] == b"x"
    kept.pop().socket.close()

    def served():
        with service.connect() as connection:
            connection.request()
            try:
                return connection.response()[2] == b"x"
            except Closed:
                return False

    wait_for(served)
    for connection in kept:
        connection.socket.close()


def test_heads_over_the_limit(serve):
    service = serve("export default { fetch: () => new Response('x') };", "--limit", "headers=2KB")
    for data, status in (
        (head("/", "X: " + "y" * 1500), 200), (head("/", "X: " + "y" * 2100), 431), (head("/" + "a" * 2100), 414),
    ):  # fmt: skip
        with service.connect() as connection:
            connection.send(data)
            assert connection.response()[0] == status


def test_many_silent_connections_do_not_stop_the_others(impatient):
    silent = []
    for number in range(1500):
        silent.append(Connection(impatient.port))
        if number % 2 == 0:
            silent[-1].send(b"GET / HT")
    for _ in range(20):
        assert impatient.get("/text")[2] == b"hello"
    for number, connection in enumerate(silent):
        if number % 2 == 0:
            assert connection.response()[0] == 408
        assert connection.rest() == b""
        connection.socket.close()
