"""WebAssembly: commands in C under WASI, beside wasmtime's answers; what a module may not do; streaming; compiled code kept on disk."""

import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
SYSROOT = HERE.parent.parent / ".peers" / "wasi" / "usr"
CLANG = shutil.which("clang")

if not CLANG or not (SYSROOT / "lib" / "wasm32-wasi" / "libc.a").exists():
    pytest.skip("no clang, or no C library for WASI: scripts/peers test", allow_module_level=True)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Path of a command made of programs in wasm/ or of a text in C."""
    folder = tmp_path_factory.mktemp("wasm")

    def compile_c(name, text=None, *options):
        made = folder / f"{name}.wasm"
        if made.exists():
            return made
        source = HERE / "wasm" / f"{name}.c"
        if text is not None:
            source = folder / f"{name}.c"
            source.write_text(text)
        builtins = next(SYSROOT.glob("lib/llvm-*/lib/clang/*/lib/wasi/libclang_rt.builtins-wasm32.a"))
        command = [CLANG, "--target=wasm32-wasi", f"--sysroot={SYSROOT}", "-O2", "-nodefaultlibs", *options, source, "-lc", builtins]
        subprocess.run([*map(str, command), "-o", str(made)], check=True, capture_output=True)
        return made

    return compile_c


@pytest.fixture
def command(sidelight, compiled):
    """Runs a command here; its code, what it wrote to its two streams."""

    def run(name, *arguments, options=(), stdin=b"", env={}, timeout=60):
        done = subprocess.run(
            [sidelight.binary, "run", *options, str(compiled(name)), *arguments],
            cwd=sidelight.folder, env=sidelight.environment({"XDG_CACHE_HOME": sidelight.folder / "cache", **env}), input=stdin,
            capture_output=True, timeout=timeout,
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def reference(compiled, tmp_path):
    """The same by wasmtime. Folders: the module's name and the path."""
    wasmtime = pytest.importorskip("wasmtime")

    def run(name, *arguments, folders=(), stdin=b"", env={}):
        store = wasmtime.Store()
        linker = wasmtime.Linker(store.engine)
        linker.define_wasi()
        config = wasmtime.WasiConfig()
        config.argv = [f"{name}.wasm", *arguments]
        config.env = list(env.items())
        files = {stream: tmp_path / f"wasmtime.{stream}" for stream in ("in", "out", "err")}
        files["in"].write_bytes(stdin)
        config.stdin_file, config.stdout_file, config.stderr_file = (str(files[stream]) for stream in ("in", "out", "err"))
        for guest, host in folders:
            config.preopen_dir(str(host), guest)
        store.set_wasi(config)
        instance = linker.instantiate(store, wasmtime.Module.from_file(store.engine, str(compiled(name))))
        code = 0
        try:
            instance.exports(store)["_start"](store)
        except wasmtime.ExitTrap as exit:
            code = exit.code
        del instance, linker, store
        return code, files["out"].read_bytes(), files["err"].read_bytes()

    return run


def make_tree(folder):
    (folder / "a" / "deep" / "er").mkdir(parents=True)
    (folder / "a" / "one.txt").write_text("one")
    (folder / "a" / "deep" / "er" / "zwölf").write_text("x" * 12345)
    (folder / "a" / "empty").write_text("")
    (folder / "a" / "link").symlink_to("one.txt")
    (folder / "a" / "gone").symlink_to("nowhere")
    for number in range(300):
        (folder / "a" / "deep" / f"file {number}").write_text(str(number))
    return folder


# ---- Programs, as wasmtime runs them ----


@pytest.mark.parametrize("arguments", [(), ("-r",), ("-c",), ("-r", "-c"), ("-x",)])
def test_a_sorter_reads_standard_input(command, reference, arguments):
    lines = b"".join(b"%d the line\n" % (n * 7919 % 10007) for n in range(10007)) + "zürich\n".encode() + b"no end"
    expected = reference("sort", *arguments, stdin=lines)
    code, out, err = command("sort", *arguments, stdin=lines)
    assert (out, err) == expected[1:]
    assert code == min(expected[0], 1)


