internal import Telemetry
internal import Wire

/// What `/api/v1/workloads` and `/api/v1/counters` answer. docs/top.md describes it. Pure.
enum WorkloadJSON {
    /// Routes, and kinds of errors, that are told: those with the most requests.
    static let routesMax = 256
    /// Requests in flight that are told of each isolate: the oldest.
    static let requestsMax = 64

    static func bytes(_ facts: WorkloadFacts, time: UInt64) -> [UInt8] {
        var json = JSONWriter(capacity: 16 << 10)
        json.object { json in
            json.name("timeUnixNano")
            json.quotedInteger(time)
            json.name("durationBounds")
            json.array { json in for bound in BoardLayout.durationBounds { json.double(bound) } }
            json.name("workloads")
            json.array { json in write(facts, &json) }
        }
        return json.bytes
    }

    static func bytes(_ counters: Counters, time: UInt64) -> [UInt8] {
        var json = JSONWriter(capacity: 16 << 10)
        json.object { json in
            json.name("timeUnixNano")
            json.quotedInteger(time)
            json.name("counters")
            json.array { json in
                for (key, value) in counters.sorted {
                    json.object { json in
                        json.field("name", key.name.rawValue)
                        json.name("labels")
                        json.object { json in for label in key.labels { json.field(label.name, label.value) } }
                        json.put("value", value)
                    }
                }
            }
        }
        return json.bytes
    }

    private static func write(_ facts: WorkloadFacts, _ json: inout JSONWriter) {
        json.object { json in
            json.field("service", facts.service)
            json.field("entry", facts.entry)
            json.put("url", facts.url)
            json.name("startTimeUnixNano")
            json.quotedInteger(facts.startTime)
            json.put("ending", facts.isEnding)
            json.name("restarts")
            json.object { json in
                for (reason, count) in facts.restarts.sorted(by: { $0.key < $1.key }) { json.put(reason, count) }
            }
            json.name("total")
            json.object { json in write(facts.total, &json) }
            json.name("perRequest")
            writeEach(facts.total, &json)
            let routes = Route.all(facts.total)
            json.name("routes")
            json.array { json in for route in routes.prefix(routesMax) { route.write(&json) } }
            json.put("routesOmitted", max(0, routes.count - routesMax))
            let errors = errors(facts.total)
            json.name("errors")
            json.array { json in for (key, count) in errors.prefix(routesMax) { write(key, count, &json) } }
            json.put("errorsOmitted", max(0, errors.count - routesMax))
            json.name("isolates")
            json.array { json in for worker in facts.workers { write(worker, &json) } }
        }
    }

    // MARK: isolates

    private static func write(_ worker: WorkerFacts, _ json: inout JSONWriter) {
        json.object { json in
            json.put("pid", worker.pid)
            json.put("place", worker.place)
            json.put("state", worker.state.map { "\($0)" })
            json.name("startTimeUnixNano")
            json.quotedInteger(worker.startTime)
            json.put(worker.fence)
            json.name("figures")
            json.object { json in write(worker.board, &json) }
            json.name("perRequest")
            writeEach(worker.board, &json)
            let requests = worker.requests.map { ($0, worker.clock.unixNanoseconds($0.startTime) ?? 0) }
                .sorted { $0.1 < $1.1 }
            json.name("requests")
            json.array { json in
                for (request, start) in requests.prefix(requestsMax) {
                    json.object { json in
                        json.field("method", request.method)
                        json.field("path", request.path)
                        json.field("traceId", request.context.traceID.hex)
                        json.field("spanId", request.context.spanID.hex)
                        json.put("sampled", request.flags.contains(.sampled))
                        json.name("startTimeUnixNano")
                        json.quotedInteger(start)
                    }
                }
            }
            json.put("requestsOmitted", max(0, requests.count - requestsMax))
        }
    }

    // MARK: figures

