internal import Server
internal import Telemetry
internal import Wire

/// Tells the sender over HTTP what became of its request, in its protocol's words.
struct Answerer: Sendable {
    enum Kind: Sendable {
        /// A message of the protocol in the encoding of the request. <https://opentelemetry.io/docs/specs/otlp/#otlphttp-response>.
        case otlp(Signal, isJSON: Bool)
        /// 202 without content, or text: Zipkin and Jaeger.
        case plain
    }

    let responder: Responder
    let counters: ReceiverCounters
    let receiver: ReceiverName
    /// For browsers; nil without CORS.
    let cors: [(StaticString, String)]?
    let kind: Kind

    private static let protobuf = ResponseFields(["content-type": "application/x-protobuf"])
    private static let json = ResponseFields(["content-type": "application/json"])
    private static let text = ResponseFields(["content-type": "text/plain; charset=utf-8"])

    /// All was taken but for what `received` says.
    func accepted(items: Int, rejected: Int, _ why: DecodeError?) {
        counters.addAccepted(receiver, items: items, rejected: rejected)
        let partial =
            rejected == 0 ? nil : OTLP.PartialSuccess(rejected: Int64(rejected), message: why?.description ?? "")
        switch kind {
        case .otlp(let signal, let isJSON):
            responder.respond(
                200, with(isJSON ? Self.json : Self.protobuf),
                body: OTLP.encodeExportResponse(partial, signal: signal, isJSON: isJSON))
        case .plain: responder.respond(202, with(.none))
        }
    }

    func finish(_ answer: IntakeAnswer, items: Int, rejected: Int, _ why: DecodeError?) {
        switch answer {
        case .accepted: accepted(items: items, rejected: rejected, why)
        case .full(let seconds):
            counters.addFull(receiver)
            respond(503, "no room at the moment", [("retry-after", String(seconds))], retryAfterSeconds: seconds)
        case .failed(let reason):
            counters.addFailed(receiver)
            respond(500, reason, [])
        }
    }

    /// The request itself is at fault.
    func refuse(_ status: Int, _ why: String, fields: KeyValuePairs<StaticString, String> = [:]) {
        counters.addBad(receiver)
        respond(status, why, fields.map { ($0.key, $0.value) })
    }

    private func respond(
        _ status: Int, _ message: String, _ further: [(StaticString, String)], retryAfterSeconds: Int? = nil
    ) {
        let answer = Self.refusal(kind, status, message, retryAfterSeconds: retryAfterSeconds)
        var fields = answer.fields
        for (name, value) in further { fields = fields.adding(name, value) }
        responder.respond(status, with(fields), body: answer.body)
    }

    /// What a protocol has for a request that is not taken, but for what else its fields say.
    static func refusal(
        _ kind: Kind, _ status: Int, _ message: String, retryAfterSeconds: Int? = nil
    ) -> (fields: ResponseFields, body: [UInt8]) {
        switch kind {
        case .otlp(_, let isJSON):
            (
                isJSON ? json : protobuf,
                OTLP.encodeErrorStatus(
                    code: OTLP.StatusCode(httpStatus: status), message: message, retryAfterSeconds: retryAfterSeconds,
                    isJSON: isJSON)
            )
        case .plain: (text, Array((message + "\n").utf8))
        }
    }

    private func with(_ fields: ResponseFields) -> ResponseFields {
        guard let cors else { return fields }
        return cors.reduce(fields) { $0.adding($1.0, $1.1) }
    }
}
