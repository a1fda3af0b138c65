internal import Audit
internal import Configuration
internal import Linux

/// What the workers of `serve` are started with: its configuration, and the fence that follows from it. At a reload it is made anew, or stays as it was. Main thread.
struct ServedStart {
    private(set) var configuration: AgentConfiguration
    private(set) var fence: FencePlan?
    private let entry: String
    private let trail: AuditTrail
    private let messages: Messages

    enum Renewal {
        case same
        case policyChanged
        /// The program cannot be taken as it is now. It has been told.
        case refused
    }

    init(_ settings: ServeSettings, _ fence: FencePlan?, _ trail: AuditTrail, _ messages: Messages) {
        configuration = settings.configuration
        entry = settings.entry
        self.fence = fence
        self.trail = trail
        self.messages = messages
    }

    /// Policy, secrets and signature as they are now, for workers that are started from here on, those that take the place of one that died among them.
    /// - Parameter read: The configuration as it is now; nil: it stays as it is.
    mutating func renew(_ read: Result<Configured<AgentConfiguration>, ConfigurationErrors>?) -> Renewal {
        var next = configuration
        switch read {
        case nil: break
        case .success(let read):
            next.worker.takePolicy(of: read.value.worker)
            next.policy = read.value.policy
        case .failure(let errors): return refusePolicy(errors.problems.map(\.description))
        }
        let fence: FencePlan?
        let isChanged = next.worker != configuration.worker || next.policy != configuration.policy
        do throws(FenceError) {
            // Also of an entry that is a link elsewhere by now.
            fence = try FencePlan(next.worker, entry: entry)
        } catch {
            return refusePolicy([error.description])
        }
        do throws(StartRefusal) {
            try next.admit(entry, trail)
        } catch {
            refuse(error.problems[0])
            if isChanged { notePolicy("refused", error.problems[0]) }
            return .refused
        }
        (configuration, self.fence) = (next, fence)
        guard isChanged else { return .same }
        notePolicy("changed", configuration.policy.words.joined(separator: " "))
        messages.say("the policy is \(configuration.policy.source ?? "none") as it is now")
        return .policyChanged
    }

    private func refusePolicy(_ problems: [String]) -> Renewal {
        for problem in problems { messages.warn("the policy stays as it was: \(problem)") }
        notePolicy("refused", problems.first ?? "")
        refuse("its policy is not valid")
        return .refused
    }

    private func refuse(_ reason: String) {
        messages.warn("\(entry) is not taken as it is now: \(reason); what was serves on")
    }

    private func notePolicy(_ outcome: String, _ reason: String) {
        trail.note(
            AuditEvent(
                .policyChange, actor: "uid \(Machine.userID)", action: "reload",
                target: configuration.policy.source ?? "none", outcome: outcome, reason: reason))
    }
}
