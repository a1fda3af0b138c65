"""Metrics that the agent writes into a real Prometheus come back by PromQL."""

import time
import urllib.request

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from prometheus import Prometheus
from receiver import Answer
from serving import wait_for
from test_agent import agent, sent  # noqa: F401 (a fixture)
from test_exporters import dropped

NOW = int(time.time())


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    one = Prometheus(tmp_path_factory.mktemp("prometheus") / "one")
    yield one
    one.stop()


def request(service, *fillers, instance=""):
    message = ExportMetricsServiceRequest()
    group = message.resource_metrics.add()
    for key, value in [("service.name", service), ("service.instance.id", instance), ("host.name", "h1")]:
        if value:
            group.resource.attributes.add(key=key).value.string_value = value
    scope = group.scope_metrics.add()
    scope.scope.name = "cart"
    for filler in fillers:
        filler(scope.metrics.add())
    return message.SerializeToString()


def gauge(name, value, at=NOW, unit=""):
    def fill(metric):
        metric.name, metric.unit = name, unit
        metric.gauge.data_points.add(time_unix_nano=int(at * 1e9), as_double=value).attributes.add(key="a.b").value.string_value = "x"

    return fill


def counter(name, value, at=NOW, temporality=2):
    def fill(metric):
        metric.name, metric.unit, metric.description = name, "1", "how many"
        metric.sum.is_monotonic, metric.sum.aggregation_temporality = True, temporality
        point = metric.sum.data_points.add(time_unix_nano=int(at * 1e9), as_int=value)
        exemplar = point.exemplars.add(time_unix_nano=int(at * 1e9), as_int=1, trace_id=b"\x01" * 16, span_id=b"\x02" * 8)
        exemplar.filtered_attributes.add(key="k").value.string_value = "v"

    return fill


def histogram(name, at=NOW):
    def fill(metric):
        metric.name, metric.unit = name, "ms"
        metric.histogram.aggregation_temporality = 2
        metric.histogram.data_points.add(time_unix_nano=int(at * 1e9), count=6, sum=42.5, bucket_counts=[1, 2, 3], explicit_bounds=[5, 250])

    return fill


def exponential(name, at=NOW):
    def fill(metric):
        metric.name = name
        metric.exponential_histogram.aggregation_temporality = 2
        point = metric.exponential_histogram.data_points.add(time_unix_nano=int(at * 1e9), count=10, sum=30, scale=0, zero_count=1)
        # (1, 2], (2, 4], (4, 8], none in (8, 16], (16, 32]; and [-2, -1).
        point.positive.offset, point.negative.offset = 0, 0
        point.positive.bucket_counts.extend([2, 3, 1, 0, 2])
        point.negative.bucket_counts.append(1)

    return fill


def summary(name, at=NOW):
    def fill(metric):
        metric.name = name
        point = metric.summary.data_points.add(time_unix_nano=int(at * 1e9), count=6, sum=42)
        point.quantile_values.add(quantile=0.5, value=3)
        point.quantile_values.add(quantile=0.99, value=9)

    return fill


def start(agent, url, **settings):  # noqa: F811
    return agent({"out": {"kind": "prometheus-remote-write", "url": url, **settings}}, store="off")


def post(one, body):
    assert one.post(body, "/v1/metrics")[0] == 200


