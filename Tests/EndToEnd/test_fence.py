"""The fence around workers: what is up and where it says so, what comes of a worker that does by native means what no program does, and what it costs in vain."""

import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import time
import urllib.request

import pytest

import native
from serving import state_of, wait_for

pytestmark = pytest.mark.skipif(native.reason_not_possible() is not None, reason=str(native.reason_not_possible()))

ERROR = 2
CALLS = native.calls() if native.reason_not_possible() is None else {}
LAYERS = ["seccomp", "landlock", "landlock-tcp", "landlock-scopes", "capabilities", "limits", "descriptors"]
SERVED = "export default { fetch: async (request) => new Response('served') };"


@pytest.fixture
def start(sidelight, program):
    """Starts programs/fenced.mjs, waits until it is up, and gives its process and the worker's pid."""
    made = []

    def start(*arguments, **options):
        process = sidelight.start(
            "run", *arguments, program("fenced.mjs"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
        )
        made.append(process)
        lines = {process.stdout.readline().split()[0] for _ in range(3)}
        assert lines == {"pid", "child", "well"}, (lines, process.stderr.read() if process.poll() is not None else "")
        return process, native.worker_of(process.pid)

    yield start
    for process in made:
        process.kill()
        process.communicate()


def inject(pid, number, *arguments):
    """What a system call of the worker returns; the first thread may be at work, and is met when it waits."""
    end = time.monotonic() + 10
    while True:
        try:
            with native.inside(pid) as thread:
                return thread.call(number, *arguments)
        except AssertionError:
            assert time.monotonic() < end


# -- what is up


def test_it_is_told_at_the_start(sidelight):
    sidelight.write("a.mjs", "console.log(1)")
    result = sidelight("run", "--log-level", "info", "a.mjs")
    assert result.out == "1\n"
    assert f"fence: {', '.join(LAYERS)} (Landlock version " in result.err
    assert "not to be had" not in result.err
    assert sidelight("run", "--json", "a.mjs").summary["worker"]["fence"] == LAYERS


def test_the_resource_and_the_admin_port_tell_it(serve):
    service = serve(SERVED, "--admin", "127.0.0.1:0")
    assert service.fetch() == "served"
    with urllib.request.urlopen(service.admin + "/api/v1/workloads") as answer:
        (worker,) = json.load(answer)["workloads"][0]["isolates"]
    assert worker["fence"] == LAYERS
    span = wait_for(lambda: service.spans("/"))[0]
    assert span.resource["sidelight.fence.layers"] == LAYERS


def test_every_thread_is_in_it(start):
    _, pid = start()
    tasks = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
    assert len(tasks) > 4
    for task in tasks:
        status = native.status_of(task)
        assert (status["Seccomp"].strip(), status["NoNewPrivs"].strip()) == ("2", "1")
        # Root reads what it may read: nothing else is left of it.
        assert int(status["CapEff"], 16) & ~(1 << 1 | 1 << 2) == 0
        assert int(status["CapPrm"], 16) & ~(1 << 1 | 1 << 2) == 0
        if os.geteuid() == 0:
            assert int(status["CapBnd"], 16) & ~(1 << 1 | 1 << 2) == 0


def test_it_has_no_descriptors_that_it_was_not_given(sidelight, program):
    mine = os.open("/etc/hostname", os.O_RDONLY)
    os.dup2(mine, 77, inheritable=True)
    try:
        process = sidelight.start(
            "run", program("fenced.mjs"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[77]
        )
        process.stdout.readline()
        pid = native.worker_of(process.pid)
        open_files = {os.readlink(entry) for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir()}
        process.kill()
        process.communicate()
    finally:
        os.close(mine)
        os.close(77)
    assert "/etc/hostname" not in open_files


def test_limits(start):
    _, pid = start()
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    for name in ("Max core file size", "Max locked memory", "Max msgqueue size", "Max realtime priority"):
        (line,) = [line for line in limits.splitlines() if line.startswith(name)]
        assert line.split()[-3:-1] == ["0", "0"] or line.split()[-2:] == ["0", "0"], line


# -- what ends it

DEADLY = [
    ("execve", [0, 0, 0]),
    ("execveat", [0, 0, 0, 0, 0]),
    ("fork", []),
    ("vfork", []),
    ("clone", [signal.SIGCHLD, 0, 0, 0, 0]),
    ("clone", [0x10000000 | 0x10900, 0, 0, 0, 0]),  # CLONE_NEWUSER
    ("ptrace", [0, 1, 0, 0]),
    ("process_vm_readv", [1, 0, 0, 0, 0, 0]),
    ("process_vm_writev", [1, 0, 0, 0, 0, 0]),
    ("mount", [0, 0, 0, 0, 0]),
    ("unshare", [0x10000000]),
    ("setns", [0, 0]),
    ("pivot_root", [0, 0]),
    ("chroot", [0]),
    ("bpf", [0, 0, 0]),
    ("perf_event_open", [0, 0, 0, 0, 0]),
    ("userfaultfd", [0]),
    ("io_uring_setup", [1, 0]),
    ("keyctl", [0, 0, 0, 0, 0]),
    ("add_key", [0, 0, 0, 0, 0]),
    ("init_module", [0, 0, 0]),
    ("finit_module", [0, 0, 0]),
    ("kexec_load", [0, 0, 0, 0]),
    ("memfd_create", [0, 0]),
    ("pidfd_open", [1, 0]),
    ("open_by_handle_at", [0, 0, 0]),
    ("setuid", [0]),
    ("personality", [0]),
    ("seccomp", [0, 0, 0]),
    ("reboot", [0, 0, 0, 0]),
    ("rt_sigaction", [signal.SIGSYS, 0, 0, 8]),
]


@pytest.mark.parametrize("name, arguments", DEADLY, ids=[f"{name}-{index}" for index, (name, _) in enumerate(DEADLY)])
def test_a_call_of_somebody_on_the_way_out_ends_it(start, name, arguments):
    process, pid = start("--json")
    with native.inside(pid) as thread:
        thread.call_and_go(CALLS[name], *arguments)
    _, err = process.communicate(timeout=30)
    assert f"killed by the fence: syscall {name}" in err
    assert process.returncode == 3
    summary = json.loads([line for line in err.splitlines() if line.startswith("{")][-1])
    assert summary["worker"]["status"] == {"signal": "SIGSYS"}
    assert summary["worker"]["death"] == f"killed by the fence: syscall {name}"


def test_the_spans_say_so(start, receiver):
    process, pid = start(*receiver.export())
    with native.inside(pid) as thread:
        thread.call_and_go(CALLS["execve"], 0, 0, 0)
    process.communicate(timeout=30)
    run = next(span for span in receiver.spans if span.name.startswith("run "))
    for span in (run, receiver.named("open")):
        assert (span.status, span.message) == (ERROR, "killed by the fence: syscall execve")
        assert span.attributes["error.type"] == "fence"
        assert span.attributes["sidelight.outcome"] == "refused"
    (finding,) = [log for log in receiver.logs if log.event_name == "sidelight.violation"]
    assert finding.attributes["sidelight.policy.target"] == "execve"
    assert (finding.trace_id, finding.span_id) == (run.trace_id, run.span_id)


def test_a_mask_against_it_does_not_help(start):
    process, pid = start()
    with native.inside(pid) as thread:
        mask = thread.put(struct.pack("<Q", 2**64 - 1))
        assert thread.call(CALLS["rt_sigprocmask"], 0, mask, 0, 8) == (0, None)
        thread.call_and_go(CALLS["execve"], 0, 0, 0)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "killed by the fence" in err


@pytest.mark.parametrize("index", [1, 2, -1])
def test_every_thread_is_held(start, index):
    process, pid = start()
    task = sorted(int(entry.name) for entry in pathlib.Path(f"/proc/{pid}/task").iterdir())[index]
    with native.inside(task) as thread:
        thread.call_and_go(CALLS["execve"], 0, 0, 0)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, "killed by the fence: syscall execve" in err) == (3, True)


@pytest.mark.parametrize("how", ["32 bits", "x32"])
def test_another_machines_numbers_end_it(start, how):
    process, pid = start()
    with native.inside(pid) as thread:
        if how == "32 bits":
            # int 0x80, in place of syscall.
            place = thread.before.rip - 2
            native.ptrace(native.POKEDATA, pid, place, native.ptrace(native.PEEKDATA, pid, place) & ~0xFFFF | 0x80CD)
            thread.call_and_go(20)
        else:
            thread.call_and_go(0x40000000 | CALLS["getpid"])
    _, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "killed by the fence" in err


def test_a_server_has_another_at_once(serve):
    service = serve(SERVED, "--isolates", 2, "--admin", "127.0.0.1:0")
    assert service.fetch() == "served"
    first, second = wait_for(lambda: len(service.workers) == 2 and service.workers)
    with native.inside(first) as thread:
        thread.call_and_go(CALLS["execve"], 0, 0, 0)
    wait_for(lambda: first not in service.workers and len(service.workers) == 2)
    assert second in service.workers
    wait_for(lambda: service.said("isolate .: killed by the fence: syscall execve; started again"))
    for _ in range(20):
        assert service.fetch() == "served"
    with urllib.request.urlopen(service.admin + "/metrics") as answer:
        text = answer.read().decode()
    assert 'reason="fence"' in text


# -- what fails, and leaves it well

EPERM, EACCES, EAFNOSUPPORT, ENOSYS = -1, -13, -97, -38


def refusals(thread, agent):
    """Name, result of each call that is refused."""
    path = thread.put(b"/proc/self/mem\0")
    calls = CALLS
    yield "AF_UNIX", thread.call(calls["socket"], socket.AF_UNIX, socket.SOCK_STREAM, 0), EAFNOSUPPORT
    yield "AF_NETLINK", thread.call(calls["socket"], 16, socket.SOCK_RAW, 0), EAFNOSUPPORT
    yield "AF_PACKET", thread.call(calls["socket"], 17, socket.SOCK_RAW, 0), EAFNOSUPPORT
    yield "AF_VSOCK", thread.call(calls["socket"], 40, socket.SOCK_STREAM, 0), EAFNOSUPPORT
    yield "AF_ALG", thread.call(calls["socket"], 38, 5, 0), EAFNOSUPPORT
    yield "raw socket", thread.call(calls["socket"], socket.AF_INET, socket.SOCK_RAW, 1), EPERM
    yield "MPTCP", thread.call(calls["socket"], socket.AF_INET, socket.SOCK_STREAM, 262), EPERM
    yield "UDP-Lite", thread.call(calls["socket"], socket.AF_INET, socket.SOCK_DGRAM, 136), EPERM
    yield "sched_setaffinity", thread.call(calls["sched_setaffinity"], 0, 0, 0), EPERM
    yield "kill", thread.call(calls["kill"], agent, 0), EPERM
    yield "tgkill", thread.call(calls["tgkill"], agent, agent, 0), EPERM
    yield "tkill", thread.call(calls["tkill"], agent, 0), EPERM
    yield "setpriority", thread.call(calls["setpriority"], 0, agent, 19), EPERM
    yield "prlimit", thread.call(calls["prlimit64"], agent, 0, 0, 0), EPERM
    yield "setrlimit", thread.call(calls["setrlimit"], 7, path), EPERM
    yield "TIOCSTI", thread.call(calls["ioctl"], 0, 0x5412, path), EPERM
    yield "F_SETOWN", thread.call(calls["fcntl"], 0, 8, agent), EPERM
    yield "PR_SET_DUMPABLE", thread.call(calls["prctl"], 4, 1, 0, 0, 0), EPERM
    yield "PR_SET_SECCOMP", thread.call(calls["prctl"], 22, 1, 0, 0, 0), EPERM
    yield "SO_ATTACH_FILTER", thread.call(calls["setsockopt"], 0, 1, 26, path, 16), EPERM
    yield "SO_ATTACH_BPF", thread.call(calls["setsockopt"], 0, 1, 50, path, 4), EPERM
    yield "shmget", thread.call(calls["shmget"], 0, 4096, 0o1600), EPERM
    yield "msgget", thread.call(calls["msgget"], 0, 0o1600), EPERM
    yield "bind", thread.call(calls["bind"], 0, path, 16), EPERM
    yield "mknod", thread.call(calls["mknod"], path, 0o20600, 0x101), EPERM
    yield "chmod", thread.call(calls["chmod"], path, 0o777), EPERM
    yield "chown", thread.call(calls["chown"], path, 0, 0), EPERM
    yield "inotify_init1", thread.call(calls["inotify_init1"], 0), EPERM
    yield "clone3", thread.call(calls["clone3"], path, 88), ENOSYS
    yield "number of no call", thread.call(4095), EPERM


def test_what_else_is_refused_fails(start):
    process, pid = start()
    with native.inside(pid) as thread:
        for name, result, code in refusals(thread, process.pid):
            assert result == (code, None), name
    # Nothing has come of it: it goes on.
    assert process.stdout.readline() == "still well\n"
    assert process.stdout.readline() == "still well\n"
    assert process.poll() is None


def test_each_call_that_is_on_no_list_fails(start):
    plain, checked, deadly = native.lists()
    process, pid = start()
    with native.inside(pid) as thread:
        answered = {}
        for name, number in sorted(CALLS.items(), key=lambda each: each[1]):
            if name not in plain | checked | deadly:
                answered[name] = thread.call(number, 0, 0, 0, 0, 0, 0)
    assert len(answered) > 150
    assert set(answered.values()) == {(EPERM, None)}, {name: each for name, each in answered.items() if each != (EPERM, None)}
    assert process.stdout.readline() == "still well\n"


def test_files_are_read_and_not_written(start, tmp_path):
    _, pid = start()
    with native.inside(pid) as thread:
        calls = CALLS
        flags = os.O_RDWR | os.O_CLOEXEC
        for path in (f"/proc/{pid}/mem", "/proc/self/mem", "/etc/passwd", str(tmp_path / "other"), "/dev/tty"):
            result, _ = thread.call(calls["openat"], -100, thread.put(path.encode() + b"\0"), flags | os.O_CREAT, 0o600)
            assert result in (EACCES, -6), path
        target = thread.put(str(tmp_path / "link").encode() + b"\0", 1024)
        assert thread.call(calls["symlinkat"], thread.put(b"/etc/shadow\0"), -100, target)[0] == EACCES
        assert thread.call(calls["mkdirat"], -100, target, 0o700)[0] == EACCES
        assert thread.call(calls["unlinkat"], -100, thread.put(b"/etc/hostname\0"), 0)[0] == EACCES
        assert thread.call(calls["openat"], -100, thread.put(b"/etc/hostname\0"), os.O_RDONLY, 0)[0] >= 0
    assert not (tmp_path / "link").exists()


def test_a_pair_of_sockets_reaches_nobody_else(start):
    # One of datagrams would send to any local socket: of syslog, of the service manager.
    _, pid = start()
    with native.inside(pid) as thread:
        pair = thread.put(bytes(8))
        assert thread.call(CALLS["socketpair"], socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, 0, pair) == (EPERM, None)
        for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
            assert thread.call(CALLS["socketpair"], socket.AF_UNIX, kind, 0, pair) == (0, None)
            fd = native.ptrace(native.PEEKDATA, pid, pair) & 0xFFFFFFFF
            for name in (b"\0sidelight-fence-test", b"/run/systemd/notify\0"):
                address = thread.put(struct.pack("<H", socket.AF_UNIX) + name, 64)
                assert thread.call(CALLS["connect"], fd, address, 2 + len(name))[0] < 0, (kind, name)


def test_nobody_is_listened_to(start):
    _, pid = start()
    with native.inside(pid) as thread:
        number, _ = thread.call(CALLS["socket"], socket.AF_INET, socket.SOCK_STREAM, 0)
        # It is told that it listens; a port it would have by that, without bind(2).
        assert thread.call(CALLS["listen"], number, 16) == (0, None)
        room, length = thread.put(bytes(16), 64), thread.put(struct.pack("<I", 16), 128)
        assert thread.call(CALLS["getsockname"], number, room, length) == (0, None)
        port = native.ptrace(native.PEEKDATA, pid, room) >> 16 & 0xFFFF
        assert port == 0
        assert thread.call(CALLS["accept4"], number, 0, 0, 0)[0] < 0


# -- what a policy says of it


@pytest.fixture
def under(sidelight):
    """Starts a program that lives on under a policy; gives its process and the worker's pid."""
    made = []

    def start(policy, *arguments):
        sidelight.write("policy.yaml", policy)
        sidelight.write("alive.mjs", "setInterval(() => {}, 20); console.log('well');")
        process = sidelight.start(
            "run", "--policy", "policy.yaml", *arguments, "alive.mjs",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        made.append(process)
        assert process.stdout.readline() == "well\n", process.stderr.read()
        return process, native.worker_of(process.pid)

    yield start
    for process in made:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("policy", ["base: standard\nfence: off\n", "base: trusted\n"])
def test_it_can_be_off(under, policy):
    _, pid = under(policy)
    status = native.status_of(f"/proc/{pid}")
    assert (status["Seccomp"].strip(), status["NoNewPrivs"].strip()) == ("0", "0")


def test_what_is_there_may_be_required(under):
    _, pid = under(f"base: standard\nfence: {{require: [{', '.join(LAYERS)}]}}\n")
    assert native.status_of(f"/proc/{pid}")["Seccomp"].strip() == "2"


@pytest.mark.parametrize(
    "fence, words",
    [
        ("{require: [user]}", "user is required, and none is named"),
        ("{require: [user], user: root}", "root is no other user than the agent's, or is root"),
        ("{user: 0}", "0 is no other user than the agent's, or is root"),
        ("{user: nobody-of-this-name}", "there is no user nobody-of-this-name"),
        ("{require: [landlock-udp]}", "landlock-tcp"),
        ("{descriptors: 1}", "64"),
    ],
)
def test_what_cannot_be_is_an_error_before_anything_runs(sidelight, fence, words):
    sidelight.write("policy.yaml", f"base: standard\nfence: {fence}\n")
    sidelight.write("a.mjs", "console.log('ran')")
    result = sidelight("run", "--policy", "policy.yaml", "a.mjs")
    assert (result.code, result.out) == (2, "")
    assert words in result.err


def let_others_in(folder):
    """Another user has to come to the program."""
    for each in [folder, *folder.parents]:
        if each.stat().st_uid == os.geteuid() and not each.stat().st_mode & 0o001:
            each.chmod(each.stat().st_mode | 0o001)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_it_runs_as_another_user(under, sidelight):
    let_others_in(sidelight.folder)
    _, pid = under("base: standard\nfence: {user: nobody}\n")
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        status = native.status_of(task)
        assert set(status["Uid"].split()) == {"65534"}
        assert set(status["Gid"].split()) == set(status["Groups"].split())
        assert int(status["CapEff"], 16) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
@pytest.mark.parametrize("fence", ["user: nobody", "namespaces: [net, ipc]"])
def test_it_ends_with_its_agent(under, sidelight, fence):
    # The kernel forgets to tell whoever changes its rights of its parent's end.
    let_others_in(sidelight.folder)
    process, pid = under(f"base: standard\nfence: {{{fence}}}\n")
    process.kill()
    wait_for(lambda: state_of(pid) in ("", "Z"))


def test_open_files_are_limited(under):
    _, pid = under("base: standard\nfence: {descriptors: 100}\n")
    (line,) = [line for line in pathlib.Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith("Max open files")]
    assert line.split()[3:5] == ["100", "100"]


@pytest.mark.skipif(os.geteuid() != 0, reason="user namespaces are not everybody's")
def test_a_network_of_its_own_is_none(serve, sidelight):
    sidelight.write("policy.yaml", "base: standard\nfence: {namespaces: [net, ipc]}\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = "export default { fetch: () => fetch('http://127.0.0.1:%d/').then(() => new Response('out'), (error) => new Response('held')) };"
        service = serve(code % server.getsockname()[1], "--policy", sidelight.folder / "policy.yaml", "--log-level", "info")
        assert service.fetch() == "held"
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()
    assert os.readlink(f"/proc/{service.workers[0]}/ns/net") != os.readlink("/proc/self/ns/net")
    assert service.said("fence: .*, net, ipc")


@pytest.mark.skipif(os.geteuid() != 0, reason="namespaces of processes are root's")
def test_processes_of_its_own(serve, sidelight):
    sidelight.write("policy.yaml", "base: standard\nfence: {namespaces: [pid]}\n")
    code = "export default { fetch: () => new Response(`pid ${process.pid}`) };"
    service = serve(code, "--policy", sidelight.folder / "policy.yaml", "--isolates", 2)
    assert {service.fetch() for _ in range(10)} == {"pid 1"}
    first, second = wait_for(lambda: len(service.workers) == 2 and service.workers)
    assert len({os.readlink(f"/proc/{pid}/ns/pid") for pid in (first, second, "self")}) == 3
    # Process 1 of a namespace dies by no signal of its own, and ends all the same.
    with native.inside(first) as thread:
        thread.call_and_go(CALLS["execve"], 0, 0, 0)
    wait_for(lambda: first not in service.workers and len(service.workers) == 2)
    wait_for(lambda: service.said("killed by the fence: syscall execve; started again"))
    assert service.fetch() == "pid 1"
    assert service.end() == 0


def connect(thread, port):
    fd, _ = thread.call(CALLS["socket"], socket.AF_INET, socket.SOCK_STREAM, 0)
    address = thread.put(struct.pack("<H", socket.AF_INET) + struct.pack(">H", port) + socket.inet_aton("127.0.0.1") + bytes(8))
    result, _ = thread.call(CALLS["connect"], fd, address, 16)
    thread.call(CALLS["close"], fd)
    return result


def opened(thread, path, flags=os.O_RDONLY):
    result, _ = thread.call(CALLS["openat"], -100, thread.put(str(path).encode() + b"\0"), flags, 0o600)
    return result


def test_the_strictest_policy_is_the_kernels_too(under, sidelight, tmp_path):
    secret = tmp_path.parent / f"{tmp_path.name}-secret"
    secret.write_text("secret")
    _, pid = under("base: strict\n")
    with socket.create_server(("127.0.0.1", 0)) as server, native.inside(pid) as thread:
        assert connect(thread, server.getsockname()[1]) == EACCES
        for path in (secret, "/etc/passwd", "/etc/shadow", "/root", "/etc/hostname", "/tmp"):
            assert opened(thread, path) == EACCES, path
        for path in ("/etc/hosts", "/dev/null", "/proc/self/maps", sidelight.folder / "alive.mjs"):
            assert opened(thread, path) >= 0, path
        assert opened(thread, sidelight.folder / "alive.mjs", os.O_WRONLY) == EACCES
        assert opened(thread, sidelight.folder / "new", os.O_WRONLY | os.O_CREAT) == EACCES
    secret.unlink()


def test_ports_and_files_that_a_policy_names(under, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as named, socket.create_server(("127.0.0.1", 0)) as other:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "a.txt").write_text("a")
        port = named.getsockname()[1]
        _, pid = under(
            f"network: {{private: ['127.0.0.1:{port}']}}\nfiles: {{read: [{tmp_path}/data], write: [{tmp_path}/data]}}\n"
        )
        with native.inside(pid) as thread:
            assert connect(thread, port) == 0
            assert connect(thread, other.getsockname()[1]) == EACCES
            assert opened(thread, tmp_path / "data" / "a.txt") >= 0
            assert opened(thread, tmp_path / "data" / "b.txt", os.O_WRONLY | os.O_CREAT) >= 0
            assert opened(thread, tmp_path / "policy.yaml", os.O_WRONLY) == EACCES


def test_an_audit_lets_through_what_it_is_to_find(sidelight, tmp_path):
    (tmp_path / "outside.mjs").write_text("export const found = 'outside';")
    sidelight.folder = tmp_path / "app"
    sidelight.folder.mkdir()
    sidelight.write("a.mjs", "console.log((await import('../outside.mjs')).found)")
    result = sidelight("run", "--audit", "--policy", "strict", "a.mjs")
    assert result.out.splitlines()[0] == "outside", result.err
