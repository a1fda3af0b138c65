// Which endpoint of a service is next, and when its name is asked for again. A machine without clock, randomness and I/O. RFC 2782.
//
// Of the endpoints of the lowest priority at which one works, one is chosen by chance, in proportion to their weights. One that failed is left alone for a
// second, doubled with each failure up to half a minute; then one request goes there, and the rest when that has worked. If all of them fail, the one is asked
// whose time comes first: whoever sends has delays of its own.
//
// The name is asked for again when its time to live is over, but not more often than every 5 s and at least every 5 minutes; an endpoint that fails brings
// that forward, since it may have moved. When there is no answer, what the last one said stands, however old it is.
//
// A registry is asked more often, each second at most; one that answers when something changes is asked again after each answer. A registry that has lost its
// memory says that there is no instance, and hears of them again within seconds: so an empty answer after another is believed when it has stood for 30 s.

public import System

/// One host and port, and where that is if it was asked for.
public struct ServiceEndpoint: Hashable, Sendable {
    public var host: String
    public var port: UInt16
    /// Of the host, IPv4 or IPv6 as text; nil: whoever connects looks it up.
    public var address: String?

    public init(host: String, port: UInt16, address: String? = nil) {
        self.host = host
        self.port = port
        self.address = address
    }

    /// As in a URL: an IPv6 address in brackets, and the port.
    public var place: String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

public struct ServiceTable: Sendable {
    /// How often is asked. Nanoseconds.
    struct Pace: Sendable {
        /// Between two questions, unless the first has failed.
        var livesMin: UInt64
        var livesMax: UInt64
        /// Between two questions that fail.
        var delayMax: UInt64
        /// How long an empty answer must have stood that comes after another.
        var doubt: UInt64

        static let names = Pace(
            livesMin: 5_000_000_000, livesMax: 300_000_000_000, delayMax: 30_000_000_000, doubt: 0)
        static let registries = Pace(
            livesMin: 1_000_000_000, livesMax: 300_000_000_000, delayMax: 5_000_000_000, doubt: 30_000_000_000)
    }

    static let failureDelayMin: UInt64 = 1_000_000_000
    /// Of an endpoint.
    static let failureDelayMax: UInt64 = 30_000_000_000

    private struct Entry: Sendable {
        var endpoint: ServiceEndpoint
        var priority: UInt16
        /// In proportion to the record's, shared by the addresses of its host.
        var weight: UInt64
        var failures = 0
        /// It is not chosen before, while others may be.
        var notBefore: UInt64 = 0
        /// A request is out that shows whether it works again.
        var isProbed = false
    }

    private let pace: Pace
    private var entries: [Entry] = []
    /// What `entries` was made of.
    private var records: [ServiceRecord] = []
    /// Since when the answers are empty that are not believed.
    private var emptySince: UInt64?
    private var askedAt: UInt64?
    private var failuresInARow = 0
    private var nextAt: UInt64 = 0
    private var isAsking = false
    /// Why the last question had no answer; nil: it had one.
    public private(set) var failure: ServiceFailure?
    /// Whether there has been an answer or a failure.
    public private(set) var isSettled = false
    /// Of the last answer, for the next question.
    public private(set) var version: UInt64?
    /// Questions that were answered, and those that were not.
    public private(set) var answered = 0
    public private(set) var failed = 0

    public init(of source: ServiceQuestion.Source = .dns) { pace = source == .dns ? .names : .registries }

    public var endpoints: [ServiceEndpoint] { entries.map(\.endpoint) }

    // MARK: Questions

    /// When to ask again; nil: a question is out.
    public var wakeAt: UInt64? { isAsking ? nil : nextAt }

    /// Whether the name is to be asked for now. True: it counts as asked, and `take` is to follow.
    public mutating func asks(now: UInt64) -> Bool {
        guard !isAsking, now >= nextAt else { return false }
        isAsking = true
        askedAt = now
        return true
    }

