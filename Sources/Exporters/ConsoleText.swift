import System
public import Telemetry
import Wire

/// Spans and log records as lines for people.
public struct ConsoleText {
    public private(set) var text = ""
    /// Items that did not decode.
    private(set) var skipped = 0

    /// Not of metrics.
    public init(_ batches: [Batch]) {
        for batch in batches {
            let service = (try? batch.decodedResource())?.serviceName ?? "unknown_service"
            switch batch.signal {
            case .traces: add(batch.spans()) { Self.line($0, service: service) }
            case .logs: add(batch.logRecords()) { Self.line($0, service: service) }
            case .metrics: preconditionFailure("metrics have no form for people")
            }
        }
    }

    private mutating func add<Value>(_ items: DecodedItems<Value>, _ line: (Value) -> String) {
        for item in items {
            if case .success(let (value, _)) = item { text += line(value) + "\n" } else { skipped += 1 }
        }
    }

    /// `2026-11-23T15:04:05.123Z SPAN  GET /users 12.3 ms error: message service=… trace=… span=… parent=… key=value`
    static func line(_ span: SpanData, service: String) -> String {
        var line = "\(time(span.startTime)) SPAN  \(escaped(span.name)) \(duration(span.duration))"
        switch span.status.code {
        case .unset: break
        case .ok: line += " ok"
        case .error: line += span.status.message.isEmpty ? " error" : " error: \(escaped(span.status.message))"
        }
        line += " service=\(value(.string(service))) trace=\(span.context.traceID) span=\(span.context.spanID)"
        if span.parentSpanID.isValid { line += " parent=\(span.parentSpanID)" }
        if span.kind != .internal, span.kind != .unspecified { line += " kind=\(span.kind)" }
        line += pairs(span.attributes)
        for event in span.events {
            let after = event.time > span.startTime ? event.time - span.startTime : 0
            line += "\n    + \(duration(after)) \(escaped(event.name))\(pairs(event.attributes))"
        }
        return line
    }

    /// `2026-11-23T15:04:05.123Z INFO  body service=… trace=… span=… key=value`
    static func line(_ log: LogRecord, service: String) -> String {
        let level = log.severityText.isEmpty ? LogRecord.levelName(log.severity) ?? "LOG" : escaped(log.severityText.uppercased())
        let body = if case .string(let text) = log.body { escaped(text) } else { value(log.body) }
        var line =
            "\(time(log.time == 0 ? log.observedTime : log.time)) \(level.padded(5)) \(body)"
            + " service=\(value(.string(service)))"
        if log.traceID.isValid { line += " trace=\(log.traceID) span=\(log.spanID)" }
        return line + pairs(log.attributes)
    }

    private static func pairs(_ attributes: Attributes) -> String {
        attributes.reduce(into: "") { $0 += " \(escaped($1.key))=\(value($1.value))" }
    }

    /// Text with spaces or quotes in quotes, so that pairs can be told apart.
    static func value(_ value: AttributeValue) -> String {
        switch value {
        case .empty: return "null"
        case .string(let text):
            let plain = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3D }
            return plain ? escaped(text) : "\"" + escaped(text).replacing("\"", with: "\\\"") + "\""
        case .bool(let flag): return String(flag)
        case .int(let number): return String(number)
        case .double(let number): return number.description
        case .bytes(let bytes): return "\(bytes.count) bytes"
        case .array(let elements): return "[" + elements.map { Self.value($0) }.joined(separator: ",") + "]"
        case .map(let entries):
            return "{" + entries.map { "\(escaped($0.key)):\(Self.value($0.value))" }.joined(separator: ",") + "}"
        }
    }

    /// Without characters that a terminal would obey: what a workload writes must not move the reader's cursor.
    static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: \.isUnprintable) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where scalar.isUnprintable: result += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// Three digits and a unit.
    static func duration(_ nanoseconds: UInt64) -> String {
        let (value, unit): (Double, String) =
            switch nanoseconds {
            case ..<1_000: (Double(nanoseconds), "ns")
            case ..<1_000_000: (Double(nanoseconds) / 1e3, "µs")
            case ..<1_000_000_000: (Double(nanoseconds) / 1e6, "ms")
            default: (Double(nanoseconds) / 1e9, "s")
            }
        let places: Double = unit == "ns" || value >= 100 ? 1 : value >= 10 ? 10 : 100
        let rounded = (value * places).rounded() / places
        let text = rounded == rounded.rounded() ? String(Int(rounded)) : rounded.description
        return "\(text) \(unit)"
    }

    /// UTC in ISO 8601 with milliseconds.
    static func time(_ unixNanoseconds: UInt64) -> String {
        UnixTime.text(unixNanoseconds, fractionDigits: 3)
    }
}

extension String {
    fileprivate func padded(_ count: Int) -> String {
        self + String(repeating: " ", count: Swift.max(0, count - self.count))
    }
}
