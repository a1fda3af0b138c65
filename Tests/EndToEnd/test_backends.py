"""Backends of every kind and temper. A run always ends in time, says what was not delivered, and keeps it in the store."""

import json
import socket
import threading
import time

import pytest

from receiver import Answer, Receiver

ERROR = 2


def units(receiver):
    return sorted(span.attributes["i"] for span in receiver.spans if span.name == "unit")


def stored_spans(sidelight):
    """How many spans the store has, by what the terminal says of its traces."""
    listed = sidelight("trace", "ls", "--json")
    assert listed.code == 0, listed.err
    return sum(trace["spanCount"] for trace in listed.json)


def test_everything_arrives_once(sidelight, receiver, program):
    done = sidelight("run", *receiver.export(), program("many.mjs"), 5000)
    assert (done.code, done.err) == (0, "")
    assert units(receiver) == list(range(5000))
    assert all(request.headers["content-type"] == "application/x-protobuf" for request in receiver.requests)


def test_the_default_paths_and_the_given_one(sidelight, receiver, program):
    done = sidelight("run", "--export", f"otlp={receiver.url}/v1/traces", program("many.mjs"), 1)
    assert done.code == 0
    assert units(receiver) == [0]


def test_several_exporters_each_get_all(sidelight, make_receiver, program):
    first, second, zipkin = make_receiver(), make_receiver(), make_receiver()
    done = sidelight(
        "run", *first.export(), *second.export("otlp-json"), *zipkin.export("zipkin"), program("many.mjs"), 100
    )
    assert (done.code, done.err) == (0, "")
    assert units(first) == units(second) == list(range(100))
    assert sum(span["name"] == "unit" for span in zipkin.zipkin) == 100


def test_a_backend_that_fails_a_few_times_gets_everything_once(sidelight, make_receiver, program):
    receiver = make_receiver(Answer(status=503), Answer(status=504), Answer(reset=True), Answer(status=502))
    done = sidelight("run", *receiver.export(), program("many.mjs"), 500, timeout=90)
    assert done.code == 0
    assert set(units(receiver)) == set(range(500)), done.err


def test_retry_after_is_heeded(sidelight, make_receiver, program):
    receiver = make_receiver(Answer.busy(1))
    begin = time.monotonic()
    done = sidelight("run", *receiver.export(), program("many.mjs"), 10)
    assert done.code == 0
    assert units(receiver) == list(range(10))
    assert time.monotonic() - begin > 0.9, "came back before a second was over"


@pytest.mark.parametrize("kind", ["otlp", "otlp-json", "zipkin", "jaeger"])
def test_a_refused_connection_costs_little_time_and_loses_nothing(sidelight, make_receiver, program, kind):
    down = make_receiver()
    down.stop()
    begin = time.monotonic()
    done = sidelight("run", "--export", f"{kind}={down.url}", program("many.mjs"), 100)
    took = time.monotonic() - begin
    down.start()
    assert done.code == 0, "a backend that is away is not the workload's fault"
    assert took < 6
    assert down.url.removeprefix("http://") in done.err and "connect" in done.err.lower()
    assert "not delivered" in done.err
    assert stored_spans(sidelight) >= 101


@pytest.mark.parametrize(
    "answer",
    [
        Answer(raw=b"\x00\x01\x02 this is no HTTP\r\n\r\n"),
        Answer(status=400, body=b"\xff\xfenonsense"),
        Answer(status=404, body=b"<html>" + b"x" * 100_000),
        Answer(status=413),
        Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"),
        Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nshort"),
        Answer(reset=True),
    ],
    ids=["no-http", "400", "404", "413", "bad-length", "cut-body", "reset"],
)
def test_nonsense_is_reported_and_harms_nobody_else(sidelight, make_receiver, program, answer):
    bad, good = make_receiver(default=answer), make_receiver()
    done = sidelight("run", "--json", *bad.export(), *good.export(), program("many.mjs"), 100, timeout=30)
    assert done.code == 0
    assert units(good) == list(range(100))
    assert str(bad.port) in done.err
    exporters = {exporter["name"]: exporter for exporter in done.summary["exporters"]}
    failed = next(exporter for name, exporter in exporters.items() if str(bad.port) in name)
    for counts in failed["signals"].values():
        assert counts["received"] == counts["sent"] + counts["dropped"] + counts["queued"]
        assert counts["sent"] == 0


