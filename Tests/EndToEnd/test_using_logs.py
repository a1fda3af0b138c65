"""Using logs: search, the way between a trace and its lines, errors, patterns, and levels; by the command and by the admin port."""

import http.client
import json
import re
import urllib.parse

import pytest

from serving import wait_for
from test_agent import agent  # noqa: F401  (a fixture)
from test_agent_tail import TRACE, send

PROGRAM = """
import { trace } from '@opentelemetry/api';

class OrderError extends Error { name = 'OrderError'; }
const pay = (n) => { try { throw new TypeError(`no price for item ${n}`); } catch (cause) { throw new OrderError(`order ${n} failed`, { cause }); } };

console.log('hello from the outside');
trace.getTracer('shop').startActiveSpan('checkout', { root: true }, (span) => {
    console.log('order 12 is being paid: user_id=42');
    try { pay(12); } catch (error) { console.error('not paid', error); span.recordException(error); }
    span.end();
});
for (let n = 20; n < 23; n++) { try { pay(n); } catch (error) { console.error(error); } }
Promise.reject(new AggregateError([new Error('first'), new RangeError('second')], 'all of them'));
"""


@pytest.fixture
def store(sidelight):
    """What a run of PROGRAM has left."""
    sidelight.write("shop.js", PROGRAM)
    assert sidelight("run", "shop.js").code == 1
    return sidelight


def objects(done):
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


# ---- a store, by the command ----


@pytest.mark.parametrize(("search", "expected"), [
    ("ORDER paid", ["order 12 is being paid: user_id=42", "not paid"]),
    ('"being paid"', ["order 12 is being paid: user_id=42"]),
    ("user_id=42", ["order 12 is being paid: user_id=42"]),
    ("out*", ["hello from the outside"]),
    ("order -failed", ["order 12 is being paid: user_id=42"]),
    ("hello OR (paid -not)", ["hello from the outside", "order 12 is being paid: user_id=42"]),
    ('"item 12"', ["not paid"]),
    ("nothing", []),
], ids="abcdefgh")  # the folder's name, which is in stacks, is made of them
def test_search(store, search, expected):
    found = objects(store("tail", "--search", search, "--json"))
    assert [log["body"].split(" OrderError")[0] for log in found] == expected


def test_search_with_context_and_in_colour(store):
    done = store("tail", "--search", "being", "--context", "1")
    assert "hello from the outside" in done.out and "being paid" in done.out and "not paid" in done.out
    done = store("tail", "--search", '"being paid"', env={"FORCE_COLOR": "1", "NO_COLOR": ""})
    assert "\x1b[1;7mbeing paid\x1b[0m" in done.out


@pytest.mark.parametrize(("search", "reason"), [('"open', "a quotation mark is not closed"), ("", "a word is missing"), ("***", "no letter or digit"), ("(a", "a ( without its )")])
def test_what_is_no_search(store, search, reason):
    done = store("tail", "--search", search)
    assert done.code == 2 and reason in done.err


def test_from_a_trace_to_its_lines_and_back(store):
    """The line is found from the trace, and the trace from the line."""
    [line] = store("tail", "--search", '"being paid"').out.splitlines()
    short = re.search(r"trace=([0-9a-f]{12})$", line)[1]
    drawn = store("trace", "show", short).out
    assert "checkout" in drawn and "order 12 is being paid" in drawn and "hello" not in drawn
    whole = json.loads(store("trace", "show", short, "--json").out)
    assert [log["body"] for log in whole["logs"]][0] == "order 12 is being paid: user_id=42"
    [span] = whole["spans"]
    assert whole["logs"][0]["spanId"] == span["spanId"] and span["name"] == "checkout"
    lines = objects(store("tail", "--trace", short, "--json"))
    assert [log["body"] for log in lines] == [log["body"] for log in whole["logs"]]
    assert {log["traceId"] for log in lines} == {whole["traceId"]}