    private static func write(_ board: BoardSnapshot, _ json: inout JSONWriter) {
        json.put("requests", board[.requests])
        var (served, fetched) = (Sum(), Sum())
        for (key, histogram) in board.series {
            switch key.kind {
            case .serverDuration: served.add(key, histogram)
            case .clientDuration: fetched.add(key, histogram)
            }
        }
        json.put("errors", served.errors)
        json.name("duration")
        write(served.histogram, &json)
        json.name("fetches")
        write(fetched.histogram, &json)
        json.put("fetchErrors", fetched.errors)
        json.put("abandoned", board[.requestsAbandoned])
        json.put("timeouts", board[.requestsTimedOut])
        let malformed = BoardCounter.malformed400.rawValue...BoardCounter.malformedOther.rawValue
        json.put("malformed", malformed.reduce(0 as UInt64) { $0 &+ board.counters[$1] })
        json.put("unhandledErrors", board[.unhandledErrors])
        json.put("scheduledRuns", board[.scheduledRuns])
        json.put("scheduledFailures", board[.scheduledFailures])
        json.name("connections")
        json.object { json in
            json.put("accepted", board[.connectionsAccepted])
            json.put("open", board[.connectionsOpen])
        }
        json.put("bytesIn", board[.bytesIn])
        json.put("bytesOut", board[.bytesOut])
        json.put("active", board.active.reduce(0, &+))
        json.put("timers", board[.timersActive])
        json.put("workers", board[.isolateWorkers])
        json.name("cpuSeconds")
        json.double(seconds(board[.isolateCPU]))
        json.name("loop")
        writeLoop(board, &json)
        json.name("collections")
        json.object { json in
            for kind in BoardCollection.allCases {
                let collection = board.collections[kind.rawValue]
                json.name(kind.label)
                json.object { json in
                    json.put("count", collection.count)
                    json.name("seconds")
                    json.double(seconds(collection.sum))
                    json.name("maxSeconds")
                    json.double(seconds(collection.max))
                }
            }
        }
        writeMemory(board, &json)
    }

    private static func writeLoop(_ board: BoardSnapshot, _ json: inout JSONWriter) {
        json.object { json in
            json.put("turns", board[.loopTurns])
            json.put("stalls", board[.loopStalls])
            json.name("activeSeconds")
            json.double(seconds(board[.loopActive]))
            json.name("idleSeconds")
            json.double(seconds(board[.loopIdle]))
            // Upper bounds in seconds, and how many delays; buckets without any are left out.
            json.name("delays")
            json.array { json in
                for (bound, count) in board.delay.bounded {
                    json.array { json in
                        json.double(bound)
                        json.integer(count)
                    }
                }
            }
        }
    }

    private static func writeMemory(_ board: BoardSnapshot, _ json: inout JSONWriter) {
        json.name("heap")
        json.object { json in
            json.put("used", board[.heapUsed])
            json.put("total", board[.heapTotal])
            json.put("limit", board[.heapLimit])
            json.put("external", board[.heapExternal])
            json.put("arrayBuffers", board[.arrayBuffers])
            json.name("spaces")
            json.object { json in
                for (name, space) in board.spaces.sorted(by: { $0.key < $1.key }) {
                    json.name(name)
                    json.object { json in
                        json.put("used", space.used)
                        json.put("size", space.size)
                    }
                }
            }
        }
        json.name("v8")
        json.object { json in
            json.put("code", board[.code])
            json.put("bytecode", board[.bytecode])
            json.put("scriptSource", board[.externalScriptSource])
            json.put("globalHandles", board[.globalHandles])
            json.put("globalHandlesUsed", board[.globalHandlesUsed])
            json.put("nativeContexts", board[.nativeContexts])
            json.put("detachedContexts", board[.detachedContexts])
            json.put("malloced", board[.malloced])
        }
    }

    private static func write(_ histogram: BoardSnapshot.Histogram, _ json: inout JSONWriter) {
        json.object { json in
            json.put("count", histogram.count)
            json.name("sum")
            json.double(histogram.sum)
            json.name("max")
            json.double(histogram.max)
            json.name("buckets")
            json.array { json in for bucket in histogram.buckets { json.integer(bucket) } }
        }
    }

