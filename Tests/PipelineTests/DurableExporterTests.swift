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

/// The files of a folder, on a disk that may be full.
private final class FullableFiles: QueueFiles, @unchecked Sendable {
    // @unchecked: the test's one thread has it.
    let files: LinuxQueueFiles
    var fails = false

    init(_ folder: String) throws { files = try LinuxQueueFiles(folder: folder) }

    var folder: String { files.folder }
    func list() throws(QueueFileError) -> [QueueListing] { try files.list() }
    func create(_ name: String) throws(QueueFileError) -> QueueFile { try files.create(name) }
    func open(_ name: String) throws(QueueFileError) -> QueueFile { try files.open(name) }
    func close(_ file: QueueFile) { files.close(file) }
    func write(_ file: QueueFile, _ bytes: UnsafeRawBufferPointer, at offset: Int) throws(QueueFileError) {
        if fails { throw QueueFileError(.noSpace, "write", reason: "No space left on device") }
        try files.write(file, bytes, at: offset)
    }
    func read(
        _ file: QueueFile, into bytes: UnsafeMutableRawBufferPointer, at offset: Int
    ) throws(QueueFileError) -> Int { try files.read(file, into: bytes, at: offset) }
    func truncate(_ file: QueueFile, to bytes: Int) throws(QueueFileError) { try files.truncate(file, to: bytes) }
    func sync(_ file: QueueFile) throws(QueueFileError) { try files.sync(file) }
    func beginSync(_ request: QueueSyncRequest) { files.beginSync(request) }
    func endOfSync(waiting: Bool) -> QueueSyncEnd? { files.endOfSync(waiting: waiting) }
    func syncFolder() throws(QueueFileError) { try files.syncFolder() }
    func rename(_ name: String, to other: String) throws(QueueFileError) { try files.rename(name, to: other) }
    func remove(_ name: String) throws(QueueFileError) { try files.remove(name) }
    func random() -> UInt64 { files.random() }
}

/// An exporter with a queue in a folder of its own, and a backend that the test plays.
private final class DurableExporter {
    let folder: String
    private(set) var files: FullableFiles!
    let clock = HandClock()
    let timers = HandTimers()
    let transport = HandTransport()
    let budget: MemoryBudget
    private(set) var exporter: Exporter!
    let told = Told()
    private var nextID: UInt64 = 1
    private let isOwner: Bool

    init(
        _ limits: QueueLimits = QueueLimits(), budgetBytes: Int = MemoryBudget.defaultBytes, folder: String? = nil
    ) throws {
        isOwner = folder == nil
        var template = Array("/tmp/sidelight-durable.XXXXXX".utf8CString)
        self.folder = folder ?? String(cString: mkdtemp(&template))
        budget = MemoryBudget(bytesMax: budgetBytes)
        files = try FullableFiles(self.folder)
        let queue = try DurableQueue(files, limits: limits, now: clock.unixNanoseconds())
        var configuration = ExporterConfiguration(kind: .otlp)
        for signal in Signal.allCases {
            configuration.targets[signal] = .init(url: try EndpointURL(parsing: "http://127.0.0.1:4318/v1/\(signal)"))
        }
        let told = told
        exporter = Exporter(
            configuration, transport: transport, timers: timers, clock: clock,
            durable: Exporter.Durable(
                queue: queue, budget: budget, acknowledged: { ids in told.left.withLock { $0 += ids.map(\.sequence) } },
                lost: { ids in told.lost.withLock { $0 += ids.map(\.sequence) } })
        ) { event in told.events.withLock { $0.append(event) } }
    }

    /// What the exporter tells others.
    final class Told: Sendable {
        /// Entries that nobody waits for any more: those that have left, and those that were given up.
        let left = Mutex<[UInt64]>([])
        let lost = Mutex<[UInt64]>([])
        let events = Mutex<[ExporterEvent]>([])
    }

    /// What the exporter said of its queue since the last call.
    func takeQueueEvents() -> [ExporterEvent] {
        told.events.withLock { events in
            defer { events = [] }
            return events.filter {
                switch $0 {
                case .queueFull, .queueFails, .queueHasRoom: true
                default: false
                }
            }
        }
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
        files = nil
        let next = try DurableExporter(folder: folder)
        next.nextID = nextID
        return next
    }

