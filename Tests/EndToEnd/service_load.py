#!/usr/bin/env python3
"""examples/service under load while its workers are killed: every request has a trace id and a parent of its own, so that afterwards
each answer can be held against the spans of exactly that request.

    Tests/EndToEnd/service_load.py --seconds 300 [--seed N] [--clients 12] [--isolates 2] [--kill-every 2.5] [--reload-every 0]

Prints the counts as JSON; exit code 1 when something was wrong, with what it was. test_service.py runs it for a few seconds.
"""

import argparse
import asyncio
import collections
import dataclasses
import json
import os
import pathlib
import random
import re
import signal
import sys
import tempfile
import time
import urllib.parse

from receiver import Receiver

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SERVER, CLIENT, ERROR = 2, 3, 2
TIMEOUT = 40  # seconds for one answer; a worker's restart takes up to 10
PROBLEMS_MAX = 40


# -- HTTP/1.1 as a client that tells broken from whole


class Broken(Exception):
    """The connection ended before the answer did."""


class Connection:
    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    @staticmethod
    async def open(port):
        return Connection(*await asyncio.open_connection("127.0.0.1", port))

    @property
    def is_usable(self):
        return not self.reader.at_eof() and self.reader.exception() is None and not self.writer.is_closing()

    def close(self):
        self.writer.close()

    async def send(self, pieces):
        try:
            for piece in pieces:
                self.writer.write(piece)
                await self.writer.drain()
        except OSError as error:
            raise Broken from error

    async def answer(self, case):
        """Fills in the case's status, headers and body; raises Broken."""
        try:
            line = await self.reader.readuntil(b"\r\n")
            version, status, _ = line.decode("latin-1").split(" ", 2)
            assert version == "HTTP/1.1", line
            headers = {}
            while (line := await self.reader.readuntil(b"\r\n")) != b"\r\n":
                name, value = line.decode("latin-1").split(":", 1)
                headers[name.lower()] = value.strip()
            case.status, case.headers = int(status), headers
            if headers.get("transfer-encoding") == "chunked":
                body = []
                while size := int(await self.reader.readuntil(b"\r\n"), 16):
                    body.append((await self.reader.readexactly(size + 2))[:-2])
                await self.reader.readexactly(2)
                case.body = b"".join(body)
            elif case.status != 204:
                case.body = await self.reader.readexactly(int(headers["content-length"]))
            case.is_whole = True
            return headers.get("connection") != "close"
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Broken from error


# -- What is asked, and what must come of it


@dataclasses.dataclass(eq=False)
class Case:
    """One request. `tree` says of each span below the server span which one it hangs under ('' the server span itself)."""

    kind: str
    method: str
    path: str
    name: str  # of the server span
    tree: dict = dataclasses.field(default_factory=dict)
    late: tuple = ()  # spans that may end after the answer
    content: list = dataclasses.field(default_factory=list)  # pieces of the request's body
    is_chunked: bool = False
    statuses: tuple = (200,)
    check: object = None  # of (case), when the answer is whole

    trace_id: str = ""
    span_id: str = ""
    state: str = ""
    is_sampled: bool = True
    status: int = 0
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes = b""
    is_whole: bool = False
    is_to_be_repeated: bool = False  # pipelined behind an answer that closes the connection

    def request(self):
        lines = [
            f"{self.method} {self.path} HTTP/1.1",
            "Host: notes.example",
            f"traceparent: 00-{self.trace_id}-{self.span_id}-0{int(self.is_sampled)}",
            f"x-request-id: {self.trace_id}",
        ]
        if self.state:
            lines.append(f"tracestate: {self.state}")
        if self.content:
            lines.append("Transfer-Encoding: chunked" if self.is_chunked else f"Content-Length: {sum(map(len, self.content))}")
        yield ("\r\n".join(lines) + "\r\n\r\n").encode()
        for piece in self.content:
            yield b"%x\r\n%b\r\n" % (len(piece), piece) if self.is_chunked else piece
        if self.is_chunked:
            yield b"0\r\n\r\n"

    @property
    def json(self):
        return json.loads(self.body)


