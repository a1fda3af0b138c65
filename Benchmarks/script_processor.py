#!/usr/bin/env python3
"""What a JavaScript processor costs its worker a span: CPU time and instructions of the worker process, without an agent.

    .peers/venv/bin/python Benchmarks/script_processor.py [--batches N]
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Tests" / "EndToEnd"))

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from script_worker import ScriptWorker

SCRIPTS = {
    "nothing": "span(s) {}",
    "drop all": "span(s) { return false; }",
    "read the name": "span(s) { if (s.name === 'x') return false; }",
    "read one attribute": "span(s) { if (s.attributes['http.route'] === 'x') return false; }",
    "read one, set another": "span(s) { if (s.attributes['http.route'] !== 'x') s.attributes['shop.area'] = 'cart'; }",
    "the same by get and set": "span(s) { if (s.get('http.route') !== 'x') s.set('shop.area', 'cart'); }",
    "mask an address": r"span(s) { s.attributes['client.address'] = s.attributes['client.address'].replace(/\d+$/, '0'); }",
    "look at all attributes": "span(s) { for (const [key, value] of s.attributes) if (key === 'x') return false; }",
}
ATTRIBUTES = {
    "http.request.method": "GET", "url.full": "https://shop.example/cart/items?id=1", "url.path": "/cart/items", "http.response.status_code": 200,
    "server.address": "shop.example", "server.port": 443, "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) Gecko", "client.address": "10.1.2.3",
    "network.protocol.version": "1.1", "http.route": "/cart/items",
}  # fmt: skip


def span(number):
    one = Span(
        trace_id=number.to_bytes(16, "big"), span_id=number.to_bytes(8, "big"), parent_span_id=b"p" * 8, name="GET /cart/items", kind=2,
        start_time_unix_nano=1_700_000_000_000_000_000, end_time_unix_nano=1_700_000_000_100_000_000,
    )  # fmt: skip
    for key, value in ATTRIBUTES.items():
        setattr(one.attributes.add(key=key).value, "int_value" if isinstance(value, int) else "string_value", value)
    return one.SerializeToString()


def cpu(pid):
    """Nanoseconds that all its threads have run."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").iterdir())


def measure(text, batches):
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "mine.js").write_text(f"export default {{ {text} }};")
        with ScriptWorker("mine.js", cwd=folder, cpu=10_000_000_000) as worker:
            assert worker.packet() == b"S\x01", worker.said
            items = [span(1000 + number) for number in range(512)]
            resource, scope = Resource(), InstrumentationScope(name="lib")
            resource.attributes.add(key="service.name").value.string_value = "shop"
            worker.fill(items, resource=resource.SerializeToString(), scope=scope.SerializeToString())
            for _ in range(100):
                assert worker.run() == b"R\x00\x00", worker.said
            assert not worker.said, worker.said
            counter = subprocess.Popen(
                ["perf", "stat", "-x,", "-e", "instructions:u", "-p", str(worker.process.pid)], stderr=subprocess.PIPE, text=True
            )  # fmt: skip
            before = cpu(worker.process.pid)
            for _ in range(batches):
                worker.run()
            used = cpu(worker.process.pid) - before
            counter.send_signal(2)
            figures = [line.split(",")[0] for line in counter.communicate()[1].splitlines() if "instructions" in line]
            instructions = int(figures[0]) if figures and figures[0].isdigit() else 0
            count = batches * len(items)
            return used / count, instructions / count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batches", type=int, default=1000)
    arguments = parser.parse_args()
    print(f"{'':26} CPU ns   instructions")
    for name, text in SCRIPTS.items():
        nanoseconds, instructions = measure(text, arguments.batches)
        print(f"{name:26} {nanoseconds:6.0f}   {instructions:8.0f}", flush=True)


if __name__ == "__main__":
    main()
