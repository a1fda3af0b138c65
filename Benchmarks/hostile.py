#!/usr/bin/env python3
"""What an honest workload feels of hostile ones beside it on the same machine.

usage: Benchmarks/hostile.py [--minutes N] [--neighbours N] [--rate N]

An honest service answers an open loop of requests; latency is from the moment a request was due. First with as many processes beside it as there are neighbours, each of which does nothing but
use the CPU (the honest one has the same share then as later), then with that many hostile services, each asked for one attack after the other under `--policy strict`. The honest one's p99 in the
second phase over that of the first is the result; besides, what the neighbours answered, what their limits said, and whether the canary in the honest one's environment came out anywhere.
"""

import argparse
import collections
import http.client
import os
import pathlib
import random
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time

import contenders
from measuring import free_port, wait_for_port

HERE = pathlib.Path(__file__).resolve().parent / "hostile"
PACED = HERE.parent / "http" / "paced.c"
LIMITS = ["cpu=200ms", "heap=64MB", "request-timeout=5s"]
SPIN = "while True: pass"


def serve(folder, entry, port, *flags, env={}):
    folder.mkdir()
    command = [contenders.sidelight(), "serve", "--listen", f"127.0.0.1:{port}", "--admin", "off", "--store", str(folder / "store"), *flags, str(entry)]
    own = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    messages = open(folder / "messages.txt", "wb")
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages, env={**own, **env})
    wait_for_port(port)
    return process


class Attacker(threading.Thread):
    """Asks one hostile service for one attack after the other."""

    def __init__(self, port, paths, canary, end):
        super().__init__(daemon=True)
        self.port, self.paths, self.canary, self.end = port, paths, canary, end
        self.answers = collections.defaultdict(collections.Counter)
        self.leaks = []

    def run(self):
        draw = random.Random(self.port)
        while time.monotonic() < self.end:
            path = draw.choice(self.paths)
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
                connection.request("GET", path)
                answer = connection.getresponse()
                body = answer.read(4 << 20)
                self.answers[path][answer.status] += 1
                if self.canary in body:
                    self.leaks.append(path)
            except (OSError, http.client.HTTPException) as error:
                self.answers[path][type(error).__name__] += 1
            finally:
                connection.close()


def paced(program, name, port, rate, seconds):
    """p99 in milliseconds of an open loop on 16 connections."""
    words = subprocess.run([program, str(port), str(rate), str(seconds), "16"], capture_output=True, text=True, check=True).stdout.split()
    sent, answered = map(int, words[:2])
    p50, p99, _, longest = (float(word) / 1e3 for word in words[2:6])
    print(f"{name:28} {sent:7} requests, {sent - answered} not answered; p50 {p50:.2f} ms, p99 {p99:.2f} ms, longest {longest:.1f} ms", flush=True)
    return p99


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--neighbours", type=int, default=8)
    parser.add_argument("--rate", type=int, default=200, help="requests a second to the honest one")
    options = parser.parse_args()
    canary = "canary-" + secrets.token_hex(16)
    paths = [path for path in re.findall(r"'(/\w+)': ", (HERE / "hostile.mjs").read_text())]
    seconds = options.minutes * 60
    started = []
    with tempfile.TemporaryDirectory(prefix="sidelight-hostile-") as folder:
        folder = pathlib.Path(folder)
        try:
            port = free_port()
            honest = serve(folder / "honest", HERE / "honest.mjs", port, env={"CANARY": canary})
            started.append(honest)
            client = folder / "paced"
            subprocess.run(["cc", "-O2", "-w", "-o", client, PACED], check=True)
            subprocess.run([client, str(port), str(options.rate), "3", "16"], capture_output=True, check=True)

            spinning = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(options.neighbours)]
            started += spinning
            alone = paced(client, f"beside {options.neighbours} that only spin", port, options.rate, min(seconds, 60))
            for process in spinning:
                process.kill()
                process.wait()

            ports = [free_port() for _ in range(options.neighbours)]
            flags = ["--policy", "strict", *(word for limit in LIMITS for word in ("--limit", limit))]
            hostile = [serve(folder / f"hostile{index}", HERE / "hostile.mjs", ports[index], *flags) for index in range(options.neighbours)]
            started += hostile
            end = time.monotonic() + seconds
            attackers = [Attacker(place, paths, canary.encode(), end) for place in ports]
            for attacker in attackers:
                attacker.start()
            beside = paced(client, f"beside {options.neighbours} that attack", port, options.rate, seconds)
            for attacker in attackers:
                attacker.join(30)

            print(f"p99 beside attackers over p99 beside spinning: {beside / alone:.2f}")
            answers = collections.defaultdict(collections.Counter)
            for attacker in attackers:
                for path, counts in attacker.answers.items():
                    answers[path] += counts
            for path in paths:
                print(f"  {path:14} {dict(answers[path])}")
            alive = [process.poll() is None for process in [honest, *hostile]]
            print(f"agents alive: {sum(alive)} of {len(alive)}")
            for process in [honest, *hostile]:
                process.send_signal(signal.SIGTERM)
            for process in [honest, *hostile]:
                process.wait(30)
            leaks = [leak for attacker in attackers for leak in attacker.leaks]
            for place in folder.glob("hostile*"):
                leaks += [str(path) for path in place.rglob("*") if path.is_file() and canary.encode() in path.read_bytes()]
            print(f"the canary came out: {leaks or 'nowhere'}")
        finally:
            for process in started:
                if process.poll() is None:
                    process.kill()


if __name__ == "__main__":
    main()
