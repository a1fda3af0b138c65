extension WorkloadLimits {
    /// The limits there are, but for `cpu-window`.
    public enum Name: String, CaseIterable, Sendable {
        case cpu, wall
        case loopBlock = "loop-block"
        case heap
        /// ArrayBuffers, SharedArrayBuffers and memories of WebAssembly together, in each isolate.
        case memory
        /// What the process has in memory of whatever kind, its children's included.
        case resident
        case wasmMemory = "wasm-memory"
        case stack, workers, timers, promises
        /// Requests that `fetch` has open at once.
        case fetches
        /// WebSockets open at once, of either kind.
        case sockets
        case modules
        /// Sources of modules together.
        case moduleBytes = "module-bytes"
        /// One message of structured clone.
        case cloneBytes = "clone-bytes"
        case logsPerSecond = "logs-per-second"
        case spansPerSecond = "spans-per-second"
        case headers, body
        case headerTimeout = "header-timeout"
        case idle
        case requestTimeout = "request-timeout"
        case connections
        /// In flight at once, in each isolate.
        case requests
        /// What `fetch` may send for one request, redirects included.
        case subrequests
        /// Content of one response.
        case response

        /// Whole numbers that isolates enforce themselves.
        public static let ofIsolates: [Name] = [
            .memory, .resident, .wasmMemory, .stack, .workers, .timers, .promises, .fetches, .sockets, .modules,
            .moduleBytes, .cloneBytes, .logsPerSecond, .spansPerSecond, .requests, .subrequests, .response,
        ]

        public enum Unit: Sendable { case time, bytes, pieces }

        public var unit: Unit {
            switch self {
            case .cpu, .wall, .loopBlock, .headerTimeout, .idle, .requestTimeout: .time
            case .heap, .memory, .resident, .wasmMemory, .stack, .moduleBytes, .cloneBytes, .headers, .body, .response:
                .bytes
            case .workers, .timers, .promises, .fetches, .sockets, .modules, .logsPerSecond, .spansPerSecond,
                .connections, .requests, .subrequests:
                .pieces
            }
        }

        /// Whether only `serve` has it.
        var isOfServing: Bool {
            switch self {
            case .loopBlock, .headers, .body, .headerTimeout, .idle, .requestTimeout, .connections, .requests,
                .subrequests, .response:
                true
            default: false
            }
        }

        /// What it may be, in nanoseconds, bytes or pieces.
        var bounds: ClosedRange<UInt64> {
            switch self {
            case .cpu, .wall, .loopBlock, .headerTimeout, .idle, .requestTimeout: 1_000_000...8_760 * 3_600_000_000_000
            // With less V8 does not start.
            case .heap: 4 << 20...1 << 40
            case .memory: 1 << 20...1 << 40
            // With less a worker does not start.
            case .resident: 64 << 20...1 << 40
            // A page, and what 32 bits can point to.
            case .wasmMemory: 64 << 10...4 << 30
            // With less the platform does not start; a thread has no more.
            case .stack: 128 << 10...4 << 20
            // As many as half the places of the rings' table.
            case .workers: 1...256
            case .headers: 1 << 10...16 << 20
            case .body, .response, .moduleBytes, .cloneBytes: 1...1 << 40
            case .timers, .promises, .fetches, .sockets, .modules, .logsPerSecond, .spansPerSecond, .connections,
                .requests, .subrequests:
                1...1_000_000
            }
        }

        /// The same for people.
        var expected: String {
            switch self {
            case .cpu: "a time such as 500ms, from 1ms to 8760h"
            case .wall: "a time such as 2s, from 1ms to 8760h"
            case .loopBlock: "a time such as 200ms, from 1ms to 8760h"
            case .heap: "a size such as 64MB, from 4MB to 1024GB"
            case .memory: "a size such as 128MB, from 1MB to 1024GB"
            case .resident: "a size such as 256MB, from 64MB to 1024GB"
            case .wasmMemory: "a size such as 256MB, from 64KB to 4GB"
            case .stack: "a size such as 512KB, from 128KB to 4MB"
            case .workers: "a whole number such as 16, from 1 to 256"
            case .headers: "a size such as 32KB, from 1KB to 16MB"
            case .body, .response: "a size such as 100MB, from 1B to 1024GB"
            case .moduleBytes, .cloneBytes: "a size such as 10MB, from 1B to 1024GB"
            case .headerTimeout: "a time such as 10s, from 1ms to 8760h"
            case .idle: "a time such as 60s, from 1ms to 8760h"
            case .requestTimeout: "a time such as 30s, from 1ms to 8760h, or none"
            case .connections: "a whole number such as 10000, from 1 to 1000000"
            case .timers, .promises, .fetches, .sockets, .modules, .logsPerSecond, .spansPerSecond, .requests,
                .subrequests:
                "a whole number such as 1000, from 1 to 1000000"
            }
        }

        /// Nil when the text is no value for this limit.
        func value(_ text: String) -> UInt64? {
            if self == .requestTimeout, text == "none" || text == "0" { return 0 }
            let value: UInt64? =
                switch unit {
                case .time: Units.nanoseconds(text)
                case .bytes: Units.bytes(text).map(UInt64.init)
                case .pieces: Units.count(text).map(UInt64.init)
                }
            guard let value, bounds.contains(value) else { return nil }
            return value
        }
    }
}
