"""The audit log: what is put on record, and that whoever changes it is found out."""

import hashlib
import json
import re
import shutil
import signal
import socket
import subprocess

import pytest
from serving import Service, wait_for

MODULE = "export default { fetch() { return new Response('x') } }\n"


def log_of(sidelight):
    return sorted((sidelight.folder / ".sidelight/audit").glob("*.jsonl"))[-1]


def entries(sidelight, *arguments):
    done = sidelight("audit", "ls", "--json", *arguments)
    assert done.code == 0, done
    return [json.loads(line) for line in done.out.splitlines()]


@pytest.fixture
def served(sidelight):
    """A log of two services, one after the other."""
    sidelight.write("app.mjs", MODULE)
    for _ in range(2):
        service = Service(sidelight, "app.mjs")
        assert service.end(signal.SIGTERM) == 0
    return sidelight


def test_start_and_stop_are_on_record(served):
    found = entries(served)
    assert [entry["kind"] for entry in found] == ["start", "stop", "integrity"] * 2
    assert [entry["seq"] for entry in found] == [1, 2, 3, 4, 5, 6]
    assert found[0]["action"] == "serve" and found[0]["target"] == "app.mjs" and found[0]["attributes"]["pid"] > 0
    verdict = served("audit", "verify", "--json").json
    assert verdict["sound"] and verdict["entries"] == 6 and verdict["unsigned"] == 0 and verdict["signatures"] == 3
    folder = served.folder / ".sidelight/audit"
    assert folder.stat().st_mode & 0o777 == 0o700 and (folder / "key.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here")
def test_somebody_elses_code_verifies_it(served):
    """By docs/specs/audit-log.md, and OpenSSL's command."""
    folder = served.folder / ".sidelight/audit"
    previous = "0" * 64
    for number, line in enumerate(log_of(served).read_bytes().splitlines(), 1):
        entry = json.loads(line)
        assert (entry["seq"], entry["prev"]) == (number, previous)
        previous = hashlib.sha256(b"sidelight audit entry v1\n" + line[: line.rindex(b',"hash":"')]).hexdigest()
        assert entry["hash"] == previous
    head = json.loads((folder / "head.json").read_text())
    assert (head["seq"], head["hash"]) == (number, previous)
    (served.folder / "message").write_text(f"sidelight audit head v1\n{number}\n{previous}\n{head['time']}\n")
    (served.folder / "signature").write_bytes(bytes.fromhex(head["signature"]))
    subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", folder / "key.pub.pem", "-rawin", "-in", served.folder / "message", "-sigfile", served.folder / "signature"],
        check=True, capture_output=True,
    )  # fmt: skip


def test_a_run_that_did_nothing_worth_it_leaves_no_log(sidelight):
    sidelight.write("hello.js", "console.log('hello')")
    assert sidelight("run", "hello.js").code == 0
    done = sidelight("audit", "verify")
    assert done.code == 2 and "there is no audit log" in done.err


def test_who_could_not_start_has_stopped(sidelight):
    sidelight.write("app.mjs", MODULE)
    sidelight.write("agent.yaml", "store: {directory: .sidelight}\n")
    assert sidelight("keygen").code == 0 and sidelight("sign", "--key", "sidelight.pem", "app.mjs").code == 0
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        place = "127.0.0.1:{}".format(other.getsockname()[1])
        assert sidelight("serve", "--listen", place, "app.mjs").code == 2
        assert sidelight("agent", "-c", "agent.yaml", "--admin", place).code == 2
        # That it was accepted is what makes a run worth a log.
        assert sidelight("run", "--require-signature", "sidelight.pub.pem", "--admin", place, "app.mjs").code == 2
    sidelight.write("policy.yaml", "fence: {user: nobody-of-that-name}\n")
    assert sidelight("serve", "--policy", "policy.yaml", "app.mjs").code == 2
    sidelight.write("policy.yaml", "secrets: {A: {file: nowhere}}\n")
    assert sidelight("serve", "--policy", "policy.yaml", "app.mjs").code == 2
    sidelight.write("app.mjs", MODULE + "\n")
    assert sidelight("serve", "--require-signature", "sidelight.pub.pem", "app.mjs").code == 3
    found = [(entry["action"], entry["outcome"]) for entry in entries(sidelight) if entry["kind"] in ("start", "stop")]
    ends = [("serve", "failed"), ("agent", "failed"), ("run", "failed"), ("serve", "failed"), ("serve", "failed"), ("serve", "refused")]
    assert found == [pair for command, outcome in ends for pair in ((command, "started"), (command, outcome))]
    assert sidelight("audit", "verify", "--json").json["sound"]


