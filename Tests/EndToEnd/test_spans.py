"""What a program did, field by field, as an OTLP backend got it."""

import json

import pytest

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
UNSET, OK, ERROR = 0, 1, 2


@pytest.fixture
def fields(sidelight, receiver, program):
    done = sidelight("run", "--service", "shop", *receiver.export(), program("fields.mjs"))
    assert (done.code, done.err) == (0, "")
    return receiver, json.loads(done.out)


def test_attributes_of_every_type(fields):
    receiver, _ = fields
    attributes = receiver.named("everything, renamed").attributes
    long = attributes.pop("long")
    assert long == "x" * 70000
    assert attributes == {
        "at.start": True,
        "overwritten": "new",
        "string": "plain",
        "empty": "",
        "unicode": "grüße ☃ 𝒳 日本語",
        "true": True,
        "false": False,
        "zero": 0,
        "negative": -42,
        "beyond28bits": 2**31 + 5,
        "safe": 2**53 - 1,
        "unsafe": -(2**53) + 1,
        "double": 0.1,
        "tiny": 5e-324,
        "huge": 1.5e300,
        "strings": ["a", "", "ü"],
        "numbers": [1, 2, 3],
        "doubles": [0.5, 1.5],
        "bools": [True, False],
        "none": [],
    }
    assert type(attributes["zero"]) is int and type(attributes["double"]) is float and type(attributes["true"]) is bool


def test_times_ids_status_and_scope(fields):
    receiver, seen = fields
    span = receiver.named("everything, renamed")
    assert (span.trace_id, span.span_id) == (seen["everything"]["traceId"], seen["everything"]["spanId"])
    assert (span.parent_id, span.kind) == ("", CLIENT)
    # A time that JavaScript gives as a double in between keeps at least microseconds.
    assert abs(span.start - 1700000000_123456789) < 1000
    assert abs(span.end - 1700000001_000000005) < 1000
    assert (span.status, span.message) == (ERROR, "said so")
    assert span.scope == ("fields", "1.2.3")
    assert span.flags & 0xFF == 1
    assert span.dropped == (0, 0, 0)


def test_events_and_links(fields):
    receiver, _ = fields
    span = receiver.named("everything, renamed")
    assert [(name, attributes) for _, name, attributes in span.events] == [
        ("plain event", {}),
        ("timed event", {"size": 7, "name": "ev"}),
    ]
    assert abs(span.events[1][0] - 1700000000_200000000) < 1000
    first = span.links[0]
    assert first[:3] == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "a=1,b=2")
    assert first[3] & 0xFF == 1
    assert first[4] == {"why": "link"}
    assert [link[:2] for link in span.links[1:]] == [("1" * 32, "2" * 16)]


def test_kinds(fields):
    receiver, seen = fields
    numbers = {"INTERNAL": INTERNAL, "SERVER": SERVER, "CLIENT": CLIENT, "PRODUCER": PRODUCER, "CONSUMER": CONSUMER}
    for name, number in numbers.items():
        span = receiver.named(f"kind {name}")
        assert (span.kind, span.status, span.span_id) == (number, OK, seen["kinds"][name])
        assert (span.trace_id, span.parent_id) == (seen["run"]["traceId"], seen["run"]["spanId"])


def test_a_remote_parent_and_its_trace_state(fields):
    receiver, _ = fields
    span = receiver.named("remote child")
    assert (span.trace_id, span.parent_id) == ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
    assert span.trace_state == "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"
    assert span.flags & 0x300 == 0x300, "remoteness is known, and remote"


def test_recorded_exceptions(fields):
    receiver, _ = fields
    events = receiver.named("recorded exception").events
    assert [name for _, name, _ in events] == ["exception", "exception"]
    thrown, text = events[0][2], events[1][2]
    assert thrown["exception.type"] == "TypeError"
    assert "null" in thrown["exception.message"]
    assert "fields.mjs:" in thrown["exception.stacktrace"]
    assert text["exception.message"] == "just a text"


def test_limits_of_the_specification_drop_and_count(fields):
    receiver, _ = fields
    span = receiver.named("over the limits")
    assert len(span.attributes) == 128 and span.dropped[0] == 72
    assert len(span.events) == 128 and span.dropped[1] == 22


def test_keys_in_changing_orders_and_values_that_repeat(sidelight, receiver, program):
    """What the ring's JavaScript end learns about a span's keys, values, events and children never shows (18_ring.js, paths)."""
    done = sidelight("run", *receiver.export(), program("paths.mjs"))
    assert (done.code, done.err) == (0, "")
    expected = json.loads(done.out)
    got = {span.span_id: span for span in receiver.spans}
    run = next(span for span in receiver.spans if span.name == "run paths.mjs")
    assert len(expected) > 3000
    for id, wanted in expected.items():
        span = got[id]
        assert span.name == wanted["name"]
        assert span.parent_id == (wanted["parent"] or run.span_id)
        assert span.attributes == wanted["attributes"]
        assert [name for _, name, _ in span.events] == wanted["events"]
        assert span.dropped == (0, 0, 0)


