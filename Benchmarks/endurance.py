"""Memory over many requests: Sidelight traced, under wrk until a number of requests is answered; what each process holds along the way."""

import os
import pathlib
import re
import signal
import subprocess
import tempfile

import contenders
from measuring import Sink, free_port, wait_for_port
from serving import HTTP, tree, wrk

SECONDS = 10  # of load between two looks


def run(requests, folder, progress):
    sink = Sink(folder)
    port = free_port()
    store = os.path.join(folder, "endurance-store")
    command = [contenders.sidelight(), "serve", "--listen", f"127.0.0.1:{port}", "--store", store, "--export", f"otlp={sink.endpoint}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen([*command, str(HTTP / "hello.js")], env=environment, stdin=subprocess.DEVNULL, stderr=messages)
        samples, answered, received = [], 0, 0
        try:
            wait_for_port(port)
            sink.take()
            while answered < requests:
                answered += wrk(port, SECONDS)
                received += sink.take()
                samples.append({"requests": answered, "store_mb": size_of(store), **memory(process.pid)})
                progress("  {requests:,} requests: agent {agent_mb:.1f} MB, worker {worker_mb:.1f} MB, store {store_mb:.0f} MB".format(**samples[-1]))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            received += sink.take()
            sink.close()
        messages.seek(0)
        said = messages.read().decode().strip()
    return {"samples": samples, "received": received / answered, "exit_code": process.returncode, "messages": said}


def memory(pid):
    agent, worker = (resident(member) for member in tree(pid))
    return {"agent_mb": agent["VmRSS"], "agent_peak_mb": agent["VmHWM"], "worker_mb": worker["VmRSS"], "worker_peak_mb": worker["VmHWM"]}


def resident(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {name: int(kilobytes) / 1024 for name, kilobytes in re.findall(r"(VmRSS|VmHWM):\s+(\d+)", status)}


def size_of(folder):
    return sum(file.stat().st_size for file in pathlib.Path(folder).rglob("*") if file.is_file()) / 1e6
