"""A `sidelight-worker --script` without an agent: its memory and its packets, as docs/specs/script-memory.md has them."""

import fcntl
import mmap
import os
import socket
import struct
import subprocess

from conftest import BIN_DIR

INPUT, OUTPUT, SLOTS, ITEMS = 1 << 20, 2 << 20, 4, 512
BYTES = SLOTS * (INPUT + OUTPUT)
ITEM_TABLE, GROUP_TABLE, SCOPE_TABLE, DATA = 64, 64 + ITEMS * 16, 64 + ITEMS * 32, 64 + ITEMS * 40
VERDICTS = ["none", "keep", "drop", "replace", "threw", "too large", "malformed"]
F_ADD_SEALS, SEAL_SIZE = 1033, 0x1 | 0x2 | 0x4


class ScriptWorker:
    def __init__(self, file, *, cpu=50_000_000, heap=64 << 20, cwd=None):
        memory = os.memfd_create("script", os.MFD_ALLOW_SEALING)
        os.ftruncate(memory, BYTES)
        fcntl.fcntl(memory, F_ADD_SEALS, SEAL_SIZE)
        self.memory = mmap.mmap(memory, BYTES)
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.settimeout(30)
        self.process = subprocess.Popen(
            [BIN_DIR / "sidelight-worker", "--script", "--memory-fd", str(memory), "--control-fd", str(theirs.fileno()), "--cpu", str(cpu), "--heap", str(heap), "--", file],
            pass_fds=[memory, theirs.fileno()], cwd=cwd, env={}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(memory)
        theirs.close()
        #: What it said: ("L", severity and text), ("E", text).
        self.said = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.control.close()
        try:
            self.process.wait(timeout=10)
        finally:
            self.process.kill()

    def packet(self):
        """The next packet that is not just said; b"" when the worker is over."""
        while True:
            try:
                packet = self.control.recv(65536)
            except ConnectionResetError:
                return b""
            if packet[:1] not in (b"L", b"E"):
                return packet
            self.said.append((packet[:1].decode(), packet[1:]))

    def fill(self, items, slot=0, signal=1, resource=b"", scope=b""):
        base = slot * (INPUT + OUTPUT)
        at = base + DATA

        def put(data):
            nonlocal at
            self.memory[at : at + len(data)] = data
            at += len(data)
            return at - len(data), len(data)

        struct.pack_into("<IIII", self.memory, base + GROUP_TABLE, signal, *put(resource), 0)
        struct.pack_into("<II", self.memory, base + SCOPE_TABLE, *put(scope))
        for index, item in enumerate(items):
            struct.pack_into("<IIII", self.memory, base + ITEM_TABLE + 16 * index, *put(item), 0, 0)
        struct.pack_into("<III", self.memory, base, len(items), 1, 1)
        self.memory[base + INPUT : base + INPUT + 16 * len(items)] = bytes(16 * len(items))

    def run(self, slot=0):
        self.control.send(bytes([slot]))
        return self.packet()

    def results(self, count, slot=0):
        """Verdict and message of each item."""
        base = slot * (INPUT + OUTPUT) + INPUT
        out = []
        for index in range(count):
            verdict, offset, length, _ = struct.unpack_from("<IIII", self.memory, base + 16 * index)
            out.append((VERDICTS[verdict], self.memory[base + offset : base + offset + length] if verdict == 3 else None))
        return out
