// What the agent says about serving, in the configuration's "serve" (Sources/Agent/WorkerConfiguration+JSON.swift).

internal import Wire

struct HTTPServerOptions {
    /// What the socket listens on: "127.0.0.1:8080", "[::1]:8080" or "unix:/path".
    var address = "localhost"
    /// Expressions for `scheduled`; the agent gives them to one worker only.
    var crons: [String] = []
    /// How often `health` is called, and how long it may take. Milliseconds.
    var health = (interval: 5_000.0, timeout: 1_000.0)
    var limits = HTTP1Limits()
    /// From the first byte of a head to its last, and between two pieces of a request's content. Nanoseconds.
    var headTimeout = 10e9
    /// Between two requests of a connection, and of a client that takes nothing of its response. Nanoseconds.
    var idleTimeout = 60e9
    /// From a request's head to the last byte of its response; 0: no limit. Nanoseconds.
    var requestTimeout = 0.0
    /// The same by the limit `wall`, which is told as one.
    var wallLimit = 0.0
    var connectionsMax = 10_000
    /// The kinds of headers in which callers tell of their trace.
    var propagators: Set<String> = ["tracecontext", "baggage"]

    init() {}

    init(_ configuration: JSON) {
        if let names = configuration["propagators"]?.string {
            propagators = Set(names.split(separator: ",").map(String.init))
        }
        wallLimit = (configuration["wallMilliseconds"]?.number ?? 0) * 1e6
        guard let serve = configuration["serve"] else { return }
        address = serve["address"]?.string ?? address
        crons = serve["crons"]?.strings ?? []
        if let given = serve["health"] {
            health.interval = given["intervalMilliseconds"]?.number ?? health.interval
            health.timeout = given["timeoutMilliseconds"]?.number ?? health.timeout
        }
        guard let given = serve["limits"] else { return }
        func number(_ name: String, _ assign: (Double) -> Void) { given[name]?.number.map(assign) }
        number("headerBytes") {
            limits.headBytesMax = Int(min(max($0, 1024), 16 * 1024 * 1024))
            limits.requestLineBytesMax = min(limits.requestLineBytesMax, limits.headBytesMax)
        }
        number("bodyBytes") { limits.bodyBytesMax = Int(min($0, 0x1p52)) }
        number("headerTimeoutMilliseconds") { headTimeout = $0 * 1e6 }
        number("idleMilliseconds") { idleTimeout = $0 * 1e6 }
        number("requestTimeoutMilliseconds") { requestTimeout = $0 * 1e6 }
        number("connections") { connectionsMax = Int(min(max($0, 1), 1_000_000)) }
    }

    var isUnixSocket: Bool { address.hasPrefix("unix:") }
}

extension JSON {
    /// The texts of an array; nil when it is none.
    fileprivate var strings: [String]? {
        guard case .array(let elements) = self else { return nil }
        return elements.compactMap(\.string)
    }
}
