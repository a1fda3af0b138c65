"""A `sidelight agent` whose configuration changes while it runs; what it shows of itself meanwhile."""

import itertools
import json
import pathlib
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

from agents import Agent, exporter_to, spans
from receiver import Answer
from serving import wait_for
from test_agent import agent, ids, sent  # noqa: F401  (a fixture among them)


def port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def names(receiver):
    return [span.name for span in list(receiver.spans)]


class Load:
    """Sends without a pause, over one kept connection at a time, and remembers what was taken."""

    def __init__(self, one, count=5):
        self.one, self.count, self.taken, self.failures = one, count, [], []
        self.isOver = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        first = 1
        while not self.isOver.is_set():
            try:
                if self.one.send(spans(first, self.count)):
                    self.taken += range(first, first + self.count)
            except Exception as error:  # noqa: BLE001
                self.failures.append(error)
            first += self.count

    def end(self):
        self.isOver.set()
        self.thread.join()
        assert self.failures == []
        return self.taken


def test_processors_and_exporters_change_and_nothing_is_lost(agent, make_receiver):
    first, second = make_receiver(), make_receiver()
    one = agent({"out": first})
    load = Load(one)
    for round in range(6):
        wait_for(lambda: len(load.taken) > (round + 1) * 50)
        if round % 2 == 0:
            one.reload(
                exporters={"out": exporter_to(first), "more": exporter_to(second)},
                processors={"tag": {"attributes": [{"set": "round", "value": round}]}},
                pipelines={"traces": {"processors": ["tag"], "exporters": ["out", "more"]}},
            )
        else:
            # The same name and queue, told otherwise: it goes on with what the one before it has.
            one.reload(exporters={"out": {**exporter_to(first), "compression": "gzip"}}, processors={}, pipelines={"traces": {}})
    taken = load.end()
    wait_for(lambda: set(ids(first)) >= set(taken))
    got = ids(first)
    assert sorted(got) == sorted(set(got)), "sent twice"
    one.check_balance()
    assert second.spans and {span.attributes["round"] for span in second.spans} == {0, 2, 4}
    assert one.err.count("the configuration was read anew") == 6


def test_an_exporter_that_changes_while_its_backend_is_down_keeps_its_queue(agent, make_receiver):
    down, up = make_receiver(), make_receiver()
    down.default = Answer(status=503)
    one = agent({"out": down})
    for first in range(1, 201, 10):
        assert one.send(spans(first, 10))
    one.reload(exporters={"out": exporter_to(up)})
    sent(one, 200)
    assert sorted(ids(up)) == list(range(1, 201))


def test_an_exporter_that_goes_leaves_its_queue_behind(agent, make_receiver):
    down, up = make_receiver(), make_receiver()
    down.default = Answer(status=503)
    one = agent({"out": down, "live": up})
    assert one.send(spans(1, 10))
    one.reload(exporters={"live": exporter_to(up)})
    wait_for(lambda: "out is gone from the configuration with 10 spans not delivered" in one.err)
    assert one.send(spans(11, 10))
    one.reload(exporters={"live": exporter_to(up), "out": exporter_to(down)})
    down.default = Answer()
    sent(one, 10)
    assert sorted(ids(down)) == list(range(1, 11))
    assert sorted(ids(up)) == list(range(1, 21))


def test_receivers_come_move_and_go(agent, receiver):
    one = agent({"out": receiver}, receivers={"otlp-http": "127.0.0.1:0"})
    old = one.places["otlp-http"]
    place = f"127.0.0.1:{port()}"
    one.reload(receivers={"otlp-http": place, "zipkin": "127.0.0.1:0"})
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://{old}/v1/traces", timeout=5)
    one.places["otlp-http"] = place
    assert one.send(spans(1, 5))
    sent(one, 5)
    # One place cannot be had: all stays as it is.
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        one.reload("refused", receivers={"otlp-http": place, "jaeger": taken})
        assert f"jaeger cannot listen at {taken}" in one.err
        assert "goes on with the configuration before" in one.err
    assert one.send(spans(6, 5))
    sent(one, 10)


