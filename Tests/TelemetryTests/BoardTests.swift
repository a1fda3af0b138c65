import CLinux
import Glibc
import Synchronization
import Testing

@testable import Telemetry

/// Both ends of a board, for one thread. A class since `#expect` copies what it looks at.
final class BoardEnds {
    let mapping: BoardMapping
    let writer: BoardWriter
    private var reader: BoardReader

    init() throws {
        mapping = try BoardMapping()
        writer = BoardWriter(mapping)
        reader = BoardReader(mapping)
    }

    var state: BoardState? { reader.state }
    var handlers: BoardHandlers { reader.handlers }
    var pending: BoardPending { reader.pending }
    func snapshot() -> BoardSnapshot { reader.snapshot() }
    func openRequests(_ consumed: UInt32) -> (requests: [BoardRequest], left: [BoardRequest], bad: Int) {
        reader.openRequests(consumed: consumed)
    }

    func health() -> BoardHealth? { reader.health() }

    func requestsInFlight() -> [BoardRequest] { reader.requestsInFlight() }

    func open(
        _ id: UInt8 = 1, method: UInt8 = 1, text: String = "", target: String = "/a?b=c",
        flags: BoardRequestFlags = .sampled
    ) -> Int? {
        let ids = [UInt8](repeating: id, count: 24) + [UInt8](repeating: 0, count: 8)
        return ids.withUnsafeBytes { ids in
            Array(text.utf8).withUnsafeBytes { text in
                Array(target.utf8).withUnsafeBytes { target in
                    writer.open(
                        ids: ids.baseAddress!, startTime: 5, flags: flags, method: method, methodText: text,
                        target: target)
                }
            }
        }
    }

    func series(_ head: BoardSeriesHead, route: String = "", error: String = "", host: String = "") -> Int {
        Array(route.utf8).withUnsafeBytes { route in
            Array(error.utf8).withUnsafeBytes { error in
                Array(host.utf8).withUnsafeBytes { host in
                    writer.series(head, route: route, errorType: error, host: host)
                }
            }
        }
    }

    func fill(_ byte: UInt8) {
        memset(mapping.baseAddress + 64, Int32(byte), BoardLayout.byteCount - 64)
    }
}

private let get200 = BoardSeriesHead(.serverDuration, method: 1, status: 200, isHTTPS: false, protocolVersion: 2)

@Suite struct BoardTests {
    @Test func aBoardIsSealedAndKnownByItsSizeAndVersion() throws {
        let board = try BoardMapping()
        #expect(ftruncate(board.fileDescriptor, 0) == -1)
        let copy = try BoardMapping(fileDescriptor: dup(board.fileDescriptor))
        BoardWriter(copy).setState(.draining)
        #expect(BoardReader(board).state == .draining)
        board.baseAddress.storeBytes(of: 1, toByteOffset: 4, as: UInt32.self)
        #expect(throws: RingError.self) { try BoardMapping(fileDescriptor: dup(board.fileDescriptor)) }
        let ring = try RingMapping(capacity: 64 << 10)
        #expect(throws: RingError.self) { try BoardMapping(fileDescriptor: dup(ring.fileDescriptor)) }
    }

    @Test func theLayoutIsTheSpecifications() {
        #expect(BoardLayout.byteCount == 380_928)
        #expect(BoardLayout.seriesOffset(0) == 266_240)
        let header = BoardLayout.Header.self
        #expect(header.handlers + 8 <= header.counters)
        #expect(header.counters + 8 * BoardCounter.cells <= header.active)
        #expect(header.active + 160 <= header.delaySum)
        #expect(header.delayBuckets + 8 * 96 <= header.collections)
        #expect(header.spaces + 12 * 64 <= BoardLayout.headerBytes)
        #expect(BoardLayout.Series.host + BoardLayout.hostBytesMax <= BoardLayout.seriesBytes)
        #expect(BoardLayout.Series.buckets + 8 * BoardLayout.durationBuckets <= BoardLayout.Series.method)
        #expect(BoardLayout.Series.method % 8 == 0 && BoardLayout.seriesBytes % 64 == 0)
        #expect(BoardLayout.durationBounds.count == BoardLayout.durationBuckets - 1)
        #expect(BoardCounter.scheduledFailures.rawValue == 33)
        #expect(BoardCounter.isolateWorkers.rawValue == 55)
        #expect(BoardCounter.malloced.rawValue == BoardCounter.cells - 1)
    }

