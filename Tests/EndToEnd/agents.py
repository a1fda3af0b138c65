"""A real `sidelight agent`, and senders that keep what they were not promised."""

import json
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from serving import wait_for

BALANCE = re.compile(r'^sidelight_export_(received_total|sent_total|queued|dropped_total)\{exporter="([^"]*)",signal="(\w+)"[^}]*\} (\d+)$', re.M)


class Agent:
    """A `sidelight agent` from its start until it says where it listens. `exporters`: name to receiver, or to a mapping of the file."""

    def __init__(self, sidelight, exporters={}, *, wait=True, arguments=(), **settings):
        self.sidelight = sidelight
        self.settings = {
            "admin": "127.0.0.1:0",
            "log-level": "info",
            "receivers": {name: "127.0.0.1:0" for name in ("otlp-http", "otlp-grpc", "zipkin", "jaeger")},
            "queue": {"directory": str(sidelight.folder / "queue")},
            "exporters": {name: exporter if isinstance(exporter, dict) else exporter_to(exporter) for name, exporter in exporters.items()},
            **settings,
        }
        self.write()
        self.arguments = arguments
        self.start()
        if wait:
            self.wait_until_it_listens()

    def write(self, **changes):
        """Writes the file, changed."""
        self.settings |= changes
        # JSON is YAML. Never half a file: the agent may read it at any time.
        self.sidelight.write("next.yaml", json.dumps(self.settings)).rename(self.sidelight.folder / "sidelight.yaml")

    def reload(self, outcome="taken", **changes):
        """Writes the file, changed, has it read, and waits until that is done."""
        self.write(**changes)
        before = self.reloads(outcome)
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.reloads(outcome) > before)

    def reloads(self, outcome):
        found = re.search(rf'^sidelight_config_reloads_total\{{outcome="{outcome}"\}} (\d+)$', self.metrics(), re.M)
        return int(found[1]) if found else 0

    def start(self):
        self.messages = self.sidelight.folder / f"stderr-{time.monotonic_ns()}.txt"
        with open(self.messages, "w") as errors:
            self.process = self.sidelight.start("agent", *self.arguments, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)

    def wait_until_it_listens(self):
        text = wait_for(lambda: self.err if "receiving" in self.err else self.process.poll() is not None and "over")
        assert text != "over", self.err
        self.places = dict(re.findall(r"(\S+) at (127\.0\.0\.1:\d+)", text))

    @property
    def err(self):
        return self.messages.read_text()

    def restart(self):
        self.start()
        self.wait_until_it_listens()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        """Ends it as an operator does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def url(self, receiver, path):
        return f"http://{self.places[receiver]}{path}"

    def post(self, body, path="/v1/traces", receiver="otlp-http", type="application/x-protobuf", headers={}):
        """The status, the headers and the body of the answer."""
        request = urllib.request.Request(self.url(receiver, path), data=body, headers={"Content-Type": type, **headers})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers, answer.read()

    def send(self, request):
        """Sends an OTLP request; True: it was taken."""
        status, _, body = self.post(request.SerializeToString())
        assert status in (200, 503), (status, body)
        return status == 200

    def metrics(self):
        with urllib.request.urlopen(self.url("admin", "/metrics"), timeout=20) as answer:
            return answer.read().decode()

    def check_balance(self):
        """received = sent + dropped + queued, for every exporter and signal; the figures."""
        books = {}
        for kind, exporter, signal_name, value in BALANCE.findall(self.metrics()):
            book = books.setdefault((exporter, signal_name), {})
            book[kind] = book.get(kind, 0) + int(value)
        for key, book in books.items():
            received = book.pop("received_total", 0)
            assert received == sum(book.values()), (key, received, book)
            book["received_total"] = received
        return books


def exporter_to(receiver):
    return {"kind": "otlp", "url": receiver.url}


def spans(first, count, *, service="shop", attributes=()):
    """A request with so many spans, whose ids count from `first`."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = service
    scope = group.scope_spans.add()
    scope.scope.name = "test"
    for number in range(first, first + count):
        span = scope.spans.add()
        span.trace_id = (1 << 64 | number).to_bytes(16, "big")
        span.span_id = number.to_bytes(8, "big")
        span.name = f"GET /items/{number}"
        span.kind = 2
        span.start_time_unix_nano = 1_700_000_000_000_000_000 + number
        span.end_time_unix_nano = span.start_time_unix_nano + 1_000
        for key, value in attributes:
            span.attributes.add(key=key).value.string_value = value
    return request
