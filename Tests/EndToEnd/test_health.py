"""Health: what the admin port, gRPC's clients, exec probes and a service manager are told of workloads and agents, while what these depend on is down, slow, talks
nonsense or flaps. docs/health.md."""

import contextlib
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import grpc
import pytest
import requests
from grpc_health.v1 import health_pb2, health_pb2_grpc

from agents import Agent
from serving import wait_for

ADMIN = ("--admin", "127.0.0.1:0")
SERVING, NOT_SERVING, SERVICE_UNKNOWN = 1, 2, 3
HELLO = "export default { fetch: () => new Response('hello') };"

# In a hurry: what fails once fails, and nothing is damped.
QUICK = {"interval": "100ms", "timeout": "300ms", "failures": 1, "damping": "off", "start": "1s"}


@pytest.fixture
def agent(sidelight):
    made = []

    def start(exporters={}, **settings):
        made.append(Agent(sidelight, exporters, **settings))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.check_balance()
            assert one.end() == 0, one.err


@pytest.fixture
def watched(serve, sidelight):
    """Serves a module with these settings of health."""

    def start(text=HELLO, *arguments, health={}, **options):
        sidelight.write("health.yaml", json.dumps({"health": {**QUICK, **health}}))
        return serve(text, *ADMIN, "-c", "health.yaml", *arguments, **options)

    return start


