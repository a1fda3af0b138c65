// What a gRPC server says of a call that failed: <https://opentelemetry.io/docs/specs/otlp/#failures>.

extension OTLP {
    /// A `google.rpc.Status`, as far as a sender acts on it.
    public struct RPCStatus: Hashable, Sendable {
        public var code: UInt32
        public var message: String
        /// Of a `RetryInfo`: when to come again, nanoseconds; nil without one.
        public var retryDelay: UInt64?

        public init(code: UInt32 = 0, message: String = "", retryDelay: UInt64? = nil) {
            self.code = code
            self.message = message
            self.retryDelay = retryDelay
        }
    }

    /// Reads a `google.rpc.Status` out of gRPC's header `grpc-status-details-bin`. Nil when it is none.
    public static func decodeStatus(base64 text: String) -> RPCStatus? {
        var writer = ProtobufWriter(capacity: text.utf8.count)
        var digits = text
        guard digits.withUTF8({ Base64.decode(UnsafeRawBufferPointer($0), into: &writer) }) else { return nil }
        return try? decoding(writer.takeBytes()) { (reader) throws(DecodeError) in
            var status = RPCStatus()
            while let field = try reader.next() {
                switch (field.number, field.type) {
                case (1, .varint): status.code = try reader.varint32()
                case (2, .lengthDelimited): status.message = try reader.string()
                case (3, .lengthDelimited):
                    var detail = try reader.message()
                    if let delay = try retryDelay(&detail) { status.retryDelay = delay }
                default: try reader.skip(field)
                }
            }
            return status
        }
    }

    /// Of a `google.protobuf.Any` that holds a `RetryInfo`.
    private static func retryDelay(_ reader: inout ProtobufReader) throws(DecodeError) -> UInt64? {
        var isRetryInfo = false
        var delay: UInt64 = 0
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (1, .lengthDelimited): isRetryInfo = try reader.string().hasSuffix("/google.rpc.RetryInfo")
            case (2, .lengthDelimited):
                guard isRetryInfo else {
                    try reader.skip(field)
                    continue
                }
                var info = try reader.message()
                while let field = try info.next() {
                    guard field.number == 1, field.type == .lengthDelimited else {
                        try info.skip(field)
                        continue
                    }
                    var duration = try info.message()
                    delay = try nanoseconds(&duration)
                }
            default: try reader.skip(field)
            }
        }
        return isRetryInfo ? delay : nil
    }

    /// A `google.protobuf.Duration`; one below 0 is 0, one of more than a century is a century.
    private static func nanoseconds(_ reader: inout ProtobufReader) throws(DecodeError) -> UInt64 {
        let secondsMax: Int64 = 100 * 366 * 86_400
        var seconds: Int64 = 0
        var nanoseconds: Int64 = 0
        while let field = try reader.next() {
            switch (field.number, field.type) {
            case (1, .varint): seconds = Int64(bitPattern: try reader.varint())
            case (2, .varint): nanoseconds = Int64(bitPattern: try reader.varint())
            default: try reader.skip(field)
            }
        }
        seconds = max(0, min(seconds, secondsMax))
        nanoseconds = max(0, min(nanoseconds, 999_999_999))
        return UInt64(seconds) * 1_000_000_000 + UInt64(nanoseconds)
    }
}
