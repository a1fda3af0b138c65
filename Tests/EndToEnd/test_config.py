"""`check config` and `config print`: what they say, where it comes from, how they end."""

import json
import os
import pathlib

import pytest

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent.parent / "examples" / "agent" / "sidelight.yaml"

BAD = """\
memory: much
receivers:
  zipkn: 127.0.0.1:9411
exporters:
  jaeger: {kind: otlp, url: "ftp://x"}
  jaeger: {kind: otlp, url: "http://x"}
pipelines:
  traces: {receivers: [otlp-http], exporters: [jaegr]}
srevice: shop
"""


def check(sidelight, text, *arguments, **options):
    sidelight.write("sidelight.yaml", text)
    return sidelight("check", "config", *arguments, **options)


def origins(text):
    """The path of each line of YAML with a comment, and the comment."""
    found, path = {}, []
    for line in text.splitlines():
        body, _, comment = line.partition("  # ")
        depth = (len(body) - len(body.lstrip())) // 2
        key = body.strip().partition(":")[0]
        path = path[:depth] + [key]
        if comment:
            found[".".join(path)] = comment
    return found


def test_the_example_is_valid(sidelight):
    # Its paths are from where it is started.
    sidelight.write("examples/agent/redact.js", (EXAMPLE.parent / "redact.js").read_text())
    done = sidelight("check", "config", EXAMPLE)
    assert (done.code, done.err) == (0, "")
    # This machine may not have the programs of it.
    said = [line for line in done.out.splitlines() if "without it the agent does not start (warning)" not in line]
    assert len(said) == 1
    assert said[0].startswith(f"{EXAMPLE} is valid: traces from otlp-http, otlp-grpc, zipkin, jaeger through once, ")
    assert "logs from otlp-http, otlp-grpc, otlp-http/second, files, files/gateway, syslog, syslog/router, syslog/local, stdin, pipe, exec/probe, journald through ids, levels, small, quiet, repeated, mine, secrets to central, loki, file, the store" in done.out


def test_all_errors_at_once_in_the_order_of_the_file(sidelight):
    done = check(sidelight, BAD)
    assert (done.code, done.err) == (2, "")
    places = [line.split(": ")[0] for line in done.out.splitlines()]
    assert places == [
        "sidelight.yaml:1:9",
        "sidelight.yaml:3:3",
        "sidelight.yaml:5:29",
        "sidelight.yaml:6:3",
        "sidelight.yaml:8:23",
        "sidelight.yaml:8:47",
        "sidelight.yaml:9:1",
    ]
    assert 'receivers.zipkn: "zipkn" is not one of otlp-http, otlp-grpc, zipkin, jaeger, files, syslog, stdin, pipe, exec, journald; did you mean zipkin?' in done.out
    assert 'the key "jaeger" stands twice; the first is at line 5' in done.out
    assert 'srevice: there is no such key; did you mean "service"?' in done.out


def test_errors_as_json(sidelight):
    done = check(sidelight, BAD, "--json")
    assert done.code == 2
    answer = done.json
    assert (answer["file"], answer["valid"], answer["warnings"]) == ("sidelight.yaml", False, [])
    assert [(error["line"], error["column"]) for error in answer["errors"]][0] == (1, 9)
    assert answer["errors"][0]["key"] == "memory"
    assert answer["errors"][0]["message"] == '"much" is not a size from 4MB to 1024GB'
    assert all(error["file"] == "sidelight.yaml" for error in answer["errors"])


def test_warnings_are_no_errors(sidelight):
    text = "exporters: {console: }\npipelines: {traces: {exporters: []}}\n"
    done = check(sidelight, text)
    assert done.code == 0
    assert done.out.splitlines()[0] == "sidelight.yaml:1:13: exporters.console: no pipeline sends to it (warning)"
    assert done.out.splitlines()[1].startswith("sidelight.yaml is valid: traces from ")
    answer = check(sidelight, text, "--json").json
    assert answer["valid"] is True and answer["errors"] == []
    assert answer["warnings"][0]["line"] == 1


