"""`sidelight agent` reads log files: each line arrives once, whatever happens to the file, the agent and the backend."""

import collections
import gzip
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

from agents import Agent, exporter_to
from receiver import Answer
from senders import free_port
from serving import wait_for

STAMP = "2026-11-26T10:00:00.123456789Z"


@pytest.fixture
def folder(sidelight):
    made = sidelight.folder / "logs"
    made.mkdir()
    return made


@pytest.fixture
def tail(sidelight, folder):
    """Starts agents that read *.log of the folder, a line a record; checks their books and ends them when the test is over."""
    made = []

    def start(exporters={}, *, wait=True, **settings):
        files = {"include": f"{folder}/*.log", "multiline": "off", **settings.pop("files", {})}
        settings = {"receivers": {"files": files}, "store": "off", **settings}
        made.append(Agent(sidelight, exporters, wait=wait, **settings))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.check_balance()
            assert one.end() == 0, one.err


class Writer:
    """Appends numbered lines to a file, and knows which."""

    def __init__(self, path, pad=0):
        self.path, self.pad, self.next = path, pad, 0

    def write(self, count):
        text = "".join(f"{self.path.stem} {number} {'x' * self.pad}\n" for number in range(self.next, self.next + count))
        with open(self.path, "a") as file:
            file.write(text)
        self.next += count

    @property
    def lines(self):
        return [f"{self.path.stem} {number} {'x' * self.pad}" for number in range(self.next)]


def bodies(receiver):
    return [log.body for log in list(receiver.logs)]


def arrived(receiver, count, seconds=30):
    wait_for(lambda: len(receiver.logs) >= count, seconds)
    return bodies(receiver)


def metric(one, name):
    return sum(int(value) for value in re.findall(rf"^{name}(?:\{{[^\n]*\}})? (\d+)$", one.metrics(), re.M))


def sample(one, series):
    found = re.search(rf"^{re.escape(series)} (\d+)$", one.metrics(), re.M)
    return int(found[1]) if found else None


# -- files that grow, move and go


def test_lines_arrive_as_they_are_written(tail, folder, receiver):
    (folder / "shop.log").write_text("one\ntwö\r\n\nthree 🦛\nhalf")
    one = tail({"out": receiver})
    assert arrived(receiver, 3) == ["one", "twö", "three 🦛"]
    with open(folder / "shop.log", "a") as file:
        file.write(" a line\nfour\n")
    assert arrived(receiver, 5)[3:] == ["half a line", "four"]
    log = receiver.logs[0]
    assert log.resource["service.name"] == "shop"
    assert (log.attributes["log.file.name"], log.attributes["log.file.path"]) == ("shop.log", str(folder / "shop.log"))
    assert log.observed > 0
    wait_for(lambda: sample(one, 'sidelight_receiver_items_total{receiver="files"}') == 5)
    assert sample(one, 'sidelight_receiver_requests_total{receiver="files",outcome="accepted"}') >= 2
    wait_for(lambda: metric(one, "sidelight_tail_lag_bytes") == 0)
    assert metric(one, "sidelight_tail_bytes_total") == os.path.getsize(folder / "shop.log")
    assert f"files from {folder}/*.log" in one.err


def test_files_that_come_later_and_a_start_at_the_end(tail, folder, receiver):
    (folder / "old.log").write_text("old\n")
    one = tail({"out": receiver}, files={"start": "end"})
    wait_for(lambda: sample(one, 'sidelight_tail_files{state="known"}') == 1)
    with open(folder / "old.log", "a") as file:
        file.write("appended\n")
    (folder / "new.log").write_text("new\n")
    assert sorted(arrived(receiver, 2)) == ["appended", "new"]
    time.sleep(0.3)  # and nothing more
    assert len(receiver.logs) == 2


