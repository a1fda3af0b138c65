"""Spans of real clients go through the agent and out of every exporter: what arrives is what was sent, field by field, but for what the table of
docs/specs/formats.md says that a format cannot carry (canonical.py has it)."""

import http.client
import http.server
import json
import pathlib
import subprocess
import sys
import threading

import pytest
import requests
from google.protobuf import json_format
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GRPCExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HTTPExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SpanExportResult

import canonical
from grpc_backend import GRPCBackend
from receiver import otlp_json, thrift_protocol
from test_agent import agent, full_request, sent  # noqa: F401 (a fixture)
from test_agent_clients import recorded  # noqa: F401 (a fixture)

RAW = b"\x00\xff"
FORMATS = ["otlp", "otlp-json", "otlp-grpc", "file", "zipkin", "jaeger"]
DOCUMENT = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "specs" / "formats.md"


class World:
    """An agent with an exporter of every format."""

    def __init__(self, agent, make_receiver, sidelight):  # noqa: F811
        self.receivers = {format: make_receiver() for format in ("otlp", "otlp-json", "zipkin", "jaeger")}
        self.grpc = GRPCBackend()
        exporters = {format: {"kind": format, "url": receiver.url} for format, receiver in self.receivers.items()}
        exporters["otlp-grpc"] = {"kind": "otlp-grpc", "url": self.grpc.url}
        exporters["file"] = {"kind": "file", "path": "telemetry"}
        self.agent = agent(exporters, redact="off")
        self.file = sidelight.folder / "telemetry" / "traces.jsonl"

    def arrived(self, count):
        """By format, the spans by their ids."""
        for format in FORMATS:
            sent(self.agent, count, exporter=format)
        found = {
            "otlp-grpc": [span for request in self.grpc.trace_requests for span in canonical.of_otlp(request)],
            "file": [
                span for line in self.file.read_text().splitlines() for span in canonical.of_otlp(otlp_json(ExportTraceServiceRequest, line))
            ],
            "zipkin": [canonical.of_zipkin(span) for span in self.receivers["zipkin"].zipkin],
            "jaeger": [span for batch in self.receivers["jaeger"].jaeger for span in canonical.of_jaeger(batch)],
        }
        for format in ("otlp", "otlp-json"):
            found[format] = [span for request in self.receivers[format].trace_requests for span in canonical.of_otlp(request)]
        return {format: canonical.by_id(spans) for format, spans in found.items()}

    def check(self, expected):
        expected = canonical.by_id(expected)
        arrived = self.arrived(len(expected))
        for format in FORMATS:
            assert arrived[format].keys() == expected.keys(), format
            for key, span in expected.items():
                assert arrived[format][key] == canonical.carried(span, format), (format, key)
        return arrived


@pytest.fixture
def world(agent, make_receiver, sidelight):  # noqa: F811
    one = World(agent, make_receiver, sidelight)
    yield one
    one.grpc.stop()


def everything():
    """Every field that a span can have, and all that the table speaks of."""
    request = full_request()
    scope = request.resource_spans[0].scope_spans[0].scope
    scope.attributes.add(key="scope.tier").value.int_value = 3
    scope.dropped_attributes_count = 9
    request.resource_spans[0].resource.attributes.add(key="host.name").value.string_value = "h1"
    first, second, third = request.resource_spans[0].scope_spans[0].spans
    first.attributes.add(key="none").value.SetInParent()
    first.events[0].attributes.add(key="raw").value.bytes_value = b"\x01\xff"
    first.events[0].attributes.add(key="list").value.array_value.values.add().bool_value = True
    first.links[0].dropped_attributes_count = 2
    second.kind = 1
    second.status.message = "not an error's"
    second.events.add(name="renamed", time_unix_nano=1_700_000_000_000_000_999).attributes.add(key="event").value.string_value = "by this"
    third.kind, third.status.code = 3, 1
    third.attributes.add(key="server.address").value.string_value = "db.example"
    third.end_time_unix_nano = third.start_time_unix_nano
    return request


