"""What the worker tells of itself: figures of the board, what hits a request as events of its span, profiles and heap snapshots."""

import collections
import gzip
import json
import os
import pathlib
import signal
import socket
import threading
import time

import pytest

from serving import wait_for

PROGRAM = """
function hot(ms) { const end = performance.now() + ms; let x = 0; while (performance.now() < end) x += inner(x); return x; }
function inner(x) { let y = 0; for (let i = 0; i < 1000; i++) y += Math.sqrt(x + i); return y; }
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const empty = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
const routes = {
    '/': () => 'ok',
    '/stall': () => { hot(120); return 'ok'; },
    async '/stall-later'() { await sleep(5); hot(130); return 'ok'; },
    async '/stall-between'() { await sleep(5); hot(130); await sleep(5); return 'ok'; },
    async '/late'() { const slept = sleep(5); hot(120); await slept; return 'ok'; },
    '/gc'() { let kept = []; for (let i = 0; i < 100; i++) { kept.push(new Array(20000).fill(0).map((_, j) => ({ j }))); if (kept.length > 60) kept = kept.slice(30); } return 'ok'; },
    async '/import'() { return String((await import('./other.mjs')).x); },
    async '/wasm'() { const { module, instance } = await WebAssembly.instantiate(empty); return `${module instanceof WebAssembly.Module} ${instance instanceof WebAssembly.Instance}`; },
    '/reject'() { Promise.reject(new Error('nobody')); return 'ok'; },
    '/slow'() { hot(900); return 'ok'; },
    '/some'() { hot(3); return 'ok'; },
    '/forever'() { hot(1e9); },
    '/oom'() { globalThis.kept = []; for (;;) kept.push({ text: 'findMe'.repeat(kept.length % 9), of: new Array(100).fill(0) }); },
};
export default { async fetch(request) { return new Response(await routes[new URL(request.url).pathname]()); } };
"""


@pytest.fixture
def start(serve):
    return lambda *arguments, **options: serve(PROGRAM, *arguments, files={"other.mjs": "export const x = 42;"}, **options)


def points(receiver):
    """The points of each metric with the largest value: {name: {(attribute values…): point}}. Gauges of a worker that has ended are 0."""
    found = collections.defaultdict(dict)
    for metric, point in receiver.metric_points():
        attributes = tuple(pair.value.string_value for pair in point.attributes)
        before = found[metric.name].get(attributes)
        if before is None or hasattr(point, "count") or value(point) >= value(before):
            found[metric.name][attributes] = point
    return found


def value(point):
    return point.as_int or point.as_double


def server_spans(receiver):
    return {span.attributes["url.path"]: span for span in receiver.spans if span.kind == 2}


def events(span, name):
    """Their attributes."""
    return [attributes for _, it, attributes in span.events if it == name]


def test_figures_of_the_loop_and_the_heap_arrive(start, receiver):
    served = start(receiver=receiver, env={"OTEL_METRIC_EXPORT_INTERVAL": 1000})
    served.fetch("/gc")
    served.fetch("/stall")
    served.fetch("/reject")
    for _ in range(20):
        served.fetch("/")
        time.sleep(0.1)
    assert served.end() == 0
    metrics = points(receiver)
    assert sum(point.count for point in metrics["v8js.gc.duration"].values()) > 0
    assert ("minor",) in metrics["v8js.gc.duration"]
    assert value(metrics["v8js.memory.heap.used"][("old_space",)]) > 100_000
    assert value(metrics["v8js.memory.heap.limit"][("new_space",)]) > 0
    assert 0.05 < metrics["nodejs.eventloop.time"][("active",)].as_double < 5
    assert metrics["nodejs.eventloop.time"][("idle",)].as_double > 0.5
    assert 0 <= metrics["nodejs.eventloop.utilization"][()].as_double <= 1
    assert metrics["nodejs.eventloop.delay.max"][()].as_double >= metrics["nodejs.eventloop.delay.p50"][()].as_double > 0
    assert value(metrics["sidelight.eventloop.turns"][()]) >= 23
    assert value(metrics["sidelight.eventloop.stalls"][()]) >= 1
    assert value(metrics["sidelight.unhandled_errors"][()]) == 1
    assert metrics["sidelight.isolate.cpu.time"][()].as_double > 0.1
    assert value(metrics["sidelight.heap.used"][()]) > 1_000_000
    assert value(metrics["sidelight.heap.limit"][()]) > 50_000_000
    assert value(metrics["sidelight.v8.code"][()]) > 100_000
    assert value(metrics["sidelight.v8.bytecode"][()]) > 10_000
    assert value(metrics["sidelight.v8.script_source"][()]) > 0
    assert value(metrics["sidelight.v8.global_handles.size"][()]) >= value(metrics["sidelight.v8.global_handles.used"][()]) > 0
    assert value(metrics["sidelight.v8.contexts.native"][()]) >= 1
    assert value(metrics["sidelight.v8.malloced"][()]) > 0


