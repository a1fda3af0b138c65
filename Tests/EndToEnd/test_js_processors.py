"""JavaScript processors of `sidelight agent`: what scripts make of telemetry, and what becomes of it when they fail, hang, eat memory, or are killed."""

import os
import re
import signal
import subprocess

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from agents import Agent, spans
from serving import wait_for

COUNTS = re.compile(r'^(sidelight_processor_\w+)\{([^}]*)\} (\d+)$', re.M)


@pytest.fixture
def run(sidelight, receiver):
    """Starts an agent whose pipelines have one script, given as text; ends it and checks its books when the test is over."""
    made = []

    def start(script, *, files={}, wait=True, **options):
        sidelight.write("mine.js", script)
        for name, text in files.items():
            sidelight.write(name, text)
        pipelines = {name: {"processors": ["mine"]} for name in ("traces", "logs", "metrics")}
        made.append(Agent(sidelight, {"out": receiver}, wait=wait, processors={"mine": {"js": "mine.js", **options}}, pipelines=pipelines, redact="off"))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.check_balance()
            assert one.end() == 0, one.err


def worker_of(agent):
    """The pid of the script's worker; nil when there is none at the moment."""
    found = subprocess.run(["pgrep", "-P", str(agent.process.pid), "-f", "sidelight-worker --script"], capture_output=True, text=True)
    return int(found.stdout.split()[0]) if found.stdout.split() else None


def numbers(receiver):
    return sorted(int(span.span_id, 16) for span in list(receiver.spans))


def arrived(receiver, count):
    return wait_for(lambda: len(list(receiver.spans)) >= count)


def test_spans_are_changed_and_dropped(run, receiver):
    one = run("""
        import { shorten } from './lib/names.js';
        let seen = 0;
        export default {
            span(s) {
                if (s.name === 'GET /items/2') return false;
                s.name = shorten(s.name);
                s.attributes['seen'] = ++seen;
                s.attributes['from'] = `${s.resource.attributes['service.name']} ${s.scope.name} ${s.kind} ${s.spanId}`;
                delete s.attributes.secret;
            },
        };
        console.warn('hello', { from: 'script' });
    """, files={"lib/names.js": "export const shorten = (name) => name.replace(/\\d+$/, '{id}');"})
    assert one.send(spans(1, 4, attributes=[("secret", "x"), ("kept", "y")]))
    arrived(receiver, 3)
    assert numbers(receiver) == [1, 3, 4]
    for index, span in enumerate(sorted(receiver.spans, key=lambda span: span.span_id)):
        assert span.name == "GET /items/{id}"
        assert span.attributes == {"kept": "y", "seen": index + 1, "from": f"shop test server {span.span_id}"}
    assert 'mine: hello {"from":"script"}' in one.err


def test_signals_without_a_function_pass(run, receiver):
    one = run("export default { log(l) { l.body = l.body.toUpperCase(); l.severityNumber = 17; } }")
    logs = ExportLogsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=5, severity_number=9).body.string_value = "hällo"
    metrics = ExportMetricsServiceRequest()
    metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="m").gauge.data_points.add(time_unix_nano=7, as_int=3)
    assert one.post(logs.SerializeToString(), "/v1/logs")[0] == 200
    assert one.post(metrics.SerializeToString(), "/v1/metrics")[0] == 200
    assert one.send(spans(1, 2))
    arrived(receiver, 2)
    wait_for(lambda: receiver.logs and receiver.metrics)
    assert [log.body for log in receiver.logs] == ["HÄLLO"]


def test_metrics_are_changed(run, receiver):
    one = run("""export default { metric(m) {
        if (m.name === 'noise') return false;
        m.name = 'shop.' + m.name;
        for (const point of m.points) if (point.value > 1) point.attributes.host = 'h' + point.attributes.host;
    } }""")
    metrics = ExportMetricsServiceRequest()
    scope = metrics.resource_metrics.add().scope_metrics.add()
    for name in ("noise", "load"):
        points = scope.metrics.add(name=name).gauge.data_points
        for value in (1, 2):
            points.add(time_unix_nano=7, as_double=value).attributes.add(key="host").value.string_value = str(value)
    assert one.post(metrics.SerializeToString(), "/v1/metrics")[0] == 200
    wait_for(lambda: receiver.metrics)
    (metric,) = receiver.metrics[0].resource_metrics[0].scope_metrics[0].metrics
    assert metric.name == "shop.load"
    assert [(point.as_double, point.attributes[0].value.string_value) for point in metric.gauge.data_points] == [(1, "1"), (2, "h2")]


