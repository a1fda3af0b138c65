internal import Server
internal import Telemetry
internal import Wire

/// gRPC over HTTP/2: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>. One request message, one answer.
enum GRPC {
    static let prefixBytes = 5

    static let fields = ResponseFields([
        "content-type": "application/grpc", "grpc-accept-encoding": "identity, gzip, zstd",
    ])
    private static let ok = ResponseFields(["grpc-status": "0"])

    static func respond(_ responder: Responder, _ message: [UInt8]) {
        responder.respond(200, fields, body: frame(message), trailers: ok)
    }

    /// A message with its prefix.
    static func frame(_ message: [UInt8]) -> [UInt8] {
        let count = message.count
        var frame: [UInt8] = [0]
        frame.reserveCapacity(prefixBytes + count)
        for shift in [24, 16, 8, 0] { frame.append(UInt8(truncatingIfNeeded: count >> shift)) }
        return frame + message
    }

    /// An answer that is nothing but its end ("Trailers-Only").
    static func refuse(
        _ responder: Responder, _ code: OTLP.StatusCode, _ message: String, retryAfterSeconds: Int? = nil
    ) {
        responder.respond(200, refusal(code, message, retryAfterSeconds: retryAfterSeconds))
    }

    /// The fields of such an answer.
    static func refusal(
        _ code: OTLP.StatusCode, _ message: String, retryAfterSeconds: Int? = nil
    ) -> ResponseFields {
        var fields = fields.adding("grpc-status", String(code.rawValue)).adding("grpc-message", escaped(message))
        if retryAfterSeconds != nil {
            let status = OTLP.encodeErrorStatus(
                code: code, message: message, retryAfterSeconds: retryAfterSeconds, isJSON: false)
            fields = fields.adding("grpc-status-details-bin", OTLP.base64(status))
        }
        return fields
    }

    /// Percent-encoded: all but printable ASCII, and the percent sign.
    static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            if (0x20...0x7E).contains(byte), byte != UInt8(ascii: "%") {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0" + digits : "%" + digits
            }
        }
        return result
    }
}

extension ReceiverHandler {
    func handleGRPC(_ request: borrowing ServedRequest, _ responder: Responder, _ signal: Signal) {
        func refuse(_ code: OTLP.StatusCode, _ message: String) {
            counters.addBad(.otlpGRPC)
            GRPC.refuse(responder, code, message)
        }
        guard request.isHTTP2 else {
            counters.addBad(.otlpGRPC)
            return responder.respond(
                505, ResponseFields(["content-type": "text/plain; charset=utf-8"]),
                body: Array("gRPC needs HTTP/2\n".utf8))
        }
        guard request.method == .post else {
            counters.addBad(.otlpGRPC)
            return responder.respond(405, ResponseFields(["allow": "POST"]))
        }
        guard Self.isGRPC(request) else {
            counters.addBad(.otlpGRPC)
            return responder.respond(
                415, ResponseFields(["content-type": "text/plain; charset=utf-8"]),
                body: Array("the content type has to be application/grpc\n".utf8))
        }
        let encoding = GRPCEncoding(request)
        let outcome: Result<OTLP.Received, GRPCFailure> = request.withBody { body in
            do throws(GRPCFailure) {
                return .success(try received(body, encoding, signal))
            } catch {
                return .failure(error)
            }
        }
        switch outcome {
        case .failure(.full):
            counters.addFull(.otlpGRPC)
            GRPC.refuse(responder, .unavailable, "no room at the moment", retryAfterSeconds: 1)
        case .failure(.refused(let code, let message)): refuse(code, message)
        case .success(let received): deliverGRPC(received, responder, signal)
        }
    }

    private func deliverGRPC(_ received: OTLP.Received, _ responder: Responder, _ signal: Signal) {
        let items = received.batches.reduce(0) { $0 + $1.items.count }
        let rejected = received.rejectedItems
        let why = received.firstRejection
        let counters = counters
        deliver(received, signal, .otlpGRPC) { answer in
            switch answer {
            case .accepted:
                counters.addAccepted(.otlpGRPC, items: items, rejected: rejected)
                let partial =
                    rejected == 0
                    ? nil : OTLP.PartialSuccess(rejected: Int64(rejected), message: why?.description ?? "")
                GRPC.respond(responder, OTLP.encodeExportResponse(partial, signal: signal, isJSON: false))
            case .full(let seconds):
                counters.addFull(.otlpGRPC)
                GRPC.refuse(responder, .unavailable, "no room at the moment", retryAfterSeconds: seconds)
            case .failed(let reason):
                counters.addFailed(.otlpGRPC)
                GRPC.refuse(responder, .internal, reason)
            }
        }
    }

    private enum GRPCEncoding {
        case none, unknown
        case coded(ContentCoding)

        init(_ request: borrowing ServedRequest) {
            guard let value = request.headerBytes("grpc-encoding") else {
                self = .none
                return
            }
            switch ContentCoding.named(value) {
            case .identity: self = .none
            case .coded(let coding): self = .coded(coding)
            case .unknown: self = .unknown
            }
        }
    }

    private enum GRPCFailure: Error {
        case full
        case refused(OTLP.StatusCode, String)
    }

    /// The one message of the body, decoded where it lies.
    private func received(
        _ body: UnsafeRawBufferPointer, _ encoding: GRPCEncoding, _ signal: Signal
    ) throws(GRPCFailure) -> OTLP.Received {
        guard body.count >= GRPC.prefixBytes else { throw .refused(.invalidArgument, "no message in the request") }
        let length = Int(UInt32(bigEndian: body.loadUnaligned(fromByteOffset: 1, as: UInt32.self)))
        let message = UnsafeRawBufferPointer(rebasing: body[GRPC.prefixBytes...])
        guard message.count >= length else {
            throw .refused(.invalidArgument, "a message of \(length) bytes of which \(message.count) came")
        }
        guard message.count == length else {
            throw .refused(.unimplemented, "more than one message in the request")
        }
        switch (body[0], encoding) {
        case (0, _): return try decode(message, signal)
        case (1, .coded(let coding)):
            let decoded: (bytes: [UInt8], charged: Int)
            do throws(ContentDecoder.Failure) {
                decoded = try decoder.decode(message, coding, bytesMax: options.limits.requestBytesMax, budget)
            } catch {
                switch error {
                case .malformed: throw .refused(.invalidArgument, "the message does not decompress")
                case .tooLarge: throw .refused(.resourceExhausted, "the message is larger than the limit")
                case .memory: throw .full
                }
            }
            defer { budget.giveBack(decoded.charged) }
            return try decoded.bytes.withUnsafeBufferPointer { (bytes) throws(GRPCFailure) in
                try decode(UnsafeRawBufferPointer(bytes), signal)
            }
        case (1, .unknown): throw .refused(.unimplemented, "the grpc-encoding is not known")
        case (1, .none): throw .refused(.internal, "a compressed message without grpc-encoding")
        default: throw .refused(.internal, "a message with an unknown flag")
        }
    }

    private func decode(
        _ message: UnsafeRawBufferPointer, _ signal: Signal
    ) throws(GRPCFailure) -> OTLP.Received {
        do throws(DecodeError) {
            return try OTLP.batches(
                fromExportRequest: message, signal: signal, limits: options.limits,
                receivedAt: clock.unixNanoseconds())
        } catch {
            throw .refused(error.isAboutSize ? .resourceExhausted : .invalidArgument, error.description)
        }
    }
}
