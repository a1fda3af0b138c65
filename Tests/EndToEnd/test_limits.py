"""Limits, each by code that attacks it: what the client gets, what is recorded, and that others feel nothing."""

import signal
import time

import pytest

from serving import ERROR, Closed, wait_for

MODULE = """
import { trace } from '@opentelemetry/api';
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const spin = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
const wasm = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 109, 2, 0]));
const kept = [];
const routes = {
    fast: () => new Response('fast'),
    pid: () => new Response(String(process.pid)),
    spin() { for (;;); },
    async turns() { for (;;) { spin(5); await wait(1); } },
    async microtasks() { for (;;) await null; },
    regex() { /^(a+)+$/.test('a'.repeat(40) + 'b'); return new Response('came back'); },
    sleep() { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); },
    async wait(ms) { await wait(+ms); return new Response('waited'); },
    async handlerGoesOn() { await wait(60000); },
    heap() { for (;;) kept.push(new Array(1000).fill({})); },
    buffers() { for (;;) kept.push(new Uint8Array(1 << 20)); },
    shared() { for (;;) kept.push(new SharedArrayBuffer(1 << 20)); },
    caught() { try { for (;;) kept.push(new Uint8Array(1 << 20)); } catch (error) { kept.length = 0; return new Response(error.name); } },
    grow() {
        for (;;) {
            const { exports } = new WebAssembly.Instance(wasm);
            exports.m.grow(64);
            new Uint8Array(exports.m.buffer).fill(1);
            kept.push(exports.m);
        }
    },
    async derive(iterations) {
        const key = await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']);
        await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(8), iterations: +iterations }, key, 256);
        return new Response('derived');
    },
    async deriveOften() { for (;;) await routes.derive(1e5); },
    recurse() { const deeper = () => deeper() + 1; return new Response(`${deeper()}`); },
    timers() { for (let i = 0; i < 200; i++) setTimeout(() => {}, 1e6); return new Response('set'); },
    timersCaught() { try { routes.timers(); } catch (error) { return new Response(`${error.name} ${error instanceof DOMException}`); } },
    promises() { for (;;) kept.push(new Promise(() => {})); },
    settled() { for (let i = 0; i < 1e5; i++) Promise.resolve(i); return new Response('settled'); },
    async subrequests(url) {
        const said = [];
        for (let i = 0; i < 5; i++) await fetch(`http://${url}/fast`).then((r) => said.push(r.status), (e) => said.push(e.cause.code));
        return new Response(said.join());
    },
    async together(url) {
        const all = await Promise.allSettled([1, 2, 3, 4, 5].map(() => fetch(`http://${url}/wait/300`)));
        return new Response(all.map((one) => one.value?.status ?? one.reason.cause.code).join());
    },
    big: (size) => new Response('x'.repeat(+size)),
    wide: (size) => new Response('\\u20ac'.repeat(+size)),
    stream: (size) => new Response(new ReadableStream({
        start(controller) { for (let i = 0; i < +size; i++) controller.enqueue(new Uint8Array(1)); controller.close(); },
    })),
    logs() { for (let i = 0; i < 100; i++) console.log('line', i); return new Response('said'); },
    spans() {
        const tracer = trace.getTracer('x');
        for (let i = 0; i < 100; i++) tracer.startActiveSpan('many', (span) => { tracer.startSpan('inner').end(); span.end(); });
        return new Response('made');
    },
    clone() { structuredClone('x'.repeat(100)); try { structuredClone(new Array(1e5).fill('x')); } catch (error) { return new Response(error.name); } },
    deepClone() {
        let deep = {};
        for (let i = 0; i < 1e6; i++) deep = { deep };
        const errors = [];
        for (const f of [structuredClone, JSON.stringify, (v) => JSON.parse('['.repeat(1e6) + ']'.repeat(1e6))]) {
            try { f(deep); errors.push('none'); } catch (error) { errors.push(error.name); }
        }
        return new Response(errors.join());
    },
};
export default {
    fetch(request) {
        const [, route, argument] = new URL(request.url).pathname.split('/');
        return routes[route](argument);
    },
};
"""


