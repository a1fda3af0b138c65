"""What an agent costs that has nothing to do but look at its machine: milliseconds from its start until it answers, resident memory, CPU time while host metrics are taken every
second. Beside node_exporter, whose metrics are taken by asking for them every second, and Rotel, which has none."""

import os
import pathlib
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field

import contenders
import pipeline
from measuring import free_port

SETTLE_SECONDS = 3


@dataclass
class Idler:
    name: str
    command: list  # "{port}" and "{folder}" in a word are replaced
    asked: str | None = None  # the path that is asked for every second
    files: dict = field(default_factory=dict)


def node_exporter():
    """Of Debian's package, unpacked by `scripts/peers test`; or one that is installed."""
    places = [contenders.ROOT / ".peers" / "node_exporter" / "usr" / "bin" / "prometheus-node-exporter", pathlib.Path("/usr/bin/prometheus-node-exporter")]
    return next((str(place) for place in places if place.exists()), None)


SIDELIGHT = """
admin: 127.0.0.1:{port}
store: {folder}/store
queue: {{directory: "{folder}/queue"}}
receivers: {{otlp-http: 127.0.0.1:0, otlp-grpc: 127.0.0.1:0, zipkin: 127.0.0.1:0, jaeger: 127.0.0.1:0}}
"""


def idlers():
    command = [contenders.sidelight(), "agent", "--config", "{folder}/sidelight.yaml"]
    groups = ["cpu", "memory", "pressure", "processes", "threads", "pss", "container", "network", "disk", "filesystems"]
    every_second = SIDELIGHT + "resources: {{" + ", ".join(f"{group}: 1s" for group in groups) + "}}\n"
    without = SIDELIGHT + "resources: off\n"
    found = [
        Idler("Sidelight, all samplers each second", command, files={"sidelight.yaml": every_second}),
        Idler("Sidelight, and scraped each second", command, "/metrics", files={"sidelight.yaml": every_second}),
        Idler("Sidelight, as it comes", command, files={"sidelight.yaml": SIDELIGHT}),
        Idler("Sidelight, without samplers", command, files={"sidelight.yaml": without}),
    ]
    notes = []
    if program := node_exporter():
        found.append(Idler("node_exporter, scraped each second", [program, "--web.listen-address=127.0.0.1:{port}"], "/metrics"))
    else:
        notes.append("node_exporter is left out: scripts/peers test unpacks it")
    if command := pipeline.rotel():
        found.append(Idler("Rotel, no host metrics", [word.replace("{sink}", "9").replace("{spare}", "0") for word in command]))
    else:
        notes.append("Rotel is left out: scripts/peers bench installs it")
    return found, notes


def cpu_nanoseconds(pid):
    """Of all its threads, as the scheduler counts them. A thread that has ended is not in it: none of these has any that do."""
    return sum(int(path.read_text().split()[0]) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"))


def resident_megabytes(pid):
    line = next(line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024 / 1e6


def wait_until_it_answers(port, process):
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.0005)
    raise SystemExit("bench: error: an agent ended before it answered")


def measure(idler, seconds, folder):
    port = free_port()
    place = {"port": port, "folder": folder}
    for name, text in idler.files.items():
        pathlib.Path(folder, name).write_text(text.format(**place))
    command = [word.replace("{port}", str(port)).replace("{folder}", folder) for word in idler.command]
    with open(os.path.join(folder, "log"), "wb") as log:
        began = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
    try:
        wait_until_it_answers(port, process)
        start = time.monotonic() - began
        time.sleep(SETTLE_SECONDS)
        before, began = cpu_nanoseconds(process.pid), time.monotonic()
        for second in range(seconds):
            if idler.asked:
                urllib.request.urlopen(f"http://127.0.0.1:{port}{idler.asked}").read()
            time.sleep(max(0.0, began + second + 1 - time.monotonic()))
        spent = cpu_nanoseconds(process.pid) - before
        return {"start_ms": start * 1e3, "cpu_percent": spent / 1e7 / (time.monotonic() - began), "rss_mb": resident_megabytes(process.pid)}
    finally:
        process.terminate()
        process.wait()


def run(rounds, seconds, folder, progress):
    entrants, notes = idlers()
    found = {idler.name: [] for idler in entrants}
    for _ in range(rounds):
        for idler in entrants:
            with tempfile.TemporaryDirectory(dir=folder) as place:
                sample = measure(idler, seconds, place)
            progress("  {name}: starts in {start_ms:.0f} ms, {cpu_percent:.2f} % CPU, {rss_mb:.1f} MB".format(name=idler.name, **sample))
            found[idler.name].append(sample)
    rows = [{"name": name, **{key: statistics.median(sample[key] for sample in samples) for key in samples[0]}} for name, samples in found.items()]
    return rows, notes


COLUMNS = [
    ("An agent with nothing to do", lambda row, _: row["name"]),
    ("start ms", lambda row, _: f"{row['start_ms']:.0f}"),
    ("CPU %", lambda row, _: f"{row['cpu_percent']:.2f}"),
    ("RSS MB", lambda row, _: f"{row['rss_mb']:.1f}"),
]
