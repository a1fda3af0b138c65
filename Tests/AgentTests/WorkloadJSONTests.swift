import Telemetry
import Testing
import Wire

@testable import Agent

@Suite struct WorkloadJSONTests {
    private func key(_ method: Int, _ status: Int, _ route: String, error: String = "") -> BoardSnapshot.SeriesKey {
        var key = BoardSnapshot.SeriesKey(kind: .serverDuration)
        (key.method, key.status, key.route, key.errorType) = (method, status, route, error)
        return key
    }

    private func histogram(_ count: UInt64, sum: Double, max: Double = 0.02) -> BoardSnapshot.Histogram {
        var buckets = BoardSnapshot.Histogram().buckets
        buckets[2] = count
        return BoardSnapshot.Histogram(sum: sum, min: 0.01, max: max, buckets: buckets)
    }

    private var board: BoardSnapshot {
        var board = BoardSnapshot()
        func put(_ counter: BoardCounter, _ value: UInt64) { board.counters[counter.rawValue] = value }
        put(.requests, 13)
        put(.isolateCPU, 1_200_000_000)
        put(.bytesIn, 1_200)
        put(.bytesOut, 24_000)
        put(.malformed400, 2)
        put(.malformedOther, 3)
        put(.heapUsed, 1 << 20)
        put(.nativeContexts, 1)
        board.active[1] = 1
        board.delay.buckets[20] = 7
        board.collections[BoardCollection.minor.rawValue].sum = 12_000_000
        board.series[key(1, 200, "/cart")] = histogram(8, sum: 0.12)
        board.series[key(1, 500, "/cart", error: "500")] = histogram(2, sum: 0.03, max: 0.5)
        board.series[key(3, 404, "/cart")] = histogram(2, sum: 0.03)
        var fetch = BoardSnapshot.SeriesKey(kind: .clientDuration)
        (fetch.method, fetch.status, fetch.host, fetch.port) = (1, 404, "stock.test", 8080)
        (fetch.errorType, fetch.protocolVersion) = ("404", "1.1")
        board.series[fetch] = histogram(3, sum: 0.04)
        fetch.protocolVersion = "2"
        board.series[fetch] = histogram(1, sum: 0.01)
        (fetch.status, fetch.errorType) = (200, "")
        board.series[fetch] = histogram(5, sum: 0.05)
        return board
    }

    private func facts(_ board: BoardSnapshot, requests: [BoardRequest] = [], service: String = "shop") -> WorkloadFacts
    {
        WorkloadFacts(
            service: service, entry: "app.mjs", url: "http://127.0.0.1:8080", startTime: 5_000, resource: Resource(),
            workers: [
                WorkerFacts(
                    pid: 77, place: 0, state: .serving, startTime: 6_000, board: board, requests: requests,
                    clock: RingClock(unixAtRingZero: 1_000_000))
            ],
            total: board, restarts: ["SIGKILL": 2], counters: Counters(), isEnding: false)
    }

    private func parsed(_ facts: WorkloadFacts) throws -> JSONValue {
        let answer = try JSONValue(parsing: WorkloadJSON.bytes(facts, time: 9_000))
        guard case .array(let workloads)? = answer["workloads"] else { return .null }
        #expect(answer["timeUnixNano"]?.string == "9000")
        return try #require(workloads.first)
    }

    private func list(_ json: JSONValue, _ name: String) -> [JSONValue] {
        if case .array(let elements)? = json[name] { elements } else { [] }
    }

    @Test func aWorkloadIsToldWithItsSums() throws {
        let workload = try parsed(facts(board))
        #expect(workload["service"]?.string == "shop")
        #expect(workload["startTimeUnixNano"]?.string == "5000")
        #expect(workload["restarts"]?["SIGKILL"]?.integer == 2)
        let total = try #require(workload["total"])
        #expect(total["requests"]?.integer == 13)
        #expect(total["errors"]?.integer == 2)
        #expect(total["fetchErrors"]?.integer == 4)
        #expect(total["fetches"]?["count"]?.integer == 9)
        #expect(total["malformed"]?.integer == 5)
        #expect(total["active"]?.integer == 1)
        #expect(total["duration"]?["count"]?.integer == 12)
        #expect(total["heap"]?["used"]?.integer == 1 << 20)
        #expect(total["v8"]?["nativeContexts"]?.integer == 1)
        #expect(list(try #require(total["loop"]), "delays").count == 1)
    }

