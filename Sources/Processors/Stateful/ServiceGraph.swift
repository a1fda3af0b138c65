// Who asks whom: a client's span and the server's span that is its child are the two sides of one request. The side that
// comes first waits for the other, for `wait`; what then has found none becomes an edge to a node that is not seen itself,
// where the span names one (a database, `peer.service`), or the user for a root; else it is counted as unpaired.

internal import Configuration
internal import System
internal import Telemetry
internal import Wire

final class ServiceGraph: StatefulProcessor {
    /// One side of a request that waits for the other.
    private struct Side {
        let trace: TraceID
        /// Of the client's span.
        let span: SpanID
        let isClient: Bool
        /// A producer or a consumer. A producer's message may have several consumers.
        let isMessage: Bool
        let service: [UInt8]
        /// What the client's span says it asks; empty: nothing.
        let peer: [UInt8]
        let hasFailed: Bool
        let seconds: Double
        var hasPartner = false
        let since: UInt64
        // Neighbours in the order of `since`; -1: none.
        var previous = -1
        var next = -1
    }

    private struct Edge {
        var requests: UInt64 = 0
        var failed: UInt64 = 0
        var server: LatencyHistogram
        var client: LatencyHistogram
    }

    static let scope = "sidelight.service-graph"
    /// Of a service's or a peer's name; the rest is cut off.
    static let nameBytesMax = 256
    private static let unknownService = Array("unknown_service".utf8)
    private static let user = Array("user".utf8)

    private let configuration: ServiceGraphConfiguration
    private let clock: any SystemClock
    private let shape: HistogramShape
    private let peerKeys: [[UInt8]]

    private var sides: [Side?] = []
    private var free: [Int] = []
    private var index = HashIndex()
    private var first = -1
    private var last = -1
    private var edges: SeriesTable<Edge>
    private var now: UInt64 = 0
    private var due: UInt64?
    private var books: StatefulBooks

    init(_ configuration: ServiceGraphConfiguration, name: String, clock: any SystemClock) {
        self.configuration = configuration
        self.clock = clock
        shape = .explicit(configuration.boundsNanoseconds.map { Double($0) / 1e9 })
        peerKeys = configuration.peers.map { Array($0.utf8) }
        edges = SeriesTable(seriesMax: configuration.seriesMax)
        books = StatefulBooks(name)
    }

    // MARK: the seam

    func take(_ batches: [Batch], now: UInt64, _ output: inout ProcessorOutput) {
        self.now = max(self.now, now)
        for batch in batches {
            books.received(batch.signal, batch.items.count)
            books.passed(batch.signal, batch.items.count)
            if batch.signal == .traces { look(batch) }
        }
        output.batches += batches
        work(&output)
    }

    func tick(now: UInt64, _ output: inout ProcessorOutput) {
        self.now = max(self.now, now)
        work(&output)
    }

    /// What still waits is told as if its time were up.
    func end(now: UInt64, _ output: inout ProcessorOutput) {
        self.now = max(self.now, now)
        while first >= 0 { expire() }
        if due != nil { leave(&output) }
    }

    var wakeAt: UInt64? {
        guard first >= 0 else { return due }
        return min(due ?? .max, sides[first]!.since &+ configuration.waitNanoseconds)
    }

    var oldestHeld: UInt64? { nil }
    var isFull: Bool { false }
    var counts: ProcessorCounts { books.counts }
    var waiting: Int { index.count }

    private func work(_ output: inout ProcessorOutput) {
        while first >= 0, sides[first]!.since &+ configuration.waitNanoseconds <= now { expire() }
        if let due, due <= now { leave(&output) }
    }

    // MARK: spans

