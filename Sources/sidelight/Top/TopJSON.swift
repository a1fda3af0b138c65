import Wire

/// A line of `sidelight top --json`: docs/top.md. What is not known is null.
enum TopJSON {
    static func text(_ model: TopModel) -> String {
        var json = JSONWriter()
        json.object { json in
            json.name("timeUnixNano")
            json.quotedInteger(model.sources.compactMap(\.now?.time).max() ?? 0)
            json.name("workloads")
            json.array { json in for workload in model.workloads { write(workload, &json) } }
            json.name("exporters")
            json.array { json in for outlet in model.outlets { write(outlet, &json) } }
            json.name("problems")
            json.array { json in
                for source in model.sources {
                    guard let problem = source.problem else { continue }
                    json.object { json in
                        json.field("admin", source.place)
                        json.field("problem", problem)
                    }
                }
            }
        }
        return json.text
    }

    private static func write(_ work: TopWorkload, _ json: inout JSONWriter) {
        json.object { json in
            json.field("service", work.now.service)
            json.field("entry", work.now.entry)
            json.name("url")
            if work.now.url.isEmpty { json.null() } else { json.string(work.now.url) }
            json.name("startTimeUnixNano")
            json.quotedInteger(work.now.startTime)
            write(
                work.now.hasFigures ? work.total : nil, isolates: work.isolates.count, cpu: work.cpuShare,
                resident: work.resident, &json)
            json.name("restarts")
            json.object { json in
                for (reason, count, _) in work.restarts { put(reason, count, &json) }
            }
            json.name("isolates")
            json.array { json in
                for (isolate, interval) in work.isolates {
                    json.object { json in
                        put("place", Double(isolate.place), &json)
                        put("pid", Double(isolate.pid), &json)
                        json.name("state")
                        if isolate.hasFigures { json.string(isolate.state) } else { json.null() }
                        let process = work.process(isolate.pid)
                        write(
                            isolate.hasFigures ? interval : nil, isolates: 1,
                            cpu: process?.cpuShare ?? interval.cpuShare(isolates: 1),
                            resident: process?.resident, &json)
                    }
                }
            }
            json.name("routes")
            json.array { json in
                for (route, change, errors) in work.routes {
                    json.object { json in
                        json.field("method", route.method)
                        json.field("route", route.route)
                        put("requestsPerSecond", change.count / work.total.seconds, &json)
                        put("errorsPerSecond", errors / work.total.seconds, &json)
                        write(change, &json)
                    }
                }
            }
        }
    }

    /// - Parameter interval: nil: not known.
    private static func write(
        _ interval: TopInterval?, isolates: Int, cpu: Double?, resident: Double?, _ json: inout JSONWriter
    ) {
        let figures = interval?.figures
        put("seconds", interval?.seconds, &json)
        put("requestsPerSecond", interval?.requestRate, &json)
        put("errorsPerSecond", interval?.errorRate, &json)
        write(figures?.duration ?? TopDuration(), &json)
        put("inFlight", figures?.active, &json)
        put("connections", figures?.connections, &json)
        put("bytesInPerSecond", interval?.rate(\.bytesIn), &json)
        put("bytesOutPerSecond", interval?.rate(\.bytesOut), &json)
        put("cpu", cpu, &json)
        put("residentBytes", resident, &json)
        put("heapUsedBytes", figures?.heapUsed, &json)
        put("heapLimitBytes", figures?.heapLimit, &json)
        put("gc", interval?.collectionShare, &json)
        put("loopUtilization", interval?.loopShare, &json)
        put("loopDelayP99Seconds", interval?.delay(0.99), &json)
        put("cpuSecondsPerRequest", interval?.cpuOfRequest(isolates: isolates), &json)
        put("gcSecondsPerRequest", interval?.each(\.collectionSeconds), &json)
    }

    private static func write(_ duration: TopDuration, _ json: inout JSONWriter) {
        put("meanSeconds", duration.mean, &json)
        put("p50Seconds", duration.quantile(0.5).bound, &json)
        put("p99Seconds", duration.quantile(0.99).bound, &json)
    }

    private static func write(_ outlet: TopOutlet, _ json: inout JSONWriter) {
        json.object { json in
            json.field("agent", outlet.agent)
            json.field("name", outlet.name)
            json.field("signal", outlet.signal)
            put("sentPerSecond", outlet.sentRate, &json)
            put("queued", outlet.queued, &json)
            put("queueBytes", outlet.queueBytes, &json)
            put("dropped", outlet.dropped, &json)
            put("retries", outlet.retries, &json)
        }
    }

    /// Whole numbers without a point.
    private static func put(_ name: String, _ value: Double?, _ json: inout JSONWriter) {
        json.name(name)
        guard let value, value.isFinite else { return json.null() }
        if value == value.rounded(), abs(value) < 1e15 { json.integer(Int64(value)) } else { json.double(value) }
    }
}

extension TopQuantile {
    /// The estimate, or the bound that is known; nil: there was none.
    fileprivate var bound: Double? {
        switch self {
        case .none: nil
        case .below(let bound), .at(let bound, _), .above(let bound): bound
        }
    }
}
