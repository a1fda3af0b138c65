"""Workloads and agents that make themselves known: to a real etcd, to a strict Consul, to Prometheus, and over Avahi; with registries that forget, hang, lose
their leader and are cut off, and processes that are killed."""

import base64
import json
import re
import signal
import socket
import statistics
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

import avahi
from agents import Agent
from consul import Consul
from finding import Etcd, coded
from prometheus import BINARIES
from prometheus import Prometheus
from serving import wait_for

APP = "export default { fetch() { return new Response('here'); } };"
HOST = socket.gethostname().split(".")[0]
TTL = 3  # seconds, of the instances here
INTERVAL = TTL / 3
# What is asked for is there within an interval after the registry works; a busy machine takes its time.
SOON = INTERVAL + 5


@pytest.fixture
def stops():
    """Stops at the test's end what it is given."""
    made = []

    def add(thing):
        made.append(thing)
        return thing

    yield add
    for thing in reversed(made):
        thing.stop()


def free_port(host="127.0.0.1"):
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


@pytest.fixture
def consul(stops, tmp_path):
    consul = stops(Consul(tmp_path, free_port()))
    yield consul
    assert consul.complaints == []


@pytest.fixture
def etcd(stops, tmp_path):
    if not Etcd.program.exists():
        pytest.skip("there is no etcd: scripts/peers test")
    return stops(Etcd(tmp_path))


@pytest.fixture
def shop(serve, tmp_path):
    """Serves the shop with this under `discovery.register`."""

    def make(register, *arguments, **options):
        file = tmp_path / f"shop-{time.monotonic_ns()}.yaml"
        file.write_text(json.dumps({"discovery": {"register": {"ttl": f"{TTL}s", **register}}}))
        return serve(APP, "--config", file, "--service", "shop", "--log-level", "info", *arguments, **options)

    return make


def etcd_instances(etcd, token=None):
    """What is there of the service, with its lease."""
    answer = etcd.call("/v3/kv/range", token, key=coded("/sidelight/services/shop/"), range_end=coded("/sidelight/services/shop0"))
    return {base64.b64decode(pair["key"]).decode(): (json.loads(base64.b64decode(pair["value"])), pair.get("lease", "0")) for pair in answer.get("kvs", [])}


def page(service, path):
    with urllib.request.urlopen(service.admin + path, timeout=10) as answer:
        return answer.headers["content-type"], answer.read().decode()


def counters(service, name):
    """The values of one of its own counters or gauges, by their sorted labels."""
    found = {}
    for labels, value in re.findall(rf"^{name}{{(.*)}} (\d+)$", page(service, "/metrics")[1], re.M):
        found[tuple(sorted(re.findall(r'(\w+)="([^"]*)"', labels)))] = int(value)
    return found


# ---- Consul


def test_consul_has_it_while_it_serves(shop, consul):
    service = shop({"consul": consul.url, "tags": ["v2", "canary"], "meta": {"team": "web"}, "weight": 7}, "--admin", "127.0.0.1:0")
    id = f"shop-{HOST}-{service.port}"
    [instance] = wait_for(lambda: consul.instances("shop"))
    process = instance["Meta"].pop("sidelight-process")
    assert re.fullmatch(r"[0-9a-f-]{36}", process)
    place = service.admin.removeprefix("http://")
    assert instance["Meta"] == {"team": "web", "metrics": place, "scheme": "http"}
    assert (instance["ID"], instance["Address"], instance["Port"]) == (id, "127.0.0.1", service.port)
    assert (instance["Tags"], instance["Weights"]) == (["v2", "canary"], {"Passing": 7, "Warning": 1})
    time.sleep(TTL + INTERVAL)  # longer than it is believed without a word
    assert len(consul.instances("shop")) == 1
    type, text = page(service, "/api/v1/registrations")
    [registration] = json.loads(text)["registrations"]
    assert type == "application/json"
    assert int(registration.pop("since")) > 1e18
    assert registration == {"registry": "consul", "service": "shop", "id": id, "place": f"127.0.0.1:{service.port}", "state": "registered"}
    states = counters(service, "sidelight_registrations")
    assert {labels: count for labels, count in states.items() if count} == {(("registry", "consul"), ("state", "registered")): 1}
    assert counters(service, "sidelight_registry_answers_total")[("outcome", "beaten"), ("registry", "consul")] >= 2
    assert service.end() == 0
    assert consul.services == {}
    assert f"consul: {id} is taken out" in service.err


