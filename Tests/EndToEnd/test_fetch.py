"""Outgoing fetch: both directions as streams, what a program does to a request, redirects, and what is told of it."""

import hashlib
import json
import shutil
import ssl
import subprocess
import threading

import pytest

from site_for_fetch import CODED, HOSTILE, TEXT, Site

CLIENT, ERROR, UNSET = 3, 2, 0


@pytest.fixture
def make_site():
    made = []

    def make(*arguments):
        made.append(Site(*arguments))
        return made[-1]

    yield make
    for site in made:
        site.stop()


@pytest.fixture
def site(make_site):
    return make_site()


@pytest.fixture
def run(sidelight, site):
    """Runs a program's text; what it prints last is JSON."""

    def run(text, *arguments, env={}, code=0, timeout=60):
        head = f"const site = {json.dumps(site.url)};\n"
        path = sidelight.write("program.mjs", head + text)
        done = sidelight("run", *arguments, path, env=env, timeout=timeout)
        assert done.code == code, done.err
        return json.loads(done.out.splitlines()[-1]) if done.out else done

    return run


# ---- Bodies


def test_a_body_of_200_mb_is_read_as_it_comes_in_bounded_memory(run, site):
    seen = run("""
        const response = await fetch(`${site}/bytes?n=${200 << 20}`);
        let size = 0, sum = 0, rss = 0;
        for await (const chunk of response.body) {
            size += chunk.length;
            sum = (sum + chunk[0] + chunk[chunk.length - 1]) | 0;
            rss = Math.max(rss, process.memoryUsage().rss);
        }
        console.log(JSON.stringify({ size, rss }));
    """)
    assert seen["size"] == 200 << 20
    assert seen["rss"] < 200 << 20


def test_a_server_waits_for_a_slow_reader(run, site):
    seen = run("""
        const response = await fetch(`${site}/bytes?n=${64 << 20}`);
        const reader = response.body.getReader();
        const { value } = await reader.read();
        await new Promise((resolve) => setTimeout(resolve, 500));
        const rss = process.memoryUsage().rss;
        await reader.cancel();
        console.log(JSON.stringify({ first: value.length, rss }));
    """)
    assert 0 < seen["first"] <= 512 << 10
    # What the kernel's buffers hold was sent, too.
    assert site.sent < 32 << 20
    assert site.gone.wait(5)


def test_a_body_is_there_before_its_end(run):
    seen = run("""
        const response = await fetch(`${site}/drip`);
        const times = [];
        for await (const chunk of response.body) times.push(performance.now());
        console.log(JSON.stringify({ pieces: times.length, span: times.at(-1) - times[0] }));
    """)
    assert seen["pieces"] >= 3 and seen["span"] > 100


def test_a_pushed_body_waits_for_a_slow_server(run):
    seen = run("""
        let pulled = 0, early;
        // Once no more was asked for in a while, the server goes on.
        const look = setInterval(() => {
            if (pulled === 0 || pulled !== early) { early = pulled; return; }
            clearInterval(look);
            fetch(`${site}/release`);
        }, 200);
        const body = new ReadableStream({
            pull(controller) {
                if (pulled === 256) return controller.close();
                controller.enqueue(new Uint8Array(65536).fill(pulled++));
            },
        });
        const response = await fetch(`${site}/slow-upload`, { method: 'POST', body, duplex: 'half' });
        console.log(JSON.stringify({ early, pulled, answer: await response.json() }));
    """)
    assert seen["pulled"] == 256
    # 256 KiB here, and what the kernel takes.
    assert seen["early"] < 200
    content = b"".join(bytes([index]) * 65536 for index in range(256))
    assert seen["answer"] == [len(content), hashlib.sha256(content).hexdigest(), "chunked"]