def test_errors(store):
    found = {error["type"]: error for error in objects(store("errors", "--json"))}
    assert found["AggregateError"]["count"] == 1
    # Three at one place; the one in the span, which its log has told, at another.
    errors = objects(store("errors", "--json", "--sort", "count"))
    assert [(error["type"], error["count"]) for error in errors][0] == ("OrderError", 3)
    assert sorted(error["count"] for error in errors) == [1, 1, 3]
    table = store("errors").out
    assert table.startswith("ERROR     COUNT") and len(table.splitlines()) == 4

    shown = json.loads(store("errors", "show", errors[0]["fingerprint"][:6], "--json").out)
    assert shown["message"] == "order 22 failed" and shown["frames"][0].startswith("at pay (")
    assert [cause["headline"] for cause in shown["causes"]] == ["TypeError: no price for item 22"]
    assert shown["logs"][-1]["body"].startswith("OrderError: order 22 failed")
    text = store("errors", "show", errors[0]["fingerprint"]).out
    assert "caused by TypeError: no price for item 22" in text and f"trace     {shown['traceId']}" in text

    shown = json.loads(store("errors", "show", found["AggregateError"]["fingerprint"], "--json").out)
    assert [member["headline"] for member in shown["errors"]] == ["Error: first", "RangeError: second"]
    assert store("errors", "show", "ffffffff").code == 1
    assert store("errors", "show", "xyz").code == 2


def test_how_a_worker_ended_is_an_error(sidelight):
    sidelight.write("loop.js", "for (;;);")
    assert sidelight("run", "--limit", "cpu=200ms", "loop.js").code == 4
    [error] = objects(sidelight("errors", "--json"))
    assert error["type"] == "cpu_limit" and error["services"] == {"loop": 1}


def test_patterns(sidelight):
    sidelight.write("ticks.js", "for (let i = 0; i < 50; i++) console.log(`tick ${i} of worker-${i % 3} took ${i / 10} ms`); console.warn('disk /var/lib is full');")
    assert sidelight("run", "ticks.js").code == 0
    found = objects(sidelight("logs", "patterns", "--json"))
    assert [(one["template"], one["count"], one["levels"]) for one in found] == [
        ("tick <num> of worker-<num> took <num> ms", 50, {"info": 50}),
        ("disk <path> is full", 1, {"warn": 1}),
    ]
    assert found[0]["share"] == pytest.approx(50 / 51)
    assert len(sidelight("logs", "patterns", "--level", "warn").out.splitlines()) == 2


# ---- an agent, by its admin port ----


def ask(one, path, method="GET", body=None, headers={}):
    """Status and body; JSON where it is."""
    connection = http.client.HTTPConnection(one.places["admin"], timeout=20)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    return answer.status, json.loads(text) if answer.headers["content-type"] == "application/json" else text.strip()


def logs(one, **fields):
    status, answer = ask(one, "/api/v1/logs?" + urllib.parse.urlencode(fields))
    assert status == 200, answer
    return answer


@pytest.fixture
def filled(agent, sidelight):
    one = agent(store={"directory": str(sidelight.folder / "store")})
    send(one, *((f"order {n} paid", 9) for n in range(25)))
    send(one, ("order 7 refused: no money", 17, TRACE), ("on its way", 13, TRACE), service="stock")
    # Its store may not be there yet.
    wait_for(lambda: ask(one, "/api/v1/logs")[0] == 200)
    wait_for(lambda: len(logs(one, limit=100)["logs"]) == 27)
    return one


def test_logs_of_the_store(filled):
    def bodies(**fields):
        return [log["body"] for log in logs(filled, **fields)["logs"]]

    assert bodies(search='"order 7"') == ["order 7 refused: no money", "order 7 paid"]
    assert bodies(search="refus*", level="error") == ["order 7 refused: no money"]
    assert bodies(level="warn") == ["on its way", "order 7 refused: no money"]
    assert bodies(trace=TRACE[:8]) == bodies(service="stock") == ["on its way", "order 7 refused: no money"]
    assert bodies(trace="abcdef12") == []
    assert bodies(until="2026-11-23T14:00:00Z") == bodies(since="2026-11-23T14:00:01Z") == []
    assert len(bodies(since="2026-11-23T15:00:00.123+01:00", limit=1000)) == 27
    # Pages meet every record once.
    seen, fields = [], {"limit": 10}
    while True:
        page = logs(filled, **fields)
        seen += [log["body"] for log in page["logs"]]
        if "next" not in page:
            break
        fields["cursor"] = page["next"]
    assert len(seen) == 27 == len(set(seen))


