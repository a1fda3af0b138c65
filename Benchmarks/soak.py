#!/usr/bin/env python3
"""A long run of the agent's pipeline: 20,000 spans a second, the agent killed -9 every so often, the backend going wrong in every way now and then. Each span whose request was
answered with success has to arrive, and what comes twice has to be one export of the agent at most for each kill.

    Benchmarks/soak.py [--seconds 600] [--kill-every 30] [--seed N] [--faults NAME,NAME…]      --kill-every 0: no kill

A span has arrived when the backend answered its request with the whole of a success, garbage in the body of a 200 included (the status decides). What a backend refused for
good (400; 500 if the exporter does not try again) is counted apart and need not arrive. Needs the release binaries and a C compiler. Prints a line for each fault and kill on stderr and JSON
at the end; exit code 1 when something was lost, came twice without a kill, or more than an export of it after one."""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import contenders
import pipeline
from delivery import Account, Backend, Sender, compile_programs, percentile
from endurance import resident, size_of
from measuring import free_port, wait_for_port

RATE = 20_000  # spans a second
CONNECTIONS = 4
EXPORT_ITEMS_MAX = 8_192  # of the agent, unless it is told otherwise: what may come twice after a kill
KILL_SETTLES = 15  # seconds after a kill in which what was on its way may come again

# name: the backend's mode, its number, seconds at most
FAULTS = {
    "down": ("down", 0, 8),
    "slow": ("slow", 300, 8),
    "hang": ("hang", 0, 8),
    "reset-request": ("reset-request", 0, 5),
    "reset-response": ("reset-response", 0, 5),
    "truncated": ("truncated", 0, 5),
    "garbage": ("garbage", 0, 5),
    "bad-body": ("bad-body", 0, 5),
    "partial": ("partial", 0, 5),
    "429": ("status", 429, 5),
    "429-after": ("status-after", 429, 5),
    "503": ("status", 503, 5),
    "503-after": ("status-after", 503, 5),
    "500": ("status", 500, 1),
    "400": ("status", 400, 0.3),
}