@pytest.mark.parametrize("way", ["rename", "copytruncate", "delete", "compressed"])
def test_rotation(tail, folder, receiver, way):
    writer = Writer(folder / "shop.log", pad=50)
    one = tail({"out": receiver}, files={"include": [f"{folder}/*.log", f"{folder}/*.log.*"]}, **{"log-files": {"rotate-wait": "1s"}})
    for round in range(5):
        writer.write(200)
        if way == "delete":
            arrived(receiver, writer.next)
            os.remove(writer.path)
        elif way == "copytruncate":
            shutil.copy(writer.path, folder / f"shop.log.{round}")
            os.truncate(writer.path, 0)
        else:
            os.rename(writer.path, folder / f"shop.log.{round}")
            if way == "compressed":
                writer.write(10)
                arrived(receiver, writer.next)
                packed = gzip.compress((folder / f"shop.log.{round}").read_bytes())
                (folder / f"shop.log.{round}.gz.part").write_bytes(packed)
                os.rename(folder / f"shop.log.{round}.gz.part", folder / f"shop.log.{round}.gz")
                os.remove(folder / f"shop.log.{round}")
        writer.write(20)
    # Several copies that appear at once may be read in any order.
    ordered = sorted if way == "copytruncate" else list
    assert ordered(arrived(receiver, writer.next)) == ordered(writer.lines)
    time.sleep(1.5)  # and nothing comes again when the rotated ones are let go
    assert len(receiver.logs) == writer.next
    assert metric(one, "sidelight_tail_missed_bytes_total") == 0


def test_many_files_each_in_its_order(tail, folder, receiver):
    writers = [Writer(folder / f"f{number}.log") for number in range(200)]
    tail({"out": receiver})
    for _ in range(5):
        for writer in writers:
            writer.write(10)
    got = arrived(receiver, 200 * 50)
    for writer in writers:
        assert [line for line in got if line.startswith(writer.path.stem + " ")] == writer.lines


# -- agents that end


def test_a_restart_neither_loses_nor_repeats(tail, folder, receiver):
    writer = Writer(folder / "shop.log")
    one = tail({"out": receiver})
    for round in range(4):
        writer.write(500)
        if round % 2:
            arrived(receiver, writer.next)
        assert one.end() == 0
        writer.write(100)
        os.rename(writer.path, folder / f"rotated-{round}.log")
        writer.write(100)
        one.restart()
    assert sorted(arrived(receiver, writer.next), key=lambda line: int(line.split()[1])) == writer.lines
    assert "came" not in one.err


def test_what_waits_for_further_lines_is_read_again_after_a_restart(tail, folder, receiver):
    """A record is not cut by the agent's end: what is written afterwards still belongs to it."""
    path = folder / "app.log"
    one = tail({"out": receiver}, files={"multiline": {"start": "^[A-Z]"}, "multiline-wait": "30s"})
    path.write_text("First\n  a\nSecond\n  b\n")
    arrived(receiver, 1)
    assert one.end() == 0
    with open(path, "a") as file:
        file.write("  c\nThird\nFourth\n")
    one.restart()
    assert arrived(receiver, 3) == ["First\n  a", "Second\n  b\n  c", "Third"]


def test_killed_again_and_again_every_line_comes_once(tail, folder, make_receiver):
    """A writer goes on without a pause, files are rotated, the agent is killed at any moment. The backend is away meanwhile, so that nothing is on its way to it twice."""
    receiver = make_receiver()
    receiver.stop()
    writers = [Writer(folder / f"w{number}.log", pad=100) for number in range(4)]
    one = tail({"out": receiver})
    over = threading.Event()
    rotated = [0]

    def write():
        while not over.is_set():
            for writer in writers:
                writer.write(random.randint(1, 50))
                if random.random() < 0.02:
                    rotated[0] += 1
                    os.rename(writer.path, folder / f"{writer.path.stem}-{rotated[0]}.log")
            time.sleep(0.001)

    thread = threading.Thread(target=write)
    thread.start()
    for _ in range(12):
        time.sleep(random.uniform(0.05, 0.5))
        one.kill()
        one.restart()
    over.set()
    thread.join()
    receiver.start()
    total = sum(writer.next for writer in writers)
    got = arrived(receiver, total, 60)
    time.sleep(0.5)
    got = bodies(receiver)
    counts = collections.Counter(got)
    assert [line for line, count in counts.items() if count > 1][:5] == []
    for writer in writers:
        mine = [int(line.split()[1]) for line in got if line.startswith(writer.path.stem + " ")]
        assert sorted(mine) == list(range(writer.next))
    assert total > 1000


def test_places_that_are_damaged_are_said_and_nothing_is_lost(tail, folder, receiver, sidelight):
    writer = Writer(folder / "shop.log")
    writer.write(100)
    one = tail({"out": receiver})
    arrived(receiver, 100)
    one.kill()
    place = sidelight.folder / "queue" / "@positions" / "positions"
    place.write_bytes(place.read_bytes()[:-3] + b"xyz")
    writer.write(10)
    one.restart()
    wait_for(lambda: set(bodies(receiver)) >= set(writer.lines))
    assert "of the places of files are damaged" in one.err


