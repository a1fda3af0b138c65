"""Policies from the command's side: what --audit prints is what the program needs, findings are told and counted, and a changed policy is taken over."""

import http.server
import json
import re
import signal
import threading
import urllib.request

import pytest
from serving import wait_for

# Does a bit of everything that a policy may refuse; says of each whether it could.
PROGRAM = """
import { value } from './lib/own.mjs';
const tries = {
    fetch: async () => (await fetch(`http://127.0.0.1:${process.argv[2]}/`)).status,
    variable: () => { if (process.env.APP_NAME !== 'shop') throw new Error('not shown'); },
    eval: () => (0, eval)('1'),
    wasm: () => new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])),
    random: () => crypto.getRandomValues(new Uint8Array(1)),
    digest: () => crypto.subtle.digest('SHA-256', new Uint8Array(1)),
    outside: () => import(process.argv[3]),
};
const told = {};
for (const name in tries) {
    try { await tries[name](); told[name] = 'ok'; } catch (error) { told[name] = error.name; }
}
console.log(JSON.stringify(told));
"""


@pytest.fixture
def site():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def needy(sidelight, site, tmp_path):
    """Runs the program with what it needs beside it."""
    sidelight.write("app/main.mjs", PROGRAM)
    sidelight.write("app/lib/own.mjs", "export const value = 1;\n")
    outside = sidelight.write("outside/module.mjs", "export const value = 2;\n")

    def run(*arguments, receiver=None):
        export = receiver.export() if receiver else []
        return sidelight("run", *arguments, *export, "app/main.mjs", site, outside, env={"APP_NAME": "shop", "CANARY": "x"})

    return run


def told(result):
    return json.loads(result.out.splitlines()[-1])


def violations(receiver):
    return [log for log in receiver.logs if log.event_name == "sidelight.violation"]


def test_what_an_audit_prints_is_all_that_is_needed(sidelight, needy, make_receiver):
    audited = make_receiver()
    result = needy("--audit", receiver=audited)
    assert result.code == 0 and set(told(result).values()) == {"ok"}, result
    assert {log.event_name for log in audited.logs} >= {"sidelight.audit"} and not violations(audited)
    policy = result.err[result.err.index("# The policy that allows") :]
    sidelight.write("needed.yaml", policy)

    checked = sidelight("check", "policy", "--json", "needed.yaml")
    assert checked.code == 0 and checked.json["valid"] and not checked.json["warnings"], checked

    receiver = make_receiver()
    again = needy("--policy", "needed.yaml", receiver=receiver)
    assert again.code == 0 and set(told(again).values()) == {"ok"}, (policy, again)
    assert not violations(receiver), (policy, violations(receiver))

    # Each line of a rule is needed: without it something is refused.
    lines = policy.splitlines()
    rules = [at for at, line in enumerate(lines) if re.match(r"\s*- |  \w+: allow|\w+: (allow|exact)", line)]
    assert len(rules) >= 6, policy
    for at in rules:
        sidelight.write("less.yaml", "\n".join(lines[:at] + lines[at + 1 :]) + "\n")
        receiver = make_receiver()
        less = needy("--policy", "less.yaml", receiver=receiver)
        if "clock" not in lines[at] and "/app" not in lines[at]:
            assert violations(receiver), (lines[at], less)


FREELY = """
Array.prototype.last = function () { return this[this.length - 1]; };
globalThis.fetch = () => 'mine';
console.log([1, 2].last(), fetch(), new Int32Array(new SharedArrayBuffer(8)).length, Math.random() < 1);
"""


def test_an_audit_refuses_nothing_and_its_policy_allows_it(sidelight, make_receiver):
    sidelight.write("freely.mjs", FREELY)
    result = sidelight("run", "--audit", "freely.mjs")
    assert (result.code, result.out) == (0, "2 mine 2 true\n"), result
    policy = result.err[result.err.index("# The policy that allows") :]
    for line in ("code:\n  primordials: open\n", "\nclock: exact\n", "\nrandom: allow\n"):
        assert line in policy, policy
    sidelight.write("needed.yaml", policy)
    again = sidelight("run", "--policy", "needed.yaml", "freely.mjs")
    assert (again.code, again.out) == (0, "2 mine 2 true\n"), again


