"""Workers that die: everything that was recorded arrives, and what was open arrives as an error that says how.

KILL_ROUNDS: how often the kill test kills (30; 200 in the full run).
"""

import fcntl
import os
import random
import signal
import subprocess
import termios
import time

import pytest

ERROR = 2
FATAL = 21


def first_line(process):
    """The worker's pid, from the program's first line; the rest of stdout stays in the pipe."""
    line = process.stdout.readline()
    assert line.startswith("pid "), (line, process.stderr.read() if process.poll() is not None else "")
    return int(line.split()[1])


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def start(sidelight, *arguments, **options):
    return sidelight.start(*arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def death_log(receiver):
    (log,) = [log for log in receiver.logs if log.event_name == "exception"]
    return log


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS], ids=lambda number: number.name
)
def test_a_signal_is_named_everywhere(sidelight, receiver, program, number):
    process = start(sidelight, "run", *receiver.export(), program("wait.mjs"))
    os.kill(first_line(process), number)
    _, err = process.communicate(timeout=30)
    reason = f"worker killed by {number.name} ({int(number)})"
    assert process.returncode == 1
    assert reason in err
    assert receiver.named("done").status != ERROR
    run = next(span for span in receiver.spans if span.name.startswith("run "))
    for span in (receiver.named("open root"), run):
        assert (span.status, span.message) == (ERROR, reason)
        assert span.attributes["error.type"] == number.name
        assert span.end > span.start
    log = death_log(receiver)
    assert log.severity == FATAL
    assert (log.trace_id, log.span_id) == (run.trace_id, run.span_id)
    assert log.attributes["exception.type"] == number.name
    assert log.attributes["exception.message"] == reason
    assert reason in log.body


