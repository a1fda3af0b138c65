import Configuration
import Pipeline
import Resolver
import System
import Telemetry
import Transport
import Wire

/// Sends exports as unary gRPC calls over HTTP/2 and judges how they end.
/// <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>, <https://opentelemetry.io/docs/specs/otlp/#otlpgrpc>.
struct GRPCDestination: Destination {
    /// Answers are short; one of more bytes is not what an export's answer looks like.
    private static let responseBytesMax = 1 << 20
    /// Flag and length in front of a message.
    private static let prefixBytes = 5

    private let places: [Signal: Place]

    init(
        _ configuration: ExporterConfiguration, client: (ExporterConfiguration.Target) -> any HTTPTransport,
        find: (ServiceQuestion) -> ServiceFinder
    ) {
        places = Dictionary(
            uniqueKeysWithValues: configuration.targets.map { signal, target in
                (signal, Place(target, client(target), path: Self.path(signal), find: find))
            })
    }

    private static func path(_ signal: Signal) -> String {
        let (package, service) =
            switch signal {
            case .traces: ("trace", "Trace")
            case .logs: ("logs", "Logs")
            case .metrics: ("metrics", "Metrics")
            }
        return "/opentelemetry.proto.collector.\(package).v1.\(service)Service/Export"
    }

    func send(_ export: Export, completion: @escaping @Sendable (ExportResult) -> Void) {
        guard let place = places[export.signal] else {
            preconditionFailure("\(export.signal) routed to \(places.keys)")
        }
        let signal = export.signal
        let body = Self.body(OTLP.exportRequest(batches: export.batches), place.target)
        place.find { found in
            guard case .success(let way) = found else { return completion(ExportResult(found)) }
            place.client.send(Self.request(body, to: way, place.target)) { result in
                let verdict: ExportResult =
                    switch result {
                    case .failure(let error): ExportResult(error, way.url)
                    case .success(let response): GRPCAnswer(response).verdict(way.url, signal)
                    }
                place.note(verdict, of: way)
                completion(verdict)
            }
        }
    }

    /// A message with what stands in front of it.
    private static func body(_ message: [UInt8], _ target: ExporterConfiguration.Target) -> [UInt8] {
        let isCompressed = target.compression == .gzip
        let content = isCompressed ? Gzip.compress(message) : message
        var body: [UInt8] = []
        body.reserveCapacity(prefixBytes + content.count)
        body.append(isCompressed ? 1 : 0)
        for shift in [24, 16, 8, 0] { body.append(UInt8(truncatingIfNeeded: content.count >> shift)) }
        body += content
        return body
    }

    private static func request(
        _ body: [UInt8], to way: Place.Way, _ target: ExporterConfiguration.Target
    ) -> HTTPRequest {
        var headers = [
            (name: "Content-Type", value: "application/grpc"), (name: "TE", value: "trailers"),
            (name: "grpc-timeout", value: "\(target.timeoutMilliseconds)m"),
            (name: "grpc-accept-encoding", value: "identity"),
        ]
        if target.compression == .gzip { headers.append((name: "grpc-encoding", value: "gzip")) }
        headers += target.headers.map { (name: $0.name, value: $0.value) }
        var request = HTTPRequest(
            method: "POST", url: way.url, headers: headers, body: body, timeoutMilliseconds: target.timeoutMilliseconds,
            responseBytesMax: responseBytesMax)
        request.isHTTP2 = true
        request.address = way.address
        return request
    }
}

/// How a call ended.
struct GRPCAnswer {
    /// <https://grpc.github.io/grpc/core/md_doc_statuscodes.html>.
    enum Code: Int {
        case ok, cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists, permissionDenied
        case resourceExhausted, failedPrecondition, aborted, outOfRange, unimplemented, `internal`, unavailable
        case dataLoss, unauthenticated

        /// As the specification writes it: "RESOURCE_EXHAUSTED".
        var name: String {
            var name = ""
            for character in "\(self)" {
                if character.isUppercase { name += "_" }
                name += character.uppercased()
            }
            return name
        }

