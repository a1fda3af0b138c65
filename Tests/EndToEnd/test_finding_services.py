"""Services that registries know: of a workload's fetch and of exporters, with registries that lie, are silent or go away, and instances that die."""

import collections
import contextlib
import itertools
import json
import signal
import socket
import threading
import time
import urllib.parse

import pytest

from agents import Agent, spans
from consul import Consul
from finding import Etcd, FakeConsul, Instance
from serving import Service, metrics, wait_for
from test_discovery import NameServer, name_server  # noqa: F401

CLIENT = 3

# Fetches what it is asked to.
PROXY = """
export default {
    async fetch(request) {
        const asked = new URL(request.url).searchParams;
        const method = asked.get('method') ?? 'GET';
        let body = asked.get('body') ?? undefined;
        if (asked.has('stream')) body = new Blob([body]).stream();
        const signal = asked.has('within') ? AbortSignal.timeout(Number(asked.get('within'))) : undefined;
        try {
            const response = await fetch(asked.get('to'), { method, body, signal, duplex: body && 'half' });
            return new Response(await response.text());
        } catch (error) {
            return new Response(`${error.cause?.code ?? error.name}: ${error.cause?.message ?? error.message}`);
        }
    },
};
"""


@pytest.fixture
def stops():
    """Stops at the test's end what it is given."""
    made = []

    def add(thing):
        made.append(thing)
        return thing

    yield add
    for thing in reversed(made):
        (thing.kill if hasattr(thing, "kill") else thing.stop)()


@pytest.fixture
def consul(stops):
    return stops(FakeConsul())


@pytest.fixture
def instances(stops):
    return lambda *names: [stops(Instance(name)) for name in names]


@pytest.fixture
def etcd(stops, tmp_path):
    if not Etcd.program.exists():
        pytest.skip("there is no etcd: scripts/peers test")
    return stops(Etcd(tmp_path))


@pytest.fixture
def serve(sidelight, stops):
    """A service that fetches what it is asked to."""

    def serve(*arguments, **more):
        entry = sidelight.write("proxy.mjs", PROXY)
        return stops(Service(sidelight, entry, *arguments, **more))

    return serve


def fetch(service, to, **asked):
    return service.fetch("/?" + urllib.parse.urlencode({"to": to, **asked}))


def shares(service, to, count=60, **asked):
    return collections.Counter(fetch(service, to, **asked) for _ in range(count))


# ---- Consul


def test_a_service_in_consul_is_fetched_by_its_name_and_its_instances_get_their_shares(serve, consul, instances, receiver):
    a, b, c = instances("a", "b", "c")
    consul.put("web", (a.port, 1), (b.port, 3), (c.port, 9, "critical"))
    service = serve("--resolve", f"consul={consul.url}", receiver=receiver)
    found = shares(service, "http://web.service.consul/x?y", 200)
    assert set(found) == {"a", "b"}
    assert found["b"] > found["a"]
    assert {seen[:3] for seen in a.seen} == {("GET", "/x?y", "web.service.consul")}
    assert consul.bad == []
    # One question, and one that waits for what changes.
    assert len(consul.questions) <= 2
    span = wait_for(lambda: [span for span in receiver.spans if span.kind == CLIENT and span.attributes["network.peer.port"] == a.port])[0]
    assert span.attributes["server.address"] == "web.service.consul"
    assert span.attributes["server.port"] == 80
    assert span.attributes["network.peer.address"] == "127.0.0.1"
    assert service.end() == 0


def test_a_program_that_makes_names_lives(sidelight, consul):
    program = sidelight.write(
        "many.mjs",
        """
const one = (number) => fetch(`http://n${number}.service.consul/`).then((answer) => answer.status, (error) => error.cause?.code ?? error.name);
const seen = new Set();
for (let first = 0; first < 3000; first += 100)
    for (const answer of await Promise.all(Array.from({ length: 100 }, (_, index) => one(first + index)))) seen.add(answer);
console.log([...seen].join());
""",
    )
    done = sidelight("run", "--resolve", f"consul={consul.url}", program)
    assert (done.code, done.out) == (0, "resolve\n"), done.err