def fnv1a(data):
    result = 0x811C9DC5
    for byte in data:
        result = ((result ^ byte) * 16777619) & 0xFFFFFFFF
    return f"{result:08x}"


TAGS_TREE = {"ask for tags": "", "POST": "ask for tags", "POST /tags": "POST", "choose tags": "POST /tags"}


class Cases:
    """Makes requests of every route. Notes that were answered with 201 are asked for again; another worker may not have them."""

    def __init__(self, rng):
        self.rng = rng
        self.notes = collections.deque(maxlen=50)
        self.count = 0

    def next(self):
        makers = [
            (2, self.root), (4, self.create), (4, self.read), (1, self.replace), (1, self.remove), (1, self.invalid), (5, self.tags),
            (2, self.rows), (1, self.ticks), (2, self.upload), (3, self.fingerprint), (2, self.primes), (3, self.slow), (1, self.report), (2, self.failing),
            (1, self.nowhere),
        ]  # fmt: skip
        case = self.rng.choices([make for _, make in makers], [weight for weight, _ in makers])[0]()
        self.count += 1
        case.trace_id = f"{self.rng.getrandbits(128) or 1:032x}"
        case.span_id = f"{self.rng.getrandbits(64) or 1:016x}"
        case.is_sampled = self.rng.random() < 0.9
        if self.rng.random() < 0.3:
            case.state = f"load={self.count},other=x"
        return case

    def word(self):
        return "".join(self.rng.choices("abcdefghijklmnopqrstuvwxyz", k=24))

    def root(self):
        return Case("root", "GET", "/", "GET /", check=lambda case: case.body.startswith(b"A service of notes"))

    def note(self):
        return self.rng.choice(self.notes) if self.notes else ("none", "")

    def create(self):
        text = f"{self.word()} and more"

        def check(case):
            if case.json["text"] != text:
                return False
            self.notes.append((case.json["id"], text))
            return case.headers["location"] == f"/notes/{case.json['id']}"

        content = [json.dumps({"text": text}).encode()]
        tree = {"validate note": "", "store note": "", "count words": ""}
        return Case("create", "POST", "/notes", "POST /notes", tree, ("count words",), content, False, (201,), check)

    def of_note(self, kind, method, tree={}, content=(), statuses=(200, 404)):
        id, text = self.note()
        # A note can be replaced; what has to be right is whose it is.
        check = lambda case: case.status != 200 or case.json["id"] == id  # noqa: E731
        return Case(kind, method, f"/notes/{id}", f"{method} /notes/:id", tree, tuple(tree), list(content), False, statuses, check)

    def read(self):
        return self.of_note("read", "GET")

    def replace(self):
        return self.of_note("replace", "PUT", {"validate note": ""}, [json.dumps({"text": self.word()}).encode()])

    def remove(self):
        return self.of_note("remove", "DELETE", statuses=(204, 404))

    def invalid(self):
        content = [self.rng.choice([b'{"text": ', b"{}", b'{"text": 7}', b"\xff\xfe"])]
        return Case("invalid", "POST", "/notes", "POST /notes", {"validate note": ""}, (), content, False, (400, 422))

    def tags(self):
        word = self.word()
        check = lambda case: case.status == 502 or case.json["tags"] == [word, "small"]  # noqa: E731
        return Case("tags", "POST", "/tags", "POST /tags", TAGS_TREE, (), [f"a small {word}".encode()], False, (200, 502), check)

    def rows(self):
        count = self.rng.randrange(5000)
        expected = "".join(f'{{"row":{row},"square":{row * row}}}\n' for row in range(count)).encode()
        return Case("rows", "GET", f"/rows/{count}", "GET /rows/:count", check=lambda case: case.body == expected)

    def ticks(self):
        count = self.rng.randrange(1, 6)
        check = lambda case: case.body.count(b"\n\n") == count and f'"tick":{count}}}'.encode() in case.body  # noqa: E731
        return Case("ticks", "GET", f"/ticks?count={count}&every=40", "GET /ticks", check=check)

    def upload(self):
        pieces = [self.rng.randbytes(self.rng.randrange(1, 30_000)) for _ in range(self.rng.randrange(1, 5))]
        expected = {"size": sum(map(len, pieces)), "fnv1a": fnv1a(b"".join(pieces))}
        name = self.word()
        check = lambda case: case.json == {"name": name, **expected}  # noqa: E731
        tree = {"fingerprint upload": ""}
        is_chunked = self.rng.random() < 0.5
        return Case("upload", "PUT", f"/uploads/{name}", "PUT /uploads/:name", tree, (), pieces, is_chunked, check=check)

    def fingerprint(self):
        text = f"{self.word()} ü {self.word()}"
        check = lambda case: case.json == {"text": text, "fnv1a": fnv1a(text.encode())}  # noqa: E731
        return Case("fingerprint", "GET", f"/fingerprint/{urllib.parse.quote(text)}", "GET /fingerprint/:text", check=check)

    def primes(self):
        limit = self.rng.randrange(2, 300)
        expected = {"limit": limit, "primes": sum(all(n % d for d in range(2, n)) for n in range(2, limit))}
        return Case("primes", "GET", f"/primes/{limit}", "GET /primes/:limit", {"count primes": ""}, check=lambda case: case.json == expected)

    def slow(self):
        time = self.rng.randrange(50, 400)
        return Case("slow", "GET", f"/slow/{time}", "GET /slow/:milliseconds", check=lambda case: case.json == {"waited": time})

    def report(self):
        return Case("report", "GET", "/report/2026-10", "GET /report/:month", check=lambda case: case.json["notes"] == 118)

    def failing(self):
        month = f"20{self.rng.randrange(30, 99)}-{self.rng.randrange(1, 20)}"
        return Case("failing", "GET", f"/report/{month}", "GET /report/:month", statuses=(500,))

    def nowhere(self):
        # No pattern matches, so there is no route.
        return Case("nowhere", "GET", f"/{self.word()}/x", "GET", statuses=(404,))


