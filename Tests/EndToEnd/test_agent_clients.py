"""`sidelight agent` receives what real clients send: the OpenTelemetry SDK of Python, py-zipkin, the Jaeger client's Thrift, Deno and `sidelight run`."""

import http.client
import json

import grpc
import pytest
import requests
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GRPCExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HTTPExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from py_zipkin.encoding import Encoding
from py_zipkin.zipkin import zipkin_span

from agents import spans
from receiver import spans_of
from serving import wait_for
from test_agent import agent, sent  # noqa: F401 (a fixture)


@pytest.fixture
def recorded():
    """Spans as the SDK makes them: nested, with all that its API lets a program say."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "shop", "numbers": [1, 2, 3]}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("cart", "1.2", schema_url="https://opentelemetry.io/schemas/1.30.0")
    with tracer.start_as_current_span("POST /cart", kind=SpanKind.SERVER) as outer:
        outer.set_attribute("text", "ü" * 300)
        outer.set_attribute("count", -7)
        outer.set_attribute("ratio", 0.25)
        outer.set_attribute("flags", [True, False])
        for number in range(60):
            with tracer.start_as_current_span(f"step {number}", links=[Link(outer.get_span_context(), {"why": "test"})]) as inner:
                inner.add_event("tried", {"attempt": number})
                inner.set_status(Status(StatusCode.ERROR, "no"))
    return memory.get_finished_spans()


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip, Compression.Deflate])
def test_the_opentelemetry_sdk_over_http(agent, receiver, recorded, compression):  # noqa: F811
    one = agent({"out": receiver})
    exporter = HTTPExporter(endpoint=one.url("otlp-http", "/v1/traces"), compression=compression)
    assert exporter.export(recorded) is SpanExportResult.SUCCESS
    sent(one, len(recorded))
    assert receiver.spans == list(spans_of(encode_spans(recorded)))


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_the_opentelemetry_sdk_over_grpc(agent, receiver, recorded, compression):  # noqa: F811
    one = agent({"out": receiver})
    exporter = GRPCExporter(endpoint=one.places["otlp-grpc"], insecure=True, compression=compression)
    assert exporter.export(recorded) is SpanExportResult.SUCCESS
    sent(one, len(recorded))
    assert receiver.spans == list(spans_of(encode_spans(recorded)))


def test_a_large_request_over_grpc(agent, receiver, recorded):  # noqa: F811
    """More than a window of HTTP/2."""
    one = agent({"out": receiver})
    request = encode_spans(recorded)
    scope = request.resource_spans[0].scope_spans[0]
    spans = list(scope.spans)
    for copy in range(1, 40):
        for span in spans:
            scope.spans.add().CopyFrom(span)
            scope.spans[-1].span_id = (int.from_bytes(span.span_id, "big") ^ copy).to_bytes(8, "big")
    channel = grpc.insecure_channel(one.places["otlp-grpc"])
    call = channel.unary_unary("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
    assert call(request.SerializeToString(), timeout=20) == b""
    sent(one, 40 * len(recorded))
    assert len(receiver.spans) == 40 * len(recorded)
    with pytest.raises(grpc.RpcError) as refused:
        call(b"\x0a\x7f", timeout=20)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary("/shop.Cart/Add")(b"", timeout=20)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    channel.close()


@pytest.mark.parametrize("encoding,path,content_type", [
    (Encoding.V2_JSON, "/api/v2/spans", "application/json"),
    (Encoding.V2_PROTO3, "/api/v2/spans", "application/x-protobuf"),
    (Encoding.V1_JSON, "/api/v1/spans", "application/json"),
])  # fmt: skip
def test_py_zipkin(agent, receiver, encoding, path, content_type):  # noqa: F811
    one = agent({"out": receiver})

    def send(body):
        answer = requests.post(one.url("zipkin", path), data=body, headers={"Content-Type": content_type}, timeout=20)
        assert (answer.status_code, answer.content) == (202, b"")

    with zipkin_span(service_name="shop", span_name="get", transport_handler=send, sample_rate=100, encoding=encoding, binary_annotations={"k": "v"}) as outer:
        with zipkin_span(service_name="shop", span_name="inner"):
            pass
        trace_id = outer.zipkin_attrs.trace_id
    sent(one, 2)
    get, inner = receiver.named("get"), receiver.named("inner")
    assert get.trace_id == inner.trace_id == trace_id.rjust(32, "0")
    assert inner.parent_id == get.span_id
    assert get.attributes["k"] == "v" and get.resource["service.name"] == "shop"


def test_jaeger_thrift(agent, receiver):  # noqa: F811
    from jaeger_client.thrift_gen.jaeger.ttypes import Batch, Log, Process, Span, Tag, TagType
    from thrift.protocol.TBinaryProtocol import TBinaryProtocol
    from thrift.transport.TTransport import TMemoryBuffer

    one = agent({"out": receiver})
    tags = [Tag(key="http.status_code", vType=TagType.LONG, vLong=500), Tag(key="error", vType=TagType.BOOL, vBool=True)]
    logs = [Log(timestamp=1_700_000_000_000_001, fields=[Tag(key="event", vType=TagType.STRING, vStr="retry")])]
    span = Span(
        traceIdLow=5, traceIdHigh=1, spanId=7, parentSpanId=6, operationName="GET /", references=[], flags=1,
        startTime=1_700_000_000_000_000, duration=250, tags=tags, logs=logs,
    )  # fmt: skip
    buffer = TMemoryBuffer()
    Batch(process=Process(serviceName="shop", tags=[]), spans=[span]).write(TBinaryProtocol(buffer))
    answer = requests.post(
        one.url("jaeger", "/api/traces?format=jaeger.thrift"), data=buffer.getvalue(),
        headers={"Content-Type": "application/vnd.apache.thrift.binary"}, timeout=20,
    )  # fmt: skip
    assert answer.status_code == 202, answer.text
    sent(one, 1)
    arrived = receiver.named("GET /")
    assert (arrived.trace_id, arrived.span_id, arrived.parent_id) == (f"{1:016x}{5:016x}", f"{7:016x}", f"{6:016x}")
    assert (arrived.start, arrived.end) == (1_700_000_000_000_000_000, 1_700_000_000_000_250_000)
    assert arrived.status == 2 and arrived.attributes["http.status_code"] == 500
    assert [event[1] for event in arrived.events] == ["retry"] and arrived.resource["service.name"] == "shop"


def test_otlp_json(agent, receiver, recorded):  # noqa: F811
    """The agent's own exporter writes it, another agent's receiver reads it."""
    request = encode_spans(recorded)
    last = agent({"out": receiver})
    first = agent({"json": {"kind": "otlp-json", "url": f"http://{last.places['otlp-http']}"}}, queue={"directory": "queue-of-the-first"}, store="off")
    assert first.post(request.SerializeToString())[0] == 200
    sent(last, len(recorded))
    assert receiver.spans == list(spans_of(request))


def test_a_run_sends_to_the_agent(agent, sidelight, program, receiver):  # noqa: F811
    one = agent({"out": receiver}, store="off")
    sidelight.write("hello.mjs", "console.log('hello')")
    done = sidelight("run", "--store", "other", "--export", f"otlp=http://{one.places['otlp-http']}", "hello.mjs")
    assert done.code == 0, done.err
    wait_for(lambda: receiver.spans and receiver.logs)
    assert [log.body for log in receiver.logs] == ["hello"]


def test_what_looks_like_a_secret_does_not_leave(agent, receiver):  # noqa: F811
    one = agent({"out": receiver})
    assert one.send(spans(1, 1, attributes=[("http.request.header.authorization", "Bearer abc"), ("db.password", "x"), ("url.path", "/items")]))
    sent(one, 1)
    assert receiver.spans[0].attributes == {"http.request.header.authorization": "***", "db.password": "***", "url.path": "/items"}
    assert "sidelight_processor_changes_total" in one.metrics()


def test_processors_of_the_file(agent, receiver):  # noqa: F811
    one = agent(
        {"out": receiver},
        processors={
            "noise": {"filter": {"drop": [{"name": "GET /items/2"}]}},
            "tidy": {"attributes": [{"rename": "http.url", "to": "url.full"}, {"set": "env", "value": "prod"}, {"delete": "junk"}]},
        },
        pipelines={"traces": {"processors": ["noise", "tidy"], "exporters": ["out"]}},
    )
    assert one.send(spans(1, 3, attributes=[("http.url", "http://x/"), ("junk", "j")]))
    sent(one, 2)
    assert sorted(span.name for span in receiver.spans) == ["GET /items/1", "GET /items/3"]
    assert receiver.spans[0].attributes == {"url.full": "http://x/", "env": "prod"}
    connection = http.client.HTTPConnection(one.places["admin"], timeout=20)
    connection.request("GET", "/api/v1/drops")
    drops = json.loads(connection.getresponse().read())
    assert drops["total"] == 1
    assert {key: drops["drops"][0][key] for key in ("component", "signal", "reason", "items")} == {
        "component": "processor noise", "signal": "traces", "reason": "filtered", "items": 1,
    }  # fmt: skip
