import System
import Testing

@testable import Resources

@Suite struct ProcessSamplingTests {
    private let agent = ProcessRoot(pid: 4011, role: .agent)

    @Test func aProcessAndItsChildAsTheyWereRecorded() throws {
        var tree = SampledTree("cgroup1-vm")
        tree.sampler.watch([agent])
        for _ in 0..<3 { tree.sample() }
        #expect(tree.snapshot.processes.map(\.pid) == [4011, 4014])
        #expect(tree.snapshot.processes.map(\.role) == [.agent, .child])
        let own = ["process.pid": "4011", "process.executable.name": "python3", "sidelight.process.role": "agent"]
        #expect(tree.value("process.cpu.time", own.merging(["cpu.mode": "user"]) { $1 }) == 1.03)
        #expect(tree.value("process.memory.usage", own) == 22_634_496)
        #expect(tree.value("process.memory.virtual", own) == 176_640_000)
        #expect(tree.value("process.thread.count", own) == 3)
        #expect(tree.value("process.unix.file_descriptor.count", own) == 3)
        #expect(
            tree.value("process.context_switches", own.merging(["process.context_switch.type": "voluntary"]) { $1 })
                == 6)
        #expect(
            tree.value("process.context_switches", own.merging(["process.context_switch.type": "involuntary"]) { $1 })
                == 8)
        #expect(tree.value("process.paging.faults", own.merging(["system.paging.fault.type": "minor"]) { $1 }) == 4114)
        #expect(tree.value("sidelight.process.run_delay", own) == 0.000159156)
        #expect(tree.value("sidelight.process.memory.proportional", own) == 17_849_344)
        #expect(tree.value("sidelight.process.memory.proportional", ["process.pid": "4014"]) == 292_864)
        #expect(tree.value("process.cpu.utilization", own) == 0)
        #expect(tree.snapshot.processes[0].startTime == UInt64(1_795_749_728_200_000_000))
        #expect(tree.value("sidelight.resource.read_failures") == nil)
    }

    @Test func theNameIsWholeWhereTheKernelKeepsItsBeginning() throws {
        var tree = SampledTree("cgroup1-vm")
        let (path, link) = ("/proc/4011/stat", "/proc/4011/exe")
        tree.sampler.watch([agent])
        tree.sample()
        // A short name is whole.
        #expect(tree.files.linksRead == 0)
        let stat = try tree.text(path)
        func rename(_ name: String) { tree.files.texts[path] = stat.replacing("(python3)", with: "(\(name))") }
        let cases: [(String, String?, String)] = [
            ("sidelight-worke", "/opt/sidelight-worker", "sidelight-worker"),
            ("my-long-name-12", "/opt/sidelight-worker", "my-long-name-12"),
            ("another-program", "/opt/another-program-x (deleted)", "another-program-x"),
            ("exactly-fifteen", "/exactly-fifteen", "exactly-fifteen"), ("nobody-may-read", nil, "nobody-may-read"),
            ("python3", "/usr/bin/python3", "python3"),
        ]
        for (name, target, shown) in cases {
            rename(name)
            tree.files.links[link] = target
            tree.sample()
            #expect(tree.snapshot.processes[0].executableName == shown)
            #expect(tree.value("process.thread.count", ["process.executable.name": shown]) == 3)
        }
        // Once for each name.
        let count = tree.files.linksRead
        for _ in 0..<3 { tree.sample() }
        #expect(tree.files.linksRead == count && count == 5)
    }

    @Test func usageIsWhatTheSchedulerCounted() {
        var tree = SampledTree("cgroup1-vm")
        tree.sampler.watch([agent])
        tree.sample()
        tree.files.texts["/proc/4011/task/4012/schedstat"] = "250126158 500000000 9\n"
        tree.sample(ResourceGroups(.processes), afterSeconds: 0.5)
        // A quarter of a second of half a second, though no tick has passed.
        #expect(tree.snapshot.processes[0].cpuUsage == 0.5)
        #expect(tree.snapshot.processes[0].delayUsage == 1)
        #expect(tree.value("process.cpu.utilization", ["process.pid": "4011"]) == 0.25)
    }

    @Test func whatThreadsHaveLeftIsKept() {
        var tree = SampledTree("cgroup1-vm")
        tree.files.texts["/proc/4011/task/4012/schedstat"] = "126158 7000000000 1\n"
        tree.sampler.watch([agent])
        tree.sample()
        tree.files.gone = ["/proc/4011/task/4012"]
        for _ in 0..<2 { tree.sample() }
        #expect(tree.value("sidelight.process.run_delay", ["process.pid": "4011"]) == 7.000159156)
        #expect(tree.value("process.context_switches", ["process.pid": "4011"]) == 6)
    }

    @Test func aProcessThatIsGoneIsForgotten() {
        var tree = SampledTree("cgroup1-vm")
        tree.sampler.watch([agent])
        tree.sample()
        tree.files.gone = ["/proc/4014"]
        tree.sample(ResourceGroups(.processes))
        #expect(tree.snapshot.processes.map(\.pid) == [4011])
        #expect(tree.snapshot.counts[.processes, .absent] == 0)
        tree.files.gone = []
        // Another one of the same number.
        tree.sample(ResourceGroups(.threads))
        #expect(tree.snapshot.processes.map(\.pid) == [4011, 4014])
        #expect(Set(tree.snapshot.processes.map(\.key)).count == 2)
    }

    @Test func aZombieUsesNothing() {
        var tree = SampledTree("cgroup1-vm")
        tree.sampler.watch([agent])
        tree.files.texts["/proc/4014/stat"] =
            "4014 (sleep) Z 4011 3968 12724 0 -1 0 75 0 0 0 0 0 0 0 20 0 1 0 1341924 0 0 0\n"
        tree.sample()
        #expect(tree.snapshot.processes.map(\.pid) == [4011])
        tree.sampler.close()
        #expect(tree.files.openCount == 0)
    }

    @Test func aChildThatBecomesAWorkerIsAnotherSeries() {
        var tree = SampledTree("cgroup1-vm")
        tree.sampler.watch([agent])
        tree.sample()
        let key = tree.snapshot.processes[1].key
        tree.sampler.watch([agent, ProcessRoot(pid: 4014, role: .worker, place: 3)])
        tree.sample(ResourceGroups(.processes))
        let worker = tree.snapshot.processes.first { $0.pid == 4014 }
        #expect(worker?.role == .worker && worker?.place == 3)
        #expect(worker?.key != key)
        #expect(
            tree.value("process.thread.count", ["sidelight.process.role": "worker", "sidelight.isolate": "3"]) == 1)
        tree.sampler.watch([])
        tree.sample(ResourceGroups(.processes))
        #expect(tree.snapshot.processes.isEmpty)
    }

    @Test func countersOfAProcessDoNotGoBack() {
        var tree = SampledTree("cgroup1-vm")
        tree.sampler.watch([agent])
        tree.sample()
        tree.files.texts["/proc/4011/stat"] =
            "4011 (python3) S 1 3968 12724 0 -1 0 1 0 0 0 1 0 0 0 20 0 3 0 1341920 176640000 5526 1\n"
        tree.files.texts["/proc/4011/io"] = "read_bytes: 0\nwrite_bytes: 0\n"
        tree.sample()
        #expect(tree.value("process.cpu.time", ["process.pid": "4011", "cpu.mode": "user"]) == 1.03)
        #expect(tree.value("process.paging.faults", ["process.pid": "4011"]) == 4114)
    }

    @Test func childrenBeyondTheBoundAreCounted() {
        var tree = SampledTree("cgroup1-vm")
        let pids = (5000..<5100).map(String.init)
        tree.files.texts["/proc/4011/task/4011/children"] =
            pids.joined(separator: " ") + " 4294967296 99999999999999999999999 "
        for pid in pids {
            tree.files.texts["/proc/\(pid)/stat"] =
                "\(pid) (x) S 4011 1 1 0 -1 0 1 0 0 0 1 0 0 0 20 0 3 0 1341920 1 1 1\n"
        }
        tree.sampler.watch([agent])
        tree.sample()
        #expect(tree.snapshot.processes.count == ResourceSampler.processesMax)
        #expect(tree.snapshot.counts.leftOut[ResourceBound.processes.rawValue] == 70)
        tree.sampler.close()
        #expect(tree.files.openCount == 0)
    }

    @Test func ofALargeProcessThePagesAreNotWalked() {
        var tree = SampledTree("cgroup1-vm")
        tree.files.texts["/proc/4011/stat"] =
            "4011 (python3) S 1 3968 12724 0 -1 0 1 0 0 0 1 0 0 0 20 0 3 0 1341920 1 99999 1\n"
        tree.sampler.watch([agent])
        for _ in 0..<3 { tree.sample() }
        #expect(tree.value("sidelight.process.memory.proportional", ["process.pid": "4011"]) == nil)
        #expect(tree.value("sidelight.process.memory.proportional", ["process.pid": "4014"]) != nil)
    }
}
