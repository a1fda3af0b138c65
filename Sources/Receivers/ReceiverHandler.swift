// One listener's requests: which path belongs to which protocol, which type of content to which decoder, and how each protocol is told what became of
// them. The protocols' own rules are in `ReceiverHandler+OTLP`, `+GRPC` and `+Traces` (Zipkin and Jaeger).

public import Server
public import System
internal import Telemetry
public import Wire

public final class ReceiverHandler: RequestHandler, @unchecked Sendable {
    // @unchecked: `decoder` is of the server's thread; all else does not change.

    public struct Options: Sendable {
        /// What this listener understands; all else is answered with 404.
        public var protocols: Set<ReceiverName>
        /// Origins whose pages may send (CORS): `https://shop.example`, or `*` for all. Empty: none, and browsers refuse to.
        public var allowedOrigins: [String] = []
        public var limits = OTLP.ReceiveLimits()
        /// The setting that raises `limits.requestBytesMax`, for messages: `receivers.zipkin.body-max`.
        public var limitKey = "body-max"

        public init(protocols: Set<ReceiverName>) { self.protocols = protocols }
    }

    let options: Options
    let intake: any Intake
    let counters: ReceiverCounters
    let budget: MemoryBudget
    let clock: any SystemClock
    private let health: HealthRPC?
    /// For messages that are compressed inside of gRPC's frames.
    var decoder = ContentDecoder()

    /// - Parameter health: Answers where gRPC is understood; nil: nobody does.
    public init(
        _ options: Options, intake: any Intake, counters: ReceiverCounters, budget: MemoryBudget,
        clock: any SystemClock, health: HealthRPC? = nil
    ) {
        self.options = options
        self.intake = intake
        self.counters = counters
        self.budget = budget
        self.clock = clock
        self.health = options.protocols.contains(.otlpGRPC) ? health : nil
    }

    /// Bytes of a body that its listener has to take: a message, and gRPC's prefix.
    public var bodyBytesMax: Int { options.limits.requestBytesMax + GRPC.prefixBytes }

    public func handle(_ request: borrowing ServedRequest, _ responder: Responder) {
        guard let route = Route(request), options.protocols.contains(route.receiver) else {
            if health?.answer(request, responder) != true { notFound(request, responder) }
            return
        }
        if case .grpc(let signal) = route { return handleGRPC(request, responder, signal) }
        let cors = corsFields(request)
        if request.method == .options, request.headerBytes("access-control-request-method") != nil {
            return preflight(request, responder, cors)
        }
        let answerer = Answerer(
            responder: responder, counters: counters, receiver: route.receiver, cors: cors,
            kind: route.isOTLP ? .otlp(route.signal, isJSON: Self.contentIs(request, "application/json")) : .plain)
        guard request.method == .post else {
            return answerer.refuse(405, "only POST is understood here", fields: ["allow": "POST"])
        }
        receive(request, route, answerer)
    }

    public func turnEnded() { intake.turnEnded() }

    /// In the words of the protocol: a `google.rpc.Status` where OTLP wants one, for all statuses from 400 on.
    /// <https://opentelemetry.io/docs/specs/otlp/#failures-1>.
    public func refuse(_ head: borrowing ServedRequest, _ answer: ServerAnswer) -> ServerAnswer {
        guard let route = Route(head), options.protocols.contains(route.receiver) else { return answer }
        let message = answer.body.isEmpty ? refusalText(answer.status) : Self.line(answer.body)
        let retryAfterSeconds = answer.status == 503 || answer.status == 429 ? 1 : nil
        if answer.status != 503 { counters.addBad(route.receiver) } else { counters.addFull(route.receiver) }
        if case .grpc = route {
            guard head.isHTTP2 else { return answer }
            let code = OTLP.StatusCode(httpStatus: answer.status)
            return ServerAnswer(
                status: 200, fields: GRPC.refusal(code, message, retryAfterSeconds: retryAfterSeconds))
        }
        let kind: Answerer.Kind =
            route.isOTLP ? .otlp(route.signal, isJSON: Self.contentIs(head, "application/json")) : .plain
        var said = answer
        let (fields, body) = Answerer.refusal(kind, answer.status, message, retryAfterSeconds: retryAfterSeconds)
        said.fields = answer.fields.adding(fields)
        for (name, value) in corsFields(head) ?? [] { said.fields = said.fields.adding(name, value) }
        said.body = body
        return said
    }

    private func refusalText(_ status: Int) -> String {
        switch status {
        case 400: "the body is not what its content-encoding says"
        case 408: "the body did not come in time"
        case 413: tooLargeText
        case 415: "the content-encoding is none of those that are understood: \(ContentCoding.accepted)"
        default: "no memory at the moment"
        }
    }

