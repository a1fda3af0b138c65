"""`sample: {jaeger-remote: …}` against a stand-in for a Jaeger collector's sampling endpoint: GET /sampling?service=NAME, the JSON form of
jaeger-idl's api_v2.SamplingStrategyResponse."""

import http.server
import json
import random
import re
import threading
import urllib.parse

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agents import Agent
from serving import wait_for


class SamplingServer:
    """`strategies`: what it says by service, as JSON values or as raw bytes; other services get 404, as from a collector that knows no default."""

    def __init__(self, **strategies):
        self.strategies = strategies
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                (service,) = urllib.parse.parse_qs(url.query)["service"]
                outer.asked.append((url.path, service, self.headers["accept"]))
                strategy = outer.strategies.get(service)
                body = strategy if isinstance(strategy, bytes) else json.dumps(strategy).encode()
                self.send_response(404 if strategy is None else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def sampling():
    made = []

    def make(**strategies):
        made.append(SamplingServer(**strategies))
        return made[-1]

    yield make
    for server in made:
        server.stop()


def probability(rate):
    return {"strategyType": "PROBABILISTIC", "probabilisticSampling": {"samplingRate": rate}}


def traces(service, ids, name="GET /"):
    """A request with a span for each trace."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = service
    scope = group.scope_spans.add()
    for number in ids:
        scope.spans.add(trace_id=number.to_bytes(16, "big"), span_id=(number & (1 << 64) - 1 | 1).to_bytes(8, "big"), name=name, start_time_unix_nano=1, end_time_unix_nano=2)
    return request


def random_ids(count, seed):
    generator = random.Random(seed)
    return [generator.getrandbits(128) | 1 << 127 for _ in range(count)]


def detail(agent, kind):
    found = re.search(rf'^sidelight_processor_changes_total\{{pipeline="traces",processor="central",kind="{kind}"\}} (\d+)$', agent.metrics(), re.M)
    return int(found[1]) if found else 0


def agent_with(sidelight, receiver, server, **settings):
    remote = {"endpoint": getattr(server, "url", server), "interval": "1s", "initial": "never", **settings}
    receiver.may_repeat = True  # some traces are sent over and over
    return Agent(sidelight, {"out": receiver}, processors={"central": {"sample": {"jaeger-remote": remote}}}, pipelines={"traces": {"processors": ["central"]}})


def wait_for_strategies(agent, service, count):
    """Until the agent has heard so often; each batch brings what is counted up to date."""
    wait_for(lambda: agent.send(traces(service, [])) and agent.send(traces(service, [1])) and detail(agent, "strategies") >= count)


def kept(receiver, service):
    return {int(span.trace_id, 16) for span in list(receiver.spans) if span.resource["service.name"] == service}


def check_books(agent):
    """Of the processor: received = passed + dropped; of the exporter, as ever."""
    text = agent.metrics()
    count = lambda name, rest="": sum(int(value) for value in re.findall(rf'^{name}\{{pipeline="traces",processor="central",signal="traces"{rest}\}} (\d+)$', text, re.M))
    passed = agent.check_balance()[("out", "traces")]["received_total"]
    assert count("sidelight_processor_received_total") == passed + count("sidelight_processor_dropped_total", ',reason="[a-z_]+"')


def test_each_service_is_sampled_as_the_server_says(sidelight, receiver, sampling):
    server = sampling(half=probability(0.5), all=probability(1), none=probability(0))
    agent = agent_with(sidelight, receiver, server)
    ids = random_ids(1_000, 1)
    for service in ("half", "all", "none", "unknown"):
        assert agent.send(traces(service, [1]))
    wait_for(lambda: {service for _, service, _ in server.asked} == {"half", "all", "none", "unknown"})
    assert {(path, accept) for path, _, accept in server.asked} == {("/sampling", "application/json")}
    wait_for_strategies(agent, "none", 3)
    for service in ("half", "all", "none", "unknown"):
        assert agent.send(traces(service, ids))
    wait_for(lambda: kept(receiver, "all") >= set(ids))
    # By the trace's id, as every consistent sampler has it: the lowest 56 bits.
    expected = {number for number in ids if number & (1 << 56) - 1 >= 1 << 55}
    wait_for(lambda: kept(receiver, "half") == expected)
    assert kept(receiver, "none") == set() and kept(receiver, "unknown") == set()
    assert agent.err.count("no sampling strategy for") == 1
    assert 'no sampling strategy for "unknown": answered 404; the initial sampler stands' in agent.err
    check_books(agent)
    assert agent.end() == 0


def test_the_server_changes_its_mind_and_goes_and_comes_back(sidelight, receiver, sampling):
    server = sampling(shop=probability(0))
    agent = agent_with(sidelight, receiver, server)
    wait_for_strategies(agent, "shop", 1)
    assert kept(receiver, "shop") == set()
    server.strategies["shop"] = probability(1)
    wait_for(lambda: agent.send(traces("shop", [7])) and kept(receiver, "shop"))
    # Nonsense changes nothing, and neither does silence.
    server.strategies["shop"] = b'{"probabilisticSampling": {"samplingRate": 7}}'
    wait_for(lambda: agent.send(traces("shop", [7])) and detail(agent, "strategies_failed") >= 2)
    server.stop()
    failed = detail(agent, "strategies_failed")
    wait_for(lambda: agent.send(traces("shop", [7])) and detail(agent, "strategies_failed") >= failed + 2)
    ids = random_ids(100, 2)
    assert agent.send(traces("shop", ids))
    wait_for(lambda: kept(receiver, "shop") >= set(ids))
    assert agent.err.count("no sampling strategy for") == 1
    assert "what it said before stands" in agent.err
    check_books(agent)
    assert agent.end() == 0


def test_without_a_server_the_initial_sampler_stands_and_nothing_waits(sidelight, receiver):
    agent = agent_with(sidelight, receiver, "http://127.0.0.1:1", initial={"ratio": 0.5})
    ids = random_ids(1_000, 3)
    assert agent.send(traces("shop", ids))
    expected = {number for number in ids if number & (1 << 56) - 1 >= 1 << 55}
    wait_for(lambda: kept(receiver, "shop") == expected)
    check_books(agent)
    assert agent.end() == 0


def test_traces_a_second_and_operations(sidelight, receiver, sampling):
    server = sampling(
        few={"strategyType": "RATE_LIMITING", "rateLimitingSampling": {"maxTracesPerSecond": 5}},
        shop={
            "strategyType": "PROBABILISTIC",
            "probabilisticSampling": {"samplingRate": 1},
            "operationSampling": {
                "defaultSamplingProbability": 0.25,
                "defaultLowerBoundTracesPerSecond": 0,
                "perOperationStrategies": [{"operation": "GET /all", "probabilisticSampling": {"samplingRate": 1}}, {"operation": "GET /none", "probabilisticSampling": {"samplingRate": 0}}],
                "defaultUpperBoundTracesPerSecond": 0,
            },
        },
    )
    agent = agent_with(sidelight, receiver, server)
    for service in ("few", "shop"):
        assert agent.send(traces(service, [1]))
    wait_for_strategies(agent, "nobody", 2)
    before = len(kept(receiver, "few"))
    ids = random_ids(2_000, 4)
    assert agent.send(traces("few", ids))
    for first, name in ((0, "GET /all"), (500, "GET /none"), (1_000, "GET /other")):
        assert agent.send(traces("shop", ids[first : first + 500], name))
    quarter = {number for number in ids[1_000:1_500] if number & (1 << 56) - 1 >= 3 << 54}
    wait_for(lambda: kept(receiver, "shop") - {1} == set(ids[:500]) | quarter)
    # One batch takes what the bucket has: a burst of one second's worth.
    wait_for(lambda: kept(receiver, "few"))
    assert 1 <= len(kept(receiver, "few")) - before <= 6
    check_books(agent)
    assert agent.end() == 0


def test_services_are_bounded(sidelight, receiver, sampling):
    server = sampling(**{f"s{number}": probability(1) for number in range(20)})
    agent = agent_with(sidelight, receiver, server, services=3)
    for number in range(20):
        assert agent.send(traces(f"s{number}", [number + 1]))
    wait_for_strategies(agent, "s0", 3)
    assert {service for _, service, _ in server.asked} == {"s0", "s1", "s2"}
    assert detail(agent, "services_over") >= 17
    assert agent.end() == 0


def test_an_answer_that_is_too_large_or_never_comes(sidelight, receiver, sampling):
    server = sampling(shop=b"[" * (4 << 20))
    agent = agent_with(sidelight, receiver, server, initial="always")
    ids = random_ids(100, 5)
    assert agent.send(traces("shop", ids))
    wait_for(lambda: kept(receiver, "shop") == set(ids))
    wait_for(lambda: agent.send(traces("shop", [1])) and detail(agent, "strategies_failed") >= 1)
    assert agent.end() == 0
