"""Child Workers: time to the first reply of the first, of one after another and of ten at once, memory of each, messages and transfers."""

import json
import pathlib
import subprocess
import os

import contenders
from measuring import alternate, median, run

CHILDREN = 10


def memory_of(process):
    """Proportional and private memory of a process and its children, bytes."""
    proportional = private = 0
    pids = [process.pid]
    for task in pathlib.Path(f"/proc/{process.pid}/task").glob("*/children"):
        pids += [int(pid) for pid in task.read_text().split()]
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, value, *_ = line.split()
            if name == "Pss:":
                proportional += int(value) << 10
            elif name in ("Private_Clean:", "Private_Dirty:"):
                private += int(value) << 10
    return proportional, private


def measure_memory(contender):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    process = subprocess.Popen(
        [*contender.command, "memory", str(CHILDREN)], env={**environment, **contender.environment},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    found = {int(line): memory_of(process) for line in process.stdout}
    if process.wait() != 0:
        raise SystemExit(f"bench: error: {' '.join(contender.command)} ended with {process.returncode}")
    (none, first, all_) = (found[0], found[1], found[1 + CHILDREN])
    return {
        "first": (first[0] - none[0], first[1] - none[1]),
        "further": tuple((all_[kind] - first[kind]) / CHILDREN for kind in (0, 1)),
    }


def measure(rounds, store, progress):
    entrants = contenders.for_workers(store)

    def once(mode, count):
        def measure_one(contender):
            said = json.loads(run(contender, [mode, count]).output.strip().splitlines()[-1])
            progress(f"  {contender.name}, {mode} {count}: {said}")
            return said

        return measure_one

    alternate(entrants, 1, once("reply", 3))  # caches
    replies = alternate(entrants, rounds, once("reply", 15))
    together = alternate(entrants, rounds, once("together", CHILDREN))
    memory = alternate(entrants, rounds, measure_memory)
    messages = alternate(entrants, rounds, once("messages", 100_000))
    transfers = alternate(entrants, rounds, once("transfer", 10_000))
    return [
        {
            "name": name,
            "first_reply_ms": median(sample["first"] for sample in replies[name]),
            "reply_ms": median(sample["median"] for sample in replies[name]),
            "together_ms": median(sample["all"] for sample in together[name]),
            "first_mb": median(sample["first"][0] for sample in memory[name]) / 1e6,
            "further_mb": median(sample["further"][0] for sample in memory[name]) / 1e6,
            "further_private_mb": median(sample["further"][1] for sample in memory[name]) / 1e6,
            "messages": median(sample["perSecond"] for sample in messages[name]),
            "transfers": median(sample["perSecond"] for sample in transfers[name]),
        }
        for name in (entrant.name for entrant in entrants)
    ]
