import Configuration
import Pipeline
import Telemetry
import Wire

/// The form an exporter over HTTP writes its requests in.
enum Encoding: Sendable {
    case otlp
    case otlpJSON
    case zipkin
    case jaeger

    init?(_ kind: ExporterConfiguration.Kind) {
        switch kind {
        case .otlp: self = .otlp
        case .otlpJSON: self = .otlpJSON
        case .zipkin: self = .zipkin
        case .jaeger: self = .jaeger
        case .console: return nil
        }
    }

    var contentType: String {
        switch self {
        case .otlp: "application/x-protobuf"
        case .otlpJSON, .zipkin: "application/json"
        case .jaeger: "application/vnd.apache.thrift.binary"
        }
    }

    var isOTLP: Bool { self == .otlp || self == .otlpJSON }

    /// The request's body, and how many items could not be written in it.
    func encode(_ export: Export) -> (body: [UInt8], skipped: Int) {
        switch self {
        case .otlp: return (OTLP.exportRequest(batches: export.batches), 0)
        case .otlpJSON: return Self.parts(OTLP.exportRequestJSON(batches: export.batches))
        case .zipkin: return Self.parts(Zipkin.encode(batches: export.batches))
        case .jaeger:
            let processes = Jaeger.encode(batches: export.batches)
            precondition(processes.count == 1, "\(processes.count) resources in an export for Jaeger")
            return Self.parts(processes[0])
        }
    }

    private static func parts(_ encoded: EncodedItems) -> (body: [UInt8], skipped: Int) {
        (encoded.bytes, encoded.skipped)
    }
}
