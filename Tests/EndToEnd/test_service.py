"""examples/service: what each route answers and what is in its trace, and all of it under load while workers are killed.

SECONDS: how long the load with kills lasts (15). SEED: what it asks and kills.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

import pytest

import service_load
from conftest import BIN_DIR, HERE
from service_load import CLIENT, ERROR, SERVER, fnv1a
from serving import wait_for

SERVICE = HERE.parent.parent / "examples" / "service"


class Served:
    """One `sidelight serve`."""

    def __init__(self, sidelight, name, entry, *arguments, env={}):
        self.errors = sidelight.folder / f"{name}.txt"
        arguments = ["--service", name, "--store", name, "--listen", "127.0.0.1:0", "--json", *arguments, SERVICE / entry]
        self.process = sidelight.start(
            "serve", *arguments, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.errors, "w")
        )
        end = time.monotonic() + 20
        while not (found := re.search(r'"url":"([^"]+)"', self.errors.read_text())):
            assert time.monotonic() < end and self.process.poll() is None, self.errors.read_text()
            time.sleep(0.02)
        self.url = found[1]

    def __call__(self, method, path, data=None, headers={}):
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@pytest.fixture
def services(sidelight, receiver):
    """notes, which asks tags."""
    made = [Served(sidelight, "tags", "tags.js", *receiver.export())]
    made.append(Served(sidelight, "notes", "service.js", *receiver.export(), env={"TAGS_URL": made[0].url}))
    yield made[1], made[0]
    for served in made:
        if served.process.poll() is None:
            served.process.kill()
            served.process.wait()


def end(services):
    assert [served.end() for served in services] == [0, 0]


def trace_of(receiver, name):
    """The spans of the trace whose server span has this name, by name."""
    (own,) = [span for span in receiver.spans if span.name == name and span.resource["service.name"] == "notes"]
    return {span.name: span for span in receiver.spans if span.trace_id == own.trace_id and span is not own}, own


def test_a_note_from_its_making_to_its_end(services, receiver):
    notes, _ = services
    status, body = notes("POST", "/notes", b'{"text": "two words"}')
    note = json.loads(body)
    assert (status, note["text"]) == (201, "two words")
    path = f"/notes/{note['id']}"
    assert json.loads(notes("GET", path)[1]) == note
    assert json.loads(notes("PUT", path, b'{"text": "changed"}')[1])["text"] == "changed"
    assert notes("DELETE", path) == (204, b"")
    assert notes("GET", path)[0] == 404
    end(services)
    spans, own = trace_of(receiver, "POST /notes")
    assert own.attributes["http.route"] == "/notes"
    assert own.attributes["http.response.status_code"] == 201
    assert set(spans) == {"validate note", "store note", "count words"}
    assert {span.parent_id for span in spans.values()} == {own.span_id}
    assert spans["store note"].attributes["note.id"] == note["id"]
    (line,) = [log for log in receiver.logs if log.body == f"note {note['id']} stored, 9 characters"]
    assert line.span_id == spans["store note"].span_id
    # The words are counted after the answer.
    assert spans["count words"].end > own.end


@pytest.mark.parametrize(
    "body, status, words",
    [
        (b'{"text":', 400, "the body is not JSON"),
        (b"\xff", 400, "the body is not JSON"),
        (b"[]", 422, "a note needs a text"),
        (b'{"text": " "}', 422, "a note needs a text"),
        (json.dumps({"text": "x" * 10_001}).encode(), 422, "at most 10000 characters, this one has 10001"),
    ],
)
def test_what_is_no_note_is_refused(services, body, status, words):
    notes, _ = services
    answer = notes("POST", "/notes", body)
    assert answer[0] == status
    assert words in json.loads(answer[1])["error"]
    assert json.loads(notes("GET", "/notes")[1])["notes"] == []


def test_nothing_there_and_other_methods(services):
    notes, _ = services
    assert notes("GET", "/nothing")[0] == 404
    assert notes("PATCH", "/notes")[0] == 405
    assert notes("GET", "/rows/many")[0] == 400


def test_the_two_services_are_one_trace(services, receiver):
    notes, _ = services
    assert json.loads(notes("POST", "/tags", b"an enormous elephant")[1]) == {"tags": ["elephant", "enormous"]}
    end(services)
    own = {
        service: span for span in receiver.spans if span.name == "POST /tags" for service in [span.resource["service.name"]]
    }
    trace_id = own["notes"].trace_id
    spans = {span.name: span for span in receiver.spans if span.trace_id == trace_id and span.name != "POST /tags"}
    assert spans["ask for tags"].parent_id == own["notes"].span_id
    assert (spans["POST"].kind, spans["POST"].parent_id) == (CLIENT, spans["ask for tags"].span_id)
    assert (own["tags"].kind, own["tags"].parent_id) == (SERVER, spans["POST"].span_id)
    assert spans["choose tags"].parent_id == own["tags"].span_id
    assert spans["choose tags"].resource["service.name"] == "tags"


def test_the_other_service_is_gone(services, receiver):
    notes, tags = services
    assert tags.end() == 0
    status, body = notes("POST", "/tags", b"an enormous elephant")
    assert (status, json.loads(body)) == (502, {"error": "the service for tags cannot be reached"})
    assert notes.end() == 0
    spans, own = trace_of(receiver, "POST /tags")
    assert spans["POST"].status == ERROR
    assert spans["POST"].attributes["error.type"] == "connect"
    assert (own.status, own.attributes["error.type"]) == (ERROR, "502")


def test_streams_both_ways(services, receiver):
    notes, _ = services
    rows = notes("GET", "/rows/25001")[1].splitlines()
    assert len(rows) == 25001 and json.loads(rows[-1]) == {"row": 25000, "square": 25000**2}
    assert notes("GET", "/ticks?count=2&every=10")[1] == b'id: 1\ndata: {"tick":1}\n\nid: 2\ndata: {"tick":2}\n\n'
    data = bytes(range(256)) * 1000
    assert json.loads(notes("PUT", "/uploads/all", data)[1]) == {"name": "all", "size": 256_000, "fnv1a": fnv1a(data)}
    assert json.loads(notes("GET", "/fingerprint/a%20%C3%BC")[1]) == {"text": "a ü", "fnv1a": fnv1a("a ü".encode())}
    end(services)
    spans, own = trace_of(receiver, "PUT /uploads/:name")
    assert spans["fingerprint upload"].attributes["upload.size"] == 256_000
    assert spans["fingerprint upload"].parent_id == own.span_id
    _, own = trace_of(receiver, "GET /ticks")
    assert own.end - own.start > 20e6


def test_work_of_a_child_belongs_to_the_request(services, receiver):
    notes, _ = services
    assert json.loads(notes("GET", "/primes/1000")[1]) == {"limit": 1000, "primes": 168}
    # The answer leaves the child before its span has ended.
    wait_for(lambda: any(span.name == "count primes" for span in list(receiver.spans)))
    end(services)
    spans, own = trace_of(receiver, "GET /primes/:limit")
    assert spans["count primes"].parent_id == own.span_id and spans["count primes"].attributes["primes.count"] == 168
    assert spans["worker primes"].parent_id == own.span_id


def test_a_failing_route_points_into_its_source(services, receiver):
    notes, _ = services
    assert json.loads(notes("GET", "/report/2026-10")[1])["notes"] == 118
    assert notes("GET", "/report/2026-01") == (500, b"Internal Server Error")
    end(services)
    (failed,) = [span for span in receiver.spans if span.name == "GET /report/:month" and span.status == ERROR]
    (event,) = [event for event in failed.events if event[1] == "exception"]
    stack = event[2]["exception.stacktrace"]
    source = (SERVICE / "src" / "report.ts").read_text().splitlines()
    assert f"src/report.ts:{1 + source.index(next(line for line in source if 'cannot be made' in line))}:" in stack
    assert "[cause]: ReferenceError: no figures of 2026-01" in stack


def load(seconds, **options):
    seed = int(os.environ.get("SEED", time.time_ns() & 0xFFFFFF))
    problems, counts = asyncio.run(service_load.run(BIN_DIR / "sidelight", seconds, seed, **options))
    print(json.dumps({"seed": seed, **counts}))
    assert problems == []
    assert counts["whole"] > 20 * seconds
    return counts


def test_under_load_while_workers_are_killed():
    counts = load(float(os.environ.get("SECONDS", "15")))
    assert counts["server spans of a killed worker"] > 0


def test_under_load_while_it_is_reloaded():
    counts = load(6, kill_every=0, reload_every=1.5)
    assert counts["reloads"] > 1
    assert "broken" not in counts