def test_who_is_killed_is_critical_and_comes_back_under_its_id(shop, consul):
    port = free_port()
    service = shop({"consul": consul.url}, listen=f"127.0.0.1:{port}")
    wait_for(lambda: consul.instances("shop"))
    service.kill()
    wait_for(lambda: not consul.instances("shop"), TTL + 5)
    assert len(consul.instances("shop", passing=False)) == 1
    service = shop({"consul": consul.url}, listen=f"127.0.0.1:{port}")
    wait_for(lambda: consul.instances("shop"), SOON)
    assert list(consul.services) == [f"shop-{HOST}-{port}"]
    service.end()
    assert consul.services == {}


@pytest.mark.parametrize("forgets", [False, True])
def test_a_consul_that_is_started_again(shop, consul, forgets):
    service = shop({"consul": consul.url})
    wait_for(lambda: "is registered as" in service.err)
    consul.kill(forgets)
    wait_for(lambda: "cannot be kept registered" in service.err)
    consul.start()
    wait_for(lambda: len(consul.instances("shop")) == 1, SOON)
    assert ("does not know" in service.err) == forgets
    wait_for(lambda: "can be kept registered again" in service.err)


def test_what_somebody_takes_out_of_consul_is_entered_again(shop, consul):
    service = shop({"consul": consul.url})
    [instance] = wait_for(lambda: consul.instances("shop"))
    wait_for(lambda: "is registered as" in service.err)
    consul.put(f"/v1/agent/service/deregister/{instance['ID']}")
    wait_for(lambda: consul.instances("shop"), SOON)
    assert "does not know" in service.err


def test_a_consul_without_a_leader(shop, consul):
    consul.lose_leader()
    service = shop({"consul": consul.url})
    wait_for(lambda: "No cluster leader" in service.err)
    assert service.fetch() == "here"
    consul.lose_leader(False)
    wait_for(lambda: consul.instances("shop"), SOON)
    consul.lose_leader()
    time.sleep(TTL + INTERVAL)
    consul.lose_leader(False)
    wait_for(lambda: len(consul.instances("shop")) == 1, SOON)


def test_tokens(shop, stops, tmp_path):
    consul = stops(Consul(tmp_path, free_port(), token="secret"))
    service = shop({"consul": {"url": consul.url, "token": "wrong"}}, "--admin", "127.0.0.1:0")
    wait_for(lambda: "Permission denied" in service.err)
    assert json.loads(page(service, "/api/v1/registrations")[1])["registrations"][0]["state"] == "failing"
    assert counters(service, "sidelight_registry_answers_total")[("outcome", "denied"), ("registry", "consul")] > 0
    assert "wrong" not in service.err
    began = time.monotonic()
    assert service.end() == 0
    assert time.monotonic() - began < 5
    shop({"consul": consul.url}, env={"CONSUL_HTTP_TOKEN": "secret"})
    wait_for(lambda: consul.instances("shop"))
    assert consul.complaints == []


def test_two_with_one_id_are_both_there(shop, consul):
    """The same host and port, at two addresses."""
    port = free_port()
    first = shop({"consul": consul.url}, listen=f"127.0.0.1:{port}")
    wait_for(lambda: consul.instances("shop"))
    second = shop({"consul": consul.url}, listen=f"127.0.0.2:{port}")
    wait_for(lambda: "is another's, at 127.0.0.1" in second.err)
    found = wait_for(lambda: len(found := consul.instances("shop")) == 2 and found)
    assert sorted(instance["Address"] for instance in found) == ["127.0.0.1", "127.0.0.2"]
    time.sleep(TTL + INTERVAL)
    assert len(consul.instances("shop")) == 2
    assert "another's" not in first.err
    second.end()
    assert [instance["Address"] for instance in consul.instances("shop")] == ["127.0.0.1"]


def test_the_end_does_not_wait_for_a_consul_that_hangs(shop, consul):
    service = shop({"consul": consul.url})
    wait_for(lambda: consul.instances("shop"))
    consul.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    assert service.end() == 0
    assert time.monotonic() - began < 8
    assert "could not be taken out in time" in service.err
    consul.process.send_signal(signal.SIGCONT)


