"""The platform's JavaScript says nothing twice: of two functions of a name in a file, or two properties in a literal, the last holds, and nobody hears of it."""

import collections
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "Sources/Platform/js").rglob("*.js"))


def twice(names):
    return [name for name, count in collections.Counter(names).items() if count > 1]


def names_in(literal):
    """The names of properties of an object literal whose own lines are indented by four."""
    text = re.sub(r"(?<=\s)//.*", "", re.sub(r"/\*.*?\*/", "", literal, flags=re.S))
    for line in re.findall(r"^    (\S.*)$", text, flags=re.M):
        if accessor := re.match(r"(get|set) (\w+)\(", line):
            yield " ".join(accessor.groups())
        elif method := re.match(r"(?:async )?\*? ?(\w+)\(", line):
            yield method[1]
        elif re.fullmatch(r"(?:\w+, )*\w+,?", line):
            yield from re.findall(r"\w+", line)
        else:
            # Names before a value, and those of a value of one line: `KIND_SPAN: 1, open,`.
            yield from re.findall(r"(?:^|, )(\w+)(?=:|, |,$)", re.sub(r"\(.*\)|\{.*\}|'[^']*'", "", line))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nothing_is_said_twice(file):
    text = file.read_text()
    assert twice(re.findall(r"^(?:async )?function\*? (\w+)", text, flags=re.M)) == []
    for name, literal in re.findall(r"^(internal\.\w+ = )\{\n(.*?)^\};", text, flags=re.M | re.S):
        assert twice(names_in(literal)) == [], name


def test_a_name_said_twice_is_found():
    assert twice(names_in("    a, b,\n    c() {},\n    /** d */\n    d: (x) => x, e: 1,\n    get f() { return 1; },\n")) == []
    assert twice(names_in("    refuse: answer,\n    idle: () => 1,\n    cannotStart, refuse,\n")) == ["refuse"]
    assert twice(names_in("    open() { return 1; },\n    KIND: 1, open,\n")) == ["open"]
