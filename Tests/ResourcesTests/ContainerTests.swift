import System
import Testing

@testable import Resources

@Suite struct ContainerTests {
    @Test func aContainerOfVersion2() throws {
        var tree = SampledTree("cgroup2-docker")
        tree.sample()
        let container = try #require(tree.snapshot.container)
        #expect(container.cpu == 73_428_112_000)
        #expect(tree.value("container.cpu.time", ["cpu.mode": "user"]) == 51.300117)
        #expect(tree.value("sidelight.container.cpu.limit") == 1.5)
        #expect(tree.value("sidelight.container.cpu.periods") == 3100)
        #expect(tree.value("sidelight.container.cpu.throttled_periods") == 410)
        #expect(tree.value("sidelight.container.cpu.throttled_time") == 19.3002)
        #expect(tree.value("container.memory.usage") == 322_961_408)
        #expect(tree.value("container.memory.rss") == 201_326_592)
        #expect(tree.value("container.memory.working_set") == 249_561_088)
        #expect(tree.value("container.memory.available") == 287_309_824)
        #expect(tree.value("sidelight.container.memory.limit") == 536_870_912)
        #expect(tree.value("sidelight.container.memory.events", ["sidelight.container.memory.event": "max"]) == 91)
        #expect(tree.value("sidelight.container.memory.events", ["sidelight.container.memory.event": "oom_kill"]) == 1)
        #expect(tree.value("container.paging.faults", ["system.paging.fault.type": "minor"]) == 812_000)
        #expect(tree.value("container.disk.io", ["disk.io.direction": "read"]) == 104_861_696)
        #expect(tree.value("sidelight.container.disk.operations", ["disk.io.direction": "write"]) == 1600)
        #expect(tree.value("sidelight.container.pids.count") == 19)
        // No limit is none.
        #expect(tree.value("sidelight.container.pids.limit") == nil)
        #expect(
            tree.value(
                "sidelight.container.pressure.time",
                ["sidelight.pressure.resource": "cpu", "sidelight.pressure.kind": "full"])
                == 21.0005)
        #expect(tree.value("sidelight.resource.read_failures") == nil)
    }

    @Test func usageAndThrottlingAreOfTheTimeBetweenSamples() throws {
        var tree = SampledTree("cgroup2-docker")
        tree.sample()
        tree.files.texts["/sys/fs/cgroup/cpu.stat"] =
            "usage_usec 74178112\nuser_usec 51300117\nsystem_usec 22127995\nnr_periods 3105\nnr_throttled 412\nthrottled_usec 19300200\n"
        tree.files.texts["/sys/fs/cgroup/io.pressure"] = "some avg10=0.37 avg60=0.11 avg300=0.02 total=926234\n"
        tree.sample(afterSeconds: 0.5)
        #expect(tree.snapshot.container?.cpuUsage == 1.5)
        #expect(tree.snapshot.container?.throttledRatio == 0.4)
        #expect(tree.snapshot.container?.pressure.io?.some.ratio == 0.25)
    }

    @Test func theLeastLimitAboveCounts() {
        var tree = SampledTree("cgroup2-systemd")
        tree.sample()
        #expect(tree.value("sidelight.container.memory.limit") == 268_435_456)
        #expect(tree.value("sidelight.container.cpu.limit") == 2)
        #expect(tree.value("container.memory.working_set") == 62_914_560)
        #expect(tree.value("sidelight.container.pids.limit") == 4915)
        #expect(tree.snapshot.container?.memoryRatio == 62_914_560.0 / 268_435_456)
    }

    @Test func aContainerOfVersion1() {
        var tree = SampledTree("cgroup1-docker")
        tree.sample()
        #expect(tree.snapshot.container?.cpu == 4_500_000_000)
        #expect(tree.value("container.cpu.time", ["cpu.mode": "user"]) == 3)
        #expect(tree.value("container.cpu.time", ["cpu.mode": "system"]) == 1.49)
        #expect(tree.value("sidelight.container.cpu.limit") == 0.5)
        #expect(tree.value("sidelight.container.cpu.throttled_time") == 1.23456789)
        #expect(tree.value("container.memory.usage") == 209_715_200)
        #expect(tree.value("container.memory.rss") == 94_371_840)
        #expect(tree.value("container.memory.working_set") == 125_829_120)
        #expect(tree.value("sidelight.container.memory.limit") == 262_144_000)
        #expect(tree.value("container.paging.faults", ["system.paging.fault.type": "minor"]) == 4988)
        #expect(tree.value("sidelight.container.memory.events", ["sidelight.container.memory.event": "oom_kill"]) == 2)
        #expect(tree.value("container.disk.io", ["disk.io.direction": "write"]) == 2_097_152)
        #expect(tree.value("sidelight.container.disk.operations", ["disk.io.direction": "read"]) == 10)
        #expect(tree.value("sidelight.container.pids.limit") == 100)
    }

    @Test func theMachinesOwnGroupIsNoContainer() {
        var tree = SampledTree("cgroup1-vm")
        tree.sample()
        // Memory is in a group of version 1, and what version 2 tells in another; CPU and pids are the machine's.
        #expect(tree.value("container.memory.usage") == 97_030_144)
        #expect(tree.value("sidelight.container.memory.limit") == nil)
        #expect(tree.value("container.cpu.time", ["cpu.mode": "user"]) == 1.028031)
        #expect(tree.value("sidelight.container.pids.count") == nil)
        tree.files.texts["/proc/self/cgroup"] = "4:memory:/\n1:cpu:/\n0::/\n"
        tree.sample(afterSeconds: 31)
        #expect(tree.snapshot.container == nil)
        #expect(tree.value("container.memory.usage") == nil)
    }

    @Test func aGroupThatCannotBeSeenHasItsFilesWhereTheTreeIs() throws {
        let mounts = "1 1 0:30 /../../outer /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
        for group in ["0::/../../elsewhere\n", "0::/system.slice/docker-1.scope\n", "0::/\n"] {
            let place = withBytes(mounts) { mounts in
                withBytes(group) { group in
                    ControlGroupPlace(groups: group, mounts: mounts) {
                        ["/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/cgroup.type"].contains($0)
                    }
                }
            }
            #expect(place.unified == ControlGroupPlace.Folder(path: "/sys/fs/cgroup", top: "/sys/fs/cgroup"))
        }
    }

    @Test func groupsAboveAreLookedAtUpToTheTop() {
        let folder = ControlGroupPlace.Folder(path: "/sys/fs/cgroup/a/b", top: "/sys/fs/cgroup")
        #expect(folder.upwards(countMax: 8) == ["/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"])
        #expect(folder.upwards(countMax: 2) == ["/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a"])
    }

    @Test func filesOfAContainerThatMovedAreClosed() {
        var tree = SampledTree("cgroup2-docker")
        tree.sample()
        let open = tree.files.openCount
        tree.files.texts["/proc/self/cgroup"] = ""
        tree.sample(afterSeconds: 31)
        #expect(tree.snapshot.container == nil)
        #expect(tree.files.openCount < open - 8)
    }
}
