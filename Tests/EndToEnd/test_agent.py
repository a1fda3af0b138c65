"""`sidelight agent`: what it was sent arrives, whatever happens on the way."""

import collections
import gzip
import http.client
import json
import os
import random
import subprocess
import threading
import time
import zlib

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

from agents import Agent, exporter_to, spans
from receiver import Answer, spans_of
from serving import wait_for


# Receivers that take no large requests, so that a small queue can be had.
SMALL = {"otlp-http": {"listen": "127.0.0.1:0", "body-max": "256KB"}}


@pytest.fixture
def agent(sidelight):
    """Starts agents, and checks their books and ends them when the test is over."""
    made = []

    def start(exporters={}, **settings):
        made.append(Agent(sidelight, exporters, **settings))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.check_balance()
            assert one.end() == 0, one.err


def ids(receiver):
    return [int(span.span_id, 16) for span in list(receiver.spans)]


def sent(agent, count, exporter="out", signal="traces"):
    """Waits until so many items have left, and are in the books."""
    return wait_for(lambda: agent.check_balance().get((exporter, signal), {}).get("sent_total", 0) >= count)


def full_request():
    """Every field that a span, its scope and its resource can have."""
    request = spans(1, 3, attributes=[("a", "b")])
    group = request.resource_spans[0]
    group.schema_url = "https://opentelemetry.io/schemas/1.30.0"
    group.resource.dropped_attributes_count = 2
    group.resource.attributes.add(key="many").value.array_value.values.add().int_value = -5
    group.scope_spans[0].schema_url = "https://example.org/scope"
    group.scope_spans[0].scope.version = "1.2.3"
    span = group.scope_spans[0].spans[0]
    span.parent_span_id = b"\x01" * 8
    span.trace_state = "a=b"
    span.flags = 0x301
    for key, field, value in [("i", "int_value", -(2**63)), ("d", "double_value", 1e300), ("b", "bool_value", True), ("y", "bytes_value", b"\x00\xff")]:
        setattr(span.attributes.add(key=key).value, field, value)
    span.attributes.add(key="map").value.kvlist_value.values.add(key="x").value.string_value = "ü"
    span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count = 1, 2, 3
    event = span.events.add(name="exception", time_unix_nano=1_700_000_000_000_000_003, dropped_attributes_count=4)
    event.attributes.add(key="exception.message").value.string_value = "no"
    link = span.links.add(trace_id=b"\x02" * 16, span_id=b"\x03" * 8, trace_state="c=d", flags=1)
    link.attributes.add(key="l").value.bool_value = False
    span.status.code, span.status.message = 2, "failed"
    return request


def test_a_request_arrives_as_it_was(agent, receiver):
    one = agent({"out": receiver})
    request = full_request()
    status, headers, body = one.post(request.SerializeToString())
    assert (status, headers["Content-Type"]) == (200, "application/x-protobuf")
    assert ExportTraceServiceResponse.FromString(body) == ExportTraceServiceResponse()
    sent(one, 3)
    assert receiver.spans == list(spans_of(request))


@pytest.mark.parametrize("coding,encode", [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)])
def test_compressed_requests(agent, receiver, coding, encode):
    one = agent({"out": receiver})
    status, _, body = one.post(encode(spans(1, 5).SerializeToString()), headers={"Content-Encoding": coding})
    assert status == 200, body
    sent(one, 5)
    assert ids(receiver) == [1, 2, 3, 4, 5]


def test_logs_and_metrics(agent, receiver):
    one = agent({"out": receiver})
    logs = ExportLogsServiceRequest()
    record = logs.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=5, severity_number=9)
    record.body.string_value = "hello"
    metrics = ExportMetricsServiceRequest()
    group = metrics.resource_metrics.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    group.scope_metrics.add().scope.name = "test"
    metric = group.scope_metrics[0].metrics.add(name="m", unit="1")
    metric.sum.is_monotonic = True
    metric.sum.aggregation_temporality = 2
    metric.sum.data_points.add(time_unix_nano=7, as_int=3)
    assert one.post(logs.SerializeToString(), "/v1/logs")[0] == 200
    assert one.post(metrics.SerializeToString(), "/v1/metrics")[0] == 200
    sent(one, 1, signal="logs")
    sent(one, 1, signal="metrics")
    assert [log.body for log in receiver.logs] == ["hello"]
    assert receiver.metrics == [metrics]


