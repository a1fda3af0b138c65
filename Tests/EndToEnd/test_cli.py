"""The command line: what it takes, what it refuses, what it leaves on disk."""

import ctypes
import json
import os
import stat
import subprocess

import pytest


def test_what_follows_the_entry_belongs_to_the_program(sidelight, program):
    words = ["--service", "x", "-q", "--", "--help", "plain", "", "ü"]
    done = sidelight("run", "-q", program("arguments.mjs"), *words)
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == words


def test_the_console_of_the_program_is_untouched(sidelight):
    path = sidelight.write("streams.mjs", "console.log('to out'); console.error('to err');\n")
    done = sidelight("run", path)
    assert (done.code, done.out, done.err) == (0, "to out\n", "to err\n")


def test_of_a_variable_that_is_there_twice_the_first_counts_for_all(sidelight):
    """Python's own ways to start a program take no such environment."""
    sidelight.write("app.mjs", "console.log(process.env.DOUBLE);")
    sidelight.write("policy.yaml", "environment: [DOUBLE]\n")
    words = [bytes(sidelight.binary), b"run", b"--policy", b"policy.yaml", b"app.mjs"]
    array = lambda texts: (ctypes.c_char_p * (len(texts) + 1))(*texts, None)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.chdir(sidelight.folder)
        os.dup2(writing, 1)
        ctypes.CDLL(None).execve(words[0], array(words), array([b"DOUBLE=first", b"DOUBLE=second"]))
        os._exit(127)
    os.close(writing)
    with open(reading) as output:
        assert output.read() == "first\n"
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["run"], "ENTRY"),
        (["run", "--nonsense", "x.js"], "--nonsense"),
        (["run", "--export", "otlp=not a url", "x.js"], "not a url"),
        (["run", "--export", "nonsense=http://127.0.0.1", "x.js"], "nonsense"),
        (["run", "--export", "otlp=ftp://127.0.0.1", "x.js"], "ftp"),
        (["run", "--export", "otlp", "x.js"], "otlp"),
        (["run", "--limit", "heap", "x.js"], "heap"),
        (["run", "--limit", "heap=many", "x.js"], "many"),
        (["run", "--limit", "nonsense=1", "x.js"], "nonsense"),
        (["run", "--limit", "cpu=-5ms", "x.js"], "-5ms"),
        (["run", "--log-level", "shouting", "x.js"], "shouting"),
        (["run", "--flush-timeout", "soon", "x.js"], "soon"),
        (["nonsense"], "nonsense"),
        (["--nonsense"], "--nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_usage_is_exit_code_2_and_names_what_is_wrong(sidelight, arguments, word):
    done = sidelight(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert word in done.err
    assert len(done.err.splitlines()) <= 4, done.err
    assert not (sidelight.folder / ".sidelight").exists()


def test_a_bad_variable_is_named(sidelight, program):
    done = sidelight("run", program("many.mjs"), 1, env={"OTEL_EXPORTER_OTLP_ENDPOINT": "nonsense://x"})
    assert done.code in (0, 2)
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in done.err


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["trace", "--help"], ["trace", "ls", "--help"], ["tail", "--help"]])
def test_help_goes_to_stdout(sidelight, arguments):
    done = sidelight(*arguments)
    assert (done.code, done.err) == (0, "")
    assert "USAGE" in done.out.upper()


def test_run_help_has_examples_and_exit_codes(sidelight):
    text = sidelight("run", "--help").out
    for word in ("--export", "--limit", "--store", "--flush-timeout", "heap=", "otlp=", "70"):
        assert word in text


def test_version(sidelight):
    done = sidelight("--version")
    assert done.code == 0
    assert done.out.strip()[0].isdigit()


def test_the_summary_is_one_line_of_json_whose_accounts_balance(sidelight, receiver, program):
    done = sidelight("run", "--json", *receiver.export(), program("many.mjs"), 1000)
    assert done.code == 0
    assert done.out == "made 1000\n"
    summary = done.summary
    assert len(done.err.splitlines()) == 1
    assert summary["exitCode"] == 0
    assert summary["received"]["traces"] == len(receiver.spans)
    assert summary["received"]["logs"] == len(receiver.logs)
    for account in [*summary["exporters"], summary["store"]]:
        for signal, counts in account["signals"].items():
            assert counts["received"] == counts["sent"] + counts["dropped"] + counts["queued"]
            assert counts["received"] == summary["received"][signal]
    assert summary["worker"]["status"] == {"exited": 0}


