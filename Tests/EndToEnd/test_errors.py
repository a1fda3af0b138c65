"""Errors nobody catches, and entries that cannot run."""

import base64
import json

import pytest

ERROR = 2
FATAL, ERROR_SEVERITY = 21, 17


def exceptions(receiver):
    return [log for log in receiver.logs if log.event_name == "exception"]


def run_span(receiver):
    return next(span for span in receiver.spans if span.name.startswith("run "))


def test_an_uncaught_error(sidelight, receiver):
    path = sidelight.write("boom.mjs", "function inner() { throw new RangeError('too far') }\n\ninner()\n")
    done = sidelight("run", *receiver.export(), path)
    assert done.code == 1
    assert "RangeError: too far" in done.err and "boom.mjs:1" in done.err
    (log,) = exceptions(receiver)
    assert log.severity >= ERROR_SEVERITY
    assert log.attributes["exception.type"] == "RangeError"
    assert log.attributes["exception.message"] == "too far"
    assert "boom.mjs:1:" in log.attributes["exception.stacktrace"] and "boom.mjs:3:" in log.attributes["exception.stacktrace"]
    run = run_span(receiver)
    assert (run.status, log.trace_id) == (ERROR, run.trace_id)
    assert any(name == "exception" for _, name, _ in run.events)
    assert run.attributes["process.exit.code"] == 1


@pytest.mark.parametrize(
    "code",
    [
        "Promise.reject(new TypeError('nobody cares'))",
        "setTimeout(() => { throw new TypeError('nobody cares') }, 2)",
        "await (async () => { throw new TypeError('nobody cares') })()",
        "queueMicrotask(() => { throw new TypeError('nobody cares') })",
    ],
)
def test_every_way_to_fail_is_seen(sidelight, receiver, code):
    done = sidelight("run", *receiver.export(), sidelight.write("fail.mjs", code + "\n"))
    assert done.code == 1
    assert "nobody cares" in done.err
    assert [log.attributes["exception.message"] for log in exceptions(receiver)] == ["nobody cares"]
    assert run_span(receiver).status == ERROR


DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def vlq(number):
    bits = -number << 1 | 1 if number < 0 else number << 1
    text = ""
    while True:
        digit, bits = bits & 31, bits >> 5
        text += DIGITS[digit | (32 if bits else 0)]
        if not bits:
            return text


def source_map(line_offset, lines):
    """Line n of the generated file is line n + line_offset of src/app.ts, column by column."""
    segments = [f"A{vlq(0)}{vlq(line_offset)}A" if line == 0 else f"A{vlq(0)}{vlq(1)}A" for line in range(lines)]
    return json.dumps(
        {"version": 3, "sources": ["src/app.ts"], "names": [], "mappings": ";".join(segments), "sourcesContent": [None]}
    )


@pytest.mark.parametrize("inline", [True, False], ids=["inline", "file"])
def test_stacks_are_mapped_to_their_sources(sidelight, receiver, inline):
    code = "function inner() {\n    throw new Error('mapped');\n}\ninner();\n"
    mapping = source_map(40, 4)
    if inline:
        url = "data:application/json;base64," + base64.b64encode(mapping.encode()).decode()
    else:
        url = "app.js.map"
        sidelight.write("app.js.map", mapping)
    path = sidelight.write("app.js", code + f"//# sourceMappingURL={url}\n")
    done = sidelight("run", *receiver.export(), path)
    assert done.code == 1
    (log,) = exceptions(receiver)
    stack = log.attributes["exception.stacktrace"]
    assert "src/app.ts:42:" in stack and "src/app.ts:44:" in stack, stack
    assert "app.ts:42" in done.err


def test_an_entry_that_is_missing(sidelight):
    done = sidelight("run", "nowhere.js")
    assert done.code == 2
    assert "nowhere.js" in done.err


def test_an_entry_that_is_a_directory_or_unreadable(sidelight):
    sidelight.write("folder/file", "")
    done = sidelight("run", "folder")
    assert done.code in (1, 2)
    assert "folder" in done.err


def test_a_syntax_error_says_where(sidelight, receiver):
    path = sidelight.write("syntax.mjs", "const fine = 1;\nconst broken = = 2;\n")
    done = sidelight("run", *receiver.export(), path)
    assert done.code == 1
    assert "syntax.mjs:2" in done.err and "^" in done.err and "SyntaxError" in done.err
    assert run_span(receiver).status == ERROR


ATTRIBUTES = [
    "import data from './data.json' with { type: 'json' };",
    "import data from './data.json' with {type: 'json'};",
    "/* ü𝄞 */ import data from './data.json'   with  {  type: 'json' };",
    "import data from './data.json'with{type:'json'}",
    "export { default as again } from './data.json' with { type: 'json' };\nimport data from \"./data.json\" with { type: 'json' };",
    "const \u2028unseen = 1;\nimport data from './data.json' with { type: 'json' };",
    "import data from './data.json' assert { type: 'json' };",
    "import data from './data.json'\n    with { type: 'json' };",
    "import data from './data.json'\r\n\nwith\n{ type: 'json' };",
]


@pytest.mark.parametrize("line", ATTRIBUTES)
def test_import_attributes(sidelight, line):
    sidelight.write("data.json", '{"good": 7}')
    path = sidelight.write("attributes.mjs", f"#!/usr/bin/env sidelight\n{line}\nconsole.log(data.good);\n")
    for _ in range(2):  # the second time from the code cache
        done = sidelight("run", path)
        assert (done.code, done.out) == (0, "7\n"), done.err


def test_import_attributes_leave_the_lines_where_they_are(sidelight):
    sidelight.write("data.json", "{}")
    path = sidelight.write("lines.mjs", "import data from './data.json'\n\n  with { type: 'json' };\nthrow new Error(data);\n")
    assert "lines.mjs:4" in sidelight("run", path).err


@pytest.mark.parametrize("line", ["const with = 1;", "'text' with { a: 1 };", "import './data.json' with type;", "with", "import a from './data.json' with {"])
def test_with_where_it_does_not_belong(sidelight, line):
    done = sidelight("run", sidelight.write("wrong.mjs", f"\n{line}\n"))
    assert done.code == 1
    assert "SyntaxError" in done.err and "wrong.mjs:" in done.err


def test_an_import_that_does_not_resolve_says_who_wanted_it(sidelight, receiver):
    sidelight.write("deep/inner.mjs", "import './missing.mjs';\n")
    path = sidelight.write("outer.mjs", "import './deep/inner.mjs';\n")
    done = sidelight("run", *receiver.export(), path)
    assert done.code == 1
    assert "missing.mjs" in done.err and "inner.mjs" in done.err
    assert run_span(receiver).status == ERROR


def test_exit_in_the_middle_keeps_everything(sidelight, receiver, program):
    for code, expected in ((0, 0), (1, 1), (7, 1)):
        receiver.spans.clear()
        done = sidelight("run", *receiver.export(), program("exit.mjs"), code)
        assert done.code == expected
        assert done.out == "before\n"
        assert receiver.named("ended").status != ERROR
        assert run_span(receiver).attributes["process.exit.code"] == code
        left = receiver.named("open root")
        assert left.status == ERROR
        assert left.message == "the program ended before this span did"
        assert left.attributes["error.type"] == "span_not_ended"
