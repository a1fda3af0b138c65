internal import Pipeline
internal import Store
internal import Telemetry
internal import Wire

extension RunReport {
    /// Every counter of a workload that goes on. What has not happened yet is there with 0, so that a rate over it sees the first time.
    var countersSoFar: Counters {
        var report = self
        for reason in WorkerOutcome.endReasons {
            report.workerEnds[reason, default: 0] += 0
            report.workerRestarts[reason, default: 0] += 0
        }
        var counters = report.counters
        for reason in RecordError.allCases { counters.add(.recordsRejected, ["reason": reason.rawValue], 0) }
        for exporter in exporters {
            for signal in exporter.signals.keys {
                for reason in DropReason.allCases {
                    counters.add(
                        .exportDropped,
                        ["exporter": exporter.name, "signal": signal.word, "reason": reason.rawValue], 0)
                }
            }
        }
        for signal in store?.signals.keys.map({ $0 }) ?? [] {
            for reason in StoreDropReason.allCases {
                counters.add(.storeDropped, ["signal": signal.word, "reason": reason.rawValue], 0)
            }
        }
        return counters
    }
}

extension WorkerOutcome {
    /// Values of `endReason` that are common.
    fileprivate static let endReasons = [
        "exit", ErrorType.fatal, ErrorType.heapLimit, ErrorType.cpuLimit, ErrorType.wallLimit, ErrorType.ringBroken,
        ErrorType.internal, ErrorType.startTimeout, ErrorType.fence, "SIGKILL", "SIGSEGV", "SIGABRT",
    ]
}
