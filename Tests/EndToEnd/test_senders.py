"""Senders that are not SDKs of Python: Envoy, Caddy and Traefik (the SDK for Go in both), Deno, Ruby and curl, with what each says on the wire, field by field."""

import gzip
import os
import subprocess

import pytest

import senders
from agents import spans
from serving import wait_for
from test_agent import agent, sent  # noqa: F401 (a fixture)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "shop=1"}
SERVER, CLIENT = 2, 3


@pytest.fixture
def site():
    one = senders.Site()
    yield one
    one.stop()


@pytest.fixture
def proxy():
    """Ends the program of a test."""
    made = []
    yield lambda one: made.append(one) or one
    for one in made:
        one.end()


def of_trace(receiver):
    """The spans of the trace that the client began, by kind."""
    return {span.kind: span for span in receiver.spans if span.trace_id == TRACE}


def check_times(span):
    assert 1_600_000_000_000_000_000 < span.start < span.end < span.start + 60_000_000_000


@pytest.mark.parametrize("protocol,receiver_name", [("grpc", "otlp-grpc"), ("http/protobuf", "otlp-http")])
def test_caddy(agent, receiver, site, proxy, tmp_path, protocol, receiver_name):  # noqa: F811
    one = agent({"out": receiver})
    caddy = proxy(senders.caddy(tmp_path, site, f"http://{one.places[receiver_name]}", protocol))
    assert caddy.get("/items/7?q=1", **TRACEPARENT) == (200, b"hello")
    assert caddy.get("/missing", **TRACEPARENT)[0] == 404
    sent(one, 2)
    got, missing = sorted((span for span in receiver.spans if span.trace_id == TRACE), key=lambda span: span.start)
    for span in got, missing:
        check_times(span)
        assert (span.name, span.kind, span.parent_id, span.trace_state) == ("shop", SERVER, PARENT, "shop=1")
        assert span.resource["service.name"] == "edge" and span.resource["telemetry.sdk.language"] == "go"
        assert span.attributes["http.request.method"] == "GET"
    assert (got.attributes["http.response.status_code"], missing.attributes["http.response.status_code"]) == (200, 404)
    assert got.attributes["url.path"] == "/items/7"
    # What Caddy said to the site continues its span.
    assert [headers["traceparent"].split("-")[1:3] for headers in site.headers] == [[TRACE, got.span_id], [TRACE, missing.span_id]]


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_traefik(agent, receiver, site, proxy, tmp_path, protocol):  # noqa: F811
    """Traces, metrics and access logs, all over OTLP."""
    one = agent({"out": receiver})
    options = []
    for signal, path in (("tracing", "traces"), ("metrics", "metrics"), ("accesslog", "logs")):
        if protocol == "grpc":
            options += [f"--{signal}.otlp.grpc.endpoint={one.places['otlp-grpc']}", f"--{signal}.otlp.grpc.insecure=true"]
        else:
            options.append(f"--{signal}.otlp.http.endpoint=http://{one.places['otlp-http']}/v1/{path}")
    options += ["--tracing.servicename=edge", "--metrics.otlp.servicename=edge", "--metrics.otlp.pushinterval=1s", "--experimental.otlplogs=true", "--accesslog=true", "--accesslog.otlp.servicename=edge"]
    traefik = proxy(senders.traefik(tmp_path, site, *options))
    assert traefik.get("/items/7", **TRACEPARENT) == (200, b"hello")
    wait_for(lambda: len(of_trace(receiver)) == 2)
    server, client = (of_trace(receiver)[kind] for kind in (SERVER, CLIENT))
    for span in server, client:
        check_times(span)
        assert span.resource["service.name"] == "edge" and span.trace_state == "shop=1"
        assert span.attributes["http.request.method"] == "GET" and span.attributes["http.response.status_code"] == 200
    assert server.parent_id == PARENT and client.start >= server.start
    assert site.headers[-1]["traceparent"].split("-")[1:3] == [TRACE, client.span_id]

    wait_for(lambda: [log for log in receiver.logs if log.trace_id == TRACE])
    log = next(log for log in receiver.logs if log.trace_id == TRACE)
    assert log.span_id == server.span_id and log.resource["service.name"] == "edge"
    assert (log.attributes["RequestPath"], log.attributes["DownstreamStatus"]) == ("/items/7", 200)

    wait_for(lambda: any(name == "traefik_entrypoint_requests_total" for name in metric_names(receiver)))


def metric_names(receiver):
    return {metric.name for request in receiver.metrics for group in request.resource_metrics for scope in group.scope_metrics for metric in scope.metrics}


