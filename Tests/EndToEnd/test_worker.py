"""The worker by itself, run by hand and untraced: modules, errors, exit codes, the loop, limits.

What the agent adds is tested beside this. Where Node is the model, the expected text is what Node 18 prints.
"""

import base64
import http.server
import json
import os
import signal
import subprocess
import textwrap
import threading
import time

import pytest

from conftest import BIN_DIR, Result

WORKER = BIN_DIR / "sidelight-worker"


class Worker:
    def __init__(self, folder):
        self.folder = folder

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text) if isinstance(text, str) else text)
        return path

    def command(self, arguments, config):
        if config is None:
            return [WORKER, *map(str, arguments)], ()
        descriptor = os.memfd_create("config", 0)
        os.write(descriptor, json.dumps(config).encode())
        os.lseek(descriptor, 0, os.SEEK_SET)
        return [WORKER, "--config-fd", str(descriptor), "--", *map(str, arguments)], (descriptor,)

    def start(self, *arguments, config=None, **options):
        command, descriptors = self.command(arguments, config)
        environment = {**os.environ, "NO_COLOR": "1"}
        process = subprocess.Popen(
            command, cwd=self.folder, pass_fds=descriptors, env=environment, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, **options,
        )
        for descriptor in descriptors:
            os.close(descriptor)
        return process

    def __call__(self, *arguments, config=None):
        process = self.start(*arguments, config=config, stdin=subprocess.DEVNULL)
        out, err = process.communicate(timeout=60)
        return Result(process.returncode, out, err)

    def run(self, text, name="main.mjs", config=None):
        return self(self.write(name, text), config=config)


@pytest.fixture
def worker(tmp_path):
    return Worker(tmp_path)


# ---- Modules ----


def test_modules_import_each_other_in_a_cycle_and_run_once(worker):
    worker.write("a.mjs", "import { b } from './b.mjs'; console.log('a'); export const a = () => 'a' + b();")
    worker.write("b.mjs", "import { a } from './a.mjs'; console.log('b', typeof a); export const b = () => 'b';")
    done = worker.run("import './b.mjs'; import { a } from './a.mjs'; import './b.mjs'; console.log('main', a());")
    # b is entered first, needs a, which meets b half-way: a runs first, then b.
    assert (done.code, done.out) == (0, "a\nb function\nmain ab\n")


def test_an_entry_that_begins_in_the_middle_of_a_cycle(worker):
    worker.write("a.mjs", "import './main.mjs'; import { b } from './b.mjs'; console.log('a', b);")
    worker.write("b.mjs", "import './a.mjs'; export const b = 1; console.log('b');")
    assert worker.run("import './a.mjs'; console.log('main');").out == "b\na 1\nmain\n"


def test_import_meta(worker):
    path = worker.write("with space.mjs", "console.log(JSON.stringify(import.meta)); import './dep.mjs?x=1#y'")
    worker.write("dep.mjs", "console.log(JSON.stringify(import.meta))")
    dep, main = map(json.loads, worker(path).out.splitlines())
    folder = os.path.realpath(worker.folder)
    assert main == {"dirname": folder, "filename": f"{folder}/with space.mjs", "main": True, "url": f"file://{folder}/with%20space.mjs"}
    assert (dep["main"], dep["url"]) == (False, f"file://{folder}/dep.mjs?x=1#y")


def test_a_query_makes_another_module_of_the_same_file(worker):
    worker.write("n.mjs", "globalThis.n = (globalThis.n ?? 0) + 1; export default n")
    done = worker.run("import a from './n.mjs'; import b from './n.mjs?2'; import c from './n.mjs?2'; console.log(a, b, c, b === c)")
    assert done.out == "1 2 2 true\n"


def test_a_symbolic_link_is_the_file_it_leads_to(worker):
    worker.write("n.mjs", "globalThis.n = (globalThis.n ?? 0) + 1")
    (worker.folder / "link.mjs").symlink_to("n.mjs")
    assert worker.run("import './n.mjs'; import './link.mjs'; console.log(n)").out == "1\n"


