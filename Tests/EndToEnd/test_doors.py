"""The agent's own doors: tokens, TLS, clients' certificates, pages of others, limits of clients. docs/security.md."""

import errno
import json
import os
import re
import socket
import ssl
import subprocess

import grpc
import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

import certificates
from agents import Agent, spans
from serving import wait_for

READ, INGEST, ADMIN = "reading-0123456789", "ingest-0123456789ab", "admin-0123456789abc"
TOKENS = [
    {"name": "viewer", "token": READ, "allow": ["read"]},
    {"name": "apps", "token": INGEST, "allow": ["ingest"]},
    {"name": "boss", "token": ADMIN, "allow": ["admin"]},
]
PROTOBUF = {"content-type": "application/x-protobuf"}


class Guarded(Agent):
    """An agent whose places are spoken to as the test likes."""

    scheme = "http"

    def url(self, receiver, path):
        return f"{self.scheme}://{self.places[receiver]}{path}"

    def refused(self, reason, **options):
        text = requests.get(self.url("admin", "/metrics"), **options).text
        return int(re.search(rf'^sidelight_server_refused_total\{{reason="{reason}"\}} (\d+)', text, re.M)[1])


@pytest.fixture
def agent(sidelight):
    made = []

    def start(*, scheme="http", **settings):
        made.append(Guarded(sidelight, **settings))
        made[-1].scheme = scheme
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            assert one.end() == 0, one.err


@pytest.fixture
def files(tmp_path):
    """A server's certificate and key, who signs clients, and a client's certificate and key."""
    folder = tmp_path / "tls"
    folder.mkdir()
    made = certificates.Certificates(folder)
    chain, key, root = made.chain()
    request = folder / "client.csr"
    certificates.openssl("req", *certificates.KINDS["ecdsa"], "-nodes", "-keyout", folder / "client.key", "-out", request, "-subj", "/CN=shop 1")
    certificates.openssl(
        "x509", "-req", "-in", request, "-CA", root, "-CAkey", folder / "root.key", "-days", 30, "-out", folder / "client.pem", "-CAcreateserial"
    )
    return {"cert": str(chain), "key": str(key), "ca": str(root), "client": (str(folder / "client.pem"), str(folder / "client.key"))}


def bearer(token):
    return {"authorization": f"Bearer {token}"}


# -- tokens


def test_each_token_opens_what_it_is_for(agent, sidelight):
    one = agent(security={"tokens": TOKENS})
    metrics, levels, traces = one.url("admin", "/metrics"), one.url("admin", "/api/v1/loglevel"), one.url("otlp-http", "/v1/traces")
    change = {"json": {"store": "debug"}}
    body = spans(1, 1).SerializeToString()
    for token, status in [(None, 401), ("wrong-0123456789ab", 401), (INGEST, 403), (READ, 200), (ADMIN, 200)]:
        headers = bearer(token) if token else {}
        assert requests.get(metrics, headers=headers).status_code == status, token
    for token, status in [(None, 401), (INGEST, 403), (READ, 403), (ADMIN, 200)]:
        assert requests.put(levels, headers=bearer(token) if token else {}, **change).status_code == status, token
    for token, status in [(None, 401), (READ, 403), (ADMIN, 403), (INGEST, 200)]:
        answer = requests.post(traces, data=body, headers={**PROTOBUF, **(bearer(token) if token else {})})
        assert answer.status_code == status, token
        assert answer.headers["content-type"] == PROTOBUF["content-type"]
    refused = requests.get(metrics)
    assert refused.headers["www-authenticate"] == 'Bearer realm="sidelight"' and "token" in refused.text
    # Probes tell no more than whether somebody is at home.
    assert requests.get(one.url("admin", "/livez")).status_code == 200
    assert requests.get(one.url("admin", "/healthz")).status_code == 401
    assert one.refused("unauthenticated", headers=bearer(READ)) == 6
    assert one.refused("forbidden", headers=bearer(READ)) == 5
    one.end()
    record = sidelight("audit", "ls", "--json").out
    assert "boss" in record and "store=debug" in record and "viewer" in record and "invalid" not in record
    for token in (READ, INGEST, ADMIN):
        assert token not in record and token not in one.err


