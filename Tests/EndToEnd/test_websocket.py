"""WebSockets both ways against the `websockets` package, and frames that nobody should send."""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import socket
import struct
import threading
import zlib

import pytest

from certificates import Certificates, client as tls_client
from serving import CLIENT, ERROR, SERVER, wait_for

websockets = pytest.importorskip("websockets")
import websockets.asyncio.client  # noqa: E402
import websockets.asyncio.server  # noqa: E402

ECHO = """
    export default {
        fetch(request) {
            const path = new URL(request.url).pathname;
            if (path === '/plain') return new Response('plain');
            const { 0: client, 1: server } = new WebSocketPair();
            if (path !== '/late') server.accept();
            else setTimeout(() => server.accept(), 20);
            if (path === '/greet') server.send('hello');
            server.addEventListener('message', ({ data }) => {
                if (data === 'context') server.send(JSON.stringify({ path, same: new URL(request.url).pathname === path }));
                else if (data === 'leave') server.close(4001, 'enough');
                else if (data === 'throw') throw new Error('in a listener');
                else if (data === 'log') console.log('from a socket');
                else if (data === 'much') for (let i = 0; i < 200; i++) server.send(new Uint8Array(65536).fill(i));
                else server.send(data);
            });
            server.addEventListener('close', (event) => console.log('closed', event.code, event.reason, event.wasClean));
            server.addEventListener('error', (event) => console.log('failed', event.message));
            const headers = path === '/protocol' ? { 'sec-websocket-protocol': 'chat' } : path === '/wrong' ? { 'sec-websocket-protocol': 'other' } : { 'x-own': 'yes' };
            return new Response(null, { status: 101, webSocket: client, headers });
        },
    };
"""


@pytest.fixture
def service(serve):
    return serve(ECHO)


def url(service, path="/"):
    return f"{'wss' if service.tls else 'ws'}://127.0.0.1:{service.port}{path}"


def with_client(service, body, path="/", compression=None, **options):
    async def run():
        async with websockets.asyncio.client.connect(url(service, path), compression=compression, ssl=service.tls, **options) as client:
            return await asyncio.wait_for(body(client), 20)

    return asyncio.run(run())


def server_span(service, seconds=20):
    return wait_for(lambda: next((span for span in service.receiver.spans if span.kind == SERVER), None), seconds)


# ---- The server, and a client of others ----


def test_messages_come_back(service):
    sent = ["", "a", "äöü€𝄞", "x" * 125, "x" * 126, "x" * 65535, "x" * 65536, "y" * 1_000_000, b"", b"\x00\xff" * 100, os.urandom(300_000)]

    async def body(client):
        got = []
        for message in sent:
            await client.send(message)
            got.append(await client.recv())
        return got

    assert with_client(service, body, max_size=None) == sent
    span = server_span(service)
    assert span.attributes["http.response.status_code"] == 101
    assert span.attributes["network.protocol.name"] == "websocket"
    assert span.attributes["sidelight.websocket.received.messages"] == len(sent)
    assert span.attributes["sidelight.websocket.sent.messages"] == len(sent)
    assert span.attributes["sidelight.websocket.close.code"] == 1000
    assert span.attributes["sidelight.websocket.received.bytes"] > 1_400_000
    assert span.status != ERROR


def test_messages_in_pieces_are_whole(service):
    async def body(client):
        await client.send(["one ", "two ", "thr€€"])
        first = await client.recv()
        await client.send([b"1", b"", b"3"])
        return first, await client.recv()

    assert with_client(service, body) == ("one two thr€€", b"13")


def test_pings_are_answered(service):
    async def body(client):
        pong = await client.ping("are you there")
        return await asyncio.wait_for(pong, 10) >= 0

    assert with_client(service, body)


def test_what_is_sent_before_the_response_arrives_first(service):
    async def body(client):
        await client.send("second")
        return [await client.recv(), await client.recv()]

    assert with_client(service, body, path="/greet") == ["hello", "second"]


def test_a_socket_may_be_accepted_later(service):
    async def body(client):
        await client.send("waits")
        return await client.recv()

    assert with_client(service, body, path="/late") == "waits"


def test_the_handshake_has_the_programs_headers(service):
    async def body(client):
        return client.response.headers.get("x-own"), client.subprotocol

    assert with_client(service, body) == ("yes", None)
    assert with_client(service, body, path="/protocol", subprotocols=["other", "chat"]) == (None, "chat")
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
        with_client(service, body, path="/wrong")
    assert refused.value.response.status_code == 500


