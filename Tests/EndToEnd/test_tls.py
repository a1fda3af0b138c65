"""`sidelight serve --tls-cert … --tls-key …` against curl, Python's ssl and openssl(1)."""

import asyncio
import collections
import ctypes
import json
import os
import pathlib
import random
import re
import signal
import socket
import ssl
import struct
import subprocess
import time

import pytest

from certificates import Certificates, client
from conftest import HERE
from load import Load, eventually
from malformed_requests import FAMILIES
from serving import ERROR, Closed, Connection, head, resident_bytes, wait_for
from test_malformed import check_family
from test_serve import pattern
from test_serve_agent import metrics

SERVICE = HERE / "programs" / "service.mjs"
TEXT = SERVICE.read_text()
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
VERSIONS = pytest.mark.parametrize("version", [V12, V13], ids=["1.2", "1.3"])
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


def flags(pair):
    return "--tls-cert", pair[0], "--tls-key", pair[1]


@pytest.fixture(scope="module")
def service(module_service, certificates):
    chain, key, root = certificates.chain()
    return module_service(SERVICE, *flags((chain, key)), "--limit", "body=300MB", tls=client(trusted=root))


@pytest.fixture(scope="module")
def pair_of_workers(module_service, certificates):
    return module_service(SERVICE, *flags(certificates.pair("ecdsa")), "--isolates", 2, tls=client())


@pytest.fixture(scope="module")
def impatient(module_service, certificates):
    limits = "--limit", "header-timeout=1s", "--limit", "idle=1s"
    return module_service(SERVICE, *flags(certificates.pair("ecdsa")), *limits, tls=client())


def curl(service, path, *arguments):
    url = f"https://a.test:{service.port}{path}"
    resolve = f"a.test:{service.port}:127.0.0.1"
    done = subprocess.run(["curl", "-sS", "--max-time", "60", "--resolve", resolve, *map(str, arguments), url], capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


# -- what speaks to it


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl(service, certificates, version):
    root = certificates.chain()[2]
    said = curl(
        service, "/request/x", "--cacert", root, f"--tlsv{version}", "--tls-max", version, "--http1.1", "-w", "\n%{http_version} %{ssl_verify_result}"
    )
    seen, report = said.decode().rsplit("\n", 1)
    assert report == "1.1 0"
    assert json.loads(seen)["url"] == f"https://a.test:{service.port}/request/x"


def test_curl_that_would_rather_have_http_2(service, certificates):
    assert curl(service, "/text", "--cacert", certificates.chain()[2], "--http2", "-w", " %{http_version}") == b"hello 1.1"


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
@VERSIONS
def test_kinds_of_keys(serve, certificates, kind, version):
    pair = certificates.pair(kind, kind=kind)
    service = serve(TEXT, *flags(pair), tls=client(version, trusted=pair[0]))
    assert re.search(r"^sidelight: serving .* on https://127\.0\.0\.1:\d+ ", service.err, re.M)
    assert service.get("/text")[2] == b"hello"
    assert service.end() == 0
    span = service.span("/text")
    assert span.attributes["url.scheme"] == "https"
    assert span.attributes["tls.protocol.version"] == ("1.2" if version is V12 else "1.3")


def test_a_unix_socket(serve, sidelight, certificates):
    path = sidelight.folder / "x.sock"
    service = serve(TEXT, *flags(certificates.pair("ecdsa")), listen=f"unix:{path}")
    plain = socket.socket(socket.AF_UNIX)
    plain.connect(str(path))
    with Connection.over(client().wrap_socket(plain, server_hostname="a.test")) as connection:
        connection.request("/text/unix")
        assert connection.response()[2] == b"hello"


def test_older_versions_are_refused(service):
    old = client()
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match="(?i)protocol version|unsupported protocol|internal error"):
        Connection(service.port, old)
    assert service.get("/text")[2] == b"hello"


