"""What a real Prometheus makes of the admin port's /metrics, and whether its numbers are those of who caused them."""

import asyncio
import gzip
import os
import re
import signal
import time
import urllib.error
import urllib.request

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from conftest import HERE
from load import Load
from prometheus import Prometheus, lint
from serving import Service, wait_for
from test_agent import agent  # noqa: F401 (a fixture)
from test_remote_write import counter, exponential, gauge, histogram, post, request, summary

# Longer for a soak.
LOAD_SECONDS = float(os.environ.get("METRICS_LOAD_SECONDS", 8))
TEXT = "text/plain;version=0.0.4"
OPEN_METRICS = "application/openmetrics-text;version=1.0.0"
SEMCONV_COUNTS = {"process_thread_count", "process_unix_file_descriptor_count", "system_cpu_logical_count"}
PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"


@pytest.fixture
def prometheus(tmp_path):
    made = []

    def start(scrape, native=False):
        made.append(Prometheus(tmp_path / f"prometheus-{len(made)}", scrape, native))
        return made[-1]

    yield start
    for one in made:
        one.stop()


def page(url, accept=TEXT):
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept}), timeout=30) as answer:
        return answer.headers["content-type"], answer.read()


def text(one):
    return page(one.url("admin", "/metrics"))[1].decode()


class Mixed(Load):
    """Remembers every answer's status and how long it took."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.took = {}

    async def ask(self, reader, writer, sent):
        begin = time.monotonic()
        writer.write(f"GET {sent.path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        sent.body = await reader.readexactly(int(head.split("content-length: ", 1)[1].split("\r\n", 1)[0]))
        self.took.setdefault(sent.path, []).append(time.monotonic() - begin)
        return "connection: close" not in head


PATHS = ["/fast", "/slow", "/fast", "/bad"]


def test_promql_has_the_load_generators_numbers(module_service, sidelight, prometheus):
    """Requests, errors, latencies, the program's own metrics, over two isolates of which one is killed under load; no warning on the way."""
    service = module_service(
        HERE / "programs" / "metrics.mjs", "--isolates", 2, "--admin", "127.0.0.1:0", env={"OTEL_METRIC_EXPORT_INTERVAL": 500}
    )
    scraper = prometheus({"shop": service.admin + "/metrics"})
    load = Mixed(service.port, width=8, path=lambda number: PATHS[number % len(PATHS)])
    asyncio.run(load.run(asyncio.sleep(LOAD_SECONDS)))
    assert not load.failures and not load.refused
    took = load.took
    total = sum(map(len, took.values()))

    requests = "http_server_request_duration_seconds_count"
    wait_for(lambda: scraper.value(f"sum({requests})") == total)
    assert scraper.value(f'sum({requests}{{http_response_status_code="500"}})') == len(took["/bad"])
    # What was returned is an error as much as what was thrown; it has the name that its span has.
    assert scraper.value(f'sum({requests}{{error_type!=""}})') == scraper.value(f'sum({requests}{{error_type="500"}})') == len(took["/bad"])
    assert scraper.value("sum(sidelight_http_server_requests_total)") == total
    for kind in ("fast", "slow"):
        wait_for(lambda kind=kind: scraper.value(f'shop_orders_total{{kind="{kind}"}}') == len(took["/" + kind]))
    assert scraper.value("shop_order_size_bytes_count") == len(took["/fast"]) + len(took["/slow"])
    assert scraper.value('shop_order_size_bytes_bucket{le="10.0"}') == 0
    assert scraper.value('shop_order_size_bytes_bucket{le="100.0"}') == scraper.value("shop_order_size_bytes_count")
    assert scraper.value("shop_order_size_bytes_sum") == 50 * scraper.value("shop_order_size_bytes_count")

    # A quarter of the requests took 35 ms and a little; the client's clock has the way to and fro in it.
    buckets = "sum by (le) (http_server_request_duration_seconds_bucket)"
    for quantile in (0.5, 0.9):
        seen = sorted(sum(took.values(), []))[int(total * quantile)]
        assert scraper.value(f"histogram_quantile({quantile}, {buckets})") <= bound_above(seen)
    assert 0.025 < scraper.value(f"histogram_quantile(0.95, {buckets})")
    slow = scraper.value(f'sum({requests}) - sum(http_server_request_duration_seconds_bucket{{le="0.025"}})')
    assert len(took["/slow"]) <= slow <= sum(seconds > 0.025 for seconds in sum(took.values(), []))
    assert abs(scraper.value("sum(http_server_request_duration_seconds_sum)")) <= sum(map(sum, took.values()))

    # An isolate dies, and what it has counted stays.
    before = scraper.value("sum(sidelight_http_server_requests_total)")
    os.kill(service.workers[0], signal.SIGKILL)
    wait_for(lambda: scraper.value('sidelight_worker_restarts_total{reason="SIGKILL"}') == 1)
    wait_for(lambda: scraper.value("sidelight_isolates") == 2)
    assert service.get("/fast")[0] == 200
    wait_for(lambda: scraper.value("sum(sidelight_http_server_requests_total)") == before + 1)
    wait_for(lambda: scraper.value("sum(shop_orders_total)") == len(took["/fast"]) + len(took["/slow"]) + 1)
    for name in (requests, "sidelight_http_server_requests_total", "shop_orders_total", "http_server_request_duration_seconds_sum"):
        assert scraper.value(f"sum(resets({name}[1h]))") == 0
    # By now there is a series for each of the two, and nothing was scraped twice or badly.
    assert scraper.value("min_over_time(up[1h])") == 1
    assert scraper.complaints == []
    # The semantic conventions have names that end so, and promtool has nothing else against the page.
    assert {line.split()[0] for line in lint(page(service.admin + "/metrics")[1].decode())} == SEMCONV_COUNTS

    # An exemplar of each bucket leads to a trace in the store.
    found = scraper.get("query_exemplars", query="http_server_request_duration_seconds_bucket", start=time.time() - 3600, end=time.time() + 1)
    exemplars = [exemplar for series in found for exemplar in series["exemplars"]]
    assert {series["seriesLabels"]["http_response_status_code"] for series in found} >= {"200", "500"}
    assert any(float(exemplar["value"]) > 0.035 for exemplar in exemplars)
    for exemplar in exemplars[:3] + exemplars[-3:]:
        shown = sidelight("trace", "show", exemplar["labels"]["trace_id"], "--store", service.folder / ".sidelight", "--json")
        assert shown.code == 0 and exemplar["labels"]["span_id"] in shown.out, shown
    assert len({exemplar["labels"]["trace_id"] for exemplar in exemplars}) > 2