def test_the_store_is_where_it_was_asked_for(sidelight, program):
    done = sidelight("run", "--store", "here/and/there", program("many.mjs"), 10)
    assert (done.code, done.err) == (0, "")
    assert (sidelight.folder / "here/and/there").is_dir()
    assert not (sidelight.folder / ".sidelight").exists()
    listed = sidelight("trace", "ls", "--store", "here/and/there", "--json")
    assert listed.code == 0 and sum(trace["spanCount"] for trace in listed.json) >= 11


def test_a_store_that_cannot_be_written_is_a_usage_error(sidelight, receiver, program):
    sidelight.write("file", "in the way")
    done = sidelight("run", "--store", "file/store", *receiver.export(), program("many.mjs"), 10)
    assert (done.code, done.out) == (2, "")
    assert "file/store" in done.err
    assert receiver.requests == []


def test_the_default_store_missing_is_said_and_nothing_else_fails(sidelight, receiver, program):
    sidelight.write(".sidelight", "in the way")
    done = sidelight("run", *receiver.export(), program("many.mjs"), 10)
    assert (done.code, done.out) == (0, "made 10\n")
    assert ".sidelight" in done.err
    assert sum(span.name == "unit" for span in receiver.spans) == 10


def test_a_corrupt_store_is_moved_aside_and_said(sidelight, program):
    assert sidelight("run", program("many.mjs"), 10).code == 0
    store = sidelight.folder / ".sidelight"
    files = [path for path in store.rglob("*") if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3"]
    assert files, list(store.rglob("*"))
    for path in files:
        path.write_bytes(b"this is no database" * 1000)
    for path in store.rglob("*-wal"):
        path.unlink()
    done = sidelight("run", program("many.mjs"), 20)
    assert done.code == 0
    assert ".sidelight" in done.err, "it is said"
    kept = [path for path in store.rglob("*") if path.is_file() and path.read_bytes().startswith(b"this is no database")]
    assert len(kept) == len(files), "the damaged file is kept"
    listed = sidelight("trace", "ls", "--json")
    assert sum(trace["spanCount"] for trace in listed.json) >= 21


def test_the_terminal_shows_the_trace(sidelight, receiver, program):
    assert sidelight("run", "--service", "shop", *receiver.export(), program("context.mjs")).code == 0
    outer = receiver.named("outer")
    (listed,) = sidelight("trace", "ls", "--json").json
    assert (listed["traceId"], listed["spanCount"]) == (outer.trace_id, len(receiver.spans))
    shown = sidelight("trace", "show", outer.trace_id)
    assert shown.code == 0
    for name in ("outer", "left child", "promise chain"):
        assert name in shown.out
    assert sidelight("trace", "show", "0" * 31 + "1").code != 0


def test_tail_prints_logs(sidelight, program):
    assert sidelight("run", program("logs.mjs")).code == 0
    done = sidelight("tail", "--json", timeout=20)
    assert done.code == 0
    assert "a formatted line with 42" in done.out


def test_runs_side_by_side_share_a_store(sidelight, program):
    import subprocess

    running = [
        sidelight.start("run", program("many.mjs"), 500, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(4)
    ]
    for process in running:
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
    listed = sidelight("trace", "ls", "--json")
    assert sorted(trace["spanCount"] >= 501 for trace in listed.json) == [True] * 4


def test_the_worker_missing_is_an_internal_error(sidelight, tmp_path, program):
    from conftest import BIN_DIR, Sidelight

    alone = tmp_path / "alone"
    alone.mkdir()
    os.link(BIN_DIR / "sidelight", alone / "sidelight") if os.stat(BIN_DIR).st_dev == os.stat(alone).st_dev else __import__(
        "shutil"
    ).copy(BIN_DIR / "sidelight", alone / "sidelight")
    done = Sidelight(tmp_path, alone / "sidelight")("run", program("many.mjs"), env={"PATH": "/nonexistent"})
    assert done.code == 70
    assert "sidelight-worker" in done.err


def test_a_program_in_a_pipe_ends_with_its_reader(sidelight):
    path = sidelight.write("ticks.mjs", "setInterval(() => console.log('tick'), 1)")
    process = sidelight.start("run", path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == "tick\n"
    process.stdout.close()
    assert process.wait(30) == 1
    assert process.stderr.read() == ""