OPENTELEMETRY = "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig"


def grpc_service():
    return {"envoy_grpc": {"cluster_name": "agent"}, "timeout": "5s"}


def test_envoy_over_grpc(agent, receiver, site, proxy, tmp_path):  # noqa: F811
    """Traces, access logs and statistics over one cluster with HTTP/2 from the first byte."""
    one = agent({"out": receiver})
    envoy = proxy(
        senders.envoy(
            tmp_path, site, one.places["otlp-grpc"], {"@type": OPENTELEMETRY, "grpc_service": grpc_service(), "service_name": "edge"},
            access_log={
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig",
                "common_config": {"log_name": "log", "grpc_service": grpc_service(), "transport_api_version": "V3", "buffer_flush_interval": "0.1s"},
                "body": {"string_value": "%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE%"},
                "attributes": {"values": [{"key": "response.bytes", "value": {"string_value": "%BYTES_SENT%"}}]},
            },
            sinks=[{"@type": "type.googleapis.com/envoy.extensions.stat_sinks.open_telemetry.v3.SinkConfig", "grpc_service": grpc_service(), "prefix": "edge"}],
        )
    )  # fmt: skip
    check_envoy(envoy, receiver, site)

    wait_for(lambda: receiver.logs)
    log = receiver.logs[0]
    assert (log.body, log.attributes["response.bytes"], log.trace_id) == ("GET /items/7 200", "5", TRACE)
    wait_for(lambda: any("downstream_rq_total" in name for name in metric_names(receiver)))


@pytest.mark.parametrize("http2", [False, True])
def test_envoy_over_http(agent, receiver, site, proxy, tmp_path, http2):  # noqa: F811
    """HTTP/1.1 with chunks or a length as Envoy likes, and HTTP/2 from the first byte on the port of OTLP/HTTP."""
    one = agent({"out": receiver})
    service = {"http_uri": {"uri": f"http://{one.places['otlp-http']}/v1/traces", "cluster": "agent", "timeout": "5s"}, "request_headers_to_add": [{"header": {"key": "X-Tenant", "value": "shop"}}]}
    tracer = {"@type": OPENTELEMETRY, "http_service": service, "service_name": "edge"}
    check_envoy(proxy(senders.envoy(tmp_path, site, one.places["otlp-http"], tracer, http2=http2)), receiver, site)


def check_envoy(envoy, receiver, site):
    assert envoy.get("/items/7", **TRACEPARENT) == (200, b"hello")
    wait_for(lambda: len(of_trace(receiver)) == 2)
    server, client = (of_trace(receiver)[kind] for kind in (SERVER, CLIENT))
    for span in server, client:
        check_times(span)
        assert span.resource["service.name"] == "edge" and span.trace_state == "shop=1"
        assert span.attributes["http.status_code"] in ("200", 200)
    assert server.parent_id == PARENT and client.parent_id == server.span_id
    assert server.name == "shop" and server.attributes["http.method"] == "GET"
    assert site.headers[-1]["traceparent"].split("-")[1:3] == [TRACE, client.span_id]