# -- backends and disks that are full or away


def test_what_no_queue_has_room_for_waits_in_the_files(tail, folder, make_receiver):
    receiver = make_receiver(default=Answer(status=503))
    writer = Writer(folder / "shop.log", pad=1000)
    one = tail({"out": receiver}, queue={"directory": "queue", "bytes": "4MB"})
    for _ in range(20):
        writer.write(1000)
    wait_for(lambda: "files are not read on for now (no queue has room)" in one.err)
    wait_for(lambda: sample(one, 'sidelight_receiver_requests_total{receiver="files",outcome="full"}') >= 3)
    assert metric(one, "sidelight_tail_lag_bytes") > 10 << 20
    books = one.check_balance()["out", "logs"]
    assert books["dropped_total"] == 0
    # Neither the end of the agent nor a kill changes that.
    assert one.end() == 0
    one.restart()
    one.kill()
    os.rename(writer.path, folder / "rotated.log")
    one.restart()
    receiver.default = Answer()
    got = arrived(receiver, writer.next, 60)
    assert got == writer.lines
    assert one.err.count("files are not read on") <= 1


def test_one_dead_backend_does_not_hold_up_a_live_one(tail, folder, make_receiver):
    dead, live = make_receiver(), make_receiver()
    dead.stop()
    writer = Writer(folder / "shop.log", pad=1000)
    one = tail({"dead": dead, "live": live}, queue={"directory": "queue", "bytes": "4MB"})
    for _ in range(10):
        writer.write(1000)
    assert arrived(live, writer.next) == writer.lines
    books = one.check_balance()["dead", "logs"]
    assert books["dropped_total"] > 0 and books["queued"] > 0


@pytest.fixture
def small_disk(sidelight):
    if os.geteuid() != 0:
        pytest.skip("only root can make a small disk")
    disk = sidelight.folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True).returncode != 0:
        pytest.skip("this machine does not let us mount")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_a_full_disk_loses_nothing(tail, folder, make_receiver, small_disk):
    """Queues and places have no room on their disk; the lines wait in their files."""
    receiver = make_receiver()
    receiver.stop()
    writer = Writer(folder / "shop.log", pad=1000)
    one = tail({"out": receiver}, queue={"directory": str(small_disk / "queue")})
    for _ in range(6):
        writer.write(1000)
    wait_for(lambda: "files are not read on for now" in one.err)
    receiver.start()
    assert arrived(receiver, writer.next, 60) == writer.lines
    assert one.end() == 0
    one.restart()
    writer.write(5)
    assert arrived(receiver, writer.next) == writer.lines


def test_places_alone_have_no_room(tail, folder, receiver, sidelight, small_disk):
    """What has arrived is not held up by it, and it is said."""
    queue = sidelight.folder / "queue"
    queue.mkdir()
    os.symlink(small_disk, queue / "@positions")
    writer = Writer(folder / "shop.log")
    one = tail({"out": receiver})
    writer.write(10)
    arrived(receiver, 10)
    ballast = open(small_disk / "ballast", "wb", buffering=0)
    try:
        while True:
            ballast.write(bytes(1024))
    except OSError:
        pass
    for _ in range(300):
        writer.write(10)
        if "the places of files cannot be written" in one.err:
            break
        time.sleep(0.02)
    assert "the places of files cannot be written" in one.err
    assert metric(one, "sidelight_position_failures_total") > 0
    ballast.truncate(0)
    ballast.close()
    arrived(receiver, writer.next)
    # The file is written anew with the next tick.
    wait_for(lambda: "the places of files are written again" in one.err)
    one.kill()
    one.restart()
    writer.write(1)
    assert arrived(receiver, writer.next) == writer.lines


# -- what is wrong


@pytest.mark.parametrize("files, said", [
    ({"include": []}, "receivers.files: include is missing"),
    ({"include": "/var/log/"}, 'receivers.files.include: "/var/log/" is a folder'),
    ({"include": "*.log", "format": "regex", "pattern": "(?<a>"}, "receivers.files.pattern: it is no regular expression"),
    ({"include": "*.log", "multiline": {"start": "["}}, "receivers.files.multiline.start: it is no regular expression"),
], ids=["nothing", "folder", "pattern", "multiline"])  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(sidelight, files, said):
    sidelight.write("sidelight.yaml", "receivers:\n  files: " + json.dumps(files) + "\n")
    done = sidelight("check", "config")
    assert done.code == 2 and said in done.out and re.match(r"sidelight\.yaml:2:\d+: ", done.out), done.out
    done = sidelight("agent", "--admin", "off", "--store", "off")
    assert done.code == 2 and said in done.err, done.err


