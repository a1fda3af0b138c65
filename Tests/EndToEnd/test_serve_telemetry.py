"""What a served request leaves behind: one server span with all that the conventions ask for, its place in the trace, its figures.

<https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span>
"""

import concurrent.futures
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from conftest import HERE
from serving import CLIENT, ERROR, INTERNAL, SERVER, UNSET, head, metrics, wait_for

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
W3C = f"traceparent: 00-{TRACE}-{PARENT}-01"


@pytest.fixture(scope="module")
def service(module_service):
    return module_service(HERE / "programs" / "service.mjs")


@pytest.fixture(scope="module")
def peer():
    """Answers with the headers that it got."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/peer"
    server.shutdown()
    server.server_close()


# What the handler gets of its peer, which got it of the handler.
ASK = "export default { async fetch(request) { return fetch(new URL(request.url).searchParams.get('peer')); } };"


# -- one span a request


def test_an_attribute_that_the_program_sets_itself_stands_once(service):
    """The receiver refuses a span that has an attribute twice."""
    assert service.get("/own/attributes")[0] == 200
    attributes = service.span("/own/attributes").attributes
    assert (attributes["client.address"], attributes["server.port"]) == ("hidden", 1)
    assert (attributes["http.request.method"], attributes["url.scheme"]) == ("GET", "http")


def test_the_attributes_of_a_request(service):
    with service.connect() as connection:
        connection.send(
            b"GET /text/attributes?a=b&c=%20 HTTP/1.1\r\nHost: shop.test:8080\r\nUser-Agent: caf\xe9/1\r\n"
            b"X-Forwarded-For: 203.0.113.9, 10.0.0.1\r\n\r\n"
        )
        assert connection.response()[0] == 200
        port = connection.socket.getsockname()[1]
    span = service.span("/text/attributes")
    assert (span.name, span.kind, span.status, span.message, span.parent_id) == ("GET", SERVER, UNSET, "", "")
    assert span.end >= span.start
    expected = {
        "http.request.method": "GET",
        "url.path": "/text/attributes",
        "url.query": "a=b&c=%20",
        "url.scheme": "http",
        "server.address": "shop.test",
        "server.port": 8080,
        "client.address": "203.0.113.9",
        "network.peer.address": "127.0.0.1",
        "network.peer.port": port,
        "network.protocol.version": "1.1",
        "user_agent.original": "caf\xe9/1",
        "http.response.status_code": 200,
    }
    assert {name: span.attributes.get(name) for name in expected} == expected
    assert set(span.attributes) - set(expected) == {"sidelight.cpu.time"}
    assert isinstance(span.attributes["sidelight.cpu.time"], float) and span.attributes["sidelight.cpu.time"] > 0


@pytest.mark.parametrize(
    "method, name, known", [(m, m, True) for m in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")] + [("BREW", "HTTP", False)]
)
def test_methods(service, method, name, known):
    path = f"/status/200/{method}"
    assert service.get(path, method=method)[0] == 200
    span = service.span(path)
    assert span.name == name
    assert span.attributes["http.request.method"] == (method if known else "_OTHER")


def test_http_1_0_is_told(service):
    service.get("/text/version", version="HTTP/1.0")
    assert service.span("/text/version").attributes["network.protocol.version"] == "1.0"


@pytest.mark.parametrize("status, outcome", [(200, UNSET), (302, UNSET), (404, UNSET), (499, UNSET), (500, ERROR), (503, ERROR)])
def test_the_outcome_follows_the_status(service, status, outcome):
    path = f"/status/{status}/outcome"
    service.get(path)
    span = service.span(path)
    assert span.status == outcome
    assert span.attributes["http.response.status_code"] == status
    assert span.attributes.get("error.type") == (str(status) if outcome == ERROR else None)


def test_keep_alive_and_pipelining_make_one_span_each(service):
    paths = [f"/text/each-{number}" for number in range(60)]
    with service.connect() as connection:
        connection.send(b"".join(head(path) for path in paths[:30]))
        for _ in paths[:30]:
            connection.response()
        for path in paths[30:]:
            connection.request(path)
            connection.response()
    spans = [service.span(path) for path in paths]
    assert len({span.trace_id for span in spans}) == len(paths)
    assert len({span.span_id for span in spans}) == len(paths)


def test_a_streamed_response_ends_at_its_last_byte(service):
    with service.connect() as connection:
        connection.request("/gated/last-byte")
        connection.response_head()
        # Another request that is over before the gate opens.
        service.get("/text/before-last-byte")
        before = service.span("/text/before-last-byte")
        assert service.spans("/gated/last-byte") == []
        service.get("/open/last-byte")
        assert b"".join(connection.chunks()) == b"first second"
    span = service.span("/gated/last-byte")
    assert span.start < before.start <= before.end < span.end


def test_malformed_requests_make_no_span_and_are_counted(serve):
    service = serve("export default { fetch: () => new Response('x') };")
    with service.connect() as connection:
        connection.send(b"GET / HTTP/1.1\r\n\r\n")
        assert connection.response()[0] == 400
    assert service.get("/good")[0] == 200
    assert service.end() == 0
    assert [span.attributes["url.path"] for span in service.receiver.spans if span.kind == SERVER] == ["/good"]
    (point,) = metrics(service.receiver)["sidelight.http.server.malformed"]
    assert point.as_int == 1


# -- its place in the trace


def test_the_callers_span_is_the_parent(service):
    service.get("/text/parent", W3C, "tracestate: a=1, b=2")
    span = service.span("/text/parent")
    assert (span.trace_id, span.parent_id, span.trace_state.replace(" ", "")) == (TRACE, PARENT, "a=1,b=2")
    assert span.flags & 0x301 == 0x301, hex(span.flags)


@pytest.mark.parametrize(
    "number, fields",
    list(enumerate((
        ("traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01",), ("traceparent: x",), ("traceparent:",),
        ("traceparent: ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",), (W3C, W3C.replace("b7", "c8")), (W3C + "-x",),
        (W3C.upper().replace("TRACEPARENT", "traceparent"),),
    ))),
)  # fmt: skip
def test_a_caller_that_cannot_be_understood_is_none(service, number, fields):
    service.get(f"/text/bad-parent-{number}", *fields, "tracestate: a=1")
    span = service.span(f"/text/bad-parent-{number}")
    assert (span.parent_id, span.trace_state) == ("", "")
    assert span.trace_id != TRACE


def test_an_unsampled_caller_is_obeyed_and_carried_on(serve, peer):
    service = serve(ASK)
    for field, flag in ((W3C[:-2] + "00", "00"), (W3C, "01")):
        answer = service.get(f"/{flag}?peer={peer}", field, "tracestate: a=1,b=2", "baggage: k=v;p=1, l=w")
        asked = json.loads(answer[2])
        version, trace, parent, flags = asked["traceparent"].split("-")
        assert (version, trace, flags) == ("00", TRACE, flag)
        assert parent != PARENT
        assert asked["tracestate"].replace(" ", "") == "a=1,b=2"
        assert sorted(asked["baggage"].replace(" ", "").split(",")) == ["k=v;p=1", "l=w"]
    assert service.end() == 0
    spans = [span for span in service.receiver.spans if span.trace_id == TRACE]
    assert {span.attributes.get("url.path") for span in spans if span.kind == SERVER} == {"/01"}
    (server,) = [span for span in spans if span.kind == SERVER]
    (client,) = [span for span in spans if span.kind == CLIENT]
    assert client.parent_id == server.span_id
    assert client.span_id == parent
    (duration,) = metrics(service.receiver)["http.server.request.duration"]
    assert duration.count == 2


@pytest.mark.parametrize(
    "propagators, fields, sent",
    [
        ("b3", (f"b3: {TRACE}-{PARENT}-1",), "b3"),
        ("b3", (f"x-b3-traceid: {TRACE}", f"x-b3-spanid: {PARENT}", "x-b3-sampled: 1"), "b3"),
        ("b3multi", (f"X-B3-TraceId: {TRACE}", f"X-B3-SpanId: {PARENT}", "X-B3-Sampled: 1"), "x-b3-traceid"),
        ("jaeger", (f"uber-trace-id: {TRACE}:{PARENT}:0:1",), "uber-trace-id"),
        ("tracecontext,b3", (W3C,), "traceparent"),
        ("b3", (W3C,), None),
        ("none", (W3C,), None),
    ],
)  # fmt: skip
def test_propagators(serve, peer, propagators, fields, sent):
    service = serve(ASK, env={"OTEL_PROPAGATORS": propagators})
    asked = json.loads(service.get(f"/p?peer={peer}", *fields)[2])
    span = service.span("/p")
    if sent:
        assert (span.trace_id, span.parent_id) == (TRACE, PARENT)
        assert TRACE in asked[sent]
    else:
        assert span.parent_id == "" and span.trace_id != TRACE
        assert "traceparent" not in asked
        assert ("b3" in asked) == (propagators == "b3")


@pytest.mark.parametrize("sampler, argument, expected", [("always_off", "", 0), ("traceidratio", "0", 0), ("traceidratio", "1", 20), ("parentbased_always_off", "", 0)])
def test_samplers(serve, sampler, argument, expected):
    env = {"OTEL_TRACES_SAMPLER": sampler, **({"OTEL_TRACES_SAMPLER_ARG": argument} if argument else {})}
    service = serve("export default { fetch: () => new Response('x') };", env=env)
    for number in range(20):
        service.get(f"/{number}")
    assert service.end() == 0
    assert len([span for span in service.receiver.spans if span.kind == SERVER]) == expected
    (duration,) = metrics(service.receiver)["http.server.request.duration"]
    assert duration.count == 20


def test_names_and_routes(serve):
    service = serve(
        "import { setRoute } from 'sidelight';\n"
        "const items = new URLPattern({ pathname: '/items/:id' });\n"
        "export default { async fetch(request) {\n"
        "    if (request.url.includes('/set/')) { await null; setRoute('/set/{x}'); return new Response('set'); }\n"
        "    const match = items.exec(request.url);\n"
        "    return new Response(match ? match.pathname.groups.id : 'none', { status: match ? 200 : 404 });\n} };"
    )
    assert service.get("/items/7")[2] == b"7"
    assert service.get("/set/7", method="PUT")[2] == b"set"
    assert service.get("/other")[0] == 404
    found = {path: (span.name, span.attributes.get("http.route")) for path in ("/items/7", "/set/7", "/other") for span in [service.span(path)]}
    assert found == {"/items/7": ("GET /items/:id", "/items/:id"), "/set/7": ("PUT /set/{x}", "/set/{x}"), "/other": ("GET", None)}


# -- what happens within


def test_context_is_right_in_every_way(serve, peer):
    programs = HERE / "programs"
    part = {"context_part.mjs": (programs / "context_part.mjs").read_text()}
    service = serve((programs / "contexts.mjs").read_text(), files=part)
    names = [f"r{number}" for number in range(8)]

    def ask(name):
        return json.loads(service.get(f"/{name}?peer={peer}", f"baggage: of={name}", method="POST", body="x" * 100)[2])

    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        answers = dict(zip(names, pool.map(ask, names)))
    assert service.end() == 0
    spans = service.receiver.spans
    ways = None
    for name in names:
        (server,) = [span for span in spans if span.attributes.get("url.path") == f"/{name}"]
        own = {span.name: span for span in spans if span.name.startswith(f"{name} ")}
        assert len(own) == sum(span.name.startswith(f"{name} ") for span in spans)
        inner = own[f"{name} inner"]
        # V8 10.2 calls the `then` of a thenable without a context. So it may lose its parent, but never get another's.
        thenable = own.pop(f"{name} thenable")
        assert thenable.parent_id in ("", server.span_id)
        wrong = [
            span.name
            for span in own.values()
            if (span.trace_id, span.parent_id) != (server.trace_id, inner.span_id if span.name.endswith("below inner") else server.span_id)
        ]
        assert wrong == []
        assert all(span.kind == INTERNAL for span in own.values())
        seen = {span.name.split(" ", 1)[1] for span in own.values()}
        assert ways is None or seen == ways
        ways = seen
        (client,) = [span for span in spans if span.kind == CLIENT and span.trace_id == server.trace_id]
        assert client.parent_id == server.span_id
        answer = answers[name]
        assert answer.pop("asked")["traceparent"] == f"00-{server.trace_id}-{client.span_id}-01"
        assert answer.pop("active") == server.span_id
        assert answer.pop("baggage") == [["of", name]]
        assert answer.pop("thenable", None) in (None, f"stored for {name}")
        assert set(answer.values()) == {f"stored for {name}"}
    assert len(ways) >= 30, ways


# -- figures


def test_metrics_of_requests(serve):
    service = serve(
        "import { setRoute } from 'sidelight';\n"
        "let open; const gate = new Promise((resolve) => { open = resolve; });\n"
        "export default { async fetch(request) {\n"
        "    setRoute('/r');\n"
        "    if (request.url.endsWith('wait')) await gate;\n"
        "    if (request.url.endsWith('open')) open();\n"
        "    if (request.url.endsWith('fail')) throw new RangeError('x');\n"
        "    return new Response('x');\n} };",
        env={"OTEL_METRIC_EXPORT_INTERVAL": 100},
    )
    with service.connect() as connection:
        connection.request("/wait")
        active = lambda: metrics(service.receiver).get("http.server.active_requests", [])  # noqa: E731
        wait_for(lambda: [point.as_int for point in active()] == [1])
        for _ in range(3):
            service.get("/ok")
        service.get("/fail", method="POST")
        service.get("/open")
        connection.response()
    assert service.end() == 0
    found = {}
    for point in metrics(service.receiver)["http.server.request.duration"]:
        attributes = {pair.key: pair.value.int_value if pair.value.HasField("int_value") else pair.value.string_value for pair in point.attributes}
        found[tuple(sorted(attributes.items()))] = point.count
        assert sum(point.bucket_counts) == point.count
        assert 0 < point.sum < 60
    common = {"url.scheme": "http", "http.route": "/r", "network.protocol.version": "1.1"}
    good = {**common, "http.request.method": "GET", "http.response.status_code": 200}
    bad = {**common, "http.request.method": "POST", "http.response.status_code": 500, "error.type": "RangeError"}
    assert found == {tuple(sorted(good.items())): 5, tuple(sorted(bad.items())): 1}
    assert [point.as_int for point in active()] in ([], [0], [0, 0])


# -- errors that nobody caught

LATE = """
import { trace } from '@opentelemetry/api';
const ways = {
    timer() { setTimeout(() => { throw new Error('timer'); }, 5); },
    immediate() { setImmediate(() => { throw new Error('immediate'); }); },
    microtask() { queueMicrotask(() => { throw new Error('microtask'); }); },
    rejection() { (async () => { await null; throw new Error('rejection'); })(); },
    reject() { Promise.reject(new Error('reject')); },
    listener() { const target = new EventTarget(); target.addEventListener('x', () => { throw new Error('listener'); }); target.dispatchEvent(new Event('x')); },
};
export default {
    async fetch(request) {
        const way = new URL(request.url).pathname.slice(1);
        if (way === 'other') { await new Promise((resolve) => setTimeout(resolve, 20)); return new Response('other'); }
        ways[way]();
        await new Promise((resolve) => setTimeout(resolve, 40));
        return new Response(way);
    },
};
"""


def test_an_error_nobody_caught_belongs_to_the_request_it_came_of(serve):
    service = serve(LATE)
    ways = ["timer", "immediate", "microtask", "rejection", "reject", "listener"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        others = [pool.submit(service.get, "/other") for _ in ways]
        for way, answer in [(way, pool.submit(service.get, f"/{way}")) for way in ways]:
            assert answer.result()[0] == 200, way
        assert all(other.result()[0] == 200 for other in others)
    for way in ways:
        span = service.span(f"/{way}")
        wait_for(lambda: any(log.attributes.get("exception.message") == way for log in service.receiver.logs))
        (log,) = [log for log in service.receiver.logs if log.attributes.get("exception.message") == way]
        assert (log.trace_id, log.span_id) == (span.trace_id, span.span_id), way
        assert [name for _, name, _ in span.events].count("exception") == 1, way
        assert span.status == ERROR, way