def test_what_is_no_registry_is_told_and_asked_no_more_often(shop, consul, etcd):
    """Each of the two is asked as if it were the other."""
    service = shop({"consul": etcd.url, "etcd": consul.url}, "--admin", "127.0.0.1:0")
    wait_for(lambda: "consul: " in service.err and "etcd: " in service.err)
    time.sleep(4 * INTERVAL)
    assert service.fetch() == "here"
    asked = counters(service, "sidelight_registry_answers_total")
    for registry in ("consul", "etcd"):
        assert 1 < asked[("outcome", "refused"), ("registry", registry)] < 30, asked
    # Each once; health says it, too, to who asked for more.
    told = [line for line in service.err.splitlines() if "cannot be kept registered" in line and "registry/" not in line]
    assert len(told) == 2
    assert service.end() == 0
    (consul.data / "complaints").unlink(missing_ok=True)


# ---- etcd


def test_etcd_has_it_while_it_serves(shop, etcd):
    service = shop({"etcd": etcd.url, "tags": ["v2"], "meta": {"team": "web"}, "weight": 7})
    [(key, (value, lease))] = wait_for(lambda: etcd_instances(etcd)).items()
    id = f"shop-{HOST}-{service.port}"
    assert key == f"/sidelight/services/shop/{id}"
    assert value["Meta"].pop("sidelight-process")
    assert value == {
        "Name": "shop", "ID": id, "Address": "127.0.0.1", "Port": service.port, "Tags": ["v2"], "Meta": {"team": "web", "scheme": "http"}, "Weight": 7,
    }  # fmt: skip
    assert int(lease) > 0
    time.sleep(TTL + INTERVAL)
    assert list(etcd_instances(etcd)) == [key]
    assert service.end() == 0
    assert etcd_instances(etcd) == {}
    with pytest.raises(urllib.error.HTTPError):
        etcd.call("/v3/lease/revoke", ID=lease)


def test_who_is_killed_is_gone_from_etcd_and_comes_back(shop, etcd):
    port = free_port()
    service = shop({"etcd": etcd.url}, listen=f"127.0.0.1:{port}")
    wait_for(lambda: etcd_instances(etcd))
    service.kill()
    # At once, while what the crashed one has left is still there.
    service = shop({"etcd": etcd.url}, listen=f"127.0.0.1:{port}")
    process = wait_for(lambda: "is registered as" in service.err and etcd_instances(etcd))
    time.sleep(TTL + 2)
    assert etcd_instances(etcd) == process
    service.kill()
    wait_for(lambda: not etcd_instances(etcd), TTL + 10)


@pytest.mark.parametrize("forgets", [False, True])
def test_an_etcd_that_is_started_again(shop, etcd, forgets, tmp_path):
    service = shop({"etcd": etcd.url})
    wait_for(lambda: "is registered as" in service.err)
    etcd.stop()
    if forgets:
        (tmp_path / "etcd").rename(tmp_path / "etcd-before")
    wait_for(lambda: "cannot be kept registered" in service.err)
    etcd.start()
    wait_for(lambda: etcd_instances(etcd), SOON)
    time.sleep(TTL + INTERVAL)
    wait_for(lambda: len(etcd_instances(etcd)) == 1, SOON)
    service.end()
    assert etcd_instances(etcd) == {}


def test_a_key_that_somebody_deletes_is_entered_again(shop, etcd):
    service = shop({"etcd": etcd.url})
    wait_for(lambda: "is registered as" in service.err)
    etcd.remove("shop", f"{HOST}-{service.port}")
    etcd.call("/v3/kv/deleterange", key=coded(f"/sidelight/services/shop/shop-{HOST}-{service.port}"))
    assert not etcd_instances(etcd)
    wait_for(lambda: etcd_instances(etcd), SOON)
    assert "does not know" in service.err


