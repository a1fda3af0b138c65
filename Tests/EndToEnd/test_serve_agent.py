"""The agent's side of `sidelight serve`, beside a stand-in for the worker: one socket, workers that come and go, spans of what was in flight.

KILL_ROUNDS: how many workers the kill test kills (30; 200 in the full run).
"""

import collections
import glob
import http.client
import json
import os
import random
import re
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from serving import ERROR, SERVER, Service, metrics, wait_for

class Served(Service):
    """One whose worker is the stand-in: it answers with what its program says, as JSON."""

    def __init__(self, sidelight, program, *arguments, entry="app.js", **options):
        self.entry = sidelight.folder / entry
        self.write(program)
        super().__init__(sidelight, entry, *arguments, **options)

    def write(self, program):
        self.entry.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.entry.with_name(".new")
        temporary.write_text(json.dumps(program))
        temporary.rename(self.entry)

    def get(self, path="/"):
        return json.loads(self.fetch(path))

    def get_whoever_answers(self, path="/"):
        """None when the worker died of it."""
        try:
            return self.get(path)
        except (OSError, ValueError, http.client.HTTPException):
            return None


@pytest.fixture
def stand_in(beside):
    return beside("serve_worker.py")


@pytest.fixture
def serve(stand_in):
    made = []

    def make(program={"body": "v1"}, *arguments, **options):
        made.append(Served(stand_in, program, *arguments, **options))
        return made[-1]

    yield make
    for served in made:
        served.kill()


def summary(served):
    return json.loads([line for line in served.err.splitlines() if line.startswith('{"exitCode"')][-1])


# -- serving


def test_it_says_where_it_serves_and_ends_when_asked(serve, receiver):
    served = serve({"body": "hello"}, "--isolates", 2, *receiver.export())
    assert re.search(r"^sidelight: serving app\.js on http://127\.0\.0\.1:\d+ \(2 isolates\)$", served.err, re.M)
    assert served.get()["body"] == "hello"
    assert served.end() == 0
    assert [span.name for span in receiver.spans] == ["GET /"]
    assert "sidelight: " not in served.err.split("isolates)\n", 1)[1]


def test_json_says_it_in_json(stand_in):
    stand_in.write("app.js", '{"body": "x"}')
    with open(stand_in.folder / "err", "w") as errors:
        process = stand_in.start("serve", "--json", "--listen", "[::1]:0", "app.js", stderr=errors)
    line = wait_for(lambda: (stand_in.folder / "err").read_text())
    event = json.loads(line)
    assert (event["event"], event["entry"], event["isolates"]) == ("serving", "app.js", 1)
    assert re.fullmatch(r"http://\[::1\]:\d+", event["url"])
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert json.loads((stand_in.folder / "err").read_text().splitlines()[-1])["exitCode"] == 0


def test_a_socket_in_the_file_system(stand_in):
    stand_in.write("app.js", '{"body": "unix"}')
    path = stand_in.folder / "s.sock"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    with open(stand_in.folder / "err", "w") as errors:
        process = stand_in.start("serve", "--listen", f"unix:{path}", "app.js", stderr=errors)
    wait_for(lambda: "serving" in (stand_in.folder / "err").read_text())
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert b"unix" in client.recv(4096)
    process.terminate()
    assert process.wait(20) == 0
    assert not path.exists()


def test_the_worker_is_told_what_it_needs(serve):
    served = serve(
        {"body": ""}, "--isolates", 1, "--cron", "*/5  * * * mon-fri", "--limit", "headers=16KB", "--limit", "request-timeout=1.5s",
        "--limit", "connections=5", env={"OTEL_PROPAGATORS": "b3,baggage"},
    )  # fmt: skip
    config = served.get("/config")
    assert config["propagators"] == "b3,baggage"
    assert config["serve"] == {
        "address": served.url.removeprefix("http://"), "index": 0, "isolates": 1, "crons": ["*/5 * * * mon-fri"],
        "limits": {"headerBytes": 16384, "bodyBytes": 100 << 20, "headerTimeoutMilliseconds": 10000, "idleMilliseconds": 60000,
                   "requestTimeoutMilliseconds": 1500, "connections": 5},
        "health": {"intervalMilliseconds": 5000, "timeoutMilliseconds": 1000},
    }  # fmt: skip


