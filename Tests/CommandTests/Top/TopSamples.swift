import Wire

@testable import sidelight

/// Unix nanoseconds at which the workload of the samples began.
let topStart: UInt64 = 1_795_442_400_000_000_000

/// What an agent answers so many seconds after the start, when it had `served` requests, each of 8 ms, of which `errors` ended with 500.
func topAnswer(
    at seconds: Double, served: Int, errors: Int = 0, pid: Int = 100, service: String = "shop", route: String = "/cart",
    path: String = "/cart?id=1", restarts: Int = 0, entry: String = "app.mjs"
) -> String {
    let time = topStart + UInt64(seconds * 1e9)
    let buckets = [Int](repeating: 0, count: 6) + [served] + [Int](repeating: 0, count: 13)
    let duration = "{\"count\":\(served),\"sum\":\(Double(served) * 0.008),\"max\":0.0095,\"buckets\":\(buckets)}"
    let figures = """
        {"requests":\(served),"errors":\(errors),"duration":\(duration),"fetches":{"count":0,"sum":0,"max":0,"buckets":[]},
        "connections":{"accepted":9,"open":4},"bytesIn":\(served * 100),"bytesOut":\(served * 2048),"active":2,"timers":3,
        "workers":1,"cpuSeconds":\(Double(served) * 0.0005),"abandoned":0,"timeouts":0,"malformed":0,"unhandledErrors":0,
        "loop":{"turns":10,"stalls":0,"activeSeconds":\(seconds / 4),"idleSeconds":\(seconds * 3 / 4),
        "delays":[[0.00001,\(Int(seconds * 10))],[0.002,\(Int(seconds))]]},
        "collections":{"minor":{"count":3,"seconds":\(seconds / 100),"maxSeconds":0.001}},
        "heap":{"used":20971520,"total":31457280,"limit":67108864,"external":0,"arrayBuffers":0}}
        """
    func quoted(_ text: String) -> String {
        var json = JSONWriter()
        json.string(text)
        return json.text
    }
    return """
        {"timeUnixNano":"\(time)","workloads":[{"service":\(quoted(service)),"entry":\(quoted(entry)),
        "url":"http://127.0.0.1:8080","startTimeUnixNano":"\(topStart)","ending":false,"restarts":{"SIGKILL":\(restarts)},
        "total":\(figures),
        "routes":[{"method":"GET","route":\(quoted(route)),"errors":\(errors),"duration":\(duration)}],
        "errors":[{"client":false,"method":"GET","route":\(quoted(route)),"host":"","status":500,"type":"500","count":\(errors)}],
        "isolates":[{"pid":\(pid),"place":0,"state":"serving","startTimeUnixNano":"\(topStart)","figures":\(figures),
        "requests":[{"method":"GET","path":\(quoted(path)),"traceId":"4bf92f3577b34da6a3ce929d0e0e4736",
        "startTimeUnixNano":"\(time - 1_500_000_000)"}],"requestsOmitted":0}]}]}
        """
}

func topCounters(at seconds: Double, sent: Int, queued: Int = 0, dropped: Int = 0) -> String {
    func counter(_ name: String, _ value: Int) -> String {
        "{\"name\":\"\(name)\",\"labels\":{\"exporter\":\"otlp\",\"signal\":\"traces\"},\"value\":\(value)}"
    }
    return """
        {"timeUnixNano":"\(topStart + UInt64(seconds * 1e9))","counters":[\(counter("sidelight_export_sent_total", sent)),
        \(counter("sidelight_export_queued", queued)),\(counter("sidelight_export_dropped_total", dropped)),
        {"name":"sidelight_export_retries_total","labels":{"exporter":"otlp"},"value":7},
        {"name":"sidelight_queue_bytes","labels":{"exporter":"otlp"},"value":4096}]}
        """
}

func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

extension TopModel {
    /// One of a single port.
    static func of(_ answers: String..., counters: [String] = []) throws -> TopModel {
        var model = TopModel(places: ["127.0.0.1:9464"])
        for (index, answer) in answers.enumerated() {
            let counters = try index < counters.count ? json(counters[index]) : nil
            let sample = TopSample(workloads: try json(answer), counters: counters, resources: nil)
            if let sample { model.take(sample, from: 0) }
        }
        return model
    }
}

/// A screen that is drawn as text, without colours. A class since `#expect` copies what it looks at.
final class DrawnScreen {
    private(set) var screen: TopScreen

    init(_ view: TopView?, sort: String? = nil) {
        screen = TopScreen(view: view, sort: sort, intervalNanoseconds: 1_000_000_000)
    }

    func take(_ key: TopKey) -> Bool { screen.take(key) }

    func table(_ model: TopModel, width: Int = .max) -> [String] { screen.table(model, width: width).map(\.text) }

    func text(_ model: TopModel, width: Int = 120, height: Int = 24) -> [String] {
        screen.frame(model, width: width, height: height).map { $0.painted(Painter(hasColor: false), width: width) }
    }
}