    /// What a request took on average since the start; null before the first was answered.
    private static func writeEach(_ board: BoardSnapshot, _ json: inout JSONWriter) {
        let served = board.series.filter { $0.key.kind == .serverDuration }.values
        let count = served.reduce(0 as UInt64) { $0 &+ $1.count }
        guard count > 0 else { return json.null() }
        let collections = board.collections.reduce(0.0) { $0 + seconds($1.sum) }
        json.object { json in
            func put(_ name: String, _ sum: Double) {
                json.name(name)
                json.double(sum / Double(count))
            }
            put("durationSeconds", served.reduce(0) { $0 + $1.sum })
            put("cpuSeconds", seconds(board[.isolateCPU]))
            put("gcSeconds", collections)
            put("bytesIn", Double(board[.bytesIn]))
            put("bytesOut", Double(board[.bytesOut]))
        }
    }

    private static func seconds(_ nanoseconds: UInt64) -> Double { Double(nanoseconds) / 1e9 }

    // MARK: errors

    /// By what is told of them; the most frequent first.
    private static func errors(_ board: BoardSnapshot) -> [(BoardSnapshot.SeriesKey, UInt64)] {
        var counts: [BoardSnapshot.SeriesKey: UInt64] = [:]
        for (key, histogram) in board.series where key.isError {
            var told = key
            (told.isHTTPS, told.protocolVersion) = (false, "")
            counts[told, default: 0] &+= histogram.count
        }
        return counts.map { ($0.key, $0.value) }.sorted { ($1.1, $0.0.order) < ($0.1, $1.0.order) }
    }

    private static func write(_ key: BoardSnapshot.SeriesKey, _ count: UInt64, _ json: inout JSONWriter) {
        json.object { json in
            json.put("client", key.kind == .clientDuration)
            json.field("method", BoardMethod.names[key.method])
            json.field("route", key.route)
            json.field("host", key.host)
            json.put("port", key.port)
            json.put("status", key.status)
            json.field("type", key.errorType)
            json.put("count", count)
        }
    }

    /// Series of one kind together.
    private struct Sum {
        var histogram = BoardSnapshot.Histogram()
        var errors: UInt64 = 0

        mutating func add(_ key: BoardSnapshot.SeriesKey, _ other: BoardSnapshot.Histogram) {
            histogram.sum += other.sum
            histogram.max = max(histogram.max, other.max)
            for index in histogram.buckets.indices { histogram.buckets[index] &+= other.buckets[index] }
            if key.isError { errors &+= other.count }
        }
    }

    /// Requests for a route by a method, whatever became of them.
    private struct Route {
        struct Key: Hashable {
            var method: Int
            var route: String
        }

        var key: Key
        var sum = Sum()

        /// The most asked for first.
        static func all(_ board: BoardSnapshot) -> [Route] {
            var routes: [Key: Route] = [:]
            for (series, histogram) in board.series where series.kind == .serverDuration {
                let key = Key(method: series.method, route: series.isOverflow ? "(others)" : series.route)
                routes[key, default: Route(key: key)].sum.add(series, histogram)
            }
            return routes.values.sorted { (left: Route, right: Route) -> Bool in
                let (a, b) = (left.sum.histogram.count, right.sum.histogram.count)
                return a == b ? (left.key.route, left.key.method) < (right.key.route, right.key.method) : a > b
            }
        }

        func write(_ json: inout JSONWriter) {
            json.object { json in
                json.field("method", BoardMethod.names[key.method])
                json.field("route", key.route)
                json.put("errors", sum.errors)
                json.name("duration")
                WorkloadJSON.write(sum.histogram, &json)
            }
        }
    }
}

extension BoardSnapshot.SeriesKey {
    /// By the semantic conventions: a status of the server from 500 on, one of a client from 400 on, or a failure.
    fileprivate var isError: Bool {
        !errorType.isEmpty || status >= (kind == .serverDuration ? 500 : 400)
    }
}
