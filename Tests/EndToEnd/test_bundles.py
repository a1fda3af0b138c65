"""Signed programs: keygen, sign, verify, --require-signature. What attackers try is in Tests/Attack/bundle."""

import json
import os
import shutil
import signal
import subprocess

import pytest
from serving import Service, wait_for

PROGRAM = "import { say } from './lib/say.mjs';\nimport data from './data.json' with { type: 'json' };\nimport pkg from 'pkg';\nconsole.log(say(data.text), pkg);\n"


@pytest.fixture
def program(sidelight):
    sidelight.write("app.mjs", PROGRAM)
    sidelight.write("lib/say.mjs", "export const say = (text) => `say ${text}`;\n")
    sidelight.write("data.json", '{"text": "hello"}\n')
    sidelight.write("node_modules/pkg/package.json", '{"type": "module", "exports": "./index.js"}\n')
    sidelight.write("node_modules/pkg/index.js", "export default 'pkg';\n")
    sidelight.write("plugins/one.mjs", "import './two.mjs';\nexport const name = 'one';\n")
    sidelight.write("plugins/two.mjs", "")
    assert sidelight("keygen", "--out", "k").code == 0
    return sidelight


def test_what_is_signed_runs(program):
    done = program("sign", "app.mjs", "--key", "k.pem", "--json")
    assert done.code == 0, done
    names = done.json["files"]
    assert set(names) >= {"app.mjs", "data.json", "lib/say.mjs", "node_modules/pkg/index.js", "node_modules/pkg/package.json"}
    assert not any("plugins" in name for name in names)
    assert program("verify", "app.mjs", "--key", "k.pub.pem").code == 0
    done = program("run", "--require-signature", "k.pub.pem", "app.mjs")
    assert (done.code, done.out) == (0, "say hello pkg\n"), done
    signatures = [json.loads(line) for line in program("audit", "ls", "--json", "--kind", "signature").out.splitlines()]
    assert [entry["outcome"] for entry in signatures] == ["accepted"]


def test_only_a_file_is_replaced_by_a_manifest(program):
    os.mkfifo(program.folder / "pipe")
    (program.folder / "link").symlink_to("data.json")
    for name in ("pipe", "link", "lib"):
        done = program("sign", "app.mjs", "--key", "k.pem", "--out", name)
        assert done.code == 2 and f"{name} is no regular file, and is not replaced" in done.err, done
    assert (program.folder / "pipe").is_fifo() and (program.folder / "link").is_symlink()
    assert program("sign", "app.mjs", "--key", "k.pem", "--out", "x.json").code == program("sign", "app.mjs", "--key", "k.pem", "--out", "x.json").code == 0


def test_what_is_included_is_signed_with_its_imports(program):
    done = program("sign", "app.mjs", "--key", "k.pem", "--include", "plugins/o*.mjs", "--json")
    assert {"plugins/one.mjs", "plugins/two.mjs"} <= set(done.json["files"])
    assert program("sign", "app.mjs", "--key", "k.pem", "--include", "nowhere/*").code == 2


def test_what_is_changed_is_refused(program):
    program("sign", "app.mjs", "--key", "k.pem")
    program.write("lib/say.mjs", "export const say = () => 'evil';\n")
    done = program("verify", "app.mjs", "--json")
    assert done.code == 3 and done.json["problems"] == ["lib/say.mjs is not what was signed (33 bytes; signed were 44)"], done
    done = program("run", "--require-signature", "k.pub.pem", "app.mjs")
    assert done.code == 3 and done.out == "" and "lib/say.mjs is not what was signed" in done.err
    signatures = [json.loads(line) for line in program("audit", "ls", "--json", "--kind", "signature").out.splitlines()]
    assert [entry["outcome"] for entry in signatures] == ["refused"]
    # Nobody asked.
    assert program("run", "app.mjs").code == 0


def test_nothing_but_a_regular_file_of_no_more_bytes_is_read(program):
    """A pipe that nobody writes to would be waited for, and a sparse file be given memory."""
    program("sign", "app.mjs", "--key", "k.pem")
    lib = program.folder / "lib/say.mjs"
    lib.unlink()
    os.mkfifo(lib)
    done = program("verify", "app.mjs", "--json")
    assert done.code == 3 and done.json["problems"] == ["lib/say.mjs: It is no regular file"], done
    lib.unlink()
    with open(lib, "wb") as file:
        file.truncate(1 << 30)
    done = program("verify", "app.mjs", "--json")
    assert done.code == 3 and done.json["problems"] == ["lib/say.mjs is not what was signed (more than the 44 bytes that were)"], done
    manifest = program.folder / "app.mjs.sidelight.json"
    manifest.unlink()
    os.mkfifo(manifest)
    done = program("verify", "app.mjs")
    assert done.code == 3 and "no regular file" in done.out + done.err, done