def test_whole_bodies_have_a_length_and_streams_may_be_proxied(run):
    seen = run("""
        const text = await (await fetch(`${site}/upload`, { method: 'PUT', body: 'grüße' })).json();
        const bytes = await (await fetch(`${site}/upload`, { method: 'POST', body: new Uint8Array(3 << 20).fill(7) })).json();
        const from = await fetch(`${site}/bytes?n=1000000`);
        const proxied = await (await fetch(`${site}/upload`, { method: 'POST', body: from.body, duplex: 'half' })).json();
        console.log(JSON.stringify({ text, bytes, proxied }));
    """)
    assert seen["text"] == [7, hashlib.sha256("grüße".encode()).hexdigest(), "length"]
    assert seen["bytes"] == [3 << 20, hashlib.sha256(b"\7" * (3 << 20)).hexdigest(), "length"]
    assert seen["proxied"][0] == 1000000 and seen["proxied"][2] == "chunked"


def test_a_pushed_body_that_fails_fails_the_fetch_with_its_error(run):
    assert run("""
        const body = new ReadableStream({
            start(controller) { controller.enqueue(new Uint8Array(10)); },
            pull() { throw new RangeError('no more'); },
        });
        const error = await fetch(`${site}/upload`, { method: 'POST', body, duplex: 'half' }).catch((e) => e);
        const text = new ReadableStream({ start(c) { c.enqueue('text'); c.close(); } });
        const other = await fetch(`${site}/upload`, { method: 'POST', body: text, duplex: 'half' }).catch((e) => e);
        console.log(JSON.stringify([error.name, error.message, other.name]));
    """) == ["RangeError", "no more", "TypeError"]


@pytest.mark.parametrize("coding", CODED)
def test_coded_bodies_are_decoded(run, coding):
    text = run("console.log(JSON.stringify(await (await fetch(`${site}/coded/%s`)).text()))" % coding)
    assert text == TEXT.decode()


def test_a_bomb_is_read_piece_by_piece(run):
    seen = run("""
        const response = await fetch(`${site}/bomb?n=${100 << 20}`);
        let size = 0, rss = 0;
        for await (const chunk of response.body) { size += chunk.length; rss = Math.max(rss, process.memoryUsage().rss); }
        console.log(JSON.stringify({ size, rss }));
    """)
    assert seen["size"] == 100 << 20 and seen["rss"] < 250 << 20


def test_heads_are_bytes_and_may_come_twice(run):
    assert run("""
        const r = await fetch(`${site}/latin`, { headers: { 'x-mine': 'é' } });
        const echo = await (await fetch(`${site}/echo`, { headers: { 'x-mine': 'é', 'content-length': '99', connection: 'close' } })).json();
        console.log(JSON.stringify([r.statusText, r.headers.get('x-name'), r.headers.get('x-two'), await r.text(),
            echo.headers['x-mine'], echo.headers['content-length'] ?? null, echo.headers.connection ?? null]));
    """) == ["Grün", "é", "a, b", "", "é", None, None]


# ---- Ends


def test_aborting_before_during_and_after_the_head(run, site):
    assert run("""
        const results = [];
        results.push((await fetch(site, { signal: AbortSignal.abort(new RangeError('before')) }).catch((e) => e)).message);
        const waiting = new AbortController();
        setTimeout(() => waiting.abort(), 100);
        results.push((await fetch(`${site}/silent`, { signal: waiting.signal }).catch((e) => e)).name);
        results.push((await fetch(`${site}/silent`, { signal: AbortSignal.timeout(50) }).catch((e) => e)).name);
        const reading = new AbortController();
        const response = await fetch(`${site}/head-then-silence`, { signal: reading.signal });
        const reader = response.body.getReader();
        results.push(new TextDecoder().decode((await reader.read()).value));
        setTimeout(() => reading.abort(new RangeError('enough')), 50);
        results.push((await reader.read().catch((e) => e)).message);
        const done = new AbortController();
        const whole = await fetch(`${site}/echo`, { signal: done.signal });
        await whole.text();
        done.abort();
        const collecting = new AbortController();
        setTimeout(() => collecting.abort(), 50);
        results.push((await (await fetch(`${site}/head-then-silence`, { signal: collecting.signal })).text().catch((e) => e)).name);
        console.log(JSON.stringify(results));
    """) == ["before", "AbortError", "TimeoutError", "first", "enough", "AbortError"]
    assert site.gone.wait(5)
    assert site.requests[0][1] == "/silent"


