"""A service's life: it drains, reloads, is killed and started again, and no request, connection or span is lost on the way.

KILL_ROUNDS: how often a worker is killed under load (10; 200 in the full run). KILL_SEED: where.
"""

import asyncio
import collections
import os
import random
import re
import signal
import socket
import struct
import urllib.request

import pytest

from conftest import HERE
from load import PARENT, Load, eventually
from serving import ERROR, INTERNAL, SERVER, UNSET, Closed, Connection, Service, head, wait_for

SERVICE = (HERE / "programs" / "service.mjs").read_text()

# What it answers with, and a span of its own within each request.
SIMPLE = """
import { trace } from '@opentelemetry/api';
const version = 'v1';
const tracer = trace.getTracer('simple');
export default {
    async fetch(request) {
        const { pathname } = new URL(request.url);
        await request.text();
        if (pathname.startsWith('/hold/')) {
            return new Response(new ReadableStream({ start(controller) { controller.enqueue(new TextEncoder().encode('held')); } }));
        }
        const inner = tracer.startSpan('inner');
        await new Promise((resolve) => setTimeout(resolve, pathname.length % 4));
        inner.end();
        return new Response(version);
    },
};
"""


@pytest.fixture(scope="module", autouse=True)
def scheduled(module_service, tmp_path_factory):
    """A schedule is called at the next whole minute, so it is asked for early and looked at last."""
    entry = tmp_path_factory.mktemp("scheduled") / "scheduled.mjs"
    entry.write_text(
        "export default { scheduled(event, env, context) {\n"
        "    console.log('scheduled', event.cron, event.scheduledTime % 60000);\n"
        "    context.waitUntil(Promise.resolve());\n} };"
    )
    return module_service(entry, "--cron", "* * * * *", "--isolates", 2, "--admin", "127.0.0.1:0")


# -- the end


def test_sigterm_finishes_what_is_in_flight(serve):
    service = serve(SERVICE)
    waiting, idle, unused, stream, opener = (service.connect() for _ in range(5))
    idle.request("/text")
    assert idle.response()[2] == b"hello"
    waiting.request("/wait/drain")
    stream.request("/gated/drain")
    stream.response_head()
    wait_for(lambda: b"waits" in service.get("/happened/drain")[2])
    # A request that has begun is one that is in flight.
    opener.send(b"GET /open/drain HTTP/1.1\r\nHost: a.test\r\n")
    service.process.send_signal(signal.SIGTERM)
    assert idle.rest() == b""
    assert unused.rest() == b""
    opener.send(b"\r\n")
    assert opener.response()[1]["connection"] == "close"
    status, fields, body = waiting.response()
    assert (status, body, fields["connection"]) == (200, b"/wait/drain", "close")
    assert b"".join(stream.chunks()) == b"first second"
    assert service.process.wait(20) == 0
    for path in ("/wait/drain", "/gated/drain"):
        assert service.span(path).status == UNSET


def test_kept_connections_do_not_hold_up_the_end(serve):
    # Less than the time in which a client may see that its connection is closed, or in which it may still use it.
    service = serve(SERVICE, "--shutdown-timeout", "900ms")
    kept = [service.connect() for _ in range(20)]
    for connection in kept[:10]:
        connection.request("/text")
        assert connection.response()[2] == b"hello"
    assert service.end() == 0, service.err
    for connection in kept:
        assert connection.rest() == b""


def test_new_code_answers_what_comes_on_a_kept_connection_and_closes_it_then(serve):
    service = serve(SERVICE)
    with service.connect() as connection:
        connection.request("/text")
        assert connection.response()[1].get("connection") != "close"
        service.process.send_signal(signal.SIGHUP)
        # The old worker's, as long as it has not been told to end.
        while True:
            connection.request("/text")
            status, fields, body = connection.response()
            assert (status, body) == (200, b"hello")
            if fields.get("connection") == "close":
                break
        assert connection.rest() == b""
    assert service.get("/text")[2] == b"hello"
    assert service.end() == 0


def test_wait_until_is_waited_for(serve):
    service = serve(
        "export default { fetch(request, env, context) {\n"
        "    context.waitUntil(new Promise((resolve) => setTimeout(resolve, 1500)).then(() => console.log('all done')));\n"
        "    return new Response('x');\n} };"
    )
    assert service.get()[2] == b"x"
    assert service.end() == 0
    assert "all done" in service.err


