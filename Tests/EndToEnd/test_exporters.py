"""Exporters of `sidelight agent` and `sidelight run` that are not plain HTTP with OTLP, Zipkin or Jaeger in it: OTLP/gRPC, files, Loki."""

import gzip
import json
import threading

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse

from agents import spans
from certificates import Certificates
from grpc_backend import GRPCBackend, RoughBackend, abort, retry_info
from receiver import Answer, otlp_json, spans_of
from serving import wait_for
from test_agent import SMALL, agent, full_request, ids, sent  # noqa: F401 (a fixture)


@pytest.fixture
def backend():
    """Makes backends of OTLP/gRPC that end with the test."""
    made = []

    def make(*answers, **options):
        made.append(GRPCBackend(answers, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def to(backend, **settings):
    return {"kind": "otlp-grpc", "url": backend.url, **settings}


def dropped(agent, reason, exporter="out"):
    return sum(
        int(line.split()[-1])
        for line in agent.metrics().splitlines()
        if line.startswith("sidelight_export_dropped_total{") and f'exporter="{exporter}"' in line and f'reason="{reason}"' in line
    )


# -- OTLP/gRPC


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_grpc_all_signals(agent, backend, compression):  # noqa: F811
    there = backend()
    one = agent({"out": to(there, compression=compression, headers={"x-tenant": "shop"}, timeout="7s")})
    traces = full_request()
    logs = ExportLogsServiceRequest()
    logs.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=5, severity_number=9).body.string_value = "hello"
    metrics = ExportMetricsServiceRequest()
    metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="m").gauge.data_points.add(time_unix_nano=7, as_int=3)
    for request, path in [(traces, "/v1/traces"), (logs, "/v1/logs"), (metrics, "/v1/metrics")]:
        assert one.post(request.SerializeToString(), path)[0] == 200
    for signal, count in [("traces", 3), ("logs", 1), ("metrics", 1)]:
        sent(one, count, signal=signal)
    assert there.spans == list(spans_of(traces))
    assert [log.body for log in there.logs] == ["hello"]
    assert [metric.name for metric in there.metrics] == ["m"]
    for _, _, metadata, remaining in there.calls:
        assert metadata["x-tenant"] == "shop"
        assert 0 < remaining <= 7


def test_grpc_calls_in_flight_share_a_connection(agent, backend):  # noqa: F811
    together = threading.Barrier(4)

    def wait(_):
        together.wait(timeout=20)
        return ExportTraceServiceResponse()

    there = backend(*[wait] * 4)
    one = agent({"out": to(there, **{"in-flight": 4, "batch": {"items": 5}})})
    assert one.send(spans(1, 40))
    sent(one, 40)
    assert sorted(ids(there)) == list(range(1, 41))
    assert len({peer for _, peer, _, _ in there.calls}) == 1


def test_grpc_what_fails_for_a_while_is_tried_again(agent, backend):  # noqa: F811
    codes = [grpc.StatusCode[name] for name in ("UNAVAILABLE", "CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "DATA_LOSS")]
    there = backend(*[abort(code) for code in codes])
    one = agent({"out": to(there)})
    assert one.send(spans(1, 10))
    sent(one, 10)
    assert ids(there) == list(range(1, 11))
    assert len(there.calls) == 7


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_grpc_retry_info_is_heeded(agent, backend, code):  # noqa: F811
    there = backend(abort(code, "later", retry_info(1.5, code)))
    one = agent({"out": to(there)})
    assert one.send(spans(1, 1))
    sent(one, 1)
    assert there.calls[1][0] - there.calls[0][0] > 1.4


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "NOT_FOUND", "UNKNOWN", "INTERNAL", "RESOURCE_EXHAUSTED"])
def test_grpc_what_is_refused_is_counted(agent, backend, code):  # noqa: F811
    there = backend(abort(grpc.StatusCode[code], "nö: 100%"))
    one = agent({"out": to(there)})
    assert one.send(spans(1, 4))
    wait_for(lambda: dropped(one, "refused") == 4)
    assert one.send(spans(5, 1))
    sent(one, 1)
    assert len(there.calls) == 2
    wait_for(lambda: f"{code}: nö: 100%" in one.err)


