"""The admin port of `serve` and `run`: where it is, what it answers, and what becomes of it when somebody else has its place."""

import json
import re
import select
import signal
import socket
import subprocess

import requests

from serving import wait_for

ADMIN = "127.0.0.1:0"
HANDLER = """
export default { async fetch(request) {
    console.log('asked for', new URL(request.url).pathname);
    if (request.url.endsWith('/slow')) await new Promise((done) => setTimeout(done, 60_000));
    return new Response('hello');
} };
"""


def test_what_a_service_has_recorded_is_answered(serve):
    service = serve(HANDLER, "--admin", ADMIN)
    assert requests.get(service.url + "/one").text == "hello"
    # The store is made beside the start: it may not be there yet.
    found = wait_for(lambda: (answer := requests.get(service.admin + "/api/v1/logs")).status_code == 200 and answer.json()["logs"])
    assert [log["body"] for log in found] == ["asked for /one"]
    trace = requests.get(f"{service.admin}/api/v1/traces/{found[0]['traceId']}").json()
    assert [span["name"] for span in trace["spans"]] == ["GET"]
    assert requests.get(service.admin + "/livez").status_code == 200
    assert requests.get(service.admin + "/api/v1/loglevel").json()["levels"]["agent"] == "warning"
    received = re.search(r'^sidelight_items_received_total\{signal="logs"\} (\d+)', requests.get(service.admin + "/metrics").text, re.M)
    assert int(received[1]) == 1


def test_what_is_not_there_is_said(serve):
    service = serve(HANDLER, "--admin", ADMIN)
    missing = requests.get(service.admin + "/nowhere")
    assert missing.status_code == 404 and "/api/v1/logs/tail" in missing.text and "/metrics" in missing.text
    index = requests.get(service.admin)
    assert index.headers["content-type"].startswith("text/html") and '<a href="/metrics">' in index.text
    # These are of the agent.
    assert requests.get(service.admin + "/api/v1/drops").status_code == 404
    assert requests.post(service.admin + "/metrics", data="x").status_code == 405
    assert requests.post(service.admin + "/nowhere", data="x").status_code == 405


def test_logs_can_be_followed(serve, sidelight):
    service = serve(HANDLER, "--admin", ADMIN)
    command = [sidelight.binary, "tail", "--json", "--admin", service.admin.removeprefix("http://")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        with requests.get(service.admin + "/api/v1/logs/tail", stream=True) as stream:
            lines = stream.iter_lines()
            assert next(lines) == b": following"
            requests.get(service.url + "/two")
            event = next(line for line in lines if line.startswith(b"data: "))
        assert json.loads(event.removeprefix(b"data: "))["body"] == "asked for /two"
        # It may have begun to follow after that request.
        def ask():
            requests.get(service.url + "/again")
            return select_line(process.stdout)
        heard = wait_for(ask)
        assert json.loads(heard)["body"].startswith("asked for /")
    finally:
        process.kill()
        process.wait()


def select_line(pipe):
    return pipe.readline() if select.select([pipe], [], [], 0.1)[0] else None


def test_a_place_that_was_asked_for_and_is_taken_is_an_error(sidelight, serve):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = "127.0.0.1:%d" % taken.getsockname()[1]
        entry = sidelight.write("app.mjs", HANDLER)
        for command in (["serve", "--listen", "127.0.0.1:0"], ["run"]):
            done = sidelight(*command, "--admin", place, entry)
            assert done.code == 2
            assert done.err.splitlines() == [f"sidelight: --admin {place}: the address is in use by another program"]
    bad = sidelight("serve", "--admin", "nowhere", entry)
    assert bad.code == 2 and "--admin" in bad.err and "or off" in bad.err


def test_the_standard_place_may_be_somebody_elses(sidelight):
    """Nobody asked for it, so the service goes without."""
    entry = sidelight.write("app.mjs", HANDLER)
    try:
        taken = socket.create_server(("127.0.0.1", 9464))
    except OSError:
        taken = None  # by another program of this machine, which will do as well
    errors = sidelight.folder / "errors.txt"
    with open(errors, "w") as file:
        process = sidelight.start("serve", "--listen", "127.0.0.1:0", entry, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        wait_for(lambda: "serving" in errors.read_text())
        assert "; no admin port: 127.0.0.1:9464 is taken (--admin names another)" in errors.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        if taken:
            taken.close()


def test_a_run_has_one_when_it_is_asked_for(sidelight):
    entry = sidelight.write("app.mjs", "console.log('up'); setInterval(() => {}, 1000);")
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = "127.0.0.1:%d" % free.getsockname()[1]
    process = sidelight.start("run", "--admin", place, entry, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        def logs():
            try:
                return requests.get(f"http://{place}/api/v1/logs").json().get("logs")
            except (requests.ConnectionError, ValueError):
                return None
        assert wait_for(logs)[0]["body"] == "up"
    finally:
        process.kill()
        process.wait()


def test_the_file_says_where_it_is(serve, sidelight):
    sidelight.write("shop.yaml", "service: shop\nadmin: 127.0.0.1:0\nmemory: 64MB\n")
    # `--admin` of the harness would beat the file.
    errors = sidelight.folder / "errors.txt"
    entry = sidelight.write("app.mjs", HANDLER)
    with open(errors, "w") as file:
        process = sidelight.start("serve", "--listen", "127.0.0.1:0", "-c", "shop.yaml", entry, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        place = wait_for(lambda: re.search(r"; admin port: (\S+)", errors.read_text()))[1]
        assert "shop.yaml:3:1: memory: only `sidelight agent` reads it" in errors.read_text()
        assert requests.get(f"http://{place}/livez").status_code == 200
        missing = sidelight("serve", "-c", "none.yaml", entry)
        assert missing.code == 2 and "--config none.yaml: " in missing.err
    finally:
        process.kill()
        process.wait()


def test_who_asks_much_and_reads_nothing_is_no_burden(serve):
    """Connections that ask for all there is and never read it: the service and the port go on."""
    service = serve(HANDLER, "--admin", ADMIN)
    host, port = service.admin.removeprefix("http://").split(":")
    sockets = [socket.create_connection((host, int(port))) for _ in range(32)]
    try:
        for client in sockets:
            client.sendall(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n" * 200)
        assert requests.get(service.url + "/one").text == "hello"
        assert requests.get(service.admin + "/livez").status_code == 200
    finally:
        for client in sockets:
            client.close()
    assert service.end() == 0


def test_an_agent_beside_a_service_goes_without_the_standard_place_too(sidelight):
    try:
        taken = socket.create_server(("127.0.0.1", 9464))
    except OSError:
        taken = None
    errors = sidelight.folder / "errors.txt"
    receivers = [word for name in ("otlp-http", "otlp-grpc", "zipkin", "jaeger") for word in ("--receive", f"{name}=127.0.0.1:0")]
    with open(errors, "w") as file:
        process = sidelight.start("agent", *receivers, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    try:
        wait_for(lambda: "receiving" in errors.read_text())
        assert "; no admin port: 127.0.0.1:9464 is taken (--admin names another)" in errors.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        asked = sidelight("agent", *receivers, "--admin", "127.0.0.1:9464")
        assert asked.code == 2 and "admin cannot listen at 127.0.0.1:9464" in asked.err
    finally:
        process.kill()
        process.wait()
        if taken:
            taken.close()