def test_what_is_wrong_with_a_request_is_said(agent, receiver):
    one = agent({"out": receiver})
    assert one.post(b"\x0a\xff\xff\xff\xff\x0f")[0] == 400
    assert one.post(b"{", type="application/json")[0] == 400
    assert one.post(b"", type="text/csv")[0] == 415
    assert one.post(b"x", headers={"Content-Encoding": "br"})[0] == 415
    assert one.post(b"not gzip", headers={"Content-Encoding": "gzip"})[0] == 400
    assert one.post(b"", "/nowhere")[0] == 404
    bad = spans(1, 2)
    bad.resource_spans[0].scope_spans[0].spans[0].trace_id = b"short"
    status, _, body = one.post(bad.SerializeToString())
    partial = ExportTraceServiceResponse.FromString(body).partial_success
    assert (status, partial.rejected_spans) == (200, 1) and "trace" in partial.error_message, partial
    sent(one, 1)
    assert ids(receiver) == [2]


def test_a_client_that_pauses_and_cuts(agent, receiver):
    """Chunked, a byte at a time at first; the connection is used again."""
    one = agent({"out": receiver})
    connection = http.client.HTTPConnection(one.places["otlp-http"], timeout=20)
    body = spans(1, 50).SerializeToString()
    pieces = [body[i : i + 1] for i in range(20)] + [body[20:]]
    for _ in range(2):
        connection.request("POST", "/v1/traces", iter(pieces), {"Content-Type": "application/x-protobuf"}, encode_chunked=True)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
        body = spans(51, 50).SerializeToString()
        pieces = [body]
    sent(one, 100)
    assert ids(receiver) == list(range(1, 101))


def test_nothing_that_was_taken_is_lost_when_the_agent_is_killed(agent, make_receiver):
    """The backend is down all the time; the agent is killed again and again while it is being sent to."""
    receiver = make_receiver()
    receiver.stop()
    one = agent({"out": receiver})
    taken, first = [], 1
    for _ in range(4):
        end = time.monotonic() + 0.5
        killer = threading.Timer(random.uniform(0.05, 0.4), one.process.kill)
        killer.start()
        while time.monotonic() < end:
            try:
                if one.send(spans(first, 20)):
                    taken += range(first, first + 20)
            except OSError:  # nobody knows whether it was taken
                break
            first += 20
        killer.join()
        one.process.wait()
        first += 20
        one.restart()
    receiver.start()
    wait_for(lambda: set(ids(receiver)) >= set(taken), 30)
    assert len(taken) > 100
    assert len(ids(receiver)) == len(set(ids(receiver)))


def test_a_kill_while_the_backend_takes_repeats_at_most_what_was_on_its_way(agent, make_receiver):
    receiver = make_receiver()
    receiver.may_repeat = True
    one = agent({"out": {**exporter_to(receiver), "batch": {"items": 50}}})
    taken, first, kills = [], 1, 6
    for _ in range(kills):
        killer = threading.Timer(random.uniform(0.05, 0.4), one.process.kill)
        killer.start()
        while True:
            try:
                if one.send(spans(first, 20)):
                    taken += range(first, first + 20)
            except OSError:
                break
            first += 20
        killer.join()
        one.process.wait()
        first += 20
        one.restart()
    wait_for(lambda: set(ids(receiver)) >= set(taken), 30)
    repeats = [count - 1 for count in collections.Counter(ids(receiver)).values() if count > 1]
    largest = 4  # requests that can be on their way at once
    assert len(repeats) <= kills * largest * 50 and all(count == 1 for count in repeats), repeats


def test_an_outage_of_the_backend_is_sat_out(agent, make_receiver):
    receiver = make_receiver()
    one = agent({"out": receiver})
    assert one.send(spans(1, 10))
    sent(one, 10)
    receiver.default = Answer(status=503)
    for first in range(11, 511, 10):
        assert one.send(spans(first, 10))
    assert one.check_balance()["out", "traces"]["queued"] == 500
    receiver.default = Answer()
    wait_for(lambda: len(receiver.spans) == 510)
    sent(one, 510)
    assert sorted(ids(receiver)) == list(range(1, 511))
    assert "out: " in one.err and "trying again" in one.err and "works again" in one.err


@pytest.mark.parametrize("answers", [
    [Answer(status=503), Answer.busy(0), Answer(status=502)],
    [Answer(reset=True), Answer(raw=b"garbage\r\n\r\n")],
], ids=["told to wait", "broken"])  # fmt: skip
def test_a_backend_that_stumbles(agent, make_receiver, answers):
    receiver = make_receiver(*answers)
    one = agent({"out": receiver})
    for first in range(1, 101, 10):
        assert one.send(spans(first, 10))
    sent(one, 100)
    assert sorted(ids(receiver)) == list(range(1, 101))


