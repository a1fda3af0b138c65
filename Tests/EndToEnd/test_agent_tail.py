"""Logs that are followed live: server-sent events of the admin port, and `sidelight tail --admin`."""

import http.client
import json
import re
import socket
import struct
import subprocess
import threading
import urllib.parse

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from serving import wait_for
from test_agent import agent  # noqa: F401  (a fixture)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def request(*records, service="shop"):
    """`records`: a text and a severity, and a trace id where there is one."""
    made = ExportLogsServiceRequest()
    group = made.resource_logs.add()
    group.resource.attributes.add(key="service.name").value.string_value = service
    scope = group.scope_logs.add()
    for text, severity, *trace in records:
        record = scope.log_records.add(time_unix_nano=1_795_442_400_123_000_456, severity_number=severity)
        record.body.string_value = text
        if trace:
            record.trace_id, record.span_id = bytes.fromhex(trace[0]), b"12345678"
            record.attributes.add(key="user").value.string_value = "näme"
    return made


def send(one, *records, **about):
    assert one.post(request(*records, **about).SerializeToString(), "/v1/logs")[0] == 200


class Events:
    """A client of the live view; connected when it is made."""

    def __init__(self, one, query=""):
        self.connection = http.client.HTTPConnection(one.places["admin"], timeout=20)
        self.connection.request("GET", f"/api/v1/logs/tail{query}")
        self.answer = self.connection.getresponse()
        if self.answer.status == 200:
            assert self.answer.headers["content-type"] == "text/event-stream"
            # The first line comes when the client is known to the agent.
            assert self.answer.readline().startswith(b":") and self.answer.readline() == b"\n"

    def next(self):
        """The name of the next event and its data."""
        name = "message"
        while (line := self.answer.readline().decode()) != "":
            if line.startswith("event: "):
                name = line[7:-1]
            elif line.startswith("data: "):
                assert self.answer.readline() == b"\n"
                return name, json.loads(line[6:])
        return None


def test_every_record_is_an_event(agent):
    one = agent()
    events = Events(one)
    send(one, ("hello\nworld", 9, TRACE), ("<\u2028>", 0))
    assert events.next() == ("message", {
        "time": "2026-11-23T14:00:00.123000456Z", "timeUnixNano": "1795442400123000456", "severity": "INFO", "severityNumber": 9,
        "service": "shop", "body": "hello\nworld", "attributes": {"user": "näme"}, "traceId": TRACE, "spanId": b"12345678".hex(),
    })
    name, second = events.next()
    assert (name, second["body"], second["severityNumber"], "traceId" in second) == ("message", "<\u2028>", 0, False)


@pytest.mark.parametrize(("query", "expected"), [
    ("?level=warn", ["b", "c", "d"]),
    ("?level=WARNING&service=sh%6Fp", ["b", "c"]),
    ("?service=other", ["d"]),
    (f"?trace={TRACE}", ["c"]),
    ("?contains=n%C3%A4me", ["c"]),
    ("?contains=a+b", ["a b"]),
    ("?contains=nothing&level=trace", []),
])
def test_filters(agent, query, expected):
    one = agent()
    events, all_events = Events(one, query), Events(one)
    send(one, ("a b", 9), ("b", 13), ("c", 21, TRACE))
    send(one, ("d", 17), service="other")
    send(one, ("end näme a b", 24, TRACE))
    send(one, ("end näme a b", 24, TRACE), service="other")
    assert [all_events.next()[1]["body"] for _ in range(4)] == ["a b", "b", "c", "d"]
    for body in expected:
        assert events.next()[1]["body"] == body
    if expected:
        assert events.next()[1]["body"].startswith("end")


def test_bad_questions(agent):
    one = agent()
    for query, part in [
        ("?level=loud", "level=loud"), ("?trace=12", "trace=12"), ("?what=1", "what=1"), ("?level=", "level="), (f"?trace={'0' * 31}g", "trace="),
    ]:
        events = Events(one, query)
        assert events.answer.status == 400
        assert f'"{part}' in (text := events.answer.read().decode()) and "level=trace|debug|info|warn|error|fatal" in text
    held = [Events(one) for _ in range(16)]
    refused = Events(one)
    assert refused.answer.status == 503 and b"16 follow the logs already" in refused.answer.read()
    held.pop().connection.close()
    wait_for(lambda: Events(one).answer.status == 200)


