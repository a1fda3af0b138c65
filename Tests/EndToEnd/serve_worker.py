#!/usr/bin/env python3
"""Poses as sidelight-worker --serve. ENTRY is a JSON file: {"body": text, "mode": how it misbehaves}.

It knows ring and board only by docs/specs/record-format.md and board-format.md. A certificate is a word, which it shows; one that is checked waits for the
file checked-WORD, and is no good when it begins with "bad".
"""

import bisect
import json
import mmap
import os
import pathlib
import random
import select
import signal
import socket
import struct
import sys
import time
import urllib.parse

RING_HEADER, RING_HEAD, RING_TAIL = 4096, 64, 128
SLOTS, SLOT_BYTES, STATE, COUNTERS, ACTIVE, SERIES_USED = 4096, 256, 64, 128, 640, 72
SERIES, SERIES_BYTES = 266240, 448
BOUNDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
STARTING, SERVING, DRAINING, FAILED = range(4)
FREE, OPEN, ENDING = range(3)
ACCEPTED, REQUESTS, OPEN_CONNECTIONS = 0, 9, 48


def wake():
    try:
        os.write(4, struct.pack("<Q", 1))
    except BlockingIOError:
        pass


class Ring:
    def __init__(self):
        size = os.fstat(3).st_size
        self.map = mmap.mmap(3, size)
        self.words = memoryview(self.map).cast("I")
        self.capacity = size - RING_HEADER
        self.head = 0
        (self.base,) = struct.unpack_from("<d", self.map, 16)

    def now(self):
        return time.monotonic_ns() - self.base

    def put(self, data):
        """Writes a record and does not publish it."""
        while self.capacity - (self.head - self.words[RING_TAIL // 4] & 0xFFFFFFFF) < len(data):
            time.sleep(0.001)
        at = self.head & (self.capacity - 1)
        for start, part in ((at, data[: self.capacity - at]), (0, data[self.capacity - at :])):
            self.map[RING_HEADER + start : RING_HEADER + start + len(part)] = part
        self.head = self.head + len(data) & 0xFFFFFFFF

    def publish(self):
        self.words[RING_HEAD // 4] = self.head


class Board:
    def __init__(self):
        assert os.fstat(7).st_size == 380928
        self.map = mmap.mmap(7, 380928)
        assert struct.unpack_from("<IIII", self.map, 0) == (0x44524253, 2, 1024, 256)
        self.words = memoryview(self.map).cast("Q")
        self.free = list(range(1024))

    def state(self, value):
        self.words[STATE // 8] = value
        wake()

    def add(self, counter, value=1):
        self.words[COUNTERS // 8 + counter] += value

    def open(self, ring, trace, span, parent=bytes(8), target=b"/", method=1, flags=1):
        slot = self.free.pop()
        at = SLOTS + SLOT_BYTES * slot
        struct.pack_into("<d16s8s8sBBBBHH", self.map, at + 8, ring.now(), trace, span, parent, method, flags, 0, 0, len(target), 0)
        self.map[at + 72 : at + 72 + len(target)] = target
        self.words[at // 8] = OPEN
        return slot

    def end(self, slot, head):
        self.words[(SLOTS + SLOT_BYTES * slot) // 8] = ENDING | head << 32

    def close(self, slot):
        self.words[(SLOTS + SLOT_BYTES * slot) // 8] = FREE
        self.free.append(slot)

    def observe(self, seconds):
        """GET, http, 1.1, 200, route "/"."""
        at = SERIES + 2 * SERIES_BYTES
        if self.words[SERIES_USED // 8] < 3:
            struct.pack_into("<Qddd", self.map, at, 1, 0, float("inf"), 0)
            struct.pack_into("<BBBBHHBBB", self.map, at + 192, 1, 1, 2, 0, 200, 0, 1, 0, 0)
            self.map[at + 208 : at + 209] = b"/"
            self.words[SERIES_USED // 8] = 3
        total, least, most = struct.unpack_from("<ddd", self.map, at + 8)
        struct.pack_into("<ddd", self.map, at + 8, total + seconds, min(least, seconds), max(most, seconds))
        self.words[(at + 32 + 8 * bisect.bisect_left(BOUNDS, seconds)) // 8] += 1


def padded(data):
    return data + bytes(-len(data) % 8)


def span_record(start, end, trace, span, name):
    body = struct.pack(
        "<dd16s8s8sIBBBBHHHHIHH", start, end, trace, span, bytes(8), 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0
    )  # fmt: skip
    body = padded(body + struct.pack("<II", len(name), 0) + padded(name))
    return struct.pack("<IBBH", 8 + len(body), 1, 0, 0) + body


class Worker:
    def __init__(self, program, config):
        self.program, self.config = program, config
        self.ring, self.board = Ring(), Board()
        self.is_draining = False
        self.shown = {}  # over TLS: what it would show
        signal.signal(signal.SIGTERM, self.drain)

    def drain(self, *_):
        self.is_draining = True
        self.board.state(DRAINING)

    def request(self, target, work):
        """One request, its span and its slot; `work` gives the body."""
        trace, span = os.urandom(16), os.urandom(8)
        start = self.ring.now()
        slot = self.board.open(self.ring, trace, span, target=target.encode())
        self.board.words[ACTIVE // 8 + 1] += 1
        self.board.add(REQUESTS)
        body = work()
        self.ring.put(span_record(start, self.ring.now(), trace, span, b"GET " + target.encode()))
        self.board.end(slot, self.ring.head)
        self.ring.publish()
        wake()
        self.board.close(slot)
        self.board.words[ACTIVE // 8 + 1] -= 1
        self.board.observe(0.001)
        return body

    def answer(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536) or b"\r\n\r\n"
        target = head.split(b" ", 2)[1].decode() if head.count(b" ") > 1 else "/"
        path = urllib.parse.urlsplit(target)

        def work():
            if path.path == "/die":
                os.kill(os.getpid(), signal.SIGKILL)
            if path.path == "/exit":
                os._exit(int(path.query))
            if path.path == "/hang":
                while True:
                    time.sleep(60)
            if path.path == "/slow":
                end = time.monotonic() + float(path.query)
                while time.monotonic() < end:
                    time.sleep(0.01)
            if path.path == "/config":
                return json.dumps(self.config)
            return json.dumps({"body": self.program["body"], "pid": os.getpid(), "index": self.config["serve"]["index"], **self.shown})

        body = self.request(target, work).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

    def serve(self):
        listener = socket.socket(fileno=6)
        listener.setblocking(False)
        self.board.state(SERVING)
        while not self.is_draining:
            if not select.select([listener], [], [], 0.02)[0]:
                continue
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                continue
            self.board.add(ACCEPTED)
            connection.setblocking(True)
            with connection:
                self.answer(connection)
        os._exit(0)

    def flood(self):
        """Requests without connections, 20 at a time, as fast as is good for whoever receives them; a file keeps count of
        those begun and those opened, so that it can be told which must be known after a kill."""
        path = f"{os.path.dirname(os.path.abspath(sys.argv[-1]))}/flood-{os.getpid()}.log"
        with open(path + ".new", "w+b") as file:
            file.truncate(16)
            log = memoryview(mmap.mmap(file.fileno(), 16)).cast("Q")
        os.rename(path + ".new", path)
        trace = struct.pack(">QQ", os.getpid(), 1)
        self.board.state(SERVING)
        in_flight, number = [], 0
        while not (self.is_draining and not in_flight):
            if len(in_flight) >= 20 or self.is_draining:
                slot, span, start = in_flight.pop(random.randrange(len(in_flight)))
                self.ring.put(span_record(start, self.ring.now(), trace, span, b"GET"))
                self.board.end(slot, self.ring.head)
                self.ring.publish()
                self.board.close(slot)
                if random.random() < 0.02:
                    wake()
                    time.sleep(0.005)
            else:
                number += 1
                span = struct.pack(">Q", number)
                log[0] = number
                start = self.ring.now()
                in_flight.append((self.board.open(self.ring, trace, span), span, start))
                log[1] = number
        os._exit(0)


def certificate(descriptor):
    data = os.pread(descriptor, 1 << 20, 0)
    (length,) = struct.unpack_from("<I", data)
    return data[4 : 4 + length].decode()


def check():
    """--check-tls"""
    word = certificate(3)
    pathlib.Path(f"check-{word}").touch()
    while not pathlib.Path(f"checked-{word}").exists():
        time.sleep(0.005)
    if word.startswith("bad"):
        os.pwrite(4, b"error certificate it is no good\n", 0)
    os._exit(0)


def main():
    arguments = sys.argv[1:]
    if arguments == "--tls-fd 3 --answer-fd 4 --check-tls".split():
        check()
    isTLS = "--tls-fd" in arguments
    tail = "--tls-fd 8 --tickets-fd 9 --control-fd 10 --places-fd 11 --" if isTLS else "--control-fd 8 --places-fd 9 --"
    expected = f"--serve --ring-fd 3 --wake-fd 4 --config-fd 5 --listen-fd 6 --board-fd 7 {tail}".split()
    assert arguments[:-1] == expected, arguments
    with open(5, "rb") as file:
        config = json.load(file)
    try:
        with open(arguments[-1]) as file:
            program = json.load(file)
    except (OSError, ValueError) as error:
        print(f"cannot load {arguments[-1]}: {error}", file=sys.stderr, flush=True)
        os._exit(1)
    mode = program.get("mode", "serve")
    if mode == "fail":
        print("TypeError: this program is broken", file=sys.stderr, flush=True)
        Board().state(FAILED)
        os._exit(1)
    if mode == "killed":
        os.kill(os.getpid(), signal.SIGSEGV)
    if mode == "hang":
        time.sleep(3600)
    if mode == "short":
        Board().state(SERVING)
        time.sleep(0.05)
        os._exit(1)
    if mode == "hostile":
        board = Board()
        for at in range(64, len(board.map), 4096):
            board.map[at : at + 4032] = os.urandom(min(4032, len(board.map) - at))[: len(board.map) - at]
        board.state(SERVING)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    worker = Worker(program, config)
    if isTLS:
        worker.shown = {"certificate": certificate(8)}
    if mode == "waits":
        folder = pathlib.Path(arguments[-1]).parent
        (folder / f"waits-{os.getpid()}").touch()
        while not (folder / "go").exists():
            time.sleep(0.01)
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    worker.flood() if mode == "flood" else worker.serve()


main()