def test_what_changes_counts_at_once(serve, consul, instances):
    a, b = instances("a", "b")
    consul.put("web", a.port)
    service = serve("--resolve", f"consul={consul.url}")
    assert fetch(service, "http://web.service.consul/") == "a"
    consul.put("web", b.port)
    wait_for(lambda: fetch(service, "http://web.service.consul/") == "b", 5)
    # No time was waited for.
    assert all("index" not in question or "wait=30s" in question for question in consul.questions)
    assert set(shares(service, "http://web.service.consul/", 30)) == {"b"}


def test_tags_and_datacenters_are_asked_for(serve, consul, instances):
    (a,) = instances("a")
    consul.put("web", a.port, tags=["green"])
    service = serve("--resolve", f"consul={consul.url}")
    assert fetch(service, "http://green.web.service.consul/") == "a"
    assert "no instance of it passes its checks" in fetch(service, "http://blue.web.service.consul/")
    assert fetch(service, "http://web.service.dc1.consul/") == "a"
    assert "No path to datacenter" in fetch(service, "http://web.service.dc2.consul/")


def test_an_acl_token_is_sent_and_its_lack_is_said(serve, stops, instances, sidelight):
    (a,) = instances("a")
    consul = stops(FakeConsul(token="secret-1"))
    consul.put("web", a.port)
    without = serve("--resolve", f"consul={consul.url}")
    assert "403: Permission denied" in fetch(without, "http://web.service.consul/")
    sidelight.write("shop.yaml", json.dumps({"discovery": {"resolve": {"consul": {"url": consul.url, "token": "${TOKEN}"}}}}))
    service = serve("-c", "shop.yaml", env={"TOKEN": "secret-1"})
    assert fetch(service, "http://web.service.consul/") == "a"
    assert "secret-1" not in service.err


def test_nothing_is_lost_when_an_instance_dies(serve, consul, instances, receiver, stops):
    a, b = instances("a", "b")
    consul.put("web", a.port, b.port)
    service = serve("--resolve", f"consul={consul.url}", receiver=receiver)
    assert set(shares(service, "http://web.service.consul/")) == {"a", "b"}
    a.stop()
    # Also what must not be sent twice, since nothing of it was sent.
    assert set(shares(service, "http://web.service.consul/", 40)) == {"b"}
    assert set(shares(service, "http://web.service.consul/", 40, method="POST", body="x")) == {"b"}
    again = wait_for(lambda: [span for span in receiver.spans if span.kind == CLIENT and span.attributes.get("http.request.resend_count")])[0]
    assert again.attributes["network.peer.port"] == b.port
    (event,) = [attributes for _, name, attributes in again.events if name == "resend"]
    assert event == {"error.type": "connect", "network.peer.address": "127.0.0.1", "network.peer.port": a.port}
    # It comes back.
    stops(Instance("a again", a.port))
    wait_for(lambda: "a again" in shares(service, "http://web.service.consul/", 10), 40)


def test_a_request_that_may_have_arrived_is_repeated_only_if_that_does_no_harm(serve, consul, instances):
    a, b = instances("a", "b")
    consul.put("web", (a.port, 60_000), (b.port, 1))
    service = serve("--resolve", f"consul={consul.url}")
    a.mode = "drop"
    # a is tried first, and then left alone for a while.
    found = fetch(service, "http://web.service.consul/", method="POST", body="once")
    assert found.startswith("reset: ") or found == "b"
    posts = [seen for seen in a.seen + b.seen if seen[0] == "POST"]
    assert len(posts) == 1
    for method in ("GET", "PUT", "DELETE"):
        assert set(shares(service, "http://web.service.consul/", 10, method=method)) == {"b"}
    # All of them: it is said, and nobody is asked more than twice for one request.
    b.mode = "drop"
    before = a.count + b.count
    assert fetch(service, "http://web.service.consul/").startswith("reset: ")
    assert a.count + b.count - before <= 2
    a.mode = b.mode = "answer"
    wait_for(lambda: fetch(service, "http://web.service.consul/") in ("a", "b"), 40)


