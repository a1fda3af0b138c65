import Telemetry
import Wire

/// What an admin port says at one moment. What is missing, or makes no sense, is 0: the port may be of another release.
struct TopSample: Sendable {
    /// Unix nanoseconds, by the agent's clock.
    var time: UInt64 = 0
    var workloads: [Workload] = []
    var counters: [Counter] = []
    var host: TopHost?

    struct Workload: Sendable {
        var service = ""
        var entry = ""
        /// "": it is run.
        var url = ""
        /// Unix nanoseconds.
        var startTime: UInt64 = 0
        var isEnding = false
        var restarts: [(reason: String, count: Double)] = []
        var total = TopFigures()
        var routes: [Route] = []
        var failures: [Failure] = []
        var isolates: [Isolate] = []

        /// False with `run`, whose worker writes no figures: those of it are not known.
        var hasFigures: Bool { !url.isEmpty || isolates.contains(where: \.hasFigures) }
    }

    struct Isolate: Sendable {
        var pid: Int64 = 0
        var place: Int64 = 0
        /// "": not known, nor are its figures.
        var state = ""
        var startTime: UInt64 = 0
        var figures = TopFigures()
        var requests: [Request] = []
        /// In flight, beyond those.
        var requestsOmitted: Int64 = 0

        var hasFigures: Bool { !state.isEmpty }
    }

    /// A method and route.
    struct Route: Sendable {
        var method = ""
        var route = ""
        var errors = 0.0
        var duration = TopDuration()
    }

    /// Responses that were errors, of one kind.
    struct Failure: Sendable {
        var method = ""
        var route = ""
        /// Of a fetch: where it went.
        var host = ""
        var port: Int64 = 0
        var status: Int64 = 0
        var type = ""
        var isClient = false
        var count = 0.0
    }

    struct Request: Sendable {
        var method = ""
        var path = ""
        var traceID = ""
        /// 0: not known.
        var startTime: UInt64 = 0
    }

    /// Of the agent.
    struct Counter: Sendable {
        var name = ""
        var labels: [String: String] = [:]
        var value = 0.0
    }
}

/// A histogram of seconds, by `bounds` of `http.server.request.duration`.
struct TopDuration: Sendable {
    static let bounds = BoardLayout.durationBounds

    var sum = 0.0
    /// Since the start.
    var max = 0.0
    var buckets = [Double](repeating: 0, count: TopDuration.bounds.count + 1)

    var count: Double { buckets.reduce(0, +) }
}

/// What an isolate, or all of a workload, has counted since its start, and holds now.
struct TopFigures: Sendable {
    var requests = 0.0
    var errors = 0.0
    var abandoned = 0.0
    var timeouts = 0.0
    var malformed = 0.0
    var unhandled = 0.0
    var scheduledRuns = 0.0
    var scheduledFailures = 0.0
    var bytesIn = 0.0
    var bytesOut = 0.0
    var duration = TopDuration()
    var fetches = TopDuration()
    var cpuSeconds = 0.0
    var stalls = 0.0
    var loopActive = 0.0
    var loopIdle = 0.0
    /// Upper bounds in seconds, ascending, and how many delays.
    var delays: [(bound: Double, count: Double)] = []
    var collectionSeconds = 0.0

    // Values of now.
    var active = 0.0
    var connections = 0.0
    var heapUsed = 0.0
    var heapTotal = 0.0
    var heapLimit = 0.0
    var external = 0.0
    var timers = 0.0
    var workers = 0.0
}

extension TopSample {
    /// Isolates, routes and so on that are taken; an agent sends fewer.
    private static let itemsMax = 4_096

    /// Nil: these are not the answers of an agent. One of `agent` has no workloads, others may have no resources.
    init?(workloads: JSONValue?, counters: JSONValue?, resources: JSONValue?) {
        host = resources.map { TopHost($0) }
        guard let workloads else {
            guard let counters, case .array(let list)? = counters["counters"] else { return nil }
            time = counters.time("timeUnixNano")
            self.counters = list.prefix(Self.itemsMax).map(Counter.init)
            return
        }
        guard case .array = workloads["workloads"] else { return nil }
        time = workloads.time("timeUnixNano")
        self.workloads = workloads.list("workloads", Self.itemsMax).map(Workload.init)
        self.counters = counters?.list("counters", Self.itemsMax).map(Counter.init) ?? []
    }

    fileprivate static func items<Item>(_ json: JSONValue, _ name: String, _ make: (JSONValue) -> Item) -> [Item] {
        json.list(name, itemsMax).map(make)
    }
}

