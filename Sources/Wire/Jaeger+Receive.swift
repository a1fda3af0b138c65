// The inverse of Jaeger.swift: <https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/>.

import Telemetry

extension Jaeger {
    /// The spans of a `Batch` of jaeger.thrift (`POST /api/traces?format=jaeger.thrift`) in Thrift's binary protocol or its compact one, bare
    /// or in a message's envelope. Throws when that is not what the bytes are or a limit is exceeded; a span that is bad in itself is
    /// left out and counted.
    public static func batches(
        fromThrift bytes: [UInt8], limits: OTLP.ReceiveLimits = OTLP.ReceiveLimits()
    ) throws(DecodeError) -> OTLP.Received {
        guard bytes.count <= limits.requestBytesMax else { throw .tooLarge(at: limits.requestBytesMax) }
        return try bytes.withUnsafeBufferPointer { (bytes) throws(DecodeError) in
            let bytes = UnsafeRawBufferPointer(bytes)
            var reader = ThriftReader(bytes, isCompact: ThriftReader.isCompact(bytes))
            var receiver = Receiver(limits: limits)
            if try reader.skipEnvelope() {
                try receiver.takeArguments(&reader)
            } else {
                try receiver.takeBatch(&reader)
            }
            guard reader.isAtEnd else { throw .badThrift(at: reader.offset) }
            return receiver.gatherer.finish()
        }
    }

    private struct Reference {
        var isFollowsFrom = false
        var traceID = TraceID.invalid
        var spanID = SpanID.invalid
    }

    private struct Receiver: ~Copyable {
        var gatherer: SpanGatherer
        private var span = ForeignSpan()
        private var serviceName = ForeignText.none
        private var processTags: [ForeignTag] = []
        private var references: [Reference] = []
        /// How many links may still be looked at for the logs of the span that is being read.
        private var comparisonsLeft = 0
        private static let linkComparisonsMax = 65_536
        /// Of the log that is being read.
        private var fields: [ForeignTag] = []

        init(limits: OTLP.ReceiveLimits) { gatherer = SpanGatherer(.jaeger, limits: limits) }

        /// A batch or several, as the one argument of a call.
        mutating func takeArguments(_ reader: inout ThriftReader) throws(DecodeError) {
            var last: ThriftReader.LastNumber = 0
            while let field = try reader.next(&last) {
                switch (field.number, field.type) {
                case (1, .structure): try takeBatch(&reader)
                case (1, .list): for _ in 0..<(try reader.structs()) { try takeBatch(&reader) }
                default: try reader.skip(field)
                }
            }
        }

        /// The process may come behind the spans.
        mutating func takeBatch(_ reader: inout ThriftReader) throws(DecodeError) {
            gatherer.beginProcess()
            serviceName = .none
            processTags.removeAll(keepingCapacity: true)
            var spans: ThriftReader?
            var hasProcess = false
            var last: ThriftReader.LastNumber = 0
            while let field = try reader.next(&last) {
                switch (field.number, field.type) {
                case (1, .structure):
                    try takeProcess(&reader)
                    hasProcess = true
                case (2, .list):
                    if hasProcess {
                        try takeSpans(&reader)
                    } else {
                        spans = reader
                        try reader.skip(field)
                    }
                default: try reader.skip(field)
                }
            }
            if var spans { try takeSpans(&spans) }
        }

        private mutating func takeProcess(_ reader: inout ThriftReader) throws(DecodeError) {
            gatherer.beginProcess()
            var last: ThriftReader.LastNumber = 0
            while let field = try reader.next(&last) {
                switch (field.number, field.type) {
                case (1, .string): serviceName = try reader.text()
                case (2, .list): for _ in 0..<(try reader.structs()) { processTags.append(try tag(&reader)) }
                default: try reader.skip(field)
                }
            }
        }

        private mutating func takeSpans(_ reader: inout ThriftReader) throws(DecodeError) {
            for _ in 0..<(try reader.structs()) {
                let start = reader
                try gatherer.begin(at: start.offset)
                span.reset()
                span.serviceName = serviceName
                span.resourceTags = processTags
                do throws(DecodeError) {
                    try takeSpan(&reader)
                    try gatherer.add(&span, at: start.offset)
                } catch {
                    try gatherer.reject(error)
                    reader = start
                    try reader.skip(.structure)
                }
            }
        }