def test_an_endless_body_that_nobody_reads_does_not_keep_the_program(run):
    assert run("console.log((await fetch(`${site}/endless`)).status)", timeout=20) == 200


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_answers_are_clear_errors(run, site, kind):
    seen = run("""
        const results = [];
        for (let i = 0; i < 2; i++) {
            try {
                const response = await fetch(`${site}/hostile/%s`);
                await response.text();
                results.push('no error');
            } catch (error) {
                results.push([error.name, error.cause.message]);
            }
        }
        results.push((await fetch(`${site}/echo`)).status);
        console.log(JSON.stringify(results));
    """ % kind)
    assert seen[2] == 200
    for name, message in seen[:2]:
        assert name == "TypeError" and message.startswith(f"127.0.0.1:{site.port}: ")


def test_refused_and_unknown_hosts(run, make_site):
    closed = make_site()
    port = closed.port
    closed.stop()
    closed.stop = lambda: None
    codes = run("""
        const code = async (url) => (await fetch(url).catch((e) => e)).cause?.code;
        console.log(JSON.stringify([await code('http://127.0.0.1:%d/'), await code('http://no-such-host.invalid/'), await code('gopher:x'), await code('blob:x')]));
    """ % port)
    assert codes == ["connect", "resolve", "ERR_UNKNOWN_URL_SCHEME", "ERR_BLOB_NOT_FOUND"]


# ---- Redirects


@pytest.mark.parametrize(
    ("status", "method", "expected"),
    [
        (301, "GET", "GET"), (301, "POST", "GET"), (301, "PUT", "PUT"), (301, "HEAD", "HEAD"),
        (302, "POST", "GET"), (302, "DELETE", "DELETE"), (302, "PATCH", "PATCH"),
        (303, "POST", "GET"), (303, "PUT", "GET"), (303, "HEAD", "HEAD"), (303, "DELETE", "GET"),
        (307, "POST", "POST"), (308, "PUT", "PUT"), (307, "GET", "GET"),
    ],
)  # fmt: skip
def test_redirected_methods_and_bodies(run, site, status, method, expected):
    body = method in ("POST", "PUT", "PATCH")
    seen = run("""
        const response = await fetch(`${site}/redirect/%d?to=/echo%%3Fa%%3Db`,
            { method: '%s', body: %s, headers: { 'x-kept': '1', 'content-type': 'x/y' } });
        console.log(JSON.stringify([response.redirected, response.url]));
    """ % (status, method, "'payload'" if body else "undefined"))
    assert seen == [True, f"{site.url}/echo?a=b"]
    last_method, _, headers = site.requests[-1]
    assert last_method == expected
    assert headers["x-kept"] == "1"
    kept = expected == method
    assert headers.get("content-type") == ("x/y" if kept else None)
    assert headers.get("content-length") == ("7" if body and kept else None)


def test_redirects_to_another_origin_lose_credentials(run, site, make_site):
    other = make_site()
    run("""
        const headers = { authorization: 'Bearer x', cookie: 'a=b', 'x-kept': '1' };
        await fetch(`${site}/redirect/302?to=/echo`, { headers });
        await fetch(`${site}/redirect/302?to=%s/echo`, { headers });
        console.log('0');
    """ % other.url)
    assert site.headers_of("/echo")["authorization"] == "Bearer x"
    assert other.headers_of("/echo")["x-kept"] == "1"
    assert not {"authorization", "cookie"} & set(other.headers_of("/echo"))


