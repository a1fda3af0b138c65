"""What arrives of a program that goes down with a span open: one that throws, and one whose process is killed -9. Sidelight beside Deno."""

import gzip
import http.server
import os
import signal
import subprocess
import tempfile
import threading

import contenders
from serving import tree

PROGRAM = contenders.ROOT / "Benchmarks" / "delivery" / "open.mjs"
NAMES = (b"left-open", b"ended-before")
SECONDS = 20  # in which a contender has to end by itself


class Keeper(http.server.ThreadingHTTPServer):
    """A backend that keeps what it is sent."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), KeeperHandler)
        self.bodies = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class KeeperHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/v1/traces":
            self.server.bodies.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def run(rounds=5):
    """A row for each way down and contender: of the two spans of each round, how many arrived."""
    rows = []
    for how, title in (("throw", "program throws with a span open"), ("kill", "program killed -9 with a span open")):
        for name in ("Sidelight", "Deno 2.9, OTel"):
            if name == "Sidelight" or contenders.peer("deno"):
                counts = [once(name, how) for _ in range(rounds)]
                rows.append({"title": title, "name": name, "spans": rounds, "open_arrived": sum(count[0] for count in counts), "ended_arrived": sum(count[1] for count in counts)})
    return rows


def once(name, how):
    with tempfile.TemporaryDirectory() as store:
        return once_with(store, name, how)


def once_with(store, name, how):
    keeper = Keeper()
    endpoint = f"http://127.0.0.1:{keeper.server_port}"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    if name == "Sidelight":
        command = [contenders.sidelight(), "run", "--store", store, "--export", f"otlp={endpoint}", str(PROGRAM), how]
    else:
        command = [contenders.peer("deno"), "run", "--allow-all", str(PROGRAM), how]
        environment |= {"OTEL_DENO": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        if how == "kill" and process.stdout.readline():
            # The process that runs the program: the last of Sidelight's two.
            os.kill(tree(process.pid)[-1], signal.SIGKILL)
        process.wait(timeout=SECONDS)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        keeper.shutdown()
        keeper.server_close()
    return [sum(body.count(name) for body in keeper.bodies) for name in NAMES]