def test_either_side_closes(service):
    async def asked(client):
        await client.send("leave")
        with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
            await client.recv()
        return closed.value.rcvd.code, closed.value.rcvd.reason

    async def ours(client):
        await client.close(3456, "grüße")
        return client.close_code, client.close_reason

    assert with_client(service, asked) == (4001, "enough")
    assert with_client(service, ours)[0] == 3456
    wait_for(lambda: "closed 3456 grüße true" in service.err)
    wait_for(lambda: "closed 4001 enough true" in service.err)


def test_an_error_of_a_listener_leaves_the_socket_open(service):
    async def body(client):
        await client.send("throw")
        await client.send("still here")
        return await client.recv()

    assert with_client(service, body) == "still here"


def test_log_lines_belong_to_the_sockets_span(service):
    async def body(client):
        await client.send("log")
        await client.send("x")
        return await client.recv()

    with_client(service, body)
    span = server_span(service)
    record = wait_for(lambda: next((log for log in service.receiver.logs if log.body == "from a socket"), None))
    assert record.span_id == span.span_id


def test_a_slow_client_gets_everything(service):
    async def body(client):
        await client.send("much")
        total = 0
        for number in range(200):
            message = await client.recv()
            assert message == bytes([number]) * 65536
            total += len(message)
            if number % 50 == 0:
                await asyncio.sleep(0.05)
        return total

    assert with_client(service, body, max_queue=1) == 200 * 65536


def test_requests_that_are_no_handshake_are_refused(service):
    def ask(*lines):
        with socket.create_connection(("127.0.0.1", service.port)) as connection:
            connection.sendall("\r\n".join(["GET / HTTP/1.1", "host: x", *lines, "connection: close" if not lines else "x: y", "", ""]).encode())
            connection.settimeout(10)
            return connection.recv(4096).split(b" ")[1]

    key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="
    upgrade = ["upgrade: websocket", "connection: Upgrade"]
    assert ask(*upgrade, key, "sec-websocket-version: 13") == b"101"
    assert ask(*upgrade, key, "sec-websocket-version: 8") == b"426"
    assert ask(*upgrade, key) == b"426"
    assert ask(*upgrade, "sec-websocket-version: 13") == b"400"
    assert ask(*upgrade, "sec-websocket-key: short", "sec-websocket-version: 13") == b"400"
    assert ask("upgrade: h2c", "connection: Upgrade", key, "sec-websocket-version: 13") == b"426"
    assert ask("upgrade: websocket", key, "sec-websocket-version: 13") == b"426"
    assert ask() == b"426"


def test_a_response_with_a_socket_is_not_cloned(sidelight):
    done = sidelight("run", sidelight.write("main.mjs", """
        const { 0: client } = new WebSocketPair();
        const response = new Response(null, { status: 101, webSocket: client });
        try { response.clone(); } catch (error) { console.log(error.name); }
    """))
    assert done.out == "TypeError\n", done.err


def test_an_end_of_a_pair_gets_bytes_of_its_own(sidelight):
    done = sidelight("run", sidelight.write("main.mjs", """
        const blob = new Blob(['hello world']);
        const { 0: one, 1: two } = new WebSocketPair();
        one.accept();
        two.accept();
        two.onmessage = ({ data }) => {
            console.log(data.byteLength);
            new Uint8Array(data).fill(88);
        };
        one.send(blob.slice(0, 5));
        one.send(blob);
        await new Promise((resolve) => setTimeout(resolve));
        console.log(await blob.text());
    """))
    assert done.out == "5\n11\nhello world\n", done.err


def test_an_accepted_end_of_a_pair_takes_as_many_messages_as_come(sidelight):
    done = sidelight("run", sidelight.write("main.mjs", """
        const { 0: one, 1: two } = new WebSocketPair();
        try {
            for (let i = 0; i < 5000; i++) one.send('early');
        } catch (error) {
            console.log(error.name);
        }
        one.accept();
        two.accept();
        let got = 0, closed;
        two.onmessage = ({ data }) => { if (data === 'x') got++; };
        two.onclose = ({ code }) => { closed = code; };
        for (let i = 0; i < 20000; i++) one.send('x');
        one.close(4000, 'enough');
        await new Promise((resolve) => setTimeout(resolve));
        console.log(got, closed);
    """))
    assert done.out == "TypeError\n20000 4000\n", done.err