def test_json_modules_need_their_assertion(worker):
    worker.write("d.json", '{"x": [1, 2]}')
    done = worker.run(
        """\
        import d from './d.json' assert { type: 'json' };
        const again = await import('./d.json', { assert: { type: 'json' } });
        console.log(d.x[1], again.default === d);
        await import('./d.json').catch((error) => console.log(error.code));
        await import('./main.mjs', { assert: { type: 'json' } }).catch((error) => console.log(error.code));
        """
    )
    assert done.out == "2 true\nERR_IMPORT_ASSERTION_TYPE_MISSING\nERR_IMPORT_ASSERTION_TYPE_FAILED\n"


def test_broken_json_names_its_file(worker):
    worker.write("d.json", "{nope}")
    done = worker.run("import d from './d.json' assert { type: 'json' };")
    assert done.code == 1
    assert "SyntaxError" in done.err and "d.json: Unexpected token n in JSON" in done.err


def test_top_level_await_orders_dependents_after_it(worker):
    worker.write("slow.mjs", "await new Promise((done) => setTimeout(done, 20)); console.log('slow'); export default 1")
    worker.write("fast.mjs", "console.log('fast')")
    done = worker.run("import slow from './slow.mjs'; import './fast.mjs'; console.log('main', slow)")
    assert done.out == "fast\nslow\nmain 1\n"


def test_top_level_await_that_never_settles_is_a_failure(worker):
    done = worker.run("console.log('before'); await new Promise(() => {})")
    assert (done.code, done.out) == (1, "before\n")
    assert "Warning: Detected unsettled top-level await" in done.err and "main.mjs" in done.err


def test_dynamic_import(worker):
    worker.write("dep.mjs", "console.log('dep'); export const x = 1; export default 2")
    done = worker.run(
        """\
        const promise = import('./dep.mjs');
        console.log('main');
        const { x, default: y } = await promise;
        console.log(x, y, (await import('./dep.mjs')) === (await promise));
        """
    )
    assert done.out == "main\ndep\n1 2 true\n"


def test_dynamic_import_from_a_script(worker):
    worker.write("dep.mjs", "export default 'dep'")
    assert worker.run("import('./dep.mjs').then((m) => console.log(m.default))", "main.cjs").out == "dep\n"


def test_dynamic_import_rejects_and_the_program_goes_on(worker):
    worker.write("throws.mjs", "throw new RangeError('from the module')")
    worker.write("syntax.mjs", "let = = 1")
    worker.write("imports-missing.mjs", "import './gone.mjs'")
    done = worker.run(
        """\
        for (const name of ['./gone.mjs', 'no-package', './throws.mjs', './throws.mjs', './syntax.mjs', './imports-missing.mjs', 'http://x/', 'node:fs', '#x']) {
            try { await import(name); } catch (error) { console.log(name, error.name, error.code); }
        }
        """
    )
    assert done.out.splitlines() == [
        "./gone.mjs Error ERR_MODULE_NOT_FOUND",
        "no-package Error ERR_MODULE_NOT_FOUND",
        "./throws.mjs RangeError undefined",
        "./throws.mjs RangeError undefined",
        "./syntax.mjs SyntaxError undefined",
        "./imports-missing.mjs Error ERR_MODULE_NOT_FOUND",
        "http://x/ Error ERR_UNSUPPORTED_ESM_URL_SCHEME",
        "node:fs Error ERR_UNKNOWN_BUILTIN_MODULE",
        "#x Error ERR_PACKAGE_IMPORT_NOT_DEFINED",
    ]


