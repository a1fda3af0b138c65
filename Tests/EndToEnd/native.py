"""Makes a process do what its own code would never do: system calls of our choice, by ptrace(2); and lists those that it makes itself.

As a program: `native.py PID` follows all threads of a process to its end and prints what each system call of theirs was counted, as JSON. It says `following` first.
"""

import collections
import contextlib
import ctypes
import errno
import json
import os
import pathlib
import platform
import re
import signal
import sys
import time

from serving import wait_for

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long
PEEKDATA, POKEDATA, CONT, GETREGS, SETREGS, DETACH, SYSCALL, SETOPTIONS = 2, 5, 7, 12, 13, 17, 24, 0x4200
SEIZE, INTERRUPT = 0x4206, 0x4207
SYSGOOD, CLONE, EXITKILL = 1, 8, 0
WALL = 0x40000000
REGISTERS = "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs".split()
ARGUMENTS = "rdi rsi rdx r10 r8 r9".split()


class Registers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ulonglong) for name in REGISTERS]


def reason_not_possible():
    """Why none of this can be here; None: it can."""
    return None if platform.machine() == "x86_64" else "written for the registers of x86_64"


def calls():
    """Numbers of system calls, by name."""
    header = pathlib.Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h").read_text()
    return {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)", header)}


def lists():
    """Names of system calls by Sources/CLinux/Confine.c: those that are let through, those whose arguments decide, those that end the process."""
    text = (pathlib.Path(__file__).resolve().parent.parent.parent / "Sources" / "CLinux" / "Confine.c").read_text()
    common = re.search(r"#define SL_COMMON_CALLS(.*?)\n\n", text, re.S)[1]
    old = re.search(r"#define SL_OLD_CALLS (SYS_poll.*)", text)[1]
    own = re.search(r"worker_calls\[\] = \{(.*?)\};", text, re.S)[1]
    plain = set(re.findall(r"SYS_(\w+)", "\n".join([common, old, own])))
    checked = set(re.findall(r"open_call\(to, SYS_(\w+)\)", text))
    table = text[text.index("#define SL_DEADLY") : text.index("enum { STATEMENTS_MAX")]
    deadly = set(re.findall(r" X\((\w+)\)", table)) | set(re.findall(r'\{SYS_\w+, "(\w+)"\}', table))
    return plain, checked, deadly


def ptrace(request, tid, address=0, data=0):
    ctypes.set_errno(0)
    result = LIBC.ptrace(request, tid, address, data)
    if result == -1 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def registers(tid):
    found = Registers()
    ptrace(GETREGS, tid, 0, ctypes.addressof(found))
    return found


class Injector:
    """A process's first thread, stopped where it waits for the kernel."""

    def __init__(self, pid):
        self.pid = pid
        ptrace(SEIZE, pid, 0, SYSGOOD)
        # Stopped in poll(2) or the like: the instruction before this one is `syscall`, and is used again. Where it is at work it goes on until it waits.
        wait_for(self._stops_in_a_call)
        self.scratch = self.before.rsp - 4096

    def _stops_in_a_call(self):
        ptrace(INTERRUPT, self.pid)
        self._wait()
        self.before = registers(self.pid)
        if ptrace(PEEKDATA, self.pid, self.before.rip - 2) & 0xFFFF == 0x050F:
            return True
        ptrace(CONT, self.pid)
        return False

    def _wait(self):
        done, status = os.waitpid(self.pid, WALL)
        return status

    def put(self, data, offset=0):
        """Bytes below the stack; their address."""
        data += bytes(-len(data) % 8)
        for index in range(0, len(data), 8):
            ptrace(POKEDATA, self.pid, self.scratch + offset + index, int.from_bytes(data[index : index + 8], "little"))
        return self.scratch + offset

    def _set(self, number, arguments):
        now = Registers.from_buffer_copy(self.before)
        now.rip -= 2
        now.rax = number
        now.orig_rax = 2**64 - 1
        for name, value in zip(ARGUMENTS, arguments):
            setattr(now, name, value & (2**64 - 1))
        ptrace(SETREGS, self.pid, 0, ctypes.addressof(now))

    def call(self, number, *arguments):
        """What the call returns, and a signal that it led to, which is not handed on."""
        self._set(number, arguments)
        for _ in range(2):
            ptrace(SYSCALL, self.pid)
            status = self._wait()
            if os.WIFSTOPPED(status) and os.WSTOPSIG(status) == signal.SIGSYS:
                return None, signal.SIGSYS
        result = registers(self.pid).rax
        return ctypes.c_long(result).value, None

    def call_and_go(self, number, *arguments):
        """The thread makes the call and goes on, whatever comes of it."""
        self._set(number, arguments)
        ptrace(DETACH, self.pid)

    def leave(self):
        with contextlib.suppress(OSError):
            # As if interrupted: it waits again.
            ptrace(SETREGS, self.pid, 0, ctypes.addressof(self.before))
            ptrace(DETACH, self.pid)


@contextlib.contextmanager
def inside(pid):
    injector = Injector(pid)
    try:
        yield injector
    finally:
        injector.leave()


def worker_of(agent, deadline=20):
    """The pid of the agent's worker."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        children = pathlib.Path(f"/proc/{agent}/task/{agent}/children").read_text().split()
        for child in children:
            if "sidelight-worke" in pathlib.Path(f"/proc/{child}/comm").read_text():
                return int(child)
        time.sleep(0.01)
    raise AssertionError("there is no worker")


def status_of(task):
    """The lines of a task's `status`, by name."""
    return dict(line.split(":\t", 1) for line in (pathlib.Path(task) / "status").read_text().splitlines() if ":\t" in line)


def follow(pid):
    names = {number: name for name, number in calls().items()}
    counts = collections.Counter()
    inside_call = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        ptrace(SEIZE, int(task), 0, SYSGOOD | CLONE)
        ptrace(INTERRUPT, int(task))
    print("following", flush=True)
    while True:
        try:
            tid, status = os.waitpid(-1, WALL)
        except ChildProcessError:
            break
        if not os.WIFSTOPPED(status):
            if tid == pid:
                break
            continue
        stop = os.WSTOPSIG(status)
        hand_on = 0
        try:
            if stop == signal.SIGTRAP | 0x80:
                inside_call[tid] = not inside_call.get(tid, False)
                if inside_call[tid]:
                    counts[names[registers(tid).orig_rax]] += 1
            elif status >> 16 == 0:
                hand_on = stop
            ptrace(SYSCALL, tid, 0, hand_on)
        except OSError as error:
            if error.errno != errno.ESRCH:
                raise
    print(json.dumps(counts))


if __name__ == "__main__":
    follow(int(sys.argv[1]))