# -- what does not start


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--listen", "nowhere"], "--listen"),
        (["--listen", "unix:"], "--listen"),
        (["--listen", "127.0.0.1:99999"], "--listen"),
        (["--listen", "no-such-host.invalid:80"], "no-such-host.invalid:80: the host is not known"),
        (["--listen", "192.0.2.1:0"], "does not have that address"),
        (["--isolates", "0"], "from 1 to 64"),
        (["--isolates", "65"], "from 1 to 64"),
        (["--cron", "* * * *"], "4 fields"),
        (["--cron", "61 * * * *"], "from 0 to 59"),
        (["--cron", "*/0 * * * *"], "step"),
        (["--limit", "headers=many"], "a size such as 32KB"),
        (["--limit", "idle=5"], "a time such as 60s"),
        (["--limit", "heads=1KB"], "there is no limit"),
        (["--limit", "headers=100"], "from 1KB to 16MB"),
        (["--limit", "connections=1000001"], "from 1 to 1000000"),
        (["--limit", "idle=1us"], "from 1ms to 8760h"),
        (["--shutdown-timeout", "soon"], "a time such as 10s"),
        (["--start-timeout", "soon"], "a time such as 30s"),
        (["--bogus"], "--bogus"),
    ],
)
def test_bad_flags(stand_in, arguments, words):
    stand_in.write("app.js", '{"body": "x"}')
    done = stand_in("serve", *arguments, "app.js")
    assert done.code == 2, done.err
    assert words in done.err


def test_an_address_in_use(serve, stand_in):
    served = serve()
    done = stand_in("serve", "--listen", served.url.removeprefix("http://"), "app.js")
    assert done.code == 2
    assert "in use" in done.err
    assert served.get()["body"] == "v1"


@pytest.fixture
def with_hosts(stand_in):
    """Starts `serve` where names have these addresses."""
    made = []

    def start(lines, place):
        script = 'mount --bind "$0" /etc/hosts && exec "$@"'
        hosts = stand_in.write("hosts", lines)
        names = ["unshare", "--mount", "sh", "-c", script, hosts]
        if subprocess.run([*names, "true"], stderr=subprocess.DEVNULL).returncode != 0:
            pytest.skip("no mount namespace of its own")
        stand_in.write("app.js", '{"body": "x"}')
        command = [*names, stand_in.binary, "serve", "--listen", place, "app.js"]
        made.append(
            subprocess.Popen(command, cwd=stand_in.folder, env=stand_in.environment({}), stderr=subprocess.PIPE, text=True)
        )
        return made[-1]

    yield start
    for process in made:
        process.kill()
        process.communicate()


def test_all_addresses_of_a_host_are_tried(with_hosts):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = with_hosts("127.0.0.1 both.test\n127.0.0.2 both.test\n", f"both.test:{port}")
        assert "serving app.js on" in process.stderr.readline()
        with socket.create_connection(("127.0.0.2", port), timeout=10) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert b"200 OK" in client.recv(4096)
        process.terminate()
        assert process.wait(20) == 0


def test_the_last_of_the_addresses_of_a_host_says_why_it_will_not_do(with_hosts):
    process = with_hosts("198.51.100.1 none.test\n198.51.100.2 none.test\n", "none.test:0")
    _, words = process.communicate(timeout=20)
    assert process.returncode == 2
    assert re.search(r"none of its 2 addresses will do; the last, 198.51.100.[12]: this machine does not have that address", words), words


@pytest.mark.parametrize("mode, words", [("fail", "TypeError: this program is broken"), ("killed", "SIGSEGV")])
def test_an_entry_that_fails_at_the_start(serve, mode, words):
    served = serve({"mode": mode}, "--isolates", 2, wait=False)
    assert served.process.wait(20) == 1
    assert words in served.err
    assert "serving" not in served.err