def test_who_reads_too_slowly_is_told_what_is_missing(agent):
    """And nobody else waits for it."""
    one = agent()
    sleeper = Events(one)
    text = "x" * 2_000
    count, sent = 20_000, 0
    while sent < count:
        send(one, *[(text, 9)] * 500)
        sent += 500
    seen = skipped = 0
    while seen + skipped < count:
        name, data = sleeper.next()
        if name == "skipped":
            skipped += data["skipped"]
        else:
            assert data["body"] == text
            seen += 1
    assert (seen + skipped, seen > 0, skipped > 0) == (count, True, True)


def test_a_fixed_number_of_records_is_shown_in_a_second(agent):
    """However fast the client is. 20,000 records in one request are of one moment."""
    one = agent()
    events = Events(one)
    send(one, *[("x", 9)] * 20_000)
    seen = skipped = 0
    while seen + skipped < 20_000:
        name, data = events.next()
        if name == "skipped":
            skipped += data["skipped"]
        else:
            seen += 1
    assert seen <= 10_000 and skipped == 20_000 - seen


def test_what_processors_drop_or_change_is_not_shown(agent):
    one = agent(
        processors={"no": {"filter": {"drop": [{"signal": "logs", "severity-below": "warn"}]}}, "red": {"redact": {"patterns": ["email"]}}},
        pipelines={"logs": {"processors": ["no", "red"], "exporters": []}, "logs/second": {"receivers": ["otlp-http"], "exporters": []}})
    events = Events(one)
    send(one, ("a", 9), ("mail to a@example.org", 17))
    send(one, ("end", 17))
    first, second = events.next()[1], events.next()[1]
    assert "a@example.org" not in first["body"] and first["body"].startswith("mail to ")
    assert second["body"] == "end", "each record once, though two pipelines take it"


def test_the_command(sidelight, agent):
    one = agent()
    place = one.places["admin"]
    tail = sidelight.start("tail", "--admin", place, "--level", "warn", "--grep", "b+", "--context", "1", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(tail.stdout))
    reader.start()
    # Nobody says when it has begun to follow.
    wait_for(lambda: send(one, ("b start", 13)) or any("b start" in line for line in lines))
    send(one, ("one", 13), ("two", 13), ("three", 13), ("xbbx", 17, TRACE), ("four", 13), ("five", 13), ("info b", 9))
    wait_for(lambda: any("four" in line for line in lines))
    text = "".join(line for line in lines if "b start" not in line)
    assert [line.split("  ")[1 + (" shop  " in line and "  shop" in line)].strip() if line != "--\n" else "--" for line in text.splitlines(True)] == ["one", "--", "three", "xbbx", "four"]
    assert f"trace={TRACE[:12]}" in text and "user=näme" in text and "ERROR shop" in text
    # It outlives the agent.
    one.kill()
    wait_for(lambda: "has gone; waiting for it" in tail.stderr.readline())
    tail.terminate()
    tail.wait()
    reader.join()


def test_the_command_in_json_and_its_mistakes(sidelight, agent):
    one = agent()
    place = one.places["admin"]
    tail = sidelight.start("tail", "--admin", place, "--json", "--service", "näh & co", stdout=subprocess.PIPE)
    stop = threading.Event()

    def keep_sending():
        while not stop.wait(0.05):
            send(one, ("hello", 9, TRACE), service="näh & co")
            send(one, ("not this", 9))

    sender = threading.Thread(target=keep_sending)
    sender.start()
    line = json.loads(tail.stdout.readline())
    stop.set()
    sender.join()
    tail.kill()
    tail.wait()
    assert (line["body"], line["service"], line["traceId"], line["attributes"]) == ("hello", "näh & co", TRACE, {"user": "näme"})
    nobody = sidelight("tail", "--admin", "127.0.0.1:1")
    assert nobody.code == 1 and "no agent answers at 127.0.0.1:1" in nobody.err
    for arguments, message in [
        (("--admin", place, "-n", "3"), "-n is for a store"),
        (("--admin", place, "--since", "1h"), "--since is for a store"),
        (("--admin", place, "--trace", "4bf9"), "is no trace id of 32 hex digits"),
        (("--admin", f"ftp://{place}"), f"--admin 'ftp://{place}' is not HOST:PORT"),
        (("--context", "3"), "--context needs --grep"),
        (("--until", "1h", "-f"), "--until is for what was recorded"),
        (("--until", "1h", "--since", "1h"), "--since must be longer ago than --until"),
        (("--level", "loud"), "loud"),
    ]:
        wrong = sidelight("tail", *arguments)
        assert wrong.code == 2 and message in wrong.err, (arguments, wrong.err)


