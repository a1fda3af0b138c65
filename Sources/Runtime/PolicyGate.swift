// The one place where a program's policy is enforced: every door of the isolate asks here, before it opens, and what is refused is told here.
//
// The doors: Workload+Loop (fetch and WebSocket, each redirect anew) and NetworkGate (the addresses they lead to, on curl's thread), ModuleLoader, V8 itself for
// code made of strings and WebAssembly (Realm.askBeforeCode), and Ops+Policy for what the platform's JavaScript asks: workers, random values, algorithms, variables.

internal import Engine
internal import Platform
internal import Policy
internal import System

/// On the isolate's thread.
final class PolicyGate {
    let policy: Policy
    private let internals: Internals
    /// The first path that `closing` has kept from being looked at, or in an audit would have, since this was last set to nil.
    var hiddenPath: String?
    /// Findings that there was no stack for, or no room in the ring: they are told when the turn is over.
    private var untold: [[String]] = []
    private static let untoldMax = 64

    init(_ policy: Policy, _ internals: Internals) {
        self.policy = policy
        self.internals = internals
    }

    /// Throws what the program is to see when it is refused, and tells it.
    func check(_ access: @autoclosure () -> Access, _ permission: Permission) throws(JSFailure) {
        guard !policy.isOpen(permission) else { return }
        let access = access()
        let decision = policy.decide(access)
        guard !decision.isAllowed || decision.isAudited else { return }
        tell(decision, of: access)
        if decision.isAllowed { return }
        let texts = [decision.permission.rawValue, decision.reason]
        try internals.call("findings.refuse", texts.map(internals.string))
        preconditionFailure("a refusal threw nothing")
    }

    /// Refuses what no policy can decide on; an audit lets it through.
    func refuse(_ permission: Permission, rule: String, target: String, reason: String) throws(JSFailure) {
        guard !policy.isAudited else { return }
        tell(["violation", permission.rawValue, rule, target, reason])
        try internals.call("findings.refuse", [permission.rawValue, reason].map(internals.string))
    }

    /// The same without an error: false where it is refused.
    func allows(_ access: Access) -> Bool {
        let decision = policy.decide(access)
        tell(decision, of: access)
        return decision.isAllowed
    }

    /// Tells what was refused, or in an audit would have been.
    func tell(_ decision: Decision, of access: Access) {
        guard !decision.isAllowed || decision.isAudited else { return }
        tell(Self.finding(decision, of: access))
    }

    private func tell(_ finding: [String]) {
        if (try? internals.call("findings.note", finding.map(internals.string)))?.isTrue == true { return }
        if untold.count < Self.untoldMax, !untold.contains(finding) { untold.append(finding) }
    }

    /// At the end of a turn, and of the run.
    func tellUntold() {
        untold.removeAll { finding in
            (try? internals.call("findings.tell", finding.map(internals.string)))?.isTrue == true
        }
    }

    /// The first arguments of `internal.findings.note` (27_findings.js).
    static func finding(_ decision: Decision, of access: Access) -> [String] {
        [
            decision.isAudited ? "audit" : "violation", decision.permission.rawValue, decision.rule, access.target,
            decision.reason,
        ]
    }

    // MARK: Files of modules

    /// Files in which what may not be loaded is not there, so that nobody learns what lies where. An audit sees all, and `hiddenPath` is what would be hidden.
    func closing(_ files: FileSystem) -> FileSystem {
        guard !policy.isOpen(.module) else { return files }
        return FileSystem(
            kind: { [unowned self] path in mayLook(at: files.realPath(path) ?? path) ? files.kind(path) : nil },
            realPath: files.realPath,
            read: { [unowned self] (path) throws(FileError) in
                guard mayLook(at: files.realPath(path) ?? path) else {
                    throw FileError(name: "EACCES", reason: "the policy does not allow it")
                }
                return try files.read(path)
            })
    }

    private func mayLook(at path: String) -> Bool {
        let decision = policy.decide(.module(path))
        if decision.isAllowed, !decision.isAudited { return true }
        if isManifest(path) { return true }
        if hiddenPath == nil { hiddenPath = path }
        return decision.isAllowed
    }

    /// Whether it is a package.json that says what the program's own files are: the host reads it, and the program does not get it.
    private func isManifest(_ path: String) -> Bool {
        guard FilePath.name(of: path) == "package.json", let entry = policy.modules?.entry else { return false }
        let folder = FilePath.directory(of: path)
        return entry.hasPrefix(folder == "/" ? folder : folder + "/")
    }

    // MARK: At the start

    /// Variables that the program gets, of all there are, and the names of those whose use is told.
    func environment(_ texts: [String]) -> (shown: [String], watched: [String]) {
        guard !policy.isOpen(.environment) else { return (texts, []) }
        var shown: [String] = []
        var watched: [String] = []
        for text in texts {
            let name = String(Substring(text.utf8.prefix { $0 != UInt8(ascii: "=") }))
            let decision = policy.decide(.environment(name))
            if decision.isAllowed { shown.append(text) }
            if !decision.isAllowed || decision.isAudited { watched.append(name) }
        }
        return (shown, watched)
    }

    /// The argument of `internal.policy.start` (28_policy.js).
    func startConfiguration(watched: [String], isFrozen: Bool) -> JSON {
        let closed: [Permission] = [.worker, .random, .crypto, .clock].filter { !policy.isOpen($0) }
        return .object([
            JSON.Member(key: "closed", value: .array(closed.map { .string($0.rawValue) })),
            JSON.Member(key: "watched", value: .array(watched.map(JSON.string))),
            JSON.Member(key: "isCoarse", value: .bool(policy.hasCoarseClock)),
            JSON.Member(key: "isAudited", value: .bool(policy.isAudited)),
            JSON.Member(key: "isFrozen", value: .bool(isFrozen && !policy.isAudited)),
        ])
    }

    /// Has V8 ask before it makes code of strings or of WebAssembly.
    func closeCode(in realm: Realm) {
        let (code, wasm) = (!policy.isOpen(.code), !policy.isOpen(.wasm))
        guard code || wasm else { return }
        realm.askBeforeCode(strings: code, wasm: wasm, message: policy.decide(.code).reason)
    }
}
