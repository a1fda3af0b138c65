internal import Configuration
internal import Logs
internal import Receivers

extension PipelineStatus {
    /// What was read of files.
    static func add(_ tail: LogTail, _ files: [LogFilesConfiguration], to counters: inout Counters) {
        let counts = tail.counts
        for name in Set(files.map(\.name)).union(counts.receivers.keys) {
            let receiver = counts.receivers[name] ?? LogTailCounts.Receiver()
            counters.add(.receiverItems, ["receiver": name], receiver.items)
            for (outcome, count) in [
                ("accepted", receiver.taken), ("full", receiver.full), ("failed", receiver.failed),
            ] {
                counters.add(.receiverRequests, ["receiver": name, "outcome": outcome], count)
            }
            let lines = receiver.lines
            for (kind, count) in [
                ("read", lines.lines), ("records", lines.records), ("joined", lines.joined),
                ("partial", lines.partials),
                ("empty", lines.empty), ("misfit", lines.misfits), ("cut", lines.cutRecords),
                ("timed_out", lines.timedOut),
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

    /// What came in otherwise.
    static func add(_ inputs: LogInputReading.Shared, to counters: inout Counters) {
        for (name, read, delivered) in inputs.counts {
            counters.add(.receiverItems, ["receiver": name], delivered.items)
            for (outcome, count) in [
                ("accepted", delivered.taken), ("full", delivered.full), ("failed", delivered.failed),
            ] {
                counters.add(.receiverRequests, ["receiver": name, "outcome": outcome], count)
            }
            for (kind, count) in [
                ("read", read.messages), ("records", read.records), ("misfit", read.misfits), ("cut", read.cut),
            ] {
                counters.add(.logLines, ["receiver": name, "kind": kind], count)
            }
            counters.add(.logCutBytes, ["receiver": name], read.cutBytes)
            counters.add(.logInputBytes, ["receiver": name], read.bytes)
            counters.add(.logInputReplaced, ["receiver": name], read.replaced)
            counters.add(.logInputDropped, ["receiver": name], read.datagramsDropped)
            counters.add(.logInputConnections, ["receiver": name], read.connections)
            counters.add(.logInputRefused, ["receiver": name], read.connectionsRefused)
            counters.add(.logInputRestarts, ["receiver": name], read.restarts)
        }
    }
}
