"""Attack cases: programs of Tests/Attack that try something, and say in their first lines what is to come of it.

A case is a file, or a folder with case.js or case.mjs. It is copied to a folder of its own before it runs, with $TARGET, $PORT and $SECRET in its text replaced.

    // attack: a redirect to a private address          what is tried
    // command: serve                                   run (default) or serve
    // policy: strict                                   strict (default), standard or trusted
    // policy| network: {allow: [...]}                  or a policy file, line by line
    // limits: cpu=200ms heap=64MB
    // flags: --dir data                                further flags
    // env: NAME=VALUE
    // link: NAME -> $SECRET                            a symbolic link beside the entry
    // request: GET /a -> 503                           of serve, in turn; -> STATUS TEXT: the body is TEXT
    // expect: held                                     the last line on stdout; `refused`: the program did not come to run
    // expect-exit: 3
    // expect-violation: network                        permission of a violation that is recorded
    // expect-limit: cpu                                name of a limit's hit that is recorded
    // expect-outcome: exceededCpu                      sidelight.outcome of a span
    // expect-stderr: REGEX

Whatever a case says, nothing may say ESCAPED, $TARGET may get no request (unless `// expect-reached: yes`), and what is in $SECRET, a file outside of the case's folder, and in the variable
CANARY may be said nowhere.
"""

import dataclasses
import pathlib
import re
import shutil

CASES = pathlib.Path(__file__).resolve().parent.parent / "Attack"
LINE = re.compile(r"//\s*([a-z-]+)([:|])[ ]?(.*)$")
KEYS = {
    "attack", "command", "policy", "limits", "flags", "env", "link", "request", "expect", "expect-exit", "expect-violation", "expect-limit", "expect-outcome",
    "expect-stderr", "expect-reached",
}  # fmt: skip


@dataclasses.dataclass
class Case:
    entry: pathlib.Path
    attack: str = ""
    command: str = "run"
    policy: str = "strict"
    policy_lines: list = dataclasses.field(default_factory=list)
    limits: list = dataclasses.field(default_factory=list)
    flags: list = dataclasses.field(default_factory=list)
    env: dict = dataclasses.field(default_factory=dict)
    links: dict = dataclasses.field(default_factory=dict)
    requests: list = dataclasses.field(default_factory=list)
    expect: str = ""
    exit: int | None = None
    violations: list = dataclasses.field(default_factory=list)
    hits: list = dataclasses.field(default_factory=list)
    outcomes: list = dataclasses.field(default_factory=list)
    stderr: list = dataclasses.field(default_factory=list)
    is_reached: bool = False

    @property
    def name(self):
        path = self.entry.relative_to(CASES)
        return str(path.parent if self.is_folder else path)

    @property
    def is_folder(self):
        return self.entry.stem == "case"

    def __post_init__(self):
        for line in self.entry.read_text(errors="replace").splitlines():
            found = LINE.match(line)
            if line.startswith("//") and found:
                self._take(*found.groups())
            elif not line.startswith("//"):
                break
        assert self.attack, f"{self.name}: no line says what is tried"
        assert self.command in ("run", "serve"), f"{self.name}: command {self.command}"
        assert self.expect or self.requests or self.exit, f"{self.name}: nothing is expected"
        assert (self.command == "serve") == bool(self.requests), f"{self.name}: requests are those of serve"

    def _take(self, key, mark, value):
        assert key in KEYS, f"{self.name}: there is no `{key}`"
        if mark == "|":
            assert key == "policy", f"{self.name}: {key}| has no lines"
            self.policy_lines.append(value)
        elif key == "request":
            method, path, status, body = re.fullmatch(r"(\S+) (\S+) -> (\d+)(?: (.*))?", value).groups()
            self.requests.append((method, path, int(status), body))
        elif key == "link":
            name, to = value.split(" -> ")
            self.links[name] = to
        elif key == "env":
            name, text = value.split("=", 1)
            self.env[name] = text
        elif key == "limits":
            self.limits += value.split()
        elif key == "flags":
            self.flags += value.split()
        elif key == "expect-exit":
            self.exit = int(value)
        elif key == "expect-reached":
            self.is_reached = True
        elif key.startswith("expect-"):
            {"violation": self.violations, "limit": self.hits, "outcome": self.outcomes, "stderr": self.stderr}[key[7:]].append(value)
        else:
            setattr(self, key, value)

    def place(self, folder, replaced):
        """Copies the case into `folder`. The entry there, and the command's arguments before it."""
        source = self.entry.parent if self.is_folder else None
        if source:
            shutil.copytree(source, folder, dirs_exist_ok=True)
        entry = folder / self.entry.name
        files = [path for path in folder.rglob("*") if path.is_file()] if source else [entry]
        for path in files:
            data = (self.entry if path == entry else path).read_bytes()
            for name, text in replaced.items():
                data = data.replace(name.encode(), text.encode())
            path.write_bytes(data)
        for name, to in self.links.items():
            (folder / name).symlink_to(replaced.get(to, to))
        arguments = ["--policy", self.policy]
        if self.policy_lines:
            text = "\n".join(self.policy_lines) + "\n"
            for name, value in replaced.items():
                text = text.replace(name, value)
            (folder / "policy.yaml").write_text(text)
            arguments = ["--policy", "policy.yaml"]
        for limit in self.limits:
            arguments += ["--limit", limit]
        return entry, arguments + self.flags


def all_cases():
    files = [path for path in sorted(CASES.rglob("*")) if path.suffix in (".js", ".mjs") and path.is_file()]
    folders = {path.parent for path in files if path.stem == "case"}
    inside = lambda path: any(folder in path.parents for folder in folders)
    return [Case(path) for path in files if path.stem == "case" or not inside(path)]
