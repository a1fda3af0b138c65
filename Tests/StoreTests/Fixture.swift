import Foundation
import Store
import Synchronization
import Telemetry
import Wire

/// A directory of its own for each test, removed at the end.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        var template = Array((NSTemporaryDirectory() + "/sidelight-store-XXXXXX").utf8CString)
        precondition(mkdtemp(&template) != nil, "no temporary directory: errno \(errno)")
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var databasePath: String { path + "/sidelight.db" }

    func files() -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: path))?.sorted() ?? [] }
}

/// Messages that a writer reported.
final class Reports: Sendable {
    private let messages = Mutex<[String]>([])
    var all: [String] { messages.withLock { $0 } }
    var sink: @Sendable (String) -> Void { { message in self.messages.withLock { $0.append(message) } } }
}

/// 2026-11-23T14:00:00Z, Unix nanoseconds.
let noon: UInt64 = 1_795_442_400_000_000_000
let second: UInt64 = 1_000_000_000

let shop = Resource(attributes: [Attribute("service.name", "shop"), Attribute("process.pid", 7)])
let stock = Resource(attributes: [Attribute("service.name", "stock")])

func traceID(_ number: UInt64) -> TraceID {
    TraceID(high: number &* 0x9E37_79B9_7F4A_7C15 | 1, low: number &* 0xBF58_476D_1CE4_E5B9 | 1)
}

/// Milliseconds are counted from `noon`.
func span(
    _ trace: TraceID, _ id: UInt64, parent: UInt64 = 0, _ name: String, from start: UInt64 = 0, to end: UInt64 = 10,
    error: Bool = false, attributes: Attributes = []
) -> SpanData {
    SpanData(
        context: SpanContext(traceID: trace, spanID: SpanID(id)), parentSpanID: SpanID(parent), name: name,
        startTime: noon + start * 1_000_000, endTime: noon + end * 1_000_000, attributes: attributes,
        status: SpanStatus(code: error ? .error : .unset))
}

func log(
    _ text: String, at time: UInt64 = 0, severity: UInt8 = 9, trace: TraceID = .invalid, span: UInt64 = 0
) -> LogRecord {
    LogRecord(
        time: noon + time * 1_000_000, severity: severity, body: .string(text), traceID: trace, spanID: SpanID(span))
}

/// Bytes that look random and are the same in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
