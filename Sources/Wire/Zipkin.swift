// Zipkin v2 JSON, <https://zipkin.io/zipkin-api/#/default/post_spans>, by OpenTelemetry's rules:
// <https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/>.
//
// What those rules leave open follows the OpenTelemetry Collector: resource attributes become tags of every span, links the
// tags `otlp.link.N`, trace state the tag `w3c.tracestate`, so nothing of a span is lost on the way.

public import Telemetry

public enum Zipkin {
    /// A list of spans for `POST /api/v2/spans`. Traps when a batch is not of traces.
    public static func encode(batches: [Batch]) -> EncodedItems {
        var encoder = Encoder(capacity: batches.reduce(0) { $0 + $1.bytes.count } * 3)
        encoder.json.beginArray()
        for batch in batches {
            precondition(batch.signal == .traces, "a batch of \(batch.signal) for Zipkin")
            encoder.put(batch)
        }
        encoder.json.endArray()
        return EncodedItems(bytes: encoder.json.bytes, items: encoder.items, skipped: encoder.skipped)
    }

    private struct Encoder {
        var json: JSONWriter
        var items = 0
        var skipped = 0
        /// Keys of the tags of the span being written: in a JSON object each may stand once.
        private var tagKeys: Set<String> = []

        init(capacity: Int) { json = JSONWriter(capacity: capacity) }

        mutating func put(_ batch: Batch) {
            guard let resource = try? batch.decodedResource() else { return skipped += batch.items.count }
            for element in batch.spans() {
                switch element {
                case .success(let (span, scope)):
                    put(span, scope, resource)
                    items += 1
                case .failure: skipped += 1
                }
            }
        }

        private mutating func put(_ span: SpanData, _ scope: InstrumentationScope, _ resource: Resource) {
            json.beginObject()
            put("traceId", span.context.traceID.hex)
            put("id", span.context.spanID.hex)
            if span.parentSpanID.isValid { put("parentId", span.parentSpanID.hex) }
            if !span.name.isEmpty { put("name", span.name) }
            if let kind = kindName(span.kind) { put("kind", kind) }
            putTimes(span)
            putEndpoints(span, resource)
            putAnnotations(span)
            putTags(span, scope, resource)
            json.endObject()
        }

        private mutating func put(_ name: String, _ text: String) {
            json.name(name)
            json.string(text)
        }

        private func kindName(_ kind: SpanKind) -> String? {
            switch kind {
            case .server: "SERVER"
            case .client: "CLIENT"
            case .producer: "PRODUCER"
            case .consumer: "CONSUMER"
            case .internal, .unspecified: nil
            }
        }

        /// Zipkin reads 0 as absent, so a shorter duration is rounded up to one microsecond.
        private mutating func putTimes(_ span: SpanData) {
            if span.startTime >= 1000 {
                json.name("timestamp")
                json.integer(span.startTime / 1000)
            }
            json.name("duration")
            json.integer(max(1, span.duration / 1000))
        }

        private mutating func putEndpoints(_ span: SpanData, _ resource: Resource) {
            json.name("localEndpoint")
            json.beginObject()
            put("serviceName", resource.serviceName)
            json.endObject()
            guard span.kind == .client || span.kind == .producer,
                let remote = ZipkinEndpoint(remoteOf: span.attributes)
            else { return }
            json.name("remoteEndpoint")
            json.beginObject()
            if let name = remote.serviceName { put("serviceName", name) }
            if let address = remote.ipv4 { put("ipv4", address) }
            if let address = remote.ipv6 { put("ipv6", address) }
            if let port = remote.port {
                json.name("port")
                json.integer(port)
            }
            json.endObject()
        }

        private mutating func putAnnotations(_ span: SpanData) {
            guard !span.events.isEmpty else { return }
            json.name("annotations")
            json.beginArray()
            for event in span.events {
                json.beginObject()
                json.name("timestamp")
                json.integer(event.time / 1000)
                put("value", annotation(event))
                json.endObject()
            }
            json.endArray()
        }

        /// The event's name, or `"name":{attributes}` when there are some.
        private func annotation(_ event: SpanData.Event) -> String {
            var attributes = event.attributes
            if event.droppedAttributesCount != 0 {
                attributes.append(Attribute(NonOTLP.droppedAttributes, .int(Int64(event.droppedAttributesCount))))
            }
            guard !attributes.isEmpty else { return event.name }
            var text = JSONWriter(capacity: 256)
            text.name(event.name)
            attributes.write(to: &text)
            return text.text
        }

        // MARK: tags; of equal keys the first written wins, so what the specification fixes goes first

        private mutating func putTags(_ span: SpanData, _ scope: InstrumentationScope, _ resource: Resource) {
            tagKeys.removeAll(keepingCapacity: true)
            json.name("tags")
            json.beginObject()
            if let status = NonOTLP.statusName(span.status.code) { putTag(NonOTLP.statusCode, status) }
            if span.status.code == .error { putTag("error", span.status.message) }
            for (name, count) in NonOTLP.droppedCounts(of: span) { putTag(name, String(count)) }
            if !span.context.traceState.isEmpty { putTag(NonOTLP.traceState, span.context.traceState) }
            for (index, link) in span.links.enumerated() { putTag("otlp.link.\(index)", text(of: link)) }
            for attribute in span.attributes where !saysNoError(attribute) {
                putTag(attribute.key, attribute.value.text)
            }
            for attribute in NonOTLP.attributes(of: scope) { putTag(attribute.key, attribute.value.text) }
            for attribute in resource.attributes where attribute.key != NonOTLP.serviceName {
                putTag(attribute.key, attribute.value.text)
            }
            json.endObject()
        }

        private mutating func putTag(_ key: String, _ value: String) {
            guard tagKeys.insert(key).inserted else { return }
            put(key, value)
        }

        /// Zipkin takes a span with any `error` tag for failed, whatever its value.
        private func saysNoError(_ attribute: Attribute) -> Bool {
            attribute.key == "error" && (attribute.value == .bool(false) || attribute.value == .string("false"))
        }

        private func text(of link: SpanData.Link) -> String {
            var attributes = JSONWriter(capacity: 64)
            link.attributes.write(to: &attributes)
            let context = link.context
            return "\(context.traceID.hex)|\(context.spanID.hex)|\(context.traceState)|\(attributes.text)"
                + "|\(link.droppedAttributesCount)"
        }
    }
}
