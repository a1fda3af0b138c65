// Jaeger's Thrift over HTTP: one `Batch` struct of jaeger.thrift a request, in Thrift's binary protocol without a message
// envelope.
// <https://github.com/jaegertracing/jaeger-idl/blob/main/thrift/jaeger.thrift>,
// <https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/>.
//
// A link becomes a FOLLOWS_FROM reference; where it says more than its ids, the rest goes into a log as the specification allows.

public import Telemetry

public enum Jaeger {
    /// One body for `POST /api/traces?format=jaeger.thrift` (`application/vnd.apache.thrift.binary`) for each resource, since
    /// a Thrift `Batch` has one process. A body without items is not to be sent. Traps when a batch is not of traces.
    public static func encode(batches: [Batch]) -> [EncodedItems] {
        OTLP.sharingResource(batches).map { members in
            let shared = members.map { batches[$0] }
            var encoder = Encoder(capacity: shared.reduce(0) { $0 + $1.bytes.count } * 2)
            encoder.put(shared)
            return EncodedItems(bytes: encoder.thrift.bytes, items: encoder.items, skipped: encoder.skipped)
        }
    }

    private enum TagType {
        static let string: Int32 = 0
        static let double: Int32 = 1
        static let bool: Int32 = 2
        static let long: Int32 = 3
        static let binary: Int32 = 4
    }

    /// `SpanRefType.FOLLOWS_FROM`.
    static let followsFrom: Int32 = 1

    private struct Encoder {
        var thrift: ThriftWriter
        var items = 0
        var skipped = 0

        init(capacity: Int) { thrift = ThriftWriter(capacity: capacity) }

        mutating func put(_ batches: [Batch]) {
            guard let resource = try? batches[0].decodedResource() else {
                skipped = batches.reduce(0) { $0 + $1.items.count }
                return
            }
            putProcess(resource)
            var spans = thrift.beginList(2)
            for batch in batches {
                precondition(batch.signal == .traces, "a batch of \(batch.signal) for Jaeger")
                for element in batch.spans() {
                    switch element {
                    case .success(let (span, scope)):
                        put(span, scope)
                        spans.count += 1
                    case .failure: skipped += 1
                    }
                }
            }
            thrift.endList(spans)
            thrift.endStruct()
            items = spans.count
        }

        private mutating func putProcess(_ resource: Resource) {
            thrift.beginStruct(1)
            thrift.putString(1, resource.serviceName)
            let tags = resource.attributes.filter { $0.key != NonOTLP.serviceName }
            if !tags.isEmpty { putTags(2, tags) }
            thrift.endStruct()
        }

        private mutating func put(_ span: SpanData, _ scope: InstrumentationScope) {
            thrift.putI64(1, Int64(bitPattern: span.context.traceID.low))
            thrift.putI64(2, Int64(bitPattern: span.context.traceID.high))
            thrift.putI64(3, Int64(bitPattern: span.context.spanID.value))
            thrift.putI64(4, Int64(bitPattern: span.parentSpanID.value))
            thrift.putString(5, span.name)
            if !span.links.isEmpty { putReferences(span.links) }
            // Bit 1 is "debug" in Jaeger but "random trace id" in W3C Trace Context.
            thrift.putI32(7, span.context.isSampled ? 1 : 0)
            thrift.putI64(8, microseconds(span.startTime))
            thrift.putI64(9, microseconds(span.duration))
            let tags = tags(of: span, scope)
            if !tags.isEmpty { putTags(10, tags) }
            putLogs(span)
            thrift.endStruct()
        }

        private func microseconds(_ nanoseconds: UInt64) -> Int64 { Int64(nanoseconds / 1000) }

        private mutating func putReferences(_ links: [SpanData.Link]) {
            var list = thrift.beginList(6)
            for link in links {
                thrift.putI32(1, Jaeger.followsFrom)
                thrift.putI64(2, Int64(bitPattern: link.context.traceID.low))
                thrift.putI64(3, Int64(bitPattern: link.context.traceID.high))
                thrift.putI64(4, Int64(bitPattern: link.context.spanID.value))
                thrift.endStruct()
                list.count += 1
            }
            thrift.endList(list)
        }

        // MARK: tags