def test_every_field(world):
    request = everything()
    assert world.agent.post(request.SerializeToString())[0] == 200
    expected = list(canonical.of_otlp(request))
    arrived = world.check(expected)
    # Nor does the table say that something is lost which is not.
    for about, *formats in canonical.LOSSES:
        for format, (_, change) in zip(("zipkin", "jaeger"), formats):
            if change is not canonical.nothing:
                kept = [canonical.carried(span, format, without=about) == arrived[format][span["trace_id"], span["span_id"]] for span in expected]
                assert not all(kept), f"{format}: {about}"


def test_the_table_of_the_document():
    text = DOCUMENT.read_text()
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in text.split("## What a format cannot carry")[1].split("\n## ")[0].splitlines() if line.startswith("| ")]
    assert rows[1:] == [[about, zipkin[0], jaeger[0]] for about, zipkin, jaeger in canonical.LOSSES]


def test_the_opentelemetry_sdk_with_protobuf(world, recorded):  # noqa: F811
    exporter = HTTPExporter(endpoint=world.agent.url("otlp-http", "/v1/traces"))
    assert exporter.export(recorded) is SpanExportResult.SUCCESS
    world.check(canonical.of_otlp(encode_spans(recorded)))


def test_the_opentelemetry_sdk_with_grpc(world, recorded):  # noqa: F811
    exporter = GRPCExporter(endpoint=world.agent.places["otlp-grpc"], insecure=True)
    assert exporter.export(recorded) is SpanExportResult.SUCCESS
    world.check(canonical.of_otlp(encode_spans(recorded)))


def test_the_opentelemetry_sdk_with_json(world, recorded):  # noqa: F811
    """Protobuf's own JSON, with ids in hex as OTLP has them."""
    request = encode_spans(recorded)
    body = json_format.MessageToDict(request, use_integers_for_enums=True)
    for group, source in zip(body["resourceSpans"], request.resource_spans):
        for scoped, scope in zip(group["scopeSpans"], source.scope_spans):
            for target, span in zip(scoped["spans"], scope.spans):
                target["traceId"], target["spanId"] = span.trace_id.hex(), span.span_id.hex()
                if "parentSpanId" in target:
                    target["parentSpanId"] = span.parent_span_id.hex()
                for link, source_link in zip(target.get("links", []), span.links):
                    link["traceId"], link["spanId"] = source_link.trace_id.hex(), source_link.span_id.hex()
    assert world.agent.post(json.dumps(body).encode(), type="application/json")[0] == 200
    world.check(canonical.of_otlp(request))


def zipkin_of_protobuf(body):
    """Spans as JSON has them, by the classes that come with py-zipkin."""
    from py_zipkin.encoding.protobuf import zipkin_pb2

    def endpoint(source):
        values = {"serviceName": source.service_name, "ipv4": ".".join(map(str, source.ipv4)), "port": source.port}
        return {name: value for name, value in values.items() if value}

    for span in zipkin_pb2.ListOfSpans.FromString(body).spans:
        yield {
            "traceId": span.trace_id.hex(), "id": span.id.hex(), "parentId": span.parent_id.hex(), "name": span.name,
            "kind": zipkin_pb2.Span.Kind.Name(span.kind), "timestamp": span.timestamp, "duration": span.duration, "debug": span.debug, "shared": span.shared,
            "localEndpoint": endpoint(span.local_endpoint), "remoteEndpoint": endpoint(span.remote_endpoint), "tags": dict(span.tags),
            "annotations": [{"timestamp": annotation.timestamp, "value": annotation.value} for annotation in span.annotations],
        }  # fmt: skip


@pytest.mark.parametrize("encoding", ["V2_JSON", "V2_PROTO3"])
def test_py_zipkin(world, encoding):
    from py_zipkin.encoding import Encoding
    from py_zipkin.zipkin import zipkin_client_span, zipkin_span

    bodies = []
    with zipkin_span(
        service_name="shop", span_name="get", transport_handler=bodies.append, sample_rate=100, encoding=Encoding[encoding], port=8080,
        binary_annotations={"k": "v", "error": "no luck"},
    ) as outer:  # fmt: skip
        outer.add_annotation("tried")
        outer.add_sa_binary_annotation(port=5432, service_name="db", host="10.0.0.7")
        with zipkin_client_span(service_name="shop", span_name="inner"):
            pass
    for body in bodies:
        content_type = "application/json" if encoding == "V2_JSON" else "application/x-protobuf"
        answer = requests.post(world.agent.url("zipkin", "/api/v2/spans"), data=body, headers={"Content-Type": content_type}, timeout=20)
        assert answer.status_code == 202, answer.text
    sent_spans = [span for body in bodies for span in (json.loads(body) if encoding == "V2_JSON" else zipkin_of_protobuf(body))]
    assert len(sent_spans) == 2
    world.check(canonical.of_zipkin(span) for span in sent_spans)


