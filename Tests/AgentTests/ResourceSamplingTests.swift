import Configuration
import Resources
import Synchronization
import System
import Telemetry
import Testing
import Wire

@testable import Agent

/// Texts by path.
private final class Texts: KernelFiles {
    var texts: [String: String]
    private var open: [Int32: String] = [:]
    private var next: Int32 = 1

    init(_ texts: [String: String]) { self.texts = texts }

    func open(_ path: String) throws(KernelFileFailure) -> KernelFile {
        guard texts[path] != nil else { throw .absent }
        next += 1
        open[next] = path
        return KernelFile(number: next)
    }

    func close(_ file: KernelFile) { open[file.number] = nil }

    func read(_ file: KernelFile, into bytes: UnsafeMutableRawBufferPointer) throws(KernelFileFailure) -> Int {
        guard let text = open[file.number].flatMap({ texts[$0] }) else { throw .absent }
        let utf8 = Array(text.utf8.prefix(bytes.count))
        utf8.withUnsafeBytes { bytes.copyMemory(from: $0) }
        return utf8.count
    }

    func numbers(in folder: String, countMax: Int, _ body: (Int32) -> Void) throws(KernelFileFailure) { throw .absent }
    func count(in folder: String) throws(KernelFileFailure) -> Int { throw .absent }
    func exists(_ path: String) -> Bool { texts[path] != nil }
    func target(of path: String) throws(KernelFileFailure) -> String { throw .absent }
    func space(_ path: String) throws(KernelFileFailure) -> FileSystemSpace { throw .absent }
}

private final class HandClock: SystemClock {
    private let now = Atomic<UInt64>(1_000_000_000)

    func advance(_ milliseconds: UInt64) { now.add(milliseconds * 1_000_000, ordering: .relaxed) }
    func monotonicNanoseconds() -> UInt64 { now.load(ordering: .relaxed) }
    func unixNanoseconds() -> UInt64 { 1_795_800_000_000_000_000 + now.load(ordering: .relaxed) }
}

private final class Workers: ResourceWorkload {
    var loopStalls: UInt64 = 0
    var traces: [(TraceID, SpanID)] = []

    func forEachWorker(_ body: (Int32, Int) -> Void) { body(4242, 0) }
    func forEachTraceInFlight(_ body: (TraceID, SpanID) -> Void) { for (trace, span) in traces { body(trace, span) } }
}

/// A sampling, and what it has handed on.
private final class World {
    let clock = HandClock()
    let files: Texts
    let workers = Workers()
    var handedOn: [Batch] = []
    private(set) var sampling: ResourceSampling!
    private var idle: UInt64 = 1_000
    private var user: UInt64 = 1_000

    init(_ configuration: ResourcesConfiguration = ResourcesConfiguration()) {
        files = Texts([
            "/proc/meminfo": "MemTotal: 1000 kB\nMemFree: 500 kB\nMemAvailable: 700 kB\n",
            "/proc/uptime": "12.5 3.0\n",
            "/proc/4242/stat": "4242 (worker) S 1 1 1 0 -1 0 10 0 1 0 50 20 0 0 20 0 6 0 100 1000 250 1\n",
        ])
        run(busy: 0)
        sampling = ResourceSampling(
            configuration, ResourceReading(Resource(attributes: [Attribute("service.name", "shop")])), files: files,
            machine: ResourceSampler.Machine(pageBytes: 4096, ticksPerSecond: 100), clock: clock, workload: workers
        ) { [unowned self] in handedOn.append($0) }
    }

    /// The next sample finds this part of a hundred ticks used.
    func run(busy: UInt64) {
        user += busy
        idle += 100 - busy
        files.texts["/proc/stat"] =
            "cpu  \(user) 0 0 \(idle) 0 0 0 0\ncpu0 1 1 1 1\nctxt 5\nbtime 1795736309\nprocesses 7\n"
    }

    /// Time goes on from timer to timer. Returns how often it was called.
    @discardableResult
    func pass(milliseconds: UInt64, busy: UInt64) -> Int {
        let end = clock.monotonicNanoseconds() + milliseconds * 1_000_000
        var calls = 0
        while sampling.timer <= end {
            clock.advance(
                (max(sampling.timer, clock.monotonicNanoseconds()) - clock.monotonicNanoseconds()) / 1_000_000)
            run(busy: busy)
            sampling.tick(now: clock.monotonicNanoseconds())
            calls += 1
        }
        clock.advance((end - clock.monotonicNanoseconds()) / 1_000_000)
        return calls
    }

    var logs: [LogRecord] {
        get throws {
            try handedOn.filter { $0.signal == .logs }.flatMap { batch in
                try batch.items.indices.map { try batch.logRecord(at: $0) }
            }
        }
    }
}

@Suite struct ResourceSamplingTests {
    @Test func nothingIsReadBeforeTheFirstInterval() {
        let world = World()
        #expect(world.sampling.timer == world.clock.monotonicNanoseconds() + 1_000_000_000)
        #expect(world.sampling.reading.batch() == nil)
        world.sampling.finish()
        #expect(world.handedOn.isEmpty)
    }

    @Test func itIsCalledOnceASecondAndExportsOnceAMinute() {
        let world = World()
        let calls = world.pass(milliseconds: 60_000, busy: 10)
        #expect(calls >= 60 && calls <= 62)
        #expect(world.handedOn.map(\.signal) == [.metrics])
        #expect(world.handedOn[0].items.count > 20)
        world.sampling.finish()
        #expect(world.handedOn.count == 2)
    }

