import Configuration
import Foundation
import Glibc
import Linux
import Queue
import Synchronization
import System
import Telemetry
import Testing
import Wire

@testable import Exporters

/// An exporter with a queue in a folder of its own, and a backend that the test plays.
private final class DurableExporter {
    let folder: String
    let clock = HandClock()
    let timers = HandTimers()
    let transport = HandTransport()
    let budget: MemoryBudget
    private(set) var exporter: Exporter!
    private var nextID: UInt64 = 1
    private let isOwner: Bool

    init(
        _ limits: QueueLimits = QueueLimits(), budgetBytes: Int = MemoryBudget.defaultBytes, folder: String? = nil
    ) throws {
        isOwner = folder == nil
        var template = Array("/tmp/sidelight-durable.XXXXXX".utf8CString)
        self.folder = folder ?? String(cString: mkdtemp(&template))
        budget = MemoryBudget(bytesMax: budgetBytes)
        let queue = try DurableQueue(
            try LinuxQueueFiles(folder: self.folder), limits: limits, now: clock.unixNanoseconds())
        var configuration = ExporterConfiguration(kind: .otlp)
        for signal in Signal.allCases {
            configuration.targets[signal] = .init(url: try EndpointURL(parsing: "http://127.0.0.1:4318/v1/\(signal)"))
        }
        exporter = Exporter(
            configuration, transport: transport, timers: timers, clock: clock,
            durable: Exporter.Durable(queue: queue, budget: budget))
    }

    deinit { if isOwner { try? FileManager.default.removeItem(atPath: folder) } }

    /// Appends an entry of so many spans; their ids.
    @discardableResult func append(_ count: Int, nameBytes: Int = 10) -> [UInt64] {
        let ids = (0..<UInt64(count)).map { nextID + $0 }
        nextID += UInt64(count)
        let batch = Batch(
            ids.map {
                SpanData(
                    context: SpanContext(traceID: TraceID(high: 1, low: $0), spanID: SpanID($0)),
                    name: String(repeating: "x", count: nameBytes), kind: .server, startTime: 1, endTime: 2)
            }, resource: Resource())
        let head = QueueEntryHead(signal: .traces, items: UInt32(count), time: clock.unixNanoseconds())
        guard case .queued = exporter.append(head, OTLP.exportRequest(batches: [batch]), [batch]) else { return [] }
        return ids
    }

    func commit() {
        #expect(exporter.commit() == nil)
        timers.fire(clock)
        check()
    }

    func check() { #expect(exporter.books(.traces).isBalanced, "\(exporter.books(.traces))") }

    /// The span ids of a request.
    static func ids(_ request: HTTPRequest) throws -> [UInt64] {
        try OTLP.batches(fromExportRequest: request.body, signal: .traces).batches.flatMap {
            $0.items.map(\.spanID.value)
        }
    }

    /// Lets the exporter go without a farewell, as kill -9 would, and opens its queue again.
    func reopened() throws -> DurableExporter {
        transport.forgetAll()
        exporter = nil
        let next = try DurableExporter(folder: folder)
        next.nextID = nextID
        return next
    }

    var requestIDs: [UInt64] { get throws { try transport.requests.flatMap { try Self.ids($0) } } }
}

@Suite struct DurableExporterTests {
    @Test func whatIsCommittedIsSentAtOnceAndGoneWhenItIsDelivered() throws {
        let durable = try DurableExporter()
        let first = durable.append(3)
        #expect(durable.transport.requests.isEmpty)
        durable.commit()
        #expect(try durable.requestIDs == first)
        durable.transport.answer(status: 200)
        #expect(durable.exporter.books(.traces).exported == 3)
        #expect(durable.exporter.queueCounts.entries == 0)
        #expect(durable.budget.used == 0)
        durable.check()
    }

    @Test func whatCameWhileARequestWasOnItsWayLeavesTogether() throws {
        let durable = try DurableExporter()
        durable.append(1)
        durable.commit()
        let later = durable.append(2) + durable.append(2)
        durable.commit()
        #expect(durable.transport.requests.count == 1)
        durable.transport.answer(status: 200)
        #expect(try DurableExporter.ids(durable.transport.requests[1]) == later)
    }

    @Test func whatIsNotDeliveredIsThereAfterTheProcessWasKilled() throws {
        let durable = try DurableExporter()
        durable.append(2)
        durable.commit()
        durable.transport.answer(status: 200)
        let lost = durable.append(2) + durable.append(1)
        durable.commit()
        let again = try durable.reopened()
        _ = again.exporter.tick()
        again.timers.fire(again.clock)
        #expect(try again.requestIDs == lost)
        #expect(again.exporter.books(.traces).recovered == 3)
        again.transport.answer(status: 200)
        again.check()
        #expect(again.exporter.queueCounts.entries == 0)
    }