def test_alpn(service, certificates):
    for offered, chosen in ((("h2", "http/1.1"), "http/1.1"), ((), None)):
        with Connection(service.port, client(alpn=offered)) as connection:
            assert connection.socket.selected_alpn_protocol() == chosen
            connection.request("/text")
            assert connection.response()[2] == b"hello"
    with pytest.raises(ssl.SSLError, match="(?i)no application protocol"):
        Connection(service.port, client(alpn=("h2", "x")))


# -- connections


def test_keep_alive_and_pipelining(service):
    with service.connect() as connection:
        for number in range(20):
            connection.request("/echo", method="POST", body=f"body {number}")
            assert connection.response()[2] == f"body {number}".encode()
        connection.send(b"".join(head(f"/later/{number}?ms=1") for number in range(50)))
        for number in range(50):
            assert connection.response()[2] == f"/later/{number}".encode()
        connection.request("/text", "Connection: close")
        assert connection.response()[1]["connection"] == "close"
        assert connection.rest() == b""
        assert not connection.truncated, "closed without close_notify"


class Raw:
    """A client whose TLS is in memory: what it sends, and in which pieces, is up to the test."""

    def __init__(self, port, context):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="a.test")
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data, size):
        for start in range(0, len(data), size):
            self.socket.sendall(data[start : start + size])

    def step(self, function, *arguments, size=1 << 20):
        while True:
            try:
                return function(*arguments)
            except ssl.SSLWantReadError:
                self.send(self.outgoing.read(), size)
                received = self.socket.recv(65536)
                if not received:
                    self.incoming.write_eof()
                self.incoming.write(received)

    def handshake(self, size=1 << 20):
        self.step(self.tls.do_handshake, size=size)
        self.send(self.outgoing.read(), size)

    def until(self, end):
        """What comes, up to `end`."""
        data = b""
        while not data.endswith(end):
            more = self.step(self.tls.read, 65536)
            assert more, data
            data += more
        return data


@VERSIONS
@pytest.mark.parametrize("size", [1, 7])
def test_records_in_pieces(service, version, size):
    with Raw(service.port, client(version)) as raw:
        raw.handshake(size)
        for number in range(3):
            raw.tls.write(head(f"/later/{number}?ms=0"))
            raw.send(raw.outgoing.read(), size)
            assert raw.until(f"/later/{number}".encode()).startswith(b"HTTP/1.1 200 OK\r\n")


@VERSIONS
def test_many_records_at_once(service, version):
    with Raw(service.port, client(version)) as raw:
        raw.handshake()
        for byte in head("/echo", "Content-Length: 3000", method="POST"):
            raw.tls.write(bytes([byte]))
        for _ in range(3000):
            raw.tls.write(b"z")
        raw.send(raw.outgoing.read(), 1 << 20)
        assert raw.until(b"z" * 3000).startswith(b"HTTP/1.1 200 OK\r\n")


@VERSIONS
def test_the_end_of_what_the_client_says(service, version):
    """close_notify right behind the request: the answers come, and the server's own close_notify."""
    with Raw(service.port, client(version)) as raw:
        raw.handshake()
        raw.tls.write(head("/later/a?ms=30") + head("/later/b?ms=1"))
        with pytest.raises(ssl.SSLWantReadError):
            raw.tls.unwrap()
        raw.send(raw.outgoing.read(), 1 << 20)
        sealed = b""
        while more := raw.socket.recv(65536):
            sealed += more
    # The client's library reads no more after its own close_notify; the records have the length of two answers and an alert.
    records = list(split(sealed))
    assert sum(len(body) for kind, body in records if kind == 23) > 2 * len(b"HTTP/1.1 200 OK\r\n/later/a")
    span = service.span("/later/b")
    assert span.status != ERROR


def split(data):
    while len(data) >= 5:
        kind, _, length = struct.unpack(">BHH", data[:5])
        yield kind, data[5 : 5 + length]
        data = data[5 + length :]


def test_a_stream_that_is_cut_is_no_end(service):
    with service.connect() as connection:
        connection.request("/broken-stream/cut")
        with pytest.raises((AssertionError, OSError, Closed)):
            connection.response()
        assert connection.truncated


