"""What the command says on stderr, read as somebody reads it who has only that: no terminal, no store opened."""

import json
import os
import re
import signal
import socket

import pytest

from receiver import Answer
from serving import wait_for

HANDLER = "export default { fetch() { return new Response('v1') } }\n"
WANTED = "The default export of the entry module must be an object with a fetch or a scheduled function"


def lines(text):
    return [line for line in text.splitlines() if line]


# -- why serve does not start


@pytest.mark.parametrize(
    "text, arguments, reason",
    [
        ("export default function fetch() {}", [], f"{WANTED}, but it is a function: write export default {{ fetch: … }}"),
        ("export default {}", [], f"{WANTED}, but it has neither"),
        ("export const fetch = 1", [], f"{WANTED}, but it has none"),
        ("export default {}; setInterval(() => {}, 1000)", [], f"{WANTED}, but it has neither"),
        (
            "addEventListener('error', (event) => event.preventDefault()); process.on('uncaughtException', () => {}); export default 1",
            [], f"{WANTED}, but it is of type number",
        ),
        (HANDLER, ["--cron", "* * * * *"], "There are schedules (--cron), but the default export of the entry module has no scheduled function"),
        ("process.exit(3)", [], "it called process.exit(3)"),
        ("process.exit(0); export default 1", [], "it called process.exit(0)"),
        (HANDLER + "\nawait new Promise(() => {})", [], r"top-level await never settled: APP:3"),
    ],
)  # fmt: skip
def test_why_a_module_cannot_be_served_is_one_line(sidelight, text, arguments, reason):
    entry = sidelight.write("app.mjs", text)
    done = sidelight("serve", "--listen", "127.0.0.1:0", "--start-timeout", "300s", *arguments, "app.mjs")
    assert done.code == 1
    assert lines(done.err) == [f"sidelight: app.mjs cannot be served: {reason.replace('APP', os.path.realpath(entry))}"]


def test_an_error_of_the_program_is_printed_with_its_place_and_named_in_the_line(sidelight):
    sidelight.write("app.mjs", "// one\nthrow new RangeError('no such table', { cause: new Error('why') });")
    done = sidelight("serve", "--listen", "127.0.0.1:0", "app.mjs")
    assert done.code == 1
    assert "app.mjs:2\n" in done.err and "[cause]: Error: why" in done.err
    assert re.fullmatch(r"sidelight: app\.mjs cannot be served: RangeError: no such table \(/.*/app\.mjs:2:7\)", lines(done.err)[-1])
    sidelight.write("app.mjs", "export default { get fetch() { throw new RangeError('a getter') } }")
    done = sidelight("serve", "--listen", "127.0.0.1:0", "app.mjs")
    assert done.err.count("RangeError: a getter\n    at ") == 1
    assert re.search(r"cannot be served: RangeError: a getter \(/.*/app\.mjs:1:\d+\)$", lines(done.err)[-1])


def test_an_entry_that_cannot_be_read_is_one_line(sidelight):
    for name, reason in (("none.js", "cannot read .*none.js': .+"), (".", "cannot read .*: it is a directory")):
        done = sidelight("serve", "--listen", "127.0.0.1:0", name)
        assert done.code == 2
        assert re.fullmatch(f"sidelight: {re.escape(name)} cannot be served: {reason}\n", done.err), done.err
        done = sidelight("run", name)
        assert done.code == 2
        assert re.fullmatch(f"sidelight: {reason}\n", done.err), done.err
    sidelight.write("data.json", "{}")
    assert sidelight("serve", "--listen", "127.0.0.1:0", "data.json").err == "sidelight: data.json cannot be served: it is JSON\n"
    assert sidelight("run", "data.json").err.endswith("data.json': it is JSON\n")
    done = sidelight("run", sidelight.write("text.wasm", "no module"))
    assert done.code == 1
    assert re.fullmatch(r"Uncaught:\nCompileError: /.*text\.wasm: .*magic word.*\n", done.err), done.err


def test_a_reload_says_why_it_failed(serve, sidelight):
    service = serve(HANDLER)
    said = "app.mjs does not start as it is now, so what was serves on: "
    for text, reason in (
        ("export default {}; setInterval(() => {}, 1000)", re.escape(f"{WANTED}, but it has neither")),
        ("throw new RangeError('broken')", r"RangeError: broken \(/.*/app\.mjs:1:7\)"),
        ("process.exit(9)", r"it called process\.exit\(9\)"),
    ):
        sidelight.write("app.mjs", text)
        service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: re.search(re.escape(said) + reason + "$", service.err, re.M))
        assert service.get()[2] == b"v1"
    assert service.end() == 0