def test_a_dead_backend_does_not_hold_up_a_live_one(agent, make_receiver):
    dead, live = make_receiver(), make_receiver()
    dead.stop()
    one = agent({"dead": dead, "live": live}, receivers=SMALL, queue={"directory": "queue", "bytes": "1MB"})
    attributes = [("text", "x" * 1000)]
    for first in range(1, 3001, 100):
        wait_for(lambda: one.send(spans(first, 100, attributes=attributes)))
    sent(one, 3000, "live")
    books = one.check_balance()["dead", "traces"]
    assert sorted(ids(live)) == list(range(1, 3001))
    assert books["dropped_total"] > 0 and books["queued"] > 0
    dead.start()
    sent(one, books["queued"], "dead")
    assert sorted(ids(dead)) == list(range(1, books["queued"] + 1))


def test_a_sender_is_told_to_come_again_when_there_is_no_room(agent, make_receiver):
    receiver = make_receiver()
    receiver.stop()
    one = agent({"out": receiver}, receivers=SMALL, queue={"directory": "queue", "bytes": "1MB"})
    attributes = [("text", "x" * 1000)]
    taken = 0
    while True:
        status, headers, _ = one.post(spans(taken + 1, 100, attributes=attributes).SerializeToString())
        if status != 200:
            break
        taken += 100
    assert (status, headers["Retry-After"]) == (503, "1")
    books = one.check_balance()["out", "traces"]
    assert (books["queued"], books["received_total"]) == (taken, taken)
    assert "out: the queue is full" in one.err and "room again" not in one.err
    receiver.start()
    sent(one, taken)
    assert one.send(spans(taken + 1, 100))
    sent(one, taken + 100)
    assert sorted(ids(receiver)) == list(range(1, taken + 101))
    wait_for(lambda: "out: the queue has room again" in one.err)
    assert one.err.count("the queue is full") == 1


def test_the_oldest_make_room_in_a_small_queue(agent, make_receiver):
    receiver = make_receiver()
    receiver.stop()
    one = agent({"out": receiver}, receivers=SMALL, queue={"directory": "queue", "bytes": "1MB", "overflow": "oldest"})
    attributes = [("text", "x" * 1000)]
    for first in range(1, 5001, 100):
        assert one.send(spans(first, 100, attributes=attributes))
    books = one.check_balance()["out", "traces"]
    assert books["dropped_total"] > 3000 and books["queued"] > 0, books
    assert "out: the queue is full: its oldest items are dropped" in one.err
    receiver.start()
    sent(one, books["queued"])
    assert set(range(4901, 5001)) <= set(ids(receiver))


def test_an_answer_that_waits_for_the_delivery(agent, make_receiver):
    receiver = make_receiver()
    receiver.stop()
    one = agent({"out": receiver}, queue={"directory": "queue", "ack": "delivered"})
    answered = []
    sender = threading.Thread(target=lambda: answered.append(one.post(spans(1, 3).SerializeToString())[0]))
    sender.start()
    wait_for(lambda: one.check_balance().get(("out", "traces"), {}).get("queued") == 3)
    assert answered == []
    receiver.start()
    sender.join(20)
    assert answered == [200] and ids(receiver) == [1, 2, 3]


def test_who_waits_for_what_is_dropped_is_told_to_come_again(agent, make_receiver):
    receiver = make_receiver()
    receiver.stop()
    queue = {"directory": "queue", "bytes": "1MB", "overflow": "oldest", "ack": "delivered"}
    one = agent({"out": receiver}, receivers=SMALL, queue=queue)
    answered, senders = [], []
    for first in range(1, 2001, 100):
        body = spans(first, 100, attributes=[("text", "x" * 1000)]).SerializeToString()
        senders.append(threading.Thread(target=lambda body=body: answered.append(one.post(body)[0])))
        senders[-1].start()
    # Each is in the queue, or was told to come again: because it was dropped, or refused as there was no room.
    wait_for(lambda: len(answered) * 100 + one.check_balance().get(("out", "traces"), {}).get("queued", 0) == 2000)
    books = one.check_balance()["out", "traces"]
    assert set(answered) == {503} and books["dropped_total"] <= len(answered) * 100
    receiver.start()
    for sender in senders:
        sender.join(20)
    assert collections.Counter(answered) == {503: 20 - books["queued"] / 100, 200: books["queued"] / 100}