# -- sessions


def resumed(port, context, session):
    """Whether the session was taken, the worker's process id, and the session that follows it."""
    with Connection(port, context, session=session) as connection:
        connection.request("/pid")
        body = connection.response()[2]
        return connection.socket.session_reused, int(body), connection.socket.session


@VERSIONS
def test_sessions_are_resumed_by_any_worker(pair_of_workers, version):
    context = client(version)
    _, first, session = resumed(pair_of_workers.port, context, None)
    assert session.has_ticket
    seen = set()

    def both():
        reused, worker, _ = resumed(pair_of_workers.port, context, session if version is V12 else fresh())
        assert reused
        seen.add(worker)
        return len(seen) == 2

    def fresh():
        # A ticket of TLS 1.3 is for one use, so that nobody can tell that two connections are of one client.
        while True:
            _, worker, made = resumed(pair_of_workers.port, context, None)
            if worker == first:
                return made

    wait_for(both)


@VERSIONS
def test_a_ticket_outlives_its_worker(serve, certificates, version):
    context = client(version)
    service = serve(TEXT, *flags(certificates.pair("ecdsa")), tls=context)
    _, old, session = resumed(service.port, context, None)
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: service.workers not in ([], [old]))
    reused, new, session = resumed(service.port, context, session)
    assert reused and new != old
    service.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "as it is now" in service.err)
    assert resumed(service.port, context, session)[0]
    assert service.end() == 0


def test_another_server_does_not_take_the_ticket(serve, certificates, pair_of_workers):
    context = client(V12)
    session = resumed(pair_of_workers.port, context, None)[2]
    service = serve(TEXT, *flags(certificates.pair("ecdsa")), tls=context)
    assert not resumed(service.port, context, session)[0]


# -- large, slow


@VERSIONS
def test_a_large_upload(service, version):
    size = 100 * MEGABYTE
    (worker,) = service.workers
    with Connection(service.port, client(version)) as connection:
        connection.send(head("/count", f"Content-Length: {size}", method="POST"))
        for start in range(0, size, MEGABYTE):
            connection.send(pattern(MEGABYTE, start))
        assert json.loads(connection.response()[2]) == {"bytes": size, "good": True}


@VERSIONS
@pytest.mark.parametrize("length", ["", "&length"])
def test_a_large_download(service, version, length):
    size = 100 * MEGABYTE
    with Connection(service.port, client(version)) as connection:
        connection.request(f"/stream/x?bytes={size}&piece=65536{length}")
        _, fields = connection.response_head()
        if length:
            at = 0
            while at < size:
                piece = connection.take(min(MEGABYTE, size - at))
                assert piece == pattern(len(piece), at)
                at += len(piece)
        else:
            at = 0
            for chunk in connection.chunks():
                assert chunk == pattern(len(chunk), at)
                at += len(chunk)
            assert at == size


