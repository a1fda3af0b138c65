import Synchronization
public import System

// Where each file is read up to, kept so that a restart neither loses nor repeats (docs/specs/positions-format.md, docs/adr/0018).
//
// Two tables: `current`, what the queues have, and `safe`, what they have also after a loss of power. What a commit changes holds in `current` at once and in `safe`
// when a sync of the queues has ended that began afterwards. Both are what the file's records say when they are applied in order: `places` and committed intents to
// `current`, `checkpoint` to both at the start. Nothing is synced but checkpoints, and a checkpoint's sync covers all that lies before it.

/// The log of places. Any thread.
public final class PositionLog: Sendable {
    private typealias Changes = [UInt64: TailPlace?]

    private struct State {
        var current: [UInt64: TailPlace] = [:]
        var safe: [UInt64: TailPlace] = [:]
        /// What was changed since the last tick, and by earlier ones that no sync covers yet; the last may have grown together from several.
        var fresh: Changes = [:]
        var unsafe: [(ticked: UInt64, changes: Changes)] = []
        /// Covered by a sync of the queues, not yet by a checkpoint.
        var ripe: Changes = [:]
        /// Intents that were neither committed nor abandoned, by mark: one, unless the owner works on several batches.
        var open: [UInt64: PositionRecord] = [:]
        var header: PositionHeader
        /// Of the file.
        var bytes = 0
        /// The last record of the file, if it is an intent.
        var lastIntent: (mark: UInt64, start: Int)?
        /// A record could not be written, or a sync failed: the next tick writes the file anew.
        var isIncomplete = false
        /// What the file ends with is not known any more: nothing is appended until then.
        var isBroken = false
        var counts = PositionCounts()
    }

    private let files: any PositionFiles
    private let state: Mutex<State>
    /// Held by the one that ticks.
    private let ticking = Mutex(())
    /// Receivers of which the file told anything at the start.
    private let receiversFound: Set<String>

    /// The file is written anew when it has as many bytes and most of them are of the past.
    private static let compactionBytes = 1 << 20
    /// Ticks whose changes are told apart; older ones grow together.
    private static let unsafeMax = 8

    /// - Parameters:
    ///   - boot: of the system, another one after each start of it.
    ///   - lastSequence: the highest sequence found in the queue of that name; nil: it has none, or there is no such queue.
    public init(
        _ files: any PositionFiles, boot: String, lastSequence: (_ queue: String) -> UInt64?
    ) throws(PositionFileError) {
        self.files = files
        let bytes = try files.contents()
        var state = State(header: PositionHeader(boot: boot, generation: 1))
        var receivers: Set<String> = []
        if !bytes.isEmpty {
            var reader = PositionReader(bytes)
            do throws(PositionReader.Failure) {
                let header = try reader.header()
                state.header.generation = header.generation &+ 1
                Self.replay(&reader, sameBoot: header.boot == boot, &state, &receivers, lastSequence)
                state.counts.damagedBytes = UInt64(bytes.count - reader.offset)
            } catch {
                if case .version(let version) = error {
                    throw PositionFileError("read \(files.path)", reason: "its version, \(version), is not known")
                }
                // Nothing of it can be told: lines will come twice.
                state.counts.damagedBytes = UInt64(bytes.count)
            }
        }
        // What was committed and is not yet safe becomes so with the next sync.
        for (id, place) in state.current where state.safe[id] != place { state.fresh[id] = .some(place) }
        for id in state.safe.keys where state.current[id] == nil { state.fresh[id] = .some(nil) }
        receiversFound = receivers
        try Self.rewrite(files, &state)
        self.state = Mutex(state)
    }