class Target(http.server.ThreadingHTTPServer):
    """A server that is checked, and answers what it is told to."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port=0):
        self.answer = (200, "text/plain", b"fine")
        self.delay = 0
        self.asked = 0
        super().__init__(("127.0.0.1", port), self.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked += 1
            time.sleep(self.server.delay)
            status, type, body = self.server.answer
            with contextlib.suppress(OSError):
                if status is None:
                    self.wfile.write(body)
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Type", type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    @property
    def port(self):
        return self.server_address[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/healthz"

    def stop(self):
        self.shutdown()
        self.server_close()


@pytest.fixture
def target():
    made = Target()
    yield made
    made.stop()


def ready(admin):
    return requests.get(admin + "/readyz").status_code == 200


def report(admin, path="/healthz"):
    """The status, and the checks by component."""
    answer = requests.get(admin + path, headers={"Accept": "application/health+json"})
    assert answer.headers["content-type"] == "application/health+json"
    body = answer.json()
    assert (answer.status_code == 200) == (body["status"] != "fail"), body
    for entries in body["checks"].values():
        assert len(entries) == 1 and entries[0]["status"] in ("pass", "warn", "fail")
    return body["status"], {key.rsplit(":", 1)[0]: entries[0] for key, entries in body["checks"].items()}


def component(admin, name):
    return report(admin)[1].get(name)


def url_of(agent):
    return "http://" + agent.places["admin"]


# ---- A workload ----


def test_a_workload_that_serves_is_live_ready_and_up(serve):
    service = serve(HELLO, *ADMIN)
    wait_for(lambda: ready(service.admin))
    for path in ("/livez", "/readyz", "/startupz"):
        answer = requests.get(service.admin + path)
        assert (answer.status_code, answer.text) == (200, "ok\n")
    verbose = requests.get(service.admin + "/readyz?verbose").text
    assert verbose.startswith("[+]workload ok\n") and verbose.endswith("readyz check passed\n")
    status, checks = report(service.admin)
    assert status == "pass" and checks["workload"]["observedValue"] == 1
    assert set(checks) >= {"workload", "eventloop", "heap", "restarts", "store"}
    assert requests.get(service.admin + "/readyz?verbos").status_code == 400
    assert requests.post(service.admin + "/readyz", data="x").status_code == 405
    assert requests.head(service.admin + "/readyz").status_code == 200


def test_a_workload_that_starts_is_not_ready_yet(serve):
    service = serve("await new Promise((done) => setTimeout(done, 1500));" + HELLO, "--admin", "127.0.0.1:0", wait=False)
    place = wait_for(lambda: listening_of(service.process.pid))
    admin = f"http://127.0.0.1:{place}"
    assert requests.get(admin + "/livez").status_code == 200
    assert requests.get(admin + "/startupz").status_code == 503 and not ready(admin)
    service.wait_until_it_serves()
    wait_for(lambda: ready(admin))
    assert requests.get(admin + "/startupz").status_code == 200


def listening_of(pid):
    """The port at which this process has a server that answers about health."""
    inodes = set()
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            found = re.match(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{descriptor}"))
            if found:
                inodes.add(found[1])
    for line in open("/proc/net/tcp").read().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and fields[9] in inodes:
            port = int(fields[1].split(":")[1], 16)
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"http://127.0.0.1:{port}/livez", timeout=0.3).status_code == 200:
                    return port
    return None


def test_a_workload_that_ends_is_not_ready_and_alive(serve):
    service = serve("export default { fetch() { console.log('begun'); return new Promise((done) => setTimeout(() => done(new Response('late')), 3000)); } };", *ADMIN)
    admin = service.admin
    wait_for(lambda: ready(admin))
    client = service.later("/")
    # The store is made beside the start: it may not be there yet.
    wait_for(lambda: (answer := requests.get(admin + "/api/v1/logs")).status_code == 200 and answer.json()["logs"])
    service.process.send_signal(signal.SIGTERM)
    wait_for(lambda: not ready(admin))
    assert "[-]ending" in requests.get(admin + "/readyz").text
    assert requests.get(admin + "/livez").status_code == 200
    client.join()
    assert service.process.wait(30) == 0


def test_a_restart_loop_is_not_ready(watched):
    service = watched(health={"restarts": 3, "restart-window": "10s"})
    wait_for(lambda: ready(service.admin))
    for _ in range(3):
        before = wait_for(lambda: service.workers)
        os.kill(before[0], signal.SIGKILL)
        wait_for(lambda: service.workers and service.workers != before)
    wait_for(lambda: (component(service.admin, "restarts") or {}).get("status") == "fail")
    assert re.search(r"restart loop: started again \d+ times within 10 s, last for ", requests.get(service.admin + "/readyz").text)
    assert requests.get(service.admin + "/livez").status_code == 200
    wait_for(lambda: ready(service.admin))


def test_an_event_loop_that_stands_still_is_not_alive(watched):
    service = watched("export default { fetch() { for (;;); } };", health={"stall": "2s"})
    wait_for(lambda: ready(service.admin))
    service.later("/")
    wait_for(lambda: requests.get(service.admin + "/livez").status_code == 503)
    assert "eventloop failed: isolate 0: the event loop has not turned for" in requests.get(service.admin + "/livez").text
    assert not ready(service.admin)


def test_one_loop_of_two_that_stands_still_is_a_warning(watched):
    service = watched(
        "export default { fetch(request) { if (request.url.endsWith('/stop')) for (;;); return new Response('x'); } };", "--isolates", "2",
        health={"stall": "2s"},
    )  # fmt: skip
    wait_for(lambda: ready(service.admin))
    service.later("/stop")
    wait_for(lambda: component(service.admin, "eventloop")["status"] == "warn")
    time.sleep(2)
    assert component(service.admin, "eventloop")["status"] == "warn" and ready(service.admin)


# ---- health() of the module ----

PROGRAM = """
let answer = { status: 'pass' };
export default {
    async fetch(request) {
        answer = await request.json();
        return new Response('ok');
    },
    async health(env, ctx) {
        if (ctx === undefined || typeof ctx.waitUntil !== 'function') throw new Error('no context');
        if (env.MARK !== 'here') throw new Error('no environment');
        if (answer.throws) throw new TypeError(answer.throws);
        if (answer.hangs) await new Promise(() => {});
        if (answer.spins) for (const end = Date.now() + answer.spins; Date.now() < end;);
        return answer.value === undefined ? answer : answer.value;
    },
};
"""


def test_what_the_module_says_counts(watched):
    service = watched(PROGRAM, env={"MARK": "here"})
    admin = service.admin

    def said(answer, status, reason=""):
        assert requests.post(service.url, json=answer).text == "ok"
        found = wait_for(lambda: (entry := component(admin, "program"))["status"] == status and reason in entry.get("output", "") and entry)
        assert ready(admin) == (status != "fail"), found
        return found

    wait_for(lambda: ready(admin))
    said({"status": "warn", "reason": "cache is cold"}, "warn", "isolate 0: cache is cold")
    said({"status": "fail", "output": "no database"}, "fail", "no database")
    said({"status": "pass"}, "pass")
    said({"throws": "db is gone"}, "fail", "isolate 0: TypeError: db is gone")
    said({"value": True}, "pass")
    said({"value": False}, "fail", "health() says so")
    said({"value": "warn"}, "warn")
    said({"value": "superb"}, "fail", "health() gave no true, false")
    said({"value": 7}, "fail", "health() gave no true, false")
    said({"status": "pass"}, "pass")
    long = said({"status": "fail", "reason": "a\nb" + "é" * 4000}, "fail", "a b")
    assert len(long["output"].encode()) <= 256
    # It hangs, and no second call is made; that is said for as long as it goes on.
    said({"hangs": True}, "fail", "health() has not answered within 300 ms")
    assert requests.post(service.url, json={"status": "pass"}).text == "ok"
    time.sleep(1.5)
    assert not ready(admin)
    assert service.end() == 0


def test_calls_of_health_are_no_traces(watched, target):
    service = watched(
        f"let calls = 0; export default {{ fetch: () => new Response(`${{calls}}`), async health() {{ await fetch('{target.url}'); calls++; }} }};"
    )
    wait_for(lambda: int(service.fetch("/calls")) > 3)
    wait_for(lambda: service.spans("/calls"))
    assert service.end() == 0
    assert not [span for span in service.receiver.spans if span.kind == 3], [span.name for span in service.receiver.spans]


def test_a_module_whose_health_is_no_function_is_served(watched):
    service = watched("export default { fetch: () => new Response('x'), health: { a: 1 } };")
    wait_for(lambda: ready(service.admin))
    assert component(service.admin, "program") is None


# ---- Checks ----


def test_checks_of_a_server_that_is_down_slow_and_talks_nonsense(watched, target):
    service = watched(health={"checks": {"api": {"http": target.url}, "port": {"tcp": f"127.0.0.1:{target.port}"}}})
    admin = service.admin
    wait_for(lambda: ready(admin))

    def shows(status, reason, name="api"):
        wait_for(lambda: (entry := component(admin, name))["status"] == status and reason in entry.get("output", ""))
        assert ready(admin) == (status != "fail")

    target.answer = (500, "text/plain", b"")
    shows("fail", "status 500")
    target.answer = (200, "application/health+json", json.dumps({"status": "warn", "output": "nearly full"}).encode())
    shows("warn", "nearly full")
    target.answer = (200, "application/health+json", b"[[[[")
    shows("fail", "application/health+json without a status")
    target.answer = (200, "text/plain", b"x" * (65 << 10))
    shows("fail", "larger than 65536 bytes")
    target.answer = (None, "", b"\x00\xff\x00 this is no HTTP\r\n\r\n")
    shows("fail", f"127.0.0.1:{target.port}")
    target.answer = (None, "", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
    shows("fail", f"127.0.0.1:{target.port}")
    target.answer = (301, "text/plain", b"")
    shows("pass", "")
    target.delay = 2
    shows("fail", "Timeout was reached")
    target.delay = 0
    shows("pass", "")
    assert component(admin, "port")["status"] == "pass"
    target.stop()
    shows("fail", "Couldn't connect")
    shows("fail", "Couldn't connect", "port")
    assert requests.get(admin + "/livez").status_code == 200
    text = requests.get(admin + "/metrics").text
    outcomes = set(re.findall(r'sidelight_health_checks_total\{check="api",outcome="(\w+)"\}', text))
    assert {"pass", "warn", "fail", "timeout", "connect", "too_large"} <= outcomes
    assert 'sidelight_health_status{component="api",status="fail"} 1' in text and "sidelight_health_ready 0" in text


def test_a_check_that_hangs_does_not_hold_up_the_service(watched):
    # It takes connections and says nothing.
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(16)
        port = silent.getsockname()[1]
        service = watched(health={"checks": {f"c{number}": {"http": f"http://127.0.0.1:{port}/", "timeout": "20s"} for number in range(30)}})
        begin = time.monotonic()
        for _ in range(50):
            assert service.fetch() == "hello"
            assert requests.get(service.admin + "/livez").status_code == 200
        assert component(service.admin, "c3")["status"] == "fail" and not ready(service.admin)
        assert time.monotonic() - begin < 20
        assert service.end() == 0


def test_what_flaps_is_held_down_and_let_go_later(watched, target):
    service = watched(health={"damping": "3s", "checks": {"api": {"http": target.url}}})
    admin = service.admin
    wait_for(lambda: ready(admin))
    for _ in range(8):
        target.answer = (500, "text/plain", b"")
        wait_for(lambda: component(admin, "api")["status"] == "fail")
        target.answer = (200, "text/plain", b"")
        if wait_for(lambda: (entry := component(admin, "api"))["status"] == "pass" or entry.get("flapping")) is True and not ready(admin):
            break
    assert component(admin, "api")["output"].startswith("flapping")
    assert 'sidelight_health_flapping{component="api"} 1' in requests.get(admin + "/metrics").text
    wait_for(lambda: ready(admin))
    assert "flapping" not in component(admin, "api")


def test_a_name_that_is_not_known_is_a_failure(watched):
    service = watched(health={"checks": {"dns": {"tcp": "no-such-host.invalid:5432", "timeout": "5s"}}})
    wait_for(lambda: "resolve" in (component(service.admin, "dns") or {}).get("output", ""))


def test_wrong_settings_are_told_with_their_place(sidelight):
    sidelight.write("app.mjs", HELLO)
    sidelight.write("bad.yaml", "health:\n  checks:\n    db: {tcp: nowhere}\n    heap: {tcp: 'h:1'}\n")
    result = sidelight("serve", "-c", "bad.yaml", "--admin", "off", "app.mjs")
    assert result.code == 2
    assert "bad.yaml:3:15: health.checks.db.tcp: \"nowhere\" is not HOST:PORT" in result.err
    assert "bad.yaml:4:5: health.checks.heap: this name is taken" in result.err


# ---- gRPC ----


@contextlib.contextmanager
def stub(place):
    with grpc.insecure_channel(place) as channel:
        yield health_pb2_grpc.HealthStub(channel)


def check(stub, service=""):
    return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10).status


def test_grpcs_health_client_checks_and_watches(watched, target):
    service = watched(health={"checks": {"api": {"http": target.url}}})
    wait_for(lambda: ready(service.admin))
    with stub(service.admin.removeprefix("http://")) as client:
        for name in ("", "liveness", "readiness", "startup", "workload", "api"):
            assert check(client, name) == SERVING, name
        with pytest.raises(grpc.RpcError) as error:
            check(client, "nobody")
        assert error.value.code() == grpc.StatusCode.NOT_FOUND
        listed = client.List(health_pb2.HealthListRequest(), timeout=10).statuses
        assert listed["api"].status == SERVING and "" in listed
        watches = {name: client.Watch(health_pb2.HealthCheckRequest(service=name), timeout=60) for name in ("", "api", "liveness", "nobody")}
        assert next(watches["nobody"]).status == SERVICE_UNKNOWN
        for name in ("", "api", "liveness"):
            assert next(watches[name]).status == SERVING
        target.answer = (500, "text/plain", b"")
        for name in ("", "api"):
            assert next(watches[name]).status == NOT_SERVING
        assert check(client) == NOT_SERVING and check(client, "liveness") == SERVING
        target.answer = (200, "text/plain", b"")
        for name in ("", "api"):
            assert next(watches[name]).status == SERVING
        for watch in watches.values():
            watch.cancel()
        # What ends is not to be sent any more.
        last = client.Watch(health_pb2.HealthCheckRequest(), timeout=60)
        assert next(last).status == SERVING
        service.process.send_signal(signal.SIGTERM)
        assert next(last).status == NOT_SERVING


def test_the_receiver_of_otlp_over_grpc_says_how_the_agent_is(agent, receiver):
    one = agent({"backend": receiver})
    wait_for(lambda: ready(url_of(one)))
    for place in (one.places["otlp-grpc"], one.places["admin"]):
        with stub(place) as client:
            assert check(client) == SERVING and check(client, "exporter/backend") == SERVING
    # Not one of HTTP alone.
    with stub(one.places["otlp-http"]) as client, pytest.raises(grpc.RpcError) as error:
        check(client)
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


# ---- An agent ----


def test_an_agents_backend_that_is_down_is_a_warning_and_then_a_failure(agent, sidelight):
    from agents import spans

    one = agent({"dead": {"kind": "otlp", "url": "http://127.0.0.1:9"}}, health={"outage": "2s"})
    admin = url_of(one)
    wait_for(lambda: ready(admin))
    assert report(admin)[0] == "pass"
    assert one.send(spans(1, 3))
    wait_for(lambda: component(admin, "exporter/dead")["status"] == "warn")
    wait_for(lambda: component(admin, "exporter/dead")["status"] == "fail")
    assert report(admin)[0] == "warn" and ready(admin)
    one.reload(health={"outage": "2s", "needs": ["exporters"]})
    wait_for(lambda: not ready(admin))
    assert "[-]exporter/dead failed: " in requests.get(admin + "/readyz").text
    assert requests.get(admin + "/livez").status_code == 200


def test_a_full_queue_is_not_ready(agent):
    from agents import spans

    one = agent({"dead": {"kind": "otlp", "url": "http://127.0.0.1:9", "queue": {"bytes": "1MB"}}}, store="off", receivers={"otlp-http": {"listen": "127.0.0.1:0", "body-max": "256KB"}})
    admin = url_of(one)
    wait_for(lambda: ready(admin))
    first = 1
    while one.send(spans(first, 200, attributes=[("filler", "x" * 400)])):
        first += 200
        assert first < 100_000
    wait_for(lambda: not ready(admin))
    assert "queue/dead failed: full: what comes is not taken" in requests.get(admin + "/readyz").text
    assert requests.get(admin + "/livez").status_code == 200


def test_a_configuration_that_was_not_taken_is_a_warning(agent, receiver, target):
    one = agent({"backend": receiver}, health={**QUICK, "checks": {"api": {"http": target.url}}})
    admin = url_of(one)
    wait_for(lambda: ready(admin))
    one.reload("refused", exporters={"backend": {"kind": "nonsense"}})
    wait_for(lambda: component(admin, "configuration")["status"] == "warn")
    assert ready(admin)
    # Checks come and go with the configuration.
    one.reload(exporters={}, health={**QUICK, "checks": {"other": {"tcp": "127.0.0.1:9"}}})
    wait_for(lambda: component(admin, "configuration")["status"] == "pass")
    wait_for(lambda: (component(admin, "other") or {}).get("status") == "fail")
    assert component(admin, "api") is None and not ready(admin)


# ---- sidelight health ----


def test_exec_probes(watched, sidelight, target):
    service = watched(health={"checks": {"api": {"http": target.url}}})
    wait_for(lambda: ready(service.admin))
    at = ("--admin", service.admin.removeprefix("http://"))
    whole = sidelight("health", *at)
    assert whole.code == 0 and re.search(r"^app: pass\n", whole.out) and re.search(r"^  api +pass +[\d.]+ ms$", whole.out, re.M), whole
    assert sidelight("health", "--ready", *at).out.splitlines()[0].endswith(": pass")
    assert sidelight("health", "--live", "--quiet", *at).out == ""
    assert sidelight("health", "--startup", *at).code == 0
    assert json.loads(sidelight("health", "--json", *at).out)["status"] == "pass"
    target.answer = (500, "text/plain", b"")
    wait_for(lambda: not ready(service.admin))
    failing = sidelight("health", "--ready", *at)
    assert failing.code == 1 and re.search(r"^  api +fail +[\d.]+ ms +status 500 \(since ", failing.out, re.M), failing
    assert sidelight("health", "--live", *at).code == 0
    whole = sidelight("health", *at)
    assert whole.code == 1 and re.search(r"^  api +fail +[\d.]+ ms +status 500 \(since ", whole.out, re.M), whole
    assert json.loads(sidelight("health", "--json", "--ready", *at).out)["checks"]["api:responseTime"][0]["status"] == "fail"


@pytest.mark.parametrize(
    "answer",
    [
        (200, "text/html", b"<h1>well</h1>"),
        (200, "application/json", b'{"status": "pass"}'),
        (200, "application/health+json", b'{"status": "pass", "serviceId": "db", "releaseId": "1", "checks": {}}'),
        (200, "application/health+json", b"[[["),
        (404, "text/plain", b"nothing here"),
    ],
    ids=str,
)
def test_another_server_is_no_agent(sidelight, target, answer):
    target.answer = answer
    place = f"127.0.0.1:{target.port}"
    for flags in ([], ["--ready"], ["--live", "--json"]):
        result = sidelight("health", "--admin", place, *flags)
        assert (result.code, result.out) == (1, ""), result
        assert result.err == f"sidelight: what answers at {place} is no Sidelight agent\n"
    assert sidelight("health", "--admin", place, "--quiet").err == ""


def test_a_registry_that_does_not_take_it_is_a_warning(watched, sidelight):
    service = watched(HELLO, "--register", "etcd=127.0.0.1:1", "--register", "file-sd=no-such-folder/places.json")
    for name, why in (("registry/etcd", "Couldn't connect"), ("registry/file-sd", "its folder is not there")):
        entry = wait_for(lambda: (entry := component(service.admin, name) or {}).get("status") == "warn" and entry)
        assert "cannot be kept registered: " in entry["output"] and why in entry["output"] and entry["affects"] == []
        assert why in service.err
    assert ready(service.admin)
    shown = sidelight("health", "--admin", service.admin.removeprefix("http://"))
    assert shown.code == 0 and re.search(r"^  registry/etcd +warn +.*127.0.0.1:1: Couldn't connect.* \(since ", shown.out, re.M), shown


def test_exec_probes_of_nobody_fail(sidelight):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        nobody = sidelight("health", "--admin", f"127.0.0.1:{port}")
        assert nobody.code == 1 and nobody.err.startswith(f"sidelight: no agent answers at 127.0.0.1:{port}: Couldn't connect"), nobody.err
        silent.listen(1)
        late = sidelight("health", "--admin", f"127.0.0.1:{port}", "--timeout", "200ms")
        assert late.code == 1 and "no agent answers" in late.err
        assert sidelight("health", "--quiet", "--admin", f"127.0.0.1:{port}", "--timeout", "100ms").err == ""
    both = sidelight("health", "--ready", "--live")
    assert both.code == 2 and "only one of them can be asked at a time" in both.err
    assert sidelight("health", "--timeout", "soon").code == 2


# ---- A service manager ----


class Manager:
    """Listens as systemd does."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        self.socket.settimeout(20)

    def next(self, *ignored):
        """The next message, as a mapping, that is none of these."""
        while True:
            lines = self.socket.recv(4096).decode().split("\n")
            message = dict(line.split("=", 1) for line in lines)
            if set(message) - set(ignored):
                return message


