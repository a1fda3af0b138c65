import Telemetry
import Wire

/// What a listing needs of a span, read out of its OTLP message without decoding the rest.
struct SpanHead {
    var traceID = TraceID.invalid
    var spanID = SpanID.invalid
    var parentSpanID = SpanID.invalid
    var start: UInt64 = 0
    var end: UInt64 = 0
    var isError = false
    /// Nil when the source does not say.
    var parentIsRemote: Bool?
    /// UTF-8, within the message.
    var name = UnsafeRawBufferPointer(start: nil, count: 0)

    init(_ reader: consuming ProtobufReader) throws(DecodeError) {
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (1, .lengthDelimited): traceID = TraceID(message: try reader.bytes())
            case (2, .lengthDelimited): spanID = SpanID(message: try reader.bytes())
            case (4, .lengthDelimited): parentSpanID = SpanID(message: try reader.bytes())
            case (5, .lengthDelimited): name = try reader.bytes()
            case (7, .fixed64): start = try reader.fixed64()
            case (8, .fixed64): end = try reader.fixed64()
            case (15, .lengthDelimited): isError = try Self.isError(reader.message())
            case (16, .fixed32):
                let flags = try reader.fixed32()
                parentIsRemote = flags & 0x100 == 0 ? nil : flags & 0x200 != 0
            default: try reader.skip(field)
            }
        }
    }

    private static func isError(_ status: consuming ProtobufReader) throws(DecodeError) -> Bool {
        var isError = false
        while let field = try status.next() {
            if field.number == 3, field.type == .varint {
                isError = try status.varint() == UInt64(SpanStatus.Code.error.rawValue)
            } else {
                try status.skip(field)
            }
        }
        return isError
    }
}

/// The same of a log record.
struct LogHead {
    var time: UInt64 = 0
    var severity: UInt8 = 0
    var traceID = TraceID.invalid

    init(_ reader: consuming ProtobufReader) throws(DecodeError) {
        var observed: UInt64 = 0
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (1, .fixed64): time = try reader.fixed64()
            case (2, .varint): severity = UInt8(truncatingIfNeeded: try reader.varint())
            case (9, .lengthDelimited): traceID = TraceID(message: try reader.bytes())
            case (11, .fixed64): observed = try reader.fixed64()
            default: try reader.skip(field)
            }
        }
        if time == 0 { time = observed }
    }
}

extension TraceID {
    /// From a `bytes` field; of another length than 16 it counts as none.
    fileprivate init(message bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 16 else {
            self = .invalid
            return
        }
        self.init(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
}

extension SpanID {
    fileprivate init(message bytes: UnsafeRawBufferPointer) {
        self.init(bytes.count == 8 ? UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)) : 0)
    }
}

extension BatchBody {
    /// Calls `body` with the message of each item, and the index of its scope. Ends early when `body` returns false or the
    /// bytes are damaged; false says that they are.
    func forEachItem(_ body: (ProtobufReader, Int) throws -> Bool) rethrows -> Bool {
        try bytes.withUnsafeBytes { bytes in
            var reader = ProtobufReader(bytes)
            var run = 0
            var left = runs.first?.items ?? .max
            while true {
                let message: ProtobufReader
                do throws(DecodeError) {
                    guard let field = try reader.next() else { return true }
                    guard field.number == 2, field.type == .lengthDelimited else { return false }
                    message = try reader.message()
                } catch {
                    return false
                }
                while left == 0, run + 1 < runs.count {
                    run += 1
                    left = runs[run].items
                }
                left = left > 0 ? left - 1 : 0
                guard try body(message, run < runs.count ? Int(runs[run].scope) : 0) else { return true }
            }
        }
    }
}
