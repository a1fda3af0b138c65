internal import Discovery
internal import Resolver
internal import System

/// A request whose host is a service: where it is sent, and whether it may be sent again. `Fetches` does what it says. The event loop's thread.
final class ServiceFetch {
    /// Until a connection to an instance must stand: others wait. Milliseconds.
    private static let connectTimeoutMilliseconds = 2_000
    /// RFC 9110, section 9.2.2.
    private static let idempotentMethods: Set<String> = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"]

    let finder: ServiceFinder
    let request: HTTPStreamRequest
    /// Where it is; nil: that is being found.
    private(set) var endpoint: ServiceEndpoint?
    private var hasAnswered = false
    private var hasOutcome = false
    private var isRepeated = false
    /// What was pushed before it was on its way.
    var pushed: [[UInt8]] = []
    var isPushComplete = false

    init(_ request: HTTPStreamRequest, _ finder: ServiceFinder) {
        self.request = request
        self.finder = finder
    }

    /// The request to be sent to an instance.
    func request(to endpoint: ServiceEndpoint) -> HTTPStreamRequest {
        self.endpoint = endpoint
        var request = request
        request.place = ServiceEndpoint(host: endpoint.address ?? endpoint.host, port: endpoint.port).place
        request.connectTimeoutMilliseconds = Self.connectTimeoutMilliseconds
        return request
    }

    /// Takes note of what has happened to it. Why it is to be sent to another instance; nil: what came is the program's.
    func failure(of update: HTTPStreamUpdate) -> HTTPTransportError? {
        guard let endpoint else { preconditionFailure("an update of a request that is nowhere") }
        if update.head != nil {
            hasAnswered = true
            finder.note(endpoint, hasWorked: true)
        }
        guard case .failed(let error) = update.ending, error.code.isInstances else { return nil }
        finder.note(endpoint, hasWorked: false)
        guard !hasAnswered, !isRepeated, isRepeatable(after: error.code), finder.hasUsable else { return nil }
        isRepeated = true
        return error
    }

    /// What the program gets of it; nil: that is told already, or not known.
    func outcome(of update: HTTPStreamUpdate) -> ServiceOutcome? {
        guard !hasOutcome, update.head != nil || update.ending != nil else { return nil }
        hasOutcome = true
        return update.head != nil ? .answered : endpoint == nil ? .unknown : .failed
    }

    /// What to do when it is given up before a connection stood.
    var unsent: (@Sendable () -> Void)? {
        guard let endpoint, !hasAnswered else { return nil }
        return { [finder] in finder.note(endpoint, hasWorked: false) }
    }

    /// Whether nothing of it can have been done, or doing it twice does no more than doing it once.
    private func isRepeatable(after code: HTTPTransportError.Code) -> Bool {
        if case .streamed = request.body { return false }
        switch code {
        case .connect, .resolve, .tls: return true
        default: return Self.idempotentMethods.contains(request.method)
        }
    }
}

/// What a program got of a request to a service.
enum ServiceOutcome: String {
    case answered
    /// The instances that were tried.
    case failed
    /// There was nowhere to send it.
    case unknown
}

extension HTTPTransportError.Code {
    /// Whether it says something of who was asked.
    fileprivate var isInstances: Bool {
        switch self {
        case .resolve, .connect, .tls, .timeout, .reset, .protocolViolation: true
        case .tooLarge, .cancelled, .badURL, .shutdown: false
        }
    }
}
