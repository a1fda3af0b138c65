// The thread that reads files: it looks what is new, makes records of the lines, and hands them to the server's thread, one delivery at a time. While that one is
// written the next is gathered. One that is refused comes again until it is taken, and meanwhile nothing further is read: what waits for a backend that is away lies in
// the files and takes no memory.

internal import Configuration
internal import Linux
internal import Logs
internal import Synchronization
internal import System
internal import Telemetry

final class LogTailLoop {
    /// A delivery that has as much goes; one that has less goes when there is nothing more to read. A turn of the server's thread stays short by it.
    private static let deliveryBytesMax = 1 << 20
    /// A smaller queue gets what takes this part of it.
    private static let deliveriesAQueue = 4
    private static let deliveryItems: UInt64 = 8_192
    /// What has been gathered for so long goes.
    private static let gatherNanoseconds: UInt64 = 100_000_000
    /// Of files, in one turn of the tailer; between two, orders are looked at.
    private static let turnBytes = 256 << 10
    /// Between two looks at files in which there was little: what is written line by line is read many lines at a time.
    private static let restNanoseconds: UInt64 = 5_000_000
    /// Between two tries of a delivery that was refused.
    private static let retryNanoseconds: ClosedRange<UInt64> = 200_000_000...1_000_000_000
    /// Until one is tried again for which the store had no room.
    private static let storeNanoseconds: UInt64 = 20_000_000
    /// How often files are looked for while nothing is read: those that come and go meanwhile have to be open before they go.
    private static let lookNanoseconds: UInt64 = 1_000_000_000
    private static let lagsMax = 64
    /// Between two looks at the counts of all files.
    private static let publishNanoseconds: UInt64 = 100_000_000

    private let shared: LogTail.Shared
    private let surroundings: LogTail.Surroundings
    private var files = LinuxTailFiles()
    private var tailer: Tailer?
    private var workspaces: [(receiver: String, workspace: LogWorkspace)] = []
    private var counts = LogTailCounts()
    /// Of records, when the last delivery was made.
    private var recordsBefore: UInt64 = 0
    /// There was a turn since.
    private var hasTurned = false

    /// On its way, until it is taken.
    private var delivery: LogDelivery?
    private var isWithServer = false
    /// When one that was refused is tried again.
    private var retryAt: UInt64?
    private var retryWait: UInt64 = 0
    private var notices = FailureNotices()
    private var publishesAt: UInt64 = 0
    private var deliveryBytes = LogTailLoop.deliveryBytesMax
    private var fileNotices = FailureNotices()
    private var failuresSeen: UInt64 = 0

    init(_ shared: LogTail.Shared, _ surroundings: LogTail.Surroundings) {
        self.shared = shared
        self.surroundings = surroundings
    }

    private var now: UInt64 { surroundings.clock.monotonicNanoseconds() }

    func run() {
        var restsUntil: UInt64 = 0
        var looksAt: UInt64 = 0
        var sendsAt: UInt64 = 0
        while true {
            let orders = takeOrders()
            takeReceipt()
            if let end = orders.endsAt {
                if !isWithServer, retryAt != nil || !sendGathered() || now >= end { return }
                if now >= end { return }
                wait(until: end)
                continue
            }
            if orders.isPaused {
                if !isWithServer {
                    shared.isIdle.withLock { $0 = true }
                    shared.isIdle.wake()
                }
                wait(until: nil)
                continue
            }
            if let retryAt, now >= retryAt { send() }
            if hasEnough, delivery != nil {
                // Nothing more is read before it is taken; but who comes is seen, and held open.
                if now >= looksAt {
                    looksAt = now + Self.lookNanoseconds
                    if retryAt != nil { _ = turn(0) }
                    publish()
                }
                wait(until: min(retryAt ?? .max, looksAt))
                continue
            }
            if now < restsUntil {
                wait(until: restsUntil)
                continue
            }
            let (canGoOn, wakeAt) = turn(Self.turnBytes)
            // A long line, or a gap, may be read for minutes and give nothing; what others gave does not wait for it.
            if canGoOn, !hasEnough, now < sendsAt { continue }
            sendsAt = now + Self.gatherNanoseconds
            if delivery == nil { _ = sendGathered() }
            publish()
            guard !canGoOn else { continue }
            restsUntil = now + Self.restNanoseconds
            wait(until: min(wakeAt ?? .max, retryAt ?? .max), files: true)
        }
    }

    private func wait(until time: UInt64?, files isWoken: Bool = false) {
        var poller = Poller([shared.wake.fileDescriptor, isWoken ? files.fileDescriptor : -1])
        let now = now
        let left: UInt64? = time == nil || time == .max ? nil : time! > now ? time! - now : 0
        do throws(SystemCallError) { try poller.wait(nanoseconds: left) } catch { fatalError("\(error)") }
        if poller.isReady(0) { shared.wake.clear() }
    }

