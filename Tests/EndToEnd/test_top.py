"""`sidelight top` on terminals (pseudo ones, as pyte shows them) and in pipes, and what it asks: /api/v1/workloads and /api/v1/counters."""

import json
import os
import signal
import subprocess
import time
import urllib.request

import pytest

from agents import Agent
from serving import state_of, wait_for
from terminal import Terminal

PROGRAM = """
export default { async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/fail') throw new TypeError('broken');
    if (pathname === '/hang') await new Promise((resolve) => setTimeout(resolve, 60_000));
    if (pathname === '/work') { const end = Date.now() + 200; while (Date.now() < end); }
    return new Response('x'.repeat(1000));
} };
"""


@pytest.fixture
def shop(serve):
    return serve(PROGRAM, "--service", "shop", "--isolates", 2, "--admin", "127.0.0.1:0")


@pytest.fixture
def terminal(sidelight):
    """Starts `sidelight top`, and ends it when the test is over."""
    made = []

    def start(*arguments, **options):
        made.append(Terminal(sidelight, "top", *arguments, **options))
        return made[-1]

    yield start
    for each in made:
        each.close()


def place(service):
    return service.admin.removeprefix("http://")


def workload(service):
    with urllib.request.urlopen(service.admin + "/api/v1/workloads", timeout=20) as answer:
        assert answer.headers["content-type"] == "application/json"
        (found,) = json.load(answer)["workloads"]
    return found


# -- what it asks


def test_the_figures_are_those_of_the_load(shop):
    for number in range(40):
        shop.get(f"/{number}")
    for _ in range(3):
        assert shop.get("/fail")[0] == 500
    shop.later("/hang")
    # The count comes after the answer.
    found = wait_for(lambda: (each := workload(shop))["total"]["duration"]["count"] == 43 and each["total"]["active"] == 1 and each)
    total = found["total"]
    assert (found["service"], found["url"], found["ending"], found["restarts"]) == ("shop", shop.url, False, {})
    assert (total["requests"], total["errors"], total["connections"]["accepted"]) == (44, 3, 44)
    assert sum(total["duration"]["buckets"]) == 43
    assert found["perRequest"]["bytesOut"] > 1000 * 40 / 43
    assert 0 < found["perRequest"]["durationSeconds"] < 1
    assert [(each["method"], each["duration"]["count"], each["errors"]) for each in found["routes"]] == [("GET", 43, 3)]
    assert [(each["status"], each["type"], each["count"]) for each in found["errors"]] == [(500, "TypeError", 3)]
    isolates = found["isolates"]
    assert {each["pid"] for each in isolates} == set(shop.workers)
    assert [each["state"] for each in isolates] == ["serving", "serving"]
    assert sum(each["figures"]["requests"] for each in isolates) == 44
    (request,) = [request for each in isolates for request in each["requests"]]
    assert (request["method"], request["path"]) == ("GET", "/hang")
    assert 0 <= time.time_ns() - int(request["startTimeUnixNano"]) < 20e9
    assert len(request["traceId"]) == 32


def test_v8s_figures_come_once_a_second(shop):
    shop.get("/")
    found = wait_for(lambda: (each := workload(shop)["total"])["v8"]["nativeContexts"] >= 2 and each["cpuSeconds"] > 0 and each)
    assert found["v8"]["code"] > 100_000 and found["v8"]["malloced"] > 0 and found["v8"]["detachedContexts"] == 0
    assert found["v8"]["globalHandlesUsed"] <= found["v8"]["globalHandles"]
    assert found["heap"]["spaces"]["old_space"]["used"] > 100_000


def test_dead_workers_count_on_and_are_told(shop):
    for number in range(10):
        shop.get(f"/{number}")
    wait_for(lambda: workload(shop)["total"]["duration"]["count"] == 10)
    os.kill(shop.workers[0], signal.SIGKILL)
    wait_for(lambda: workload(shop)["restarts"] == {"SIGKILL": 1})
    assert workload(shop)["total"]["duration"]["count"] == 10
    assert wait_for(lambda: shop.get("/again")[0] == 200)


