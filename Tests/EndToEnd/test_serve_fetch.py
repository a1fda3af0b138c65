"""Durations of the fetches of a worker that serves: on its board, so on the admin port at once, whole after a death, and counted once wherever they go."""

import collections
import json
import os
import re
import signal
import socket
import urllib.parse
import urllib.request

import pytest

from serving import wait_for
from site_for_fetch import Site

PROGRAM = """
const outcome = async (url) => {
    try {
        const answer = await fetch(url);
        await answer.text();
        return answer.status;
    } catch (error) {
        return error.cause?.code ?? error.code ?? error.name;
    }
};
export default { async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const urls = searchParams.getAll('to');
    if (pathname !== '/child') return Response.json(await Promise.all(urls.map(outcome)));
    const child = new Worker(new URL('child.mjs', import.meta.url), { type: 'module' });
    return Response.json(await new Promise((resolve) => {
        child.onmessage = (event) => resolve(event.data);
        child.postMessage(urls);
    }));
} };
"""

CHILD = """
onmessage = async (event) => {
    const seen = [];
    for (const url of event.data) {
        const answer = await fetch(url);
        await answer.text();
        seen.push(answer.status);
    }
    postMessage(seen);
    close();
};
"""

SERIES = re.compile(r"^http_client_request_duration_seconds_count\{(.*)\} (\d+)$", re.M)


@pytest.fixture
def site():
    made = Site()
    yield made
    made.stop()


