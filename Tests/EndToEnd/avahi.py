"""Two machines with an avahi-daemon each, joined by a cable: network namespaces of their own, so that nothing leaves this machine."""

import os
import pathlib
import shutil
import signal
import subprocess

from serving import wait_for

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent / ".peers" / "avahi"
DAEMON = ROOT / "usr" / "sbin" / "avahi-daemon"
BROWSER = ROOT / "usr" / "bin" / "avahi-browse"
LIBRARIES = {"LD_LIBRARY_PATH": str(ROOT / "usr" / "lib" / "x86_64-linux-gnu")}

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy context="default"><allow user="*"/><allow own="*"/>
<allow send_type="method_call"/><allow send_destination="*" eavesdrop="true"/><allow receive_sender="*"/></policy></busconfig>
"""

CONFIG = """[server]
host-name={}
use-ipv4=yes
use-ipv6=no
allow-interfaces={}
[wide-area]
enable-wide-area=no
[publish]
publish-hinfo=no
publish-workstation=no
"""


def reason_to_skip():
    """Why there can be no such machines here; nothing: there can."""
    if not DAEMON.exists():
        return "there is no avahi-daemon: scripts/peers test"
    for program in ("dbus-daemon", "ip", "unshare"):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            return f"there is no {program}"
    made = subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True)
    return None if made.returncode == 0 else "this user may make no network namespace"


class Machine:
    def __init__(self, folder, name, address):
        self.folder, self.name, self.address = folder, name, address
        self.namespace = f"sl{os.getpid()}{name}"
        self.interface = f"sl{name}{os.getpid()}"[:15]
        self.bus = folder / f"{name}-bus"
        (folder / f"{name}-bus.conf").write_text(BUS.format(self.bus))
        (folder / f"{name}.conf").write_text(CONFIG.format(f"machine-{name}", self.interface))
        # The daemon asks who "avahi" is, and keeps a file where every daemon keeps it: in this namespace of mounts these are its own.
        for file in ("passwd", "group"):
            (folder / file).write_text(pathlib.Path(f"/etc/{file}").read_text() + ("avahi:x:0:0::/:/bin/false\n" if file == "passwd" else "avahi:x:0:\n"))
        self.processes = {}

    @property
    def environment(self):
        """Of what is to talk to this machine's daemon."""
        return {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.bus}"}

    def run(self, what, *command):
        log = open(self.folder / f"{self.name}-{what}.log", "a")
        environment = {**os.environ, **LIBRARIES, **self.environment}
        self.processes[what] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)

    def start_bus(self):
        self.bus.unlink(missing_ok=True)
        self.run("bus", "dbus-daemon", f"--config-file={self.folder}/{self.name}-bus.conf", "--nofork", "--nopidfile")
        wait_for(self.bus.exists)

    def start_daemon(self):
        f = self.folder
        mounts = f"mkdir -p /run/avahi-daemon && mount -t tmpfs tmpfs /run/avahi-daemon && mount --bind {f}/passwd /etc/passwd && mount --bind {f}/group /etc/group"
        daemon = f"exec {DAEMON} --no-drop-root --no-chroot --no-rlimits -f {f}/{self.name}.conf"
        log = self.folder / f"{self.name}-daemon.log"
        seen = log.read_text().count("startup complete") if log.exists() else 0
        self.run("daemon", "ip", "netns", "exec", self.namespace, "unshare", "--mount", "sh", "-c", f"{mounts} && {daemon}")
        wait_for(lambda: log.read_text().count("startup complete") > seen)

    def stop(self, what):
        process = self.processes.pop(what)
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()

    def browse(self, type):
        """What is known of services of this type: name -> (host, address, port, texts)."""
        command = [BROWSER, "-rpt", type]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, env={**os.environ, **LIBRARIES, **self.environment})
        found = {}
        for line in done.stdout.splitlines():
            fields = line.split(";", 9)
            if fields[0] == "=":
                found[fields[3].replace("\\045", "-").replace("\\.", ".")] = (fields[6], fields[7], int(fields[8]), fields[9])
        return found


class Cable:
    """Machines `a` and `b`."""

    def __init__(self, folder):
        self.a, self.b = Machine(folder, "a", "10.99.0.1"), Machine(folder, "b", "10.99.0.2")
        a, b = self.a, self.b
        for machine in (a, b):
            self.ip("netns", "add", machine.namespace)
        self.ip("link", "add", a.interface, "netns", a.namespace, "type", "veth", "peer", "name", b.interface, "netns", b.namespace)
        for machine in (a, b):
            self.ip("-n", machine.namespace, "addr", "add", f"{machine.address}/24", "dev", machine.interface)
            for name in ("lo", machine.interface):
                self.ip("-n", machine.namespace, "link", "set", name, "up")
            machine.start_bus()
            machine.start_daemon()

    @staticmethod
    def ip(*arguments):
        subprocess.run(["ip", *arguments], check=True, capture_output=True)

    def stop(self):
        for machine in (self.a, self.b):
            for what in list(machine.processes):
                machine.stop(what)
            subprocess.run(["ip", "netns", "del", machine.namespace], capture_output=True)