def test_users_of_etcd(shop, etcd):
    for path, body in [
        ("/v3/auth/user/add", {"name": "root", "password": "toor"}), ("/v3/auth/role/add", {"name": "root"}),
        ("/v3/auth/user/grant", {"user": "root", "role": "root"}), ("/v3/auth/user/add", {"name": "shop", "password": "hunter2"}),
        ("/v3/auth/role/add", {"name": "shop"}), ("/v3/auth/user/grant", {"user": "shop", "role": "shop"}),
        ("/v3/auth/role/grant", {"name": "shop", "perm": {"permType": "READWRITE", "key": coded("/sidelight/services/shop/"), "range_end": coded("/sidelight/services/shop0")}}),
        ("/v3/auth/enable", {}),
    ]:  # fmt: skip
        etcd.call(path, **body)

    def instances():
        token = etcd.call("/v3/auth/authenticate", name="root", password="toor")["token"]
        return etcd_instances(etcd, token)

    wrong = shop({"etcd": {"urls": [etcd.url], "user": "shop", "password": "wrong"}})
    wait_for(lambda: "authentication failed" in wrong.err)
    nobody = shop({"etcd": etcd.url})
    wait_for(lambda: "etcd answers" in nobody.err)
    assert not instances()
    service = shop({"etcd": {"urls": [etcd.url], "user": "shop", "password": "hunter2"}})
    wait_for(instances)
    # Its tokens are gone with it.
    etcd.stop()
    etcd.start()
    time.sleep(TTL + INTERVAL)
    wait_for(lambda: len(instances()) == 1, SOON)
    for one in (wrong, nobody, service):
        assert one.end() == 0
        assert "hunter2" not in one.err
    assert not instances()


class Cluster:
    """A real etcd of three members."""

    def __init__(self, folder):
        self.members = []
        peers = [f"http://127.0.0.1:{free_port()}" for _ in range(3)]
        cluster = ",".join(f"m{number}={peer}" for number, peer in enumerate(peers))
        for number, peer in enumerate(peers):
            url = f"http://127.0.0.1:{free_port()}"
            command = [
                Etcd.program, "--name", f"m{number}", "--data-dir", folder / f"m{number}", "--listen-client-urls", url, "--advertise-client-urls", url,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", cluster, "--log-level", "error",
            ]  # fmt: skip
            self.members.append(Member(command, url, folder / f"m{number}.log"))
        for member in self.members:
            member.start()
        wait_for(lambda: all(member.is_healthy() for member in self.members), 40)

    @property
    def urls(self):
        return [member.url for member in self.members]

    @property
    def leader(self):
        for member in self.members:
            try:
                status = member.call("/v3/maintenance/status")
            except OSError:
                continue
            if status.get("leader") == status["header"]["member_id"]:
                return member

    def stop(self):
        for member in self.members:
            member.stop()


class Member(Etcd):
    def __init__(self, command, url, log):
        self.command, self.url, self.path = command, url, log

    def start(self):
        self.log = open(self.path, "a")
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def is_healthy(self):
        try:
            return "true" in urllib.request.urlopen(self.url + "/health", timeout=1).read().decode()
        except OSError:
            return False


def test_a_cluster_that_loses_its_leader_and_its_quorum(shop, etcd, stops, tmp_path):
    cluster = stops(Cluster(tmp_path))
    service = shop({"etcd": {"urls": cluster.urls}, "ttl": "6s"})
    first = wait_for(lambda: etcd_instances(cluster.members[0]))
    leader = cluster.leader
    leader.process.send_signal(signal.SIGSTOP)
    left = [member for member in cluster.members if member is not leader]
    wait_for(lambda: cluster_has_leader(left), 30)
    time.sleep(8)  # longer than the lease
    assert list(etcd_instances(left[0])) == list(first)
    # A second one: nothing can be written any more.
    left[0].process.send_signal(signal.SIGSTOP)
    wait_for(lambda: "cannot be kept registered" in service.err, 30)
    assert service.fetch() == "here"
    for member in (leader, left[0]):
        member.process.send_signal(signal.SIGCONT)
    wait_for(lambda: all(member.is_healthy() for member in cluster.members), 40)
    wait_for(lambda: etcd_instances(left[1]), SOON + 4)
    assert service.end() == 0
    assert etcd_instances(left[1]) == {}


def cluster_has_leader(members):
    try:
        return all(member.call("/v3/maintenance/status").get("leader", "0") != "0" and member.is_healthy() for member in members)
    except OSError:
        return False


# ---- Registries that hang and are cut off, under load


