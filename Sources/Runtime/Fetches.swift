internal import Discovery
internal import Glibc
internal import NIOCore
internal import Platform
internal import Policy
internal import Synchronization
internal import System
internal import Transport

/// The requests that `fetch` has under way. curl and its thread come with the first.
final class Fetches {
    /// Bytes of one pushed body that may wait to be sent, give or take one write.
    static let uploadBytesMax = 256 << 10

    struct Running {
        /// Nil: it is being found where it goes.
        var stream: HTTPStream?
        /// Of one that goes to a service.
        var service: ServiceFetch?
        /// Of the pushed body.
        var waitingBytes = 0
        var isFull = false
        /// Where the policy is asked about addresses.
        var network: NetworkGate?
    }

    /// What the transport's thread has handed over and the event loop has not taken. Many updates cost one wake-up.
    final class Mailbox: Sendable {
        let updates = Mutex<[HTTPStreamUpdate]>([])
        /// The event loop is about to end.
        let isClosed = Mutex(false)
    }

    let eventLoop: any EventLoop
    let mailbox = Mailbox()
    var running: [Int: Running] = [:]
    private lazy var transport = CurlTransport()
    private var hasTransport = false
    lazy var streams = makeStreams()
    /// Nil: no host is one.
    private(set) var services: FetchServices?
    /// Called on the event loop with each update of a request that was not aborted; `isDrained` when a full pushed body has room again; `outcome` once of a request to
    /// a service.
    var receive: ((_ update: HTTPStreamUpdate, _ isDrained: Bool, _ outcome: ServiceOutcome?) -> Void)?
    /// Called there before such an update, when the policy did not like an address.
    var refused: ((_ id: Int, _ decision: Decision, _ access: Access) -> Void)?
    /// Called there when a request is sent again, since this instance of its service has failed.
    var resent: ((_ id: Int, _ failed: ServiceEndpoint, HTTPTransportError) -> Void)?

    /// - Parameter services: Nil: no host is one.
    init(_ eventLoop: any EventLoop, services: FetchServiceOptions?) {
        self.eventLoop = eventLoop
        if let services { self.services = FetchServices(services) { [unowned self] in usedTransport() } }
    }

    private func usedTransport() -> CurlTransport {
        hasTransport = true
        return transport
    }

    /// False when too many are under way.
    /// - Parameter network: nil: it may go to every address.
    func start(_ fetch: FetchStart, _ network: NetworkGate?) -> Bool {
        let body: HTTPStreamRequest.Body =
            switch fetch.body {
            case .none: .none
            case .whole(let bytes): .whole(bytes)
            case .pushed: .streamed
            case .upgraded: .upgraded
            }
        var request = HTTPStreamRequest(method: fetch.method, url: fetch.url, headers: fetch.headers, body: body)
        if let network { request.admits = { network.admits($0) } }
        if let services, let finder = services.finder(url: fetch.url) {
            guard start(fetch.id, ServiceFetch(request, finder)) else { return false }
            running[fetch.id]?.network = network
            return true
        }
        guard let stream = streams.start(fetch.id, request) else { return false }
        running[fetch.id] = Running(stream: stream, network: network)
        return true
    }

    /// False: the body has as much waiting as it may.
    func write(_ id: Int, _ bytes: [UInt8]) -> Bool {
        guard let index = running.index(forKey: id) else { return true }
        running.values[index].waitingBytes += bytes.count
        running.values[index].isFull = running.values[index].waitingBytes >= Self.uploadBytesMax
        if let stream = running.values[index].stream {
            stream.upload(bytes)
        } else {
            running.values[index].service?.pushed.append(bytes)
        }
        return !running.values[index].isFull
    }

    func close(_ id: Int) {
        guard let entry = running[id] else { return }
        entry.stream?.finishUpload()
        entry.service?.isPushComplete = true
    }

    func resume(_ id: Int, byteCount: Int) { running[id]?.stream?.acknowledge(byteCount) }

    func abort(_ id: Int) {
        guard let entry = running.removeValue(forKey: id) else { return }
        entry.stream?.abort(unsent: entry.service?.unsent)
    }

    /// Gives up all that is under way: the event loop is about to end.
    func close() {
        mailbox.isClosed.withLock { $0 = true }
        receive = nil
        refused = nil
        resent = nil
        for entry in running.values { entry.stream?.abort() }
        running = [:]
        services?.close()
        // The resolver's thread ends with it.
        services = nil
    }

    /// Ends the transport's thread.
    func stop() {
        close()
        if hasTransport { transport.shutdown() }
    }

    private func makeStreams() -> HTTPStreams {
        let transport = usedTransport()
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
            if let (decision, access) = running.values[index].network?.takeFinding() {
                refused?(update.id, decision, access)
            }
            // Telling it is a turn, in which the request may have been given up and others begun.
            guard let index = running.index(forKey: update.id) else { continue }
            var outcome: ServiceOutcome?
            if let service = running.values[index].service {
                guard !repeats(service, update) else { continue }
                outcome = service.outcome(of: update)
            }
            if update.ending != nil { running.remove(at: index) }
            receive?(update, isDrained, outcome)
        }
    }
}