def test_a_graph_that_failed_to_load_can_be_imported_once_it_is_whole(worker):
    worker.write("a.mjs", "import './b.mjs'; export default 'a'")
    folder = worker.folder
    process = worker.start(
        worker.write(
            "main.mjs",
            """\
            await import('./a.mjs').catch((error) => console.log(error.code));
            setTimeout(async () => console.log((await import('./a.mjs')).default), 1000);
            """,
        ),
    )
    assert process.stdout.readline() == "ERR_MODULE_NOT_FOUND\n"
    (folder / "b.mjs").write_text("")
    assert process.communicate(timeout=30)[0] == "a\n"


def test_packages(worker):
    worker.write("node_modules/dual/package.json", '{"exports": {".": {"require": "./c.cjs", "import": "./m.mjs"}, "./f/*": "./src/*.js"}, "type": "module"}')
    worker.write("node_modules/dual/m.mjs", "import { f } from '#inner'; export default f('dual')")
    worker.write("node_modules/dual/src/x.js", "export default 'x'")
    worker.write("node_modules/main/package.json", '{"main": "lib", "type": "module"}')
    worker.write("node_modules/main/lib/index.js", "export default 'main'")
    worker.write("node_modules/dual/inner.js", "export const f = (name) => name + '!'")
    manifest = json.loads((worker.folder / "node_modules/dual/package.json").read_text())
    manifest["imports"] = {"#inner": "./inner.js"}
    worker.write("node_modules/dual/package.json", json.dumps(manifest))
    done = worker.run("import a from 'dual'; import b from 'dual/f/x'; import c from 'main'; console.log(a, b, c)", "sub/main.mjs")
    assert (done.code, done.out) == (0, "dual! x main\n")


def test_commonjs_is_refused_with_a_reason(worker):
    worker.write("node_modules/old/index.js", "module.exports = 1")
    worker.write("old.cjs", "exports.x = 1")
    for code in ["import 'old'", "import './old.cjs'"]:
        done = worker.run(code)
        assert done.code == 1 and "is a CommonJS module" in done.err and "main.mjs" in done.err
    done = worker.run("const fs = require('fs')")
    assert done.code == 1 and "require is not defined" in done.err and "CommonJS is not supported" in done.err


@pytest.mark.parametrize(
    "name, code, kind",
    [
        ("a.js", "import.meta.url; console.log('module')", "module"),
        ("a.js", "export {}; console.log('module')", "module"),
        ("a.js", "await 0; console.log('module')", "module"),
        ("a.js", "console.log(typeof this === 'object' ? 'script' : 'module')", "script"),
        ("a.cjs", "console.log(typeof this === 'object' ? 'script' : 'module')", "script"),
        ("a.mjs", "console.log(this === undefined ? 'module' : 'script')", "module"),
        ("typed/a.js", "console.log(this === undefined ? 'module' : 'script')", "module"),
    ],
)
def test_script_or_module(worker, name, code, kind):
    worker.write("typed/package.json", '{"type": "module"}')
    assert worker.run(code, name).out == kind + "\n"


# ---- Errors ----


def test_a_syntax_error_shows_line_and_caret(worker):
    for name in ["main.mjs", "main.js", "main.cjs"]:
        done = worker.run("const a = 1;\nlet b = ;\n", name)
        path = os.path.realpath(worker.folder / name)
        assert (done.code, done.err) == (1, f"{path}:2\nlet b = ;\n        ^\n\nSyntaxError: Unexpected token ';'\n"), name


def test_a_syntax_error_in_an_imported_module_names_that_module(worker):
    worker.write("bad.mjs", "let x = 1 2")
    done = worker.run("import './bad.mjs'")
    assert done.code == 1 and f"bad.mjs:1\nlet x = 1 2\n          ^\n\nSyntaxError" in done.err


def test_an_import_that_does_not_resolve_shows_who_imported_it(worker):
    done = worker.run("// first\nimport x from './gone.mjs';\n")
    path = os.path.realpath(worker.folder)
    assert done.code == 1
    assert done.err.startswith(
        f"{path}/main.mjs:2\nimport x from './gone.mjs';\n              ^\n\n"
        f"Error [ERR_MODULE_NOT_FOUND]: Cannot find module '{path}/gone.mjs' imported from {path}/main.mjs"
    )


