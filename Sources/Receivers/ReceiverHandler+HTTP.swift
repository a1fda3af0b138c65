internal import Server
internal import Telemetry
internal import Wire

// OTLP/HTTP, Zipkin and Jaeger: one request, one body.

extension ReceiverHandler {
    func receive(_ request: borrowing ServedRequest, _ route: Route, _ answerer: Answerer) {
        guard request.bodyCount <= options.limits.requestBytesMax else {
            return answerer.refuse(413, tooLargeText)
        }
        let received: OTLP.Received
        do throws(DecodeError) {
            guard let decoded = try decode(request, route) else {
                return answerer.refuse(415, Self.types(of: route))
            }
            received = decoded
        } catch {
            return answerer.refuse(error.isAboutSize ? 413 : 400, error.description)
        }
        let items = received.batches.reduce(0) { $0 + $1.items.count }
        let rejected = received.rejectedItems
        let why = received.firstRejection
        deliver(received, route.signal, route.receiver) {
            answerer.finish($0, items: items, rejected: rejected, why)
        }
    }

    /// Nil: a type of content that has no decoder.
    private func decode(_ request: borrowing ServedRequest, _ route: Route) throws(DecodeError) -> OTLP.Received? {
        let limits = options.limits
        let isProtobuf = Self.contentIs(request, "application/x-protobuf")
        let isJSON = Self.contentIs(request, "application/json")
        switch route {
        case .otlp(let signal), .grpc(let signal):
            let now = clock.unixNanoseconds()
            if isJSON {
                return try OTLP.batches(
                    fromExportRequestJSON: request.body, signal: signal, limits: limits, receivedAt: now)
            }
            guard isProtobuf else { return nil }
            return try request.withBody { (body) throws(DecodeError) in
                try OTLP.batches(fromExportRequest: body, signal: signal, limits: limits, receivedAt: now)
            }
        case .zipkin2:
            if isProtobuf { return try Zipkin.batches(fromV2Protobuf: request.body, limits: limits) }
            guard isJSON || !Self.hasType(request) else { return nil }
            return try Zipkin.batches(fromV2JSON: request.body, limits: limits)
        case .zipkin1:
            guard isJSON || !Self.hasType(request) else { return nil }
            return try Zipkin.batches(fromV1JSON: request.body, limits: limits)
        case .jaeger:
            guard
                Self.contentIs(request, "application/x-thrift")
                    || Self.contentIs(request, "application/vnd.apache.thrift.binary")
            else { return nil }
            return try Jaeger.batches(fromThrift: request.body, limits: limits)
        }
    }

    /// Zipkin's senders may leave the type out.
    private static func hasType(_ request: borrowing ServedRequest) -> Bool {
        request.headerBytes("content-type") != nil
    }

    private static func types(of route: Route) -> String {
        switch route {
        case .otlp, .grpc: "the content type has to be application/x-protobuf or application/json"
        case .zipkin2: "the content type has to be application/json or application/x-protobuf"
        case .zipkin1: "the content type has to be application/json"
        case .jaeger: "the content type has to be application/x-thrift"
        }
    }

    // MARK: browsers

    /// What the page's origin is told; nil when it may not send. <https://fetch.spec.whatwg.org/#http-cors-protocol>.
    func corsFields(_ request: borrowing ServedRequest) -> [(StaticString, String)]? {
        guard !options.allowedOrigins.isEmpty, let origin = request.header("origin") else { return nil }
        guard options.allowedOrigins.contains(origin) || options.allowedOrigins.contains("*") else { return nil }
        return [("access-control-allow-origin", origin), ("vary", "origin")]
    }

    func preflight(_ request: borrowing ServedRequest, _ responder: Responder, _ cors: [(StaticString, String)]?) {
        guard let cors else {
            return responder.respond(
                403, ResponseFields(["content-type": "text/plain; charset=utf-8"]),
                body: Array("this origin may not send (receivers' option `cors`)\n".utf8))
        }
        var fields = cors.reduce(ResponseFields.none) { $0.adding($1.0, $1.1) }
            .adding("access-control-allow-methods", "POST").adding("access-control-max-age", "7200")
        if let wanted = request.header("access-control-request-headers") {
            fields = fields.adding("access-control-allow-headers", wanted)
        }
        responder.respond(204, fields)
    }
}
