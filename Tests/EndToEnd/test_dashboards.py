"""dashboards/: the files are what the description makes, Prometheus takes every expression, and an agent emits every metric that they name."""

import importlib.machinery
import importlib.util
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

from agents import Agent
from certificates import Certificates, client
from conftest import Sidelight
from prometheus import Prometheus
from receiver import Receiver
from serving import HERE, Service, wait_for

DASHBOARDS = HERE.parent.parent / "dashboards"
PROMTOOL = HERE.parent.parent / ".peers" / "prometheus" / "usr" / "bin" / "promtool"

PROGRAM = """
export default {
    async fetch(request, env) {
        const { pathname } = new URL(request.url);
        switch (pathname) {
        case '/fail': throw new TypeError('broken');
        case '/late': await new Promise((resolve) => setTimeout(resolve, 60_000)); break;
        case '/reject': Promise.reject(new Error('nobody listens')); break;
        case '/spin': { const end = Date.now() + 120; while (Date.now() < end); break; }
        case '/collect': { const kept = []; for (let i = 0; i < 300_000; i++) kept.push({ i }); break; }
        case '/fetch': await (await fetch(env.PEER)).text(); break;
        case '/fetch-fails': await fetch('http://127.0.0.1:1/').catch(() => {}); break;
        case '/worker': new Worker(new URL('data:text/javascript,setTimeout(() => {}, 60000)')); break;
        }
        return new Response('hello');
    },
};
"""


def load(name):
    """A module of the dashboards' folder, which leaves nothing there."""
    sys.path.insert(0, str(DASHBOARDS))
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader = importlib.machinery.SourceFileLoader("dashboards_" + name, str(DASHBOARDS / name))
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
        loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(DASHBOARDS))
        sys.dont_write_bytecode = written


generate = load("generate")


# -- the files