def test_redirect_modes_limits_and_bad_targets(run, site):
    seen = run("""
        const cause = async (path, init) => {
            try { const r = await fetch(site + path, init); return [r.status, r.redirected, r.url.slice(site.length)]; } catch (e) { return e.cause?.code ?? e.name; }
        };
        const stream = () => new Blob(['x']).stream();
        console.log(JSON.stringify([
            await cause('/redirect/302?to=/echo', { redirect: 'manual' }),
            await cause('/redirect/302?to=/echo', { redirect: 'error' }),
            await cause('/redirect/302'),
            await cause('/chain/20'), await cause('/chain/21'), await cause('/loop'),
            await cause('/redirect/302?to=ftp://x/'), await cause('/redirect/302?to=http://'), await cause('/redirect/302?to=http://u:p@127.0.0.1/'),
            await cause('/redirect/302?to=/echo#new'), await cause('/redirect/302?to=/echo#old'),
            await cause('/redirect/307?to=/echo', { method: 'POST', body: stream(), duplex: 'half' }),
            await cause('/redirect/303?to=/echo', { method: 'POST', body: stream(), duplex: 'half' }),
            await cause('/redirect/302?to=/echo&size=30000'), await cause('/redirect/302?to=/echo&size=300000'),
        ]));
    """)
    assert seen == [
        [302, False, "/redirect/302?to=/echo"], "ERR_REDIRECT", [302, False, "/redirect/302"],
        [200, True, "/echo"], "ERR_TOO_MANY_REDIRECTS", "ERR_TOO_MANY_REDIRECTS",
        "ERR_UNKNOWN_URL_SCHEME", "ERR_INVALID_URL", "ERR_INVALID_URL",
        [200, True, "/echo"], [200, True, "/echo"],
        "ERR_REDIRECT", [200, True, "/echo"], [200, True, "/echo"], [200, True, "/echo"],
    ]  # fmt: skip


# ---- Spans


def clients(receiver):
    return [span for span in receiver.spans if span.kind == CLIENT]


def test_the_client_span_says_everything(run, site, receiver):
    run("""
        import { trace } from '@opentelemetry/api';
        await trace.getTracer('t').startActiveSpan('outer', async (span) => {
            await (await fetch(`${site}/echo?q=1&sig=secret#part`)).text();
            await (await fetch(`${site}/status/204`)).text();
            span.end();
        });
        console.log('0');
    """, *receiver.export())  # fmt: skip
    first, second = clients(receiver)
    outer = receiver.named("outer")
    assert (first.name, first.parent_id, first.trace_id) == ("GET", outer.span_id, outer.trace_id)
    assert first.attributes == {
        "http.request.method": "GET",
        "url.full": f"{site.url}/echo?q=1&sig=REDACTED",
        "server.address": "127.0.0.1",
        "server.port": site.port,
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
        "network.peer.address": "127.0.0.1",
        "network.peer.port": site.port,
    }
    assert (first.status, first.scope[0]) == (UNSET, "sidelight")
    names = [name for _, name, _ in first.events]
    assert names == ["dns", "connect", "first byte"]
    times = [time for time, _, _ in first.events]
    assert times == sorted(times) and first.start <= times[0] and times[-1] <= first.end
    assert second.attributes["http.response.status_code"] == 204
    assert [name for _, name, _ in second.events] == ["first byte"]
    assert site.headers_of("/echo")["traceparent"] == f"00-{first.trace_id}-{first.span_id}-01"