def bound_above(seconds):
    bounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
    return next(bound for bound in bounds if seconds <= bound)


def test_what_senders_push_is_scraped_with_who_sent_it(agent, prometheus):  # noqa: F811
    """All kinds, native histograms by the protobuf format, deltas added up."""
    one = agent({}, store="off")
    now = time.time()
    fillers = [gauge("temp", 21.5, unit="Cel", at=now), counter("hits", 7, at=now), histogram("lat", at=now), exponential("size", at=now), summary("took", at=now)]
    post(one, request("kinds", *fillers, instance="i-1"))
    for late in (1, 2):
        post(one, request("kinds", counter("delta", 5, at=now + late, temporality=1), instance="i-1"))
    scraper = prometheus({"agent": one.url("admin", "/metrics")}, native=True)
    wait_for(lambda: scraper.value('temp_celsius{job="kinds"}') == 21.5)
    query = lambda promql: scraper.query(promql, time.time())  # noqa: E731
    common = {"job": "kinds", "instance": "i-1", "otel_scope_name": "cart"}
    assert query("temp_celsius") == [(common | {"a_b": "x"}, 21.5)]
    assert query('hits_total{job="kinds"}') == [(common, 7)]
    assert query("delta_total") == [(common, 10)]
    assert query("lat_milliseconds_bucket") == [(common | {"le": le}, value) for le, value in [("+Inf", 6), ("250.0", 3), ("5.0", 1)]]
    assert query("took") == [(common | {"quantile": "0.5"}, 3), (common | {"quantile": "0.99"}, 9)]
    assert query('target_info{job="kinds"}') == [({"job": "kinds", "instance": "i-1", "host_name": "h1"}, 1)]
    [(labels, native)] = query("size")
    assert labels == common and (native["count"], native["sum"]) == ("10", "30")
    buckets = [(float(low), float(high), float(count)) for _, low, high, count in native["buckets"]]
    assert [bucket for bucket in buckets if bucket[0] >= 1] == [(1, 2, 2), (2, 4, 3), (4, 8, 1), (16, 32, 2)]
    assert [bucket for bucket in buckets if bucket[1] <= -1] == [(-2, -1, 1)]
    assert scraper.value("histogram_quantile(0.99, size)") > 16
    assert scraper.value('target_info{service_name="sidelight"}') == 1
    assert scraper.complaints == []


