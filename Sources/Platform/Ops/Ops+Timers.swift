internal import Engine

extension PlatformOps {
    /// timerWake(ms), immediateWake(), refCount(delta): see `PlatformHost`.
    static let timers = [
        Op("timerWake") {
            let call = OpCall($0, $1)
            call.platform.host.armTimer(milliseconds: call.number(0))
        },
        Op("immediateWake") { OpCall($0, $1).platform.host.scheduleImmediates() },
        Op("refCount") {
            let call = OpCall($0, $1)
            call.platform.host.changeReferences(by: call.integer(0))
        },
    ]
}
