"""A WebAssembly module compiled from C and C++ (the SMT solver Boolector, 1.3 MB): to compile it, and to the end of a run, with stored code and without."""

import http.server
import json
import pathlib
import shutil
import sys
import threading

import contenders
from measuring import alternate, median, run

MODULE = contenders.ROOT / ".peers" / "wasm" / "boolector.wasm"
# a(b + c) = ab + ac for 5 bits, by search: a second of work. It ends with code 20: unsatisfiable.
INPUT = b"""(set-logic QF_BV)
(declare-fun a () (_ BitVec 5))
(declare-fun b () (_ BitVec 5))
(declare-fun c () (_ BitVec 5))
(assert (not (= (bvmul a (bvadd b c)) (bvadd (bvmul a b) (bvmul a c)))))
(check-sat)
"""


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = MODULE.read_bytes() if self.path == "/module.wasm" else INPUT
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def measure(rounds, folder, progress):
    """Rows, and notes on what is left out."""
    if not MODULE.exists():
        return [], ["WebAssembly is left out: scripts/peers bench unpacks the module"]
    cold, warm = pathlib.Path(folder) / "cold", pathlib.Path(folder) / "warm"
    entrants = contenders.for_wasm(str(pathlib.Path(folder) / "store"), str(cold), str(warm))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def once(contender):
        shutil.rmtree(cold, ignore_errors=True)
        done = run(contender, [f"http://127.0.0.1:{server.server_address[1]}"])
        said = json.loads(done.output.strip().splitlines()[-1])
        if "unsat" not in said["output"]:
            sys.exit(f"bench: error: {contender.name} said {said['output']!r}")
        progress(f"  {contender.name}: {said['compile']:.1f} ms, {said['run']:.0f} ms, {done.cpu_seconds:.3f} CPU s")
        return {**said, "cpu": done.cpu_seconds}

    try:
        alternate(entrants, 1, once)  # caches
        found = alternate(entrants, rounds, once)
    finally:
        server.shutdown()
        server.server_close()
    keys = {"compile_ms": "compile", "run_ms": "run", "cpu_s": "cpu"}
    return [{"name": name, **{key: median(sample[of] for sample in samples) for key, of in keys.items()}} for name, samples in found.items()], []