def test_grpc_partial_success(agent, backend):  # noqa: F811
    partial = ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=2, error_message="too old"))
    there = backend(lambda _: partial)
    one = agent({"out": to(there)})
    assert one.send(spans(1, 5))
    sent(one, 3)
    assert dropped(one, "rejected") == 2


def test_grpc_a_server_with_small_messages_gets_small_ones(agent, backend):  # noqa: F811
    there = backend(message_max=20_000)
    one = agent({"out": to(there)})
    assert one.send(spans(1, 2_000))
    sent(one, 2_000)
    assert sorted(ids(there)) == list(range(1, 2_001))


def test_grpc_a_server_that_starts_anew(agent, backend):  # noqa: F811
    there = backend()
    one = agent({"out": to(there)})
    assert one.send(spans(1, 5))
    sent(one, 5)
    there.stop()
    assert one.send(spans(6, 5))
    again = backend(port=there.port)
    sent(one, 10)
    assert ids(again) == list(range(6, 11))


def test_grpc_over_tls_with_a_certificate_of_the_client(agent, backend, tmp_path):  # noqa: F811
    certificates = Certificates(tmp_path)
    chain, key, root = certificates.chain()
    mine, my_key = certificates.pair("client")
    there = backend(
        credentials=grpc.ssl_server_credentials([(key.read_bytes(), chain.read_bytes())], mine.read_bytes(), require_client_auth=True)
    )
    one = agent({"out": to(there, tls={"ca": str(root), "cert": str(mine), "key": str(my_key)})})
    assert one.send(spans(1, 3))
    sent(one, 3)
    assert ids(there) == [1, 2, 3]


def test_grpc_a_server_that_speaks_something_else_is_told_of(agent, receiver, backend):  # noqa: F811
    one = agent({"out": {"kind": "otlp-grpc", "url": receiver.url}})
    assert one.send(spans(1, 3))
    wait_for(lambda: f"127.0.0.1:{receiver.port}" in one.err)
    assert one.check_balance()[("out", "traces")]["queued"] == 3


@pytest.mark.parametrize("tempers", [["reset"], ["goaway"], ["half"], ["garbage"], ["close"], ["silence"], ["close", "reset", "garbage", "half", "goaway"]])
def test_grpc_a_rough_server_gets_everything_once(agent, tempers):  # noqa: F811
    there = RoughBackend(*tempers)
    one = agent({"out": to(there, timeout="1s", batch={"items": 5})})
    for first in range(1, 100, 20):
        assert one.send(spans(first, 20))
    sent(one, 100)
    assert sorted(ids(there)) == list(range(1, 101))
    there.stop()


def test_grpc_to_another_agent(agent, receiver):  # noqa: F811
    last = agent({"out": receiver})
    first = agent(
        {"on": {"kind": "otlp-grpc", "url": f"http://{last.places['otlp-grpc']}", "compression": "gzip"}}, queue={"directory": "queue-of-the-first"}, store="off"
    )
    request = full_request()
    assert first.post(request.SerializeToString())[0] == 200
    sent(last, 3)
    assert receiver.spans == list(spans_of(request))


@pytest.mark.parametrize("way", ["flag", "variables"])
def test_grpc_of_a_run(sidelight, backend, program, way):
    there = backend(abort(grpc.StatusCode.UNAVAILABLE))
    if way == "flag":
        done = sidelight("run", "--export", f"otlp-grpc={there.url}", program("many.mjs"), 100)
    else:
        variables = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT": f"127.0.0.1:{there.port}", "OTEL_EXPORTER_OTLP_INSECURE": "true"}
        done = sidelight("run", program("many.mjs"), 100, env=variables)
    assert done.code == 0, done.err
    assert sorted(span.attributes["i"] for span in there.spans if span.name == "unit") == list(range(100))


# -- Files


def lines(path):
    opened = gzip.open(path, "rt") if str(path).endswith(".gz") else open(path)
    with opened as file:
        text = file.read()
    assert not text or text.endswith("\n"), "half a line"
    return text.splitlines()


