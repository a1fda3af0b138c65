import Foundation
import Linux
import System
import Testing

@testable import Resources

/// The real files of this process, against what the system says of it otherwise.
@Suite(.serialized) struct LinuxKernelFilesTests {
    @Test func aFileIsReadAnewEachTime() throws {
        let files = LinuxKernelFiles()
        let file = try files.open("/proc/self/stat")
        defer { files.close(file) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
        defer { buffer.deallocate() }
        for _ in 0..<3 {
            let count = try files.read(file, into: buffer)
            var name = ProcessName()
            #expect(ProcessStat(UnsafeRawBufferPointer(rebasing: buffer[..<count]), name: &name) != nil)
        }
    }

    @Test func aListLongerThanAPageIsReadWhole() throws {
        let files = LinuxKernelFiles()
        let file = try files.open("/proc/self/maps")
        defer { files.close(file) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        let count = try files.read(file, into: buffer)
        #expect(count > 8192)
        #expect(String(decoding: buffer[..<count], as: UTF8.self).contains("[stack]"))
        // And no more than fits.
        #expect(try files.read(file, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<100])) == 100)
    }

    @Test func failuresHaveTheirKinds() {
        let files = LinuxKernelFiles()
        #expect(throws: KernelFileFailure.absent) { try files.open("/proc/self/no-such-file") }
        #expect(throws: KernelFileFailure.absent) { try files.count(in: "/proc/4194305/fd") }
        #expect(throws: KernelFileFailure.absent) { try files.numbers(in: "/proc/4194305/task", countMax: 5) { _ in } }
        #expect(throws: KernelFileFailure.absent) { try files.space("/no-such-folder") }
    }

    @Test func linksAreRead() throws {
        let files = LinuxKernelFiles()
        #expect(try files.target(of: "/proc/self/exe").hasPrefix("/"))
        #expect(throws: KernelFileFailure.absent) { try files.target(of: "/proc/self/none") }
    }

    @Test func namesThatAreNumbers() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sidelight-numbers-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["1", "22", "x3", "4x", "5555555555", "-6", "777"] {
            #expect(FileManager.default.createFile(atPath: folder.path + "/" + name, contents: nil))
        }
        var numbers: [Int32] = []
        let files = LinuxKernelFiles()
        try files.numbers(in: folder.path, countMax: 10) { numbers.append($0) }
        #expect(numbers.sorted() == [1, 22, 777])
        #expect(try files.count(in: folder.path) == 7)
        numbers = []
        try files.numbers(in: folder.path, countMax: 2) { numbers.append($0) }
        #expect(numbers.count == 2)
    }

    @Test func thisProcessAgreesWithWhatTheSystemSays() throws {
        let sampler = ResourceSampler(
            LinuxKernelFiles(),
            ResourceSampler.Machine(pageBytes: Machine.pageBytes, ticksPerSecond: Machine.ticksPerSecond))
        sampler.watch([ProcessRoot(pid: getpid(), role: .agent)])
        var snapshot = ResourceSnapshot()
        let clock = LinuxClock()
        for _ in 0..<2 {
            sampler.sample(.all, into: &snapshot, now: clock.monotonicNanoseconds(), time: clock.unixNanoseconds())
        }
        let own = try #require(snapshot.processes.first { $0.pid == getpid() })
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let cpu =
            Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(
                usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
        let sampled = Double(own.userTicks + own.systemTicks) / Double(Machine.ticksPerSecond)
        // Two ticks, and what other tests used meanwhile.
        #expect(sampled <= cpu + 0.02)
        #expect(own.residentBytes > 1 << 20 && own.residentBytes <= UInt64(usage.ru_maxrss) << 10 + 4 << 20)
        #expect(own.threads >= 1)
        #expect((own.descriptors ?? 0) >= 4)
        #expect(own.startTime > snapshot.bootTime && own.startTime <= snapshot.time)
        #expect(snapshot.memory != nil && snapshot.cpu != nil && snapshot.load != nil && snapshot.uptime != nil)
        #expect(snapshot.fileSystems.allSatisfy { $0.space.map { $0.free <= $0.total } ?? true })
        for group in ResourceGroup.allCases { #expect(snapshot.counts[group, .malformed] == 0, "\(group)") }
        sampler.close()
    }

    @Test func descriptorsAreGivenBack() throws {
        let files = LinuxKernelFiles()
        func count() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter { name in
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + name))?.hasPrefix(
                    "/proc/\(getpid())/schedstat") ?? false
                    || (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + name))
                        == "/proc/loadavg"
            }.count
        }
        let sampler = ResourceSampler(files, ResourceSampler.Machine(pageBytes: 4096, ticksPerSecond: 100))
        sampler.watch([ProcessRoot(pid: getpid(), role: .agent)])
        var snapshot = ResourceSnapshot()
        let before = try count()
        for second in 1...5 as ClosedRange<UInt64> {
            sampler.sample(.all, into: &snapshot, now: second * 1_000_000_000, time: 1_795_800_000_000_000_000)
        }
        #expect(try count() == before + 1)
        sampler.close()
        #expect(try count() == before)
    }
}