def test_resolution_errors_help(worker):
    worker.write("lib.mjs", "")
    worker.write("dir/index.js", "")
    worker.write("types.ts", "")
    assert "Did you mean to import './lib.mjs'?" in worker.run("import './lib'").err
    assert "Did you mean to import './dir/index.js'?" in worker.run("import './dir'").err
    assert "Did you mean to import './lib.mjs'?" in worker.run("import 'lib.mjs'").err
    assert "TypeScript" in worker.run("import './types.js'").err
    done = worker.run("import 'no-package'")
    assert f"Looked in {os.path.realpath(worker.folder)}/node_modules, " in done.err


def test_a_missing_export_is_shown_in_the_importer(worker):
    worker.write("dep.mjs", "export const there = 1")
    done = worker.run("import { there, missing } from './dep.mjs'")
    assert done.code == 1
    assert "main.mjs:1\n" in done.err and "does not provide an export named 'missing'" in done.err


def test_an_uncaught_error_with_its_cause(worker):
    done = worker.run(
        """\
        function inner() {
          throw new TypeError('outer', { cause: new Error('root') });
        }
        inner();
        """
    )
    path = os.path.realpath(worker.folder / "main.mjs")
    assert done.code == 1
    assert done.err.startswith(f"{path}:2\n  throw new TypeError('outer', {{ cause: new Error('root') }});\n        ^\n\nTypeError: outer\n    at inner ({path}:2:9)")
    assert "[cause]: Error: root" in done.err


@pytest.mark.parametrize(
    "code, name",
    [
        ("throw new Error('boom')", "main.js"),
        ("throw new Error('boom')", "main.mjs"),
        ("await Promise.reject(new Error('boom'))", "main.mjs"),
        ("Promise.reject(new Error('boom'))", "main.mjs"),
        ("setTimeout(() => { throw new Error('boom') }, 1)", "main.js"),
        ("setImmediate(() => { throw new Error('boom') })", "main.js"),
        ("queueMicrotask(() => { throw new Error('boom') })", "main.js"),
        ("(async () => { await null; throw new Error('boom') })()", "main.js"),
        ("import('./main.mjs').then(() => { throw new Error('boom') })", "main.mjs"),
    ],
)
def test_every_way_to_fail_ends_the_run(worker, code, name):
    done = worker.run(code + "\nsetTimeout(() => console.log('went on'), 300)", name)
    assert (done.code, done.out) == (1, "")
    assert "Error: boom" in done.err and name in done.err


def test_what_is_thrown_need_not_be_an_error(worker):
    assert "5" in worker.run("throw 5").err
    done = worker.run("Promise.reject({ a: 1 })")
    assert done.code == 1 and 'rejected with the reason "{ a: 1 }"' in done.err


def test_a_rejection_handled_in_the_same_turn_is_none(worker):
    done = worker.run(
        """\
        const late = Promise.reject(new Error('late'));
        queueMicrotask(() => queueMicrotask(() => late.catch(() => console.log('handled'))));
        """
    )
    assert (done.code, done.out, done.err) == (0, "handled\n", "")


def test_listeners_may_take_an_error(worker):
    done = worker.run(
        """\
        process.on('uncaughtException', (error, origin) => console.log(origin, error.message));
        setTimeout(() => { throw new Error('one') }, 1);
        setTimeout(() => Promise.reject(new Error('two')), 5);
        setTimeout(() => console.log('still here'), 20);
        """
    )
    assert (done.code, done.out) == (0, "uncaughtException one\nunhandledRejection two\nstill here\n")


# ---- Entries and exit codes ----


