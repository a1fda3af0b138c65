"""The HTTP scenario: a server that says hello, under wrk, then at half of what it can do. CPU time of all its processes a request."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass

import contenders
from measuring import Sink, free_port, median, wait_for_port

HTTP = contenders.ROOT / "Benchmarks" / "http"
TICKS = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 32


@dataclass
class Server:
    name: str
    command: list  # "{port}" in a word stands for the port
    environment: dict
    traced: bool = False


def entrants(endpoint, store):
    otlp = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    serve = [contenders.sidelight(), "serve", "--listen", "127.0.0.1:{port}", "--store", store]
    found = [
        Server("Sidelight", [*serve, "--export", f"otlp={endpoint}", str(HTTP / "hello.js")], {}, traced=True),
        Server("Sidelight, nothing sampled", [*serve, str(HTTP / "hello.js")], {"OTEL_TRACES_SAMPLER": "always_off"}),
        Server("Sidelight, untraced", [*serve, str(HTTP / "hello.js")], {"OTEL_SDK_DISABLED": "true"}),
    ]
    if deno := contenders.peer("deno"):
        run = [deno, "run", "--allow-all", str(HTTP / "deno.js"), "{port}"]
        found.append(Server("Deno, OTel", run, {"OTEL_DENO": "true", **otlp}, traced=True))
        found.append(Server("Deno, OTel, always_off", run, {"OTEL_DENO": "true", "OTEL_TRACES_SAMPLER": "always_off", **otlp}))
        found.append(Server("Deno, untraced", run, {}))
    if node := contenders.peer("node") or shutil.which("node"):
        found.append(Server("Node, untraced", [node, str(HTTP / "node.mjs"), "{port}"], {}))
    return found


def tree(pid):
    """The process and those below it."""
    pids = [pid]
    for parent in pids:
        try:
            pids += map(int, pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text().split())
        except OSError:
            pass
    return pids


def cpu_seconds(pid):
    ticks = 0
    for member in tree(pid):
        fields = pathlib.Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def resident_megabytes(pid):
    total = 0
    for member in tree(pid):
        match = re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{member}/status").read_text())
        total += int(match.group(1)) if match else 0
    return total / 1024


def launch(command, port, environment):
    """A server: "{port}" in a word of its command stands for the port. The variables of OpenTelemetry are those in `environment` only."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.Popen(
        [word.replace("{port}", str(port)) for word in command],
        env={**own, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wrk(port, seconds, scheme="http"):
    url = f"{scheme}://127.0.0.1:{port}/"
    output = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", url], capture_output=True, text=True, check=True).stdout
    requests = int(re.search(r"(\d+) requests in", output).group(1))
    if errors := re.search(r"Socket errors:.*|Non-2xx.*", output):
        raise SystemExit(f"bench: error: wrk says: {errors.group(0)}")
    return requests


def measure(server, sink, seconds, paced, progress):
    port = free_port()
    process = launch(server.command, port, server.environment)
    try:
        wait_for_port(port)
        sink.take()
        warm = wrk(port, 2)
        before = cpu_seconds(process.pid)
        began = time.monotonic()
        requests = wrk(port, seconds)
        cpu = cpu_seconds(process.pid) - before
        rate = requests / (time.monotonic() - began)
        memory = resident_megabytes(process.pid)
        latency = None
        total = warm + requests
        if paced:
            words = subprocess.run([paced, str(port), str(rate / 2), "3", str(CONNECTIONS)], capture_output=True, text=True, check=True).stdout.split()
            total += int(words[1])
            latency = [float(word) for word in words[2:5]]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    # What wrk had under way when it ended was answered, too, but not counted: a connection each, twice.
    received = sink.take() / total if server.traced else None
    progress(f"  {server.name}: {cpu / requests * 1e6:.1f} CPU µs a request, {rate:,.0f} requests/s")
    return {"cpu_us": cpu / requests * 1e6, "rate": rate, "rss_mb": memory, "received": received, "latency_us": latency}


def run(rounds, seconds, folder, progress):
    if not shutil.which("wrk"):
        return [], ["HTTP is left out: `apt-get install wrk`"]
    paced = pathlib.Path(folder) / "paced"
    built = subprocess.run(["cc", "-O2", "-w", "-o", str(paced), str(HTTP / "paced.c")])
    sink = Sink(folder)
    try:
        servers = entrants(sink.endpoint, os.path.join(folder, "http-store"))
        samples = {server.name: [] for server in servers}
        for _ in range(rounds):
            for server in servers:
                samples[server.name].append(measure(server, sink, seconds, str(paced) if built.returncode == 0 else None, progress))
    finally:
        sink.close()
    return [row(server.name, samples[server.name]) for server in servers], []


def row(name, samples):
    def middle(key):
        values = [sample[key] for sample in samples if sample[key] is not None]
        return median(values) if values else None

    latencies = [sample["latency_us"] for sample in samples if sample["latency_us"]]
    return {
        "name": name,
        "cpu_us": middle("cpu_us"),
        "rate": middle("rate"),
        "rss_mb": middle("rss_mb"),
        "received": middle("received"),
        "latency_us": [median(column) for column in zip(*latencies)] if latencies else None,
    }
