"""Secrets: where they come from, and that nobody hears them. What programs try is in Tests/Attack/secrets."""

import json
import os
import subprocess

import pytest

VALUE = "hunter2-is-a-secret"
SAY = "console.log(process.env.TOKEN?.length, process.env.TOKEN);\n"


@pytest.fixture
def program(sidelight):
    sidelight.write("app.js", SAY)

    def run(policy, *arguments, env={}):
        sidelight.write("policy.yaml", "base: standard\nsecrets:\n  TOKEN: " + policy + "\n")
        return sidelight("run", "--policy", "policy.yaml", *arguments, "app.js", env=env)

    run.sidelight = sidelight
    return run


SAID = f"{len(VALUE)} {'*' * len(VALUE)}\n"


def test_of_a_file(program):
    program.sidelight.write("token.txt", VALUE + "\n")
    done = program("{file: token.txt}")
    assert (done.code, done.out) == (0, SAID), done


def test_of_a_variable(program):
    done = program("{env: OTHER}", env={"OTHER": VALUE})
    assert (done.code, done.out) == (0, SAID), done
    done = program("{env: OTHER}")
    assert done.code == 2 and "secret TOKEN: the variable OTHER is not set" in done.err


def test_of_a_sealed_file(program):
    run = program.sidelight
    run.write("plain", VALUE)
    assert run("secret", "key", "--out", "seal.key").code == 0
    assert run("secret", "encrypt", "plain", "--key-file", "seal.key", "--out", "token.sealed").code == 0
    assert VALUE not in (run.folder / "token.sealed").read_text()
    again = run("secret", "encrypt", "plain", "--key-file", "seal.key", "--out", "token.sealed")
    assert again.code == 2 and "token.sealed is there already" in again.err
    assert run("secret", "decrypt", "token.sealed", "--key-file", "seal.key").out == VALUE
    run.write("phrase", "x")
    both = run("secret", "decrypt", "token.sealed", "--key-file", "seal.key", "--passphrase-file", "phrase")
    assert (both.code, both.out) == (2, "") and "not both" in both.err
    with open("/dev/full", "w") as full:
        process = run.start("secret", "decrypt", "token.sealed", "--key-file", "seal.key", stdout=full, stderr=subprocess.PIPE)
        assert "No space left" in process.communicate()[1] and process.returncode == 1
    done = program("{sealed: token.sealed, key-file: seal.key}")
    assert (done.code, done.out) == (0, SAID), done
    run("secret", "key", "--out", "other.key")
    done = program("{sealed: token.sealed, key-file: other.key}")
    assert done.code == 2 and "the key is another, or the file was changed" in done.err


def test_of_a_sealed_file_with_a_passphrase(program):
    run = program.sidelight
    run.write("plain", VALUE)
    env = {"SIDELIGHT_PASSPHRASE": "open sesame"}
    sealed = run("secret", "encrypt", "plain", env=env)
    assert sealed.code == 0
    run.write("token.sealed", sealed.out)
    assert run("secret", "decrypt", "token.sealed", env=env).out == VALUE
    assert run("secret", "decrypt", "token.sealed", env={"SIDELIGHT_PASSPHRASE": "x"}).code == 2
    done = program("{sealed: token.sealed}", env=env)
    assert (done.code, done.out) == (0, SAID), done
    run.write("pass", "open sesame\nits first line alone counts\n")
    assert program("{sealed: token.sealed, passphrase-file: pass}").out == SAID
    done = program("{sealed: token.sealed}")
    assert done.code == 2 and "SIDELIGHT_PASSPHRASE" in done.err


@pytest.mark.parametrize(
    "policy, words",
    [
        ("{}", "expected file, env or sealed"),
        ("{file: a, env: B}", "one place only"),
        ("{file: a, key-file: b}", "are for sealed files"),
        ("{fil: a}", "fil"),
        ("{file: nowhere}", "secret TOKEN: "),
        ("{file: app.js}\n  9X: {file: app.js}", "is no variable's name"),
    ],
)
def test_mistakes_are_told(program, policy, words):
    done = program(policy)
    assert done.code == 2 and words in done.err, done