def test_errors_redirects_methods_and_the_end_of_a_span(run, site, receiver):
    run("""
        await (await fetch(`${site}/status/404`)).text();
        await (await fetch(`${site}/redirect/302?to=/echo`, { method: 'POST', body: 'x' })).text();
        await (await fetch(`${site}/echo`, { method: 'purge' })).text();
        await fetch(`${site}/hostile/short-body`).then((r) => r.text()).catch(() => {});
        await fetch(`${site}/silent`, { signal: AbortSignal.timeout(50) }).catch(() => {});
        const slow = await fetch(`${site}/drip`);
        const start = performance.now();
        await slow.text();
        const cancelled = await fetch(`${site}/endless`);
        await cancelled.body.cancel();
        console.log(JSON.stringify(0));
    """, *receiver.export())  # fmt: skip
    missing, redirected, purge, short, timeout, drip, cancelled = clients(receiver)
    assert (missing.status, missing.message, missing.attributes["error.type"], missing.events[-1][1]) == (ERROR, "", "404", "first byte")
    assert redirected.attributes["http.request.resend_count"] == 1
    assert redirected.attributes["http.response.status_code"] == 200
    assert [a for _, name, a in redirected.events if name == "redirect"] == [
        {"http.response.status_code": 302, "url.full": f"{site.url}/echo"}
    ]
    assert (purge.name, purge.attributes["http.request.method"]) == ("HTTP", "_OTHER")
    assert purge.attributes["http.request.method_original"] == "purge"
    assert (short.status, short.attributes["error.type"]) == (ERROR, "reset")
    assert short.attributes["http.response.status_code"] == 200
    assert [name for _, name, _ in redirected.events] == ["first byte", "redirect", "first byte"]
    assert short.events[-1][1] == "exception" and "fetch failed" in short.events[-1][2]["exception.message"]
    assert (timeout.status, timeout.attributes["error.type"]) == (ERROR, "TimeoutError")
    assert drip.end - drip.start > 150_000_000
    assert (cancelled.status, cancelled.attributes["network.peer.port"]) == (UNSET, site.port)


def test_a_body_that_can_no_longer_be_read_is_given_up(run, receiver):
    seen = run("""
        await fetch(`${site}/echo`);
        await fetch(`${site}/endless`);
        const isGone = async () => (await fetch(`${site}/gone`)).json();
        let tries = 0;
        for (const hog = []; tries < 200 && !await isGone(); tries++) {
            for (let i = 0; i < 20; i++) hog[i] = new Array(100_000).fill(tries);
        }
        console.log(JSON.stringify(tries));
    """, *receiver.export())  # fmt: skip
    assert 0 < seen < 200
    echo, endless = [span for span in clients(receiver) if "/gone" not in span.attributes["url.full"]]
    assert (echo.status, endless.status) == (UNSET, UNSET)
    assert endless.end < max(span.end for span in clients(receiver))


def test_nothing_is_recorded_when_unsampled_or_disabled_but_context_travels(run, site, receiver):
    program = """
        import { trace } from '@opentelemetry/api';
        await trace.getTracer('t').startActiveSpan('outer', async (span) => { await fetch(`${site}/echo`); span.end(); });
        console.log('0');
    """
    run(program, *receiver.export(), env={"OTEL_TRACES_SAMPLER": "always_off"})
    assert clients(receiver) == []
    assert site.headers_of("/echo")["traceparent"].endswith("-00")
    run(program, *receiver.export(), env={"OTEL_SDK_DISABLED": "true"})
    assert clients(receiver) == []
    assert "traceparent" in site.headers_of("/echo")


PROPAGATORS = {
    "tracecontext": lambda t, s: {"traceparent": f"00-{t}-{s}-01", "tracestate": "vendor=1"},
    "baggage": lambda t, s: {"baggage": "user=al%20ice,tier=gold;meta=1"},
    "tracecontext,baggage": lambda t, s: {
        "traceparent": f"00-{t}-{s}-01", "tracestate": "vendor=1", "baggage": "user=al%20ice,tier=gold;meta=1",
    },
    "b3": lambda t, s: {"b3": f"{t}-{s}-1"},
    "b3multi": lambda t, s: {"x-b3-traceid": t, "x-b3-spanid": s, "x-b3-sampled": "1"},
    "jaeger": lambda t, s: {"uber-trace-id": f"{t}:{s}:0:01", "uberctx-user": "al%20ice", "uberctx-tier": "gold"},
    "none": lambda t, s: {},
}  # fmt: skip
PROPAGATED = ("traceparent", "tracestate", "baggage", "b3", "x-b3-", "uber")


