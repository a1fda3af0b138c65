import Telemetry
import Wire

/// The texts of a log record that are searched: of its body and its attributes' values, nested ones included, and its event name. Keys and numbers are none.
enum LogTexts {
    /// Deeper values are not looked at; decoders do not take them either.
    private static let nestingMax = 64

    /// Calls `body` with the UTF-8 of each text. Ends where the message is damaged.
    @inline(__always)
    static func forEach(_ message: consuming ProtobufReader, _ body: (UnsafeRawBufferPointer) -> Void) {
        do throws(DecodeError) {
            while let field = try message.next() {
                switch (field.number, field.type) {
                case (5, .lengthDelimited): try value(message.message(), 0, body)
                case (6, .lengthDelimited): try attribute(message.message(), 0, body)
                case (12, .lengthDelimited): body(try message.bytes())
                default: try message.skip(field)
                }
            }
        } catch {
            // What was read of it counts.
        }
    }

    /// A `KeyValue` message.
    private static func attribute(
        _ message: consuming ProtobufReader, _ depth: Int, _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(DecodeError) {
        while let field = try message.next() {
            if field.number == 2, field.type == .lengthDelimited {
                try value(message.message(), depth, body)
            } else {
                try message.skip(field)
            }
        }
    }

    /// An `AnyValue` message.
    private static func value(
        _ message: consuming ProtobufReader, _ depth: Int, _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(DecodeError) {
        while let field = try message.next() {
            switch (field.number, field.type) {
            case (1, .lengthDelimited): body(try message.bytes())
            case (5, .lengthDelimited) where depth < nestingMax: try elements(message.message(), depth + 1, false, body)
            case (6, .lengthDelimited) where depth < nestingMax: try elements(message.message(), depth + 1, true, body)
            default: try message.skip(field)
            }
        }
    }

    /// An `ArrayValue` or `KeyValueList` message.
    private static func elements(
        _ message: consuming ProtobufReader, _ depth: Int, _ areAttributes: Bool,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(DecodeError) {
        while let field = try message.next() {
            guard field.number == 1, field.type == .lengthDelimited else {
                try message.skip(field)
                continue
            }
            if areAttributes {
                try attribute(message.message(), depth, body)
            } else {
                try value(message.message(), depth, body)
            }
        }
    }

    /// The same of a record that is decoded.
    static func forEach(_ record: LogRecord, _ body: (UnsafeRawBufferPointer) -> Void) {
        forEach(record.body, body)
        for attribute in record.attributes { forEach(attribute.value, body) }
        forEach(.string(record.eventName), body)
    }

    private static func forEach(_ value: AttributeValue, _ body: (UnsafeRawBufferPointer) -> Void) {
        switch value {
        case .string(var text): text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
        case .array(let values): for value in values { forEach(value, body) }
        case .map(let entries): for entry in entries { forEach(entry.value, body) }
        case .empty, .bool, .int, .double, .bytes: break
        }
    }
}

extension LogRecord {
    /// What stands for a record whose body is no text: its event's name, or the keys of its body.
    var shape: String {
        if !eventName.isEmpty {
            return String(decoding: eventName.utf8.prefix(PatternMask.bytesMax), as: UTF8.self)
        }
        guard case .map(let entries) = body else { return "" }
        let keys = entries.map(\.key).sorted().prefix(PatternMiner.tokensMax).joined(separator: ", ")
        return String(decoding: "{\(keys)}".utf8.prefix(PatternMask.bytesMax), as: UTF8.self)
    }
}
