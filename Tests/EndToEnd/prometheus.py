"""Debian's Prometheus as a backend of remote write and as a scraper, its answers to PromQL, and its promtool."""

import json
import pathlib
import subprocess
import time
import urllib.parse
import urllib.request

from serving import wait_for

BINARIES = pathlib.Path(__file__).resolve().parent.parent.parent / ".peers" / "prometheus" / "usr" / "bin"


class Prometheus:
    """Takes what it is sent, and scrapes what it is told to: job to the URL of a page. Native histograms need the protobuf format, which it asks for then."""

    config = None  # the whole file, of those who say it themselves

    def __init__(self, folder, scrape={}, native=True):
        folder.mkdir()
        config = folder / "prometheus.yml"
        jobs = [scraped(job, url) for job, url in scrape.items()]
        # JSON is YAML.
        config.write_text(
            self.config
            or json.dumps(
                {
                    "global": {"scrape_interval": "1s" if jobs else "1h", "scrape_timeout": "1s"},
                    "storage": {"exemplars": {"max_exemplars": 100000}},
                    "scrape_configs": jobs,
                }
            )
        )
        features = "native-histograms,exemplar-storage" if native else "exemplar-storage"
        self.messages = folder / "stderr.txt"
        with open(self.messages, "w") as errors:
            self.process = subprocess.Popen(
                [
                    BINARIES / "prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}", "--web.listen-address=127.0.0.1:0",
                    "--web.enable-remote-write-receiver", f"--enable-feature={features}",
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

    @property
    def complaints(self):
        """Its messages that are no mere information."""
        return [line for line in self.messages.read_text().splitlines() if "level=warn" in line or "level=error" in line]

    def value(self, promql):
        """The one number that the question has now; None: there is none."""
        found = self.query(promql, time.time())
        assert len(found) <= 1, found
        return found[0][1] if found else None

    def is_ready(self):
        try:
            with urllib.request.urlopen(self.url + "/-/ready", timeout=20) as answer:
                return answer.status == 200
        except OSError:
            return False

    def get(self, path, **parameters):
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=20) as answer:
            return json.load(answer)["data"]

    def query(self, promql, at):
        """The labels, without the name, and the value of each series; seconds since 1970."""
        found = []
        for series in self.get("query", query=promql, time=at)["result"]:
            series["metric"].pop("__name__", None)
            found.append((series["metric"], float(series["value"][1]) if "value" in series else series["histogram"][1]))
        return sorted(found, key=lambda pair: sorted(pair[0].items()))

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


def scraped(job, url):
    place = urllib.parse.urlsplit(url)
    return {
        "job_name": job,
        # Labels of other senders stay what they are.
        "honor_labels": True,
        "metrics_path": place.path,
        "params": urllib.parse.parse_qs(place.query),
        "static_configs": [{"targets": [place.netloc]}],
    }


def lint(page):
    """What promtool has against a page in the text format."""
    done = subprocess.run([BINARIES / "promtool", "check", "metrics"], input=page, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    return done.stdout.splitlines()