def test_a_walker_sees_the_same_tree(command, reference, tmp_path):
    tree = make_tree(tmp_path / "tree")
    expected = reference("walk", "place/a", "place/none", folders=[("place", tree)])
    assert command("walk", "place/a", "place/none", options=["--dir", f"{tree}::place"]) == expected
    assert expected[1].count(b"\n") == 308


def test_a_folder_has_the_name_that_it_was_given_by(command, sidelight):
    make_tree(sidelight.folder / "tree")
    assert b"f 3 tree/a/one.txt" in command("walk", "tree", options=["--dir", "tree"])[1]
    assert b"f 3 ./tree/a/one.txt" in command("walk", ".", options=["--dir", "."])[1]
    assert b"f 3 /x/one.txt" in command("walk", "/x", options=["--dir", "tree::t", "--dir", "tree/a::/x"])[1]


def test_files_are_made_changed_and_removed(command, reference, tmp_path):
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
    expected = reference("files", "d", folders=[("d", tmp_path / "theirs")])
    seen = command("files", "d", options=["--dir", f"{tmp_path / 'ours'}::d"])
    assert seen[1].decode().splitlines() == expected[1].decode().splitlines()
    assert list((tmp_path / "ours").iterdir()) == []


def test_arguments_environment_clocks_and_random_bytes(command, tmp_path):
    code, out, _ = command("machine", "0", "zwei words", env={"WASI_TEST_A": "1 = 2", "WASI_TEST_B": ""})
    lines = out.decode().splitlines()
    assert lines[:5] == ["argument machine.wasm", "argument 0", "argument zwei words", "variable WASI_TEST_A=1 = 2", "variable WASI_TEST_B="]
    assert lines[5] == "slept 1"
    assert abs(int(lines[6].split()[1]) - time.time()) < 60
    assert lines[7:] == ["random 0 0 1 1", "terminal 0"]
    assert code == 0


def test_the_exit_code_is_on_the_span(command, sidelight, receiver):
    code, _, _ = command("machine", "42", options=["--export", f"otlp={receiver.url}"])
    assert code == 1
    run = next(span for span in receiver.spans if span.name.startswith("run "))
    assert run.attributes["process.exit.code"] == 42
    names = [span.name for span in receiver.spans]
    assert "wasm compile" in names and "wasm instantiate" in names


# ---- Failing ----


@pytest.mark.parametrize("how, message", [
    ("unreachable", "unreachable"), ("divide", "divide by zero"), ("memory", "memory access out of bounds"), ("abort", "unreachable"),
])
def test_a_trap_has_a_stack(command, how, message):
    code, out, err = command("fail", how)
    text = err.decode()
    assert (code, out) == (1, b"before\n")
    assert f"RuntimeError: {message}" in text
    assert how == "abort" or "middle" in text


def test_recursion_has_an_end(command):
    code, out, err = command("fail", "deep")
    assert code == 1
    assert "RangeError: Maximum call stack size exceeded" in err.decode()
    assert command("fail", "shallow") == (0, b"before\ncame back\n", b"")


def test_memory_grows_to_its_limit(command):
    code, out, _ = command("fail", "grow", options=["--limit", "wasm-memory=64MB"])
    assert code == 0
    lines = out.decode().splitlines()
    assert 1024 - 16 <= int(lines[1].split()[0]) <= 1024
    assert lines[2] == "no more"


def test_a_module_that_wants_more_memory_than_the_limit_is_refused(command, compiled):
    compiled("wide", "static volatile char room[1 << 25]; int main(int c, char **v) { room[c] = 0; return room[c]; }")
    assert command("wide")[0] == 0
    code, _, err = command("wide", options=["--limit", "wasm-memory=16MB"])
    assert code == 1 and b"Error" in err