def test_numbers_that_repeat_are_told_once(sidelight, receiver):
    path = sidelight.write("random.mjs", "console.log([Math.random(), Math.random()].join());")
    runs = [sidelight("run", "--policy", "strict", *receiver.export(), path) for _ in range(2)]
    assert runs[0].code == 0 and runs[0].out == runs[1].out
    assert [log.attributes["sidelight.policy.permission"] for log in violations(receiver)] == ["random"] * 2


def test_a_refused_import_has_no_frames_of_the_platform(sidelight):
    path = sidelight.write(
        "stacks.mjs",
        "await import('/etc/x.mjs').catch((e) => console.log(e.code, e.stack));\nasync function call() { await fetch('http://127.0.0.1:1/'); }\nawait call().catch((e) => console.log(e.stack));\n",
    )
    result = sidelight("run", "--policy", "strict", path)
    assert result.code == 0 and "ERR_ACCESS_DENIED" in result.out, result
    assert "sidelight:" not in result.out and "new Promise" not in result.out and "at call (" in result.out, result


def test_an_audit_of_a_policy_adds_to_it(sidelight, needy):
    sidelight.write("own.yaml", "environment: [OTHER]\nnetwork: {deny: [\"127.0.0.1\"]}\n")
    result = needy("--audit", "--policy", "own.yaml")
    policy = result.err[result.err.index("# The policy that allows") :]
    assert '- "OTHER"' in policy and '- "APP_NAME"' in policy
    assert re.search(r"# Not in it: network 127\.0\.0\.1:\d+: network\.deny\[0\]", policy), policy


def test_strict_refuses_and_tells(sidelight, needy, receiver):
    result = needy("--policy", "strict", receiver=receiver)
    assert result.code == 0
    assert "ok" not in told(result).values(), result
    found = {log.attributes["sidelight.policy.permission"] for log in violations(receiver)}
    assert found >= {"network", "code", "wasm", "random", "crypto", "module"}, found
    for log in violations(receiver):
        assert log.severity == 13 and log.body and log.trace_id


def test_trusted_and_no_policy_allow_everything(needy):
    for arguments in ([], ["--policy", "trusted"], ["--policy", "standard"]):
        assert set(told(needy(*arguments)).values()) == {"ok"}


def test_a_policy_that_is_wrong_starts_nothing(sidelight, needy):
    sidelight.write("wrong.yaml", "network: {allow: [\"https://\"]}\nclok: exact\n")
    result = needy("--policy", "wrong.yaml")
    assert result.code == 2 and not result.out
    assert "wrong.yaml:1:19: network.allow[0]" in result.err and "did you mean \"clock\"?" in result.err
    assert needy("--policy", "none.yaml").code == 2
    checked = sidelight("check", "policy", "wrong.yaml")
    assert checked.code == 2 and "wrong.yaml:2:1: clok" in checked.out


@pytest.mark.parametrize("name", ["strict", "standard", "trusted"])
def test_the_bases_are_explained(sidelight, name):
    result = sidelight("check", "policy", name)
    assert result.code == 0 and result.out.startswith(f"{name} is valid.\n")


def test_what_run_would_refuse_is_not_valid(sidelight):
    sidelight.write("p.yaml", "secrets: {A: {file: nope}}\nsignature: {keys: [nope.pem]}\nfence: {user: nosuchuser}\n")
    result = sidelight("check", "policy", "p.yaml")
    assert result.code == 2 and "is valid" not in result.out, result
    for what in ("secret A: ", "nope.pem", "there is no user nosuchuser"):
        assert what in result.out, result