def test_files_that_are_none_or_cannot_be_read(tail, folder, receiver, sidelight):
    """What can be read is read all the same."""
    (folder / "folder.log").mkdir()
    os.mkfifo(folder / "pipe.log")
    os.symlink(folder / "nowhere", folder / "dangling.log")
    os.symlink(folder / "loop.log", folder / "loop.log")
    (folder / "binary.log").write_bytes(bytes(range(256)) * 4 + b"\n")
    (folder / "good.log").write_text("good\n")
    tail({"out": receiver}, files={"include": [f"{folder}/*.log", f"{folder}/nowhere/**/*.log"]})
    wait_for(lambda: "good" in bodies(receiver))


@pytest.mark.skipif(shutil.which("setpriv") is None or os.geteuid() != 0, reason="needs root, to be less than root")
def test_a_file_without_permission_is_counted_and_read_when_it_may_be(folder, receiver, sidelight):
    (folder / "secret.log").write_text("secret\n")
    (folder / "good.log").write_text("good\n")
    (folder / "secret.log").chmod(0)
    lessened = sidelight.folder / "sidelight-as-less"
    lessened.write_text(f'#!/bin/sh\nexec setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-dac_override,-dac_read_search {sidelight.binary} "$@"\n')
    lessened.chmod(0o755)
    less = type(sidelight)(sidelight.folder, lessened)
    one = Agent(less, {"out": receiver}, receivers={"files": {"include": f"{folder}/*.log", "multiline": "off"}}, store="off")
    assert arrived(receiver, 1) == ["good"]
    wait_for(lambda: metric(one, "sidelight_tail_failures_total") > 0)
    wait_for(lambda: f"{folder}/secret.log cannot be read; it is tried again" in one.err)
    (folder / "secret.log").chmod(0o600)
    assert arrived(receiver, 2) == ["good", "secret"]
    assert one.end() == 0


# -- what becomes of lines


def test_formats(tail, folder, receiver, sidelight):
    pod = folder / "pods" / "shop_cart-7d_1234" / "web"
    pod.mkdir(parents=True)
    trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    (pod / "0.log").write_text(
        f"{STAMP} stdout F "
        + json.dumps({"level": 30, "time": 1764151200000, "msg": "paid", "trace_id": trace, "span_id": span, "sum": 7})
        + f"\n{STAMP} stdout P Error: no \n{STAMP} stderr F beside\n{STAMP} stdout F card\n"
        + f"{STAMP} stdout F     at pay (/app/pay.js:1:2)\n{STAMP} stdout F     at main (/app/main.js:3:4)\n{STAMP} stdout F next\n"
    )
    container = folder / "containers" / ("c" * 64)
    container.mkdir(parents=True)
    (container / f"{'c' * 64}-json.log").write_text(json.dumps({"log": "hello\n", "stream": "stderr", "time": STAMP}, separators=(",", ":")) + "\n")
    (folder / "nginx").mkdir()
    (folder / "nginx" / "access.log").write_text('10.0.0.1 - bob [26/Nov/2026:10:00:00 +0000] "GET /x?a=1 HTTP/1.1" 404 12 "-" "curl/8"\n')
    (folder / "fmt.log").write_text('time=2026-11-26T10:00:00Z level=warn msg="low on tea" cups=3\n')
    (folder / "own.txt").write_text("26|WARN|it rains\n")
    tail(
        {"out": receiver},
        receivers={
            "files": {"include": [f"{folder}/pods/*/*/*.log", f"{folder}/containers/*/*-json.log", f"{folder}/nginx/*.log", f"{folder}/*.log"], "multiline-wait": "300ms"},
            "files/own": {
                "include": f"{folder}/own.txt", "format": "regex", "pattern": r"^(?<day>\d+)\|(?<level>\w+)\|(?<message>.*)$",
                "service": "weather", "attributes": {"team": "sky"},
            },
        },
    )  # fmt: skip
    arrived(receiver, 8)
    by_text = {str(log.body).split("\n")[0]: log for log in receiver.logs}
    paid = by_text["paid"]
    assert (paid.trace_id, paid.span_id, paid.severity, paid.attributes["sum"]) == (trace, span, 9, 7)
    assert paid.time == 1764151200000 * 10**6
    for key, value in {"service.name": "web", "k8s.namespace.name": "shop", "k8s.pod.name": "cart-7d", "k8s.container.name": "web"}.items():
        assert paid.resource[key] == value
    error = by_text["Error: no card"]
    assert error.severity >= 17 and error.attributes["log.iostream"] == "stdout" and error.event_name == "exception"
    assert error.attributes["exception.stacktrace"] == "Error: no card\n    at pay (/app/pay.js:1:2)\n    at main (/app/main.js:3:4)"
    assert by_text["beside"].attributes["log.iostream"] == "stderr"
    assert set(by_text) >= {"paid", "Error: no card", "beside", "next", "hello", "low on tea", "it rains"}
    hello = by_text["hello"]
    assert hello.attributes["log.iostream"] == "stderr" and hello.resource["container.id"] == "c" * 64
    assert hello.time == 1795687200123456789, hello.time
    tea = by_text["low on tea"]
    assert tea.severity == 13 and str(tea.attributes["cups"]) == "3"
    rain = by_text["it rains"]
    assert rain.severity == 13 and rain.attributes["day"] == 26 and rain.resource["service.name"] == "weather" and rain.resource["team"] == "sky"
    request = next(log for log in receiver.logs if log.resource["service.name"] == "nginx")
    assert request.attributes["http.response.status_code"] == 404 and request.attributes["http.request.method"] == "GET"