class Raw:
    """A client that sends what it likes."""

    def __init__(self, service, extensions=None, room=None):
        """`room`: bytes that it takes before it reads."""
        self.connection = socket.socket()
        if room is not None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        self.connection.connect(("127.0.0.1", service.port))
        self.connection.settimeout(20)
        key = base64.b64encode(os.urandom(16)).decode()
        self.connection.sendall(
            f"GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n"
            f"{f'sec-websocket-extensions: {extensions}' if extensions else 'x: y'}\r\n\r\n".encode()
        )
        self.rest = b""
        while b"\r\n\r\n" not in self.rest:
            self.rest += self.connection.recv(4096)
        self.head, self.rest = self.rest.split(b"\r\n\r\n", 1)

    def read(self, count):
        while len(self.rest) < count:
            piece = self.connection.recv(65536)
            if not piece:
                return None
            self.rest += piece
        found, self.rest = self.rest[:count], self.rest[count:]
        return found

    def frame(self):
        """First byte and payload of the next frame; None at the end."""
        with contextlib.suppress(ConnectionError):
            if (head := self.read(2)) is not None:
                size = head[1] & 0x7F
                if size == 126:
                    size = struct.unpack(">H", self.read(2))[0]
                elif size == 127:
                    size = struct.unpack(">Q", self.read(8))[0]
                return head[0], self.read(size)
        return None

    @staticmethod
    def masked(first, payload, mask=b"\x01\x02\x03\x04"):
        size = len(payload)
        head = bytes([first, 0x80 | size]) if size < 126 else bytes([first, 0x80 | 126]) + struct.pack(">H", size)
        return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))

    def end(self, what):
        """What it is told when it sends this: the close code; None: nothing."""
        self.connection.sendall(what)
        while (frame := self.frame()) is not None:
            if frame[0] == 0x88:
                assert self.read(1) is None
                return struct.unpack(">H", frame[1][:2])[0] if frame[1] else 1005
        return None


@pytest.mark.parametrize("what, code", [
    (b"\xc1\x80\0\0\0\0", 1002),  # a reserved bit
    (b"\x83\x80\0\0\0\0", 1002),  # an opcode that there is not
    (b"\x8f\x80\0\0\0\0", 1002),
    (b"\x89\xfe\x00\x7e", 1002),  # a ping of 126 bytes
    (b"\x09\x80\0\0\0\0", 1002),  # a ping in pieces
    (b"\x81\x02hi", 1002),  # not masked
    (b"\x80\x80\0\0\0\0", 1002),  # goes on with nothing
    (Raw.masked(0x01, b"a") + Raw.masked(0x81, b"b"), 1002),  # a message within another
    (Raw.masked(0x81, b"\xff\xfe"), 1007),
    (Raw.masked(0x81, b"\xe2\x82"), 1007),
    (Raw.masked(0x88, b"\x03"), 1002),
    (Raw.masked(0x88, b"\x03\xed"), 1002),  # 1005
    (Raw.masked(0x88, b"\x03\xe8\xff"), 1007),
    (b"\x82\xff" + struct.pack(">Q", 33 << 20) + b"\0\0\0\0", 1009),
    (b"\x82\xff" + b"\xff" * 8 + b"\0\0\0\0", 1009),
    (Raw.masked(0x88, b"\x03\xe8"), 1000),
    (Raw.masked(0x88, b""), 1005),
])  # fmt: skip
def test_broken_frames_end_the_socket(service, what, code):
    assert Raw(service).end(what) == code
    # The worker serves on, byte by byte too.
    client = Raw(service)
    for byte in Raw.masked(0x81, "wörld".encode()):
        client.connection.sendall(bytes([byte]))
    assert client.frame() == (0x81, "wörld".encode())


def test_a_client_that_leaves_without_a_word(service):
    client = Raw(service)
    client.connection.sendall(Raw.masked(0x81, b"a"))
    assert client.frame() == (0x81, b"a")
    client.connection.close()
    span = server_span(service)
    assert span.attributes["sidelight.websocket.close.code"] == 1006
    assert span.attributes["sidelight.websocket.received.messages"] == 1
    wait_for(lambda: "closed 1006  false" in service.err)


def test_of_pings_whose_answers_find_no_room_the_last_is_answered(service):
    client = Raw(service, room=4096)
    count = 100_000
    client.connection.sendall(b"".join(b"\x89\xe4\0\0\0\0" + b"%100d" % number for number in range(count)))
    answered = []
    while not answered or answered[-1] != count - 1:
        first, payload = client.frame()
        assert first == 0x8A
        answered.append(int(payload))
    assert answered == sorted(set(answered))
    assert len(answered) < count