def kill_round(sidelight, receiver, program, number, random):
    service = f"round-{number}"
    numbers = sidelight.folder / f"{service}.txt"
    with open(numbers, "w") as out:
        process = sidelight.start(
            "run", "--service", service, *receiver.export(), program, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.PIPE,
        )  # fmt: skip
    wait_for(lambda: "\n" in numbers.read_text(), 30)
    time.sleep(random.uniform(0, 0.15))
    os.kill(int(numbers.read_text().split("\n", 1)[0].split()[1]), signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err

    # The last line may have been cut short by the kill.
    printed = [int(line) for line in numbers.read_text().split("\n")[1:-1]]
    spans = [span for span in receiver.spans if span.resource["service.name"] == service]
    counts = {}
    for span in spans:
        if span.name == "inner" and span.status != ERROR:
            counts[span.attributes["number"]] = counts.get(span.attributes["number"], 0) + 1
            assert span.events[0][2] == {"number": span.attributes["number"]}
    missing = [one for one in printed if counts.get(one) != 1]
    assert missing == [], f"{len(missing)} of {len(printed)} spans missing or doubled, first {missing[:5]}; stderr: {err}"
    outer = [span for span in spans if span.name == "outer"]
    assert len(printed) <= len(outer) <= len(printed) + 1
    # The two that were open all along, and the child of the run that may have been open just then: one whose number
    # was not printed. Spans arrive in no order of their own, since several requests are under way at once.
    reason = "worker killed by SIGKILL (9)"
    errors = [span for span in spans if span.status == ERROR]
    cut = [span for span in errors if span.name in ("outer", "inner")]
    assert sorted(span.name.split()[0] for span in errors if span not in cut) == ["open", "run"], errors
    assert sorted(span.name for span in cut) in ([], ["outer"], ["inner", "outer"]), errors
    shown = set(printed)
    done = {span.parent_id for span in spans if span.name == "inner" and span.attributes.get("number") in shown}
    assert not done & {span.span_id for span in cut}
    assert all(span.message == reason for span in errors)
    return len(printed)


def test_kill_9_at_random_points_loses_nothing(sidelight, receiver, program):
    rounds = int(os.environ.get("KILL_ROUNDS", 30))
    seed = int(os.environ.get("KILL_SEED", random.randrange(1 << 32)))
    print(f"KILL_SEED={seed}")
    source = random.Random(seed)
    total = 0
    for number in range(rounds):
        total += kill_round(sidelight, receiver, program("kill.mjs"), number, source)
        receiver.check()
        receiver.spans.clear()
        receiver.logs.clear()
    print(f"{total} spans in {rounds} rounds")
    assert total > rounds * 50


def test_out_of_memory(sidelight, receiver, program):
    done = sidelight("run", "--limit", "heap=64MB", *receiver.export(), program("oom.mjs"), timeout=120)
    assert done.code == 4, done.err
    assert "heap limit" in done.err
    assert receiver.named("ended before").status != ERROR
    run = next(span for span in receiver.spans if span.name.startswith("run "))
    assert run.status == ERROR and "heap limit" in run.message
    assert any("heap limit" in str(log.body) for log in receiver.logs)


def test_long_texts_are_within_the_heap_limit(sidelight, tmp_path):
    """They lie outside of V8's heap, but only so many of them."""
    path = tmp_path / "texts.js"
    path.write_text("""
        const decoder = new TextDecoder(), bytes = new Uint8Array(1 << 20).fill(97), texts = [];
        for (let i = 0; i < 200; i++) decoder.decode(bytes);
        console.log('came and went');
        for (let i = 0; i < 1000; i++) texts.push(decoder.decode(bytes));
        console.log('all of them');
    """)
    done = sidelight("run", "--limit", "heap=64MB", str(path), timeout=120)
    assert done.code == 4 and "heap limit" in done.err, done.err
    assert done.out == "came and went\n"


@pytest.mark.parametrize("limits, code, said", [(("--limit", "heap=64MB"), 4, "heap limit"), ((), 1, "V8 fatal error")])
def test_an_array_larger_than_arrays_can_be(sidelight, receiver, limits, code, said):
    path = sidelight.write("large.mjs", "'x'.repeat(2 ** 29 - 24).split('');")
    done = sidelight("run", *limits, *receiver.export(), path, timeout=120)
    assert done.code == code, done.err
    assert f"sidelight: {said}" in done.err and "invalid size error" in done.err
    assert "FailureMessage" not in done.err
    run = next(span for span in receiver.spans if span.name.startswith("run "))
    assert run.status == ERROR and run.attributes.get("sidelight.outcome") == ("exceededMemory" if limits else None)


@pytest.mark.parametrize("limit, word", [("cpu=300ms", "CPU"), ("wall=300ms", "wall")])
def test_time_limits(sidelight, receiver, program, limit, word):
    done = sidelight("run", "--limit", limit, *receiver.export(), program("spin.mjs"))
    assert done.code == 4, done.err
    assert word in done.err
    assert receiver.named("ended before").status != ERROR
    run = next(span for span in receiver.spans if span.name.startswith("run "))
    assert run.status == ERROR


def test_a_fatal_error_of_v8(sidelight, receiver):
    # A stack that overflows inside of V8's own machinery is an exception; an array buffer beyond all bounds is one, too. What V8
    # cannot survive is an allocation that must not fail: the young generation running out while the heap is at its limit.
    path = sidelight.write(
        "fatal.mjs",
        "import { trace } from '@opentelemetry/api';\n"
        "trace.getTracer('fatal').startSpan('ended before').end();\n"
        "const kept = [];\n"
        "for (;;) kept.push(new Map(Array.from({ length: 1e6 }, (_, i) => [i, `${i}`])));\n",
    )
    done = sidelight("run", "--limit", "heap=32MB", *receiver.export(), path, timeout=120)
    assert done.code in (1, 4), done.err
    assert receiver.named("ended before").status != ERROR
    assert next(span for span in receiver.spans if span.name.startswith("run ")).status == ERROR


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_to_the_agent_ends_the_worker_and_everything_is_exported(sidelight, receiver, program, number):
    process = start(sidelight, "run", *receiver.export(), program("wait.mjs"))
    worker = first_line(process)
    os.kill(process.pid, number)
    process.communicate(timeout=30)
    assert process.returncode in (-number, 128 + number)
    assert not os.path.exists(f"/proc/{worker}")
    assert receiver.named("done").status != ERROR
    assert receiver.named("open root").status == ERROR


def test_ctrl_c_on_a_terminal_reaches_the_worker_once_and_everything_is_exported(sidelight, receiver, program):
    master, slave = os.openpty()
    process = sidelight.start(
        "run", *receiver.export(), program("wait.mjs"), stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    first_line(process)
    os.write(master, b"\x03")
    process.communicate(timeout=30)
    os.close(master)
    os.close(slave)
    assert process.returncode == -signal.SIGINT
    assert receiver.named("done").status != ERROR
    assert receiver.named("open root").message == "interrupted by SIGINT"


def test_the_same_signal_again_kills_a_worker_that_does_not_end(sidelight, receiver, program):
    process = start(sidelight, "run", *receiver.export(), program("wait.mjs"))
    worker = first_line(process)
    os.kill(worker, signal.SIGSTOP)
    os.kill(process.pid, signal.SIGTERM)
    time.sleep(0.5)
    assert process.poll() is None
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM
    assert "SIGKILL" in receiver.named("open root").message


def test_a_dead_agent_takes_its_worker_with_it(sidelight, program):
    process = start(sidelight, "run", program("wait.mjs"))
    worker = first_line(process)
    process.kill()
    process.wait()

    def gone():
        try:
            return open(f"/proc/{worker}/stat").read().rsplit(") ", 1)[1][0] == "Z"
        except FileNotFoundError:
            return True

    wait_for(gone)
    process.stdout.close()
    process.stderr.close()