        /// Whether it may work later, by OTLP's table, and with other credentials (`RetryPolicy`). RESOURCE_EXHAUSTED may where the server says when.
        var isRetryable: Bool {
            switch self {
            case .cancelled, .deadlineExceeded, .aborted, .outOfRange, .unavailable, .dataLoss, .permissionDenied,
                .unauthenticated:
                true
            default: false
            }
        }

        /// What an HTTP status stands for that came in place of a gRPC status.
        /// <https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md>, but for 500, which is tried again over HTTP, too (`RetryPolicy`).
        init(httpStatus: Int) {
            switch httpStatus {
            case 400: self = .internal
            case 401: self = .unauthenticated
            case 403: self = .permissionDenied
            case 404: self = .unimplemented
            case 429, 500, 502, 503, 504: self = .unavailable
            default: self = .unknown
            }
        }
    }

    private let response: HTTPResponse
    /// Nil: the answer has none.
    private let status: Int?

    init(_ response: HTTPResponse) {
        self.response = response
        status = response.lastHeader("grpc-status").flatMap { $0.count <= 9 ? Int($0) : nil }
    }

    func verdict(_ url: String, _ signal: Signal) -> ExportResult {
        guard let status else { return withoutStatus(url) }
        // Codes beyond the table are as good as UNKNOWN.
        let code = Code(rawValue: status) ?? .unknown
        if code == .ok { return accepted(url, signal) }
        let details = response.lastHeader("grpc-status-details-bin").flatMap { OTLP.decodeStatus(base64: $0) }
        let said = response.lastHeader("grpc-message").map(Self.unescaped) ?? details?.message ?? ""
        let message = "\(url): answered \(code.name)" + (said.isEmpty ? "" : ": \(Quote.text(said))")
        if let delay = details?.retryDelay, code.isRetryable || code == .resourceExhausted {
            return .failed(retryAfter: delay, message: message)
        }
        if [.resourceExhausted, .outOfRange].contains(code), Self.isAboutSize(said) {
            return .tooLarge(message: message)
        }
        if code.isRetryable { return .failed(message: message) }
        let isUnsupported = code == .unimplemented && signal != .traces
        return .refused(isUnsupported ? .unsupported : .refused, message: message)
    }

    /// It comes from something on the way that speaks no gRPC, or is no answer at all.
    private func withoutStatus(_ url: String) -> ExportResult {
        let code = Code(httpStatus: response.status)
        let message =
            "\(url): answered HTTP \(response.status) and no grpc-status"
            + (response.body.isEmpty ? "" : ": \(Quote.text(response.body))")
        if code.isRetryable { return .failed(message: message) }
        return .refused(response.status == 200 ? .invalidResponse : .refused, message: message)
    }

    private func accepted(_ url: String, _ signal: Signal) -> ExportResult {
        do {
            guard let partial = try OTLP.decodeExportResponse(try message(), signal: signal) else {
                return .delivered()
            }
            return .delivered(
                rejected: Int(clamping: partial.rejected),
                message: "\(url): partial success, \(partial.rejected) rejected: \(Quote.text(partial.message))")
        } catch {
            return .delivered(message: "\(url): answered OK with what is no OTLP response")
        }
    }

    private struct NoMessage: Error {}

    /// The one message of the body. None at all is an empty one.
    private func message() throws -> [UInt8] {
        let body = response.body
        if body.isEmpty { return [] }
        guard body.count >= 5, body[0] == 0 else { throw NoMessage() }
        let length = body[1..<5].reduce(0) { $0 << 8 | Int($1) }
        guard body.count == 5 + length else { throw NoMessage() }
        return Array(body[5...])
    }

    /// Servers have no code of their own for a message that is too large; all say so in words. Asking for smaller ones is the one thing that helps then, and
    /// some say OUT_OF_RANGE, which to repeat as it is would never end.
    static func isAboutSize(_ message: String) -> Bool {
        let message = message.lowercased()
        return message.contains("larg") || message.contains("message") && message.contains("size")
    }

    /// Percent-decoded. What is no escape stands for itself.
    static func unescaped(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard bytes.contains(UInt8(ascii: "%")) else { return text }
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count, let high = digit(bytes[index + 1]),
                let low = digit(bytes[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
