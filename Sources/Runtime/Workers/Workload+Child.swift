// A workload that is a child: from its URL to its end, and what its parent hears of it.

internal import Engine
internal import Linux
internal import NIOCore
internal import Platform
internal import System
internal import Telemetry

extension Workload {
    /// Runs what a Worker was made for. The event loop carries on from there, until the child ends.
    func startChild() {
        guard let child else { preconditionFailure("a child without a parent") }
        attach()
        turn { () throws(JSFailure) in
            try begin(child)
            let isModule = child.configuration["type"]?.string == "module"
            try run(
                url: child.configuration["url"]?.string ?? "", from: child.configuration["from"]?.string ?? "/",
                isModule: isModule)
            guard machine.hasStarted else { return }
            try internals.call("worker.ran")
            if machine.hasSettled { try internals.call("worker.evaluated") }
        }
    }

    /// The child's global, and its span.
    private func begin(_ child: ChildRole) throws(JSFailure) {
        guard let messages else { preconditionFailure("a workload without ports") }
        try startPlatform(child.configuration["url"]?.string ?? "")
        let numbers = [messages.adopt(child.port), child.control.id, Machine.threadID]
        try internals.call(
            "worker.start", [internals.string(child.text)] + numbers.map { internals.number(Double($0)) })
        hasBegun = true
    }

    /// - Parameter script: the one that made the Worker.
    private func run(url: String, from script: String, isModule: Bool) throws(JSFailure) {
        let clock = RingTime(base: ring.monotonicBase)
        if let source = child?.source {
            let file = ModuleFile.inline(url)
            let now = clock.now()
            let format = try loader.inlineFormat(of: file, source: source, isModule: isModule)
            let loading = ModuleTiming.Step(start: now, end: clock.now())
            return try run(file, named: file.name, source, as: format, loading: loading)
        }
        let file = try loader.file(ofURL: url, from: script)
        var loading = ModuleTiming.Step(start: clock.now())
        let source = try loader.readWorker(file, from: script)
        loading.end = clock.now()
        var format = try loader.entryFormat(of: file, source: source)
        if isModule, format == .script || format == .either { format = .module }
        try run(file, named: file.name, source, as: format, loading: loading)
    }

    /// `close()`: what is running runs to its end, its microtasks included, and nothing after it.
    func closeChild() { isClosing = true }

    /// A mailbox of this isolate has something for it.
    func deliver(_ mailbox: Int) {
        guard let messages else { return }
        turn { () throws(JSFailure) in try messages.deliver(mailbox, internals) }
    }

    /// The child's last words, on its thread, outside of any turn. Its thread does the rest.
    func finishChild(_ outcome: Outcome) {
        guard let child, let messages else { preconditionFailure("the first isolate ended as a child") }
        guard !hasFinished else { return }
        hasFinished = true
        machine.end(outcome)
        if let name = outcome.limitName { countFinding(Finding.Kind.limit.rawValue, name) }
        resume()
        policyGate.tellUntold()
        let outcome = lastWords(outcome)
        if options.isTraced { tellEnd(outcome, child) }
        if outcome.isChildError, let reason = outcome.reason {
            child.port.peer.put(Envelope(kind: .failure, text: reason))
        }
        messages.closeAll()
        fetches.close()
        loader.writeCodeCache()
        child.finished()
    }

    /// Ends its span. A child that was ended before it had one gets it now, so that none goes untold; the request to end may come in the middle of it.
    private func tellEnd(_ outcome: Outcome, _ child: ChildRole) {
        for _ in 0..<2 {
            do throws(JSFailure) {
                if !hasBegun { try begin(child) }
                let reason =
                    outcome.isChildFailure ? internals.string(outcome.reason ?? "") : Value.undefined(in: isolate)
                try internals.call("worker.end", [internals.string(outcome.childEnd), reason])
                return
            } catch {
                resume()
            }
        }
    }
}