def test_a_jaeger_client(world):
    from jaeger_client.thrift_gen.jaeger.ttypes import Batch, Log, Process, Span, SpanRef, Tag, TagType
    from thrift.transport.TTransport import TMemoryBuffer

    tags = [
        Tag(key="http.status_code", vType=TagType.LONG, vLong=500), Tag(key="error", vType=TagType.BOOL, vBool=True),
        Tag(key="ratio", vType=TagType.DOUBLE, vDouble=0.25), Tag(key="raw", vType=TagType.BINARY, vBinary=RAW.decode("utf-8", "surrogateescape")),
        Tag(key="span.kind", vType=TagType.STRING, vStr="client"), Tag(key="peer.service", vType=TagType.STRING, vStr="db"),
    ]  # fmt: skip
    logs = [
        Log(
            timestamp=1_700_000_000_000_001,
            fields=[Tag(key="event", vType=TagType.STRING, vStr="retry"), Tag(key="n", vType=TagType.LONG, vLong=-3)],
        )
    ]
    span = Span(
        traceIdLow=5, traceIdHigh=-1, spanId=-7, parentSpanId=6, operationName="GET /", flags=3, startTime=1_700_000_000_000_000, duration=250, tags=tags,
        logs=logs, references=[SpanRef(refType=1, traceIdLow=8, traceIdHigh=9, spanId=10)],
    )  # fmt: skip
    root = Span(
        traceIdLow=5, traceIdHigh=-1, spanId=6, parentSpanId=0, operationName="root", flags=1, startTime=1_700_000_000_000_000, duration=0, references=[],
    )  # fmt: skip
    batch = Batch(process=Process(serviceName="shop", tags=[Tag(key="hostname", vType=TagType.STRING, vStr="h1")]), spans=[span, root])
    buffer = TMemoryBuffer()
    batch.write(thrift_protocol(buffer))
    answer = requests.post(
        world.agent.url("jaeger", "/api/traces?format=jaeger.thrift"), data=buffer.getvalue(),
        headers={"Content-Type": "application/vnd.apache.thrift.binary"}, timeout=20,
    )  # fmt: skip
    assert answer.status_code == 202, answer.text
    world.check(canonical.of_jaeger(batch))


def test_deno(world, tmp_path):
    """What Deno sends passes through here, so that it can be compared with."""
    bodies = []

    class Relay(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            connection = http.client.HTTPConnection(world.agent.places["otlp-http"], timeout=20)
            connection.request("POST", self.path, body, {name: value for name, value in self.headers.items() if name.lower() != "host"})
            answer = connection.getresponse()
            content = answer.read()
            if self.path == "/v1/traces":
                bodies.append(body)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    relay = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    threading.Thread(target=relay.serve_forever, daemon=True).start()
    program = tmp_path / "program.mjs"
    program.write_text(
        """
        const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("x"));
        for (let i = 0; i < 5; i++) await (await fetch(`http://127.0.0.1:${server.addr.port}/items/${i}?q=ü`)).text();
        await server.shutdown();
        """
    )
    deno = pathlib.Path(sys.executable).parent / "deno"
    variables = {"OTEL_DENO": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{relay.server_port}", "OTEL_SERVICE_NAME": "deno", "PATH": "/usr/bin"}
    done = subprocess.run([deno, "run", "-A", "--no-config", program], env=variables, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    relay.shutdown()
    relay.server_close()
    expected = [span for body in bodies for span in canonical.of_otlp(ExportTraceServiceRequest.FromString(body))]
    assert len(expected) == 10
    world.check(expected)