def test_filters(served):
    assert [entry["kind"] for entry in entries(served, "--kind", "stop", "--kind", "start", "--limit", "3")] == ["stop", "start", "stop"]
    assert entries(served, "--grep", "nowhere") == [] and entries(served, "--since", "1ns") == []
    text = served("audit", "ls", "--limit", "1", "--kind", "stop").out
    assert re.search(r"#5  stop  uid \d+  serve  app\.mjs  drained", text), text


TAMPER = {
    "edited": lambda lines: lines[:1] + [lines[1].replace("app.mjs", "xpp.mjs")] + lines[2:],
    "cut": lambda lines: lines[:2] + lines[3:],
    "reordered": lambda lines: lines[:2] + [lines[3], lines[2]] + lines[4:],
    "truncated": lambda lines: lines[:-1],
    "unreadable": lambda lines: lines[:2] + ["nonsense"] + lines[2:],
}


@pytest.mark.parametrize("kind", TAMPER)
def test_tampering_is_found(served, kind):
    path = log_of(served)
    path.write_text("\n".join(TAMPER[kind](path.read_text().splitlines())) + "\n")
    done = served("audit", "verify")
    assert done.code == 1 and f"{kind}: " in done.out and "NOT SOUND" in done.out, done
    assert kind in [problem["kind"] for problem in served("audit", "verify", "--json").json["problems"]]
    assert "not sound" in served("audit", "ls").err
    # Going on does not make it good.
    assert Service(served, "app.mjs").end(signal.SIGTERM) == 0
    assert served("audit", "verify").code == 1


def test_another_key_and_an_old_log(served):
    served("keygen", "--out", "other")
    done = served("audit", "verify", "--key", "other.pub.pem")
    assert done.code == 1 and "not signed by" in done.out
    old = {path: path.read_bytes() for path in (served.folder / ".sidelight/audit").iterdir()}
    assert Service(served, "app.mjs").end(signal.SIGTERM) == 0
    end = served("audit", "verify", "--json").json["end"]
    for path, data in old.items():
        path.write_bytes(data)
    assert served("audit", "verify").code == 0
    done = served("audit", "verify", "--holds", end)
    assert done.code == 1 and "is not in the log" in done.out
    assert served("audit", "verify", "--holds", "x").code == 2


def test_a_kill_is_no_tampering(served):
    for _ in range(3):
        service = Service(served, "app.mjs")
        count = len(entries(served))
        wait_for(lambda: len(entries(served)) > 6 or count)
        service.process.kill()
        service.process.wait()
    # The end of a line that a kill has left.
    with open(log_of(served), "a") as log:
        log.write('{"seq":99,"prev":"00')
    assert served("audit", "verify").code == 0
    assert Service(served, "app.mjs").end(signal.SIGTERM) == 0
    verdict = served("audit", "verify", "--json").json
    assert verdict["sound"] and verdict["torn"] == 1, verdict


def test_two_processes_have_one_chain(sidelight):
    sidelight.write("app.mjs", MODULE)
    services = [Service(sidelight, "app.mjs") for _ in range(3)]
    for service in services:
        assert service.end(signal.SIGTERM) == 0
    verdict = sidelight("audit", "verify", "--json").json
    assert verdict["sound"] and verdict["kinds"]["start"] == 3 and verdict["kinds"]["stop"] == 3


def test_a_hostile_name_is_shown_as_text(sidelight):
    sidelight.write("a\x1b[31m\u202e.mjs", MODULE)
    assert Service(sidelight, "a\x1b[31m\u202e.mjs").end(signal.SIGTERM) == 0
    assert entries(sidelight)[0]["target"] == "a\x1b[31m\u202e.mjs"
    text = sidelight("audit", "ls").out
    assert "\x1b" not in text and "\u202e" not in text and "\\e[31m" in text
