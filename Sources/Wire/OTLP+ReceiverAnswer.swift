// What a receiver answers: the other side of `OTLP+Response`.

public import Telemetry

extension OTLP {
    /// Codes of `google.rpc.Status` that a receiver uses. <https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto>.
    public enum StatusCode: UInt32, Sendable {
        case unknown = 2
        case invalidArgument = 3
        case notFound = 5
        case permissionDenied = 7
        case resourceExhausted = 8
        case unimplemented = 12
        case `internal` = 13
        case unavailable = 14
        case unauthenticated = 16

        /// What an HTTP status comes closest to.
        public init(httpStatus: Int) {
            switch httpStatus {
            case 401: self = .unauthenticated
            case 403: self = .permissionDenied
            case 404: self = .notFound
            case 405, 415: self = .unimplemented
            case 413, 429: self = .resourceExhausted
            case 400..<500: self = .invalidArgument
            case 503: self = .unavailable
            case 500..<600: self = .internal
            default: self = .unknown
            }
        }
    }

    /// `ExportTraceServiceResponse` and its kin: nil when all was taken.
    public static func encodeExportResponse(_ partial: PartialSuccess?, signal: Signal, isJSON: Bool) -> [UInt8] {
        guard let partial else { return isJSON ? [0x7B, 0x7D] : [] }
        if isJSON {
            var json = JSONWriter()
            json.object {
                $0.name("partialSuccess")
                $0.object {
                    switch signal {
                    case .traces: $0.name("rejectedSpans")
                    case .logs: $0.name("rejectedLogRecords")
                    case .metrics: $0.name("rejectedDataPoints")
                    }
                    $0.quotedInteger(partial.rejected)
                    $0.name("errorMessage")
                    $0.string(partial.message)
                }
            }
            return json.bytes
        }
        var writer = ProtobufWriter(capacity: 256)
        writer.message(1) {
            $0.putVarint(1, UInt64(bitPattern: partial.rejected))
            $0.putString(2, partial.message)
        }
        return writer.takeBytes()
    }

    /// `google.rpc.Status`, with a `RetryInfo` when the sender is to come again.
    public static func encodeErrorStatus(
        code: StatusCode, message: String, retryAfterSeconds: Int?, isJSON: Bool
    ) -> [UInt8] {
        let retryInfo = "type.googleapis.com/google.rpc.RetryInfo"
        if isJSON {
            var json = JSONWriter()
            json.object {
                $0.name("code")
                $0.integer(code.rawValue)
                $0.name("message")
                $0.string(message)
                guard let retryAfterSeconds else { return }
                $0.name("details")
                $0.array {
                    $0.object {
                        $0.name("@type")
                        $0.string(retryInfo)
                        $0.name("retryDelay")
                        $0.string("\(retryAfterSeconds)s")
                    }
                }
            }
            return json.bytes
        }
        var writer = ProtobufWriter(capacity: 256)
        writer.putVarint(1, UInt64(code.rawValue))
        writer.putString(2, message)
        if let retryAfterSeconds {
            writer.message(3) {
                $0.putString(1, retryInfo)
                $0.message(2) { $0.message(1) { $0.putVarint(1, UInt64(max(0, retryAfterSeconds))) } }
            }
        }
        return writer.takeBytes()
    }

    /// Base64 of a status for gRPC's `grpc-status-details-bin`.
    public static func base64(_ bytes: [UInt8]) -> String { Base64.text(bytes) }
}

extension DecodeError {
    /// A limit of size or number was exceeded: the bytes may be well formed.
    public var isAboutSize: Bool {
        [.tooLarge(at: offset), .tooManyItems(at: offset), .tooManyResources(at: offset)].contains(self)
    }
}