def test_many_small_messages_wait_for_a_slow_client(serve):
    service = serve("""
        export default {
            fetch() {
                const { 0: client, 1: server } = new WebSocketPair();
                server.accept();
                server.onmessage = () => {
                    for (let i = 0; i < 100_000; i++) server.send(String(i).padStart(100));
                };
                return new Response(null, { status: 101, webSocket: client });
            },
        };
    """)
    client = Raw(service, room=4096)
    client.connection.sendall(Raw.masked(0x81, b"begin"))
    for number in range(100_000):
        assert client.frame() == (0x81, b"%100d" % number)


def test_a_drain_closes_sockets(serve):
    service = serve(ECHO)
    client = Raw(service)
    client.connection.sendall(Raw.masked(0x81, b"a"))
    assert client.frame() == (0x81, b"a")
    service.process.terminate()
    assert client.frame() == (0x88, b"\x03\xe9")
    client.connection.sendall(Raw.masked(0x88, b"\x03\xe9"))
    assert client.frame() is None
    assert service.process.wait(20) == 0


def test_a_silent_client_is_asked_and_given_up(serve):
    service = serve(ECHO, "--limit", "idle=1s")
    client = Raw(service)
    assert client.frame() == (0x89, b"")
    assert client.frame() is None
    span = server_span(service)
    assert span.attributes["error.type"] == "timeout"


def test_many_sockets_at_once(service):
    async def one(number):
        async with websockets.asyncio.client.connect(url(service), compression=None) as client:
            for round in range(20):
                await client.send(f"{number} {round}")
                assert await client.recv() == f"{number} {round}"

    async def run():
        await asyncio.gather(*(one(number) for number in range(50)))

    asyncio.run(run())


# ---- Compressed messages: RFC 7692 ----

DEFLATE = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


def deflated(content):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(content) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")


def test_messages_are_compressed_where_the_client_can(service):
    words = "".join(f"line {number} of many, " for number in range(3000))
    sent = ["", "a", "ü€𝄞", words, words.encode(), words + "𝄞", os.urandom(300_000), b"\0" * 3_000_000, b""]

    async def body(client):
        got = []
        for message in sent:
            await client.send(message)
            got.append(await client.recv())
        return got, client.response.headers["sec-websocket-extensions"]

    assert with_client(service, body, compression="deflate", max_size=None) == (sent, DEFLATE)
    span = server_span(service)
    assert span.attributes["sidelight.websocket.received.messages"] == len(sent)
    for way in ("received", "sent"):
        assert 300_000 < span.attributes[f"sidelight.websocket.{way}.bytes"] < 400_000


@pytest.mark.parametrize("offers, answer", [
    ("permessage-deflate", DEFLATE),
    ("permessage-deflate; server_max_window_bits=9", f"{DEFLATE}; server_max_window_bits=9"),
    ("permessage-deflate; nonsense", None),
    ("x-webkit-deflate-frame, other; a=1", None),
])  # fmt: skip
def test_what_is_agreed_on(service, offers, answer):
    client = Raw(service, offers)
    lines = dict(line.lower().split(": ", 1) for line in client.head.decode().splitlines()[1:])
    assert lines.get("sec-websocket-extensions") == answer
    text = b"again " * 10_000
    client.connection.sendall(Raw.masked(0x81, text))
    first, payload = client.frame()
    if answer is None:
        assert (first, payload) == (0x81, text)
    else:
        bits = int(answer.partition("bits=")[2] or 15)
        assert first == 0xC1 and len(payload) < 1000
        assert zlib.decompressobj(-bits).decompress(payload + b"\0\0\xff\xff") == text


