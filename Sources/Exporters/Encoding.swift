import Configuration
import Pipeline
import Telemetry
import Wire

/// The form an exporter over HTTP writes its requests in.
enum Encoding: Sendable, Equatable {
    case otlp
    case otlpJSON
    case zipkin
    case jaeger
    /// With the attributes of the resource that become labels.
    case loki([String])
    /// Prometheus' remote write.
    case prometheus

    init?(_ configuration: ExporterConfiguration) {
        switch configuration.kind {
        case .otlp: self = .otlp
        case .otlpJSON: self = .otlpJSON
        case .zipkin: self = .zipkin
        case .jaeger: self = .jaeger
        case .loki: self = .loki(configuration.labels)
        case .prometheus: self = .prometheus
        case .otlpGRPC, .file, .console: return nil
        }
    }

    var contentType: String {
        switch self {
        case .otlp, .loki, .prometheus: "application/x-protobuf"
        case .otlpJSON, .zipkin: "application/json"
        case .jaeger: "application/vnd.apache.thrift.binary"
        }
    }

    /// What the protocol asks for besides.
    var headers: [(name: String, value: String)] {
        guard self == .prometheus else { return [] }
        return [("Content-Encoding", "snappy"), ("X-Prometheus-Remote-Write-Version", "0.1.0")]
    }

    var isOTLP: Bool { self == .otlp || self == .otlpJSON }

    /// The request's body, and how many items could not be written in it.
    /// - Parameter now: nanoseconds since 1970.
    func encode(_ export: Export, now: UInt64) -> (body: [UInt8], skipped: Int) {
        switch self {
        case .otlp: return (OTLP.exportRequest(batches: export.batches), 0)
        case .otlpJSON: return Self.parts(OTLP.exportRequestJSON(batches: export.batches))
        case .zipkin: return Self.parts(Zipkin.encode(batches: export.batches))
        case .jaeger:
            let processes = Jaeger.encode(batches: export.batches)
            precondition(processes.count == 1, "\(processes.count) resources in an export for Jaeger")
            return Self.parts(processes[0])
        case .loki(let labels):
            let encoded = Loki.encode(batches: export.batches, labels: labels, now: now)
            return (Snappy.compress(encoded.bytes), encoded.skipped)
        case .prometheus:
            let encoded = RemoteWrite.encode(batches: export.batches, now: now)
            return (Snappy.compress(encoded.bytes), encoded.skipped)
        }
    }

    private static func parts(_ encoded: EncodedItems) -> (body: [UInt8], skipped: Int) {
        (encoded.bytes, encoded.skipped)
    }
}
