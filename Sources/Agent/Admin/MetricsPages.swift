internal import Exposition
internal import Server

/// Who knows what the agent counts about itself.
protocol CounterSource: Sendable {
    /// On the server's thread; `done` is called once, now or later, on any thread. False: it cannot be asked now.
    func counters(_ done: @escaping @Sendable (Counters) -> Void) -> Bool
}

/// And what else the page of metrics has of the process itself.
protocol FigureSource: CounterSource {
    /// On the server's thread; `done` is called once, now or later, on any thread. False: it cannot be asked now.
    func figures(_ done: @escaping @Sendable (OwnFigures) -> Void) -> Bool
}

extension FigureSource {
    func counters(_ done: @escaping @Sendable (Counters) -> Void) -> Bool { figures { done($0.counters) } }
}

extension FactsDesk: FigureSource {
    func figures(_ done: @escaping @Sendable (OwnFigures) -> Void) -> Bool {
        ask { facts in
            // What is run and not served has no boards.
            let board = facts.url == nil ? nil : (facts.total, facts.workers.count)
            done(OwnFigures(counters: facts.counters, board: board))
        }
    }
}

/// `/metrics`.
struct MetricsPages: AdminPages {
    let source: any FigureSource
    let metrics: CurrentMetrics
    let paths = ["/metrics"]

    func answer(_ request: borrowing ServedRequest, _ responder: Responder) -> Bool {
        guard request.pathIs("/metrics") else { return false }
        guard AdminHandler.isReading(request, responder) else { return true }
        var (wantsUTF8, hasCreated) = (false, false)
        for field in request.queryFields {
            switch field {
            case ("names", "utf-8"): wantsUTF8 = true
            case ("created", "on"): hasCreated = true
            default:
                AdminHandler.refuse(responder, field, "names=utf-8 and created=on")
                return true
            }
        }
        var format = ExpositionFormat(accept: request.header("accept"), wantsUTF8: wantsUTF8)
        format.hasCreated = hasCreated
        format.takesGzip = ExpositionFormat.takesGzip(acceptEncoding: request.header("accept-encoding"))
        let isAsked = source.figures { [metrics, format] figures in
            if !metrics.answer(figures, format, responder) { Self.refuse(responder) }
        }
        if !isAsked { Self.refuse(responder) }
        return true
    }

    private static func refuse(_ responder: Responder) {
        AdminHandler.refuse(responder, 503, "too many ask already")
    }
}
