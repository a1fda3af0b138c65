"""Log files through the agent to an OTLP backend, beside rsyslog (Debian's, which writes a file): CPU seconds a GB, and how many records came of how many. The inputs are those of
the log table of ../shared/PEERS.md, made by ../shared/load/genlogs.c."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

import contenders
from endurance import resident
from measuring import Sink, compiled, default_load_folder, median
from serving import cpu_seconds

# name: the generator's format, the receiver's settings, rsyslog's way
INPUTS = {
    "plain, unparsed": ("plain", {"format": "plain", "multiline": "off"}, "plain"),
    "JSON parsed": ("plain", {"format": "json"}, "json"),
    "Docker json-file, JSON in it parsed": ("docker", {"format": "docker"}, "docker"),
    "CRI, JSON in it parsed": ("cri", {"format": "cri"}, None),
    "JS stack traces joined": ("stack_plain", {"format": "plain"}, "stack"),
    "CRI, JS stack traces joined": ("stack_cri", {"format": "cri"}, None),
}
QUIET_SECONDS = 5  # nothing more has come: it is over, records missing or not
SECONDS_MAX = 600


def run(rounds, megabytes, folder, progress):
    """A list of rows, and notes."""
    load = pathlib.Path(os.environ.get("SIDELIGHT_LOAD", default_load_folder()))
    generator = pathlib.Path(folder) / "genlogs"
    if not (load / "genlogs.c").exists() or not compiled(load / "genlogs.c", generator):
        raise SystemExit(f"bench: error: the logs benchmark needs {load}/genlogs.c and a C compiler")
    notes = [] if rsyslog() else ["rsyslog is not installed (apt-get install rsyslog) and was left out."]
    sink = Sink(folder)
    rows = []
    try:
        for name, (format, settings, way) in INPUTS.items():
            file = pathlib.Path(folder) / f"{format}.log"
            made = json.loads(subprocess.run([generator, format, str(megabytes), file], capture_output=True, text=True, check=True).stdout)
            contenders_here = {"Sidelight": lambda: measure_sidelight(file, settings, made["events"], sink)}
            if way and rsyslog():
                contenders_here["rsyslog"] = lambda: measure_rsyslog(file, way, made["events"])
            samples = {contender: [] for contender in contenders_here}
            for _ in range(rounds):
                for contender, measure in contenders_here.items():
                    sample = measure()
                    sample["cpu_per_gb"] = sample.pop("cpu") / (made["bytes"] / 1e9)
                    progress("  {}, {}: {cpu_per_gb:.2f} CPU s a GB, {seconds:.1f} s, {records:,} of {wanted:,}".format(contender, name, **sample))
                    samples[contender].append(sample)
            for contender, found in samples.items():
                rows.append({"input": name, "name": contender, **{key: median(sample[key] for sample in found) for key in found[0]}})
            file.unlink()
    finally:
        sink.close()
    return rows, notes


def rsyslog():
    return shutil.which("rsyslogd", path=os.environ["PATH"] + ":/usr/sbin")


def watch(process, count, wanted):
    """Waits until all records have come, or none comes any more."""
    began = last = time.monotonic()
    seen = 0
    while True:
        records = count()
        now = time.monotonic()
        if records != seen:
            seen, last = records, now
        if seen >= wanted or now - last > QUIET_SECONDS and seen > 0 or now - began > SECONDS_MAX:
            break
        time.sleep(0.05)
    sample = {"cpu": cpu_seconds(process.pid), "peak_mb": resident(process.pid)["VmHWM"], "seconds": last - began, "records": seen, "wanted": wanted}
    process.send_signal(signal.SIGTERM)
    process.wait()
    return sample


def measure_sidelight(file, settings, wanted, sink):
    with tempfile.TemporaryDirectory(dir=file.parent) as place:
        folder = pathlib.Path(place)
        configuration = {
            "admin": "off", "store": "off", "receivers": {"files": {"include": str(file), **settings}},
            "queue": {"directory": str(folder / "queue"), "bytes": "10GB"},
            "exporters": {"out": {"kind": "otlp", "url": sink.endpoint}},
        }  # fmt: skip
        (folder / "sidelight.yaml").write_text(json.dumps(configuration))
        urllib.request.urlopen(f"{sink.endpoint}/reset").close()
        process = subprocess.Popen([contenders.sidelight(), "agent", "-c", folder / "sidelight.yaml"], cwd=folder, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def count():
            with urllib.request.urlopen(f"{sink.endpoint}/stats") as answer:
                return json.load(answer)["logs"]

        return watch(process, count, wanted)


RSYSLOG = {
    "plain": ('template(name="out" type="string" string="%msg%\\n")', ""),
    "json": ('module(load="mmjsonparse")\ntemplate(name="out" type="string" string="%$!all-json%\\n")', 'action(type="mmjsonparse" cookie="")'),
    "docker": ('module(load="mmjsonparse")\ntemplate(name="out" type="string" string="%$!log%\\n")', 'action(type="mmjsonparse" cookie="")'),
    "stack": ('template(name="out" type="string" string="%msg%\\n")', ""),
}


def measure_rsyslog(file, way, wanted):
    with tempfile.TemporaryDirectory(dir=file.parent) as place:
        folder = pathlib.Path(place)
        template, parse = RSYSLOG[way]
        start = ' startmsg.regex="^[0-9]{4}-"' if way == "stack" else ""
        (folder / "rsyslog.conf").write_text(
            f"""global(workDirectory="{folder}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off")
module(load="imfile" mode="inotify")
{template}
input(type="imfile" File="{file}" Tag="bench:"{start} readTimeout="1")
{parse}
action(type="omfile" file="{folder}/out" template="out")
"""
        )
        process = subprocess.Popen([rsyslog(), "-n", "-f", folder / "rsyslog.conf", "-i", folder / "pid"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        out = folder / "out"
        counted = [0, 0]  # bytes looked at, records

        def count():
            if out.exists() and out.stat().st_size > counted[0]:
                with open(out, "rb") as lines:
                    lines.seek(counted[0])
                    while piece := lines.read(1 << 20):
                        counted[0] += len(piece)
                        counted[1] += piece.count(b"\n")
            return counted[1]

        return watch(process, count, wanted)
