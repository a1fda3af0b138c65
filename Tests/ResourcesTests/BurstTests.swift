import Telemetry
import Testing

@testable import Resources

@Suite struct SpikeDetectorTests {
    private var detector = SpikeDetector(SpikeDetector.Settings())
    private static let second: UInt64 = 1_000_000_000

    private func levels(_ values: [SpikeReason: Double]) -> SpikeLevels {
        var levels = SpikeLevels()
        for (reason, value) in values { levels[reason] = value }
        return levels
    }

    @Test func aRiseBeginsABurstThatEnds() {
        var detector = detector
        #expect(detector.take(levels([.cpu: 0.2]), now: Self.second) == .none)
        #expect(detector.take(levels([.cpu: 0.95]), now: 2 * Self.second) == .begin(.cpu))
        #expect(detector.isBursting)
        #expect(detector.take(levels([.cpu: 1]), now: 3 * Self.second) == .frame)
        #expect(detector.take(levels([.cpu: 1]), now: 12 * Self.second) == .end)
        #expect(!detector.isBursting)
    }

    @Test func whatStaysUpBeginsNoOther() {
        var detector = detector
        _ = detector.take(levels([.cpu: 0.2]), now: Self.second)
        var actions: [SpikeDetector.Action] = []
        for second in 2..<300 { actions.append(detector.take(levels([.cpu: 1]), now: UInt64(second) * Self.second)) }
        #expect(actions.filter { $0 == .begin(.cpu) }.count == 1)
        #expect(!actions.contains(.suppressed))
    }

    @Test func whatIsUpFromTheStartHasNotRisen() {
        var detector = detector
        for second in 1..<100 {
            #expect(detector.take(levels([.memory: 0.99]), now: UInt64(second) * Self.second) == .none)
        }
    }

    @Test func aLevelNearItsLimitIsNotDown() {
        var detector = detector
        _ = detector.take(levels([.cpu: 0.2]), now: Self.second)
        _ = detector.take(levels([.cpu: 1]), now: 2 * Self.second)
        var actions: [SpikeDetector.Action] = []
        for second in 100..<200 {
            actions.append(detector.take(levels([.cpu: second % 2 == 0 ? 0.85 : 1]), now: UInt64(second) * Self.second))
        }
        #expect(!actions.contains(.begin(.cpu)))
    }

    @Test func burstsKeepADistance() {
        var detector = detector
        var begun: [UInt64] = []
        var suppressed = 0
        for second in 1..<600 as Range<UInt64> {
            // Up for a second in ten.
            switch detector.take(levels([.processCPU: second % 10 == 0 ? 1 : 0]), now: second * Self.second) {
            case .begin: begun.append(second)
            case .suppressed: suppressed += 1
            default: break
            }
        }
        #expect(begun.count == 10)
        #expect(zip(begun.dropFirst(), begun).allSatisfy { $0 - $1 >= 60 })
        #expect(suppressed > 30)
    }

    @Test func whatIsNotKnownIsNeverTooMuch() {
        var detector = detector
        for second in 1..<20 { #expect(detector.take(SpikeLevels(), now: UInt64(second) * Self.second) == .none) }
    }

    @Test func aStallIsEnough() {
        var detector = detector
        #expect(detector.take(levels([.eventLoop: 0]), now: Self.second) == .none)
        #expect(detector.take(levels([.eventLoop: 1]), now: 2 * Self.second) == .begin(.eventLoop))
    }

    @Test func levelsOfASnapshot() {
        var tree = SampledTree("cgroup2-docker")
        tree.sample()
        tree.files.texts["/proc/stat"] =
            "cpu  4735 356 584 3699246 23060 0 277 12 90 0\ncpu0 1 1 1 1\nbtime 1062191376\n"
        tree.sample()
        let levels = SpikeLevels(tree.snapshot, stalls: 3)
        #expect(levels[.cpu] == 0.3)
        // The container's, where there is one with a limit.
        #expect(levels[.memory] == tree.snapshot.container?.memoryRatio)
        #expect(levels[.throttling] == 0)
        #expect(levels[.processCPU].isNaN)
        #expect(levels[.eventLoop] == 3)
    }
}

@Suite struct BurstRecorderTests {
    @Test func itsWordsAreUnderstoodWithoutTheirTable() throws {
        var recorder = BurstRecorder(framesMax: 1)
        recorder.begin(.eventLoop, level: 1, limit: 1)
        var sample = snapshot(second: 0, busy: 97)
        var worker = ProcessFigures(key: 1, ProcessRoot(pid: 1, role: .worker))
        (worker.cpuUsage, worker.delayUsage) = (1.24, 2.08)
        sample.processes = [worker]
        recorder.add(sample, stalls: 1, requests: [])
        #expect(
            recorder.records()[0].body
                == .string(
                    "resources: the event loop stood still; at most: the machine's CPUs 97 % busy, the workers on 1.2 CPUs, 2.1 of their threads ready, but without a CPU"
                ))
    }