def test_grpc_is_told_in_its_own_words(agent):
    one = agent(security={"tokens": TOKENS})
    with grpc.insecure_channel(one.places["otlp-grpc"]) as channel:
        stub = TraceServiceStub(channel)
        with pytest.raises(grpc.RpcError) as none:
            stub.Export(spans(1, 1))
        assert none.value.code() == grpc.StatusCode.UNAUTHENTICATED and "token" in none.value.details()
        with pytest.raises(grpc.RpcError) as other:
            stub.Export(spans(1, 1), metadata=[("authorization", f"Bearer {READ}")])
        assert other.value.code() == grpc.StatusCode.PERMISSION_DENIED
        stub.Export(spans(1, 1), metadata=[("authorization", f"Bearer {INGEST}")])
        # Probes have no tokens.
        assert channel.unary_unary("/grpc.health.v1.Health/Check")(b"") == b"\x08\x01"


def test_commands_show_their_token(agent, sidelight):
    one = agent(security={"tokens": TOKENS})
    place = one.places["admin"]
    without = sidelight("loglevel", "--admin", place)
    assert without.code == 1 and "a token is needed" in without.err
    assert sidelight("health", "--admin", place).code == 1
    assert sidelight("health", "--admin", place, env={"SIDELIGHT_TOKEN": READ}).code == 0
    assert sidelight("loglevel", "--admin", place, "--token", READ).code == 0
    assert sidelight("loglevel", "--admin", place, "store=info", env={"SIDELIGHT_TOKEN": READ}).code == 1
    assert sidelight("loglevel", "--admin", place, "store=info", env={"SIDELIGHT_TOKEN": ADMIN}).code == 0
    assert sidelight("top", "--once", "--interval", "100ms", "--admin", place, env={"SIDELIGHT_TOKEN": READ}).code == 0
    assert sidelight("top", "--once", "--interval", "100ms", "--admin", place).code == 1
    bad = sidelight("health", "--admin", place, "--token", "a\nb: c")
    assert bad.code == 2 and "no token has" in bad.err


def test_tokens_are_read_anew_and_told_to_nobody(agent, sidelight):
    sidelight.write("token", READ + "\n")
    one = agent(security={"tokens": [{"name": "viewer", "file": "token", "allow": "read"}]})
    url = one.url("admin", "/metrics")
    assert requests.get(url, headers=bearer(READ)).status_code == 200
    sidelight.write("token", "another-0123456789\n")
    one.process.send_signal(1)
    wait_for(lambda: requests.get(url, headers=bearer("another-0123456789")).status_code == 200)
    assert requests.get(url, headers=bearer(READ)).status_code == 401
    printed = sidelight("config", "print")
    assert printed.code == 0 and "another-0" not in printed.out and "viewer" in printed.out
    assert READ not in one.err and "another-0" not in one.err


@pytest.mark.parametrize("settings", [{"admin": "0.0.0.0:0"}, {"receivers": {"zipkin": "0.0.0.0:0"}}, {"admin": "[::]:0"}])
def test_no_door_is_open_to_other_machines_unasked(sidelight, settings):
    sidelight.write("a.yaml", json.dumps({"admin": "127.0.0.1:0", "receivers": {}, **settings}))
    done = sidelight("agent", "-c", "a.yaml")
    assert done.code == 2 and "open to other machines" in done.err and "--insecure" in done.err
    assert sidelight("check", "config", "a.yaml").code != 0
    sidelight.write("b.yaml", json.dumps({"admin": "127.0.0.1:0", "receivers": {}, **settings, "security": {"insecure": True}}))
    assert sidelight("check", "config", "b.yaml").code == 0


def test_a_workloads_admin_port_is_a_door_too(serve, sidelight):
    refused = sidelight("serve", "--admin", "0.0.0.0:0", "none.js")
    assert refused.code == 2 and "open to other machines" in refused.err
    sidelight.write("s.yaml", json.dumps({"security": {"tokens": TOKENS}}))
    service = serve("export default { fetch() { return new Response('x'); } };", "--admin", "127.0.0.1:0", "-c", "s.yaml")
    assert requests.get(service.admin + "/metrics").status_code == 401
    assert requests.get(service.admin + "/metrics", headers=bearer(READ)).status_code == 200
    assert requests.get(service.url + "/").status_code == 200