@pytest.mark.parametrize(("path", "reason"), [
    ("/api/v1/logs?search=%22a", 'search="a: a quotation mark is not closed'),
    ("/api/v1/logs?level=loud", "level=loud: there are trace"),
    ("/api/v1/logs?limit=0", "limit=0: write a whole number from 1 to 1000"),
    ("/api/v1/logs?since=x", "since=x: write how long ago"),
    ("/api/v1/logs?trace=12", "trace=12: write 4 to 32 hex digits"),
    ("/api/v1/logs?cursor=x", "cursor=x: "),
    ("/api/v1/logs?what=1", 'there is no parameter "what"; there are search'),
    ("/api/v1/logs/patterns?search=a", 'there is no parameter "search"'),
    ("/api/v1/errors?sort=name", "sort=name: there are last, first, count"),
    ("/api/v1/errors/12", "an error is named by"),
    ("/api/v1/traces/xyz", "a trace is named by"),
])
def test_bad_parameters_are_named(agent, path, reason):
    status, text = ask(agent(), path)
    assert status == 400 and reason in text


def test_a_trace_and_its_logs(filled):
    status, trace = ask(filled, f"/api/v1/traces/{TRACE[:12]}")
    assert status == 200 and [log["body"] for log in trace["logs"]] == ["order 7 refused: no money", "on its way"]
    assert trace["traceId"] == TRACE and logs(filled, search="refused")["logs"][0]["traceId"] == TRACE
    assert ask(filled, "/api/v1/traces/abcdef12")[0] == 404


def test_errors_and_patterns_of_the_store(filled):
    _, answer = ask(filled, "/api/v1/errors")
    [error] = answer["errors"]
    assert (error["message"], error["count"], error["traceId"]) == ("order 7 refused: no money", 1, TRACE)
    status, shown = ask(filled, f"/api/v1/errors/{error['fingerprint'][:5]}?limit=1")
    assert status == 200 and len(shown["logs"]) == 1
    assert ask(filled, "/api/v1/errors/abcdef12")[0] == 404
    _, answer = ask(filled, "/api/v1/logs/patterns?level=info")
    assert [(one["template"], one["count"]) for one in answer["patterns"]][0] == ("order <num> paid", 25)
    assert answer["total"] == 27


def test_without_a_store_there_is_nothing_to_ask(agent, sidelight):
    one = agent({"file": {"kind": "file", "path": str(sidelight.folder / "out")}}, store="off")
    status, text = ask(one, "/api/v1/logs")
    assert status == 404 and "keeps no store" in text


def test_levels_change_while_it_runs(agent, sidelight):
    one = agent()
    place = one.places["admin"]
    assert sidelight("loglevel", "--admin", place).out.splitlines()[0] == "agent          info"
    done = sidelight("loglevel", "--admin", place, "error", "store=debug", "--json")
    levels = json.loads(done.out)["levels"]
    assert levels.pop("store") == "debug" and set(levels.values()) == {"error"}
    assert ask(one, "/api/v1/loglevel")[1]["levels"]["store"] == "debug"
    assert sidelight("loglevel", "--admin", place, "loud").code == 2
    refused = sidelight("loglevel", "--admin", place, "shop=info")
    assert refused.code == 1 and 'there is no category "shop"' in refused.err

    body, kind = json.dumps({"store": "trace"}), {"content-type": "application/json"}
    for headers, status in [({}, 415), ({"content-type": "text/plain"}, 415), ({**kind, "origin": "http://localhost"}, 403), ({**kind, "origin": "null"}, 403)]:
        assert ask(one, "/api/v1/loglevel", "PUT", body, headers)[0] == status
    assert ask(one, "/api/v1/loglevel", "PUT", "x" * 10_000, kind)[0] == 413
    assert ask(one, "/api/v1/loglevel", "POST", body, kind)[0] == 405
    assert ask(one, "/api/v1/loglevel", "PUT", body, kind)[1]["levels"]["store"] == "trace"
