import Linux
import Store
import Telemetry
import Testing

@testable import Agent

@Suite("What the store drops, in the audit")
struct StoreAuditTests {
    @Test("Each dropped item is told once, with signal and reason")
    func tells() throws {
        let folder = TemporaryFolder()
        let store = StoreWriter(directory: folder.path)
        try store.open()
        store.close()
        let audit = DropAudit(LinuxClock())
        var notes = StoreAudit(store)
        notes.tick(audit)
        #expect(audit.latest(10).total == 0)
        store.append(Self.batch(.logs, 3))
        store.append(Self.batch(.traces, 2))
        notes.tick(audit)
        notes.tick(audit)
        store.append(Self.batch(.logs, 4))
        notes.tick(audit)
        let entries = audit.latest(10).entries
        #expect(entries.map(\.items).sorted() == [2, 3, 4])
        #expect(entries.allSatisfy { $0.component == "store" && $0.reason == "closed" })
        #expect(entries.first { $0.items == 2 }?.signal == .traces)
    }

    private static func batch(_ signal: Signal, _ count: Int) -> Batch {
        let item = Batch.Item(
            offset: 0, length: 2, scope: 0, status: 0, kind: 0, traceID: .invalid, spanID: .invalid,
            parentSpanID: .invalid, start: 1, end: 1)
        return Batch(
            signal: signal, resource: [], scopes: [.init(message: [])], bytes: [0x12, 0],
            items: Array(repeating: item, count: count))
    }
}
