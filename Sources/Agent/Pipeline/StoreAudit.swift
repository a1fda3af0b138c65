internal import Store
internal import Telemetry

/// Tells the audit what the store has dropped, which counts it by signal and reason only. One thread.
struct StoreAudit {
    private let store: StoreWriter
    private var told: StoreCounts?

    init(_ store: StoreWriter) { self.store = store }

    /// What was dropped since the last call.
    mutating func tick(_ audit: DropAudit) {
        let counts = store.counts
        for signal in Signal.allCases {
            for (reason, items) in counts[signal].droppedByReason {
                let before = told?[signal].droppedByReason[reason] ?? 0
                audit.add("store", signal, reason: reason.rawValue, items: items - before)
            }
        }
        told = counts
    }
}
