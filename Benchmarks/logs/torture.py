#!/usr/bin/env python3
"""Rotation torture: files written at 50 MB/s are renamed, copied and truncated, deleted and made anew at any moment, and the agent is killed -9 every so often. Each line
has to arrive once, and those of a content in their order.

    Benchmarks/logs/torture.py [--seconds 600] [--rate 50] [--files 8] [--kill-every 10] [--seed N]      --kill-every 0: no kill

What the exporter has on its way to the backend when the agent is killed comes again to every backend there is; this is about files, so the backend refuses for a moment
around each kill. A file that is deleted unread while no agent runs cannot be read by anybody: before a kill the writer stops deleting, until what was deleted is read.
Needs the release binaries and a C compiler. Prints a line for each kill on stderr and JSON at the end; exit code 1 when a line is missing, came twice or out of order."""

import argparse
import collections
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import contenders  # noqa: E402
from endurance import resident  # noqa: E402
from measuring import compiled, free_port  # noqa: E402
from serving import cpu_seconds  # noqa: E402


class Sink:
    def __init__(self, folder):
        self.port = free_port()
        self.process = subprocess.Popen([folder / "sink", str(self.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.tell("stats")

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def table(self):
        self.process.stdin.write("table\n")
        self.process.stdin.flush()
        found = {}
        while line := self.process.stdout.readline().strip():
            content, *rest = map(int, line.split())
            found[content] = rest
        return found


class Agent:
    def __init__(self, folder, sink):
        self.folder, self.port, self.cpu, self.memory = folder, free_port(), 0.0, 0
        configuration = {
            "admin": f"127.0.0.1:{self.port}", "store": "off", "log-level": "info",
            "receivers": {"files": {"include": [f"{folder}/logs/*.log", f"{folder}/logs/*.log.*"], "format": "plain", "multiline": "off"}},
            "queue": {"directory": f"{folder}/queue", "bytes": "20GB"},
            "exporters": {"out": {"kind": "otlp", "url": f"http://127.0.0.1:{sink.port}", "in-flight": 1, "timeout": "30s"}},
        }  # fmt: skip
        (folder / "sidelight.yaml").write_text(json.dumps(configuration))
        self.start()

    def start(self):
        with open(self.folder / "agent.err", "a") as errors:
            self.process = subprocess.Popen(
                [contenders.sidelight(), "agent", "-c", self.folder / "sidelight.yaml"], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors
            )
        while self.metrics() is None:
            if self.process.poll() is not None:
                raise SystemExit("torture: error: the agent ended: " + (self.folder / "agent.err").read_text()[-2000:])
            time.sleep(0.02)

    def metrics(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            return None

    def sum(self, name):
        return sum(int(value) for value in re.findall(rf"^{name}(?:\{{[^\n]*\}})? (\d+)$", self.metrics(), re.M))

    def missed(self):
        found = re.findall(r'^sidelight_tail_missed_bytes_total\{reason="(\w+)"\} (\d+)$', self.metrics(), re.M)
        return collections.Counter({reason: int(count) for reason, count in found if int(count)})

    def note(self):
        self.cpu += cpu_seconds(self.process.pid)
        self.memory = max(self.memory, resident(self.process.pid)["VmHWM"])

    def kill(self):
        self.note()
        self.process.kill()
        self.process.wait()


def until(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--rate", type=float, default=50, help="MB a second")
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--rotate", type=int, default=20, help="MB")
    parser.add_argument("--kill-every", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="torture-") as place:
        folder = pathlib.Path(place)
        (folder / "logs").mkdir()
        for name in ("writer", "sink"):
            if not compiled(HERE / f"{name}.c", folder / name):
                raise SystemExit("torture: error: needs a C compiler")
        may_delete = folder / "may-delete"
        may_delete.touch()
        sink = Sink(folder)
        agent = Agent(folder, sink)
        began = time.monotonic()
        writer = subprocess.Popen(
            [folder / "writer", folder / "logs", str(options.files), str(options.rate * 1e6), str(options.seconds), str(options.rotate * 1_000_000), str(options.seed)],
            stdout=open(folder / "written", "w"), stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        kills, missed = 0, collections.Counter()
        next_kill = began + options.kill_every
        while writer.poll() is None:
            time.sleep(0.05)
            if not options.kill_every or time.monotonic() < next_kill:
                continue
            may_delete.unlink()
            deleted_read = until(lambda: agent.sum("sidelight_tail_lag_bytes") < 64 << 20, 20)
            time.sleep(chance.uniform(2, 3))
            sink.tell("refuse")
            # What it was told is taken is known to it.
            time.sleep(chance.uniform(0.3, 0.8))
            missed += agent.missed()
            agent.kill()
            kills += 1
            time.sleep(chance.uniform(0, 0.5))
            agent.start()
            sink.tell("take")
            # What it has not opened yet it could not read once it is deleted.
            until(lambda: agent.sum("sidelight_tail_files") and agent.sum("sidelight_tail_lag_bytes") < 8 << 20, 20)
            may_delete.touch()
            print(f"  {time.monotonic() - began:5.0f} s: killed ({kills}){'' if deleted_read else ', far behind'}; {sink.tell('stats')['records']:,} lines", file=sys.stderr, flush=True)
            next_kill = time.monotonic() + chance.uniform(0.5, 1.5) * options.kill_every
        rows = [line.split() for line in (folder / "written").read_text().splitlines()]
        written = {int(content): int(count) for content, count, _ in rows}
        fates = {int(content): fate for content, _, fate in rows}
        total = sum(written.values())
        behind = total - sink.tell("stats")["records"]
        ended = time.monotonic()
        until(lambda: sink.tell("stats")["records"] >= total, 120)
        caught_up = time.monotonic() - ended
        time.sleep(2)
        missed += agent.missed()
        agent.note()
        agent.process.send_signal(signal.SIGTERM)
        agent.process.wait()
        table = sink.table()
        lost = {content: count - table.get(content, (0, 0, 0))[0] for content, count in written.items() if table.get(content, (0, 0, 0))[0] < count}
        again = {content: row[1] for content, row in table.items() if row[1]}
        gaps = {content: row[2] for content, row in table.items() if row[2]}
        result = {
            "seed": options.seed, "seconds": options.seconds, **json.loads(writer.stderr.read()), "lines": total, "contents": len(written), "kills": kills,
            "arrived": sink.tell("stats"), "lines_missing": sum(lost.values()) + sum(gaps.values()), "lines_again_or_late": sum(again.values()),
            "behind_at_the_end": behind, "caught_up_seconds": round(caught_up, 1), "missed_bytes_counted": dict(missed),
            "agent_cpu_seconds_per_gb": round(agent.cpu / (total * 240 / 1e9), 2), "agent_peak_mb": round(agent.memory, 1),
        }  # fmt: skip
        print(json.dumps(result))
        for name, found in (("missing", lost), ("again", again), ("gaps", gaps)):
            if found:
                print(f"torture: {name}: " + ", ".join(f"{content} ({fates.get(content)}): {count} of {written.get(content)}" for content, count in list(found.items())[:20]), file=sys.stderr)
        if os.environ.get("TORTURE_KEEP"):
            os.system(f"cp -r {folder}/agent.err {folder}/written {os.environ['TORTURE_KEEP']}")
        sink.process.terminate()
        sys.exit(1 if lost or again or gaps else 0)


if __name__ == "__main__":
    main()
