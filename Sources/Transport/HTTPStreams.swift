// Requests whose bodies are streams, on the same thread and curl handle as the exporters' whole ones.
//
// What happens on the thread is gathered by request and handed over once a round of curl's loop, all requests together:
// one lock and one wake-up of the receiver for however much came in. A small answer is one update: head, body and end.
//
// Backpressure: a response may be `windowBytes` ahead of what was acknowledged; then its transfer is paused, which stops
// the peer by TCP's or HTTP/2's own window. Pushed bodies are the caller's to bound, by `uploadedBytes` of the updates.

public import System

/// Streamed requests of one receiver. Safe to use from any thread.
public final class HTTPStreams: Sendable {
    /// Bytes of one response that may wait to be acknowledged, give or take one read.
    public static let windowBytes = 256 << 10
    /// Requests under way or waiting for a connection at once.
    public static let outstandingMax = 8_192

    let core: CurlTransport.Core
    let options: CurlTransport.Options
    let deliver: @Sendable ([HTTPStreamUpdate]) -> Void

    init(
        _ core: CurlTransport.Core, _ options: CurlTransport.Options,
        _ deliver: @escaping @Sendable ([HTTPStreamUpdate]) -> Void
    ) {
        self.core = core
        self.options = options
        self.deliver = deliver
    }

    /// Begins a request. Updates with `id` follow until one has an `ending`, or `abort` is called.
    /// - Returns: nil when `outstandingMax` are under way or the transport was shut down; then nothing follows.
    public func start(_ id: Int, _ request: HTTPStreamRequest) -> HTTPStream? {
        let exchange = StreamExchange(id, request, self)
        guard core.send(.start(exchange)) else { return nil }
        return HTTPStream(exchange: exchange, core: core)
    }
}

/// A streamed request. Its calls return at once; what comes after the end is ignored. Safe to use from any thread.
public struct HTTPStream: Sendable {
    let exchange: StreamExchange
    let core: CurlTransport.Core

    /// So many bytes of the body were consumed: as many more may come.
    public func acknowledge(_ byteCount: Int) { core.send(.acknowledge(exchange, byteCount)) }

    /// More of a `.streamed` body.
    public func upload(_ bytes: [UInt8]) { core.send(.upload(exchange, bytes)) }

    /// The `.streamed` body is complete.
    public func finishUpload() { core.send(.finishUpload(exchange)) }

    /// Gives the request up; nothing more is heard of it, but what was already on its way.
    /// - Parameter unsent: Called on the transport's thread if it has waited for a connection for half a second or longer.
    public func abort(unsent: (@Sendable () -> Void)? = nil) { core.send(.abort(exchange, unsent: unsent)) }
}

/// What callers ask of the loop's thread, in order.
enum StreamInput: Sendable {
    case start(StreamExchange)
    case acknowledge(StreamExchange, Int)
    case upload(StreamExchange, [UInt8])
    case finishUpload(StreamExchange)
    case abort(StreamExchange, unsent: (@Sendable () -> Void)?)
}