    @Test func countersComeOutAsTheyWentInAndNeverGoBack() throws {
        let board = try BoardEnds()
        board.writer.add(.requests, 5)
        board.writer.add(.connectionsOpen, 2)
        board.writer.subtract(.connectionsOpen)
        board.writer.set(.heapUsed, 1 << 30)
        let first = board.snapshot()
        #expect(first[.requests] == 5)
        #expect(first[.connectionsOpen] == 1)
        #expect(first[.heapUsed] == 1 << 30)
        board.writer.set(.requests, 3)
        board.writer.subtract(.connectionsOpen, 7)
        board.writer.set(.heapUsed, 10)
        let second = board.snapshot()
        #expect(second[.requests] == 5)
        #expect(second[.connectionsOpen] == 1)
        #expect(second[.heapUsed] == 10)
    }

    @Test func anUnknownStateIsNone() throws {
        let board = try BoardEnds()
        #expect(board.state == .starting)
        board.writer.setState(.serving)
        #expect(board.state == .serving)
        board.mapping.storeState(77)
        #expect(board.state == nil)
    }

    // MARK: requests

    @Test func aRequestIsOpenUntilItsRecordIsConsumed() throws {
        let board = try BoardEnds()
        let slot = try #require(board.open(9, target: "/path?query", flags: [.sampled, .parentIsRemote]))
        let (requests, left, bad) = board.openRequests(0)
        #expect(bad == 0)
        #expect(left.isEmpty)
        #expect(requests.count == 1)
        #expect(requests[0].method == "GET")
        #expect(requests[0].target == "/path?query")
        #expect(requests[0].path == "/path")
        #expect(requests[0].startTime == 5)
        #expect(requests[0].flags == [.sampled, .parentIsRemote])
        #expect(requests[0].context.traceID.hex == String(repeating: "09", count: 16))
        #expect(requests[0].context.spanID.hex == String(repeating: "09", count: 8))
        #expect(!requests[0].parentSpanID.isValid)
        board.writer.end(slot, ringHead: 128)
        #expect(board.openRequests(120).requests.count == 1)
        #expect(board.openRequests(128).requests.isEmpty)
        #expect(board.openRequests(136).requests.isEmpty)
        board.writer.free(slot)
        #expect(board.openRequests(0).requests.isEmpty)
    }

    @Test func whatBecameOfARequestIsToldWithIt() throws {
        let board = try BoardEnds()
        let guilty = try #require(board.open(9, target: "/spin?x", flags: [.sampled]))
        let other = try #require(board.open(8, target: "/other", flags: []))
        board.writer.note(.exceededCpu, status: 503, at: guilty)
        board.writer.note(.exceededCpu, status: 503, at: other)
        board.writer.note(.replaced, status: 0, at: other)
        let requests = board.openRequests(0).requests
        #expect(requests.map(\.target) == ["/spin?x", "/other"])
        #expect(requests.map(\.outcome) == [.exceededCpu, .replaced])
        #expect(requests.map(\.status) == [503, 0])
        #expect(requests.map(\.flags) == [[.sampled], []])
        #expect(requests.map(\.method) == ["GET", "GET"])
        board.writer.free(guilty)
        let next = try #require(board.open(7, target: "/next"))
        #expect(next == guilty)
        #expect(board.openRequests(0).requests.first?.outcome == nil, "it is another request")
    }

    @Test func anOutcomeThatIsNoneIsIgnored() throws {
        let board = try BoardEnds()
        let slot = try #require(board.open(9, target: "/"))
        let at = BoardLayout.slotOffset(slot) + BoardLayout.Slot.method
        board.mapping.store(board.mapping.load(at) | 0xFF << 24, at: at)
        #expect(board.openRequests(0).requests.first?.outcome == nil)
    }

    @Test func whatIsInFlightIsSeenWhileTheWorkerGoesOn() throws {
        let board = try BoardEnds()
        let first = try #require(board.open(9, target: "/first"))
        let second = try #require(board.open(8, target: "/second"))
        #expect(board.requestsInFlight().map(\.path) == ["/first", "/second"])
        board.writer.end(first, ringHead: 128)
        #expect(board.requestsInFlight().map(\.path) == ["/second"])
        board.writer.free(first)
        #expect(board.writer.leave(second))
        #expect(board.requestsInFlight().isEmpty)
        // A worker that writes anything at all.
        board.fill(0xFF)
        #expect(board.requestsInFlight().isEmpty)
    }