def spans_in(*paths):
    return [span for path in paths for line in lines(path) for span in spans_of(otlp_json(ExportTraceServiceRequest, line))]


def test_file_a_line_for_each_export(agent, sidelight):  # noqa: F811
    one = agent({"out": {"kind": "file", "path": "telemetry", "sync": "batch"}})
    request = full_request()
    assert one.post(request.SerializeToString())[0] == 200
    sent(one, 3)
    assert one.send(spans(4, 2))
    sent(one, 5)
    folder = sidelight.folder / "telemetry"
    assert spans_in(folder / "traces.jsonl")[:3] == list(spans_of(request))
    assert len(lines(folder / "traces.jsonl")) == 2
    assert [list(json.loads(line)) for line in lines(folder / "traces.jsonl")] == [["resourceSpans"]] * 2
    assert [path.name for path in folder.iterdir()] == ["traces.jsonl"]


def test_file_rotation(agent, sidelight):  # noqa: F811
    one = agent(
        {"out": {"kind": "file", "path": {"traces": "out/t.jsonl"}, "rotate": {"bytes": "64KB", "keep": 3}, "compression": "gzip", "batch": {"items": 100}}}
    )
    assert one.send(spans(1, 4_000))
    sent(one, 4_000)
    assert one.end() == 0
    folder = sidelight.folder / "out"
    rotated = sorted(path for path in folder.iterdir() if path.name != "t.jsonl")
    assert len(rotated) == 3 and all(path.name.endswith("Z.jsonl.gz") for path in rotated)
    found = [int(span.span_id, 16) for span in spans_in(*rotated, folder / "t.jsonl")]
    assert found == list(range(4_001 - len(found), 4_001)) and len(found) > 400
    assert all(path.stat().st_size <= 64 << 10 for path in folder.iterdir())


def test_file_of_a_killed_agent_has_no_half_line(agent, sidelight):  # noqa: F811
    one = agent({"out": {"kind": "file", "path": "out", "batch": {"items": 20}}})
    path, taken = sidelight.folder / "out" / "traces.jsonl", 0
    for round in range(5):
        for _ in range(10):
            assert one.send(spans(taken + 1, 100))
            taken += 100
        if round == 0:
            # What it took may still be in its queue alone.
            wait_for(path.exists)
        one.kill()
        if round == 0:
            # As after a kill in the middle of a write.
            with open(path, "a") as file:
                file.write('{"resourceSpans":[{"resource":{"attr')
        one.restart()
    sent(one, 1)
    wait_for(lambda: one.check_balance()[("out", "traces")].get("queued", 0) == 0)
    found = {int(span.span_id, 16) for span in spans_in(path)}
    assert found == set(range(1, taken + 1))


def test_file_that_cannot_be_written_is_waited_for(agent, sidelight):  # noqa: F811
    (sidelight.folder / "out").write_text("in the way")
    one = agent({"out": {"kind": "file", "path": "out"}})
    assert one.send(spans(1, 5))
    wait_for(lambda: "out/traces.jsonl" in one.err)
    assert one.check_balance()[("out", "traces")]["queued"] == 5
    (sidelight.folder / "out").unlink()
    sent(one, 5)
    assert len(spans_in(sidelight.folder / "out" / "traces.jsonl")) == 5


def test_file_of_a_changed_configuration(agent, sidelight):  # noqa: F811
    """The exporter that comes in the place of another goes on with its file."""
    settings = {"kind": "file", "path": "out", "batch": {"items": 10}}
    one = agent({"out": settings})
    for round in range(5):
        assert one.send(spans(1 + round * 100, 100))
        if round == 0:
            sent(one, 100)
        one.reload(exporters={"out": {**settings, "rotate": {"keep": round + 1}}})
    wait_for(lambda: len(spans_in(sidelight.folder / "out" / "traces.jsonl")) == 500)
    assert sorted(int(span.span_id, 16) for span in spans_in(sidelight.folder / "out" / "traces.jsonl")) == list(range(1, 501))
    assert "another process writes it" not in one.err