def test_a_request_that_never_has_room_is_not_asked_for_again(agent, make_receiver):
    """With what a processor adds it is larger than the queue: to come again would be of no use."""
    one = agent(
        {"out": make_receiver()},
        receivers={"otlp-http": {"listen": "127.0.0.1:0", "body-max": "1MB"}},
        queue={"directory": "queue", "bytes": "1MB"},
        processors={"grow": {"resource": {"set": {"ballast": "y" * 60_000}}}},
        pipelines={"traces": {"processors": ["grow"], "exporters": ["out"]}},
    )
    body = spans(1, 935, attributes=[("text", "x" * 1000)]).SerializeToString()
    assert 990_000 < len(body) <= 1 << 20
    status, _, text = one.post(body)
    assert status == 500 and b"queue" in text, (status, text)
    assert one.send(spans(1, 500, attributes=[("text", "x" * 1000)]))


def test_a_log_record_without_a_time_has_that_of_its_arrival(agent, sidelight, receiver):
    one = agent({"out": receiver})
    logs = ExportLogsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "hello"
    before = time.time()
    assert one.post(logs.SerializeToString(), "/v1/logs")[0] == 200
    sent(one, 1, signal="logs")
    assert before <= receiver.logs[0].observed / 1e9 <= time.time()


def test_what_is_left_at_the_end_is_sent_by_the_next_one(agent, make_receiver):
    receiver = make_receiver()
    receiver.stop()
    one = agent({"out": receiver})
    assert one.send(spans(1, 7))
    assert one.end() == 0
    assert "out: 7 spans not delivered yet; kept in" in one.err
    receiver.start()
    one.restart()
    wait_for(lambda: ids(receiver) == [1, 2, 3, 4, 5, 6, 7])
    sent(one, 7)
    assert "7 items of an earlier run" in one.err


def test_a_queue_has_one_owner(agent, sidelight, receiver):
    one = agent({"out": receiver})
    other = sidelight("agent", "--store", "another")
    assert other.code == 2
    assert f"is in use by process {one.process.pid}" in other.err, other.err


def test_a_place_that_is_taken(agent, sidelight, receiver):
    one = agent({"out": receiver})
    sidelight.write("sidelight.yaml", f"admin: off\nreceivers: {{otlp-http: {one.places['otlp-http']}}}\n")
    other = sidelight("agent", "--store", "another")
    assert other.code == 2
    assert f"otlp-http cannot listen at {one.places['otlp-http']}: the address is in use" in other.err, other.err


def test_what_is_received_can_be_looked_at(agent, sidelight):
    one = agent()
    assert one.send(spans(1, 3))
    found = wait_for(lambda: json.loads(sidelight("trace", "ls", "--json").out or "[]"))
    assert len(found) == 3, found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a small disk")
def test_a_full_disk_is_a_state(agent, sidelight, make_receiver):
    receiver = make_receiver()
    receiver.stop()
    disk = sidelight.folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True).returncode != 0:
        pytest.skip("this machine does not let us mount")
    try:
        one = agent({"out": receiver}, receivers=SMALL, queue={"directory": str(disk / "queue")}, store="off")
        attributes = [("text", "x" * 1000)]
        taken, first, refused = [], 1, 0
        while refused < 5:
            if one.send(spans(first, 50, attributes=attributes)):
                taken += range(first, first + 50)
            else:
                refused += 1
            first += 50
        receiver.start()
        wait_for(lambda: len(receiver.spans) >= len(taken), 30)
        wait_for(lambda: one.send(spans(first, 1)))
        wait_for(lambda: first in ids(receiver))
        assert sorted(ids(receiver)) == sorted([*taken, first])
        one.check_balance()
        assert one.end() == 0
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_what_no_pipeline_takes_is_counted(agent, receiver):
    one = agent({"out": receiver}, pipelines={"traces": {"exporters": ["out"]}})
    assert "otlp-http: no pipeline takes logs and metrics from it" in one.err
    logs = ExportLogsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=5).body.string_value = "hello"
    assert one.post(logs.SerializeToString(), "/v1/logs")[0] == 200
    assert 'sidelight_unrouted_dropped_total{signal="logs"} 1\n' in one.metrics()


def test_one_export_that_a_backend_cannot_bear_stops_no_other(agent, make_receiver):
    """It is answered 500 for ever, and is alone when it is: no success of another says that the backend is there."""
    receiver = make_receiver(default=lambda path: Answer(status=500 if path == "/v1/logs" else 200))
    one = agent({"out": receiver})
    log = ExportLogsServiceRequest()
    log.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "poison"
    assert one.post(log.SerializeToString(), "/v1/logs")[0] == 200
    wait_for(lambda: [request.path for request in receiver.requests].count("/v1/logs") >= 2)
    assert one.send(spans(1, 10))
    sent(one, 10)
    assert sorted(ids(receiver)) == list(range(1, 11))