def test_a_limit_is_said_once(sidelight):
    sidelight.write("big.mjs", "const all = []; for (;;) all.push(new Array(1000).fill(0.5))")
    done = sidelight("run", "--limit", "heap=32MB", "big.mjs", timeout=120)
    assert done.code == 4
    assert len(re.findall("heap limit of [0-9]+ MB reached", done.err)) == 1, done.err


def test_a_worker_that_calls_process_exit_is_said_to(serve):
    service = serve("export default { fetch() { process.exit(3) } }")
    with pytest.raises(OSError):
        service.fetch("/x")
    wait_for(lambda: "isolate 0: it called process.exit(3); started again" in service.err)
    assert service.end() == 0


def test_a_module_that_nothing_calls_is_warned_of(serve):
    service = serve("export default { scheduled() {} }")
    wait_for(lambda: "app.mjs has scheduled and no fetch, and there is no --cron" in service.err)
    assert service.end() == 0
    service = serve("export default { scheduled() {} }", "--cron", "0 0 1 1 *")
    assert service.end() == 0
    assert "no fetch" not in service.err


# -- uncaught errors of a server


def test_uncaught_errors_are_on_stderr(serve):
    service = serve(
        """
        export default { fetch(request, env, ctx) {
            if (request.url.endsWith('later')) { ctx.waitUntil(Promise.reject(new TypeError('of waitUntil'))); return new Response('ok'); }
            throw new RangeError('of the handler');
        } }
        """
    )
    assert service.get("/boom")[0] == 500
    assert service.get("/later")[0] == 200
    wait_for(lambda: "TypeError: of waitUntil" in service.err)
    assert re.search(r"^.*app\.mjs:4\n.*throw new RangeError.*\n +\^\n\nRangeError: of the handler\n    at Object\.fetch", service.err, re.M)
    assert "sidelight:" not in service.err.split("RangeError: of the handler", 1)[1]
    assert service.end() == 0


def test_errors_without_end_are_counted(serve):
    service = serve("export default { fetch() { throw new RangeError('again') } }")
    with service.connect() as connection:
        for _ in range(300):
            connection.request("/")
            assert connection.response()[0] == 500
    assert service.end() == 0
    printed = service.err.count("RangeError: again\n    at")
    untold = sum(int(count) for count in re.findall(r"sidelight: (\d+) more uncaught errors? w\w+ not printed", service.err))
    assert printed + untold == 300 and untold > 0


# -- the end


def test_a_handler_that_goes_on_without_its_client_is_named(serve):
    service = serve(
        "export default { async fetch() { console.log('began'); await new Promise(() => {}) } }", "--shutdown-timeout", "400ms"
    )
    with service.connect() as connection:
        connection.request("/hang?x=1")
        wait_for(lambda: "began" in service.err)
    wait_for(lambda: service.spans("/hang"))
    assert service.end() == 1
    assert re.search(r"isolate 0 was killed before it had finished: the handler of GET /hang went on, which began .* ago and whose client", service.err)
    assert "waitUntil" not in service.err


def test_what_else_was_waited_for(serve):
    service = serve(
        "export default { fetch(request, env, ctx) { ctx.waitUntil(new Promise(() => {})); return new Response('ok') } }",
        "--shutdown-timeout", "400ms",
    )  # fmt: skip
    assert service.get("/")[0] == 200
    assert service.end() == 1
    assert "isolate 0 was killed before it had finished: it waited for 1 promise given to waitUntil" in service.err


def test_a_handler_that_ends_after_its_client_left_is_waited_for(serve):
    service = serve(
        """let go; export default { async fetch(request) {
            if (request.url.endsWith('go')) { go(); return new Response('went'); }
            console.log('began'); await new Promise((resolve) => { go = resolve; }); return new Response('late');
        } }"""
    )
    with service.connect() as connection:
        connection.request("/hang")
        wait_for(lambda: "began" in service.err)
    wait_for(lambda: service.spans("/hang"))
    assert service.get("/go")[0] == 200
    assert service.end() == 0


