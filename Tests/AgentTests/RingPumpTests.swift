import Linux
import Synchronization
import Telemetry
import Testing
import Wire

@testable import Agent

/// A pump whose clocks stand still, with the producer's end in the test's hands.
@Suite struct RingPumpTests {
    private final class World: Sendable {
        let batches = Mutex<[Batch]>([])
        let time = Mutex<UInt64>(1_000_000_000)
    }

    private let world = World()
    private let ring: RingMapping

    init() throws { ring = try RingMapping(capacity: 64 << 10) }

    private func makePump() -> RingPump {
        RingPump(
            ring, resource: Resource(attributes: [Attribute("service.name", "test")]), version: "1",
            clocks: { [world] in
                let monotonic = world.time.withLock { $0 }
                return (monotonic, 1_700_000_000_000_000_000 + monotonic)
            },
            handOn: { [world] batch in world.batches.withLock { $0.append(batch) } })
    }

    /// A span record of format 1 with an inline name, see docs/specs/record-format.md.
    private func span(_ id: UInt64, name: String, start: Bool = false, endsStarted: Bool = false) -> [UInt8] {
        var bytes: [UInt8] = []
        func put<Value: FixedWidthInteger>(_ value: Value) { withUnsafeBytes(of: value) { bytes += $0 } }
        put(UInt32(0))
        put(RecordKind.span.rawValue)
        if start { bytes[4] = RecordKind.spanStart.rawValue }
        put(UInt8(0))
        put(UInt16(0))
        put(Double(id).bitPattern)
        put((start ? 0.0 : 5000.0).bitPattern)
        bytes += TraceID(high: 1, low: 2).bytes + SpanID(id).bytes + SpanID.invalid.bytes
        put(UInt32(0))
        bytes += [1, 0, 1, endsStarted ? 2 : 0]
        if start {
            put(UInt64(0))
        } else {
            put(UInt64(0))
            put(UInt64(0))
        }
        put(UInt32(name.utf8.count))
        put(UInt32(0))
        bytes += Array(name.utf8)
        while bytes.count % 8 != 0 { bytes.append(0) }
        let count = UInt32(bytes.count)
        withUnsafeBytes(of: count) { bytes.replaceSubrange(0..<4, with: $0) }
        return bytes
    }

    private func write(_ records: [[UInt8]]) {
        var writer = RingWriter(ring)
        for record in records { record.withUnsafeBytes { _ = writer.write($0) } }
    }

    private func spans() throws -> [SpanData] {
        try world.batches.withLock {
            try $0.filter { $0.signal == .traces }.flatMap { try $0.spans().map { try $0.get().value } }
        }
    }

    @Test func batchesLeaveWhenTheyAreOldEnough() throws {
        var pump = makePump()
        write([span(1, name: "a")])
        #expect(pump.drain() == nil)
        #expect(world.batches.withLock { $0.count } == 0)
        world.time.withLock { $0 += DrainSchedule.ageNanosecondsMax }
        #expect(pump.drain() == nil)
        #expect(try spans().map(\.name) == ["a"])
        #expect(pump.received == [.traces: 1])
    }

    @Test func sampledRequestsInFlightBecomeServerSpansThatFailed() throws {
        var pump = makePump()
        func request(
            _ id: UInt64, _ flags: BoardRequestFlags, start: Double = 1000, method: String = "GET"
        ) -> BoardRequest {
            BoardRequest(
                context: SpanContext(traceID: TraceID(high: 1, low: 2), spanID: SpanID(id), traceFlags: 1),
                parentSpanID: SpanID(77), flags: flags, startTime: start, method: method, target: "/a?b")
        }
        let requests = [
            request(1, [.sampled, .parentIsRemote]), request(2, []),
            request(3, [.sampled, .https], start: .nan, method: "BREW"),
        ]
        #expect(pump.drain() == nil)
        let outcome = WorkerOutcome(
            status: .signaled(9, coreDumped: false), deathNote: nil, ringBroken: nil, requestedBy: nil)
        #expect(pump.finish(outcome, requests: requests, now: 1_800_000_000_000_000_000) == 2)
        let spans = try spans()
        #expect(spans.map(\.name) == ["GET", "HTTP"])
        let first = spans[0]
        #expect(first.kind == .server && first.parentSpanID == SpanID(77) && first.parentIsRemote == true)
        #expect(first.status == SpanStatus(code: .error, message: "worker killed by SIGKILL (9)"))
        #expect(first.attributes["http.request.method"] == "GET")
        #expect(first.attributes["url.path"] == "/a")
        #expect(first.attributes["url.scheme"] == "http")
        #expect(first.attributes["error.type"] == "SIGKILL")
        #expect(first.startTime < first.endTime)
        #expect(spans[1].attributes["http.request.method"] == "_OTHER")
        #expect(spans[1].attributes["http.request.method_original"] == "BREW")
        #expect(spans[1].attributes["url.scheme"] == "https")
        #expect(spans[1].startTime == spans[1].endTime)
    }

