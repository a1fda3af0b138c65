"""`sidelight agent` takes syslog, standard input, named pipes and programs' output."""

import json
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from agents import Agent
from receiver import Answer
from serving import wait_for
from test_log_files import arrived, bodies, metric


@pytest.fixture
def inputs(sidelight):
    """Starts agents; checks their books and ends them when the test is over."""
    made = []

    def start(receivers, exporters={}, **settings):
        settings = {"receivers": receivers, "store": "off", **settings}
        made.append(Agent(sidelight, exporters, **settings))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.check_balance()
            assert one.end() == 0, one.err


def place(one, name="syslog"):
    host, port = one.places[name].rsplit(":", 1)
    return host, int(port)


@pytest.mark.parametrize("form", ["--rfc5424", "--rfc3164"])
@pytest.mark.parametrize("transport", ["-d", "-T"])
def test_logger_is_understood(inputs, receiver, form, transport):
    if not shutil.which("logger"):
        pytest.skip("there is no logger")
    one = inputs({"syslog": "127.0.0.1:0"}, {"otlp": receiver})
    host, port = place(one)
    for number in range(3):
        subprocess.run(
            ["logger", "-n", host, "-P", str(port), transport, form, "-t", "shop", "-p", "daemon.warning", "--id=7", f"it says {number}"],
            check=True,
        )
    assert arrived(receiver, 3) == [f"it says {number}" for number in range(3)]
    log = receiver.logs[0]
    assert log.severity == 13 and log.attributes["syslog.facility"] == "daemon" and log.attributes["syslog.procid"] == "7"
    assert log.resource["service.name"] == "shop" and log.resource["host.name"]


def test_a_stream_waits_for_a_full_queue_and_loses_nothing(inputs, receiver):
    receiver.default = Answer(status=503)
    one = inputs({"syslog": "127.0.0.1:0"}, {"otlp": receiver}, queue={"directory": "queue", "bytes": "1MB"})
    count, pad = 20_000, "x" * 500
    sender = socket.create_connection(place(one))
    sender.settimeout(60)
    text = "".join(f"<13>1 - host app - - - {number} {pad}\n" for number in range(count)).encode()

    thread = threading.Thread(target=lambda: (sender.sendall(text), sender.close()))
    thread.start()
    wait_for(lambda: metric(one, "sidelight_receiver_requests_total") > 3 and "no queue has room" in one.err)
    assert thread.is_alive()
    receiver.default = Answer()
    thread.join(timeout=60)
    arrived(receiver, count, 60)
    # What was refused comes again behind others.
    assert sorted(int(body.split()[0]) for body in bodies(receiver)) == list(range(count))


def test_standard_input_ends_the_agent(sidelight, receiver):
    settings = {
        "admin": "off",
        "store": "off",
        "receivers": {"stdin": {"multiline": "off", "service": "job"}},
        "queue": {"directory": str(sidelight.folder / "queue")},
        # One request at a time, so that they arrive in order.
        "exporters": {"otlp": {"url": receiver.url, "in-flight": 1}},
    }
    sidelight.write("sidelight.yaml", json.dumps(settings))
    process = sidelight.start("agent", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    text = "".join(f"line {number}\n" for number in range(50_000)) + '{"level":"error","msg":"last"}'
    _, err = process.communicate(text, timeout=60)
    assert process.returncode == 0, err
    assert len(receiver.logs) == 50_001, err
    assert bodies(receiver) == [f"line {number}" for number in range(50_000)] + ["last"]
    assert receiver.logs[-1].severity == 17 and receiver.logs[-1].resource["service.name"] == "job"


@pytest.mark.parametrize("first", ["otlp-http", "syslog"])
def test_standard_input_that_comes_later_ends_the_agent_too(inputs, receiver, first):
    one = inputs({first: "127.0.0.1:0"}, {"otlp": receiver})
    one.write(receivers={"stdin": {}})
    one.process.send_signal(signal.SIGHUP)
    # It is /dev/null.
    assert one.process.wait(timeout=30) == 0, one.err


def test_a_pipe_and_a_program(inputs, sidelight, receiver):
    pipe = sidelight.folder / "pipe"
    one = inputs(
        {
            "pipe": {"path": str(pipe), "multiline": "off"},
            "exec/job": {
                "command": ["sh", "-c", "echo $GREETING; echo bad >&2; exec sleep 1000"],
                "environment": {"GREETING": "hello"},
                "service": "job",
            },
        },
        {"otlp": receiver},
    )
    pipe.write_text("one\ntwo\n")
    wait_for(lambda: sorted(bodies(receiver)) == ["bad", "hello", "one", "two"])
    streams = {log.body: log.attributes.get("log.iostream") for log in receiver.logs}
    assert streams == {"one": None, "two": None, "hello": "stdout", "bad": "stderr"}
    # A program that goes is ended, and what stays goes on.
    one.reload(receivers={"pipe": {"path": str(pipe), "multiline": "off"}, "syslog": "127.0.0.1:0"})
    pipe.write_text("three\n")
    wait_for(lambda: "three" in bodies(receiver))


def test_what_cannot_be_opened_is_told(sidelight):
    blocker = socket.socket()
    blocker.bind(("127.0.0.1", 0))
    blocker.listen()
    port = blocker.getsockname()[1]
    for receivers, message in [
        ({"syslog": f"127.0.0.1:{port}"}, f"syslog cannot listen at 127.0.0.1:{port}: the address is in use by another program"),
        ({"pipe": "/etc/passwd"}, "pipe cannot read /etc/passwd: it is there, and no named pipe"),
        ({"exec": {"command": "no-such-program"}}, "exec: there is no program no-such-program"),
    ]:
        one = Agent(sidelight, {}, wait=False, receivers=receivers)
        assert one.process.wait(timeout=30) == 2
        assert message in one.err


def test_repeats_become_two_and_all_are_counted(inputs, receiver):
    one = inputs(
        {"syslog": "127.0.0.1:0"},
        {"otlp": receiver},
        processors={
            "levels": {"log-metrics": {"every": "1s"}},
            "quiet": {"sample": {"levels": {"debug": 0}}},
            "said": {"dedupe": {"repeats": "1s"}},
        },
        pipelines={"logs": {"processors": ["levels", "quiet", "said"]}, "metrics": {"receivers": ["levels"]}},
    )
    with socket.create_connection(place(one)) as sender:
        sender.sendall(b"<11>1 - h app - - - refused\n" * 42 + b"<15>1 - h app - - - noise\n" * 10 + b"<14>1 - h app - - - up\n")
    wait_for(lambda: len(receiver.logs) == 3)
    assert sorted((log.body, log.attributes.get("sidelight.repeated")) for log in receiver.logs if log.body == "up") == [("up", None)]
    assert [log.attributes.get("sidelight.repeated") for log in receiver.logs if log.body == "refused"] == [None, 41]

    def counts():
        latest = {}
        for _, point in receiver.metric_points():
            latest[{pair.key: pair.value.string_value for pair in point.attributes}["severity"]] = point.as_int
        return latest

    wait_for(lambda: counts() == {"error": 42, "debug": 10, "info": 1})
    dropped = {"said": "repeated", "quiet": "unsampled"}
    for processor, reason in dropped.items():
        assert f'processor="{processor}",signal="logs",reason="{reason}"}} {40 if processor == "said" else 10}' in one.metrics()
