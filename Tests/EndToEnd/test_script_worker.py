"""The worker of a JavaScript processor by itself, with the agent's end in the test's hands."""

import pathlib
import struct

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from script_worker import ITEM_TABLE, ScriptWorker


def span(name="GET /", **attributes):
    message = Span(trace_id=b"t" * 16, span_id=b"s" * 8, name=name, kind=2, start_time_unix_nano=1, end_time_unix_nano=2)
    for key, value in attributes.items():
        message.attributes.add(key=key).value.string_value = value
    return message.SerializeToString()


@pytest.fixture
def worker(tmp_path):
    made = []

    def start(script, **options):
        (tmp_path / "mine.js").write_text(script)
        made.append(ScriptWorker("mine.js", cwd=tmp_path, **options).__enter__())
        return made[-1]

    yield start
    for one in made:
        one.__exit__()


def test_batches_of_all_slots_in_their_order(worker):
    one = worker("export default { span(s) { s.attributes.n = s.name; } }")
    assert one.packet() == b"S\x01"
    for slot in range(4):
        one.fill([span(f"{slot} {index}", a="b") for index in range(512)], slot)
    for slot in (2, 0, 3, 1):
        one.control.send(bytes([slot]))
    for slot in (2, 0, 3, 1):
        assert one.packet() == b"R" + bytes([slot, 0])
        for index, (verdict, message) in enumerate(one.results(512, slot)):
            assert verdict == "replace"
            wanted = Span.FromString(span(f"{slot} {index}", a="b", n=f"{slot} {index}"))
            assert Span.FromString(message) == wanted


def test_the_time_limit_ends_a_batch_and_not_the_worker(worker):
    one = worker("let n = 0; export default { span(s) { if (s.name === 'loop') for (;;) n++; } }", cpu=20_000_000)
    assert one.packet() == b"S\x01"
    for _ in range(3):
        one.fill([span(), span("loop"), span()])
        assert one.run() == b"R\x00\x01"
        assert [verdict for verdict, _ in one.results(3)] == ["keep", "none", "none"]
        one.fill([span()] * 3)
        assert one.run() == b"R\x00\x00"
        assert [verdict for verdict, _ in one.results(3)] == ["keep"] * 3


@pytest.mark.parametrize("script", [
    "while (true) { try { for (;;) {} } catch {} finally { for (;;) {} } }", "/^(a+)+$/.test('a'.repeat(80) + 'b')", "Promise.resolve().then(function again() { return Promise.resolve().then(again); })",
    "(function deep() { try { deep(); } finally { deep(); } })()", "'x'.repeat(1 << 28).replace(/x/g, () => 'yy')",
])  # fmt: skip
def test_what_resists_being_stopped(worker, script):
    one = worker(f"export default {{ span(s) {{ if (s.name === 'x') {{ {script} }} }} }}", cpu=50_000_000)
    assert one.packet() == b"S\x01"
    one.fill([span("x")])
    # Stopped, or out of memory where V8 cannot unwind: then the worker is over.
    assert one.run() in (b"R\x00\x01", b"R\x00\x02") or one.process.wait(timeout=10) == 71


def test_a_full_heap_ends_the_worker(worker):
    one = worker("const all = []; export default { span(s) { for (;;) all.push(new Array(1000).fill(1)); } }", heap=16 << 20, cpu=10_000_000_000)
    assert one.packet() == b"S\x01"
    one.fill([span()])
    assert one.run() == b"R\x00\x02"
    assert one.packet() == b""
    assert one.process.wait(timeout=10) == 71


def test_array_buffers_are_limited(worker):
    one = worker("const all = []; export default { span(s) { all.push(new ArrayBuffer(1 << 20)); } }", heap=16 << 20, cpu=10_000_000_000)
    assert one.packet() == b"S\x01"
    one.fill([span()] * 40)
    assert one.run() == b"R\x00\x00"
    assert {verdict for verdict, _ in one.results(40)} == {"keep", "threw"}
    assert b"RangeError" in one.said[0][1]


def test_items_that_are_no_protobuf(worker):
    one = worker("export default { span(s) { s.name = s.name + '!'; s.attributes.x = 1; } }")
    assert one.packet() == b"S\x01"
    whole = span("GET /", a="b")
    items = [whole[:length] for length in range(len(whole))] + [b"\xff" * 20, b"\x0a\xff\xff\xff\xff\x0f", b"\x4a\x02\x0a\x05"]
    one.fill(items)
    assert one.run() == b"R\x00\x00"
    for item, (verdict, message) in zip(items, one.results(len(items))):
        try:
            Span.FromString(item)
        except Exception:
            assert verdict == "malformed", item
        else:
            assert verdict == "replace" and Span.FromString(message).name.endswith("!"), item


def test_an_input_that_makes_no_sense_is_survived(worker):
    """The agent does not write such; a worker that trusts it all the same has nothing to lose but itself."""
    one = worker("export default { span(s) { s.name = 'x'; } }")
    assert one.packet() == b"S\x01"
    for at, length in [(2**31 - 1, 10), (0, 2**31 - 1), (12 << 20, 1), (-5 % 2**32, 3)]:
        one.fill([span()])
        struct.pack_into("<II", one.memory, ITEM_TABLE, at, length)
        assert one.run() == b"R\x00\x00"
        assert one.results(1)[0][0] == "malformed"


def test_what_it_says_is_limited(worker):
    one = worker("export default { span(s) { for (let i = 0; i < 100; i++) console.error('x'.repeat(5000)); if (s.name === 'throw') throw new RangeError('no' + 'o'.repeat(9000)); } }")
    assert one.packet() == b"S\x01"
    one.fill([span("throw")] * 20)
    assert one.run() == b"R\x00\x00"
    lines = [text for kind, text in one.said if kind == "L"]
    errors = [text for kind, text in one.said if kind == "E"]
    assert len(lines) == 10 and all(len(line) == 1 + 1000 and line[0] == 17 for line in lines)
    assert len(errors) == 3 and all(error.startswith(b"mine.js:1:") and len(error) < 4096 for error in errors)


def test_it_ends_when_the_agent_has_gone(worker):
    one = worker("export default { span(s) {} }")
    assert one.packet() == b"S\x01"
    one.control.close()
    assert one.process.wait(timeout=10) == 0


def test_it_ends_with_a_slot_that_is_none(worker):
    one = worker("export default { span(s) {} }")
    assert one.packet() == b"S\x01"
    one.control.send(b"\x04")
    assert one.process.wait(timeout=10) == 0


def test_it_is_confined(worker):
    """The kernel's word for it: system calls are filtered in every thread."""
    one = worker("export default { span(s) {} }")
    assert one.packet() == b"S\x01"
    for task in pathlib.Path(f"/proc/{one.process.pid}/task").iterdir():
        status = (task / "status").read_text()
        assert "Seccomp:\t2" in status, status


@pytest.mark.parametrize("script", ["new Date(Date.now()).toString()", "new Intl.DateTimeFormat('de', { timeZone: 'Asia/Tokyo' }).format(0)", "'ä'.localeCompare('z', 'sv')", "[3, 1].toSorted?.()"])
def test_what_a_confined_script_can_still_do(worker, script):
    one = worker(f"export default {{ span(s) {{ {script}; s.attributes.ok = 'yes'; }} }}")
    assert one.packet() == b"S\x01"
    one.fill([span()])
    assert one.run() == b"R\x00\x00"
    assert one.results(1)[0][0] == "replace", one.said