def test_an_endless_loop_meets_its_limit(command):
    assert command("fail", "spin", options=["--limit", "cpu=200ms"])[0] == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_read_that_waits(sidelight, compiled, number):
    process = sidelight.start("run", compiled("sort"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # The worker reads once its standard input has something of it taken.
    process.stdin.write("a line\n" * 20000)
    process.stdin.flush()
    process.send_signal(number)
    out, _ = process.communicate(timeout=20)
    assert process.returncode in (-number, 128 + number, 0, 1)


# ---- What is no command ----


def test_what_is_no_command_is_refused(command, sidelight, compiled):
    def run(content, name="x.wasm"):
        return sidelight("run", sidelight.write(name, content))

    assert "CompileError" in run(b"nonsense").err
    assert "CompileError" in run(b"").err
    empty = run(b"\0asm\1\0\0\0")
    assert empty.code == 1 and "exports no function _start" in empty.err
    reactor = compiled("reactor", "int f(void) { return 1; }", "-mexec-model=reactor")
    assert "exports no function _start" in sidelight("run", reactor).err
    served = sidelight("serve", "--listen", "127.0.0.1:0", compiled("sort"))
    assert served.code != 0 and "WebAssembly" in served.err
    missing = sidelight("run", "--dir", "nowhere", compiled("sort"))
    assert missing.code == 2 or missing.code == 64
    assert "--dir nowhere" in missing.err


# ---- What a module may not do ----

OUTSIDE = [
    "../secret", "..", "../", "/etc/passwd", "/", "sub/../../secret", "out", "out/secret", "absolute", "up", "up/secret", "sub/up2/secret",
    "./../secret", "sub/../..//secret", "//etc/passwd", "loop", "../inside/own",
]


def test_no_path_leads_out_of_the_folder(command, tmp_path):
    secret = tmp_path / "secret"
    inside = tmp_path / "inside"
    (inside / "sub").mkdir(parents=True)
    secret.write_text("secret")
    (inside / "own").write_text("own")
    (inside / "out").symlink_to(tmp_path)
    (inside / "absolute").symlink_to("/etc/passwd")
    (inside / "up").symlink_to("..")
    (inside / "sub" / "up2").symlink_to("../..")
    (inside / "loop").symlink_to("loop")
    before = sorted(path.name for path in tmp_path.iterdir() if path.name != "cache" and not path.name.startswith("."))
    status = (os.stat("/etc/passwd").st_mtime_ns, secret.stat().st_mtime_ns)
    for path in OUTSIDE:
        code, out, err = command("escape", path, options=["--dir", f"{inside}::."])
        assert code == 0, err
        answers = dict(part.rsplit(" ", 1) for part in out.decode().strip().split(": ", 1)[1].split(", "))
        for what in ("open", "create", "directory", "stat"):
            assert answers[what] != "0", (path, what)
        assert secret.read_text() == "secret"
        # Links are things of the folder: they may be moved, named and removed. What they lead to may not.
        for name, target in (("out", tmp_path), ("absolute", "/etc/passwd"), ("up", ".."), ("loop", "loop")):
            (inside / name).unlink(missing_ok=True)
            (inside / name).symlink_to(target)
        (inside / "stolen").unlink(missing_ok=True)
        (inside / "own").write_text("own")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "cache" and not path.name.startswith(".")) == before
    assert (os.stat("/etc/passwd").st_mtime_ns, secret.stat().st_mtime_ns) == status


def test_a_command_without_folders_has_none(command):
    code, out, _ = command("walk", ".", "/", "..")
    assert out.count(b"! ") == 3


def test_pointers_out_of_memory_are_refused(command, tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "own").write_text("own")
    (tmp_path / "d" / "soft").symlink_to("own")
    code, out, err = command("pointers", options=["--dir", f"{tmp_path / 'd'}::."])
    assert code == 0, err
    lines = out.decode().splitlines()
    fault, inval = "21", "28"
    for line in lines[:9]:
        answers = line.split(": ")[1].split()
        assert set(answers) <= {fault, inval, "37"}, line
    for line in lines[9:14]:
        assert set(line.split(": ")[1].split()) == {"8"}, line
    assert lines[14].split(": ")[1].split() == [
        "0", "28", "28", "28", "28", "28", "28", "28", "28", "28", "28", "76", "0", "76", "76", "28", "28", "28", "25", "44", "28", "28", "28", "57", "58",
    ]


def test_buffers_that_lie_over_each_other(sidelight, compiled):
    """Together they are longer than a number of WASI: as much is written as the kernel does at once."""
    compiled("overlap", """
        #include <wasi/api.h>
        static char bytes[8 << 20];
        int main(void) {
            static __wasi_ciovec_t buffers[1024];
            for (int i = 0; i < 1024; i++) buffers[i] = (__wasi_ciovec_t){(void *)bytes, sizeof bytes};
            __wasi_size_t written = 0;
            return __wasi_fd_write(1, buffers, 1024, &written) == 0 && written == 0x7FFFFFFF ? 0 : 1;
        }
    """)
    command = [sidelight.binary, "run", compiled("overlap")]
    done = subprocess.run(command, cwd=sidelight.folder, env=sidelight.environment({}), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 0, done.stderr


# What is done with a folder and without one, by the raw interface, since the C library looks at rights itself; the errno of each.
USES = """
    #include <stdio.h>
    #include <string.h>
    #include <wasi/api.h>
    static char longest[4096];
    int main(void) {
        __wasi_fd_t file = 99;
        __wasi_size_t done;
        unsigned char byte = 'x';
        __wasi_iovec_t in = {&byte, 1};
        __wasi_ciovec_t out = {&byte, 1};
        __wasi_dircookie_t first = 0;
        memset(longest, 'x', sizeof longest - 1);
        printf("open %u", __wasi_path_open(3, 0, "own", 0, __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE, 0, 0, &file));
        printf(", read %u", __wasi_fd_read(file, &in, 1, &done));
        printf(", list %u", __wasi_fd_readdir(3, &byte, 1, first, &done));
        printf(", write %u", __wasi_fd_write(file, &out, 1, &done));
        printf(", unlink %u", __wasi_path_unlink_file(3, "\\xc3"));
        printf(", unlink %u", __wasi_path_unlink_file(3, longest));
        printf(", unlink %u", __wasi_path_unlink_file(3, "own"));
        printf(", random %u", __wasi_random_get(&byte, 1));
        // Neither is the policy's to give.
        printf(", out %u", __wasi_path_open(3, 0, "../own", 0, __WASI_RIGHTS_FD_READ, 0, 0, &file));
        printf(", folder %u\\n", __wasi_fd_read(3, &in, 1, &done));
        return 0;
    }
"""
ALLOWED = "open 0, read 0, list 0, write 0, unlink 25, unlink 37, unlink 0, random 0, out 76, folder 76\n"


def findings(receiver, kind):
    """Permission and target of each."""
    with receiver.lock:
        logs = [log for log in receiver.logs if log.event_name == f"sidelight.{kind}"]
    assert all(log.body and log.trace_id and log.attributes["sidelight.policy.rule"] for log in logs), logs
    names = ("sidelight.policy.permission", "sidelight.policy.target")
    return sorted(tuple(log.attributes[name] for name in names) for log in logs)


@pytest.mark.parametrize("files, said, permission", [
    ("read", "open 0, read 0, list 0, write 76, unlink 25, unlink 76, unlink 76, random 76, out 76, folder 76\n", "write"),
    ("write", "open 0, read 76, list 76, write 0, unlink 25, unlink 37, unlink 0, random 76, out 76, folder 76\n", "read"),
])
def test_what_the_policy_refuses_is_told(sidelight, compiled, receiver, files, said, permission):
    own = sidelight.write("data/own", "own")
    sidelight.write("policy.yaml", f"code: {{wasm: allow}}\nfiles: {{{files}: [data]}}\n")
    done = sidelight("run", "--json", "--policy", "policy.yaml", "--dir", "data::/data", *receiver.export(), compiled("uses", USES))
    assert (done.code, done.out) == (0, said), done
    told = [("random", ""), (permission, str(own.parent.resolve()))]
    assert findings(receiver, "violation") == sorted(told), receiver.logs
    counters = json.loads(done.err.splitlines()[-1])["counters"]
    assert all(f'sidelight_policy_violations_total{{permission="{name}"}}' in counters for name, _ in told), counters
    audited = [json.loads(line) for line in sidelight("audit", "ls", "--json", "--kind", "violation").out.splitlines()]
    assert len(audited) == 2, audited


def test_an_audit_tells_what_a_command_needs(sidelight, compiled, receiver):
    sidelight.write("data/own", "own")
    audited = sidelight("run", "--audit", "--dir", "data::/data", *receiver.export(), compiled("uses", USES))
    assert (audited.code, audited.out) == (0, ALLOWED), audited
    assert ("random", "") in findings(receiver, "audit") and not findings(receiver, "violation")
    policy = audited.err[audited.err.index("# The policy that allows") :]
    assert "\nrandom: allow\n" in policy, policy
    sidelight.write("needed.yaml", policy)
    sidelight.write("data/own", "own")
    again = sidelight("run", "--policy", "needed.yaml", "--dir", "data::/data", *receiver.export(), compiled("uses", USES))
    assert (again.code, again.out) == (0, ALLOWED), again
    assert not findings(receiver, "violation")


# ---- From JavaScript ----


def test_a_program_runs_a_command(sidelight, compiled):
    (sidelight.folder / "d").mkdir()
    (sidelight.folder / "d" / "f").write_text("abc")
    walk, fail, machine = (list(compiled(name).read_bytes()) for name in ("walk", "fail", "machine"))
    sidelight.write("walk.json", json.dumps([walk, fail, machine]))
    done = sidelight("run", sidelight.write("main.mjs", """
        import { WASI } from 'node:wasi';
        import modules from './walk.json' assert { type: 'json' };
        const load = async (index, options) => {
            const wasi = new WASI({ version: 'preview1', ...options });
            return { wasi, instance: (await WebAssembly.instantiate(new Uint8Array(modules[index]), wasi.getImportObject())).instance };
        };
        const walk = await load(0, { args: ['walk', '/there'], preopens: { '/there': 'd' } });
        console.log(walk.wasi.start(walk.instance));
        try { walk.wasi.start(walk.instance); } catch (error) { console.log(error.code); }
        const machine = await load(2, { args: ['machine', '7'], env: { WASI_TEST_X: 'y' } });
        console.log(machine.wasi.start(machine.instance));
        const fail = await load(1, { args: ['fail', 'divide'] });
        try { fail.wasi.start(fail.instance); } catch (error) { console.log(String(error)); }
        for (const options of [{}, { version: 'x' }, { version: 'preview1', args: ['a\\0b'] }, { version: 'preview1', preopens: { a: 'nowhere' } }]) {
            try { new WASI(options); } catch (error) { console.log(error.name); }
        }
    """))
    lines = done.out.splitlines()
    assert lines[:3] == ["f 3 /there/f", "0", "ERR_WASI_ALREADY_STARTED"]
    assert "variable WASI_TEST_X=y" in lines and "7" in lines
    assert lines[-5:] == ["RuntimeError: divide by zero", "TypeError", "TypeError", "TypeError", "Error"]
    assert done.code == 0, done.err


def test_a_module_is_imported(sidelight, compiled, receiver):
    """Its default export is the compiled module, as Workers have it."""
    for name in ("sort", "walk"):
        (sidelight.folder / f"{name}.wasm").write_bytes(compiled(name).read_bytes())
    sidelight.write("broken.wasm", "\0asm, and no more")
    sidelight.write("other.mjs", "import module from './sort.wasm'; export { module };")
    done = sidelight("run", "--export", f"otlp={receiver.url}", sidelight.write("main.mjs", """
        import sort from './sort.wasm';
        import { module } from './other.mjs';
        console.log(String(sort), sort === module, sort instanceof WebAssembly.Module, Object.keys(await import('./sort.wasm')).join());
        console.log((await import('./walk.wasm')).default === sort);
        const { WASI } = await import('node:wasi');
        const wasi = new WASI({ version: 'preview1', args: ['sort', '-q'], returnOnExit: true });
        console.log(wasi.start(await WebAssembly.instantiate(sort, wasi.getImportObject())));
        for (const [name, options] of [['broken'], ['missing'], ['sort', { assert: { type: 'json' } }]]) {
            await import(`./${name}.wasm`, options).catch((error) => console.log(error.name, /broken.wasm: WebAssembly/.test(error.message)));
        }
    """))
    lines = done.out.splitlines()
    assert lines[:3] == ["[object WebAssembly.Module] true true default", "false", "2"], done.err
    assert [line.split()[1] for line in lines[3:]] == ["true", "false", "false"] and lines[3].startswith("CompileError")
    assert len([span for span in receiver.spans if span.name == "wasm compile" and span.attributes.get("wasm.module.size", 0) > 10_000]) == 2


# ---- Streaming ----


@pytest.fixture
def site(compiled):
    """Serves sort.wasm in pieces under names that say what is wrong with the answer."""
    module = compiled("sort").read_bytes()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            name = self.path.strip("/")
            self.send_response(404 if name == "missing" else 200)
            types = {"text": "text/plain", "parameter": "application/wasm; charset=utf-8", "none": None, "shouted": "  APPLICATION/WASM "}
            kind = types.get(name, "application/wasm")
            if kind is not None:
                self.send_header("content-type", kind)
            body = module[: len(module) // 2] if name == "half" else b"not wasm at all" if name == "nonsense" else module
            self.send_header("content-length", str(len(body) + (10 if name == "cut" else 0)))
            self.end_headers()
            for start in range(0, len(body), 10_000):
                self.wfile.write(body[start : start + 10_000])
                self.wfile.flush()
            if name == "cut":
                self.close_connection = True

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_modules_are_compiled_as_they_come(sidelight, site, receiver):
    done = sidelight("run", "--export", f"otlp={receiver.url}", sidelight.write("main.mjs", """
        const site = process.argv[2];
        const said = async (promise) => { try { return String(await promise); } catch (error) { return `${error.name}: ${error.message}`; } };
        console.log(await said(WebAssembly.compileStreaming(fetch(`${site}/good`))));
        console.log(await said(WebAssembly.compileStreaming(await fetch(`${site}/shouted`))));
        const imports = {};
        for (const { name } of WebAssembly.Module.imports(await WebAssembly.compileStreaming(fetch(`${site}/good`)))) imports[name] = () => 0;
        const both = await WebAssembly.instantiateStreaming(fetch(`${site}/good`), { wasi_snapshot_preview1: imports });
        console.log(Object.keys(both).join(), both.module instanceof WebAssembly.Module, both.instance instanceof WebAssembly.Instance);
        for (const name of ['text', 'parameter', 'none', 'missing', 'half', 'nonsense', 'cut']) console.log(name, await said(WebAssembly.compileStreaming(fetch(`${site}/${name}`))));
        for (const value of [undefined, 1, {}, new Uint8Array(8), Promise.reject(new RangeError('mine'))]) console.log(await said(WebAssembly.compileStreaming(value)));
        const type = { headers: { 'content-type': 'application/wasm' } };
        const used = new Response(new Uint8Array(8), type); await used.text();
        console.log(await said(WebAssembly.compileStreaming(used)));
        const locked = new Response(new Uint8Array(8), type); locked.body.getReader();
        console.log(await said(WebAssembly.compileStreaming(locked)));
        console.log(await said(WebAssembly.compileStreaming(new Response(null, type))));
        console.log(await said(WebAssembly.compileStreaming(new Response(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]), type))));
        console.log(await said(WebAssembly.compileStreaming(new Response(new ReadableStream({ pull(c) { c.error(new RangeError('source')); } }), type))));
        console.log(await said(WebAssembly.compileStreaming(new Response(new ReadableStream({ pull(c) { c.enqueue('text'); } }), type))));
        console.log(await said(WebAssembly.instantiateStreaming(fetch(`${site}/good`), 1)));
        console.log(await said(WebAssembly.instantiateStreaming(fetch(`${site}/good`))));
        console.log(WebAssembly.compileStreaming.name, WebAssembly.compileStreaming.length, WebAssembly.instantiateStreaming.length);
    """), site)
    lines = done.out.splitlines()
    module = "[object WebAssembly.Module]"
    assert lines[:3] == [module, module, "module,instance true true"], done.err
    begins = [
        "text TypeError", "parameter TypeError", "none TypeError", "missing TypeError", "half CompileError", "nonsense CompileError", "cut TypeError",
        "TypeError", "TypeError", "TypeError", "TypeError", "RangeError: mine",
        "TypeError: Body is unusable", "TypeError: Body is unusable", "CompileError", module, "RangeError: source", "TypeError",
        "TypeError", "TypeError", "compileStreaming 1 1",
    ]
    assert len(lines) == 3 + len(begins), lines
    for line, beginning in zip(lines[3:], begins):
        assert line.startswith(beginning)
    spans = [span for span in receiver.spans if span.name == "wasm compile"]
    assert any(span.attributes.get("wasm.module.size", 0) > 100_000 for span in spans)


def test_a_data_view_is_a_source_like_any_other(sidelight):
    main = sidelight.write("main.mjs", """
        const bytes = new Uint8Array([9, 0, 97, 115, 109, 1, 0, 0, 0, 9]);
        const view = new DataView(bytes.buffer, 1, 8);
        const made = [new WebAssembly.Module(view), await WebAssembly.compile(view), (await WebAssembly.instantiate(view)).module];
        console.log(made.every((one) => one instanceof WebAssembly.Module), WebAssembly.validate(view), WebAssembly.validate(new DataView(bytes.buffer)));
        for (const make of [(source) => new WebAssembly.Module(source), (source) => WebAssembly.validate(source)]) {
            try { make({}); } catch (error) { console.log(error.name); }
        }
    """)
    done = sidelight("run", main)
    assert done.out.split() == ["true", "true", "false", "TypeError", "TypeError"], done.err


# ---- Compiled code on disk ----


def entries(sidelight):
    folder = sidelight.folder / "cache" / "sidelight" / "wasm"
    return sorted(folder.iterdir()) if folder.exists() else []


def sort_much(command, **more):
    """Long enough that V8 optimises something of it."""
    lines = b"".join(b"%d\n" % (n * 7919 % 1000003) for n in range(60000))
    code, out, err = command("sort", stdin=lines, **more)
    assert code == 0 and out.split() == sorted(lines.split()), err
    return out


def spans_of(command, receiver):
    before = len(receiver.spans)
    sort_much(command, options=["--export", f"otlp={receiver.url}"])
    return [span for span in receiver.spans[before:] if span.name == "wasm compile"]


def test_compiled_code_is_kept_and_used(command, sidelight, receiver):
    first = spans_of(command, receiver)
    assert [span.attributes.get("sidelight.module.cached") for span in first] == [None]
    assert len(entries(sidelight)) == 1
    second = spans_of(command, receiver)
    assert [span.attributes.get("sidelight.module.cached") for span in second] == [True]
    assert len(entries(sidelight)) == 1


def test_damaged_entries_do_no_harm(command, sidelight):
    expected = sort_much(command)
    (entry,) = entries(sidelight)
    good = entry.read_bytes()
    damaged = [b"", b"x", good[:100], good[:-1], good + b"x", b"\0" * len(good), os.urandom(len(good))]
    for position in (0, 8, 20, 40, 48, 60, 100, 1000, len(good) // 2, len(good) - 2):
        damaged.append(good[:position] + bytes([good[position] ^ 0x40]) + good[position + 1 :])
    for content in damaged:
        entry.write_bytes(content)
        assert sort_much(command) == expected
    entry.unlink()
    entry.mkdir()
    assert sort_much(command) == expected


def test_an_entry_of_another_module_is_not_taken(command, compiled, sidelight):
    sort_much(command)
    (entry,) = entries(sidelight)
    source = (HERE / "wasm" / "sort.c").read_text()
    assert source.count("what is") == 1
    compiled("sort2", source.replace("what is", "tell me"))
    other = compiled("sort2")
    # The code of one module under the name of the other.
    lines = b"b\na\n"
    command("sort2", stdin=b"".join(b"%d\n" % (n * 7919 % 1000003) for n in range(60000)))
    names = [path for path in entries(sidelight) if path != entry]
    for name in names:
        name.write_bytes(entry.read_bytes())
    assert command("sort2", "-q", stdin=lines) == (1, b"", b"sort2.wasm: tell me -q?\n")
    assert other.exists()


def test_what_streams_in_uses_the_same_entries(command, compiled, sidelight, receiver, site):
    sort_much(command)
    (entry,) = entries(sidelight)
    main = sidelight.write("main.mjs", """
        console.log(String(await WebAssembly.compileStreaming(fetch(`${process.argv[2]}/good`))));
        console.log(await WebAssembly.compileStreaming(fetch(`${process.argv[2]}/half`)).catch((error) => error.name));
    """)
    done = sidelight("run", "--export", f"otlp={receiver.url}", main, site, env={"XDG_CACHE_HOME": sidelight.folder / "cache"})
    assert done.out.split("\n")[:2] == ["[object WebAssembly.Module]", "CompileError"], done.err
    spans = [span for span in receiver.spans if span.name == "wasm compile"]
    assert [span.attributes.get("sidelight.module.cached") for span in spans] == [True, None]


def test_every_way_to_a_module_uses_stored_code(command, compiled, sidelight, receiver):
    sort_much(command)
    (entry,) = entries(sidelight)
    (sidelight.folder / "sort.wasm").write_bytes(compiled("sort").read_bytes())
    main = sidelight.write("main.mjs", """
        import module from './sort.wasm';
        const bytes = new Uint8Array(await (await fetch(process.argv[2])).arrayBuffer());
        const { WASI } = await import('node:wasi');
        let order = '';
        Promise.resolve().then(() => { order += 'microtask '; });
        class Mine extends WebAssembly.Module {}
        const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
        shared.set(bytes);
        const made = [module, new WebAssembly.Module(bytes), new WebAssembly.Module(bytes.buffer), new Mine(bytes), new WebAssembly.Module(shared)];
        order += 'program ';
        made.push(await WebAssembly.compile(bytes), (await WebAssembly.instantiate(bytes, new WASI({ version: 'preview1' }).getImportObject())).module);
        console.log(order, made.every((one) => one instanceof WebAssembly.Module), made[3] instanceof Mine, Object.getPrototypeOf(made[1]) === WebAssembly.Module.prototype);
        for (const one of made) {
            const wasi = new WASI({ version: 'preview1', args: ['sort', '-q'], returnOnExit: true });
            console.log(wasi.start(new WebAssembly.Instance(one, wasi.getImportObject())), WebAssembly.Module.exports(one).length > 1);
        }
        const changed = bytes.slice(); // a character of a message
        changed[changed.length - 20000] ^= 1;
        try { new WebAssembly.Module(changed); } catch (error) { console.log(error.name); }
    """)
    site = http.server.HTTPServer(("127.0.0.1", 0), type("Site", (http.server.BaseHTTPRequestHandler,), {
        "do_GET": lambda self: (self.send_response(200), self.end_headers(), self.wfile.write(compiled("sort").read_bytes())),
        "log_message": lambda *_: None,
    }))
    threading.Thread(target=site.serve_forever, daemon=True).start()
    done = sidelight("run", "--export", f"otlp={receiver.url}", main, f"http://127.0.0.1:{site.server_address[1]}/", env={"XDG_CACHE_HOME": sidelight.folder / "cache"})
    site.shutdown()
    site.server_close()
    lines = done.out.splitlines()
    assert lines[0] == "program microtask  true true true", done.err
    assert lines[1:8] == ["2 true"] * 7
    spans = [span for span in receiver.spans if span.name == "wasm compile"]
    assert [span.attributes.get("sidelight.module.cached") for span in spans] == [True] * 7 + [None]


def test_another_module_that_begins_as_a_stored_one_may_be_wrong(command, compiled, sidelight):
    sort_much(command)
    assert len(entries(sidelight)) == 1
    sidelight.write("sort.json", json.dumps(list(compiled("sort").read_bytes())))
    main = sidelight.write("main.mjs", """
        import list from './sort.json' assert { type: 'json' };
        const told = new Set();
        for (let at = 5000; at < list.length; at += Math.ceil(list.length / 200)) {
            const bytes = new Uint8Array(list);
            bytes.fill(5, at, at + 8);
            const response = new Response(bytes, { headers: { 'content-type': 'application/wasm' } });
            told.add(await WebAssembly.compileStreaming(response).then(String, (error) => error.name));
        }
        console.log([...told].sort().join());
    """)
    done = sidelight("run", main, env={"XDG_CACHE_HOME": sidelight.folder / "cache"})
    assert done.code == 0 and "CompileError" in done.out, done.err


def test_no_folder_for_the_cache_is_no_error(command, sidelight):
    cache = sidelight.write("file", "x")
    for home in (cache, "/proc/nowhere"):
        assert sort_much(command, env={"XDG_CACHE_HOME": home})
