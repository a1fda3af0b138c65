"""Child Workers from outside: whose child each span is across messages, how they end, what limits do, and what a killed worker's children leave."""

import json
import os
import random
import signal
import subprocess
import time

import pytest

from serving import wait_for
from test_deaths import start

ERROR = 2

CHILD = """
import { trace } from '@opentelemetry/api';
const tracer = trace.getTracer('child');
tracer.startSpan('at load').end();
self.onmessage = ({ data, ports }) => {
    const span = tracer.startSpan(`handle ${data.name ?? data}`);
    console.log('in the child', data.name ?? data);
    setTimeout(() => {
        tracer.startSpan(`later ${data.name ?? data}`).end();
        if (data.then) (ports[0] ?? self).postMessage(data.then);
        span.end();
    }, 1);
};
"""


def by_name(receiver, name):
    (span,) = [span for span in receiver.spans if span.name == name]
    return span


def test_spans_across_messages_are_the_senders_children(sidelight, receiver):
    sidelight.write("child.mjs", CHILD)
    path = sidelight.write(
        "parent.mjs",
        """
        import { trace, propagation, context } from '@opentelemetry/api';
        const tracer = trace.getTracer('parent');
        const create = tracer.startSpan('create');
        const worker = context.with(trace.setSpan(context.active(), create),
            () => new Worker('./child.mjs', { type: 'module', name: 'mine' }));
        create.end();
        const answer = () => new Promise((resolve) => worker.addEventListener('message', resolve, { once: true }));
        for (const name of ['one', 'two']) {
            await tracer.startActiveSpan(`ask ${name}`, async (span) => {
                worker.postMessage({ name, then: name });
                await answer();
                tracer.startSpan(`answered ${name}`).end();
                span.end();
            });
        }
        worker.onmessage = ({ data }) => {
            tracer.startSpan(`event ${data}`).end();
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => { tracer.startSpan('by port').end(); worker.terminate(); };
            tracer.startActiveSpan('ask port', (span) => { worker.postMessage({ name: 'port', then: 'x' }, [port2]); span.end(); });
            worker.onmessage = null;
        };
        tracer.startActiveSpan('ask three', (span) => { worker.postMessage({ name: 'three', then: 'three' }); span.end(); });
        """,
    )
    done = sidelight("run", *receiver.export(), path)
    assert done.code == 0, done.err
    run, life, create = by_name(receiver, "run parent.mjs"), by_name(receiver, "worker mine"), by_name(receiver, "create")
    assert {span.trace_id for span in receiver.spans} == {run.trace_id}
    parents = {
        "create": "run parent.mjs", "worker mine": "create", "at load": "worker mine", "handle one": "ask one",
        "later one": "ask one", "answered one": "ask one", "handle two": "ask two", "later two": "ask two",
        "handle three": "ask three", "later three": "ask three", "event three": "ask three", "ask port": "ask three",
        "handle port": "ask port", "later port": "ask port", "by port": "ask port",
    }  # fmt: skip
    for name, parent in parents.items():
        assert by_name(receiver, name).parent_id == by_name(receiver, parent).span_id, name
    assert life.status != ERROR and life.attributes["sidelight.worker.end"] == "terminate"
    assert life.attributes["url.full"].endswith("/child.mjs") and life.attributes["sidelight.worker.name"] == "mine"
    assert life.attributes["sidelight.isolate.id"] == 1 and life.attributes["thread.id"] > 0
    assert life.start >= create.start and life.end > by_name(receiver, "later port").end
    asks = ["ask one", "ask two", "ask three", "ask port"]
    assert [link[1] for link in life.links] == [by_name(receiver, name).span_id for name in asks]
    logs = [log for log in receiver.logs if "in the child" in str(log.body)]
    assert [log.span_id for log in logs] == [by_name(receiver, name).span_id for name in asks]