def test_a_workloads_tokens_are_read_anew(serve, sidelight):
    sidelight.write("token", READ + "\n")
    sidelight.write("s.yaml", json.dumps({"security": {"tokens": [{"name": "viewer", "file": "token", "allow": "read"}]}}))
    service = serve("export default { fetch() { return new Response('x'); } };", "--admin", "127.0.0.1:0", "-c", "s.yaml")
    url = service.admin + "/metrics"
    assert requests.get(url, headers=bearer(READ)).status_code == 200
    sidelight.write("token", "another-0123456789\n")
    service.process.send_signal(1)
    wait_for(lambda: requests.get(url, headers=bearer("another-0123456789")).status_code == 200)
    assert requests.get(url, headers=bearer(READ)).status_code == 401


def test_tokens_that_cannot_be_read_anew_stay_and_it_is_told(serve, sidelight):
    sidelight.write("token", READ + "\n")
    sidelight.write("policy.yaml", "base: standard\n")
    sidelight.write("s.yaml", json.dumps({"policy": "policy.yaml", "security": {"tokens": [{"name": "viewer", "file": "token", "allow": "read"}]}}))
    service = serve("export default { fetch() { return new Response('x'); } };", "--admin", "127.0.0.1:0", "-c", "s.yaml")
    url = service.admin + "/metrics"
    sidelight.write("token", "another-0123456789\n")
    sidelight.write("policy.yaml", "base: none of them\n")
    service.process.send_signal(1)
    wait_for(lambda: "with the tokens before: the configuration is not valid" in service.err)
    assert requests.get(url, headers=bearer(READ)).status_code == 200
    assert requests.get(url, headers=bearer("another-0123456789")).status_code == 401


def test_a_workload_does_not_get_the_operators_token(sidelight):
    sidelight.write("a.mjs", "console.log(String(process.env.SIDELIGHT_TOKEN), process.env.OTHER);")
    assert sidelight("run", "a.mjs", env={"SIDELIGHT_TOKEN": READ, "OTHER": "there"}).out == "undefined there\n"


# -- TLS


def test_all_doors_speak_tls(agent, files):
    one = agent(scheme="https", security={"tls": {"cert": files["cert"], "key": files["key"]}})
    trust = {"verify": files["ca"]}
    assert requests.get(one.url("admin", "/livez"), **trust).status_code == 200
    large = spans(1, 20_000, attributes=[("key", "x" * 100)]).SerializeToString()
    assert len(large) > 3 << 20
    assert requests.post(one.url("otlp-http", "/v1/traces"), data=large, headers=PROTOBUF, **trust).status_code == 200
    records = [{"timeUnixNano": str(1_700_000_000_000_000_000 + number), "body": {"stringValue": f"{number} " + "x" * 500}} for number in range(1_000)]
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    assert requests.post(one.url("otlp-http", "/v1/logs"), json=logs, **trust).status_code == 200
    many = one.url("admin", "/api/v1/logs?limit=1000")
    answer = wait_for(lambda: (got := requests.get(many, **trust)).status_code == 200 and len(got.json()["logs"]) == 1_000 and got)
    assert len(answer.content) > 500_000
    # Events, piece by piece.
    with requests.get(one.url("admin", "/api/v1/logs/tail"), stream=True, **trust) as stream:
        lines = stream.iter_lines()
        assert next(lines) == b": following"
        assert requests.post(one.url("otlp-http", "/v1/logs"), json=logs, **trust).status_code == 200
        assert next(line for line in lines if line.startswith(b"data: ")).count(b"x") > 400
    # HTTP/2 by ALPN, as every gRPC client wants it.
    credentials = grpc.ssl_channel_credentials(open(files["ca"], "rb").read())
    with grpc.secure_channel(one.places["otlp-grpc"], credentials) as channel:
        TraceServiceStub(channel).Export(spans(30_000, 500))
    done = subprocess.run(
        ["curl", "-sS", "--cacert", files["ca"], "-o", os.devnull, "-w", "%{http_version}", one.url("admin", "/metrics")], capture_output=True, text=True
    )
    assert done.stdout == "2", done
    # No other TLS than that of today.
    for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = certificates.client(version)
        host, port = one.places["admin"].split(":")
        with socket.create_connection((host, int(port)), timeout=10) as plain:
            try:
                with context.wrap_socket(plain) as secured:
                    assert secured.selected_alpn_protocol() == "http/1.1"
                    spoken = secured.version()
            except (ssl.SSLError, ConnectionError):
                spoken = None
        assert (spoken is None) == (version == ssl.TLSVersion.TLSv1_1)


