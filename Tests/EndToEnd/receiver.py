"""Backends to export to: OTLP/HTTP (protobuf, JSON), Zipkin v2, Jaeger's collector and Loki, decoded by what others wrote
(opentelemetry-proto, Jaeger's generated Thrift classes, a JSON schema of Zipkin's API, cramjam), with scriptable misbehaviour.

A receiver is one HTTP server on 127.0.0.1 with a thread a connection. What it has answered 200 to is in `spans`, `logs`,
`zipkin`, `jaeger` and `loki`; what it has refused is only in `requests`.
"""

import base64
import dataclasses
import gzip
import http.server
import json
import socket
import struct
import threading
import time
import urllib.parse

import jsonschema
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

import loki
import zipkin_schema

OTLP = {
    "/v1/traces": (ExportTraceServiceRequest, ExportTraceServiceResponse),
    "/v1/logs": (ExportLogsServiceRequest, ExportLogsServiceResponse),
    "/v1/metrics": (ExportMetricsServiceRequest, ExportMetricsServiceResponse),
}


@dataclasses.dataclass
class Answer:
    """How one request is answered. `delay` seconds pass before anything is sent."""

    status: int = 200
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes | None = None
    delay: float = 0
    raw: bytes | None = None  # sent instead of an HTTP response
    reset: bool = False  # the connection is reset instead

    @staticmethod
    def busy(seconds):
        return Answer(status=429, headers={"Retry-After": str(seconds)})


@dataclasses.dataclass
class Request:
    path: str
    query: dict
    headers: dict
    size: int
    answered: int


@dataclasses.dataclass
class Span:
    """An OTLP span in Python's types. Times are Unix nanoseconds, ids hex, absent ids ''."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: int
    start: int
    end: int
    attributes: dict
    events: list
    links: list
    status: int
    message: str
    trace_state: str
    flags: int
    dropped: tuple
    resource: dict
    scope: tuple


@dataclasses.dataclass
class Log:
    time: int
    severity: int
    severity_text: str
    body: object
    attributes: dict
    trace_id: str
    span_id: str
    event_name: str
    resource: dict
    scope: tuple
    observed: int = dataclasses.field(default=0, compare=False)


def value_of(value):
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [value_of(element) for element in value.array_value.values]
    if kind == "kvlist_value":
        return attributes_of(value.kvlist_value.values)
    return getattr(value, kind)


def attributes_of(pairs):
    result = {}
    for pair in pairs:
        assert pair.key not in result, f"attribute {pair.key} twice"
        result[pair.key] = value_of(pair.value)
    return result


def spans_of(request):
    for group in request.resource_spans:
        resource = attributes_of(group.resource.attributes)
        for scoped in group.scope_spans:
            scope = (scoped.scope.name, scoped.scope.version)
            for span in scoped.spans:
                yield Span(
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    name=span.name,
                    kind=span.kind,
                    start=span.start_time_unix_nano,
                    end=span.end_time_unix_nano,
                    attributes=attributes_of(span.attributes),
                    events=[(e.time_unix_nano, e.name, attributes_of(e.attributes)) for e in span.events],
                    links=[
                        (link.trace_id.hex(), link.span_id.hex(), link.trace_state, link.flags, attributes_of(link.attributes))
                        for link in span.links
                    ],
                    status=span.status.code,
                    message=span.status.message,
                    trace_state=span.trace_state,
                    flags=span.flags,
                    dropped=(span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count),
                    resource=resource,
                    scope=scope,
                )


def logs_of(request):
    for group in request.resource_logs:
        resource = attributes_of(group.resource.attributes)
        for scoped in group.scope_logs:
            for log in scoped.log_records:
                yield Log(
                    time=log.time_unix_nano,
                    severity=log.severity_number,
                    severity_text=log.severity_text,
                    body=value_of(log.body),
                    attributes=attributes_of(log.attributes),
                    trace_id=log.trace_id.hex(),
                    span_id=log.span_id.hex(),
                    event_name=log.event_name,
                    resource=resource,
                    scope=(scoped.scope.name, scoped.scope.version),
                    observed=log.observed_time_unix_nano,
                )


def otlp_json(message_type, text):
    """OTLP's JSON is protobuf's, but ids are hex: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding"""

    def walk(node):
        if isinstance(node, list):
            return [walk(element) for element in node]
        if not isinstance(node, dict):
            return node
        result = {}
        for key, value in node.items():
            if key in ("traceId", "spanId", "parentSpanId"):
                value = base64.b64encode(bytes.fromhex(value)).decode()
            result[key] = walk(value)
        return result

    return json_format.ParseDict(walk(json.loads(text)), message_type())


def thrift_protocol(buffer):
    """Jaeger's generated classes take binary values for text; what is not UTF-8 in them is escaped, as file names are."""
    from thrift.protocol.TBinaryProtocol import TBinaryProtocol

    class Protocol(TBinaryProtocol):
        def readString(self):
            return self.readBinary().decode("utf-8", "surrogateescape")

        def writeString(self, text):
            self.writeBinary(text.encode("utf-8", "surrogateescape"))

    return Protocol(buffer)