def limited(serve, *limits, **options):
    return serve(MODULE, *[word for limit in limits for word in ("--limit", limit)], **options)


def outcome(service, path):
    return service.span(path).attributes.get("sidelight.outcome")


def hits(service):
    """Names of the limits that were reached, by their log records."""
    with service.receiver.lock:
        return [log.attributes["sidelight.limit.name"] for log in service.receiver.logs if log.event_name == "sidelight.limit"]


# -- those that end the isolate


@pytest.mark.parametrize(
    "path, limit, name, said",
    [
        ("/spin", "cpu=100ms", "exceededCpu", "CPU limit of 100 ms"),
        ("/turns", "cpu=100ms", "exceededCpu", "CPU limit of 100 ms"),
        ("/microtasks", "cpu=100ms", "exceededCpu", "CPU limit of 100 ms"),
        ("/regex", "cpu=100ms", "exceededCpu", "CPU limit of 100 ms"),
        ("/turns", "cpu-window=30%/500ms", "exceededCpu", "CPU limit of 30 % in 500 ms"),
        ("/spin", "wall=300ms", "exceededWall", "wall clock limit of 300 ms"),
        ("/sleep", "loop-block=100ms", "exceededLoopBlock", "event loop blocked for more than 100 ms"),
        ("/spin", "loop-block=100ms", "exceededLoopBlock", "event loop blocked for more than 100 ms"),
        ("/heap", "heap=40MB", "exceededMemory", "heap limit"),
        ("/grow", "memory=32MB", "exceededMemory", "memory limit"),
        ("/promises", "promises=1000", "exceededPromises", "1000 pending promises"),
    ],
)
def test_whoever_ends_the_isolate_gets_503_and_so_does_who_waits(serve, path, limit, name, said):
    service = limited(serve, limit)
    first = service.workers
    with service.connect() as waiting, service.connect() as streaming, service.connect() as guilty:
        waiting.request("/handlerGoesOn")
        streaming.request("/stream/3")
        assert streaming.response()[0] == 200
        wait_for(lambda: service.get("/fast")[0] == 200)
        guilty.request(path)
        status, fields, content = guilty.response()
        assert (status, fields["connection"]) == (503, "close"), content
        assert waiting.response()[0] == 503
        for connection in (waiting, guilty):
            assert connection.rest() == b"" and not connection.truncated
    assert service.get("/fast")[2] == b"fast"
    assert service.workers != first
    span, other = service.span(path), service.span("/handlerGoesOn")
    assert span.status == other.status == ERROR
    assert said in span.message and said in other.message
    assert span.attributes["sidelight.outcome"] == name
    # A window is of the isolate, and so of all its requests.
    assert other.attributes["sidelight.outcome"] in (("replaced",) if "window" not in limit else ("replaced", name))
    assert span.attributes["http.response.status_code"] == other.attributes["http.response.status_code"] == 503
    wait_for(lambda: limit.split("=")[0] in hits(service))
    assert service.end() == 0


def test_who_was_started_before_a_reload_has_the_limit_of_then(serve, sidelight):
    sidelight.write("policy.yaml", "limits: {wall: 4s}\n")
    text = "export default { async fetch(request) { await request.text(); for (;;); } };"
    service = serve(text, "--policy", "policy.yaml")
    (first,) = service.workers
    with service.connect() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        assert connection.take_line() == b"HTTP/1.1 100 Continue"
        sidelight.write("policy.yaml", "limits: {wall: 60s}\n")
        service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "the policy is policy.yaml as it is now" in service.err)
        connection.send(b"x")
        wait_for(lambda: first not in service.workers)
    wait_for(lambda: "wall" in hits(service))
    [hit] = [log for log in service.receiver.logs if log.event_name == "sidelight.limit"]
    # The agent's words of one that died, not the worker's of a request.
    assert hit.body == "wall clock limit of 4000 ms reached", hit
    assert hit.attributes["sidelight.limit.value"] == 4000.0
    assert service.end() == 0


