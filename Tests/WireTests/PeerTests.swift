import Foundation
import Telemetry
import Testing
import Wire

private let peerPython = ProcessInfo.processInfo.environment["SIDELIGHT_PEER_PYTHON"]

/// The encoders against decoders that others wrote: opentelemetry-proto, Jaeger's generated Thrift classes, Zipkin's schema.
/// SIDELIGHT_PEER_PYTHON names a Python that has them (`scripts/peers test` makes one).
@Suite(.enabled(if: peerPython != nil, "SIDELIGHT_PEER_PYTHON is not set"))
struct PeerTests {
    @Test(arguments: 0..<4 as Range<UInt64>)
    func decodersOfOthersReadTheSame(seed: UInt64) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sidelight-peer-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func write(_ bytes: [UInt8], _ name: String) throws { try Data(bytes).write(to: folder.appending(path: name)) }

        var content = PeerContent(seed: seed)
        content.generate()
        try write(content.description, "description.json")
        for (name, batches) in [("traces", content.traces), ("logs", content.logs), ("metrics", content.metrics)] {
            try write(OTLP.exportRequest(batches: batches), "\(name).pb")
            let json = OTLP.exportRequestJSON(batches: batches)
            #expect(json.skipped == 0)
            try write(json.bytes, "\(name).json")
        }
        try write(Zipkin.encode(batches: content.traces).bytes, "zipkin.json")
        for (index, body) in Jaeger.encode(batches: content.traces).enumerated() {
            try write(body.bytes, "jaeger-\(index).thrift")
        }

        try run("make", folder)
        let sent = [UInt8](try Data(contentsOf: folder.appending(path: "peer-metrics.pb")))
        let received = try OTLP.batches(fromExportRequest: sent, signal: .metrics)
        #expect(received.rejectedItems == 0)
        try write(OTLP.exportRequest(batches: received.batches), "passed-metrics.pb")
        try write(OTLP.exportRequestJSON(batches: received.batches).bytes, "passed-metrics.json")
        for (name, signal) in [
            ("traces", Signal.traces), ("logs", .logs), ("metrics", .metrics), ("peer-metrics", .metrics),
        ] {
            for suffix in ["", "-names"] {
                let text = [UInt8](try Data(contentsOf: folder.appending(path: "otlp-\(name)\(suffix).json")))
                let received = try OTLP.batches(fromExportRequestJSON: text, signal: signal)
                #expect(received.rejectedItems == 0, "\(name)\(suffix): \(String(describing: received.firstRejection))")
                try write(OTLP.exportRequest(batches: received.batches), "from-otlp-\(name)\(suffix).pb")
            }
        }
        try readClients(in: folder)
        try run("check", folder)
    }

    /// What py-zipkin and Thrift's library wrote.
    private func readClients(in folder: URL) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasPrefix("client-") {
            let bytes = [UInt8](try Data(contentsOf: folder.appending(path: name)))
            let received =
                switch name {
                case "client-zipkin-v2.json": try Zipkin.batches(fromV2JSON: bytes)
                case "client-zipkin-v2.pb": try Zipkin.batches(fromV2Protobuf: bytes)
                case "client-zipkin-v1.json": try Zipkin.batches(fromV1JSON: bytes)
                default: try Jaeger.batches(fromThrift: bytes)
                }
            #expect(received.rejectedItems == 0, "\(name): \(String(describing: received.firstRejection))")
            try Data(OTLP.exportRequest(batches: received.batches)).write(to: folder.appending(path: "from-\(name).pb"))
        }
    }

    private func run(_ command: String, _ folder: URL) throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "peer/check.py")
        let process = Process()
        process.executableURL = URL(filePath: try #require(peerPython))
        process.arguments = [script.path, command, folder.path]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(said)")
    }
}

/// Batches, some of the same resource, with scopes interleaved, and what is in them as JSON of another shape than any of the
/// encodings.
private struct PeerContent {
    private var generator: Generator
    private(set) var traces: [Batch] = []
    private(set) var logs: [Batch] = []
    private(set) var metrics: [Batch] = []
    private var json = JSONWriter()

    var description: [UInt8] { json.bytes }

    init(seed: UInt64) { generator = Generator(seed: seed, withNaN: true) }

    mutating func generate() {
        json.beginObject()
        json.name("traces")
        traces = batches(.traces) { builder, scope, generator, json in
            let span = generator.span()
            builder.append(span, scope: scope)
            span.describe(to: &json)
        }
        json.name("logs")
        logs = batches(.logs) { builder, scope, generator, json in
            let log = generator.log()
            builder.append(log, scope: scope)
            log.describe(to: &json)
        }
        json.name("metrics")
        metrics = batches(.metrics) { builder, scope, generator, json in
            let metric = generator.metric()
            builder.append(metric, scope: scope)
            metric.describe(to: &json)
        }
        json.endObject()
    }

    private mutating func batches(
        _ signal: Signal,
        _ append: (inout BatchBuilder, InstrumentationScope, inout Generator, inout JSONWriter) -> Void
    ) -> [Batch] {
        let resources = (0..<3).map { _ in generator.resource() }
        let scopes = (0..<3).map { _ in generator.scope() }
        json.beginArray()
        defer { json.endArray() }
        return (0..<6).map { _ in
            let resource = resources[generator.below(resources.count)]
            var builder = BatchBuilder(signal: signal, resource: resource)
            for _ in 0..<20 {
                let scope = scopes[generator.below(scopes.count)]
                json.beginObject()
                json.name("resource")
                resource.describe(to: &json)
                json.name("scope")
                scope.describe(to: &json)
                json.name("item")
                append(&builder, scope, &generator, &json)
                json.endObject()
            }
            return builder.take()
        }
    }
}

