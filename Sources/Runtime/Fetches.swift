internal import Glibc
internal import NIOCore
internal import Platform
internal import Synchronization
internal import System
internal import Transport

/// The requests that `fetch` has under way. curl and its thread come with the first.
final class Fetches {
    /// Bytes of one pushed body that may wait to be sent, give or take one write.
    static let uploadBytesMax = 256 << 10

    private struct Running {
        let stream: HTTPStream
        /// Of the pushed body.
        var waitingBytes = 0
        var isFull = false
    }

    /// What the transport's thread has handed over and the event loop has not taken. Many updates cost one wake-up.
    private final class Mailbox: Sendable {
        let updates = Mutex<[HTTPStreamUpdate]>([])
        /// The event loop is about to end.
        let isClosed = Mutex(false)
    }

    private let eventLoop: any EventLoop
    private let mailbox = Mailbox()
    private var running: [Int: Running] = [:]
    private var transport: CurlTransport?
    private lazy var streams = makeStreams()
    /// Called on the event loop with each update of a request that was not aborted; `isDrained` when a full pushed body has room again.
    var receive: ((_ update: HTTPStreamUpdate, _ isDrained: Bool) -> Void)?

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// False when too many are under way.
    func start(_ fetch: FetchStart) -> Bool {
        let body: HTTPStreamRequest.Body =
            switch fetch.body {
            case .none: .none
            case .whole(let bytes): .whole(bytes)
            case .pushed: .streamed
            case .upgraded: .upgraded
            }
        let request = HTTPStreamRequest(method: fetch.method, url: fetch.url, headers: fetch.headers, body: body)
        guard let stream = streams.start(fetch.id, request) else { return false }
        running[fetch.id] = Running(stream: stream)
        return true
    }

    /// False: the body has as much waiting as it may.
    func write(_ id: Int, _ bytes: [UInt8]) -> Bool {
        guard let index = running.index(forKey: id) else { return true }
        running.values[index].waitingBytes += bytes.count
        running.values[index].isFull = running.values[index].waitingBytes >= Self.uploadBytesMax
        running.values[index].stream.upload(bytes)
        return !running.values[index].isFull
    }

    func close(_ id: Int) { running[id]?.stream.finishUpload() }

    func resume(_ id: Int, byteCount: Int) { running[id]?.stream.acknowledge(byteCount) }

    func abort(_ id: Int) { running.removeValue(forKey: id)?.stream.abort() }

    /// Gives up all that is under way: the event loop is about to end.
    func close() {
        mailbox.isClosed.withLock { $0 = true }
        receive = nil
        for entry in running.values { entry.stream.abort() }
        running = [:]
    }

    /// Ends the transport's thread.
    func stop() {
        close()
        transport?.shutdown()
    }

    private func makeStreams() -> HTTPStreams {
        let transport = CurlTransport()
        self.transport = transport
        var options = CurlTransport.Options()
        options.decodesResponses = true
        options.connectTimeoutMilliseconds = 10_000
        // As OpenSSL's own programs and curl read it; the library does not.
        options.authorityFile = getenv("SSL_CERT_FILE").map { String(cString: $0) }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        return transport.streams(options) { [eventLoop, mailbox] updates in
            let wasEmpty = mailbox.updates.withLock { waiting in
                defer { waiting.append(contentsOf: updates) }
                return waiting.isEmpty
            }
            guard wasEmpty else { return }
            mailbox.isClosed.withLock { isClosed in
                if !isClosed { eventLoop.execute { bound.value.takeMail() } }
            }
        }
    }

    private func takeMail() {
        let updates = mailbox.updates.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for update in updates {
            guard let index = running.index(forKey: update.id) else { continue }
            running.values[index].waitingBytes -= update.uploadedBytes
            let isDrained =
                running.values[index].isFull && running.values[index].waitingBytes <= Self.uploadBytesMax / 2
            if isDrained { running.values[index].isFull = false }
            if update.ending != nil { running.remove(at: index) }
            receive?(update, isDrained)
        }
    }
}