    @Test func aRequestWhoseHandlerGoesOnIsNoneInFlight() throws {
        let board = try BoardEnds()
        let slot = try #require(board.open(9, target: "/hang?x"))
        #expect(board.snapshot().active[1] == 1)
        board.writer.end(slot, ringHead: 128)
        #expect(board.writer.leave(slot))
        #expect(board.snapshot().active[1] == 0)
        let (requests, left, bad) = board.openRequests(0)
        #expect(requests.isEmpty)
        #expect(bad == 0)
        #expect(left.map(\.path) == ["/hang"])
        board.writer.handlerEnded(slot)
        #expect(board.openRequests(0).left.isEmpty)
        #expect(board.snapshot().active[1] == 0)
        // Most slots are for requests in flight.
        var kept = 0
        for _ in 0..<BoardLayout.slots where board.writer.leave(try #require(board.open())) { kept += 1 }
        #expect(kept == BoardLayout.leftMax)
        #expect(board.snapshot().active[1] == 0)
        #expect(board.openRequests(0).left.count == kept)
    }

    @Test func whatTheEndWaitsForAndWhatTheModuleHas() throws {
        let board = try BoardEnds()
        #expect(board.handlers == [])
        board.writer.setHandlers([.scheduled])
        board.writer.setPending(BoardPending(promises: 3, runs: 1))
        #expect(board.handlers == [.scheduled])
        #expect(board.pending == BoardPending(promises: 3, runs: 1))
    }

    @Test func endHeadsPassTheEndOf32Bits() throws {
        let board = try BoardEnds()
        let slot = try #require(board.open())
        board.writer.end(slot, ringHead: 16)
        #expect(board.openRequests(0xFFFF_FFF0).requests.count == 1)
        #expect(board.openRequests(16).requests.isEmpty)
        board.writer.end(slot, ringHead: 0xFFFF_FFF8)
        #expect(board.openRequests(8).requests.isEmpty)
    }

    @Test func aRequestTooManyHasNoSlotAndIsCountedAllTheSame() throws {
        let board = try BoardEnds()
        var slots: [Int] = []
        for _ in 0..<BoardLayout.slots { slots.append(try #require(board.open())) }
        #expect(Set(slots).count == BoardLayout.slots)
        #expect(board.open() == nil)
        let snapshot = board.snapshot()
        #expect(snapshot[.slotsFull] == 1)
        #expect(snapshot.active[1] == 1025)
        board.writer.closeUnslotted(method: 1, flags: .sampled)
        for slot in slots { board.writer.free(slot) }
        #expect(board.snapshot().active[1] == 0)
        #expect(board.open() != nil)
    }

    @Test func longTextsAreCut() throws {
        let board = try BoardEnds()
        _ = board.open(
            method: 0, text: String(repeating: "M", count: 99), target: "/" + String(repeating: "x", count: 500))
        let request = board.openRequests(0).requests[0]
        #expect(request.method == String(repeating: "M", count: 16))
        #expect(request.target.utf8.count == 184)
    }

    @Test(arguments: [
        ("/", "/"), ("/a/b?c#d", "/a/b"), ("http://x/y?z", "/y"), ("http://x", "/"), ("*", "*"),
        ("/a?u=http://x/", "/a"), ("", ""),
    ])
    func theTargetsPath(_ target: String, _ path: String) throws {
        let board = try BoardEnds()
        _ = board.open(target: target)
        #expect(board.openRequests(0).requests[0].path == path)
    }

    // MARK: histograms

    @Test func seriesAreFoundAgainAndHoldWhatWasRecorded() throws {
        let board = try BoardEnds()
        let plain = board.series(get200)
        let routed = board.series(get200, route: "/items/:id")
        let failed = board.series(get200, route: "/items/:id", error: "TypeError")
        #expect(Set([plain, routed, failed]).count == 3)
        for _ in 0..<3 {
            #expect(board.series(get200, route: "/items/:id") == routed)
            #expect(board.series(get200) == plain)
        }
        board.writer.record(routed, seconds: 0.005)
        board.writer.record(routed, seconds: 0.3)
        board.writer.record(routed, seconds: 100)
        board.writer.record(routed, seconds: .nan)
        board.writer.record(routed, seconds: -1)
        let snapshot = board.snapshot()
        #expect(snapshot.series.count == 1)
        let (key, histogram) = try #require(snapshot.series.first)
        #expect(key.route == "/items/:id")
        #expect(key.status == 200)
        #expect(key.protocolVersion == "1.1")
        #expect(histogram.count == 3)
        #expect(histogram.buckets[5] == 1)
        #expect(histogram.buckets[12] == 1)
        #expect(histogram.buckets[19] == 1)
        #expect(histogram.min == 0.005)
        #expect(histogram.max == 100)
        #expect(abs(histogram.sum - 100.305) < 1e-9)
    }

    /// A bucket takes what is up to its bound, and no text of the series stands in one.
    @Test func everyBucketHasItsBound() throws {
        let board = try BoardEnds()
        let text = String(repeating: "x", count: 100)
        let index = board.series(get200, route: text, error: text)
        for bound in BoardLayout.durationBounds {
            board.writer.record(index, seconds: bound)
            board.writer.record(index, seconds: bound.nextUp)
        }
        let (key, histogram) = try #require(board.snapshot().series.first)
        #expect(histogram.buckets == [1] + [UInt64](repeating: 2, count: BoardLayout.durationBuckets - 2) + [1])
        #expect((key.route.count, key.errorType.count) == (BoardLayout.routeBytesMax, BoardLayout.errorBytesMax))
    }

    @Test func aSeriesThatIsDefinedAgainStaysWhatItWas() throws {
        let board = try BoardEnds()
        let index = board.series(get200, route: "/first")
        board.writer.record(index, seconds: 1)
        _ = board.snapshot()
        let at = board.mapping.baseAddress + BoardLayout.seriesOffset(index)
        for status in 100..<600 as Range<UInt16> {
            at.storeBytes(of: status, toByteOffset: BoardLayout.Series.status, as: UInt16.self)
            at.storeBytes(of: UInt16(status), toByteOffset: BoardLayout.Series.port, as: UInt16.self)
            board.writer.record(index, seconds: 1)
            #expect(board.snapshot().series.count == 1)
        }
        let (key, histogram) = try #require(board.snapshot().series.first)
        #expect((key.route, key.status, histogram.count) == ("/first", 200, 501))
    }

    @Test func seriesBeyondTheTableGoToOverflow() throws {
        let board = try BoardEnds()
        for route in 0..<400 { board.writer.record(board.series(get200, route: "/\(route)"), seconds: 1) }
        let client = BoardSeriesHead(
            .clientDuration, method: 1, status: 200, isHTTPS: true, protocolVersion: 3, port: 443)
        board.writer.record(board.series(client, host: "example.org"), seconds: 2)
        let snapshot = board.snapshot()
        #expect(snapshot.series.count == 254 + 2)
        var overflow = BoardSnapshot.SeriesKey(kind: .serverDuration)
        overflow.isOverflow = true
        #expect(snapshot.series[overflow]?.count == 146)
        overflow.kind = .clientDuration
        #expect(snapshot.series[overflow]?.sum == 2)
        #expect(snapshot[.seriesFull] == 147)
    }

    @Test func fetchesAreSeriesByServerAndOutcome() throws {
        let board = try BoardEnds()
        func head(_ method: UInt8, _ status: UInt16, port: UInt16 = 443) -> BoardSeriesHead {
            BoardSeriesHead(
                .clientDuration, method: method, status: status, isHTTPS: true, protocolVersion: 3, port: port)
        }
        // Servers take turns at one place of the cache.
        for _ in 0..<3 {
            for host in ["a.test", "b.test", "c.test"] {
                board.writer.record(board.series(head(1, 200), host: host), seconds: 0.25)
            }
            board.writer.record(board.series(head(1, 200, port: 8443), host: "a.test"), seconds: 0.25)
            board.writer.record(board.series(head(10, 999), error: "999", host: "a.test"), seconds: 0.25)
            board.writer.record(board.series(head(1, 0), error: "refused", host: "a.test"), seconds: 0.25)
            board.writer.record(
                board.series(head(1, 0), error: "refused", host: String(repeating: "h", count: 100)), seconds: 0.25)
        }
        let series = board.snapshot().series
        #expect(series.count == 7)
        #expect(series.values.allSatisfy { $0.count == 3 && $0.sum == 0.75 })
        var metrics = BoardMetrics(startTime: 0)
        let points = metrics.points([board.snapshot()], time: 1)
        func attributes(_ error: AttributeValue?, _ status: AttributeValue?) -> Attributes? {
            points.first { point in
                point.attributes["error.type"] == error && point.attributes["http.response.status_code"] == status
                    && point.attributes["server.address"] == "a.test"
                    && point.instrument.name == "http.client.request.duration"
            }?.attributes
        }
        let odd = try #require(attributes("999", 999))
        #expect(odd["http.request.method"] == "QUERY" && odd["server.port"] == 443 && odd["url.scheme"] == "https")
        #expect(odd["network.protocol.version"] == "2")
        #expect(attributes("refused", nil)?["http.route"] == nil)
        #expect(series.keys.contains { $0.host == String(repeating: "h", count: BoardLayout.hostBytesMax) })
    }

    // MARK: hostile bytes

    @Test(arguments: [0x00, 0x01, 0x02, 0x7F, 0x80, 0xFF] as [UInt8])
    func aBoardFullOfOneByteDoesNoHarm(_ byte: UInt8) throws {
        let board = try BoardEnds()
        board.writer.add(.requests, 4)
        _ = board.snapshot()
        board.fill(byte)
        let snapshot = board.snapshot()
        #expect(snapshot[.requests] == 4 || byte == 0 || snapshot[.requests] <= 1 << 53)
        #expect(snapshot[.requests] >= 4)
        _ = board.openRequests(0)
        var metrics = BoardMetrics(startTime: 1)
        for point in metrics.points([snapshot, snapshot], time: 2) { #expect(point.value.isFinite) }
    }

    @Test func randomBoardsNeverGoBackAndStayFinite() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        let board = try BoardEnds()
        var metrics = BoardMetrics(startTime: 0)
        var before: [BoardSnapshot.SeriesKey: BoardSnapshot.Histogram] = [:]
        for round in 0..<60 {
            let words = (BoardLayout.byteCount - 64) / 8
            for word in 0..<words where random.next() & 3 == 0 {
                board.mapping.store(random.next() >> (random.next() & 63), at: 64 + 8 * word)
            }
            let snapshot = board.snapshot()
            for (key, histogram) in snapshot.series {
                #expect(
                    histogram.sum.isFinite && histogram.count >= before[key]?.count ?? 0, "seed \(seed) round \(round)")
            }
            before = snapshot.series
            for point in metrics.points([snapshot], time: 5) {
                #expect(
                    point.value.isFinite && point.value >= 0, "seed \(seed) round \(round) \(point.instrument.name)")
            }
            for request in board.openRequests(UInt32(truncatingIfNeeded: random.next())).requests {
                #expect(request.target.utf8.count <= 3 * 184)
            }
            if round % 10 == 9 { metrics.retire(snapshot) }
        }
    }

    // MARK: two threads

    /// The sum of 1-second observations is the count, give or take what is being recorded while the reader looks.
    @Test func aReaderBesideTheWriterSeesOnlyWhatCanBe() throws {
        let mapping = try BoardMapping()
        let rounds = 200_000
        let done = Atomic<Bool>(false)
        try withThread({
            let writer = BoardWriter(mapping)
            let ids = [UInt8](repeating: 1, count: 32)
            for round in 0..<rounds {
                writer.add(.requests)
                let slot = ids.withUnsafeBytes {
                    writer.open(
                        ids: $0.baseAddress!, startTime: 1, flags: .sampled, method: 1, methodText: BoardWriter.none,
                        target: BoardWriter.none)
                }
                var route = UInt8(truncatingIfNeeded: round & 15)
                let series = withUnsafeBytes(of: &route) { writer.series(get200, route: $0) }
                writer.record(series, seconds: 1)
                writer.end(slot!, ringHead: UInt32(round))
                writer.free(slot!)
                writer.loopDelay(UInt64(round))
                writer.collection(.minor, 5)
                writer.space(0, name: "new_space", used: 1, size: 2, available: 3, physical: 4)
            }
            done.store(true, ordering: .releasing)
        }) {
            var reader = BoardReader(mapping)
            var last = BoardSnapshot()
            while true {
                let finished = done.load(ordering: .acquiring)
                let snapshot = reader.snapshot()
                #expect(snapshot[.requests] >= last[.requests])
                for (key, histogram) in snapshot.series {
                    #expect(histogram.count >= last.series[key]?.count ?? 0)
                    #expect(histogram.sum >= Double(histogram.count))
                    #expect(histogram.min == 1 && histogram.max == 1)
                }
                last = snapshot
                if finished { break }
            }
            #expect(last.series.values.reduce(0) { $0 + $1.count } == UInt64(rounds))
            #expect(last.series.values.allSatisfy { $0.sum == Double($0.count) })
            #expect(last.active[1] == 0)
            #expect(reader.openRequests(consumed: 0).requests.isEmpty)
        }
    }
}

/// Runs `other` on a thread of its own beside `body`.
private func withThread(_ other: @escaping @Sendable () -> Void, _ body: () throws -> Void) throws {
    final class Box { let run: @Sendable () -> Void; init(_ run: @escaping @Sendable () -> Void) { self.run = run } }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(other))
    let code = pthread_create(
        &thread, nil,
        {
            Unmanaged<Box>.fromOpaque($0!).takeRetainedValue().run(); return nil
        }, box.toOpaque())
    try #require(code == 0)
    defer { pthread_join(thread, nil) }
    try body()
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

/// What `health` of a module says.
@Suite struct BoardHealthTests {
    private static func say(_ ends: BoardEnds, _ status: BoardHealth.Status, _ reason: String) {
        Array(reason.utf8).withUnsafeBytes { ends.writer.setHealth(status, reason: $0) }
    }