def test_what_hits_a_request_is_an_event_of_its_span(start, receiver):
    served = start(receiver=receiver)
    for path in ["/", "/stall", "/stall-later", "/stall-between", "/late", "/gc", "/import"]:
        served.fetch(path)
    assert served.fetch("/wasm") == "true true"
    assert served.end() == 0
    spans = server_spans(receiver)
    assert not events(spans["/"], "timer late")
    for path, least in [("/stall", 0.11), ("/stall-later", 0.12), ("/stall-between", 0.12)]:
        (stall,) = events(spans[path], "event loop stall")
        assert least < stall["sidelight.eventloop.stall"] < 5
        # Turns of a timer count as well.
        assert spans[path].attributes["sidelight.cpu.time"] > 0.04
        assert spans[path].attributes["sidelight.cpu.time"] <= (spans[path].end - spans[path].start) / 1e9 + 0.002
    (late,) = events(spans["/late"], "timer late")
    assert late["sidelight.timer.delay"] == 0.005
    assert 0.05 < late["sidelight.timer.late"] < 5
    pauses = events(spans["/gc"], "gc")
    assert pauses
    for pause in pauses:
        assert pause["v8js.gc.type"] in ("minor", "major", "incremental", "weakcb")
        assert pause["sidelight.gc.pause"] >= 0.005
    (module,) = [span for span in receiver.spans if span.name == "module ./other.mjs"]
    assert module.parent_id == spans["/import"].span_id
    names = sorted(span.name for span in receiver.spans if span.parent_id == spans["/wasm"].span_id)
    assert names == ["wasm compile", "wasm instantiate"]


# -- profiles


def varint(data, at):
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 127) << shift
        if byte < 128:
            return result, at
        shift += 7


def message(data):
    """Protobuf's fields, by number: a list of ints and bytes."""
    found, at = collections.defaultdict(list), 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            item, at = varint(data, at)
        else:
            assert tag & 7 == 2, tag
            length, at = varint(data, at)
            item, at = data[at : at + length], at + length
        found[tag >> 3].append(item)
    return found


def pprof(data):
    """[(frames from the innermost on, values, labels)] of a pprof profile."""
    profile = message(gzip.decompress(data))
    strings = [text.decode() for text in profile[6]]
    assert strings[0] == ""
    functions = {f[1][0]: strings[f[2][0]] for f in map(message, profile[5])}
    locations = {}
    for location in map(message, profile[4]):
        locations[location[1][0]] = functions[message(location[4][0])[1][0]]
    types = [tuple(strings[t[i][0]] for i in (1, 2)) for t in map(message, profile[1])]
    assert types == [("samples", "count"), ("cpu", "nanoseconds")]
    return [
        (
            [locations[id] for id in sample[1]],
            sample[2],
            {strings[label[1][0]]: strings[label[2][0]] for label in map(message, sample[3])},
        )
        for sample in map(message, profile[2])
    ]


class Load:
    """Requests one after the other until it is over."""

    def __init__(self, served, path):
        self.isOver = False

        def ask():
            while not self.isOver:
                try:
                    served.fetch(path)
                except OSError:
                    return

        self.thread = threading.Thread(target=ask)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.isOver = True
        self.thread.join()


