internal import Server

/// Who knows what the agent counts about itself.
protocol CounterSource: Sendable {
    /// On the server's thread; `done` is called once, now or later, on any thread. False: it cannot be asked now.
    func counters(_ done: @escaping @Sendable (Counters) -> Void) -> Bool
}

extension FactsDesk: CounterSource {
    func counters(_ done: @escaping @Sendable (Counters) -> Void) -> Bool { ask { done($0.counters) } }
}

/// `/metrics`.
struct MetricsPages: AdminPages {
    let source: any CounterSource
    let paths = ["/metrics"]

    private static let text = ResponseFields(["content-type": "text/plain; version=0.0.4; charset=utf-8"])

    func answer(_ request: borrowing ServedRequest, _ responder: Responder) -> Bool {
        guard request.pathIs("/metrics") else { return false }
        guard AdminHandler.isReading(request, responder) else { return true }
        let isAsked = source.counters { responder.respond(200, Self.text, body: Array($0.prometheusText.utf8)) }
        if !isAsked { AdminHandler.refuse(responder, 503, "too many ask already") }
        return true
    }
}
