"""Registries on 127.0.0.1 that services are found by, and instances of these services."""

import base64
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request

from serving import wait_for

HERE = pathlib.Path(__file__).resolve().parent


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, fields=()):
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, handler, port=0):
        super().__init__(("127.0.0.1", port), handler)
        self.connections = set()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def process_request(self, request, address):
        self.connections.add(request)
        super().process_request(request, address)

    def handle_error(self, *_):
        pass

    def stop(self):
        """Nobody is answered any more, those who are connected included."""
        if self.socket.fileno() < 0:
            return
        self.shutdown()
        self.server_close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Instance:
    """Says who it is. `mode`: "answer", "drop" (closes without an answer), "hang"."""

    def __init__(self, name, port=0):
        self.name = name
        self.mode = "answer"
        self.seen = []  # method, path, host, body
        instance = self

        class Handler(Quiet):
            def take(self):
                body = b""
                if self.headers.get("Transfer-Encoding") == "chunked":
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                elif length := int(self.headers.get("Content-Length", 0)):
                    body = self.rfile.read(length)
                instance.seen.append((self.command, self.path, self.headers["Host"], body))
                if instance.mode == "drop":
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                elif instance.mode == "hang":
                    time.sleep(60)
                else:
                    self.answer(200, instance.name.encode(), [("X-Body", str(len(body)))])

            do_GET = do_POST = do_PUT = do_DELETE = take

        self.server = Server(Handler, port)
        self.port = self.server.port

    @property
    def count(self):
        return len(self.seen)

    def stop(self):
        self.server.stop()


class FakeConsul:
    """/v1/health/service/NAME as Consul's documentation has it, with blocking queries; any other question is an error. `answer` replaces the answers: (status, body),
    and `silent` keeps them back."""

    def __init__(self, token=None, port=0):
        self.token = token
        self.index = 7
        self.services = {}
        self.changed = threading.Condition()
        self.answer = None
        self.silent = False
        self.questions = []
        self.bad = []
        self.start(port)

    def start(self, port=0):
        consul = self

        class Handler(Quiet):
            def do_GET(self):
                consul.take(self)

        self.server = Server(Handler, port)
        self.port = self.server.port
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.server.stop()
        with self.changed:
            self.changed.notify_all()

    def restart(self):
        """It comes back with nothing but what `put` said, and counts anew."""
        self.index = 3
        self.start(self.port)

    def put(self, name, *instances, **more):
        """`instances`: ports, or (port, passing weight), or (port, weight, status)."""
        found = []
        for instance in instances:
            port, weight, status, *_ = (*instance, *(1, "passing")[len(instance) - 1 :]) if isinstance(instance, tuple) else (instance, 1, "passing")
            found.append({"port": port, "weight": weight, "status": status, "tags": more.get("tags", [])})
        with self.changed:
            self.index += 1
            self.services[name] = found
            self.changed.notify_all()

    def take(self, handler):
        url = urllib.parse.urlsplit(handler.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        self.questions.append(handler.path)
        name = re.fullmatch(r"/v1/health/service/([\w-]+)", url.path)
        if self.silent:
            time.sleep(60)
        if self.answer:
            status, body, *fields = self.answer
            return handler.answer(status, body, fields)
        if self.token and handler.headers.get("X-Consul-Token") != self.token:
            return handler.answer(403, b"Permission denied: anonymous token lacks permission 'service:read'")
        if not name or set(query) - {"passing", "index", "wait", "tag", "dc"} or "passing" not in query or query.get("dc", "dc1") != "dc1":
            self.bad.append(handler.path)
            return handler.answer(500, b"No path to datacenter" if "dc" in query else b"bad request")
        if index := int(query.get("index", 0)):
            end = time.monotonic() + float(query["wait"].removesuffix("s"))
            with self.changed:
                self.changed.wait_for(lambda: self.index > index or time.monotonic() > end, timeout=end - time.monotonic())
        with self.changed:
            body = [
                {
                    "Node": {"Node": "n", "Address": "127.0.0.1", "Datacenter": "dc1"},
                    "Service": {"ID": f"{name[1]}-{place['port']}", "Service": name[1], "Tags": place["tags"], "Address": "", "Port": place["port"], "Weights": {"Passing": place["weight"], "Warning": 1}},
                    "Checks": [{"CheckID": "serfHealth", "Status": "passing"}, {"CheckID": f"service:{name[1]}", "Status": place["status"]}],
                }
                for place in self.services.get(name[1], [])
                if place["status"] == "passing" and query.get("tag", "") in ("", *place["tags"])
            ]
            fields = [("X-Consul-Index", str(self.index)), ("Content-Type", "application/json")]
        handler.answer(200, json.dumps(body).encode(), fields)


class Etcd:
    """A real etcd of one member."""

    program = HERE.parent.parent / ".peers" / "etcd" / "usr" / "bin" / "etcd"

    def __init__(self, folder):
        self.folder = folder
        ports = []
        probes = [socket.socket() for _ in range(2)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
        for probe in probes:
            probe.close()
        self.url, self.peer = (f"http://127.0.0.1:{port}" for port in ports)
        self.start()

    def start(self):
        command = [self.program, "--data-dir", self.folder / "etcd", "--listen-client-urls", self.url, "--advertise-client-urls", self.url]
        command += ["--listen-peer-urls", self.peer, "--initial-advertise-peer-urls", self.peer, "--initial-cluster", f"default={self.peer}", "--log-level", "error"]
        self.log = open(self.folder / "etcd.log", "a")
        environment = {**os.environ, "ETCD_UNSUPPORTED_ARCH": "arm64"}
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env=environment)
        wait_for(self.is_healthy)

    def is_healthy(self):
        assert self.process.poll() is None, (self.folder / "etcd.log").read_text()
        try:
            return "true" in urllib.request.urlopen(self.url + "/health", timeout=1).read().decode()
        except OSError:
            return False

    def call(self, path, token=None, **body):
        headers = {"Authorization": token} if token else {}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.load(answer)

    def put(self, name, port, seconds=None, token=None, **more):
        """Registers an instance, for so many seconds if they are given."""
        value = {"Name": name, "ID": f"{name}-{port}", "Address": "127.0.0.1", "Port": port, "Tags": [], "Meta": {}, "Weight": 1, **more}
        lease = {"lease": self.call("/v3/lease/grant", token, TTL=seconds)["ID"]} if seconds else {}
        self.call("/v3/kv/put", token, key=coded(f"/sidelight/services/{name}/{name}-{port}"), value=coded(json.dumps(value)), **lease)

    def remove(self, name, port):
        self.call("/v3/kv/deleterange", key=coded(f"/sidelight/services/{name}/{name}-{port}"))

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()


def coded(text):
    return base64.b64encode(text.encode()).decode()
