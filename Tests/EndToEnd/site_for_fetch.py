"""A web site on 127.0.0.1 for fetch to talk to: HTTP/1.1, a thread a connection, and whatever a path says is wrong with it."""

import hashlib
import http.server
import json
import threading
import time
import urllib.parse
import zlib

TEXT = b"hello, compressed world"


def gzipped(data):
    deflate = zlib.compressobj(wbits=31)
    return deflate.compress(data) + deflate.flush()


CODED = {
    "gzip": gzipped(TEXT),
    "deflate": zlib.compress(TEXT),
    # Made by the reference encoders, so that no package is needed here.
    "br": bytes.fromhex("1b1600f82541c8ca72904d80c9122eea484e3fe81d"),
    "zstd": bytes.fromhex("28b52ffd0458b9000068656c6c6f2c20636f6d7072657373656420776f726c6400371116"),
}

HOSTILE = {
    "garbage": b"\x01\x02SSH-2.0\r\nnot HTTP\r\n",
    "nothing": b"",
    "half-head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "short-body": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this",
    "bad-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
    "bad-gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
    "header-flood": b"HTTP/1.1 200 OK\r\n" + b"X-Again: yes yes yes yes\r\n" * 40_000 + b"\r\n",
    "long-header": b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 2_000_000 + b"\r\n\r\n",
}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # clients that go away are what is tested


class Site:
    def __init__(self, tls=None):
        self.requests = []  # (method, path, headers by lower-case name)
        self.sent = 0  # bytes of the bodies of /bytes and /endless
        self.received = 0  # bytes of the bodies of /upload and /slow-upload
        self.gone = threading.Event()  # a client left while it was answered
        self.release = threading.Event()  # lets /slow-upload go on
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self):
                site.handle(self)

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = do_PURGE = handle_any

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.scheme = "http" if tls is None else "https"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def port(self):
        return self.server.server_port

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def stop(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()

    def headers_of(self, path):
        """Headers of the last request for this path."""
        return [headers for _, seen, headers in self.requests if seen == path][-1]

    def pieces(self, handler):
        """The request's body as it comes."""
        if handler.headers.get("Transfer-Encoding") == "chunked":
            while True:
                size = int(handler.rfile.readline(), 16)
                piece = handler.rfile.read(size)
                handler.rfile.readline()
                if size == 0:
                    return
                yield piece
        left = int(handler.headers.get("Content-Length") or 0)
        while left:
            piece = handler.rfile.read(min(left, 65536))
            if not piece:
                return
            left -= len(piece)
            yield piece

    def answer(self, handler, status, body=b"", headers=()):
        handler.send_response(status, headers and dict(headers).get("reason"))
        for name, value in headers:
            if name != "reason":
                handler.send_header(name, value)
        if status not in (204, 304):
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    def handle(self, handler):
        url = urllib.parse.urlparse(handler.path)
        self.requests.append((handler.command, url.path, {name.lower(): value for name, value in handler.headers.items()}))
        parts = url.path.strip("/").split("/")
        query = dict(urllib.parse.parse_qsl(url.query))
        try:
            getattr(self, "on_" + parts[0].replace("-", "_"))(handler, parts, query)
        except (ConnectionError, BrokenPipeError, ValueError):
            self.gone.set()
            handler.close_connection = True

    def on_echo(self, handler, parts, query):
        body = b"".join(self.pieces(handler))
        echo = {
            "method": handler.command,
            "path": handler.path,
            "body": body.decode("latin-1"),
            "headers": {name.lower(): value for name, value in handler.headers.items()},
        }
        self.answer(handler, 200, json.dumps(echo).encode(), [("Content-Type", "application/json"), ("reason", "Fine")])

    def on_bytes(self, handler, parts, query):
        left = int(query["n"])
        handler.send_response(200)
        handler.send_header("Content-Length", str(left))
        handler.end_headers()
        piece = bytes(range(256)) * 256
        while left:
            handler.wfile.write(piece[:left])
            self.sent += min(left, len(piece))
            left -= min(left, len(piece))

    def on_endless(self, handler, parts, query):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        while True:
            handler.wfile.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            self.sent += 0x4000
            if "slow" in query:
                time.sleep(0.02)

    def on_upload(self, handler, parts, query):
        digest = hashlib.sha256()
        size = 0
        for piece in self.pieces(handler):
            size += len(piece)
            self.received += len(piece)
            digest.update(piece)
        framing = "chunked" if handler.headers.get("Transfer-Encoding") else "length"
        self.answer(handler, 200, json.dumps([size, digest.hexdigest(), framing]).encode())

    def on_slow_upload(self, handler, parts, query):
        self.release.wait(30)
        self.on_upload(handler, parts, query)

    def on_release(self, handler, parts, query):
        self.release.set()
        self.answer(handler, 204)

    def on_redirect(self, handler, parts, query):
        for _ in self.pieces(handler):
            pass
        headers = [("Location", query["to"])] if "to" in query else []
        self.answer(handler, int(parts[1]), b"x" * int(query.get("size", 0)), headers)

    def on_chain(self, handler, parts, query):
        left = int(parts[1])
        self.answer(handler, 302, headers=[("Location", f"/chain/{left - 1}" if left > 1 else "/echo")])

    def on_loop(self, handler, parts, query):
        self.answer(handler, 302, headers=[("Location", "/loop")])

    def on_coded(self, handler, parts, query):
        self.answer(handler, 200, CODED[parts[1]], [("Content-Encoding", parts[1])])

    def on_bomb(self, handler, parts, query):
        self.answer(handler, 200, gzipped(bytes(int(query["n"]))), [("Content-Encoding", "gzip")])

    def on_status(self, handler, parts, query):
        self.answer(handler, int(parts[1]), b"so it is" if parts[1] != "204" else b"")

    def on_silent(self, handler, parts, query):
        handler.connection.recv(1)
        self.gone.set()
        handler.close_connection = True

    def on_head_then_silence(self, handler, parts, query):
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"first")
        handler.connection.recv(1)
        self.gone.set()
        handler.close_connection = True

    def on_drip(self, handler, parts, query):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for index in range(5):
            handler.wfile.write(b"2\r\n" + str(index).encode() + b"\n\r\n")
            time.sleep(0.05)
        handler.wfile.write(b"0\r\n\r\n")

    def on_latin(self, handler, parts, query):
        handler.wfile.write(b"HTTP/1.1 200 Gr\xfcn\r\nX-Name: \xe9\r\nX-Two: a\r\nx-two: b\r\nContent-Length: 0\r\n\r\n")

    def on_gone(self, handler, parts, query):
        self.answer(handler, 200, json.dumps(self.gone.is_set()).encode())

    def on_hostile(self, handler, parts, query):
        handler.wfile.write(HOSTILE[parts[1]])
        handler.close_connection = True
