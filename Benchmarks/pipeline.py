"""Telemetry through the agent: OTLP/HTTP in, OTLP/HTTP out, batches of 100 spans, 4 connections, beside Rotel. First as fast as it goes (CPU time of the agent a million
spans, memory, all of it received), with the C programs of ../shared/load; then 10,000 spans a second with those of `delivery/`: milliseconds from a request that has
left to its answer, and to the arrival of its last span at the backend, with each policy of the queue."""

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
import delivery
from endurance import resident
from measuring import compiled, default_load_folder, free_port, median, wait_for_port
from serving import cpu_seconds

BATCH = 100
CONNECTIONS = 4
PACED_RATE = 10_000  # spans a second
PACED_SECONDS = 6
WARM_UP_REQUESTS = 100  # of them are left out: a second


@dataclass
class Agent:
    name: str
    command: list  # "{port}", "{sink}" and "{folder}" in a word are replaced
    sync: str = "interval"  # Sidelight's policy


def entrants():
    sidelight = [contenders.sidelight(), "agent", "--config", "{folder}/sidelight.yaml"]
    found = [Agent("Sidelight, durable queue", sidelight)]
    if command := rotel():
        found.append(Agent("Rotel, memory, gzip", command))
    return found


def rotel(*options):
    """Its command, or None when it is not installed (`scripts/peers bench`)."""
    if program := rotel_program():
        return (
            [program, "start", "--otlp-http-endpoint", "127.0.0.1:{port}", "--otlp-grpc-endpoint", "127.0.0.1:{spare}"]
            + ["--exporter", "otlp", "--otlp-exporter-protocol", "http", "--otlp-exporter-endpoint", "http://127.0.0.1:{sink}"]
            + ["--pid-file", "{folder}/rotel.pid", "--log-file", "{folder}/rotel.log", *options]
        )


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
            progress("  {name}: {cpu_per_million:.2f} CPU s a million, {rate:,.0f} spans/s, {received:.1%}".format(name=agent.name, **sample))
            found[agent.name].append(sample)
    return medians(found)


def medians(found):
    return [{"name": name, **{key: median(sample[key] for sample in samples) for key in samples[0]}} for name, samples in found.items()]


def run_ways(rounds, folder, progress):
    """The way of a span at 10,000 a second: Sidelight with each policy of its queue's `sync`, and the others."""
    delivery.compile_programs(folder)
    agents = entrants()
    ours = agents.pop(0)
    agents = [Agent(f"Sidelight, sync: {sync}", ours.command, sync) for sync in ("interval", "batch", "never")] + agents
    found = {agent.name: [] for agent in agents}
    for _ in range(rounds):
        for agent in agents:
            with tempfile.TemporaryDirectory(dir=folder) as place:
                sample = measure_way(agent, folder, place)
            progress("  {name}: answer p99 {answer_p99_ms:.2f} ms, at the backend p50 {way_p50_ms:.2f}, p99 {way_p99_ms:.2f} ms".format(name=agent.name, **sample))
            found[agent.name].append(sample)
    return medians(found)


def measure_way(agent, programs, folder):
    spans = PACED_RATE * PACED_SECONDS
    backend, port = delivery.Backend(programs, folder, spans), free_port()
    sender = process = None
    try:
        process = start(agent, folder, port, backend.port)
        sender = delivery.Sender(programs, folder, port, spans, CONNECTIONS, PACED_RATE, PACED_SECONDS + 10)
        sender.wait()
        until = time.monotonic() + 5
        while backend.stats()["distinct"] < spans and time.monotonic() < until:
            time.sleep(0.01)
        received = backend.stats()["distinct"] / spans
        account = delivery.Account(sender, backend, skipped=WARM_UP_REQUESTS)
    finally:
        for running in filter(None, (sender, backend)):
            running.close()
        if process:
            process.send_signal(signal.SIGTERM)
            process.wait()
    times = {"answer": account.answers_ms(), "way": account.ways_ms(), "after_answer": account.ways_ms(since=2)}
    figures = {f"{name}_p{part}_ms": delivery.percentile(values, part / 100) for name, values in times.items() for part in (50, 99)}
    return {"received": received, "way_max_ms": times["way"][-1], **figures}


def start(agent, folder, port, sink_port):
    configure(folder, port, sink_port, agent.sync)
    words = {"port": port, "sink": sink_port, "spare": free_port(), "folder": folder}
    with open(f"{folder}/messages", "wb") as messages:
        process = subprocess.Popen([word.format(**words) for word in agent.command], cwd=folder, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages)
    wait_for_port(port)
    return process


def measure(agent, generator, sink_program, spans, folder):
    port, sink_port = free_port(), free_port()
    sink = subprocess.Popen([sink_program, str(sink_port), f"{folder}/counts", str(spans)])
    process = None
    try:
        wait_for_port(sink_port)
        process = start(agent, folder, port, sink_port)
        began, before = time.monotonic(), cpu_seconds(process.pid)
        generate(generator, port, spans)
        stats = arrived(sink_port, spans)
        seconds, cpu = time.monotonic() - began, cpu_seconds(process.pid) - before
        peak = resident(process.pid)["VmHWM"]
    finally:
        if process:
            process.send_signal(signal.SIGTERM)
            process.wait()
        sink.terminate()
        sink.wait()
    return {"rate": spans / seconds, "cpu_per_million": cpu / spans * 1e6, "peak_mb": peak, "received": stats["distinct"] / spans}


def configure(folder, port, sink_port, sync="interval"):
    """Sidelight's configuration: one way through, the durable queue on."""
    (pathlib.Path(folder) / "sidelight.yaml").write_text(
        f"admin: off\nstore: off\nreceivers: {{otlp-http: 127.0.0.1:{port}}}\n"
        f"queue: {{directory: {folder}/queue, sync: {sync}}}\nexporters: {{sink: {{kind: otlp, url: http://127.0.0.1:{sink_port}}}}}\n"
    )


def generate(generator, port, spans):
    """As fast as it goes."""
    subprocess.run([generator, str(port), str(spans), str(BATCH), str(CONNECTIONS), "0", "1", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


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