@pytest.mark.parametrize("names", PROPAGATORS)
def test_what_each_propagator_writes_and_reads(run, site, receiver, names):
    extracted = run("""
        import { context, propagation, trace, ROOT_CONTEXT, createTraceState, baggageEntryMetadataFromString } from '@opentelemetry/api';
        const remote = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1, traceState: createTraceState('vendor=1'), isRemote: true };
        let ctx = trace.setSpanContext(ROOT_CONTEXT, remote);
        ctx = propagation.setBaggage(ctx, propagation.createBaggage({ user: { value: 'al ice' }, tier: { value: 'gold', metadata: baggageEntryMetadataFromString('meta=1') } }));
        const echo = await context.with(ctx, async () => (await fetch(`${site}/echo`, { headers: { traceparent: 'mine' } })).json());
        const back = propagation.extract(ROOT_CONTEXT, echo.headers);
        const spanContext = trace.getSpanContext(back);
        console.log(JSON.stringify([spanContext?.traceId, spanContext?.spanId, spanContext?.traceFlags, propagation.getBaggage(back)?.getAllEntries().map(([k, e]) => [k, e.value])]));
    """, *receiver.export(), env={"OTEL_PROPAGATORS": names})  # fmt: skip
    (span,) = clients(receiver)
    assert (span.trace_id, span.parent_id) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    headers = {name: value for name, value in site.headers_of("/echo").items() if name.startswith(PROPAGATED)}
    expected = PROPAGATORS[names](span.trace_id, span.span_id)
    if "traceparent" not in expected:
        expected["traceparent"] = "mine"
    assert headers == expected
    ids = [span.trace_id, span.span_id, 1] if names not in ("none", "baggage") else [None, None, None]
    baggage = [["user", "al ice"], ["tier", "gold"]] if "baggage" in names or names == "jaeger" else None
    assert extracted[:3] == ids and sorted(extracted[3] or []) == sorted(baggage or [])


T, S = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
READ = [
    # propagators, headers, [trace id, span id, flags] or None, baggage
    ("tracecontext", {"traceparent": f"00-{T}-{S}-00"}, [T, S, 0], []),
    ("tracecontext", {"traceparent": f"cc-{T}-{S}-01-more"}, [T, S, 1], []),
    ("tracecontext", {"traceparent": f"00-{T}-{S}-01-more"}, None, []),
    ("tracecontext", {"traceparent": f"ff-{T}-{S}-01"}, None, []),
    ("tracecontext", {"traceparent": f"00-{'0' * 32}-{S}-01"}, None, []),
    ("tracecontext", {"b3": f"{T}-{S}-1"}, None, []),
    ("b3", {"b3": f"{T}-{S}-1"}, [T, S, 1], []),
    ("b3", {"b3": f"{T}-{S}-0-{S}"}, [T, S, 0], []),
    ("b3", {"b3": f"{T}-{S}-d"}, [T, S, 1], []),
    ("b3", {"b3": f"{T}-{S}"}, [T, S, 1], []),
    ("b3", {"b3": f"{T[16:]}-{S}-1"}, ["0" * 16 + T[16:], S, 1], []),
    ("b3", {"b3": "0"}, None, []),
    ("b3", {"b3": f"{'0' * 32}-{S}-1"}, None, []),
    ("b3", {"b3": f"{T}-{S}-1-zz"}, None, []),
    ("b3", {"x-b3-traceid": T, "x-b3-spanid": S, "x-b3-sampled": "0"}, [T, S, 0], []),
    ("b3multi", {"x-b3-traceid": T[16:].upper(), "x-b3-spanid": S, "x-b3-flags": "1"}, ["0" * 16 + T[16:], S, 1], []),
    ("b3multi", {"b3": "broken", "x-b3-traceid": T, "x-b3-spanid": S}, [T, S, 1], []),
    ("b3multi", {"x-b3-traceid": T + "00", "x-b3-spanid": S}, None, []),
    ("b3multi", {"x-b3-traceid": T}, None, []),
    ("jaeger", {"uber-trace-id": f"{T}:{S}:0:1"}, [T, S, 1], []),
    ("jaeger", {"uber-trace-id": f"{T}%3A{S}%3A0%3A0"}, [T, S, 0], []),
    ("jaeger", {"uber-trace-id": f"abc:{S[1:]}:0:3", "uberctx-user": "al%20ice"}, ["0" * 29 + "abc", "0" + S[1:], 1], [["user", "al ice"]]),
    ("jaeger", {"uber-trace-id": f"{T}:{S}:0"}, None, []),
    ("jaeger", {"uber-trace-id": f"0:{S}:0:1"}, None, []),
    ("jaeger", {"uber-trace-id": "%"}, None, []),
    ("baggage", {"baggage": "a=1, b = 2 ;m=x,=3,c,d=%zz,e=%20"}, None, [["a", "1"], ["b", "2"], ["e", " "]]),
    ("baggage", {"baggage": "x=" + "y" * 9000}, None, []),
    ("tracecontext,b3", {"traceparent": f"00-{T}-{S}-01", "b3": f"{S}{S}-{S}-0"}, [S + S, S, 0], []),
    ("none", {"traceparent": f"00-{T}-{S}-01", "baggage": "a=1"}, None, []),
]  # fmt: skip


