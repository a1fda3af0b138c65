"""Programs that try to get out: Tests/Attack. Each is held, and leaves the record that it says."""

import collections
import http.server
import json
import re
import secrets
import signal
import threading

import attacks
import pytest
from serving import Service, wait_for

CASES = attacks.all_cases()


class Target:
    """A server on loopback that no case may reach."""

    def __init__(self):
        seen = self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append(f"{self.command} {self.path}")
                self.send_response(200)
                self.send_header("content-length", "7")
                self.end_headers()
                self.wfile.write(b"reached")

            do_POST = do_PUT = do_HEAD = do_DELETE = do_OPTIONS = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def target():
    made = Target()
    yield made
    made.close()


def run(case, sidelight, receiver, entry, arguments, env):
    result = sidelight("run", *arguments, *receiver.export(), entry.name, env=env)
    lines = result.out.splitlines()
    if case.expect == "refused":
        assert case.exit in (2, 3) and not lines, result
    elif case.expect:
        assert lines and lines[-1] == case.expect, result
    assert result.code == (case.exit or 0), result
    return result.out, result.err


def serve(case, sidelight, receiver, entry, arguments, env):
    service = Service(sidelight, entry.name, *arguments, receiver=receiver, env=env)
    said = []
    try:
        for method, path, status, body in case.requests:
            answer = service.get(path, method=method)
            text = answer[2].decode(errors="replace") if isinstance(answer[2], (bytes, bytearray)) else str(answer[2])
            said.append(text)
            assert answer[0] == status, (method, path, answer, service.err)
            assert body is None or text.strip() == body, (method, path, answer, service.err)
            if status == 503:
                # A worker that is replaced says so to nobody: its successor answers.
                wait_for(lambda: service.workers)
        code = service.end(signal.SIGTERM)
        assert code == (case.exit or 0), service.err
    finally:
        service.kill()
    return "\n".join(said), service.err


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_held(case, sidelight, receiver, target, tmp_path):
    canary = "canary-" + secrets.token_hex(12)
    secret = tmp_path / "outside" / "secret.txt"
    secret.parent.mkdir()
    secret.write_text(canary)
    sidelight.folder = tmp_path / "inside"
    sidelight.folder.mkdir()
    replaced = {"$TARGET": f"http://127.0.0.1:{target.port}", "$PORT": str(target.port), "$SECRET": str(secret)}
    entry, arguments = case.place(sidelight.folder, replaced)
    env = {"CANARY": canary, "OTEL_BSP_SCHEDULE_DELAY": 50, **case.env}
    out, err = (run if case.command == "run" else serve)(case, sidelight, receiver, entry, arguments, env)

    assert "ESCAPED" not in out + err, (out, err)
    assert bool(target.seen) == case.is_reached, target.seen
    with receiver.lock:
        logs, spans = list(receiver.logs), list(receiver.spans)
    told = out + err + json.dumps([[log.body, log.attributes] for log in logs], default=str)
    told += json.dumps([[span.name, span.attributes, span.events] for span in spans], default=str)
    assert canary not in told

    found = collections.defaultdict(set)
    for log in logs:
        if log.event_name == "sidelight.violation":
            found["violation"].add(log.attributes["sidelight.policy.permission"])
        elif log.event_name == "sidelight.limit":
            found["limit"].add(log.attributes["sidelight.limit.name"])
    assert found["violation"] >= set(case.violations), (found, err)
    assert found["limit"] >= set(case.hits), (found, err)
    outcomes = {span.attributes.get("sidelight.outcome") for span in spans}
    assert outcomes >= set(case.outcomes), (outcomes, err)
    for pattern in case.stderr:
        assert re.search(pattern, err), err
    if case.violations or case.hits:
        audited = sidelight("audit", "ls", "--json")
        kinds = {json.loads(line)["kind"] for line in audited.out.splitlines()}
        assert kinds >= ({"violation"} if case.violations else set()) | ({"limit"} if case.hits else set()), audited


def test_there_are_enough_of_them():
    """The suite is a promise: docs/security.md says how many there are."""
    classes = collections.Counter(case.name.split("/")[0] for case in CASES)
    assert len(CASES) >= 150, classes