def test_baggage_and_trace_state_travel_and_unsampled_stays_so(sidelight, receiver):
    sidelight.write(
        "child.mjs",
        """
        import { trace, propagation, context } from '@opentelemetry/api';
        self.onmessage = () => {
            const span = trace.getTracer('c').startSpan('in child');
            span.setAttribute('baggage', propagation.getActiveBaggage()?.getEntry('who')?.value ?? 'none');
            postMessage([trace.getActiveSpan()?.spanContext().traceFlags, span.isRecording()]);
            span.end();
        };
        """,
    )
    path = sidelight.write(
        "parent.mjs",
        """
        import { trace, propagation, context, ROOT_CONTEXT } from '@opentelemetry/api';
        const worker = new Worker('./child.mjs', { type: 'module' });
        const ask = () => new Promise((resolve) => { worker.onmessage = (event) => resolve(event.data); worker.postMessage(1); });
        const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
        const { createTraceState } = await import('@opentelemetry/api');
        const sampled = trace.setSpanContext(ROOT_CONTEXT, { ...ids, traceFlags: 1, traceState: createTraceState('v=1') });
        const baggage = propagation.createBaggage({ who: { value: 'Jo Ann' } });
        console.log(JSON.stringify(await context.with(propagation.setBaggage(sampled, baggage), ask)));
        console.log(JSON.stringify(await context.with(trace.setSpanContext(ROOT_CONTEXT, { ...ids, traceFlags: 0 }), ask)));
        worker.terminate();
        """,
    )
    done = sidelight("run", *receiver.export(), path)
    assert done.out == "[1,true]\n[0,false]\n", done.err
    span = by_name(receiver, "in child")
    assert (span.trace_id, span.parent_id) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
    assert span.trace_state == "v=1" and span.attributes["baggage"] == "Jo Ann"


def test_links_of_a_child_are_bounded_and_counted(sidelight, receiver):
    sidelight.write("child.mjs", "self.onmessage = ({ data }) => { if (data === 299) postMessage(data); };")
    path = sidelight.write(
        "parent.mjs",
        """
        import { trace } from '@opentelemetry/api';
        const worker = new Worker('./child.mjs', { type: 'module', name: 'linked' });
        for (let i = 0; i < 300; i++) trace.getTracer('p').startActiveSpan('ask', (span) => { worker.postMessage(i); span.end(); });
        worker.onmessage = () => worker.terminate();
        """,
    )
    assert sidelight("run", *receiver.export(), path).code == 0
    life = by_name(receiver, "worker linked")
    assert len(life.links) == 128 and life.dropped[2] == 172


def test_an_error_in_a_child_is_the_parents_and_on_both_spans(sidelight, receiver):
    sidelight.write("child.mjs", "self.onmessage = () => { throw new RangeError('too far'); };")
    path = sidelight.write("parent.mjs", "new Worker('./child.mjs', { name: 'bad' }).postMessage(1);")
    done = sidelight("run", *receiver.export(), path)
    assert done.code == 1
    assert "RangeError: too far" in done.err and "child.mjs:1" in done.err
    assert done.err.count("RangeError: too far") == 1
    life, run = by_name(receiver, "worker bad"), by_name(receiver, "run parent.mjs")
    for span in (life, run):
        assert (span.status, span.message) == (ERROR, "RangeError: too far")
    assert any(log.event_name == "exception" and "too far" in str(log.body) for log in receiver.logs)


@pytest.mark.parametrize(
    "limit, source, how, text",
    [("cpu=300ms", "for (;;) {}", "cpu_limit", "CPU limit of 300 ms reached"),
     ("heap=32MB", "const all = []; for (;;) all.push(new Array(1000).fill({}));", "heap_limit", "heap limit of 32 MB reached")],
)  # fmt: skip
def test_limits_end_the_child_alone(sidelight, receiver, limit, source, how, text):
    sidelight.write("child.mjs", f"postMessage('runs'); {source}")
    path = sidelight.write(
        "parent.mjs",
        """
        const worker = new Worker('./child.mjs', { name: 'greedy' });
        worker.onerror = (event) => { console.log(event.message); };
        worker.onmessage = ({ data }) => console.log(data);
        """,
    )
    done = sidelight("run", "--limit", limit, *receiver.export(), path, timeout=60)
    assert (done.code, done.out) == (0, f"runs\n{text}\n"), done.err
    life = by_name(receiver, "worker greedy")
    assert (life.status, life.message, life.attributes["error.type"]) == (ERROR, text, how)
    assert by_name(receiver, "run parent.mjs").status != ERROR


