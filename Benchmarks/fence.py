"""What a fence, a policy and limits cost a request: CPU time of a server's worker, with more of them each, in turn. A quiet machine tells more.

    Benchmarks/fence.py [requests a turn]
"""

import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARIES = pathlib.Path(os.environ.get("SIDELIGHT_BIN_DIR", ROOT / ".build" / "release"))
TURNS, CONNECTIONS, WARM_UP = 12, 16, 40_000
POLICIES = {
    "nothing": "base: trusted\n",
    "fence": "base: trusted\nfence: on\n",
    "fence, policy": "base: strict\n",
    "fence, policy, limits": "base: strict\nlimits: {cpu: 1s, wall: 10s, heap: 200MB, memory: 200MB, resident: 1GB, loop-block: 1s, requests: 1000, subrequests: 10, timers: 1000, response: 1MB}\n",
}
REQUEST = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"


class Server:
    def __init__(self, folder, policy):
        folder.mkdir()
        (folder / "policy.yaml").write_text(policy)
        (folder / "hello.mjs").write_text("export default { fetch: () => new Response('hello') };")
        command = [BINARIES / "sidelight", "serve", "--listen", "127.0.0.1:0", "--admin", "off", "--policy", "policy.yaml", "hello.mjs"]
        self.process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
        self.port = next(int(found[1]) for line in self.process.stderr if (found := re.search(r"http://[\d.]+:(\d+)", line)))
        children = [task / "children" for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()]
        self.worker = int(next(text for path in children if (text := path.read_text())))

    def cpu(self):
        """Of the worker so far, nanoseconds."""
        return sum(int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{self.worker}/task").iterdir())

    def ask(self, requests):
        sockets = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(CONNECTIONS)]
        for each in sockets:
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(requests // CONNECTIONS):
            for each in sockets:
                each.sendall(REQUEST)
            for each in sockets:
                each.recv(65536)
        for each in sockets:
            each.close()

    def cost(self, requests):
        before = self.cpu()
        self.ask(requests)
        return (self.cpu() - before) / requests / 1000

    def end(self):
        self.process.terminate()
        self.process.communicate()


def main():
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 16_000
    with tempfile.TemporaryDirectory() as folder:
        servers = {name: Server(pathlib.Path(folder) / str(index), text) for index, (name, text) in enumerate(POLICIES.items())}
        found = {name: [] for name in servers}
        for server in servers.values():
            server.ask(WARM_UP)
        for turn in range(TURNS):
            for name in list(servers)[:: 1 if turn % 2 else -1]:
                found[name].append(servers[name].cost(requests))
        for server in servers.values():
            server.end()
    for name, costs in found.items():
        more = statistics.median(a - b for a, b in zip(costs, found["nothing"]))
        print(f"{name:22} {statistics.median(costs):.2f} us a request, least {min(costs):.2f}, {more:+.2f} (median of the turns)")


if __name__ == "__main__":
    main()