def test_file_of_a_run(sidelight, program):
    done = sidelight("run", "--export", "file=out", program("many.mjs"), 50)
    assert done.code == 0, done.err
    assert sorted(span.attributes["i"] for span in spans_in(sidelight.folder / "out" / "traces.jsonl") if span.name == "unit") == list(range(50))


# -- Loki


def logs(first, count, service="shop"):
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    for key, value in [("service.name", service), ("k8s.namespace.name", 'a"b'), ("host.name", "h1")]:
        group.resource.attributes.add(key=key).value.string_value = value
    scope = group.scope_logs.add()
    scope.scope.name = "cart"
    for number in range(first, first + count):
        record = scope.log_records.add(time_unix_nano=1_700_000_000_000_000_000 - number, severity_number=9, severity_text="INFO")
        record.body.string_value = f"line {number}"
        record.attributes.add(key="http.status").value.int_value = 200
        record.trace_id, record.span_id = b"\x01" * 16, b"\x02" * 8
    return request.SerializeToString()


def to_loki(receiver, **settings):
    return {"kind": "loki", "url": receiver.url, **settings}


def test_loki_lines_with_labels_and_metadata(agent, receiver):  # noqa: F811
    one = agent({"out": to_loki(receiver, headers={"X-Scope-OrgID": "tenant-1"})})
    assert one.post(logs(1, 300), "/v1/logs")[0] == 200
    assert one.post(logs(301, 1, service="ü\n"), "/v1/logs")[0] == 200
    sent(one, 301, signal="logs")
    assert {request.path for request in receiver.requests} == {"/loki/api/v1/push"}
    assert all(request.headers["x-scope-orgid"] == "tenant-1" for request in receiver.requests)
    found = {line: (labels, time, metadata) for labels, time, line, metadata in receiver.loki}
    assert len(receiver.loki) == len(found) == 301
    assert found["line 5"] == (
        {"service_name": "shop", "k8s_namespace_name": 'a"b'},
        1_700_000_000_000_000_000 - 5,
        {
            "severity_number": "9", "severity_text": "INFO", "trace_id": "01" * 16, "span_id": "02" * 8, "scope_name": "cart", "http_status": "200",
            "host_name": "h1",
        },
    )  # fmt: skip
    assert found["line 301"][0]["service_name"] == "ü\n"


def test_loki_of_own_labels(agent, receiver):  # noqa: F811
    one = agent({"out": to_loki(receiver, labels=["host.name"])})
    assert one.post(logs(1, 1), "/v1/logs")[0] == 200
    sent(one, 1, signal="logs")
    labels, _, _, metadata = receiver.loki[0]
    assert labels == {"host_name": "h1"} and metadata["service_name"] == "shop"


def test_loki_that_fails_and_that_refuses(agent, make_receiver):  # noqa: F811
    old = Answer(status=400, body=b"entry too far behind, entry timestamp is: 2023,\nuser 'fake', total ignored: 3 out of 5 for stream: {}")
    receiver = make_receiver(Answer(status=429), Answer(status=500), Answer(status=503), old, Answer(status=400, body=b"line too long"))
    one = agent({"out": to_loki(receiver)})
    assert one.post(logs(1, 5), "/v1/logs")[0] == 200
    wait_for(lambda: dropped(one, "rejected") == 3)
    assert one.check_balance()[("out", "logs")]["sent_total"] == 2
    assert one.post(logs(6, 5), "/v1/logs")[0] == 200
    wait_for(lambda: dropped(one, "refused") == 5)
    assert "line too long" in one.err
    assert receiver.loki == [] and len(receiver.requests) == 5


def test_loki_of_a_run(sidelight, receiver):
    sidelight.write("hello.mjs", "console.log('hello')")
    done = sidelight("run", "--export", f"loki={receiver.url}", "hello.mjs")
    assert done.code == 0, done.err
    assert [(line, labels) for labels, _, line, _ in receiver.loki] == [("hello", {"service_name": receiver.loki[0][0]["service_name"]})]
