#!/usr/bin/env python3
"""A long run of the agent's pipeline: 20,000 spans a second, the agent killed -9 every so often, the backend stopped (it hangs) for 1 to 8 s now and then. Every span
whose request was answered with success has to arrive.

    Benchmarks/soak.py [SECONDS [KILL_EVERY]]      600 and 30 by default; 0: no kill

Needs the generator and the sink of ../shared/load and the release binaries. Prints a line of JSON; exit code 1 when something is missing."""

import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

import contenders
import pipeline
from endurance import resident
from measuring import compiled, default_load_folder, free_port, wait_for_port

RATE = 20_000  # spans a second


class Soak:
    def __init__(self, folder, seconds, kill_every):
        self.folder, self.spans, self.kill_every = folder, RATE * seconds, kill_every
        self.port, self.sink_port = free_port(), free_port()
        self.kills = self.hangs = 0
        self.peak = 0.0
        for name in ("otlpgen", "otlpsink"):
            if not compiled(pathlib.Path(default_load_folder()) / f"{name}.c", pathlib.Path(folder) / name):
                raise SystemExit(f"soak: error: {name}.c of the load folder does not compile")
        pipeline.configure(folder, self.port, self.sink_port)

    def start_agent(self):
        messages = open(f"{self.folder}/messages", "a")
        command = [contenders.sidelight(), "agent", "-c", f"{self.folder}/sidelight.yaml"]
        self.agent = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages)

    def run(self):
        sink = subprocess.Popen([f"{self.folder}/otlpsink", str(self.sink_port), f"{self.folder}/counts", str(self.spans + 1_000_000)])
        self.start_agent()
        wait_for_port(self.port)
        words = [self.port, self.spans, pipeline.BATCH, pipeline.CONNECTIONS, RATE, 1, 1]
        generator = subprocess.Popen([f"{self.folder}/otlpgen", *map(str, words)], stdout=subprocess.PIPE, text=True)
        try:
            self.trouble(sink, generator)
            sent = json.loads(generator.stdout.read())
            drained = self.drain()
            return {"generator": sent, "sink": self.stats(), "spans": self.spans, "kills": self.kills, "hangs": self.hangs, "drained s": drained, "peak MB": round(self.peak, 1)}
        finally:
            for process in generator, self.agent, sink:
                process.kill()
                process.wait()

    def trouble(self, sink, generator):
        now = time.monotonic()
        kill_at = now + self.kill_every if self.kill_every else float("inf")
        hang_at, back_at = now + random.uniform(5, 15), None
        while generator.poll() is None:
            time.sleep(0.2)
            now = time.monotonic()
            self.peak = max(self.peak, resident(self.agent.pid).get("VmHWM", 0))
            if now > kill_at:
                self.agent.kill()
                self.agent.wait()
                self.kills += 1
                self.start_agent()
                kill_at = now + self.kill_every * random.uniform(0.7, 1.3)
            if back_at is None and now > hang_at:
                sink.send_signal(signal.SIGSTOP)
                self.hangs += 1
                back_at = now + random.uniform(1, 8)
            elif back_at is not None and now > back_at:
                sink.send_signal(signal.SIGCONT)
                hang_at, back_at = now + random.uniform(5, 20), None
        sink.send_signal(signal.SIGCONT)

    def stats(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.sink_port}/stats", timeout=20) as answer:
            return json.load(answer)

    def drain(self):
        """Seconds until all is there, or nothing more has come for 8 s."""
        begin = since = time.monotonic()
        seen = -1
        while seen < self.spans and time.monotonic() - since < 8:
            if (now := self.stats()["distinct"]) != seen:
                seen, since = now, time.monotonic()
            time.sleep(0.1)
        return round(since - begin, 2)


if __name__ == "__main__":
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    kill_every = float(sys.argv[2]) if len(sys.argv) > 2 else 30
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        result = Soak(folder, seconds, kill_every).run()
    print(json.dumps(result))
    raise SystemExit(0 if result["sink"]["distinct"] >= result["spans"] else 1)
