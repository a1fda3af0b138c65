"""What an agent says to those who do something wrong, and what it does where two want the same."""

import json
import re
import signal
import subprocess
import urllib.request

import pytest
from google.rpc.status_pb2 import Status

from agents import Agent, spans
from serving import wait_for


def check(sidelight, text, *arguments):
    sidelight.write("sidelight.yaml", text)
    return sidelight("check", "config", *arguments, "sidelight.yaml")


def test_errors_of_scripts_have_their_place_among_the_others(sidelight):
    sidelight.write("good.js", "export default { span() {} };")
    sidelight.write("bad.js", "export default {\n    span(s) { return s. }\n};")
    text = "servce: x\nprocessors:\n  one: {js: good.js}\n  two:\n    cpu: 5ms\n    js: bad.js\nzzz: 1\n"
    done = check(sidelight, text)
    assert (done.code, done.err) == (2, "")
    lines = done.out.splitlines()
    assert [line.split(": ")[0] for line in lines] == ["sidelight.yaml:1:1", "sidelight.yaml:6:5", "sidelight.yaml:7:1"]
    assert lines[1].startswith("sidelight.yaml:6:5: processors.two.js: ")
    assert "bad.js:2:" in lines[1]
    (error,) = [error for error in json.loads(check(sidelight, text, "--json").out)["errors"] if error["key"] == "processors.two.js"]
    assert (error["line"], error["column"]) == (6, 5)


def test_an_agent_tells_where_a_bad_script_stands(sidelight):
    sidelight.write("bad.js", "export default 5;")
    sidelight.write("sidelight.yaml", "admin: off\nreceivers: {otlp-http: '127.0.0.1:0'}\nprocessors:\n  mine: {js: bad.js}\npipelines: {traces: {processors: mine}}\n")
    done = sidelight("agent")
    assert done.code == 2
    assert "sidelight.yaml:4:10: processors.mine.js: " in done.err


@pytest.mark.parametrize(
    "thrown, told",
    [
        ("{}", "{}"),
        ("{ code: 42, why: 'full' }", '{code: 42, why: "full"}'),
        ("[1, 2]", "[array of 2]"),
        ("new (class Failure { constructor() { this.code = 1; } })", "Failure {code: 1}"),
    ],
)
def test_what_is_thrown_and_no_error_is_told(sidelight, receiver, thrown, told):
    sidelight.write("mine.js", f"export default {{ span(s) {{ throw {thrown}; }} }};")
    agent = Agent(sidelight, {"out": receiver}, processors={"mine": {"js": "mine.js"}}, pipelines={"traces": {"processors": ["mine"]}})
    assert agent.send(spans(1, 1))
    wait_for(lambda: told in agent.err)
    assert agent.end() == 0


def test_a_store_that_is_a_file_is_refused(sidelight):
    sidelight.write("store", "no folder")
    done = sidelight("agent", "--store", "store", "--admin", "off", "--receive", "otlp-http=127.0.0.1:0")
    assert done.code == 2
    assert "store: store is a file, and has to be a folder" in done.err


def test_two_agents_do_not_share_a_store(sidelight):
    first = Agent(sidelight, store="mine")
    second = sidelight("agent", "--store", "mine", "--admin", "off")
    assert second.code == 2
    assert f"store: mine is in use by another agent, process {first.process.pid}: give each agent a folder of its own" in second.err
    # Reading it, and one without a store, are nobody's business.
    wait_for(lambda: sidelight("trace", "ls", "--store", "mine").code == 0)
    first.kill()
    # The lock ends with the process.
    third = Agent(sidelight, store="mine")
    assert third.end() == 0
    fourth = Agent(sidelight, store="mine")
    assert fourth.end() == 0


def test_a_file_that_appears_is_taken(sidelight, receiver):
    process = sidelight.start(
        "agent", "--admin", "127.0.0.1:0", "--receive", "otlp-http=127.0.0.1:0", "--receive", "otlp-grpc=off", "--receive", "zipkin=off", "--receive", "jaeger=off", "--log-level", "info",
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(sidelight.folder / "said.txt", "w"),
    )
    said = lambda: (sidelight.folder / "said.txt").read_text()
    try:
        wait_for(lambda: "receiving" in said())
        sidelight.write("next.yaml", json.dumps({"exporters": {"out": {"kind": "otlp", "url": receiver.url}}})).rename(sidelight.folder / "sidelight.yaml")
        wait_for(lambda: "the configuration was read anew" in said())
        # And what was there once is wanted.
        (sidelight.folder / "sidelight.yaml").unlink()
        wait_for(lambda: "the agent goes on with the one before" in said())
        place = re.search(r"otlp-http at (\S+?)[,;]", said())[1]
        request = urllib.request.Request(f"http://{place}/v1/traces", data=spans(1, 3).SerializeToString(), headers={"Content-Type": "application/x-protobuf"})
        assert urllib.request.urlopen(request, timeout=20).status == 200
        wait_for(lambda: len(receiver.spans) == 3)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_body_that_is_too_large_is_told_which_key_raises_it(sidelight):
    agent = Agent(sidelight, receivers={"otlp-http": {"listen": "127.0.0.1:0", "body-max": "1KB"}})
    text = "the body has more than the 1024 bytes that are taken; receivers.otlp-http.body-max raises that"
    status, fields, body = agent.post(bytes(5_000))
    assert (status, fields["content-type"]) == (413, "application/x-protobuf")
    answer = Status.FromString(body)
    assert (answer.code, answer.message) == (8, text)
    status, fields, body = agent.post(b" " * 5_000, type="application/json")
    assert (status, fields["content-type"]) == (413, "application/json")
    assert json.loads(body)["message"] == text
    assert re.search(r'^sidelight_receiver_requests_total\{receiver="otlp_http",outcome="bad"\} 2$', agent.metrics(), re.M)
    assert agent.end() == 0


def test_series_that_are_known_begin_at_0(sidelight, receiver):
    agent = Agent(sidelight, {"out": receiver}, processors={"few": {"filter": {"drop": [{"name": "x"}]}}}, pipelines={"traces": {"processors": ["few"]}})
    text = agent.metrics()
    for line in (
        'sidelight_export_sent_total{exporter="out",signal="traces"} 0',
        'sidelight_export_dropped_total{exporter="out",signal="traces",reason="refused"} 0',
        'sidelight_export_dropped_total{exporter="out",signal="traces",reason="expired"} 0',
        'sidelight_export_requests_total{exporter="out"} 0',
        'sidelight_receiver_requests_total{receiver="otlp_http",outcome="full"} 0',
        'sidelight_processor_received_total{pipeline="traces",processor="few",signal="traces"} 0',
        'sidelight_processor_dropped_total{pipeline="traces",processor="few",signal="traces",reason="filtered"} 0',
        'sidelight_store_dropped_total{signal="logs",reason="disk_full"} 0',
        'sidelight_config_reloads_total{outcome="refused"} 0',
        'sidelight_server_refused_total{reason="memory"} 0',
    ):
        assert line + "\n" in text, line
    # A family is told of once, and each series once.
    types = re.findall(r"^# TYPE (\S+)", text, re.M)
    assert len(types) == len(set(types))
    series = [line.rsplit(" ", 1)[0] for line in text.splitlines() if not line.startswith("#")]
    assert len(series) == len(set(series))
    agent.check_balance()
    assert agent.end() == 0