def test_entries_that_cannot_run(worker):
    done = worker(worker.folder / "gone.js")
    assert done.code == 2 and "gone.js" in done.err and "No such file" in done.err
    assert worker(worker.folder).code == 2
    worker.write("a.ts", "let a: number")
    done = worker("a.ts")
    assert done.code == 2 and "source maps" in done.err
    worker.write("a.json", "{}")
    assert worker("a.json").code == 2
    assert worker("--nonsense").code == 2
    assert worker().code == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_entry(worker):
    path = worker.write("a.js", "")
    path.chmod(0)
    done = worker(path)
    assert done.code == 2 and "Permission denied" in done.err


@pytest.mark.parametrize("code, expected", [("", 0), ("process.exit()", 0), ("process.exit(3)", 1), ("process.exitCode = 9", 1)])
def test_exit_codes(worker, code, expected):
    assert worker.run(code).code == expected


def test_process_exit_stops_at_once(worker):
    done = worker.run(
        """\
        process.on('exit', (code) => console.log('exit', code));
        function deep(n) { try { if (n) deep(n - 1); else process.exit(0); } finally { console.log('never'); } }
        Promise.resolve().then(() => console.log('never'));
        setTimeout(() => console.log('never'), 1);
        deep(10);
        """
    )
    assert (done.code, done.out) == (0, "exit 0\n")


def test_arguments_belong_to_the_program(worker):
    path = worker.write("a.js", "console.log(process.argv.slice(2).join())")
    assert worker(path, "--version", "-x", "--", "y").out == "--version,-x,--,y\n"


def test_output_to_a_reader_that_went_away_ends_quietly(worker):
    process = worker.start(worker.write("a.js", "for (let i = 0; i < 1e5; i++) console.log('line', i)"))
    process.stdout.readline()
    process.stdout.close()
    assert (process.wait(timeout=30), process.stderr.read()) == (1, "")


# ---- The loop ----


def test_timers_run_by_due_time_and_microtasks_between_them(worker):
    done = worker.run(
        """\
        const say = (text) => () => console.log(text);
        setTimeout(() => { console.log('t10'); Promise.resolve().then(say('micro of t10')); setTimeout(say('t0 of t10'), 0); setImmediate(say('i of t10')); }, 10);
        setTimeout(say('t10b'), 10);
        setTimeout(say('t5'), 5);
        const id = setInterval(() => { console.log('every 3'); if (++n === 2) clearInterval(id); }, 3);
        let n = 0;
        setTimeout(say('cleared'), 1, clearTimeout(setTimeout(say('never'), 0)));
        Promise.resolve().then(say('micro'));
        queueMicrotask(say('micro 2'));
        console.log('sync');
        const until = performance.now() + 1; while (performance.now() < until);
        """
    )
    lines = done.out.splitlines()
    assert lines[:3] == ["sync", "micro", "micro 2"]
    assert lines.index("t5") < lines.index("t10") and lines.index("t10") + 1 == lines.index("micro of t10")
    assert lines.index("micro of t10") < lines.index("t10b") < lines.index("t0 of t10")
    assert lines.count("every 3") == 2 and "never" not in lines


def test_immediates_made_by_immediates_wait_a_turn(worker):
    done = worker.run(
        """\
        setImmediate(() => { console.log(1); setImmediate(() => console.log(3)); Promise.resolve().then(() => console.log('m')); });
        setImmediate(() => console.log(2));
        """
    )
    assert done.out == "1\nm\n2\n3\n"


def test_the_run_ends_when_nothing_is_pending(worker):
    started = time.monotonic()
    assert worker.run("const id = setTimeout(() => {}, 60_000); clearTimeout(id); new Promise(() => {}); setInterval(() => {}, 9); process.exit(0)").code == 0
    assert worker.run("clearTimeout(setTimeout(() => {}, 60_000)); new Promise(() => {})").code == 0
    assert time.monotonic() - started < 30


def test_asynchronous_compilation_of_wasm_keeps_the_run_alive(worker):
    done = worker.run(
        """\
        const bytes = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11]);
        WebAssembly.instantiate(bytes).then(({ instance }) => console.log(instance.exports.add(2, 3)));
        """
    )
    assert (done.code, done.out) == (0, "5\n")