async def mirrored(service, size):
    """What /mirror sends back of `size` bytes, read while they are sent. By asyncio, since an SSLSocket is not for two threads at once."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port, ssl=service.tls, server_hostname="a.test")

    async def send():
        writer.write(head("/mirror", f"Content-Length: {size}", method="POST"))
        for at in range(0, size, MEGABYTE):
            writer.write(pattern(min(MEGABYTE, size - at), at))
            await writer.drain()

    sender = asyncio.create_task(send())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    chunks = []
    while length := int(await reader.readline(), 16):
        chunks.append(await reader.readexactly(length))
        assert await reader.readexactly(2) == b"\r\n"
    await sender
    writer.close()
    return b"".join(chunks)


def test_both_ways_at_once(service):
    size = 20 * MEGABYTE
    assert asyncio.run(mirrored(service, size)) == pattern(size)


def test_a_client_that_does_not_read_stops_the_stream(service):
    (worker,) = service.workers
    with service.connect() as connection:
        connection.request("/endless/tls-slow")
        connection.response_head()
        before = resident_bytes(worker)
        for _ in range(50):
            service.get("/later/x?ms=10")
        assert resident_bytes(worker) - before < 30 * MEGABYTE
    wait_for(lambda: b"cancelled: AbortError" in service.get("/happened/tls-slow")[2])


def test_idle_connections_are_small(service):
    (worker,) = service.workers
    context = service.tls
    kept = []
    try:
        for _ in range(20):
            service.get("/text")
        before = resident_bytes(worker)
        for _ in range(400):
            kept.append(Connection(service.port, context))
            kept[-1].request("/text")
            assert kept[-1].response()[2] == b"hello"
        each = (resident_bytes(worker) - before) / len(kept)
        print(f"{each / 1024:.1f} KiB a connection")
        assert each < 64 << 10
    finally:
        for connection in kept:
            connection.socket.close()


# -- those that are no good


def test_plain_http_is_told(service):
    with Connection(service.port) as connection:
        connection.request("/text")
        status, fields, body = connection.response()
        assert (status, fields["connection"]) == (400, "close")
        assert b"https://" in body
        assert connection.rest() == b""
    assert service.get("/text")[2] == b"hello"


@pytest.mark.parametrize(
    "data", [b"\0" * 40, b"\xff" * 3000, b"\x16", b"\x16\x03\x01\xff\xff" + b"\0" * 70000, b"\x16\x03\x01\0\x04\x01\0\xff\xff" * 3000, b"\x80\x2e\x01\0\x02"]
)
def test_what_is_no_handshake(service, data):
    with Connection(service.port) as connection:
        connection.send(data)
        connection.socket.shutdown(socket.SHUT_WR)
        assert len(connection.rest()) <= 7, "more than an alert"
    assert service.get("/text")[2] == b"hello"


@VERSIONS
def test_what_is_no_record_behind_a_handshake(service, version):
    with Raw(service.port, client(version)) as raw:
        raw.handshake()
        raw.tls.write(head("/later/before?ms=0"))
        raw.send(raw.outgoing.read(), 1 << 20)
        raw.until(b"/later/before")
        raw.socket.sendall(b"\x17\x03\x03\0\x40" + b"x" * 64)
        with pytest.raises(ssl.SSLError, match="(?i)bad record mac|alert"):
            while raw.step(raw.tls.read, 65536):
                pass
    assert service.get("/text")[2] == b"hello"


def test_a_handshake_that_is_given_up(service):
    hello = client_hello(client())
    for end in (1, 5, 6, len(hello) // 2, len(hello)):
        for reset in (False, True):
            with socket.create_connection(("127.0.0.1", service.port)) as plain:
                plain.sendall(hello[:end])
                if reset:
                    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert service.get("/text")[2] == b"hello"


def client_hello(context):
    outgoing = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="a.test").do_handshake()
    return outgoing.read()


def test_a_handshake_that_does_not_end(impatient):
    """Silence, half a handshake, and one that drips for ever."""
    hello = client_hello(client())
    silent, half, dripping = (Connection(impatient.port) for _ in range(3))
    half.send(hello[:100])
    dripping.socket.settimeout(0.05)
    for byte in hello[:-1] * 4:
        dripping.send(bytes([byte]))
        try:
            dripping.receive()
            break
        except TimeoutError:
            continue
    else:
        pytest.fail("it drips on")
    assert silent.rest() == half.rest() == b""


def test_an_idle_connection_is_closed_properly(impatient):
    with impatient.connect() as connection:
        connection.request("/text")
        connection.response()
        assert connection.rest() == b""
        assert not connection.truncated


@pytest.mark.parametrize("command, version, words", [("R", "-tls1_2", "no renegotiation"), ("K", "-tls1_3", "KEYUPDATE"), ("k", "-tls1_3", "KEYUPDATE")])
def test_openssl_asks_for_new_keys(service, command, version, words):
    process = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{service.port}", version, "-crlf"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0,
    )  # fmt: skip
    said = b""

    def until(text):
        nonlocal said
        while text not in said:
            more = os.read(process.stdout.fileno(), 65536)
            assert more, said
            said += more

    try:
        until(b"---\n")
        process.stdin.write(f"{command}\n".encode())
        if command == "R":
            process.wait(20)
            assert words in process.stdout.read().decode(errors="replace")
        else:
            until(words.encode())
            process.stdin.write(b"GET /later/new-keys?ms=0 HTTP/1.1\nHost: a\n\n")
            until(b"/later/new-keys")
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
    assert service.get("/text")[2] == b"hello"


def library():
    """OpenSSL itself: Python's ssl asks for no new keys."""
    found = ctypes.CDLL("libssl.so.3")
    for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
        getattr(found, name).restype = ctypes.c_void_p
    for name, count in (("SSL_CTX_new", 1), ("SSL_new", 1), ("SSL_connect", 1), ("SSL_do_handshake", 1), ("SSL_free", 1), ("SSL_CTX_free", 1)):
        getattr(found, name).argtypes = [ctypes.c_void_p] * count
    found.SSL_set_fd.argtypes = found.SSL_key_update.argtypes = [ctypes.c_void_p, ctypes.c_int]
    return found