# -- The services


class Service:
    """A `sidelight serve` with its summary (--json)."""

    def __init__(self, binary, folder, name, entry, isolates, backend, env, *arguments):
        self.errors = folder / f"{name}.txt"
        arguments = [
            "serve", "--json", "--service", name, "--store", folder / name, "--listen", "127.0.0.1:0", "--isolates", isolates,
            "--export", f"otlp={backend}", "--flush-timeout", "60s", *arguments, ROOT / "examples/service" / entry,
        ]  # fmt: skip
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "SIDELIGHT_"))}
        self.start = asyncio.create_subprocess_exec(
            binary, *map(str, arguments), env={**kept, **env, "NO_COLOR": "1"}, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL, stderr=open(self.errors, "wb"),
        )  # fmt: skip

    async def serving(self):
        self.process = await self.start
        for _ in range(600):
            if found := re.search(r'"url":"(http://[^"]+:(\d+))"', self.err):
                self.url, self.port = found[1], int(found[2])
                return self
            assert self.process.returncode is None, self.err
            await asyncio.sleep(0.05)
        raise AssertionError(f"it does not serve: {self.err}")

    @property
    def err(self):
        return self.errors.read_text(errors="replace")

    def workers(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for path in children for pid in path.read_text().split()]

    async def end(self):
        self.process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(self.process.wait(), 90)
        return code, json.loads([line for line in self.err.splitlines() if line.startswith('{"exitCode"')][-1])


# -- The load