    private static func replay(
        _ reader: inout PositionReader, sameBoot: Bool, _ state: inout State, _ receivers: inout Set<String>,
        _ lastSequence: (String) -> UInt64?
    ) {
        var intents: [(mark: TailMark, entries: [PositionRecord.Entry])] = []
        while let record = reader.next() {
            switch record {
            case .checkpoint(let places, let forgotten):
                receivers.formUnion(places.map(\.source.receiver))
                apply(places, forgotten, to: &state.safe)
            case .places(let places, let forgotten):
                receivers.formUnion(places.map(\.source.receiver))
                apply(places, forgotten, to: &state.current)
            case .intent(let mark, let entries, let places, let forgotten):
                receivers.formUnion(places.map(\.source.receiver))
                intents.removeAll { $0.mark.number == mark }
                intents.append((TailMark(number: mark, places: places, forgotten: forgotten), entries))
            case .commit(let mark):
                guard let index = intents.firstIndex(where: { $0.mark.number == mark }) else { continue }
                let done = intents.remove(at: index).mark
                apply(done.places, done.forgotten, to: &state.current)
            case .abandon(let mark): intents.removeAll { $0.mark.number == mark }
            }
        }
        if !sameBoot {
            state.counts.powerLosses += 1
            state.current = state.safe
            return
        }
        // The process ended between an intent and what the queues said to it: they tell now.
        for (mark, entries) in intents
        where entries.allSatisfy({ lastSequence($0.queue).map { [wanted = $0.sequence] in $0 >= wanted } ?? false }) {
            apply(mark.places, mark.forgotten, to: &state.current)
        }
    }

    private static func apply(_ places: [TailPlace], _ forgotten: [UInt64], to table: inout [UInt64: TailPlace]) {
        for place in places { table[place.id] = place }
        for id in forgotten { table[id] = nil }
    }

    public var counts: PositionCounts { state.withLock { $0.counts } }

    /// What the queues have: where one begins who reads from now on.
    public var places: [TailPlace] { state.withLock { $0.current.values.sorted { $0.id < $1.id } } }

    /// Receivers of which anything is known: what they find now is not there for the first time.
    public var receivers: Set<String> {
        state.withLock { $0.current.values.reduce(into: receiversFound) { $0.insert($1.source.receiver) } }
    }

    // MARK: Of a batch

    /// Before the queues commit what was made up to `mark`: the entries it is in, by queue (its folder's name). One write(2), no fsync.
    public func intend(_ mark: TailMark, entries: [(queue: String, sequence: UInt64)]) {
        state.withLock { state in
            let entries = entries.map { PositionRecord.Entry(queue: $0.queue, sequence: $0.sequence) }
            let intent = PositionRecord.intent(
                mark: mark.number, entries, mark.places, forgotten: mark.forgotten)
            state.open[mark.number] = intent
            append(intent, &state)
        }
    }

    /// The queues have it. One write(2), no fsync.
    public func commit(_ mark: TailMark) {
        state.withLock { state in
            Self.apply(mark.places, mark.forgotten, to: &state.current)
            for place in mark.places { state.fresh[place.id] = .some(place) }
            for id in mark.forgotten { state.fresh[id] = .some(nil) }
            // A file without the intent has its places nevertheless.
            let intent = state.open.removeValue(forKey: mark.number)
            if intent == nil { append(.places(mark.places, forgotten: mark.forgotten), &state) }
            append(.commit(mark: mark.number), &state)
        }
    }

    /// They do not (full, failed): the same batch comes again later with the same mark.
    public func abandon(_ mark: TailMark) {
        state.withLock { state in
            state.open[mark.number] = nil
            // The queues give its sequences to others, so it must not be found again. Cutting it off works on a full disk, too.
            if let last = state.lastIntent, last.mark == mark.number {
                cut(to: last.start, &state)
            } else {
                append(.abandon(mark: mark.number), &state)
            }
        }
    }

    @discardableResult
    private func append(_ record: PositionRecord, _ state: inout State) -> Bool {
        state.lastIntent = nil
        guard !state.isBroken else {
            state.counts.writesFailed += 1
            return false
        }
        var writer = PositionWriter(generation: state.header.generation)
        writer.record(record)
        do throws(PositionFileError) {
            try files.append(writer.bytes)
            if case .intent(let mark, _, _, _) = record { state.lastIntent = (mark, state.bytes) }
            state.bytes += writer.bytes.count
            return true
        } catch {
            failed(error, &state)
            // Half a record would hide those that follow.
            cut(to: state.bytes, &state)
            return false
        }
    }

