import Telemetry

extension Zipkin {
    /// The spans of a `ListOfSpans` (`POST /api/v2/spans` as `application/x-protobuf`),
    /// <https://github.com/openzipkin/zipkin-api/blob/master/zipkin.proto>. Throws when the list's frames are broken or a limit is exceeded; a
    /// span that is bad in itself is left out and counted.
    public static func batches(
        fromV2Protobuf bytes: [UInt8], limits: OTLP.ReceiveLimits = OTLP.ReceiveLimits()
    ) throws(DecodeError) -> OTLP.Received {
        guard bytes.count <= limits.requestBytesMax else { throw .tooLarge(at: limits.requestBytesMax) }
        return try OTLP.decoding(bytes) { (reader) throws(DecodeError) in
            var gatherer = SpanGatherer(.zipkin, limits: limits)
            var span = ZipkinSpan()
            while let field = try reader.next() {
                guard field.number == 1, field.type == .lengthDelimited else {
                    try reader.skip(field)
                    continue
                }
                let offset = reader.offset
                let message = try reader.message()
                try gatherer.begin(at: offset)
                span.reset()
                do throws(DecodeError) {
                    try span.read(message)
                    try span.finish(at: offset)
                    try gatherer.add(&span.foreign, at: offset)
                } catch {
                    try gatherer.reject(error)
                }
            }
            return gatherer.finish()
        }
    }
}

extension ZipkinSpan {
    fileprivate mutating func read(_ reader: consuming ProtobufReader) throws(DecodeError) {
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (1, .lengthDelimited): foreign.traceID = try Self.readTraceID(&reader)
            case (2, .lengthDelimited): foreign.parentSpanID = try OTLP.spanID(&reader)
            case (3, .lengthDelimited): foreign.spanID = try OTLP.spanID(&reader)
            case (4, .varint): foreign.kind = Self.kind(try reader.varint32())
            case (5, .lengthDelimited): foreign.name = try reader.text()
            case (6, .fixed64): timestamp = try reader.fixed64()
            case (7, .varint): duration = try reader.varint()
            case (8, .lengthDelimited): local = try readHost(reader.message())
            case (9, .lengthDelimited): remote = try readHost(reader.message())
            case (10, .lengthDelimited): try readAnnotation(reader.message())
            case (11, .lengthDelimited): try readTag(reader.message())
            case (12, .varint): isDebug = try reader.varint() != 0
            case (13, .varint): isShared = try reader.varint() != 0
            default: try reader.skip(field)
            }
        }
        // Absent and 0 are the same there.
        if timestamp == 0 { timestamp = nil }
    }

    /// 16 bytes, or the 8 of a short one.
    private static func readTraceID(_ reader: inout ProtobufReader) throws(DecodeError) -> TraceID {
        var copy = reader
        if try copy.bytes().count == 8 { return TraceID(high: 0, low: try OTLP.spanID(&reader).value) }
        return try OTLP.traceID(&reader)
    }

    private static func kind(_ number: UInt32) -> SpanKind {
        switch number {
        case 1: .client
        case 2: .server
        case 3: .producer
        case 4: .consumer
        default: .unspecified
        }
    }

    private func readHost(_ reader: consuming ProtobufReader) throws(DecodeError) -> ZipkinHost {
        var host = ZipkinHost()
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (1, .lengthDelimited): host.serviceName = try reader.text()
            case (2, .lengthDelimited): host.ipv4 = try address(&reader, bytes: 4)
            case (3, .lengthDelimited): host.ipv6 = try address(&reader, bytes: 16)
            case (4, .varint): host.port = UInt16(truncatingIfNeeded: try reader.varint())
            default: try reader.skip(field)
            }
        }
        return host
    }

    private func address(_ reader: inout ProtobufReader, bytes count: Int) throws(DecodeError) -> ForeignText {
        let offset = reader.offset
        let bytes = try reader.bytes()
        guard bytes.count == count || bytes.isEmpty else { throw .badAddress(at: offset) }
        return bytes.isEmpty ? .none : arena.copy(Array(IPAddressText.text(bytes).utf8))
    }

    private mutating func readAnnotation(_ reader: consuming ProtobufReader) throws(DecodeError) {
        let offset = reader.offset
        var time: UInt64 = 0
        var value = ForeignText.none
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (1, .fixed64): time = try reader.fixed64()
            case (2, .lengthDelimited): value = try reader.text()
            default: try reader.skip(field)
            }
        }
        try addAnnotation(microseconds: time, value, at: offset)
    }

    private mutating func readTag(_ reader: consuming ProtobufReader) throws(DecodeError) {
        var key = ForeignText.none
        var value = ForeignText.none
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (1, .lengthDelimited): key = try reader.text()
            case (2, .lengthDelimited): value = try reader.text()
            default: try reader.skip(field)
            }
        }
        addTag(key, value)
    }
}

extension ProtobufReader {
    /// The bytes of a string, which must be UTF-8.
    @inline(__always)
    fileprivate mutating func text() throws(DecodeError) -> UnsafeRawBufferPointer {
        let start = offset
        let bytes = try bytes()
        guard UTF8Check.isValid(bytes) else { throw .badUTF8(at: start) }
        return bytes
    }
}

/// An IP address as text.
enum IPAddressText {
    /// Of 4 bytes in decimal, of 16 as RFC 5952 says.
    static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        if bytes.count == 4 { return "\(bytes[0]).\(bytes[1]).\(bytes[2]).\(bytes[3])" }
        let groups = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
        // The longest run of zeros, the first of equal ones, if it is longer than one.
        var zeros = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(1, zeros.count) { zeros = start..<end }
            start = end + 1
        }
        func joined(_ range: Range<Int>) -> String {
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        return zeros.isEmpty ? joined(0..<8) : joined(0..<zeros.lowerBound) + "::" + joined(zeros.upperBound..<8)
    }
}