def test_a_store_with_context_and_until(sidelight, agent):
    one = agent(store={"directory": str(sidelight.folder / "store")})
    for number in range(40):
        send(one, (f"line {number}" + (" found" if number in (10, 20, 22) else ""), 9))
    assert one.end() == 0
    store = ("--store", str(sidelight.folder / "store"))

    def bodies(*arguments):
        lines = sidelight("tail", *store, *arguments).out.splitlines()
        return [line if line == "--" else re.search(r"line (\d+)", line)[1] for line in lines]

    assert bodies("--grep", "found", "--context", "1") == ["9", "10", "11", "--", "19", "20", "21", "22", "23"]
    assert bodies("--grep", "found", "--context", "1", "-n", "1") == ["21", "22", "23"]
    assert bodies("--grep", "found", "-n", "2") == ["20", "22"]
    assert bodies("--grep", "nowhere", "--context", "5") == []
    assert bodies("--grep", "found", "--context", "1", "-n", "0") == []
    # The records' time is in 2026: all are either before or after.
    assert bodies("--until", "1ns", "--grep", "line 3$") == ["3"]


def test_who_has_left_before_the_answer_holds_no_place(agent):
    """Of 2,000 that are reset right behind their question some are gone when the agent's first bytes meet them."""
    one = agent()
    host, port = one.places["admin"].split(":")
    for path in ("/api/v1/logs/tail", "/api/v1/tap"):
        for number in range(2_000):
            with socket.create_connection((host, int(port))) as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * (number % 3) + f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                # Spins for up to half a millisecond: each time another moment is met.
                for _ in range(number * 37 % 2_000):
                    pass

        def connect(path=path):
            client = http.client.HTTPConnection(one.places["admin"], timeout=20)
            client.request("GET", path)
            return client.getresponse()

        # Those of the last resets may be on their way still.
        wait_for(lambda: connect().status == 200)
        held = [connect() for _ in range(8)]
        assert [answer.status for answer in held] == [200] * 8, path
    # Pages that were asked for by those who have left may wait to be written still; too many are refused.
    wait_for(lambda: connect("/metrics").status == 200)


@pytest.mark.parametrize("sought", ["2", "*", "J", "R", "%0A"])
def test_what_is_sought_is_sought_in_texts(agent, sought):
    """And not in the bytes of their encoding, of which these are."""
    one = agent()
    events = Events(one, f"?contains={sought}")
    send(one, ("hello", 9, TRACE))
    send(one, ("a2*JR\nb", 9))
    assert events.next()[1]["body"] == "a2*JR\nb"


@pytest.mark.parametrize(("sought", "text"), [("aab", "aaaab"), ("ababac", "abababac"), ("a" * 4_000 + "b", "a" * 9_000 + "b" + "a"), ("ä", "a\u0304ä")])
def test_text_is_found_behind_what_began_like_it(agent, sought, text):
    one = agent()
    events = Events(one, "?contains=" + urllib.parse.quote(sought))
    send(one, (sought[:-1] + "-" + sought[1:], 9), ("before" + text, 9))
    assert events.next()[1]["body"] == "before" + text


def test_who_hears_nothing_else_is_asked_whether_it_is_there(agent):
    one = agent()
    events = Events(one, "?level=fatal")
    assert events.answer.readline() == b":\n"


def test_the_command_shows_late_times_and_nested_values(sidelight, agent):
    """Any 64 bits are a time; values may be nested as deeply as receivers take them."""
    one = agent()
    tail = sidelight.start("tail", "--admin", one.places["admin"], "--json", "--level", "error", stdout=subprocess.PIPE)
    late, deep = request(("late", 17)), request(("", 17))
    late.resource_logs[0].scope_logs[0].log_records[0].time_unix_nano = (1 << 64) - 1
    value = deep.resource_logs[0].scope_logs[0].log_records[0].body
    for _ in range(31):
        value = value.array_value.values.add()
    value.string_value = "deep"
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(map(json.loads, tail.stdout)))
    reader.start()
    wait_for(lambda: one.post(late.SerializeToString(), "/v1/logs") and lines)
    assert lines[0]["timeUnixNano"] == str((1 << 64) - 1) and lines[0]["time"].startswith("2554-")
    assert one.post(deep.SerializeToString(), "/v1/logs")[0] == 200
    wait_for(lambda: any("deep" in str(line["body"]) for line in lines))
    tail.terminate()
    tail.wait()
    reader.join()