        private mutating func takeSpan(_ reader: inout ThriftReader) throws(DecodeError) {
            let offset = reader.offset
            var start: Int64 = 0
            var duration: Int64 = 0
            var flags: Int32 = 0
            var logs: ThriftReader?
            references.removeAll(keepingCapacity: true)
            var last: ThriftReader.LastNumber = 0
            while let field = try reader.next(&last) {
                switch (field.number, field.type) {
                case (1, .i64): span.traceID.low = UInt64(bitPattern: try reader.i64())
                case (2, .i64): span.traceID.high = UInt64(bitPattern: try reader.i64())
                case (3, .i64): span.spanID = SpanID(UInt64(bitPattern: try reader.i64()))
                case (4, .i64): span.parentSpanID = SpanID(UInt64(bitPattern: try reader.i64()))
                case (5, .string): span.name = try reader.text()
                case (6, .list): for _ in 0..<(try reader.structs()) { references.append(try reference(&reader)) }
                case (7, .i32): flags = try reader.i32()
                case (8, .i64): start = try reader.i64()
                case (9, .i64): duration = try reader.i64()
                case (10, .list): for _ in 0..<(try reader.structs()) { span.tags.append(try tag(&reader)) }
                case (11, .list):
                    logs = reader
                    try reader.skip(field)
                default: try reader.skip(field)
                }
            }
            guard let start = UInt64(exactly: start), let duration = UInt64(exactly: duration) else {
                throw .outOfRange(at: offset)
            }
            try span.setTimes(startMicroseconds: start, durationMicroseconds: duration, at: offset)
            span.traceFlags = UInt32(flags & 1)
            if flags & 2 != 0 { span.tags.append(ForeignTag("jaeger.debug", .bool(true))) }
            takeReferences()
            if var logs { try takeLogs(&logs) }
        }

        // MARK: references

        private func reference(_ reader: inout ThriftReader) throws(DecodeError) -> Reference {
            var reference = Reference()
            var last: ThriftReader.LastNumber = 0
            while let field = try reader.next(&last) {
                switch (field.number, field.type) {
                case (1, .i32): reference.isFollowsFrom = try reader.i32() == Jaeger.followsFrom
                case (2, .i64): reference.traceID.low = UInt64(bitPattern: try reader.i64())
                case (3, .i64): reference.traceID.high = UInt64(bitPattern: try reader.i64())
                case (4, .i64): reference.spanID = SpanID(UInt64(bitPattern: try reader.i64()))
                default: try reader.skip(field)
                }
            }
            return reference
        }

        /// The first parent of the same trace is the span's, if it names none itself. What is not the parent is a link.
        private mutating func takeReferences() {
            func isParent(_ reference: Reference) -> Bool {
                !reference.isFollowsFrom && reference.traceID == span.traceID
            }
            if !span.parentSpanID.isValid, let parent = references.first(where: isParent) {
                span.parentSpanID = parent.spanID
            }
            for reference in references where !(isParent(reference) && reference.spanID == span.parentSpanID) {
                var link = ForeignLink(traceID: reference.traceID, spanID: reference.spanID)
                if !reference.isFollowsFrom {
                    let start = span.encoded.count
                    let type = StaticString("child_of")
                    ForeignTag(
                        "opentracing.ref_type",
                        .string(ForeignText(start: type.utf8Start, count: type.utf8CodeUnitCount))
                    ).put(OTLP.LinkField.attributes, into: &span.encoded)
                    link.attributes = start..<span.encoded.count
                }
                span.links.append(link)
            }
        }

        // MARK: logs

        private mutating func takeLogs(_ reader: inout ThriftReader) throws(DecodeError) {
            // Logs about links come in the order of the links: the search goes on behind the last that was found.
            var nextLink = 0
            comparisonsLeft = Self.linkComparisonsMax
            for _ in 0..<(try reader.structs()) {
                let offset = reader.offset
                var time: Int64 = 0
                fields.removeAll(keepingCapacity: true)
                var last: ThriftReader.LastNumber = 0
                while let field = try reader.next(&last) {
                    switch (field.number, field.type) {
                    case (1, .i64): time = try reader.i64()
                    case (2, .list): for _ in 0..<(try reader.structs()) { fields.append(try tag(&reader)) }
                    default: try reader.skip(field)
                    }
                }
                guard let time = UInt64(exactly: time) else { throw .outOfRange(at: offset) }
                if !takeLinkLog(&nextLink) { addEvent(try ForeignSpan.nanoseconds(time, at: offset)) }
            }
        }

