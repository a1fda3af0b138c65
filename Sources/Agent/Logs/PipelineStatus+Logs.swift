internal import Configuration
internal import Logs

extension PipelineStatus {
    /// What was read of files.
    static func add(_ tail: LogTail, _ files: [LogFilesConfiguration], to counters: inout Counters) {
        let counts = tail.counts
        for name in Set(files.map(\.name)).union(counts.receivers.keys) {
            let receiver = counts.receivers[name] ?? LogTailCounts.Receiver()
            counters.add(.receiverItems, ["receiver": name], receiver.items)
            for (outcome, count) in [("accepted", receiver.taken), ("full", receiver.full), ("failed", receiver.failed)] {
                counters.add(.receiverRequests, ["receiver": name, "outcome": outcome], count)
            }
            let lines = receiver.lines
            for (kind, count) in [
                ("read", lines.lines), ("records", lines.records), ("joined", lines.joined), ("partial", lines.partials),
                ("empty", lines.empty), ("misfit", lines.misfits), ("cut", lines.cutRecords), ("timed_out", lines.timedOut),
                ("skipped", lines.skipped),
            ] {
                counters.add(.logLines, ["receiver": name, "kind": kind], count)
            }
            counters.add(.logCutBytes, ["receiver": name], lines.cutBytes)
        }
        let read = counts.tail
        counters.add(.tailBytes, [:], read.bytes)
        counters.add(.tailLines, [:], read.lines)
        for (reason, bytes) in [
            ("truncated", read.missedTruncated), ("deleted", read.missedDeleted), ("compressed", read.missedCompressed),
        ] {
            counters.add(.tailMissed, ["reason": reason], bytes)
        }
        counters.add(.tailInvalid, [:], read.invalidBytes)
        counters.add(.tailNul, [:], read.nulBytes)
        counters.add(.tailCutLines, [:], read.linesCut)
        counters.add(.tailCutBytes, [:], read.bytesCut)
        for (kind, count) in [("truncated", read.truncations), ("rotated", read.rotations)] {
            counters.add(.tailChanges, ["kind": kind], count)
        }
        counters.add(.tailFailures, [:], read.failures)
        counters.add(.tailLeftOut, [:], read.leftOut)
        for (state, count) in [
            ("known", read.filesKnown), ("followed", read.filesFollowed), ("open", read.filesOpen),
        ] {
            counters.add(.tailFiles, ["state": state], count)
        }
        counters.add(.tailLag, [:], read.lagBytes)
        for lag in counts.lags { counters.add(.tailFileLag, ["receiver": lag.receiver, "path": lag.path], lag.bytes) }
        counters.add(.positionFailures, [:], tail.positions.counts.writesFailed)
    }
}