def test_every_kind(agent, prometheus):  # noqa: F811
    one = start(agent, prometheus.url)
    post(
        one,
        request("kinds", gauge("temp", 21.5, unit="Cel"), counter("hits", 7), histogram("lat"), exponential("size"), summary("took"), instance="i-1"),
    )
    sent(one, 5, signal="metrics")
    common = {"job": "kinds", "instance": "i-1", "otel_scope_name": "cart"}
    query = lambda text: prometheus.query(text, NOW)  # noqa: E731
    assert query('temp_celsius{job="kinds"}') == [(common | {"a_b": "x"}, 21.5)]
    assert query('hits_total{job="kinds"}') == [(common, 7)]
    assert query('lat_milliseconds_bucket{job="kinds"}') == [(common | {"le": le}, value) for le, value in [("+Inf", 6), ("250", 3), ("5", 1)]]
    assert query('lat_milliseconds_sum{job="kinds"}') == [(common, 42.5)]
    assert query('lat_milliseconds_count{job="kinds"}') == [(common, 6)]
    assert query('histogram_quantile(0.5, lat_milliseconds_bucket{job="kinds"})')[0][1] == 250
    assert query('took{job="kinds"}') == [(common | {"quantile": "0.5"}, 3), (common | {"quantile": "0.99"}, 9)]
    assert query('took_count{job="kinds"}') == [(common, 6)]
    assert query('target_info{job="kinds"}') == [({"job": "kinds", "instance": "i-1", "host_name": "h1"}, 1)]
    [(labels, native)] = query('size{job="kinds"}')
    assert labels == common and (native["count"], native["sum"]) == ("10", "30")
    buckets = [(float(low), float(high), float(count)) for _, low, high, count in native["buckets"]]
    assert [bucket for bucket in buckets if bucket[0] >= 1] == [(1, 2, 2), (2, 4, 3), (4, 8, 1), (16, 32, 2)]
    assert [bucket for bucket in buckets if bucket[1] <= -1] == [(-2, -1, 1)]
    assert query('histogram_count(size{job="kinds"})')[0][1] == 10
    [exemplars] = prometheus.get("query_exemplars", query='hits_total{job="kinds"}', start=NOW - 60, end=NOW + 60)
    assert exemplars["exemplars"][0]["labels"] == {"trace_id": "01" * 16, "span_id": "02" * 8, "k": "v"}


def test_samples_of_a_series_are_in_order(agent, prometheus):  # noqa: F811
    """Many requests for one series, the times of each mixed; nothing is out of order for Prometheus."""
    one = start(agent, prometheus.url)
    for first in range(0, 100, 10):
        numbers = [first + offset for offset in (3, 1, 2, 0, 4, 9, 5, 7, 6, 8)]
        post(one, request("order", *[gauge("n", number, NOW - 100 + number) for number in numbers]))
    sent(one, 100, signal="metrics")
    assert prometheus.query('count_over_time(n{job="order"}[200s])', NOW)[0][1] == 100
    assert prometheus.query('n{job="order"}', NOW)[0][1] == 99


def test_what_is_out_of_order_is_dropped_and_said(agent, prometheus):  # noqa: F811
    one = start(agent, prometheus.url)
    post(one, request("late", gauge("n", 2, NOW)))
    sent(one, 1, signal="metrics")
    post(one, request("late", gauge("n", 1, NOW - 60)))
    wait_for(lambda: dropped(one, "refused") == 1)
    wait_for(lambda: "out of order" in one.err)
    assert prometheus.query('n{job="late"}', NOW)[0][1] == 2


def test_deltas_are_left_out_and_counted(agent, prometheus):  # noqa: F811
    one = start(agent, prometheus.url)
    post(one, request("delta", counter("d", 1, temporality=1), gauge("g", 1)))
    sent(one, 1, signal="metrics")
    assert dropped(one, "not_encodable") == 1
    with urllib.request.urlopen(one.url("admin", "/api/v1/drops"), timeout=20) as answer:
        assert "delta temporality" in answer.read().decode()
    assert prometheus.query('g{job="delta"}', NOW)[0][1] == 1
    assert prometheus.query('d_total{job="delta"}', NOW) == []
    post(one, request("delta", counter("d", 1, temporality=1)))
    wait_for(lambda: dropped(one, "not_encodable") == 2)


def test_what_fails_for_a_while_is_tried_again_in_order(agent, make_receiver):  # noqa: F811
    receiver = make_receiver(*[Answer(status=status) for status in (500, 503, 429, 507)], default=Answer(status=204))
    one = start(agent, receiver.url)
    post(one, request("retry", gauge("n", 1)))
    post(one, request("retry", gauge("n", 2)))
    sent(one, 2, signal="metrics")
    headers = receiver.requests[0].headers
    assert headers["content-encoding"] == "snappy" and headers["x-prometheus-remote-write-version"] == "0.1.0"
    assert receiver.requests[0].path == "/api/v1/write"
