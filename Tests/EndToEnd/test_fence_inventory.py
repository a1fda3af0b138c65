"""The list of system calls that the fence lets through is what programs need, and nothing else: programs that do all that a program can are followed by ptrace(2), and what
they asked for is laid beside the list in Sources/CLinux/Confine.c."""

import json
import re
import signal
import subprocess
import sys
import urllib.request

import pytest

import native
from conftest import HERE
from serving import wait_for

pytestmark = pytest.mark.skipif(native.reason_not_possible() is not None, reason=str(native.reason_not_possible()))

# Let through, and not asked for by the programs here.
SPARE = {
    "fstat": "glibc before 2.33 asks so",
    "statx": "glibc from 2.39 on may ask so",
    "epoll_pwait": "machines without epoll_wait have it in its place",
    "ppoll": "machines without poll have it in its place",
    "access": "libraries that are loaded late (libcurl's) look for their configuration",
    "unlink": "a cache that is full drops its oldest files",
    "gettimeofday": "where the kernel has no vDSO",
    "clock_getres": "where the kernel has no vDSO",
    "nanosleep": "glibc's sleep on some machines",
    "membarrier": "V8 where the processor needs it",
    "sched_yield": "V8's spinning locks",
    "sched_getaffinity": "how many threads a library wants",
    "sigaltstack": "threads that end where glibc gave them one",
    "restart_syscall": "the kernel's own, after a stop",
    "getrusage": "process.cpuUsage and V8's samples",
    "rt_sigreturn": "after any signal",
    "fallocate": "fd_allocate of WASI",
    "fadvise64": "fd_advise of WASI",
    "renameat2": "glibc may take it for renameat",
    "sendmmsg": "the resolver of glibc, which asks for both families at once; none where no name server is",
    "brk": "malloc of the first thread, when what it has is used up",
    "mremap": "realloc of large blocks",
    "preadv2": "wake-ups that must not block",
    "sendmsg": "the resolver of glibc",
    "recvmsg": "the resolver of glibc",
}


def follow(sidelight, arguments, then=None):
    """System calls of a worker once it is in the fence, by name."""
    agent = sidelight.start(*arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pid = native.worker_of(agent.pid)
    wait_for(lambda: native.status_of(f"/proc/{pid}")["Seccomp"].strip() == "2")
    tracer = subprocess.Popen([sys.executable, HERE / "native.py", str(pid)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if tracer.stdout.readline() != "following\n":
        agent.kill()
        pytest.skip("processes cannot be followed here: " + tracer.stderr.read()[-200:])
    if then:
        then(agent)
    out, err = agent.communicate(timeout=120)
    told, trouble = tracer.communicate(timeout=30)
    assert tracer.returncode == 0, trouble
    return json.loads(told), out, err


PROGRAM = """
import { AsyncLocalStorage } from 'node:async_hooks';
await new Promise((resolve) => setTimeout(resolve, 1500));
const tries = [];
for (const url of URLS) tries.push(fetch(url).then((answer) => answer.text()).catch((error) => String(error)));
const socket = new WebSocket('ws://localhost:9/');
await new Promise((resolve) => { socket.onerror = resolve; });
await Promise.all(tries);
const child = new Worker(new URL('./child.mjs', import.meta.url));
await new Promise((resolve) => { child.onmessage = resolve; });
child.terminate();
const { more } = await import('./more.mjs');
more();
const zipped = new Response(new Blob(['x'.repeat(1e6)]).stream().pipeThrough(new CompressionStream('gzip')));
await zipped.arrayBuffer();
await crypto.subtle.digest('SHA-256', new Uint8Array(1e6));
crypto.getRandomValues(new Uint8Array(16));
const memory = new WebAssembly.Memory({ initial: 1, maximum: 100 });
memory.grow(50);
await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
let kept = [];
for (let i = 0; i < 200; i++) kept.push(new Array(10000).fill(i));
kept = [];
for (let i = 0; i < 50; i++) kept.push(new ArrayBuffer(4e6));
process.memoryUsage?.();
process.cpuUsage?.();
console.log('done');
"""


def run_of_all(sidelight, receiver):
    sidelight.write("child.mjs", "const all = []; for (let i = 0; i < 1e5; i++) all.push({ i }); postMessage(all.length);")
    sidelight.write("more.mjs", "export function more() { let sum = 0; for (let i = 0; i < 3e7; i++) sum += i % 7; return sum; }")
    urls = [f"http://127.0.0.1:{receiver.port}/x", f"http://localhost:{receiver.port}/", "http://no-such-host.invalid/", "https://127.0.0.1:9/"]
    sidelight.write("app.mjs", PROGRAM.replace("URLS", json.dumps(urls)))
    counts, out, err = follow(sidelight, ["run", *receiver.export(), "app.mjs"])
    assert out == "done\n", err
    return counts


SERVED = """
export default {
    async fetch(request) {
        return new Response(await request.text() + 'x'.repeat(100000));
    },
};
"""


def server_of_all(sidelight):
    """A server that has answered, streamed and been asked to end."""
    sidelight.write("served.mjs", SERVED)

    def ask(agent):
        url = next(found[1] for line in agent.stderr if (found := re.search(r"serving .* on (\S+) ", line)))
        for body in (None, b"x", bytes(1_000_000)):
            with urllib.request.urlopen(url, data=body) as answer:
                answer.read()
        agent.send_signal(signal.SIGTERM)

    counts, _, err = follow(sidelight, ["serve", "--listen", "127.0.0.1:0", "--admin", "off", "served.mjs"], ask)
    return counts


def test_programs_ask_for_what_is_let_through_and_nothing_else_is(sidelight, receiver):
    used = set(run_of_all(sidelight, receiver)) | set(server_of_all(sidelight))
    plain, checked, _ = native.lists()
    unknown = used - plain - checked - {"setpriority"}
    # setpriority is V8's, whose thread does without.
    assert not unknown, f"asked for and not let through: {unknown}"
    needless = plain - used - set(SPARE) - WASI
    assert not needless, f"let through, and nobody asks for it: {sorted(needless)}"


# Of the folders of WASI: Tests/EndToEnd/test_wasm.py, whose tests fail where one of them is missing.
WASI = {
    "openat2", "readlinkat", "mkdirat", "unlinkat", "renameat", "linkat", "symlinkat", "utimensat", "ftruncate", "fsync", "fdatasync", "preadv", "pwritev", "pread64", "pwrite64",
    "getdents64", "lseek", "readv", "writev", "clock_nanosleep", "mkdir", "rename",
}  # fmt: skip


def test_every_call_of_the_list_is_known():
    known = native.calls()
    plain, checked, deadly = native.lists()
    assert (plain | checked | deadly) <= set(known), (plain | checked | deadly) - set(known)
    assert not plain & checked
    assert not deadly & (plain | checked)
    assert len(deadly) > 60
