internal import Audit
internal import Bundle
internal import Configuration
internal import Linux
internal import Signing
internal import System

/// Why a program is not started; for people.
struct StartRefusal: Error {
    let problems: [String]
    /// As the process that refuses is to end: 2 or 3.
    let exitCode: Int32
}

/// Whether a program is what somebody has signed who is trusted.
enum SignedStart {
    /// What the program's files have to be; nil: it need not be signed. The answer is put on record.
    static func admit(
        _ entry: String, _ configuration: SignatureConfiguration, _ trail: AuditTrail
    ) throws(StartRefusal) -> WorkerConfiguration.SignedFileList? {
        guard configuration.isRequired else { return nil }
        let keys = try configuration.keys.map { (path) throws(StartRefusal) in try key(path) }
        guard !keys.isEmpty else {
            throw StartRefusal(problems: ["a signature is required, and no key is named that is trusted"], exitCode: 2)
        }
        do throws(BundleRefusal) {
            let bundle = try BundleCheck.verify(entry: entry, keys: keys)
            note(entry, "accepted", "\(countText(bundle.digests.count, "file")), signed by \(bundle.key.id)", trail)
            return WorkerConfiguration.SignedFileList(
                manifest: bundle.manifest, digests: bundle.digests.mapValues(\.hex))
        } catch {
            note(entry, "refused", error.reason, trail)
            throw StartRefusal(problems: error.problems, exitCode: 3)
        }
    }

    private static func note(_ entry: String, _ outcome: String, _ reason: String, _ trail: AuditTrail) {
        trail.note(
            AuditEvent(
                .signature, actor: "uid \(Machine.userID)", action: "verify", target: entry, outcome: outcome,
                reason: reason))
    }

    static func key(_ path: String) throws(StartRefusal) -> PublicKey {
        do {
            return try PublicKey(pem: readFile(path, bytesMax: SigningKey.fileBytesMax))
        } catch {
            let reason = (error as? FileError)?.reason ?? "\(error)"
            throw StartRefusal(problems: ["\(path): \(reason)"], exitCode: 2)
        }
    }
}

extension AgentConfiguration {
    /// Has the worker get its secrets and, where the policy requires a signature, what its files have to be. The answer is put on record.
    mutating func admit(_ entry: String, _ trail: AuditTrail) throws(StartRefusal) {
        try fetchSecrets()
        worker.signed = try SignedStart.admit(entry, policy.signature, trail)
    }
}

extension Messages {
    /// Says why a program is not started.
    func fail(_ refusal: StartRefusal, entry: String) {
        for problem in refusal.problems.prefix(20) { fail("\(entry): \(problem)") }
        if refusal.problems.count > 20 { fail("\(entry): and \(refusal.problems.count - 20) more") }
    }
}
