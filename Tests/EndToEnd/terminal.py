"""A program on a pseudo-terminal (pexpect), and what a terminal would show of it (pyte)."""

import os
import re
import termios
import time

import pexpect
import pyte


class Terminal:
    def __init__(self, sidelight, *arguments, rows=24, columns=160, env={}):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.bytes = b""
        self.size = rows, columns
        environment = {name: value for name, value in sidelight.environment(env).items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.process = pexpect.spawn(
            str(sidelight.binary), list(map(str, arguments)), cwd=str(sidelight.folder), env={"TERM": "xterm-256color", **environment},
            dimensions=(rows, columns), timeout=20,
        )  # fmt: skip

    def read(self, seconds=0.05):
        """Takes what has come. False: the program has ended."""
        try:
            more = self.process.read_nonblocking(1 << 16, seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.bytes += more
        self.stream.feed(more)
        return True

    @property
    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self):
        return "\n".join(self.lines)

    def until(self, pattern, seconds=20):
        """Waits until the screen shows it; the match."""
        end = time.monotonic() + seconds
        while True:
            is_open = self.read()
            if found := re.search(pattern, self.text, re.M):
                return found
            assert is_open and time.monotonic() < end, f"no {pattern!r} on\n{self.text}"

    def press(self, keys):
        self.process.send(keys)

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        self.process.setwinsize(rows, columns)

    @property
    def mode(self):
        """Whether it is in canonical mode, and echoes."""
        flags = termios.tcgetattr(self.process.child_fd)[3]
        return bool(flags & termios.ICANON), bool(flags & termios.ECHO)

    def wait(self, seconds=20):
        """Its exit code, or minus the signal, when it has ended."""
        end = time.monotonic() + seconds
        while self.read():
            assert time.monotonic() < end, "it does not end\n" + self.text
        self.process.wait()
        return self.process.exitstatus if self.process.signalstatus is None else -self.process.signalstatus

    def close(self):
        if self.process.isalive():
            os.kill(self.process.pid, 9)
        self.process.close(force=True)