def test_what_is_no_tls_is_told_so_or_cut_off(agent, files):
    one = agent(scheme="https", security={"tls": {"cert": files["cert"], "key": files["key"]}})
    place = one.places["admin"].split(":")
    place = (place[0], int(place[1]))

    def say(data):
        with socket.create_connection(place, timeout=10) as connection:
            received = b""
            try:  # whose first bytes are no TLS may be cut off before the rest is sent
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while piece := connection.recv(65536):
                    received += piece
            except OSError as error:
                assert error.errno in (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN), error
            return received

    answer = say(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ") and b"https://" in answer
    hello = bytes.fromhex("1603010200010001fc0303") + bytes(80)
    for data in (b"\x00" * 4000, b"\x16\x03\x01", hello, b"\xff" + os.urandom(50_000), b"\x16\x03\x01\xff\xff" + os.urandom(70_000), b"\x80\x2e\x01\x00\x02" + bytes(40)):
        assert b"HTTP" not in say(data)
    assert requests.get(one.url("admin", "/livez"), verify=files["ca"]).status_code == 200
    assert one.refused("tls", verify=files["ca"]) >= 3


def test_who_has_no_certificate_does_not_come_in(agent, files, sidelight):
    one = agent(scheme="https", security={"tls": {"cert": files["cert"], "key": files["key"], "client-ca": files["ca"]}})
    url = one.url("admin", "/metrics")
    with pytest.raises((requests.exceptions.SSLError, requests.exceptions.ConnectionError)):
        requests.get(url, verify=files["ca"])
    assert requests.get(url, verify=files["ca"], cert=files["client"]).status_code == 200
    # One that somebody else has signed.
    other = sidelight.folder / "other"
    other.mkdir()
    pair = certificates.Certificates(other).pair("stranger")
    with pytest.raises((requests.exceptions.SSLError, requests.exceptions.ConnectionError)):
        requests.get(url, verify=files["ca"], cert=tuple(map(str, pair)))
    place = "https://" + one.places["admin"]
    tls = ["--admin", place, "--ca", files["ca"], "--cert", files["client"][0], "--key", files["client"][1]]
    assert sidelight("health", *tls).code == 0
    assert sidelight("loglevel", *tls, "store=info").code == 0
    assert sidelight("top", "--once", "--interval", "100ms", *tls).code == 0
    for command in (["health"], ["top", "--once"], ["loglevel"]):
        for arguments, said in [(tls[:4], "--cert"), (["--admin", place], "--ca"), (["--admin", one.places["admin"]], "https://")]:
            done = sidelight(*command, *arguments)
            assert done.code == 1 and said in done.err, (command, arguments, done.err)
    assert sidelight("health", *tls[:6]).code == 2
    assert one.refused("tls", verify=files["ca"], cert=files["client"]) >= 2
    one.end()
    record = sidelight("audit", "ls", "--json").out
    assert "no certificate was shown" in record and "does not lead to client-ca" in record and '"handshake"' in record


def test_another_certificate_is_taken_while_it_runs(agent, files, sidelight):
    own = sidelight.folder / "own"
    own.mkdir()
    first = certificates.Certificates(own).pair("first")
    second = certificates.Certificates(own).pair("second")
    cert, key = own / "now.pem", own / "now.key"
    cert.write_bytes(first[0].read_bytes())
    key.write_bytes(first[1].read_bytes())
    one = agent(scheme="https", security={"tls": {"cert": str(cert), "key": str(key), "doors": ["admin"]}})
    host, port = one.places["admin"].split(":")
    shown = lambda: ssl.get_server_certificate((host, int(port))).strip()
    assert shown() == first[0].read_text().strip()
    # Receivers are no doors of it.
    assert requests.post(f"http://{one.places['otlp-http']}/v1/traces", data=spans(1, 1).SerializeToString(), headers=PROTOBUF).status_code == 200
    cert.write_text("nonsense")
    one.process.send_signal(1)
    wait_for(lambda: "security.tls.cert" in one.err and "goes on with the configuration before" in one.err)
    assert shown() == first[0].read_text().strip()
    cert.write_bytes(second[0].read_bytes())
    key.write_bytes(second[1].read_bytes())
    one.process.send_signal(1)
    wait_for(lambda: shown() == second[0].read_text().strip())


def test_files_that_cannot_be_used_are_named(sidelight, files):
    def start(**tls):
        sidelight.write("a.yaml", json.dumps({"admin": "127.0.0.1:0", "receivers": {}, "security": {"tls": tls}}))
        return sidelight("agent", "-c", "a.yaml")

    good = {"cert": files["cert"], "key": files["key"]}
    for changed, said in [
        ({"cert": "none.pem"}, "security.tls.cert: none.pem: "), ({"key": files["client"][1]}, "it is not the key of the certificate"),
        ({"cert": files["key"]}, "there is no PEM certificate"), ({"key": files["cert"]}, "there is no PEM private key"),
        ({"client-ca": files["key"]}, "security.tls.client-ca: "),
    ]:  # fmt: skip
        done = start(**{**good, **changed})
        assert done.code == 2 and said in done.err, (changed, done.err)
        for reader in ("agent", "serve"):
            checked = sidelight("check", "config", "--for", reader, "a.yaml")
            assert checked.code == 2 and said in checked.out and "a.yaml:1:" in checked.out, (changed, reader, checked.out)
    # All at once, whatever else is wrong.
    text = {"tokens": [{"name": "a", "file": "none.token", "allow": "read"}], "tls": {"cert": "none.pem", "key": "none.key"}}
    sidelight.write("a.yaml", json.dumps({"security": text}))
    for reader in ("agent", "serve"):
        checked = sidelight("check", "config", "--for", reader, "a.yaml")
        assert checked.code == 2 and all(name in checked.out for name in ("none.token", "none.pem", "none.key")), checked.out


# -- browsers, clients


def test_pages_of_others_get_nothing(agent, sidelight):
    one = agent()
    metrics, traces = one.url("admin", "/metrics"), one.url("otlp-http", "/v1/traces")
    for site, mode, status in [("cross-site", "no-cors", 403), ("same-site", "cors", 403), ("cross-site", "navigate", 200), ("same-origin", "cors", 200), ("none", "navigate", 200)]:
        assert requests.get(metrics, headers={"sec-fetch-site": site, "sec-fetch-mode": mode}).status_code == status, (site, mode)
    body = spans(1, 1).SerializeToString()
    assert requests.post(traces, data=body, headers={**PROTOBUF, "origin": "https://evil.example"}).status_code == 403
    # The trick that needs no preflight: no content type, which Zipkin's senders may leave out.
    spanned = b'[{"traceId":"0000000000000001","id":"0000000000000001","name":"x"}]'
    request = requests.Request("POST", one.url("zipkin", "/api/v2/spans"), data=spanned, headers={"origin": "http://localhost:8000"}).prepare()
    assert requests.Session().send(request).status_code == 403
    assert requests.post(one.url("zipkin", "/api/v2/spans"), data=spanned).status_code == 202
    page = requests.get(one.url("admin", "/"))
    assert page.headers["x-frame-options"] == "DENY" and page.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert requests.get(one.url("admin", "/"), headers={"host": "evil.example"}).status_code == 421
    assert one.refused("host") == 1 and one.refused("origin") == 4
    one.end()
    record = [json.loads(line) for line in sidelight("audit", "ls", "--kind", "admin", "--json").out.splitlines()]
    reasons = [entry["reason"] for entry in record if entry["outcome"] == "refused"]
    assert sum("not for web pages" in reason for reason in reasons) == 2 and sum("no port of that host" in reason for reason in reasons) == 1


def test_a_client_that_takes_too_much_is_told_so(agent):
    one = agent(security={"per-client": {"requests-per-second": 5, "connections": 4}})
    traces = one.url("otlp-http", "/v1/traces")
    body = spans(1, 1).SerializeToString()
    with requests.Session() as session:
        answers = [session.post(traces, data=body, headers=PROTOBUF) for _ in range(60)]
    codes = [answer.status_code for answer in answers]
    assert codes[0] == 200 and codes.count(429) > 20
    assert answers[codes.index(429)].headers["retry-after"] == "1"
    host, port = one.places["otlp-http"].split(":")
    held = [socket.create_connection((host, int(port)), timeout=10) for _ in range(4)]
    with socket.create_connection((host, int(port)), timeout=10) as turned:
        assert turned.recv(100).startswith(b"HTTP/1.1 503 ")
    for connection in held:
        connection.close()


@pytest.mark.parametrize(
    "path", ["/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/api/v1/traces/../../../etc/passwd", "//etc/passwd", "/api/v1/traces/%00", "/api\\..\\x", "/api/v1/traces/..%2f..%2fx"]
)
def test_paths_lead_nowhere(agent, path):
    one = agent()
    host, port = one.places["admin"].split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.split()[1] in (b"400", b"404"), answer
    assert b"root:" not in answer and b"\x00" not in answer


# -- what is recorded does not steer the terminal that shows it


EVIL = "\x1b]0;owned\x07\x1b[2Jred\x1b[31m\x9b31mC1\u202egnp.exe\u2066x\u200b\r\x08\x7f"


def test_nothing_recorded_steers_a_terminal(agent, sidelight):
    one = agent()
    request = spans(1, 2, service="shop" + EVIL, attributes=[("key" + EVIL, "value" + EVIL)])
    for span in request.resource_spans[0].scope_spans[0].spans:
        span.name = "name" + EVIL
        span.status.code = 2
        span.status.message = "why" + EVIL
        event = span.events.add(name="exception")
        for key, value in (("exception.type", "Type" + EVIL), ("exception.message", EVIL), ("exception.stacktrace", f"Type: {EVIL}\n    at f{EVIL} (/a{EVIL}.js:1:2)")):
            event.attributes.add(key=key).value.string_value = value
    assert one.send(request)
    log = {"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop" + EVIL}}]}, "scopeLogs": [{"scope": {"name": EVIL}, "logRecords": [
        {"timeUnixNano": "1700000000000000000", "severityNumber": 17, "severityText": EVIL, "body": {"stringValue": "text" + EVIL}, "attributes": [{"key": "a" + EVIL, "value": {"stringValue": EVIL}}]},
        {"timeUnixNano": "1700000000000000000", "body": {"kvlistValue": {"values": [{"key": "k" + EVIL, "value": {"stringValue": EVIL}}]}}},
    ]}]}]}  # fmt: skip
    assert requests.post(one.url("otlp-http", "/v1/logs"), json=log).status_code == 200
    place = one.places["admin"]
    trace = wait_for(lambda: (found := sidelight("trace", "ls", "--json")).code == 0 and "name" in found.out and json.loads(found.out))[0]["traceId"]
    wait_for(lambda: "text" in sidelight("tail").out)
    fingerprint = wait_for(lambda: re.search(r"^\W*([0-9a-f]{8,16})\b", sidelight("errors").out, re.M))
    commands = [
        ["trace", "ls"], ["trace", "ls", "--json"], ["trace", "show", trace], ["trace", "show", trace, "--json"], ["trace", "show", "latest"], ["tail"], ["tail", "--json"],
        ["tail", "--search", "text"], ["logs", "patterns"], ["logs", "patterns", "--json"], ["errors"], ["errors", "--json"], ["health", "--admin", place], ["health", "--json", "--admin", place],
        ["drops", "--admin", place], ["drops", "--json", "--admin", place], ["loglevel", "--admin", place], ["top", "--once", "--interval", "100ms", "--admin", place],
        ["trace", "show", EVIL], ["tail", "--trace", EVIL], ["health", "--admin", EVIL], [EVIL], ["check", "config", EVIL], ["agent", "-c", EVIL], ["top", "--sort", EVIL],
    ]  # fmt: skip
    if fingerprint:
        commands += [["errors", "show", fingerprint[1]], ["errors", "show", fingerprint[1], "--json"]]
    steering = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffd]")
    for command in commands:
        for color in ({}, {"NO_COLOR": "", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}):
            done = sidelight(*command, env=color)
            text = re.sub(r"\x1b\[[0-9;]*m", "", done.out + done.err) if color else done.out + done.err
            assert not (found := steering.search(text)), (command, color, found, text)
    assert "\x1b" not in one.err and "\x9b" not in one.err


def test_what_is_kept_is_nobody_elses_to_read(agent, sidelight):
    folder = sidelight.folder / "kept"
    folder.mkdir(mode=0o755)
    one = agent(store=str(folder), queue={"directory": str(folder / "queue")}, exporters={"console": {"stream": "stderr"}})
    assert one.send(spans(1, 1))
    wait_for(lambda: (folder / "sidelight.db").exists() and (folder / "queue").is_dir())
    for path in folder.rglob("*"):
        if path.name.removesuffix(".new") == "key.pub.pem":
            continue
        try:
            mode = path.stat().st_mode & 0o777
        except FileNotFoundError:
            continue  # it was there for a moment
        assert mode == (0o700 if path.is_dir() else 0o600), (path, oct(mode))
