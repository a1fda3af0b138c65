"""The policy's gate where it needs others: redirects, names that lead elsewhere, proxies, folders of WASI. Tests/Attack has what a program can try alone."""

import http.server
import json
import socket
import threading

import pytest


class Server:
    """Answers what it is told to, and keeps what it was asked."""

    def __init__(self, host="127.0.0.1"):
        self.seen, self.location = [], None
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                server.seen.append(self.path)
                self.send_response(302 if server.location else 200)
                if server.location:
                    self.send_header("location", server.location)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            do_POST = do_CONNECT = do_GET

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer((host, 0), Handler)
        self.port = self.http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def servers():
    made = [Server(), Server()]
    yield made
    for server in made:
        server.close()


@pytest.fixture
def run(sidelight, receiver):
    """Runs a program under a policy; what it prints last is JSON."""

    def run(policy, text, env={}, code=0):
        (sidelight.folder / "policy.yaml").write_text(json.dumps(policy))
        path = sidelight.write("program.mjs", text)
        done = sidelight("run", "--policy", "policy.yaml", *receiver.export(), path, env=env)
        assert done.code == code, done.err
        return json.loads(done.out.splitlines()[-1])

    return run


def violations(receiver):
    with receiver.lock:
        return [log for log in receiver.logs if log.event_name == "sidelight.violation"]


TRY = "const tell = (p) => p.then(async (r) => `${r.status} ${await r.text()}`, (e) => `${e.name} ${e.code} ${e.permission}: ${e.message}`);\n"


def test_a_redirect_is_asked_for_anew(run, servers, receiver):
    allowed, other = servers
    allowed.location = other.url + "secret"
    policy = {"network": {"private": [f"127.0.0.1:{allowed.port}"]}}
    said = run(policy, f"{TRY} console.log(JSON.stringify(await tell(fetch('{allowed.url}'))));")
    assert said.startswith("TypeError ERR_ACCESS_DENIED network"), said
    assert allowed.seen == ["/"] and other.seen == []
    (found,) = violations(receiver)
    assert found.attributes["sidelight.policy.target"] == f"127.0.0.1:{other.port}"


def test_a_name_that_leads_to_a_private_address_is_found_out_as_it_connects(run, servers, receiver):
    name = socket.gethostname()
    try:
        address = socket.getaddrinfo(name, None, socket.AF_INET)[0][4][0]
    except OSError:
        pytest.skip("this machine does not know its own name")
    server = Server("0.0.0.0")
    try:
        policy = {"network": {"allow": [f"http://{name}:*"]}}
        url = f"http://{name}:{server.port}/"
        said = run(policy, f"{TRY} console.log(JSON.stringify(await tell(fetch('{url}'))));")
        assert said.startswith("TypeError ERR_ACCESS_DENIED network"), (said, address)
        assert server.seen == []
        (found,) = violations(receiver)
        assert found.attributes["sidelight.policy.permission"] == "network"
        # Named as private, it may be reached; also over a connection that is kept.
        policy["network"]["private"] = [f"{name}:*"]
        said = run(policy, f"{TRY} console.log(JSON.stringify([await tell(fetch('{url}')), await tell(fetch('{url}'))]));")
        assert said == ["200 ok", "200 ok"]
    finally:
        server.close()


def test_a_proxy_of_the_environment_is_not_used(run, servers):
    proxy, _ = servers
    env = {"http_proxy": proxy.url, "https_proxy": proxy.url, "all_proxy": proxy.url, "HTTP_PROXY": proxy.url}
    policy = {"network": {"allow": ["192.0.2.1.example"]}}
    said = run(policy, f"{TRY} console.log(JSON.stringify(await tell(fetch('http://192.0.2.1.example/'))));", env=env)
    assert said.startswith("TypeError"), said
    assert proxy.seen == []


def test_what_is_refused_is_counted_and_an_event_of_its_span(run, servers, receiver):
    said = run(
        {"modules": ["@opentelemetry/api"]},
        f"import {{ trace }} from '@opentelemetry/api';\n{TRY}"
        f"for (let i = 0; i < 500; i++) await tell(fetch('{servers[0].url}'));"
        f"console.log(JSON.stringify(await trace.getTracer('t').startActiveSpan('asks', async (span) => {{"
        f"    const said = await tell(fetch('{servers[1].url}')); span.end(); return said; }})));",
    )
    assert said.startswith("TypeError ERR_ACCESS_DENIED network"), said
    assert 2 <= len(violations(receiver)) <= 10
    with receiver.lock:
        (asks,) = [span for span in receiver.spans if span.name == "asks"]
    assert [event[1] for event in asks.events] == ["sidelight.violation"]
    assert servers[0].seen == servers[1].seen == []
