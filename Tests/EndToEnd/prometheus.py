"""Debian's Prometheus as a backend of remote write, and its answers to PromQL."""

import json
import pathlib
import subprocess
import urllib.parse
import urllib.request

from serving import wait_for

BINARY = pathlib.Path(__file__).resolve().parent.parent.parent / ".peers" / "prometheus" / "usr" / "bin" / "prometheus"


class Prometheus:
    """Takes what it is sent and scrapes nothing."""

    config = "global: {scrape_interval: 1h}\nstorage: {exemplars: {max_exemplars: 1000}}\n"

    def __init__(self, folder):
        folder.mkdir()
        config = folder / "prometheus.yml"
        config.write_text(self.config)
        self.messages = folder / "stderr.txt"
        with open(self.messages, "w") as errors:
            self.process = subprocess.Popen(
                [
                    BINARY, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}", "--web.listen-address=127.0.0.1:0",
                    "--web.enable-remote-write-receiver", "--enable-feature=native-histograms,exemplar-storage",
                ],
                stdout=errors, stderr=errors,
            )  # fmt: skip
        self.url = "http://" + wait_for(self.place)
        wait_for(self.is_ready)

    def place(self):
        """Where it listens; it says so in its messages."""
        for line in self.messages.read_text().splitlines():
            if 'msg="Listening on"' in line:
                return line.split("address=")[1].split()[0]
        assert self.process.poll() is None, self.messages.read_text()
        return None

    def is_ready(self):
        try:
            with urllib.request.urlopen(self.url + "/-/ready", timeout=20) as answer:
                return answer.status == 200
        except OSError:
            return False

    def get(self, path, **parameters):
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=20) as answer:
            return json.load(answer)["data"]

    def query(self, promql, time):
        """The labels, without the name, and the value of each series; seconds since 1970."""
        found = []
        for series in self.get("query", query=promql, time=time)["result"]:
            series["metric"].pop("__name__", None)
            found.append((series["metric"], float(series["value"][1]) if "value" in series else series["histogram"][1]))
        return sorted(found, key=lambda pair: sorted(pair[0].items()))

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)
