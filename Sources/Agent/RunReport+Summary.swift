internal import Configuration
internal import Linux
internal import Telemetry
internal import Wire

extension RunReport {
    /// One line of JSON. docs/specs/telemetry.md describes it.
    var summary: String {
        var json = JSONWriter()
        json.object { json in
            json.put("exitCode", outcome.exitCode)
            json.name("worker")
            worker(&json)
            json.name("agentCpuMilliseconds")
            json.double(milliseconds(agentNanoseconds))
            json.name("received")
            json.object { json in
                for signal in Signal.allCases {
                    json.put(signal.word, received[signal] ?? 0)
                }
            }
            json.name("rejected")
            json.object { json in
                for (reason, count) in records.rejectedReasons.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                    json.put(reason.rawValue, count)
                }
            }
            json.name("ringDropped")
            json.object { json in
                for kind in RecordKind.allCases {
                    guard let count = ringDropped[kind], count > 0 else { continue }
                    json.put(kind.label, count)
                }
            }
            json.put("openSpansClosed", openSpansClosed)
            json.name("exporters")
            json.array { json in for exporter in exporters { write(exporter, &json) } }
            json.name("store")
            if let store { write(store, &json) } else { json.null() }
            json.name("counters")
            json.object { json in
                for (key, value) in counters.sorted where value > 0 {
                    json.put(key.description, value)
                }
            }
        }
        return json.text
    }

    private func worker(_ json: inout JSONWriter) {
        json.object { json in
            json.name("status")
            json.object { json in
                switch workerStatus {
                case .exited(let code):
                    json.put("exited", code)
                case .signaled(let signal, _):
                    json.put("signal", signalName(signal))
                }
            }
            json.name("death")
            if let death = outcome.death { json.string(death.reason) } else { json.null() }
            json.name("cpuMilliseconds")
            json.double(milliseconds(workerUsage.userNanoseconds + workerUsage.systemNanoseconds))
            json.put("residentBytesMax", workerUsage.residentBytesMax)
            json.put(fence ?? [])
        }
    }

    private func write(_ account: Account, _ json: inout JSONWriter) {
        json.object { json in
            json.put("name", account.name)
            json.name("signals")
            json.object { json in
                for signal in Signal.allCases {
                    guard let items = account.signals[signal], items.received > 0 else { continue }
                    json.name(signal.word)
                    json.object { json in
                        json.put("received", items.received)
                        json.put("sent", items.sent)
                        json.put("dropped", items.droppedTotal)
                        json.put("queued", items.queued)
                        json.name("reasons")
                        json.object { json in
                            for (reason, count) in items.dropped.sorted(by: { $0.key < $1.key }) {
                                json.put(reason, count)
                            }
                        }
                    }
                }
            }
            json.put("retries", account.retries)
            json.put("lastError", account.lastError)
            json.put("complaint", account.complaint)
        }
    }

    private func milliseconds(_ nanoseconds: UInt64) -> Double { Double(nanoseconds / 10_000) / 100 }
}