@pytest.mark.parametrize(
    "content, said",
    [
        (b"a: \xff\n", "sidelight.yaml:1:4: this is not UTF-8"),
        (b"a: [\n", "this is no YAML"),
        (b"- &a [*b]\n", 'there is no anchor "&b"'),
        (b"[" * 100_000, "more than 32 levels deep"),
        (b"x: &a [1,1,1,1,1,1,1,1,1]\n" + b"".join(b"x%d: &a [*a,*a,*a,*a,*a,*a,*a,*a]\n" % n for n in range(50)), "more than 20000 values"),
        (b"# " + b"x" * 2_000_000, "at most 1048576 are read"),
        (b"# " + b"x" * 10_000_000, "It has more than 8388608 bytes"),
        (b"service: \x1b[31mred\n", "control characters are not allowed"),
        (b"service: a\nadmin: \"\\e[31mred\"\n", "admin: \"\\e[31mred\" is not HOST:PORT"),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else None,
)
def test_hostile_files_get_an_answer(sidelight, content, said):
    done = check(sidelight, content, timeout=20)
    assert (done.code, done.err) == (2, "")
    assert said in done.out
    assert len(done.out) < 50_000
    assert "\x1b" not in done.out


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["check", "config"], "there is no sidelight.yaml here"),
        (["check", "config", "-c", "a", "b"], "named twice"),
        (["check", "confg"], "did you mean `sidelight check config`"),
        (["check"], ""),
        (["config", "print", "nothing.yaml"], "nothing.yaml: No such file or directory"),
        (["config", "print", "."], ".: Is a directory"),
        (["config", "print", "--admin", "nowhere"], '--admin: "nowhere" is not HOST:PORT'),
        (["config", "print", "--nonsense"], "--nonsense"),
    ],
)
def test_bad_usage_is_exit_code_2(sidelight, arguments, said):
    done = sidelight(*arguments)
    if arguments == ["check"]:  # asks for help
        assert done.code == 0
        return
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_file_that_is_not_there_is_an_error_of_the_check(sidelight):
    done = sidelight("check", "config", "nothing.yaml")
    assert (done.code, done.out) == (2, "nothing.yaml: No such file or directory\n")
    answer = sidelight("check", "config", "nothing.yaml", "--json").json
    assert answer["errors"] == [{"source": "nothing.yaml", "message": "No such file or directory"}]


def test_a_file_is_checked_as_serve_reads_it(sidelight):
    sidelight.write("shop.yaml", "service: shop\nhealth: {checks: {db: {tcp: '127.0.0.1:5432'}}}\nmemory: 64MB\n")
    for command in ("serve", "run"):
        done = sidelight("check", "config", "--for", command, "shop.yaml")
        assert (done.code, done.err) == (0, "")
        warning, valid = done.out.splitlines()
        assert warning.startswith("shop.yaml:3:1: memory: only `sidelight agent` reads it")
        assert valid == f"shop.yaml is valid: `sidelight {command} -c` takes it"
    sidelight.write("bad.yaml", "health: {stall: soon}\nlisten: ':80'\nreceivers: 5\n")
    done = sidelight("check", "config", "--for", "serve", "bad.yaml")
    assert (done.code, done.err) == (2, "")
    assert [line.split(": ")[0] for line in done.out.splitlines()] == ["bad.yaml:1:17", "bad.yaml:2:1", "bad.yaml:3:1"]
    assert len(sidelight("check", "config", "--for", "serve", "--json", "bad.yaml").json["errors"]) == 2
    # What serve itself says of it is the same.
    sidelight.write("app.mjs", "export default { fetch: () => new Response('x') };")
    served = sidelight("serve", "-c", "bad.yaml", "app.mjs")
    assert served.code == 2 and all(line in served.err for line in done.out.splitlines() if "(warning)" not in line)
    assert sidelight("check", "config", "--for", "serve", "nothing.yaml").out == "nothing.yaml: No such file or directory\n"
    assert sidelight("check", "config", "--for", "serve", "--logs", "/x", "shop.yaml").code == 2
    assert sidelight("check", "config", "--for", "top", "shop.yaml").code == 2