@pytest.mark.parametrize("what, code", [
    (Raw.masked(0xC1, b"\xff\xff\xff"), 1007),
    (Raw.masked(0xC1, b""), 1007),
    (Raw.masked(0xC1, deflated(b"cut off in the middle " * 3)[:-8]), 1007),
    (Raw.masked(0xC1, deflated(b"\xff\xfe")), 1007),  # no UTF-8
    (Raw.masked(0xC1, deflated("€".encode()[:2])), 1007),
    (Raw.masked(0xC2, deflated(b"\0" * ((32 << 20) + 1))), 1009),
    (b"\xc9\x80\0\0\0\0", 1002),
    (Raw.masked(0x41, b"a") + Raw.masked(0xC0, b"b"), 1002),
    (Raw.masked(0xA1, b"a"), 1002),
    (Raw.masked(0xC1, deflated(b"")) + Raw.masked(0x88, b"\x03\xe8"), 1000),
])  # fmt: skip
def test_what_does_not_inflate_ends_the_socket(service, what, code):
    assert Raw(service, "permessage-deflate").end(what) == code
    client = Raw(service, "permessage-deflate")
    # A last block, and what section 7.2.3.4 has behind it; in pieces.
    final = zlib.compressobj(9, zlib.DEFLATED, -15)
    payload = final.compress(b"still here") + final.flush() + b"\0"
    client.connection.sendall(Raw.masked(0x41, payload[:5]) + Raw.masked(0x80, payload[5:]))
    assert client.frame() == (0x81, b"still here")


def test_a_message_of_a_million_ends(service):
    """Each costs what it is long, and not what the message is."""
    client = Raw(service, "permessage-deflate")
    payload = b"\x03\0" * (1 << 20) + deflated(b"told all the same")
    client.connection.sendall(b"\xc1\xff" + struct.pack(">Q", len(payload)) + b"\0\0\0\0" + payload)
    assert client.frame() == (0x81, b"told all the same")


def test_messages_are_inflated_one_by_one(serve):
    """A gigabyte in a few packets does not lie in memory at once."""
    service = serve("""
        let most = 0, messages = 0;
        export default {
            fetch() {
                const { 0: client, 1: server } = new WebSocketPair();
                server.accept();
                server.addEventListener('message', ({ data }) => {
                    messages++;
                    most = Math.max(most, process.memoryUsage().rss);
                    if (data.byteLength === 1) server.send(JSON.stringify({ messages, most }));
                });
                return new Response(null, { status: 101, webSocket: client });
            },
        };
    """)
    client = Raw(service, "permessage-deflate")
    large = Raw.masked(0xC2, deflated(b"\0" * (32 << 20)))
    client.connection.sendall(large * 32 + Raw.masked(0x82, b"x"))
    first, payload = client.frame()
    told = json.loads(payload if first == 0x81 else zlib.decompressobj(-15).decompress(payload))
    assert told["messages"] == 33 and told["most"] < 600 << 20


# ---- The client, and a server of others ----


@pytest.fixture(params=[None])
def peer(request, tmp_path):
    """A server of websockets; `seen` has what it was asked. Its parameter is its compression."""

    class Peer:
        seen = []

    async def handle(connection):
        Peer.seen.append((connection.request.path, dict(connection.request.headers)))
        path = connection.request.path
        if path == "/close":
            await connection.close(4321, "gone")
        elif path == "/abort":
            connection.transport.abort()
        elif path == "/pieces":
            await connection.send(["pie", "ces"])
        elif path == "/ping":
            await (await connection.ping())
            await connection.send("pinged")
        elif path == "/broken":
            connection.transport.write(b"\xc1\x00")
        elif path == "/masked":
            connection.transport.write(b"\x81\x81\0\0\0\0a")
        elif path == "/text":
            connection.transport.write(b"\x81\x01\xff")
        elif path == "/big":
            connection.transport.write(b"\x82\x7f" + struct.pack(">Q", 1 << 40))
        with contextlib.suppress(websockets.exceptions.ConnectionClosed):
            async for message in connection:
                await connection.send(message)

    started = threading.Event()
    loop = asyncio.new_event_loop()

    async def main():
        Peer.stop = loop.create_future()
        async with websockets.asyncio.server.serve(handle, "127.0.0.1", 0, select_subprotocol=lambda _, offered: "chat" if "chat" in offered else None, compression=request.param, max_size=None) as server:
            Peer.port = server.sockets[0].getsockname()[1]
            started.set()
            await Peer.stop

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    started.wait()
    yield Peer
    loop.call_soon_threadsafe(Peer.stop.set_result, None)
    thread.join()


def client_program(sidelight, text):
    return sidelight.write("main.mjs", """
        const base = process.argv[2];
        const events = (socket) => new Promise((resolve) => {
            const list = [];
            socket.onopen = () => list.push('open');
            socket.onmessage = ({ data, origin }) => { list.push(['message', typeof data === 'string' ? data : data.constructor.name, origin === base]); socket.heard?.(data); };
            socket.onerror = (event) => list.push(['error', event instanceof ErrorEvent]);
            socket.onclose = ({ code, reason, wasClean }) => { list.push(['close', code, reason, wasClean]); resolve(list); };
        });
    """ + text)


