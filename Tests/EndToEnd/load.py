"""A load of HTTP/1.1 requests over kept connections, each with a trace of its own, that remembers what became of every one.

A connection is opened again when the server said `connection: close`. All else that goes wrong is a failure, and kept.
"""

import asyncio
import dataclasses
import itertools
import random

PARENT = "00f067aa0ba902b7"


@dataclasses.dataclass
class Sent:
    trace_id: str
    path: str
    body: bytes | None = None  # of a whole answer


@dataclasses.dataclass
class Failure:
    sent: Sent | None
    error: str


class Load:
    """`run` asks for `path(number)` over `width` connections until `until` is true of the load."""

    def __init__(self, port, *, width=8, seed=0, path=lambda number: f"/{number}", method="GET", tls=None):
        self.tls = tls
        self.port, self.width, self.path, self.method = port, width, path, method
        self.random = random.Random(seed)
        self.numbers = itertools.count()
        self.sent, self.failures, self.refused = [], [], []
        self.is_over = False

    @property
    def answered(self):
        return sum(sent.body is not None for sent in self.sent)

    async def run(self, during):
        """Loads while the coroutine `during` runs; then each connection finishes its request."""
        clients = [asyncio.create_task(self.client()) for _ in range(self.width)]
        try:
            return await during
        finally:
            self.is_over = True
            await asyncio.gather(*clients)

    async def client(self):
        while not self.is_over:
            try:
                reader, writer = await asyncio.open_connection(
                    "127.0.0.1", self.port, ssl=self.tls, server_hostname="a.test" if self.tls else None
                )
            except OSError as error:
                self.refused.append(repr(error))
                return
            try:
                await self.connection(reader, writer)
            finally:
                writer.close()

    async def connection(self, reader, writer):
        while not self.is_over:
            number = next(self.numbers)
            sent = Sent(f"{self.random.getrandbits(128) | 1:032x}", self.path(number))
            self.sent.append(sent)
            try:
                goes_on = await asyncio.wait_for(self.ask(reader, writer, sent), 30)
            except (OSError, EOFError, ValueError, TimeoutError) as error:
                self.failures.append(Failure(sent, f"{type(error).__name__}: {error}"))
                return
            if not goes_on:
                return

    async def ask(self, reader, writer, sent):
        body = b"content" if self.method == "POST" else b""
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        writer.write(
            f"{self.method} {sent.path} HTTP/1.1\r\nHost: a\r\n{length}traceparent: 00-{sent.trace_id}-{PARENT}-01\r\n\r\n".encode() + body
        )
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split(" ", 2)[1])
        if status != 200:
            raise ValueError(f"status {status}")
        length = int(head.split("content-length: ", 1)[1].split("\r\n", 1)[0])
        sent.body = await reader.readexactly(length)
        return "connection: close" not in head


async def eventually(condition, seconds=20):
    end = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < end, "waited in vain"
        await asyncio.sleep(0.005)