        private func string(_ key: StaticString) -> ForeignText? {
            for field in fields where field.key.equals(key) { return field.value.string }
            return nil
        }

        private mutating func addEvent(_ time: UInt64) {
            var event = ForeignEvent(time: time, name: .none, attributes: 0..<0, droppedAttributes: 0)
            let start = span.encoded.count
            var hasName = false
            for field in fields {
                if !hasName, field.key.equals("event"), let name = field.value.string, name.count > 0 {
                    event.name = name
                    hasName = true
                } else if field.key.equals("otel.event.dropped_attributes_count"), let count = field.value.count {
                    event.droppedAttributes = count
                } else {
                    field.put(OTLP.EventField.attributes, into: &span.encoded)
                }
            }
            event.attributes = start..<span.encoded.count
            span.events.append(event)
        }

        /// What a link says more than its ids, which the encoder put into a log. False when the log is none of these.
        private mutating func takeLinkLog(_ nextLink: inout Int) -> Bool {
            guard nextLink < span.links.count, string("event")?.equals("link") == true,
                let trace = string("trace_id"), trace.count == 32, let traceID = try? ZipkinSpan.traceID(trace, at: 0),
                let id = string("span_id"), id.count == 16, let spanID = try? ZipkinSpan.spanID(id, at: 0)
            else { return false }
            // Many logs that match none of many links would else cost their product.
            let candidates = span.links[nextLink...].prefix(comparisonsLeft)
            guard let index = candidates.firstIndex(where: { $0.traceID == traceID && $0.spanID == spanID }) else {
                comparisonsLeft -= candidates.count
                return false
            }
            comparisonsLeft -= index - nextLink
            nextLink = index + 1
            let start = span.encoded.count
            // The first three fields and the trace state are the encoder's.
            var own: [StaticString] = ["event", "trace_id", "span_id", "w3c.tracestate"]
            for field in fields {
                if let position = own.firstIndex(where: { field.key.equals($0) }), let text = field.value.string {
                    if field.key.equals("w3c.tracestate") { span.links[index].traceState = text }
                    own.remove(at: position)
                } else if field.key.equals("otel.dropped_attributes_count"), let count = field.value.count {
                    span.links[index].droppedAttributes = count
                } else {
                    field.put(OTLP.LinkField.attributes, into: &span.encoded)
                }
            }
            span.links[index].attributes = start..<span.encoded.count
            return true
        }

        // MARK: tags

        private enum Value {
            static let string: Int32 = 0, double: Int32 = 1, bool: Int32 = 2, long: Int32 = 3, binary: Int32 = 4
        }

        /// Of the values of a tag the one of its type counts. A type that is unknown, or a value that is not there, is an empty text.
        private func tag(_ reader: inout ThriftReader) throws(DecodeError) -> ForeignTag {
            var tag = ForeignTag(ForeignText.none, .string(.none))
            var type = Value.string
            var string = ForeignText.none
            var double = 0.0
            var bool = false
            var long: Int64 = 0
            var binary = ForeignText.none
            var last: ThriftReader.LastNumber = 0
            while let field = try reader.next(&last) {
                switch (field.number, field.type) {
                case (1, .string): tag.key = try reader.text()
                case (2, .i32): type = try reader.i32()
                case (3, .string): string = try reader.text()
                case (4, .double): double = try reader.double()
                case (5, .bool): bool = try reader.bool(field)
                case (6, .i64): long = try reader.i64()
                case (7, .string): binary = try reader.bytes()
                default: try reader.skip(field)
                }
            }
            switch type {
            case Value.double: tag.value = .double(double)
            case Value.bool: tag.value = .bool(bool)
            case Value.long: tag.value = .int(long)
            case Value.binary: tag.value = .bytes(binary)
            default: tag.value = .string(string)
            }
            return tag
        }
    }
}
