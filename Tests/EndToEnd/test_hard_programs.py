"""Programs that are legal and unkind: what they do to the ring, the context and the clock must cost no more than the record concerned."""

import json
import time

import pytest

API = "import { trace, context, propagation, metrics, ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';\nconst tracer = trace.getTracer('hard');\n"


def run(sidelight, receiver, source, **keywords):
    path = sidelight.write("hard.mjs", API + source)
    return sidelight("run", *receiver.export(), path, **keywords)


@pytest.mark.parametrize(
    "source",
    [
        "const s = tracer.startSpan('big'); s.setAttribute('k', 'x'.repeat(1_100_000)); s.end();",
        "const s = tracer.startSpan('big'); s.setAttribute('k', '漢'.repeat(400_000)); s.end();",
        "tracer.startSpan('n'.repeat(1_200_000)).end();",
        "const s = tracer.startSpan('big'); for (let i = 0; i < 100; i++) s.addEvent('e', { k: 'y'.repeat(60_000) }); s.end();",
    ],
    ids=["attribute", "three-byte characters", "name", "events"],
)
def test_a_span_too_large_for_a_record_ends_without_its_parts(sidelight, receiver, source):
    done = run(sidelight, receiver, source + "\ntracer.startSpan('after').end();")
    assert done.code == 0, done.err
    assert "dropped for want of room in the ring: 1 span" in done.err
    assert receiver.named("after").status != 2
    # It ended, and nobody is told otherwise.
    assert all("ended before this span" not in span.message for span in receiver.spans)


def test_a_flood_of_long_lines_breaks_nothing(sidelight, receiver):
    done = run(sidelight, receiver, "for (let i = 0; i < 3000; i++) console.log('y'.repeat(60_000));")
    assert done.code == 0, done.err
    assert len(done.out) >= 3000 * 60_001


def test_spans_keep_no_room_from_the_log(sidelight):
    # Into the store alone: a backend in Python takes longer for so many spans than the end of a run waits.
    source = "for (let i = 0; i < 200_000; i++) tracer.startSpan('flood').end();\nconsole.log('still here');"
    done = sidelight("run", sidelight.write("hard.mjs", API + source))
    assert done.code == 0, done.err
    assert "log record" not in done.err
    tail = sidelight("tail", "--grep", "still here")
    assert "still here" in tail.out


def test_user_code_that_runs_while_a_span_is_told_writes_its_own_records(sidelight, receiver):
    done = run(
        sidelight,
        receiver,
        """
        const inner = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, isRemote: true };
        const wrapper = {
            spanContext() { tracer.startSpan('from spanContext').end(); return inner; },
        };
        context.with(trace.setSpan(ROOT_CONTEXT, wrapper), () => {
            console.log('inside');
            tracer.startSpan('child').end();
        });
        const state = { serialize() { console.log('from serialize'); return 'a=1'; } };
        const remote = trace.setSpanContext(ROOT_CONTEXT, { ...inner, traceState: state });
        tracer.startSpan('stateful', { links: [{ context: { ...inner, traceState: state } }] }, remote).end();
        const throwing = { serialize() { throw new Error('no'); } };
        tracer.startSpan('thrown at', {}, trace.setSpanContext(ROOT_CONTEXT, { ...inner, traceState: throwing })).end();
        """,
    )
    assert (done.code, done.err) == (0, "")
    assert receiver.named("child").trace_id == "a" * 32
    assert receiver.named("stateful").parent_id == "b" * 16
    assert receiver.named("thrown at").parent_id == "b" * 16
    assert any(log.body == "inside" and log.trace_id == "a" * 32 for log in receiver.logs)


def test_impossible_times_are_now(sidelight, receiver):
    before = time.time_ns() - 1_000_000_000
    done = run(
        sidelight,
        receiver,
        """
        tracer.startSpan('nan').end(NaN);
        tracer.startSpan('date').end(new Date('bad'));
        tracer.startSpan('infinite', { startTime: Infinity }).end();
        tracer.startSpan('before 1970', { startTime: new Date(-5) }).end();
        const s = tracer.startSpan('event'); s.addEvent('e', new Date('bad')); s.end();
        """,
    )
    assert (done.code, done.err) == (0, "")
    for name in ["nan", "date", "infinite", "before 1970", "event"]:
        span = receiver.named(name)
        assert before < span.start <= span.end < time.time_ns() + 1_000_000_000, name


