"""Exporters whose endpoints DNS knows, against a real dnsmasq and against a name server that lies."""

import errno
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading

import pytest

from agents import Agent, spans
from receiver import Answer
from serving import wait_for

DNSMASQ = shutil.which("dnsmasq", path=os.environ.get("PATH", "") + ":/usr/sbin")
NAME = "_otlp._tcp.shop.example"


def lasting_port():
    """A port for UDP and TCP that stays free while its server is away: the kernel gives none of these to those who ask for any."""
    first_ephemeral = int(open("/proc/sys/net/ipv4/ip_local_port_range").read().split()[0])
    while True:
        port = random.randrange(10_000, first_ephemeral)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream:
            try:
                datagrams.bind(("127.0.0.1", port))
                stream.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class NameServer:
    """A dnsmasq on loopback, unprivileged; `records` are lines of its configuration."""

    def __init__(self, folder, *records):
        self.file = folder / "dnsmasq.conf"
        self.port = lasting_port()
        self.place = f"127.0.0.1:{self.port}"
        self.start(*records)

    def start(self, *records):
        lines = ["no-resolv", "no-hosts", "local-ttl=1", "auth-ttl=1", "bind-interfaces", "listen-address=127.0.0.1", f"port={self.port}", "log-queries", *records]
        self.file.write_text("\n".join(lines) + "\n")
        self.log = open(self.file.with_suffix(".log"), "a")
        self.process = subprocess.Popen([DNSMASQ, "--keep-in-foreground", "--log-facility=-", f"--conf-file={self.file}", "--pid-file="], stdout=self.log, stderr=self.log)
        wait_for(lambda: self.answers())

    def answers(self):
        assert self.process.poll() is None, self.file.with_suffix(".log").read_text()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(0.2)
            asker.connect(("127.0.0.1", self.port))
            try:
                asker.send(b"\0\1\1\0\0\1\0\0\0\0\0\0\1x\0\0\1\0\1")
                return asker.recv(512)
            except OSError:
                return False

    @property
    def questions(self):
        """How often the service was asked for, all starts together."""
        return self.file.with_suffix(".log").read_text().count(f"query[SRV] {NAME}")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)

    def change(self, *records):
        self.stop()
        self.start(*records)


@pytest.fixture
def name_server(tmp_path):
    if not DNSMASQ:
        pytest.skip("there is no dnsmasq: scripts/peers test")
    made = []

    def make(*records):
        made.append(NameServer(tmp_path, *records))
        return made[-1]

    yield make
    for server in made:
        server.stop()


def port_of(receiver):
    return int(receiver.url.rsplit(":", 1)[1])


def at(host, receiver, priority=0, weight=1):
    """Records that lead to a receiver by the name of a host that no other name server knows."""
    return [f"srv-host={NAME},{host}.shop.example,{port_of(receiver)},{priority},{weight}", f"host-record={host}.shop.example,127.0.0.1"]


def exporter(server, **more):
    place = getattr(server, "place", server)
    return {"kind": "otlp", "url": f"dnssrv+http://{NAME}", "resolver": place, **more}


def lookups(agent, outcome):
    found = re.search(rf'^sidelight_export_lookups_total\{{exporter="away",outcome="{outcome}"\}} (\d+)$', agent.metrics(), re.M)
    return int(found[1]) if found else 0


def endpoints(agent):
    found = re.search(r'^sidelight_export_endpoints\{exporter="away"\} (\d+)$', agent.metrics(), re.M)
    return int(found[1]) if found else 0


def names(*receivers):
    return sorted(span.name for receiver in receivers for span in receiver.spans)


def check_all(agent, count, *receivers):
    """Every span once, and books that balance."""
    wait_for(lambda: sum(len(receiver.spans) for receiver in receivers) >= count)
    assert names(*receivers) == sorted(f"GET /items/{number}" for number in range(1, count + 1))
    books = agent.check_balance()[("away", "traces")]
    assert books["received_total"] == count


def test_a_service_is_found_and_followed_when_it_moves(sidelight, make_receiver, name_server):
    old, new = make_receiver(), make_receiver()
    server = name_server(*at("old", old))
    agent = Agent(sidelight, {"away": exporter(server)})
    assert agent.send(spans(1, 10))
    wait_for(lambda: len(old.spans) == 10)
    assert old.requests[0].headers["host"] == f"old.shop.example:{port_of(old)}"
    server.change(*at("new", new))
    # Nobody fails: the old one is left for the time to live alone, which is not under 5 s.
    asked = server.questions
    wait_for(lambda: server.questions > asked)
    wait_for(lambda: agent.send(spans(11, 0)) and lookups(agent, "answered") >= 2)
    assert agent.send(spans(11, 10))
    wait_for(lambda: len(new.spans) == 10)
    assert len(old.spans) == 10
    check_all(agent, 20, old, new)
    assert agent.end() == 0


