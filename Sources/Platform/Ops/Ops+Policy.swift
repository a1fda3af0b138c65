internal import Engine
internal import Policy

extension PlatformOps {
    /// countFinding(kind, name): what 27_findings.js has found, whether or not it is told.
    /// checkAccess(permission, name): throws what the program is to see when its policy does not allow it.
    /// noteAccess(permission, name): the same, but only told.
    /// isAllowed(permission, name): neither thrown nor told.
    static let policy = [
        Op("countFinding") {
            let call = OpCall($0, $1)
            call.platform.host.countFinding(call.string(0), call.string(1))
        },
        Op("checkAccess") {
            let call = OpCall($0, $1)
            call.allows(access(call))
        },
        Op("noteAccess") {
            let call = OpCall($0, $1)
            call.platform.host.note(access(call))
        },
        Op("isAllowed") {
            let call = OpCall($0, $1)
            call.returns(call.platform.host.policy.decide(access(call)).isAllowed)
        },
    ]

    private static func access(_ call: OpCall) -> Access {
        let name = call.string(1)
        switch Permission(rawValue: call.string(0)) {
        case .worker: return .worker
        case .wasm: return .wasm
        case .random: return .random
        case .clock: return .preciseClock
        case .crypto: return .crypto(name)
        case .environment: return .environment(name)
        case .module: return .module(name)
        case let other: preconditionFailure("\(String(describing: other)) is nothing that JavaScript asks for")
        }
    }
}

extension OpCall {
    /// False: the policy refuses it, and JavaScript has an exception pending; return from the op right after.
    @discardableResult func allows(_ access: @autoclosure () -> Access) -> Bool {
        do throws(JSFailure) {
            try platform.host.check(access())
            return true
        } catch {
            rethrow(error)
            return false
        }
    }
}
