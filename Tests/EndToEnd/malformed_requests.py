"""Requests that are wrong, or nearly so, as bytes, and what a server has to make of them.

The same families as Tests/WireTests/HTTP1Corpus.swift, thrown at a whole server. `FAMILIES` names lists of `Entry`.
Sources: RFC 9112, RFC 9110, and what is known of request smuggling.
"""

import dataclasses

OK = "ok"
CLOSED = "closed"


@dataclasses.dataclass(frozen=True)
class Entry:
    data: bytes
    # OK: all `answers` requests are answered with 200. Else what may happen to the first request that is not: statuses,
    # CLOSED for a connection that ends without an answer.
    expected: object
    answers: int = 1  # with OK: so many; else: so many 200 before the refusal
    content: dict | None = None  # of the first 200: method, path, body

    @property
    def name(self):
        text = repr(self.data)[2:-1]
        return text if len(text) <= 120 else f"{text[:100]}… ({len(self.data)} bytes)"


def ok(text, answers=1, **content):
    return Entry(text.encode("latin-1"), OK, answers, content or None)


def refused(text, *expected, after=0):
    return Entry(text.encode("latin-1"), frozenset(expected or {400}), after)


def get(target="/", version="HTTP/1.1", host="Host: a\r\n", method="GET"):
    return f"{method} {target} {version}\r\n{host}\r\n"


def post(*lines, body="", version="HTTP/1.1"):
    return f"POST /p {version}\r\nHost: a\r\n" + "".join(line + "\r\n" for line in lines) + "\r\n" + body


def chunked(body):
    return post("Transfer-Encoding: chunked", body=body)


# What is wrong with content may be found when its request has already reached the program.
IN_CONTENT = (400, 413, CLOSED)