class Relay:
    """Stands between a process and a registry, and can cut them off: what it was given is taken, and nothing comes out."""

    def __init__(self, port):
        self.target = port
        self.is_cut = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.pairs = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.pairs.append(client)
            if self.is_cut:
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
            except OSError:
                client.close()
                continue
            self.pairs.append(server)
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    def pump(self, source, sink):
        try:
            while data := source.recv(65536):
                if not self.is_cut:
                    sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.listener.close()
        for one in self.pairs:
            one.close()


class Load:
    """Requests one after the other, on two connections; how long each took."""

    def __init__(self, service):
        self.service = service
        self.times = []
        self.failures = []
        self.is_over = False
        self.threads = [threading.Thread(target=self.run) for _ in range(2)]
        for thread in self.threads:
            thread.start()

    def run(self):
        with self.service.connect() as connection:
            while not self.is_over:
                began = time.monotonic()
                try:
                    connection.request("/")
                    status, _, content = connection.response()
                    if status != 200 or content != b"here":
                        self.failures.append((status, content))
                except (OSError, AssertionError) as error:
                    self.failures.append(error)
                    return
                self.times.append(time.monotonic() - began)
                time.sleep(0.002)

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()
        assert not self.failures, self.failures[:3]
        return sorted(self.times)


@pytest.mark.parametrize("kind", ["consul", "etcd"])
def test_registries_that_hang_or_are_cut_off_slow_nobody_down(shop, consul, etcd, stops, kind):
    registry = {"consul": consul, "etcd": etcd}[kind]
    instances = (lambda: consul.instances("shop")) if kind == "consul" else lambda: etcd_instances(etcd)
    relay = stops(Relay(int(registry.url.rsplit(":", 1)[1])))
    service = shop({kind: relay.url})
    wait_for(instances)
    load = Load(service)
    time.sleep(3)
    untouched = load.end()
    load = Load(service)
    for trouble in ("stopped", "cut off", "killed"):
        if trouble == "stopped":
            registry.process.send_signal(signal.SIGSTOP)
        elif trouble == "cut off":
            relay.is_cut = True
        else:
            registry.stop()
        time.sleep(TTL + INTERVAL)
        if trouble == "stopped":
            registry.process.send_signal(signal.SIGCONT)
        elif trouble == "cut off":
            # Its lease or check is over by now.
            wait_for(lambda: not instances(), 5)
            relay.is_cut = False
        else:
            registry.start()
        began = time.monotonic()
        # The lease of before may still run out, and the next one come.
        wait_for(lambda: len(instances()) == 1, SOON)
        print(kind, trouble, "right again after", round(time.monotonic() - began, 2), "s")
    troubled = load.end()
    percentile = lambda times, share: times[int(len(times) * share)]
    print(kind, {name: [round(percentile(times, share) * 1e3, 2) for share in (0.5, 0.99)] for name, times in (("untouched", untouched), ("troubled", troubled))}, "ms")
    # A worker that waited for a registry would wait for seconds.
    assert percentile(troubled, 0.99) < 10 * percentile(untouched, 0.99) + 0.1
    assert statistics.median(troubled) < 3 * statistics.median(untouched) + 0.01


# ---- Prometheus


def test_prometheus_finds_it_by_file_and_by_http(shop, stops, tmp_path):
    if not (BINARIES / "prometheus").exists():
        pytest.skip("there is no Prometheus: scripts/peers test")
    file = tmp_path / "targets.json"
    service = shop({"labels": {"env": "test"}, "tags": ["v2"], "file-sd": str(file)}, "--admin", "127.0.0.1:0")
    [group] = json.loads(wait_for(lambda: file.exists() and file.read_text()))
    place = service.admin.removeprefix("http://")
    assert group["targets"] == [place]
    assert group["labels"]["service"] == "shop" and group["labels"]["env"] == "test" and group["labels"]["__meta_sidelight_tags"] == ",v2,"
    type, text = page(service, "/api/v1/sd")
    assert type == "application/json" and json.loads(text) == [group]
    prometheus = stops(Discovering(tmp_path / "prometheus", file, service.admin + "/api/v1/sd"))
    up = wait_for(lambda: len(found := prometheus.query("up == 1", time.time())) == 2 and found, 40)
    for labels, _ in up:
        assert (labels["service"], labels["env"], labels["instance"], labels["shop_id"]) == ("shop", "test", place, f"shop-{HOST}-{service.port}")
    assert not re.search("level=error", prometheus.messages.read_text())
    # Somebody empties the file, and it is written again.
    file.write_text("[]")
    wait_for(lambda: json.loads(file.read_text()) == [group], SOON)
    assert service.end() == 0
    assert not file.exists()
    assert list(tmp_path.glob("targets*")) == []
    targets = wait_for(lambda: (found := prometheus.get("targets")["activeTargets"]) and len(found) == 1 and found, 30)
    assert targets[0]["scrapePool"] == "http"


