import System
import Testing

@testable import Resources

@Suite struct ResourceSamplerTests {
    @Test func theMachineAsItWasRecorded() {
        var tree = SampledTree("cgroup1-vm")
        tree.sample()
        #expect(tree.value("system.cpu.time", ["cpu.mode": "user"]) == 19_112.64)
        #expect(tree.value("system.cpu.time", ["cpu.mode": "interrupt"]) == 62.84)
        #expect(tree.value("system.cpu.logical.count") == 2)
        #expect(tree.value("system.cpu.load_average.5m") == 3.55)
        #expect(tree.value("system.uptime") == 13_421.74)
        #expect(tree.value("system.memory.limit") == 24_684_084.0 * 1024)
        #expect(tree.value("system.memory.linux.available") == 24_146_088.0 * 1024)
        #expect(
            tree.value(
                "sidelight.system.pressure.time",
                ["sidelight.pressure.resource": "io", "sidelight.pressure.kind": "full"]) == 61.136577)
        // The machine's CPUs do not wait all at once.
        #expect(
            tree.value(
                "sidelight.system.pressure.time",
                ["sidelight.pressure.resource": "cpu", "sidelight.pressure.kind": "full"]) == nil)
        // In memory, or over files: no disks.
        #expect(tree.snapshot.disks.map(\.name) == ["vda"])
        #expect(tree.value("system.disk.io", ["system.device": "vda", "disk.io.direction": "read"]) == 21_480_494_080)
        #expect(tree.snapshot.networks.map(\.name) == ["lo", "ifb0", "ifb1", "eth0"])
        #expect(
            tree.value("system.network.io", ["network.interface.name": "eth0", "network.io.direction": "transmit"])
                == 1_105_009)
        #expect(tree.snapshot.bootTime == 1_795_736_309_000_000_000)
        #expect(tree.value("sidelight.resource.read_failures") == nil)
    }

    @Test func statesOfMemoryAddUpToAllOfIt() {
        for name in ["cgroup1-vm", "cgroup2-docker"] {
            var tree = SampledTree(name)
            tree.sample()
            let sum = ["used", "free", "buffers", "cached"].reduce(0.0) {
                $0 + tree.value("system.memory.usage", ["system.memory.state": $1])!
            }
            #expect(sum == tree.value("system.memory.limit"))
        }
    }

    @Test func utilizationIsOfTheTimeBetweenSamples() throws {
        var tree = SampledTree("cgroup1-vm")
        tree.sample()
        #expect(tree.value("system.cpu.utilization") == nil)
        tree.files.texts["/proc/stat"] = "cpu  1911294 21113 193289 533984 7980 0 6284 1818 0 0\ncpu0 1 1 1 1\n"
        tree.sample()
        let ratios = try #require(tree.snapshot.cpuRatios)
        #expect(ratios.user == 0.3 && ratios.system == 0.1 && ratios.idle == 0.3 && ratios.iowait == 0.3)
        #expect(ratios.busy == 0.4)
        // Idle time may go back; what is told of it does not.
        tree.files.texts["/proc/stat"] = "cpu  1911394 21113 193289 533900 7000 0 6284 1818 0 0\ncpu0 1 1 1 1\n"
        tree.sample()
        #expect(tree.snapshot.cpuRatios?.busy == 1)
        #expect(tree.value("system.cpu.time", ["cpu.mode": "idle"]) == 5339.84)
    }

    @Test func filesAreOpenedOnce() {
        var tree = SampledTree("cgroup1-vm")
        tree.sampler.watch([ProcessRoot(pid: 4011, role: .agent)])
        for _ in 0..<4 { tree.sample() }
        let (opened, open) = (tree.files.opened, tree.files.openCount)
        for _ in 0..<5 {
            tree.sample([.init(.cpu), .init(.memory), .init(.pressure), .init(.processes), .init(.container)])
        }
        #expect(tree.files.opened == opened)
        #expect(tree.files.openCount == open)
        tree.sampler.close()
        #expect(tree.files.openCount == 0)
    }

    @Test func whatCannotBeReadIsCountedAndLeftAloneForAWhile() {
        var tree = SampledTree("cgroup1-vm")
        tree.files.failures["/proc/meminfo"] = .denied
        tree.files.failures["/proc/pressure/cpu"] = .unsupported
        tree.files.texts["/proc/loadavg"] = "none\n"
        tree.sample()
        tree.sample()
        #expect(tree.snapshot.counts[.memory, .denied] == 1)
        #expect(tree.snapshot.counts[.cpu, .malformed] == 2)
        // Not in this kernel: nothing has failed.
        #expect(tree.snapshot.counts[.pressure, .unsupported] == 0)
        #expect(tree.value("system.memory.limit") == nil)
        #expect(tree.value("system.paging.faults") != nil)
        #expect(tree.value("system.cpu.load_average.1m") == nil)
        #expect(
            tree.value(
                "sidelight.resource.read_failures", ["sidelight.resource.group": "memory", "error.type": "denied"]) == 1
        )
        tree.files.failures = [:]
        tree.sample(afterSeconds: 31)
        #expect(tree.value("system.memory.limit") != nil)
    }

    @Test func onlyGroupsThatAreAskedForAreSampled() {
        var tree = SampledTree("cgroup2-docker")
        tree.sample(ResourceGroups(.memory))
        let names = Set(
            tree.snapshot.points().map { $0.instrument.name.split(separator: ".").prefix(2).joined(separator: ".") })
        // The time the machine was started is needed in any case.
        #expect(
            names == [
                "system.memory", "system.paging", "sidelight.system", "sidelight.resource", "system.cpu",
                "system.uptime", "system.process",
            ])
        #expect(tree.snapshot.networks.isEmpty && tree.snapshot.container == nil)
    }

    // MARK: Devices

    @Test func anInterfaceThatCountsAnewBeginsAnew() throws {
        var tree = SampledTree("cgroup2-docker")
        tree.sample()
        let before = try #require(tree.snapshot.networks.last)
        #expect(before.startTime == tree.snapshot.bootTime)
        tree.files.texts["/proc/self/net/dev"] =
            "h\nh\n  eth0: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0\n  eth1: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\nvethx: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"
        tree.sample()
        #expect(tree.snapshot.networks.map(\.name) == ["eth0", "eth1"])
        #expect(tree.snapshot.networks[0].key == before.key)
        #expect(tree.snapshot.networks[0].startTime == tree.snapshot.time)
        #expect(tree.snapshot.networks[1].startTime == tree.snapshot.time)
    }

    @Test func interfacesBeyondTheBoundAreCounted() {
        var tree = SampledTree("cgroup2-docker")
        tree.files.texts["/proc/self/net/dev"] =
            "h\nh\n" + (0..<100).map { "e\($0): 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n" }.joined()
        tree.sample()
        #expect(tree.snapshot.networks.count == ResourceSampler.interfacesMax)
        #expect(tree.value("sidelight.resource.left_out", ["sidelight.resource.kind": "interfaces"]) == 36)
    }

    @Test func partsOfDisksAreNoDisks() {
        var tree = SampledTree("cgroup2-docker")
        tree.sample()
        #expect(tree.snapshot.disks.map(\.name) == ["nvme0n1"])
        #expect(tree.value("system.disk.operation_time", ["disk.io.direction": "write"]) == 90)
        #expect(tree.value("system.disk.io_time") == 60)
        #expect(tree.value("system.disk.merged", ["disk.io.direction": "read"]) == 1000)
    }

    @Test func fileSystemsOfOthersAreNotAsked() {
        var tree = SampledTree("cgroup2-docker")
        tree.files.failures["/srv/with blank"] = .other
        tree.sample()
        #expect(tree.snapshot.fileSystems.map(\.mountPoint) == ["/", "/dev/shm", "/etc/resolv.conf"])
        #expect(tree.snapshot.counts[.filesystems, .other] == 0)
        let shm = [
            "system.filesystem.mountpoint": "/dev/shm", "system.device": "shm", "system.filesystem.type": "tmpfs",
            "system.filesystem.mode": "rw",
        ]
        #expect(tree.value("system.filesystem.usage", shm.merging(["system.filesystem.state": "used"]) { $1 }) == 700)
        #expect(tree.value("system.filesystem.usage", shm.merging(["system.filesystem.state": "free"]) { $1 }) == 250)
        #expect(
            tree.value("system.filesystem.usage", shm.merging(["system.filesystem.state": "reserved"]) { $1 }) == 50)
        #expect(tree.value("system.filesystem.utilization", shm) == 0.7)
        #expect(tree.value("sidelight.system.filesystem.inodes", shm) == 40)
    }

    @Test func whatIsMountedOverIsNotSeenTwice() {
        var tree = SampledTree("cgroup1-vm")
        for _ in 0..<3 { tree.sample() }
        #expect(tree.snapshot.fileSystems.map(\.mountPoint) == ["/", "/dev/shm"])
    }

    @Test func aFileSystemThatBecomesReadOnlyIsAnotherSeries() {
        var tree = SampledTree("cgroup2-systemd")
        tree.sample()
        #expect(tree.snapshot.fileSystems.map(\.mountPoint) == ["/", "/data"])
        #expect(tree.snapshot.fileSystems.map(\.isReadOnly) == [false, true])
        let key = tree.snapshot.fileSystems[0].key
        tree.files.texts["/proc/self/mountinfo"] = "27 1 8:1 / / ro,relatime - xfs /dev/sda1 rw\n"
        tree.sample()
        #expect(tree.snapshot.fileSystems.map(\.isReadOnly) == [true])
        #expect(tree.snapshot.fileSystems[0].key != key)
    }

    @Test func aTextLongerThanWhatIsReadLosesItsLastLineOnly() {
        var tree = SampledTree("cgroup2-docker")
        let line = "  eth0: 8500000 7200 1 2 0 0 0 0 940000 5100 3 4 0 0 0 0\n"
        tree.files.texts["/proc/self/net/dev"] =
            "h\nh\n" + String(repeating: line, count: 1 + KernelReader.textBytesMax / line.utf8.count)
        tree.sample()
        #expect(tree.snapshot.counts.cutTexts == 1)
        #expect(tree.snapshot.counts[.network, .malformed] == 0)
        #expect(tree.snapshot.networks.map(\.name) == ["eth0"])
    }
}