@pytest.mark.parametrize("policy,left", [("bypass", [1, 2, 3]), ("drop", [1, 3])])
def test_what_a_script_throws_costs_one_item(run, receiver, policy, left):
    one = run("""export default {
        span(s) {
            if (s.name.endsWith('2')) missing(s);
            s.attributes.ok = true;
        },
    }""", **{"on-error": policy})
    assert one.send(spans(1, 3))
    arrived(receiver, len(left))
    assert numbers(receiver) == left
    assert "mine.js:3:" in one.err and "ReferenceError: missing is not defined" in one.err


@pytest.mark.parametrize("script,message", [
    ("export default { span(s) { s.name = ; } }", "mine.js:1:37: SyntaxError"),
    ("\n\n  throw new TypeError('at the top');", "mine.js:3:9: TypeError: at the top"),
    ("export default { async span() {} }", "span is an async function"),
    ("export default { spans() {} }", "but spans"),
    ("export const span = () => {};", "export default"),
    ("import './missing.js'; export default {}", "mine.js:1:8: missing.js cannot be read"),
    ("import 'node:fs'; export default {}", "mine.js:1:8: \"node:fs\" cannot be imported"),
    ("await new Promise(() => {}); export default { span() {} }", "top-level await"),
    ("export default { span() {} }; const all = []; for (;;) all.push(new Array(1000).fill(all.length));", "heap"),
])  # fmt: skip
def test_a_script_that_does_not_load_is_a_configuration_error(run, sidelight, script, message):
    one = run(script, wait=False)
    assert one.process.wait(timeout=60) == 2, one.err
    assert message in one.err, one.err
    checked = sidelight("check", "config", "sidelight.yaml")
    assert checked.code == 2 and message in checked.out, (checked.out, checked.err)


def test_an_endless_loop_costs_what_is_left_of_its_batch(run, receiver):
    one = run("""export default { span(s) { while (s.name.endsWith('/3')) {} s.attributes.ok = true; } }""", cpu="20ms")
    assert one.send(spans(1, 5))
    arrived(receiver, 5)
    assert {int(span.span_id, 16) for span in receiver.spans if span.attributes} == {1, 2}
    assert one.send(spans(10, 5))
    arrived(receiver, 10)
    assert all(span.attributes for span in receiver.spans if int(span.span_id, 16) >= 10)
    assert "20 ms of CPU time" in one.err


def test_a_heap_bomb(run, receiver):
    one = run("""const kept = [];
        export default { span(s) { while (s.name.endsWith('/3')) kept.push(new Array(10000).fill(kept.length)); s.attributes.ok = true; } }""", cpu="10s", timeout="30s", heap="16MB")
    first = worker_of(one)
    assert one.send(spans(1, 5))
    arrived(receiver, 5)
    assert one.send(spans(10, 5))
    arrived(receiver, 10)
    assert {int(span.span_id, 16) for span in receiver.spans if span.attributes} >= {10, 11, 12, 13, 14}
    assert "heap of 16 MB" in one.err
    assert worker_of(one) not in (first, None)


def test_a_script_that_blocks_is_killed(run, receiver):
    """A regular expression that backtracks for years, which the CPU limit ends too; here the time limit comes first."""
    one = run("""export default { span(s) { if (s.name.endsWith('/1')) /^(a+)+$/.test('a'.repeat(60) + 'b'); s.attributes.ok = true; } }""", cpu="5s", timeout="6s")
    assert one.send(spans(1, 1))
    arrived(receiver, 1)
    assert one.send(spans(10, 5))
    arrived(receiver, 6)
    assert {int(span.span_id, 16) for span in receiver.spans if span.attributes} == {10, 11, 12, 13, 14}


