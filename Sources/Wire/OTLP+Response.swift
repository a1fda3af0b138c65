public import Telemetry

extension OTLP {
    /// What a backend says when it took only a part of a request.
    /// <https://opentelemetry.io/docs/specs/otlp/#partial-success>.
    public struct PartialSuccess: Hashable, Sendable {
        /// Spans, log records or data points that were not taken; 0 makes the message a warning.
        public var rejected: Int64
        public var message: String

        public init(rejected: Int64, message: String) {
            self.rejected = rejected
            self.message = message
        }
    }

    /// Reads an export response, the same for the three signals: nil when all was taken.
    /// `isJSON` is what the answer's content type says.
    public static func decodeExportResponse(
        _ bytes: [UInt8], signal: Signal, isJSON: Bool = false
    ) throws(DecodeError) -> PartialSuccess? {
        // An empty body is a protobuf message without fields; some backends answer so to JSON as well.
        if bytes.isEmpty { return nil }
        let partial = isJSON ? try decodeJSONResponse(bytes, signal: signal) : try decodeResponse(bytes)
        return partial.rejected == 0 && partial.message.isEmpty ? nil : partial
    }

    private static func decodeResponse(_ bytes: [UInt8]) throws(DecodeError) -> PartialSuccess {
        try decoding(bytes) { (reader) throws(DecodeError) in
            var partial = PartialSuccess(rejected: 0, message: "")
            while let field = try reader.next() {
                guard field.number == 1, field.type == .lengthDelimited else {
                    try reader.skip(field)
                    continue
                }
                var success = try reader.message()
                while let field = try success.next() {
                    switch (field.number, field.type) {
                    case (1, .varint): partial.rejected = Int64(bitPattern: try success.varint())
                    case (2, .lengthDelimited): partial.message = try success.string()
                    default: try success.skip(field)
                    }
                }
            }
            return partial
        }
    }

    /// Protobuf's JSON form has names in lowerCamelCase, and readers also take the names of the .proto file.
    private static func decodeJSONResponse(_ bytes: [UInt8], signal: Signal) throws(DecodeError) -> PartialSuccess {
        let response = try JSONValue(parsing: bytes)
        guard case .object = response else { throw .unexpectedJSON(at: 0) }
        let success = response["partialSuccess"] ?? response["partial_success"]
        let names =
            switch signal {
            case .traces: ("rejectedSpans", "rejected_spans")
            case .logs: ("rejectedLogRecords", "rejected_log_records")
            case .metrics: ("rejectedDataPoints", "rejected_data_points")
            }
        let message = success?["errorMessage"] ?? success?["error_message"]
        let rejected = success?[names.0] ?? success?[names.1]
        return PartialSuccess(rejected: rejected?.integer ?? 0, message: message?.string ?? "")
    }

    /// The `message` of a `google.rpc.Status`, which is what the body of an HTTP error holds; nil when there is none.
    /// <https://opentelemetry.io/docs/specs/otlp/#failures>.
    public static func decodeErrorStatus(_ bytes: [UInt8], isJSON: Bool = false) -> String? {
        let message: String?
        if isJSON {
            message = (try? JSONValue(parsing: bytes))?["message"]?.string
        } else {
            message = try? decoding(bytes) { (reader) throws(DecodeError) in
                var text: String?
                while let field = try reader.next() {
                    if field.number == 2, field.type == .lengthDelimited {
                        text = try reader.string()
                    } else {
                        try reader.skip(field)
                    }
                }
                return text
            }
        }
        return message?.isEmpty == true ? nil : message
    }
}