    @Test func aRequestsShareOfEverythingIsTold() throws {
        let each = try #require(try parsed(facts(board))["perRequest"])
        #expect(each["bytesIn"] == .number("100.0"))
        #expect(each["bytesOut"] == .number("2000.0"))
        let cpu = try #require(
            each["cpuSeconds"].flatMap { if case .number(let digits) = $0 { Double(digits) } else { nil } })
        #expect(abs(cpu - 0.1) < 1e-12)
        #expect(each["gcSeconds"] == .number("0.001"))
        #expect(try parsed(facts(BoardSnapshot()))["perRequest"] == .null)
    }

    @Test func routesAreSummedOverTheirOutcomesAndTheBusiestComesFirst() throws {
        let routes = list(try parsed(facts(board)), "routes")
        #expect(routes.map { $0["method"]?.string } == ["GET", "POST"])
        #expect(routes[0]["duration"]?["count"]?.integer == 10)
        #expect(routes[0]["duration"]?["max"] == .number("0.5"))
        #expect(routes[0]["errors"]?.integer == 2)
        #expect(routes[1]["errors"]?.integer == 0)
        let errors = list(try parsed(facts(board)), "errors")
        #expect(errors.map { $0["count"]?.integer } == [4, 2])
        #expect(errors[0]["client"] == .bool(true) && errors[0]["host"]?.string == "stock.test")
        #expect(errors[0]["port"]?.integer == 8080)
        #expect(errors[1]["status"]?.integer == 500)
    }

    @Test func requestsInFlightAreTheOldestAndTheRestIsCounted() throws {
        let requests = (0..<100).map { number in
            BoardRequest(
                context: SpanContext(traceID: TraceID(high: 1, low: UInt64(number)), spanID: SpanID(9), traceFlags: 1),
                parentSpanID: SpanID(0), flags: .sampled, startTime: Double(1_000 - number), method: "GET",
                target: "/\(number)?secret=1")
        }
        let isolate = try #require(list(try parsed(facts(board, requests: requests)), "isolates").first)
        #expect(isolate["pid"]?.integer == 77)
        #expect(isolate["state"]?.string == "serving")
        let told = list(isolate, "requests")
        #expect(told.count == WorkloadJSON.requestsMax)
        #expect(told[0]["path"]?.string == "/99")
        #expect(told[0]["startTimeUnixNano"]?.string == "1000901")
        #expect(isolate["requestsOmitted"]?.integer == Int64(100 - WorkloadJSON.requestsMax))
    }

    @Test func aRequestWithATimeThatMakesNoSenseIsToldWithoutOne() throws {
        let request = BoardRequest(
            context: SpanContext(traceID: TraceID(high: 1, low: 1), spanID: SpanID(9), traceFlags: 1),
            parentSpanID: SpanID(0), flags: [], startTime: .nan, method: "G\u{1B}T", target: "/\"\u{0}")
        let isolate = try #require(list(try parsed(facts(board, requests: [request])), "isolates").first)
        #expect(list(isolate, "requests")[0]["startTimeUnixNano"]?.string == "0")
    }

    @Test func routesAreBounded() throws {
        var board = BoardSnapshot()
        for number in 0..<400 { board.series[key(1, 200, "/\(number)")] = histogram(UInt64(number + 1), sum: 1) }
        var overflow = BoardSnapshot.SeriesKey(kind: .serverDuration)
        overflow.isOverflow = true
        board.series[overflow] = histogram(1_000, sum: 1)
        let workload = try parsed(facts(board))
        let routes = list(workload, "routes")
        #expect(routes.count == WorkloadJSON.routesMax)
        #expect(workload["routesOmitted"]?.integer == Int64(401 - WorkloadJSON.routesMax))
        #expect(routes[0]["route"]?.string == "(others)")
        #expect(routes[1]["route"]?.string == "/399")
    }

    @Test func countersAreTold() throws {
        var counters = Counters()
        counters.add(.exportSent, ["exporter": "otlp \"x\"", "signal": "traces"], 3)
        let answer = try JSONValue(parsing: WorkloadJSON.bytes(counters, time: 1))
        let told = list(answer, "counters")
        #expect(told.count == 1)
        #expect(told[0]["name"]?.string == "sidelight_export_sent_total")
        #expect(told[0]["labels"]?["exporter"]?.string == "otlp \"x\"")
        #expect(told[0]["value"]?.integer == 3)
    }
}
