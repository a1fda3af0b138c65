"""Processors of `sidelight agent` that remember: what they hold survives, what they let go arrives, and the books balance."""

import re

from opentelemetry.proto.trace.v1.trace_pb2 import Status

from agents import exporter_to, spans
from receiver import Answer
from serving import wait_for
from test_agent import SMALL, agent, ids, sent  # noqa: F401  (a fixture among them)

INTAKE = re.compile(r'^sidelight_intake_(received_total|taken_total|queued|dropped_total)\{pipeline="([^"]*)",signal="(\w+)"[^}]*\} (\d+)$', re.M)
PROCESSOR = re.compile(r'^sidelight_processor_(received_total|dropped_total|held)\{pipeline="([^"]*)",processor="([^"]*)",signal="(\w+)"[^}]*\} (\d+)$', re.M)

# Decides when a trace's root is there, and keeps those with an error.
TAIL = {"tail-sample": {"wait": "30s", "settle": "1s", "policies": [{"policy": "errors", "status": "error"}]}}


def intake(one):
    """received = taken + dropped + queued of every intake; the figures."""
    books = {}
    for kind, pipeline, signal, value in INTAKE.findall(one.metrics()):
        book = books.setdefault((pipeline, signal), {"received_total": 0, "taken_total": 0, "queued": 0, "dropped_total": 0})
        book[kind] += int(value)
    for key, book in books.items():
        assert book["received_total"] == book["taken_total"] + book["dropped_total"] + book["queued"], (key, book)
    return books


def processors(one):
    found = {}
    for kind, pipeline, processor, signal, value in PROCESSOR.findall(one.metrics()):
        book = found.setdefault(processor, {"received_total": 0, "dropped_total": 0, "held": 0})
        book[kind] += int(value)
    return found


def trace(number, error=False, children=2):
    """A trace of one request: a root, and children of it."""
    request = spans(number * 100, children + 1)
    made = request.resource_spans[0].scope_spans[0].spans
    for span in made:
        span.trace_id = (7 << 64 | number).to_bytes(16, "big")
    for span in made[1:]:
        span.parent_span_id = made[0].span_id
    if error:
        made[-1].status.code = Status.STATUS_CODE_ERROR
    return request


def test_only_traces_with_errors_are_kept(agent, receiver):
    one = agent({"out": receiver}, processors={"tail": TAIL}, pipelines={"traces": {"processors": ["tail"]}})
    for number in range(1, 21):
        assert one.send(trace(number, error=number % 5 == 0))
    sent(one, 12)
    wait_for(lambda: intake(one)["traces", "traces"]["taken_total"] == 60)
    assert {span.trace_id[-4:] for span in receiver.spans} == {f"{number:04x}" for number in (5, 10, 15, 20)}
    assert processors(one)["tail"] == {"received_total": 60, "dropped_total": 48, "held": 0}
    assert len(receiver.spans) == 12


def test_what_is_held_at_a_kill_comes_again(agent, make_receiver):
    receiver = make_receiver()
    slow = {"tail-sample": {"wait": "60s", "policies": [{"policy": "all", "always": True}]}}
    one = agent({"out": receiver}, processors={"tail": slow}, pipelines={"traces": {"processors": ["tail"]}})
    for number in range(1, 11):
        assert one.send(trace(number))
    wait_for(lambda: processors(one)["tail"]["held"] == 30)
    assert intake(one)["traces", "traces"]["queued"] == 30
    one.kill()
    one.restart()
    # It holds them again, after being told by the disk; now it is told to decide sooner.
    wait_for(lambda: processors(one)["tail"]["held"] == 30)
    assert receiver.spans == []
    quick = {"tail-sample": {"wait": "1s", "policies": [{"policy": "all", "always": True}]}}
    one.reload(processors={"tail": quick})
    sent(one, 30)
    assert sorted(ids(receiver)) == sorted(number * 100 + child for number in range(1, 11) for child in range(3))
    wait_for(lambda: intake(one)["traces", "traces"]["queued"] == 0)


