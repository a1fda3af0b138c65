import Foundation
import Linux
import Queue
import Telemetry
import Testing

/// The queue over real files.
@Suite final class LinuxQueueTests {
    private let folder = FileManager.default.temporaryDirectory.path + "/queue-\(UUID().uuidString)"

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func open(_ limits: QueueLimits = QueueLimits()) throws -> DurableQueue {
        try DurableQueue(LinuxQueueFiles(folder: folder), limits: limits, now: 0)
    }

    private func append(_ queue: DurableQueue, _ text: String, items: UInt32 = 1) -> QueueEntryID? {
        let append = queue.append(QueueEntryHead(signal: .traces, items: items, time: 7), Array(text.utf8))
        if case .queued(let id) = append { return id } else { return nil }
    }

    @Test func whatIsCommittedComesBackInOrderAndWhatIsAcknowledgedDoesNot() throws {
        var queue: DurableQueue? = try open()
        let ids = ["one", "two", "three", ""].compactMap { append(queue!, $0, items: 3) }
        #expect(ids.count == 4)
        #expect(queue!.next(after: nil) == nil)
        _ = queue!.commit(now: 0)
        #expect(queue!.counts.entries == 4)
        queue!.acknowledge(ids[1])
        queue!.flushAcknowledgements()
        queue = nil
        queue = try open()
        #expect(queue!.recovery.entries == 3)
        #expect(queue!.counts.items.traces == 9)
        var texts: [String] = []
        var last: QueueEntryID?
        while let (id, head) = queue!.next(after: last) {
            #expect(head.time == 7 && head.items == 3)
            texts.append(String(decoding: try queue!.read(id), as: UTF8.self))
            last = id
        }
        #expect(texts == ["one", "three", ""])
        #expect(queue!.recovery.damagedBytes == 0 && queue!.recovery.tornBytes == 0)
    }

    @Test func aQueueWhoseSyncsNeverPauseKeepsEverythingAndEndsInTheMiddleOfOne() throws {
        var limits = QueueLimits()
        limits.segmentBytes = 4 << 10
        limits.sync = .interval(nanoseconds: 0)
        for life in 0..<5 {
            let queue = try open(limits)
            #expect(queue.recovery.entries == life * 50)
            for number in 0..<100 {
                let id = append(queue, String(repeating: "\(number) ", count: 100))
                guard case .committed(1) = queue.commit(now: 0) else {
                    Issue.record("\(queue.failure?.description ?? "nothing committed")")
                    return
                }
                if number % 2 == 0, let id { queue.acknowledge(id) }
                queue.tick(now: 0)
                #expect(queue.failure == nil)
            }
            if life == 3 { #expect(queue.sync()) }
        }
        #expect(try open(limits).recovery.entries == 250)
    }
}