extension TopSample.Workload {
    fileprivate init(_ json: JSONValue) {
        service = json.text("service")
        entry = json.text("entry")
        url = json.text("url")
        startTime = json.time("startTimeUnixNano")
        isEnding = json["ending"] == .bool(true)
        if case .object(let members) = json["restarts"] {
            restarts = members.map { ($0.key, $0.value.amount) }.sorted { $0.0 < $1.0 }
        }
        total = TopFigures(json["total"] ?? .null)
        routes = TopSample.items(json, "routes", TopSample.Route.init)
        failures = TopSample.items(json, "errors", TopSample.Failure.init)
        isolates = TopSample.items(json, "isolates", TopSample.Isolate.init)
    }
}

extension TopSample.Isolate {
    fileprivate init(_ json: JSONValue) {
        pid = json["pid"]?.integer ?? 0
        place = json["place"]?.integer ?? 0
        state = json.text("state")
        startTime = json.time("startTimeUnixNano")
        figures = TopFigures(json["figures"] ?? .null)
        requests = TopSample.items(json, "requests", TopSample.Request.init)
        requestsOmitted = json["requestsOmitted"]?.integer ?? 0
    }
}

extension TopSample.Route {
    fileprivate init(_ json: JSONValue) {
        method = json.text("method")
        route = json.text("route")
        errors = json.amount("errors")
        duration = TopDuration(json["duration"] ?? .null)
    }
}

extension TopSample.Failure {
    fileprivate init(_ json: JSONValue) {
        method = json.text("method")
        route = json.text("route")
        host = json.text("host")
        port = json["port"]?.integer ?? 0
        status = json["status"]?.integer ?? 0
        type = json.text("type")
        isClient = json["client"] == .bool(true)
        count = json.amount("count")
    }
}

extension TopSample.Request {
    fileprivate init(_ json: JSONValue) {
        method = json.text("method")
        path = json.text("path")
        traceID = json.text("traceId")
        startTime = json.time("startTimeUnixNano")
    }
}

extension TopSample.Counter {
    fileprivate init(_ json: JSONValue) {
        name = json.text("name")
        value = json.amount("value")
        if case .object(let members) = json["labels"] { labels = members.compactMapValues(\.string) }
    }
}

extension TopDuration {
    fileprivate init(_ json: JSONValue) {
        sum = json.amount("sum")
        max = json.amount("max")
        for (index, value) in json.list("buckets", buckets.count).enumerated() { buckets[index] = value.amount }
    }
}

extension TopFigures {
    /// Buckets of delay that are taken.
    private static let delaysMax = 256

    fileprivate init(_ json: JSONValue) {
        requests = json.amount("requests")
        errors = json.amount("errors")
        abandoned = json.amount("abandoned")
        timeouts = json.amount("timeouts")
        malformed = json.amount("malformed")
        unhandled = json.amount("unhandledErrors")
        scheduledRuns = json.amount("scheduledRuns")
        scheduledFailures = json.amount("scheduledFailures")
        bytesIn = json.amount("bytesIn")
        bytesOut = json.amount("bytesOut")
        duration = TopDuration(json["duration"] ?? .null)
        fetches = TopDuration(json["fetches"] ?? .null)
        cpuSeconds = json.amount("cpuSeconds")
        active = json.amount("active")
        timers = json.amount("timers")
        workers = json.amount("workers")
        if let loop = json["loop"] {
            stalls = loop.amount("stalls")
            loopActive = loop.amount("activeSeconds")
            loopIdle = loop.amount("idleSeconds")
            for bucket in loop.list("delays", Self.delaysMax) {
                guard case .array(let pair) = bucket, pair.count == 2, pair[0].amount > delays.last?.bound ?? 0 else {
                    continue
                }
                delays.append((pair[0].amount, pair[1].amount))
            }
        }
        connections = json["connections"]?.amount("open") ?? 0
        if case .object(let kinds) = json["collections"] {
            collectionSeconds = kinds.values.reduce(0) { $0 + $1.amount("seconds") }
        }
        if let heap = json["heap"] {
            heapUsed = heap.amount("used")
            heapTotal = heap.amount("total")
            heapLimit = heap.amount("limit")
            external = heap.amount("external")
        }
    }
}

extension JSONValue {
    /// A finite number that is not negative; else 0.
    var amount: Double {
        let value: Double? =
            switch self {
            case .number(let digits), .string(let digits): Double(digits)
            default: nil
            }
        guard let value, value.isFinite, value > 0 else { return 0 }
        return value
    }

    func amount(_ name: String) -> Double { self[name]?.amount ?? 0 }
    func text(_ name: String) -> String { self[name]?.string ?? "" }
    func time(_ name: String) -> UInt64 { self[name]?.string.flatMap { UInt64($0) } ?? 0 }

    func list(_ name: String, _ countMax: Int) -> [JSONValue] {
        if case .array(let elements) = self[name] { Array(elements.prefix(countMax)) } else { [] }
    }
}
