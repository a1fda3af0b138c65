public import Health
public import Server
internal import Synchronization
internal import Telemetry
internal import Wire

/// Who knows how this process is. Any thread.
public protocol HealthSource: AnyObject, Sendable {
    /// Nil: there is no such service.
    func servingStatus(of service: String) -> HealthProtocol.ServingStatus?
    var servingStatuses: [(service: String, status: HealthProtocol.ServingStatus)] { get }
    /// For one more watcher.
    var hasRoom: Bool { get }
    /// Tells the watcher how its service is now, and from then on of every change, until `tell` says false.
    func add(_ watcher: HealthWatcher)
    /// It has left.
    func remove(_ watcher: HealthWatcher)
}

/// Somebody who watches a service. Any thread.
public final class HealthWatcher: Sendable {
    private struct State: Sendable {
        var stream: ResponseStream?
        /// What it was told last.
        var status: HealthProtocol.ServingStatus?
    }

    public let service: String
    private let state = Mutex(State())

    init(_ service: String) { self.service = service }

    func follow(_ stream: ResponseStream?) { state.withLock { $0.stream = stream } }

    public func end() {
        state.withLock { state in
            state.stream?.end()
            state.stream = nil
        }
    }

    /// Tells it how its service is, where that is new. False: it has left, or does not read.
    public func tell(_ status: HealthProtocol.ServingStatus) -> Bool {
        state.withLock { state in
            guard let stream = state.stream else { return false }
            guard status != state.status else { return !stream.isOver }
            state.status = status
            return stream.write(GRPC.frame(HealthProtocol.response(status)))
        }
    }
}

/// gRPC's health protocol, for any listener. <https://github.com/grpc/grpc/blob/master/doc/health-checking.md>
public struct HealthRPC: Sendable {
    private let source: any HealthSource

    public init(_ source: any HealthSource) { self.source = source }

    private enum Method { case check, watch, list }

    /// On the server's thread. False: it is another path.
    public func answer(_ request: borrowing ServedRequest, _ responder: Responder) -> Bool {
        let method: Method
        if request.pathIs("/grpc.health.v1.Health/Check") {
            method = .check
        } else if request.pathIs("/grpc.health.v1.Health/Watch") {
            method = .watch
        } else if request.pathIs("/grpc.health.v1.Health/List") {
            method = .list
        } else {
            return false
        }
        guard request.isHTTP2, request.method == .post, ReceiverHandler.isGRPC(request) else {
            responder.respond(
                415, ResponseFields(["content-type": "text/plain; charset=utf-8"]),
                body: Array("gRPC needs HTTP/2, POST and the content type application/grpc\n".utf8))
            return true
        }
        let asked = request.withBody { Self.service(in: $0) }
        switch asked {
        case .failure(let refusal): GRPC.refuse(responder, refusal.code, refusal.message)
        case .success(let service): answer(method, service, responder)
        }
        return true
    }

    private func answer(_ method: Method, _ service: String, _ responder: Responder) {
        switch method {
        case .check:
            guard let status = source.servingStatus(of: service) else {
                return GRPC.refuse(responder, .notFound, "there is no such service here")
            }
            GRPC.respond(responder, HealthProtocol.response(status))
        case .list: GRPC.respond(responder, HealthProtocol.list(source.servingStatuses))
        case .watch: watch(service, responder)
        }
    }

    private func watch(_ service: String, _ responder: Responder) {
        guard source.hasRoom else { return GRPC.refuse(responder, .resourceExhausted, "too many watch already") }
        let watcher = HealthWatcher(service)
        let source = source
        let stream = responder.stream(200, GRPC.fields) {
            watcher.follow(nil)
            source.remove(watcher)
        }
        guard !stream.isOver else { return }
        watcher.follow(stream)
        source.add(watcher)
    }

    private struct Refusal: Error {
        let code: OTLP.StatusCode
        let message: String
    }

    /// The one message of the body.
    private static func service(in body: UnsafeRawBufferPointer) -> Result<String, Refusal> {
        guard body.count >= GRPC.prefixBytes else {
            return .failure(Refusal(code: .invalidArgument, message: "no message in the request"))
        }
        guard body[0] == 0 else {
            return .failure(Refusal(code: .unimplemented, message: "compressed requests are not understood here"))
        }
        let length = Int(UInt32(bigEndian: body.loadUnaligned(fromByteOffset: 1, as: UInt32.self)))
        guard body.count == GRPC.prefixBytes + length else {
            return .failure(Refusal(code: .invalidArgument, message: "the request is not one whole message"))
        }
        let message = UnsafeRawBufferPointer(rebasing: body[GRPC.prefixBytes...])
        guard let service = HealthProtocol.service(inRequest: message) else {
            return .failure(Refusal(code: .invalidArgument, message: "the request is no HealthCheckRequest"))
        }
        return .success(service)
    }
}