def test_a_key_with_a_passphrase(program):
    env = {"SIDELIGHT_PASSPHRASE": "open sesame"}
    assert program("keygen", "--out", "locked", "--encrypt", env=env).code == 0
    assert "ENCRYPTED" in (program.folder / "locked.pem").read_text()
    assert program("sign", "app.mjs", "--key", "locked.pem").code == 2
    assert program("sign", "app.mjs", "--key", "locked.pem", env={"SIDELIGHT_PASSPHRASE": "x"}).code == 2
    assert program("sign", "app.mjs", "--key", "locked.pem", env=env).code == 0
    assert program("verify", "app.mjs", "--key", "locked.pub.pem").code == 0
    assert program("verify", "app.mjs", "--key", "k.pub.pem").code == 3
    assert program("keygen", "--out", "locked").code == 2


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here")
def test_openssl_reads_and_writes_the_keys(program):
    text = subprocess.run(["openssl", "pkey", "-in", program.folder / "k.pem", "-pubout"], capture_output=True, text=True, check=True).stdout
    assert text == (program.folder / "k.pub.pem").read_text()
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", program.folder / "o.pem"], check=True)
    assert program("sign", "app.mjs", "--key", "o.pem").code == 0
    subprocess.run(["openssl", "genpkey", "-algorithm", "rsa", "-out", program.folder / "r.pem"], check=True, capture_output=True)
    done = program("sign", "app.mjs", "--key", "r.pem")
    assert done.code == 2 and "not an Ed25519 key" in done.err


def test_what_cannot_be_loaded_is_not_signed(program):
    program.write("app.mjs", "import './nowhere.mjs';\n")
    assert program("sign", "app.mjs", "--key", "k.pem").code == 1
    assert not (program.folder / "app.mjs.sidelight.json").exists()
    assert program("sign", "absent.mjs", "--key", "k.pem").code == 1


def test_nothing_runs_while_it_is_signed(program):
    program.write("app.mjs", "console.log('ran'); throw new Error('ran');\n")
    done = program("sign", "app.mjs", "--key", "k.pem")
    assert done.code == 0 and "ran" not in done.out + done.err


def test_a_served_program_is_not_reloaded_unsigned(program):
    program.write("app.mjs", "export default { fetch() { return new Response('one') } }\n")
    program("sign", "app.mjs", "--key", "k.pem")
    service = Service(program, "app.mjs", "--require-signature", "k.pub.pem")
    assert service.get("/")[2] == b"one"
    program.write("app.mjs", "export default { fetch() { return new Response('two') } }\n")
    service.process.send_signal(signal.SIGHUP)
    wait_for(lambda: service.said("is not taken as it is now"))
    assert service.get("/")[2] == b"one"
    program("sign", "app.mjs", "--key", "k.pem")
    service.process.send_signal(signal.SIGHUP)
    wait_for(lambda: service.get("/")[2] == b"two")
    assert service.end(signal.SIGTERM) == 0


def test_a_policy_that_the_program_does_not_meet_is_not_taken(program):
    """Nor for a worker that is started in place of one that died."""
    program.write("app.mjs", "export default { fetch() { return new Response('one') } }\n")
    program.write("policy.yaml", "base: standard\n")
    service = Service(program, "app.mjs", "--policy", "policy.yaml")
    assert service.get("/")[2] == b"one"
    program.write("policy.yaml", "base: standard\nsignature: {require: true, keys: [k.pub.pem]}\n")
    service.process.send_signal(signal.SIGHUP)
    wait_for(lambda: service.said("is not taken as it is now"))
    assert not service.said("the policy is")
    assert service.get("/")[2] == b"one"
    assert program("sign", "app.mjs", "--key", "k.pem").code == 0
    service.process.send_signal(signal.SIGHUP)
    wait_for(lambda: service.said("the policy is policy.yaml as it is now"))
    wait_for(lambda: service.get("/")[2] == b"one")
    assert service.end(signal.SIGTERM) == 0


def test_compiled_code_of_others_does_not_count(program):
    """What lies in the cache is not what was signed, however it came there."""
    program.write("app.mjs", "console.log('signed'); // " + "x" * 8192 + "\n")
    program("sign", "app.mjs", "--key", "k.pem")
    cache = program.folder / "cache"
    env = {"XDG_CACHE_HOME": str(cache)}
    assert program("run", "--require-signature", "k.pub.pem", "app.mjs", env=env).out == "signed\n"
    assert not list(cache.rglob("code/*"))
