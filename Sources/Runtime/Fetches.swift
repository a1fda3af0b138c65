internal import NIOCore
internal import Platform
internal import System
internal import Transport

/// The requests that `fetch` has under way. curl and its thread come with the first.
final class Fetches {
    /// Of one response, decoded. What is larger is an error.
    static let bodyBytesMax = 256 << 20

    struct Answer: Sendable {
        let id: Int
        let result: Result<HTTPResponse, HTTPTransportError>
    }

    private let eventLoop: any EventLoop
    private lazy var following = Self.transport(redirectsMax: 20)
    private lazy var direct = Self.transport(redirectsMax: 0)
    private var aborted: Set<Int> = []

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// - Parameter answer: called on the event loop, unless it was aborted.
    func start(_ fetch: FetchStart, answer: @escaping @Sendable (Answer) -> Void) {
        let request = HTTPRequest(
            method: fetch.method, url: fetch.url, headers: fetch.headers, body: fetch.body,
            timeoutMilliseconds: fetch.timeoutMilliseconds > 0 ? fetch.timeoutMilliseconds : Int(Int32.max),
            responseBytesMax: Self.bodyBytesMax)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        (fetch.followsRedirects ? following : direct).send(request) { [eventLoop] result in
            eventLoop.execute {
                if bound.value.aborted.remove(fetch.id) == nil { answer(Answer(id: fetch.id, result: result)) }
            }
        }
    }

    /// The request runs out by itself; nobody hears of it.
    func abort(_ id: Int) { aborted.insert(id) }

    private static func transport(redirectsMax: Int) -> CurlTransport {
        var options = CurlTransport.Options()
        options.redirectsMax = redirectsMax
        options.decodesResponses = true
        return CurlTransport(options)
    }
}