def test_a_profile_in_three_forms_names_the_requests(start, sidelight, receiver):
    served = start("--service", "shop", receiver=receiver)
    with Load(served, "/some"):
        plain = sidelight("profile", "--duration", "1s")
        folded = sidelight("profile", "--duration", "700ms", "--format", "collapsed", "shop")
        packed = sidelight("profile", "--duration", "700ms", "--format", "pprof", "--output", "cpu.pb.gz", served.process.pid)
    assert served.end() == 0
    assert (plain.code, folded.code, packed.code) == (0, 0, 0), (plain.err, folded.err, packed.err)

    profile = json.loads(pathlib.Path(plain.out.strip()).read_text())
    assert {"nodes", "startTime", "endTime", "samples", "timeDeltas", "sidelightSamples", "sidelightSpans"} == set(profile)
    names = {node["id"]: node["callFrame"]["functionName"] for node in profile["nodes"]}
    ids = {(span.trace_id, span.span_id) for span in receiver.spans if span.kind == 2}
    told = {(span["traceId"], span["spanId"]) for span in profile["sidelightSpans"]}
    assert told and told <= ids
    hot = [label for node, label in zip(profile["samples"], profile["sidelightSamples"]) if names[node] in ("hot", "inner")]
    assert len(hot) > 50
    # A sample at the very edge of a turn may go to its neighbour.
    assert sum(label >= 0 for label in hot) > 0.95 * len(hot)

    lines = [line.rsplit(" ", 1) for line in folded.out.splitlines()]
    assert sum(int(count) for stack, count in lines if ";hot (app.mjs:2)" in stack) > 50

    stacks = pprof((sidelight.folder / "cpu.pb.gz").read_bytes())
    hot = [(values, labels) for frames, values, labels in stacks if "hot" in frames]
    assert sum(values[0] for values, _ in hot) > 50
    assert sum(values[1] for values, _ in hot) > 100_000_000
    labelled = [labels for _, labels in hot if labels]
    assert labelled and all((labels["trace_id"], labels["span_id"]) in ids for labels in labelled)


def test_an_endless_loop_can_be_profiled(start, sidelight):
    served = start()
    served.later("/forever")
    time.sleep(0.5)
    done = sidelight("profile", "--duration", "500ms", "--format", "collapsed")
    assert done.code == 0, done.err
    assert "fetch" in done.out
    # A second signal kills a worker that does not drain.
    served.process.terminate()
    time.sleep(0.5)
    served.process.terminate()
    assert served.process.wait(20) == 1


def test_a_worker_does_not_outlive_its_agent_for_long(start):
    served = start()
    served.later("/forever")
    time.sleep(0.3)
    children = pathlib.Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split()
    served.process.kill()
    end = time.monotonic() + 20
    while any(os.path.exists(f"/proc/{child}") for child in children) and time.monotonic() < end:
        time.sleep(0.2)
    assert not any(os.path.exists(f"/proc/{child}") for child in children)


def test_a_program_that_runs_can_be_profiled(sidelight):
    sidelight.write("loop.js", "function work() { for (let i = 0; i < 1e5; i++) Math.sqrt(i) }\nsetInterval(work, 1);")
    process = sidelight.start("run", "loop.js")
    try:
        time.sleep(1)
        done = sidelight("profile", "--duration", "500ms", "--format", "collapsed", "loop")
        assert done.code == 0, done.err
        assert "work (loop.js:1)" in done.out
    finally:
        process.terminate()
        process.wait()


def test_what_keeps_the_loop_is_profiled_by_itself(start, receiver):
    served = start("--profile-slow", "300ms", receiver=receiver)
    served.fetch("/stall")
    served.fetch("/slow")
    assert served.end() == 0
    spans = server_spans(receiver)
    (stall,) = events(spans["/slow"], "event loop stall")
    assert "hot (app.mjs:2)" in stall["sidelight.profile.top"]
    assert "sidelight.profile.top" not in events(spans["/stall"], "event loop stall")[0]
    (file,) = served.kept("-slow.cpuprofile")
    profile = json.loads(file.read_text())
    assert [span["spanId"] for span in profile["sidelightSpans"]] == [spans["/slow"].span_id]
    assert file.stat().st_mode & 0o777 == 0o600


