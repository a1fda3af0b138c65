public import Telemetry

extension OTLP {
    /// Writes the fields of a `LogRecord` message.
    public static func encode(log: LogRecord, into writer: inout ProtobufWriter) {
        putTime(LogField.time, log.time, into: &writer)
        putCount(LogField.severity, UInt32(log.severity), into: &writer)
        putText(LogField.severityText, log.severityText, into: &writer)
        if log.body != .empty { encode(value: log.body, field: LogField.body, into: &writer) }
        encode(attributes: log.attributes, field: LogField.attributes, into: &writer)
        putCount(LogField.droppedAttributesCount, log.droppedAttributesCount, into: &writer)
        if log.traceFlags != 0 { writer.putFixed32(LogField.flags, UInt32(log.traceFlags)) }
        if log.traceID.isValid { put(LogField.traceID, log.traceID, into: &writer) }
        if log.spanID.isValid { put(LogField.spanID, log.spanID, into: &writer) }
        putTime(LogField.observedTime, log.observedTime, into: &writer)
        putText(LogField.eventName, log.eventName, into: &writer)
    }

    /// Decodes a `LogRecord` message.
    public static func decodeLog(_ bytes: [UInt8]) throws(DecodeError) -> LogRecord {
        try decoding(bytes) { (reader) throws(DecodeError) in try decodeLog(reader) }
    }

    /// Decodes a `LogRecord` message.
    public static func decodeLog(_ reader: consuming ProtobufReader) throws(DecodeError) -> LogRecord {
        var log = LogRecord(time: 0, severity: 0, body: .empty)
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (LogField.time, .fixed64): log.time = try reader.fixed64()
            case (LogField.severity, .varint): log.severity = try severity(reader.varint32())
            case (LogField.severityText, .lengthDelimited): log.severityText = try reader.string()
            case (LogField.body, .lengthDelimited): log.body = try decodeValue(reader.message())
            case (LogField.attributes, .lengthDelimited): log.attributes.append(try decodeAttribute(reader.message()))
            case (LogField.droppedAttributesCount, .varint): log.droppedAttributesCount = try reader.varint32()
            case (LogField.flags, .fixed32): log.traceFlags = UInt8(truncatingIfNeeded: try reader.fixed32())
            case (LogField.traceID, .lengthDelimited): log.traceID = try traceID(&reader)
            case (LogField.spanID, .lengthDelimited): log.spanID = try spanID(&reader)
            case (LogField.observedTime, .fixed64): log.observedTime = try reader.fixed64()
            case (LogField.eventName, .lengthDelimited): log.eventName = try reader.string()
            default: try reader.skip(field)
            }
        }
        return log
    }

    /// A severity number this version does not know counts as unspecified.
    static func severity(_ number: UInt32) -> UInt8 { number <= 24 ? UInt8(number) : 0 }
}