@pytest.mark.parametrize("version", ["HTTP_JSON", "HTTP_PROTO"])
def test_envoy_with_zipkin(agent, receiver, site, proxy, tmp_path, version):  # noqa: F811
    one = agent({"out": receiver})
    tracer = {
        "@type": "type.googleapis.com/envoy.config.trace.v3.ZipkinConfig", "collector_cluster": "agent", "collector_endpoint": "/api/v2/spans",
        "collector_endpoint_version": version, "trace_id_128bit": True, "shared_span_context": False,
    }  # fmt: skip
    envoy = proxy(senders.envoy(tmp_path, site, one.places["zipkin"], tracer, http2=False))
    b3 = {"X-B3-TraceId": TRACE, "X-B3-SpanId": PARENT, "X-B3-Sampled": "1"}
    assert envoy.get("/items/7", **b3) == (200, b"hello")
    wait_for(lambda: len(of_trace(receiver)) == 2)
    server, client = (of_trace(receiver)[kind] for kind in (SERVER, CLIENT))
    # Envoy 1.40 writes the ids of spans with their bytes in the machine's order when it encodes as protobuf (trace ids it does not). What it says is what arrives.
    said = {"HTTP_JSON": lambda id: id, "HTTP_PROTO": lambda id: bytes.fromhex(id)[::-1].hex()}[version]
    assert (said(server.parent_id), client.parent_id, said(client.span_id)) == (PARENT, server.span_id, site.headers[-1]["x-b3-spanid"])
    assert server.resource["service.name"] == "edge" and server.attributes["http.status_code"] == "200"
    check_times(server)


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
def test_deno(agent, receiver, tmp_path, protocol):  # noqa: F811
    one = agent({"out": receiver})
    (tmp_path / "shop.ts").write_text(
        """
        const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => { console.log("asked"); return new Response("hello"); });
        const answer = await fetch(`http://127.0.0.1:${server.addr.port}/items/7`);
        if (await answer.text() !== "hello") Deno.exit(1);
        await server.shutdown();
        """
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    env |= {"OTEL_DENO": "true", "OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{one.places['otlp-http']}", "OTEL_SERVICE_NAME": "edge", "NO_COLOR": "1"}
    done = subprocess.run([senders.program("deno"), "run", "--allow-net", "shop.ts"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    wait_for(lambda: {SERVER, CLIENT} <= {span.kind for span in receiver.spans} and receiver.logs)
    server, client = (next(span for span in receiver.spans if span.kind == kind) for kind in (SERVER, CLIENT))
    assert (server.trace_id, server.parent_id) == (client.trace_id, client.span_id)
    for span in server, client:
        check_times(span)
        assert span.resource["service.name"] == "edge" and span.attributes["http.request.method"] == "GET"
    log = receiver.logs[0]
    assert log.body == "asked\n" and (log.trace_id, log.span_id) == (server.trace_id, server.span_id)


CURL = {
    "chunked": ["-H", "Transfer-Encoding: chunked", "--data-binary", "@-"],
    "chunked after 100 Continue": ["-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue", "-T", "-", "-X", "POST"],
    "a length after 100 Continue": ["-H", "Expect: 100-continue", "--data-binary", "@-"],
    "HTTP/1.0": ["--http1.0", "--data-binary", "@-"],
    "HTTP/2 from the first byte": ["--http2-prior-knowledge", "--data-binary", "@-"],
    "HTTP/2 without a length": ["--http2-prior-knowledge", "-T", "-", "-X", "POST"],
    "an offer of HTTP/2": ["--http2", "--data-binary", "@-"],
    "through a proxy's form": ["--request-target", "http://collector.example/v1/traces", "--data-binary", "@-"],
}


@pytest.mark.parametrize("options", CURL.values(), ids=CURL)
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_curl(agent, receiver, options, coding):  # noqa: F811
    one = agent({"out": receiver})
    body = spans(1, 300).SerializeToString()
    if coding == "gzip":
        body = gzip.compress(body)
        options = [*options, "-H", "content-encoding: GZIP"]
    for _ in range(2):
        done = subprocess.run(
            ["curl", "-sS", "-q", "--noproxy", "*", "-m", "20", "-H", "cOnTeNt-TyPe: Application/X-Protobuf; charset=none", "-w", "%{http_code}", *options, one.url("otlp-http", "/v1/traces")],
            input=body, capture_output=True, timeout=40,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, b"200"), done
    sent(one, 600)
    receiver.may_repeat = True
    assert sorted({span.span_id for span in receiver.spans}) == [f"{number:016x}" for number in range(1, 301)]


def test_ruby(agent, receiver, tmp_path):  # noqa: F811
    """The Jaeger client's Thrift over HTTP, and OTLP by Ruby's own HTTP client."""
    one = agent({"out": receiver})
    (tmp_path / "body").write_bytes(spans(1, 1).SerializeToString())
    done = senders.ruby("jaeger_client.rb", one.url("jaeger", "/api/traces"), one.url("otlp-http", ""), str(tmp_path / "body"))
    assert (done.returncode, done.stderr) == (0, ""), done
    sent(one, 4)
    outer, inner = receiver.named("POST /cart"), receiver.named("charge")
    assert (inner.trace_id, inner.parent_id, outer.parent_id) == (outer.trace_id, outer.span_id, "")
    assert (outer.kind, inner.kind) == (SERVER, CLIENT)
    assert outer.attributes["http.status_code"] == 500 and outer.attributes["ratio"] == 0.25 and outer.status == 2
    assert inner.attributes["text"] == "ü" * 300
    assert [(name, attributes["attempt"]) for _, name, attributes in outer.events] == [("retry", 2)]
    assert outer.resource["service.name"] == "shop" and outer.resource["zone"] == "b" and outer.resource["jaeger.version"].startswith("Ruby-")
    check_times(outer)
    receiver.may_repeat = True
