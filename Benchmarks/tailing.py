"""The log table: files of 500 MB that are there when the tailer starts, each line as an OTLP log record at a sink, beside rsyslog, which writes a file (it has no OTLP). CPU
seconds of the process a GB of input, from its start until all records are there; records counted exactly. Input and sink are the C programs of ../shared/load."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from dataclasses import dataclass

import contenders
from endurance import resident
from measuring import compiled, default_load_folder, free_port, median, wait_for_port
from serving import cpu_seconds

STILL_SECONDS = 10  # nothing more has come for so long: it is over


@dataclass
class Kind:
    name: str
    input: str  # of genlogs
    format: str  # of the receiver
    rsyslog: str | None  # the rule set, and None where it cannot


WRITE = 'action(type="omfile" file="{out}" template="line")'
PARSE = 'action(type="mmjsonparse" cookie="" container="$!")\n  '
KINDS = [
    Kind("plain, unparsed", "plain", "raw, multiline: off", WRITE),
    Kind("JSON", "plain", "json", PARSE + WRITE),
    Kind("Docker json-file + JSON", "docker", "docker", PARSE + WRITE),
    Kind("CRI + JSON", "cri", "cri", None),
    Kind("CRI, JS stack traces", "stack_cri", "cri", None),
    Kind("JS stack traces", "stack_plain", "plain", WRITE),
]


def rsyslogd():
    return shutil.which("rsyslogd", path=os.environ.get("PATH", "") + ":/usr/sbin")


def run(rounds, megabytes, folder, progress):
    load = pathlib.Path(os.environ.get("SIDELIGHT_LOAD", default_load_folder()))
    for name in "genlogs", "otlpsink":
        if not (load / f"{name}.c").exists() or not compiled(load / f"{name}.c", pathlib.Path(folder) / name):
            raise SystemExit(f"bench: error: the log benchmark needs {load}/{name}.c and a C compiler")
    rows = []
    for kind in KINDS:
        file = pathlib.Path(folder) / "input.log"
        said = subprocess.run([f"{folder}/genlogs", kind.input, str(megabytes), str(file)], capture_output=True, text=True, check=True)
        made = json.loads(said.stdout)
        samples = {"sidelight": [], "rsyslog": []}
        for _ in range(rounds):
            samples["sidelight"].append(sidelight(kind, made, file, folder))
            if kind.rsyslog and rsyslogd():
                samples["rsyslog"].append(rsyslog(kind, made, file))
            for name, found in samples.items():
                if found:
                    progress("  {}, {}: {cpu_per_gb:.2f} CPU s a GB, {records:,} of {expected:,} records".format(kind.name, name, **found[-1]))
        file.unlink()
        rows.append({"name": kind.name, **{name: medians(found) for name, found in samples.items() if found}})
    return rows, [] if rsyslogd() else ["rsyslog is not installed (apt-get install rsyslog): its column is left out."]


def medians(samples):
    return {key: median(sample[key] for sample in samples) for key in samples[0]}


def sidelight(kind, made, file, programs):
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        sink = subprocess.Popen([f"{programs}/otlpsink", str(port), f"{folder}/counts", "1"])
        process = None
        try:
            wait_for_port(port)
            pathlib.Path(folder, "sidelight.yaml").write_text(
                f"admin: off\nstore: off\nreceivers: {{files: {{include: ['{file}'], start: beginning, format: {kind.format}}}}}\n"
                f"queue: {{directory: {folder}/queue}}\nexporters: {{sink: {{kind: otlp, url: http://127.0.0.1:{port}}}}}\n"
            )
            with open(f"{folder}/messages", "wb") as messages:
                process = subprocess.Popen(
                    [contenders.sidelight(), "agent", "-c", f"{folder}/sidelight.yaml"], cwd=folder, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages
                )

            def records():
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats") as answer:
                    return json.load(answer)["logs"]

            return sample(process, made, records)
        finally:
            if process:
                process.send_signal(signal.SIGTERM)
                process.wait()
            sink.terminate()
            sink.wait()


def rsyslog(kind, made, file):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        text = "%$!all-json%" if "mmjsonparse" in kind.rsyslog else "%msg%"
        # A record begins with a date; what does not belongs to the one before.
        start = ' startmsg.regex="^20[0-9]{2}-"' if kind.input.startswith("stack") else ""
        pathlib.Path(folder, "rsyslog.conf").write_text(
            f'global(workDirectory="{folder}" maxMessageSize="64k")\nmodule(load="imfile")\nmodule(load="mmjsonparse")\ntemplate(name="line" type="string" string="{text}\\n")\n'
            f'input(type="imfile" File="{file}" Tag="x" ruleset="r"{start})\nruleset(name="r") {{\n  {kind.rsyslog.format(out=out)}\n}}\n'
        )
        process = subprocess.Popen(
            [rsyslogd(), "-n", "-f", f"{folder}/rsyslog.conf", "-i", f"{folder}/pid"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        counted, at = 0, 0

        def records():
            nonlocal counted, at
            if out.exists():
                with open(out, "rb") as written:
                    written.seek(at)
                    while piece := written.read(1 << 20):
                        counted, at = counted + piece.count(b"\n"), at + len(piece)
            return counted

        try:
            # The last record of a file waits for the next one's start for good.
            return sample(process, made, records, missing=1 if start else 0)
        finally:
            process.terminate()
            process.wait()


def sample(process, made, records, missing=0):
    began = changed = time.monotonic()
    seen = 0
    while seen < made["events"] - missing and time.monotonic() - changed < STILL_SECONDS:
        time.sleep(0.02)
        if (now := records()) != seen:
            seen, changed = now, time.monotonic()
    return {
        "cpu_per_gb": cpu_seconds(process.pid) / made["bytes"] * 1e9,
        "megabytes_per_second": made["bytes"] / 1e6 / (changed - began),
        "records": seen,
        "expected": made["events"],
        "peak_mb": resident(process.pid)["VmHWM"],
    }


def cells(name, key, form):
    return lambda row, _: form.format(row[name][key]) if name in row else "–"


COLUMNS = [
    ("Files of log lines", lambda row, _: row["name"]),
    ("CPU s a GB", cells("sidelight", "cpu_per_gb", "{:.2f}")),
    ("MB/s", cells("sidelight", "megabytes_per_second", "{:.0f}")),
    ("peak MB", cells("sidelight", "peak_mb", "{:.0f}")),
    ("records", lambda row, _: "{records:,} of {expected:,}".format(**row["sidelight"])),
    ("rsyslog, CPU s a GB", cells("rsyslog", "cpu_per_gb", "{:.2f}")),
    ("of Sidelight", lambda row, _: f"{row['rsyslog']['cpu_per_gb'] / row['sidelight']['cpu_per_gb']:.1f} ×" if "rsyslog" in row else "–"),
    ("its records", lambda row, _: "{records:,} of {expected:,}".format(**row["rsyslog"]) if "rsyslog" in row else "–"),
]
