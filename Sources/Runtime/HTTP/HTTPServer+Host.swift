internal import Engine
internal import Platform
internal import Telemetry

/// The ops of 44_serve.js: each finds its connection and does there what it is for.
extension HTTPServer: HTTPHost {
    func respond(_ slot: Int, status: Int, _ call: OpCall) -> Bool {
        workload.monitor.lookForStall()
        return connection(slot)?.respond(status: status, call) ?? false
    }

    func startResponse(_ slot: Int, status: Int, length: Int, _ call: OpCall) {
        connection(slot)?.startResponse(status: status, length: length, call)
    }

    func send(_ slot: Int, _ call: OpCall) -> Int { connection(slot)?.send(call) ?? -1 }

    func endResponse(_ slot: Int) -> Bool {
        workload.monitor.lookForStall()
        return connection(slot)?.endResponse() ?? false
    }

    func goesOn(for slot: Int) { workload.monitor.goesOn(for: connection(slot)) }
    func nextNote() -> Value? { workload.monitor.next() }
    func noteText() -> String { workload.monitor.text() }

    func abort(_ slot: Int) { connection(slot)?.abort() }

    func upgrade(_ slot: Int, _ call: OpCall) -> Bool { connection(slot)?.upgrade(call) ?? false }

    func askForContent(_ slot: Int) { connection(slot)?.askForContent() }

    func readContent(_ slot: Int) { connection(slot)?.readContent() }

    func isEnding(_ slot: Int, ringHead: UInt32) { connection(slot)?.isEnding(ringHead: ringHead) }

    func setRoute(_ slot: Int, _ route: String) {
        connection(slot)?.request.route = Array(route.utf8(max: BoardLayout.routeBytesMax))
    }

    func setErrorType(_ slot: Int, _ type: String) {
        connection(slot)?.request.errorType = Array(type.utf8(max: BoardLayout.errorBytesMax))
    }

    func setHealth(_ status: Int, _ reason: String) {
        guard let status = UInt8(exactly: status).flatMap(BoardHealth.Status.init) else { return }
        Array(reason.utf8(max: BoardHealth.reasonBytesMax)).withUnsafeBytes { board?.setHealth(status, reason: $0) }
    }

    func scheduledRunEnded(isFailed: Bool) {
        board?.add(.scheduledRuns)
        if isFailed { board?.add(.scheduledFailures) }
    }

    func putAttributes(_ slot: Int, at: Int, limit: Int) -> Int {
        guard let connection = connection(slot) else { return -1 }
        return putAttributes(connection, at: at, limit: limit)
    }
}

extension String {
    /// Its first bytes, up to `count`, without a part of a character's sequence at the end.
    func utf8(max count: Int) -> Substring.UTF8View {
        guard utf8.count > count else { return self[...].utf8 }
        var end = utf8.index(utf8.startIndex, offsetBy: count)
        // The index of a continuation byte is between two scalars.
        while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return self[..<end].utf8
    }
}
