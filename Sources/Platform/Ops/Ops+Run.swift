internal import Engine

extension PlatformOps {
    /// exit(code): ends the run; does not return to JavaScript.
    /// runMicrotasks(): what ends a turn, between the callbacks of one.
    /// continueImport(token): loads and runs what an import() asked for.
    /// promiseSettled(token, reason): reason is undefined when it was fulfilled.
    static let run = [
        Op("exit") {
            let call = OpCall($0, $1)
            call.platform.host.exit(code: Int32(truncatingIfNeeded: call.integer(0)))
        },
        Op("runMicrotasks") { OpCall($0, $1).platform.host.runMicrotasks() },
        Op("continueImport") {
            let call = OpCall($0, $1)
            call.platform.host.continueImport(call.integer(0))
        },
        Op("promiseSettled") {
            let call = OpCall($0, $1)
            call.platform.host.promiseSettled(call.integer(0), reason: call.count > 1 ? call.value(1) : nil)
        },
    ]
}