def test_a_request_that_came_while_nothing_was_read_is_told_too(serve):
    service = limited(serve, "cpu=200ms")
    with service.connect() as early, service.connect() as guilty:
        early.request("/fast")
        assert early.response()[0] == 200
        guilty.request("/spin")
        time.sleep(0.05)
        early.request("/fast")
        assert guilty.response()[0] == 503
        assert early.response()[0] == 503
    assert service.end() == 0


def test_a_body_that_nobody_read_does_not_cost_the_answer(serve):
    service = limited(serve, "cpu=100ms")
    for _ in range(5):
        status, _, _ = wait_for(lambda: service.get("/spin", method="POST", body=b"x" * 300_000))
        assert status == 503
    assert service.end() == 0


def test_a_response_that_has_begun_is_cut(serve):
    text = MODULE.replace("fast: ()", "begun: () => new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array(9)); } })), fast: ()")
    service = serve(text, "--limit", "cpu=100ms")
    with service.connect() as begun:
        begun.request("/begun")
        _, fields = begun.response_head()
        assert service.get("/spin")[0] == 503
        assert fields["transfer-encoding"] == "chunked"
        with pytest.raises(AssertionError, match="ended within an answer"):
            begun.content(fields)
    assert outcome(service, "/begun") == "replaced"
    assert service.end() == 0


@pytest.mark.parametrize(
    "path, limit, words",
    [
        ("/derive/2147483647", "cpu=200ms", "CPU limit of 200 ms"),
        ("/derive/2147483647", "cpu-window=30%/500ms", "CPU limit of 30 % in 500 ms"),
        ("/deriveOften", "cpu=50ms", "CPU limit of 50 ms"),
    ],
)
def test_what_other_threads_do_for_a_request_counts(serve, path, limit, words):
    service = limited(serve, limit)
    first = service.workers
    assert service.get("/derive/1000")[2] == b"derived"
    assert service.get(path)[0] == 503
    wait_for(lambda: service.workers and service.workers != first)
    span = service.span(path)
    assert span.attributes["sidelight.outcome"] == "exceededCpu" and words in span.message, span
    wait_for(lambda: limit.split("=")[0] in hits(service))
    assert service.get("/derive/1000")[2] == b"derived"
    assert service.end() == 0


def test_the_place_is_filled_soon_however_often_it_is_asked_for(serve):
    service = limited(serve, "cpu=50ms")
    began = time.monotonic()
    for _ in range(10):
        assert service.get("/spin")[0] == 503
        assert service.get("/fast")[0] == 200
    # With the delay that doubles, ten deaths would take more than 30 s.
    assert time.monotonic() - began < 25
    assert service.end() == 0


def test_neighbours_in_other_isolates_feel_nothing(serve):
    service = serve(MODULE, "--limit", "cpu=500ms", "--isolates", 2)
    # A kept connection stays with its isolate; which one takes it up is the kernel's business.
    places = {}
    while len(places) < 2 and sum(map(len, places.values())) < 500:
        connection = service.connect()
        connection.request("/pid")
        places.setdefault(int(connection.response()[2]), []).append(connection)
    guilty, other = places
    connection = places[guilty][0]
    connection.request("/spin")
    assert connection.response()[0] == 503
    for connection in places[other]:
        connection.request("/fast")
        assert connection.response()[0] == 200
    wait_for(lambda: guilty not in service.workers)
    wait_for(lambda: other in service.workers)
    assert service.end() == 0


# -- those that a request gets over


def test_a_request_that_waits_too_long_is_given_up_alone(serve):
    service = limited(serve, "wall=300ms")
    first = service.workers
    assert service.get("/wait/5000")[::2] == (503, b"The request took longer than its limit\n")
    assert service.get("/fast")[0] == 200
    assert service.workers == first
    assert outcome(service, "/wait/5000") == "exceededWall"
    assert service.span("/wait/5000").attributes["error.type"] == "wall_limit"
    assert service.end() == 0


@pytest.mark.parametrize("path", ["/buffers", "/shared"])
def test_buffers_are_refused(serve, path):
    service = limited(serve, "memory=32MB")
    first = service.workers
    assert service.get(path)[0] == 503
    assert outcome(service, path) == "exceededMemory"
    assert service.workers == first
    assert service.end() == 0
    assert "memory" in hits(service)