def test_counters_are_there_before_they_count(shop):
    with urllib.request.urlopen(shop.admin + "/api/v1/counters", timeout=20) as answer:
        counters = json.load(answer)["counters"]
    ends = {each["labels"]["reason"]: each["value"] for each in counters if each["name"] == "sidelight_worker_ends_total"}
    assert ends["SIGKILL"] == 0 and ends["exit"] == 0


def test_other_methods_are_refused(shop):
    for path in ("/api/v1/workloads", "/api/v1/counters"):
        request = urllib.request.Request(shop.admin + path, method="POST", data=b"{}")
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(request, timeout=20)
        assert error.value.code == 405


# -- in a pipe


def test_a_pipe_gets_one_table(shop, sidelight):
    shop.get("/fail")
    shop.later("/hang")
    wait_for(lambda: workload(shop)["total"]["active"] == 1)
    result = sidelight("top", "--admin", place(shop), "--interval", "100ms")
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert lines[0].startswith(f"shop  {sidelight.folder}/app.mjs  {shop.url}  up ")
    (heading,) = [line for line in lines if line.startswith("PLACE")]
    assert heading.split()[:5] == ["PLACE", "PID", "STATE", "REQ/S", "ERR/S"]
    rows = lines[lines.index(heading) + 1 :]
    assert {int(row.split()[1]) for row in rows} == set(shop.workers)
    assert "\x1b" not in result.out
    result = sidelight("top", "--admin", place(shop), "--interval", "100ms", "--view", "requests")
    assert "/hang" in result.out.splitlines()[-1]
    result = sidelight("top", "--admin", place(shop), "--interval", "100ms", "--view", "errors", "--once")
    assert result.out.splitlines()[-1].split()[1:5] == ["1", "response", "500", "TypeError"]


def test_lines_of_json_have_the_rates_of_the_load(shop, sidelight):
    process = sidelight.start("top", "--admin", place(shop), "--json", "--interval", "2s", stdout=subprocess.PIPE)
    try:
        # The line of an interval without requests: the next begins now.
        assert json.loads(process.stdout.readline())["workloads"][0]["requestsPerSecond"] == 0
        for _ in range(60):
            shop.get("/")
        for _ in range(4):
            shop.get("/work")
        seen = []
        while sum(each["seconds"] * each["requestsPerSecond"] for each in seen) < 63.9:
            seen.append(json.loads(process.stdout.readline())["workloads"][0])
            assert len(seen) < 10
        assert round(sum(each["seconds"] * each["requestsPerSecond"] for each in seen)) == 64
        # Four requests took 200 ms each, most of it CPU where others leave it some; whatever the isolate's thread did besides is small.
        worked = sum((each["cpu"] or 0) * each["seconds"] for each in seen)
        assert 0.1 < worked < 3, seen
        assert all(isolate["state"] == "serving" for each in seen for isolate in each["isolates"])
    finally:
        process.stdout.close()
        process.wait(timeout=20)


def test_an_agent_shows_its_exporters(sidelight, receiver):
    agent = Agent(sidelight, {"backend": receiver})
    try:
        result = sidelight("top", "--admin", agent.places["admin"], "--interval", "100ms", "--view", "exporters")
        assert result.code == 0, result.err
        assert "NAME" in result.out or "nothing was exported or stored yet" in result.out
        # It opens on them, too.
        again = sidelight("top", "--admin", agent.places["admin"], "--interval", "100ms")
        assert "no workload is served here" not in again.out
        result = sidelight("top", "--admin", agent.places["admin"], "--interval", "100ms", "--view", "isolates")
        assert result.out.splitlines()[-1] == "no workload is served here"
    finally:
        agent.end()