// MARK: the description

extension JSONWriter {
    fileprivate mutating func put(_ name: String, _ text: String) {
        self.name(name)
        string(text)
    }

    fileprivate mutating func put(_ name: String, _ number: some FixedWidthInteger) {
        self.name(name)
        integer(number)
    }

    fileprivate mutating func put(_ name: String, _ attributes: Attributes) {
        self.name(name)
        attributes.describe(to: &self)
    }

    fileprivate mutating func put<Element>(
        _ name: String, _ list: [Element], _ each: (Element, inout JSONWriter) -> Void
    ) {
        self.name(name)
        array { json in for element in list { each(element, &json) } }
    }
}

private func bits(_ number: Double) -> String {
    let digits = String(number.bitPattern, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

extension AttributeValue {
    /// `[type, value]`.
    fileprivate func describe(to json: inout JSONWriter) {
        json.beginArray()
        switch self {
        case .empty:
            json.string("empty")
            json.null()
        case .string(let text):
            json.string("string")
            json.string(text)
        case .bool(let flag):
            json.string("bool")
            json.bool(flag)
        case .int(let number):
            json.string("int")
            json.string(String(number))
        case .double(let number):
            json.string("double")
            json.string(bits(number))
        case .bytes(let bytes):
            json.string("bytes")
            json.string(hex(bytes))
        case .array(let elements):
            json.string("array")
            json.array { json in for element in elements { element.describe(to: &json) } }
        case .map(let entries):
            json.string("map")
            entries.describe(to: &json)
        }
        json.endArray()
    }
}

extension Attributes {
    fileprivate func describe(to json: inout JSONWriter) {
        json.array { json in
            for attribute in self {
                json.array { json in
                    json.string(attribute.key)
                    attribute.value.describe(to: &json)
                }
            }
        }
    }
}

extension Resource {
    fileprivate func describe(to json: inout JSONWriter) {
        json.object { json in
            json.put("attributes", attributes)
            json.put("dropped", droppedAttributesCount)
            json.put("schema", schemaURL)
        }
    }
}

extension InstrumentationScope {
    fileprivate func describe(to json: inout JSONWriter) {
        json.object { json in
            json.put("name", name)
            json.put("version", version)
            json.put("attributes", attributes)
            json.put("dropped", droppedAttributesCount)
            json.put("schema", schemaURL)
        }
    }
}

extension SpanData {
    fileprivate func describe(to json: inout JSONWriter) {
        json.object { json in
            json.put("traceID", context.traceID.hex)
            json.put("spanID", context.spanID.hex)
            json.put("traceState", context.traceState)
            json.put("parentID", parentSpanID.isValid ? parentSpanID.hex : "")
            let remote: UInt32 = parentIsRemote == nil ? 0 : parentIsRemote == true ? 0x300 : 0x100
            json.put("flags", UInt32(context.traceFlags) + remote)
            json.put("name", name)
            json.put("kind", kind.rawValue)
            json.put("start", String(startTime))
            json.put("end", String(endTime))
            json.put("attributes", attributes)
            json.put("dropped", [droppedAttributesCount, droppedEventsCount, droppedLinksCount]) { $1.integer($0) }
            json.put("events", events) { event, json in
                json.object { json in
                    json.put("time", String(event.time))
                    json.put("name", event.name)
                    json.put("attributes", event.attributes)
                    json.put("dropped", event.droppedAttributesCount)
                }
            }
            json.put("links", links) { link, json in
                json.object { json in
                    json.put("traceID", link.context.traceID.hex)
                    json.put("spanID", link.context.spanID.hex)
                    json.put("traceState", link.context.traceState)
                    json.put("flags", UInt32(link.context.traceFlags) + (link.context.isRemote ? 0x300 : 0x100))
                    json.put("attributes", link.attributes)
                    json.put("dropped", link.droppedAttributesCount)
                }
            }
            json.name("status")
            json.array { json in
                json.integer(status.code.rawValue)
                json.string(status.message)
            }
        }
    }
}

extension LogRecord {
    fileprivate func describe(to json: inout JSONWriter) {
        json.object { json in
            json.put("time", String(time))
            json.put("observed", String(observedTime))
            json.name("severity")
            json.array { json in
                json.integer(severity)
                json.string(severityText)
            }
            json.name("body")
            body.describe(to: &json)
            json.put("attributes", attributes)
            json.put("dropped", droppedAttributesCount)
            json.put("flags", traceFlags)
            json.put("traceID", traceID.isValid ? traceID.hex : "")
            json.put("spanID", spanID.isValid ? spanID.hex : "")
            json.put("eventName", eventName)
        }
    }
}

extension MetricPoint {
    fileprivate func describe(to json: inout JSONWriter) {
        json.object { json in
            json.put("name", instrument.name)
            json.put("unit", instrument.unit)
            json.put("description", instrument.description)
            json.put("type", "\(instrument.type)")
            json.put("attributes", attributes)
            json.put("start", String(startTime))
            json.put("time", String(time))
            json.put("value", instrument.isInteger ? String(Int64(value)) : bits(value))
            guard let histogram else { return }
            json.put("count", String(histogram.count))
            json.put("min", bits(histogram.min))
            json.put("max", bits(histogram.max))
            json.put("bounds", histogram.bounds) { $1.string(bits($0)) }
            json.put("buckets", histogram.bucketCounts) { $1.string(String($0)) }
        }
    }
}