def test_unix_milliseconds_before_the_run_are_unix_milliseconds(sidelight, receiver):
    now = int(time.time() * 1000)
    done = run(sidelight, receiver, f"tracer.startSpan('early', {{ startTime: {now - 60_000} }}).end({now - 59_000});")
    assert (done.code, done.err) == (0, "")
    early = receiver.named("early")
    assert abs(early.start / 1e6 - (now - 60_000)) < 1
    assert abs(early.end / 1e6 - (now - 59_000)) < 1


def test_entering_a_context_leaves_async_local_storage_alone(sidelight, receiver):
    done = run(
        sidelight,
        receiver,
        """
        import { AsyncLocalStorage } from 'node:async_hooks';
        const als = new AsyncLocalStorage();
        let saved;
        als.run('other', () => { saved = context.active(); });
        als.run('mine', () => {
            const seen = [];
            context.with(ROOT_CONTEXT, () => seen.push(als.getStore()));
            context.with(propagation.extract(ROOT_CONTEXT, {}), () => seen.push(als.getStore()));
            context.with(saved, () => seen.push(als.getStore()));
            context.bind(saved, () => seen.push(als.getStore()))();
            tracer.startActiveSpan('s', {}, ROOT_CONTEXT, (span) => { seen.push(als.getStore()); span.end(); });
            console.log(JSON.stringify(seen));
        });
        """,
    )
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == ["mine"] * 5


def test_telemetry_never_throws_into_the_program(sidelight, receiver):
    done = run(
        sidelight,
        receiver,
        """
        const cyclic = {}; for (let i = 0; i < 12; i++) cyclic[`k${i}`] = cyclic;
        const { proxy, revoke } = Proxy.revocable({}, {}); revoke();
        const s = tracer.startSpan('odd', { attributes: { get boom() { throw new Error('x'); }, fine: 1 } });
        s.setAttribute('cyclic', cyclic).setAttribute('revoked', proxy).setAttribute('huge', new Array(3e7));
        s.addLinks(undefined).setStatus({ code: 2, message: Symbol('m') });
        s.end([1, Symbol()]);
        const counter = metrics.getMeter('m').createCounter('c');
        counter.add(1, { id: 5n }); counter.add(1, cyclic);
        metrics.getMeter('m').createHistogram('h', { advice: { explicitBucketBoundaries: Array.from({ length: 70_000 }, (_, i) => i) } }).record(1);
        """,
    )
    assert (done.code, done.err) == (0, "")
    assert receiver.named("odd").attributes["fine"] == 1


def test_an_error_of_a_megabyte_is_cut_and_kept(sidelight, receiver):
    done = run(sidelight, receiver, "throw new Error('y'.repeat(1_200_000), { cause: new TypeError('why') });")
    assert done.code == 1
    assert "want of room" not in done.err
    error = next(log for log in receiver.logs if log.event_name == "exception")
    assert len(error.attributes["exception.message"]) == 65_536


def test_the_recorded_stack_has_the_causes(sidelight, receiver):
    done = run(sidelight, receiver, "throw new Error('outer', { cause: new TypeError('why') });")
    assert done.code == 1
    error = next(log for log in receiver.logs if log.event_name == "exception")
    assert "[cause]: TypeError: why" in error.attributes["exception.stacktrace"]


def test_metrics_are_collected_while_the_program_runs(sidelight, receiver):
    done = run(
        sidelight,
        receiver,
        """
        let observed = 0;
        metrics.getMeter('m').createObservableGauge('gauge').addCallback((result) => result.observe(++observed));
        const timer = setInterval(() => { if (observed >= 3) clearInterval(timer); }, 1);
        """,
        env={"OTEL_METRIC_EXPORT_INTERVAL": "20"},
    )
    assert (done.code, done.err) == (0, "")