def test_hostile_names_and_values_do_not_spoil_the_page(agent, prometheus):  # noqa: F811
    one = agent({}, store="off")
    hostile = ['a"b\\c\nd', "\0", "x\0y", "ü", "日本", "{}", 'k="v",z', "le", "__name__", "", "a b", "#", "+Inf", "e\u0301"]
    message = ExportMetricsServiceRequest()
    for sender in hostile:
        group = message.resource_metrics.add()
        group.resource.attributes.add(key="service.name").value.string_value = sender
        group.resource.attributes.add(key=sender).value.string_value = sender
        scope = group.scope_metrics.add()
        scope.scope.name = sender
        for name in [*hostile, "target_info", "sidelight_server_requests_total", "up"]:
            metric = scope.metrics.add(name=name, unit=sender, description=sender)
            for value in hostile:
                metric.gauge.data_points.add(as_double=float("nan"), time_unix_nano=1).attributes.add(key=value).value.string_value = value
    assert one.post(message.SerializeToString(), "/v1/metrics")[0] == 200
    dropped = re.findall(r'^sidelight_metrics_dropped_total\{reason="(\w+)"\} ([1-9]\d*)$', text(one), re.M)
    assert {reason for reason, _ in dropped} >= {"conflict", "malformed"}
    for native in (False, True):
        scraper = prometheus({"agent": one.url("admin", "/metrics")}, native)
        wait_for(lambda scraper=scraper: (scraper.value("scrape_samples_scraped") or 0) > 500)
        wait_for(lambda scraper=scraper: (scraper.value("count_over_time(up[1m])") or 0) >= 3)
        assert scraper.value("min_over_time(up[1m])") == 1
        assert scraper.complaints == []
    assert not [line for line in lint(text(one)) if "error" in line]


def test_forms_by_what_the_scraper_likes(agent):  # noqa: F811
    one = agent({}, store="off")
    post(one, request("forms", counter("http.hits", 7), instance="i-1"))
    url = one.url("admin", "/metrics")
    kind, body = page(url, TEXT)
    assert kind == "text/plain; version=0.0.4; charset=utf-8" and b"# TYPE http_hits_total counter\n" in body
    kind, body = page(url, f"{OPEN_METRICS},{TEXT};q=0.5")
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8" and body.endswith(b"\n# EOF\n")
    assert re.search(rb'^http_hits_total\{instance="i-1".*\} 7 # \{.*trace_id="(01){16}"\} 1 \d+', body, re.M)
    assert page(url, PROTOBUF)[0] == PROTOBUF.replace(";", "; ")
    kind, body = page(url + "?names=utf-8", "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;q=0.1")
    assert kind.endswith("; escaping=allow-utf-8") and b'{"http.hits_total",instance="i-1"' in body
    # Nobody is given names that it has not said it can take.
    assert b"http_hits_total{" in page(url + "?names=utf-8")[1]
    assert page(url, "image/png")[0].startswith("text/plain")
    with pytest.raises(urllib.error.HTTPError) as refused:
        page(url + "?format=xml")
    assert refused.value.code == 400 and "names=utf-8" in refused.value.read().decode()