def test_limits_hold_where_the_keys_are_known(sidelight, receiver, program):
    limits = {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "2", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT": "4"}
    assert sidelight("run", *receiver.export(), program("limited.mjs"), env=limits).code == 0
    spans = [span for span in receiver.spans if span.name == "limited"]
    assert len(spans) == 50
    for span in spans:
        assert span.attributes["one"] == "ABCD" and len(span.attributes["two"]) <= 4
        assert len(span.attributes) == 2 and span.dropped == (1, 0, 0)


def test_the_run_is_the_root(fields):
    receiver, seen = fields
    run = next(span for span in receiver.spans if span.span_id == seen["run"]["spanId"])
    assert run.parent_id == "" and run.name.startswith("run ")
    assert run.status != ERROR
    assert run.attributes["process.exit.code"] == 0
    for span in receiver.spans:
        if span.trace_id == run.trace_id:
            assert run.start <= span.start <= span.end <= run.end or span.name == "everything, renamed", span


def test_modules_have_spans(fields):
    receiver, _ = fields
    module = next(span for span in receiver.spans if span.name.startswith("module ") and "fields.mjs" in span.name)
    phases = {span.name for span in receiver.spans if span.parent_id == module.span_id}
    assert {"load", "compile", "evaluate"} <= phases


def test_the_resource_says_who_it_was(fields):
    receiver, _ = fields
    for item in receiver.spans + receiver.logs:
        resource = item.resource
        assert resource["service.name"] == "shop"
        assert resource["telemetry.sdk.name"] == "sidelight"
        assert resource["process.pid"] > 1
        assert resource["os.type"] == "linux"
        assert len(resource["service.instance.id"]) == 36


CONTINUATIONS = """sync; after await; after timer await; promise chain; resolved chain; catch; finally; async generator; timer;
immediate; microtask; interval; imported; with; bound""".replace("\n", " ").split("; ")


def test_context_follows_every_continuation(sidelight, receiver, program):
    done = sidelight("run", *receiver.export(), program("context.mjs"))
    assert (done.code, done.err) == (0, "")
    outer = receiver.named("outer")
    stored = json.loads(done.out)
    for name in CONTINUATIONS:
        span = receiver.named(name)
        assert (span.trace_id, span.parent_id) == (outer.trace_id, outer.span_id), name
        assert stored[name] == "stored", name
    for side in ("left", "right"):
        assert receiver.named(side).parent_id == outer.span_id
        assert receiver.named(f"{side} child").parent_id == receiver.named(side).span_id
    assert receiver.named("afterwards").parent_id == outer.parent_id
    assert receiver.named("while loading").scope == ("part", "9")


def test_logs_join_their_span(sidelight, receiver, program):
    done = sidelight("run", *receiver.export(), program("logs.mjs"))
    assert done.code == 0
    assert "a formatted line with 42" in done.out and "an error line" in done.err
    span = receiver.named("logging")
    logs = {log.body: log for log in receiver.logs}
    expected = {"a debug line": 5, "a formatted line with 42": 9, "a warning": 13, "an error line": 17}
    for body, severity in expected.items():
        assert (logs[body].trace_id, logs[body].span_id) == (span.trace_id, span.span_id), body
        assert logs[body].severity == severity
        assert span.start <= logs[body].time <= span.end
    assert logs["outside"].trace_id == span.trace_id
    assert logs["outside"].span_id == span.parent_id
    assert any(body.startswith("an info line") and "two" in body for body in logs)


def test_the_api_never_throws_and_the_platform_does_not_use_its_prototypes(sidelight, receiver, program):
    done = sidelight("run", *receiver.export(), program("hostile_spans.mjs"))
    assert done.code == 1, done.err
    assert json.loads(done.out.splitlines()[-1]) == []
    for value in ("proxy", "list", "revoked", "getters", "symbol", "bigint", "text"):
        for what in ("options", "members", "context", "active", "active context", "parent", "parent context"):
            assert receiver.named(f"{value} {what}").status == UNSET
        methods = receiver.named(f"{value} methods")
        assert "fine" in [attributes.get("exception.message") for _, _, attributes in methods.events]
        assert len(methods.links) == 2
    run = receiver.named("run hostile_spans.mjs")
    assert (run.attributes["process.exit.code"], run.status) == (3, ERROR)
    assert receiver.named("GET").attributes["server.port"] == 9
