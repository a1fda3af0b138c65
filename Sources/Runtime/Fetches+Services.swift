internal import Discovery
internal import NIOCore
internal import System
internal import Transport

// Requests whose hosts are services. Where one goes is known at once but for the first of a service, which waits for an answer.

extension Fetches {
    /// False when too many are under way.
    func start(_ id: Int, _ service: ServiceFetch) -> Bool {
        guard running.count < HTTPStreams.outstandingMax else { return false }
        running[id] = Running(service: service)
        guard let found = service.finder.findNow() else {
            find(id, service)
            return true
        }
        guard let endpoint = found.endpoint else {
            // Not inside of the call that starts it.
            eventLoop.assumeIsolated().execute { [self] in self.found(id, nil, found.complaint) }
            return true
        }
        if send(id, service, to: endpoint) { return true }
        running[id] = nil
        return false
    }

    private func find(_ id: Int, _ service: ServiceFetch) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        service.finder.find { [eventLoop, mailbox] endpoint, complaint in
            mailbox.isClosed.withLock { isClosed in
                if !isClosed { eventLoop.execute { bound.value.found(id, endpoint, complaint) } }
            }
        }
    }

    /// It may have been aborted meanwhile.
    private func found(_ id: Int, _ endpoint: ServiceEndpoint?, _ complaint: String) {
        guard let service = running[id]?.service else { return }
        var failure = HTTPTransportError(.resolve, complaint)
        if let endpoint {
            if send(id, service, to: endpoint) { return }
            failure = HTTPTransportError(.cancelled, "too many requests are under way")
        }
        running[id] = nil
        var update = HTTPStreamUpdate(id: id)
        update.ending = .failed(failure)
        receive?(update, false, service.outcome(of: update))
    }

    private func send(_ id: Int, _ service: ServiceFetch, to endpoint: ServiceEndpoint) -> Bool {
        guard let stream = streams.start(id, service.request(to: endpoint)) else { return false }
        running[id]?.stream = stream
        for bytes in service.pushed { stream.upload(bytes) }
        service.pushed = []
        if service.isPushComplete { stream.finishUpload() }
        return true
    }

    /// Takes note of what came; true: the request is on its way again.
    func repeats(_ service: ServiceFetch, _ update: HTTPStreamUpdate) -> Bool {
        guard let failed = service.endpoint, let error = service.failure(of: update),
            let endpoint = service.finder.findNow()?.endpoint, send(update.id, service, to: endpoint)
        else { return false }
        resent?(update.id, failed, error)
        return true
    }
}