def test_the_limit_of_workers(sidelight):
    sidelight.write("child.mjs", "self.onmessage = () => {};")
    path = sidelight.write(
        "parent.mjs",
        """
        const all = [];
        try { for (;;) all.push(new Worker('./child.mjs')); } catch (error) { console.log(all.length, error.name, error.message); }
        for (const worker of all) worker.terminate();
        """,
    )
    done = sidelight("run", "--limit", "workers=3", path)
    assert done.out == '3 QuotaExceededError there are 3 Workers already, as many as the limit "workers" allows\n', done.err
    assert sidelight("run", "--limit", "workers=257", path).code == 2
    assert sidelight("run", "--limit", "workers=0", path).code == 2


@pytest.mark.parametrize("how", ["exit", "throw", "sigterm", "return"])
def test_the_end_of_the_process_is_clean_with_children(sidelight, receiver, how):
    sidelight.write(
        "child.mjs",
        "import { trace } from '@opentelemetry/api';\ntrace.getTracer('c').startSpan('ended').end();\npostMessage(1);\n"
        "self.onmessage = () => {};\nif (self.name === 'busy') for (;;) {}\n"
        "if (self.name === 'waits') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);\n",
    )
    end = {"exit": "process.exit(3)", "throw": "throw new Error('over')", "sigterm": "console.log('ready')",
           "return": "for (const worker of all) worker.terminate()"}[how]  # fmt: skip
    path = sidelight.write(
        "parent.mjs",
        f"""
        const all = ['idle', 'busy', 'waits', 'idle'].map((name) => new Worker('./child.mjs', {{ name }}));
        let count = 0;
        for (const worker of all) worker.onmessage = () => {{ if (++count === all.length) {{ {end}; }} }};
        """,
    )
    process = start(sidelight, "run", "--json", *receiver.export(), path)
    if how == "sigterm":
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == {"exit": 1, "throw": 1, "sigterm": -signal.SIGTERM, "return": 0}[how], err
    lives = [span for span in receiver.spans if span.name.startswith("worker ")]
    assert sorted(span.name for span in lives) == ["worker busy", "worker idle", "worker idle", "worker waits"]
    for span in lives:
        assert span.attributes["sidelight.worker.end"] == "terminate" and span.status != ERROR
    assert [span.name for span in receiver.spans].count("ended") == 4


