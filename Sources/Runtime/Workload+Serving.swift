// A workload that serves: from its entry's default export to the server, and to its end.

internal import Engine
internal import Glibc
internal import Linux
internal import Platform
internal import Telemetry

extension Workload {
    /// The entry has been evaluated. Within a turn.
    func startServing() throws(JSFailure) {
        do throws(JSFailure) {
            try beginServing()
        } catch {
            guard case .exception(let exception) = error else { throw error }
            // No listener of the program's can take this, and nothing that keeps the loop alive goes on without a server.
            machine.end(.failed)
            let thrown = exception.thrown ?? internals.string(exception.message)
            startFailure = try internals.call(
                "serve.cannotStart", [thrown, internals.string(options.isTraced ? "" : "sidelight: ")]
            ).text
        }
    }

    private func beginServing() throws(JSFailure) {
        guard let entry else { preconditionFailure("a server without an entry") }
        let server = try HTTPServer(self, board: board)
        let memory = UnsafeMutableRawBufferPointer(server.cells.memory)
        let configuration = JSON.object([
            JSON.Member(key: "authority", value: .string(server.options.address))
        ])
        try internals.call(
            "serve.start", [internals.realm.makeExternalBuffer(memory), internals.string(configuration.text)])
        let exports = try internals.realm.get("default", of: entry.module.namespace)
        let found = try internals.call("serve.install", [exports, try internals.call("serve.environment")]).number
        let handlers = BoardHandlers(rawValue: UInt64(found))
        let crons = JSON.array(server.options.crons.map(JSON.string))
        try internals.call("serve.startSchedules", [internals.string(crons.text)])
        if handlers.contains(.health) {
            let (interval, timeout) = server.options.health
            try internals.call("serve.startHealth", [internals.number(interval), internals.number(timeout)])
        }
        // From here on the run is what the server does, request by request; its own span has told how it came up.
        if options.isTraced { try internals.call("trace.endRun", [internals.number(0)]) }
        monitor.cells = server.cells
        monitor.inFlight = { [unowned server] in server.inFlightCount }
        monitor.timerCount = { [unowned self] in Int((try? internals.call("timers.count").number) ?? 0) }
        monitor.childCount = { [unowned self] in children.count }
        guard stop.beginServing() else { throw .terminated }
        board?.setHandlers(handlers)
        http = server
        opHost?.http = server
        machine.referencesChanged(by: 1)
        if handlers.contains(.fetch), let descriptor = options.listenDescriptor {
            server.listen(descriptor)
        } else {
            server.serveWithoutListening()
        }
    }

    /// Asked to end: what is in flight is finished, nothing new is begun.
    /// - Parameter isFollowed: another worker serves in its place, so there is no hurry.
    func drain(isFollowed: Bool) {
        guard !machine.isEnding else { return }
        http?.drain(isFollowed: isFollowed)
    }

    /// Nothing is in flight any more.
    func drained() {
        monitor.sample()
        machine.end(.completed(code: 0))
        finish(.completed(code: 0))
    }

    func cannotServe(_ reason: String) {
        http = nil
        machine.end(.internalError(reason))
        finish(.internalError(reason))
    }
}