class Load:
    def __init__(self, rng, port, seconds):
        self.rng = rng
        self.port = port
        self.end = time.monotonic() + seconds
        self.cases = Cases(rng)
        self.done = []
        self.problems = []
        self.counts = collections.Counter()

    def wrong(self, text):
        self.counts["problems"] += 1
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(text)

    async def client(self):
        connection = None
        while time.monotonic() < self.end:
            if connection is not None and (not connection.is_usable or self.rng.random() < 0.15):
                connection.close()
                connection = None
            if connection is None:
                try:
                    connection = await asyncio.wait_for(Connection.open(self.port), TIMEOUT)
                    self.counts["connections"] += 1
                except (OSError, asyncio.TimeoutError) as error:
                    self.counts["refused"] += 1
                    self.wrong(f"no connection: {error!r}")
                    await asyncio.sleep(0.1)
                    continue
            batch = [self.cases.next()]
            if self.rng.random() < 0.05:  # pipelined; bodies could fill both directions, so only requests without one
                batch = [case for case in (self.cases.next() for _ in range(8)) if not case.content][:3] or batch
            if not await self.exchange(connection, batch):
                connection.close()
                connection = None
            await asyncio.sleep(self.rng.uniform(0, 0.05))
        if connection is not None:
            connection.close()

    async def exchange(self, connection, batch):
        """Whether the connection can be used again."""
        self.done += batch
        if len(batch) > 1:
            self.counts["pipelined"] += len(batch)
        sending = asyncio.create_task(connection.send(piece for case in batch for piece in case.request()))
        try:
            for case in batch:
                goes_on = await asyncio.wait_for(connection.answer(case), TIMEOUT)
                self.look_at(case)
                if not goes_on:
                    for other in batch[batch.index(case) + 1 :]:
                        other.is_to_be_repeated = True
                    return False
            await sending
            return True
        except Broken:
            return False
        except Exception as error:  # noqa: BLE001
            self.wrong(f"{batch[0].method} {batch[0].path}: {error!r}")
            return False
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    def look_at(self, case):
        what = f"{case.method} {case.path[:60]} ({case.trace_id})"
        # A handler that threw has no header of ours in its answer.
        if case.status != 500 and case.headers.get("x-request-id") != case.trace_id:
            return self.wrong(f"{what}: the answer is another's: {case.headers}")
        if case.status not in case.statuses:
            return self.wrong(f"{what}: status {case.status}: {case.body[:200]}")
        if case.check is not None and not case.check(case):
            self.wrong(f"{what}: wrong answer {case.body[:200]}")

    async def reloader(self, service, every):
        """New code, which is the old: no request may notice."""
        while every > 0:
            await asyncio.sleep(every)
            service.process.send_signal(signal.SIGHUP)
            self.counts["reloads"] += 1

    async def killer(self, services, every):
        """Kills a worker of the first service, or sometimes of the second."""
        while every > 0:
            await asyncio.sleep(self.rng.uniform(0.2, 1.8) * every)
            if time.monotonic() > self.end - 0.5:
                return
            service = self.rng.choices(services, [3, 1])[0]
            workers = service.workers()
            if workers:
                os.kill(self.rng.choice(workers), signal.SIGKILL)
                self.counts[f"killed of {'notes' if service is services[0] else 'tags'}"] += 1


class Collected:
    """What came to the receiver, taken from it every second and kept small."""

    Span = collections.namedtuple("Span", "id parent name kind status service unfinished code state")

    def __init__(self, receiver):
        self.receiver = receiver
        self.traces = collections.defaultdict(list)
        self.logs = collections.defaultdict(list)
        self.count = 0

    def take(self):
        with self.receiver.lock:
            spans, self.receiver.spans = self.receiver.spans, []
            logs, self.receiver.logs = self.receiver.logs, []
            self.receiver.requests.clear()
            self.receiver.metrics.clear()
        self.count += len(spans)
        for span in spans:
            get = span.attributes.get
            self.traces[span.trace_id].append(
                self.Span(
                    span.span_id, span.parent_id, sys.intern(span.name), span.kind, span.status, sys.intern(span.resource["service.name"]),
                    get("sidelight.unfinished", False), get("http.response.status_code", 0), span.trace_state,
                )
            )  # fmt: skip
        for log in logs:
            if log.event_name == "":
                self.logs[log.trace_id].append(log.span_id)

    async def keep_taking(self):
        while True:
            await asyncio.sleep(1)
            self.take()


