internal import Server
internal import System

/// `/api/v1/workloads`: the workload with its isolates, routes, errors, and requests in flight, as counted since the start.
struct WorkloadPages: AdminPages {
    let desk: FactsDesk
    let clock: any SystemClock
    let paths = ["/api/v1/workloads"]

    func answer(_ request: borrowing ServedRequest, _ responder: Responder) -> Bool {
        guard request.pathIs("/api/v1/workloads") else { return false }
        guard AdminHandler.isReading(request, responder) else { return true }
        let time = clock.unixNanoseconds()
        let isAsked = desk.ask { facts in
            responder.respond(200, AdminHandler.json, body: WorkloadJSON.bytes(facts, time: time))
        }
        if !isAsked { AdminHandler.refuse(responder, 503, "\(FactsDesk.countMax) questions wait already") }
        return true
    }
}

/// `/api/v1/counters`: what the agent counts about itself, as JSON.
struct CounterPages: AdminPages {
    /// On the server's thread. Calls what it is given once, now or later, on any thread; false: it cannot be asked now.
    let ask: @Sendable (_ done: @escaping @Sendable (Counters) -> Void) -> Bool
    let clock: any SystemClock
    let paths = ["/api/v1/counters"]

    /// Those of a workload.
    init(desk: FactsDesk, clock: any SystemClock) {
        self.clock = clock
        ask = { done in desk.ask { done($0.counters) } }
    }

    /// Those of an agent without one.
    init(status: PipelineStatus, clock: any SystemClock) {
        self.clock = clock
        ask = { done in
            done(status.counters)
            return true
        }
    }

    func answer(_ request: borrowing ServedRequest, _ responder: Responder) -> Bool {
        guard request.pathIs("/api/v1/counters") else { return false }
        guard AdminHandler.isReading(request, responder) else { return true }
        let time = clock.unixNanoseconds()
        let isAsked = ask { counters in
            responder.respond(200, AdminHandler.json, body: WorkloadJSON.bytes(counters, time: time))
        }
        if !isAsked { AdminHandler.refuse(responder, 503, "too many ask already") }
        return true
    }
}