# -- heaps


def test_a_heap_snapshot_on_demand(start, sidelight):
    served = start()
    served.fetch("/")
    done = sidelight("profile", "--heap", "--output", "heap.heapsnapshot")
    assert done.code == 0, done.err
    assert served.fetch("/") == "ok"
    snapshot = json.loads((sidelight.folder / "heap.heapsnapshot").read_text())
    assert len(snapshot["nodes"]) == snapshot["snapshot"]["node_count"] * len(snapshot["snapshot"]["meta"]["node_fields"])
    assert served.end() == 0


@pytest.mark.parametrize("asked", [True, False])
def test_a_heap_snapshot_before_the_end(start, asked):
    served = start("--limit", "heap=40MB", *(["--heap-snapshot-on-oom"] if asked else []))
    with pytest.raises(OSError):
        served.fetch("/oom", timeout=60)
    end = time.monotonic() + 30
    while asked and not served.kept("-oom.heapsnapshot") and time.monotonic() < end:
        time.sleep(0.1)
    served.end()
    found = served.kept("-oom.heapsnapshot")
    assert len(found) == (1 if asked else 0)
    if asked:
        assert "findMe" in found[0].read_text()
        json.loads(found[0].read_text())


def test_a_heap_snapshot_before_the_end_in_a_store_with_a_long_path(start, sidelight):
    store = sidelight.folder / ("a-store-whose-path-is-longer-than-a-socket-address-holds/" * 3)
    served = start("--limit", "heap=40MB", "--heap-snapshot-on-oom", "--store", store)
    done = sidelight("profile", "--duration", "100ms", "--store", store)
    assert done.code == 0, done.err
    with pytest.raises(OSError):
        served.fetch("/oom", timeout=60)
    assert wait_for(lambda: served.fetch("/")) == "ok"
    served.end()
    assert len(list((store / "profiles").glob("*-oom.heapsnapshot"))) == 1


# -- what is wrong


def test_a_workload_that_is_stopped_does_not_hold_up_the_command(start, sidelight):
    stopped = start("--service", "stopped")
    start("--service", "other")
    stopped.process.send_signal(signal.SIGSTOP)
    try:
        done = sidelight("profile", "--duration", "100ms", timeout=30)
        assert done.code == 0, done.err
        done = sidelight("profile", "--duration", "100ms", "stopped", timeout=30)
        assert done.code == 1 and "there is other (" in done.err
    finally:
        stopped.process.send_signal(signal.SIGCONT)


def test_there_may_be_nothing_to_profile(start, sidelight):
    done = sidelight("profile")
    assert (done.code, done.err) == (1, "sidelight: nothing runs with the store .sidelight\n")
    served = start()
    done = sidelight("profile", "other")
    assert done.code == 1 and f"there is app ({served.process.pid})" in done.err
    done = sidelight("profile", "--isolate", 7)
    assert (done.code, done.err) == (1, "sidelight: there is no isolate 7; there is 0\n")
    for arguments in (["--duration", "x"], ["--format", "svg"], ["--interval", "1us"]):
        assert sidelight("profile", *arguments).code == 2
    assert sidelight("profile", "--duration", "11m").code == 1
    assert served.end() == 0
    assert sidelight("profile").code == 1


def test_the_socket_takes_no_nonsense(start, sidelight):
    served = start()
    path = sidelight.folder / ".sidelight" / "control" / f"{served.process.pid}.sock"
    assert path.stat().st_mode & 0o777 == 0o600
    for line in (b"x\n", b"{}\n", b'{"command":"x"}\n', b'{"command":"profile","milliseconds":-1}\n', b"[" * 4000 + b"\n"):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(os.path.relpath(path))
            client.sendall(line)
            assert b"error" in client.recv(4096)
    with socket.socket(socket.AF_UNIX) as client:  # leaves in the middle
        client.connect(os.path.relpath(path))
        client.sendall(b'{"command":"profile","milliseconds":60000}\n')
        time.sleep(0.3)
    done = sidelight("profile", "--duration", "200ms", "--format", "collapsed")
    assert done.code == 0, done.err
    assert served.end() == 0
    assert not path.exists()
