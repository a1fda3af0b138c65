#!/usr/bin/env python3
"""What is lost between a sender that was told "taken" and the backend: Sidelight beside Rotel, counted span by span. All contenders of a row run at the same time, each with
a sender and a backend of its own.

    Benchmarks/loss.py [--only ROW] [--json]       ROW: slow, outage-100, outage-5000, killed-up, killed-down, left-open; all take about four minutes
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass

import contenders
import left_open
import pipeline
from delivery import SPANS, Account, Backend, Sender, compile_programs
from measuring import free_port, wait_for_port

CONNECTIONS = 4


@dataclass
class Row:
    name: str
    title: str
    rate: int  # spans a second
    seconds: int  # of sending
    quiet: int  # seconds without an arrival after which no more is expected
    story: object  # what happens meanwhile: a function of a Trial
    defaults: bool = False  # the contenders with their default settings, too


class Trial:
    """One contender in one row."""

    def __init__(self, row, command, programs, folder):
        self.row, self.folder, self.spans = row, folder, row.rate * row.seconds
        self.backend = Backend(programs, folder, self.spans)
        self.port = free_port()
        words = {"port": self.port, "sink": self.backend.port, "spare": free_port(), "folder": folder}
        self.command = [word.format(**words) for word in command]
        if "--config" in command:  # without, a file in the folder would be read as well
            pipeline.configure(folder, self.port, self.backend.port)
        self.programs, self.agent, self.sender = programs, None, None
        self.kills, self.up_at, self.duplicates_of_kills = 0, None, []

    def start(self):
        own = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "ROTEL_"))}
        with open(f"{self.folder}/messages", "a") as messages:
            self.agent = subprocess.Popen(self.command, cwd=self.folder, env=own, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages)

    def kill(self):
        """kill -9, and started again at once."""
        self.agent.kill()
        self.agent.wait()
        self.kills += 1
        self.start()
        wait_for_port(self.port)

    def up(self):
        self.backend.up()
        self.up_at = time.monotonic_ns()

    def run(self):
        try:
            self.start()
            wait_for_port(self.port)
            self.sender = Sender(self.programs, self.folder, self.port, self.spans, CONNECTIONS, self.row.rate, self.row.seconds + 10)
            self.row.story(self)
            self.sender.wait()
            self.wait_for_the_rest()
            return self.result()
        finally:
            for process in (self.sender, self.backend):
                if process:
                    process.close()
            if self.agent:
                self.agent.kill()
                self.agent.wait()

    def wait_for_the_rest(self):
        wanted = len(Account(self.sender, self.backend).acknowledged()) * SPANS
        seen, since = -1, time.monotonic()
        while (now := self.backend.stats()["distinct"]) < wanted and time.monotonic() - since < self.row.quiet:
            if now != seen:
                seen, since = now, time.monotonic()
            time.sleep(0.1)
        time.sleep(0.5)  # for duplicates

    def result(self):
        account = Account(self.sender, self.backend)
        found = account.summary()
        stats = self.backend.stats()
        found |= {"kills": self.kills, "largest_request": stats["largest"], "strange": stats["strange"], "drained_s": None}
        if self.up_at:
            waiting = [n for n in account.acknowledged() if account.request(n)[2] <= self.up_at]
            arrivals = [max(account.arrivals[n * SPANS + 1 : n * SPANS + SPANS + 1]) for n in waiting]
            if found["lost"] == 0:
                found["drained_s"] = max(0, max(arrivals, default=0) - self.up_at) / 1e9
        return found


def slow(trial):
    trial.backend.mode("slow", 100)


def outage(before, seconds):
    def story(trial):
        time.sleep(before)
        trial.backend.down()
        time.sleep(seconds)
        trial.up()

    return story


def killed(trial, times=10):
    for _ in range(times):
        time.sleep(random.uniform(0.8, 1.6))
        trial.kill()


def killed_down(trial):
    time.sleep(1)
    trial.backend.down()
    killed(trial)
    trial.up()


ROWS = [
    Row("slow", "backend answers in 100 ms, 10,000 spans/s", 10_000, 10, 10, slow),
    Row("outage-100", "backend down 25 s of 40 s, 100 spans/s", 100, 40, 40, outage(5, 25), defaults=True),
    Row("outage-5000", "backend down 20 s, 5,000 spans/s", 5_000, 26, 40, outage(2, 20), defaults=True),
    Row("killed-up", "agent killed -9 ten times, backend up, 5,000 spans/s", 5_000, 18, 8, killed),
    Row("killed-down", "agent killed -9 ten times, backend down, 5,000 spans/s", 5_000, 20, 12, killed_down),
]


def entrants(defaults):
    sidelight = contenders.sidelight()
    retry = ["--otlp-exporter-retry-initial-backoff", "1s", "--otlp-exporter-retry-max-backoff", "1s", "--otlp-exporter-retry-max-elapsed-time", "3600s"]
    found = {"Sidelight": [sidelight, "agent", "--config", "{folder}/sidelight.yaml"], "Rotel, a try a second for an hour": pipeline.rotel(*retry)}
    if defaults:
        receive = [f"--receive={name}=off" for name in ("otlp-grpc", "zipkin", "jaeger")]
        found["Sidelight, defaults"] = [sidelight, "agent", "--export", "otlp=http://127.0.0.1:{sink}", "--receive", "otlp-http=127.0.0.1:{port}", "--admin", "off", *receive]
        found["Rotel, defaults"] = pipeline.rotel()
    return {name: command for name, command in found.items() if command}


def run(folder, progress, only=None):
    """A list of results, one for each row and contender."""
    compile_programs(folder)
    found = []
    for row in ROWS:
        if only in (None, row.name):
            progress(f"  {row.title}")
            found += run_row(row, folder, progress)
    return found


def run_row(row, folder, progress):
    results, errors = {}, []
    commands = entrants(row.defaults)

    def one(name):
        try:
            with tempfile.TemporaryDirectory(dir=folder) as place:
                results[name] = Trial(row, commands[name], folder, place).run()
        except BaseException as error:  # of a thread: said by the one that waits
            errors.append(error)

    threads = [threading.Thread(target=one, args=[name]) for name in commands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    for name in commands:
        progress("    {name}: {acknowledged:,} acknowledged, {arrived:,} arrived, {lost:,} lost ({lost_part:.2%}), {duplicates:,} twice".format(name=name, **results[name]))
    return [{"row": row.name, "title": row.title, "name": name, **results[name]} for name in commands]


OPEN_COLUMNS = [
    ("Spans of a program that goes down", lambda row, _: row["title"]),
    ("", lambda row, _: row["name"]),
    ("the open one arrived", lambda row, _: f"{row['open_arrived']} of {row['spans']}"),
    ("the ended one arrived", lambda row, _: f"{row['ended_arrived']} of {row['spans']}"),
]

COLUMNS = [
    ("Loss", lambda row, _: row["title"]),
    ("", lambda row, _: row["name"]),
    ("acknowledged", lambda row, _: f"{row['acknowledged']:,}"),
    ("lost", lambda row, _: f"{row['lost']:,}"),
    ("of them", lambda row, _: f"{row['lost_part']:.1%}" if row["lost"] else "0"),
    ("twice", lambda row, _: f"{row['duplicates']:,}"),
    ("twice a kill", lambda row, _: f"{row['duplicates'] / row['kills']:,.0f}" if row["kills"] else "–"),
    ("drained after s", lambda row, _: "–" if row["drained_s"] is None else f"{row['drained_s']:.1f}"),
]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=[*(row.name for row in ROWS), "left-open"])
    parser.add_argument("--json", action="store_true", help="results as JSON on stdout")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="loss") as folder:
        results = run(pathlib.Path(folder), lambda text: print(text, file=sys.stderr, flush=True), options.only)
    open_rows = left_open.run() if options.only in (None, "left-open") else []
    for row in open_rows:
        print("  {title}, {name}: {open_arrived} and {ended_arrived} of {spans} arrived".format(**row), file=sys.stderr)
    if options.json:
        print(json.dumps({"loss": results, "left_open": open_rows}, indent=2))
    raise SystemExit(1 if any(row["lost"] for row in results if row["name"].startswith("Sidelight")) else 0)