def test_partial_success_is_counted(sidelight, make_receiver, program):
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    response = ExportTraceServiceResponse()
    response.partial_success.rejected_spans = 3
    response.partial_success.error_message = "three were bad"
    partial = Answer(body=response.SerializeToString(), headers={"X-Test": "partial"})
    receiver = make_receiver(default=lambda path: partial if path == "/v1/traces" else Answer())
    done = sidelight("run", "--json", *receiver.export(), program("many.mjs"), 50)
    assert done.code == 0
    assert "three were bad" in done.err
    (exporter,) = done.summary["exporters"]
    assert exporter["signals"]["traces"]["dropped"] >= 3


def test_a_slow_backend_slows_nothing_down_but_the_end(sidelight, make_receiver, program):
    slow = make_receiver(default=Answer(delay=0.3))
    done = sidelight("run", *slow.export(), program("many.mjs"), 5000)
    assert (done.code, done.err) == (0, "")
    assert units(slow) == list(range(5000))


def test_a_backend_that_never_answers_ends_with_the_deadline(sidelight, make_receiver, program):
    mute = make_receiver(default=Answer(delay=60))
    begin = time.monotonic()
    done = sidelight("run", "--flush-timeout", "1s", *mute.export(), program("many.mjs"), 10)
    assert done.code == 0
    assert time.monotonic() - begin < 5
    assert "not delivered" in done.err


def test_a_name_that_does_not_resolve(sidelight, program):
    begin = time.monotonic()
    done = sidelight("run", "--export", "otlp=http://backend.invalid:4318", program("many.mjs"), 1)
    assert done.code == 0
    assert "backend.invalid" in done.err
    assert time.monotonic() - begin < 15


def test_a_port_that_takes_connections_and_says_nothing(sidelight, program):
    with socket.create_server(("127.0.0.1", 0)) as server:
        begin = time.monotonic()
        done = sidelight(
            "run", "--flush-timeout", "1s", "--export", f"otlp=http://127.0.0.1:{server.getsockname()[1]}",
            program("many.mjs"), 1,
        )  # fmt: skip
        assert done.code == 0
        assert time.monotonic() - begin < 5
        assert "not delivered" in done.err


def test_a_backend_that_comes_up_late_gets_everything(sidelight, program):
    receiver = Receiver()
    receiver.stop()
    timer = threading.Timer(1.0, receiver.start)
    timer.start()
    done = sidelight("run", "--flush-timeout", "15s", *receiver.export(), program("many.mjs"), 200)
    timer.join()
    receiver.stop()
    assert done.code == 0
    assert units(receiver) == list(range(200)), done.err


# -- other wires


def string_tags(span):
    return span["tags"]