def test_a_device_without_an_end_is_refused(sidelight):
    done = sidelight("check", "config", "/dev/zero", timeout=20)
    assert done.code == 2
    assert "It has more than 8388608 bytes" in done.out


def test_every_value_says_where_it_comes_from(sidelight):
    sidelight.write(
        "sidelight.yaml",
        "service: shop\nlog-level: info\nexporters:\n  out:\n    kind: otlp\n    url: http://127.0.0.1:1\n    headers: {key: \"${KEY}\"}\n",
    )
    done = sidelight("config", "print", "--admin", "off", "--receive", "zipkin=[::1]:2", env={"OTEL_LOG_LEVEL": "error", "KEY": "s3cret"})
    assert (done.code, done.err) == (0, "")
    found = origins(done.out)
    assert found["service"] == "sidelight.yaml:1:10"
    assert found["log-level"] == "OTEL_LOG_LEVEL"
    assert found["admin"] == "--admin"
    assert found["memory"] == "default"
    assert found["receivers.zipkin.listen"] == "--receive zipkin"
    assert found["exporters.out.headers.key"] == "sidelight.yaml:7:20, ${KEY}"
    assert found["exporters.out.queue.bytes"] == "default"
    assert "s3cret" not in done.out


def test_what_is_printed_is_a_configuration_file(sidelight):
    first = sidelight("config", "print", EXAMPLE)
    assert first.code == 0
    assert "pepper" not in first.out and "Bearer none" not in first.out
    sidelight.write("again.yaml", first.out)
    second = sidelight("config", "print", "again.yaml")
    assert second.code == 0, second.err
    without = [[line.partition("  # ")[0].rstrip() for line in text.splitlines()] for text in (first.out, second.out)]
    assert without[0] == without[1]


def test_print_as_json(sidelight):
    done = sidelight("config", "print", "--json", EXAMPLE)
    answer = done.json
    assert answer["memory"] == {"value": "128MB", "from": f"{EXAMPLE}:10:9"}
    assert answer["exporters"]["central"]["auth"]["bearer"]["value"] == "***"
    assert answer["exporters"]["central"]["in-flight"]["value"] == 4
    assert answer["exporters"]["central"]["tls"]["insecure"]["value"] is False
    assert [end["value"] for end in answer["pipelines"]["logs"]["exporters"]] == ["central", "loki", "file"]


def test_without_a_file_the_defaults_are_printed(sidelight):
    done = sidelight("config", "print", "--json")
    assert done.code == 0
    assert {name: value["listen"]["value"] for name, value in done.json["receivers"].items()} == {
        "otlp-http": "127.0.0.1:4318",
        "otlp-grpc": "127.0.0.1:4317",
        "zipkin": "127.0.0.1:9411",
        "jaeger": "127.0.0.1:14268",
    }
    assert not list(sidelight.folder.iterdir()), "looking makes nothing"


def test_a_secret_in_a_file(sidelight):
    sidelight.write("token", "t0k\n")
    text = "exporters: {otlp: {url: 'http://x', auth: {bearer: {file: token}}}}\n"
    assert check(sidelight, text).code == 0
    printed = sidelight("config", "print")
    assert origins(printed.out)["exporters.otlp.auth.bearer"].endswith(", token")
    assert "t0k" not in printed.out
    os.remove(sidelight.folder / "token")
    done = check(sidelight, text)
    assert done.code == 2
    assert 'exporters.otlp.auth.bearer: the file "token" cannot be read: No such file or directory' in done.out


def test_a_pipe_can_be_the_file(sidelight):
    read, write = os.pipe()
    os.write(write, b"service: piped\n")
    os.close(write)
    done = sidelight("config", "print", "--json", f"/proc/self/fd/{read}", pass_fds=(read,))
    os.close(read)
    assert json.loads(done.out)["service"]["value"] == "piped"