@pytest.mark.parametrize("names", sorted({names for names, *_ in READ}))
def test_what_each_propagator_reads(run, names):
    cases = [case[1:] for case in READ if case[0] == names]
    seen = run("""
        import { propagation, trace, ROOT_CONTEXT } from '@opentelemetry/api';
        console.log(JSON.stringify(%s.map((headers) => {
            const ctx = propagation.extract(ROOT_CONTEXT, headers);
            const c = trace.getSpanContext(ctx);
            return [c === undefined ? null : [c.traceId, c.spanId, c.traceFlags], (propagation.getBaggage(ctx)?.getAllEntries() ?? []).map(([k, e]) => [k, e.value])];
        })));
    """ % json.dumps([headers for headers, *_ in cases]), env={"OTEL_PROPAGATORS": names})  # fmt: skip
    assert seen == [[context, baggage] for _, context, baggage in cases]


def test_baggage_is_bounded_and_cannot_add_headers(run, site):
    run("""
        import { context, propagation, ROOT_CONTEXT, baggageEntryMetadataFromString } from '@opentelemetry/api';
        const send = (entries) => context.with(propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage(entries)), () => fetch(`${site}/echo`));
        await send(Object.fromEntries(Array.from({ length: 100 }, (_, i) => ['k' + i, { value: 'v' }])));
        await send({ big: { value: 'x'.repeat(5000) }, a: { value: 'x'.repeat(4000) }, b: { value: 'y'.repeat(4000) }, c: { value: 'z'.repeat(4000) } });
        await send({ evil: { value: 'x', metadata: baggageEntryMetadataFromString('\\r\\nX-Evil: 1') } });
        console.log('0');
    """)
    many, large, evil = [headers for _, path, headers in site.requests if path == "/echo"]
    assert len(many["baggage"].split(",")) == 64
    assert len(large["baggage"]) <= 8192 and large["baggage"].startswith("a=x")
    assert "x-evil" not in evil