def test_a_bad_file_changes_nothing_and_is_said(agent, receiver, sidelight):
    one = agent({"out": receiver})
    one.reload("refused", processors={"x": {"filtr": {}}}, pipelines={"trces": {}})
    assert "sidelight.yaml:1:" in one.err and "trces" in one.err and "filtr" in one.err
    assert "goes on with the one before" in one.err
    assert one.send(spans(1, 5))
    sent(one, 5)
    one.reload(processors={}, pipelines={"traces": {}})
    sidelight.write("sidelight.yaml", "receivers: [")
    one.process.send_signal(signal.SIGHUP)
    wait_for(lambda: one.reloads("refused") == 2)
    assert one.send(spans(6, 5))
    sent(one, 10)


def test_a_file_that_changes_is_read_without_being_told(agent, make_receiver):
    first, second = make_receiver(), make_receiver()
    one = agent({"out": first})
    assert one.send(spans(1, 1))
    sent(one, 1)
    one.write(exporters={"out": exporter_to(second)})
    wait_for(lambda: one.reloads("taken") == 1)
    assert one.send(spans(2, 1))
    wait_for(lambda: ids(second) == [2])
    assert ids(first) == [1]


def test_what_cannot_change_while_it_runs_is_said(agent, receiver):
    one = agent({"out": receiver})
    one.reload(memory="32MB", service="other")
    assert "memory, service: another value is taken when the agent is started again" in one.err
    assert "sidelight_memory_max_bytes 67108864" in one.metrics()


def test_drops_are_shown(agent, receiver, sidelight):
    one = agent(
        {"out": receiver}, processors={"quiet": {"filter": {"drop": [{"name": "GET /items/1*"}]}}}, pipelines={"traces": {"processors": ["quiet"]}}
    )
    place = one.places["admin"]
    done = sidelight("drops", "--admin", place)
    assert (done.code, done.out) == (0, "nothing was dropped\n")
    assert one.send(spans(1, 5)) and one.send(spans(10, 5))
    done = sidelight("drops", "--admin", place)
    lines = done.out.splitlines()
    assert lines[0].split() == ["TIME", "ITEMS", "SIGNAL", "WHERE", "REASON", "DETAIL"]
    assert [line.split()[2] for line in lines[1:]] == ["1", "5"]
    assert all("processor quiet" in line and "filtered" in line for line in lines[1:])
    done = sidelight("drops", "--admin", place, "--json", "--limit", "1")
    (line,) = done.out.splitlines()
    drop = json.loads(line)
    assert (drop["component"], drop["reason"], drop["items"], drop["signal"]) == ("processor quiet", "filtered", 5, "traces")
    assert sidelight("drops", "--limit", "0").code == 2
    nobody = sidelight("drops", "--admin", f"127.0.0.1:{port()}")
    assert nobody.code == 1 and "no agent answers at" in nobody.err