def test_who_asks_for_new_keys_and_reads_none_of_the_answers_is_closed(service):
    openssl = library()
    context = openssl.SSL_CTX_new(openssl.TLS_client_method())
    session = openssl.SSL_new(context)
    with socket.socket() as greedy:
        # What the kernels take until it is more than the server keeps.
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        greedy.connect(("127.0.0.1", service.port))
        openssl.SSL_set_fd(session, greedy.fileno())
        assert openssl.SSL_connect(session) == 1
        for count in range(1_000_000):
            if openssl.SSL_key_update(session, 1) != 1 or openssl.SSL_do_handshake(session) != 1:
                break
        else:
            pytest.fail("a million answers wait")
        assert service.get("/text")[2] == b"hello"
    openssl.SSL_free(session)
    openssl.SSL_CTX_free(context)


@pytest.mark.parametrize("family", FAMILIES)
def test_malformed_requests(module_service, certificates, echo, family):
    check_family(family, echo.connect)


@pytest.fixture(scope="module")
def echo(module_service, certificates):
    return module_service(HERE / "programs" / "echo_requests.mjs", *flags(certificates.pair("ecdsa")), tls=client())


def test_mutated_handshakes(pair_of_workers):
    """FUZZ_HANDSHAKES: how many (1500). FUZZ_SEED: which."""
    total = int(os.environ.get("FUZZ_HANDSHAKES", 1500))
    seed = int(os.environ.get("FUZZ_SEED", random.randrange(1 << 32)))
    print(f"FUZZ_SEED={seed}")
    source = random.Random(seed)
    workers = pair_of_workers.workers
    contexts = [client(V12), client(V13)]
    for start in range(0, total, 100):
        sockets = []
        for _ in range(100):
            plain = socket.create_connection(("127.0.0.1", pair_of_workers.port), timeout=20)
            sockets.append(plain)
            send_mutated(source, source.choice(contexts), plain)
        for plain in sockets:
            plain.close()
        assert pair_of_workers.get("/text")[2] == b"hello"
        assert pair_of_workers.workers == workers, pair_of_workers.err