    private func request(_ number: UInt64) -> RequestInFlight {
        RequestInFlight(traceID: TraceID(high: 7, low: number), spanID: SpanID(number))
    }

    private func snapshot(second: UInt64, busy: UInt64) -> ResourceSnapshot {
        var snapshot = ResourceSnapshot()
        snapshot.time = 1_795_800_000_000_000_000 + second * 1_000_000_000
        var times = CPUTimes()
        times.user = busy
        times.idle = 100 - busy
        snapshot.cpuRatios = CPURatios(from: CPUTimes(), to: times)
        return snapshot
    }

    @Test func aBurstIsARecordOfAllFramesAndOneForEachTrace() throws {
        var recorder = BurstRecorder(framesMax: 10)
        recorder.noteCalm([request(1)])
        recorder.begin(.cpu, level: 0.95, limit: 0.9)
        recorder.add(snapshot(second: 0, busy: 95), stalls: 0, requests: [request(2)])
        recorder.add(snapshot(second: 1, busy: 55), stalls: 0, requests: [request(2), request(3)])
        recorder.add(snapshot(second: 2, busy: 100), stalls: 0, requests: [request(3)])
        let records = recorder.records()
        #expect(records.count == 4)
        #expect(records.allSatisfy { $0.eventName == "sidelight.resource.burst" && $0.severity == 9 })
        let whole = records[0]
        #expect(whole.traceID == .invalid)
        #expect(whole.attributes["system.cpu.utilization"] == .array([.double(0.95), .double(0.55), .double(1)]))
        #expect(whole.attributes["sidelight.resource.burst.offset_ms"] == .array([.int(0), .int(1000), .int(2000)]))
        #expect(whole.attributes["sidelight.resource.burst.traces"] == .int(3))
        #expect(whole.attributes["sidelight.resource.burst.duration"] == .double(2))
        #expect(
            whole.body
                == .string("resources: the machine's CPUs were 95 % busy; at most: the machine's CPUs 100 % busy"))
        // In flight before the burst: it has the first frame.
        #expect(records[1].spanID == SpanID(1))
        #expect(records[1].attributes["system.cpu.utilization.max"] == .double(0.95))
        #expect(records[2].traceID == TraceID(high: 7, low: 2))
        #expect(records[2].attributes["system.cpu.utilization.mean"] == .double(0.75))
        #expect(records[2].time == whole.time)
        #expect(records[3].attributes["system.cpu.utilization.max"] == .double(1))
        #expect(records[3].time == whole.time + 1_000_000_000)
        #expect(records[3].attributes["sidelight.resource.burst.frames"] == .int(2))
        // What is not known is not told.
        #expect(records[3].attributes["container.cpu.usage.max"] == nil)
        #expect(Set(records.map { $0.attributes["sidelight.resource.burst.start"] }).count == 1)
    }

    @Test func tracesAndFramesAreBounded() {
        var recorder = BurstRecorder(framesMax: 3)
        recorder.begin(.memory, level: 1, limit: 0.9)
        for second in 0..<20 as Range<UInt64> {
            recorder.add(snapshot(second: second, busy: 1), stalls: 0, requests: (0..<40).map { request($0 + 1) })
        }
        let records = recorder.records()
        #expect(records.count == 1 + BurstRecorder.tracesMax)
        #expect(records[0].attributes["sidelight.resource.burst.frames"] == .int(3))
        #expect(records[0].attributes["sidelight.resource.burst.sightings_left_out"] == .int(3 * 24))
    }

    @Test func aSecondBurstHasNothingOfTheFirst() {
        var recorder = BurstRecorder(framesMax: 5)
        recorder.begin(.cpu, level: 1, limit: 0.9)
        for second in 0..<5 as Range<UInt64> {
            recorder.add(snapshot(second: second, busy: 1), stalls: 1, requests: [request(9)])
        }
        recorder.noteCalm([])
        recorder.begin(.eventLoop, level: 1, limit: 1)
        #expect(recorder.records().isEmpty)
        recorder.add(snapshot(second: 60, busy: 50), stalls: 0, requests: [])
        let records = recorder.records()
        #expect(records.count == 1)
        #expect(records[0].attributes["sidelight.resource.burst.reason"] == .string("event_loop"))
        #expect(records[0].attributes["system.cpu.utilization"] == .array([.double(0.5)]))
    }
}