def test_one_that_is_gone_is_left_at_once(sidelight, make_receiver, name_server):
    old, new = make_receiver(), make_receiver()
    server = name_server(*at("old", old, priority=1), *at("new", new, priority=2))
    agent = Agent(sidelight, {"away": exporter(server)})
    assert agent.send(spans(1, 10))
    wait_for(lambda: len(old.spans) == 10)
    old.default = Answer(reset=True)
    assert agent.send(spans(11, 10))
    check_all(agent, 20, old, new)
    assert len(new.spans) == 10
    assert agent.end() == 0


def test_weights_are_shares(sidelight, make_receiver, name_server):
    much, little = make_receiver(), make_receiver()
    server = name_server(*at("much", much, weight=9), *at("little", little, weight=1))
    agent = Agent(sidelight, {"away": exporter(server)})
    for number in range(200):
        assert agent.send(spans(number + 1, 1))
        wait_for(lambda: len(much.spans) + len(little.spans) > number)
    check_all(agent, 200, much, little)
    # 180 of 200 on average, with a deviation of 4.2.
    assert 150 < len(much.spans) < 199
    assert agent.end() == 0


def test_without_dns_what_is_known_stands_and_it_is_said_once(sidelight, make_receiver, name_server):
    receiver = make_receiver()
    server = name_server(*at("a", receiver))
    agent = Agent(sidelight, {"away": exporter(server)})
    assert agent.send(spans(1, 10))
    wait_for(lambda: len(receiver.spans) == 10)
    server.stop()
    wait_for(lambda: lookups(agent, "failed") >= 2, seconds=40)
    assert endpoints(agent) == 1
    assert agent.send(spans(11, 10))
    check_all(agent, 20, receiver)
    said = [line for line in agent.err.splitlines() if NAME in line and "going on with the endpoint of before" in line]
    assert len(said) == 1, agent.err
    server.start(*at("a", receiver))
    wait_for(lambda: "the name server answers again" in agent.err, seconds=40)
    assert agent.end() == 0


def test_what_comes_before_there_is_an_answer_is_kept(sidelight, make_receiver, name_server):
    receiver = make_receiver()
    server = name_server()
    agent = Agent(sidelight, {"away": exporter(server)})
    assert agent.send(spans(1, 10))
    wait_for(lambda: lookups(agent, "failed") >= 1)
    assert f"away: {NAME}: name servers cannot be reached, or refuse to answer; asking again" in agent.err, agent.err
    assert agent.check_balance()[("away", "traces")]["queued"] == 10
    agent.kill()
    server.change(*at("a", receiver))
    agent.restart()
    check_all(agent, 10, receiver)
    assert agent.end() == 0


def test_another_name_is_taken_over_while_it_runs(sidelight, make_receiver, name_server):
    one, two = make_receiver(), make_receiver()
    other = f"srv-host=_other._tcp.shop.example,a.shop.example,{port_of(two)}"
    server = name_server(*at("a", one), other)
    agent = Agent(sidelight, {"away": exporter(server)})
    assert agent.send(spans(1, 10))
    agent.reload(exporters={"away": {**exporter(server), "url": "dnssrv+http://_other._tcp.shop.example"}})
    assert agent.send(spans(11, 10))
    wait_for(lambda: names(one, two) == sorted(f"GET /items/{number}" for number in range(1, 21)))
    assert len(two.spans) >= 10
    agent.check_balance()
    assert agent.end() == 0


def test_grpc_goes_to_the_service_too(sidelight, name_server, tmp_path):
    from grpc_backend import GRPCBackend

    backend = GRPCBackend()
    try:
        host, port = backend.url.removeprefix("http://").rsplit(":", 1)
        server = name_server(f"srv-host={NAME},g.shop.example,{port}", "host-record=g.shop.example,127.0.0.1")
        agent = Agent(sidelight, {"away": {**exporter(server), "kind": "otlp-grpc"}})
        assert agent.send(spans(1, 10))
        wait_for(lambda: len(backend.spans) == 10)
        assert agent.end() == 0
    finally:
        backend.stop()


