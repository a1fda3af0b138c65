// What the event loop brings: timers, immediates, V8's tasks, answers to fetch, and the request to stop.

internal import Engine
internal import NIOCore
internal import Platform
internal import Policy
internal import System
internal import Telemetry

/// The event loop's way back to the workload.
struct TimerCallback: NIOScheduledCallbackHandler, Sendable {
    let workload: NIOLoopBound<Workload>

    func handleScheduledCallback(eventLoop: some EventLoop) { workload.value.timerFired() }
}

extension Workload {
    private static let timerNanosecondsMin: Int64 = 50_000

    func armTimer(milliseconds: Double) {
        timer?.cancel()
        timer = nil
        guard milliseconds >= 0 else { return }
        let callback = TimerCallback(workload: NIOLoopBound(self, eventLoop: eventLoop))
        // Not at once: NIO takes what is due without a look at its sockets, so timers that are always late would keep every connection waiting.
        let nanoseconds = max(Int64(min(milliseconds, 0x1p40) * 1e6), Self.timerNanosecondsMin)
        timer = try? eventLoop.scheduleCallback(in: .nanoseconds(nanoseconds), handler: callback)
    }

    fileprivate func timerFired() {
        timer = nil
        // Microtasks run behind each callback, so the turn need not ask for them again.
        turn(runsMicrotasks: true) { () throws(JSFailure) in
            if runTimers == nil { runTimers = try internals.property("timers.run") }
            if let runTimers { try internals.realm.call(runTimers, numbers: 0) }
        }
    }

    func scheduleImmediates() {
        guard machine.immediatesScheduled() else { return }
        // By the gate, so that one immediate after the other does not keep the loop from its sockets.
        gate.perform { workload in
            workload.machine.immediatesTaken()
            workload.turn { () throws(JSFailure) in try workload.internals.call("timers.runImmediates") }
        }
    }

    func runTasks() {
        turn { () throws(JSFailure) in isolate.runTasks() }
    }

    /// Somebody on another thread asked the run to end, and has terminated execution.
    func stopRequested() {
        guard let outcome = stop.outcome, !machine.isEnding else { return }
        machine.end(outcome)
        finish(outcome)
    }

    // MARK: Cryptography

    func cryptoEnd() -> @Sendable (CryptoJob) -> Void {
        let gate = gate
        return { job in gate.perform { $0.ended(job) } }
    }

    private func ended(_ job: CryptoJob) {
        opHost?.jobs.ended(job)
        turn { () throws(JSFailure) in
            monitor.chargeNobody(job.cpuNanoseconds)
            try internals.call("jobs.ended", [internals.number(Double(job.id)), job.result(in: internals.realm)])
        }
    }

    // MARK: Fetch

    func startFetch(_ fetch: FetchStart) throws(JSFailure) -> Bool {
        let network = try networkGate(for: fetch)
        if fetches.receive == nil {
            fetches.receive = { [unowned self] update, isDrained, outcome in
                turn { () throws(JSFailure) in
                    if let outcome { try tell(outcome) }
                    try take(update, isDrained: isDrained)
                }
            }
            fetches.refused = { [unowned self] id, decision, access in
                turn { () throws(JSFailure) in
                    try internals.call(
                        "fetch.found",
                        [internals.number(Double(id))] + PolicyGate.finding(decision, of: access).map(internals.string))
                }
            }
            fetches.resent = { [unowned self] id, endpoint, error in
                turn { () throws(JSFailure) in
                    try internals.call(
                        "fetch.resent",
                        [
                            internals.number(Double(id)), internals.string(error.code.rawValue),
                            internals.string(endpoint.address ?? endpoint.host),
                            internals.number(Double(endpoint.port)),
                        ])
                }
            }
        }
        return fetches.start(fetch, network)
    }

    /// Nil: the policy closes no network. Throws when it does not allow this.
    private func networkGate(for fetch: FetchStart) throws(JSFailure) -> NetworkGate? {
        guard !policyGate.policy.isOpen(.network) else { return nil }
        let place = URLPlace(fetch.url)
        var scheme = place?.scheme ?? ""
        if case .upgraded = fetch.body { scheme = scheme == "https" ? "wss" : "ws" }
        let host = place?.host ?? fetch.url
        try policyGate.check(
            .connect(method: fetch.method, scheme: scheme, host: host, port: place?.port ?? 0), .network)
        try checkNamedHosts(fetch, scheme, place)
        return NetworkGate(policy, host: host)
    }

