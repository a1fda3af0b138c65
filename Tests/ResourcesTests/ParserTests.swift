import Testing

@testable import Resources

@Suite struct ParserTests {
    @Test func timesOfOldKernelsHaveFewerColumns() throws {
        let stat = try #require(withBytes("cpu 1 2 3 4\ncpu0 1 2 3 4\n") { HostStat($0) })
        #expect(stat.times.total == 10)
        #expect(stat.times.busy == 6)
        #expect(stat.cpus == 1)
        #expect(stat.bootTime == nil)
    }

    @Test func aStatWithoutItsFirstLineIsNone() {
        #expect(withBytes("cpu0 1 2 3 4\nctxt 7\n") { HostStat($0) == nil })
        #expect(withBytes("cpu 1 2 3\n") { HostStat($0) == nil })
        #expect(withBytes("") { HostStat($0) == nil })
    }

    @Test func usedMemoryIsWhatCannotBeHadBack() throws {
        let memory = try #require(
            withBytes("MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 200 kB\nSReclaimable: 30 kB\n") {
                HostMemory($0)
            })
        #expect(memory.used == 620 << 10)
        #expect(memory.available == nil)
    }

    @Test func memoryThatDoesNotAddUpIsNotNegative() throws {
        let memory = try #require(
            withBytes("MemTotal: 10 kB\nMemFree: 9 kB\nCached: 18014398509481983 kB\n") { HostMemory($0) })
        #expect(memory.used == 0)
        #expect(withBytes("MemTotal: 18446744073709551615 kB\nMemFree: 1 kB\n") { HostMemory($0) == nil })
    }

    @Test func pressureOfOldKernelsHasNoFullLineForCPU() throws {
        let pressure = try #require(withBytes("some avg10=1.53 avg60=0.10 avg300=0.00 total=1234\n") { Pressure($0) })
        #expect(pressure.some.total == 1234)
        #expect(abs(pressure.some.average - 0.0153) < 1e-9)
        #expect(pressure.full == nil)
        #expect(withBytes("full avg10=0.00 total=3\n") { Pressure($0) == nil })
        #expect(withBytes("some avg10=0.00\n") { Pressure($0) == nil })
    }

    @Test func aProcessMayCallItselfAnything() throws {
        var name = ProcessName()
        let stat = try #require(
            withBytes("77 (a) R 1 (b\n) S 5 77 77 0 -1 4194560 10 0 2 0 300 40 0 0 20 0 6 0 12345 1000000 250 184467\n")
            {
                ProcessStat($0, name: &name)
            })
        #expect(name.text == "a) R 1 (b\n")
        #expect(stat.parent == 5)
        #expect(stat.minorFaults == 10 && stat.majorFaults == 2)
        #expect(stat.userTicks == 300 && stat.systemTicks == 40)
        #expect(stat.threads == 6 && stat.startTicks == 12345)
        #expect(stat.virtualBytes == 1_000_000 && stat.residentPages == 250)
        #expect(!stat.isZombie)
    }

    @Test func aNameWithoutSenseIsReplaced() {
        let name = withBytes("abc") { _ in [UInt8]([0x66, 0xFF, 0x67]).withUnsafeBytes { ProcessName($0) } }
        #expect(name.text == "f\u{FFFD}g")
        #expect(withBytes("a name that is far too long for it") { ProcessName($0).text } == "a name that is f")
    }

    @Test func ofAZombieThereIsNothingToRead() throws {
        var name = ProcessName()
        let stat = try #require(
            withBytes("7 (x) Z 5 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 1 0 0 0\n") { ProcessStat($0, name: &name) })
        #expect(stat.isZombie)
    }

    @Test func limitsOfCPU() {
        #expect(withBytes("150000 100000\n", ContainerFigures.cpuLimit) == 1.5)
        #expect(withBytes("max 100000\n", ContainerFigures.cpuLimit) == nil)
        #expect(withBytes("150000 0\n", ContainerFigures.cpuLimit) == nil)
        #expect(withBytes("", ContainerFigures.cpuLimit) == nil)
    }

    /// Every parser, of every prefix of a text and of texts with bytes exchanged: whatever comes, nothing traps.
    @Test func hostileTexts() throws {
        let texts = [
            "cpu  4705 356 584 3699176 23060 0 277 12 90 0\ncpu0 1 2 3 4\nctxt 1990473\nbtime 1062191376\nprocesses 2915\n",
            "0.42 1.05 12.30 2/512 9107\n", "MemTotal: 16326844 kB\nMemFree: 2048000 kB\nSReclaimable: 400000 kB\n",
            "pgfault 90000\npgmajfault 321\noom_kill 4\n",
            "some avg10=12.50 avg60=8.00 avg300=2.11 total=24119000\nfull avg10=10.00 avg60=6.12 avg300=1.90 total=21000500\n",
            "77 (a) b) S 5 77 77 0 -1 4194560 10 0 2 0 300 40 0 0 20 0 6 0 12345 1000000 250 184467\n",
            "VmHWM: 100 kB\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t9\n",
            "read_bytes: 4096\nwrite_bytes: 8192\n",
            "123456 789 12\n", "eth0: 8500000 7200 1 2 0 0 0 0 940000 5100 3 4 0 0 0 0\n",
            "90000 1000 8000000 40000 120000 30000 6400000 90000 0 60000 130000\n",
            "1045 1044 0:30 /docker/a\\040b /sys/fs/cgroup ro,nosuid master:9 shared:1 - cgroup2 cgroup rw,nsdelegate\n",
            "12:cpu,cpuacct:/docker/a\n4:memory:/x/../y\n0::/a\n", "usage_usec 5\nnr_periods 7\nthrottled_usec 3\n",
            "259:0 rbytes=104857600 wbytes=52428800 rios=3200 wios=1600\n", "259:0 Read 10\n259:0 Write 20\nTotal 30\n",
            "150000 100000\n", "anon 5\npgfault 7\npgmajfault 9\n",
        ]
        var generator = Generator(seed: 7)
        var bytesRead = 0
        for text in texts {
            let bytes = Array(text.utf8)
            for length in 0...bytes.count {
                var hostile = Array(bytes.prefix(length))
                parseAll(hostile)
                for _ in 0..<8 where !hostile.isEmpty {
                    let at = Int(generator.next() % UInt64(hostile.count))
                    hostile[at] =
                        generator.next() % 3 == 0 ? UInt8.random(in: 0...255, using: &generator) : UInt8(ascii: "9")
                    parseAll(hostile)
                }
                bytesRead += hostile.count
            }
        }
        #expect(bytesRead > 10_000)
    }

    private func parseAll(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { bytes in
            if let stat = HostStat(bytes) { _ = CPURatios(from: CPUTimes(), to: stat.times) }
            _ = LoadAverages(bytes)
            if let memory = HostMemory(bytes) { _ = (memory.used, memory.swapUsed, memory.cachedAndReclaimable) }
            if let paging = HostPaging(bytes) { _ = paging.minorFaults }
            if var pressure = Pressure(bytes) { pressure.compare(pressure, nanoseconds: 5_000) }
            var name = ProcessName()
            _ = ProcessStat(bytes, name: &name)
            _ = name.text
            _ = ProcessStatus(bytes)
            _ = ProcessIO(bytes)
            _ = ThreadSchedule(bytes)
            _ = proportionalBytes(bytes)
            var text = KernelText(bytes)
            _ = text.text(upTo: UInt8(ascii: ":"))
            _ = NetworkCounts(&text)
            text = KernelText(bytes)
            _ = DiskCounts(&text)
            if let mount = MountLine(bytes) {
                _ = (MountLine.path(mount.root), MountLine.list(mount.superOptions, has: "ro"))
            }
            _ = ControlGroupPlace(groups: bytes, mounts: bytes) { _ in true }
            var container = ContainerFigures()
            container.readCPUStat(bytes)
            container.readMemoryStat(bytes, isUnified: true)
            container.readMemoryStat(bytes, isUnified: false)
            container.readMemoryEvents(bytes)
            container.readIOStat(bytes)
            container.readServiced(bytes: bytes)
            container.readAccountStat(bytes, tickNanoseconds: 10_000_000)
            container.readOOMControl(bytes)
            container.compare(container, nanoseconds: 1)
            _ = (ContainerFigures.cpuLimit(bytes), container.workingSet, container.memoryRatio)
        }
    }
}

struct Generator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