@pytest.mark.parametrize("is_abstract", [False, True])
def test_a_service_manager_is_told(serve, sidelight, target, is_abstract):
    address = f"@sidelight-test-{os.getpid()}" if is_abstract else str(sidelight.folder / "notify")
    manager = Manager(address)
    sidelight.write("health.yaml", json.dumps({"health": {**QUICK, "checks": {"api": {"http": target.url}}}}))
    service = serve(
        "export default { fetch: () => new Response(JSON.stringify(process.env)) };", *ADMIN, "-c", "health.yaml",
        env={"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "400000"},
    )  # fmt: skip
    message = manager.next("WATCHDOG", "STATUS")
    assert message["READY"] == "1" and message["STATUS"]
    # None of its children's business.
    assert "NOTIFY_SOCKET" not in service.fetch() and "WATCHDOG_USEC" not in service.fetch()
    for _ in range(3):
        assert manager.next("STATUS") == {"WATCHDOG": "1"}
    wait_for(lambda: ready(service.admin))
    target.answer = (500, "text/plain", b"")
    wait_for(lambda: manager.next("WATCHDOG")["STATUS"] == "not ready: api: status 500")
    target.answer = (200, "text/plain", b"")
    wait_for(lambda: manager.next("WATCHDOG")["STATUS"] == "ready")
    service.process.send_signal(signal.SIGHUP)
    reloading = manager.next("WATCHDOG", "STATUS")
    assert reloading["RELOADING"] == "1" and int(reloading["MONOTONIC_USEC"]) > 0
    assert manager.next("WATCHDOG", "STATUS") == {"READY": "1"}
    service.process.send_signal(signal.SIGTERM)
    assert manager.next("WATCHDOG") == {"STOPPING": "1", "STATUS": "ending"}
    assert service.end() == 0


def test_a_watchdog_hears_nothing_of_what_does_not_live(serve, sidelight):
    address = str(sidelight.folder / "notify")
    manager = Manager(address)
    sidelight.write("health.yaml", json.dumps({"health": {"stall": "1s"}}))
    service = serve(
        "export default { fetch() { for (;;); } };", *ADMIN, "-c", "health.yaml",
        env={"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "400000"},
    )  # fmt: skip
    assert manager.next("WATCHDOG", "STATUS")["READY"] == "1"
    service.later("/")
    wait_for(lambda: requests.get(service.admin + "/livez").status_code == 503)
    manager.socket.settimeout(0)
    with contextlib.suppress(BlockingIOError):
        while True:
            manager.socket.recv(4096)
    manager.socket.settimeout(20)
    # Its status, which says for how long, and nothing else.
    for _ in range(3):
        assert set(manager.next()) == {"STATUS"}


def test_an_agent_and_a_run_tell_their_service_manager(agent, sidelight, receiver):
    address = str(sidelight.folder / "notify")
    manager = Manager(address)
    os.environ["NOTIFY_SOCKET"] = address
    try:
        one = agent({"backend": receiver})
    finally:
        del os.environ["NOTIFY_SOCKET"]
    assert manager.next("STATUS")["READY"] == "1"
    one.reload()
    assert manager.next("STATUS")["RELOADING"] == "1"
    assert manager.next("STATUS") == {"READY": "1"}
    one.process.send_signal(signal.SIGTERM)
    # It may have seen by itself that the file is another, and have read it once more.
    wait_for(lambda: manager.next() == {"STOPPING": "1", "STATUS": "ending"})
    one.process.wait(20)
    sidelight.write("run.mjs", "setTimeout(() => {}, 1500); console.log(process.env.NOTIFY_SOCKET);")
    process = sidelight.start("run", "run.mjs", env={"NOTIFY_SOCKET": address}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert manager.next("STATUS")["READY"] == "1"
    assert process.communicate(timeout=20)[0] == "undefined\n"
    assert manager.next("STATUS", "READY")["STOPPING"] == "1"


@pytest.mark.parametrize("address", ["", "relative", "/no/such/place", "vsock:1:2", "/" + "x" * 200])
def test_a_service_manager_that_is_not_there_is_no_matter(serve, address):
    service = serve(HELLO, *ADMIN, env={"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "-5"})
    wait_for(lambda: ready(service.admin))
    assert service.fetch() == "hello"
    assert service.end() == 0