    // MARK: Orders

    private func takeOrders() -> LogTail.Shared.Orders {
        let orders = shared.orders.withLock { orders in
            defer { orders.sources = nil }
            return orders
        }
        deliveryBytes = min(Self.deliveryBytesMax, orders.queueBytes / Self.deliveriesAQueue)
        if let sources = orders.sources { begin(sources, orders.limits) }
        return orders
    }

    /// Begins with what is kept of the places: what was read and not taken is read again.
    private func begin(_ sources: [LogSourceSettings], _ limits: TailLimits) {
        delivery = nil
        retryAt = nil
        files = LinuxTailFiles()
        workspaces = sources.map { ($0.configuration.name, LogWorkspace()) }
        recordsBefore = 0
        let settings = Dictionary(uniqueKeysWithValues: sources.map { ($0.configuration.name, $0.format) })
        let workspaces = Dictionary(uniqueKeysWithValues: workspaces.map { ($0.receiver, $0.workspace) })
        tailer = Tailer(
            files, sources.map(\.tail), positions: surroundings.positions, limits: limits,
            isFull: { [unowned self] in hasEnough },
            makeSink: { source, resume in
                LogFormatter(source, settings[source.receiver]!, workspaces[source.receiver]!, resume: resume)
            })
    }

    // MARK: Reading

    private var records: UInt64 { workspaces.reduce(0) { $0 &+ $1.workspace.counts.records } }

    private var hasEnough: Bool {
        records &- recordsBefore >= Self.deliveryItems
            || workspaces.reduce(0) { $0 + $1.workspace.bytesWaiting } >= deliveryBytes
    }

    private func turn(_ bytes: Int) -> (canGoOn: Bool, wakeAt: UInt64?) {
        guard let tailer else { return (false, nil) }
        hasTurned = true
        return tailer.turn(bytesMax: bytes, now: now, observed: surroundings.clock.unixNanoseconds())
    }

    // MARK: Handing over

    /// False: there was nothing, or one is on its way.
    private func sendGathered() -> Bool {
        guard delivery == nil, hasTurned, let tailer else { return false }
        hasTurned = false
        let parts = workspaces.compactMap { receiver, workspace -> (receiver: String, batches: [Batch])? in
            let batches = workspace.takeBatches()
            return batches.isEmpty ? nil : (receiver, batches)
        }
        recordsBefore = records
        let mark = tailer.mark()
        guard !parts.isEmpty || mark != nil else { return false }
        delivery = LogDelivery(parts, mark)
        send()
        return true
    }

    private func send() {
        guard let delivery else { return }
        retryAt = nil
        isWithServer = true
        surroundings.server.perform { [shared, surroundings] in
            let receipt = surroundings.intake.take(delivery, surroundings.positions)
            shared.receipt.withLock { $0 = receipt }
            shared.wake.signal()
        }
    }

    private func takeReceipt() {
        guard isWithServer, let receipt = shared.receipt.withLock({ $0.take() }), let sent = delivery else { return }
        isWithServer = false
        for (receiver, batches) in sent.parts {
            var count = counts.receivers[receiver] ?? LogTailCounts.Receiver()
            switch receipt {
            case .taken:
                count.taken += 1
                count.items += batches.reduce(0) { $0 + UInt64($1.items.count) }
            case .refused(.full): count.full += 1
            case .refused(.storeBehind): break
            case .refused(.failed): count.failed += 1
            }
            counts.receivers[receiver] = count
        }
        switch receipt {
        case .taken:
            delivery = nil
            retryWait = 0
            if notices.tellsSuccess() { surroundings.messages.inform("files are read on") }
        case .refused(.storeBehind): retryAt = now + Self.storeNanoseconds
        case .refused(let reason):
            retryWait = min(max(retryWait * 2, Self.retryNanoseconds.lowerBound), Self.retryNanoseconds.upperBound)
            retryAt = now + retryWait
            guard notices.tellsFailure(now: now) else { return }
            let why = if case .failed(let words) = reason { words } else { "no queue has room" }
            surroundings.messages.warn("files are not read on for now (\(why)); what is in them waits there")
        }
    }

    private func publish() {
        let now = now
        guard now >= publishesAt else { return }
        publishesAt = now + Self.publishNanoseconds
        for (receiver, workspace) in workspaces {
            counts.receivers[receiver, default: LogTailCounts.Receiver()].lines = workspace.counts
        }
        if let tailer {
            counts.tail = tailer.counts
            counts.lags = tailer.mostLagging(Self.lagsMax)
        }
        shared.counts.withLock { $0 = counts }
        if counts.tail.failures > failuresSeen, fileNotices.tellsFailure(now: now) {
            surroundings.messages.warn("\(counts.tail.failedPath ?? "a file") cannot be read; it is tried again")
        }
        failuresSeen = counts.tail.failures
    }
}