def test_an_entry_that_never_comes_up(serve):
    served = serve({"mode": "hang"}, "--isolates", 2, "--start-timeout", "300ms", wait=False)
    assert served.process.wait(20) == 1
    assert "app.js cannot be served: worker did not serve within 300 ms and was killed" in served.err


def test_an_entry_that_is_not_there(stand_in):
    done = stand_in("serve", "--listen", "127.0.0.1:0", "none.js")
    assert done.code == 1
    assert "cannot load none.js" in done.err


def test_a_worker_that_is_not_there(stand_in):
    (stand_in.binary.parent / "sidelight-worker").unlink()
    done = stand_in("serve", "--isolates", 3, "--listen", "127.0.0.1:0", "app.js", env={"PATH": "/nonexistent"})
    assert done.code == 70
    assert "sidelight-worker was not found" in done.err


# -- deaths


def test_a_dead_worker_is_replaced_and_nobody_is_refused(serve, receiver):
    served = serve({"body": "v1"}, *receiver.export())
    first = served.get()["pid"]
    assert served.get_whoever_answers("/die?x=1") is None
    # The gap: the connection stands in the agent's socket until the next worker accepts it.
    second = served.get()["pid"]
    assert second != first
    assert served.said(r"isolate 0: worker killed by SIGKILL \(9\); started again in \d+ ms")
    assert served.end() == 0
    (died,) = [span for span in receiver.spans if span.status == ERROR]
    assert (died.name, died.kind, died.message) == ("GET", SERVER, "worker killed by SIGKILL (9)")
    assert died.attributes["url.path"] == "/die"
    assert died.attributes["http.request.method"] == "GET"
    assert died.attributes["error.type"] == "SIGKILL"
    assert died.attributes["sidelight.unfinished"] is True
    assert died.resource["process.pid"] == first
    assert sorted(span.name for span in receiver.spans if span.status != ERROR) == ["GET /", "GET /"]
    (log,) = [log for log in receiver.logs if log.event_name == "exception"]
    assert log.body == "worker killed by SIGKILL (9)"


def test_a_worker_that_exits_by_itself_is_replaced(serve):
    served = serve()
    for code in (0, 1, 99):
        assert served.get_whoever_answers(f"/exit?{code}") is None
        assert served.get()["body"] == "v1"
    assert served.end() == 0


def test_the_others_serve_on(serve):
    served = serve({"body": "v1"}, "--isolates", 3)
    assert served.get_whoever_answers("/die") is None
    for _ in range(20):
        assert served.get()["body"] == "v1"
    wait_for(lambda: {served.get()["index"] for _ in range(10)} == {0, 1, 2})
    assert served.end() == 0


def test_one_that_dies_again_and_again_is_started_less_and_less_often(serve):
    served = serve({"mode": "short"}, "--quiet", wait=False)
    time.sleep(3)
    starts = served.err  # nothing is said with --quiet
    assert starts == ""
    assert served.process.poll() is None
    assert served.end() == 0
    served = serve({"mode": "short"})
    wait_for(lambda: served.err.count("started again") >= 4, 20)
    delays = [int(text) for text in re.findall(r"in (\d+) ms", served.err)]
    for index, delay in enumerate(delays):
        assert 75 * 2**index <= delay <= 100 * 2**index, delays
    served.end()


def test_a_hostile_board_does_no_harm(serve, receiver):
    served = serve({"mode": "hostile"}, *receiver.export(), env={"OTEL_METRIC_EXPORT_INTERVAL": 50})
    time.sleep(1.5)
    served.write({"body": "good"})
    wait_for(lambda: (served.get_whoever_answers() or {}).get("body") == "good", 20)
    assert served.end() == 0