# -- backends and the store


def test_a_backend_that_is_away_is_said_while_it_serves(serve, make_receiver):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        service = serve(HANDLER, "--export", f"otlp=http://127.0.0.1:{port}")
        service.get("/")
        pattern = rf"^sidelight: otlp=http://127\.0\.0\.1:{port}: .*onnect.*; trying again$"
        wait_for(lambda: re.search(pattern, service.err, re.M))
        for _ in range(5):
            service.get("/")
    assert service.end() == 0
    assert len(re.findall("trying again", service.err)) == 1


def test_a_backend_that_refuses_and_comes_back_is_said(serve, make_receiver):
    bad = make_receiver(default=Answer(status=404))
    service = serve(HANDLER, *bad.export())
    service.get("/")
    found = wait_for(lambda: re.search(r"^sidelight: otlp=.*: spans are refused, and lost there \(kept in \.sidelight/?\): .*404.*$", service.err, re.M))
    bad.default = Answer()

    def again():
        service.get("/")
        return re.search(r"takes spans again after .*; lost there: \d+ spans? \(kept in", service.err)

    wait_for(again)
    assert service.end() == 0
    assert service.err.count("are refused") == 1, found[0]


def test_a_backend_without_logs_is_no_trouble(serve, make_receiver):
    service = serve("console.log('a log'); " + HANDLER)
    assert service.end() == 0
    assert "refused" not in service.err


def test_a_store_that_can_never_work_is_said_at_once(sidelight, program):
    for arguments in (["run", "--store", "/proc/x", program("many.mjs"), 10], ["serve", "--store", "/proc/x", "app.mjs"]):
        done = sidelight(*arguments)
        assert (done.code, done.out) == (2, "")
        assert re.fullmatch(r"sidelight: --store /proc/x: cannot be written: /proc/x: .+\n", done.err), done.err
    done = sidelight("run", "--store", "/proc", program("many.mjs"), 1)
    assert done.code == 2 and "/proc" in done.err


def test_the_default_store_says_why_it_does_not_work(sidelight, program):
    sidelight.write(".sidelight", "in the way")
    done = sidelight("run", program("many.mjs"), 10)
    assert done.code == 0
    assert re.match(r"sidelight: cannot .*\.sidelight.*; telemetry is not stored until this is mended\n", done.err), done.err
    assert len(lines(done.err)) == 2


def test_an_error_of_a_request_says_of_which(serve):
    service = serve("export default { fetch() { throw 'plain' } }")
    status, fields, _ = service.get("/where?token=secret")
    assert status == 500
    wait_for(lambda: re.search(r"^'plain'\n    in GET /where, trace [0-9a-f]{32}$", service.err, re.M))
    assert service.end() == 0
    assert "secret" not in service.err


# -- JSON


def test_with_json_every_line_of_ours_is_json(serve, sidelight):
    sidelight.write("big.mjs", "const all = []; for (;;) all.push(new Array(1000).fill(0.5))")
    done = sidelight("run", "--json", "--limit", "heap=32MB", "--export", "otlp=http://127.0.0.1:1", "big.mjs", timeout=120)
    assert done.code == 4
    objects = [json.loads(line) for line in lines(done.err) if line.startswith(("{", "sidelight"))]
    assert all(item["event"] == "message" for item in objects[:-1])
    (failed,) = [item for item in objects[:-1] if item["level"] == "error"]
    assert "heap limit" in failed["message"]
    # That the backend is away is said when it is noticed, and what was not delivered at the end.
    assert {item["level"] for item in objects[:-1] if item is not failed} == {"warning"}
    assert objects[-1]["exitCode"] == 4
    done = sidelight("serve", "--json", "--listen", "127.0.0.1:0", "none.js")
    (failed, last) = [json.loads(line) for line in lines(done.err)]
    assert (failed["level"], last["exitCode"]) == ("error", 2) and "none.js cannot be served" in failed["message"]