# -- What must hold


def check_spans(load, collected):
    for case in load.done:
        spans = collected.traces.pop(case.trace_id, [])
        problems = problems_of(case, spans, collected.logs.get(case.trace_id, []), load.counts)
        for problem in problems:
            load.wrong(f"{case.method} {case.path[:60]} ({case.trace_id}, {'whole' if case.is_whole else 'broken'}): {problem}\n    {spans}")
    for trace_id, spans in collected.traces.items():
        runs = sum(1 for span in spans if span.name.startswith("scheduled "))
        load.counts["runs of the schedule"] += runs
        if sum(1 for span in spans if span.kind == SERVER) > runs:
            load.wrong(f"a server span that belongs to no request: {trace_id} {spans}")


def problems_of(case, spans, logs, counts):
    counts["requests"] += 1
    counts[f"of kind {case.kind}"] += 1
    counts["whole" if case.is_whole else "pipelined behind the last answer" if case.is_to_be_repeated else "broken"] += 1
    if not case.is_sampled:
        counts["unsampled"] += 1
        if spans:
            yield "it is not sampled and has spans"
        return
    if len({span.id for span in spans}) != len(spans):
        yield "a span came twice"
    own = [span for span in spans if span.service == "notes" and span.kind == SERVER]
    if len(own) > 1:
        yield f"{len(own)} server spans"
    for span in own:
        counts["server spans"] += 1
        if span.parent != case.span_id:
            yield f"its parent is {span.parent}, not {case.span_id}"
        # The board, from which the agent tells what was in flight, has no room for a tracestate.
        if span.state != case.state and not span.unfinished:
            yield f"its tracestate is {span.state!r}, not {case.state!r}"
        if span.unfinished:
            counts["server spans of a killed worker"] += 1
            if span.status != ERROR:
                yield "it was in flight at a kill and is no error"
            if case.is_whole:
                counts["killed between the last byte and the record"] += 1
        elif case.is_whole:
            if span.name != case.name:
                yield f"it is named {span.name!r}, not {case.name!r}"
            if span.code != case.status:
                yield f"its status is {span.code}, the answer's {case.status}"
            if (span.status == ERROR) != (case.status >= 500):
                yield f"its outcome is {span.status} with {case.status}"
        else:
            counts["finished, and the answer lost on the way"] += 1
    if not own and (case.is_whole or case.status != 0):
        yield "it has no server span"
    if own and case.is_to_be_repeated:
        yield "it was not answered and has a server span"
    if not own and not case.is_whole and not case.is_to_be_repeated:
        counts["broken, not yet taken by a worker"] += 1
    yield from problems_below(case, own, spans, counts)
    if case.is_whole:
        known = {span.id for span in spans}
        for id in logs:
            counts["log lines"] += 1
            if id not in known and not case.late:
                yield f"a log line of span {id}, which is not there"


def spans_of_child(spans):
    """The life of the child Worker that a request started, and what hangs below it: ids. What a message caused hangs under who sent it."""
    ids = {span.id for span in spans if span.name == "worker primes"}
    while more := {span.id for span in spans if span.parent in ids} - ids:
        ids |= more
    return ids