    var requestIDs: [UInt64] { get throws { try transport.requests.flatMap { try Self.ids($0) } } }
}

/// Timers on a thread of their own, one at a time, as libcurl's are.
private final class QueueTimers: TimerScheduler, @unchecked Sendable {
    // @unchecked: dispatch queues are safe from any thread.
    private let queue = DispatchQueue(label: "timers")
    private let clock: LinuxClock

    init(_ clock: LinuxClock) { self.clock = clock }

    func schedule(at deadline: UInt64, _ action: @escaping @Sendable () -> Void) {
        let now = clock.monotonicNanoseconds()
        queue.asyncAfter(deadline: .now() + .nanoseconds(deadline > now ? Int(deadline - now) : 0), execute: action)
    }
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

    /// Whatever the machine holds, `oldest` makes room, also in a queue that is smaller than what the machine may hold.
    @Test(arguments: [64 << 10, 1 << 20, 8 << 20])
    func theOldestOfASmallQueueMakesRoom(bytesMax: Int) throws {
        var limits = QueueLimits()
        limits.bytesMax = bytesMax
        limits.overflow = .oldest
        let durable = try DurableExporter(limits)
        durable.transport.answerAll { _ in .failure(HTTPTransportError(.connect, "refused")) }
        // Four times as much as has room, in entries of a thirtieth of it.
        for _ in 0..<120 {
            #expect(!durable.append(bytesMax / 30 / 2_100 + 1, nameBytes: 2_000).isEmpty)
            durable.commit()
            #expect(durable.exporter.queueCounts.bytesOnDisk <= bytesMax)
        }
        #expect(durable.exporter.books(.traces).dropped["evicted"] ?? 0 > 0)
    }

    /// `ack: delivered` waits for each entry: one that is given up has to be told of, too.
    @Test func entriesThatTheQueueGivesUpAreTold() throws {
        var limits = QueueLimits()
        limits.bytesMax = 64 << 10
        limits.overflow = .oldest
        let durable = try DurableExporter(limits)
        durable.transport.answerAll { _ in .failure(HTTPTransportError(.connect, "refused")) }
        for _ in 0..<100 {
            durable.append(10, nameBytes: 200)
            durable.commit()
        }
        let lost = durable.told.lost.withLock { $0 }
        #expect(lost.count * 10 == durable.exporter.books(.traces).dropped["evicted"])
        #expect(Set(lost).count == lost.count)
        #expect(durable.told.left.withLock { $0 }.isEmpty)
        durable.transport.answerAll { _ in .success(HTTPResponse(status: 200)) }
        for _ in 0..<20 {
            durable.clock.advance(1_000_000_000)
            durable.timers.fire(durable.clock)
        }
        #expect(Set(durable.told.left.withLock { $0 }).isDisjoint(with: lost))
        #expect(durable.told.left.withLock { $0.count } + lost.count == 100)
    }

    @Test func entriesThatAreDamagedOnDiskAreTold() throws {
        let durable = try DurableExporter(budgetBytes: 10)
        durable.append(5)
        let head = QueueEntryHead(signal: .traces, items: 3, time: durable.clock.unixNanoseconds())
        let batch = Batch(signal: .traces, resource: [], bytes: [18, 0], items: [])
        guard case .queued(let spoilt) = durable.exporter.append(head, [1, 2, 3], [batch]) else {
            Issue.record("no room")
            return
        }
        durable.commit()
        durable.transport.answer(status: 200)
        #expect(durable.told.lost.withLock { $0 } == [spoilt.sequence])
        #expect(durable.exporter.books(.traces).dropped == ["damaged": 3])
        durable.check()
    }