    @Test func isReadAsItWasWritten() throws {
        let ends = try BoardEnds()
        #expect(ends.health() == nil)
        Self.say(ends, .warn, "disk at 91 %")
        #expect(ends.health() == BoardHealth(status: .warn, reason: "disk at 91 %", answers: 1))
        Self.say(ends, .pass, "")
        #expect(ends.health() == BoardHealth(status: .pass, reason: "", answers: 2))
        let long = String(repeating: "é", count: 200)
        Self.say(ends, .fail, long)
        #expect(ends.health() == BoardHealth(status: .fail, reason: String(repeating: "é", count: 128), answers: 3))
    }

    @Test func whatIsBeingWrittenIsNotRead() throws {
        let ends = try BoardEnds()
        Self.say(ends, .pass, "")
        let at = ends.mapping.baseAddress + BoardLayout.Header.health
        let word = at.load(as: UInt64.self)
        at.storeBytes(of: word | 1 << 32, as: UInt64.self)
        #expect(ends.health() == nil)
        // One that died then wrote nothing: who takes its place begins anew.
        Self.say(ends, .fail, "x")
        #expect(ends.health()?.reason == "x")
    }

    @Test func hostileBytesMakeNoStatus() throws {
        let ends = try BoardEnds()
        let at = ends.mapping.baseAddress + BoardLayout.Header.health
        for (status, count) in [(0, 0), (4, 0), (255, 0), (1, 257), (3, 65_535)] as [(UInt64, UInt64)] {
            at.storeBytes(of: status | count << 8 | 2 << 32, as: UInt64.self)
            #expect(ends.health() == nil)
        }
        ends.fill(0xFF)
        #expect(ends.health() == nil)
        ends.fill(0x02)
        #expect(ends.health() == nil)
        at.storeBytes(of: 3 | 256 << 8 | 2 << 32, as: UInt64.self)
        #expect(ends.health()?.reason.unicodeScalars.count == 256)
    }

    /// One thread writes what another reads: a reason always belongs to its status.
    @Test func aReasonBelongsToItsStatus() throws {
        let mapping = try BoardMapping()
        let isOver = Flag()
        try withThread({
            let writer = BoardWriter(mapping)
            for round in 0..<50_000 {
                let status: BoardHealth.Status = [.pass, .warn, .fail][round % 3]
                let text = [UInt8](repeating: 0x60 + status.rawValue, count: 8 * (1 + round % 30))
                text.withUnsafeBytes { writer.setHealth(status, reason: $0) }
            }
            isOver.value.store(true, ordering: .releasing)
        }) {
            let reader = BoardReader(mapping)
            while !isOver.value.load(ordering: .acquiring) {
                guard let health = reader.health() else { continue }
                let wanted = Unicode.Scalar(0x60 + health.status.rawValue)
                #expect(health.reason.unicodeScalars.allSatisfy { $0 == wanted })
            }
            #expect(reader.health()?.answers == 50_000)
        }
    }

    private final class Flag: Sendable {
        let value = Atomic<Bool>(false)
    }
}