def both_at_one_port():
    """A UDP and a listening TCP socket of the same port: one that is free for both, since a port free for one may be taken for the other."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        try:
            return udp, socket.create_server(("127.0.0.1", udp.getsockname()[1]))
        except OSError as error:
            udp.close()
            if error.errno != errno.EADDRINUSE:
                raise


class Liar:
    """A name server that answers every question with what `answer` makes of the query: whole messages, or None for nothing. UDP and TCP."""

    def __init__(self, answer):
        self.answer = answer
        self.udp, self.tcp = both_at_one_port()
        self.place = f"127.0.0.1:{self.udp.getsockname()[1]}"
        for body in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=body, daemon=True).start()

    def serve_udp(self):
        while True:
            try:
                query, peer = self.udp.recvfrom(4096)
                if (answer := self.answer(query, False)) is not None:
                    self.udp.sendto(answer, peer)
            except OSError:
                return

    def serve_tcp(self):
        while True:
            try:
                connection, _ = self.tcp.accept()
                with connection:
                    while length := connection.recv(2):
                        query = connection.recv(struct.unpack("!H", length)[0])
                        if (answer := self.answer(query, True)) is not None:
                            connection.sendall(struct.pack("!H", len(answer)) + answer)
            except OSError:
                return

    def stop(self):
        self.udp.close()
        self.tcp.close()


def reply(query, records=(), flags=0x8180):
    """A reply with SRV records in its answer section, names written out in full behind a pointer to the question."""
    end = query.index(b"\0", 12) + 5
    message = query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0) + query[12:end]
    for data in records:
        message += b"\xc0\x0c" + struct.pack("!HHIH", 33, 1, 1, len(data)) + data
    return message


def kind_of(query):
    end = query.index(b"\0", 12)
    return struct.unpack("!H", query[end + 1 : end + 3])[0]


def srv(port, target=b"\1a\0", priority=0, weight=0):
    return struct.pack("!HHH", priority, weight, port) + target


HOSTILE = {
    "nothing": lambda query, is_tcp: None,
    "noise": lambda query, is_tcp: query[:2] + os.urandom(300),
    "empty": lambda query, is_tcp: b"",
    "cut": lambda query, is_tcp: reply(query, [srv(1)])[:-3],
    "port 0": lambda query, is_tcp: reply(query, [srv(0)]),
    "circle": lambda query, is_tcp: (message := reply(query, [srv(1, b"\xc0\x00")]))[:-1] + bytes([len(message) - 2]),
    "alias of itself": lambda query, is_tcp: reply(query, []) [:6] + b"\0\1\0\0\0\0" + query[12 : query.index(b"\0", 12) + 5] + b"\xc0\x0c\0\5\0\1\0\0\0\1\0\2\xc0\x0c",
    "ten thousand": lambda query, is_tcp: (reply(query, [srv(1, bytes([4]) + b"%04d" % n + b"\0") for n in range(2_500)]) if is_tcp else reply(query, flags=0x8380)) if kind_of(query) == 33 else reply(query),
    "always truncated": lambda query, is_tcp: reply(query, flags=0x8380),
    "huge count": lambda query, is_tcp: reply(query, [srv(1)])[:6] + b"\xff\xff" + reply(query, [srv(1)])[8:],
}


@pytest.mark.parametrize("lie", HOSTILE)
def test_a_name_server_that_lies_does_no_harm(sidelight, make_receiver, lie):
    liar, receiver = Liar(HOSTILE[lie]), make_receiver()
    try:
        # The other exporter goes on meanwhile, and the receiver answers.
        agent = Agent(sidelight, {"away": exporter(liar), "here": receiver})
        assert agent.send(spans(1, 10))
        wait_for(lambda: len(receiver.spans) == 10)
        wait_for(lambda: lookups(agent, "failed") >= 1, seconds=40)
        assert endpoints(agent) == 0
        assert agent.check_balance()[("away", "traces")]["queued"] == 10
        with open(f"/proc/{agent.process.pid}/status") as status:
            assert int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) < 150_000
        assert agent.end() == 0
    finally:
        liar.stop()


def test_thousands_of_records_are_a_few_endpoints(sidelight, make_receiver):
    receiver = make_receiver()
    address = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x7f\0\0\1"

    def answer(query, is_tcp):
        if kind_of(query) == 33:
            if not is_tcp:
                return reply(query, flags=0x8380)
            return reply(query, [srv(port_of(receiver), bytes([4]) + b"%04d" % n + b"\0") for n in range(2_500)])
        if kind_of(query) == 1:
            end = query.index(b"\0", 12) + 5
            return query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + query[12:end] + address
        return reply(query)

    liar = Liar(answer)
    try:
        agent = Agent(sidelight, {"away": exporter(liar)})
        assert agent.send(spans(1, 10))
        check_all(agent, 10, receiver)
        assert endpoints(agent) == 64
        assert agent.end() == 0
    finally:
        liar.stop()


@pytest.mark.parametrize(
    "url, words",
    [
        (f"dnssrv+http://{NAME}:4318", "the port is what its SRV records say: leave it out"),
        ("dnssrv+http://127.0.0.1", '"127.0.0.1" is no name in DNS'),
        (f"dnssrv+ftp://{NAME}", "what DNS knows by SRV records is written as in dnssrv+http://_otlp._tcp.example.com"),
        (f"srv://{NAME}", "what DNS knows by SRV records is written as in dnssrv+http://_otlp._tcp.example.com"),
    ],
)
def test_what_is_no_service_is_told(sidelight, url, words):
    sidelight.write("sidelight.yaml", f"exporters: {{away: {{kind: otlp, url: '{url}'}}}}\n")
    result = sidelight("check", "config", "sidelight.yaml")
    assert result.code == 2
    assert words in result.err + result.out


def test_a_resolver_is_an_address(sidelight):
    sidelight.write("sidelight.yaml", f"exporters: {{away: {{kind: otlp, url: 'dnssrv+http://{NAME}', resolver: localhost:53}}}}\n")
    result = sidelight("check", "config", "sidelight.yaml")
    assert result.code == 2
    assert '"localhost:53" is not ADDRESS:PORT of a name server, as in 127.0.0.1:8600' in result.err + result.out