REQUEST_LINES = [
    ok("\r\n" + get()),
    ok(get() + "\r\n" + get(), answers=2),
    refused("\r\n\r\n" + get()),
    refused("\n" + get()),
    refused("\r" + get()),
    refused(" " + get()),
    refused("\t" + get()),
    refused("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
    refused("GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
    refused("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
    refused("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    refused("GET /\tHTTP/1.1\r\nHost: a\r\n\r\n"),
    refused("GET / x HTTP/1.1\r\nHost: a\r\n\r\n"),
    refused("GET /\r\nHost: a\r\n\r\n"),
    refused("GET\r\nHost: a\r\n\r\n"),
    refused("GET \r\nHost: a\r\n\r\n"),
    refused("GET / \r\nHost: a\r\n\r\n"),
    refused("GET /\n\n"),
    refused("Host: a\r\n\r\n"),
    refused(": a\r\n\r\n"),
    refused("\0"),
    refused("\xff"),
    refused('{"json": 1}'),
    refused('<?xml version="1.0"?>'),
    refused("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 400, CLOSED),
    refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    refused("SSH-2.0-OpenSSH_9.7\r\n"),
    refused("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n" + get()),
    refused("\r\n\r\n\0\r\nQUIT\n"),
    refused("M" * 33 + " / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
    refused("M" * 200_000, 501, CLOSED),
    refused(get() + "x\r\n\r\n", after=1),
    refused(get() + get() + "\r\n\r\n", after=2),
    refused(get("/" + "a" * 8200), 414),
    refused(get("/" + "a" * 200_000), 414, CLOSED),
    ok(get("/" + "a" * 8000), path="/" + "a" * 8000),
]

METHODS = [
    *(ok(get("/m", method=method), method=method, path="/m") for method in ("GET", "OPTIONS", "DELETE", "PUT", "PATCH")),
    *(refused(get("/m", method=m)) for m in ("G(T", "G/T", "G:T", "G\0T", "G\xe9T", '"GET"', "GET,", "{GET}", "G[T", "G@T", "G\\T", "")),
]

VERSIONS = [
    ok(get(version="HTTP/1.0")),
    ok("GET / HTTP/1.0\r\n\r\n"),
    *(refused(get(version="HTTP/" + v), 505) for v in ("0.9", "1.2", "1.9", "2.0", "2.1", "3.0", "9.9", "0.0")),
    *(
        refused(get(version=v))
        for v in (
            "http/1.1", "Http/1.1", "HTTP/1", "HTTP/1.", "HTTP/.1", "HTTP/11", "HTTP/1,1", "HTTP /1.1", "HTTP/ 1.1",
            "HTTP/1.1x", "HTTP/1.10", "HTTP/01.1", "HTTP/-1.1", "HTTP/+1.1", "HTTP/1.x", "HTTP/x.1", "HTTPS/1.1",
            "HTP/1.1", "ICAP/1.0", "RTSP/1.0", "1.1", "HTTP", "HTTP/", "HTTP\\1.1", "HTTP/1.1\t", "\0HTTP/1.1",
            "HTTP/1\x001", "HTTP/1.\xb9",
        )
    ),
]  # fmt: skip

TARGETS = [
    *(ok(get(t), method="GET", path=t) for t in ("/", "/?", "/?a=b&c", "/a%20b", "/a%", "/:@!$&'()*+,;=", "/x?y=/../z") if t != "/?"),
    *(ok(get(t)) for t in ("//", "/a/../b", "/?", "/%zz", "/a|b^c{d}`")),
    ok(get("http://other/x?y=1"), path="/x?y=1"),
    ok(get("HTTP://OTHER:80/x"), path="/x"),
    ok(get("http://other")),
    *(
        refused(get(t))
        for t in (
            "a", "index.html", "?a", "a/b", "*", "**", "*/", "#", "/#", "/a#b", "http:/a", "http:a", "http://",
            "http:///a", "http://?a", "https://", "ftp://a/", "ws://a/", "file:///etc/passwd", "javascript:1",
            "http://u@a/", "http://u:p@a/", "http://a:b/", "http://a:65536/", "http://a:1:2/", "http://a\\b/",
            "http://[::1/", "http://[]/", "http://[g]/", "http://a%/", "http://a%zz/", "http://a|b/", "a:80",
            "httpx://a/", "/a\xe9", "/\x7f", "/\0", "/\x01", "/a\x80b", "/a\rb", "/a\nb",
        )
    ),
    *(
        refused(get(t, method="CONNECT"))
        for t in ("/", "*", "a", "a:", ":80", "a:x", "a:65536", "a:80/", "http://a/", "u@a:80", "a:80:80", "[::1]")
    ),
    *(refused(get("*", method=m)) for m in ("GET", "POST", "PUT", "options", "PRI")),
]  # fmt: skip


def line_ends():
    """Each line end of a request replaced by what is none."""
    lines = ["GET / HTTP/1.1", "Host: a", "X: y", ""]
    for index in range(len(lines)):
        for end in ("\n", "\r", "\r\r\n", "\n\r"):
            yield refused("".join(line + (end if at == index else "\r\n") for at, line in enumerate(lines)) + "GET")


FIELDS = [
    *(
        refused(post(line))
        for line in (
            "X : y", "X\t: y", "X y: z", "X", "X y", ": y", ":", "X\xe9: y", "X\0: y", "(X): y", "X/Y: z", "X@: y",
            '"X": y', "X[]: y", "X,Y: z", "X;: y", "X=: y", "{X}: y", "X\\: y", "\x7fX: y", "X?: y", "<X>: y",
            " X: y", "\tX: y", " ", "\t", " folded", "X: y\r\n z", "X: y\r\n\tz",
            "X: a\0b", "X: \0", "X: a\x01", "X: \x0b", "X: \x0cy", "X: a\x1b[0m", "X: \x7f", "X:\x08",
            "X: a\rb", "X: a\nb", "X: \r", "X:\n", "X: a\r\rb", "X: a\n\rb", "X: y\n Z: w",
        )
    ),
    refused("GET / HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n"),
    *(
        ok(post(line), method="POST", path="/p", body="")
        for line in (
            "X:", "X: ", "X:\t", "X:y", "X:  y  ", "X: \x80\xff", "X: a\tb", "X: :", "X:: y", 'x: "a\\"b"',
            "!#$%&'*+-.^_`|~: y", "0: 1",
        )
    ),
    refused(post("X: " + "y" * 33_000), 431),
    refused(post(*["X: y"] * 200), 431),
    ok(post(*["X: y"] * 100)),
]  # fmt: skip

HOSTS = [
    *(
        ok(get("/h", host=f"Host: {h}\r\n"), path="/h")
        for h in ("a", "A.B", "a:80", "a:0", "a:65535", "127.0.0.1", "127.0.0.1:8080", "[::1]", "[::1]:80", "a-b", "  a  ")
    ),
    *(
        refused(get(host=f"Host: {h}\r\n"))
        for h in (
            "", " ", ":", ":80", "a b", "a:b", "a:-1", "a:+1", "a:65536", "a:123456", "a:1:2", "a/b", "http://a", "a?b",
            "a#b", "a@b", "u:p@a", "a\\b", "a|b", 'a"b', "<a>", "a^b", "a`b", "{a}", "[", "[]", "[]:80", "[::1",
            "[::1]x", "[::1]:x", "[g::]", "[a", "a]", "::1", "b\xfccher", "a%", "a%zz", "a\tb", "a\0b", "a:80 ,b",
        )
    ),
    refused(get(host="")),
    refused(get(host="X: y\r\n")),
    refused(get("http://a/", host="")),
    refused(get(host="Host: a\r\nHost: a\r\n")),
    refused(get(host="Host: a\r\nhOST: b\r\n")),
    refused(get(host="Host: a\r\nX: y\r\nHost: a\r\n", version="HTTP/1.0")),
    refused(get(host="Host: a b\r\n", version="HTTP/1.0")),
]  # fmt: skip

LENGTHS = [
    *(ok(post(f"Content-Length:{v}", body="abc"), method="POST", body="abc") for v in ("3", " 03", " " + "0" * 30 + "3", " 3 ", "\t3")),
    ok(post("Content-Length: 0"), body=""),
    ok(post(), body=""),
    # The request inside the content is content.
    ok(post("Content-Length: 26", body="GET / HTTP/1.1\r\nHost: a\r\n\r") + get(), answers=2, body="GET / HTTP/1.1\r\nHost: a\r\n\r"),
    *(
        refused(post(f"Content-Length: {v}", body="abc"))
        for v in (
            "", " ", "-1", "+1", "-0", "1.0", "1e1", "0x1", "a", "1a", "a1", "1 1", "1,1", "3, 3", "1,", ",1", "1,2",
            "1;", '"1"', "\xb2", "18446744073709551616", "9223372036854775808", "9" * 26, "1\xa0", "1_0", "inf", "null",
            "\x0b3", "3\0",
        )
    ),
    refused(post("Content-Length: 9223372036854775807"), 413),
    refused(post("Content-Length: 99999999999999"), 413),
    refused(post("Content-Length: 3", "Content-Length: 3", body="abc")),
    refused(post("Content-Length: 3", "Content-Length: 4", body="abc")),
    refused(post("Content-Length: 0", "X: y", "content-length: 0")),
    refused(post("Content-Length : 3", body="abc")),
    refused(post("Content-Length: 1", " 2", body="abc")),
    refused(post("Content-Length: 3", body="abcd\r\n\r\n"), after=1),
]  # fmt: skip

TRANSFER_ENCODINGS = [
    *(
        ok(post(f"Transfer-Encoding: {v}", body="3\r\nabc\r\n0\r\n\r\n"), body="abc")
        for v in ("chunked", "CHUNKED", "Chunked", "  chunked\t", "chunked,", ", chunked")
    ),
    *(
        refused(post(f"Transfer-Encoding: {v}", body="0\r\n\r\n"), 400, 501)
        for v in (
            "", " ", ",", "identity", "gzip", "xchunked", "chunkedx", "chunked;q=1", "chunked ;a", '"chunked"',
            "chunked chunked", "chunked, chunked", "chunked, gzip", "chunked, identity", "gzip, chunked, chunked",
            "gzip chunked", "chun ked", "chunke", "chunked\xa0", "\xa0chunked", "\x0bchunked", "chunked\0",
            "gzip;q=0.5, chunked", "gzip, chunked", "identity, chunked", "deflate,chunked", "\r\n chunked",
        )
    ),
    *(
        refused(post(*lines, body="0\r\n\r\n"), 400, 501)
        for lines in (
            ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
            ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
            ("Transfer-Encoding: identity", "Transfer-Encoding: chunked"),
            ("Transfer-Encoding: chunked", "Transfer-Encoding:"),
        )
    ),
    *(
        refused(post(*lines, body="0\r\n\r\n"))
        for lines in (
            ("Content-Length: 5", "Transfer-Encoding: chunked"),
            ("Transfer-Encoding: chunked", "Content-Length: 5"),
            ("Transfer-Encoding: chunked", "Content-Length: 0"),
            ("Content-Length: 5", "Transfer-Encoding: gzip"),
            ("Transfer-Encoding : chunked",),
            ("Transfer-Encoding\t: chunked",),
            (" Transfer-Encoding: chunked",),
            ("X: y\nTransfer-Encoding: chunked",),
            ("X: y\rTransfer-Encoding: chunked",),
        )
    ),
    refused(post("Transfer-Encoding: chunked", body="0\r\n\r\n", version="HTTP/1.0")),
    refused(post("Transfer-Encoding: chunked", "Content-Length: 5", body="0\r\n\r\n", version="HTTP/1.0")),
    # Other names than those two frame nothing.
    *(ok(post(line), body="") for line in ("Transfer_Encoding: chunked", "X-Transfer-Encoding: chunked", "TE: chunked", "Content_Length: 3")),
]  # fmt: skip

CHUNKS = [
    *(
        ok(chunked(body) + get("/next"), answers=2, body=content)
        for body, content in (
            ("0\r\n\r\n", ""), ("00\r\n\r\n", ""), ("3\r\nabc\r\n0\r\n\r\n", "abc"), ("03\r\nabc\r\n0\r\n\r\n", "abc"),
            ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"), ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
            ("3;x\r\nabc\r\n0\r\n\r\n", "abc"), ("3;x=y\r\nabc\r\n0;z\r\n\r\n", "abc"), ("3 ;x\r\nabc\r\n0\r\n\r\n", "abc"),
            ('3;"a;b"\r\nabc\r\n0\r\n\r\n', "abc"), ("3\r\n\r\n\n\r\n0\r\n\r\n", "\r\n\n"),
            ("5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"), ("1\r\na\r\n1\r\nb\r\n0\r\n\r\n", "ab"),
            ("0\r\nX: y\r\n\r\n", ""), ("0\r\nContent-Length: 3\r\n\r\n", ""), ("0\r\nTransfer-Encoding: chunked\r\n\r\n", ""),
            ("0\r\nHost: b\r\n\r\n", ""),
        )
    ),
    *(
        refused(chunked(body), *IN_CONTENT)
        for body in (
            "\r\n", "g\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", "1x\r\n", ";x\r\n", '"1"\r\n', "00000000000000000\r\n\r\n",
            "10000000000000000\r\n", "FFFFFFFFFFFFFFFFF\r\n", "1.\r\n", "1_0\r\n", "\xb2\r\n", "\0\r\n", "1\0\r\n", "1,2\r\n",
            " 3\r\nabc\r\n", "\t3\r\n", "3 \r\nabc\r\n", "3\t\r\n", "3 4\r\n", "3;\0\r\n", "3;x\x7f\r\n",
            "3\n", "3\nabc\n0\n\n", "3\r\r\n", "3\rx", "3;x\nabc\r\n", "3;x\rabc", "\n", "0\n\r\n", "0\r\n\n", "0\r\n\rx",
            "3\r\nabcd\r\n0\r\n\r\n", "3\r\nabc0\r\n\r\n", "3\r\nabc\n0\r\n\r\n", "3\r\nabc\rx", "2\r\nabc\r\n",
            "FFFFFFFFFFFFFFFF\r\n", "8000000000000000\r\n", "7FFFFFFFFFFFFFFF\r\n",
            "3;" + "x" * 5000 + "\r\n", ("1;" + "x" * 99 + "\r\na\r\n") * 60,
            "0\r\nX\r\n\r\n", "0\r\nX : y\r\n\r\n", "0\r\n: y\r\n\r\n", "0\r\n X: y\r\n\r\n", "0\r\nX: y\r\n z\r\n\r\n",
            "0\r\nX: \0\r\n\r\n", "0\r\nX: y\n\r\n", "0\r\nX: y\r\n\n", "0\r\nX: y\rZ: w\r\n\r\n",
            "0\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
        )
    ),
    refused(chunked("0\r\nX: " + "y" * 9000 + "\r\n\r\n"), 431, *IN_CONTENT),
    refused(chunked("0\r\n" + "X: y\r\n" * 200 + "\r\n"), 431, *IN_CONTENT),
    refused(chunked("0\r\n\r\n0\r\n\r\n"), after=1),
]  # fmt: skip

EXPECTATIONS = [
    ok(post("Expect: 100-continue")),
    ok(post("Expect: 100-CONTINUE", "Content-Length: 1", body="x"), body="x"),
    *(refused(post(f"Expect: {v}"), 417) for v in ("200-ok", "", "100-continue, x", "100-continuee")),
    ok("GET / HTTP/1.0\r\nExpect: x\r\n\r\n"),
]


def bytes_everywhere():
    """Control characters and bytes over 0x7F where none may stand."""
    for byte in [*range(0x20), *range(0x7F, 0x90), 0xFF]:
        scalar = chr(byte)
        if scalar not in "\r\n":
            yield refused(get(f"/a{scalar}b"))
            yield refused(post(f"X{scalar}Y: z"))
        if scalar not in "\t\r\n" and byte < 0x80:
            yield refused(post(f"X: a{scalar}b"))


FAMILIES = {
    "request_lines": REQUEST_LINES,
    "methods": METHODS,
    "versions": VERSIONS,
    "targets": TARGETS,
    "line_ends": list(line_ends()),
    "fields": FIELDS,
    "hosts": HOSTS,
    "lengths": LENGTHS,
    "transfer_encodings": TRANSFER_ENCODINGS,
    "chunks": CHUNKS,
    "expectations": EXPECTATIONS,
    "bytes": list(bytes_everywhere()),
}