def kill_round(sidelight, receiver, program, number, random):
    service = f"round-{number}"
    numbers = sidelight.folder / f"{service}.txt"
    with open(numbers, "w") as out:
        process = sidelight.start(
            "run", "--service", service, *receiver.export(), program, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.PIPE,
        )  # fmt: skip
    # Each of the four has answered its first message.
    wait_for(lambda: {"0", "1", "2", "3"} <= set(numbers.read_text().split("\n")[:-1]))
    time.sleep(random.uniform(0, 0.1))
    os.kill(int(numbers.read_text().split("\n", 1)[0].split()[1]), signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    printed = {int(line) for line in numbers.read_text().split("\n")[1:-1]}
    spans = [span for span in receiver.spans if span.resource["service.name"] == service]
    assert len({span.span_id for span in spans}) == len(spans), "a span came twice"
    asks = {span.span_id: span for span in spans if span.name == "ask"}
    works = [span for span in spans if span.name == "work"]
    ended = [span for span in works if span.status != ERROR]
    seen = {span.attributes["number"] for span in ended}
    assert printed <= seen, sorted(printed - seen)[:5]
    # What was open just then is an error, at most one a child; whose child it is stays right.
    assert len(works) - len(ended) <= 4
    unknown = [span for span in works if span.parent_id not in asks]
    assert unknown == [], "their senders' spans had ended before they were posted from"
    lives = [span for span in spans if span.name.startswith("worker ")]
    assert sorted(span.name for span in lives) == [f"worker child {i}" for i in range(4)]
    for span in [*lives, *(span for span in spans if span.name in ("open root", "run pool.mjs"))]:
        assert (span.status, span.message) == (ERROR, "worker killed by SIGKILL (9)"), span
    return len(printed)


def test_kill_9_with_children_loses_nothing(sidelight, receiver, program):
    seed = int(os.environ.get("KILL_SEED", random.randrange(1 << 32)))
    print(f"KILL_SEED={seed}")
    source = random.Random(seed)
    total = 0
    for number in range(int(os.environ.get("KILL_ROUNDS", 10))):
        total += kill_round(sidelight, receiver, program("pool.mjs"), number, source)
        receiver.check()
        receiver.spans.clear()
    assert total > 0


def test_many_children_one_after_another(sidelight, receiver):
    sidelight.write("child.mjs", "postMessage(1);")
    path = sidelight.write(
        "parent.mjs",
        """
        let left = 150;
        const next = () => { if (left-- > 0) new Worker('./child.mjs').onmessage = next; };
        for (let i = 0; i < 8; i++) next();
        """,
    )
    done = sidelight("run", "--json", *receiver.export(), path, timeout=120)
    assert done.code == 0, done.err
    lives = [span for span in receiver.spans if span.name == "worker child.mjs"]
    assert len(lives) == 150 and {span.attributes["sidelight.worker.end"] for span in lives} == {"done"}
    assert done.summary["openSpansClosed"] == 0 and done.summary["ringDropped"] == {}


def test_a_child_of_a_thread_that_waited_for_it_is_like_any_other(sidelight, receiver):
    # Between two children there is time for the next one's isolate, which is made ahead then.
    sidelight.write("child.mjs", "globalThis.seen = (globalThis.seen ?? 0) + 1; postMessage([name, seen, process.argv.length]); throw new Error(name);")
    path = sidelight.write(
        "parent.mjs",
        """
        for (let i = 0; i < 6; i++) {
            const child = new Worker('./child.mjs', { name: `child ${i}` });
            const failed = new Promise((resolve) => { child.onerror = (event) => { event.preventDefault(); resolve(event.message); }; });
            const told = await new Promise((resolve) => { child.onmessage = (event) => resolve(event.data); });
            console.log(JSON.stringify([...told, await failed]));
            await new Promise((resolve) => setTimeout(resolve, 60));
        }
        """,
    )
    done = sidelight("run", "--json", *receiver.export(), path, timeout=60)
    assert done.code == 0, done.err
    assert [json.loads(line) for line in done.out.splitlines()] == [
        [f"child {number}", 1, 2, f"Uncaught Error: child {number}"] for number in range(6)
    ]
    lives = [span for span in receiver.spans if span.name.startswith("worker child ")]
    assert sorted(span.name for span in lives) == [f"worker child {number}" for number in range(6)]
    assert len({span.attributes["sidelight.isolate.id"] for span in lives}) == 6


def test_lines_of_children_are_whole(sidelight):
    sidelight.write("child.mjs", "for (let i = 0; i < 200; i++) console.log(self.name.repeat(2000));")
    path = sidelight.write("parent.mjs", "for (const name of 'abcdef') new Worker('./child.mjs', { name });")
    done = sidelight("run", path)
    assert sorted(done.out.split()) == sorted(name * 2000 for name in "abcdef" for _ in range(200))


SERVICE = """
import { trace } from '@opentelemetry/api';
const worker = new Worker('./child.mjs', { type: 'module', name: 'pool' });
const waiting = new Map();
let last = 0;
worker.onmessage = ({ data }) => { waiting.get(data.id)(data); waiting.delete(data.id); };
const ask = (what) => new Promise((resolve) => { waiting.set(++last, resolve); worker.postMessage({ id: last, what }); });
export default {
    async fetch(request) {
        const { pathname } = new URL(request.url);
        if (pathname === '/own') {
            const own = new Worker('./child.mjs', { name: 'own' });
            return new Promise((resolve) => {
                own.onmessage = ({ data }) => { own.terminate(); resolve(Response.json(data)); };
                own.postMessage({ what: 'own' });
            });
        }
        return Response.json(await ask(pathname));
    },
};
"""
SERVICE_CHILD = """
import { trace } from '@opentelemetry/api';
self.onmessage = ({ data }) => {
    if (data.what === '/spin') for (;;) {}
    if (data.what === '/throw') throw new Error('in the pool');
    trace.getTracer('c').startActiveSpan(`work ${data.what}`, (span) => { postMessage(data); span.end(); });
};
"""


def test_children_of_a_service(serve, receiver):
    service = serve(SERVICE, receiver=receiver, files={"child.mjs": SERVICE_CHILD})
    for path in ("/a", "/b", "/own"):
        assert service.get(path)[0] == 200
    assert service.end() == 0, service.err
    for path, name in (("/a", "work /a"), ("/b", "work /b"), ("/own", "work own")):
        (request,) = service.spans(path)
        (work,) = [span for span in receiver.spans if span.name == name]
        assert (work.trace_id, work.parent_id) == (request.trace_id, request.span_id)
    (own,) = [span for span in receiver.spans if span.name == "worker own"]
    assert own.parent_id == service.spans("/own")[0].span_id
    (pool,) = [span for span in receiver.spans if span.name == "worker pool"]
    assert pool.parent_id == next(span for span in receiver.spans if span.name.startswith("run ")).span_id
    assert pool.attributes["sidelight.worker.end"] == "terminate"


def test_a_service_outlives_its_children(serve, receiver):
    service = serve(SERVICE, "--limit", "cpu=2s", receiver=receiver, files={"child.mjs": SERVICE_CHILD})
    # Neither is ever answered.
    with service.connect() as first, service.connect() as second:
        first.request("/throw")
        second.request("/spin")
        wait_for(lambda: [span for span in receiver.spans if span.name == "worker pool"])
    assert service.get("/own")[0] == 200
    (pool,) = [span for span in receiver.spans if span.name == "worker pool"]
    assert (pool.status, pool.attributes["sidelight.worker.end"]) == (ERROR, "cpu_limit")
    assert any(log.event_name == "exception" and "in the pool" in str(log.body) for log in receiver.logs)
    assert "started again" not in service.err


def test_a_killed_service_leaves_what_its_children_wrote(serve, receiver):
    service = serve(SERVICE, receiver=receiver, files={"child.mjs": SERVICE_CHILD})
    for number in range(20):
        assert service.get(f"/{number}")[0] == 200
    os.kill(service.workers[0], signal.SIGKILL)
    wait_for(lambda: [span for span in receiver.spans if span.name == "worker pool"])
    for number in range(20):
        (work,) = [span for span in receiver.spans if span.name == f"work /{number}"]
        assert work.parent_id == service.spans(f"/{number}")[0].span_id
    (pool,) = [span for span in receiver.spans if span.name == "worker pool"]
    assert (pool.status, pool.message) == (ERROR, "worker killed by SIGKILL (9)")


def test_children_that_have_ended_leave_nothing_behind(sidelight):
    """Each kept 200 KB: its event loop, and what it was made with."""
    done = sidelight("run", sidelight.write("main.mjs", """
        const one = () => new Promise((resolve) => {
            const worker = new Worker('data:text/javascript,postMessage(1)');
            worker.onmessage = () => {
                worker.terminate();
                resolve();
            };
        });
        const many = async (count) => {
            for (let i = 0; i < count; i++) await one();
            return process.memoryUsage().rss;
        };
        const before = await many(200);
        console.log((await many(800) - before) / 2 ** 20);
    """), timeout=300)
    assert done.code == 0, done.err
    assert float(done.out) < 60
