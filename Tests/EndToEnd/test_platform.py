"""The web platform's own tests (Tests/Platform): its cases in the real worker, and what Node plays the host for."""

import os
import pathlib
import shutil
import subprocess

import pytest

from conftest import BIN_DIR

PLATFORM = pathlib.Path(__file__).resolve().parent.parent / "Platform"
NODE = shutil.which("node")


def test_all_cases_pass_in_the_worker():
    done = subprocess.run([PLATFORM / "run", BIN_DIR / "sidelight-worker"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


@pytest.mark.skipif(NODE is None, reason="there is no node")
@pytest.mark.parametrize("file", sorted(PLATFORM.glob("*.test.mjs")), ids=lambda file: file.name)
def test_the_host_played_by_node(file):
    done = subprocess.run([NODE, "--test", file], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def test_the_table_of_what_is_there_is_up_to_date():
    script = PLATFORM.parent.parent / "scripts" / "platform-table"
    environment = {**os.environ, "SIDELIGHT_BIN_DIR": str(BIN_DIR)}
    done = subprocess.run([script, "--check"], capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