def test_lines_of_json_go_on_while_a_service_restarts(serve, sidelight):
    first = serve(PROGRAM, "--service", "shop", "--admin", "127.0.0.1:0")
    admin = place(first)
    process = sidelight.start("top", "--admin", admin, "--json", "--interval", "100ms", stdout=subprocess.PIPE)

    def line():
        return json.loads(process.stdout.readline())

    try:
        assert line()["problems"] == []
        first.end()
        found = wait_for(lambda: (each := line())["problems"] and each)
        assert found["problems"][0]["admin"] == admin and "no agent answers" in found["problems"][0]["problem"]
        serve(PROGRAM, "--service", "again", "--admin", admin)
        wait_for(lambda: (each := line())["problems"] == [] and each["workloads"][0]["service"] == "again")
    finally:
        process.stdout.close()
        process.wait(timeout=20)


def test_a_port_that_is_named_twice_is_one(shop, sidelight):
    result = sidelight("top", "--admin", place(shop), "--admin", place(shop), "--interval", "100ms", "--view", "workloads")
    assert result.code == 0 and "workloads" not in result.out, result.out
    assert len([line for line in result.out.splitlines() if line.startswith("shop ")]) == 2  # its name, and its row


def test_what_cannot_be_written_is_a_failure(shop, sidelight):
    for command in (["top", "--once", "--interval", "100ms"], ["health"], ["top", "--json", "--interval", "100ms"]):
        with open("/dev/full", "wb") as full:
            process = sidelight.start(*command, "--admin", place(shop), stdout=full, stderr=subprocess.PIPE)
            _, err = process.communicate(timeout=20)
        assert process.returncode == 1, command
        assert "standard output cannot be written: No space left on device" in err


def test_escape_leaves_the_help_and_takes_no_key(shop, terminal):
    top = terminal("--admin", place(shop), "--interval", "100ms")
    top.until("serving")
    top.press("?")
    top.until("pause, and go on")
    top.press("\x1b")
    top.until("1 workloads")
    top.press("3")
    top.until("no request was answered yet")


def test_nobody_answers(sidelight):
    result = sidelight("top", "--admin", "127.0.0.1:1", "--interval", "100ms")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("sidelight: 127.0.0.1:1: no agent answers: ")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--admin", "nowhere"], "--admin 'nowhere' is not HOST:PORT"),
        (["--interval", "1ms"], "--interval is from 100ms to 1h"),
        (["--interval", "soon"], "write a time such as 500ms, 1s or 1m"),
        (["--view", "all"], "write workloads, isolates, routes, requests, errors, exporters"),
        (["--sort", "NAME"], "--sort: isolates has no column 'NAME'; it has SERVICE, PLACE"),
        (["--admin", "a:1"] * 17, "--admin: at most 16"),
        (["--x"], "--x"),
    ],
)
def test_bad_usage(sidelight, arguments, message):
    result = sidelight("top", *arguments)
    assert result.code == 2
    assert message in result.err


# -- on a terminal


def test_a_terminal_is_drawn_on_and_given_back(shop, terminal):
    top = terminal("--admin", place(shop), "--interval", "100ms")
    top.until(r"^ +0 +\d+ +serving")
    assert top.mode == (False, False)
    assert top.screen.cursor.hidden
    assert top.lines[0].startswith("? help  1 workloads 2 isolates 3 routes")
    for _ in range(5):
        shop.get("/fail")
    top.press("5")
    top.until(r" 5 +response +500 +TypeError +GET")
    top.press("3")
    top.until(r"^GET +\(no route\)")
    top.press("s")
    top.until("by ERR/S")
    top.press("\x1b[D")
    top.until("by REQ/S")
    top.press("\t")
    top.until("no request is in flight|PATH")
    top.press("?")
    top.until("pause, and go on")
    top.press("x")
    top.until("1 workloads")
    top.press("q")
    assert top.wait() == 0
    assert top.bytes.rstrip().endswith(b"\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l")