def test_an_end_keeps_what_is_held_for_the_next_agent(agent, receiver):
    slow = {"tail-sample": {"wait": "60s", "policies": [{"policy": "all", "always": True}]}}
    one = agent({"out": receiver}, processors={"tail": slow}, pipelines={"traces": {"processors": ["tail"]}})
    assert one.send(trace(1))
    assert one.end() == 0
    assert "3 items are with its processors" in one.err
    # Without the processor: what it left passes as it is.
    one.write(processors={}, pipelines={"traces": {}})
    one.restart()
    sent(one, 3)
    assert sorted(ids(receiver)) == [100, 101, 102]


def test_a_reload_keeps_what_processors_remember(agent, receiver):
    pipelines = {"traces": {"processors": ["once"]}}
    once = {"once": {"dedupe": {}}}
    one = agent({"out": receiver}, processors=once, pipelines=pipelines)
    assert one.send(spans(1, 5))
    sent(one, 5)
    one.reload(exporters={"out": {**exporter_to(receiver), "compression": "gzip"}})
    assert one.send(spans(1, 5)) and one.send(spans(6, 1))
    wait_for(lambda: 6 in ids(receiver))
    assert sorted(ids(receiver)) == [1, 2, 3, 4, 5, 6]
    assert processors(one)["once"] == {"received_total": 11, "dropped_total": 5, "held": 0}


def test_metrics_of_spans_go_their_own_way(agent, make_receiver):
    traces, metrics = make_receiver(), make_receiver()
    one = agent(
        {"traces": traces, "metrics": metrics},
        processors={"red": {"span-metrics": {"every": "1s"}}},
        pipelines={"traces": {"processors": ["red"], "exporters": ["traces"]}, "metrics": {"receivers": ["red"], "exporters": ["metrics"]}},
    )
    for first in range(1, 101, 10):
        assert one.send(spans(first, 10))
    sent(one, 100, "traces")
    wait_for(lambda: any(metric.name == "traces.span.metrics.calls" for metric, _ in metrics.metric_points()))
    assert sorted(ids(traces)) == list(range(1, 101))
    assert one.end() == 0
    latest = {}
    for metric, point in metrics.metric_points():
        if metric.name == "traces.span.metrics.calls":
            latest[tuple(sorted((pair.key, str(pair.value)) for pair in point.attributes))] = point.as_int
    assert sum(latest.values()) == 100


def test_a_backend_that_is_down_fills_the_queues_and_then_refuses(agent, make_receiver):
    receiver = make_receiver()
    receiver.default = Answer(status=503)
    one = agent(
        {"out": receiver}, receivers=SMALL, queue={"directory": "queue", "bytes": "1MB"},
        processors={"once": {"dedupe": {}}}, pipelines={"traces": {"processors": ["once"]}},
    )  # fmt: skip
    taken, first = [], 1
    while True:
        if not one.send(spans(first, 100, attributes=[("text", "x" * 500)])):
            break
        taken += range(first, first + 100)
        first += 100
        assert first < 100_000, "the queue has no end"
    # Both are full: the exporter's, and the one in front.
    assert intake(one)["traces", "traces"]["queued"] > 0
    receiver.default = Answer()
    sent(one, len(taken))
    assert sorted(ids(receiver)) == taken
    wait_for(lambda: intake(one)["traces", "traces"]["queued"] == 0)
    assert one.send(spans(first, 1))


def test_nothing_that_was_taken_is_lost_behind_processors_that_remember(agent, make_receiver):
    receiver = make_receiver()
    receiver.may_repeat = True
    one = agent({"out": receiver}, processors={"tail": {"tail-sample": {"wait": "1s", "policies": [{"policy": "all", "always": True}]}}},
                pipelines={"traces": {"processors": ["tail"]}})  # fmt: skip
    taken, first = set(), 1
    for _ in range(4):
        for _ in range(20):
            if one.send(spans(first, 20)):
                taken |= set(range(first, first + 20))
            first += 20
        one.kill()
        one.restart()
    wait_for(lambda: set(ids(receiver)) >= taken, 30)
