"""The HTTPS scenario: hello over TLS 1.3 with an ECDSA key, beside the same over plain HTTP; and handshakes, whole and resumed. CPU time of all
processes of the server."""

import os
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass

import contenders
from measuring import free_port, median, wait_for_port
from serving import HTTP, cpu_seconds, launch, resident_megabytes, wrk


@dataclass
class Server:
    name: str
    command: list  # "{port}" in a word stands for the port
    environment: dict
    scheme: str


def certificate(folder):
    """A key for ECDSA on P-256 and a certificate of its own."""
    key, chain = os.path.join(folder, "tls.key"), os.path.join(folder, "tls.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=localhost",
         "-days", "30", "-keyout", key, "-out", chain], check=True, capture_output=True,
    )  # fmt: skip
    return chain, key


def entrants(folder):
    chain, key = certificate(folder)
    serve = [contenders.sidelight(), "serve", "--listen", "127.0.0.1:{port}", "--store", os.path.join(folder, "tls-store")]
    flags = ["--tls-cert", chain, "--tls-key", key]
    hello, disabled = str(HTTP / "hello.js"), {"OTEL_SDK_DISABLED": "true"}
    found = [
        Server("Sidelight, TLS, untraced", [*serve, *flags, hello], disabled, "https"),
        Server("Sidelight, plain, untraced", [*serve, hello], disabled, "http"),
        Server("Sidelight, TLS, traced and stored", [*serve, *flags, hello], {}, "https"),
    ]
    if deno := contenders.peer("deno"):
        run = [deno, "run", "--allow-all", str(HTTP / "deno.js"), "{port}"]
        found += [Server("Deno, TLS, untraced", [*run, chain, key], {}, "https"), Server("Deno, plain, untraced", run, {}, "http")]
    if node := contenders.peer("node") or shutil.which("node"):
        run = [node, str(HTTP / "node.mjs"), "{port}"]
        found += [Server("Node, TLS, untraced", [*run, chain, key], {}, "https"), Server("Node, plain, untraced", run, {}, "http")]
    return found


def handshakes(port, kind, seconds):
    """One connection after the other, each for one request. `kind`: new or reuse."""
    command = ["openssl", "s_time", "-connect", f"127.0.0.1:{port}", f"-{kind}", "-www", "/", "-time", str(seconds)]
    output = subprocess.run(command, capture_output=True, text=True).stdout
    return int(re.findall(r"(\d+) connections in \d+ real seconds", output)[-1])


def measure(server, seconds, progress):
    port = free_port()
    process = launch(server.command, port, server.environment)
    try:
        wait_for_port(port)

        def cost(work):
            before = cpu_seconds(process.pid)
            count = work()
            return (cpu_seconds(process.pid) - before) / count * 1e6

        wrk(port, 2, server.scheme)
        sample = {"cpu_us": cost(lambda: wrk(port, seconds, server.scheme)), "rss_mb": resident_megabytes(process.pid)}
        for kind in ("new", "reuse"):
            sample[kind] = cost(lambda: handshakes(port, kind, seconds)) if server.scheme == "https" else None
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    progress(f"  {server.name}: {sample}")
    return sample


def run(rounds, seconds, folder, progress):
    if not shutil.which("wrk"):
        return [], ["HTTPS is left out: `apt-get install wrk`"]
    servers = entrants(folder)
    samples = {server.name: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            samples[server.name].append(measure(server, seconds, progress))

    def middle(name, key):
        values = [sample[key] for sample in samples[name] if sample[key] is not None]
        return median(values) if values else None

    return [{"name": server.name, **{key: middle(server.name, key) for key in ("cpu_us", "rss_mb", "new", "reuse")}} for server in servers], []