def test_it_is_nowhere_in_the_store_nor_of_the_process(program, tmp_path):
    run = program.sidelight
    run.write("token.txt", VALUE)
    run.write(
        "app.js",
        "const t = process.env.TOKEN; console.log(t); console.error({ t }); process.stdout.write(t); setTimeout(() => { throw new Error(t) }, 10);",
    )
    done = program("{file: token.txt}")
    assert done.code == 1
    assert VALUE not in done.out + done.err
    for path in (run.folder / ".sidelight").rglob("*"):
        if path.is_file():
            assert VALUE.encode() not in path.read_bytes(), path
    assert VALUE not in run("trace", "show", "latest").out + run("logs").out


def test_not_even_its_beginning_is_told_where_attributes_are_cut(program):
    run = program.sidelight
    run.write("token.txt", VALUE)
    run.write(
        "app.js",
        "import { trace } from '@opentelemetry/api'; const t = process.env.TOKEN;\n"
        "trace.getTracer('t').startActiveSpan('s', (span) => { span.setAttributes({ t, list: [t] }); span.addEvent('e', { t }); span.end(); });\n",
    )
    assert program("{file: token.txt}", env={"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "12"}).code == 0
    shown = run("trace", "show", "latest", "--attributes").out
    assert "*" * 12 in shown and VALUE[:6] not in shown, shown
    for path in (run.folder / ".sidelight").rglob("*"):
        if path.is_file():
            assert VALUE[:12].encode() not in path.read_bytes(), path


def test_not_even_its_beginning_is_told_where_other_texts_are_cut(program):
    run = program.sidelight
    run.write("token.txt", VALUE)
    run.write(
        "app.js",
        "const t = process.env.TOKEN; const before = (units) => 'm'.repeat(units - 6);\n"
        "console.log({ k: before(10000) + t });\n"
        "class E extends Error { name = before(256) + t; }\n"
        "console.log(before(262144) + t);\n"
        "throw new E(before(65536) + t);\n",
    )
    done = program("{file: token.txt}")
    assert done.code == 1 and "mmmm" in done.out
    said = done.out + done.err + run("errors").out + run("trace", "show", "latest", "--attributes").out + run("logs").out
    assert VALUE[:6] not in said
    for path in (run.folder / ".sidelight").rglob("*"):
        if path.is_file():
            assert VALUE[:6].encode() not in path.read_bytes(), path


def test_the_workers_process_has_no_variables_of_the_program(program):
    run = program.sidelight
    run.write("token.txt", VALUE)
    run.write("app.js", "console.log(process.pid, process.env.CANARY, process.env.OTHER, process.env.SIDELIGHT_TOKEN); setInterval(() => {}, 1000);")
    run.write("policy.yaml", "base: standard\nsecrets: {TOKEN: {env: OTHER}}\n")
    env = {"OTHER": VALUE, "CANARY": "bird", "SIDELIGHT_TOKEN": "door", "SIDELIGHT_PASSPHRASE": "sesame"}
    process = run.start("run", "--policy", "policy.yaml", "app.js", env=env, stdout=subprocess.PIPE)
    try:
        pid, *shown = process.stdout.readline().split()
        assert shown == ["bird", "undefined", "undefined"]
        with open(f"/proc/{pid}/environ", "rb") as file:
            names = {entry.split(b"=")[0] for entry in file.read().split(b"\0") if entry}
        assert not names & {b"OTHER", b"CANARY", b"SIDELIGHT_TOKEN", b"SIDELIGHT_PASSPHRASE", b"PATH", b"HOME"}, names
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_no_heap_snapshot_shows_it(program):
    run = program.sidelight
    run.write("token.txt", VALUE)
    run.write("app.js", "const all = [process.env.TOKEN]; for (;;) all.push(new Array(10000).fill(Math.random()));")
    done = program("{file: token.txt}", "--limit", "heap=20MB", "--heap-snapshot-on-oom")
    assert done.code == 4, done
    assert not [path for path in run.folder.rglob("*.heapsnapshot")]


def test_no_line_of_a_key_is_said(program):
    # util.inspect breaks a text of several lines up.
    program.sidelight.write("key.pem", "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0\nit's\\\"so\"\n-----END KEY-----\n")
    program.sidelight.write("app.js", "const key = process.env.TOKEN; console.log(process.env, { key }, [key], new Error(key), JSON.stringify(key), key.split('\\n')[2]);\n")
    done = program("{file: key.pem}")
    assert done.code == 0, done
    for part in ("MIIEvQIB", "it's", "it\\'s", "BEGIN KEY"):
        assert part not in done.out + done.err
