#!/usr/bin/env python3
"""What it costs that `fetch` finds services, and what becomes of requests while the registry is paused, gone or wrong.

usage: Benchmarks/finding.py [--rounds N] [--fetches N] [--seconds N] [--rate N]

cost    CPU time of a `run` that fetches from a server on this machine, 16 at once, start-up left out: without `--resolve`, with it and the same host, and by the name of a service.
chaos   `serve` whose handler fetches from a service of two instances, under an open loop: latency from the moment a request was due, by what the registry does at the time.
"""

import argparse
import asyncio
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import contenders
import fetch
from measuring import alternate, free_port, median, wait_for_port

TESTS = contenders.ROOT / "Tests" / "EndToEnd"

CLIENT = """
const [url, count] = process.argv.slice(2);
let left = +count;
const lane = async () => {
    while (left-- > 0) if (await (await fetch(url)).text() !== 'hello') throw new Error('the answer is wrong');
};
await Promise.all(Array.from({ length: 16 }, lane));
"""

PROXY = "export default { async fetch() { return new Response(await (await fetch('http://web.service.consul/small')).text()); } };"

# A registry in a process of its own, which can be paused.
REGISTRY = """
import sys, time
sys.path.insert(0, sys.argv[1])
from finding import FakeConsul
consul = FakeConsul(port=int(sys.argv[2]))
consul.put("web", *map(int, sys.argv[3:]))
time.sleep(3600)
"""


class Registry:
    def __init__(self, *instances):
        self.port = free_port()
        self.instances = instances
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        self.process = subprocess.Popen([sys.executable, "-c", REGISTRY, str(TESTS), str(self.port), *map(str, self.instances)])
        wait_for_port(self.port)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()


def cost(folder, origin, registry, rounds, fetches):
    program = pathlib.Path(folder) / "client.mjs"
    program.write_text(CLIENT)
    run = [contenders.sidelight(), "run", "--store", str(pathlib.Path(folder) / "store")]
    resolve = ["--resolve", f"consul={registry.url}", "--resolve", "etcd", "--resolve", "dns"]
    ways = {
        "a host, without --resolve": ([], f"http://127.0.0.1:{origin}/small"),
        "a host, with --resolve": (resolve, f"http://127.0.0.1:{origin}/small"),
        "a service": (resolve, "http://web.service.consul/small"),
    }
    made = [contenders.Contender(name, [*run, *flags, str(program), url], {"OTEL_SDK_DISABLED": "true"}) for name, (flags, url) in ways.items()]

    def measure(contender):
        some, none = (spent(contender, count) for count in (fetches, 0))
        return (some - none) / fetches * 1e6

    for name, found in alternate(made, rounds, measure).items():
        print(f"{name:28} {median(found):6.1f} CPU µs a request  ({min(found):.1f} to {max(found):.1f})")


def spent(contender, count):
    own = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    process = subprocess.Popen([*contender.command, str(count)], env={**own, **contender.environment}, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"bench: error: {contender.name} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


async def load(port, rate, seconds):
    """Milliseconds from when each request was due to its answer, and how many failed."""
    idle, times, failed = [], [], 0

    async def one(due):
        nonlocal failed
        try:
            reader, writer = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            if not head.startswith(b"HTTP/1.1 200") or body != b"hello":
                failed += 1
            idle.append((reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            failed += 1
        times.append((time.monotonic() - due) * 1e3)

    begun, tasks = time.monotonic(), []
    for number in range(int(rate * seconds)):
        due = begun + number / rate
        await asyncio.sleep(max(0, due - time.monotonic()))
        tasks.append(asyncio.create_task(one(due)))
    await asyncio.gather(*tasks)
    for _, writer in idle:
        writer.close()
    return sorted(times), failed


def chaos(folder, registry, rate, seconds):
    program = pathlib.Path(folder) / "proxy.mjs"
    program.write_text(PROXY)
    port = free_port()
    command = [contenders.sidelight(), "serve", "--listen", f"127.0.0.1:{port}", "--admin", "off", "--store", str(pathlib.Path(folder) / "store"), "--resolve", f"consul={registry.url}", str(program)]
    serve = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        asyncio.run(load(port, rate, 3))

        def phase(name):
            times, failed = asyncio.run(load(port, rate, seconds))
            p50, p99 = (times[int(len(times) * share)] for share in (0.5, 0.99))
            print(f"registry {name:10} {len(times):6} requests, {failed} failed; p50 {p50:.2f} ms, p99 {p99:.2f} ms, longest {times[-1]:.1f} ms")

        phase("untouched")
        registry.signal(signal.SIGSTOP)
        phase("paused")
        registry.signal(signal.SIGCONT)
        phase("back")
        registry.kill()
        phase("gone")
        registry.start()
        phase("restarted")
        phase("untouched")
    finally:
        serve.send_signal(signal.SIGTERM)
        serve.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fetches", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=40, help="of each phase: longer than a blocking query")
    parser.add_argument("--rate", type=int, default=200, help="requests a second")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        servers = [fetch.origin(folder)]
        (pathlib.Path(folder) / "second").mkdir()
        servers.append(fetch.origin(pathlib.Path(folder) / "second"))
        registry = Registry(*(port for _, port in servers))
        try:
            if arguments.rounds:
                cost(folder, servers[0][1], registry, arguments.rounds, arguments.fetches)
            if arguments.seconds:
                chaos(folder, registry, arguments.rate, arguments.seconds)
        finally:
            registry.kill()
            for process, _ in servers:
                process.kill()


if __name__ == "__main__":
    main()