def flood_session(serve, stand_in, receiver, isolates, rng):
    served = serve({"mode": "flood"}, "--isolates", isolates, "--flush-timeout", "60s", *receiver.export())
    logs = wait_for(lambda: (found := glob.glob(str(served.folder / "flood-*.log"))) and len(found) == isolates and found, 30)
    pids = [int(re.search(r"flood-(\d+)", path)[1]) for path in logs]
    for pid in pids:
        time.sleep(rng.uniform(0, 0.08))
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.15)
    assert served.end() == 0, served.err
    counts = {}
    for path in glob.glob(str(served.folder / "flood-*.log")):
        counts[int(re.search(r"flood-(\d+)", path)[1])] = struct.unpack("<QQ", open(path, "rb").read())
        os.unlink(path)
    return pids, counts


def test_what_was_in_flight_at_a_kill_is_told_exactly_once(serve, stand_in, make_receiver):
    rounds, isolates = int(os.environ.get("KILL_ROUNDS", "30")), 5
    seed = int(os.environ.get("SEED", time.time_ns() & 0xFFFFFF))
    print("seed", seed)
    rng = random.Random(seed)
    opened_in_all = errors_in_all = 0
    for _ in range((rounds + isolates - 1) // isolates):
        receiver = make_receiver()
        killed, counts = flood_session(serve, stand_in, receiver, isolates, rng)
        seen = collections.defaultdict(collections.Counter)
        for span in receiver.spans:
            pid = int(span.trace_id[:16], 16)
            seen[pid][int(span.span_id, 16)] += 1
            if span.status == ERROR:
                errors_in_all += 1
                assert pid in killed
                assert span.message == "worker killed by SIGKILL (9)"
        for pid, (begun, opened) in counts.items():
            numbers = seen.pop(pid, {})
            assert opened <= begun <= opened + 1
            assert [number for number in range(1, opened + 1) if numbers[number] != 1] == [], (pid, pid in killed)
            assert set(numbers) <= set(range(1, begun + 1))
            assert max(numbers.values(), default=1) == 1
            opened_in_all += opened
        assert not seen
    print(opened_in_all, "requests,", errors_in_all, "in flight at a kill")
    assert errors_in_all > 0


# -- the end


def test_requests_in_flight_are_finished_before_the_end(serve, receiver):
    served = serve({"body": "v1"}, *receiver.export())
    answers = []
    thread = threading.Thread(target=lambda: answers.append(served.get("/slow?0.7")))
    thread.start()
    time.sleep(0.3)
    assert served.end() == 0
    thread.join()
    assert answers[0]["body"] == "v1"
    assert [(span.name, span.status) for span in receiver.spans] == [("GET /slow?0.7", 0)]
    with pytest.raises(OSError):
        served.get()


def test_who_does_not_finish_in_time_is_killed(serve, receiver):
    served = serve({"body": "v1"}, "--shutdown-timeout", "500ms", *receiver.export())
    thread = threading.Thread(target=lambda: served.get_whoever_answers("/hang"))
    thread.start()
    time.sleep(0.3)
    before = time.monotonic()
    assert served.end() == 1
    assert 0.4 < time.monotonic() - before < 5
    thread.join()
    assert "1 isolate did not finish in time and had to be killed" in served.err
    (span,) = receiver.spans
    assert (span.status, span.attributes["url.path"]) == (ERROR, "/hang")
    said = served.said(r"isolate 0 was killed before it had finished: (GET /hang, in flight for [\d.]+ m?s, span .*)")
    assert said.endswith(f"span {span.span_id} of trace {span.trace_id}")


def test_a_second_signal_ends_it_at_once(serve):
    served = serve({"mode": "stubborn", "body": ""}, "--isolates", 2)
    before = time.monotonic()
    served.process.terminate()
    time.sleep(0.5)
    served.process.terminate()
    assert served.process.wait(10) == 1
    assert time.monotonic() - before < 5


# -- new code


def load(served, seen, failures, stop):
    while not stop.is_set():
        try:
            seen.append(served.get()["body"])
        except Exception as error:  # noqa: BLE001
            failures.append(error)


def test_sighup_brings_new_code_and_drops_no_request(serve):
    served = serve({"body": "v1"}, "--isolates", 2)
    seen, failures, stop = [], [], threading.Event()
    threads = [threading.Thread(target=load, args=(served, seen, failures, stop)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for version in ("v2", "v3", "v4"):
        wait_for(lambda: len(seen) > 5)
        served.write({"body": version})
        said = served.err.count("as it is now")
        served.process.send_signal(signal.SIGHUP)
        wait_for(lambda: served.err.count("as it is now") > said)
        time.sleep(0.2)
        seen.clear()
        wait_for(lambda: len(seen) > 5)
        assert set(seen) == {version}
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert served.end() == 0


def test_code_that_hangs_does_not_keep_newer_code_out(serve):
    served = serve({"body": "v1"}, "--start-timeout", "60s")
    served.write({"mode": "hang"})
    served.process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(served.workers) == 2)
    assert served.get()["body"] == "v1"
    served.write({"body": "v2"})
    served.process.send_signal(signal.SIGHUP)
    wait_for(lambda: served.get()["body"] == "v2")
    assert "does not start" not in served.err
    assert served.end() == 0


def test_code_that_hangs_is_given_up(serve):
    served = serve({"body": "v1"}, "--start-timeout", "4s")
    (old,) = served.workers
    served.write({"mode": "hang"})
    served.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "does not start as it is now, so what was serves on: worker did not serve within 4 s and was killed" in served.err)
    wait_for(lambda: served.workers == [old])
    assert served.get()["body"] == "v1"
    served.write({"body": "v2"})
    served.process.send_signal(signal.SIGHUP)
    wait_for(lambda: served.get()["body"] == "v2")
    assert served.end() == 0


def test_a_place_is_filled_whose_old_worker_dies_beside_code_that_hangs(serve):
    served = serve({"body": "v1"}, "--start-timeout", "60s")
    (old,) = served.workers
    served.write({"mode": "hang"})
    served.process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(served.workers) == 2)
    served.write({"body": "v2"})
    os.kill(old, signal.SIGKILL)
    assert served.get()["body"] == "v2"
    assert served.end() == 0