def problems_below(case, own, spans, counts):
    """The tree below the server span. Of a worker that was killed only spans that had ended are known."""
    named = collections.defaultdict(list)
    child = spans_of_child(spans)
    for span in spans:
        if span.id in child:
            counts["spans of a child Worker's life"] += 1
            if span.name == "worker primes" and own and span.parent not in {found.id for found in own}:
                yield f"{span.name!r} hangs under {span.parent}, which is no server span"
        elif not (span.kind == SERVER and span.service == "notes"):
            # What the agent tells of a killed worker's request has no route in its name.
            named["POST /tags" if span.unfinished and span.kind == SERVER else span.name].append(span)
            counts["child spans"] += 1
    for name in set(named) - set(case.tree):
        yield f"a span {name!r} that nobody expected"
    for name, parent in case.tree.items():
        parents = own if parent == "" else named[parent]
        for span in named[name]:
            if not parents and not case.is_whole:
                counts["children whose parent died with the worker"] += 1
            elif span.parent not in {found.id for found in parents}:
                yield f"{name!r} hangs under {span.parent}, which is no {parent or 'server span'!r}"
        count = len(named[name])
        # The second service may have been killed too, and what was asked of it is then asked again by the client's library.
        is_other = name in ("POST /tags", "choose tags")
        living = sum(1 for span in named[name] if not span.unfinished)
        if is_other and count > living:
            counts["server spans of a killed worker of tags"] += count - living
        if living > 1:
            yield f"{living} spans {name!r}"
        if not case.is_whole or name in case.late or (is_other and case.status == 502):
            continue
        if count == 0 or (not is_other and count != 1):
            yield f"{count} spans {name!r}"
    if case.kind == "tags" and case.status == 502:
        counts["answered 502 for a killed worker of tags"] += 1


def check_summary(load, name, code, summary):
    if code != 0:
        load.wrong(f"{name} ended with exit code {code}")
    if summary["ringDropped"] or summary["rejected"]:
        load.wrong(f"{name}: dropped {summary['ringDropped']}, rejected {summary['rejected']}")
    for exporter in summary["exporters"]:
        for kind, signal_ in exporter["signals"].items():
            if signal_["dropped"] or signal_["received"] != signal_["sent"]:
                load.wrong(f"{name}: {kind}: {signal_}")


async def run(binary, seconds, seed, clients=12, isolates=2, kill_every=2.5, reload_every=0, folder=None):
    """@returns problems (texts) and counts"""
    rng = random.Random(seed)
    receiver = Receiver()
    collected = Collected(receiver)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(folder or temporary)
        services = []
        try:
            services.append(await Service(binary, folder, "tags", "tags.js", isolates, receiver.url, {}).serving())
            env = {"TAGS_URL": services[0].url}
            services.insert(0, await Service(binary, folder, "notes", "service.js", isolates, receiver.url, env, "--cron", "* * * * *").serving())
            load = Load(rng, services[0].port, seconds)
            work = [load.killer(services, kill_every), load.reloader(services[0], reload_every), collected.keep_taking()]
            helpers = [asyncio.create_task(each) for each in work]
            await asyncio.gather(*(load.client() for _ in range(clients)))
            helpers[1].cancel()
            for name, service in zip(("notes", "tags"), services):
                check_summary(load, name, *await service.end())
            for helper in helpers:
                helper.cancel()
        finally:
            for service in services:
                if service.process.returncode is None:
                    service.process.kill()
            receiver.stop()
        collected.take()
    load.problems += receiver.problems
    load.counts["spans received"] = collected.count
    check_spans(load, collected)
    return load.problems, dict(sorted(load.counts.items()))


def main():
    parser = argparse.ArgumentParser(description="Loads examples/service while its workers are killed.")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--seed", type=int, default=time.time_ns() & 0xFFFFFF)
    parser.add_argument("--clients", type=int, default=12)
    parser.add_argument("--isolates", type=int, default=2)
    parser.add_argument("--kill-every", type=float, default=2.5, help="seconds between kills, on average; 0: none")
    parser.add_argument("--reload-every", type=float, default=0, help="seconds between reloads; 0: none")
    parser.add_argument("--folder", help="keep the stores and what the services said there")
    given = parser.parse_args()
    binary = pathlib.Path(os.environ.get("SIDELIGHT_BIN_DIR", ROOT / ".build" / "release")) / "sidelight"
    if given.folder:
        os.makedirs(given.folder, exist_ok=True)
    problems, counts = asyncio.run(
        run(
            binary, given.seconds, given.seed, given.clients, given.isolates, given.kill_every, given.reload_every, given.folder
        )
    )  # fmt: skip
    print(json.dumps({"seed": given.seed, **counts}, indent=2))
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