    @Test func requestsThatALimitEndedSayWhatBecameOfThem() throws {
        var pump = makePump()
        write([span(7, name: "open", start: true)])
        func request(_ id: UInt64, _ outcome: WorkloadOutcome?, status: Int) -> BoardRequest {
            BoardRequest(
                context: SpanContext(traceID: TraceID(high: 1, low: 2), spanID: SpanID(id), traceFlags: 1),
                parentSpanID: .invalid, flags: .sampled, startTime: 1000, method: "GET", target: "/", outcome: outcome,
                status: status)
        }
        #expect(pump.drain() == nil)
        let outcome = WorkerOutcome(
            status: .exited(4), deathNote: (.cpuLimit, "CPU limit of 50 ms reached"), ringBroken: nil, requestedBy: nil)
        let requests = [
            request(1, .exceededCpu, status: 503), request(2, .replaced, status: 503), request(3, nil, status: 0),
        ]
        #expect(pump.finish(outcome, requests: requests, now: 1_800_000_000_000_000_000) == 4)
        let spans = try spans()
        #expect(
            spans.map { $0.attributes["sidelight.outcome"] } == [
                "exceededCpu", "exceededCpu", "replaced", "exceededCpu",
            ])
        #expect(spans.map { $0.attributes["http.response.status_code"] } == [nil, 503, 503, nil])
        #expect(spans.map { $0.attributes["error.type"] } == Array(repeating: "cpu_limit", count: 4))
        #expect(spans[1].status.message == "CPU limit of 50 ms reached")
        #expect(
            spans[2].status.message == "the isolate was replaced for another's doing: CPU limit of 50 ms reached")
    }

    @Test func aWriteAfterTheRequestForAWakeIsNotSleptThrough() {
        let pump = makePump()
        write([span(1, name: "a")])
        #expect(pump.prepareToSleep(now: 0) == 0)
        let isDue = RingWriter(ring).wakeIsDue
        #expect(isDue)
    }

    @Test func spansOpenAtADeathBecomeErrorsJoinedByALog() throws {
        var pump = makePump()
        write([span(7, name: "run", start: true), span(8, name: "open", start: true), span(9, name: "whole")])
        #expect(pump.drain() == nil)
        let outcome = WorkerOutcome(
            status: .signaled(9, coreDumped: false), deathNote: nil, ringBroken: nil, requestedBy: nil)
        #expect(pump.finish(outcome, now: 1_800_000_000_000_000_000) == 2)

        let spans = try spans()
        #expect(spans.map(\.name).sorted() == ["open", "run", "whole"])
        for span in spans where span.name != "whole" {
            #expect(span.status == SpanStatus(code: .error, message: "worker killed by SIGKILL (9)"))
            #expect(span.attributes["error.type"] == "SIGKILL")
            #expect(span.attributes["sidelight.unfinished"] == true)
            #expect(span.endTime == 1_800_000_000_000_000_000)
        }
        let logs = try world.batches.withLock {
            try $0.filter { $0.signal == .logs }.flatMap { try $0.logRecords().map { try $0.get().value } }
        }
        #expect(logs.map(\.eventName) == ["exception"])
        #expect(logs.first?.severity == 21)
        #expect(logs.first?.spanID == SpanID(7))
        #expect(logs.first?.traceID == TraceID(high: 1, low: 2))
    }

    @Test func spansThatEndedAreNotOpen() throws {
        var pump = makePump()
        write([span(7, name: "run", start: true), span(7, name: "run", endsStarted: true)])
        #expect(pump.drain() == nil)
        let outcome = WorkerOutcome(status: .exited(0), deathNote: nil, ringBroken: nil, requestedBy: nil)
        #expect(pump.finish(outcome, now: 5) == 0)
        #expect(try spans().map(\.status.code) == [.unset])
        #expect(pump.received == [.traces: 1])
    }

    @Test func aBrokenFrameKeepsWhatCameBefore() throws {
        var pump = makePump()
        write([span(1, name: "kept"), [UInt8](repeating: 0, count: 16)])
        #expect(pump.drain() == .length)
        _ = pump.finish(
            WorkerOutcome(status: .exited(70), deathNote: nil, ringBroken: "length", requestedBy: nil), now: 5)
        #expect(try spans().map(\.name) == ["kept"])
    }

    @Test func aProducerThatNeverRestsDoesNotHoldTheAgent() {
        var pump = makePump()
        let big = span(1, name: String(repeating: "x", count: 8000))
        for _ in 0..<7 { write([big]) }
        #expect(pump.drain() == nil)
        #expect(pump.prepareToSleep(now: 0) == DrainSchedule.pauseNanoseconds)
    }
}
