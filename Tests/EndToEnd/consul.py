"""A strict Consul agent, as far as services and TTL checks go, written from its HTTP API's documentation: what that does not allow is 400, and is kept as a
complaint. A process of its own, which can be stopped, killed and started again, with what it knew or without.

    consul.py PORT DATA [TOKEN]

DATA is a folder: `state.json`, what an agent keeps of services over a restart; `complaints`, a line each; `leaderless`, there while the cluster has no leader.
https://developer.hashicorp.com/consul/api-docs/agent/service, …/agent/check, …/health
"""

import http.server
import json
import os
import pathlib
import re
import signal
import socketserver
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

STATUSES = ("passing", "warning", "critical")
SERVICE_KEYS = {"ID", "Name", "Address", "Port", "Tags", "Meta", "Weights", "Check", "Checks", "EnableTagOverride", "Kind", "TaggedAddresses"}
CHECK_KEYS = {"CheckID", "Name", "Notes", "TTL", "Status", "DeregisterCriticalServiceAfter"}
REAP_MIN = 60  # seconds; less is taken for this


class Wrong(Exception):
    def __init__(self, status, text):
        self.status, self.text = status, text


def duration(text):
    """Seconds of what Go's time.ParseDuration reads."""
    if not isinstance(text, str) or not re.fullmatch(r"(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+", text):
        raise Wrong(400, f"Request decode failed: time: invalid duration {text!r}")
    units = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
    return sum(float(number) * units[unit] for number, _, unit in re.findall(r"(\d+(\.\d+)?)(ns|us|µs|ms|s|m|h)", text))


def expect(value, kind, name):
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Wrong(400, f"Request decode failed: '{name}' expected {kind.__name__}, got {value!r}")
    return value


