"""What every end-to-end test has: the release binaries, a runner, and receivers.

SIDELIGHT_BIN_DIR names the folder of the two binaries (default: .build/release of this checkout).
"""

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess

import pytest

from receiver import Receiver
from serving import Service

HERE = pathlib.Path(__file__).resolve().parent
BIN_DIR = pathlib.Path(os.environ.get("SIDELIGHT_BIN_DIR", HERE.parent.parent / ".build" / "release")).absolute()


@dataclasses.dataclass
class Result:
    code: int  # negative: ended by that signal
    out: str
    err: str

    @property
    def json(self):
        """What stdout is, as JSON."""
        return json.loads(self.out)

    @property
    def summary(self):
        """What --json leaves on stderr."""
        return json.loads([line for line in self.err.splitlines() if line.startswith("{")][-1])


class Sidelight:
    """The command, run in a folder of its own, in an environment without OTEL_* and without colours."""

    def __init__(self, folder, binary=BIN_DIR / "sidelight"):
        self.folder = folder
        self.binary = binary

    def environment(self, extra):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "SIDELIGHT_"))}
        return {**kept, "NO_COLOR": "1", "TZ": "UTC", **{name: str(value) for name, value in extra.items()}}

    def start(self, *arguments, env={}, **options):
        return subprocess.Popen(
            [self.binary, *map(str, arguments)], cwd=self.folder, env=self.environment(env), text=True, **options
        )

    def __call__(self, *arguments, env={}, timeout=60, **options):
        done = subprocess.run(
            [self.binary, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            timeout=timeout,
            **options,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text)
        return path


def pytest_collection_modifyitems(items):
    missing = [name for name in ("sidelight", "sidelight-worker") if not (BIN_DIR / name).exists()]
    if missing:
        raise pytest.UsageError(f"{BIN_DIR} has no {' and no '.join(missing)}: run `make build`, or set SIDELIGHT_BIN_DIR")


@pytest.fixture
def sidelight(tmp_path):
    return Sidelight(tmp_path)


@pytest.fixture
def beside(tmp_path):
    """The agent beside a worker that is a script of this folder."""

    def make(script):
        folder = tmp_path / "bin"
        folder.mkdir()
        try:
            os.link(BIN_DIR / "sidelight", folder / "sidelight")
        except OSError:
            shutil.copy(BIN_DIR / "sidelight", folder / "sidelight")
        shutil.copy(HERE / script, folder / "sidelight-worker")
        (folder / "sidelight-worker").chmod(0o755)
        work = tmp_path / "work"
        work.mkdir()
        return Sidelight(work, folder / "sidelight")

    return make


@pytest.fixture
def program():
    """Path of a program in programs/."""
    return lambda name: str(HERE / "programs" / name)


@pytest.fixture
def make_receiver():
    """Makes receivers that are closed, and checked for what did not decode, when the test is over."""
    made = []

    def make(*answers, default=None):
        made.append(Receiver(answers, default))
        return made[-1]

    yield make
    for receiver in made:
        receiver.stop()
    for receiver in made:
        receiver.check()


@pytest.fixture
def receiver(make_receiver):
    return make_receiver()


@pytest.fixture
def serve(sidelight, make_receiver):
    """Starts services and ends those that still run when the test is over. `text` becomes the entry, in the folder of the test,
    beside `files`."""
    made = []

    def start(text, *arguments, receiver=None, files={}, **options):
        for name, content in files.items():
            sidelight.write(name, content)
        entry = sidelight.write("app.mjs", text)
        made.append(Service(sidelight, entry, *arguments, receiver=receiver or make_receiver(), **options))
        return made[-1]

    yield start
    for service in made:
        service.kill()


@pytest.fixture(scope="module")
def module_service(tmp_path_factory):
    """Starts services that live as long as their module's tests and end with `code`."""
    made = []
    expected = []

    def start(entry, *arguments, code=0, **options):
        receiver = Receiver()
        service = Service(Sidelight(tmp_path_factory.mktemp("serve")), entry, *arguments, receiver=receiver, **options)
        made.append(service)
        expected.append(code)
        return service

    yield start
    codes = [service.end() for service in made]
    for service in made:
        service.kill()
        service.receiver.stop()
    for service in made:
        service.receiver.check()
    assert codes == expected, [service.err for service in made]


@pytest.fixture(scope="module")
def server(module_service):
    """One that echoes (programs/echo_requests.mjs)."""
    return module_service(HERE / "programs" / "echo_requests.mjs")