def test_who_catches_the_refusal_goes_on(serve):
    service = limited(serve, "memory=32MB")
    for _ in range(20):
        assert service.get("/caught")[2] == b"RangeError"
    assert service.end() == 0


def test_a_deep_recursion(serve):
    service = limited(serve, "stack=256KB")
    assert service.get("/recurse")[0] == 503
    assert outcome(service, "/recurse") == "exceededStack"
    assert service.get("/fast")[0] == 200
    assert service.end() == 0


def test_timers(serve):
    service = limited(serve, "timers=100")
    first = service.workers
    assert service.get("/timersCaught")[2] == b"QuotaExceededError true"
    assert outcome(service, "/timersCaught") == "exceededTimers"
    assert service.get("/timers")[0] == 503
    assert service.get("/fast")[0] == 200
    assert service.workers == first
    assert service.end() == 0


def test_settled_promises_do_not_count(serve):
    service = limited(serve, "promises=1000")
    first = service.workers
    for _ in range(3):
        assert service.get("/settled")[2] == b"settled"
    assert service.workers == first
    assert service.end() == 0


def test_subrequests(serve):
    other = serve(MODULE)
    service = limited(serve, "subrequests=3")
    for _ in range(2):
        assert service.get(f"/subrequests/127.0.0.1:{other.port}")[2] == b"200,200,200,ERR_LIMIT_EXCEEDED,ERR_LIMIT_EXCEEDED"
    wait_for(lambda: len(service.spans(f"/subrequests/127.0.0.1:{other.port}")) == 2)
    assert {span.attributes["sidelight.outcome"] for span in service.spans(f"/subrequests/127.0.0.1:{other.port}")} == {"exceededSubrequests"}
    assert service.end() == 0


def test_fetches_at_once(serve):
    other = serve(MODULE)
    service = limited(serve, "fetches=2")
    assert service.get(f"/together/127.0.0.1:{other.port}")[2].split(b",").count(b"200") == 2
    assert service.get(f"/together/127.0.0.1:{other.port}")[2].split(b",").count(b"200") == 2, "they are over"
    assert service.end() == 0


def test_requests_in_flight(serve):
    service = limited(serve, "requests=3")
    held = [service.connect() for _ in range(3)]
    for connection in held:
        connection.request("/wait/1500")
    time.sleep(0.3)
    assert service.get("/fast")[0] == 503
    assert outcome(service, "/fast") == "exceededRequests"
    for connection in held:
        assert connection.response()[2] == b"waited"
    assert service.get("/fast")[0] == 200
    assert service.end() == 0


def test_responses(serve):
    service = limited(serve, "response=1000B")
    assert service.get("/big/1000")[0] == 200
    assert service.get("/wide/333")[0] == 200
    assert service.get("/stream/1000")[0] == 200
    for path in ("/big/1001", "/wide/334"):
        assert service.get(path)[0] == 503
        assert outcome(service, path) == "exceededResponse"
    with pytest.raises((AssertionError, Closed)):
        service.get("/stream/1001")
    assert outcome(service, "/stream/1001") == "exceededResponse"
    assert service.end() == 0


def test_rates_of_telemetry(serve):
    service = limited(serve, "logs-per-second=10", "spans-per-second=10")
    assert service.get("/logs")[2] == b"said"
    assert service.get("/spans")[2] == b"made"
    assert service.end() == 0
    lines = [log for log in service.receiver.logs if log.body and str(log.body).startswith("line")]
    assert 10 <= len(lines) <= 20
    made = [span for span in service.receiver.spans if span.name in ("many", "inner")]
    assert 10 <= len(made) <= 20
    ids = {span.span_id for span in service.receiver.spans}
    assert all(span.parent_id in ids for span in made), "what is below a span that is left out is left out, too"
    assert {"logs-per-second", "spans-per-second"} <= set(hits(service))


def test_clones(serve):
    service = limited(serve, "clone-bytes=10KB")
    assert service.get("/clone")[2] == b"DataCloneError"
    assert service.get("/deepClone")[2] == b"DataCloneError,RangeError,none"
    assert service.end() == 0


# -- of run