# ---- Fetch ----


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(20)
        if self.path == "/there":
            self.send_response(302)
            self.send_header("Location", "/json")
            self.end_headers()
            return
        body = b'{"method": "GET"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Two", "a")
        self.send_header("X-Two", "b")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.end_headers()
        self.wfile.write(self.headers["X-Own"].encode() + b":" + body)

    def log_message(self, *_):
        pass


@pytest.fixture
def pages():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_fetch(worker, pages):
    done = worker.run(
        f"""\
        const get = await fetch('{pages}/json');
        console.log(get.status, get.ok, get.headers.get('x-two'), (await get.json()).method);
        const post = await fetch('{pages}/', {{ method: 'POST', body: 'häh', headers: {{ 'X-Own': 'yes' }} }});
        console.log(post.status, await post.text());
        const there = await fetch('{pages}/there');
        console.log(there.redirected, there.url === '{pages}/json');
        """
    )
    assert (done.code, done.out) == (0, "200 true a, b GET\n201 yes:häh\ntrue true\n")


def test_fetches_that_fail_or_are_given_up(worker, pages):
    done = worker.run(
        f"""\
        await fetch('http://127.0.0.1:1/').catch((error) => console.log(error.name, error.message));
        const control = new AbortController();
        setTimeout(() => control.abort(), 50);
        await fetch('{pages}/slow', {{ signal: control.signal }}).catch((error) => console.log(error.name));
        console.log('done');
        """
    )
    assert (done.code, done.out) == (0, "TypeError fetch failed\nAbortError\ndone\n")


# ---- Limits and signals ----


def guarded(code):
    """What an error would let go on, and termination must not."""
    return f"try {{ {code} }} catch {{ console.log('caught') }} finally {{ console.log('went on') }}"


@pytest.mark.parametrize(
    "config, code, words",
    [
        ({"cpuMilliseconds": 200}, guarded("for (;;);"), "CPU limit of 200 ms"),
        (
            {"cpuMilliseconds": 200},
            "const again = () => { const end = Date.now() + 20; while (Date.now() < end); setTimeout(again) }; again()",
            "CPU limit",
        ),
        ({"wallMilliseconds": 200}, guarded("for (;;);"), "wall clock limit of 200 ms"),
        ({"wallMilliseconds": 200}, "setTimeout(() => {}, 60_000)", "wall clock limit"),
        ({"wallMilliseconds": 200}, "await new Promise((done) => setTimeout(done, 60_000))", "wall clock limit"),
        ({"heapBytesMax": 64 << 20}, guarded("const a = []; for (;;) a.push(new Array(1000).fill(a))"), "heap limit"),
        (
            {"heapBytesMax": 64 << 20},
            "const a = []; setInterval(() => { for (let i = 0; i < 1e4; i++) a.push({ i }) }, 0)",
            "heap limit",
        ),
        # More in one piece than any grace allows: V8 gives up, and the worker with it.
        ({"heapBytesMax": 64 << 20}, guarded("new Array(1e8).fill(0).map((x) => [x])"), "heap limit"),
    ],
)
def test_limits_end_the_run_with_code_4(worker, config, code, words):
    done = worker.run(code, config=config)
    assert (done.code, done.out) == (4, "")
    assert words in done.err


def test_a_run_within_its_limits_is_left_alone(worker):
    config = {"cpuMilliseconds": 20_000, "wallMilliseconds": 60_000, "heapBytesMax": 256 << 20}
    assert worker.run("setTimeout(() => console.log('done'), 50)", config=config).out == "done\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("code", ["for (;;);", "setTimeout(() => {}, 60_000)", "await new Promise((r) => setTimeout(r, 60_000))"])
def test_signals_end_even_an_endless_loop(worker, number, code):
    process = worker.start(worker.write("a.mjs", "console.log('ready');" + code))
    process.stdout.readline()
    process.send_signal(number)
    assert process.wait(timeout=10) == 1