def send_mutated(source, context, plain):
    """A handshake whose flights are changed, the first or a later one, sometimes under right record headers."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="a.test")
    spoilt = source.randrange(3)
    for flight in range(4):
        try:
            tls.do_handshake()
            tls.write(head("/text"))
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            return
        data = bytearray(outgoing.read())
        if flight == spoilt and data:
            for _ in range(source.choice((1, 1, 2, 5))):
                at = source.randrange(len(data) + 1)
                match source.randrange(6):
                    case 0: data[at : at + 1] = bytes([source.randrange(256)])
                    case 1: del data[at : at + source.randrange(1, 40)]
                    case 2: data[at:at] = source.randbytes(source.randrange(1, 300))
                    case 3: data[at:at] = data[at : at + source.randrange(1, 60)]
                    case 4 if len(data) > 5: data[3:5] = struct.pack(">H", source.randrange(1 << 16))
                    case 5 if len(data) > 9: data[6:9] = source.randbytes(3)
        try:
            plain.sendall(data)
            if flight >= spoilt:
                return
            incoming.write(plain.recv(65536))
        except OSError:
            return


# -- a server's life


@VERSIONS
def test_kill_9_under_load(serve, certificates, version):
    service = serve(TEXT, *flags(certificates.pair("ecdsa")), "--isolates", 2, tls=client())
    load = Load(service.port, width=8, path=lambda number: f"/later/{number}", tls=client(version))
    held = service.connect()

    async def during():
        for _ in range(2):
            await eventually(lambda: len(service.workers) == 2)
            before = load.answered
            await eventually(lambda: load.answered > before + 20)
            victim = service.workers[0]
            os.kill(victim, signal.SIGKILL)
            await eventually(lambda: victim not in service.workers)
            before = load.answered
            await eventually(lambda: load.answered > before + 20)

    asyncio.run(load.run(during()))
    held.socket.close()
    assert load.refused == []
    # What was on the connections of the dead worker, at most one request each.
    assert len(load.failures) <= 2 * load.width
    assert service.end() == 0


@VERSIONS
def test_reloads_under_load_lose_nothing(serve, certificates, version):
    service = serve(TEXT, *flags(certificates.pair("ecdsa")), "--isolates", 2, tls=client())
    load = Load(service.port, width=8, path=lambda number: f"/later/{number}?ms={number % 5}", tls=client(version))

    async def during():
        for number in range(3):
            workers = set(service.workers)
            before = load.answered
            await eventually(lambda: load.answered > before + 50)
            service.process.send_signal(signal.SIGHUP)
            await eventually(lambda: service.err.count("as it is now") == number + 1)
            await eventually(lambda: not workers & set(service.workers))

    asyncio.run(load.run(during()))
    assert (load.refused, load.failures) == ([], [])
    assert service.end() == 0


def shown(port):
    """The certificate that the server shows, as it is on the wire."""
    with Connection(port, client()) as connection:
        return connection.socket.getpeercert(binary_form=True)


def der(path):
    return ssl.PEM_cert_to_DER_cert(path.read_text())


def test_a_reload_takes_the_certificate_that_is_there(serve, sidelight, certificates):
    first, second = certificates.pair("first"), certificates.pair("second", kind="rsa")
    live = sidelight.folder / "live.pem", sidelight.folder / "live.key"

    def put(pair):
        for source, target in zip(pair, live):
            target.write_bytes(source.read_bytes())

    put(first)
    service = serve(TEXT, *flags(live), tls=client())
    assert shown(service.port) == der(first[0])
    put(second)
    assert shown(service.port) == der(first[0])
    # A worker that is started in between has what was good at the start.
    (worker,) = service.workers
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: service.workers not in ([], [worker]))
    assert shown(service.port) == der(first[0])
    service.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "as it is now" in service.err)
    wait_for(lambda: shown(service.port) == der(second[0]))
    # One that is no good changes nothing.
    workers = wait_for(lambda: len(found := service.workers) == 1 and found)
    for pair, words in (((second[0], first[1]), "--tls-key live.key: it is not the key"), ((first[1], first[1]), "no PEM certificate")):
        put(pair)
        before = service.err.count("what was serves on")
        service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: service.err.count("what was serves on") == before + 1)
        assert words in service.err.replace(str(sidelight.folder) + "/", "")
        assert service.workers == workers
        assert shown(service.port) == der(second[0])
    put(first)
    service.process.send_signal(signal.SIGHUP)
    wait_for(lambda: service.err.count("as it is now") == 2)
    wait_for(lambda: shown(service.port) == der(first[0]))
    assert service.end() == 0


def test_what_looks_at_the_files_has_none_of_the_variables(beside, certificates, tmp_path):
    checker = beside("names_of_variables.sh")
    checker.write("app.mjs", "export default { fetch() {} };")
    pair = certificates.pair("first")
    done = checker("serve", "--listen", "127.0.0.1:0", "--admin", "off", *flags(pair), "app.mjs", env={"SOME_SECRET": "hunter2", "LD_OF_MINE": "x"})
    assert done.code != 0
    names = (tmp_path / "work" / "variables.txt").read_text().split()
    assert "LD_OF_MINE" in names and "SOME_SECRET" not in names and "PATH" not in names


def test_a_drain_says_close_notify(serve, certificates):
    service = serve(TEXT, *flags(certificates.pair("ecdsa")), tls=client())
    waiting, idle = service.connect(), service.connect()
    idle.request("/text")
    idle.response()
    waiting.request("/wait/drain")
    wait_for(lambda: b"waits" in service.get("/happened/drain")[2])
    with service.connect() as opener:
        # A connection with a part of a request is not idle, and so not closed before the rest has come.
        request = head("/open/drain")
        opener.send(request[:20])
        service.process.send_signal(signal.SIGTERM)
        opener.send(request[20:])
        assert opener.response()[2] == b"open"
    assert waiting.response()[2] == b"/wait/drain"
    for connection in (waiting, idle):
        assert connection.rest() == b""
        assert not connection.truncated
    assert service.process.wait(20) == 0


# -- certificates that are no good


def spoilt(certificates, folder):
    """Name: certificate, key, what is said."""
    good, other, rsa = certificates.pair("ecdsa"), certificates.pair("first"), certificates.pair("rsa", kind="rsa")
    chain = certificates.chain()[0]

    def file(name, content):
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    encrypted = folder / "encrypted.key"
    subprocess.run(
        ["openssl", "pkey", "-in", good[1], "-aes256", "-passout", "pass:x", "-out", encrypted], check=True, stdin=subprocess.DEVNULL, capture_output=True
    )
    text = good[0].read_text()
    cut = file("cut.pem", text[: len(text) // 2])
    garbled = file("garbled.pem", text[:80] + "!!!!" + text[84:])
    second = file("second.pem", chain.read_text().replace("\n-----END CERTIFICATE-----\n-----BEGIN", "\n-----END CERTIFICATE-----\n-----BEGIN", 1)[:-200])
    return {
        "no file": (folder / "none.pem", good[1], "--tls-cert .*none.pem: cannot be read: No such file"),
        "no key file": (good[0], folder / "none.key", "--tls-key .*none.key: cannot be read: No such file"),
        "a folder": (folder, good[1], "--tls-cert .*: is no file"),
        "empty": (file("empty.pem", ""), good[1], "--tls-cert .*: there is no PEM certificate"),
        "no PEM": (file("noise.pem", random.Random(1).randbytes(3000)), good[1], "--tls-cert .*: there is no PEM certificate"),
        "a cut certificate": (cut, good[1], "--tls-cert .*: its certificate number 1 cannot be read"),
        "a garbled certificate": (garbled, good[1], "--tls-cert .*: its certificate number 1 cannot be read"),
        "a cut chain": (second, certificates.chain()[1], "--tls-cert .*: its certificate number 2 cannot be read"),
        "no PEM key": (good[0], good[0], "--tls-key .*: there is no PEM private key"),
        "another's key": (good[0], other[1], "--tls-key .*: it is not the key of the certificate"),
        "another kind of key": (good[0], rsa[1], "--tls-key .*: it is not the key of the certificate"),
        "an encrypted key": (good[0], encrypted, "--tls-key .*: it is encrypted"),
        "a weak key": (*certificates.pair("weak", kind="weak"), "--tls-cert .*: it cannot be used: ee key too small"),
        "too large": (file("large.pem", b"x" * (2 << 20)), good[1], "--tls-cert .*: is too large"),
    }  # fmt: skip


def test_what_cannot_be_used_is_said_before_anything_starts(sidelight, certificates):
    entry = sidelight.write("app.mjs", "console.log('started');\n" + TEXT)
    for name, (certificate, key, words) in spoilt(certificates, sidelight.folder).items():
        result = sidelight("serve", "--listen", "127.0.0.1:0", *flags((certificate, key)), entry)
        assert result.code == 2, (name, result)
        assert re.search(words, result.err), (name, result.err)
        assert "started" not in result.out + result.err
        assert len(result.err.splitlines()) == 1, result.err


@pytest.mark.parametrize("flag, other", [("--tls-cert", "--tls-key"), ("--tls-key", "--tls-cert")])
def test_one_of_the_two_flags_is_missing(sidelight, certificates, flag, other):
    entry = sidelight.write("app.mjs", TEXT)
    result = sidelight("serve", "--listen", "127.0.0.1:0", flag, certificates.pair("ecdsa")[0], entry)
    assert result.code == 2
    assert f"{flag}: {other} is missing" in result.err


def test_an_expired_certificate_is_a_warning(serve, certificates):
    service = serve(TEXT, *flags(certificates.expired()), tls=client())
    assert re.search(r"^sidelight: --tls-cert .*: it has expired \(on \d{4}-\d\d-\d\d \d\d:\d\d UTC\)", service.err, re.M)
    assert service.get("/text")[2] == b"hello"
    assert service.end() == 0


# -- what is recorded


def test_what_is_recorded(serve, certificates):
    service = serve(TEXT, *flags(certificates.pair("ecdsa")), "--limit", "header-timeout=1s", tls=client(), env={"OTEL_METRIC_EXPORT_INTERVAL": 100})
    context = client(V12)
    session = resumed(service.port, context, None)[2]
    assert resumed(service.port, context, session)[0]
    with Connection(service.port) as plain:
        plain.request("/x")
        assert plain.response()[0] == 400
    with Connection(service.port) as garbage:
        garbage.send(b"\0" * 40)
        garbage.rest()
    with Connection(service.port):
        pass
    with Connection(service.port) as late:
        assert late.rest() == b""
    with service.connect() as connection:
        connection.request("/wait/active")
        wait_for(lambda: b"waits" in service.get("/happened/active")[2])
        wait_for(lambda: "http.server.active_requests" in metrics(service.receiver))
        service.get("/open/active")
        connection.response()
    assert service.end() == 0
    found = metrics(service.receiver)

    def values(name, key):
        return {dict_of(point)[key]: point.as_int for point in found[name]}

    def dict_of(point):
        return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in point.attributes}

    handshakes = values("sidelight.tls.server.handshakes", "tls.resumed")
    assert handshakes[True] == 1 and handshakes[False] >= 3
    failures = values("sidelight.tls.server.handshake_failures", "error.type")
    assert failures == {"plaintext": 1, "protocol": 1, "timeout": 1, "closed": 1}
    for name in ("http.server.request.duration", "http.server.active_requests"):
        assert {dict_of(point)["url.scheme"] for point in found[name]} == {"https"}, name
    for span in service.spans("/pid"):
        assert (span.attributes["url.scheme"], span.attributes["tls.protocol.version"]) == ("https", "1.2")


def test_nothing_of_the_key_is_where_the_program_can_see_it(serve, certificates):
    program = "export default { fetch: () => Response.json([process.argv, process.env, Object.keys(globalThis)]) };"
    pair = certificates.pair("ecdsa")
    service = serve(program, *flags(pair), tls=client())
    secret = pair[1].read_text().splitlines()[1]
    assert secret not in service.get("/")[2].decode()
    (worker,) = service.workers
    process = pathlib.Path(f"/proc/{worker}")
    assert secret.encode() not in (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    names = []
    for link in (process / "fd").iterdir():
        try:
            names.append(os.readlink(link))
        except FileNotFoundError:
            pass  # of a client that has gone meanwhile
    assert any("sidelight-tickets" in name for name in names)
    assert not any("sidelight-tls" in name for name in names)
    assert service.end() == 0
    assert secret not in service.err