@pytest.mark.parametrize("policy", ["bypass", "drop"])
def test_a_killed_worker_costs_one_batch(run, receiver, policy):
    one = run("export default { span(s) { const until = Date.now() + 20; while (Date.now() < until) {} s.attributes.ok = true; } }", cpu="5s", timeout="20s", **{"on-error": policy})
    for first in range(1, 101, 10):
        assert one.send(spans(first, 10))
    wait_for(lambda: worker_of(one))
    os.kill(worker_of(one), signal.SIGKILL)
    assert one.send(spans(1000, 1))
    wait_for(lambda: 1000 in numbers(receiver), 30)
    wait_for(lambda: one.check_balance()["out", "traces"].get("queued", 0) == 0)
    with_it = {int(span.span_id, 16) for span in receiver.spans if span.attributes}
    assert 1000 in with_it
    if policy == "bypass":
        assert numbers(receiver) == [*range(1, 101), 1000]
    else:
        assert with_it == set(numbers(receiver))
    assert "SIGKILL" in one.err


def test_a_worker_that_dies_again_and_again_holds_nothing_up(run, receiver):
    one = run("export default { span(s) { s.attributes.ok = true; } }")
    for first in range(1, 501, 10):
        assert one.send(spans(first, 10))
        pid = worker_of(one)
        if pid:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    arrived(receiver, 500)
    assert numbers(receiver) == list(range(1, 501))


def test_a_script_reaches_nothing(run, receiver):
    one = run("""export default { span(s) {
        s.attributes.globals = Object.getOwnPropertyNames(globalThis).filter((name) => !(name in known)).join();
        for (const [name, what] of Object.entries({ eval: () => eval('1'), function: () => new Function('return 1')() })) {
            try { what(); s.attributes[name] = 'done'; } catch (error) { s.attributes[name] = error.name; }
        }
    } };
    const known = Object.fromEntries(['Object', 'Function', 'Array', 'Number', 'parseFloat', 'parseInt', 'Infinity', 'NaN', 'undefined', 'Boolean', 'String', 'Symbol', 'Date', 'Promise',
        'RegExp', 'Error', 'AggregateError', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError', 'globalThis', 'JSON', 'Math', 'Intl', 'ArrayBuffer', 'Uint8Array',
        'Int8Array', 'Uint16Array', 'Int16Array', 'Uint32Array', 'Int32Array', 'Float32Array', 'Float64Array', 'Uint8ClampedArray', 'BigUint64Array', 'BigInt64Array', 'DataView', 'Map', 'BigInt',
        'Set', 'WeakMap', 'WeakSet', 'WeakRef', 'FinalizationRegistry', 'Proxy', 'Reflect', 'decodeURI', 'decodeURIComponent', 'encodeURI', 'encodeURIComponent', 'escape', 'unescape', 'eval',
        'isFinite', 'isNaN', 'console', 'Iterator'].map((name) => [name, 1]));
    """)
    assert one.send(spans(1, 1))
    arrived(receiver, 1)
    assert receiver.spans[0].attributes == {"globals": "", "eval": "EvalError", "function": "EvalError"}
    with open(f"/proc/{worker_of(one)}/status") as status:
        text = status.read()
    assert "Seccomp:\t2" in text and "NoNewPrivs:\t1" in text
    assert open(f"/proc/{worker_of(one)}/environ").read() == "TZ=UTC\0"


def test_huge_results_fail_and_the_rest_pass(run, receiver):
    one = run("export default { span(s) { s.attributes.x = s.name.endsWith('/2') ? 'x'.repeat(5e6) : 'ok'; } }")
    assert one.send(spans(1, 3))
    arrived(receiver, 3)
    assert {int(span.span_id, 16): span.attributes.get("x") for span in receiver.spans} == {1: "ok", 2: None, 3: "ok"}


def test_under_load_everything_comes_out_once_and_changed(run, receiver):
    one = run("export default { span(s) { if (Number(s.name.slice(11)) % 7 === 0) return false; s.attributes.route = s.name; } }")
    for first in range(1, 20001, 500):
        while not one.send(spans(first, 500)):
            pass
    wanted = [number for number in range(1, 20001) if number % 7 != 0]
    arrived(receiver, len(wanted))
    assert numbers(receiver) == wanted
    assert all(span.attributes == {"route": span.name} for span in receiver.spans)
