internal import Linux
internal import Logs
internal import Queue
internal import Synchronization
internal import System
internal import Telemetry

/// The log of files' places, as an agent has it.
enum LogPositions {
    /// In the queues' folder. No exporter and no pipeline has such a name.
    private static let folder = "@positions"

    /// Opens it, and has it find out what the queues got of what was intended last.
    static func open(beside queues: String, _ takers: [any EntryTaker]) throws(PositionFileError) -> PositionLog {
        var last: [String: UInt64] = [:]
        for taker in takers { last[taker.queueName] = taker.queueRecovery.lastSequence }
        let files = try LinuxPositionFiles(folder: "\(queues)\(queues.hasSuffix("/") ? "" : "/")\(folder)")
        return try PositionLog(files, boot: Machine.bootID, lastSequence: { last[$0] })
    }
}

/// Monotonic nanoseconds, or nothing. Any thread.
final class SharedTime: Sendable {
    private let value = Atomic<UInt64>(.max)

    func load() -> UInt64? {
        let time = value.load(ordering: .relaxed)
        return time == .max ? nil : time
    }

    func store(_ time: UInt64?) { value.store(time ?? .max, ordering: .relaxed) }
}

extension PipelineIntake {
    /// Notes from when on everything in the queues survives a loss of power. On the server's thread.
    func noteSyncs() {
        let now = clock.monotonicNanoseconds()
        var earliest: UInt64? = now
        // With `batch` an entry is on disk when it is committed, and with `never` nobody says when.
        for (taker, sync) in zip(takers.all, plan.syncs) where sync == .interval {
            guard let time = taker.queueSyncedAt, let before = earliest else {
                earliest = nil
                break
            }
            earliest = min(before, time)
        }
        syncedAt.store(earliest)
    }
}

/// When it is told that places cannot be written. Main thread.
final class PositionNotices {
    private var seen: UInt64 = 0
    private var notices = FailureNotices()

    /// What is to be said; about once a second.
    func take(_ counts: PositionCounts, now: UInt64) -> String? {
        defer { seen = counts.writesFailed }
        guard counts.writesFailed > seen else {
            return notices.tellsSuccess() ? "the places of files are written again" : nil
        }
        guard notices.tellsFailure(now: now) else { return nil }
        return
            "the places of files cannot be written (\(counts.lastFailure ?? "unknown")): after a kill lines may come twice"
    }
}