# What takes its time on other threads.
ENDLESS_KEYS = """
const key = await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']);
await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(8), iterations: 2147483647 }, key, 256);
"""


@pytest.mark.parametrize(
    "text, limit, words",
    [
        ("for (;;) await null;", "cpu-window=20%/500ms", "CPU limit of 20 % in 500 ms reached"),
        ("const all = []; for (;;) all.push(new Promise(() => {}));", "promises=1000", "limit of 1000 pending promises reached"),
        (ENDLESS_KEYS, "cpu=300ms", "CPU limit of 300 ms reached"),
        (ENDLESS_KEYS, "cpu-window=30%/1s", "CPU limit of 30 % in 1000 ms reached"),
        (
            "const all = []; for (;;) { const m = new WebAssembly.Memory({ initial: 64 }); new Uint8Array(m.buffer).fill(1); all.push(m); }",
            "memory=16MB",
            "memory limit of 16 MB reached",
        ),
    ],
)
def test_a_run_ends_with_4_and_says_why(sidelight, receiver, text, limit, words):
    sidelight.write("app.mjs", text)
    done = sidelight("run", "--limit", limit, *receiver.export(), "app.mjs")
    assert done.code == 4, done
    assert words in done.err
    span = receiver.named("run app.mjs")
    assert span.attributes["sidelight.outcome"].startswith("exceeded")


def test_resident_is_told_by_its_own_name_and_value(sidelight, receiver):
    sidelight.write("app.mjs", "const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1));")
    done = sidelight("run", "--limit", "resident=120MB", "--limit", "memory=900MB", *receiver.export(), "app.mjs")
    assert done.code == 4 and "resident limit of 120 MB reached" in done.err, done
    [hit] = [log for log in receiver.logs if log.event_name == "sidelight.limit"]
    assert (hit.attributes["sidelight.limit.name"], hit.attributes["sidelight.limit.value"]) == ("resident", 120 << 20)


@pytest.mark.parametrize(
    "text, limit, outcome, value",
    [
        ("const all = []; for (;;) all.push(new ArrayBuffer(1 << 20));", "memory=16MB", "exceededMemory", 16 << 20),
        ("(function f() { f(); })();", "stack=256KB", "exceededStack", 256 << 10),
        ("new WebAssembly.Memory({ initial: 1000 });", "wasm-memory=8MB", "exceededMemory", 8 << 20),
        ("structuredClone(new Array(1e5).fill('x'));", "clone-bytes=10KB", "exceededMemory", 10 << 10),
    ],
)
def test_a_run_that_does_not_catch_it_says_what_was_exceeded(sidelight, receiver, text, limit, outcome, value):
    sidelight.write("app.mjs", text)
    done = sidelight("run", "--limit", limit, *receiver.export(), "app.mjs")
    assert done.code == 1, done
    assert receiver.named("run app.mjs").attributes["sidelight.outcome"] == outcome
    [hit] = [log for log in receiver.logs if log.event_name == "sidelight.limit"]
    assert (hit.attributes["sidelight.limit.name"], hit.attributes["sidelight.limit.value"]) == (limit.split("=")[0], value)


def test_modules_of_a_run(sidelight):
    for number in range(20):
        sidelight.write(f"m{number}.mjs", "export default 1;" + "/" * 1000)
    sidelight.write("app.mjs", "let n = 0; try { for (;;) { await import(`./m${n}.mjs`); n++; } } catch (error) { console.log(n, error.code); }")
    assert sidelight("run", "--limit", "modules=10", "app.mjs").out == "9 ERR_LIMIT_EXCEEDED\n"
    assert sidelight("run", "--limit", "module-bytes=5KB", "app.mjs").out == "5 ERR_LIMIT_EXCEEDED\n"


def test_shared_memories_are_within_the_budget(sidelight):
    sidelight.write(
        "app.mjs",
        "let n = 0; try { const all = []; for (; n < 64; n++) all.push(new SharedArrayBuffer(1 << 20)); } catch (error) { console.log(n, error.name); }",
    )
    assert sidelight("run", "--limit", "memory=16MB", "app.mjs").out in ("15 RangeError\n", "16 RangeError\n")