class Discovering(Prometheus):
    """Scrapes what it finds."""

    def __init__(self, folder, file, url):
        self.config = f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- job_name: file
  file_sd_configs: [{{files: ['{file}'], refresh_interval: 1s}}]
  relabel_configs: [{{source_labels: [__meta_sidelight_id], target_label: shop_id}}]
- job_name: http
  http_sd_configs: [{{url: '{url}', refresh_interval: 1s}}]
  relabel_configs: [{{source_labels: [__meta_sidelight_id], target_label: shop_id}}]
"""
        super().__init__(folder)


def test_a_file_that_cannot_be_written_is_said_and_the_workload_serves(shop, tmp_path):
    service = shop({"file-sd": str(tmp_path / "no-such-folder" / "t.json")}, "--admin", "127.0.0.1:0")
    wait_for(lambda: "its folder is not there; it is tried again and again" in service.err)
    assert service.fetch() == "here"
    (tmp_path / "no-such-folder").mkdir()
    wait_for(lambda: (tmp_path / "no-such-folder" / "t.json").exists(), SOON)


# ---- DNS-SD


@pytest.fixture
def cable(stops, tmp_path):
    if reason := avahi.reason_to_skip():
        pytest.skip(reason)
    return stops(avahi.Cable(tmp_path))


def test_another_machine_finds_it_over_avahi(shop, cable):
    service = shop({"dns-sd": {}, "meta": {"path": "/shop"}, "tags": ["v2"]}, env=cable.a.environment)
    id = f"shop-{HOST}-{service.port}"[:63]
    found = wait_for(lambda: cable.b.browse("_http._tcp"), 30)
    assert list(found) == [id]
    host, address, port, texts = found[id]
    assert (host, address, port) == ("machine-a.local", "10.99.0.1", service.port)
    assert '"service=shop"' in texts and '"path=/shop"' in texts and '"tags=v2"' in texts and '"txtvers=1"' in texts
    # The daemon is started again, and knows nothing.
    cable.a.stop("daemon")
    cable.a.start_daemon()
    wait_for(lambda: id in cable.a.browse("_http._tcp"), SOON + 10)
    wait_for(lambda: id in cable.b.browse("_http._tcp"), SOON + 10)
    # So is D-Bus.
    cable.a.stop("daemon")
    cable.a.stop("bus")
    wait_for(lambda: "cannot be kept registered" in service.err, 30)
    assert service.fetch() == "here"
    cable.a.start_bus()
    cable.a.start_daemon()
    wait_for(lambda: id in cable.b.browse("_http._tcp"), SOON + 15)
    assert service.end() == 0
    wait_for(lambda: id not in cable.b.browse("_http._tcp"), 10)


def test_what_is_killed_is_gone_from_avahi_and_a_daemon_that_hangs_hurts_nobody(shop, cable):
    service = shop({"dns-sd": "_shop._tcp"}, env=cable.a.environment)
    wait_for(lambda: cable.b.browse("_shop._tcp"), 30)
    cable.a.processes["daemon"].send_signal(signal.SIGSTOP)
    time.sleep(TTL)
    assert service.fetch() == "here"
    cable.a.processes["daemon"].send_signal(signal.SIGCONT)
    time.sleep(TTL)
    assert cable.b.browse("_shop._tcp")
    service.kill()
    wait_for(lambda: not cable.b.browse("_shop._tcp"), 15)
    # Another one of the same name on the other machine has to take another.
    first = shop({"dns-sd": "_shop._tcp"}, env=cable.a.environment, listen=f"127.0.0.1:{(port := free_port())}")
    wait_for(lambda: cable.b.browse("_shop._tcp"), 30)
    second = shop({"dns-sd": "_shop._tcp"}, env=cable.b.environment, listen=f"127.0.0.2:{port}")
    wait_for(lambda: "is another's" in second.err, 30)
    wait_for(lambda: len(cable.a.browse("_shop._tcp")) == 2, 30)
    # Its end does not wait for a daemon that hangs.
    cable.a.processes["daemon"].send_signal(signal.SIGSTOP)
    began = time.monotonic()
    assert first.end() == 0
    assert time.monotonic() - began < 8


def test_without_avahi_it_says_so(shop, tmp_path):
    service = shop({"dns-sd": {}}, env={"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={tmp_path}/nothing"})
    wait_for(lambda: "dns-sd: " in service.err and "Avahi" in service.err)
    assert service.fetch() == "here"
    assert service.end() == 0


# ---- the agent


def test_an_agent_makes_its_receivers_and_its_admin_port_known(sidelight, consul, stops):
    agent = Agent(sidelight, discovery={"register": {"name": "gateway", "ttl": f"{TTL}s", "consul": consul.url}})
    try:
        wait_for(lambda: len(consul.services) >= 2)
        found = {service["Service"]: service for service in consul.services.values()}
        assert "gateway" in found and "gateway-otlp-http" in found
        receiver = found["gateway-otlp-http"]
        assert agent.url("otlp-http", "").startswith(f"http://{receiver['Address']}:{receiver['Port']}")
        assert receiver["Meta"]["receiver"] == "otlp-http"
        time.sleep(TTL + INTERVAL)
        assert consul.instances("gateway") and consul.instances("gateway-otlp-http")
        # What does not listen any more is taken out, and what listens anew is entered.
        agent.reload(receivers={"zipkin": "127.0.0.1:0", "otlp-http/second": "127.0.0.1:0", "otlp-http": "off", "otlp-grpc": "off", "jaeger": "off"})
        wait_for(lambda: {one["Service"] for one in consul.services.values()} == {"gateway", "gateway-zipkin", "gateway-otlp-http-second"}, SOON)
    finally:
        agent.end()
    assert consul.services == {}


def test_an_admin_port_that_moves_is_known_where_it_is(sidelight, consul, tmp_path):
    file = tmp_path / "gateway.json"
    register = {"name": "gateway", "ttl": f"{TTL}s", "consul": consul.url, "file-sd": str(file)}
    agent = Agent(sidelight, discovery={"register": register})

    def targets():
        try:
            return json.loads(file.read_text())[0]["targets"]
        except FileNotFoundError:
            return None

    def metrics():
        return {(one["Service"], one["Meta"]["metrics"]) for one in consul.services.values()}

    try:
        wait_for(lambda: targets() and consul.instances("gateway"))
        place = f"127.0.0.1:{free_port()}"
        agent.write(admin=place)
        agent.process.send_signal(signal.SIGHUP)
        wait_for(lambda: targets() == [place], SOON)
        names = ["gateway", *(f"gateway-{name}" for name in ("otlp-http", "otlp-grpc", "zipkin", "jaeger"))]
        wait_for(lambda: metrics() == {(name, place) for name in names}, SOON)
        assert [one["Port"] for one in consul.services.values() if one["Service"] == "gateway"] == [int(place.split(":")[1])]
        with urllib.request.urlopen(f"http://{place}/api/v1/sd", timeout=20) as answer:
            assert json.load(answer)[0]["targets"] == [place]
    finally:
        agent.end()
    assert consul.services == {} and targets() is None


# ---- bad input


@pytest.mark.parametrize(
    "flag, text",
    [
        ("zookeeper", '"zookeeper" is not one of consul, etcd, dns-sd, file-sd'), ("consul=ftp://x", "is a bad URL"), ("file-sd=a.yml", "has to end in .json"),
        ("dns-sd=http", "is no type of a service"), ("consul=", 'says nothing after "="'),
    ],
)  # fmt: skip
def test_wrong_flags_are_usage_errors(sidelight, flag, text):
    entry = sidelight.write("app.js", APP)
    done = sidelight("serve", "--register", flag, entry)
    assert done.code == 2
    assert text in done.err
    done = sidelight("agent", "--register", flag)
    assert done.code == 2
    assert text in done.err


def test_a_socket_in_the_file_system_is_no_place_for_consul(shop, consul, tmp_path):
    service = shop({"consul": consul.url}, listen=f"unix:{tmp_path}/s")
    wait_for(lambda: "is known to nobody but Prometheus" in service.err)
    assert service.end() == 0
    assert consul.services == {}
