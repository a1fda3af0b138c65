internal import Configuration
internal import Linux
internal import Processors
internal import Synchronization
internal import Telemetry
internal import Wire

/// The latest things that were dropped: what, where, why. Any thread.
final class DropAudit: Sendable {
    struct Entry: Sendable {
        /// Unix nanoseconds.
        var time: UInt64
        /// "processor noise", "exporter jaeger".
        var component: String
        var signal: Signal
        var reason: String
        /// What a rule says, or a backend said.
        var detail: String
        var items: Int
        /// 0: not known.
        var bytes: Int
    }

    /// What is kept. Entries.
    static let entriesMax = 1_000
    private static let detailCharactersMax = 300

    private struct State {
        var entries: [Entry] = []
        /// Where the oldest is, once there are as many as there may be.
        var oldest = 0
        var total = 0
    }

    private let state = Mutex(State())
    private let clock: LinuxClock

    init(_ clock: LinuxClock) { self.clock = clock }

    /// Notes what was dropped just now; nothing for no items.
    func add(
        _ component: String, _ signal: Signal, reason: String, detail: String = "", items: Int, bytes: Int = 0
    ) {
        guard items > 0 else { return }
        let entry = Entry(
            time: clock.unixNanoseconds(), component: component, signal: signal, reason: reason,
            detail: String(detail.prefix(Self.detailCharactersMax)), items: items, bytes: bytes)
        state.withLock { state in
            state.total += 1
            guard state.entries.count == Self.entriesMax else { return state.entries.append(entry) }
            state.entries[state.oldest] = entry
            state.oldest = (state.oldest + 1) % Self.entriesMax
        }
    }

    /// What a processor dropped.
    func add(_ drop: DroppedItems) {
        add(
            "processor \(drop.processor)", drop.signal, reason: drop.reason.rawValue, detail: drop.rule,
            items: drop.items, bytes: drop.bytes)
    }

    /// The latest first, and how many there ever were.
    func latest(_ count: Int) -> (entries: [Entry], total: Int) {
        state.withLock { state in
            let inOrder = state.entries[state.oldest...] + state.entries[..<state.oldest]
            return (inOrder.suffix(count).reversed(), state.total)
        }
    }

    /// `{"total":N,"drops":[…]}`.
    func json(_ count: Int) -> String {
        let (entries, total) = latest(count)
        var json = JSONWriter()
        json.object { json in
            json.put("total", total)
            json.name("drops")
            json.array { json in for entry in entries { Self.write(entry, to: &json) } }
        }
        return json.text
    }

    private static func write(_ entry: Entry, to json: inout JSONWriter) {
        json.object { json in
            json.put("timeUnixNano", String(entry.time))
            json.put("component", entry.component)
            json.put("signal", entry.signal.word)
            json.put("reason", entry.reason)
            json.put("detail", entry.detail.isEmpty ? nil : entry.detail)
            json.put("items", entry.items)
            json.put("bytes", entry.bytes > 0 ? entry.bytes : nil)
        }
    }
}