def test_what_does_not_end_in_time_is_cut_and_is_an_error(serve):
    service = serve(SERVICE, "--shutdown-timeout", "300ms")
    with service.connect() as connection:
        connection.request("/never/cut")
        service.get("/text")
        wait_for(lambda: any(span.attributes.get("url.path") == "/text" for span in list(service.receiver.spans)))
        service.process.send_signal(signal.SIGTERM)
        with pytest.raises(Closed):
            connection.response()
    assert service.process.wait(20) == 1
    assert service.span("/never/cut").status == ERROR


# -- new code


def reload_under_load(service, sidelight, change):
    load = Load(service.port, method="POST")

    async def during():
        for version in ("v2", "v3", "v4"):
            await eventually(lambda: load.answered > 50)
            change(SIMPLE.replace("v1", version))
            await eventually(lambda: load.sent and {sent.body for sent in load.sent[-40:]} <= {version.encode(), None})

    asyncio.run(load.run(during()))
    assert load.refused == []
    assert load.failures == []
    assert service.end() == 0
    check_spans(service.receiver.spans, load)
    assert {sent.body for sent in load.sent} == {b"v1", b"v2", b"v3", b"v4"}


@pytest.mark.parametrize("isolates", [1, 2])
def test_sighup_brings_new_code_and_fails_no_request(serve, sidelight, isolates):
    service = serve(SIMPLE, "--isolates", isolates)

    def change(text):
        sidelight.write("app.mjs", text)
        service.process.send_signal(signal.SIGHUP)

    reload_under_load(service, sidelight, change)


def test_watch_brings_new_code_and_fails_no_request(serve, sidelight):
    service = serve(SIMPLE, "--watch")

    def change(text):
        sidelight.write(".new", text).rename(sidelight.folder / "app.mjs")

    reload_under_load(service, sidelight, change)


# -- death


def check_spans(spans, load, deaths=()):
    """Each whole answer has its server span exactly once; what died has at most one; nothing has a wrong parent."""
    by_trace = collections.defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    errors = 0
    for sent in load.sent:
        servers = [span for span in by_trace[sent.trace_id] if span.kind == SERVER]
        if sent.body is None:
            assert len(servers) <= 1, servers
        else:
            assert len(servers) == 1, (sent, servers)
        for span in servers:
            assert span.parent_id == PARENT
            if span.status == ERROR:
                assert "SIGKILL" in span.message, span
                errors += 1
            elif sent.body is not None:
                assert span.attributes["url.path"] == sent.path
        inner = [span for span in by_trace[sent.trace_id] if span.kind == INTERNAL]
        assert len(inner) <= 1 and all(span.parent_id == servers[0].span_id for span in inner), (inner, servers)
        if sent.body is not None:
            assert len(inner) == 1
    return errors


def kill_rounds(sidelight, make_receiver, source, rounds):
    """Kills workers of one service under load, so many times."""
    receiver = make_receiver()
    entry = sidelight.write("app.mjs", SIMPLE)
    service = Service(sidelight, entry, "--isolates", 2, receiver=receiver)
    load = Load(service.port, width=12, seed=source.randrange(1 << 32), path=lambda number: "/" + "x" * (number % 7))
    held = []

    async def during():
        for number in range(rounds):
            workers = await_workers(service, 2)
            for index in range(8):
                connection = Connection(service.port)
                trace = f"{source.getrandbits(128) | 1:032x}"
                connection.send(head(f"/hold/{number}-{index}", f"traceparent: 00-{trace}-{PARENT}-01"))
                held.append((connection, trace))
            # In flight is what has begun to answer.
            for connection, _ in held[-8:]:
                await asyncio.to_thread(connection.take, len(b"HTTP/1.1 200"))
            before = load.answered
            await eventually(lambda: load.answered >= before + source.randrange(1, 60))
            await asyncio.sleep(source.uniform(0, 0.01))
            # Nobody but us ends a worker.
            assert service.workers == workers, service.err
            victim = source.choice(workers)
            os.kill(victim, signal.SIGKILL)
            await eventually(lambda: victim not in service.workers)
            before = load.answered
            await eventually(lambda: load.answered >= before + 20)

    def await_workers(service, count):
        return wait_for(lambda: len(found := service.workers) == count and found)

    try:
        asyncio.run(load.run(during()))
        # Those that are held by a worker that lives leave now.
        dead = [trace for connection, trace in held if is_over(connection)]
        for connection, _ in held:
            # With a reset: nothing more is written that would find out.
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.socket.close()
        assert service.end() == 0, service.err
    finally:
        service.kill()
    receiver.check()
    assert load.refused == []
    errors = check_spans(receiver.spans, load)
    for connection, trace in held:
        (span,) = [span for span in receiver.spans if span.trace_id == trace]
        assert (span.kind, span.parent_id, span.status) == (SERVER, PARENT, ERROR)
        assert ("SIGKILL" in span.message) == (trace in dead), span
    return load.answered, errors + len(dead)