def test_the_files_are_what_the_description_makes():
    done = subprocess.run([DASHBOARDS / "generate", "--check"], capture_output=True, text=True, env={"PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin:/bin"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    files = generate.files()
    committed = {str(path.relative_to(DASHBOARDS)) for path in DASHBOARDS.glob("grafana/*.json")} | {"prometheus/sidelight.rules.yml"}
    assert set(files) == committed


def test_a_changed_file_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(generate, "HERE", tmp_path)
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    (tmp_path / "prometheus" / "sidelight.rules.yml").write_text("groups: []\n")
    assert generate.main(["--check"]) == 1
    assert "sidelight.rules.yml is not what" in capsys.readouterr().err
    assert generate.main(["--else"]) == 2


@pytest.mark.parametrize("path", sorted(DASHBOARDS.glob("grafana/*.json")), ids=lambda path: path.stem)
def test_a_dashboard_is_whole(path):
    dashboard = json.loads(path.read_text())
    assert dashboard["uid"] == path.stem
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken and place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells
        if panel["type"] == "row":
            continue
        assert panel["targets"] and panel["title"]
        for target in panel["targets"]:
            assert "@" not in target["expr"] and '{job=~"$job",instance=~"$instance"' in target["expr"], panel["title"]
    assert [variable["name"] for variable in dashboard["templating"]["list"]] == ["source", "job", "instance"]


def test_names_of_metrics_are_read_off_expressions():
    assert generate.metrics_of('sum(rate(a_total{x="b{",y=~".+"}[5m])) / scalar(max by (le) (c:d{}))') == {"a_total", "c:d"}
    # Every name has braces: without them nothing would be read off, and nothing checked.
    words = {"sum", "by", "rate", "increase", "max", "histogram_quantile", "topk", "scalar", "or", "and", "vector", "le"}
    for where, expression in generate.expressions():
        bare = re.sub(r'"[^"]*"|\{[^{}]*\}|\[[^\]]*\]|by \([^)]*\)', " ", expression.replace('"[^"]*"', ""))
        names = set(re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", bare)) - words - {"up"}
        read = generate.metrics_of(expression) if not where.startswith("rule ") else names
        assert names <= read, (where, names - read)


# -- Prometheus' own opinion


def promtool(*arguments):
    return subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, timeout=60)


def test_promtool_takes_the_rules():
    done = promtool("check", "rules", DASHBOARDS / "prometheus" / "sidelight.rules.yml")
    assert done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout + done.stderr


def test_alerts_fire_when_they_should():
    done = promtool("test", "rules", DASHBOARDS / "prometheus" / "sidelight.rules.test.yml")
    assert done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout + done.stderr
    tested = (DASHBOARDS / "prometheus" / "sidelight.rules.test.yml").read_text()
    rules = (DASHBOARDS / "prometheus" / "sidelight.rules.yml").read_text()
    for name in re.findall(r"- alert: (\w+)", rules):
        assert re.search(rf"alertname: {name}\n *eval_time: \w+\n *exp_alerts:", tested), f"{name} is not seen firing"


def test_promtool_takes_every_expression_of_the_dashboards(tmp_path):
    rules = [{"record": f"panel:{number}", "expr": expression} for number, (_, expression) in enumerate(generate.expressions())]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    done = promtool("check", "rules", file)
    assert done.returncode == 0 and f"{len(rules)} rules found" in done.stdout, done.stdout + done.stderr
    rules[0]["expr"] += " by"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    assert promtool("check", "rules", file).returncode != 0


def test_promtool_takes_the_configuration_of_compose(tmp_path):
    text = (DASHBOARDS / "compose" / "prometheus.yml").read_text()
    file = tmp_path / "prometheus.yml"
    file.write_text(text.replace("/etc/prometheus/", str(DASHBOARDS / "prometheus") + "/"))
    done = promtool("check", "config", file)
    assert done.returncode == 0, done.stdout + done.stderr


# -- against what agents emit


@pytest.fixture(scope="module")
def backend():
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture(scope="module")
def places(tmp_path_factory, backend):
    """The admin ports of a server, of one with TLS and of an agent, all under load of every kind."""
    folder = tmp_path_factory.mktemp("emitting")
    sidelights = [Sidelight(folder / name) for name in ("plain", "tls", "agent")]
    for sidelight in sidelights:
        sidelight.folder.mkdir()
    agent = Agent(
        sidelights[2], {"backend": backend},
        processors={"few": {"filter": {"drop": [{"name": "nothing*"}]}}}, pipelines={"traces": {"processors": ["few"]}, "logs": {}, "metrics": {}},
    )  # fmt: skip
    entries = [sidelight.write("app.mjs", PROGRAM) for sidelight in sidelights[:2]]
    plain = Service(
        sidelights[0], entries[0], "--admin", "127.0.0.1:0", "--limit", "request-timeout=1s",
        "--export", f"otlp=http://{agent.places['otlp-http']}", "--register", f"file-sd={folder}/places.json", env={"PEER": f"http://{agent.places['admin']}/livez", "OTEL_METRIC_EXPORT_INTERVAL": 1000},
    )  # fmt: skip
    (folder / "certificates").mkdir()
    certificate, key = Certificates(folder / "certificates").pair("ecdsa")
    tls = Service(sidelights[1], entries[1], "--admin", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", key, tls=client())
    drive(plain, tls)
    over = threading.Event()
    # Something is in flight whenever somebody looks.
    busy = threading.Thread(target=lambda: [plain.get("/late") for _ in iter(over.is_set, True)])
    busy.start()
    yield [service.admin.removeprefix("http://") for service in (plain, tls)] + [agent.places["admin"]]
    over.set()
    busy.join()
    for service in (plain, tls):
        service.end()
        service.kill()
    agent.end()


def drive(plain, tls):
    """Everything that can happen to a server."""
    for path in ["/", "/fail", "/reject", "/spin", "/collect", "/collect", "/fetch", "/fetch-fails", "/worker", "/late"]:
        plain.get(path)
    for _ in range(20):
        plain.get("/")
    tls.get("/")
    with socket.create_connection(("127.0.0.1", tls.port), timeout=20) as plaintext:
        plaintext.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        plaintext.recv(1000)
    with socket.create_connection(("127.0.0.1", plain.port), timeout=20) as malformed:
        malformed.sendall(b"GET / HTTP/1.1\r\nno field\r\n\r\n")
        malformed.recv(1000)
    with socket.create_connection(("127.0.0.1", plain.port), timeout=20) as leaving:
        leaving.sendall(b"GET /late HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: workload(plain)["active"] > 0)
    wait_for(lambda: workload(plain)["abandoned"] > 0)


def workload(service):
    with urllib.request.urlopen(service.admin + "/api/v1/workloads", timeout=20) as answer:
        return json.load(answer)["workloads"][0]["total"]


def emitted(places):
    """The names of all samples."""
    names = set()
    for place in places:
        with urllib.request.urlopen(f"http://{place}/metrics", timeout=20) as answer:
            names |= set(re.findall(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)", answer.read().decode(), re.M))
    return names


def beyond_this_machine():
    """Metrics whose sources this kernel does not have."""
    missing = set()
    if not os.path.exists("/proc/pressure/cpu"):
        missing.add("sidelight_system_pressure_average_ratio")
    disks = [line.split()[2] for line in pathlib.Path("/proc/diskstats").read_text().splitlines()]
    if all(name.startswith(("loop", "ram")) for name in disks):
        missing.add("system_disk_io_bytes_total")
    return missing


def left_after(seconds, missing):
    """What is still missing when nothing is, or the time is over."""
    end = time.monotonic() + seconds
    while (left := missing()) and time.monotonic() < end:
        time.sleep(0.5)
    return left


def test_every_metric_that_is_named_is_emitted(places):
    assert left_after(20, lambda: generate.metrics() - emitted(places) - beyond_this_machine()) == set()


def test_every_panel_shows_something(places, tmp_path):
    """A real Prometheus that scrapes them has an answer to each question of the dashboards."""
    prometheus = Prometheus(tmp_path / "prometheus", scrape={f"sidelight-{number}": f"http://{place}/metrics" for number, place in enumerate(places)})
    beyond = beyond_this_machine()
    questions = [(where, text) for where, text in generate.expressions() if not where.startswith("rule ") and not generate.metrics_of(text) & beyond]
    try:
        # A rate needs two scrapes.
        assert left_after(40, lambda: [where for where, text in questions if not prometheus.query(text, time.time())]) == []
    finally:
        prometheus.stop()