class Agent:
    def __init__(self, data, token):
        self.data, self.token = pathlib.Path(data), token
        self.lock = threading.Lock()
        self.services = {}
        self.requests = 0
        try:
            self.services = json.loads((self.data / "state.json").read_text())
            # Checks with a TTL begin critical, whatever they were.
            for service in self.services.values():
                service.update(status="critical", since=time.time(), output="")
        except FileNotFoundError:
            pass

    def save(self):
        (self.data / "state.new").write_text(json.dumps(self.services))
        os.rename(self.data / "state.new", self.data / "state.json")

    def expire(self):
        now = time.time()
        for id, service in list(self.services.items()):
            if service["status"] != "critical" and service["expires"] <= now:
                service.update(status="critical", since=service["expires"], output="TTL expired")
            if service["status"] == "critical" and service["reap"] and now - service["since"] >= service["reap"]:
                del self.services[id]

    def answer(self, method, path, query, headers, body):
        """Status and what is answered."""
        self.requests += 1
        known = {"replace-existing-checks", "ns", "partition", "passing", "format"}
        if wrong := set(query) - known:
            raise Wrong(400, f"no such parameter is documented: {wrong}")
        if self.token and headers.get("X-Consul-Token") != self.token:
            raise Wrong(403, "Permission denied: token with AccessorID '00000000-0000-0000-0000-000000000002' lacks permission 'service:write'")
        if (self.data / "leaderless").exists():
            raise Wrong(500, "No cluster leader")
        self.expire()
        *start, last = path.removeprefix("/v1/").split("/")
        match method, "/".join(start):
            case "PUT", "agent/service" if last == "register":
                return self.register(body)
            case "PUT", "agent/service/deregister":
                if last not in self.services:
                    raise Wrong(404, f'Unknown service ID "{last}". Ensure that the service ID is passed, not the service name.')
                del self.services[last]
                self.save()
                return 200, None
            case "PUT", "agent/check/update":
                return self.update(last, body)
            case "GET", "agent/service":
                if last not in self.services:
                    raise Wrong(404, f"unknown service ID: {last}")
                return 200, self.shown(last)
            case "GET", "agent" if last == "services":
                return 200, {id: self.shown(id) for id in self.services}
            case "GET", "agent/health/service/id":
                if last not in self.services:
                    raise Wrong(404, f"ServiceId {last} not found")
                status = self.services[last]["status"]
                return {"passing": 200, "warning": 429, "critical": 503}[status], {"AggregatedStatus": status, "Service": self.shown(last)}
            case "GET", "health/service":
                found = [id for id, service in self.services.items() if service["Name"] == last]
                if "passing" in query:
                    found = [id for id in found if self.services[id]["status"] == "passing"]
                return 200, [
                    {"Service": self.shown(id), "Checks": [{"CheckID": f"service:{id}", "Status": self.services[id]["status"], "Output": self.services[id]["output"]}]}
                    for id in sorted(found)
                ]
        raise Wrong(405 if path.startswith("/v1/agent/service/") else 404, f"{method} {path} is not there")

    def register(self, body):
        service = expect(body, dict, "body")
        if unknown := set(service) - SERVICE_KEYS:
            raise Wrong(400, f"Request decode failed: invalid keys: {unknown}")
        name = expect(service.get("Name"), str, "Name")
        if not name:
            raise Wrong(400, "Missing service name")
        if not re.fullmatch(r"[A-Za-z0-9._-]+", name):
            raise Wrong(400, f"Service name {name!r} will not be discoverable via DNS")
        id = expect(service.get("ID", name), str, "ID")
        if not 0 <= expect(service.get("Port", 0), int, "Port") <= 65535:
            raise Wrong(400, "Port")
        expect(service.get("Address", ""), str, "Address")
        for tag in expect(service.get("Tags", []), list, "Tags"):
            expect(tag, str, "Tags")
        meta = expect(service.get("Meta", {}), dict, "Meta")
        if len(meta) > 64:
            raise Wrong(400, "Invalid Service Meta: Node metadata cannot contain more than 64 key/value pairs")
        for key, value in meta.items():
            if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", key) or len(expect(value, str, f"Meta {key}")) > 512 or key.startswith("consul-"):
                raise Wrong(400, f"Invalid Service Meta: Couldn't load metadata pair ('{key}', '{value}')")
        for key, weight in expect(service.get("Weights", {}), dict, "Weights").items():
            if key not in ("Passing", "Warning") or not 0 <= expect(weight, int, key) <= 65535:
                raise Wrong(400, "Invalid Weights")
        check = expect(service.get("Check", {}), dict, "Check")
        if unknown := set(check) - CHECK_KEYS:
            raise Wrong(400, f"Request decode failed: invalid keys: {unknown}")
        if check.get("CheckID", f"service:{id}") != f"service:{id}":
            raise Wrong(400, "this server knows one check a service, service:ID")
        status = check.get("Status", "critical")
        if status not in STATUSES:
            raise Wrong(400, f"Status {status!r} is none")
        ttl = duration(check["TTL"])
        reap = max(duration(check["DeregisterCriticalServiceAfter"]), REAP_MIN) if "DeregisterCriticalServiceAfter" in check else 0
        now = time.time()
        self.services[id] = {**service, "ID": id, "status": status, "since": now, "expires": now + ttl, "ttl": ttl, "reap": reap, "output": ""}
        self.save()
        return 200, None

    def update(self, check, body):
        id = check.removeprefix("service:")
        if not check.startswith("service:") or id not in self.services:
            raise Wrong(404, f'Unknown check ID "{check}". Ensure that the check ID is passed, not the check name.')
        body = expect(body, dict, "body")
        if unknown := set(body) - {"Status", "Output"}:
            raise Wrong(400, f"Request decode failed: invalid keys: {unknown}")
        if body.get("Status") not in STATUSES:
            raise Wrong(400, f"Invalid check status: '{body.get('Status')}'")
        service, now = self.services[id], time.time()
        since = service["since"] if service["status"] == body["Status"] else now
        service.update(status=body["Status"], output=expect(body.get("Output", ""), str, "Output"), since=since, expires=now + service["ttl"])
        return 200, None

    def shown(self, id):
        service = self.services[id]
        return {
            "ID": id, "Service": service["Name"], "Tags": service.get("Tags", []), "Meta": service.get("Meta", {}), "Port": service.get("Port", 0),
            "Address": service.get("Address", ""), "Weights": service.get("Weights", {"Passing": 1, "Warning": 1}), "EnableTagOverride": False,
            "ContentHash": "0", "Datacenter": "dc1",
        }  # fmt: skip


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do(self):
        agent = self.server.agent
        url = urllib.parse.urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with agent.lock:
            try:
                body = json.loads(raw) if raw else None
                path = "/".join(urllib.parse.unquote(part) for part in url.path.split("/"))
                status, answer = agent.answer(self.command, path, dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True)), self.headers, body)
                text = "" if answer is None else json.dumps(answer)
            except json.JSONDecodeError as error:
                status, text = 400, f"Request decode failed: {error}"
            except Wrong as wrong:
                status, text = wrong.status, wrong.text
            if status in (400, 405):
                with open(agent.data / "complaints", "a") as file:
                    print(self.command, self.path, text, file=file)
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json" if status == 200 else "text/plain")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True


class Consul:
    """Such an agent, from the outside."""

    def __init__(self, folder, port, token=""):
        self.data = folder / "consul"
        self.data.mkdir()
        self.port, self.token = port, token
        self.url = f"http://127.0.0.1:{port}"
        self.start()

    def start(self):
        self.process = subprocess.Popen([sys.executable, __file__, str(self.port), self.data, self.token], stdin=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while True:
            try:
                return self.get("/v1/agent/services")
            except OSError:
                assert time.monotonic() < end and self.process.poll() is None, "it does not start"
                time.sleep(0.02)

    def get(self, path):
        request = urllib.request.Request(self.url + path, headers={"X-Consul-Token": self.token})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def put(self, path):
        request = urllib.request.Request(self.url + path, method="PUT", headers={"X-Consul-Token": self.token})
        urllib.request.urlopen(request, timeout=10).close()

    def instances(self, name, passing=True):
        return [entry["Service"] for entry in self.get(f"/v1/health/service/{name}" + ("?passing" if passing else ""))]

    @property
    def services(self):
        return self.get("/v1/agent/services")

    @property
    def complaints(self):
        """What was against the documentation."""
        file = self.data / "complaints"
        return file.read_text().splitlines() if file.exists() else []

    def lose_leader(self, is_lost=True):
        file = self.data / "leaderless"
        file.touch() if is_lost else file.unlink()

    def kill(self, forgets=False):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()
        if forgets:
            (self.data / "state.json").unlink(missing_ok=True)

    stop = kill


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
    server.agent = Agent(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "")
    server.serve_forever()