    @Test func groupsThatAreOffAreNotSampled() {
        var configuration = ResourcesConfiguration()
        for group in ResourcesConfiguration.Group.allCases where group != .memory { configuration[group] = nil }
        configuration[.memory] = 10_000_000_000
        let world = World(configuration)
        #expect(world.pass(milliseconds: 59_000, busy: 100) == 5)
        #expect(world.sampling.reading.snapshot.processes.isEmpty)
        #expect(world.sampling.reading.snapshot.memory != nil)
    }

    @Test func aSpikeIsABurstJoinedToTheTracesInFlight() throws {
        let world = World()
        world.pass(milliseconds: 5_000, busy: 10)
        world.workers.traces = [(TraceID(high: 1, low: 2), SpanID(3))]
        world.pass(milliseconds: 1_000, busy: 95)
        world.workers.traces = (10..<60).map { (TraceID(high: 1, low: $0), SpanID($0)) }
        let calls = world.pass(milliseconds: 10_500, busy: 97)
        #expect(calls >= 100)
        let logs = try world.logs
        #expect(logs.count == 17)
        #expect(logs[0].traceID == .invalid)
        #expect(logs[0].attributes["sidelight.resource.burst.reason"] == .string("cpu"))
        #expect(logs[0].attributes["sidelight.resource.burst.level"] == .double(0.95))
        guard case .array(let frames)? = logs[0].attributes["system.cpu.utilization"] else {
            Issue.record("no frames")
            return
        }
        #expect(frames.count >= 100 && frames.count <= 116)
        #expect(logs[1].traceID == TraceID(high: 1, low: 2))
        #expect(logs[1].spanID == SpanID(3))
        #expect(Set(logs.map(\.traceID)).count == 17)
        // It stays as it is: no second burst.
        let count = world.handedOn.count
        #expect(world.pass(milliseconds: 30_000, busy: 97) < 40)
        #expect(world.handedOn.count == count)
        #expect(world.sampling.reading.snapshot.bursts.started.reduce(0, +) == 1)
    }

    @Test func aStallIsASpikeAndAWorkerThatIsGoneIsNone() throws {
        let world = World()
        world.workers.loopStalls = 7
        world.pass(milliseconds: 3_000, busy: 10)
        let started = world.sampling.reading.snapshot.bursts.started.reduce(0, +)
        world.workers.loopStalls = 0
        world.pass(milliseconds: 20_000, busy: 10)
        world.workers.loopStalls = .max
        world.pass(milliseconds: 70_000, busy: 10)
        #expect(world.sampling.reading.snapshot.bursts.started.reduce(0, +) == started)
        world.workers.loopStalls = 0
        world.pass(milliseconds: 1_000, busy: 10)
        world.workers.loopStalls = 1
        world.pass(milliseconds: 1_000, busy: 10)
        world.sampling.finish()
        #expect(try world.logs.contains { $0.attributes["sidelight.resource.burst.reason"] == .string("event_loop") })
    }

    @Test func withoutBurstsThereAreNone() throws {
        var configuration = ResourcesConfiguration()
        configuration.burst.isEnabled = false
        let world = World(configuration)
        world.pass(milliseconds: 5_000, busy: 10)
        #expect(world.pass(milliseconds: 20_000, busy: 100) < 25)
        #expect(try world.logs.isEmpty)
    }
}

@Suite struct ResourceBatchTests {
    @Test func whatIsWrittenOverIsWhatWouldBeEncodedAnew() throws {
        let world = World()
        world.pass(milliseconds: 3_000, busy: 30)
        let resource = Resource(attributes: [Attribute("service.name", "shop")])
        var kept = ResourceBatch(resource)
        for step in 0..<4 {
            let snapshot = world.sampling.reading.snapshot
            var fresh = ResourceBatch(resource)
            let (made, anew) = (kept.make(snapshot), fresh.make(snapshot))
            let left = try #require(made)
            let right = try #require(anew)
            #expect(left.bytes == right.bytes)
            #expect(left.items.map(\.start) == right.items.map(\.start))
            #expect(left.items.count == snapshot.points().count)
            // And when the series are others.
            if step == 1 { world.files.texts["/proc/4242/stat"] = nil }
            world.pass(milliseconds: 2_000, busy: 50)
        }
    }

    @Test func whoHasTheOldOneKeepsIt() throws {
        let world = World()
        world.pass(milliseconds: 3_000, busy: 30)
        let batch = try #require(world.sampling.reading.batch())
        let bytes = batch.bytes
        world.pass(milliseconds: 3_000, busy: 30)
        let next = try #require(world.sampling.reading.batch())
        #expect(batch.bytes == bytes)
        #expect(next.bytes != bytes)
    }

    @Test func theAnswerIsJSON() throws {
        let world = World()
        world.pass(milliseconds: 3_000, busy: 30)
        let bytes = ResourceJSON.bytes(world.sampling.reading.snapshot)
        let json = try JSONValue(parsing: bytes)
        #expect(json["host"]?["memory"]?["total"] == .number("1024000"))
        #expect(json["host"]?["cpu"]?["busy"] == .number("0.3"))
        #expect(json["container"] == .null)
    }
}