class WithCertificate:
    """A server whose certificate is a word, each of which is checked until `checked` says that it was."""

    def __init__(self, serve, stand_in):
        self.folder = stand_in.folder
        self.checked("first")
        self.put("first")
        (self.folder / "key.pem").write_text("key")
        self.served = serve({"body": "v1"}, "--tls-cert", "cert.pem", "--tls-key", "key.pem")

    def put(self, word):
        (self.folder / "cert.pem").write_text(word)

    def checked(self, word):
        (self.folder / f"checked-{word}").touch()

    def reload(self):
        self.served.process.send_signal(signal.SIGHUP)

    def is_being_checked(self, word):
        return (self.folder / f"check-{word}").exists()

    def get(self):
        """Plainly: the worker is a stand-in."""
        connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=20)
        try:
            connection.request("GET", "/")
            answer = json.loads(connection.getresponse().read())
            return answer["body"], answer["certificate"]
        finally:
            connection.close()


@pytest.fixture
def with_certificate(serve, stand_in):
    return WithCertificate(serve, stand_in)


def test_a_reload_during_a_check_that_fails_is_not_lost(with_certificate):
    it = with_certificate
    assert it.get() == ("v1", "first")
    it.served.write({"body": "v2"})
    it.put("bad")
    it.reload()
    wait_for(lambda: it.is_being_checked("bad"))
    it.put("second")
    it.checked("second")
    it.reload()
    it.checked("bad")
    wait_for(lambda: it.get() == ("v2", "second"))
    assert "--tls-cert cert.pem: it is no good; what was serves on" in it.served.err
    assert it.served.end() == 0