    /// - Parameter random: 64 random bits.
    public mutating func take(_ result: Result<ServiceAnswer, ServiceFailure>, now: UInt64, random: UInt64) {
        isAsking = false
        isSettled = true
        switch result {
        case .success(let answer):
            answered += 1
            failure = nil
            failuresInARow = 0
            version = answer.version
            nextAt =
                version == nil
                ? now + min(max(UInt64(answer.seconds) * 1_000_000_000, pace.livesMin), pace.livesMax)
                : max(now, (askedAt ?? now) + pace.livesMin)
            if !isDoubted(answer.records, now) { replace(answer.records) }
        case .failure(let why):
            failed += 1
            failure = why
            failuresInARow += 1
            version = nil
            let delay = min(Self.delay(failuresInARow), pace.delayMax)
            // The upper half is left to chance, so that many agents do not ask at once.
            nextAt = now + delay / 2 + random.multipliedFullWidth(by: delay / 2 + 1).high
        }
    }

    /// Whether it is empty, and was not long enough.
    private mutating func isDoubted(_ records: [ServiceRecord], _ now: UInt64) -> Bool {
        guard records.isEmpty, !entries.isEmpty else {
            emptySince = nil
            return false
        }
        let since = emptySince ?? now
        emptySince = since
        return now < since + pace.doubt
    }

    /// Nothing was asked for a while: an answer is waited for; if there is none, what is known stands.
    public mutating func unsettle() {
        guard !isAsking else { return }
        (isSettled, version, nextAt) = (false, nil, 0)
    }

    private static func delay(_ failures: Int) -> UInt64 {
        min(failureDelayMin << UInt64(min(failures - 1, 8)), failureDelayMax)
    }

    /// What stays keeps what is known of it.
    private mutating func replace(_ records: [ServiceRecord]) {
        guard records != self.records else { return }
        self.records = records
        let before = entries
        entries = []
        for record in records {
            let addresses: [String?] = record.addresses.isEmpty ? [nil] : record.addresses
            for address in addresses {
                let endpoint = ServiceEndpoint(host: record.host, port: record.port, address: address)
                guard !entries.contains(where: { $0.endpoint == endpoint }) else { continue }
                // A weight of 0 is to have a small chance beside others.
                let weight = (UInt64(record.weight) << 16 + 1) / UInt64(addresses.count) + 1
                var entry = Entry(endpoint: endpoint, priority: record.priority, weight: weight)
                if let old = before.first(where: { $0.endpoint == endpoint }) {
                    (entry.failures, entry.notBefore) = (old.failures, old.notBefore)
                }
                entries.append(entry)
            }
        }
    }

    // MARK: Endpoints

    /// Where the next request goes; nil: there is none. `note` is to follow.
    /// - Parameter random: 64 random bits.
    public mutating func next(now: UInt64, random: UInt64) -> ServiceEndpoint? {
        let usable = entries.indices.filter { entries[$0].notBefore <= now }
        let chosen: Int
        if let priority = usable.map({ entries[$0].priority }).min() {
            chosen = byWeight(usable.filter { entries[$0].priority == priority }, random)
        } else if let first = entries.indices.min(by: { entries[$0].notBefore < entries[$1].notBefore }) {
            chosen = first
        } else {
            return nil
        }
        // Nobody else goes there until it is known whether it works again.
        if entries[chosen].failures > 0 {
            entries[chosen].notBefore = now + Self.delay(entries[chosen].failures)
            entries[chosen].isProbed = true
        }
        return entries[chosen].endpoint
    }

    private func byWeight(_ candidates: [Int], _ random: UInt64) -> Int {
        let total = candidates.reduce(0) { $0 + entries[$1].weight }
        var left = random.multipliedFullWidth(by: total).high
        for index in candidates {
            if left < entries[index].weight { return index }
            left -= entries[index].weight
        }
        return candidates[candidates.count - 1]
    }

    /// Whether another endpoint than those that fail could be tried.
    public func hasUsable(now: UInt64) -> Bool { entries.contains { $0.notBefore <= now } }

    /// What came of a request. One that has gone meanwhile is nobody's business any more.
    public mutating func note(_ endpoint: ServiceEndpoint, hasWorked: Bool, now: UInt64) {
        guard let index = entries.firstIndex(where: { $0.endpoint == endpoint }) else { return }
        // Requests that were under way together fail together: that is one failure.
        let counts = entries[index].failures == 0 || entries[index].isProbed
        entries[index].isProbed = false
        guard !hasWorked else {
            (entries[index].failures, entries[index].notBefore) = (0, 0)
            return
        }
        if counts { entries[index].failures += 1 }
        entries[index].notBefore = now + Self.delay(entries[index].failures)
        if failure == nil { nextAt = min(nextAt, max(now, (askedAt ?? 0) + pace.livesMin)) }
    }
}