# ---- Source maps ----


def source_map(worker):
    """For lib.js, whose two lines came from lines 11 and 21 of src/lib.ts."""
    # A segment: generated column 0, source 0, original line +10, column 0.
    return json.dumps({"version": 3, "sources": ["src/lib.ts"], "names": [], "mappings": "AAUA;AAUA"})


@pytest.mark.parametrize("how", ["inline", "beside", "plain"])
def test_source_maps_are_applied(worker, how):
    text = source_map(worker)
    if how == "inline":
        url = "data:application/json;base64," + base64.b64encode(text.encode()).decode()
    elif how == "plain":
        url = "data:application/json," + text.replace("%", "%25").replace('"', "%22").replace(" ", "%20")
    else:
        url = "lib.js.map"
        worker.write("lib.js.map", text)
    worker.write("lib.js", f"export function fail() {{\n throw new Error('mapped') }}\n//# sourceMappingURL={url}\n")
    done = worker.run("import { fail } from './lib.js'; fail()")
    folder = os.path.realpath(worker.folder)
    assert done.code == 1
    assert f"{folder}/src/lib.ts:21\n" in done.err
    assert f"at fail ({folder}/src/lib.ts:21:1)" in done.err


@pytest.mark.parametrize("url", ["gone.map", "data:application/json;base64,????", "data:application/json,{}", "http://127.0.0.1:1/x.map"])
def test_a_map_that_is_no_good_is_ignored(worker, url):
    done = worker.run(f"throw new Error('plain')\n//# sourceMappingURL={url}\n")
    assert done.code == 1 and "main.mjs:1:7" in done.err and "Error: plain" in done.err


# ---- Snapshot and code cache ----


def test_the_snapshot_only_saves_time(worker):
    code = "console.log(typeof fetch, [1].at(-1), typeof Atomics, typeof WebAssembly, Object.hasOwn({ a: 1 }, 'a'), new Error('x').stack.length > 10)"
    path = worker.write("a.mjs", code)
    snapshot = worker.folder / "snapshot"
    assert worker("--build-snapshot", snapshot).code == 0
    whole = snapshot.read_bytes()
    expected = "function 1 object object true true\n"
    assert worker("--snapshot", snapshot, path).out == expected
    for name, content in {
        "empty": b"", "short": whole[:100], "cut": whole[:-5], "damaged": whole[:50_000] + b"\xff" * 8 + whole[50_008:],
        "alien": b"x" * 5000, "other sources": whole[:8] + b"\0" * 8 + whole[16:],
    }.items():
        snapshot.write_bytes(content)
        done = worker("--snapshot", snapshot, path)
        assert (done.code, done.out, done.err) == (0, expected, ""), name
    snapshot.unlink()
    assert worker("--snapshot", snapshot, path).out == expected


def test_the_code_cache_is_kept_on_disk_and_never_trusted(worker):
    functions = "\n".join(f"export function f{i}(a) {{ return a + {i} }}" for i in range(500))
    worker.write("lib.mjs", functions + "\nlet s = 0; for (const f of [f1, f2, f3]) s += f(1); export default s")
    config = {"cacheDir": str(worker.folder / "cache")}
    main = worker.write("main.mjs", "import s from './lib.mjs'; console.log(s)")

    def run():
        done = worker(main, config=config)
        assert (done.code, done.out, done.err) == (0, "9\n", "")
        return sorted((worker.folder / "cache/code").iterdir())

    (entry,) = run()
    first = entry.stat()
    assert run() == [entry] and entry.stat().st_mtime_ns == first.st_mtime_ns
    whole = entry.read_bytes()
    for content in [b"", whole[:50], whole[:-1], whole[:300] + b"\xff" * 16 + whole[316:], os.urandom(5000)]:
        entry.write_bytes(content)
        run()
    (worker.folder / "lib.mjs").write_text(functions + "\nexport default 9 ")
    assert len(run()) == 2