def test_a_client_talks_and_closes(sidelight, peer, receiver):
    main = client_program(sidelight, """
        const url = `${base.replace('://', '://some:secret@')}/echo?x=1`;
        const socket = new WebSocket(url, ['other', 'chat']);
        console.log(socket.readyState, socket.url === url, socket.binaryType);
        try { socket.send('early'); } catch (error) { console.log(error.name); }
        const sent = ['text', 'ü€𝄞', new Uint8Array([1, 2, 3]).buffer, new Blob(['blob']), 'x'.repeat(100000), new Uint8Array(1 << 20)];
        let at = 0;
        const next = () => { if (at < sent.length) socket.send(sent[at++]); else socket.close(3000, 'done'); };
        socket.addEventListener('open', () => { console.log(socket.protocol, socket.readyState); next(); });
        socket.heard = next;
        const list = await events(socket);
        for (const item of list) console.log(JSON.stringify(item).slice(0, 60));
        console.log(socket.readyState, socket.bufferedAmount);
        socket.send('late');
        console.log(socket.bufferedAmount);
    """)
    done = sidelight("run", "--export", f"otlp={receiver.url}", main, f"ws://127.0.0.1:{peer.port}")
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "0 true blob", "InvalidStateError", "chat 1", '"open"', '["message","text",true]', '["message","ü€𝄞",true]', '["message","Blob",true]',
        '["message","Blob",true]', '["message","' + "x" * 48, '["message","Blob",true]', '["close",3000,"done",true]', "3 0", "4",
    ]
    path, headers = peer.seen[-1]
    span = next(span for span in receiver.spans if span.kind == CLIENT)
    assert path == "/echo?x=1"
    headers = {name.lower(): value for name, value in headers.items()}
    assert span.trace_id in headers["traceparent"]
    # Credentials of the URL go to the server and not into the span.
    assert headers["authorization"] == "Basic " + base64.b64encode(b"some:secret").decode()
    assert span.attributes["url.full"] == f"ws://127.0.0.1:{peer.port}/echo?x=1"
    assert span.attributes["http.response.status_code"] == 101
    assert span.attributes["sidelight.websocket.sent.messages"] == 6
    assert span.attributes["sidelight.websocket.received.messages"] == 6
    assert span.attributes["sidelight.websocket.close.code"] == 3000
    assert span.status != ERROR


@pytest.mark.parametrize("path, expected", [
    ("close", [["open"], ["close", 4321, "gone", True]]),
    ("abort", [["open"], ["error", True], ["close", 1006, "", False]]),
    ("broken", [["open"], ["error", True], ["close", 1006, "", False]]),
    ("masked", [["open"], ["error", True], ["close", 1006, "", False]]),
    ("text", [["open"], ["error", True], ["close", 1006, "", False]]),
    ("big", [["open"], ["error", True], ["close", 1006, "", False]]),
])
def test_a_client_is_told_how_it_ended(sidelight, peer, path, expected):
    main = client_program(sidelight, "console.log(JSON.stringify(await events(new WebSocket(`${base}/${process.argv[3]}`))));")
    done = sidelight("run", main, f"ws://127.0.0.1:{peer.port}", path)
    assert done.code == 0, done.err
    assert [[item] if isinstance(item, str) else item for item in json.loads(done.out)] == expected


@pytest.mark.parametrize("path, text", [("pieces", "pieces"), ("ping", "pinged")])
def test_a_client_reads_pieces_and_answers_pings(sidelight, peer, path, text):
    main = client_program(sidelight, """
        const socket = new WebSocket(`${base}/${process.argv[3]}`);
        socket.heard = (data) => { console.log(data); socket.close(); };
        console.log(JSON.stringify((await events(socket)).at(-1)));
    """)
    done = sidelight("run", main, f"ws://127.0.0.1:{peer.port}", path)
    assert done.out.splitlines() == [text, '["close",1005,"",true]'], done.err