@pytest.mark.parametrize("next", ["bad", "third"])
def test_a_change_during_a_check_does_not_put_the_reload_off(with_certificate, next):
    it = with_certificate
    it.served.write({"body": "v2"})
    it.put("second")
    it.reload()
    wait_for(lambda: it.is_being_checked("second"))
    it.put(next)
    it.reload()
    it.checked("second")
    wait_for(lambda: it.is_being_checked(next))
    # The next one is being checked, and the one before serves.
    wait_for(lambda: it.get() == ("v2", "second"))
    it.checked(next)
    if next == "bad":
        wait_for(lambda: "it is no good" in it.served.err)
        # Until the worker before has gone, the two serve side by side.
        wait_for(lambda: len(it.served.workers) == 1)
        assert it.get() == ("v2", "second")
    else:
        wait_for(lambda: it.get() == ("v2", "third"))
    assert it.served.end() == 0


def test_new_code_during_the_start_is_loaded_after_it(serve):
    served = serve({"body": "v1", "mode": "waits"}, wait=False)
    wait_for(lambda: list(served.folder.glob("waits-*")))
    served.write({"body": "v2"})
    served.process.send_signal(signal.SIGHUP)
    (served.folder / "go").touch()
    served.wait_until_it_serves()
    wait_for(lambda: served.get()["body"] == "v2")
    assert served.end() == 0


def test_new_code_that_does_not_start_changes_nothing(serve):
    served = serve({"body": "v1"}, "--isolates", 2)
    pids = {served.get()["pid"] for _ in range(20)}
    served.write({"mode": "fail"})
    served.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "does not start as it is now" in served.err)
    assert "TypeError: this program is broken" in served.err
    assert {served.get()["pid"] for _ in range(20)} <= pids | {served.get()["pid"]}
    assert served.get()["body"] == "v1"
    served.write({"body": "v2"})
    served.process.send_signal(signal.SIGHUP)
    wait_for(lambda: served.get()["body"] == "v2")
    assert served.end() == 0


def test_watch_sees_changes_of_code_in_the_tree(serve):
    served = serve({"body": "v1"}, "--watch", entry="src/app.js")
    wait_for(lambda: served.get()["body"] == "v1")
    served.write({"body": "v2"})
    wait_for(lambda: served.get()["body"] == "v2")
    reloads = lambda: served.err.count("as it is now")  # noqa: E731
    wait_for(lambda: reloads() == 1)
    for name in ("src/data.log", "src/logs/data.log", "src/node_modules/x/index.js", "src/.sidelight/y.js", "other/z.js"):
        path = served.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    time.sleep(0.6)
    made = reloads()
    assert made == 1
    path = served.folder / "src/lib/deep/util.mjs"
    path.parent.mkdir(parents=True)
    path.write_text("1")
    wait_for(lambda: reloads() > made)
    time.sleep(0.4)
    made = reloads()
    path.write_text("2")
    wait_for(lambda: reloads() > made)
    assert served.end() == 0


# -- figures


def test_metrics_are_exported_in_time_and_never_go_back(serve, receiver):
    served = serve({"body": "v1"}, "--json", *receiver.export(), wait=False, env={"OTEL_METRIC_EXPORT_INTERVAL": 100})
    served.url = wait_for(lambda: served.said(r'"url":"([^"]+)"'))
    for _ in range(5):
        served.get()
    wait_for(lambda: metrics(receiver).get("sidelight.http.server.requests"))
    served.get_whoever_answers("/die")
    for _ in range(5):
        served.get()
    assert served.end() == 0
    last = metrics(receiver)
    assert last["sidelight.http.server.requests"][0].as_int == 11
    assert last["sidelight.http.server.connections.accepted"][0].as_int == 11
    (duration,) = last["http.server.request.duration"]
    assert (duration.count, sum(duration.bucket_counts)) == (10, 10)
    assert abs(duration.sum - 0.01) < 1e-9
    assert len(duration.explicit_bounds) == 19
    assert [point.as_int for point in last.get("http.server.active_requests", [])] in ([], [0])
    report = summary(served)
    assert report["counters"]['sidelight_worker_restarts_total{reason="SIGKILL"}'] == 1
    assert report["counters"]['sidelight_worker_ends_total{reason="SIGKILL"}'] == 1
    assert report["counters"]['sidelight_worker_ends_total{reason="exit"}'] == 1
    assert report["openSpansClosed"] == 1