    /// What the program says of a host in a header: behind one address there are others, which a front passes it on to.
    /// - Parameter place: nil: a service.
    private func checkNamedHosts(_ fetch: FetchStart, _ scheme: String, _ place: URLPlace?) throws(JSFailure) {
        for line in fetch.headers.split(separator: UInt8(ascii: "\n")) {
            guard let value = URLPlace.hostValue(of: line) else { continue }
            guard let named = URLPlace.named(by: value) else {
                try policyGate.refuse(
                    .network, rule: "network (a header host that is none)", target: value,
                    reason: "the header host is no host and port")
                continue
            }
            guard named != place?.host else { continue }
            try policyGate.check(
                .front(
                    method: fetch.method, scheme: place == nil ? "http" : scheme, host: named, port: place?.port ?? 80),
                .network)
        }
    }

    func writeFetch(_ id: Int, _ bytes: [UInt8]) -> Bool { fetches.write(id, bytes) }
    func closeFetch(_ id: Int) { fetches.close(id) }
    func resumeFetch(_ id: Int, byteCount: Int) { fetches.resume(id, byteCount: byteCount) }
    func abortFetch(_ id: Int) { fetches.abort(id) }

    func fetchEnded(_ end: FetchEnd, _ call: OpCall) -> Bool {
        guard let board else { return false }
        let head = BoardSeriesHead(
            .clientDuration, method: end.method, status: end.status, isHTTPS: end.isHTTPS, protocolVersion: end.version,
            port: end.port)
        let split = BoardLayout.hostBytesMax
        withUnsafeTemporaryAllocation(byteCount: split + BoardLayout.errorBytesMax, alignment: 1) { texts in
            func text(_ index: Int, _ range: Range<Int>) -> UnsafeRawBufferPointer {
                let target = UnsafeMutableRawBufferPointer(rebasing: texts[range])
                let count = call.writeUTF8Prefix(index, to: target).bytes
                return UnsafeRawBufferPointer(rebasing: target[..<count])
            }
            let series = board.series(
                head, errorType: text(7, split..<texts.count), host: text(6, 0..<split))
            board.record(series, seconds: end.nanoseconds / 1e9)
        }
        return true
    }

    /// What came of a request to a service, and of questions about services since the last one.
    private func tell(_ outcome: ServiceOutcome) throws(JSFailure) {
        guard let counts = fetches.services?.takeCounts() else { return }
        try internals.call(
            "fetch.service",
            [
                internals.string(outcome.rawValue), internals.number(Double(counts.answered)),
                internals.number(Double(counts.failed)),
            ])
    }

    /// All that has happened to a request is one turn.
    private func take(_ update: HTTPStreamUpdate, isDrained: Bool) throws(JSFailure) {
        let id = internals.number(Double(update.id))
        if let head = update.head {
            try internals.call(
                "fetch.head",
                [
                    id, internals.number(Double(head.status)), internals.string(head.reason),
                    internals.string(String(decoding: head.headers, as: UTF8.self)),
                ] + values(of: update.facts))
        }
        if !update.body.isEmpty {
            let bytes = update.body.withUnsafeBytes { internals.realm.makeUint8Array($0) }
            try internals.call("fetch.chunk", [id, bytes])
        }
        if isDrained { try internals.call("fetch.drained", [id]) }
        switch update.ending {
        case nil: break
        case .complete: try internals.call("fetch.end", [id])
        case .failed(let error):
            let reason = [internals.string(error.code.rawValue), internals.string(error.message)]
            try internals.call("fetch.fail", [id] + reason + values(of: update.facts))
        }
    }

    /// Ring times; 0: the phase did not happen.
    private func values(of facts: HTTPExchangeFacts) -> [Value] {
        let start = Double(facts.start) - ring.monotonicBase
        func time(_ microseconds: Int) -> Value {
            internals.number(microseconds > 0 ? start + Double(microseconds) * 1_000 : 0)
        }
        return [
            time(facts.isReused ? 0 : facts.nameLookup), time(facts.isReused ? 0 : facts.connect),
            time(facts.isReused ? 0 : facts.secured), time(facts.firstByte),
            internals.string(facts.version), internals.string(facts.peerAddress),
            internals.number(Double(facts.peerPort)),
        ]
    }
}