# -- usage


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["runn", "app.js"], "there is no command `sidelight runn`; did you mean `sidelight run`? There are: run, serve, agent, trace, tail, logs, errors, top, profile, tap, drops, loglevel, health, check, config"),
        (["trace", "list"], "there is no command `sidelight trace list`. There are: ls, show"),
        (["run"], "ENTRY is missing: which script or module is to run? As in `sidelight run app.js`"),
        (["serve"], "ENTRY is missing: which module is to be served? As in `sidelight serve app.js`"),
        (["trace", "show"], "ID is missing: which trace? `sidelight trace ls` lists them"),
        (["run", "--limit", "body=1KB", "x.js"], "--limit body=1KB: body is a limit of `serve`; those of `run` are cpu, wall, heap, memory, resident, wasm-memory, stack, workers, timers, promises, fetches, sockets, modules, module-bytes, clone-bytes, logs-per-second, spans-per-second, cpu-window"),
        (["trace", "ls", "--since", "yesterday"], "write a time such as 30m, 1h or 2d"),
        (["trace", "ls", "--min-duration", "10"], "write a time such as 10ms, 1.5s or 2m"),
        (["trace", "ls", "--limit", "0"], "write a whole number from 1 to 1000000, such as 50"),
        (["tail", "-n", "x"], "write a whole number from 0 to 1000000, such as 50"),
        (["tail", "--since", "x"], "write a time such as 30s, 10m or 1h"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_usage_errors_say_what_would_be_right(sidelight, arguments, words):
    done = sidelight(*arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err, done.err
    assert len(lines(done.err)) == 1 and done.err.startswith("sidelight: ")


def test_a_bad_endpoint_is_said_once(sidelight):
    done = sidelight("run", "x.js", env={"OTEL_EXPORTER_OTLP_ENDPOINT": "foo"})
    assert done.code == 2
    assert len(lines(done.err)) == 1 and done.err.startswith("sidelight: OTEL_EXPORTER_OTLP_ENDPOINT: "), done.err


def test_help_says_a_default_once_and_which_levels_there_are(sidelight):
    text = sidelight("profile", "--help").out
    for default in ("10s", "1ms", "cpuprofile"):
        assert text.count(f"default: {default})") == 1, text
    assert "notice, warning, error or critical" in " ".join(sidelight("run", "--help").out.split())


# -- what is shown of traces


def test_requests_without_a_route_are_told_by_their_paths(serve, sidelight):
    service = serve("export default { async fetch(r) { if (r.url.endsWith('hang')) { console.log('began'); await new Promise(() => {}); } return new Response('x') } }")
    service.get("/one")
    service.get("/two")
    service.later("/hang")
    wait_for(lambda: "began" in service.err)
    os.kill(service.workers[0], signal.SIGKILL)
    wait_for(lambda: "started again" in service.err)
    assert service.end() == 0
    listed = sidelight("trace", "ls").out
    for row in ("GET /one", "GET /two", "GET /hang (incomplete)"):
        assert re.search(rf"{re.escape(row)}$", listed, re.M), listed
    assert [trace["name"] for trace in sidelight("trace", "ls", "--name", "/ONE", "--json").json] == ["GET"]


def test_errors_are_found_and_counted_as_they_are_shown(sidelight):
    sidelight.write(
        "app.mjs",
        """
        setTimeout(() => { console.error('only logged'); }, 1);
        """,
    )
    assert sidelight("run", "app.mjs").code == 0
    (trace,) = sidelight("trace", "ls", "--errors", "--json").json
    assert trace["errorCount"] == 1
    sidelight.write("app.mjs", "setTimeout(() => { throw new TypeError('outer', { cause: new Error('root') }); }, 1);")
    done = sidelight("run", "app.mjs")
    assert done.code == 1 and "sidelight:30_timers" not in done.err
    shown = sidelight("trace", "show", "latest").out
    assert "✗ TypeError: outer" in shown and "caused by Error: root" in shown
    assert re.search(r"1 error\b", shown) and " log" not in shown.splitlines()[1]
    assert "sidelight:30_timers" not in sidelight("tail").out


def test_what_is_thrown_at_the_top_counts_once(sidelight):
    sidelight.write("once.mjs", "throw new Error('once');")
    assert sidelight("run", "once.mjs").code == 1
    (line,) = sidelight("errors", "--json").out.splitlines()
    assert json.loads(line)["count"] == 1


def test_a_failed_fetch_is_one_error(sidelight):
    sidelight.write("app.mjs", "await fetch('http://127.0.0.1:1/').catch(() => {})")
    assert sidelight("run", "app.mjs").code == 0
    shown = sidelight("trace", "show", "latest").out
    assert shown.count("✗") == 1, shown