def test_what_is_no_websocket_server_is_an_error(sidelight, peer, serve):
    plain = serve("export default { fetch: () => new Response('plain') };")
    main = client_program(sidelight, """
        for (const url of process.argv.slice(2)) console.log(JSON.stringify(await events(new WebSocket(url))));
        const one = new WebSocket(`${base}/echo`, 'unknown');
        console.log(JSON.stringify(await events(one)));
        const two = new WebSocket(`${base}/echo`);
        two.close();
        console.log(two.readyState, JSON.stringify(await events(two)));
    """)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        done = sidelight("run", main, f"ws://127.0.0.1:{plain.port}/", f"ws://127.0.0.1:{closed.getsockname()[1]}/", "ws://name.invalid/")
    assert done.code == 0, done.err
    failed = '[["error",true],["close",1006,"",false]]'
    assert done.out.splitlines() == [failed] * 4 + ["2 " + failed]


def test_much_is_sent_as_fast_as_it_is_taken(sidelight, peer):
    main = client_program(sidelight, """
        const socket = new WebSocket(`${base}/echo`);
        socket.binaryType = 'arraybuffer';
        let got = 0, most = 0;
        socket.heard = (data) => { got += data.byteLength; if (got === 32 << 20) socket.close(); };
        socket.addEventListener('open', () => { for (let i = 0; i < 512; i++) { socket.send(new Uint8Array(65536)); most = Math.max(most, socket.bufferedAmount); } });
        await events(socket);
        console.log(got, most > 16 << 20, socket.bufferedAmount);
    """)
    done = sidelight("run", main, f"ws://127.0.0.1:{peer.port}")
    assert done.out.splitlines() == [f"{32 << 20} true 0"], done.err


def test_both_ends_are_ours(sidelight, serve, receiver):
    """A socket from one of our programs to another of ours: one trace."""
    service = serve(ECHO)
    main = client_program(sidelight, """
        const socket = new WebSocket(`${base}/`);
        socket.addEventListener('open', () => socket.send('context'));
        socket.heard = (data) => { console.log(data); socket.close(1000); };
        await events(socket);
    """)
    done = sidelight("run", "--export", f"otlp={receiver.url}", main, f"ws://127.0.0.1:{service.port}")
    assert json.loads(done.out.splitlines()[0]) == {"path": "/", "same": True}, done.err
    client = next(span for span in receiver.spans if span.kind == CLIENT)
    served = server_span(service)
    assert (served.trace_id, served.parent_id) == (client.trace_id, client.span_id)


@pytest.mark.parametrize("peer", ["deflate"], indirect=True)
def test_a_client_compresses_where_the_server_can(sidelight, peer, receiver):
    main = client_program(sidelight, """
        const socket = new WebSocket(`${base}/echo`);
        console.log(JSON.stringify(socket.extensions));
        const sent = ['', 'word '.repeat(50000), 'ü€𝄞'.repeat(3000), 'short', new Uint8Array(1 << 20)];
        let at = 0, same = 0;
        const next = () => { if (at < sent.length) socket.send(sent[at++]); else socket.close(); };
        socket.binaryType = 'arraybuffer';
        socket.addEventListener('open', () => { console.log(socket.extensions); next(); });
        socket.heard = (data) => { const was = sent[at - 1]; if (typeof data === 'string' ? data === was : data.byteLength === was.byteLength) same++; next(); };
        await events(socket);
        console.log(same);
    """)
    done = sidelight("run", "--export", f"otlp={receiver.url}", main, f"ws://127.0.0.1:{peer.port}")
    assert done.out.splitlines() == ['""', f"{DEFLATE}; server_max_window_bits=12", "5"], done.err
    span = next(span for span in receiver.spans if span.kind == CLIENT)
    assert span.attributes["sidelight.websocket.sent.bytes"] < 20_000
    assert span.attributes["sidelight.websocket.received.bytes"] < 20_000


