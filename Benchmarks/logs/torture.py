#!/usr/bin/env python3
"""Files of lines, written and rotated at random as fast as asked for, and tailed by an agent that is killed -9 every so often. Each line has to arrive, once and in order.

    Benchmarks/logs/torture.py [--seconds 600] [--rate 50] [--files 4] [--kill-every 10] [--seed N] [--no-copies] [--open]

Rotation is by rename, by copy and truncate, and by deletion; a file is deleted only when all of it has arrived (what nobody has read is lost with it, whoever tails), and nothing
is written between a copy and its truncation. `in-flight: 1`, so that order can be seen. The backend takes nothing for half a second around a kill, as an export that it took
and whose answer the agent did not live to see comes again from the queue; with --open it goes on, and what comes twice is counted and may be an export for each kill.

Needs the release binaries and a C compiler. Tells of each kill on stderr, prints JSON at the end; exit code 1 when a line is missing, or came twice or out of order where it must not."""

import argparse
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import contenders
from endurance import resident, size_of
from measuring import compiled, free_port
from serving import cpu_seconds

SOURCES = pathlib.Path(__file__).resolve().parent
LINE_BYTES = 200  # at least
EXPORT_ITEMS_MAX = 16_384
QUIET_SECONDS = 0.5  # before a kill
DRAIN_SECONDS = 60  # without anything new