def test_zipkin_says_what_otlp_says(sidelight, make_receiver, program):
    otlp, zipkin = make_receiver(), make_receiver()
    done = sidelight("run", "--service", "shop", *otlp.export(), *zipkin.export("zipkin"), program("fields.mjs"))
    assert (done.code, done.err) == (0, "")
    assert {request.path for request in zipkin.requests} == {"/api/v2/spans"}
    by_id = {(span["traceId"], span["id"]): span for span in zipkin.zipkin}
    assert len(by_id) == len(zipkin.zipkin) == len(otlp.spans)
    kinds = {2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
    for span in otlp.spans:
        other = by_id[span.trace_id, span.span_id]
        assert other.get("parentId", "") == span.parent_id
        assert other["name"].lower() == span.name.lower()
        assert other.get("kind") == kinds.get(span.kind)
        assert abs(other["timestamp"] - span.start / 1000) <= 1
        assert abs(other.get("duration", 1) - max(1, (span.end - span.start) / 1000)) <= 1
        assert other["localEndpoint"]["serviceName"] == "shop"
        assert len(other.get("annotations", [])) == len(span.events)
        assert ("error" in other.get("tags", {})) == (span.status == ERROR)
        for key, value in span.attributes.items():
            tag = other["tags"][key]
            if isinstance(value, bool):
                assert tag == ("true" if value else "false")
            elif isinstance(value, (int, str)):
                assert tag == str(value)
            elif isinstance(value, list):
                assert json.loads(tag) == value


def test_jaeger_says_what_otlp_says(sidelight, make_receiver, program):
    otlp, jaeger = make_receiver(), make_receiver()
    done = sidelight("run", "--service", "shop", *otlp.export(), *jaeger.export("jaeger"), program("fields.mjs"))
    assert (done.code, done.err) == (0, "")
    assert all(request.path == "/api/traces" for request in jaeger.requests)
    assert all(batch.process.serviceName == "shop" for batch in jaeger.jaeger)
    unsigned = lambda number: number & (1 << 64) - 1
    found = {}
    for batch in jaeger.jaeger:
        for span in batch.spans:
            key = f"{unsigned(span.traceIdHigh):016x}{unsigned(span.traceIdLow):016x}", f"{unsigned(span.spanId):016x}"
            assert key not in found
            found[key] = span
    assert len(found) == len(otlp.spans)
    for span in otlp.spans:
        other = found[span.trace_id, span.span_id]
        assert other.operationName == span.name
        assert unsigned(other.parentSpanId) == int(span.parent_id or "0", 16)
        assert abs(other.startTime - span.start // 1000) <= 1
        assert abs(other.duration - (span.end - span.start) // 1000) <= 1
        events = [{tag.key: tag for tag in log.fields}["event"].vStr for log in other.logs or [] if log.fields[0].key == "event"]
        assert [name for name in events if name != "link"] == [name for _, name, _ in span.events]
        tags = {tag.key: tag for tag in other.tags or []}
        assert ("error" in tags) == (span.status == ERROR)
        for key, value in span.attributes.items():
            tag = tags[key]
            if isinstance(value, bool):
                assert (tag.vType, tag.vBool) == (2, value)
            elif isinstance(value, int):
                assert (tag.vType, tag.vLong) == (3, value)
            elif isinstance(value, float):
                assert (tag.vType, tag.vDouble) == (1, value)
            elif isinstance(value, str):
                assert (tag.vType, tag.vStr) == (0, value)


def test_otlp_json_says_what_protobuf_says(sidelight, make_receiver, program):
    protobuf, other = make_receiver(), make_receiver()
    done = sidelight("run", *protobuf.export(), *other.export("otlp-json"), program("fields.mjs"))
    assert (done.code, done.err) == (0, "")
    assert all(request.headers["content-type"].startswith("application/json") for request in other.requests)
    key = lambda span: (span.trace_id, span.span_id)
    assert sorted(protobuf.spans, key=key) == sorted(other.spans, key=key)
    assert len(protobuf.logs) == len(other.logs)


def test_console_prints_spans_to_stdout(sidelight, program):
    done = sidelight("run", "--export", "console=stdout", program("many.mjs"), 1)
    assert done.code == 0
    assert "unit" in done.out


# -- configuration by OpenTelemetry's variables


def test_otel_variables_configure_the_exporter(sidelight, receiver, program):
    done = sidelight(
        "run", program("many.mjs"), 3,
        env={
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=a%20b",
            "OTEL_SERVICE_NAME": "by-env",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test,service.name=loses",
        },
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    assert units(receiver) == [0, 1, 2]
    assert receiver.spans[0].resource["service.name"] == "by-env"
    assert receiver.spans[0].resource["deployment.environment.name"] == "test"
    assert all(request.headers["x-tenant"] == "a b" for request in receiver.requests)


def test_flags_beat_the_environment(sidelight, receiver, program):
    done = sidelight("run", "--service", "by-flag", *receiver.export(), program("many.mjs"), 1, env={"OTEL_SERVICE_NAME": "by-env"})
    assert done.code == 0
    assert receiver.spans[0].resource["service.name"] == "by-flag"


def test_samplers_and_the_off_switch(sidelight, receiver, program):
    for env in ({"OTEL_TRACES_SAMPLER": "always_off"}, {"OTEL_SDK_DISABLED": "true"}):
        done = sidelight("run", *receiver.export(), program("many.mjs"), 10, env=env)
        assert (done.code, done.out) == (0, "made 10\n")
    assert receiver.spans == []