def test_bodies_that_are_streams_go_there_too(serve, consul, instances):
    (a,) = instances("a")
    consul.put("web", a.port)
    service = serve("--resolve", f"consul={consul.url}")
    # The first waits until it is found where the service is, and its body with it.
    body = "0123456789" * 300
    assert fetch(service, "http://web.service.consul/", method="POST", body=body, stream=1) == "a"
    assert a.seen[-1][3] == body.encode()


def test_an_instance_that_does_not_answer_within_the_programs_patience_is_not_taken_for_dead(serve, consul, instances):
    a, b = instances("a", "b")
    consul.put("web", (a.port, 60_000), (b.port, 1))
    service = serve("--resolve", f"consul={consul.url}")
    a.mode = "hang"
    assert any(fetch(service, "http://web.service.consul/", within=100).startswith("TimeoutError") for _ in range(3))
    a.mode = "answer"
    assert "a" in shares(service, "http://web.service.consul/", 10)


@pytest.fixture
def hole():
    """A port where connections are never accepted, nor refused."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_an_instance_that_cannot_be_reached_is_left_alone_even_if_the_program_gives_up_first(serve, consul, instances, hole):
    (b,) = instances("b")
    consul.put("web", (hole, 65_535), (b.port, 1))
    url = "http://web.service.consul/"
    assert fetch(serve("--resolve", f"consul={consul.url}"), url) == "b"
    service = serve("--resolve", f"consul={consul.url}")
    assert fetch(service, url, within=900).startswith("TimeoutError")
    assert fetch(service, url, within=900) == "b"


# ---- Registries that fail


def test_requests_go_on_while_the_registry_is_silent_gone_or_wrong(serve, consul, instances):
    a, b = instances("a", "b")
    consul.put("web", a.port)
    service = serve("--resolve", f"consul={consul.url}")
    url = "http://web.service.consul/"
    assert fetch(service, url) == "a"
    # Silent: not even new questions are answered.
    consul.silent = True
    assert set(shares(service, url, 100)) == {"a"}
    consul.stop()
    consul.silent = False
    assert set(shares(service, url, 100)) == {"a"}
    # It comes back with another truth, in another life: its index is lower.
    consul.services = {}
    consul.put("web", b.port)
    consul.restart()
    wait_for(lambda: fetch(service, url) == "b", 10)
    for answer in [(500, b"No cluster leader"), (429, b""), (200, b"<html>"), (200, b"[{}]"), (302, b"", ("Location", "/"))]:
        consul.answer = answer
        with consul.changed:
            consul.index += 1
            consul.changed.notify_all()
        assert set(shares(service, url, 20)) == {"b"}
    consul.answer = None
    consul.put("web", a.port)
    wait_for(lambda: fetch(service, url) == "a", 10)
    assert consul.bad == []


def test_a_registry_that_forgot_everything_is_not_believed_at_once(serve, consul, instances):
    (a,) = instances("a")
    consul.put("web", a.port)
    service = serve("--resolve", f"consul={consul.url}")
    assert fetch(service, "http://web.service.consul/") == "a"
    consul.put("web")
    asked = len(consul.questions)
    wait_for(lambda: len(consul.questions) > asked, 5)
    assert set(shares(service, "http://web.service.consul/", 20)) == {"a"}


@pytest.mark.parametrize(
    "answer",
    [
        (200, b""), (200, b"[" * 100_000), (200, b"null"), (200, b'{"kvs": 7}'), (200, b'[{"Service": {"Port": 99999, "Address": "a/b"}}]'),
        (404, b"\x1b[31m\0" * 99), (200, b"[" + b'{"Service":{"Address":"\\ud800","Port":1}},' * 50_000 + b"{}]"),
        (200, b"[" + b" " * (5 << 20) + b"]"), (301, b"", ("Location", "http://127.0.0.1:1/")),
    ],
)  # fmt: skip
def test_what_a_lying_registry_says_is_an_error_of_the_fetch(sidelight, consul, answer):
    consul.answer = answer
    path = sidelight.write("a.mjs", "const error = await fetch('http://web.service.consul/').catch((error) => error); console.log(error.message, error.cause.code, error.cause.message.length < 500);")
    done = sidelight("run", "--resolve", f"consul={consul.url}", path)
    assert done.out == "fetch failed resolve true\n", done.err


def test_a_registry_that_is_not_there_is_said_and_waited_for_by_the_first_alone(serve, consul):
    url = consul.url
    consul.stop()
    service = serve("--resolve", f"consul={url}")
    assert fetch(service, "http://web.service.consul/").startswith("resolve: web.service.consul: http://127.0.0.1")
    # One is silent: the first request waits, and can be given up.
    silent = FakeConsul()
    silent.silent = True
    try:
        other = serve("--resolve", f"consul={silent.url}")
        assert fetch(other, "http://web.service.consul/", within=50).startswith("TimeoutError")
    finally:
        silent.stop()


def test_the_next_server_is_asked_when_one_fails(serve, stops, instances):
    (a,) = instances("a")
    dead, alive = stops(FakeConsul()), stops(FakeConsul())
    dead.answer = (500, b"No cluster leader")
    alive.put("web", a.port)
    service = serve("--resolve", f"consul={dead.url},{alive.url}")
    assert fetch(service, "http://web.service.consul/") == "a"
    assert len(dead.questions) == 1


# ---- Other hosts


def test_hosts_are_hosts_where_nothing_says_otherwise(serve, consul, instances):
    (a,) = instances("a")
    consul.put("web", a.port)
    service = serve("--resolve", f"consul={consul.url}")
    assert fetch(service, f"http://127.0.0.1:{a.port}/") == "a"
    for host in (f"web.service.consul:{a.port}", "web.node.consul", "consul", "web.service.etcd", "_web._tcp.example", "a.b.c.service.consul"):
        assert fetch(service, f"http://{host}/").startswith("resolve: "), host
    assert consul.questions == []
    plain = serve()
    assert fetch(plain, "http://web.service.consul/").startswith("resolve: ")
    assert consul.questions == []


def test_programs_that_make_names_have_bounds(sidelight, consul, instances):
    (a,) = instances("a")
    consul.put("web", a.port)
    path = sidelight.write("a.mjs", """
        const ask = (name) => fetch(`http://${name}.service.consul/`).then((response) => response.text(), () => 'no');
        const names = Array.from({ length: 1000 }, (_, index) => `n${index}`);
        const all = [];
        for (let i = 0; i < names.length; i += 50) all.push(...await Promise.all(names.slice(i, i + 50).map(ask)));
        console.log(new Set(all).size, all[0], await ask('web'));
    """)  # fmt: skip
    done = sidelight("run", "--resolve", f"consul={consul.url}", path)
    assert done.out == "1 no a\n", done.err


def test_child_workers_find_services_too(sidelight, consul, instances):
    (a,) = instances("a")
    consul.put("web", a.port)
    sidelight.write("child.mjs", "postMessage(await (await fetch('http://web.service.consul/')).text());")
    path = sidelight.write("a.mjs", "const worker = new Worker('./child.mjs', { type: 'module' }); worker.onmessage = ({ data }) => { console.log(data); worker.terminate(); };")
    done = sidelight("run", "--resolve", f"consul={consul.url}", path)
    assert done.out == "a\n", done.err


def test_websockets_go_to_instances(sidelight, consul, instances):
    pytest.importorskip("websockets")
    from websockets.sync.server import serve

    def echo(socket):
        for message in socket:
            socket.send(f"{socket.request.headers['Host']}: {message}")

    (dead,) = instances("dead")
    with serve(echo, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        consul.put("web", (dead.port, 60_000), server.socket.getsockname()[1])
        dead.stop()
        path = sidelight.write("a.mjs", """
            const socket = new WebSocket('ws://web.service.consul/chat');
            socket.onopen = () => socket.send('hi');
            socket.onmessage = ({ data }) => { console.log(data); socket.close(); };
            socket.onerror = () => console.log('error');
        """)  # fmt: skip
        done = sidelight("run", "--resolve", f"consul={consul.url}", path)
        server.shutdown()
    assert done.out == "web.service.consul: hi\n", done.err


def test_what_came_of_it_is_counted(serve, consul, instances, receiver):
    a, b = instances("a", "b")
    consul.put("web", a.port, b.port)
    service = serve("--resolve", f"consul={consul.url}", receiver=receiver, env={"OTEL_METRIC_EXPORT_INTERVAL": 200})
    shares(service, "http://web.service.consul/", 10)
    fetch(service, "http://nobody.service.consul/")
    service.end()
    found = metrics(receiver)
    counts = {point.attributes[0].value.string_value: point.as_int or point.as_double for point in found["sidelight.fetch.services"]}
    assert counts == {"answered": 10, "unknown": 1}
    assert [point.as_int or point.as_double for point in found["sidelight.fetch.lookups"]] == [2]


# ---- etcd


def test_a_service_in_a_real_etcd_is_found_and_expires(serve, etcd, instances):
    a, b = instances("a", "b")
    etcd.put("web", a.port)
    etcd.put("web", b.port, seconds=2)
    service = serve("--resolve", f"etcd={etcd.url}")
    assert set(shares(service, "http://web.service.etcd/")) == {"a", "b"}
    assert {seen[2] for seen in a.seen} == {"web.service.etcd"}
    # Nobody keeps its lease alive.
    wait_for(lambda: set(shares(service, "http://web.service.etcd/", 20)) == {"a"}, 20)
    etcd.put("web", b.port)
    wait_for(lambda: "b" in shares(service, "http://web.service.etcd/", 20), 10)
    etcd.remove("web", a.port)
    wait_for(lambda: set(shares(service, "http://web.service.etcd/", 20)) == {"b"}, 10)


def test_a_paused_etcd_delays_nobody_and_is_right_again_soon_after(serve, etcd, instances):
    a, b = instances("a", "b")
    etcd.put("web", a.port)
    service = serve("--resolve", f"etcd={etcd.url}")
    assert fetch(service, "http://web.service.etcd/") == "a"
    etcd.signal(signal.SIGSTOP)
    end = time.monotonic() + 6
    while time.monotonic() < end:
        assert fetch(service, "http://web.service.etcd/") == "a"
    etcd.signal(signal.SIGCONT)
    etcd.put("web", b.port)
    etcd.remove("web", a.port)
    wait_for(lambda: set(shares(service, "http://web.service.etcd/", 10)) == {"b"}, 10)


def test_users_of_etcd_get_tokens_anew(serve, etcd, instances, sidelight):
    (a,) = instances("a")
    etcd.put("web", a.port)
    for name, role in (("root", "root"), ("shop", "reader")):
        if role != "root":
            etcd.call("/v3/auth/role/add", name=role)
            etcd.call("/v3/auth/role/grant", name=role, perm={"permType": "READ", "key": "L3NpZGVsaWdodC8=", "range_end": "L3NpZGVsaWdodDA="})
        else:
            etcd.call("/v3/auth/role/add", name="root")
        etcd.call("/v3/auth/user/add", name=name, password=f"{name} secret")
        etcd.call("/v3/auth/user/grant", user=name, role=role)
    etcd.call("/v3/auth/enable")
    assert "400" in fetch(serve("--resolve", f"etcd={etcd.url}"), "http://web.service.etcd/")
    sidelight.write("shop.yaml", json.dumps({"discovery": {"resolve": {"etcd": {"urls": etcd.url, "user": "shop", "password": "shop secret"}}}}))
    service = serve("-c", "shop.yaml")
    assert fetch(service, "http://web.service.etcd/") == "a"
    # Tokens live in etcd's memory.
    etcd.stop()
    etcd.start()
    token = etcd.call("/v3/auth/authenticate", name="root", password="root secret")["token"]
    (b,) = instances("b")
    etcd.put("web", b.port, token=token)
    wait_for(lambda: "b" in shares(service, "http://web.service.etcd/", 10), 15)


# ---- What --register writes


def test_what_registers_itself_is_found_until_it_dies(sidelight, serve, etcd, stops, tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    consul = stops(Consul(tmp_path, port))
    url = f"http://127.0.0.1:{port}"
    entry = sidelight.write("stock.mjs", "export default { fetch: (request) => new Response(`here: ${request.headers.get('host')}`) };")
    registry = json.dumps({"discovery": {"register": {"ttl": "3s", "consul": url, "etcd": etcd.url}}})
    sidelight.write("register.yaml", registry)
    stock = stops(Service(sidelight, entry, "-c", "register.yaml", "--service", "stock"))
    service = serve("--resolve", f"consul={url}", "--resolve", f"etcd={etcd.url}")
    for kind in ("consul", "etcd"):
        name = f"stock.service.{kind}"
        wait_for(lambda: fetch(service, f"http://{name}/") == f"here: {name}")
    stock.kill()
    # Its lease and its check run out; that there is none is believed after 30 s.
    for kind in ("consul", "etcd"):
        wait_for(lambda: "no instance of it" in fetch(service, f"http://stock.service.{kind}/"), 60)


# ---- DNS


def test_srv_records_are_fetched_by_their_name(serve, name_server, instances):  # noqa: F811
    a, b = instances("a", "b")
    name = "_web._tcp.shop.example"
    server = name_server(f"srv-host={name},a.shop.example,{a.port},0,1", "host-record=a.shop.example,127.0.0.1", f"srv-host={name},b.shop.example,{b.port},1,1", "host-record=b.shop.example,127.0.0.1")
    service = serve("--resolve", f"dns={server.place}")
    assert set(shares(service, f"http://{name}/")) == {"a"}
    assert {seen[2] for seen in a.seen} == {name}
    a.stop()
    assert set(shares(service, f"http://{name}/")) == {"b"}
    assert fetch(service, "http://_no._tcp.shop.example/").startswith("resolve: _no._tcp.shop.example: ")


# ---- Exporters


def port_of(receiver):
    return int(receiver.url.rsplit(":", 1)[1])


def test_exporters_go_to_what_consul_and_etcd_know(sidelight, consul, etcd, make_receiver, stops):
    first, second = make_receiver(), make_receiver()
    consul.put("collector", port_of(first))
    etcd.put("collector", port_of(second))
    exporters = {"one": {"kind": "otlp", "url": "consul+http://collector"}, "two": {"kind": "otlp", "url": "etcd+http://collector"}}
    agent = stops(Agent(sidelight, exporters, discovery={"resolve": {"consul": consul.url, "etcd": etcd.url}}))
    assert agent.send(spans(1, 3))
    wait_for(lambda: len(first.spans) == 3 and len(second.spans) == 3)
    third = make_receiver()
    consul.put("collector", port_of(third))
    wait_for(lambda: any("index" in question for question in consul.questions))
    first.stop()
    assert agent.send(spans(4, 3))
    wait_for(lambda: len(third.spans) == 3)
    assert 'sidelight_export_lookups_total{exporter="one",outcome="answered"}' in agent.metrics()


def test_another_registry_counts_after_a_reload(sidelight, consul, stops, make_receiver):
    first, second = make_receiver(), make_receiver()
    other = stops(FakeConsul())
    consul.put("collector", port_of(first))
    other.put("collector", port_of(second))
    exporters = {"one": {"kind": "otlp", "url": "consul+http://collector"}}
    agent = stops(Agent(sidelight, exporters, discovery={"resolve": {"consul": consul.url}}))
    assert agent.send(spans(1, 1))
    wait_for(lambda: len(first.spans) == 1)
    agent.reload(discovery={"resolve": {"consul": other.url}})
    consul.stop()
    wait_for(lambda: other.questions)

    numbers = itertools.count(2)

    def arrives():
        agent.send(spans(next(numbers), 1))
        return second.spans

    wait_for(arrives)


@pytest.mark.parametrize(
    "flag, complaint",
    [
        ("zookeeper", "is not one of consul, etcd, dns"),
        ("consul=", "is a bad URL"), ("consul=http://a/b", "is not the URL of a server alone"), ("etcd=ftp://a", "is a bad URL"),
        ("consul=http://user:pw@a", "is a bad URL"), ("dns=example.com", "is not ADDRESS:PORT of a name server"),
    ],
)  # fmt: skip
def test_a_place_that_is_none_is_a_usage_error(sidelight, flag, complaint):
    done = sidelight("run", "--resolve", flag, sidelight.write("a.mjs", ""))
    assert done.code == 2
    assert complaint in done.err
    assert "pw@" not in done.err
