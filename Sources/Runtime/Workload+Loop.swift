// What the event loop brings: timers, immediates, V8's tasks, answers to fetch, and the request to stop.

internal import Engine
internal import NIOCore
internal import Platform

/// The event loop's way back to the workload.
struct TimerCallback: NIOScheduledCallbackHandler, Sendable {
    let workload: NIOLoopBound<Workload>

    func handleScheduledCallback(eventLoop: some EventLoop) { workload.value.timerFired() }
}

extension Workload {
    func armTimer(milliseconds: Double) {
        timer?.cancel()
        timer = nil
        guard milliseconds >= 0 else { return }
        let callback = TimerCallback(workload: NIOLoopBound(self, eventLoop: eventLoop))
        timer = try? eventLoop.scheduleCallback(
            in: .nanoseconds(Int64(min(milliseconds, 0x1p40) * 1e6)), handler: callback)
    }

    fileprivate func timerFired() {
        timer = nil
        turn { () throws(JSFailure) in try internals.call("timers.run") }
    }

    func scheduleImmediates() {
        guard machine.immediatesScheduled() else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute {
            let workload = bound.value
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

    // MARK: Fetch

    func startFetch(_ fetch: FetchStart) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        fetches.start(fetch) { answer in
            let workload = bound.value
            workload.turn { () throws(JSFailure) in try workload.settle(answer) }
        }
    }

    func abortFetch(_ id: Int) { fetches.abort(id) }

    private func settle(_ answer: Fetches.Answer) throws(JSFailure) {
        let id = internals.number(Double(answer.id))
        switch answer.result {
        case .failure(let error):
            try internals.call(
                "host.failFetch", [id, internals.string(error.code.rawValue), internals.string(error.message)])
        case .success(let response):
            let headers = response.headers.map { "\($0.name)\n\($0.value)\n" }.joined()
            try internals.call(
                "host.settleFetch",
                [
                    id, internals.number(Double(response.status)), internals.string(headers),
                    internals.realm.makeBuffer(response.body), internals.string(response.url),
                ])
        }
    }
}