def test_its_size_is_followed(shop, terminal):
    top = terminal("--admin", place(shop), "--interval", "100ms", rows=30, columns=160)
    top.until("STALLS/S")
    top.resize(8, 50)
    top.until(r"^PLACE.*REQ/S")
    assert "STALLS/S" not in top.text
    for rows, columns in [(1, 1), (2, 3), (200, 300), (24, 80)]:
        top.resize(rows, columns)
        top.read(0.2)
    top.until("STATE")
    top.press("q")
    assert top.wait() == 0


def test_a_terminal_without_a_size_is_80_by_24(shop, terminal):
    top = terminal("--admin", place(shop), "--interval", "100ms", rows=0, columns=0)
    top.screen.resize(24, 80)
    top.until("serving")
    assert all(len(line) <= 80 for line in top.lines)


def test_a_pause_stands_still(shop, terminal):
    top = terminal("--admin", place(shop), "--interval", "100ms", "--view", "routes")
    top.until("no request was answered yet")
    top.press("p")
    top.until("PAUSED")
    shop.get("/")
    wait_for(lambda: workload(shop)["total"]["duration"]["count"] == 1)
    top.read(0.5)
    assert "no request was answered yet" in top.text
    top.press("p")
    top.until(r"^GET +\(no route\)")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_give_the_terminal_back(shop, terminal, number):
    top = terminal("--admin", place(shop), "--interval", "100ms")
    top.until("serving")
    os.kill(top.process.pid, number)
    assert top.wait() == 0
    assert top.bytes.rstrip().endswith(b"\x1b[?1049l")


def test_it_stops_and_goes_on(shop, terminal):
    top = terminal("--admin", place(shop), "--interval", "100ms")
    top.until("serving")
    top.press("\x1a")
    wait_for(lambda: state_of(top.process.pid) == "T")
    top.read(0.2)
    assert top.bytes.rstrip().endswith(b"\x1b[?1049l")
    assert top.mode == (True, True)
    top.screen.reset()
    os.kill(top.process.pid, signal.SIGCONT)
    top.until("serving")
    assert top.mode == (False, False)
    top.press("q")
    assert top.wait() == 0


def test_an_agent_that_goes_and_comes_back(serve, terminal):
    first = serve(PROGRAM, "--service", "shop", "--admin", "127.0.0.1:0")
    admin = place(first)
    top = terminal("--admin", admin, "--interval", "100ms")
    top.until("serving")
    first.end()
    top.until(f"^{admin}: no agent answers")
    assert "serving" in top.text
    second = serve(PROGRAM, "--service", "again", "--admin", admin)
    second.get("/")
    top.until("^again ")
    assert "no agent answers" not in top.text


def test_several_ports_are_one_view(serve, terminal):
    services = [serve(PROGRAM, "--service", name, "--admin", "127.0.0.1:0") for name in ("shop", "stock")]
    arguments = [part for service in services for part in ("--admin", place(service))]
    top = terminal(*arguments, "--interval", "100ms", "--view", "workloads")
    top.until("^2 workloads")
    top.until("^shop ")
    top.until("^stock ")


def test_dumb_terminals_get_one_table(shop, terminal):
    top = terminal("--admin", place(shop), "--interval", "100ms", env={"TERM": "dumb"})
    assert top.wait() == 0
    assert b"\x1b" not in top.bytes
    assert b"serving" in top.bytes


def test_noise_on_the_keyboard_does_no_harm(shop, terminal):
    top = terminal("--admin", place(shop), "--interval", "100ms")
    top.until("serving")
    noise = bytes(byte for byte in os.urandom(20_000) if byte not in b"qQ\x03\x04\x1a\x1c\x11\x13")
    for at in range(0, len(noise), 512):
        top.process.send(noise[at : at + 512])
        top.read(0.01)
    top.press("\x1b[A2")
    top.until("1 workloads 2 isolates")
    assert top.process.isalive()