class Tap:
    def __init__(self, sidelight, *arguments):
        self.process = sidelight.start("tap", *arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def end(self):
        self.process.kill()
        return self.process.communicate()


def send_until(one, first, process):
    """Until the tap has what it wants: nobody says when it has begun to look."""
    for number in itertools.count(first):
        if process.poll() is not None:
            return
        assert one.send(spans(number, 1, attributes=[("password", "hush")]))
        time.sleep(0.02)


def test_what_flows_can_be_watched(agent, receiver, sidelight):
    one = agent({"out": receiver}, processors={"name": {"attributes": [{"set": "seen", "value": "yes"}]}}, pipelines={"traces": {"processors": ["name"]}})
    place = one.places["admin"]
    tap = Tap(sidelight, "--admin", place, "--limit", "2")
    send_until(one, 7, tap.process)
    lines = tap.process.communicate()[0].splitlines()
    assert len(lines) == 2 and all("SPAN  GET /items/" in line and "seen=yes" in line and "password=***" in line for line in lines)
    before = Tap(sidelight, "--admin", place, "--limit", "1", "--json", "otlp-http")
    send_until(one, 100_000, before.process)
    (line,) = before.process.communicate()[0].splitlines()
    (span,) = json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert {pair["key"]: pair["value"]["stringValue"] for pair in span["attributes"]} == {"password": "hush"}
    wrong = sidelight("tap", "--admin", place, "nowhere")
    assert wrong.code == 1 and 'there is no "nowhere"; there are: otlp-http, otlp-grpc' in wrong.err
    assert sidelight("tap", "--limit", "0").code == 2


def test_a_watcher_that_does_not_read_holds_nothing_up(agent, receiver, sidelight):
    one = agent({"out": receiver})
    host, number = one.places["admin"].split(":")
    with socket.create_connection((host, int(number))) as sleeper:
        sleeper.sendall(b"GET /api/v1/tap?format=text HTTP/1.1\r\nhost: h\r\n\r\n")
        assert b"200" in sleeper.recv(4096)
        for first in range(1, 20_001, 500):
            assert one.send(spans(first, 500, attributes=[("text", "x" * 300)]))
        sent(one, 20_000)
        numbers = itertools.count(30_001)
        # It reads again: it is told how many it missed.
        sleeper.settimeout(20)
        seen = b""
        while b"not shown" not in seen:
            assert one.send(spans(next(numbers), 1))
            seen = seen[-64:] + sleeper.recv(1 << 20)


def test_the_end_of_the_agent_is_the_end_of_its_watchers(agent, receiver, sidelight):
    one = agent({"out": receiver})
    tap = Tap(sidelight, "--admin", one.places["admin"])
    lines = []
    threading.Thread(target=lambda: lines.extend(tap.process.stdout)).start()
    numbers = itertools.count(1)
    wait_for(lambda: one.send(spans(next(numbers), 1)) and lines)
    assert one.end() == 0
    tap.process.wait(timeout=20)
    assert tap.process.returncode == 0


@pytest.mark.parametrize("named", [True, False])
def test_a_file_that_is_emptied_or_gone_changes_nothing(agent, receiver, sidelight, named):
    one = agent({"out": receiver}, arguments=("-c", "sidelight.yaml") if named else ())
    path = sidelight.folder / "sidelight.yaml"
    text = path.read_text()
    path.write_text("")
    wait_for(lambda: one.reloads("refused") == 1)
    assert "sidelight.yaml: it is empty" in one.err
    path.unlink()
    wait_for(lambda: one.reloads("refused") == 2)
    assert one.send(spans(1, 5))
    sent(one, 5)
    # It is missed, and noticed when it comes back.
    path.write_text(text)
    wait_for(lambda: one.reloads("taken") == 1)
    assert one.send(spans(6, 5))
    sent(one, 10)


def children(one):
    tasks = pathlib.Path(f"/proc/{one.process.pid}/task").glob("*/children")
    return [pid for task in tasks for pid in task.read_text().split()]


def test_a_script_that_changes_is_loaded_anew(agent, receiver, sidelight):
    def script(version):
        path = sidelight.write("next.js", f"export default {{ span(s) {{ s.attributes.version = {version}; }} }}")
        path.rename(sidelight.folder / "mine.js")

    script(1)
    one = agent({"out": receiver}, processors={"mine": {"js": "mine.js"}}, pipelines={"traces": {"processors": ["mine"]}})
    load = Load(one)
    for version in range(2, 6):
        wait_for(lambda: any(span.attributes["version"] == version - 1 for span in list(receiver.spans)))
        script(version)
        one.reload()
    wait_for(lambda: any(span.attributes["version"] == 5 for span in list(receiver.spans)))
    receiver.may_repeat = True  # What the script had at a change is given to the next one, too.
    taken = load.end()
    wait_for(lambda: set(ids(receiver)) >= set(taken))
    # The workers of the earlier ones are gone.
    wait_for(lambda: len(children(one)) == 1)
    script("oops(")
    one.process.send_signal(signal.SIGHUP)
    wait_for(lambda: one.reloads("refused") > 0)
    assert "mine.js" in one.err and one.send(spans(1_000_000, 1))
    wait_for(lambda: 1_000_000 in ids(receiver))
