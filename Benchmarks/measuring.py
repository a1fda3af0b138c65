"""Running a contender and reading what it cost: CPU time of all its processes, and what arrived at the backend."""

import gzip
import http.server
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass


@dataclass
class Run:
    cpu_seconds: float
    wall_seconds: float
    output: str
    messages: str


def run(contender, arguments=()):
    """Runs to the end. The CPU time is that of the process and of every descendant it waited for (wait4)."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as messages:
        began = time.monotonic()
        process = subprocess.Popen(
            [*contender.command, *map(str, arguments)],
            env={**environment, **contender.environment, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=messages,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        messages.seek(0)
        result = Run(usage.ru_utime + usage.ru_stime, wall, output.read().decode(), messages.read().decode())
    if process.returncode != 0:
        command = " ".join(contender.command)
        raise SystemExit(f"bench: error: {command} ended with {process.returncode}:\n{result.output}{result.messages}")
    return result


def alternate(contenders, rounds, measure):
    """Measures A B A B … so that what drifts on the machine hits all alike; a dict from name to the list of measurements."""
    found = {contender.name: [] for contender in contenders}
    for _ in range(rounds):
        for contender in contenders:
            found[contender.name].append(measure(contender))
    return found


def median(values):
    return statistics.median(values)


class Sink:
    """An OTLP/HTTP backend that counts spans. The C program from ../shared/load where it and a compiler are there; else one in
    Python, good enough to count, but slow enough to be felt on two cores."""

    def __init__(self, folder):
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        source = pathlib.Path(os.environ.get("SIDELIGHT_LOAD", default_load_folder())) / "otlpsink.c"
        program = pathlib.Path(folder) / "otlpsink"
        self.process = None
        self.in_c = source.exists() and compiled(source, program)
        if self.in_c:
            self.process = subprocess.Popen([str(program), str(self.port), str(pathlib.Path(folder) / "counts"), "1"])
        else:
            self.counter = CountingServer(self.port)
        wait_for_port(self.port)

    def take(self):
        """Spans received since the last call."""
        with urllib.request.urlopen(f"{self.endpoint}/stats") as answer:
            spans = json.load(answer)["spans"]
        urllib.request.urlopen(f"{self.endpoint}/reset").close()
        return spans

    def close(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
        else:
            self.counter.shutdown()


def default_load_folder():
    return pathlib.Path(__file__).resolve().parent.parent.parent / "shared" / "load"


def compiled(source, program, *options):
    result = subprocess.run(["cc", "-O2", "-w", *options, "-o", str(program), str(source), "-lz"], capture_output=True, text=True)
    if result.returncode != 0:
        print(f"bench: {source} does not compile:\n{result.stderr}", file=sys.stderr)
    return result.returncode == 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"bench: error: the sink does not listen on port {port}")


class CountingServer(http.server.ThreadingHTTPServer):
    """The Python sink: same two GET requests as otlpsink."""

    daemon_threads = True

    def __init__(self, port):
        super().__init__(("127.0.0.1", port), CountingHandler)
        self.spans = 0
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class CountingHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if self.path == "/v1/traces":
            from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

            request = ExportTraceServiceRequest.FromString(body)
            count = sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)
            with self.server.lock:
                self.server.spans += count
        self.answer(b"")

    def do_GET(self):
        with self.server.lock:
            body = json.dumps({"spans": self.server.spans}).encode()
            if self.path == "/reset":
                self.server.spans = 0
        self.answer(body)

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
