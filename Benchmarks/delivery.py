"""What is delivered and what is lost: a sender that writes down what was answered, a backend that goes wrong on command and counts each span, and the two compared.
Both are C programs (`delivery/`), and both use CLOCK_MONOTONIC, so that the way of a span can be timed."""

import json
import mmap
import pathlib
import struct
import subprocess

from measuring import compiled, free_port

SOURCES = pathlib.Path(__file__).resolve().parent / "delivery"
REQUEST = struct.Struct("<QQQII")  # due, sent, answered, status, tries: see sender.c
SPANS = 100  # a request


def compile_programs(folder):
    for name in ("sender", "backend"):
        if not compiled(SOURCES / f"{name}.c", pathlib.Path(folder) / name, "-D_GNU_SOURCE", "-pthread"):
            raise SystemExit(f"bench: error: {SOURCES}/{name}.c does not compile; a C compiler and zlib's headers are needed")


class Backend:
    """`programs`: where the compiled ones are; `folder`: for its table. Span ids from 1 to `spans` are known."""

    def __init__(self, programs, folder, spans):
        self.port, self.spans, self.table = free_port(), spans, f"{folder}/arrivals"
        command = [f"{programs}/backend", str(self.port), self.table, str(spans)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.expect("ready")

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        return self.process.stdout.readline().strip()

    def expect(self, answer, command=None):
        said = self.tell(command) if command else self.process.stdout.readline().strip()
        if said != answer:
            raise SystemExit(f"bench: error: the backend said {said!r} to {command}, and ended with {self.process.poll()}")

    def mode(self, name, number=0):
        self.expect("done", f"mode {name} {number}")

    def down(self):
        self.expect("done", "down")

    def up(self):
        self.expect("done", "up")

    def stats(self):
        return json.loads(self.tell("stats"))

    def close(self):
        self.process.kill()
        self.process.wait()


class Sender:
    """`spans` in requests of 100, `rate` a second over `connections`, for `seconds` at most."""

    def __init__(self, programs, folder, port, spans, connections, rate, seconds):
        self.table, self.requests = f"{folder}/requests", spans // SPANS
        words = [port, self.table, self.requests, SPANS, connections, rate, seconds]
        self.process = subprocess.Popen([f"{programs}/sender", *map(str, words)])

    def is_running(self):
        return self.process.poll() is None

    def wait(self):
        if self.process.wait() != 0:
            raise SystemExit(f"bench: error: the sender ended with {self.process.returncode}")

    def close(self):
        self.process.kill()
        self.process.wait()


class Account:
    """Both tables, compared: the sender must have ended. The first `skipped` requests are left out."""

    def __init__(self, sender, backend, skipped=0):
        self.skipped = skipped
        with open(sender.table, "rb") as file:
            self.requests = [REQUEST.unpack_from(table, n * REQUEST.size) for table in [file.read()] for n in range(skipped, sender.requests)]
        with open(backend.table, "rb") as file:
            table = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
            ids = backend.spans + 1
            self.arrivals = memoryview(table[: ids * 8]).cast("Q")
            self.times, self.refused = table[ids * 8 : ids * 9], table[ids * 9 : ids * 10]
            table.close()

    def acknowledged(self):
        """Numbers of the requests that were answered with success."""
        return [n for n, request in enumerate(self.requests, self.skipped) if 200 <= request[3] < 300]

    def request(self, number):
        return self.requests[number - self.skipped]

    def lost(self):
        """Ids of spans of acknowledged requests that neither arrived nor were refused by the backend."""
        missing = []
        for number in self.acknowledged():
            first = number * SPANS + 1
            if 0 in self.times[first : first + SPANS]:
                missing += [n for n in range(first, first + SPANS) if not self.times[n] and not self.refused[n]]
        return missing

    def summary(self):
        acknowledged = len(self.acknowledged()) * SPANS
        sent = sum(1 for request in self.requests if request[4]) * SPANS
        lost = len(self.lost())
        return {
            "sent": sent,
            "acknowledged": acknowledged,
            "unanswered": sum(1 for request in self.requests if request[4] and not request[3]) * SPANS,
            "arrived": len(self.times) - self.times.count(0),
            "lost": lost,
            "lost_part": lost / acknowledged if acknowledged else 0,
            "duplicates": sum(max(times - 1, 0) * self.times.count(times) for times in range(2, 256)),
            "refused": sum(1 for refused, times in zip(self.refused, self.times) if refused and not times),
        }

    def answers_ms(self):
        """From a request that has left to its answer, sorted."""
        return sorted((request[2] - request[1]) / 1e6 for request in self.requests if 200 <= request[3] < 300)

    def ways_ms(self, since=1):
        """From a request that has left (`since` 1) or was answered (2) to the arrival of its last span, sorted. Negative where the backend was faster than the answer."""
        ways = []
        for number in self.acknowledged():
            first = number * SPANS + 1
            if last := max(self.arrivals[first : first + SPANS], default=0):
                ways.append((last - self.request(number)[since]) / 1e6)
        return sorted(ways)


def percentile(values, part):
    return values[min(int(len(values) * part), len(values) - 1)] if values else float("nan")