@pytest.mark.parametrize("answer", ["permessage-deflate", DEFLATE + "; client_max_window_bits=9", "other", DEFLATE + ", other"])
def test_an_extension_that_was_not_asked_for_is_refused(sidelight, answer):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_once():
            connection = server.accept()[0]
            with connection:
                asked = b""
                while b"\r\n\r\n" not in asked:
                    asked += connection.recv(4096)
                key = next(line for line in asked.decode().splitlines() if line.lower().startswith("sec-websocket-key:")).split(": ")[1]
                accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
                connection.sendall(
                    f"HTTP/1.1 101 x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: {accept}\r\n"
                    f"sec-websocket-extensions: {answer}\r\n\r\n".encode()
                )
                connection.recv(4096)

        thread = threading.Thread(target=answer_once)
        thread.start()
        main = client_program(sidelight, "console.log(JSON.stringify(await events(new WebSocket(base))));")
        done = sidelight("run", main, f"ws://127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert done.out.strip() == '[["error",true],["close",1006,"",false]]', done.err


# ---- TLS ----


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_sockets_over_tls(serve, certificates, compression):
    chain, key = certificates.pair("ecdsa")
    service = serve(ECHO, "--tls-cert", chain, "--tls-key", key, tls=tls_client())
    sent = ["a", "y" * 1_000_000, os.urandom(300_000), "é" * 40_000]

    async def body(client):
        got = []
        for message in sent:
            await client.send(message)
            got.append(await client.recv())
        await client.send("leave")
        with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
            await client.recv()
        return got, closed.value.rcvd.code

    assert with_client(service, body, compression=compression, max_size=None) == (sent, 4001)
    assert server_span(service).attributes["url.scheme"] == "https"


def test_both_ends_are_ours_over_tls(sidelight, serve, certificates, receiver):
    chain, key, root = certificates.chain()
    service = serve(ECHO, "--tls-cert", chain, "--tls-key", key, tls=tls_client(trusted=root))
    main = client_program(sidelight, """
        for (const path of ['/', '/protocol']) {
            const socket = new WebSocket(base + path, path === '/' ? [] : ['chat']);
            socket.addEventListener('open', () => { console.log(socket.protocol, socket.extensions !== ''); socket.send('ü'.repeat(100000)); });
            socket.heard = (data) => { console.log(data === 'ü'.repeat(100000)); socket.send('leave'); };
            console.log(JSON.stringify((await events(socket)).at(-1)));
        }
    """)
    url = f"wss://127.0.0.1:{service.port}"
    trusted = sidelight("run", "--export", f"otlp={receiver.url}", main, url, env={"SSL_CERT_FILE": root})
    assert trusted.out.splitlines() == [" true", "true", '["close",4001,"enough",true]', "chat true", "true", '["close",4001,"enough",true]'], trusted.err
    client = next(span for span in receiver.spans if span.kind == CLIENT)
    assert client.attributes["url.full"].startswith("wss://")
    other = sidelight("run", main, url)
    assert other.out.splitlines() == ['["close",1006,"",false]'] * 2, other.err


# ---- In a child ----


def test_a_child_has_sockets(sidelight, peer, receiver):
    child = sidelight.write("child.mjs", """
        onmessage = ({ data: url }) => {
            const socket = new WebSocket(url);
            socket.binaryType = 'arraybuffer';
            socket.onopen = () => { socket.send('text'); socket.send(new Uint8Array(70000)); };
            let count = 0;
            socket.onmessage = ({ data }) => { postMessage(data, typeof data === 'string' ? [] : [data]); if (++count === 2) socket.close(3001, 'over'); };
            socket.onclose = ({ code, wasClean }) => { postMessage(`${code} ${wasClean}`); close(); };
        };
    """)
    open_child = sidelight.write("open.mjs", "onmessage = ({ data }) => { new WebSocket(data).onopen = () => postMessage('open'); };")
    main = sidelight.write("main.mjs", f"""
        const said = [];
        const start = (url) => new Promise((resolve) => {{
            const worker = new Worker({json.dumps(str(child))}, {{ type: 'module' }});
            worker.postMessage(url);
            worker.onmessage = ({{ data }}) => {{
                said.push(typeof data === 'string' ? data : data.byteLength);
                if (/^[0-9]/.test(data)) resolve();
            }};
        }});
        await Promise.all([start(process.argv[2] + '/echo'), start(process.argv[2] + '/echo')]);
        console.log(said.sort().join());
        await start(process.argv[2] + '/abort');
        console.log(said.at(-1));
        // One that is ended while its socket is open takes nobody with it.
        const worker = new Worker({json.dumps(str(open_child))}, {{ type: 'module' }});
        worker.postMessage(process.argv[2] + '/echo');
        await new Promise((resolve) => {{ worker.onmessage = resolve; }});
        worker.terminate();
        console.log('ended');
    """)
    done = sidelight("run", "--export", f"otlp={receiver.url}", main, f"ws://127.0.0.1:{peer.port}")
    assert done.out.splitlines() == ["3001 true,3001 true,70000,70000,text,text", "1006 false", "ended"], done.err
    assert done.code == 0
    spans = [span for span in receiver.spans if span.kind == CLIENT]
    assert sorted(span.attributes["sidelight.websocket.close.code"] for span in spans if "sidelight.websocket.close.code" in span.attributes)[:3] == [1006, 3001, 3001]