        private func tags(of span: SpanData, _ scope: InstrumentationScope) -> Attributes {
            var tags = span.attributes
            // The tag that the status sets replaces one that the program set.
            if span.status.code == .error { tags.removeAll { $0.key == "error" } }
            tags += NonOTLP.attributes(of: scope)
            if let kind = kindName(span.kind) { tags.append(Attribute("span.kind", .string(kind))) }
            if let status = NonOTLP.statusName(span.status.code) {
                tags.append(Attribute(NonOTLP.statusCode, .string(status)))
                if !span.status.message.isEmpty {
                    tags.append(Attribute(NonOTLP.statusDescription, .string(span.status.message)))
                }
            }
            if span.status.code == .error { tags.append(Attribute("error", .bool(true))) }
            for (name, count) in NonOTLP.droppedCounts(of: span) { tags.append(Attribute(name, .int(Int64(count)))) }
            if !span.context.traceState.isEmpty {
                tags.append(Attribute(NonOTLP.traceState, .string(span.context.traceState)))
            }
            return tags
        }

        private func kindName(_ kind: SpanKind) -> String? {
            switch kind {
            case .server: "server"
            case .client: "client"
            case .producer: "producer"
            case .consumer: "consumer"
            case .internal, .unspecified: nil
            }
        }

        private mutating func putTags(_ field: Int16, _ tags: Attributes) {
            var list = thrift.beginList(field)
            for tag in tags {
                put(tag)
                list.count += 1
            }
            thrift.endList(list)
        }

        private mutating func put(_ tag: Attribute) {
            thrift.putString(1, tag.key)
            switch tag.value {
            case .double(let number):
                thrift.putI32(2, TagType.double)
                thrift.putDouble(4, number)
            case .bool(let flag):
                thrift.putI32(2, TagType.bool)
                thrift.putBool(5, flag)
            case .int(let number):
                thrift.putI32(2, TagType.long)
                thrift.putI64(6, number)
            case .bytes(let bytes):
                thrift.putI32(2, TagType.binary)
                thrift.putBinary(7, bytes)
            case .empty, .string, .array, .map:
                thrift.putI32(2, TagType.string)
                thrift.putString(3, tag.value.text)
            }
            thrift.endStruct()
        }

        // MARK: logs

        private mutating func putLogs(_ span: SpanData) {
            let links = span.links.filter(saysMoreThanIDs)
            guard !span.events.isEmpty || !links.isEmpty else { return }
            var list = thrift.beginList(11)
            for event in span.events {
                putLog(event.time, fields(of: event))
                list.count += 1
            }
            for link in links {
                putLog(span.startTime, fields(of: link))
                list.count += 1
            }
            thrift.endList(list)
        }

        private mutating func putLog(_ time: UInt64, _ fields: Attributes) {
            thrift.putI64(1, microseconds(time))
            putTags(2, fields)
            thrift.endStruct()
        }

        /// An attribute `event` takes precedence over the event's name.
        private func fields(of event: SpanData.Event) -> Attributes {
            var fields: Attributes = []
            if !event.name.isEmpty && event.attributes["event"] == nil {
                fields.append(Attribute("event", .string(event.name)))
            }
            fields += event.attributes
            if event.droppedAttributesCount != 0 {
                fields.append(Attribute(NonOTLP.droppedEventAttributes, .int(Int64(event.droppedAttributesCount))))
            }
            return fields
        }

        private func saysMoreThanIDs(_ link: SpanData.Link) -> Bool {
            !link.attributes.isEmpty || !link.context.traceState.isEmpty || link.droppedAttributesCount != 0
        }

        private func fields(of link: SpanData.Link) -> Attributes {
            var fields: Attributes = [
                Attribute("event", "link"), Attribute("trace_id", .string(link.context.traceID.hex)),
                Attribute("span_id", .string(link.context.spanID.hex)),
            ]
            if !link.context.traceState.isEmpty {
                fields.append(Attribute(NonOTLP.traceState, .string(link.context.traceState)))
            }
            fields += link.attributes
            if link.droppedAttributesCount != 0 {
                fields.append(Attribute(NonOTLP.droppedAttributes, .int(Int64(link.droppedAttributesCount))))
            }
            return fields
        }
    }
}