    /// What one request may not hold, an entry may: processors add to it.
    @Test func anEntryOfMoreThanAReceiverTakesComesBackFromDisk() throws {
        let durable = try DurableExporter(budgetBytes: 10)
        durable.append(1)
        let batches = (0..<5_000 as Range<UInt64>).map { number in
            Batch(
                [
                    SpanData(
                        context: SpanContext(traceID: TraceID(high: 1, low: 1), spanID: SpanID(100 + number)), name: "",
                        kind: .server, startTime: 1, endTime: 2)
                ], resource: Resource(attributes: [Attribute("n", .int(Int64(number)))]))
        }
        #expect(OTLP.ReceiveLimits().resourcesMax < batches.count)
        let head = QueueEntryHead(signal: .traces, items: 5_000, time: durable.clock.unixNanoseconds())
        _ = durable.exporter.append(head, OTLP.exportRequest(batches: batches), batches)
        durable.commit()
        durable.transport.answerAll { _ in .success(HTTPResponse(status: 200)) }
        durable.transport.answer(status: 200)
        #expect(durable.exporter.books(.traces).exported == 5_001)
        durable.check()
    }

    @Test func anEntryThatNeverGetsRoomIsNotCalledFull() throws {
        var limits = QueueLimits()
        limits.bytesMax = 64 << 10
        let durable = try DurableExporter(limits)
        let head = QueueEntryHead(signal: .traces, items: 1, time: durable.clock.unixNanoseconds())
        for (bytes, isTooLarge) in [(64 << 10, true), (63 << 10, false), (63 << 10, false)] {
            if case .tooLarge = durable.exporter.append(head, [UInt8](repeating: 0, count: bytes), []) {
                #expect(isTooLarge)
            } else {
                #expect(!isTooLarge)
            }
        }
        #expect(durable.exporter.mayTake(bytes: 64 << 10), "it is not for want of room")
    }

    @Test func whetherThereIsRoomIsKnownBefore() throws {
        var limits = QueueLimits()
        limits.bytesMax = 40_000
        let durable = try DurableExporter(limits)
        while durable.exporter.mayTake(bytes: 2_000) {
            #expect(!durable.append(20).isEmpty)
            durable.commit()
        }
        #expect(durable.append(40).isEmpty)
        durable.transport.answerAll { _ in .success(HTTPResponse(status: 200)) }
        while durable.transport.openCount > 0 { durable.transport.answer(status: 200) }
        #expect(durable.exporter.mayTake(bytes: 2_000))
        #expect(!durable.append(20).isEmpty)
    }

    @Test func aQueueThatBecomesFullAndHasRoomAgainIsToldOnce() throws {
        var limits = QueueLimits()
        limits.bytesMax = 40_000
        let durable = try DurableExporter(limits)
        while !durable.append(20).isEmpty { durable.commit() }
        durable.commit()
        #expect(durable.takeQueueEvents() == [.queueFull(evicts: false)])
        #expect(durable.append(20).isEmpty)
        #expect(!durable.exporter.mayTake(bytes: 2_000))
        #expect(durable.takeQueueEvents().isEmpty)
        _ = durable.exporter.tick()
        #expect(durable.takeQueueEvents() == [.queueFull(evicts: false)], "it lasts")
        _ = durable.exporter.tick()
        #expect(durable.takeQueueEvents().isEmpty, "nothing came, and it is full still")
        durable.transport.answerAll { _ in .success(HTTPResponse(status: 200)) }
        while durable.transport.openCount > 0 { durable.transport.answer(status: 200) }
        _ = durable.exporter.tick()
        #expect(durable.takeQueueEvents() == [.queueHasRoom])
        _ = durable.exporter.tick()
        #expect(durable.takeQueueEvents().isEmpty)
    }