    private static func line(_ text: [UInt8]) -> String {
        String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    var tooLargeText: String {
        "the body has more than the \(options.limits.requestBytesMax) bytes that are taken; \(options.limitKey) raises that"
    }

    private func notFound(_ request: borrowing ServedRequest, _ responder: Responder) {
        if Self.isGRPC(request) {
            return GRPC.refuse(responder, .unimplemented, "this listener has no such method")
        }
        let isJSON = Self.contentIs(request, "application/json")
        let known = ReceiverName.allCases.filter(options.protocols.contains).flatMap(Route.paths).joined(
            separator: ", ")
        // Who speaks OTLP to a wrong path is told in OTLP.
        let isOTLP =
            options.protocols.contains(.otlpHTTP)
            && (isJSON || Self.contentIs(request, "application/x-protobuf"))
        let (fields, body) = Answerer.refusal(
            isOTLP ? .otlp(.traces, isJSON: isJSON) : .plain, 404,
            "no receiver at this path; this listener has \(known)")
        responder.respond(404, fields, body: body)
    }

    /// Hands decoded items on, and answers for those that were not even given to the intake.
    func deliver(
        _ received: OTLP.Received, _ signal: Signal, _ receiver: ReceiverName,
        _ answer: @escaping @Sendable (IntakeAnswer) -> Void
    ) {
        let items = received.batches.reduce(0) { $0 + $1.items.count }
        guard items > 0 else { return answer(.accepted) }
        intake.accept(received, of: signal, from: receiver, answer: answer)
    }

    // MARK: types of content

    /// Whether Content-Type names this media type, with whatever parameters.
    static func contentIs(_ request: borrowing ServedRequest, _ type: StaticString) -> Bool {
        guard let value = request.headerBytes("content-type") else { return false }
        return mediaType(value, is: type)
    }

    private static func mediaType(_ value: UnsafeRawBufferPointer, is type: StaticString) -> Bool {
        let count = type.utf8CodeUnitCount
        guard value.count >= count else { return false }
        for index in 0..<count {
            let byte = value[index]
            let lower = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            if lower != type.utf8Start[index] { return false }
        }
        return value.count == count || value[count] == UInt8(ascii: ";") || value[count] == UInt8(ascii: " ")
            || value[count] == UInt8(ascii: "\t")
    }

    static func isGRPC(_ request: borrowing ServedRequest) -> Bool {
        contentIs(request, "application/grpc") || contentIs(request, "application/grpc+proto")
    }
}

/// Paths, and what comes in there.
enum Route {
    case otlp(Signal)
    case grpc(Signal)
    case zipkin2, zipkin1, jaeger

    init?(_ request: borrowing ServedRequest) {
        if request.pathIs("/v1/traces") {
            self = .otlp(.traces)
        } else if request.pathIs("/v1/logs") {
            self = .otlp(.logs)
        } else if request.pathIs("/v1/metrics") {
            self = .otlp(.metrics)
        } else if request.pathIs("/opentelemetry.proto.collector.trace.v1.TraceService/Export") {
            self = .grpc(.traces)
        } else if request.pathIs("/opentelemetry.proto.collector.logs.v1.LogsService/Export") {
            self = .grpc(.logs)
        } else if request.pathIs("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export") {
            self = .grpc(.metrics)
        } else if request.pathIs("/api/v2/spans") {
            self = .zipkin2
        } else if request.pathIs("/api/v1/spans") {
            self = .zipkin1
        } else if request.pathIs("/api/traces") {
            self = .jaeger
        } else {
            return nil
        }
    }

    var receiver: ReceiverName {
        switch self {
        case .otlp: .otlpHTTP
        case .grpc: .otlpGRPC
        case .zipkin2, .zipkin1: .zipkin
        case .jaeger: .jaeger
        }
    }

    var signal: Signal {
        switch self {
        case .otlp(let signal), .grpc(let signal): signal
        case .zipkin2, .zipkin1, .jaeger: .traces
        }
    }

    var isOTLP: Bool { if case .otlp = self { true } else { false } }

    /// For people.
    static func paths(of receiver: ReceiverName) -> [String] {
        switch receiver {
        case .otlpHTTP: ["/v1/traces", "/v1/logs", "/v1/metrics"]
        case .otlpGRPC: ["OTLP over gRPC"]
        case .zipkin: ["/api/v2/spans", "/api/v1/spans"]
        case .jaeger: ["/api/traces"]
        }
    }
}
