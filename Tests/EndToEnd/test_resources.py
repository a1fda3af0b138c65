"""What is sampled of the machine, the processes and the container, against those who look for themselves: node_exporter, ps, /usr/bin/time.

Counters are compared by a bracket: the other's figure was read after one sample of ours and before a later one, so it must lie between the two, whatever
happened meanwhile. Where no other error is stated there is none.
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from conftest import HERE
from serving import Service, metrics, wait_for

NODE_EXPORTER = HERE.parent.parent / ".peers/node_exporter/usr/bin/prometheus-node-exporter"
TICK = 1 / os.sysconf("SC_CLK_TCK")

# Burns a CPU for as many milliseconds as the path says.
BURNER = """
export default {
    async fetch(request) {
        const end = Date.now() + Number(new URL(request.url).pathname.slice(1) || 0);
        let count = 0;
        while (Date.now() < end) count++;
        return new Response(String(count > -1));
    },
};
"""


def resources(service):
    with urllib.request.urlopen(service.admin + "/api/v1/resources", timeout=20) as answer:
        assert answer.headers["content-type"] == "application/json"
        return json.load(answer)


def sampled_after(service, moment):
    """The first answer whose sample was taken after this moment, Unix seconds."""

    def look():
        answer = resources(service)
        return answer if int(answer["timeUnixNano"]) > moment * 1e9 else None

    return wait_for(look)


def bracket(service, read):
    """A sample of every group from before `read()`, what that returned, and one from after. Groups are sampled at least every second here."""
    before = sampled_after(service, time.time())
    time.sleep(0.01)
    found = read()
    after = sampled_after(service, time.time() + 1.1)
    return before, found, after


ALL_EACH_SECOND = "resources: {threads: 1s, pss: 1s, network: 1s, disk: 1s, filesystems: 1s}\n"


@pytest.fixture
def burner(sidelight, receiver):
    made = []

    def start(*arguments, configuration=ALL_EACH_SECOND, **options):
        sidelight.write("sidelight.yaml", configuration)
        service = Service(
            sidelight, sidelight.write("burner.mjs", BURNER), "-c", "sidelight.yaml", "--isolates", "1", "--admin", "127.0.0.1:0", *arguments,
            receiver=receiver, **options,
        )  # fmt: skip
        made.append(service)
        return service

    yield start
    for service in made:
        service.kill()


# -- node_exporter


@pytest.fixture
def node_exporter():
    if not NODE_EXPORTER.exists():
        pytest.skip("no node_exporter: scripts/peers test")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [NODE_EXPORTER, f"--web.listen-address=127.0.0.1:{port}", "--collector.filesystem.mount-points-exclude=^/(sys|proc)($|/)", "--log.level=error"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def read():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            text = answer.read().decode()
        found = {}
        for line in text.splitlines():
            if match := re.fullmatch(r"(node_\w+)(?:\{(.*)\})? (\S+)", line):
                labels = dict(re.findall(r'(\w+)="([^"]*)"', match[2] or ""))
                found.setdefault(match[1], []).append((labels, float(match[3])))
        return found

    def is_there():
        try:
            return read()
        except (urllib.error.URLError, ConnectionError):
            return None

    wait_for(is_there)
    yield read
    process.kill()
    process.wait()


def of(found, name, **labels):
    values = [value for own, value in found[name] if all(own.get(key) == value for key, value in labels.items())]
    assert values, f"{name} {labels}"
    return sum(values)


def test_the_machine_is_as_node_exporter_sees_it(burner, node_exporter):
    service = burner()
    before, node, after = bracket(service, node_exporter)

    def between(low, value, high, what):
        assert low <= value * (1 + 1e-9) and value <= high * (1 + 1e-9), f"{what}: {low} {value} {high}"

    # Sizes do not change.
    assert before["host"]["memory"]["total"] == of(node, "node_memory_MemTotal_bytes")
    assert before["host"]["cpus"] == len([1 for labels, _ in node["node_cpu_seconds_total"] if labels["mode"] == "user"])
    # Memory goes up and down: within 5 % of all of it, in the two seconds of the bracket.
    total = before["host"]["memory"]["total"]
    assert abs(before["host"]["memory"]["available"] - of(node, "node_memory_MemAvailable_bytes")) < total / 20
    assert abs(before["host"]["load"][0] - of(node, "node_load1")) < 1
    # Counters. node_exporter's uptime is the time of its scrape less that of the start, which the kernel tells in whole seconds.
    theirs = {labels["device"] for labels, _ in node["node_network_receive_bytes_total"]}
    assert theirs <= {each["name"] for each in before["networks"]}
    for interface, later in zip(before["networks"], after["networks"]):
        name = interface["name"]
        # It leaves out some, as the loopback.
        if name in theirs:
            between(interface["receivedBytes"], of(node, "node_network_receive_bytes_total", device=name), later["receivedBytes"], name)
            between(interface["sentPackets"], of(node, "node_network_transmit_packets_total", device=name), later["sentPackets"], name)
    assert before["disks"]
    for disk, later in zip(before["disks"], after["disks"]):
        name = disk["name"]
        between(disk["writtenBytes"], of(node, "node_disk_written_bytes_total", device=name), later["writtenBytes"], name)
        between(disk["reads"], of(node, "node_disk_reads_completed_total", device=name), later["reads"], name)
        between(disk["busySeconds"], of(node, "node_disk_io_time_seconds_total", device=name), later["busySeconds"], name)
    for fileSystem in before["fileSystems"]:
        size = of(node, "node_filesystem_size_bytes", mountpoint=fileSystem["mountPoint"])
        assert fileSystem["total"] == size
        # Others write meanwhile: within 1 %.
        assert abs(fileSystem["available"] - of(node, "node_filesystem_avail_bytes", mountpoint=fileSystem["mountPoint"])) < size / 100
    if "node_pressure_cpu_waiting_seconds_total" in node:
        for kind, name in (("cpu", "cpu"), ("memory", "memory"), ("io", "io")):
            between(
                before["host"]["pressure"][kind]["someSeconds"], of(node, f"node_pressure_{name}_waiting_seconds_total"),
                after["host"]["pressure"][kind]["someSeconds"], kind,
            )  # fmt: skip


def test_times_of_the_cpus_are_as_node_exporter_sees_them(burner, node_exporter, receiver):
    """By what is exported: the same states, each within what can pass between two reads."""
    service = burner(env={"OTEL_METRIC_EXPORT_INTERVAL": 1500})
    wait_for(lambda: metrics(receiver).get("system.cpu.time"))
    node = node_exporter()
    count = len(metrics(receiver)["system.cpu.time"])
    assert count == 7
    names = {"interrupt": ("irq", "softirq")}
    cpus = os.cpu_count()
    for point in metrics(receiver)["system.cpu.time"]:
        mode = {pair.key: pair.value.string_value for pair in point.attributes}["cpu.mode"]
        theirs = sum(of(node, "node_cpu_seconds_total", mode=name) for name in names.get(mode, (mode,)))
        # Guest time is in user's for both. Samples are up to 4 s apart.
        assert abs(point.as_double - theirs) <= 4 * cpus, mode
    assert service.process.poll() is None


# -- ps


def test_a_worker_is_as_ps_sees_it(burner):
    service = burner()
    for _ in range(3):
        service.get("/300")
    pid = service.workers[0]

    def read():
        columns = subprocess.run(
            ["ps", "-o", "rss=,vsz=,nlwp=,cputimes=,comm=,min_flt=,maj_flt=,ppid=", "-p", str(pid)], capture_output=True, text=True, check=True
        ).stdout.split()
        return columns, len(os.listdir(f"/proc/{pid}/fd"))

    def own(answer):
        return next(process for process in answer["processes"] if process["pid"] == pid)

    before, (columns, descriptors), after = bracket(service, read)
    ours, later = own(before), own(after)
    rss, vsz, threads, seconds, name, minor, major, parent = columns
    assert ours["role"] == "worker" and ours["place"] == 0
    # ps has the kernel's fifteen bytes.
    assert (ours["name"], name) == ("sidelight-worker", "sidelight-worker"[:15])
    assert ours["parent"] == int(parent) == service.process.pid
    # An idle worker: within 1 %, which is what a page of the heap or two come to.
    assert abs(ours["resident"] - int(rss) * 1024) < ours["resident"] / 100
    assert ours["virtual"] == int(vsz) * 1024
    assert ours["threads"] == int(threads)
    assert later["descriptors"] == descriptors
    cpu = ours["userSeconds"] + ours["systemSeconds"]
    assert cpu > 0.1
    # ps cuts to whole seconds.
    assert int(seconds) <= later["userSeconds"] + later["systemSeconds"] and cpu < int(seconds) + 1 + TICK
    assert ours["minorFaults"] <= int(minor) <= later["minorFaults"]
    assert ours["majorFaults"] <= int(major) <= later["majorFaults"]
    agent = next(process for process in before["processes"] if process["role"] == "agent")
    assert agent["pid"] == service.process.pid
    # What is shared counts in part.
    assert 0 < wait_for(lambda: own(resources(service))["proportional"]) <= ours["resident"] * 1.02
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    assert ours["residentPeak"] <= int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024


def test_switches_and_waiting_are_those_of_all_threads(burner):
    service = burner()
    pid = service.workers[0]

    def read():
        sums = [0, 0, 0]
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            status = (task / "status").read_text()
            sums[0] += int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", status)[1])
            sums[1] += int(re.search(r"nonvoluntary_ctxt_switches:\s+(\d+)", status)[1])
            sums[2] += int((task / "schedstat").read_text().split()[1])
        return sums

    service.get("/500")
    before, (voluntary, involuntary, waited), after = bracket(service, read)
    ours, later = (next(process for process in answer["processes"] if process["pid"] == pid) for answer in (before, after))
    assert ours["voluntarySwitches"] <= voluntary <= later["voluntarySwitches"]
    assert ours["involuntarySwitches"] <= involuntary <= later["involuntarySwitches"]
    # Told to a microsecond.
    assert ours["waitingSeconds"] - 1e-6 <= waited / 1e9 <= later["waitingSeconds"] + 1e-6


# -- /usr/bin/time


def test_a_program_costs_what_time_says(sidelight, receiver):
    """`/usr/bin/time` counts the agent and its worker together, to their ends; the last sample is of a second before that, in which both sleep."""
    if not pathlib.Path("/usr/bin/time").exists():
        pytest.skip("no /usr/bin/time")
    program = sidelight.write(
        "burn.mjs",
        "const end = Date.now() + 2000; let x = 0; while (Date.now() < end) x++; await new Promise((done) => setTimeout(done, 2500));",
    )
    sidelight.write("sidelight.yaml", "resources: {threads: 1s}")
    figures = sidelight.folder / "time.txt"
    done = subprocess.run(
        ["/usr/bin/time", "-o", figures, "-f", "%U %S %M", sidelight.binary, "run", "-c", "sidelight.yaml", *receiver.export(), program],
        cwd=sidelight.folder, env=sidelight.environment({}), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    user, system, peak = (float(text) for text in figures.read_text().split())
    points = metrics(receiver)
    ours = sum(point.as_double for point in points["process.cpu.time"])
    # What comes after the last sample: the end of the worker and of the export.
    assert ours <= user + system + 0.02 and user + system - ours < 0.35, (ours, user, system)
    assert ours > 0.3
    peaks = [point.as_int for point in points["sidelight.process.memory.peak"]]
    # Of the largest process. Its end may take more, and the kernel counts pages in batches of a CPU: within 10 %.
    assert abs(max(peaks) - peak * 1024) < peak * 1024 / 10


def test_a_short_run_pays_for_no_sample(sidelight, receiver):
    assert sidelight("run", *receiver.export(), sidelight.write("short.mjs", "console.log(1)")).code == 0
    assert "process.cpu.time" not in metrics(receiver)


# -- bursts


def test_a_spike_is_told_of_with_the_traces_in_flight(burner, receiver, sidelight):
    # On a busy machine a worker gets little, so little has to be enough; and nothing else is to begin a burst.
    service = burner(
        configuration="resources:\n  cpu: off\n  memory: off\n  pressure: off\n  container: off\n  burst: {process-cpu: 5, length: 1s, pause: 1s, stalls: off}\n"
    )

    def bursts():
        with receiver.lock:
            return [log for log in receiver.logs if log.event_name == "sidelight.resource.burst"]

    # It has to have been calm before.
    wait_for(lambda: next((each for each in resources(service)["processes"] if each["role"] == "worker" and each["cpu"] is not None and each["cpu"] < 0.02), None))
    service.get("/5000")
    trace = service.span("/5000").trace_id
    logs = wait_for(lambda: len(bursts()) >= 2 and bursts())
    whole = next(log for log in logs if not log.trace_id)
    joined = next(log for log in logs if log.trace_id == trace)
    assert whole.attributes["sidelight.resource.burst.reason"] == "process_cpu"
    assert whole.attributes["sidelight.resource.burst.start"] == joined.attributes["sidelight.resource.burst.start"]
    # Ten times a second for a second, and the last one; fewer where the agent does not get the CPU.
    assert 2 <= whole.attributes["sidelight.resource.burst.frames"] <= 13
    assert len(whole.attributes["sidelight.workers.cpu.usage"]) == whole.attributes["sidelight.resource.burst.frames"]
    assert 0.04 < joined.attributes["sidelight.workers.cpu.usage.max"] < 1.6
    service.end()
    shown = sidelight("trace", "show", trace)
    assert shown.code == 0 and "a worker used" in shown.out + shown.err


# -- settings


def test_switched_off_nothing_is_sampled(burner):
    service = burner(configuration="resources: off\n")
    with pytest.raises(urllib.error.HTTPError) as refused:
        resources(service)
    assert refused.value.code == 404
    assert not [name for name in os.listdir(f"/proc/{service.process.pid}/fd") if _leads_to(service.process.pid, name, "/proc/stat")]


def _leads_to(pid, name, path):
    try:
        return os.readlink(f"/proc/{pid}/fd/{name}") == path
    except OSError:
        return False


@pytest.mark.parametrize(
    "text, said",
    [
        ("resources: {cpu: 5}", "resources.cpu"),
        ("resources: {cpus: 5s}", "did you mean \"cpu\"?"),
        ("resources: {burst: {cpu: 0}}", "is not a whole number from 1 to 100"),
        ("resources: maybe", "is not on or off"),
        ("resources: {disk: 1ms}", "or off"),
    ],
)
def test_what_makes_no_sense_is_refused(sidelight, text, said):
    sidelight.write("bad.yaml", text + "\n")
    done = sidelight("serve", "-c", "bad.yaml", "--listen", "127.0.0.1:0", "--admin", "off", sidelight.write("a.mjs", "export default {}"))
    assert done.code == 2
    assert said in done.err and "bad.yaml:1" in done.err


def test_an_agent_hands_its_own_figures_to_pipelines_that_name_it(sidelight, receiver):
    sidelight.write(
        "agent.yaml",
        f"""
admin: 127.0.0.1:0
receivers: {{otlp-http: 127.0.0.1:0}}
exporters: {{away: {{kind: otlp, url: {receiver.url}}}}}
pipelines:
  metrics: {{receivers: [otlp-http, sidelight], exporters: [away]}}
""",
    )
    process = sidelight.start(
        "agent", "-c", "agent.yaml", env={"OTEL_METRIC_EXPORT_INTERVAL": 1500}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=open(sidelight.folder / "agent.txt", "w"),
    )  # fmt: skip
    try:
        wait_for(lambda: metrics(receiver).get("process.memory.usage"))
        points = metrics(receiver)["process.memory.usage"]
        assert [{pair.key: pair.value for pair in point.attributes}["process.pid"].int_value for point in points] == [process.pid]
    finally:
        process.terminate()
        assert process.wait(20) == 0