def test_a_page_is_compressed_for_those_that_take_it(agent):  # noqa: F811
    one = agent({}, store="off")

    def ask(encoding, accept=TEXT):
        headers = {"Accept": accept} | ({"Accept-Encoding": encoding} if encoding else {})
        with urllib.request.urlopen(urllib.request.Request(one.url("admin", "/metrics"), headers=headers), timeout=30) as answer:
            assert answer.headers["vary"] == "accept, accept-encoding"
            return answer.headers["content-encoding"], answer.read()

    for accept in (TEXT, OPEN_METRICS, PROTOBUF):
        coding, body = ask("gzip", accept)
        plain = gzip.decompress(body)
        assert coding == "gzip" and len(body) * 2 < len(plain), (len(body), len(plain))
        assert b"sidelight_server_requests_total" in plain
    for encoding in (None, "identity", "gzip;q=0", "deflate, br"):
        coding, body = ask(encoding)
        assert coding is None and body.startswith(b"# HELP"), encoding
    # One after the other, the compressor's state does not carry over.
    assert [gzip.decompress(ask("br, gzip;q=0.2")[1])[:6] for _ in range(3)] == [b"# HELP"] * 3


def test_a_hundred_thousand_series(agent):  # noqa: F811
    """They are on the page, what comes beyond is not and is counted, and receiving goes on meanwhile."""
    one = agent({}, store="off")
    for part in range(21):
        message = ExportMetricsServiceRequest()
        group = message.resource_metrics.add()
        group.resource.attributes.add(key="service.name").value.string_value = "large"
        metric = group.scope_metrics.add().metrics.add(name=f"large.{part % 7}", unit="s")
        for number in range(5_000):
            point = metric.gauge.data_points.add(as_double=number + 0.5, time_unix_nano=int(time.time() * 1e9))
            for key, value in [("http.request.method", "GET"), ("http.route", f"/items/{part}"), ("number", str(number))]:
                point.attributes.add(key=key).value.string_value = value
        assert one.post(message.SerializeToString(), "/v1/metrics")[0] == 200
    begin = time.monotonic()
    body = text(one)
    first = time.monotonic() - begin
    assert body.count("\nlarge_") == len(re.findall(r"^large_\d_seconds\{", body, re.M)) <= 100_000
    assert body.count("\nlarge_") == 100_000
    assert int(re.search(r'^sidelight_metrics_dropped_total\{reason="full"\} (\d+)$', body, re.M)[1]) >= 5_000
    for accept in (TEXT, OPEN_METRICS, PROTOBUF):
        begin = time.monotonic()
        size = len(page(one.url("admin", "/metrics"), accept)[1])
        print(f"{accept.split(';')[0]}: {size / 1e6:.1f} MB in {(time.monotonic() - begin) * 1e3:.0f} ms; the first page in {first * 1e3:.0f} ms")


def test_a_service_that_is_scraped_need_not_send_its_metrics(sidelight, receiver):
    """As docker-compose.yml has it: else a Prometheus that scrapes the agent, too, would count all twice."""
    service = Service(
        sidelight, HERE / "programs" / "metrics.mjs", "--admin", "127.0.0.1:0",
        env={"OTEL_METRIC_EXPORT_INTERVAL": 100, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_METRICS_EXPORTER": "prometheus"},
    )  # fmt: skip
    try:
        service.get("/fast")
        wait_for(lambda: 'shop_orders_total{kind="fast"' in page(service.admin + "/metrics")[1].decode())
        assert service.end() == 0
        assert any(span.name.startswith("GET") for span in receiver.spans) and receiver.metrics == []
    finally:
        service.kill()


def test_the_programs_own_metrics(module_service):
    service = module_service(HERE / "programs" / "metrics.mjs", "--admin", "127.0.0.1:0", env={"OTEL_METRIC_EXPORT_INTERVAL": 200})
    service.get("/fast")
    read = lambda: page(service.admin + "/metrics")[1].decode()  # noqa: E731
    wait_for(lambda: 'shop_orders_total{kind="fast",otel_scope_name="shop",otel_scope_version="1.0"} 1' in read())
    assert "# HELP shop_orders_total Orders that were taken.\n" in read()
    assert re.search(r'^target_info\{.*service_name="metrics".*\} 1$', read(), re.M)
    assert "nodejs_eventloop_utilization_ratio" in read()