@pytest.fixture
def nobody():
    """A place where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture
def shop(serve):
    def start(*arguments, **env):
        env = {"OTEL_METRIC_EXPORT_INTERVAL": 100, **env}
        return serve(PROGRAM, "--admin", "127.0.0.1:0", *arguments, files={"child.mjs": CHILD}, env=env)

    return start


def send(service, *urls, path="/"):
    """Lets the service fetch these: what came of them."""
    return json.loads(service.get(path + "?" + urllib.parse.urlencode([("to", url) for url in urls]))[2])


def workload(service):
    with urllib.request.urlopen(service.admin + "/api/v1/workloads", timeout=20) as answer:
        (found,) = json.load(answer)["workloads"]
    return found


def on_page(service):
    """By status and type: the counts of http_client_request_duration_seconds."""
    page = urllib.request.urlopen(service.admin + "/metrics", timeout=20).read().decode()
    found = collections.Counter()
    for labels, count in SERIES.findall(page):
        labels = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        found[labels.get("http_response_status_code", ""), labels.get("error_type", "")] += int(count)
    return dict(found)


def received(service):
    """The same of what the receiver has: over all streams, by resource and scope, the last point of each."""
    last = {}
    with service.receiver.lock:
        requests = list(service.receiver.metrics)
    for request in requests:
        for group in request.resource_metrics:
            for scoped in group.scope_metrics:
                for metric in scoped.metrics:
                    if metric.name != "http.client.request.duration":
                        continue
                    for point in metric.histogram.data_points:
                        attributes = {pair.key: pair.value for pair in point.attributes}
                        stream = (group.resource.SerializeToString(), scoped.scope.SerializeToString(), str(sorted(map(str, point.attributes))))
                        last[stream] = (attributes, point)
    found = collections.Counter()
    for attributes, point in last.values():
        assert sum(point.bucket_counts) == point.count and 0 < point.sum < 60
        status = attributes["http.response.status_code"].int_value if "http.response.status_code" in attributes else ""
        found[str(status), attributes["error.type"].string_value if "error.type" in attributes else ""] += point.count
    return dict(found)


@pytest.mark.parametrize("sampler", ["always_on", "always_off"])
def test_fetches_are_told_at_once(shop, site, nobody, sampler):
    # The program's own metrics are on the page as of the last export: here there is none before the end.
    service = shop(OTEL_METRIC_EXPORT_INTERVAL=600_000, OTEL_TRACES_SAMPLER=sampler)
    good, missing = f"{site.url}/echo", f"{site.url}/status/404"
    assert send(service, good, good, missing, nobody) == [200, 200, 404, "connect"]
    found = workload(service)
    assert (found["total"]["fetches"]["count"], found["total"]["fetchErrors"]) == (4, 2)
    assert sum(found["total"]["fetches"]["buckets"]) == 4
    failures = {(each["host"], each["port"], each["status"], each["type"], each["count"]) for each in found["errors"] if each["client"]}
    (kind,) = {type for _, _, status, type, _ in failures if status == 0}
    assert failures == {("127.0.0.1", site.port, 404, "404", 1), ("127.0.0.1", int(nobody.rsplit(":")[-1]), 0, kind, 1)}
    expected = {("200", ""): 2, ("404", "404"): 1, ("", kind): 1}
    assert on_page(service) == expected
    assert service.end() == 0
    assert received(service) == expected
    clients = [span for span in service.receiver.spans if span.kind == 3]
    assert collections.Counter(span.attributes.get("error.type") for span in clients) == ({None: 2, "404": 1, kind: 1} if sampler == "always_on" else {})


def test_what_was_fetched_before_a_death_stays_counted(shop, site):
    service = shop("--isolates", 2)
    for _ in range(20):
        assert send(service, f"{site.url}/echo") == [200]
    assert on_page(service) == {("200", ""): 20}
    for _ in range(2):
        before = service.workers
        os.kill(before[0], signal.SIGKILL)
        wait_for(lambda: len(service.workers) == 2 and before[0] not in service.workers)
        assert workload(service)["total"]["fetches"]["count"] == 20
        assert on_page(service) == {("200", ""): 20}
    wait_for(lambda: all(each["state"] == "serving" for each in workload(service)["isolates"]))
    assert send(service, f"{site.url}/status/503") == [503]
    expected = {("200", ""): 20, ("503", "503"): 1}
    assert on_page(service) == expected
    assert service.end() == 0
    assert received(service) == expected


def test_a_childs_fetches_are_a_metric_of_its_own(shop, site):
    service = shop()
    assert send(service, f"{site.url}/echo") == [200]
    assert send(service, f"{site.url}/echo", f"{site.url}/status/500", path="/child") == [200, 500]
    expected = {("200", ""): 2, ("500", "500"): 1}
    wait_for(lambda: on_page(service) == expected)
    assert workload(service)["total"]["fetches"]["count"] == 1
    assert service.end() == 0
    assert received(service) == expected


def test_more_servers_than_a_board_has_room_for(shop, nobody):
    service = shop(OTEL_METRIC_EXPORT_INTERVAL=600_000)
    # Each its own host, all of them this machine, where nobody listens.
    port = nobody.rsplit(":")[-1]
    hosts = [f"127.0.{number // 200}.{number % 200 + 1}" for number in range(300)]
    for at in range(0, 300, 50):
        send(service, *(f"http://{host}:{port}/" for host in hosts[at : at + 50]))
    assert workload(service)["total"]["fetches"]["count"] == 300
    page = urllib.request.urlopen(service.admin + "/metrics", timeout=20).read().decode()
    counts = [int(count) for _, count in SERIES.findall(page)]
    assert sum(counts) == 300
    (overflow,) = re.findall(r'^http_client_request_duration_seconds_count\{otel_metric_overflow="true"\} (\d+)$', page, re.M)
    assert 300 - 254 <= int(overflow) <= 300 - 250 and len(counts) == 300 - int(overflow) + 1


def test_top_names_what_failed(shop, site, nobody, sidelight):
    service = shop()
    send(service, f"{site.url}/status/404", nobody, nobody)
    done = sidelight("top", "--admin", service.admin.removeprefix("http://"), "--interval", "100ms", "--view", "errors", "--once")
    rows = [line.split() for line in done.out.splitlines() if " fetch " in line]
    assert {(row[row.index("fetch") - 1], row[-1]) for row in rows} == {("1", f"127.0.0.1:{site.port}"), ("2", nobody.removeprefix("http://"))}
