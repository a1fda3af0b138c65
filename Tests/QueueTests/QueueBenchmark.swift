import Foundation
import Linux
import Queue
import Telemetry
import Testing

private let folder = ProcessInfo.processInfo.environment["SIDELIGHT_BENCH_QUEUE"]

/// Figures, no assertions: SIDELIGHT_BENCH_QUEUE=FOLDER swift test -c release --filter QueueBenchmark. The folder's file system counts.
@Suite(.enabled(if: folder != nil, "SIDELIGHT_BENCH_QUEUE is not set"), .serialized) struct QueueBenchmark {
    private static let wall = ContinuousClock()

    private func cpuMicroseconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) * 1e6 }

    private func measure(_ name: String, _ count: Int, _ body: () throws -> Void) rethrows {
        let cpu = cpuMicroseconds()
        let wall = try Self.wall.measure { try body() }
        let each = wall / count / .microseconds(1)
        print(
            "\(name): \(each) us wall, \((cpuMicroseconds() - cpu) / Double(count)) us CPU each of \(count)"
        )
    }

    private func fill(_ queue: DurableQueue, _ count: Int, bytes: Int, group: Int) {
        let payload = (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for number in 0..<count {
            guard case .queued = queue.append(QueueEntryHead(signal: .traces, items: 100, time: 1), payload) else {
                return
            }
            if number % group == group - 1 { _ = queue.commit(now: UInt64(number) * 100_000) }
        }
        _ = queue.commit(now: UInt64(count) * 100_000)
    }

    private func drain(_ queue: DurableQueue) throws {
        var last: QueueEntryID?
        var count = 0
        while let (id, _) = queue.next(after: last) {
            _ = try queue.read(id)
            queue.acknowledge(id)
            last = id
            count += 1
            if count % 16 == 0 { queue.flushAcknowledgements() }
        }
        queue.flushAcknowledgements()
    }

    @Test(arguments: [1, 16, 64]) func requestsOf35kB(group: Int) throws {
        let path = "\(folder!)/queue-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var limits = QueueLimits()
        limits.sync = .never
        let count = 20_000
        let queue = try DurableQueue(LinuxQueueFiles(folder: path), limits: limits, now: 0)
        measure("append and commit, groups of \(group)", count) { fill(queue, count, bytes: 35_000, group: group) }
        try measure("next, read, acknowledge", count) { try drain(queue) }
        let payload = [UInt8](repeating: 7, count: 35_000)
        try measure("keeping up, groups of \(group)", count) {
            var last: QueueEntryID?
            for number in 0..<count {
                _ = queue.append(QueueEntryHead(signal: .traces, items: 100, time: 1), payload)
                guard number % group == group - 1 else { continue }
                _ = queue.commit(now: 0)
                while let (id, _) = queue.next(after: last) {
                    _ = try queue.read(id)
                    queue.acknowledge(id)
                    last = id
                }
            }
        }
    }

    @Test(arguments: [QueueLimits.Sync.everyCommit, .interval(nanoseconds: 1_000_000_000)])
    func whatSyncsCost(sync: QueueLimits.Sync) throws {
        let path = "\(folder!)/queue-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var limits = QueueLimits()
        limits.sync = sync
        let queue = try DurableQueue(LinuxQueueFiles(folder: path), limits: limits, now: 0)
        measure("append and commit, groups of 16, sync \(sync)", 10_000) {
            fill(queue, 10_000, bytes: 35_000, group: 16)
        }
    }

    /// How long the owner stands still for a group of one, a thousand a second, in wall time. "waited for" is what the queue did before its syncs went on beside it.
    @Test(arguments: ["never", "waited for", "beside"])
    func howLongACommitTakes(sync: String) throws {
        let path = "\(folder!)/queue-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let interval: UInt64 = 50_000_000
        var limits = QueueLimits()
        limits.sync = sync == "beside" ? .interval(nanoseconds: interval) : .never
        let queue = try DurableQueue(LinuxQueueFiles(folder: path), limits: limits, now: 0)
        let payload = [UInt8](repeating: 7, count: 35_000)
        let clock = ContinuousClock()
        let start = clock.now
        var lastSync = start
        var times: [Duration] = []
        for number in 0..<10_000 {
            let due = start + .milliseconds(number)
            let left = (due - clock.now) / .microseconds(1)
            if left > 0 { usleep(UInt32(left)) }
            let before = clock.now
            _ = queue.append(QueueEntryHead(signal: .traces, items: 100, time: 1), payload)
            _ = queue.commit(now: UInt64((before - start) / .nanoseconds(1)))
            if sync == "waited for", before - lastSync >= .nanoseconds(Int64(interval)) {
                lastSync = before
                queue.sync()
            }
            times.append(clock.now - before)
            if let (id, _) = queue.next(after: nil) { queue.acknowledge(id) }
        }
        times.sort()
        let shown = [5_000, 9_000, 9_900, 9_990, 9_999].map { "\(Int(times[$0] / .microseconds(1)))" }
        print("append and commit, sync \(sync): p50, 90, 99, 99.9, max \(shown.joined(separator: ", ")) us")
    }

    /// A gigabyte of backlog: 30,000 large entries, or half a million small ones.
    @Test(arguments: [35_000, 2_000]) func openingABacklog(bytes: Int) throws {
        let path = "\(folder!)/queue-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var limits = QueueLimits()
        limits.sync = .never
        var queue: DurableQueue? = try DurableQueue(LinuxQueueFiles(folder: path), limits: limits, now: 0)
        fill(queue!, (1 << 30) / (bytes + 48), bytes: bytes, group: 16)
        queue!.sync()
        queue = nil
        for warmth in ["warm", "cold"] {
            if warmth == "cold" {
                try? "3".write(toFile: "/proc/sys/vm/drop_caches", atomically: false, encoding: .utf8)
            }
            try measure("opening \(warmth), \(bytes) bytes an entry", 1) {
                queue = try DurableQueue(LinuxQueueFiles(folder: path), limits: limits, now: 0)
            }
            print(
                "  \(queue!.counts.entries) entries, \(queue!.counts.bytesOnDisk) bytes, \(queue!.counts.segments) segments"
            )
            queue = nil
        }
    }

    @Test func checksum() {
        let payload = [UInt8](repeating: 7, count: 35_000)
        var sum: UInt32 = 0
        measure("CRC-32C of 35,000 bytes", 20_000) {
            for _ in 0..<20_000 { sum = checksumOfEntry(sum, payload) }
        }
        measure("the same without the instruction", 2_000) {
            for _ in 0..<2_000 { sum = portableChecksum(sum, payload) }
        }
        print("  \(sum)")
    }
}