def is_over(connection):
    connection.socket.settimeout(0.05)
    try:
        while connection.receive():
            pass
        return True
    except TimeoutError:
        return False


def test_kill_9_at_random_points_under_load(sidelight, make_receiver):
    rounds = int(os.environ.get("KILL_ROUNDS", 10))
    seed = int(os.environ.get("KILL_SEED", random.randrange(1 << 32)))
    print(f"KILL_SEED={seed}")
    source = random.Random(seed)
    answered = errors = 0
    while rounds > 0:
        # A worker that dies soon again and again waits longer and longer; so a service is killed three times only.
        now = min(rounds, 3)
        rounds -= now
        more, wrong = kill_rounds(sidelight, make_receiver, source, now)
        answered += more
        errors += wrong
    print(f"{answered} answers, {errors} requests in flight at a death")
    assert errors > 0


def test_a_heap_that_is_full(serve):
    service = serve(SERVICE, "--limit", "heap=64MB")
    with service.connect() as connection:
        connection.request("/wait/other")
        wait_for(lambda: b"waits" in service.get("/happened/other")[2])
        assert service.get("/heap/full")[0] == 503
        assert connection.response()[0] == 503
    assert wait_for(lambda: service.get("/text")[0]) == 200
    for path in ("/heap/full", "/wait/other"):
        span = service.span(path)
        assert span.status == ERROR and "heap" in span.message
    assert service.end() == 0


@pytest.mark.parametrize("limit", ["cpu", "wall"])
def test_a_handler_that_never_comes_back(serve, limit):
    service = serve(SERVICE, "--limit", f"{limit}=300ms")
    with service.connect() as connection:
        connection.request("/spin")
        assert connection.response()[0] == 503
    assert wait_for(lambda: service.get("/text")[0]) == 200
    span = service.span("/spin")
    assert span.status == ERROR and "300 ms" in span.message
    assert service.end() == 0


def test_a_handler_that_ends_the_process(serve):
    service = serve(SERVICE)
    with service.connect() as connection:
        connection.request("/exit/3")
        assert connection.response()[0] == 503
    assert service.span("/exit/3").status == ERROR
    assert service.get("/text")[2] == b"hello"
    assert service.end() == 0


# -- several isolates, other sockets


def test_several_isolates_share_the_socket(serve):
    service = serve(SERVICE, "--isolates", 2)
    assert len(service.workers) == 2
    connections = [service.connect() for _ in range(60)]
    pids = set()
    for connection in connections:
        connection.request("/pid")
        pids.add(int(connection.response()[2]))
    assert pids == set(service.workers)
    for connection in connections:
        connection.socket.close()
    assert service.end() == 0


def test_a_unix_socket(serve, sidelight):
    path = sidelight.folder / "x.sock"
    service = serve(SERVICE, listen=f"unix:{path}")
    plain = socket.socket(socket.AF_UNIX)
    plain.connect(str(path))
    connection = Connection.over(plain)
    for _ in range(2):
        connection.request("/text/unix")
        assert connection.response()[2] == b"hello"
    plain.close()
    assert service.end() == 0
    for span in service.spans("/text/unix"):
        assert "network.peer.port" not in span.attributes


# -- schedules


def test_a_schedule_is_called_by_one_of_the_workers(scheduled):
    span = wait_for(lambda: next((span for span in list(scheduled.receiver.spans) if span.name.startswith("scheduled")), None), 75)
    assert (span.name, span.parent_id, span.status) == ("scheduled * * * * *", "", UNSET)
    assert span.attributes["faas.trigger"] == "timer"
    assert "scheduled * * * * * 0" in scheduled.err
    page = urllib.request.urlopen(scheduled.admin + "/metrics").read().decode()
    assert re.search(r"^sidelight_scheduled_runs_total [1-9]", page, re.M) and "sidelight_scheduled_failures_total" not in page
    assert len({span.attributes["faas.time"] for span in scheduled.receiver.spans if span.name.startswith("scheduled")}) == len(
        [span for span in scheduled.receiver.spans if span.name.startswith("scheduled")]
    )