class Soak:
    def __init__(self, folder, options):
        self.folder, self.options, self.spans = folder, options, RATE * options.seconds
        self.random = random.Random(options.seed)
        self.port = free_port()
        compile_programs(folder)
        self.backend = Backend(folder, folder, self.spans)
        pipeline.configure(folder, self.port, self.backend.port)
        self.fault, self.faults, self.kills, self.memory, self.strays = None, {}, [], [], []
        self.seen_duplicates, self.queue_peak, self.began = 0, 0.0, time.monotonic()

    def say(self, text):
        print(f"{time.monotonic() - self.began:7.1f} s  {text}", file=sys.stderr, flush=True)

    def start_agent(self):
        with open(f"{self.folder}/messages", "a") as messages:
            command = [contenders.sidelight(), "agent", "-c", f"{self.folder}/sidelight.yaml"]
            self.agent = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages)

    def run(self):
        sender = None
        self.start_agent()
        try:
            wait_for_port(self.port)
            sender = Sender(self.folder, self.folder, self.port, self.spans, CONNECTIONS, RATE, self.options.seconds + 30)
            self.trouble(sender)
            sender.wait()
            drained = self.drain(sender)
            return self.result(sender, drained)
        finally:
            for process in filter(None, (sender, self.backend)):
                process.close()
            self.agent.kill()
            self.agent.wait()

    def trouble(self, sender):
        kill_at = time.monotonic() + self.options.kill_every if self.options.kill_every else float("inf")
        change_at = time.monotonic() + 3
        order = []
        while sender.is_running():
            time.sleep(0.1)
            now = time.monotonic()
            self.look(now)
            if now > kill_at:
                self.kill()
                kill_at = now + self.options.kill_every * self.random.uniform(0.7, 1.3)
            if now > change_at and self.fault:
                self.end_fault()
                change_at = now + self.random.uniform(0.5, 5)
            elif now > change_at:
                order = order or self.random.sample(self.options.faults, len(self.options.faults))
                change_at = now + self.begin_fault(order.pop())
        self.end_fault()

    def begin_fault(self, name):
        mode, number, most = FAULTS[name]
        seconds = self.random.uniform(most / 4, most)
        self.fault = name
        self.faults[name] = self.faults.get(name, 0) + 1
        self.backend.down() if mode == "down" else self.backend.mode(mode, number)
        self.say(f"{name} for {seconds:.1f} s")
        return seconds

    def end_fault(self):
        if self.fault:
            self.backend.mode("ok")
            self.backend.up()
            self.fault = None

    def kill(self):
        self.say(f"kill{' during ' + self.fault if self.fault else ''}, {self.resident():.1f} MB")
        self.agent.kill()
        self.agent.wait()
        self.kills.append({"at": time.monotonic(), "during": self.fault, "duplicates": 0})
        self.start_agent()

    def resident(self):
        return resident(self.agent.pid).get("VmRSS", 0)

    def look(self, now):
        """Memory, disk, and whose what came twice is."""
        self.memory.append((now - self.began, self.resident(), resident(self.agent.pid).get("VmHWM", 0)))
        self.queue_peak = max(self.queue_peak, queue_megabytes(self.folder))
        duplicates = self.backend.stats()["duplicates"]
        if new := duplicates - self.seen_duplicates:
            self.seen_duplicates = duplicates
            last = self.kills[-1] if self.kills else None
            if last and now - last["at"] < KILL_SETTLES:
                last["duplicates"] += new
            else:
                self.strays.append({"at_s": round(now - self.began, 1), "during": self.fault, "duplicates": new})
                self.say(f"{new} came twice without a kill")

    def drain(self, sender):
        """Seconds from the last answer until all is there, or nothing more has come for 15 s."""
        account = Account(sender, self.backend)
        ended = max(request[2] for request in account.requests) / 1e9
        seen, since = -1, time.monotonic()
        while time.monotonic() - since < 15:
            self.look(time.monotonic())
            stats = self.backend.stats()
            if (now := stats["distinct"]) != seen:
                seen, since = now, time.monotonic()
            elif stats["distinct"] + stats["refusals"] >= account.summary()["acknowledged"] and not account_lost(sender, self.backend):
                break
            time.sleep(0.2)
        return round(max(0, since - ended), 2)

    def result(self, sender, drained):
        account, stats = Account(sender, self.backend), self.backend.stats()
        answers = account.answers_ms()
        minutes = {}
        for at, megabytes, _ in self.memory:
            minutes[int(at // 60)] = max(minutes.get(int(at // 60), 0), megabytes)
        return {
            **account.summary(),
            "lost_ids": account.lost()[:20],
            "twice_without_kill": sum(stray["duplicates"] for stray in self.strays),
            "strays": self.strays,
            "kills": len(self.kills),
            "twice_a_kill": [kill["duplicates"] for kill in self.kills],
            "largest_export_spans": stats["largest"],
            "faults": self.faults,
            "answer_p50_ms": round(percentile(answers, 0.5), 2),
            "answer_p99_ms": round(percentile(answers, 0.99), 2),
            "answer_max_ms": round(answers[-1], 1) if answers else None,
            "drained_s": drained,
            "peak_mb": round(max(peak for _, _, peak in self.memory), 1),
            "most_mb_by_minute": [round(minutes[minute], 1) for minute in sorted(minutes)],
            "queue_peak_mb": round(self.queue_peak, 1),
            "queue_end_mb": round(queue_megabytes(self.folder), 1),
            "strange_requests": stats["strange"],
            "seed": self.options.seed,
        }


def queue_megabytes(folder):
    try:
        return size_of(f"{folder}/queue")
    except OSError:  # a segment has just been deleted
        return 0


def account_lost(sender, backend):
    return bool(Account(sender, backend).lost())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--kill-every", type=float, default=30, help="seconds, by chance 0.7 to 1.3 times as many; 0: never")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31))
    parser.add_argument("--faults", type=lambda text: text.split(","), default=list(FAULTS), help="some of: " + ", ".join(FAULTS))
    parser.add_argument("--keep", action="store_true", help="keep the folder with the agent's messages and its queue")
    options = parser.parse_args()
    if unknown := set(options.faults) - set(FAULTS):
        parser.error(f"no such fault: {', '.join(unknown)}")
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        result = Soak(folder, options).run()
        if options.keep:
            kept = pathlib.Path(tempfile.mkdtemp(prefix="soak-kept"))
            for path in ("messages", "requests", "arrivals"):
                (pathlib.Path(folder) / path).rename(kept / path)
            print(f"kept in {kept}", file=sys.stderr)
    print(json.dumps(result))
    is_wrong = result["lost"] or result["twice_without_kill"] or max(result["twice_a_kill"], default=0) > EXPORT_ITEMS_MAX
    raise SystemExit(1 if is_wrong else 0)
