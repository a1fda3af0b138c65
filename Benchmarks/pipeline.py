"""Telemetry through the agent: OTLP/HTTP in, OTLP/HTTP out, batches of 100 spans, 4 connections, beside Rotel; the generator and the sink are the C programs of
../shared/load. First as fast as it goes (CPU time of the agent a million spans, memory, all of it received), then 10,000 spans a second (latency of the answer)."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.request
from dataclasses import dataclass

import contenders
from endurance import resident
from measuring import compiled, default_load_folder, free_port, median, wait_for_port
from serving import cpu_seconds

BATCH = 100
CONNECTIONS = 4
PACED_RATE = 10_000  # spans a second
PACED_SECONDS = 5


@dataclass
class Agent:
    name: str
    command: list  # "{port}", "{sink}" and "{folder}" in a word are replaced


def entrants():
    sidelight = [contenders.sidelight(), "agent", "--config", "{folder}/sidelight.yaml"]
    found = [Agent("Sidelight, durable queue", sidelight)]
    if rotel := rotel_program():
        found.append(
            Agent(
                "Rotel, memory, gzip",
                [rotel, "start", "--otlp-http-endpoint", "127.0.0.1:{port}", "--otlp-grpc-endpoint", "127.0.0.1:{spare}"]
                + ["--exporter", "otlp", "--otlp-exporter-protocol", "http", "--otlp-exporter-endpoint", "http://127.0.0.1:{sink}"],
            )
        )
    return found


def rotel_program():
    """Of PyPI's package: the agent lies in it as a program."""
    venv = pathlib.Path(os.environ.get("SIDELIGHT_PEERS", contenders.ROOT / ".peers" / "venv"))
    return next((str(place) for place in venv.glob("lib/python3*/site-packages/rotel/rotel-agent")), None)


def run(rounds, spans, folder, progress):
    load = pathlib.Path(os.environ.get("SIDELIGHT_LOAD", default_load_folder()))
    generator, sink = pathlib.Path(folder) / "otlpgen", pathlib.Path(folder) / "otlpsink"
    for program in generator, sink:
        if not (load / f"{program.name}.c").exists() or not compiled(load / f"{program.name}.c", program):
            raise SystemExit(f"bench: error: the pipeline benchmark needs {load}/{program.name}.c and a C compiler")
    agents = entrants()
    found = {agent.name: [] for agent in agents}
    for _ in range(rounds):
        for agent in agents:
            with tempfile.TemporaryDirectory(dir=folder) as place:
                sample = measure(agent, generator, sink, spans, place)
            progress("  {name}: {cpu_per_million:.2f} CPU s a million, {rate:,.0f} spans/s, {received:.1%}, p99 {p99_ms:.2f} ms".format(name=agent.name, **sample))
            found[agent.name].append(sample)
    keys = ["rate", "cpu_per_million", "peak_mb", "received", "p50_ms", "p99_ms"]
    return [{"name": name, **{key: median(sample[key] for sample in samples) for key in keys}} for name, samples in found.items()]


def measure(agent, generator, sink_program, spans, folder):
    port, sink_port, spare = free_port(), free_port(), free_port()
    paced = PACED_RATE * PACED_SECONDS
    configure(folder, port, sink_port)
    words = {"port": port, "sink": sink_port, "spare": spare, "folder": folder}
    sink = subprocess.Popen([sink_program, str(sink_port), f"{folder}/counts", str(spans + paced)])
    process = None
    try:
        wait_for_port(sink_port)
        with open(f"{folder}/messages", "wb") as messages:
            command = [word.format(**words) for word in agent.command]
            process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages)
        wait_for_port(port)
        began, before = time.monotonic(), cpu_seconds(process.pid)
        generate(generator, port, spans, 0, 1)
        stats = arrived(sink_port, spans)
        seconds, cpu = time.monotonic() - began, cpu_seconds(process.pid) - before
        answer = generate(generator, port, paced, PACED_RATE, spans + 1)
        stats = arrived(sink_port, spans + paced)
        peak = resident(process.pid)["VmHWM"]
    finally:
        if process:
            process.send_signal(signal.SIGTERM)
            process.wait()
        sink.terminate()
        sink.wait()
    return {
        "rate": spans / seconds,
        "cpu_per_million": cpu / spans * 1e6,
        "peak_mb": peak,
        "received": stats["distinct"] / (spans + paced),
        "p50_ms": answer["lat_p50_ms"],
        "p99_ms": answer["lat_p99_ms"],
    }


def configure(folder, port, sink_port):
    """Sidelight's configuration: one way through, the durable queue on."""
    (pathlib.Path(folder) / "sidelight.yaml").write_text(
        f"admin: off\nstore: off\nreceivers: {{otlp-http: 127.0.0.1:{port}}}\n"
        f"queue: {{directory: {folder}/queue}}\nexporters: {{sink: {{kind: otlp, url: http://127.0.0.1:{sink_port}}}}}\n"
    )


def generate(generator, port, spans, rate, first):
    command = [generator, str(port), str(spans), str(BATCH), str(CONNECTIONS), str(rate), str(first), "1"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def arrived(port, spans):
    """The sink's figures when all spans are there, or when nothing has come for three seconds."""
    last, since = -1, time.monotonic()
    while True:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats") as answer:
            stats = json.load(answer)
        if stats["distinct"] != last:
            last, since = stats["distinct"], time.monotonic()
        if last >= spans or time.monotonic() - since > 3:
            return stats
        time.sleep(0.005)
