import CCurl
import Glibc
import System

/// What the transport's thread runs: adds requests to the multi handle, moves bytes, completes what is done. Confined
/// to that thread.
final class CurlLoop {
    /// Easy handles kept for the next request.
    private static let idleHandlesMax = 32
    /// Connections at once to one host; curl lets further requests wait. HTTP/2 needs one.
    private static let connectionsPerHostMax = 64
    private static let connectionsMax = 256
    /// Connections kept open while idle.
    private static let idleConnectionsMax = 64
    /// Between two looks at upgraded connections that nothing was heard of. Nanoseconds.
    private static let lookInterval: UInt64 = 1_000_000_000

    private static let globalInit: CURLcode = curl_global_init(Int(CURL_GLOBAL_ALL))

    private let core: CurlTransport.Core
    private let multi: UnsafeMutableRawPointer
    private let noProxy: String
    private var idleHandles: [UnsafeMutableRawPointer] = []
    private var running: [UnsafeMutableRawPointer: Exchange] = [:]
    private var streams: [UnsafeMutableRawPointer: StreamExchange] = [:]
    /// Places to which a connection for HTTP/2 without TLS is being opened: by whom, and who waits for it.
    private var openings: [String: (opener: Exchange, waiting: [Exchange])] = [:]
    /// What ended since the last hand-over.
    private var ended: [StreamExchange] = []
    /// Those that are to become another protocol's connection, or have.
    private var upgrades: [UnsafeMutableRawPointer: StreamExchange] = [:]
    /// When the next of them is looked at anyway, monotonic nanoseconds.
    private var nextLook: UInt64 = 0