    @Test func aDeadBackendTakesDiskAndNotMemory() throws {
        let durable = try DurableExporter()
        durable.transport.answerAll { _ in .failure(HTTPTransportError(.connect, "refused")) }
        var all: [UInt64] = []
        for _ in 0..<60 {
            all += durable.append(100, nameBytes: 2_000)
            durable.commit()
        }
        #expect(durable.budget.used <= Backlog.windowBytes + 400_000)
        #expect(durable.exporter.books(.traces).queued == 6_000)
        let sent = Mutex<[UInt64]>([])
        durable.transport.answerAll { request in
            let ids = (try? DurableExporter.ids(request)) ?? []
            sent.withLock { $0 += ids }
            return .success(HTTPResponse(status: 200))
        }
        for _ in 0..<20 {
            durable.clock.advance(1_000_000_000)
            durable.timers.fire(durable.clock)
        }
        #expect(sent.withLock { $0.sorted() } == all)
        #expect(durable.exporter.books(.traces).exported == 6_000)
        #expect(durable.budget.used == 0)
        durable.check()
    }

    @Test func withoutMemoryOneEntryAfterTheOtherStillGoesOut() throws {
        let durable = try DurableExporter(budgetBytes: 10)
        let all = durable.append(5) + durable.append(5) + durable.append(5)
        durable.commit()
        for _ in 0..<3 { durable.transport.answer(status: 200) }
        #expect(try durable.requestIDs == all)
        #expect(durable.transport.requests.count == 3)
        #expect(durable.budget.used == 0)
        durable.check()
    }

    @Test func aFullQueueRefusesAndCountsOnlyWhatWasTakenElsewhere() throws {
        var limits = QueueLimits()
        limits.bytesMax = 40_000
        let durable = try DurableExporter(limits)
        durable.transport.answerAll { _ in .failure(HTTPTransportError(.connect, "refused")) }
        while !durable.append(100).isEmpty { durable.commit() }
        durable.commit()
        #expect(durable.exporter.books(.traces).dropped.isEmpty)
        durable.exporter.drop(.traces, items: 100)
        #expect(durable.exporter.books(.traces).dropped == ["queue_full": 100])
        durable.check()
    }

    @Test func anEntryThatIsCutAndPartlyRejectedIsAcknowledgedOnce() throws {
        let durable = try DurableExporter()
        durable.append(8)
        durable.commit()
        durable.transport.answer(status: 413)
        #expect(durable.exporter.books(.traces).queued == 8)
        durable.transport.answer(status: 200)
        #expect(durable.exporter.books(.traces).queued == 4)
        #expect(durable.exporter.queueCounts.entries == 1)
        durable.transport.answer(status: 400)
        #expect(durable.exporter.books(.traces).dropped == ["refused": 4])
        #expect(durable.exporter.queueCounts.entries == 0)
        durable.check()
    }

    /// Whatever the backend answers and whenever the process is killed: what was committed is delivered or counted, and repeats are at most what was in flight.
    @Test(arguments: 0..<12 as Range<UInt64>)
    func nothingCommittedIsLost(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let first = try DurableExporter()
        var durable = first
        var committed: Set<UInt64> = []
        var delivered: [UInt64: Int] = [:]
        var repeatsAllowed = 0
        func answerOne() throws {
            let open = durable.transport.openCount
            guard open > 0 else { return }
            let request = durable.transport.requests[durable.transport.requests.count - open]
            switch Int.random(in: 0..<6, using: &random) {
            case 0: durable.transport.answer(.failure(HTTPTransportError(.reset, "reset")))
            case 1: durable.transport.answer(status: 503)
            default:
                for id in try DurableExporter.ids(request) { delivered[id, default: 0] += 1 }
                durable.transport.answer(status: 200)
            }
        }
        for _ in 0..<300 {
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<8:
                let ids = durable.append(
                    Int.random(in: 1...30, using: &random), nameBytes: Int.random(in: 0...5_000, using: &random))
                durable.commit()
                committed.formUnion(ids)
            case 8..<15: try answerOne()
            case 15..<19:
                durable.clock.advance(UInt64.random(in: 0...3_000_000_000, using: &random))
                durable.timers.fire(durable.clock)
            default:
                // The backend may have what was on its way.
                for request in durable.transport.requests.suffix(durable.transport.openCount) {
                    for id in try DurableExporter.ids(request) { delivered[id, default: 0] += 1 }
                    repeatsAllowed += try DurableExporter.ids(request).count
                }
                durable = try durable.reopened()
                _ = durable.exporter.tick()
            }
            durable.check()
        }
        for _ in 0..<2_000 where durable.exporter.books(.traces).queued > 0 {
            while durable.transport.openCount > 0 { try answerOne() }
            durable.clock.advance(1_000_000_000)
            durable.timers.fire(durable.clock)
        }
        #expect(durable.exporter.books(.traces).queued == 0)
        #expect(Set(delivered.keys) == committed)
        #expect(delivered.values.reduce(0, +) - delivered.count <= repeatsAllowed)
        withExtendedLifetime(first) {}
    }
}