    /// `ack: memory`: the sender has its answer, and will not come again.
    @Test func whatWasPromisedAndCannotBeWrittenIsCounted() throws {
        let durable = try DurableExporter()
        durable.append(3)
        durable.commit()
        durable.files.fails = true
        durable.append(5)
        let error = durable.exporter.commit(isPromised: true)
        #expect(error != nil)
        #expect(durable.exporter.books(.traces).dropped == ["queue_failed": 5])
        #expect(durable.takeQueueEvents() == [.queueFails(message: error?.description ?? "")])
        durable.check()
        durable.append(5)
        #expect(durable.exporter.commit() != nil)
        #expect(durable.exporter.books(.traces).dropped == ["queue_failed": 5], "its sender was told")
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

    /// As in the agent: one thread appends and commits, one ticks (and syncs), one sends and is answered, and anybody reads the books.
    @Test func threadsDoNotDisturbEachOther() throws {
        var template = Array("/tmp/sidelight-durable.XXXXXX".utf8CString)
        let folder = String(cString: mkdtemp(&template))
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let clock = LinuxClock()
        var limits = QueueLimits()
        limits.bytesMax = 256 << 10
        limits.overflow = .oldest
        let queue = try DurableQueue(LinuxQueueFiles(folder: folder), limits: limits, now: clock.unixNanoseconds())
        let transport = HandTransport()
        let answers = Mutex(0)
        transport.answerAll { _ in
            let count = answers.withLock { count in
                count += 1
                return count
            }
            return count % 5 == 0 ? .failure(HTTPTransportError(.reset, "reset")) : .success(HTTPResponse(status: 200))
        }
        var configuration = ExporterConfiguration(kind: .otlp)
        configuration.targets[.traces] = .init(url: try EndpointURL(parsing: "http://127.0.0.1:4318/v1/traces"))
        let open = Mutex<Set<UInt64>>([])
        let exporter = Exporter(
            configuration, transport: transport, timers: QueueTimers(clock), clock: clock,
            durable: Exporter.Durable(
                queue: queue, budget: MemoryBudget(),
                acknowledged: { ids in open.withLock { $0.subtract(ids.map(\.sequence)) } },
                lost: { ids in open.withLock { $0.subtract(ids.map(\.sequence)) } }))
        let batch = Batch(
            [
                SpanData(
                    context: SpanContext(traceID: TraceID(high: 1, low: 1), spanID: SpanID(1)),
                    name: String(repeating: "x", count: 3_000), kind: .server, startTime: 1, endTime: 2)
            ], resource: Resource())
        let payload = OTLP.exportRequest(batches: [batch])
        let hasEnded = Atomic<Bool>(false)
        let ended = DispatchSemaphore(value: 0)
        func run(_ body: @escaping @Sendable () -> Void) {
            Thread {
                body()
                ended.signal()
            }.start()
        }
        run {
            for _ in 0..<400 {
                for _ in 0..<3 {
                    let head = QueueEntryHead(signal: .traces, items: 1, time: clock.unixNanoseconds())
                    if case .queued(let id) = exporter.append(head, payload, [batch]) {
                        _ = open.withLock { $0.insert(id.sequence) }
                    }
                }
                _ = exporter.commit()
            }
            hasEnded.store(true, ordering: .relaxed)
        }
        run {
            while !hasEnded.load(ordering: .relaxed) {
                _ = exporter.tick()
                _ = exporter.mayTake(bytes: 100)
            }
        }
        run { while !hasEnded.load(ordering: .relaxed) { _ = exporter.books(.traces) } }
        for _ in 0..<3 { ended.wait() }
        for _ in 0..<2_000 where exporter.books(.traces).queued > 0 {
            _ = exporter.tick()
            usleep(10_000)
        }
        let books = exporter.books(.traces)
        #expect(books.isBalanced && books.queued == 0 && books.received == 1_200, "\(books)")
        #expect(open.withLock { $0 }.isEmpty)
        exporter.close(clock.monotonicNanoseconds() + 1_000_000_000)
    }

    /// Whatever the backend answers and whenever the process is killed: what was committed is delivered or counted, and repeats are at most what was in flight
    /// and what had left of entries that had not left whole.
    @Test(arguments: 0..<12 as Range<UInt64>)
    func nothingCommittedIsLost(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let first = try DurableExporter()
        var durable = first
        var committed: Set<UInt64> = []
        var entries: [[UInt64]] = []
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
                entries.append(ids)
            case 8..<15: try answerOne()
            case 15..<19:
                durable.clock.advance(UInt64.random(in: 0...3_000_000_000, using: &random))
                durable.timers.fire(durable.clock)
            default:
                for entry in entries {
                    let left = entry.count { delivered[$0] != nil }
                    if left < entry.count { repeatsAllowed += left }
                }
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