def jaeger_batch(body):
    from jaeger_client.thrift_gen.jaeger.ttypes import Batch
    from thrift.transport.TTransport import TMemoryBuffer

    buffer = TMemoryBuffer(body)
    batch = Batch()
    batch.read(thrift_protocol(buffer))
    assert buffer.cstringio_buf.read() == b"", "bytes after the batch"
    batch.validate()
    return batch


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # a peer that goes away is no news; what matters is asserted on


class Receiver:
    """`answers` are used up one a request; then `default` answers. Either may be a function of the path."""

    def __init__(self, answers=(), default=None):
        self.answers = list(answers)
        self.default = default or Answer()
        self.lock = threading.Condition()
        self.requests = []
        self.spans = []
        self.trace_requests = []
        self.logs = []
        self.metrics = []
        self.zipkin = []
        self.jaeger = []
        self.loki = []
        self.problems = []
        self.may_repeat = False  # spans, where the sender was killed
        self.port = None
        self.server = None
        self.start()

    # -- life

    def start(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                receiver.post(self)

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", self.port or 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        """From now on connections are refused. `start` opens the same port again."""
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def export(self, kind="otlp"):
        return ["--export", f"{kind}={self.url}"]

    # -- requests

    def next_answer(self, path):
        with self.lock:
            answer = self.answers.pop(0) if self.answers else self.default
        return answer(path) if callable(answer) else answer

    def post(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        url = urllib.parse.urlparse(handler.path)
        answer = self.next_answer(url.path)
        with self.lock:
            self.requests.append(
                Request(
                    path=url.path,
                    query=urllib.parse.parse_qs(url.query),
                    headers={name.lower(): value for name, value in handler.headers.items()},
                    size=len(body),
                    answered=answer.status,
                )
            )
        if answer.delay:
            time.sleep(answer.delay)
        if answer.reset:
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
            handler.close_connection = True
            return
        if answer.raw is not None:
            handler.wfile.write(answer.raw)
            handler.close_connection = True
            return
        content, content_type = b"", "text/plain"
        status = answer.status
        if status == 200:
            try:
                content, content_type = self.take(url, handler.headers, body)
            except Exception as error:  # whatever does not decode is the sender's fault
                with self.lock:
                    self.problems.append(f"{handler.path}: {type(error).__name__}: {error}")
                status, content = 400, str(error).encode()
        if answer.body is not None:
            content = answer.body
        handler.send_response(status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def take(self, url, headers, body):
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        content_type = headers.get("Content-Type", "")
        if url.path in OTLP:
            request_type, response_type = OTLP[url.path]
            if content_type.startswith("application/json"):
                request = otlp_json(request_type, body)
                content = b"{}"
            else:
                assert content_type == "application/x-protobuf", content_type
                request = request_type.FromString(body)
                content = response_type().SerializeToString()
            with self.lock:
                if url.path == "/v1/traces":
                    self.spans += spans_of(request)
                    self.trace_requests.append(request)
                elif url.path == "/v1/logs":
                    self.logs += logs_of(request)
                else:
                    self.metrics.append(request)
            return content, content_type
        if url.path == "/api/v2/spans":
            spans = json.loads(body)
            jsonschema.validate(spans, zipkin_schema.LIST_OF_SPANS)
            with self.lock:
                self.zipkin += spans
            return b"", "text/plain"
        if url.path == "/api/traces":
            assert urllib.parse.parse_qs(url.query).get("format") == ["jaeger.thrift"], url.query
            batch = jaeger_batch(body)
            with self.lock:
                self.jaeger.append(batch)
            return b"", "text/plain"
        if url.path == "/loki/api/v1/push":
            assert content_type == "application/x-protobuf", content_type
            lines = list(loki.lines_of(body))
            with self.lock:
                self.loki += lines
            return b"", "text/plain"
        raise AssertionError(f"nobody listens at {url.path}")

    # -- looking

    def metric_points(self):
        """(metric, point) of all that came, in its order."""
        with self.lock:
            requests = list(self.metrics)
        for request in requests:
            for group in request.resource_metrics:
                for scoped in group.scope_metrics:
                    for metric in scoped.metrics:
                        for point in getattr(metric, metric.WhichOneof("data")).data_points:
                            yield metric, point

    def named(self, name):
        """The one span of this name."""
        found = [span for span in self.spans if span.name == name]
        assert len(found) == 1, f"{len(found)} spans named {name} among {sorted(span.name for span in self.spans)}"
        return found[0]

    def check(self):
        """Everything decoded, and nothing came twice."""
        assert self.problems == []
        ids = [(span.trace_id, span.span_id) for span in self.spans]
        assert self.may_repeat or len(ids) == len(set(ids)), "a span came twice"