def test_the_duration_is_a_metric(run, site, receiver):
    run("""
        for (let i = 0; i < 3; i++) await (await fetch(`${site}/echo`)).text();
        await (await fetch(`${site}/status/500`)).text();
        console.log('0');
    """, *receiver.export())  # fmt: skip
    points = [(metric, point) for metric, point in receiver.metric_points() if metric.name == "http.client.request.duration"]
    counts = {}
    for metric, point in points:
        assert metric.unit == "s"
        assert list(point.explicit_bounds) == [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
        attributes = {pair.key: pair.value.int_value or pair.value.string_value for pair in point.attributes}
        counts[attributes["http.response.status_code"]] = point.count
        assert attributes["server.port"] == site.port and attributes["url.scheme"] == "http"
        assert attributes.get("error.type") == ("500" if attributes["http.response.status_code"] == 500 else None)
    assert counts == {200: 3, 500: 1}


# ---- TLS and HTTP/2


@pytest.fixture
def certificate(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    files = ["-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"]
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run([*command, *subject, *files], check=True, capture_output=True)
    return tmp_path / "cert.pem", tmp_path / "key.pem"


def test_tls_has_its_phase_and_an_unknown_authority_is_an_error(run, make_site, certificate, receiver):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate)
    secure = make_site(tls)
    program = "try { console.log(JSON.stringify((await (await fetch('%s/echo')).json()).method)) } catch (e) { console.log(JSON.stringify(e.cause.code)) }" % secure.url
    assert run(program) == "tls"
    assert run(program, *receiver.export(), env={"SSL_CERT_FILE": certificate[0]}) == "GET"
    (span,) = clients(receiver)
    assert [name for _, name, _ in span.events] == ["dns", "connect", "tls", "first byte"]


def test_http_2_multiplexes_streams_both_ways(run, certificate, receiver):
    h2_site = pytest.importorskip("h2_site")
    site = h2_site.H2Site(*certificate)
    try:
        seen = run("""
            const site2 = '%s';
            const answers = await Promise.all(Array.from({ length: 20 }, async (_, i) => (await fetch(`${site2}/echo?${i}`, { method: 'POST', body: `b${i}` })).text()));
            const body = new ReadableStream({ start(c) { for (let i = 0; i < 20; i++) c.enqueue(new Uint8Array(50000).fill(i)); c.close(); } });
            const pushed = await (await fetch(`${site2}/length`, { method: 'POST', body, duplex: 'half' })).text();
            let size = 0;
            for await (const chunk of (await fetch(`${site2}/bytes/3000000`)).body) size += chunk.length;
            const aborting = new AbortController();
            const endless = await fetch(`${site2}/bytes/1000000000`, { signal: aborting.signal });
            await endless.body.getReader().read();
            aborting.abort();
            const after = await (await fetch(`${site2}/echo?after`)).text();
            console.log(JSON.stringify({ answers, pushed, size, after }));
        """ % site.url, *receiver.export(), env={"SSL_CERT_FILE": certificate[0]})  # fmt: skip
    finally:
        site.stop()
    assert seen["answers"] == [f"POST /echo?{i} b{i}" for i in range(20)]
    assert (seen["pushed"], seen["size"], seen["after"]) == ("1000000", 3000000, "GET /echo?after ")
    assert {span.attributes.get("network.protocol.version") for span in clients(receiver)} == {"2"}
    assert site.connections == 1


# ---- What is handed on, and what went wrong


GATEWAY = """
    export default {
        async fetch(request) {
            const way = new URL(request.url).pathname;
            if (way === '/as-it-is') return fetch('SITE');
            const response = await fetch('SITE', { method: request.method });
            return way === '/made-anew' ? new Response(response.body, response) : response;
        },
    };
"""


@pytest.mark.parametrize("way", ["/as-it-is", "/made-anew"])
@pytest.mark.parametrize("coding", sorted(CODED))
def test_a_decoded_response_can_be_handed_on(serve, site, way, coding):
    service = serve(GATEWAY.replace("SITE", f"{site.url}/coded/{coding}"))
    status, fields, body = service.get(way)
    assert (status, body) == (200, TEXT)
    assert "content-encoding" not in fields


def test_a_response_to_head_promises_what_get_would_give(serve, site):
    service = serve(GATEWAY.replace("SITE", f"{site.url}/coded/gzip"))
    fields = service.get("/", method="HEAD")[1]
    assert "content-encoding" not in fields and "content-length" not in fields


def test_a_fetch_that_fails_says_who_asked(sidelight):
    path = sidelight.write("asks.mjs", "async function inner() { return await fetch('http://127.0.0.1:1/'); }\nasync function outer() {\n  await inner();\n}\nawait outer();\n")
    done = sidelight("run", path)
    assert done.code == 1
    for place in ("inner", "asks.mjs:1:33", "outer", "asks.mjs:3:3", "asks.mjs:5:1"):
        assert place in done.err, done.err
    assert "sidelight:" not in done.err