    init(_ core: CurlTransport.Core) {
        guard Self.globalInit == CURLE_OK, let multi = curl_multi_init() else { fatalError("libcurl does not start") }
        sl_curl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, Self.connectionsPerHostMax)
        sl_curl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, Self.connectionsMax)
        sl_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, Self.idleConnectionsMax)
        self.core = core
        self.multi = multi
        let inherited = (getenv("no_proxy") ?? getenv("NO_PROXY")).map { String(cString: $0) } ?? ""
        // A lone "*" means "no proxy at all" only while it stands alone.
        noProxy =
            inherited == "*"
            ? "*" : [inherited, "localhost,127.0.0.0/8,::1"].filter { !$0.isEmpty }.joined(separator: ",")
        core.state.withLock { $0.multi = MultiHandle(pointer: multi) }
    }

    func run() {
        var ready: Int32 = 0
        while true {
            let work = core.takeWork(now: monotonicNanoseconds())
            for exchange in work.exchanges { enter(exchange) }
            for input in work.inputs { take(input) }
            if work.isStopped { break }
            for timer in work.dueTimers { timer.action() }
            var count: Int32 = 0
            curl_multi_perform(multi, &count)
            completeFinished()
            endOpenings()
            let hasMoved = handOver()
            lookForEnds(isLikely: ready > 0 && !hasMoved)
            ready = wait()
        }
        stop()
    }

    /// Waits for work; how many sockets have something.
    private func wait() -> Int32 {
        var ready: Int32 = 0
        let sleep = core.sleepMilliseconds(now: monotonicNanoseconds())
        let longest = upgrades.isEmpty ? Int32.max : Int32(Self.lookInterval / 1_000_000)
        curl_multi_poll(multi, nil, 0, min(sleep, longest), &ready)
        return ready
    }

    /// curl does not end a transfer that waits for more to send, whatever has become of its connection. So upgraded ones are looked at when a socket
    /// had something and nobody got anything of it, which is what the end of a connection looks like, and now and then.
    private func lookForEnds(isLikely: Bool) {
        guard !upgrades.isEmpty else { return }
        let now = monotonicNanoseconds()
        guard isLikely || now >= nextLook else { return }
        nextLook = now + Self.lookInterval
        for exchange in upgrades.values { exchange.lookForEnd() }
    }

    private func stop() {
        core.state.withLock { state in
            state.multi = nil
            state.timers = []
        }
        for (easy, exchange) in running {
            curl_multi_remove_handle(multi, easy)
            curl_easy_cleanup(easy)
            exchange.releaseLists()
            complete(
                exchange, .failure(HTTPTransportError(.shutdown, "\(exchange.host): the HTTP client was shut down")))
        }
        running = [:]
        for exchange in openings.values.flatMap(\.waiting) {
            complete(
                exchange, .failure(HTTPTransportError(.shutdown, "\(exchange.host): the HTTP client was shut down")))
        }
        openings = [:]
        for (easy, exchange) in streams {
            curl_multi_remove_handle(multi, easy)
            end(exchange, HTTPTransportError(.shutdown, "the HTTP client was shut down"))
            curl_easy_cleanup(easy)
        }
        streams = [:]
        upgrades = [:]
        handOver()
        for easy in idleHandles { curl_easy_cleanup(easy) }
        idleHandles = []
        curl_multi_cleanup(multi)
    }

    // MARK: HTTP/2 without TLS

    // Before 8.0 curl spoils a connection on which a second request says that it knows HTTP/2 to be spoken there (curl's pull request 10643). So such requests
    // first try to get a connection that is there, without a word of it, and may not open one; where there is none, one of them opens it, and the others wait.

    private static let spoilsKeptConnections = sl_curl_version() < 0x080000

    private func enter(_ exchange: Exchange) {
        guard exchange.isClearHTTP2, Self.spoilsKeptConnections else { return start(exchange) }
        if openings[exchange.place]?.waiting.append(exchange) != nil { return }
        exchange.connection = .kept
        start(exchange)
    }

    /// True: it found no connection, and has not ended.
    private func opens(_ exchange: Exchange, _ code: CURLcode) -> Bool {
        guard exchange.connection == .kept, code == CURLE_COULDNT_CONNECT else { return false }
        exchange.reset()
        if openings[exchange.place]?.waiting.append(exchange) != nil { return true }
        openings[exchange.place] = (exchange, [])
        exchange.connection = .new
        start(exchange)
        return true
    }

    /// Lets those go on that wait for connections that stand.
    private func endOpenings() {
        guard !openings.isEmpty else { return }
        for (place, opening) in openings where opening.opener.isConnected { endOpening(place) }
    }

    private func endOpening(_ place: String) {
        for exchange in openings.removeValue(forKey: place)?.waiting ?? [] { enter(exchange) }
    }

    private func start(_ exchange: Exchange) {
        guard let easy = idleHandles.popLast() ?? curl_easy_init() else { fatalError("libcurl gives no handle") }
        if let error = exchange.prepare(easy, noProxy: noProxy) {
            recycle(easy)
            if openings[exchange.place]?.opener === exchange { endOpening(exchange.place) }
            return complete(exchange, .failure(error))
        }
        running[easy] = exchange
        let code = curl_multi_add_handle(multi, easy)
        precondition(code == CURLM_OK, "curl_multi_add_handle: \(code)")
    }

    private func completeFinished() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let code = sl_curl_message_result(message)  // the message dies with the handle's removal
            if let exchange = streams.removeValue(forKey: easy) {
                upgrades[easy] = nil
                curl_multi_remove_handle(multi, easy)
                exchange.finish(code)
                recycle(easy)
                core.didEndStream()
                ended.append(exchange)
                continue
            }
            guard let exchange = running.removeValue(forKey: easy) else {
                preconditionFailure("curl finished a request that nobody started")
            }
            curl_multi_remove_handle(multi, easy)
            if opens(exchange, code) {
                recycle(easy)
                continue
            }
            let result = exchange.result(easy, code)
            recycle(easy)
            if openings[exchange.place]?.opener === exchange { endOpening(exchange.place) }
            complete(exchange, result)
        }
    }

    // MARK: Streams

    private func take(_ input: StreamInput) {
        switch input {
        case .start(let exchange): start(exchange)
        case .acknowledge(let exchange, let byteCount): exchange.acknowledge(byteCount)
        case .upload(let exchange, let bytes): exchange.upload(bytes)
        case .finishUpload(let exchange): exchange.finishUpload()
        case .abort(let exchange, let unsent):
            guard let easy = exchange.easy else { return }
            if let unsent, exchange.isUnsent(now: monotonicNanoseconds()) { unsent() }
            streams[easy] = nil
            upgrades[easy] = nil
            curl_multi_remove_handle(multi, easy)
            exchange.leave()
            recycle(easy)
            core.didEndStream()
        }
    }

    private func start(_ exchange: StreamExchange) {
        guard let easy = idleHandles.popLast() ?? curl_easy_init() else { fatalError("libcurl gives no handle") }
        if let error = exchange.prepare(easy, noProxy: noProxy, now: monotonicNanoseconds()) {
            recycle(easy)
            return end(exchange, error)
        }
        streams[easy] = exchange
        if exchange.isUpgrade { upgrades[easy] = exchange }
        let code = curl_multi_add_handle(multi, easy)
        precondition(code == CURLM_OK, "curl_multi_add_handle: \(code)")
    }

    private func end(_ exchange: StreamExchange, _ error: HTTPTransportError) {
        exchange.fail(error)
        core.didEndStream()
        ended.append(exchange)
    }

    /// Gives every receiver what there is for it, in one piece. False: there was nothing.
    @discardableResult private func handOver() -> Bool {
        guard !streams.isEmpty || !ended.isEmpty else { return false }
        var batches: [(receiver: HTTPStreams, updates: [HTTPStreamUpdate])] = []
        func add(_ exchange: StreamExchange) {
            guard let update = exchange.takeUpdate() else { return }
            if let index = batches.firstIndex(where: { $0.receiver === exchange.streams }) {
                batches[index].updates.append(update)
            } else {
                batches.append((exchange.streams, [update]))
            }
        }
        for exchange in ended { add(exchange) }
        ended.removeAll(keepingCapacity: true)
        for exchange in streams.values { add(exchange) }
        for batch in batches { batch.receiver.deliver(batch.updates) }
        return !batches.isEmpty
    }

    private func complete(_ exchange: Exchange, _ result: Result<HTTPResponse, HTTPTransportError>) {
        core.didComplete()
        exchange.completion(result)
    }

    private func recycle(_ easy: UnsafeMutableRawPointer) {
        guard idleHandles.count < Self.idleHandlesMax else { return curl_easy_cleanup(easy) }
        curl_easy_reset(easy)
        idleHandles.append(easy)
    }

    private func monotonicNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