class Sink:
    def __init__(self, folder, files, lines):
        self.port = free_port()
        self.process = subprocess.Popen([f"{folder}/sink", str(self.port), str(files), str(lines)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        assert self.process.stdout.readline() == "ready\n"

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        return self.process.stdout.readline().strip()


class Torture:
    def __init__(self, folder, options):
        self.folder, self.options, self.random = pathlib.Path(folder), options, random.Random(options.seed)
        for name in "sink", "writer":
            if not compiled(SOURCES / f"{name}.c", self.folder / name, "-D_GNU_SOURCE"):
                raise SystemExit(f"torture: error: {name}.c does not compile")
        self.sink = Sink(folder, options.files, int(options.rate * 1e6 * options.seconds / LINE_BYTES) + 1_000_000)
        self.logs = self.folder / "logs"
        self.logs.mkdir()
        (self.folder / "sidelight.yaml").write_text(
            f"admin: off\nstore: off\nlog-level: info\nreceivers: {{files: {{include: ['{self.logs}/*.log', '{self.logs}/*.log.*'], start: beginning, format: plain, multiline: off}}}}\n"
            f"queue: {{directory: {folder}/queue}}\nexporters: {{sink: {{kind: otlp, url: http://127.0.0.1:{self.sink.port}, in-flight: 1}}}}\n"
        )
        self.began, self.kills, self.cpu, self.peak, self.lag = time.monotonic(), 0, 0.0, 0.0, 0

    def say(self, text):
        print(f"{time.monotonic() - self.began:7.1f} s  {text}", file=sys.stderr, flush=True)

    def start_agent(self):
        with open(self.folder / "messages", "a") as messages:
            self.agent = subprocess.Popen(
                [contenders.sidelight(), "agent", "-c", "sidelight.yaml"], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages
            )

    def look(self):
        self.peak = max(self.peak, resident(self.agent.pid).get("VmHWM", 0))

    def run(self):
        options = self.options
        self.start_agent()
        writer = subprocess.Popen(
            [str(word) for word in (self.folder / "writer", self.logs, options.files, options.rate, options.seconds, options.seed, int(not options.no_copies))],
            stdin=subprocess.PIPE, stdout=open(self.folder / "said", "w"), text=True, bufsize=1,
        )  # fmt: skip
        said = open(self.folder / "said")
        asked, text, kill_at = {}, "", self.next_kill()
        try:
            while writer.poll() is None:
                time.sleep(0.05)
                text += said.read()
                *lines, text = text.split("\n")
                asked |= {int(file): int(count) for file, count in re.findall(r"^ask (\d+) (\d+)$", "\n".join(lines), re.M)}
                for file, count in list(asked.items()):
                    if int(self.sink.tell(f"last {file}")) + 1 >= count:
                        self.allow(writer, file)
                        del asked[file]
                self.look()
                if time.monotonic() > kill_at:
                    self.kill()
                    kill_at = self.next_kill()
            written = (self.folder / "said").read_text()
            counts = {int(file): int(count) for file, count in re.findall(r"^done (\d+) (\d+)$", written, re.M)}
            ended = time.monotonic()
            drained = self.drain(sum(counts.values()))
            return self.result(counts, drained - ended, re.findall(r"^end (\d+) (\d+) (\d+) (\d+)$", written, re.M)[0])
        finally:
            for process in (writer, self.agent, self.sink.process):
                process.kill()
                process.wait()

    def allow(self, writer, file):
        try:
            writer.stdin.write(f"go {file}\n")
        except BrokenPipeError:  # it has just ended
            pass

    def next_kill(self):
        return time.monotonic() + self.options.kill_every * self.random.uniform(0.3, 1.7) if self.options.kill_every else float("inf")

    def kill(self):
        if not self.options.open:
            self.sink.tell("busy")
            # What it has taken is answered by now; what it refuses comes again.
            time.sleep(QUIET_SECONDS)
        self.look()
        self.cpu += cpu_seconds(self.agent.pid)
        self.agent.kill()
        self.agent.wait()
        self.kills += 1
        stats = json.loads(self.sink.tell("stats"))
        self.say(f"kill {self.kills}: {stats['distinct']:,} lines, {stats['repeated']:,} repeated, {stats['disordered']:,} out of order")
        time.sleep(self.random.choice([0, 0, 0.5, 2]))
        self.start_agent()
        self.sink.tell("ok")

    def drain(self, lines):
        seen, since = -1, time.monotonic()
        while seen < lines and time.monotonic() - since < DRAIN_SECONDS:
            time.sleep(0.1)
            self.look()
            if (now := json.loads(self.sink.tell("stats"))["distinct"]) != seen:
                seen, since = now, time.monotonic()
        return since

    def result(self, counts, drained, ended):
        self.cpu += cpu_seconds(self.agent.pid)
        checks = {file: json.loads(self.sink.tell(f"check {file} {count}")) for file, count in counts.items()}
        stats = json.loads(self.sink.tell("stats"))
        renames, copies, deletions, written = map(int, ended)
        return {
            "lines": sum(counts.values()),
            "bytes": written,
            "missing": sum(check["missing"] for check in checks.values()),
            "first_missing": {file: check["first"] for file, check in checks.items() if check["missing"]},
            "repeated": sum(check["repeated"] for check in checks.values()),
            "out_of_order": stats["disordered"],
            "strange": stats["strange"],
            "renames": renames,
            "copies": copies,
            "deletions": deletions,
            "kills": self.kills,
            "drained_s": round(drained, 2),
            "cpu_s_per_gb": round(self.cpu / written * 1e9, 2),
            "peak_mb": round(self.peak, 1),
            "queue_end_mb": round(size_of(self.folder / "queue"), 1),
            "seed": self.options.seed,
        }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--rate", type=float, default=50, help="megabytes a second")
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--kill-every", type=float, default=10, help="seconds, by chance 0.3 to 1.7 times as many; 0: never")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    parser.add_argument("--no-copies", action="store_true", help="rotate by rename and deletion only")
    parser.add_argument("--open", action="store_true", help="the backend takes what comes while the agent is killed")
    parser.add_argument("--keep", help="a folder, made here, that stays: messages, queue, logs")
    options = parser.parse_args()
    if options.keep:
        pathlib.Path(options.keep).mkdir()
        result = Torture(options.keep, options).run()
    else:
        with tempfile.TemporaryDirectory(prefix="torture") as folder:
            result = Torture(folder, options).run()
    print(json.dumps(result))
    repeated_max = result["kills"] * EXPORT_ITEMS_MAX if options.open else 0
    is_wrong = result["missing"] or result["strange"] or result["repeated"] > repeated_max or result["out_of_order"] > repeated_max
    raise SystemExit(1 if is_wrong else 0)