    private func look(_ batch: borrowing Batch) {
        let service = Self.service(batch.resource)
        batch.bytes.withUnsafeBytes { bytes in
            for item in batch.items {
                let isClient = item.kind == SpanKind.client.rawValue || item.kind == SpanKind.producer.rawValue
                let isServer = item.kind == SpanKind.server.rawValue || item.kind == SpanKind.consumer.rawValue
                guard isClient || isServer, item.traceID.isValid, item.spanID.isValid else { continue }
                let (start, length) = (Int(item.offset), Int(item.length))
                var peer: (name: [UInt8], isDatabase: Bool) = ([], false)
                if isClient {
                    guard start + length <= bytes.count,
                        let fields = FieldCursor.item(UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])),
                        let found = self.peer(fields)
                    else {
                        books.note(.unreadable)
                        continue
                    }
                    peer = found
                }
                let side = Side(
                    trace: item.traceID, span: isClient ? item.spanID : item.parentSpanID, isClient: isClient,
                    isMessage: item.kind == SpanKind.producer.rawValue || item.kind == SpanKind.consumer.rawValue,
                    service: service, peer: peer.name, hasFailed: item.status == SpanStatus.Code.error.rawValue,
                    seconds: Double(item.end > item.start ? item.end - item.start : 0) / 1e9, since: now)
                if peer.isDatabase, !peer.name.isEmpty {
                    // Databases send no spans.
                    add(client: service, server: peer.name, .database, failed: side.hasFailed, nil, side.seconds)
                } else if !side.span.isValid {
                    add(client: Self.user, server: service, .virtual, failed: side.hasFailed, side.seconds, nil)
                } else {
                    pair(side)
                }
            }
        }
    }

    private static func service(_ resource: [UInt8]) -> [UInt8] {
        resource.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return unknownService }
            var fields = FieldCursor(base, 0..<bytes.count)
            while fields.next() {
                guard fields.tag == Tag.Resource.attributes, let key = KeptAttributes.key(of: fields),
                    key.elementsEqual("service.name".utf8)
                else { continue }
                return text(of: fields) ?? unknownService
            }
            return unknownService
        }
    }

    /// What a client's span says it asks; nil: the span is malformed.
    private func peer(_ span: FieldCursor) -> (name: [UInt8], isDatabase: Bool)? {
        var fields = span
        var rank = peerKeys.count
        var name: [UInt8] = []
        var isDatabase = false
        while fields.next() {
            guard fields.tag == Tag.Span.attributes, let key = KeptAttributes.key(of: fields) else { continue }
            isDatabase = isDatabase || key.elementsEqual("db.system.name".utf8) || key.elementsEqual("db.system".utf8)
            for number in 0..<rank where peerKeys[number].isEqual(to: key) {
                guard let text = Self.text(of: fields), !text.isEmpty else { continue }
                (rank, name) = (number, text)
                break
            }
        }
        return fields.isBroken ? nil : (name, isDatabase)
    }

    private static func text(of attribute: FieldCursor) -> [UInt8]? {
        var parts = attribute.message
        while parts.next() {
            guard parts.tag == Tag.KeyValue.value else { continue }
            return AnyValueText.withContent(parts.message) { KeptAttributes.cut($0, to: nameBytesMax) }
        }
        return nil
    }

    // MARK: pairs

    private func hash(_ trace: TraceID, _ span: SpanID) -> UInt32 {
        index.hash(trace.low ^ trace.high &* 0x9E37_79B9_7F4A_7C15, span.value)
    }

    private func pair(_ side: Side) {
        let hash = hash(side.trace, side.span)
        var hasPartner = false
        // A client takes all that wait for it; a server has one client.
        while let number = find(side, hash) {
            hasPartner = true
            let other = sides[number]!
            let (client, server) = side.isClient ? (side, other) : (other, side)
            add(
                client: client.service, server: server.service,
                client.isMessage || server.isMessage ? .messaging : .direct,
                failed: client.hasFailed || server.hasFailed, server.seconds, client.seconds)
            if other.isClient, other.isMessage {
                sides[number]!.hasPartner = true
            } else {
                remove(number)
            }
            if !side.isClient { break }
        }
        if !hasPartner || side.isClient && side.isMessage { wait(side, hash, hasPartner: hasPartner) }
    }

    private func find(_ side: Side, _ hash: UInt32) -> Int? {
        let number = index.find(hash) { number in
            let other = sides[Int(number)]!
            return other.span == side.span && other.trace == side.trace && other.isClient != side.isClient
        }
        return number.map { Int($0) }
    }

    private func wait(_ side: Side, _ hash: UInt32, hasPartner: Bool) {
        if index.count >= configuration.spansMax {
            books.note(.unpairedEarly)
            expire()
        }
        var side = side
        side.hasPartner = hasPartner
        side.previous = last
        let number = free.popLast() ?? sides.count
        if number == sides.count { sides.append(side) } else { sides[number] = side }
        if last >= 0 { sides[last]!.next = number } else { first = number }
        last = number
        index.insert(hash, UInt32(number))
    }

    private func remove(_ number: Int) {
        let side = sides[number]!
        if side.previous >= 0 { sides[side.previous]!.next = side.next } else { first = side.next }
        if side.next >= 0 { sides[side.next]!.previous = side.previous } else { last = side.previous }
        index.remove(hash(side.trace, side.span), UInt32(number))
        sides[number] = nil
        free.append(number)
    }

    /// The side that has waited longest has waited enough.
    private func expire() {
        let side = sides[first]!
        remove(first)
        guard !side.hasPartner else { return }
        if side.isClient, !side.peer.isEmpty {
            add(client: side.service, server: side.peer, .virtual, failed: side.hasFailed, nil, side.seconds)
        } else {
            books.note(side.isClient ? .unpairedClient : .unpairedServer)
        }
    }

    // MARK: edges

    private enum Connection: String {
        case direct = ""
        case messaging = "messaging_system"
        case database
        case virtual = "virtual_node"
    }

    private func add(
        client: [UInt8], server: [UInt8], _ connection: Connection, failed: Bool, _ serverSeconds: Double?,
        _ clientSeconds: Double?
    ) {
        var key: [UInt8] = []
        client.withUnsafeBytes { KeptAttributes.append("client", $0, to: &key) }
        server.withUnsafeBytes { KeptAttributes.append("server", $0, to: &key) }
        key += KeptAttributes.text("connection_type", connection.rawValue)
        if due == nil { due = now &+ configuration.everyNanoseconds }
        let number = edges.number(key, now: now, unixNow: clock.unixNanoseconds) {
            Edge(server: LatencyHistogram(shape), client: LatencyHistogram(shape))
        }
        if number == SeriesTable<Edge>.overflow { books.note(.overflow) }
        edges[number].updated = now
        edges[number].value.requests += 1
        if failed { edges[number].value.failed += 1 }
        if let serverSeconds { edges[number].value.server.add(serverSeconds, shape) }
        if let clientSeconds { edges[number].value.client.add(clientSeconds, shape) }
    }

    private func leave(_ output: inout ProcessorOutput) {
        let idle = configuration.idleNanoseconds
        if now >= idle { books.note(.idleSeries, edges.removeIdle(since: now - idle)) }
        due = edges.isEmpty ? nil : now &+ configuration.everyNanoseconds
        guard !edges.isEmpty else { return }
        var metrics = DerivedMetrics(resource: [], scope: Self.scope, time: clock.unixNanoseconds())
        addSum("traces_service_graph_request_total", \.requests, to: &metrics)
        addSum("traces_service_graph_request_failed_total", \.failed, to: &metrics)
        addHistogram("traces_service_graph_request_server_seconds", \.server, to: &metrics)
        addHistogram("traces_service_graph_request_client_seconds", \.client, to: &metrics)
        output.derived.append(metrics.finish())
    }

    private func addSum(_ name: String, _ value: KeyPath<Edge, UInt64>, to metrics: inout DerivedMetrics) {
        let time = metrics.time
        metrics.addSum(name, unit: "{request}") { writer in
            for number in edges.numbers {
                let entry = edges[number]
                MetricFields.putCount(
                    entry.value[keyPath: value], attributes: entry.key, start: entry.start, time: time, into: &writer)
            }
        }
    }

    private func addHistogram(
        _ name: String, _ value: WritableKeyPath<Edge, LatencyHistogram>, to metrics: inout DerivedMetrics
    ) {
        // A metric without points says nothing: of edges whose one side is never seen.
        guard edges.numbers.contains(where: { edges[$0].value[keyPath: value].count > 0 }) else { return }
        let time = metrics.time
        metrics.addHistogram(name, unit: "s", shape) { writer in
            for number in edges.numbers where edges[number].value[keyPath: value].count > 0 {
                let (key, start) = (edges[number].key, edges[number].start)
                edges[number].value[keyPath: value].encode(
                    shape, attributes: key, start: start, time: time, into: &writer)
            }
        }
    }
}
