"""fetch as a client: requests one after the other on kept connections, and a gigabyte through: to nothing, and out again by a served Response."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import contenders
import serving
from measuring import alternate, free_port, median, wait_for_port

FETCH = contenders.ROOT / "Benchmarks" / "fetch"
STREAM_BYTES = 1_000_000_000


def origin(folder):
    """The process that is asked, and its port."""
    program = pathlib.Path(folder) / "origin"
    subprocess.run(["cc", "-O2", "-o", str(program), str(FETCH / "origin.c")], check=True)
    port = free_port()
    process = subprocess.Popen([str(program), str(port)])
    wait_for_port(port)
    return process, port


def clients(store):
    client = str(FETCH / "client.mjs")
    run = [contenders.sidelight(), "run", "--store", store, client]
    found = [
        contenders.Contender("Sidelight, traced and stored", run),
        contenders.Contender("Sidelight, untraced", run, {"OTEL_SDK_DISABLED": "true"}),
    ]
    if deno := contenders.peer("deno"):
        found.append(contenders.Contender("Deno, untraced", [deno, "run", "--allow-all", client]))
    if node := contenders.peer("node"):
        found.append(contenders.Contender("Node 24, untraced", [node, client]))
    return found


def proxies(store, port):
    serve = [contenders.sidelight(), "serve", "--listen", "127.0.0.1:{port}", "--store", store, str(FETCH / "proxy.js")]
    to = {"ORIGIN": str(port)}
    found = [
        serving.Server("Sidelight, traced and stored", serve, to),
        serving.Server("Sidelight, untraced", serve, {"OTEL_SDK_DISABLED": "true", **to}),
    ]
    if deno := contenders.peer("deno"):
        found.append(serving.Server("Deno, untraced", [deno, "run", "--allow-all", str(FETCH / "deno.js"), "{port}"], to))
    if node := contenders.peer("node"):
        found.append(serving.Server("Node 24, untraced", [node, str(FETCH / "node.mjs"), "{port}"], to))
    return found


def run_client(contender, port, arguments):
    """CPU seconds of all its processes, and the most that one of them had in memory, megabytes."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    with tempfile.TemporaryFile() as said:
        command = [*contender.command, str(port), *map(str, arguments)]
        process = subprocess.Popen(command, env={**own, **contender.environment}, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        if process.returncode != 0:
            raise SystemExit(f"bench: error: {contender.name} ended with {process.returncode}:\n{said.read().decode()}")
    return {"cpu": usage.ru_utime + usage.ru_stime, "peak_mb": usage.ru_maxrss / 1024}


def peak_megabytes(pid):
    """The largest of its processes at its largest."""
    peaks = []
    for member in serving.tree(pid):
        lines = pathlib.Path(f"/proc/{member}/status").read_text().splitlines()
        peaks += [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")]
    return max(peaks)


def pipe(server, progress):
    port = free_port()
    process = serving.launch(server.command, port, server.environment)
    try:
        wait_for_port(port)
        url = f"http://127.0.0.1:{port}/bytes/"
        take(url + "1000000", 1_000_000)
        before, began = serving.cpu_seconds(process.pid), time.monotonic()
        take(url + str(STREAM_BYTES), STREAM_BYTES)
        cpu, wall = serving.cpu_seconds(process.pid) - before, time.monotonic() - began
        peak = peak_megabytes(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    progress(f"  {server.name}: 1 GB through, {cpu:.2f} CPU s, {wall:.2f} s, peak {peak:.0f} MB")
    return {"cpu": cpu, "wall": wall, "peak_mb": peak}


def take(url, bytes_expected):
    done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{size_download}", url], capture_output=True, text=True)
    if done.returncode != 0 or int(done.stdout) != bytes_expected:
        raise SystemExit(f"bench: error: {done.stdout} bytes of {url} came, curl ended with {done.returncode}")


def run(rounds, requests, folder, progress):
    if not shutil.which("curl") or not shutil.which("cc"):
        return [], ["fetch is left out: it needs curl and a C compiler"]
    asked, port = origin(folder)
    try:
        entrants = clients(os.path.join(folder, "fetch-store"))

        def once(what, count):
            def measure(contender):
                result = run_client(contender, port, [what, count])
                progress(f"  {contender.name}, {what} {count}: {result['cpu']:.2f} CPU s, peak {result['peak_mb']:.0f} MB")
                return result

            return measure

        empty = alternate(entrants, rounds, once("requests", 0))
        asking = alternate(entrants, rounds, once("requests", requests))
        loading = alternate(entrants, rounds, once("download", STREAM_BYTES))
        piping = alternate(proxies(os.path.join(folder, "pipe-store"), port), rounds, lambda server: pipe(server, progress))
    finally:
        asked.terminate()
        asked.wait()

    def middle(samples, key):
        return median(sample[key] for sample in samples)

    return [
        {
            "name": name,
            "request_cpu_us": (middle(asking[name], "cpu") - middle(empty[name], "cpu")) / requests * 1e6,
            "download_cpu": middle(loading[name], "cpu") - middle(empty[name], "cpu"),
            "download_peak_mb": middle(loading[name], "peak_mb"),
            "pipe_cpu": middle(piping[name], "cpu"),
            "pipe_wall": middle(piping[name], "wall"),
            "pipe_peak_mb": middle(piping[name], "peak_mb"),
        }
        for name in empty
    ], []