def test_modules_that_are_built_in_and_algorithms_that_there_are_are_known(sidelight):
    sidelight.write("n.mjs", "import 'node:nonsense';\n")
    built_in = re.search(r"There are: (.*) \{", sidelight("run", "n.mjs").err)[1].split(", ")
    assert len(built_in) > 20
    sidelight.write("hashes.mjs", "import { getHashes } from 'node:crypto'; console.log(getHashes().join());\n")
    hashes = sidelight("run", "hashes.mjs").out.strip().split(",")
    assert len(hashes) > 10
    sidelight.write("p.yaml", json.dumps({"modules": built_in, "crypto": [name for name in hashes if not re.match(r"(?i)sha-?(1|256|384|512)$", name)]}))
    result = sidelight("check", "policy", "p.yaml")
    assert result.code == 0 and "warning" not in result.out, result


def test_what_holds_besides_is_told(sidelight):
    sidelight.write("key", "v")
    sidelight.write("p.yaml", "secrets: {A: {file: key}}\nfence: off\nlimits: {cpu: 500ms}\n")
    result = sidelight("check", "policy", "p.yaml")
    assert result.code == 0, result
    for what in ("It sees the secrets A.", "There is no fence.", "cpu 500ms", "hole: fence: off"):
        assert what in result.out, result


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


SERVED = """
export default {
    async fetch(request, env) {
        try { await fetch('http://10.0.0.1/'); return new Response('reached'); }
        catch (error) { return new Response(error.code ?? error.name, { status: 403 }); }
    },
};
"""


def test_findings_are_on_the_admin_port(serve, receiver):
    service = serve(SERVED, "--policy", "strict", "--admin", "127.0.0.1:0", receiver=receiver)
    assert service.get("/")[0] == 403
    answer = wait_for(lambda: (found := json.loads(get(service.admin + "/api/v1/findings")))["findings"] and found)
    assert answer["total"] == 1
    assert "10.0.0.1" in json.dumps(answer["findings"][0])
    assert json.loads(get(service.admin + "/api/v1/findings?kind=limit"))["findings"] == []
    assert get(service.admin + "/api/v1/policy").endswith("base: strict\n")
    metrics = get(service.admin + "/metrics")
    assert re.search(r'sidelight_policy_violations_total\{.*permission="network".*\} 1', metrics), metrics
    service.end(signal.SIGTERM)


def test_a_changed_policy_is_taken_over_and_a_wrong_one_is_not(sidelight, serve):
    sidelight.write("policy.yaml", "environment: [A]\n")
    text = "export default { fetch: () => new Response(Object.keys(process.env).join()) };\n"
    service = serve(text, "--policy", "policy.yaml", env={"A": "1", "B": "2"})
    assert service.get("/")[2].decode() == "A"
    sidelight.write("policy.yaml", "environment: [B\n")
    service.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "the policy stays as it was" in service.err)
    # Nor is the code taken as it is now.
    wait_for(lambda: "its policy is not valid; what was serves on" in service.err)
    sidelight.write("policy.yaml", "environment: [B]\n")
    service.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "the policy is policy.yaml as it is now" in service.err)
    wait_for(lambda: service.get("/")[2].decode() == "B")
    service.end(signal.SIGTERM)


EMPTY_MODULE = "new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])"


@pytest.mark.parametrize(
    "text, code",
    [
        ("eval('1');", 3),
        ("(async () => {}).constructor('return 1')();", 3),
        (f"new WebAssembly.Module({EMPTY_MODULE});", 3),
        (f"await WebAssembly.instantiate({EMPTY_MODULE});", 3),
        ("throw new EvalError('Code may not be made of strings: code.eval is deny');", 1),
        ("try { eval('1'); } catch {} throw new EvalError('its own');", 1),
        ("try { eval('1'); } catch {} throw new Proxy(new Error('x'), { getOwnPropertyDescriptor() { throw 1; } });", 1),
    ],
)
def test_code_that_may_not_be_made_ends_a_run_as_any_refusal(sidelight, text, code):
    sidelight.write("app.mjs", text)
    assert sidelight("run", "--policy", "strict", "app.mjs").code == code