NGINX = pathlib.Path(__file__).resolve().parents[2] / ".peers/nginx/usr/sbin/nginx"


def test_logs_of_nginx(tail, folder, receiver):
    """What a real nginx, Debian's, writes to its access log and its error log."""
    place, port = folder / "nginx", free_port()
    (place / "html").mkdir(parents=True)
    (place / "html" / "hello.txt").write_text("hi\n")
    paths = " ".join(f"{kind}_temp_path {place}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (place / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {place}/pid; error_log {place}/error.log info;\nevents {{}}\n"
        f"http {{ access_log {place}/access.log combined; {paths} server {{ listen 127.0.0.1:{port}; root {place}/html; }} }}\n"
    )
    tail({"out": receiver}, files={"include": [f"{place}/access.log", f"{place}/error.log"]})
    server = subprocess.Popen([NGINX, "-c", place / "nginx.conf", "-e", place / "error.log"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        ask = urllib.request.Request(f"http://127.0.0.1:{port}/hello.txt?x=1", headers={"Referer": "http://shop.example/", "User-Agent": "test/1"})
        wait_for(lambda: answers(port))
        began = time.time()
        assert urllib.request.urlopen(ask).read() == b"hi\n"
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/missing")

        def of(text):
            return next((log for log in list(receiver.logs) if text in log.body), None)

        hello, missing, error = (wait_for(lambda text=text: of(text)) for text in ("GET /hello.txt", "GET /missing HTTP/1.1\" 404", "open()"))
    finally:
        server.terminate()
        server.wait()
    assert {log.resource["service.name"] for log in receiver.logs} == {"nginx"}
    assert hello.attributes["http.request.method"] == "GET" and hello.attributes["http.response.status_code"] == 200
    assert (hello.attributes["url.path"], hello.attributes["url.query"]) == ("/hello.txt", "x=1")
    assert hello.attributes["user_agent.original"] == "test/1" and hello.attributes["client.address"] == "127.0.0.1"
    assert missing.attributes["http.response.status_code"] == 404 and missing.severity == 13
    assert error.severity == 17 and "No such file or directory" in error.body
    for log in (hello, missing, error):
        assert abs(log.time / 1e9 - began) < 10


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_to_loki(tail, folder, receiver):
    (folder / "shop.log").write_text("one\ntwo\n")
    tail({"loki": {"kind": "loki", "url": receiver.url}})
    wait_for(lambda: len(receiver.loki) == 2)
    assert [(labels["service_name"], line) for labels, _, line, *_ in receiver.loki] == [("shop", "one"), ("shop", "two")]


def test_secrets_in_lines_are_masked(tail, folder, receiver):
    (folder / "shop.log").write_text("mail to bob@example.org\n" + json.dumps({"msg": "in", "password": "hunter2"}) + "\n")
    tail(
        {"out": receiver}, processors={"secrets": {"redact": {"patterns": ["email"]}}},
        pipelines={"logs": {"receivers": ["files"], "processors": ["secrets"], "exporters": ["out"]}},
    )  # fmt: skip
    got = arrived(receiver, 2)
    assert got[0] == "mail to ***" and receiver.logs[1].attributes["password"] == "***"


def test_what_a_filter_drops_is_read_once_and_counted_once(tail, folder, make_receiver):
    receiver = make_receiver(default=Answer(status=503))
    writer = Writer(folder / "shop.log", pad=1000)
    one = tail(
        {"out": receiver}, queue={"directory": "queue", "bytes": "2MB"},
        processors={"none": {"filter": {"drop": [{"service": "noise"}]}}},
        pipelines={"logs": {"receivers": ["files"], "processors": ["none"], "exporters": ["out"]}},
    )  # fmt: skip
    (folder / "noise.log").write_text("noise\n" * 100)
    for _ in range(10):
        writer.write(1000)
    wait_for(lambda: sample(one, 'sidelight_receiver_requests_total{receiver="files",outcome="full"}') >= 4)
    receiver.default = Answer()
    arrived(receiver, writer.next, 60)
    wait_for(lambda: sample(one, 'sidelight_receiver_items_total{receiver="files"}') == writer.next + 100)
    labels = 'pipeline="logs",processor="none",signal="logs"'
    assert sample(one, f"sidelight_processor_received_total{{{labels}}}") == writer.next + 100
    assert sample(one, f'sidelight_processor_dropped_total{{{labels},reason="filtered"}}') == 100


def test_they_can_be_looked_at(tail, folder, sidelight, receiver):
    one = tail({"out": receiver})
    tap = sidelight.start("tap", "files", "--admin", one.places["admin"], stdout=subprocess.PIPE)
    writer = Writer(folder / "shop.log")

    seen = []
    reader = threading.Thread(target=lambda: seen.append(tap.stdout.readline()))
    reader.start()
    while reader.is_alive():
        writer.write(1)
        reader.join(0.1)
    tap.kill()
    tap.wait()
    assert "shop" in seen[0]


# -- another configuration


def test_receivers_come_go_and_stay(tail, folder, make_receiver, sidelight):
    receiver = make_receiver()
    a, b = Writer(folder / "a.log"), Writer(folder / "b.txt")
    one = tail({"out": receiver})
    a.write(100)
    b.write(100)
    arrived(receiver, 100)
    both = {"files": one.settings["receivers"]["files"], "files/b": {"include": f"{folder}/*.txt", "multiline": "off"}}
    one.reload(receivers=both)
    a.write(100)
    arrived(receiver, 300)
    one.reload(receivers={"files": both["files"]})
    a.write(50)
    b.write(50)
    arrived(receiver, 350)
    one.reload(receivers=both)
    wait_for(lambda: len(receiver.logs) == 400)
    got = bodies(receiver)
    assert [line for line in got if line.startswith("a ")] == a.lines
    assert [line for line in got if line.startswith("b ")] == b.lines


def test_exporters_change_while_lines_come(tail, folder, make_receiver):
    first, second = make_receiver(), make_receiver()
    writer = Writer(folder / "shop.log")
    one = tail({"out": first})
    over = threading.Event()

    def write():
        while not over.is_set():
            writer.write(20)
            time.sleep(0.002)

    thread = threading.Thread(target=write)
    thread.start()
    wait_for(lambda: len(first.logs) > 100)
    one.reload(exporters={"out": exporter_to(second)})
    wait_for(lambda: len(second.logs) > 100)
    over.set()
    thread.join()
    wait_for(lambda: len(first.logs) + len(second.logs) >= writer.next)
    assert sorted(bodies(first) + bodies(second), key=lambda line: int(line.split()[1])) == writer.lines


def test_a_pattern_as_a_flag(sidelight, folder, receiver):
    (folder / "shop.log").write_text("hello\n")
    sidelight.write("sidelight.yaml", "admin: off\nstore: off\nreceivers: {otlp-http: '127.0.0.1:0'}\n")
    process = sidelight.start(
        "agent", "--logs", str(folder / "*.log"), *receiver.export(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert arrived(receiver, 1) == ["hello"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_what_comes_faster_than_the_store_writes_waits(tail, sidelight, folder):
    count = 200_000
    (folder / "a.log").write_text("".join(f"plain line {number} of user u{number % 97}\n" for number in range(count)))
    one = tail(store="kept")
    wait_for(lambda: sample(one, 'sidelight_receiver_items_total{receiver="files"}') == count, seconds=60)
    assert one.end() == 0
    found = [json.loads(line)["body"] for line in sidelight("tail", "--store", "kept", "--since", "1h", "--json").out.splitlines()]
    assert len(found) == count and len(set(found)) == count