    private func cut(to bytes: Int, _ state: inout State) {
        state.lastIntent = nil
        do throws(PositionFileError) {
            try files.truncate(to: bytes)
            state.bytes = bytes
        } catch {
            failed(error, &state)
            state.isBroken = true
        }
    }

    private func failed(_ error: PositionFileError, _ state: inout State) {
        state.isIncomplete = true
        state.counts.writesFailed += 1
        state.counts.lastFailure = error.description
    }

    // MARK: From time to time

    /// About once a second: writes the file anew when it is worth it, and a checkpoint that a loss of power may go back to: of the places that were committed before
    /// `queuesSyncedAt` (monotonic nanoseconds of when the last sync of the queues that succeeded began; nil: none has).
    public func tick(now: UInt64, queuesSyncedAt: UInt64?) {
        ticking.withLock { _ in
            let isCheckpoint = state.withLock { state in
                ripen(now, queuesSyncedAt, &state)
                return writeCheckpoint(&state)
            }
            guard isCheckpoint else { return }
            // Beside those who append: what they write is the next one's.
            do throws(PositionFileError) {
                try files.sync()
                state.withLock { $0.counts.checkpoints += 1 }
            } catch {
                // The system does not write again what it once failed to.
                state.withLock { failed(error, &$0) }
            }
        }
    }

    private func ripen(_ now: UInt64, _ syncedAt: UInt64?, _ state: inout State) {
        if !state.fresh.isEmpty {
            state.unsafe.append((now, state.fresh))
            state.fresh = [:]
            if state.unsafe.count > Self.unsafeMax {
                let older = state.unsafe.remove(at: 0).changes
                state.unsafe[0].changes.merge(older) { newer, _ in newer }
            }
        }
        guard let syncedAt else { return }
        while let first = state.unsafe.first, first.ticked <= syncedAt {
            state.ripe.merge(first.changes) { _, newer in newer }
            state.unsafe.removeFirst()
        }
    }

    /// Whether a checkpoint was appended, which is to be synced.
    private func writeCheckpoint(_ state: inout State) -> Bool {
        let places = state.ripe.values.compactMap(\.self)
        let forgotten = state.ripe.compactMap { $0.value == nil ? $0.key : nil }
        Self.apply(places, forgotten, to: &state.safe)
        let isRipe = !state.ripe.isEmpty
        state.ripe = [:]
        if state.isIncomplete || state.bytes > Self.compactionBytes && state.bytes > 4 * state.counts.liveBytes {
            do throws(PositionFileError) {
                try Self.rewrite(files, &state)
            } catch {
                failed(error, &state)
                // Which of the two files is there is not known.
                state.isBroken = true
            }
            return false
        }
        guard isRipe else { return false }
        return append(.checkpoint(places, forgotten: forgotten), &state)
    }

    /// Writes both tables as a new file, and what is intended.
    private static func rewrite(_ files: any PositionFiles, _ state: inout State) throws(PositionFileError) {
        var header = state.header
        header.generation &+= 1
        var writer = PositionWriter(generation: header.generation)
        writer.header(header)
        if !state.safe.isEmpty { writer.record(.checkpoint(Array(state.safe.values), forgotten: [])) }
        if !state.current.isEmpty { writer.record(.places(Array(state.current.values), forgotten: [])) }
        for intent in state.open.values { writer.record(intent) }
        try files.replace(with: writer.bytes)
        state.header = header
        state.bytes = writer.bytes.count
        state.counts.liveBytes = writer.bytes.count
        state.counts.rewritten += 1
        state.isIncomplete = false
        state.isBroken = false
        state.lastIntent = nil
    }
}

/// What a log of places has done.
public struct PositionCounts: Sendable {
    /// Of the file at the start, behind the last record that was whole.
    public var damagedBytes: UInt64 = 0
    public var powerLosses: UInt64 = 0
    public var checkpoints: UInt64 = 0
    /// The file was written anew.
    public var rewritten: UInt64 = 0
    /// Writes and syncs that failed; lines may come twice after a restart.
    public var writesFailed: UInt64 = 0
    /// The system's words for the last of them.
    public var lastFailure: String?
    /// Bytes that both tables take in a file.
    public var liveBytes = 0

    public init() {}
}
