"""Programs that others wrote and that send their own telemetry: Envoy, Caddy and Traefik (from PyPI), each in front of a small site, with the environment and the files they need."""

import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

from serving import wait_for

SITE_PACKAGES = pathlib.Path(next(path for path in sys.path if path.endswith("site-packages")))


def program(name):
    """Where `scripts/peers test` has put it. A test that needs it fails without it, and says why."""
    place = SITE_PACKAGES / "envoy" / "_bin" / "envoy" if name == "envoy" else pathlib.Path(sys.executable).parent / name
    assert place.exists(), f"{place} is not there: scripts/peers test installs it"
    return str(place)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Site:
    """What stands behind a proxy: says hello, and keeps the headers it was sent."""

    def __init__(self):
        site = self
        self.headers = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                site.headers.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(404 if self.path.startswith("/missing") else 200)
                self.send_header("Content-Length", "5")
                self.end_headers()
                self.wfile.write(b"hello")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Proxy:
    """One of the programs, from its start until it answers, to its end."""

    def __init__(self, folder, command, port, env={}):
        self.port, self.messages = port, folder / "proxy.txt"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TRAEFIK_"))}
        with open(self.messages, "w") as file:
            self.process = subprocess.Popen(command, cwd=folder, env={**kept, "HOME": str(folder), **env}, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        wait_for(self.listens)

    def listens(self):
        assert self.process.poll() is None, self.messages.read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
            return True
        except OSError:
            return False

    def get(self, path, **headers):
        """Status and body."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read()

    def end(self):
        """Asked to end: what it still holds leaves."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def caddy(folder, site, endpoint, protocol):
    """`protocol`: grpc or http/protobuf. The tracer is the SDK of OpenTelemetry for Go."""
    port = free_port()
    (folder / "Caddyfile").write_text(
        f"{{\n  admin off\n  auto_https off\n}}\nhttp://127.0.0.1:{port} {{\n  tracing {{\n    span shop\n  }}\n  reverse_proxy 127.0.0.1:{site.port}\n}}\n"
    )
    env = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_EXPORTER_OTLP_INSECURE": "true", "OTEL_SERVICE_NAME": "edge",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=shop", "OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    }  # fmt: skip
    return Proxy(folder, [program("caddy"), "run", "--config", "Caddyfile"], port, env)


def traefik(folder, site, *options):
    port = free_port()
    dynamic = {
        "http": {
            "routers": {"all": {"rule": "PathPrefix(`/`)", "service": "site", "entryPoints": ["web"]}},
            "services": {"site": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{site.port}"}]}}},
        }
    }
    (folder / "dynamic.yml").write_text(json.dumps(dynamic))  # JSON is YAML
    fixed = ["--global.checknewversion=false", "--global.sendanonymoususage=false", f"--entrypoints.web.address=127.0.0.1:{port}", "--providers.file.filename=dynamic.yml"]
    proxy = Proxy(folder, [program("traefik"), *fixed, *options], port, {"OTEL_BSP_SCHEDULE_DELAY": "50"})
    wait_for(lambda: proxy.get("/ready")[1] == b"hello")  # the routers come a little after the port
    return proxy


def envoy(folder, site, agent, tracer, *, http2=True, access_log=None, sinks=()):
    """`tracer`: `typed_config` of a provider; clusters `site` and `agent` are there. `agent`: HOST:PORT."""
    port = free_port()
    connection_manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "generate_request_id": True,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "site"}, "decorator": {"operation": "shop"}}]}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
        "tracing": {"provider": {"name": "tracer", "typed_config": tracer}, "spawn_upstream_span": True},
    }
    if access_log:
        connection_manager["access_log"] = [{"name": "log", "typed_config": access_log}]
    plain = {"@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions", "explicit_http_config": {"http2_protocol_options" if http2 else "http_protocol_options": {}}}
    config = {
        "node": {"id": "edge-1", "cluster": "edge"},
        "static_resources": {
            "listeners": [
                {
                    "address": address("127.0.0.1", port),
                    "filter_chains": [{"filters": [{"name": "http", "typed_config": connection_manager}]}],
                }
            ],
            "clusters": [
                cluster("site", f"127.0.0.1:{site.port}"),
                {**cluster("agent", agent), "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": plain}},
            ],
        },
        "stats_flush_interval": "0.2s",
        "stats_sinks": [{"name": "sink", "typed_config": sink} for sink in sinks],
        # What its tracers and loggers hold leaves at once.
        "layered_runtime": {"layers": [{"name": "static", "static_layer": {"tracing.opentelemetry.min_flush_spans": 1, "tracing.opentelemetry.flush_interval_ms": 50, "tracing.zipkin.min_flush_spans": 1}}]},
    }
    (folder / "envoy.json").write_text(json.dumps(config))
    return Proxy(folder, [program("envoy"), "-c", "envoy.json", "--base-id", str(port), "--concurrency", "1", "--log-level", "warn", "--disable-hot-restart"], port)


def address(host, port):
    return {"socket_address": {"address": host, "port_value": int(port)}}


def cluster(name, place):
    return {
        "name": name, "type": "STATIC", "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(*place.split(":"))}}]}]},
    }  # fmt: skip


def ruby(*arguments):
    """Runs a program of programs/ with Debian's Ruby and its Jaeger client, as `scripts/peers test` unpacks them."""
    here = pathlib.Path(__file__).resolve().parent
    usr = here.parent.parent / ".peers" / "ruby" / "usr"
    assert (usr / "bin" / "ruby3.1").exists(), f"{usr} is not there: scripts/peers test unpacks it"
    native, gems = usr / "lib" / "x86_64-linux-gnu", usr / "share" / "rubygems-integration" / "all" / "gems"
    thrift = native / "rubygems-integration" / "3.1.0"
    folders = [usr / "lib" / "ruby" / "3.1.0", native / "ruby" / "3.1.0", gems / "jaeger-client-1.3.0" / "lib", gems / "opentracing-0.5.0" / "lib"]
    folders += [thrift / "gems" / "thrift-0.14.0" / "lib", thrift / "extensions" / "x86_64-linux" / "3.1.0" / "thrift-0.14.0"]
    command = [usr / "bin" / "ruby3.1", "--disable-gems", *(f"-I{folder}" for folder in folders), here / "programs" / arguments[0], *arguments[1:]]
    return subprocess.run(list(map(str, command)), env={**os.environ, "LD_LIBRARY_PATH": str(native)}, capture_output=True, text=True, timeout=60)
